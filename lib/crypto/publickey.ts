/**
 * What the providers must do alike with public keys, so it is written once: which hash and padding a scheme means,
 * which RSA keys are taken, which points are even looked at, how a private key is drawn.
 *
 * Law: pure. Nothing here knows a library. RFC 8422 §5.4 (uncompressed points only), RFC 8446 §4.2.3 (schemes),
 * RFC 9325 §4.5 (RSA keys of 2,048 bits and more), FIPS 186-5 A.2.2 (private keys by rejection).
 */
import { copyOf } from '../wire/bytes.js';
import { LocalError } from '../wire/errors.js';
import { SignatureScheme, type CurveName } from './keys.js';

/** Hash functions of signatures. */
export type SignatureHash = 'sha256' | 'sha384' | 'sha512';

/** What an RSA scheme asks for. With PSS, the salt is as long as the digest (RFC 8446 §4.2.3). */
export interface RsaScheme {
  readonly hash: SignatureHash;
  readonly pss: boolean;
}

/** The largest modulus that is worked with: what a peer may make us compute is bounded. */
export const MAX_MODULUS_BITS = 8192;
const MIN_MODULUS_BITS = 2048;

/** The largest public exponent is 2^33 − 1, as in BoringSSL: the work of one verification is bounded. */
const MAX_EXPONENT_BITS = 33;

/** Draws of a private key before the random source counts as broken. One draw in 2^32 is refused on P-256, fewer elsewhere. */
const MAX_DRAWS = 8;

/** Bytes of a coordinate, and of a private key. */
export function fieldLength(curve: CurveName): number {
  return curve === 'secp256r1' ? 32 : curve === 'secp384r1' ? 48 : 66;
}

/** Whether `point` has the form of an uncompressed point with coordinates of `length` bytes: 04 ‖ x ‖ y. */
export function isUncompressed(point: Uint8Array, length: number): boolean {
  return point.length === 1 + 2 * length && point[0] === 4;
}

/**
 * A private key of `length` bytes from `random`: whole strings of bytes are drawn until `isValid` takes one, so no
 * key is likelier than another. The array is the caller's. Throws `ERR_DTLS_RANDOM` for a source that gives too few
 * bytes or never a valid key.
 */
export function drawPrivateKey(
  random: (length: number) => Uint8Array,
  length: number,
  isValid: (key: Uint8Array) => boolean,
): Uint8Array {
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const key = copyOf(random(length));
    if (key.length !== length) throw new LocalError('ERR_DTLS_RANDOM', `the random source gave ${key.length} bytes, not ${length}`);
    if (isValid(key)) return key;
  }
  throw new LocalError('ERR_DTLS_RANDOM', 'the random source gave no private key in range');
}

/** The hash of an ECDSA scheme; undefined for any other scheme. In TLS 1.2 it does not depend on the curve (RFC 8422 §5.4). */
export function ecdsaHash(scheme: SignatureScheme): SignatureHash | undefined {
  switch (scheme) {
    case SignatureScheme.ecdsaSha256:
      return 'sha256';
    case SignatureScheme.ecdsaSha384:
      return 'sha384';
    case SignatureScheme.ecdsaSha512:
      return 'sha512';
    default:
      return undefined;
  }
}

/** The schemes of an ECDSA key, the hash that matches the curve first. */
export function ecdsaSchemes(curve: CurveName): readonly SignatureScheme[] {
  const { ecdsaSha256, ecdsaSha384, ecdsaSha512 } = SignatureScheme;
  if (curve === 'secp256r1') return [ecdsaSha256, ecdsaSha384, ecdsaSha512];
  return curve === 'secp384r1' ? [ecdsaSha384, ecdsaSha512, ecdsaSha256] : [ecdsaSha512, ecdsaSha384, ecdsaSha256];
}

/** Hash and padding of an RSA scheme; undefined for any other scheme. */
export function rsaScheme(scheme: SignatureScheme): RsaScheme | undefined {
  switch (scheme) {
    case SignatureScheme.rsaPssRsaeSha256:
      return { hash: 'sha256', pss: true };
    case SignatureScheme.rsaPssRsaeSha384:
      return { hash: 'sha384', pss: true };
    case SignatureScheme.rsaPssRsaeSha512:
      return { hash: 'sha512', pss: true };
    case SignatureScheme.rsaPkcs1Sha256:
      return { hash: 'sha256', pss: false };
    case SignatureScheme.rsaPkcs1Sha384:
      return { hash: 'sha384', pss: false };
    case SignatureScheme.rsaPkcs1Sha512:
      return { hash: 'sha512', pss: false };
    default:
      return undefined;
  }
}

/** The schemes of an RSA key, PSS first. */
export function rsaSchemes(): readonly SignatureScheme[] {
  const { rsaPssRsaeSha256, rsaPssRsaeSha384, rsaPssRsaeSha512, rsaPkcs1Sha256, rsaPkcs1Sha384, rsaPkcs1Sha512 } = SignatureScheme;
  return [rsaPssRsaeSha256, rsaPssRsaeSha384, rsaPssRsaeSha512, rsaPkcs1Sha256, rsaPkcs1Sha384, rsaPkcs1Sha512];
}

/** Whether an RSA public key is taken: an odd modulus of 2,048 to 8,192 bits, an odd exponent of 3 to 2^33 − 1, both without leading zeros. */
export function isUsableRsaKey(modulus: Uint8Array, exponent: Uint8Array): boolean {
  const bits = bitLength(modulus);
  const exponentBits = bitLength(exponent);
  return (
    bits >= MIN_MODULUS_BITS &&
    bits <= MAX_MODULUS_BITS &&
    (modulus.at(-1)! & 1) === 1 &&
    exponentBits >= 2 &&
    exponentBits <= MAX_EXPONENT_BITS &&
    (exponent.at(-1)! & 1) === 1
  );
}

/** Bits of a big-endian number without leading zeros; 0 for one that has them, or has no byte. */
export function bitLength(number: Uint8Array): number {
  const first = number[0] ?? 0;
  return first === 0 ? 0 : 8 * number.length - (Math.clz32(first) - 24);
}
