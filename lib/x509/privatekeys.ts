/**
 * Private keys from files: PKCS#8 (RFC 5958), SEC1 (RFC 5915), PKCS#1 (RFC 8017 §A.1.2), Ed25519 (RFC 8410 §7); as PEM
 * or DER.
 *
 * Law: what comes out are copies, and the text that was decoded on the way is wiped; a JavaScript string cannot be. No
 * error repeats a byte of a key.
 */
import type { CurveName, PrivateKey } from '../crypto/keys.js';
import { fieldLength } from '../crypto/publickey.js';
import { copyOf, wipe } from '../wire/bytes.js';
import { DerReader, Tag, checkDer, contextTag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { KeyOid } from './algorithms.js';
import { unsupported } from './faults.js';
import { readCurve } from './keys.js';
import { encryptedKey, readBlocks, type PemSource } from './pem.js';

/** Labels of PEM blocks that hold a private key, with how to read them. */
const FORMS: ReadonlyMap<string, (der: Uint8Array) => PrivateKey> = /* @__PURE__ */ new Map([
  ['PRIVATE KEY', readPkcs8],
  ['EC PRIVATE KEY', (der: Uint8Array) => readSec1(der, null)],
  ['RSA PRIVATE KEY', readPkcs1],
  ['', readAnyForm],
]);

/**
 * The one private key in a source: PEM, whose other blocks (certificates, EC PARAMETERS) are passed over, or DER in any
 * of the three forms. Throws for none, for several, for an encrypted one, and for kinds that are not supported.
 */
export function readPrivateKey(source: PemSource): PrivateKey {
  const blocks = readBlocks(source, '');
  try {
    if (blocks.some(({ label }) => label === 'ENCRYPTED PRIVATE KEY')) throw encryptedKey();
    const keys = blocks.filter(({ label }) => FORMS.has(label));
    const [block] = keys;
    if (block === undefined) {
      throw decodeError(`it holds no private key but ${blocks.map(({ label }) => `"${label}"`).join(', ')}`);
    }
    if (keys.length > 1) throw decodeError(`it holds ${keys.length} private keys, where one belongs`);
    return FORMS.get(block.label)!(block.der);
  } finally {
    for (const { der } of blocks) if (der !== source) wipe(der);
  }
}

/** Tells the three forms apart by what follows the version. */
function readAnyForm(der: Uint8Array): PrivateKey {
  const reader = enterDer(der, Tag.sequence, 'a private key');
  // EncryptedPrivateKeyInfo (RFC 5958 §3) has no version.
  if (reader.isNext(Tag.sequence)) throw encryptedKey();
  reader.integer();
  if (reader.isNext(Tag.sequence)) return readPkcs8(der);
  return reader.isNext(Tag.octetString) ? readSec1(der, null) : readPkcs1(der);
}

/**
 * OneAsymmetricKey ::= SEQUENCE { version, privateKeyAlgorithm, privateKey OCTET STRING, attributes [0] OPTIONAL,
 *   publicKey [1] OPTIONAL }
 */
function readPkcs8(der: Uint8Array): PrivateKey {
  checkDer(der, 'a PKCS#8 key');
  const reader = enterDer(der, Tag.sequence, 'a PKCS#8 key');
  if (reader.isNext(Tag.sequence)) throw encryptedKey();
  const version = reader.small(1);
  const algorithm = reader.enter(Tag.sequence);
  const key = reader.octetString();
  if (reader.isNext(contextTag(0))) reader.element();
  if (version === 1 && reader.isNext(contextTag(1, false))) reader.element();
  reader.expectEnd('a PKCS#8 key');
  const oid = algorithm.oid();
  switch (oid) {
    case KeyOid.ec:
      return readSec1(key, readCurve(algorithm));
    case KeyOid.ed25519: {
      algorithm.expectEnd('the AlgorithmIdentifier of Ed25519');
      const inner = new DerReader(key);
      const seed = inner.octetString();
      inner.expectEnd('an Ed25519 private key');
      if (seed.length !== 32) throw decodeError(`an Ed25519 private key of ${seed.length} bytes`);
      return { kind: 'ed25519', seed: copyOf(seed) };
    }
    case KeyOid.rsa:
      algorithm.null();
      algorithm.expectEnd('the AlgorithmIdentifier of RSA');
      return readPkcs1(key);
    default:
      throw unsupported(`a private key for algorithm ${oid}, which is not supported`);
  }
}

/**
 * ECPrivateKey ::= SEQUENCE { version 1, privateKey OCTET STRING, parameters [0] OPTIONAL, publicKey [1] OPTIONAL }
 * (RFC 5915 §3). `curve` is what PKCS#8 says, null if this stands alone.
 */
function readSec1(der: Uint8Array, curve: CurveName | null): PrivateKey {
  checkDer(der, 'an EC private key');
  const reader = enterDer(der, Tag.sequence, 'an EC private key');
  if (reader.small(1) !== 1) throw decodeError('an EC private key of an unknown version');
  const digits = reader.octetString();
  const named = reader.isNext(contextTag(0)) ? readCurve(reader.enter(contextTag(0))) : null;
  if (reader.isNext(contextTag(1))) reader.element();
  reader.expectEnd('an EC private key');
  const name = curve ?? named;
  if (name === null) throw decodeError('an EC private key that does not say its curve');
  if (curve !== null && named !== null && curve !== named) throw decodeError(`an EC private key on ${curve} that says ${named}`);
  const length = fieldLength(name);
  // Some tools drop leading zeros, which RFC 5915 forbids; nothing is ambiguous about them.
  if (digits.length === 0 || digits.length > length) throw decodeError(`an EC private key of ${digits.length} bytes on ${name}`);
  const scalar = new Uint8Array(length);
  scalar.set(digits, length - digits.length);
  return { kind: 'ec', curve: name, scalar };
}

/** RSAPrivateKey: version 0 and eight numbers; more than two primes are refused. */
function readPkcs1(der: Uint8Array): PrivateKey {
  const reader = enterDer(der, Tag.sequence, 'an RSA private key');
  if (reader.small(1) !== 0) throw unsupported('an RSA key of more than two primes');
  for (let i = 0; i < 8; i++) reader.unsigned();
  reader.expectEnd('an RSA private key');
  return { kind: 'rsa', pkcs1: copyOf(der) };
}
