/**
 * The DTLS 1.2 record header (RFC 6347 §4.1) and its limits.
 */
import { putUint16, putUint48 } from '../wire/bytes.js';

/** Bytes of a record header: type, version, epoch, sequence_number, length. */
export const RECORD_HEADER = 13;
/** Bytes of plaintext in a record (RFC 5246 §6.2.1). */
export const MAX_PLAINTEXT = 0x4000;
/** Bytes of a protected fragment (RFC 5246 §6.2.3). */
export const MAX_CIPHERTEXT: number = MAX_PLAINTEXT + 2048;
/** The last sequence number of an epoch: it must not wrap (RFC 6347 §4.1). */
export const MAX_SEQUENCE: number = 2 ** 48 - 1;

/** Writes a record header at `at`. */
export function writeRecordHeader(
  out: Uint8Array,
  at: number,
  type: number,
  version: number,
  epoch: number,
  sequence: number,
  length: number,
): void {
  out[at] = type;
  putUint16(out, at + 1, version);
  putUint16(out, at + 3, epoch);
  putUint48(out, at + 5, sequence);
  putUint16(out, at + 11, length);
}
