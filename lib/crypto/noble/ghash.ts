/**
 * GHASH (NIST SP 800-38D §6.4) with one small table per key.
 *
 * noble's own GHASH is the reference here and not the engine: it keeps 18 to 33 KB of table per key, cannot be used for
 * a second message and is slower. This one multiplies four bits at a time (Shoup's method): 16 multiples of the key,
 * 256 bytes.
 */
import { fillMultiples, remainder, TABLE_WORDS } from '../ghash.js';

/** What is shifted out at the low end comes back as a multiple of the field's polynomial: a look-up is fastest. */
const REMAINDERS: Int32Array = /* @__PURE__ */ Int32Array.from({ length: 16 }, (_, nibble) => remainder(nibble));

/** A GHASH under one key, for one message after another. */
export class Ghash {
  readonly #table: Int32Array = new Int32Array(TABLE_WORDS);
  z0 = 0;
  z1 = 0;
  z2 = 0;
  z3 = 0;

  /** The key H = E(K, 0^128) as big-endian words. */
  constructor(h0: number, h1: number, h2: number, h3: number) {
    fillMultiples(this.#table, 0, h0, h1, h2, h3);
  }

  /** Starts a message. */
  reset(): void {
    this.z0 = this.z1 = this.z2 = this.z3 = 0;
  }

  /** Z := (Z ⊕ X) · H, from the last nibble to the first. */
  block(x0: number, x1: number, x2: number, x3: number): void {
    const table = this.#table;
    x0 ^= this.z0;
    x1 ^= this.z1;
    x2 ^= this.z2;
    x3 ^= this.z3;
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    for (let word = 3; word >= 0; word--) {
      const x = word === 3 ? x3 : word === 2 ? x2 : word === 1 ? x1 : x0;
      for (let shift = 0; shift < 32; shift += 4) {
        const remainder = REMAINDERS[z3 & 15]!;
        const entry = ((x >>> shift) & 15) << 2;
        z3 = ((z3 >>> 4) | (z2 << 28)) ^ table[entry + 3]!;
        z2 = ((z2 >>> 4) | (z1 << 28)) ^ table[entry + 2]!;
        z1 = ((z1 >>> 4) | (z0 << 28)) ^ table[entry + 1]!;
        z0 = (z0 >>> 4) ^ remainder ^ table[entry]!;
      }
    }
    this.z0 = z0;
    this.z1 = z1;
    this.z2 = z2;
    this.z3 = z3;
  }

  /** Forgets the key. */
  wipe(): void {
    this.#table.fill(0);
    this.reset();
  }
}
