/**
 * Signatures by node:crypto, for the specs of this folder: a third opinion beside the providers of lib/, which these
 * specs do not depend on. Keys go in as JWK, so that no encoding of lib/ is checked against itself.
 */
import {
  constants, createECDH, createPrivateKey, createPublicKey, sign, verify, type JsonWebKey, type KeyObject, type SignKeyObjectInput,
} from 'node:crypto';
import { SignatureScheme, kindOf, type PrivateKey, type PublicKey } from '../../../lib/crypto/keys.js';
import { nativeProvider } from '../../../lib/crypto/native/index.js';
import { composeProvider, type Provider, type Signatures, type Signer, type Verifier } from '../../../lib/crypto/provider.js';

const CURVES = {
  secp256r1: ['P-256', 'prime256v1'],
  secp384r1: ['P-384', 'secp384r1'],
  secp521r1: ['P-521', 'secp521r1'],
} as const;

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

function jwkOf(key: PublicKey): JsonWebKey {
  if (key.kind === 'ed25519') return { kty: 'OKP', crv: 'Ed25519', x: base64url(key.key) };
  if (key.kind === 'rsa') return { kty: 'RSA', n: base64url(key.modulus), e: base64url(key.exponent) };
  const half = (key.point.length - 1) / 2;
  return { kty: 'EC', crv: CURVES[key.curve][0], x: base64url(key.point.subarray(1, 1 + half)), y: base64url(key.point.subarray(1 + half)) };
}

/** Node is slow to take a JWK. */
const objects = new Map<string, KeyObject | null>();

/** A public key of ours as Node has it; null for one that is none. */
export function publicKeyObject(key: PublicKey): KeyObject | null {
  const jwk = jwkOf(key);
  const name = JSON.stringify(jwk);
  let object = objects.get(name);
  if (object === undefined) objects.set(name, (object = importKey(jwk)));
  return object;
}

function importKey(key: JsonWebKey): KeyObject | null {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return null;
  }
}

/** A private key of ours as Node has it. */
export function privateKeyObject(key: PrivateKey): KeyObject {
  switch (key.kind) {
    case 'ec': {
      const ecdh = createECDH(CURVES[key.curve][1]);
      ecdh.setPrivateKey(key.scalar);
      const jwk = jwkOf({ kind: 'ec', curve: key.curve, point: ecdh.getPublicKey() });
      return createPrivateKey({ key: { ...jwk, d: base64url(key.scalar) }, format: 'jwk' });
    }
    case 'ed25519':
      return createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), key.seed]), format: 'der', type: 'pkcs8' });
    case 'rsa':
      return createPrivateKey({ key: Buffer.from(key.pkcs1), format: 'der', type: 'pkcs1' });
  }
}

/** A public key of Node's as ours, by JWK. */
export function fromKeyObject(object: KeyObject): PublicKey {
  const { kty, crv, x = '', y = '', n = '', e = '' } = object.export({ format: 'jwk' });
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
  if (kty === 'OKP') return { kind: 'ed25519', key: bytes(x) };
  if (kty === 'RSA') return { kind: 'rsa', modulus: bytes(n), exponent: bytes(e) };
  const curve = (Object.keys(CURVES) as (keyof typeof CURVES)[]).find((name) => CURVES[name][0] === crv)!;
  return { kind: 'ec', curve, point: new Uint8Array([4, ...bytes(x), ...bytes(y)]) };
}

const SCHEMES = Object.values(SignatureScheme);

function inputOf(scheme: SignatureScheme, key: KeyObject): readonly [string | null, SignKeyObjectInput] {
  if (scheme === SignatureScheme.ed25519) return [null, { key }];
  const pss = scheme >> 8 === 8;
  const hash = (pss ? ['sha256', 'sha384', 'sha512'][(scheme & 0xff) - 4] : ['sha256', 'sha384', 'sha512'][(scheme >> 8) - 4])!;
  return [hash, pss ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : { key }];
}

/** How many signatures were checked by this provider, for the specs of bounds. */
export const count = { verified: 0 };

function family(kind: PublicKey['kind']): Signatures {
  const schemes = SCHEMES.filter((scheme) => kindOf(scheme) === kind);
  return {
    verifier: (key): Verifier | null => {
      if (key.kind === 'rsa' && (key.modulus.length < 256 || key.exponent.at(-1)! % 2 === 0)) return null;
      const object = publicKeyObject(key);
      if (object === null) return null;
      return {
        verify: (scheme, message, signature) => {
          count.verified += 1;
          const [hash, input] = inputOf(scheme, object);
          return kindOf(scheme) === kind && verify(hash, message, input, signature);
        },
      };
    },
    signer: (key): Signer | null => {
      const object = privateKeyObject(key);
      return {
        schemes,
        sign: (scheme, message) => (schemes.includes(scheme) ? new Uint8Array(sign(...signing(scheme, message, object))) : null),
        wipe: () => {},
      };
    },
    publicKey: (key) => fromKeyObject(createPublicKey(privateKeyObject(key))),
  };
}

function signing(scheme: SignatureScheme, message: Uint8Array, object: KeyObject): [string | null, Uint8Array, SignKeyObjectInput] {
  const [hash, input] = inputOf(scheme, object);
  return [hash, message, input];
}

/** Everything of the native provider, and signatures of every kind. */
export const testProvider: Provider = composeProvider('test', nativeProvider, {
  signatures: { ec: family('ec'), ed25519: family('ed25519'), rsa: family('rsa') },
});
