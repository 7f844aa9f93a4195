/**
 * AES-CCM with 12-byte nonces (RFC 3610 with L = 3, NIST SP 800-38C, RFC 6655 §3) on two native ciphers that live as
 * long as their key is busy: ECB makes the keystream, CBC the MAC, one `update()` each per record. Making a cipher
 * object costs more than both, and Deno and Bun have no CCM of their own.
 *
 * A CBC object cannot be started anew, but need not be: it XORs its last ciphertext block into the next input, so the
 * first block of each record is XORed with the same, and what gets encrypted is the record's own.
 *
 * Law: AES is the platform's, constant-time; JavaScript only XORs. `out` sees nothing before the tag is right.
 * Native ciphers cannot be wiped: `wipe` drops them.
 */
import { createCipheriv, type Cipher } from 'node:crypto';
import { getUint32, putUint32, wipe } from '../../wire/bytes.js';
import { invariant } from '../../wire/errors.js';
import { aeadAlgorithm, checkRecord, clearBytes, copyBytes, wholeBlocks, wipedError, Workspace } from '../aead.js';
import type { Aead, AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { partOf } from './platform.js';
import { KeystreamAhead } from './ahead.js';
import { Pool, type Pooled } from './pool.js';

const BLOCK = 16;

/** L − 1 in the flags byte of every block that the nonce stands in (RFC 3610 §2.2, §2.3). */
const LENGTH_FLAGS = 2;

/** Keys that may have native ciphers at a time: about 1 MB. */
const MAX_BUSY_KEYS = 256;

const pool: Pool = /* @__PURE__ */ new Pool(MAX_BUSY_KEYS);

/** Whole blocks for a cipher. Native calls take views; those that were needed once are kept. */
class Blocks extends Workspace {
  #views: Uint8Array[] = [];

  override reserve(length: number): void {
    const before = this.bytes;
    super.reserve(length);
    if (this.bytes !== before) this.#views = [];
  }

  /** The first `length` bytes, a multiple of the block. */
  first(length: number): Uint8Array {
    return (this.#views[length / BLOCK] ??= this.bytes.subarray(0, length));
  }
}

/** B_0 ‖ additional data ‖ plaintext: what the MAC is over. All zero between calls. */
const macInput: Blocks = /* @__PURE__ */ new Blocks(2048);

/** A_0 ‖ A_1 ‖ …, whose encryption is the keystream. Nothing secret. */
const counters: Blocks = /* @__PURE__ */ new Blocks(2048);

/** E(A_0) ‖ E(A_1) ‖ …, and then the ciphertext. All zero between calls. */
const keystream: Workspace = /* @__PURE__ */ new Workspace(2048);

/** The tag of the record at hand. */
const tag: Uint8Array = /* @__PURE__ */ new Uint8Array(BLOCK);

interface Ciphers {
  readonly ecb: Cipher;
  readonly cbc: Cipher;
  /** The last block that `cbc` gave. */
  readonly chain: Uint8Array;
  readonly ahead: KeystreamAhead;
}

class NativeCcm implements Aead, Pooled {
  readonly tagLength: number;
  recent = true;
  slot = -1;
  /** Kept for as long as the instance lives: the pool may take the ciphers away. */
  #key: Uint8Array | null;
  #ciphers: Ciphers | null = null;

  constructor(key: Uint8Array, tagLength: number) {
    this.#key = key;
    this.tagLength = tagLength;
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const { length } = plain;
    checkRecord(out, at, length + this.tagLength, nonce, aad);
    const ciphers = this.#takeCiphers();
    const payload = loadMac(ciphers.chain, nonce, aad, plain, 0, length, this.tagLength);
    const size = wholeBlocks(length);
    try {
      makeKeystream(ciphers, nonce, BLOCK + size);
      authenticate(ciphers, payload + size);
      this.#ciphers = ciphers;
      xorWords(keystream.words, BLOCK >> 2, macInput.words, payload >> 2, size >> 2);
      copyBytes(out, at, keystream.bytes, BLOCK, length);
      for (let i = 0; i < this.tagLength; i++) out[at + length + i] = tag[i]!;
      return length + this.tagLength;
    } finally {
      clear(payload, size);
    }
  }

  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const length = end - start - this.tagLength;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const ciphers = this.#takeCiphers();
    const payload = loadMac(ciphers.chain, nonce, aad, sealed, start, length, this.tagLength);
    const size = wholeBlocks(length);
    try {
      makeKeystream(ciphers, nonce, BLOCK + size);
      xorWords(macInput.words, payload >> 2, keystream.words, BLOCK >> 2, size >> 2);
      // What lies beyond the payload is now bare keystream; the MAC is over zeros there.
      macInput.bytes.fill(0, payload + length, payload + size);
      authenticate(ciphers, payload + size);
      this.#ciphers = ciphers;
      let difference = 0;
      for (let i = 0; i < this.tagLength; i++) difference |= tag[i]! ^ sealed[start + length + i]!;
      if (difference !== 0) return -1;
      copyBytes(out, at, macInput.bytes, payload, length);
      return length;
    } finally {
      clear(payload, size);
    }
  }

  wipe(): void {
    pool.remove(this);
    this.release();
    wipe(this.#key);
    this.#key = null;
  }

  release(): void {
    wipe(this.#ciphers?.chain);
    this.#ciphers?.ahead.wipe();
    this.#ciphers = null;
  }

  /** The ciphers. They are handed back once the chain is known, and never if a native call throws before. */
  #takeCiphers(): Ciphers {
    this.recent = true;
    const ciphers = this.#ciphers;
    if (ciphers === null) return this.#makeCiphers();
    this.#ciphers = null;
    return ciphers;
  }

  #makeCiphers(): Ciphers {
    const key = this.#key;
    if (key === null) throw wipedError();
    pool.admit(this);
    const bits = key.length * 8;
    const chain = new Uint8Array(BLOCK);
    const ecb = createCipheriv(`aes-${bits}-ecb`, key, null);
    const cbc = createCipheriv(`aes-${bits}-cbc`, key, chain);
    ecb.setAutoPadding(false);
    cbc.setAutoPadding(false);
    return { ecb, cbc, chain, ahead: new KeystreamAhead() };
  }
}

/** Wipes what a record with `size` bytes of blocks left in the shared arrays. */
function clear(payload: number, size: number): void {
  clearBytes(macInput.bytes, payload + size);
  clearBytes(keystream.bytes, BLOCK + size);
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

/**
 * Leaves `length` bytes of E(A_0) ‖ E(A_1) ‖ … (RFC 3610 §2.3) in `keystream`: foreseen ones where there are, else by a
 * call of the cipher, which foresees the next few where the nonces run in sequence.
 */
function makeKeystream({ ecb, ahead }: Ciphers, nonce: Uint8Array, length: number): void {
  keystream.reserve(length);
  const follows = ahead.follows(nonce);
  const at = ahead.take(nonce, length);
  if (at >= 0) {
    copyBytes(keystream.bytes, 0, ahead.bytes, at, length);
    return;
  }
  const slots = follows ? KeystreamAhead.slotsFor(length, nonce) : 1;
  counters.reserve(length * slots);
  for (let slot = 0; slot < slots; slot++) layCounters(nonce, slot, length);
  const encrypted = ecb.update(counters.first(length * slots));
  invariant(encrypted.length === length * slots, 'ECB gives whole blocks back at once');
  if (slots > 1) ahead.fill(nonce, length, slots, encrypted);
  copyBytes(keystream.bytes, 0, encrypted, 0, length);
}

/** Lays out A_0, A_1, … for the nonce that is `slot` after `nonce`, as `length` bytes in `counters`. */
function layCounters(nonce: Uint8Array, slot: number, length: number): void {
  const { bytes, words } = counters;
  const start = slot * length;
  bytes[start] = LENGTH_FLAGS;
  for (let i = 0; i < 8; i++) bytes[start + 1 + i] = nonce[i]!;
  putUint32(bytes, start + 9, getUint32(nonce, 8) + slot);
  const last = bytes[start + 12]!;
  const first = start >> 2;
  const w0 = words[first]!;
  const w1 = words[first + 1]!;
  const w2 = words[first + 2]!;
  for (let i = 0; i < length; i += BLOCK) {
    const at = start + i;
    const word = at >> 2;
    const counter = i / BLOCK;
    words[word] = w0;
    words[word + 1] = w1;
    words[word + 2] = w2;
    bytes[at + 12] = last;
    bytes[at + 13] = counter >>> 16;
    bytes[at + 14] = counter >>> 8;
    bytes[at + 15] = counter;
  }
}

/** Runs the first `length` bytes of the MAC's input through CBC and leaves the tag in `tag`. */
function authenticate(ciphers: Ciphers, length: number): void {
  const encrypted = ciphers.cbc.update(macInput.first(length));
  invariant(encrypted.length === length, 'CBC gives whole blocks back at once');
  const { chain } = ciphers;
  const { bytes } = keystream;
  for (let i = 0, at = length - BLOCK; i < BLOCK; i++, at++) {
    const byte = encrypted[at]!;
    chain[i] = byte;
    tag[i] = byte ^ bytes[i]!;
  }
}

/** XORs `count` words, a multiple of four, from `source[from…]` into `target[to…]`. */
function xorWords(target: Int32Array, to: number, source: Int32Array, from: number, count: number): void {
  for (const end = to + count; to < end; to += 4, from += 4) {
    target[to]! ^= source[from]!;
    target[to + 1]! ^= source[from + 1]!;
    target[to + 2]! ^= source[from + 2]!;
    target[to + 3]! ^= source[from + 3]!;
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
