/**
 * Keys of the platform from plain bytes (RFC 5480, RFC 5915, RFC 5958, RFC 7517, RFC 8037, RFC 8410).
 *
 * Law: whatever the platform refuses is null. Which door a key goes in by was measured on Node 20, whose DER readers
 * try every format they know: 0.42 ms for a private X25519 key, 0.05 ms as JWK. So keys go in as JWK, but for public
 * EC keys beyond secp256r1, which JWK validates by a multiplication that a curve of cofactor 1 does not need.
 * Key objects, and the strings of a JWK, cannot be wiped: the references are dropped.
 */
import { Buffer } from 'node:buffer';
import { createECDH, createPrivateKey, createPublicKey, type ECDH, type KeyObject } from 'node:crypto';
import { concat } from '../../wire/bytes.js';
import type { CurveName } from '../keys.js';
import { fieldLength } from '../publickey.js';

/** Names and DER of one curve. */
interface CurveRow {
  /** As OpenSSL calls it. */
  readonly name: string;
  /** As JWK calls it. */
  readonly jwk: string;
  /** n, the order of the group (FIPS 186-5; SP 800-186 §3.2.1). */
  readonly order: string;
  /** SubjectPublicKeyInfo up to the point. */
  readonly spki: string;
}

const CURVES: Readonly<Record<CurveName, CurveRow>> = {
  secp256r1: {
    name: 'prime256v1',
    jwk: 'P-256',
    order: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    spki: '3059301306072a8648ce3d020106082a8648ce3d030107034200',
  },
  secp384r1: {
    name: 'secp384r1',
    jwk: 'P-384',
    order: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    spki: '3076301006072a8648ce3d020106052b81040022036200',
  },
  secp521r1: {
    name: 'secp521r1',
    jwk: 'P-521',
    order:
      '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa' +
      '51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
    spki: '30819b301006072a8648ce3d020106052b8104002303818600',
  },
};

/** PrivateKeyInfo of X25519 and Ed25519 up to the 32 bytes (RFC 8410 §7). */
const OKP_PKCS8 = { X25519: '302e020100300506032b656e04220420', Ed25519: '302e020100300506032b657004220420' };

/** Curves of RFC 7748 and RFC 8032, as JWK calls them. */
export type OkpName = 'X25519' | 'Ed25519';

/** A plain array with a copy of what the platform gave. */
export function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

/** What `make` makes, or null if the platform refuses. */
export function orNull<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

/** Whether `scalar` is in 1 … n − 1, in time that depends on its length alone. */
export function isPrivateKey(curve: CurveName, scalar: Uint8Array): boolean {
  if (scalar.length !== fieldLength(curve)) return false;
  const order = Buffer.from(CURVES[curve].order, 'hex');
  let borrow = 0;
  let bits = 0;
  for (let i = scalar.length - 1; i >= 0; i--) {
    borrow = ((scalar[i]! - order[i]! - borrow) >> 8) & 1;
    bits |= scalar[i]!;
  }
  return borrow === 1 && bits !== 0;
}

/** The platform's Diffie–Hellman over `curve` with a private key in range. Throws where the platform lacks the curve. */
export function ecdhOf(curve: CurveName, scalar: Uint8Array): ECDH {
  const ecdh = createECDH(CURVES[curve].name);
  ecdh.setPrivateKey(scalar);
  return ecdh;
}

/** The key of an uncompressed point, or null if it is not on the curve or the platform lacks the curve. */
export function ecPublicKey(curve: CurveName, point: Uint8Array): KeyObject | null {
  if (curve === 'secp256r1') return orNull(() => createPublicKey({ key: ecJwk(curve, point), format: 'jwk' }));
  const key = Buffer.concat([Buffer.from(CURVES[curve].spki, 'hex'), point]);
  return orNull(() => {
    createECDH(CURVES[curve].name); // Deno has secp521r1 in part, without SHA-256 and without this: part is none.
    return createPublicKey({ key, format: 'der', type: 'spki' });
  });
}

/** The key of a scalar in range, or null if the platform lacks the curve. */
export function ecPrivateKey(curve: CurveName, scalar: Uint8Array): KeyObject | null {
  return orNull(() => {
    const point = ecdhOf(curve, scalar).getPublicKey();
    return createPrivateKey({ key: { ...ecJwk(curve, point), d: base64url(scalar) }, format: 'jwk' });
  });
}

/** The uncompressed point of a private key. */
export function ecPublicBytes(key: KeyObject): Uint8Array {
  const { x, y } = createPublicKey(key).export({ format: 'jwk' });
  return concat(Uint8Array.of(4), fromBase64url(x!), fromBase64url(y!));
}

/** Whether the platform has a curve. */
export function hasOkp(curve: OkpName): boolean {
  return orNull(() => okpPublicBytes(okpPrivateKey(curve, new Uint8Array(32).fill(1))).length) === 32;
}

/** The private key of 32 bytes. Throws where the platform lacks the curve. */
export function okpPrivateKey(curve: OkpName, secret: Uint8Array): KeyObject {
  // The platform computes x, and one that insists on being told takes the DER.
  const made = orNull(() => createPrivateKey({ key: { kty: 'OKP', crv: curve, d: base64url(secret), x: '' }, format: 'jwk' }));
  if (made !== null) return made;
  const key = Buffer.concat([Buffer.from(OKP_PKCS8[curve], 'hex'), secret]);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    key.fill(0);
  }
}

/** The public key of 32 bytes. Throws for what the platform refuses. */
export function okpPublicKey(curve: OkpName, key: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: base64url(key) }, format: 'jwk' });
}

/** The 32 bytes of a private key's public key. */
export function okpPublicBytes(key: KeyObject): Uint8Array {
  return fromBase64url(createPublicKey(key).export({ format: 'jwk' }).x!);
}

/** The key of an RSA modulus and exponent, or null if the platform refuses (Deno beyond 4,096 bits). */
export function rsaPublicKey(modulus: Uint8Array, exponent: Uint8Array): KeyObject | null {
  const key = { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) };
  return orNull(() => createPublicKey({ key, format: 'jwk' }));
}

/** The key of an RSAPrivateKey (RFC 8017 §A.1.2), or null if the platform refuses. */
export function rsaPrivateKey(pkcs1: Uint8Array): KeyObject | null {
  const key = Buffer.from(pkcs1);
  const made = orNull(() => createPrivateKey({ key, format: 'der', type: 'pkcs1' }));
  key.fill(0);
  return made;
}

/** Modulus and exponent of a key. */
export function rsaPublicBytes(key: KeyObject): { readonly modulus: Uint8Array; readonly exponent: Uint8Array } {
  const { n, e } = createPublicKey(key).export({ format: 'jwk' });
  return { modulus: fromBase64url(n!), exponent: fromBase64url(e!) };
}

/** A big-endian number. */
export function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`);
}

/** The bytes as JWK writes them (RFC 7515 §2). */
function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}

/** The bytes of what JWK writes, in a plain array. */
function fromBase64url(text: string): Uint8Array {
  return plain(Buffer.from(text, 'base64url'));
}

function ecJwk(curve: CurveName, point: Uint8Array): { kty: string; crv: string; x: string; y: string } {
  const length = fieldLength(curve);
  return { kty: 'EC', crv: CURVES[curve].jwk, x: base64url(point.subarray(1, 1 + length)), y: base64url(point.subarray(1 + length)) };
}
