/**
 * Raw P-256 keys as tinydtls hands them around: two coordinates and a scalar. On the wire they are a
 * SubjectPublicKeyInfo of fixed form (RFC 7250 §3, RFC 5480 §2), so that no DER parser is needed.
 */
import { SignatureScheme } from '../crypto/keys.js';
import type { Provider, Signer } from '../crypto/provider.js';
import { concat, copyOf, wipe } from '../wire/bytes.js';
import { LocalError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';
import { CertificateType, type Credential, type Shown, type Trust, type Verdict } from './authenticate.js';

/** A P-256 key pair (tinydtls: dtls_ecdsa_key_t). Each part is 32 bytes, big-endian. */
export interface EcdsaKey {
  /** The scalar. */
  readonly privateKey: Uint8Array;
  /** The point's coordinates. */
  readonly publicKeyX: Uint8Array;
  readonly publicKeyY: Uint8Array;
}

const COORDINATE = 32;
/** SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04 … up to the point. */
const SPKI_PREFIX = new Uint8Array([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
  0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
]);

/** The coordinates in a P-256 SubjectPublicKeyInfo; null for any other key. Views. */
export function coordinatesOf(spki: Uint8Array): { readonly x: Uint8Array; readonly y: Uint8Array } | null {
  const start = SPKI_PREFIX.length;
  if (spki.length !== start + 2 * COORDINATE || !SPKI_PREFIX.every((byte, index) => spki[index] === byte)) return null;
  return { x: spki.subarray(start, start + COORDINATE), y: spki.subarray(start + COORDINATE) };
}

/**
 * A raw key as a credential that signs with `provider`. `made` gets its signer: who makes one for a while wipes it. Throws
 * a LocalError for a key that is none.
 */
export function ecdsaCredential(key: EcdsaKey, provider: Provider, made: (signer: Signer) => void = () => {}): Credential {
  for (const part of [key.privateKey, key.publicKeyX, key.publicKeyY]) {
    if (!(part instanceof Uint8Array) || part.length !== COORDINATE) throw unusable('its parts are not 32 bytes each');
  }
  const family = provider.signatures.ec;
  if (family === undefined) throw unusable(`the provider ${provider.name} has no ECDSA`);
  const scalar = copyOf(key.privateKey);
  const signer = family.signer({ kind: 'ec', curve: 'secp256r1', scalar });
  wipe(scalar);
  const point = concat(Uint8Array.of(4), key.publicKeyX, key.publicKeyY);
  if (signer === null) throw unusable('the private key is out of range');
  made(signer);
  return {
    type: CertificateType.rawKey,
    chain: [concat(SPKI_PREFIX, key.publicKeyX, key.publicKeyY)],
    publicKey: { kind: 'ec', curve: 'secp256r1', point },
    signer: { schemes: [SignatureScheme.ecdsaSha256], sign: (scheme, message) => signer.sign(scheme, message) },
    issuers: [],
  };
}

/** A Trust that leaves raw P-256 keys to the host's `verifyEcdsaKey` and everything else to `base`. */
export function ecdsaKeyTrust(base: Trust | null): Trust {
  const { rawKey } = CertificateType;
  return {
    types: base === null ? [rawKey] : [...new Set([rawKey, ...base.types])],
    authorities: base?.authorities ?? [],
    judge: (shown: Shown): Verdict => {
      const coordinates = shown.type === rawKey ? coordinatesOf(shown.chain[0]!) : null;
      const verdict = base?.judge(shown) ?? null;
      if (verdict?.publicKey != null) return verdict;
      const reason = 'the raw public key is not one that the host trusts';
      if (coordinates === null) {
        return verdict ?? { trusted: false, publicKey: null, alert: AlertDescription.unsupportedCertificate, reason };
      }
      const point = concat(Uint8Array.of(4), coordinates.x, coordinates.y);
      return { trusted: false, publicKey: { kind: 'ec', curve: 'secp256r1', point }, alert: AlertDescription.certificateUnknown, reason };
    },
  };
}

function unusable(why: string): LocalError {
  return new LocalError('ERR_DTLS_CREDENTIAL', `the ECDSA key is unusable: ${why}`, AlertDescription.internalError);
}
