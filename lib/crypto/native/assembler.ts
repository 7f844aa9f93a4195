/**
 * A little of the binary format of the WebAssembly core specification 2.0 (§5), for loops that are written by hand: a
 * compiler for a hundred instructions would weigh more than they do.
 *
 * Law: a module has one function of numbers, nothing imported, and a memory of its own beyond which it cannot reach.
 */

/** Instructions as bytes. */
export type Code = readonly number[];

/** Types of values (§5.3). */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

/** Instructions (§5.4). A memory argument is an alignment, as a power of two, and an offset. */
const END = 0x0b;
export const get = (local: number): Code => [0x20, local];
export const set = (local: number): Code => [0x21, local];
export const tee = (local: number): Code => [0x22, local];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const i32Load = (offset: number): Code => [0x28, 2, ...unsigned(offset)];
export const I32_NE: Code = [0x47];
export const I32_GE_S: Code = [0x4e];
export const I32_ADD: Code = [0x6a];
export const I32_SUB: Code = [0x6b];
export const I32_AND: Code = [0x71];
export const I32_SHL: Code = [0x74];
export const I32_SHR_U: Code = [0x76];
/** For addresses that no one has aligned. */
export const v128Load = (offset: number): Code => [0xfd, 0x00, 0, ...unsigned(offset)];
export const v128Store = (offset: number): Code => [0xfd, 0x0b, 0, ...unsigned(offset)];
export const V128_ZERO: Code = [0xfd, 0x0c, ...new Uint8Array(16)];
/** Does `body`, which leaves a condition, again for as long as that holds. */
export const loop = (...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0d, 0, END];

/** What a module is made of. */
export interface Parts {
  /** The name under which the function is exported; the memory is `memory`. */
  readonly name: string;
  /** How many numbers of 32 bits it takes. It returns nothing. */
  readonly parameters: number;
  /** Its further locals: how many of a type, one after the other. */
  readonly locals: readonly (readonly [count: number, type: number])[];
  readonly body: Code;
  /** Bytes of memory at least. */
  readonly memory: number;
}

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
 * The exports of a new instance. Null without WebAssembly or what it needs of it, without address space, and where words
 * are big-endian: then the words that JavaScript sees in its memory are not those that it sees.
 */
export function instantiate<T>(parts: Parts): T | null {
  if (typeof WebAssembly === 'undefined' || new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) return null;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(assemble(parts))).exports as T;
  } catch {
    return null;
  }
}

/** The module (§5.5): one type, one function, one memory, two exports, the code. */
function assemble({ name, parameters, locals, body, memory }: Parts): Uint8Array {
  const code = [...unsigned(locals.length), ...locals.flat(), ...body, END];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters, ...new Array<number>(parameters).fill(I32), 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(Math.ceil(memory / PAGE))]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text(name), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  );
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function text(name: string): Code {
  return [name.length, ...[...name].map((letter) => letter.charCodeAt(0))];
}

/** LEB128 (§5.2.2). */
export function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

export function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
