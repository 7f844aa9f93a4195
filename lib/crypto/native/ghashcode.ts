/**
 * GHASH as WebAssembly, 16 bytes to an instruction: six times as fast as JavaScript's words of 32 bits.
 *
 * Law: addresses come from bytes of the message and from where tables stand, never from the key, and there is no
 * branch but on how far two loops have come.
 */
import {
  I32, I32_ADD, I32_AND, I32_GE_S, I32_SHL, I32_SHR_U, I32_SUB, I64, V128, V128_ZERO, get, i32, i32Load, instantiate, loop, set, signed, tee,
  type Code,
} from './assembler.js';

/** What an instance exports. */
export interface GhashCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  /**
   * Leaves GHASH of whole blocks, from `message` on, at address 0, as four 32-bit words. `top` is the address of the table
   * for the first block, `base` that for the last; a table has 256 bytes, an entry 16 (see `ghash.ts`).
   */
  digest(message: number, top: number, base: number): void;
}

/** Bytes of a table. */
export const TABLE = 256;

/** A new instance, with at least so many bytes of memory; null where there can be none, or no vectors. */
export function instantiateGhash(memory: number): GhashCode | null {
  const locals = [[4, I32], [3, I64], [8, V128]] as const;
  return instantiate({ name: 'digest', parameters: 3, locals, body: digest(), memory });
}

/** Parameters and locals of the function, by number. */
const MESSAGE = 0;
const TOP = 1;
const BASE = 2;
const at = 3;
const table = 4;
const word = 5;
const wordAt = 6;
const z0 = 7;
const z1 = 8;
const lost = 9;
/** The first of eight: the sums for the nibbles of a word, in the order in which they are shifted. */
const sums = 10;

/** Instructions (§5.4) that no other code has. */
const i64 = (value: number): Code => [0x42, ...signed(value)];
const I64_STORE: Code = [0x37, 3, 0];
const I64_AND: Code = [0x83];
const I64_OR: Code = [0x84];
const I64_XOR: Code = [0x85];
const I64_SHL: Code = [0x86];
const I64_SHR_U: Code = [0x88];
const I64_ROTL: Code = [0x89];
const V128_LOAD: Code = [0xfd, 0x00, 4, 0];
const V128_XOR: Code = [0xfd, 0x51];
const i64x2Lane = (lane: number): Code => [0xfd, 0x1d, lane];

/**
 * From the last word of all blocks to the first, 32 bits each: sums the entries of each of its eight nibbles over the blocks,
 * then takes in the eight sums.
 */
function digest(): Code {
  // The last byte on the wire comes first, its low nibble before its high one: that is from the word's high end on.
  const nibbles = [24, 28, 16, 20, 8, 12, 0, 4];
  const blocks = loop(
    [...get(at), ...i32Load(0), ...set(word)],
    nibbles.flatMap((bit, i) => [...get(word), ...timesSixteen(bit), ...i32(0xf0), ...I32_AND, ...addEntry(sums + i)]),
    [...get(at), ...i32(16), ...I32_ADD, ...set(at)],
    [...get(table), ...i32(TABLE), ...I32_SUB, ...tee(table), ...get(BASE), ...I32_GE_S],
  );
  const words = loop(
    nibbles.flatMap((_, i) => [...V128_ZERO, ...set(sums + i)]),
    [...get(MESSAGE), ...get(wordAt), ...I32_ADD, ...set(at), ...get(TOP), ...set(table)],
    blocks,
    nibbles.flatMap((_, i) => takeIn(sums + i)),
    [...get(wordAt), ...i32(4), ...I32_SUB, ...tee(wordAt), ...i32(0), ...I32_GE_S],
  );
  return [...i32(12), ...set(wordAt), ...words, ...storeHalf(0, z0), ...storeHalf(8, z1)];
}

/** The nibble from `bit` on to bits 4 to 7: where an entry of 16 bytes stands in its table. */
function timesSixteen(bit: number): Code {
  if (bit === 4) return [];
  return bit === 0 ? [...i32(4), ...I32_SHL] : [...i32(bit - 4), ...I32_SHR_U];
}

/** Adds the entry that stands so far into the table, as the stack says, to `sum`. */
function addEntry(sum: number): Code {
  return [...get(table), ...I32_ADD, ...V128_LOAD, ...get(sum), ...V128_XOR, ...set(sum)];
}

/** z = z · x^4 + `sum`. What is shifted out at the low end comes back as `remainder` says (see `../ghash.ts`). */
function takeIn(sum: number): Code {
  const back = [60, 59, 58].flatMap((by) => [...get(lost), ...i64(by), ...I64_SHL, ...I64_XOR]);
  return [
    ...[...get(z1), ...i64(15), ...I64_AND, ...set(lost)],
    ...[...get(z1), ...i64(4), ...I64_SHR_U, ...get(z0), ...i64(60), ...I64_SHL, ...I64_OR, ...half(sum, 1), ...I64_XOR, ...set(z1)],
    ...[...get(z0), ...i64(4), ...I64_SHR_U, ...get(lost), ...i64(53), ...I64_SHL, ...I64_XOR, ...back, ...half(sum, 0), ...I64_XOR, ...set(z0)],
  ];
}

/** Half of a sum as a number. In memory its two words stand the other way round than their bytes do. */
function half(sum: number, lane: number): Code {
  return [...get(sum), ...i64x2Lane(lane), ...i64(32), ...I64_ROTL];
}

function storeHalf(address: number, local: number): Code {
  return [...i32(address), ...get(local), ...i64(32), ...I64_ROTL, ...I64_STORE];
}
