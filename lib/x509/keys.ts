/**
 * SubjectPublicKeyInfo to and from a public key (RFC 5280 §4.1.2.7; EC: RFC 5480 §2; Ed25519: RFC 8410 §4; RSA: RFC 8017
 * §A.1.1).
 *
 * Law: one key has one encoding. EC keys name one of three curves and give an uncompressed point: explicit parameters
 * are somebody else's curve (CVE-2020-0601) and compressed points an unbounded computation (CVE-2022-0778). Whether a
 * point is on its curve, or a modulus long enough, is the provider's to say.
 */
import type { CurveName, PublicKey } from '../crypto/keys.js';
import { bitLength, fieldLength, isUncompressed, MAX_MODULUS_BITS } from '../crypto/publickey.js';
import { copyOf } from '../wire/bytes.js';
import { DerReader, Tag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { KeyOid } from './algorithms.js';
import { writeDer, writeDerBits, writeDerOid, writeDerUnsigned } from './derwriter.js';
import { unsupported } from './faults.js';

/** The curves of EC keys (RFC 5480 §2.1.1.1). */
const CURVE_OIDS: Readonly<Record<CurveName, string>> = {
  secp256r1: '1.2.840.10045.3.1.7',
  secp384r1: '1.3.132.0.34',
  secp521r1: '1.3.132.0.35',
};

/** Names of what people bring and what is refused. */
const REFUSED: Readonly<Record<string, string>> = {
  '1.3.132.0.10': 'secp256k1',
  '1.3.132.0.33': 'secp224r1',
  '1.2.840.10045.3.1.1': 'secp192r1',
  '1.3.36.3.3.2.8.1.1.7': 'brainpoolP256r1',
  '1.3.36.3.3.2.8.1.1.11': 'brainpoolP384r1',
  '1.3.36.3.3.2.8.1.1.13': 'brainpoolP512r1',
  [KeyOid.dsa]: 'DSA',
  [KeyOid.rsaPss]: 'RSASSA-PSS',
  [KeyOid.x25519]: 'X25519, which agrees and does not sign',
  [KeyOid.ed448]: 'Ed448',
};

/** Bytes of an RSA exponent. Honest ones have three. */
const MAX_EXPONENT = 8;

/** The key in a SubjectPublicKeyInfo; its bytes are copies. Throws for DER that is broken and for keys that are refused. */
export function readPublicKey(spki: Uint8Array): PublicKey {
  const reader = enterDer(spki, Tag.sequence, 'a SubjectPublicKeyInfo');
  const algorithm = reader.enter(Tag.sequence);
  const bits = reader.bitStringBytes();
  reader.expectEnd('a SubjectPublicKeyInfo');
  const oid = algorithm.oid();
  switch (oid) {
    case KeyOid.ec: {
      const curve = readCurve(algorithm);
      return { kind: 'ec', curve, point: readPoint(bits, curve) };
    }
    case KeyOid.ed25519:
      algorithm.expectEnd('the AlgorithmIdentifier of Ed25519');
      if (bits.length !== 32) throw decodeError(`an Ed25519 key of ${bits.length} bytes`);
      return { kind: 'ed25519', key: copyOf(bits) };
    case KeyOid.rsa:
      algorithm.null();
      algorithm.expectEnd('the AlgorithmIdentifier of RSA');
      return readRsa(bits);
    default:
      throw unsupported(`a key for ${REFUSED[oid] ?? `algorithm ${oid}`}, which is not supported`);
  }
}

/** ECParameters: a named curve and nothing else (RFC 5480 §2.1.1). Steps over it. */
export function readCurve(parameters: DerReader): CurveName {
  if (parameters.isNext(Tag.sequence)) throw unsupported('an EC key with explicit parameters: only named curves are supported');
  if (parameters.isNext(Tag.null)) throw unsupported('an EC key whose curve is implied: only named curves are supported');
  const oid = parameters.oid();
  parameters.expectEnd('ECParameters');
  const [curve] = Object.entries(CURVE_OIDS).find(([, known]) => known === oid) ?? [];
  if (curve === undefined) throw unsupported(`an EC key on ${REFUSED[oid] ?? `curve ${oid}`}, which is not supported`);
  return curve as CurveName;
}

/** An uncompressed point (RFC 5480 §2.2), copied. */
function readPoint(bytes: Uint8Array, curve: CurveName): Uint8Array {
  if (bytes[0] === 2 || bytes[0] === 3) throw unsupported('an EC key with a compressed point');
  if (!isUncompressed(bytes, fieldLength(curve))) throw decodeError(`no point of ${curve}`);
  return copyOf(bytes);
}

/** RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
function readRsa(bytes: Uint8Array): PublicKey {
  const reader = enterDer(bytes, Tag.sequence, 'an RSAPublicKey');
  const modulus = reader.unsigned();
  const exponent = reader.unsigned();
  reader.expectEnd('an RSAPublicKey');
  if (modulus.length === 0 || exponent.length === 0) throw decodeError('an RSA key of zero');
  if (modulus.length * 8 > MAX_MODULUS_BITS) throw unsupported(`an RSA key of more than ${MAX_MODULUS_BITS} bits`);
  if (exponent.length > MAX_EXPONENT) throw unsupported(`an RSA exponent of ${exponent.length} bytes`);
  return { kind: 'rsa', modulus: copyOf(modulus), exponent: copyOf(exponent) };
}

/** The SubjectPublicKeyInfo of a key. */
export function writePublicKey(key: PublicKey): Uint8Array {
  const spki = (oid: string, parameters: readonly Uint8Array[], bits: Uint8Array): Uint8Array =>
    writeDer(Tag.sequence, writeDer(Tag.sequence, writeDerOid(oid), ...parameters), writeDerBits(bits));
  switch (key.kind) {
    case 'ec':
      return spki(KeyOid.ec, [writeDerOid(CURVE_OIDS[key.curve])], key.point);
    case 'ed25519':
      return spki(KeyOid.ed25519, [], key.key);
    case 'rsa':
      return spki(KeyOid.rsa, [writeDer(Tag.null)], writeDer(Tag.sequence, writeDerUnsigned(key.modulus), writeDerUnsigned(key.exponent)));
  }
}

/** For people: `an EC key on secp256r1`, `an RSA key of 2048 bits`. */
export function describeKey(key: PublicKey): string {
  if (key.kind === 'ec') return `an EC key on ${key.curve}`;
  if (key.kind === 'ed25519') return 'an Ed25519 key';
  return `an RSA key of ${bitLength(key.modulus)} bits`;
}
