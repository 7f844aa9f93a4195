/**
 * ChaCha20-Poly1305 (RFC 8439 §2.8) on noble's stream cipher and its Poly1305. noble's own AEAD sets its cipher up
 * twice per record and throws for a forged one; here one run yields the one-time key and the text.
 *
 * Law: a record is worked on in the shared workspace; `out` sees nothing of it before its tag is right. Unlike the
 * AES of this provider it looks nothing up, so its time does not depend on secrets.
 */
import { poly1305 } from '@noble/ciphers/_poly1305.js';
import { chacha20 } from '@noble/ciphers/chacha.js';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { aeadAlgorithm, checkRecord, wholeBlocks } from '../aead.js';
import type { Aead, ProviderPart } from '../provider.js';
import { tagBytes, tagStands, workspace } from './workspace.js';

const KEY_LENGTH = 32;
const TAG_LENGTH = 16;

/** The cipher's block: number 0 gives the one-time key of the MAC (§2.6), the text starts with number 1. */
const BLOCK_LENGTH = 64;

class NobleChacha implements Aead {
  readonly tagLength: number = TAG_LENGTH;
  #key: Uint8Array | null;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    if (this.#key === null) throw wipedError('AEAD');
    const { length } = plain;
    checkRecord(out, at, length + TAG_LENGTH, nonce, aad);
    const end = reserve(aad.length, length);
    const { bytes } = workspace;
    try {
      const run = encrypt(this.#key, nonce, plain);
      const ciphertext = run.subarray(BLOCK_LENGTH);
      authenticate(aad, ciphertext, end);
      out.set(ciphertext, at);
      out.set(tagBytes, at + length);
      return length + TAG_LENGTH;
    } finally {
      bytes.fill(0, 0, end);
    }
  }

  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    if (this.#key === null) throw wipedError('AEAD');
    const length = end - start - TAG_LENGTH;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const used = reserve(aad.length, length);
    const { bytes } = workspace;
    try {
      const ciphertext = sealed.subarray(start, start + length);
      const run = encrypt(this.#key, nonce, ciphertext);
      authenticate(aad, ciphertext, used);
      if (!tagStands(sealed, start + length, TAG_LENGTH)) return -1;
      out.set(run.subarray(BLOCK_LENGTH), at);
      return length;
    } finally {
      bytes.fill(0, 0, used);
    }
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = null;
  }
}

/** Where the MAC's input starts in the workspace: behind the one-time key's block and the text. */
function macStart(length: number): number {
  return wholeBlocks(BLOCK_LENGTH + length);
}

/** Makes room for the cipher's run and the MAC's input; returns where both end. */
function reserve(aadLength: number, length: number): number {
  const end = macStart(length) + wholeBlocks(aadLength) + wholeBlocks(length) + TAG_LENGTH;
  workspace.reserve(end);
  return end;
}

/** XORs `text` with the keystream, in the workspace. Returns block number 0, which starts with the one-time key ‖ the result. */
function encrypt(key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Uint8Array {
  const run = workspace.bytes.subarray(0, BLOCK_LENGTH + text.length);
  run.set(text, BLOCK_LENGTH);
  return chacha20(key, nonce, run, run);
}

/**
 * The MAC of aad ‖ zeros ‖ ciphertext ‖ zeros ‖ their two lengths as little-endian uint64s (§2.8), the input ending
 * at `end`, under the one-time key at the start of the workspace. Left in `tagBytes`.
 */
function authenticate(aad: Uint8Array, ciphertext: Uint8Array, end: number): void {
  const { bytes } = workspace;
  const start = macStart(ciphertext.length);
  bytes.set(aad, start);
  bytes.set(ciphertext, start + wholeBlocks(aad.length));
  putLength(bytes, end - 16, aad.length);
  putLength(bytes, end - 8, ciphertext.length);
  const mac = poly1305.create(bytes.subarray(0, 32));
  mac.update(bytes.subarray(start, end));
  mac.digestInto(tagBytes);
  mac.destroy();
}

/** The low 24 bits, all that a length here has, of a little-endian uint64. */
function putLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length >>> 16;
}

/** ChaCha20-Poly1305. */
export const chachaPart: ProviderPart = {
  aeads: {
    'chacha20-poly1305': /* @__PURE__ */ aeadAlgorithm('chacha20-poly1305', KEY_LENGTH, TAG_LENGTH, (key) => new NobleChacha(key)),
  },
};
