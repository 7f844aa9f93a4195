/**
 * GHASH (NIST SP 800-38D §6.4) of short messages in constant time: as a sum, not by Horner's rule. With X_1 … X_n the
 * blocks, GHASH is the sum of X_i · H^(n+1−i): each power of the key has a table of its own, and what looks things up
 * in it are the nibbles of X_i, additional data and ciphertext that everyone on the wire sees. Nothing is indexed by a
 * secret, and the sums of all blocks are shifted together, 32 times a message.
 *
 * Law: no branch and no index depends on the key. The tables are as secret as the key, and wiped with it.
 */
import { getUint32 } from '../../wire/bytes.js';
import { fillMultiples, R, remainder, TABLE_WORDS } from '../ghash.js';

const BLOCK = 16;

export class PublicGhash {
  /** Tables of H, H², … */
  readonly #tables: Int32Array;
  /** Powers that have a table. */
  #powers = 0;

  /** `h`: E(K, 0^128), read now and not kept. `maxBlocks`: of a message. */
  constructor(h: Uint8Array, maxBlocks: number) {
    this.#tables = new Int32Array(maxBlocks * TABLE_WORDS);
    fillMultiples(this.#tables, 0, getUint32(h, 0), getUint32(h, 4), getUint32(h, 8), getUint32(h, 12));
    this.#powers = 1;
  }

  /** Leaves GHASH of the first `count` blocks of `bytes`, big-endian words, in `out`. */
  digest(out: Int32Array, bytes: Uint8Array, count: number): void {
    while (this.#powers < count) this.#nextPower();
    const tables = this.#tables;
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    // From the last byte of all blocks to the first; of each byte the low nibble, then the high one.
    for (let byteAt = BLOCK - 1; byteAt >= 0; byteAt--) {
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      for (let at = byteAt, table = (count - 1) * TABLE_WORDS; table >= 0; at += BLOCK, table -= TABLE_WORDS) {
        const byte = bytes[at]!;
        const low = table + ((byte & 15) << 2);
        const high = table + ((byte >>> 4) << 2);
        a0 ^= tables[low]!;
        a1 ^= tables[low + 1]!;
        a2 ^= tables[low + 2]!;
        a3 ^= tables[low + 3]!;
        b0 ^= tables[high]!;
        b1 ^= tables[high + 1]!;
        b2 ^= tables[high + 2]!;
        b3 ^= tables[high + 3]!;
      }
      let out4 = z3 & 15;
      z3 = ((z3 >>> 4) | (z2 << 28)) ^ a3;
      z2 = ((z2 >>> 4) | (z1 << 28)) ^ a2;
      z1 = ((z1 >>> 4) | (z0 << 28)) ^ a1;
      z0 = (z0 >>> 4) ^ remainder(out4) ^ a0;
      out4 = z3 & 15;
      z3 = ((z3 >>> 4) | (z2 << 28)) ^ b3;
      z2 = ((z2 >>> 4) | (z1 << 28)) ^ b2;
      z1 = ((z1 >>> 4) | (z0 << 28)) ^ b1;
      z0 = (z0 >>> 4) ^ remainder(out4) ^ b0;
    }
    out[0] = z0;
    out[1] = z1;
    out[2] = z2;
    out[3] = z3;
  }

  /** Forgets the key. */
  wipe(): void {
    this.#tables.fill(0);
    this.#powers = 0;
  }

  /** The next power of H, the last one times H: bit by bit, masked, for both are secret. */
  #nextPower(): void {
    const tables = this.#tables;
    // Entry 8 of a table is the power itself.
    const last = (this.#powers - 1) * TABLE_WORDS + 32;
    let h0 = tables[32]!;
    let h1 = tables[33]!;
    let h2 = tables[34]!;
    let h3 = tables[35]!;
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    for (let bit = 0; bit < 128; bit++) {
      const chosen = -((tables[last + (bit >>> 5)]! >>> (31 - (bit & 31))) & 1);
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
    fillMultiples(tables, this.#powers * TABLE_WORDS, z0, z1, z2, z3);
    this.#powers++;
  }
}
