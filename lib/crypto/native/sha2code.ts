/**
 * The compression function of SHA-256 and SHA-384 (FIPS 180-4 §6.2.2, §6.4) as WebAssembly: half as fast as the platform's
 * at megabytes, and no call of the platform for the few blocks of an HMAC, which costs as much as five of them.
 *
 * Law: no branch and no address depends on what is hashed.
 */
import type { HashName } from '../provider.js';
import { I32, I32_ADD, I32_NE, I32_SUB, I64, V128_ZERO, get, i32, instantiate, loop, set, tee, unsigned, v128Load, v128Store, type Code } from './assembler.js';

/** What an instance exports. */
export interface Sha2Code {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Takes `count` blocks, one at least, from address `block` on, into the state, and leaves that as a digest at `digest`. */
  compress(block: number, count: number, digest: number): void;
}

/** Where the state stands: eight words, their bytes in the machine's order. */
export const STATE = 0;
/** The words of the block at hand. */
const WORDS = 64;
/** Whatever is secret in here stands before this. */
export const SECRETS_END = 192;
/** The constants of the rounds. */
const CONSTANTS = SECRETS_END;
/** From here on the memory is the caller's. */
export const FREE = 1024;

/** What the two have not in common: bytes of a word and of a digest, rounds, and how far Σ0, Σ1, σ0, σ1 rotate; of σ the last one shifts. */
interface Shape {
  readonly word: 4 | 8;
  readonly digest: 32 | 48;
  readonly rounds: 64 | 80;
  readonly Sigma0: Code;
  readonly Sigma1: Code;
  readonly sigma0: Code;
  readonly sigma1: Code;
}

/** §4.1.2, §4.1.3. */
const SHAPES: Readonly<Record<HashName, Shape>> = {
  sha256: { word: 4, digest: 32, rounds: 64, Sigma0: [2, 13, 22], Sigma1: [6, 11, 25], sigma0: [7, 18, 3], sigma1: [17, 19, 10] },
  sha384: { word: 8, digest: 48, rounds: 80, Sigma0: [28, 34, 39], Sigma1: [14, 18, 41], sigma0: [1, 8, 7], sigma1: [19, 61, 6] },
};

/** A new instance, with `free` bytes from `FREE` on and no state yet; null where there can be none. */
export function instantiateSha2(name: HashName, free: number): Sha2Code | null {
  const shape = SHAPES[name];
  const locals = [[1, I32], [25, shape.word === 4 ? I32 : I64]] as const;
  const body = compress(shape);
  const code = instantiate<Sha2Code>({ name: 'compress', parameters: 3, locals, body, memory: FREE + free });
  if (code !== null) putRoots(code, CONSTANTS, shape.word, primes(shape.rounds), 3);
  return code;
}

/** The state before the first block (§5.3.3, §5.3.4): square roots of the first eight primes, for SHA-384 of the next eight. */
export function putInitialState(code: Sha2Code, name: HashName): void {
  const { word } = SHAPES[name];
  putRoots(code, STATE, word, word === 4 ? primes(8) : primes(16).slice(8), 2);
}

/** The first bits of the fractional parts of the roots of `numbers`, as words from `at` on: constants that hide nothing. */
function putRoots(code: Sha2Code, at: number, word: number, numbers: readonly number[], degree: 2 | 3): void {
  const words = new DataView(code.memory.buffer);
  numbers.forEach((number, i) => {
    const bits = root(BigInt(number) << BigInt(64 * degree), degree);
    if (word === 4) words.setUint32(at + 4 * i, Number((bits >> 32n) & 0xffff_ffffn), true);
    else words.setBigUint64(at + 8 * i, bits & 0xffff_ffff_ffff_ffffn, true);
  });
}

/** The whole part of a root, by Newton's method from above. */
function root(value: bigint, degree: 2 | 3): bigint {
  const n = BigInt(degree);
  for (let x = 1n << 72n; ; ) {
    const next = ((n - 1n) * x + value / x ** (n - 1n)) / n;
    if (next >= x) return x;
    x = next;
  }
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}

/** Parameters and locals of the function, by number. */
const BLOCK = 0;
const COUNT = 1;
const DIGEST = 2;
const constants = 3;
/** The first of eight: a to h of §6.2.2, whose roles go round. */
const state = 4;
/** The first of sixteen: W of §6.2.2 as far as it is still needed. */
const schedule = 12;
const t = 28;

