/**
 * Cuts a handshake message into fragments that fit their datagrams (RFC 6347 §4.2.3): contiguous, not overlapping,
 * each with the header of the whole.
 */
import { HANDSHAKE_HEADER, writeHandshakeHeader } from '../message/handshake.js';

/**
 * How many bytes of a message's remaining `left` bytes go into `room` bytes of plaintext: as many as fit, so that a
 * flight takes the fewest datagrams; −1 if none do.
 */
export function fragmentLength(left: number, room: number): number {
  const space = room - HANDSHAKE_HEADER;
  if (space >= left) return left;
  return space >= 1 ? space : -1;
}

/** Writes the fragment `body[offset, offset + length)` with its header to `out[0…]`; returns its length. */
export function writeFragment(
  out: Uint8Array,
  type: number,
  messageSeq: number,
  body: Uint8Array,
  offset: number,
  length: number,
): number {
  writeHandshakeHeader(out, 0, type, body.length, messageSeq, offset, length);
  for (let i = 0; i < length; i++) out[HANDSHAKE_HEADER + i] = body[offset + i]!;
  return HANDSHAKE_HEADER + length;
}
