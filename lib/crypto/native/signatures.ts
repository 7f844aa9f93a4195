/**
 * ECDSA (FIPS 186-5 §6, RFC 8422 §5.4), Ed25519 (RFC 8032) and RSA signatures (RFC 8017 §8) with the platform's crypto.
 *
 * Law: the same verdict as every other provider, so what the platforms disagree on is settled before they are asked:
 * the DER of an ECDSA signature, the length of an RSA signature (OpenSSL takes a PSS signature without its leading
 * zeros), the size of RSA keys, which Ed25519 keys are taken. A key that the platform cannot use is null: RSA beyond
 * 4,096 bits on Deno. Signing with ECDSA and RSA-PSS draws the platform's own randomness for nonce and salt.
 */
import { constants, sign, verify, type KeyObject } from 'node:crypto';
import { wipedError } from '../../wire/errors.js';
import { readEcdsaSignature } from '../ecdsa-der.js';
import { SignatureScheme, type CurveName, type PrivateKey, type PublicKey } from '../keys.js';
import type { ProviderPart, Signatures, Signer, Verifier } from '../provider.js';
import { bitLength, ecdsaHash, ecdsaSchemes, fieldLength, isUncompressed, isUsableRsaKey, rsaScheme, rsaSchemes } from '../publickey.js';
import { RecentVerifiers } from '../recent.js';
import {
  ecPrivateKey, ecPublicBytes, ecPublicKey, hasOkp, isPrivateKey, okpPrivateKey, okpPublicBytes, okpPublicKey, orNull,
  plain, rsaPrivateKey, rsaPublicBytes, rsaPublicKey, toNumber,
} from './keyobjects.js';
import { isEd25519Key } from './signatures-ed25519.js';

const ED25519_KEY_LENGTH = 32;
const ED25519_SIGNATURE_LENGTH = 64;

/** How the platform is asked: hash (null for Ed25519) and padding. */
interface Method {
  readonly hash: string | null;
  readonly options?: { readonly padding: number; readonly saltLength?: number };
}

/** What a scheme means for a kind of key; undefined for a scheme that does not fit it. */
type Methods = (scheme: SignatureScheme) => Method | undefined;

/** Whether a signature may be shown to the platform. */
type Form = (signature: Uint8Array, scheme: SignatureScheme) => boolean;

class NativeVerifier implements Verifier {
  readonly #key: KeyObject;
  readonly #methods: Methods;
  readonly #isWellFormed: Form;

  constructor(key: KeyObject, methods: Methods, isWellFormed: Form) {
    this.#key = key;
    this.#methods = methods;
    this.#isWellFormed = isWellFormed;
  }

  verify(scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
    const method = this.#methods(scheme);
    if (method === undefined || !this.#isWellFormed(signature, scheme)) return false;
    const key = this.#key;
    return orNull(() => verify(method.hash, message, method.options === undefined ? key : { key, ...method.options }, signature)) === true;
  }
}

class NativeSigner implements Signer {
  readonly schemes: readonly SignatureScheme[];
  readonly #methods: Methods;
  #key: KeyObject | null;

