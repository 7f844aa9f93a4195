/**
 * ECDHE on secp256r1 and secp384r1 (RFC 8422 §5.4, §5.10, §5.11; SEC 1 §3.3.1) on @noble/curves.
 *
 * Law: the private key is what `random` gave and nothing else. noble draws from the platform's generator too, where
 * there is one, but only to blind multiplications: the results do not depend on it. A peer's point must be
 * uncompressed and on the curve. BigInt arithmetic is not constant-time, whatever is written on it.
 */
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import type { GroupName } from '../keys.js';
import type { Group, KeyShare, ProviderPart } from '../provider.js';
import { drawPrivateKey, isUncompressed } from '../publickey.js';

class NobleNistShare implements KeyShare {
  readonly publicKey: Uint8Array;
  readonly #curve: ECDSA;
  #privateKey: Uint8Array | null;

  constructor(curve: ECDSA, privateKey: Uint8Array) {
    this.#curve = curve;
    this.#privateKey = privateKey;
    this.publicKey = curve.getPublicKey(privateKey, false);
  }

  agree(peerPublic: Uint8Array): Uint8Array | null {
    if (this.#privateKey === null) throw wipedError('key');
    if (!isUncompressed(peerPublic, this.#privateKey.length)) return null;
    try {
      const compressed = this.#curve.getSharedSecret(this.#privateKey, peerPublic, true);
      const x = compressed.slice(1);
      wipe(compressed);
      return x;
    } catch {
      return null; // not on the curve, or a coordinate that is no field element
    }
  }

  wipe(): void {
    wipe(this.#privateKey);
    this.#privateKey = null;
  }
}

/** A group over a curve that is looked at only when it is used: an unused group leaves no trace in a bundle. */
function nistGroup(name: GroupName, curve: () => ECDSA): Group {
  return {
    name,
    generate(random) {
      const { lengths, utils } = curve();
      return new NobleNistShare(curve(), drawPrivateKey(random, lengths.secretKey!, utils.isValidSecretKey));
    },
  };
}

/** ECDHE on secp256r1, also known as P-256. */
export const p256Part: ProviderPart = { groups: { secp256r1: /* @__PURE__ */ nistGroup('secp256r1', () => p256) } };

/** ECDHE on secp384r1, also known as P-384. */
export const p384Part: ProviderPart = { groups: { secp384r1: /* @__PURE__ */ nistGroup('secp384r1', () => p384) } };
