/**
 * HMAC-SHA-256 and HMAC-SHA-384 (RFC 2104) around the compression function as WebAssembly (see `sha2code.ts`): a third of
 * the time of two calls of the platform, and no copy of a key but those that are wiped here.
 *
 * Law: a key pays for itself once: the states after its two padded blocks are kept. The memory is shared by all, belongs to
 * one call at a time (everything here is synchronous), and no secret stays in it.
 */
import { createHmac } from 'node:crypto';
import { putUint48, wipe } from '../../wire/bytes.js';
import { argument, wipedError } from '../../wire/errors.js';
import type { HashName, Hmac } from '../provider.js';
import { FREE, SECRETS_END, STATE, instantiateSha2, putInitialState, type Sha2Code } from './sha2code.js';

/** What the two halves of a key are XORed with (RFC 2104 §2). */
const IPAD = 0x36;
const OPAD = 0x5c;

/** Where data goes, so much of it at a time; whole blocks. The last of it has its padding behind it. */
const DATA = FREE;
const MAX_DATA = 4096;
/** Where the inner digest goes, before a padding that is always the same, and the result. */
const INNER_DIGEST = DATA + MAX_DATA + 256;
const RESULT = INNER_DIGEST + 128;
const MEMORY = RESULT + 64 - FREE;

/** One hash, with the memory that all its keys share. */
export class HmacEngine {
  readonly outputLength: number;
  /** Numbers of 32 bits in a state. */
  readonly stateLength: number;
  readonly #blockLength: number;
  readonly #code: Sha2Code;
  readonly #bytes: Uint8Array;
  readonly #result: Uint8Array;
  /** The state, and what it is before anything was hashed. */
  readonly #state: Int32Array;
  readonly #initial: Int32Array;

  private constructor(name: HashName, outputLength: number, code: Sha2Code) {
    const word = name === 'sha256' ? 4 : 8;
    const { buffer } = code.memory;
    this.outputLength = outputLength;
    this.stateLength = 2 * word;
    this.#blockLength = 16 * word;
    this.#code = code;
    this.#bytes = new Uint8Array(buffer);
    this.#result = new Uint8Array(buffer, RESULT, outputLength);
    this.#state = new Int32Array(buffer, STATE, 2 * word);
    putInitialState(code, name);
    this.#initial = this.#state.slice();
    this.#bytes[INNER_DIGEST + outputLength] = 0x80;
    putUint48(this.#bytes, INNER_DIGEST + this.#blockLength - 6, 8 * (this.#blockLength + outputLength));
  }

  /** Null where there can be none, or where it does not agree with the platform. */
  static make(name: HashName, outputLength: number): HmacEngine | null {
    const code = instantiateSha2(name, MEMORY);
    if (code === null) return null;
    const engine = new HmacEngine(name, outputLength, code);
    const data = new Uint8Array(200);
    const result = new Uint8Array(outputLength);
    new CompiledHmac(engine, data).compute(result, 0, data, 150);
    return createHmac(name, data).update(data.subarray(0, 150)).digest().equals(result) ? engine : null;
  }

  /** Leaves the state after K ⊕ ipad in `inner`, that after K ⊕ opad in `outer`. */
  begin(key: Uint8Array, inner: Int32Array, outer: Int32Array): void {
    const bytes = this.#bytes;
    const blockLength = this.#blockLength;
    const isLong = key.length > blockLength;
    // A key that is longer than a block is hashed first (RFC 2104 §2).
    const short = isLong ? new Uint8Array(this.outputLength) : key;
    if (isLong) {
      this.#resume(this.#initial);
      this.#finish(key, key.length, 0, RESULT);
      this.#takeResult(short, 0);
    }
    try {
      for (let i = 0; i < blockLength; i++) bytes[DATA + i] = i < short.length ? short[i]! ^ IPAD : IPAD;
      this.#compressKey(inner);
      for (let i = 0; i < blockLength; i++) bytes[DATA + i]! ^= IPAD ^ OPAD;
      this.#compressKey(outer);
    } finally {
      if (isLong) wipe(short);
      wipe(this.#result);
      // Here the block was a key.
      bytes.fill(0, STATE, SECRETS_END);
      this.#clear(Math.max(key.length, blockLength));
    }
  }

  #compressKey(to: Int32Array): void {
    const state = this.#state;
    this.#resume(this.#initial);
    this.#code.compress(DATA, 1, RESULT);
    for (let i = 0; i < state.length; i++) to[i] = state[i]!;
  }

  /** The HMAC of the first `length` bytes of `data`, to `out[at…]`, under the key that `begin` made the states from. */
  compute(inner: Int32Array, outer: Int32Array, out: Uint8Array, at: number, data: Uint8Array, length: number): void {
    if (length > data.length || at + this.outputLength > out.length) throw argument('an HMAC over more than there is, or into less room than it takes');
    try {
      this.#resume(inner);
      this.#finish(data, length, this.#blockLength, INNER_DIGEST);
      this.#resume(outer);
      this.#code.compress(INNER_DIGEST, 1, RESULT);
      this.#takeResult(out, at);
    } finally {
      this.#clear(length);
    }
  }

  #resume(from: Int32Array): void {
    const state = this.#state;
    for (let i = 0; i < state.length; i++) state[i] = from[i]!;
  }

