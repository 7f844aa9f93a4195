/**
 * Verifiers of the public keys that were seen lately, so that a peer that comes again, and an authority, cost the setting
 * up of a key once: it takes a platform as long as the verification itself, or twice that.
 *
 * Law: public keys only, found by their whole value and never by a digest or an object; a bounded number, the one that was
 * used longest ago gives way. Who floods it with fresh keys makes others pay what they would pay without it.
 */
import { latin1 } from '../wire/bytes.js';
import type { Verifier } from './provider.js';

/** Keys of one family. At about 2 KB for each, half a megabyte. */
const LIMIT = 256;

export class RecentVerifiers {
  /** In the order of their last use. */
  readonly #known = new Map<string, Verifier>();
  readonly #limit: number;

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
    const id = `${name} ${latin1(bytes)}`;
    const known = this.#known.get(id);
    const verifier = known ?? make();
    if (verifier === null) return null;
    if (known !== undefined) this.#known.delete(id);
    else if (this.#known.size >= this.#limit) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(id, verifier);
    return verifier;
  }
}