  constructor(key: KeyObject, methods: Methods, schemes: readonly SignatureScheme[]) {
    this.schemes = schemes;
    this.#methods = methods;
    this.#key = key;
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | null {
    const key = this.#key;
    if (key === null) throw wipedError('key');
    const method = this.#methods(scheme);
    if (method === undefined) return null;
    return plain(sign(method.hash, message, method.options === undefined ? key : { key, ...method.options }));
  }

  wipe(): void {
    this.#key = null;
  }
}

function ecdsaMethod(scheme: SignatureScheme): Method | undefined {
  const hash = ecdsaHash(scheme);
  return hash === undefined ? undefined : { hash };
}

/** The curve and the platform's key of a private key; null for another kind and for a scalar out of range. */
function ecdsaKey(key: PrivateKey): { readonly curve: CurveName; readonly made: KeyObject } | null {
  if (key.kind !== 'ec' || !isPrivateKey(key.curve, key.scalar)) return null;
  const made = ecPrivateKey(key.curve, key.scalar);
  return made === null ? null : { curve: key.curve, made };
}

function ecdsaVerifier(curve: CurveName, point: Uint8Array): Verifier | null {
  const length = fieldLength(curve);
  const made = isUncompressed(point, length) ? ecPublicKey(curve, point) : null;
  return made === null ? null : new NativeVerifier(made, ecdsaMethod, (signature) => readEcdsaSignature(signature, length) !== null);
}

const recentEcdsa: RecentVerifiers = /* @__PURE__ */ new RecentVerifiers();

const nativeEcdsa: Signatures = {
  verifier: (key) => (key.kind === 'ec' ? recentEcdsa.of(key.curve, key.point, () => ecdsaVerifier(key.curve, key.point)) : null),
  signer(key: PrivateKey): Signer | null {
    const own = ecdsaKey(key);
    return own === null ? null : new NativeSigner(own.made, ecdsaMethod, ecdsaSchemes(own.curve));
  },
  publicKey(key: PrivateKey): PublicKey | null {
    const own = ecdsaKey(key);
    return own === null ? null : { kind: 'ec', curve: own.curve, point: ecPublicBytes(own.made) };
  },
};

function ed25519Method(scheme: SignatureScheme): Method | undefined {
  return scheme === SignatureScheme.ed25519 ? { hash: null } : undefined;
}

function ed25519Verifier(key: Uint8Array): Verifier | null {
  const made = isEd25519Key(key) ? orNull(() => okpPublicKey('Ed25519', key)) : null;
  return made === null ? null : new NativeVerifier(made, ed25519Method, ({ length }) => length === ED25519_SIGNATURE_LENGTH);
}

const recentEd25519: RecentVerifiers = /* @__PURE__ */ new RecentVerifiers();

const nativeEd25519: Signatures = {
  verifier: (key) => (key.kind === 'ed25519' ? recentEd25519.of('', key.key, () => ed25519Verifier(key.key)) : null),
  signer(key: PrivateKey): Signer | null {
    if (key.kind !== 'ed25519' || key.seed.length !== ED25519_KEY_LENGTH) return null;
    return new NativeSigner(okpPrivateKey('Ed25519', key.seed), ed25519Method, [SignatureScheme.ed25519]);
  },
  publicKey(key: PrivateKey): PublicKey | null {
    if (key.kind !== 'ed25519' || key.seed.length !== ED25519_KEY_LENGTH) return null;
    return { kind: 'ed25519', key: okpPublicBytes(okpPrivateKey('Ed25519', key.seed)) };
  },
};

function rsaMethod(scheme: SignatureScheme): Method | undefined {
  const row = rsaScheme(scheme);
  if (row === undefined) return undefined;
  const { hash, pss } = row;
  if (!pss) return { hash, options: { padding: constants.RSA_PKCS1_PADDING } };
  const saltLength = hash === 'sha256' ? 32 : hash === 'sha384' ? 48 : 64;
  return { hash, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } };
}

/** A private key with its public one; null for another kind, and if either is refused. */
function rsaKey(key: PrivateKey): { readonly made: KeyObject; readonly publicKey: PublicKey } | null {
  const made = key.kind === 'rsa' ? rsaPrivateKey(key.pkcs1) : null;
  if (made === null) return null;
  const { modulus, exponent } = rsaPublicBytes(made);
  return isUsableRsaKey(modulus, exponent) ? { made, publicKey: { kind: 'rsa', modulus, exponent } } : null;
}

/**
 * A signature is as long as the modulus. With a modulus of 8k + 1 bits a PSS encoding is a byte shorter, and Deno does
 * not look at the byte before it, which must be 0 (RFC 8017 §8.1.2): for such rare keys it is computed here.
 */
function rsaForm(modulus: Uint8Array, exponent: Uint8Array): Form {
  const { length } = modulus;
  if (bitLength(modulus) % 8 !== 1) return (signature) => signature.length === length;
  const [n, e] = [toNumber(modulus), toNumber(exponent)];
  const startsWithZero = (signature: Uint8Array): boolean => power(toNumber(signature), e, n) >> BigInt(8 * (length - 1)) === 0n;
  return (signature, scheme) => signature.length === length && (rsaScheme(scheme)?.pss !== true || startsWithZero(signature));
}

/** base^exponent modulo n: public data alone. */
function power(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = (bit === '1' ? result * result * base : result * result) % n;
  return result;
}

function rsaVerifier(modulus: Uint8Array, exponent: Uint8Array): Verifier | null {
  const made = rsaPublicKey(modulus, exponent);
  return made === null ? null : new NativeVerifier(made, rsaMethod, rsaForm(modulus, exponent));
}

const recentRsa: RecentVerifiers = /* @__PURE__ */ new RecentVerifiers();

const nativeRsa: Signatures = {
  verifier(key: PublicKey): Verifier | null {
    if (key.kind !== 'rsa') return null;
    const { modulus, exponent } = key;
    // Of bounded length before it becomes the name of anything.
    return isUsableRsaKey(modulus, exponent) ? recentRsa.of(`${toNumber(exponent)}`, modulus, () => rsaVerifier(modulus, exponent)) : null;
  },
  signer(key: PrivateKey): Signer | null {
    const own = rsaKey(key);
    return own === null ? null : new NativeSigner(own.made, rsaMethod, rsaSchemes());
  },
  publicKey: (key) => rsaKey(key)?.publicKey ?? null,
};

/** ECDSA on three curves with three hashes. */
export const ecdsaPart: ProviderPart = { signatures: { ec: nativeEcdsa } };

/** Ed25519, or nothing where the platform has been told to do without (FIPS). */
export const ed25519Part: ProviderPart = { signatures: /* @__PURE__ */ hasOkp('Ed25519') ? { ed25519: nativeEd25519 } : {} };

/** RSA signatures, made and verified. */
export const rsaPart: ProviderPart = { signatures: { rsa: nativeRsa } };
