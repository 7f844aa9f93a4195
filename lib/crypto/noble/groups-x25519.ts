/**
 * X25519 (RFC 7748 §5, §6.1; RFC 8422 §5.10, §5.11) on @noble/curves.
 *
 * Law: the private key is what `random` gave and nothing else. noble draws from the platform's generator too, where
 * there is one, but only to blind multiplications: the results do not depend on it. A point of small order, in any
 * encoding, is refused before the ladder runs on it. BigInt arithmetic is not constant-time, whatever is written on it.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import type { KeyShare, ProviderPart } from '../provider.js';
import { drawPrivateKey } from '../publickey.js';

const LENGTH = 32;

class NobleX25519Share implements KeyShare {
  readonly publicKey: Uint8Array;
  #privateKey: Uint8Array | null;

  constructor(privateKey: Uint8Array) {
    this.#privateKey = privateKey;
    this.publicKey = x25519.getPublicKey(privateKey);
  }

  agree(peerPublic: Uint8Array): Uint8Array | null {
    if (this.#privateKey === null) throw wipedError('key');
    if (peerPublic.length !== LENGTH) return null;
    try {
      return x25519.getSharedSecret(this.#privateKey, peerPublic);
    } catch {
      return null; // a point of small order
    }
  }

  wipe(): void {
    wipe(this.#privateKey);
    this.#privateKey = null;
  }
}

/** X25519. */
export const x25519Part: ProviderPart = {
  groups: {
    x25519: {
      name: 'x25519',
      generate: (random) => new NobleX25519Share(drawPrivateKey(random, LENGTH, () => true)),
    },
  },
};
