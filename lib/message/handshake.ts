/**
 * The handshake header (RFC 6347 §4.2.2) and the fragment it describes.
 *
 * Law: a fragment that does not fit its record or its own message is refused here, before anybody keeps a byte.
 */
import { getUint16, getUint24, putUint16, putUint24 } from '../wire/bytes.js';

/** Bytes of the DTLS handshake header. */
export const HANDSHAKE_HEADER = 12;

/** One handshake fragment as it stands in a record. Reused by its reader: copy what must live longer. */
export class Fragment {
  /** HandshakeType, or any byte the peer likes. */
  type = 0;
  /** Length of the whole message body. */
  length = 0;
  messageSeq = 0;
  offset = 0;
  /** Where the fragment's bytes start in the record. */
  start = 0;
  /** Where they end. */
  end = 0;

  /** Whether the fragment is the whole message. */
  get whole(): boolean {
    return this.end - this.start === this.length;
  }

  /**
   * Reads the fragment at `at` of `bytes[at, end)`. False if the header is cut short, if the fragment reaches
   * past the record or past its message, or if it carries nothing of a message that is not empty.
   */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < HANDSHAKE_HEADER) return false;
    this.type = bytes[at]!;
    this.length = getUint24(bytes, at + 1);
    this.messageSeq = getUint16(bytes, at + 4);
    this.offset = getUint24(bytes, at + 6);
    const fragmentLength = getUint24(bytes, at + 9);
    this.start = at + HANDSHAKE_HEADER;
    this.end = this.start + fragmentLength;
    if (this.end > end || this.offset + fragmentLength > this.length) return false;
    return fragmentLength > 0 || this.length === 0;
  }
}

const probe: Fragment = /* @__PURE__ */ new Fragment();

/** Whether `bytes[start, end)` is fragments and nothing else: one that does not fit makes the whole record worthless. */
export function isFragments(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && probe.read(bytes, at, end)) at = probe.end;
  return at === end && start < end;
}

/** Writes a handshake header at `at`. */
export function writeHandshakeHeader(
  out: Uint8Array,
  at: number,
  type: number,
  length: number,
  messageSeq: number,
  offset: number,
  fragmentLength: number,
): void {
  out[at] = type;
  putUint24(out, at + 1, length);
  putUint16(out, at + 4, messageSeq);
  putUint24(out, at + 6, offset);
  putUint24(out, at + 9, fragmentLength);
}
