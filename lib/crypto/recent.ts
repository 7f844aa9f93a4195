/**
 * Verifiers of the public keys that were seen lately, so that a peer that comes again, and an authority, cost the setting
 * up of a key once: it takes a platform as long as the verification itself, or twice that.
 *
 * Law: public keys only, found by their whole value and never by a digest or an object; a bounded number, the one that was
 * used longest ago gives way. Who floods it with fresh keys makes others pay what they would pay without it.
 */
import { copyOf } from '../wire/bytes.js';
import type { Verifier } from './provider.js';

/** Keys of one family. At about 2 KB for each, half a megabyte. */
const LIMIT = 256;

interface Known {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly verifier: Verifier;
}

export class RecentVerifiers {
  /** The latest use first, so that a peer that comes again and again is found at once. */
  readonly #known: Known[] = [];
  readonly #limit: number;

  constructor(limit: number = LIMIT) {
    this.#limit = limit;
  }

  /** Verifiers that are held. */
  get size(): number {
    return this.#known.length;
  }

  /**
   * The verifier of a public key, made by `make` unless it is there. `name` is what the key is besides its `bytes`: no
   * two keys may have both in common. A key that is refused (null) is not remembered.
   */
  of(name: string, bytes: Uint8Array, make: () => Verifier | null): Verifier | null {
    const all = this.#known;
    const at = all.findIndex((known) => known.name === name && isSame(known.bytes, bytes));
    if (at === 0) return all[0]!.verifier;
    const verifier = at < 0 ? make() : all.splice(at, 1)[0]!.verifier;
    if (verifier !== null && all.unshift({ name, bytes: copyOf(bytes), verifier }) > this.#limit) all.pop();
    return verifier;
  }
}

/** Public bytes, compared no further than they are the same. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at === b.length && at === a.length;
}
