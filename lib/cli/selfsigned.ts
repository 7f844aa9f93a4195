/**
 * A self-signed certificate of a P-256 key (RFC 5280 §4.1), for one host or device and for trying things out: no
 * authority, so it can issue nothing.
 */
import { createHash, sign, type KeyObject } from 'node:crypto';
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

/** A certificate in DER. `names` must be such that `generalName` takes them. */
export function selfSigned(privateKey: KeyObject, spki: Uint8Array, { names, notBeforeMs, days, serial }: Subject): Uint8Array {
  const algorithm = writeDer(Tag.sequence, writeDerOid(ECDSA_SHA256));
  const name = commonName(names[0]!.length > MAX_COMMON_NAME ? 'microdtls' : names[0]!);
  const validity = writeDer(Tag.sequence, time(notBeforeMs), time(notBeforeMs + days * DAY_MS));
  const tbs = writeDer(
    Tag.sequence,
    writeDer(contextTag(0), writeDerUnsigned(Uint8Array.of(2))),
    writeDerUnsigned(serial), algorithm, name, validity, name, spki,
    writeDer(contextTag(3), writeDer(Tag.sequence, ...extensions(names, spki))),
  );
  return writeDer(Tag.sequence, tbs, algorithm, writeDerBits(sign('sha256', tbs, privateKey)));
}

/** A GeneralName for the text of a name; null for what is none. */
export function generalName(text: string): Uint8Array | null {
  const reference = parseReference(text.replace(/^\*\.(?=[^.]+\.)/, ''));
  if (reference === null) return null;
  if (reference.kind === 'ip') return writeDer(contextTag(7, false), reference.address);
  return writeDer(contextTag(reference.kind === 'dns' ? 2 : 6, false), Buffer.from(text, 'latin1'));
}

function extensions(names: readonly string[], spki: Uint8Array): Uint8Array[] {
  // Leaf: digitalSignature, for servers and clients; the key identifier as in RFC 7093 §2.
  const usages = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'].map(writeDerOid);
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 20);
  return [
    extension('2.5.29.19', true, writeDer(Tag.sequence)),
    extension('2.5.29.15', true, Uint8Array.of(Tag.bitString, 2, 7, 0x80)),
    extension('2.5.29.37', false, writeDer(Tag.sequence, ...usages)),
    extension('2.5.29.14', false, writeDer(Tag.octetString, keyId)),
    extension('2.5.29.17', false, writeDer(Tag.sequence, ...names.map((name) => generalName(name)!))),
  ];
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? writeDer(Tag.boolean, Uint8Array.of(0xff)) : new Uint8Array(0);
  return writeDer(Tag.sequence, concat(writeDerOid(oid), flag, writeDer(Tag.octetString, value)));
}

function commonName(text: string): Uint8Array {
  const attribute = writeDer(Tag.sequence, writeDerOid('2.5.4.3'), writeDer(Tag.utf8String, Buffer.from(text)));
  return writeDer(Tag.sequence, writeDer(Tag.set, attribute));
}

/** UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
function time(ms: number): Uint8Array {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  const late = Number(digits.slice(0, 4)) >= 2050;
  return writeDer(late ? Tag.generalizedTime : Tag.utcTime, Buffer.from(late ? digits : digits.slice(2)));
}
