/**
 * Public and private keys as plain data, and the IANA numbers that name what is done with them. Parsed by `x509/`,
 * used by the providers, neither of which knows the other.
 */

/** Elliptic curves of signatures and key exchange (RFC 8422 §5.1.1). */
export type CurveName = 'secp256r1' | 'secp384r1' | 'secp521r1';

/** A public key. Bytes are owned by whoever made the object. */
export type PublicKey =
  /** `point`: uncompressed, 04 ‖ x ‖ y. */
  | { readonly kind: 'ec'; readonly curve: CurveName; readonly point: Uint8Array }
  /** `key`: 32 bytes. */
  | { readonly kind: 'ed25519'; readonly key: Uint8Array }
  /** Big-endian, without leading zeros. */
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array };

/** A private key. */
export type PrivateKey =
  /** `scalar`: as long as the field, big-endian. */
  | { readonly kind: 'ec'; readonly curve: CurveName; readonly scalar: Uint8Array }
  /** `seed`: 32 bytes (RFC 8032 §5.1.5). */
  | { readonly kind: 'ed25519'; readonly seed: Uint8Array }
  /** `pkcs1`: a DER RSAPrivateKey (RFC 8017 §A.1.2). */
  | { readonly kind: 'rsa'; readonly pkcs1: Uint8Array };

/** SignatureScheme values (RFC 8446 §4.2.3; the same bytes are SignatureAndHashAlgorithm in TLS 1.2). SHA-1 and MD5 have no row. */
export const SignatureScheme = {
  rsaPkcs1Sha256: 0x0401,
  rsaPkcs1Sha384: 0x0501,
  rsaPkcs1Sha512: 0x0601,
  ecdsaSha256: 0x0403,
  ecdsaSha384: 0x0503,
  ecdsaSha512: 0x0603,
  rsaPssRsaeSha256: 0x0804,
  rsaPssRsaeSha384: 0x0805,
  rsaPssRsaeSha512: 0x0806,
  ed25519: 0x0807,
} as const;
export type SignatureScheme = (typeof SignatureScheme)[keyof typeof SignatureScheme];

/** Named groups of ECDHE (RFC 8422 §5.1.1). */
export const NamedGroup = { secp256r1: 23, secp384r1: 24, x25519: 29 } as const;
export type NamedGroup = (typeof NamedGroup)[keyof typeof NamedGroup];
/** Names of the groups. */
export type GroupName = keyof typeof NamedGroup;

/** The kind of key that `scheme` signs with. */
export function kindOf(scheme: SignatureScheme): PublicKey['kind'] {
  if (scheme === SignatureScheme.ed25519) return 'ed25519';
  return (scheme & 0xff) === 3 ? 'ec' : 'rsa';
}
