/**
 * Certificates of P-256 keys (RFC 5280 §4.1), for trying things out: one that a host or device signs itself, an authority, and
 * what that issues.
 *
 * Law: only what is made as an authority can issue anything, and that for hosts and devices alone.
 */
import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { concat } from '../wire/bytes.js';
import { Tag, contextTag } from '../wire/der.js';
import { writeDer, writeDerBits, writeDerOid, writeDerUnsigned } from '../x509/derwriter.js';
import { parseReference } from '../x509/names.js';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
/** The longest common name (RFC 5280 §A.1). */
const MAX_COMMON_NAME = 64;
const DAY_MS = 86_400_000;

/** What the certificate says. */
export interface Subject {
  /** DNS names (`*.` before one stands for a label), addresses, URIs. The first is the common name too. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly days: number;
  /** Random bytes, the first below 128. */
  readonly serial: Uint8Array;
}

/** Who signs. */
export interface Issuer {
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** A certificate in DER, signed by its own key. `names` must be such that `generalName` takes them. */
export function selfSigned(privateKey: KeyObject, spki: Uint8Array, subject: Subject): Uint8Array {
  return certificate(spki, subject, { name: subject.names[0]!, privateKey }, leafExtensions(subject.names, spki));
}

/** A certificate in DER, signed by an authority. `names` as for `selfSigned`. */
export function issued(spki: Uint8Array, subject: Subject, issuer: Issuer): Uint8Array {
  const issuerKey = createPublicKey(issuer.privateKey).export({ type: 'spki', format: 'der' });
  const byWhom = extension('2.5.29.35', false, writeDer(Tag.sequence, writeDer(contextTag(0, false), keyIdentifier(issuerKey))));
  return certificate(spki, subject, issuer, [...leafExtensions(subject.names, spki), byWhom]);
}

/** The certificate of an authority, in DER. Of the names there is one, any text. */
export function authority(privateKey: KeyObject, spki: Uint8Array, subject: Subject): Uint8Array {
  return certificate(spki, subject, { name: subject.names[0]!, privateKey }, authorityExtensions(spki));
}

/** 16 random bytes that are a positive number of that length (RFC 5280 §4.1.2.2). */
export function randomSerial(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

function certificate(spki: Uint8Array, { names, notBeforeMs, days, serial }: Subject, issuer: Issuer, extensions: readonly Uint8Array[]): Uint8Array {
  const algorithm = writeDer(Tag.sequence, writeDerOid(ECDSA_SHA256));
  const validity = writeDer(Tag.sequence, time(notBeforeMs), time(notBeforeMs + days * DAY_MS));
  const tbs = writeDer(
    Tag.sequence,
    writeDer(contextTag(0), writeDerUnsigned(Uint8Array.of(2))),
    writeDerUnsigned(serial), algorithm, commonName(issuer.name), validity, commonName(names[0]!), spki,
    writeDer(contextTag(3), writeDer(Tag.sequence, ...extensions)),
  );
  return writeDer(Tag.sequence, tbs, algorithm, writeDerBits(sign('sha256', tbs, issuer.privateKey)));
}

/** A GeneralName for the text of a name; null for what is none: a wildcard stands before DNS names alone, a URI is ASCII without blanks. */
export function generalName(text: string): Uint8Array | null {
  const [, wildcard = ''] = /^(\*\.)[^.]+\.[^.]/.exec(text) ?? [];
  const reference = parseReference(text.slice(wildcard.length));
  if (reference?.kind === 'dns') return writeDer(contextTag(2, false), Buffer.from(text.replace(/\.$/, ''), 'latin1'));
  if (reference === null || wildcard !== '') return null;
  if (reference.kind === 'ip') return writeDer(contextTag(7, false), reference.address);
  return /^[\x21-\x7e]+$/.test(text) ? writeDer(contextTag(6, false), Buffer.from(text, 'latin1')) : null;
}

function leafExtensions(names: readonly string[], spki: Uint8Array): Uint8Array[] {
  // digitalSignature, for servers and clients.
  const usages = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'].map(writeDerOid);
  return [
    extension('2.5.29.19', true, writeDer(Tag.sequence)),
    extension('2.5.29.15', true, Uint8Array.of(Tag.bitString, 2, 7, 0x80)),
    extension('2.5.29.37', false, writeDer(Tag.sequence, ...usages)),
    extension('2.5.29.14', false, writeDer(Tag.octetString, keyIdentifier(spki))),
    extension('2.5.29.17', false, writeDer(Tag.sequence, ...names.map((name) => generalName(name)!))),
  ];
}

function authorityExtensions(spki: Uint8Array): Uint8Array[] {
  // An authority with no other below it; keyCertSign and cRLSign.
  const noneBelow = Uint8Array.of(Tag.integer, 1, 0);
  return [
    extension('2.5.29.19', true, writeDer(Tag.sequence, writeDer(Tag.boolean, Uint8Array.of(0xff)), noneBelow)),
    extension('2.5.29.15', true, Uint8Array.of(Tag.bitString, 2, 1, 0x06)),
    extension('2.5.29.14', false, writeDer(Tag.octetString, keyIdentifier(spki))),
  ];
}

/** As in RFC 7093 §2. */
function keyIdentifier(spki: Uint8Array): Uint8Array {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? writeDer(Tag.boolean, Uint8Array.of(0xff)) : new Uint8Array(0);
  return writeDer(Tag.sequence, concat(writeDerOid(oid), flag, writeDer(Tag.octetString, value)));
}

function commonName(name: string): Uint8Array {
  const text = name.length > MAX_COMMON_NAME ? 'microdtls' : name;
  const attribute = writeDer(Tag.sequence, writeDerOid('2.5.4.3'), writeDer(Tag.utf8String, Buffer.from(text)));
  return writeDer(Tag.sequence, writeDer(Tag.set, attribute));
}

/** UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
function time(ms: number): Uint8Array {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  const late = Number(digits.slice(0, 4)) >= 2050;
  return writeDer(late ? Tag.generalizedTime : Tag.utcTime, Buffer.from(late ? digits : digits.slice(2)));
}
