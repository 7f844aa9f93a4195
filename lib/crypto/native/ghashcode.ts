/**
 * GHASH as WebAssembly, 16 bytes to an instruction: six times as fast as JavaScript's words of 32 bits. It is written
 * here by hand, in the binary format of the WebAssembly core specification 2.0 (§5): a compiler for a hundred instructions
 * would weigh more than they do.
 *
 * Law: addresses come from bytes of the message and from where tables stand, never from the key, and there is no
 * branch but on how far two loops have come. Nothing is imported; what is outside its memory cannot be reached.
 */

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

/** Bytes of a page (§4.2.8). */
const PAGE = 0x1_0000;

/** WebAssembly as far as it is used; absent where the runtime compiles nothing (`--jitless`). */
declare const WebAssembly:
  | {
      readonly Module: new (code: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/**
 * A new instance, with at least so many bytes of memory. Null without WebAssembly or its vectors, without address space,
 * and where words are big-endian.
 */
export function instantiate(bytes: number): GhashCode | null {
  if (typeof WebAssembly === 'undefined' || new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) return null;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(assemble(Math.ceil(bytes / PAGE)))).exports as GhashCode;
  } catch {
    return null;
  }
}

type Code = readonly number[];

/** Types of values (§5.3). */
const I32 = 0x7f;
const I64 = 0x7e;
const V128 = 0x7b;

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
const LOCALS: Code = [3, ...[4, I32], ...[3, I64], ...[8, V128]];

/** Instructions (§5.4). A memory argument is an alignment, as a power of two, and an offset. */
const END = 0x0b;
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const tee = (local: number): Code => [0x22, local];
const i32 = (value: number): Code => [0x41, ...signed(value)];
const i64 = (value: number): Code => [0x42, ...signed(value)];
const I32_LOAD: Code = [0x28, 2, 0];
const I64_STORE: Code = [0x37, 3, 0];
const I32_GE_S: Code = [0x4e];
const I32_ADD: Code = [0x6a];
const I32_SUB: Code = [0x6b];
const I32_AND: Code = [0x71];
const I32_SHL: Code = [0x74];
const I32_SHR_U: Code = [0x76];
const I64_AND: Code = [0x83];
const I64_OR: Code = [0x84];
const I64_XOR: Code = [0x85];
const I64_SHL: Code = [0x86];
const I64_SHR_U: Code = [0x88];
const I64_ROTL: Code = [0x89];
const V128_LOAD: Code = [0xfd, 0x00, 4, 0];
const V128_ZERO: Code = [0xfd, 0x0c, ...new Uint8Array(16)];
const V128_XOR: Code = [0xfd, 0x51];
const i64x2Lane = (lane: number): Code => [0xfd, 0x1d, lane];
/** Does `body`, which leaves a condition, again for as long as that holds. */
const loop = (...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0d, 0, END];

/** The module (§5.5): one type, one function, one memory, two exports, the code. */
function assemble(pages: number): Uint8Array {
  const body = [...LOCALS, ...digest(), END];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I32, I32, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('digest'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  );
}

/**
 * From the last word of all blocks to the first, 32 bits each: sums the entries of each of its eight nibbles over the blocks,
 * then takes in the eight sums.
 */
function digest(): Code {
  // The last byte on the wire comes first, its low nibble before its high one: that is from the word's high end on.
  const nibbles = [24, 28, 16, 20, 8, 12, 0, 4];
  const blocks = loop(
    [...get(at), ...I32_LOAD, ...set(word)],
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

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...[...text].map((letter) => letter.charCodeAt(0))];
}

/** LEB128 (§5.2.2). */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
