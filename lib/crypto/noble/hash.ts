/**
 * SHA-256 and SHA-384 with their HMACs on @noble/hashes (FIPS 180-4, RFC 2104).
 *
 * Law: a keyed HMAC pays for its key once: the two padded blocks are hashed at the start and the state is cloned for
 * each computation. The two hashes are two parts, so that a bundle without SHA-384 carries no 64-bit arithmetic.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import type { Hash, HashName, Hmac, ProviderPart, RunningHash } from '../provider.js';

/** What this file asks of a noble hash; `_cloneInto` also brings a spent instance back to life. */
interface State {
  update(data: Uint8Array): unknown;
  digest(): Uint8Array;
  digestInto(out: Uint8Array): void;
  destroy(): void;
  _cloneInto(to?: State): State;
}

class NobleRunningHash implements RunningHash {
  readonly #state: State;
  /** The copy that a digest ends, used again for the next one. */
  #copy: State | undefined;

  constructor(state: State) {
    this.#state = state;
  }

  update(data: Uint8Array): void {
    this.#state.update(data);
  }

  digest(): Uint8Array {
    this.#copy = this.#state._cloneInto(this.#copy);
    return this.#copy.digest();
  }

  wipe(): void {
    this.#state.destroy();
    this.#copy?.destroy();
  }
}

class NobleHmac implements Hmac {
  readonly outputLength: number;
  readonly #keyed: State;
  readonly #work: State;

  constructor(outputLength: number, keyed: State) {
    this.outputLength = outputLength;
    this.#keyed = keyed;
    this.#work = keyed._cloneInto();
  }

  compute(out: Uint8Array, at: number, data: Uint8Array, length: number = data.length): void {
    const work = this.#keyed._cloneInto(this.#work);
    work.update(length === data.length ? data : data.subarray(0, length));
    work.digestInto(at === 0 ? out : out.subarray(at));
  }

  wipe(): void {
    this.#keyed.destroy();
    this.#work.destroy();
  }
}

function nobleHash(name: HashName, hash: typeof sha256 | typeof sha384): Hash {
  return {
    name,
    outputLength: hash.outputLen,
    start: () => new NobleRunningHash(hash.create() as State),
    hmac: (key) => new NobleHmac(hash.outputLen, hmac.create(hash, key) as State),
  };
}

/** SHA-256 and HMAC-SHA-256. */
export const sha256Part: ProviderPart = { hashes: { sha256: /* @__PURE__ */ nobleHash('sha256', sha256) } };

/** SHA-384 and HMAC-SHA-384. */
export const sha384Part: ProviderPart = { hashes: { sha384: /* @__PURE__ */ nobleHash('sha384', sha384) } };
