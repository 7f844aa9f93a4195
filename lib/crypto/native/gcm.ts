/**
 * AES-GCM (NIST SP 800-38D, RFC 5288) on the platform's crypto. Records that are longer than a packet, and the first few
 * of a key, go to the platform's own GCM, one cipher object each. For a busy key that object costs up to three times
 * the work: its records take their keystream from one ECB cipher that lives as long as the key is busy, and GHASH is done here.
 *
 * Law: AES is the platform's, GHASH indexes its tables by public bytes alone (see `ghash.ts`): constant-time both
 * ways. `out` sees nothing before the tag is right.
 */
import { createCipheriv, type Cipher, type KeyObject } from 'node:crypto';
import { wipe } from '../../wire/bytes.js';
import { aeadAlgorithm, checkRecord, copyBytes, wholeBlocks } from '../aead.js';
import type { AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { KeystreamAhead } from './ahead.js';
import { AuthenticatedCipher, TAG_LENGTH } from './authenticated.js';
import { GhashMemory, MAX_AAD, MAX_PAYLOAD, PAYLOAD_AT, PublicGhash } from './ghash.js';
import { BLOCK, keystream, xorWords, type CounterForm } from './keystream.js';
import { partOf } from './platform.js';
import { busyKeys, type Pooled } from './pool.js';

/** inc32 of J_0 (§7.1): nonce ‖ 0^8 ‖ counter, where 1 masks the tag and 2 is the first of the payload. */
const COUNTERS: CounterForm = { nonceAt: 0, flags: 0, first: 1 };

/** Where GHASH is done: undefined until it is needed, null where it cannot be. */
let shared: GhashMemory | null | undefined;

/** What a busy key has. */
interface Busy {
  readonly memory: GhashMemory;
  readonly ecb: Cipher;
  readonly ghash: PublicGhash;
  readonly ahead: KeystreamAhead;
}

class NativeGcm extends AuthenticatedCipher implements Pooled {
  recent = true;
  slot = -1;
  #busy: Busy | null = null;
  /** Records that the platform's GCM did since the key was idle. */
  #records = 0;

  override seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const { length } = plain;
    const busy = this.#busyFor(length, aad.length);
    if (busy === null) return this.#count(super.seal(out, at, nonce, aad, plain));
    checkRecord(out, at, length + TAG_LENGTH, nonce, aad);
    const { memory } = busy;
    const size = wholeBlocks(length);
    try {
      copyBytes(memory.bytes, PAYLOAD_AT, plain, 0, length);
      keystream.make(busy.ecb, busy.ahead, COUNTERS, nonce, BLOCK + size);
      encrypt(memory, length, size);
      authenticate(busy, aad, length, size);
      memory.givePayload(out, at, length);
      for (let i = 0; i < TAG_LENGTH; i++) out[at + length + i] = tagByte(memory, i);
      return length + TAG_LENGTH;
    } finally {
      memory.clear(PAYLOAD_AT + size + BLOCK);
      keystream.clear();
    }
  }

  override open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const length = end - start - TAG_LENGTH;
    const busy = this.#busyFor(length, aad.length);
    if (busy === null) return this.#count(super.open(out, at, nonce, aad, sealed, start, end));
    checkRecord(out, at, length, nonce, aad);
    const { memory } = busy;
    const size = wholeBlocks(length);
    try {
      memory.takePayload(sealed, start, length);
      keystream.make(busy.ecb, busy.ahead, COUNTERS, nonce, BLOCK + size);
      authenticate(busy, aad, length, size);
      let difference = 0;
      for (let i = 0; i < TAG_LENGTH; i++) difference |= tagByte(memory, i) ^ sealed[start + length + i]!;
      if (difference !== 0) return -1;
      encrypt(memory, length, size);
      memory.givePayload(out, at, length);
      return length;
    } finally {
      memory.clear(PAYLOAD_AT + size + BLOCK);
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

  /**
   * What a busy key has; null if the record is for the platform's GCM. A table costs as much to make as a record saves: so
   * there are as many as records were done without them.
   */
  #busyFor(length: number, aadLength: number): Busy | null {
    if (length < 0 || length > MAX_PAYLOAD || aadLength > MAX_AAD || (length + aadLength) / BLOCK + 3 > this.#records) return null;
    this.recent = true;
    return (this.#busy ??= this.#getReady(this.key()));
  }

  /** Only what was sealed, or proved authentic, counts: a key whose records are all forged is never busy. */
  #count(result: number): number {
    if (result >= 0) this.#records++;
    return result;
  }

  #getReady(key: KeyObject): Busy | null {
    // Asked once: an attempt that fails takes the platform up to 60 ms (no address space).
    if (shared === undefined) shared = GhashMemory.make();
    if (shared === null) return null;
    const memory = shared;
    busyKeys.admit(this);
    const ecb = createCipheriv(`aes-${key.symmetricKeySize! * 8}-ecb`, key, null);
    ecb.setAutoPadding(false);
    const h = ecb.update(new Uint8Array(BLOCK));
    const ghash = new PublicGhash(memory, h);
    wipe(h);
    return { memory, ecb, ghash, ahead: new KeystreamAhead() };
  }
}

/** XORs the payload with its keystream. GHASH is over zeros beyond it. */
function encrypt({ bytes, words }: GhashMemory, length: number, size: number): void {
  xorWords(words, PAYLOAD_AT >> 2, keystream.words, (keystream.at + BLOCK) >> 2, size >> 2);
  for (let i = PAYLOAD_AT + length; i < PAYLOAD_AT + size; i++) bytes[i] = 0;
}

/** Leaves the tag (§7.1) over additional data and ciphertext, but for its mask, as the digest. */
function authenticate({ memory, ghash }: Busy, aad: Uint8Array, length: number, size: number): void {
  const { bytes } = memory;
  const begin = PAYLOAD_AT - wholeBlocks(aad.length);
  copyBytes(bytes, begin, aad, 0, aad.length);
  for (let i = begin + aad.length; i < PAYLOAD_AT; i++) bytes[i] = 0;
  const end = PAYLOAD_AT + size;
  bytes[end + 6] = aad.length >>> 5;
  bytes[end + 7] = aad.length << 3;
  bytes[end + 14] = length >>> 5;
  bytes[end + 15] = length << 3;
  ghash.digest(begin, (end - begin) / BLOCK + 1);
}

/** Byte `i` of the tag of the record at hand. */
function tagByte(memory: GhashMemory, i: number): number {
  return ((memory.words[i >> 2]! >>> (24 - ((i & 3) << 3))) & 0xff) ^ keystream.bytes[keystream.at + i]!;
}

function gcm(name: AeadName, keyLength: number): AeadAlgorithm {
  return aeadAlgorithm(name, keyLength, TAG_LENGTH, (key) => new NativeGcm(name, key));
}

/** AES-GCM with keys of 128 and 256 bits. */
export const gcmPart: ProviderPart = /* @__PURE__ */ partOf(gcm('aes-128-gcm', 16), gcm('aes-256-gcm', 32));
