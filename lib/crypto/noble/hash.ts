/**
 * SHA-256 and SHA-384 with their HMACs on @noble/hashes (FIPS 180-4, RFC 2104).
 *
 * Law: a keyed HMAC pays for its key once: the two padded blocks are hashed at the start and the states are copied for
 * each computation. States are used again, overwritten in between: making one costs as much as hashing a block. The two
 * hashes are two parts, so that a bundle without SHA-384 carries no 64-bit arithmetic.
 */
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { EMPTY, wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import type { Hash, HashName, Hmac, ProviderPart, RunningHash } from '../provider.js';

/** What this file asks of a noble hash; `_cloneInto` also brings a spent instance back to life. */
interface State {
  /** A block of input; a digest that goes here needs no view of its own, which costs as much as the copy. */
  readonly buffer: Uint8Array;
  update(data: Uint8Array): unknown;
  digestInto(out: Uint8Array): void;
  destroy(): void;
  _cloneInto(to?: State): State;
}

/** States that nobody uses just now: as many as are kept of each hash. */
const MAX_SPARE = 16;

/** What the instances of one hash share. */
class Workshop {
  readonly outputLength: number;
  readonly #hash: typeof sha256 | typeof sha384;
  readonly #spare: State[] = [];
  /** Holds something only while a digest or an HMAC is computed. */
  readonly work: State;
  /** Its digest, as long. */
  readonly digest: Uint8Array;
  readonly #block: Uint8Array;
  readonly #fresh: State;

  constructor(hash: typeof sha256 | typeof sha384) {
    this.#hash = hash;
    this.outputLength = hash.outputLen;
    this.work = hash.create() as unknown as State;
    this.#fresh = hash.create() as unknown as State;
    this.digest = new Uint8Array(hash.outputLen);
    this.#block = new Uint8Array(hash.blockLen);
  }

  /** A state after nothing. */
  begin(): State {
    return this.#fresh._cloneInto(this.#spare.pop());
  }

  /** Leaves the digest of what `state` took in, and of `data` behind it, in `digest`; `data` may stand there too. */
  end(state: State, data: Uint8Array): void {
    const { work } = this;
    const { buffer } = work;
    state._cloneInto(work);
    work.update(data);
    work.digestInto(buffer);
    for (let i = 0; i < this.outputLength; i++) this.digest[i] = buffer[i]!;
  }

  /** Wipes what `end` left. */
  clear(): void {
    this.work.destroy();
    wipe(this.digest);
  }

  /** The state after the padded key (RFC 2104 §2). */
  keyed(key: Uint8Array, padding: number): State {
    const block = this.#block;
    const short = key.length > block.length ? this.#hash(key) : key;
    for (let i = 0; i < block.length; i++) block[i] = i < short.length ? short[i]! ^ padding : padding;
    try {
      const state = this.begin();
      state.update(block);
      return state;
    } finally {
      wipe(block);
      if (short !== key) wipe(short);
    }
  }

  /** Takes back a state that `begin` or `keyed` gave. */
  take(state: State): void {
    state.destroy();
    if (this.#spare.length < MAX_SPARE) this.#spare.push(state);
  }
}

class NobleRunningHash implements RunningHash {
  readonly #workshop: Workshop;
  #state: State | null;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    this.#state = workshop.begin();
  }

  update(data: Uint8Array): void {
    if (this.#state === null) throw wipedError('hash');
    this.#state.update(data);
  }

  digest(): Uint8Array {
    if (this.#state === null) throw wipedError('hash');
    this.#workshop.end(this.#state, EMPTY);
    const digest = this.#workshop.digest.slice();
    this.#workshop.clear();
    return digest;
  }

  wipe(): void {
    if (this.#state !== null) this.#workshop.take(this.#state);
    this.#state = null;
  }
}

class NobleHmac implements Hmac {
  readonly outputLength: number;
  readonly #workshop: Workshop;
  #inner: State | null;
  #outer: State | null;

  constructor(workshop: Workshop, key: Uint8Array) {
    this.outputLength = workshop.outputLength;
    this.#workshop = workshop;
    this.#inner = workshop.keyed(key, 0x36);
    this.#outer = workshop.keyed(key, 0x5c);
  }

  compute(out: Uint8Array, at: number, data: Uint8Array, length: number = data.length): void {
    const inner = this.#inner;
    const outer = this.#outer;
    if (inner === null || outer === null) throw wipedError('HMAC');
    const workshop = this.#workshop;
    try {
      workshop.end(inner, length === data.length ? data : data.subarray(0, length));
      workshop.end(outer, workshop.digest);
      out.set(workshop.digest, at);
    } finally {
      workshop.clear();
    }
  }

  wipe(): void {
    if (this.#inner !== null) this.#workshop.take(this.#inner);
    if (this.#outer !== null) this.#workshop.take(this.#outer);
    this.#inner = this.#outer = null;
  }
}

function nobleHash(name: HashName, hash: typeof sha256 | typeof sha384): Hash {
  const workshop = new Workshop(hash);
  return {
    name,
    outputLength: hash.outputLen,
    start: () => new NobleRunningHash(workshop),
    hmac: (key) => new NobleHmac(workshop, key),
  };
}

/** SHA-256 and HMAC-SHA-256. */
export const sha256Part: ProviderPart = { hashes: { sha256: /* @__PURE__ */ nobleHash('sha256', sha256) } };

/** SHA-384 and HMAC-SHA-384. */
export const sha384Part: ProviderPart = { hashes: { sha384: /* @__PURE__ */ nobleHash('sha384', sha384) } };