  /** Takes in the first `length` bytes of `data`, which `before` bytes came before, and ends the hash (FIPS 180-4 §5.1). */
  #finish(data: Uint8Array, length: number, before: number, digest: number): void {
    const bytes = this.#bytes;
    const blockLength = this.#blockLength;
    let done = 0;
    for (; length - done > MAX_DATA; done += MAX_DATA) {
      bytes.set(data.subarray(done, done + MAX_DATA), DATA);
      this.#code.compress(DATA, MAX_DATA / blockLength, digest);
    }
    bytes.set(length === data.length && done === 0 ? data : data.subarray(done, length), DATA);
    // The padding is 0x80, zeros, and the number of bits, in an eighth of a block.
    const padding = length - done;
    const size = Math.ceil((padding + 1 + blockLength / 8) / blockLength) * blockLength;
    bytes[DATA + padding] = 0x80;
    for (let i = padding + 1; i < size; i++) bytes[DATA + i] = 0;
    putUint48(bytes, DATA + size - 6, 8 * (before + length));
    this.#code.compress(DATA, size / blockLength, digest);
  }

  #takeResult(out: Uint8Array, at: number): void {
    const result = this.#result;
    for (let i = 0; i < result.length; i++) {
      out[at + i] = result[i]!;
      result[i] = 0;
    }
  }

  /** Wipes the state, and data of `length` bytes. From the inner digest nothing follows without the key. */
  #clear(length: number): void {
    const state = this.#state;
    for (let i = 0; i < state.length; i++) state[i] = 0;
    this.#bytes.fill(0, DATA, DATA + Math.min(length, MAX_DATA));
  }
}

/** HMAC under one key. */
export class CompiledHmac implements Hmac {
  readonly outputLength: number;
  readonly #engine: HmacEngine;
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  #wiped = false;

  constructor(engine: HmacEngine, key: Uint8Array) {
    this.outputLength = engine.outputLength;
    this.#engine = engine;
    this.#inner = new Int32Array(engine.stateLength);
    this.#outer = new Int32Array(engine.stateLength);
    engine.begin(key, this.#inner, this.#outer);
  }

  compute(out: Uint8Array, at: number, data: Uint8Array, length: number = data.length): void {
    if (this.#wiped) throw wipedError('HMAC');
    this.#engine.compute(this.#inner, this.#outer, out, at, data, length);
  }

  wipe(): void {
    this.#inner.fill(0);
    this.#outer.fill(0);
    this.#wiped = true;
  }
}
