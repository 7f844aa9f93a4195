/**
 * AES-CCM with 12-byte nonces (RFC 3610 with L = 3, NIST SP 800-38C, RFC 6655 §3) on two native ciphers that live as
 * long as their key is busy: ECB makes the keystream, CBC the MAC, one `update()` each per record. Making a cipher
 * object costs more than both, and Deno and Bun have no CCM of their own. Where the platform has one, it does the first
 * record of a key, which is a handshake's only one (see `ccmonce.ts`).
 *
 * A CBC object cannot be started anew, but need not be: it XORs its last ciphertext block into the next input, so the
 * first block of each record is XORed with the same, and what gets encrypted is the record's own.
 *
 * Law: AES is the platform's, constant-time; JavaScript only XORs. `out` sees nothing before the tag is right.
 * Native ciphers cannot be wiped: `wipe` drops them.
 */
import { createCipheriv, type Cipher } from 'node:crypto';
import { wipe } from '../../wire/bytes.js';
import { invariant, wipedError } from '../../wire/errors.js';
import { aeadAlgorithm, checkRecord, clearBytes, copyBytes, wholeBlocks } from '../aead.js';
import type { Aead, AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { partOf } from './platform.js';
import { KeystreamAhead } from './ahead.js';
import { hasCcm, openOnce, sealOnce } from './ccmonce.js';
import { BLOCK, Blocks, keystream, xorWords, type CounterForm } from './keystream.js';
import { busyKeys, type Pooled } from './pool.js';

/** L − 1 in the flags byte of every block that the nonce stands in (RFC 3610 §2.2, §2.3). */
const LENGTH_FLAGS = 2;

/** A_i of RFC 3610 §2.3: flags ‖ nonce ‖ i, from A_0 on. */
const COUNTERS: CounterForm = { nonceAt: 1, flags: LENGTH_FLAGS, first: 0 };

/** B_0 ‖ additional data ‖ plaintext: what the MAC is over. All zero between calls. */
const macInput: Blocks = /* @__PURE__ */ new Blocks(2048);

/** The tag of the record at hand. */
const tag: Uint8Array = /* @__PURE__ */ new Uint8Array(BLOCK);

interface Ciphers {
  readonly ecb: Cipher;
  readonly cbc: Cipher;
  /** The last block that `cbc` gave. */
  readonly chain: Uint8Array;
  readonly ahead: KeystreamAhead;
}

/** Wipes what can be wiped of ciphers that nobody will use again. */
function drop({ chain, ahead }: Ciphers): void {
  wipe(chain);
  ahead.wipe();
}

class NativeCcm implements Aead, Pooled {
  readonly tagLength: number;
  recent = true;
  slot = -1;
  /** Kept for as long as the instance lives: the pool may take the ciphers away. */
  #key: Uint8Array | null;
  #ciphers: Ciphers | null = null;
  /** There was a record since the key was idle. */
  #begun = false;

  constructor(key: Uint8Array, tagLength: number) {
    this.#key = key;
    this.tagLength = tagLength;
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const { length } = plain;
    checkRecord(out, at, length + this.tagLength, nonce, aad);
    const ciphers = this.#takeCiphers(length, aad.length);
    if (ciphers === null) return this.#begin(sealOnce(this.#key!, this.tagLength, out, at, nonce, aad, plain));
    const payload = loadMac(ciphers.chain, nonce, aad, plain, 0, length, this.tagLength);
    const size = wholeBlocks(length);
    try {
      keystream.make(ciphers.ecb, ciphers.ahead, COUNTERS, nonce, BLOCK + size);
      authenticate(ciphers, payload + size);
      this.#ciphers = ciphers;
      xorWords(keystream.words, (keystream.at + BLOCK) >> 2, macInput.words, payload >> 2, size >> 2);
      copyBytes(out, at, keystream.bytes, keystream.at + BLOCK, length);
      for (let i = 0; i < this.tagLength; i++) out[at + length + i] = tag[i]!;
      return length + this.tagLength;
    } finally {
      if (this.#ciphers !== ciphers) drop(ciphers);
      clearBytes(macInput.bytes, payload + size);
      keystream.clear();
    }
  }

  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const length = end - start - this.tagLength;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const ciphers = this.#takeCiphers(length, aad.length);
    if (ciphers === null) return this.#begin(openOnce(this.#key!, this.tagLength, out, at, nonce, aad, sealed, start, end));
    const payload = loadMac(ciphers.chain, nonce, aad, sealed, start, length, this.tagLength);
    const size = wholeBlocks(length);
    try {
      keystream.make(ciphers.ecb, ciphers.ahead, COUNTERS, nonce, BLOCK + size);
      xorWords(macInput.words, payload >> 2, keystream.words, (keystream.at + BLOCK) >> 2, size >> 2);
      // What lies beyond the payload is now bare keystream; the MAC is over zeros there.
      for (let i = payload + length; i < payload + size; i++) macInput.bytes[i] = 0;
      authenticate(ciphers, payload + size);
      this.#ciphers = ciphers;
      let difference = 0;
      for (let i = 0; i < this.tagLength; i++) difference |= tag[i]! ^ sealed[start + length + i]!;
      if (difference !== 0) return -1;
      copyBytes(out, at, macInput.bytes, payload, length);
      return length;
    } finally {
      if (this.#ciphers !== ciphers) drop(ciphers);
      clearBytes(macInput.bytes, payload + size);
      keystream.clear();
    }
  }

  wipe(): void {
    busyKeys.remove(this);
    this.release();
    wipe(this.#key);
    this.#key = null;
  }

  release(): void {
    if (this.#ciphers !== null) drop(this.#ciphers);
    this.#ciphers = null;
    this.#begun = false;
  }

  /**
   * The ciphers. They are handed back once the chain is known, and never if a native call throws before. Null for a first
   * record that the platform's own CCM does.
   */
  #takeCiphers(length: number, aadLength: number): Ciphers | null {
    this.recent = true;
    const ciphers = this.#ciphers;
    this.#ciphers = null;
    if (ciphers !== null) return ciphers;
    if (this.#key === null) throw wipedError('AEAD');
    if (!hasCcm || this.#begun || length === 0 || aadLength === 0) return this.#makeCiphers(this.#key);
    return null;
  }

  /** Only a record that was sealed, or proved authentic, begins: who forges records makes no key busy. */
  #begin(result: number): number {
    if (result >= 0) this.#begun = true;
    return result;
  }

  #makeCiphers(key: Uint8Array): Ciphers {
    busyKeys.admit(this);
    const bits = key.length * 8;
    const chain = new Uint8Array(BLOCK);
    const ecb = createCipheriv(`aes-${bits}-ecb`, key, null);
    const cbc = createCipheriv(`aes-${bits}-cbc`, key, chain);
    ecb.setAutoPadding(false);
    cbc.setAutoPadding(false);
    return { ecb, cbc, chain, ahead: new KeystreamAhead() };
  }
}

/**
 * Lays out the MAC's input: B_0 (RFC 3610 §2.2), XORed with `chain`; the additional data with its 2-byte length before
 * it; the payload; each padded with zeros to whole blocks. Returns where the payload starts.
 */
function loadMac(
  chain: Uint8Array, nonce: Uint8Array, aad: Uint8Array, payload: Uint8Array, from: number, length: number, tagLength: number,
): number {
  const start = BLOCK + (aad.length === 0 ? 0 : wholeBlocks(2 + aad.length));
  macInput.reserve(start + wholeBlocks(length));
  const { bytes } = macInput;
  const flags = (aad.length > 0 ? 0x40 : 0) | (((tagLength - 2) >> 1) << 3) | LENGTH_FLAGS;
  bytes[0] = chain[0]! ^ flags;
  for (let i = 0; i < 12; i++) bytes[1 + i] = chain[1 + i]! ^ nonce[i]!;
  bytes[13] = chain[13]! ^ (length >>> 16);
  bytes[14] = chain[14]! ^ (length >>> 8);
  bytes[15] = chain[15]! ^ length;
  if (aad.length > 0) {
    bytes[BLOCK] = aad.length >>> 8;
    bytes[BLOCK + 1] = aad.length;
    copyBytes(bytes, BLOCK + 2, aad, 0, aad.length);
  }
  copyBytes(bytes, start, payload, from, length);
  return start;
}

/** Runs the first `length` bytes of the MAC's input through CBC and leaves the tag in `tag`. */
function authenticate(ciphers: Ciphers, length: number): void {
  const encrypted = ciphers.cbc.update(macInput.first(length));
  invariant(encrypted.length === length, 'CBC gives whole blocks back at once');
  const { chain } = ciphers;
  const { bytes, at: mask } = keystream;
  for (let i = 0, at = length - BLOCK; i < BLOCK; i++, at++) {
    const byte = encrypted[at]!;
    chain[i] = byte;
    tag[i] = byte ^ bytes[mask + i]!;
  }
}

function ccm(name: AeadName, keyLength: number, tagLength: number): AeadAlgorithm {
  return aeadAlgorithm(name, keyLength, tagLength, (key) => new NativeCcm(key, tagLength));
}

/** AES-CCM with keys of 128 and 256 bits, tags of 8 and 16 bytes. */
export const ccmPart: ProviderPart = /* @__PURE__ */ partOf(
  ccm('aes-128-ccm-8', 16, 8),
  ccm('aes-128-ccm', 16, 16),
  ccm('aes-256-ccm-8', 32, 8),
  ccm('aes-256-ccm', 32, 16),
);
