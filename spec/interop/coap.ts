/**
 * As much CoAP as a GET needs (RFC 7252 §3): messages read and written, and a responder that answers at once in the
 * acknowledgement (§5.2.1).
 */
import { utf8 } from './host.js';

/** One message. */
export interface CoapMessage {
  readonly type: number;
  readonly code: number;
  readonly id: number;
  readonly token: Uint8Array;
  /** Segments of Uri-Path; other options are skipped. */
  readonly path: readonly string[];
  readonly payload: Uint8Array;
}

/** RFC 7252 §3. */
export const CoapType = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const;
/** RFC 7252 §12.1: class · 32 + detail. */
export const CoapCode = { empty: 0, get: 1, content: 0x45, notFound: 0x84, methodNotAllowed: 0x85 } as const;

/** The request that the scenes with libcoap send. */
export const GET_TIME: CoapMessage = {
  type: CoapType.confirmable,
  code: CoapCode.get,
  id: 0x1234,
  token: Uint8Array.of(7, 8, 9),
  path: ['time'],
  payload: new Uint8Array(0),
};

const URI_PATH = 11;
const PAYLOAD_MARKER = 0xff;

/** Reads a message; null if it is none. */
export function readCoap(bytes: Uint8Array): CoapMessage | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint8(0) >> 6 !== 1) return null;
  const tokenEnd = 4 + (view.getUint8(0) & 15);
  if (tokenEnd > 12 || tokenEnd > bytes.length) return null;
  const path: string[] = [];
  let at = tokenEnd;
  let number = 0;
  while (at < bytes.length && bytes[at] !== PAYLOAD_MARKER) {
    const head = bytes[at++]!;
    const delta = extended(bytes, at, head >> 4);
    const length = extended(bytes, at + delta.size, head & 15);
    at += delta.size + length.size;
    number += delta.value;
    if (Number.isNaN(number + length.value) || at + length.value > bytes.length) return null;
    if (number === URI_PATH) path.push(new TextDecoder().decode(bytes.subarray(at, at + length.value)));
    at += length.value;
  }
  return {
    type: (view.getUint8(0) >> 4) & 3,
    code: view.getUint8(1),
    id: view.getUint16(2),
    token: bytes.slice(4, tokenEnd),
    path,
    payload: bytes.slice(at + 1),
  };
}

/** Writes a message. Path segments of up to 12 bytes. */
export function writeCoap({ type, code, id, token, path, payload }: CoapMessage): Uint8Array {
  const segments = path.map((segment) => utf8(segment));
  const options = segments.flatMap((segment, index) => [((index === 0 ? URI_PATH : 0) << 4) | segment.length, ...segment]);
  const body = payload.length === 0 ? [] : [PAYLOAD_MARKER, ...payload];
  return Uint8Array.of(0x40 | (type << 4) | token.length, code, id >> 8, id & 0xff, ...token, ...options, ...body);
}

/** A responder for `resources`: paths without their first slash, and what a GET of them returns. */
export function coapResponder(resources: Readonly<Record<string, string>>): (data: Uint8Array) => Uint8Array | null {
  return (data) => {
    const request = readCoap(data);
    if (request === null || request.type > CoapType.nonConfirmable) return null;
    const answer = { ...request, type: CoapType.acknowledgement, path: [], payload: new Uint8Array(0) };
    if (request.code === CoapCode.empty) return writeCoap({ ...answer, type: CoapType.reset }); // a ping (§4.3)
    const content = resources[request.path.join('/')];
    if (request.code !== CoapCode.get) return writeCoap({ ...answer, code: CoapCode.methodNotAllowed });
    if (content === undefined) return writeCoap({ ...answer, code: CoapCode.notFound });
    return writeCoap({ ...answer, code: CoapCode.content, payload: utf8(content) });
  };
}

/** The value of an option's delta or length, and how many more bytes it took (§3.1); NaN if it is reserved or cut off. */
function extended(bytes: Uint8Array, at: number, nibble: number): { value: number; size: number } {
  if (nibble < 13) return { value: nibble, size: 0 };
  if (nibble === 13) return { value: 13 + (bytes[at] ?? NaN), size: 1 };
  if (nibble === 14) return { value: 269 + 256 * (bytes[at] ?? NaN) + (bytes[at + 1] ?? NaN), size: 2 };
  return { value: NaN, size: 0 };
}
