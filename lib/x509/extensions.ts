/**
 * Certificate extensions (RFC 5280 §4.2): those that decide whether a peer is believed, each read whole or not at all.
 *
 * Law: no extension twice; a known one that is malformed makes the certificate unreadable, critical or not; an unknown
 * one is only noted, and only if it is critical. A FALSE that DER would leave out (critical, cA) is taken: several
 * authorities write it, and it says what its absence says.
 */
import { DerReader, Tag, checkDer, contextTag, enterDer, type BitString } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { readNameConstraints, type NameConstraints } from './constraints.js';
import { readGeneralNames, type GeneralNames } from './generalnames.js';

/** Bits of keyUsage (RFC 5280 §4.2.1.3): bit n of the BIT STRING is `1 << n`. */
export const KeyUsage = { digitalSignature: 0x01, keyCertSign: 0x20, crlSign: 0x40 } as const;

/** Purposes of extendedKeyUsage (RFC 5280 §4.2.1.12). */
export const Purpose = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** RFC 5280 §4.2.1.9. */
export interface BasicConstraints {
  readonly ca: boolean;
  /** Certificates of authorities that may follow below; null: any number. */
  readonly pathLength: number | null;
}

/** What the extensions of a certificate say; null for what is not there. Byte fields are views. */
export interface Extensions {
  readonly basicConstraints: BasicConstraints | null;
  /** Bits of `KeyUsage`. */
  readonly keyUsage: number | null;
  /** Dotted object identifiers. */
  readonly extendedKeyUsage: readonly string[] | null;
  readonly subjectAltName: GeneralNames | null;
  readonly nameConstraints: NameConstraints | null;
  readonly subjectKeyId: Uint8Array | null;
  readonly authorityKeyId: Uint8Array | null;
  /** Dotted object identifiers of critical extensions that are not understood here. */
  readonly unknownCritical: readonly string[];
}

/** A certificate without extensions. */
export const NO_EXTENSIONS: Extensions = {
  basicConstraints: null,
  keyUsage: null,
  extendedKeyUsage: null,
  subjectAltName: null,
  nameConstraints: null,
  subjectKeyId: null,
  authorityKeyId: null,
  unknownCritical: [],
};

type Field = Exclude<keyof Extensions, 'unknownCritical'>;

const READERS: ReadonlyMap<string, readonly [Field, (value: Uint8Array) => unknown]> = /* @__PURE__ */ new Map([
  ['2.5.29.14', ['subjectKeyId', readSubjectKeyId] as const],
  ['2.5.29.15', ['keyUsage', readKeyUsage] as const],
  ['2.5.29.17', ['subjectAltName', readGeneralNames] as const],
  ['2.5.29.19', ['basicConstraints', readBasicConstraints] as const],
  ['2.5.29.30', ['nameConstraints', readNameConstraints] as const],
  ['2.5.29.35', ['authorityKeyId', readAuthorityKeyId] as const],
  ['2.5.29.37', ['extendedKeyUsage', readExtendedKeyUsage] as const],
]);

/**
 * certificatePolicies may be critical: whoever asks for no policy and meets no policyConstraints (which are unknown
 * here, and critical) accepts any (RFC 5280 §6.1.5 (g) with explicit_policy above zero).
 */
const CERTIFICATE_POLICIES = '2.5.29.32';

/** One extension as it stands in a certificate or a revocation list. */
export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Extensions ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }. */
export function readRawExtensions(list: DerReader, what: string): RawExtension[] {
  const found: RawExtension[] = [];
  const seen = new Set<string>();
  if (list.left === 0) throw decodeError(`${what} with an empty list of extensions`);
  while (list.left > 0) {
    const extension = list.enter(Tag.sequence);
    const oid = extension.oid();
    const critical = extension.isNext(Tag.boolean) && extension.boolean();
    const value = extension.octetString();
    extension.expectEnd(`extension ${oid}`);
    if (seen.has(oid)) throw decodeError(`${what} has extension ${oid} twice`);
    seen.add(oid);
    found.push({ oid, critical, value });
  }
  return found;
}

/** Reads the extensions of a certificate. */
export function readExtensions(list: DerReader): Extensions {
  const extensions: { -readonly [Name in keyof Extensions]: unknown } = { ...NO_EXTENSIONS };
  const unknownCritical: string[] = [];
  for (const { oid, critical, value } of readRawExtensions(list, 'a certificate')) {
    const known = READERS.get(oid);
    if (known !== undefined) extensions[known[0]] = known[1](value);
    else if (oid === CERTIFICATE_POLICIES) checkDer(value, 'certificatePolicies');
    else if (critical) unknownCritical.push(oid);
  }
  return { ...extensions, unknownCritical } as Extensions;
}

/** SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL } */
function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const reader = enterDer(value, Tag.sequence, 'basicConstraints');
  const ca = reader.isNext(Tag.boolean) && reader.boolean();
  const pathLength = reader.left > 0 ? reader.small(2 ** 31) : null;
  reader.expectEnd('basicConstraints');
  if (!ca && pathLength !== null) throw decodeError('basicConstraints with a path length for what is no authority');
  return { ca, pathLength };
}

function readKeyUsage(value: Uint8Array): number {
  const reader = new DerReader(value);
  const bits: BitString = reader.bitString();
  reader.expectEnd('keyUsage');
  let usage = 0;
  for (let i = 0; i < Math.min(16, bits.bytes.length * 8); i++) {
    if ((bits.bytes[i >> 3]! & (0x80 >> (i & 7))) !== 0) usage |= 1 << i;
  }
  return usage;
}

/** SEQUENCE SIZE (1..MAX) OF KeyPurposeId */
function readExtendedKeyUsage(value: Uint8Array): readonly string[] {
  const reader = enterDer(value, Tag.sequence, 'extendedKeyUsage');
  if (reader.left === 0) throw decodeError('an extendedKeyUsage without purposes');
  const purposes: string[] = [];
  while (reader.left > 0) purposes.push(reader.oid());
  return purposes;
}

function readSubjectKeyId(value: Uint8Array): Uint8Array {
  const reader = new DerReader(value);
  const keyId = reader.octetString();
  reader.expectEnd('subjectKeyIdentifier');
  return keyId;
}

/** SEQUENCE { keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2] }, all OPTIONAL */
function readAuthorityKeyId(value: Uint8Array): Uint8Array | null {
  checkDer(value, 'authorityKeyIdentifier');
  const reader = enterDer(value, Tag.sequence, 'authorityKeyIdentifier');
  const keyId = reader.isNext(contextTag(0, false)) ? reader.contents(contextTag(0, false)) : null;
  if (reader.isNext(contextTag(1))) reader.element();
  if (reader.isNext(contextTag(2, false))) reader.element();
  reader.expectEnd('authorityKeyIdentifier');
  return keyId;
}
