/**
 * Verifiers of the public keys that were seen lately, so that a peer that comes again, and an authority, cost the setting
 * up of a key once: it takes a platform as long as the verification itself, or twice that.
 *
 * Law: public keys only, found by their whole value and never by a digest or an object; a bounded number, the one that was
 * used longest ago gives way. Who floods it with fresh keys makes others pay what they would pay without it.
 */
import { copyOf, equalBytes, latin1 } from '../wire/bytes.js';
import type { Verifier } from './provider.js';

/** Keys of one family. At about 2 KB for each, half a megabyte. */
const LIMIT = 256;

interface Known {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly verifier: Verifier;
}

export class RecentVerifiers {
  /** In the order of their last use. */
  readonly #known = new Map<string, Known>();
  readonly #limit: number;
  /** The one used last: a peer that comes again and again needs no string of its bytes. */
  #latest: Known | null = null;

  constructor(limit: number = LIMIT) {
    this.#limit = limit;
  }

  /** Verifiers that are held. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * The verifier of a public key, made by `make` unless it is there. `name` is what the key is besides its `bytes`: no
   * two keys may have both in common. A key that is refused (null) is not remembered.
   */
  of(name: string, bytes: Uint8Array, make: () => Verifier | null): Verifier | null {
    const latest = this.#latest;
    if (latest !== null && latest.name === name && equalBytes(latest.bytes, bytes)) return latest.verifier;
    const all = this.#known;
    const id = `${name} ${latin1(bytes)}`;
    const known = all.get(id);
    const verifier = known?.verifier ?? make();
    if (verifier === null) return null;
    all.delete(id);
    all.set(id, (this.#latest = known ?? { name, bytes: copyOf(bytes), verifier }));
    if (all.size > this.#limit) all.delete(all.keys().next().value!);
    return verifier;
  }
}
