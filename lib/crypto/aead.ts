/**
 * What all AEAD implementations share: the making of an algorithm row, the check of arguments, and a workspace.
 *
 * Law: a wrong argument is the caller's error and throws a `LocalError` before anything is written; a wrong record
 * is none (see `Aead.open`). The workspace belongs to one call at a time (everything here is synchronous) and is
 * all zero between calls, so no plaintext outlives its record and short blocks are padded for nothing.
 */
import { LocalError } from '../wire/errors.js';
import { copyOf, wipe } from '../wire/bytes.js';
import type { Aead, AeadAlgorithm, AeadName } from './provider.js';

/** Bytes of a nonce in every suite: RFC 5116 §5.1, RFC 6655 §3, RFC 8439 §2.8. */
const NONCE_LENGTH = 12;

/** CCM with a 3-byte length field goes no further (RFC 3610 §2.1); the others are held to the same. */
const MAX_PLAINTEXT = 0xff_ffff;

/** Beyond this CCM encodes the length of the additional data differently (RFC 3610 §2.2); (D)TLS needs 300 bytes at most. */
const MAX_AAD = 0xfeff;

/** An algorithm whose instances are made by `make`, which owns the copy of the key that it gets. */
export function aeadAlgorithm(
  name: AeadName,
  keyLength: number,
  tagLength: number,
  make: (key: Uint8Array, tagLength: number) => Aead,
): AeadAlgorithm {
  return {
    name,
    keyLength,
    tagLength,
    create(key: Uint8Array): Aead {
      if (key.length !== keyLength) {
        throw new LocalError('ERR_DTLS_ARGUMENT', `a key for ${name} has ${keyLength} bytes, not ${key.length}`);
      }
      return make(copyOf(key), tagLength);
    },
  };
}

/** Throws unless `length` bytes fit at `out[at…]` and nonce, additional data and length are within bounds. */
export function checkRecord(out: Uint8Array, at: number, length: number, nonce: Uint8Array, aad: Uint8Array): void {
  if (at >= 0 && at + length <= out.length && length <= MAX_PLAINTEXT && nonce.length === NONCE_LENGTH && aad.length <= MAX_AAD) return;
  if (nonce.length !== NONCE_LENGTH) {
    throw new LocalError('ERR_DTLS_ARGUMENT', `a nonce has ${NONCE_LENGTH} bytes, not ${nonce.length}`);
  }
  throw new LocalError('ERR_DTLS_TOO_LARGE', `${length} bytes at ${at} of ${out.length}, with ${aad.length} bytes of additional data`);
}

/** Whole 16-byte blocks that hold `length` bytes, in bytes. */
export function wholeBlocks(length: number): number {
  return (length + 15) & ~15;
}

/** Bytes and the same bytes as 32-bit words of the machine: XOR by words is several times faster than by bytes. */
export class Workspace {
  bytes: Uint8Array;
  words: Int32Array;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.words = new Int32Array(this.bytes.buffer);
  }

  /** Makes room for `length` bytes. `bytes` and `words` may be other arrays afterwards: both or, if this throws, neither. */
  reserve(length: number): void {
    if (length <= this.bytes.length) return;
    wipe(this.bytes);
    const bytes = new Uint8Array(wholeBlocks(Math.max(length, 2 * this.bytes.length)));
    const words = new Int32Array(bytes.buffer);
    this.bytes = bytes;
    this.words = words;
  }
}

/** Below this many bytes a loop beats the call of `set` or `fill` and the view it may need. */
export const FEW = 96;

/** Copies `length` bytes without making a view where there are few. The ranges do not overlap, or start at the same place. */
export function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  // A Buffer's own `subarray` costs more than a plain view.
  if (length > FEW) to.set(start === 0 && length === from.length ? from : new Uint8Array(from.buffer, from.byteOffset + start, length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/** Zeros the first `length` bytes. */
export function clearBytes(bytes: Uint8Array, length: number): void {
  if (length > FEW) bytes.fill(0, 0, length);
  else for (let i = 0; i < length; i++) bytes[i] = 0;
}