const SIXTEEN = Array.from({ length: 16 }, (_, i) => i);
const EIGHT = SIXTEEN.slice(0, 8);

function compress({ word, digest, rounds, Sigma0, Sigma1, sigma0, sigma1 }: Shape): Code {
  // What 64-bit words do is 18 numbers behind what 32-bit words do (§5.4.6).
  const wide = (code: number): Code => [word === 4 ? code : code + 0x12];
  const [ADD, AND, OR, XOR, SHR_U, ROTR] = [0x6a, 0x71, 0x72, 0x73, 0x76, 0x78].map(wide) as [Code, Code, Code, Code, Code, Code];
  const load = (offset: number): Code => [word === 4 ? 0x28 : 0x29, 2, ...unsigned(offset)];
  const store = (offset: number): Code => [word === 4 ? 0x36 : 0x37, 2, ...unsigned(offset)];
  const by = (local: number, bits: number, operation: Code): Code => [...get(local), word === 4 ? 0x41 : 0x42, bits, ...operation];
  const mixed = (local: number, [x, y, z]: Code, last: Code): Code => [
    ...by(local, x!, ROTR), ...by(local, y!, ROTR), ...XOR, ...by(local, z!, last), ...XOR,
  ];
  const w = (i: number): number => schedule + (i & 15);

  const round = (i: number): Code => {
    const [a, b, c, d, e, f, g, h] = EIGHT.map((role) => state + ((role - i) & 7)) as [
      number, number, number, number, number, number, number, number,
    ];
    return [
      // T1 = h + Σ1(e) + Ch(e, f, g) + K + W, with Ch = g ^ (e & (f ^ g))
      ...[...get(h), ...mixed(e, Sigma1, ROTR), ...ADD],
      ...[...get(f), ...get(g), ...XOR, ...get(e), ...AND, ...get(g), ...XOR, ...ADD],
      ...[...get(constants), ...load(CONSTANTS + i * word), ...ADD, ...get(w(i)), ...ADD, ...tee(t)],
      // d + T1 is the next e; T1 + Σ0(a) + Maj(a, b, c) the next a, with Maj = (a & b) | (c & (a | b))
      ...[...get(d), ...ADD, ...set(d), ...get(t), ...mixed(a, Sigma0, ROTR), ...ADD],
      ...[...get(a), ...get(b), ...AND, ...get(c), ...get(a), ...get(b), ...OR, ...AND, ...OR, ...ADD, ...set(h)],
    ];
  };
  const expand = (i: number): Code => [
    ...[...get(w(i)), ...mixed(w(i + 1), sigma0, SHR_U), ...ADD, ...get(w(i + 9)), ...ADD],
    ...[...mixed(w(i + 14), sigma1, SHR_U), ...ADD, ...set(w(i))],
  ];
  const blocks = loop(
    SIXTEEN.slice(0, word).flatMap((i) => swapSixteen(i32(0), WORDS + 16 * i, get(BLOCK), 16 * i, word)),
    SIXTEEN.flatMap((i) => [...i32(0), ...load(WORDS + i * word), ...set(w(i))]),
    EIGHT.flatMap((i) => [...i32(0), ...load(STATE + i * word), ...set(state + i)]),
    [...i32(0), ...set(constants)],
    loop(
      SIXTEEN.flatMap((i) => [...round(i), ...expand(i)]),
      [...get(constants), ...i32(16 * word), ...I32_ADD, ...tee(constants), ...i32(rounds * word), ...I32_NE],
    ),
    EIGHT.flatMap((i) => [...i32(0), ...i32(0), ...load(STATE + i * word), ...get(state + i), ...ADD, ...store(STATE + i * word)]),
    [...get(BLOCK), ...i32(16 * word), ...I32_ADD, ...set(BLOCK), ...get(COUNT), ...i32(1), ...I32_SUB, ...tee(COUNT)],
  );
  return [...blocks, ...SIXTEEN.slice(0, digest / 16).flatMap((i) => swapSixteen(get(DIGEST), 16 * i, i32(0), STATE + 16 * i, word))];
}

/** Sixteen bytes from one place to another, the bytes of each word turned round: an i8x16.shuffle (§5.4.8). */
function swapSixteen(to: Code, toOffset: number, from: Code, fromOffset: number, word: number): Code {
  const lanes = SIXTEEN.map((lane) => lane ^ (word - 1));
  return [...to, ...from, ...v128Load(fromOffset), ...V128_ZERO, 0xfd, 0x0d, ...lanes, ...v128Store(toOffset)];
}
