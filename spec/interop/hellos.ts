/**
 * First ClientHellos, byte by byte, so that each can be wrong in one place.
 */
import { hexOf } from './host.js';

/** What a ClientHello is made of; bytes that are given replace what would be right. */
export interface HelloParts {
  readonly contentType?: number;
  readonly recordVersion?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  /** Added to the record's length field. */
  readonly recordLonger?: number;
  readonly messageType?: number;
  /** The message's length field. */
  readonly length?: number;
  readonly messageSeq?: number;
  readonly fragmentOffset?: number;
  /** The length field of the fragment. */
  readonly fragmentLength?: number;
  readonly version?: number;
  /** With its length byte. */
  readonly sessionId?: readonly number[];
  /** With its length byte. */
  readonly cookie?: readonly number[];
  /** With its two length bytes. */
  readonly cipherSuites?: readonly number[];
  /** With its length byte. */
  readonly compression?: readonly number[];
  /** With its two length bytes. */
  readonly extensions?: readonly number[];
  /** Only so many bytes of the body, with length fields that say so. */
  readonly bodyBytes?: number;
  /** Bytes after the body. */
  readonly after?: readonly number[];
}

/** PSK with AES-128-CCM-8, and the signalling suite of RFC 5746. */
const SUITES = [0xc0, 0xa8, 0x00, 0xff];
/** extended_master_secret. */
const EXTENSIONS = [0x00, 0x17, 0x00, 0x00];

/** A datagram with one ClientHello. Without parts it is a good one. */
export function clientHello(parts: HelloParts = {}): Uint8Array {
  const whole = [
    ...uint(parts.version ?? 0xfefd, 2),
    ...Array.from({ length: 32 }, (_, index) => index + 1),
    ...(parts.sessionId ?? [0]),
    ...(parts.cookie ?? [0]),
    ...(parts.cipherSuites ?? vector(2, SUITES)),
    ...(parts.compression ?? [1, 0]),
    ...(parts.extensions ?? vector(2, EXTENSIONS)),
    ...(parts.after ?? []),
  ];
  const body = whole.slice(0, parts.bodyBytes ?? whole.length);
  const message = [
    parts.messageType ?? 1,
    ...uint(parts.length ?? body.length, 3),
    ...uint(parts.messageSeq ?? 0, 2),
    ...uint(parts.fragmentOffset ?? 0, 3),
    ...uint(parts.fragmentLength ?? body.length, 3),
    ...body,
  ];
  return Uint8Array.from([
    parts.contentType ?? 22,
    ...uint(parts.recordVersion ?? 0xfeff, 2),
    ...uint(parts.epoch ?? 0, 2),
    ...uint(parts.sequence ?? 0, 6),
    ...uint(message.length + (parts.recordLonger ?? 0), 2),
    ...message,
  ]);
}

/** Bytes after their number, which takes `lengthBytes`. */
export function vector(lengthBytes: 1 | 2, bytes: readonly number[]): number[] {
  return [...uint(bytes.length, lengthBytes), ...bytes];
}

/** What a server does with a datagram. */
export type AnswerClass = 'HelloVerifyRequest' | 'ServerHello' | `alert ${number}` | 'silence' | `something else: ${string}`;

/** Names the first record of an answer. */
export function classify(answer: Uint8Array | null): AnswerClass {
  if (answer === null) return 'silence';
  if (answer[0] === 22 && answer[13] === 3) return 'HelloVerifyRequest';
  if (answer[0] === 22 && answer[13] === 2) return 'ServerHello';
  if (answer[0] === 21) return `alert ${answer[14] ?? NaN}`;
  return `something else: ${hexOf(answer)}`;
}

/** The record number of a datagram's first record. */
export function sequenceOf(datagram: Uint8Array): number {
  return Number(Buffer.from(datagram).readUIntBE(5, 6));
}

/** `value` in so many bytes, the highest first. */
function uint(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 256 ** (bytes - 1 - index)) % 256);
}
