/**
 * AES-GCM (NIST SP 800-38D, RFC 5288) on the platform's crypto. Long records, and the first few of a key, go to the
 * platform's own GCM, one cipher object each. For short records of a busy key that object costs several times the
 * work: they take their keystream from one ECB cipher that lives as long as the key is busy, and GHASH is done here.
 *
 * Law: AES is the platform's, GHASH indexes its tables by public bytes alone (see `ghash.ts`): constant-time both
 * ways. `out` sees nothing before the tag is right.
 */
import { createCipheriv, type Cipher, type KeyObject } from 'node:crypto';
import { wipe } from '../../wire/bytes.js';
import { aeadAlgorithm, checkRecord, clearBytes, copyBytes, wholeBlocks, Workspace } from '../aead.js';
import type { AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { KeystreamAhead } from './ahead.js';
import { AuthenticatedCipher, TAG_LENGTH } from './authenticated.js';
import { PublicGhash } from './ghash.js';
import { BLOCK, keystream, xorWords, type CounterForm } from './keystream.js';
import { partOf } from './platform.js';
import { busyKeys, type Pooled } from './pool.js';

/** Beyond this the platform's GCM is faster. */
const MAX_SHORT = 256;

/** The additional data of (D)TLS is 13 bytes, with a connection identifier 278. */
const MAX_SHORT_AAD = 32;

/** Additional data, ciphertext, lengths. */
const MAX_BLOCKS = (MAX_SHORT_AAD + MAX_SHORT) / BLOCK + 1;

/** Short records after which a key is busy. Getting ready costs as much as about five records save. */
const BUSY_AFTER = 4;

/** inc32 of J_0 (§7.1): nonce ‖ 0^8 ‖ counter, where 1 masks the tag and 2 is the first of the payload. */
const COUNTERS: CounterForm = { nonceAt: 0, flags: 0, first: 1 };

/** What GHASH is over: additional data ‖ ciphertext ‖ lengths, each padded with zeros. All zero between calls. */
const input: Workspace = /* @__PURE__ */ new Workspace(MAX_BLOCKS * BLOCK);

/** GHASH of the record at hand, and then its tag as big-endian words. */
const digest: Int32Array = /* @__PURE__ */ new Int32Array(4);

/** What a busy key has. */
interface Busy {
  readonly ecb: Cipher;
  readonly ghash: PublicGhash;
  readonly ahead: KeystreamAhead;
}

class NativeGcm extends AuthenticatedCipher implements Pooled {
  recent = true;
  slot = -1;
  #busy: Busy | null = null;
  /** Short records since the key was idle. */
  #records = 0;

  override seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const { length } = plain;
    const busy = this.#busyFor(length, aad.length);
    if (busy === null) return this.#count(super.seal(out, at, nonce, aad, plain), length);
    checkRecord(out, at, length + TAG_LENGTH, nonce, aad);
    const payload = wholeBlocks(aad.length);
    const size = wholeBlocks(length);
    try {
      copyBytes(input.bytes, 0, aad, 0, aad.length);
      copyBytes(input.bytes, payload, plain, 0, length);
      keystream.make(busy.ecb, busy.ahead, COUNTERS, nonce, BLOCK + size);
      encrypt(payload, length, size);
      authenticate(busy.ghash, aad.length, length, payload + size);
      copyBytes(out, at, input.bytes, payload, length);
      for (let i = 0; i < TAG_LENGTH; i++) out[at + length + i] = tagByte(i);
      return length + TAG_LENGTH;
    } finally {
      clearBytes(input.bytes, payload + size + BLOCK);
      keystream.clear();
    }
  }

  override open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const length = end - start - TAG_LENGTH;
    const busy = this.#busyFor(length, aad.length);
    if (busy === null) return this.#count(super.open(out, at, nonce, aad, sealed, start, end), length);
    checkRecord(out, at, length, nonce, aad);
    const payload = wholeBlocks(aad.length);
    const size = wholeBlocks(length);
    try {
      copyBytes(input.bytes, 0, aad, 0, aad.length);
      copyBytes(input.bytes, payload, sealed, start, length);
      keystream.make(busy.ecb, busy.ahead, COUNTERS, nonce, BLOCK + size);
      authenticate(busy.ghash, aad.length, length, payload + size);
      let difference = 0;
      for (let i = 0; i < TAG_LENGTH; i++) difference |= tagByte(i) ^ sealed[start + length + i]!;
      if (difference !== 0) return -1;
      encrypt(payload, length, size);
      copyBytes(out, at, input.bytes, payload, length);
      return length;
    } finally {
      clearBytes(input.bytes, payload + size + BLOCK);
      keystream.clear();
    }
  }

  override wipe(): void {
    busyKeys.remove(this);
    this.release();
    super.wipe();
  }

  release(): void {
    this.#busy?.ghash.wipe();
    this.#busy?.ahead.wipe();
    this.#busy = null;
    this.#records = 0;
  }

  /** What a busy key has, if the record is short; null if it is for the platform's GCM. */
  #busyFor(length: number, aadLength: number): Busy | null {
    if (length < 0 || length > MAX_SHORT || aadLength > MAX_SHORT_AAD) return null;
    this.recent = true;
    if (this.#busy === null && this.#records >= BUSY_AFTER) this.#busy = this.#getReady(this.key());
    return this.#busy;
  }

  /** Only what was sealed, or proved authentic, makes a key busy: who forges records makes no key busy. */
  #count(result: number, length: number): number {
    if (result >= 0 && length <= MAX_SHORT) this.#records++;
    return result;
  }

  #getReady(key: KeyObject): Busy {
    busyKeys.admit(this);
    const ecb = createCipheriv(`aes-${key.symmetricKeySize! * 8}-ecb`, key, null);
    ecb.setAutoPadding(false);
    const h = ecb.update(new Uint8Array(BLOCK));
    const ghash = new PublicGhash(h, MAX_BLOCKS);
    wipe(h);
    return { ecb, ghash, ahead: new KeystreamAhead() };
  }
}

/** XORs the payload in `input` with its keystream. GHASH is over zeros beyond it. */
function encrypt(payload: number, length: number, size: number): void {
  xorWords(input.words, payload >> 2, keystream.words, (keystream.at + BLOCK) >> 2, size >> 2);
  for (let i = payload + length; i < payload + size; i++) input.bytes[i] = 0;
}

/** Leaves the tag (§7.1) over additional data and ciphertext in `digest`; the lengths go to `input[end…]`. */
function authenticate(ghash: PublicGhash, aadLength: number, length: number, end: number): void {
  const { bytes } = input;
  bytes[end + 6] = aadLength >>> 5;
  bytes[end + 7] = aadLength << 3;
  bytes[end + 14] = length >>> 5;
  bytes[end + 15] = length << 3;
  ghash.digest(digest, bytes, end / BLOCK + 1);
}

/** Byte `i` of the tag of the record at hand. */
function tagByte(i: number): number {
  return ((digest[i >> 2]! >>> (24 - ((i & 3) << 3))) & 0xff) ^ keystream.bytes[keystream.at + i]!;
}

function gcm(name: AeadName, keyLength: number): AeadAlgorithm {
  return aeadAlgorithm(name, keyLength, TAG_LENGTH, (key) => new NativeGcm(name, key));
}

/** AES-GCM with keys of 128 and 256 bits. */
export const gcmPart: ProviderPart = /* @__PURE__ */ partOf(gcm('aes-128-gcm', 16), gcm('aes-256-gcm', 32));
