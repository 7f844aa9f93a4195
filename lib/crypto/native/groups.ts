/**
 * ECDHE on X25519 (RFC 7748), secp256r1 and secp384r1 (SEC 1 §3.3.1) with the platform's crypto; RFC 8422 §5.4,
 * §5.10, §5.11.
 *
 * Law: the private key is what `random` gave and nothing else. The platforms take more forms of a point than TLS does
 * (Node all, Deno and Bun compressed ones), so the form is checked before they see it; a point of small order makes
 * X25519 throw on all of them, which is a null here. A group that the platform lacks is not listed.
 */
import { diffieHellman, type ECDH, type KeyObject } from 'node:crypto';
import { equalBytes, wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import type { CurveName } from '../keys.js';
import type { Group, KeyShare, ProviderPart } from '../provider.js';
import { drawPrivateKey, fieldLength, isUncompressed } from '../publickey.js';
import { ecdhOf, hasOkp, isPrivateKey, okpPrivateKey, okpPublicBytes, okpPublicKey, orNull, plain } from './keyobjects.js';

const X25519_LENGTH = 32;

/** What a platform that does not throw would give for a point of small order (RFC 8422 §5.11). */
const ZEROS: Uint8Array = /* @__PURE__ */ new Uint8Array(X25519_LENGTH);

class NativeX25519Share implements KeyShare {
  readonly publicKey: Uint8Array;
  #privateKey: KeyObject | null;

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.publicKey = okpPublicBytes(privateKey);
  }

  agree(peerPublic: Uint8Array): Uint8Array | null {
    const privateKey = this.#privateKey;
    if (privateKey === null) throw wipedError('key');
    if (peerPublic.length !== X25519_LENGTH) return null;
    const secret = owned(() => diffieHellman({ privateKey, publicKey: okpPublicKey('X25519', peerPublic) }));
    return secret === null || equalBytes(secret, ZEROS) ? null : secret;
  }

  wipe(): void {
    this.#privateKey = null;
  }
}

class NativeNistShare implements KeyShare {
  readonly publicKey: Uint8Array;
  /** Deno works with this very array, Node and Bun have copied it. */
  readonly #scalar: Uint8Array;
  #ecdh: ECDH | null;

  constructor(name: CurveName, scalar: Uint8Array) {
    this.#scalar = scalar;
    this.#ecdh = ecdhOf(name, scalar);
    this.publicKey = plain(this.#ecdh.getPublicKey());
  }

  agree(peerPublic: Uint8Array): Uint8Array | null {
    const ecdh = this.#ecdh;
    if (ecdh === null) throw wipedError('key');
    if (!isUncompressed(peerPublic, this.#scalar.length)) return null;
    return owned(() => ecdh.computeSecret(peerPublic));
  }

  wipe(): void {
    wipe(this.#scalar);
    this.#ecdh = null;
  }
}

/** A secret of the platform in an array of the caller's, or null if there is none. */
function owned(make: () => Uint8Array): Uint8Array | null {
  const secret = orNull(make);
  const copy = secret === null ? null : plain(secret);
  wipe(secret);
  return copy;
}

function nistGroup(name: CurveName & Group['name']): Group {
  return {
    name,
    generate: (random) => new NativeNistShare(name, drawPrivateKey(random, fieldLength(name), (key) => isPrivateKey(name, key))),
  };
}

const x25519Group: Group = {
  name: 'x25519',
  generate(random) {
    const secret = drawPrivateKey(random, X25519_LENGTH, () => true);
    const privateKey = okpPrivateKey('X25519', secret);
    wipe(secret);
    return new NativeX25519Share(privateKey);
  },
};

/** X25519, or nothing where the platform has been told to do without (FIPS). */
export const x25519Part: ProviderPart = {
  groups: /* @__PURE__ */ hasOkp('X25519') ? { x25519: x25519Group } : {},
};

/** ECDHE on secp256r1, also known as P-256. */
export const p256Part: ProviderPart = { groups: { secp256r1: /* @__PURE__ */ nistGroup('secp256r1') } };

/** ECDHE on secp384r1, also known as P-384. */
export const p384Part: ProviderPart = { groups: { secp384r1: /* @__PURE__ */ nistGroup('secp384r1') } };
