/**
 * AES-GCM with 12-byte nonces and 16-byte tags (NIST SP 800-38D, RFC 5288) on noble's AES block function, as `aes.ts`
 * says. noble's `gcm` makes the key schedule and the GHASH table anew for each record; here both stay with the key.
 *
 * Law: a record is decrypted only after its tag proved right.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import { byteSwap, swap8IfBE } from '@noble/ciphers/utils.js';
import { aeadAlgorithm, wholeBlocks } from '../aead.js';
import type { AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { NobleAes } from './aes.js';
import { Ghash } from './ghash.js';
import { tag, workspace } from './workspace.js';

const TAG_LENGTH = 16;

class NobleGcm extends NobleAes {
  readonly #ghash: Ghash;

  constructor(key: Uint8Array) {
    super(key, TAG_LENGTH, 0);
    const { s0, s1, s2, s3 } = unsafe.encrypt(this.schedule(), 0, 0, 0, 0);
    this.#ghash = new Ghash(byteSwap(s0), byteSwap(s1), byteSwap(s2), byteSwap(s3));
  }

  override wipe(): void {
    super.wipe();
    this.#ghash.wipe();
  }

  protected override crypt(
    schedule: Uint32Array, nonce: Uint8Array, aadLength: number, payload: number, length: number, sealing: boolean,
  ): void {
    if (sealing) counterMode(schedule, nonce, payload, length);
    authenticate(schedule, this.#ghash, nonce, aadLength, payload, length);
  }

  protected override reveal(schedule: Uint32Array, nonce: Uint8Array, payload: number, length: number): void {
    counterMode(schedule, nonce, payload, length);
  }
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
