/**
 * ECDSA on secp256r1, secp384r1 and secp521r1 with SHA-256, SHA-384 and SHA-512 (FIPS 186-5 §6, RFC 8422 §5.4) on
 * @noble/curves. Any hash goes with any curve: TLS 1.2 names them separately.
 *
 * Law: signatures are DER on the wire and strictly so. Signing is deterministic (RFC 6979, over the hash of the
 * scheme); noble's own randomness only blinds the inversion of the nonce. s is left as it comes, low or high, as in
 * every other TLS stack, and taken as it comes.
 */
import { ecdsa, type ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { copyOf, wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { readEcdsaSignature } from '../ecdsa-der.js';
import type { CurveName, PrivateKey, PublicKey, SignatureScheme } from '../keys.js';
import type { ProviderPart, Signatures, Signer, Verifier } from '../provider.js';
import { ecdsaHash, ecdsaSchemes, fieldLength, isUncompressed, type SignatureHash } from '../publickey.js';
import { RecentVerifiers } from '../recent.js';

/** Curve and hash joined, made when first used. */
const joined: Partial<Record<`${CurveName} ${SignatureHash}`, ECDSA>> = {};

function curveOf(curve: CurveName): ECDSA {
  return curve === 'secp256r1' ? p256 : curve === 'secp384r1' ? p384 : p521;
}

function join(curve: CurveName, hash: SignatureHash): ECDSA {
  const name = `${curve} ${hash}` as const;
  const hashes = { sha256, sha384, sha512 };
  return (joined[name] ??= ecdsa(curveOf(curve).Point, hashes[hash], { lowS: false }));
}

class NobleEcdsaVerifier implements Verifier {
  readonly #curve: CurveName;
  readonly #point: Uint8Array;

  constructor(curve: CurveName, point: Uint8Array) {
    this.#curve = curve;
    this.#point = copyOf(point);
  }

  verify(scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
    const hash = ecdsaHash(scheme);
    const pair = hash === undefined ? null : readEcdsaSignature(signature, fieldLength(this.#curve));
    return pair !== null && join(this.#curve, hash!).verify(pair, message, this.#point, { format: 'compact', lowS: false });
  }
}

class NobleEcdsaSigner implements Signer {
  readonly schemes: readonly SignatureScheme[];
  readonly #curve: CurveName;
  #scalar: Uint8Array | null;

  constructor(curve: CurveName, scalar: Uint8Array) {
    this.schemes = ecdsaSchemes(curve);
    this.#curve = curve;
    this.#scalar = copyOf(scalar);
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | null {
    if (this.#scalar === null) throw wipedError('key');
    const hash = ecdsaHash(scheme);
    return hash === undefined ? null : join(this.#curve, hash).sign(message, this.#scalar, { format: 'der', lowS: false });
  }

  wipe(): void {
    wipe(this.#scalar);
    this.#scalar = null;
  }
}

function ecdsaVerifier(curve: CurveName, point: Uint8Array): Verifier | null {
  const valid = isUncompressed(point, fieldLength(curve)) && curveOf(curve).utils.isValidPublicKey(point, false);
  return valid ? new NobleEcdsaVerifier(curve, point) : null;
}

const recent: RecentVerifiers = /* @__PURE__ */ new RecentVerifiers();

const nobleEcdsa: Signatures = {
  verifier: (key: PublicKey) => (key.kind === 'ec' ? recent.of(key.curve, key.point, () => ecdsaVerifier(key.curve, key.point)) : null),
  signer(key: PrivateKey): Signer | null {
    if (key.kind !== 'ec' || !curveOf(key.curve).utils.isValidSecretKey(key.scalar)) return null;
    return new NobleEcdsaSigner(key.curve, key.scalar);
  },
  publicKey(key: PrivateKey): PublicKey | null {
    if (key.kind !== 'ec' || !curveOf(key.curve).utils.isValidSecretKey(key.scalar)) return null;
    return { kind: 'ec', curve: key.curve, point: curveOf(key.curve).getPublicKey(key.scalar, false) };
  },
};

/** ECDSA on three curves with three hashes. */
export const ecdsaPart: ProviderPart = { signatures: { ec: nobleEcdsa } };
