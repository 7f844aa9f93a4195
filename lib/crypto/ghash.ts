/**
 * Multiples of a GHASH key (NIST SP 800-38D §6.3, §6.4). Blocks are four big-endian words, bit 0 of the field being
 * the first bit on the wire; a table has 16 entries of four words, entry n being n · H, where the highest of n's four
 * bits stands for x^0.
 *
 * Law: making a table takes the same steps for every key.
 */

/** The field's polynomial R = 0xe1 ‖ 0^120: what a bit that is shifted out at the low end comes back as. */
export const R = 0xe1000000;

/** Words of a table. */
export const TABLE_WORDS = 64;

/** Fills `table[at, at + 64)` with the multiples of H. */
export function fillMultiples(table: Int32Array, at: number, h0: number, h1: number, h2: number, h3: number): void {
  for (let single = 8; single > 0; single >>= 1) {
    const entry = at + single * 4;
    table[entry] = h0;
    table[entry + 1] = h1;
    table[entry + 2] = h2;
    table[entry + 3] = h3;
    const carry = -(h3 & 1) & R;
    h3 = (h3 >>> 1) | (h2 << 31);
    h2 = (h2 >>> 1) | (h1 << 31);
    h1 = (h1 >>> 1) | (h0 << 31);
    h0 = (h0 >>> 1) ^ carry;
  }
  for (let high = 2; high < 16; high <<= 1) {
    for (let low = 1; low < high; low++) {
      const entry = at + (high + low) * 4;
      for (let word = 0; word < 4; word++) table[entry + word] = table[at + high * 4 + word]! ^ table[at + low * 4 + word]!;
    }
  }
}

/** What four bits that are shifted out at the low end come back as, without asking what they are. */
export function remainder(nibble: number): number {
  return (nibble << 28) ^ (nibble << 27) ^ (nibble << 26) ^ (nibble << 21);
}
