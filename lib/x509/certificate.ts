/**
 * X.509 certificates (RFC 5280 §4.1) as an object of views: read whole, judged elsewhere.
 *
 * Law: a certificate is strict DER of at most 64 KiB, its two signature algorithms are the same, its serial number is
 * not negative (zero is taken: old authorities have it). A public key that is refused leaves `publicKey` null with the
 * reason beside it: such a certificate can stand unused in a chain. Everything else that is wrong throws.
 */
import type { PublicKey } from '../crypto/keys.js';
import { equalBytes } from '../wire/bytes.js';
import { DerReader, Tag, checkDer, contextTag, enterDer } from '../wire/der.js';
import { PeerError, decodeError } from '../wire/errors.js';
import { readSignatureAlgorithm } from './algorithms.js';
import type { Validity } from './dates.js';
import { checkName, commonName } from './distinguished.js';
import { NO_EXTENSIONS, readExtensions, type Extensions } from './extensions.js';
import { shown } from './faults.js';
import { readPublicKey } from './keys.js';
import type { Signed } from './signatures.js';

/** Bytes of a certificate. An honest one has 300 to 4,000. */
const MAX_CERTIFICATE_BYTES = 65_536;
/** Bytes of a serial number (RFC 5280 §4.1.2.2). */
const MAX_SERIAL = 20;

/** A certificate. Byte fields are views of `der`. */
export interface Certificate extends Signed, Validity {
  readonly der: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Big-endian, without leading zeros; zero is empty. */
  readonly serial: Uint8Array;
  /** DER names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Null for a key that cannot be worked with; then `keyFault` says why. */
  readonly publicKey: PublicKey | null;
  readonly keyFault: string;
  readonly extensions: Extensions;
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }. Keeps `der`, does not copy it. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) throw decodeError(`a certificate of ${der.length} bytes`);
  checkDer(der, 'a certificate');
  const outer = enterDer(der, Tag.sequence, 'a certificate');
  const tbs = outer.element();
  const algorithm = outer.element();
  const signature = outer.bitStringBytes();
  outer.expectEnd('a certificate');
  return { der, tbs, signature, algorithm: readSignatureAlgorithm(algorithm), ...parseTbs(tbs, algorithm) };
}

/** TBSCertificate. `algorithm` is the AlgorithmIdentifier outside of it. */
function parseTbs(tbs: Uint8Array, algorithm: Uint8Array): Omit<Certificate, 'der' | keyof Signed> {
  const reader = enterDer(tbs, Tag.sequence, 'TBSCertificate');
  const version = readVersion(reader);
  const serial = reader.unsigned();
  if (serial.length > MAX_SERIAL) throw decodeError(`a serial number of ${serial.length} bytes`);
  // Only the inner one is signed (RFC 5280 §4.1.1.2).
  if (!equalBytes(reader.element(), algorithm)) throw decodeError('a certificate with two different signature algorithms');
  const issuer = reader.element();
  checkName(issuer);
  const validity = reader.enter(Tag.sequence);
  const notBefore = validity.time();
  const notAfter = validity.time();
  validity.expectEnd('Validity');
  const subject = reader.element();
  checkName(subject);
  const spki = reader.element();
  for (const number of [1, 2]) {
    // Unique identifiers: nobody uses them, everybody has to read them (RFC 5280 §4.1.2.8).
    if (version > 1 && reader.isNext(contextTag(number, false))) reader.element();
  }
  let extensions = NO_EXTENSIONS;
  if (version === 3 && reader.isNext(contextTag(3))) {
    const wrapper = reader.enter(contextTag(3));
    extensions = readExtensions(wrapper.enter(Tag.sequence));
    wrapper.expectEnd('the extensions of a certificate');
  }
  reader.expectEnd('TBSCertificate');
  return { version, serial, issuer, subject, notBefore, notAfter, spki, extensions, ...tryKey(spki) };
}

/** [0] EXPLICIT INTEGER DEFAULT v1: a version 1 that is written out is no DER. */
function readVersion(reader: DerReader): 1 | 2 | 3 {
  if (!reader.isNext(contextTag(0))) return 1;
  const wrapper = reader.enter(contextTag(0));
  const version = wrapper.small(0xff) + 1;
  wrapper.expectEnd('the version of a certificate');
  if (version !== 2 && version !== 3) throw decodeError(`a certificate of version ${version}`);
  return version;
}

/** A key that is refused, as against one that is broken, is no reason to refuse the whole. */
function tryKey(spki: Uint8Array): Pick<Certificate, 'publicKey' | 'keyFault'> {
  try {
    return { publicKey: readPublicKey(spki), keyFault: '' };
  } catch (error) {
    if (!(error instanceof PeerError) || error.code === 'ERR_DTLS_DECODE') throw error;
    return { publicKey: null, keyFault: error.message };
  }
}

/** Whether it names itself as its issuer. */
export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return equalBytes(issuer, subject);
}

/** A certificate for a sentence, after "certificate of": its first name, else its common name, else its serial number. */
export function describeCertificate({ subject, serial, extensions }: Certificate): string {
  const names = extensions.subjectAltName;
  const name = names?.dns[0] ?? names?.uri[0] ?? commonName(subject);
  if (name !== null) return shown(name) || 'an empty name';
  return `serial number ${[...serial].map((byte) => byte.toString(16).padStart(2, '0')).join('') || '0'}`;
}
