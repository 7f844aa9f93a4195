/**
 * SHA-256 and SHA-384 with their HMACs on @noble/hashes (FIPS 180-4, RFC 2104).
 *
 * What is noble's is the compression of a block; blocks are filled and padded here, because noble's checks and views cost as
 * much as hashing one, and most of what is hashed has two. Its members that are used for that are not for everybody and may
 * change with any minor release, hence the narrow range of versions.
 *
 * Law: a keyed HMAC pays for its key once: the two padded blocks are hashed at the start, and what stands after them is where
 * each computation starts. The two hashes are two parts, so that a bundle without SHA-384 carries no 64-bit arithmetic.
 */
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { putUint32, wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import type { Hash, HashName, Hmac, ProviderPart, RunningHash } from '../provider.js';

/** What this file asks of a noble hash; `_cloneInto` also brings a spent instance back to life. */
interface State {
  /** A block of input, of which `pos` bytes are there; `length` bytes went in so far, these included. */
  readonly buffer: Uint8Array;
  readonly view: DataView;
  pos: number;
  length: number;
  /** Takes in the block at `view[offset…]`. */
  process(view: DataView, offset: number): void;
  /** What was taken in so far comes down to these, words of 32 bits. */
  get(): number[];
  set(...words: number[]): void;
  /** Wipes what all instances share. */
  roundClean(): void;
  destroy(): void;
  _cloneInto(to?: State): State;
}

/** Takes in the first `length` bytes of `data`. */
function absorb(state: State, data: Uint8Array, length: number): void {
  const { buffer, view } = state;
  let at = state.pos;
  for (let i = 0; i < length; i++) {
    buffer[at++] = data[i]!;
    if (at < buffer.length) continue;
    state.process(view, 0);
    at = 0;
  }
  state.pos = at;
  state.length += length;
}

/** Running hashes that nobody uses just now: as many as are kept of each hash. */
const MAX_SPARE = 16;

/** What the instances of one hash share. */
class Workshop {
  readonly #hash: typeof sha256 | typeof sha384;
  readonly #fresh: State;
  readonly #spare: State[] = [];
  /** Holds something only while a digest or an HMAC is computed. */
  readonly work: State;
  /** Its digest, as long. */
  readonly digest: Uint8Array;

  constructor(hash: typeof sha256 | typeof sha384) {
    this.#hash = hash;
    this.#fresh = hash.create() as unknown as State;
    this.work = this.#fresh._cloneInto();
    this.digest = new Uint8Array(hash.outputLen);
  }

  /** A state after nothing: making one costs as much as hashing a block. */
  begin(): State {
    return this.#fresh._cloneInto(this.#spare.pop());
  }

  /** Takes back a state that `begin` gave. */
  take(state: State): void {
    state.destroy();
    if (this.#spare.length < MAX_SPARE) this.#spare.push(state);
  }

  /** Leaves the digest (FIPS 180-4 §5.1, §6) of what `work` took in as `digest`. */
  end(): void {
    const { work } = this;
    const { buffer, view, pos, length } = work;
    const size = buffer.length;
    buffer[pos] = 0x80;
    buffer.fill(0, pos + 1);
    // The length has the last eighth of a block.
    if (pos >= size - size / 8) {
      work.process(view, 0);
      buffer.fill(0);
    }
    view.setUint32(size - 8, length / 0x2000_0000);
    view.setUint32(size - 4, length << 3);
    work.process(view, 0);
    const words = work.get();
    for (let i = 0; i < this.digest.length; i += 4) putUint32(this.digest, i, words[i >> 2]!);
    words.fill(0);
  }

  /** Leaves the hash of `length` bytes of `data`, behind the padded key that `words` stand for, as `digest`. */
  endKeyed(words: number[], data: Uint8Array, length: number): void {
    const { work } = this;
    work.set(...words);
    work.pos = 0;
    work.length = work.buffer.length;
    absorb(work, data, length);
    this.end();
  }

  /** Wipes what stands in `work` and `digest`. */
  clear(): void {
    this.work.destroy();
    this.work.roundClean();
    wipe(this.digest);
  }

  /** What the padded key (RFC 2104 §2) comes down to. */
  keyed(key: Uint8Array, padding: number): number[] {
    const work = this.#fresh._cloneInto(this.work);
    const { buffer, view } = work;
    const short = key.length > buffer.length ? this.#hash(key) : key;
    try {
      for (let i = 0; i < buffer.length; i++) buffer[i] = (short[i] ?? 0) ^ padding;
      work.process(view, 0);
      return work.get();
    } finally {
      this.clear();
      if (short !== key) wipe(short);
    }
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
    const state = this.#state;
    if (state === null) throw wipedError('hash');
    // What breaks off in between is of no use any more.
    this.#state = null;
    try {
      absorb(state, data, data.length);
      this.#state = state;
    } finally {
      state.roundClean();
    }
  }

  digest(): Uint8Array {
    if (this.#state === null) throw wipedError('hash');
    const workshop = this.#workshop;
    try {
      this.#state._cloneInto(workshop.work);
      workshop.end();
      return workshop.digest.slice();
    } finally {
      workshop.clear();
    }
  }

  wipe(): void {
    if (this.#state !== null) this.#workshop.take(this.#state);
    this.#state = null;
  }
}

class NobleHmac implements Hmac {
  readonly outputLength: number;
  readonly #workshop: Workshop;
  /** What the key, with the one padding and the other, comes down to. */
  #inner: number[] | null;
  readonly #outer: number[];

  constructor(workshop: Workshop, key: Uint8Array) {
    this.outputLength = workshop.digest.length;
    this.#workshop = workshop;
    this.#inner = workshop.keyed(key, 0x36);
    this.#outer = workshop.keyed(key, 0x5c);
  }

  compute(out: Uint8Array, at: number, data: Uint8Array, length: number = data.length): void {
    const inner = this.#inner;
    if (inner === null) throw wipedError('HMAC');
    const workshop = this.#workshop;
    try {
      workshop.endKeyed(inner, data, Math.min(length, data.length));
      workshop.endKeyed(this.#outer, workshop.digest, this.outputLength);
      out.set(workshop.digest, at);
    } finally {
      workshop.clear();
    }
  }

  wipe(): void {
    this.#inner?.fill(0);
    this.#outer.fill(0);
    this.#inner = null;
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
