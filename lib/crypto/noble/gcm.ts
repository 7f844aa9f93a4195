/**
 * AES-GCM with 12-byte nonces and 16-byte tags (NIST SP 800-38D, RFC 5288) on noble's AES block function.
 * noble's `gcm` makes the key schedule and the GHASH table anew for each record; here both stay with the key.
 *
 * Law: a record is worked on in the shared workspace; it is decrypted only after its tag proved right, and `out`
 * sees nothing of it before. As with CCM, table look-ups make this fast and not constant-time.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import { byteSwap, swap8IfBE } from '@noble/ciphers/utils.js';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { aeadAlgorithm, checkRecord, clearBytes, copyBytes, wholeBlocks } from '../aead.js';
import type { Aead, AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { Ghash } from './ghash.js';
import { tag, tagBytes, workspace } from './workspace.js';

const TAG_LENGTH = 16;

class NobleGcm implements Aead {
  readonly tagLength: number = TAG_LENGTH;
  #schedule: Uint32Array | null;
  readonly #ghash: Ghash;

  constructor(key: Uint8Array) {
    const schedule = unsafe.expandKeyLE(key);
    wipe(key);
    const { s0, s1, s2, s3 } = unsafe.encrypt(schedule, 0, 0, 0, 0);
    this.#schedule = schedule;
    this.#ghash = new Ghash(byteSwap(s0), byteSwap(s1), byteSwap(s2), byteSwap(s3));
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const schedule = this.#schedule;
    if (schedule === null) throw wipedError('AEAD');
    const { length } = plain;
    checkRecord(out, at, length + TAG_LENGTH, nonce, aad);
    const payload = load(aad, plain, 0, length);
    const { bytes } = workspace;
    try {
      counterMode(schedule, nonce, payload, length);
      authenticate(schedule, this.#ghash, nonce, aad.length, payload, length);
      copyBytes(out, at, bytes, payload, length);
      out.set(tagBytes, at + length);
      return length + TAG_LENGTH;
    } finally {
      clearBytes(bytes, payload + wholeBlocks(length));
    }
  }

  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const schedule = this.#schedule;
    if (schedule === null) throw wipedError('AEAD');
    const length = end - start - TAG_LENGTH;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const payload = load(aad, sealed, start, length);
    const { bytes } = workspace;
    try {
      authenticate(schedule, this.#ghash, nonce, aad.length, payload, length);
      let difference = 0;
      for (let i = 0; i < TAG_LENGTH; i++) difference |= tagBytes[i]! ^ sealed[start + length + i]!;
      if (difference !== 0) return -1;
      counterMode(schedule, nonce, payload, length);
      copyBytes(out, at, bytes, payload, length);
      return length;
    } finally {
      clearBytes(bytes, payload + wholeBlocks(length));
    }
  }

  wipe(): void {
    this.#schedule?.fill(0);
    this.#schedule = null;
    this.#ghash.wipe();
  }
}

/** Lays out the workspace: additional data, then payload, each padded with zeros to whole blocks. Returns where the payload starts. */
function load(aad: Uint8Array, payload: Uint8Array, from: number, length: number): number {
  const start = wholeBlocks(aad.length);
  workspace.reserve(start + wholeBlocks(length));
  const { bytes } = workspace;
  copyBytes(bytes, 0, aad, 0, aad.length);
  copyBytes(bytes, start, payload, from, length);
  return start;
}

/** The nonce, four bytes from `at`, as a little-endian word. */
function nonceWord(nonce: Uint8Array, at: number): number {
  return nonce[at]! | (nonce[at + 1]! << 8) | (nonce[at + 2]! << 16) | (nonce[at + 3]! << 24);
}

/** GCTR over the payload (§6.5): the counter block is nonce ‖ uint32, and 1 is for the tag. */
function counterMode(schedule: Uint32Array, nonce: Uint8Array, payload: number, length: number): void {
  const { bytes, words } = workspace;
  const n0 = nonceWord(nonce, 0);
  const n1 = nonceWord(nonce, 4);
  const n2 = nonceWord(nonce, 8);
  const end = payload + wholeBlocks(length);
  for (let i = payload >> 2, counter = 2; i < end >> 2; i += 4, counter++) {
    const { s0, s1, s2, s3 } = unsafe.encrypt(schedule, n0, n1, n2, byteSwap(counter));
    words[i]! ^= swap8IfBE(s0);
    words[i + 1]! ^= swap8IfBE(s1);
    words[i + 2]! ^= swap8IfBE(s2);
    words[i + 3]! ^= swap8IfBE(s3);
  }
  // GHASH is over zeros beyond the payload; what stands there now is bare keystream.
  bytes.fill(0, payload + length, end);
}

/** The tag (§7.1) over additional data and ciphertext in the workspace, left in `tag`. */
function authenticate(
  schedule: Uint32Array,
  ghash: Ghash,
  nonce: Uint8Array,
  aadLength: number,
  payload: number,
  length: number,
): void {
  const { words } = workspace;
  const end = (payload + wholeBlocks(length)) >> 2;
  ghash.reset();
  for (let i = 0; i < end; i += 4) {
    ghash.block(bigEndian(words[i]!), bigEndian(words[i + 1]!), bigEndian(words[i + 2]!), bigEndian(words[i + 3]!));
  }
  ghash.block(0, aadLength * 8, 0, length * 8);
  const { s0, s1, s2, s3 } = unsafe.encrypt(schedule, nonceWord(nonce, 0), nonceWord(nonce, 4), nonceWord(nonce, 8), byteSwap(1));
  tag[0] = bigEndian(ghash.z0) ^ swap8IfBE(s0);
  tag[1] = bigEndian(ghash.z1) ^ swap8IfBE(s1);
  tag[2] = bigEndian(ghash.z2) ^ swap8IfBE(s2);
  tag[3] = bigEndian(ghash.z3) ^ swap8IfBE(s3);
}

/** A word of the machine as the big-endian number in the same four bytes, and back. */
function bigEndian(word: number): number {
  return byteSwap(swap8IfBE(word));
}

function gcm(name: AeadName, keyLength: number): AeadAlgorithm {
  return aeadAlgorithm(name, keyLength, TAG_LENGTH, (key) => new NobleGcm(key));
}

/** AES-GCM with keys of 128 and 256 bits. */
export const gcmPart: ProviderPart = {
  aeads: {
    'aes-128-gcm': /* @__PURE__ */ gcm('aes-128-gcm', 16),
    'aes-256-gcm': /* @__PURE__ */ gcm('aes-256-gcm', 32),
  },
};
