/**
 * GHASH (NIST SP 800-38D §6.4) in constant time: as a sum, not by Horner's rule. With X_1 … X_n the blocks, GHASH is the
 * sum of X_i · H^(n+1−i): each power of the key has a table of its own, and what looks things up in it are the nibbles of
 * X_i, additional data and ciphertext that everyone on the wire sees. Nothing is indexed by a secret, and the sums of
 * all blocks are shifted together, 32 times a message.
 *
 * Law: no branch and no index depends on the key. Tables are as secret as the key, and wiped with it. They stand in the
 * memory of one WebAssembly instance, behind the message at hand, with room for as many keys as may be busy.
 */
import { getUint32 } from '../../wire/bytes.js';
import { invariant } from '../../wire/errors.js';
import { Views } from '../../wire/views.js';
import { clearBytes, copyBytes, FEW } from '../aead.js';
import { fillMultiples, R, TABLE_WORDS } from '../ghash.js';
import { instantiateGhash, TABLE, type GhashCode } from './ghashcode.js';
import { MAX_BUSY_KEYS } from './pool.js';

/** Bytes of the longest payload: beyond, the platform's GCM is faster. Whole blocks. */
export const MAX_PAYLOAD = 1536;

/** Bytes of the longest additional data, whole blocks: that of (D)TLS has 13, with a connection identifier 278. */
export const MAX_AAD = 32;

/** What stands where, in bytes: the digest at 0, additional data up to the payload, the lengths behind it, tables. */
export const PAYLOAD_AT = 64;
const TABLES_AT = 2048;

/** Blocks of the longest message, its lengths included: each has a table. */
const MAX_BLOCKS = (MAX_AAD + MAX_PAYLOAD) / 16 + 1;

/** Bytes of a key's tables. */
const ROOM = MAX_BLOCKS * TABLE;

/** What all keys share. Pages that nobody has written to take no memory. */
export class GhashMemory {
  readonly code: GhashCode;
  readonly bytes: Uint8Array;
  /** The same as words of the machine. */
  readonly words: Int32Array;
  /** The payload as the platform takes it. */
  readonly #payloads: Views;
  /** Addresses of rooms without a key. */
  readonly #free: number[] = Array.from({ length: MAX_BUSY_KEYS }, (_, room) => TABLES_AT + room * ROOM);

  private constructor(code: GhashCode) {
    this.code = code;
    this.bytes = new Uint8Array(code.memory.buffer);
    this.words = new Int32Array(code.memory.buffer);
    this.#payloads = new Views(this.bytes.subarray(PAYLOAD_AT, TABLES_AT));
  }

  /** Null where there can be none. */
  static make(): GhashMemory | null {
    const code = instantiateGhash(TABLES_AT + MAX_BUSY_KEYS * ROOM);
    return code && new GhashMemory(code);
  }

  /** Makes `sealed[start, start + length)` the payload. What stood before it there may now stand before it here. */
  takePayload(sealed: Uint8Array, start: number, length: number): void {
    const behind = sealed.length - start;
    if (length <= FEW || start > PAYLOAD_AT || behind > TABLES_AT - PAYLOAD_AT) {
      copyBytes(this.bytes, PAYLOAD_AT, sealed, start, length);
    } else {
      // All of it, because a view of a part costs more.
      this.bytes.set(sealed, PAYLOAD_AT - start);
      this.bytes.fill(0, PAYLOAD_AT + length, PAYLOAD_AT + behind);
    }
  }

  /** Copies the first `length` bytes of the payload to `out[at…]`. */
  givePayload(out: Uint8Array, at: number, length: number): void {
    if (length > FEW) out.set(this.#payloads.first(length), at);
    else for (let i = 0; i < length; i++) out[at + i] = this.bytes[PAYLOAD_AT + i]!;
  }

  /** Wipes digest and message, which ends before `end`. */
  clear(end: number): void {
    clearBytes(this.bytes, end);
  }

  /** The address of a room, all zero. */
  take(): number {
    const address = this.#free.pop();
    invariant(address !== undefined, 'there is room for every busy key');
    return address;
  }

  /** Has a room back that is all zero again. */
  give(address: number): void {
    this.#free.push(address);
  }
}

/** GHASH under one key. */
export class PublicGhash {
  readonly #memory: GhashMemory;
  /** Where the tables of H, H², … stand, and their first word. */
  readonly #base: number;
  readonly #first: number;
  /** Powers that have a table. */
  #powers = 1;

  /** `h`: E(K, 0^128), read now and not kept. */
  constructor(memory: GhashMemory, h: Uint8Array) {
    this.#memory = memory;
    this.#base = memory.take();
    this.#first = this.#base >> 2;
    fillMultiples(memory.words, this.#first, getUint32(h, 0), getUint32(h, 4), getUint32(h, 8), getUint32(h, 12));
  }

  /** Leaves GHASH of `count` blocks from address `at` on as the first four words of memory, in big-endian order. */
  digest(at: number, count: number): void {
    while (this.#powers < count) this.#nextPower();
    this.#memory.code.digest(at, this.#base + (count - 1) * TABLE, this.#base);
  }

  /** Forgets the key and gives its room back: the end of this object. */
  wipe(): void {
    this.#memory.bytes.fill(0, this.#base, this.#base + this.#powers * TABLE);
    this.#memory.give(this.#base);
  }

  /** The next power of H, the last one times H: bit by bit, masked, for both are secret. */
  #nextPower(): void {
    const { words } = this.#memory;
    // Entry 8 of a table is the power itself.
    const one = this.#first + 32;
    const last = one + (this.#powers - 1) * TABLE_WORDS;
    let h0 = words[one]!;
    let h1 = words[one + 1]!;
    let h2 = words[one + 2]!;
    let h3 = words[one + 3]!;
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    for (let bit = 0; bit < 128; bit++) {
      const chosen = -((words[last + (bit >>> 5)]! >>> (31 - (bit & 31))) & 1);
      z0 ^= h0 & chosen;
      z1 ^= h1 & chosen;
      z2 ^= h2 & chosen;
      z3 ^= h3 & chosen;
      const carry = -(h3 & 1) & R;
      h3 = (h3 >>> 1) | (h2 << 31);
      h2 = (h2 >>> 1) | (h1 << 31);
      h1 = (h1 >>> 1) | (h0 << 31);
      h0 = (h0 >>> 1) ^ carry;
    }
    fillMultiples(words, this.#first + this.#powers * TABLE_WORDS, z0, z1, z2, z3);
    this.#powers++;
  }
}
