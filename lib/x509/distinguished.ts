/**
 * Distinguished names (RFC 5280 §4.1.2.4): checked, compared, and read out for people.
 *
 * Law: names are compared byte by byte. RFC 5280 has a CA's subject encoded the same way in every issuer field below it
 * (§4.1.2.6), so that the string preparation of §7.1 is not needed to find an issuer; a name that only it would make
 * equal is another name here. No identity is ever taken from a distinguished name.
 */
import { DerReader, Tag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { shown } from './faults.js';

const COMMON_NAME = '2.5.4.3';
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
/** What stands for a name without a common name: organizational unit, organization, serial number, domain component. */
const SPOKEN = [COMMON_NAME, '2.5.4.11', '2.5.4.10', '2.5.4.5', '0.9.2342.19200300.100.1.25'];

interface Attribute {
  readonly type: string;
  readonly tag: number;
  readonly value: Uint8Array;
}

/** The RelativeDistinguishedNames of a name, one after the other: a view. */
export function partsOf(name: Uint8Array): Uint8Array {
  return new DerReader(name).contents(Tag.sequence);
}

/** Throws unless `name` is a Name: SEQUENCE OF SET OF SEQUENCE { type, value }. */
export function checkName(name: Uint8Array): void {
  const reader = enterDer(name, Tag.sequence, 'a name');
  while (reader.left > 0) readSet(reader.enter(Tag.set), () => {});
}

function readSet(set: DerReader, take: (attribute: Attribute) => void): void {
  if (set.left === 0) throw decodeError('a name with an empty part');
  while (set.left > 0) {
    const attribute = set.enter(Tag.sequence);
    const type = attribute.oid();
    const { tag } = attribute;
    if (tag === -1) throw decodeError('a name with an attribute that has no value');
    const value = attribute.contents(tag);
    attribute.expectEnd('an attribute of a name');
    take({ type, tag, value });
  }
}

function attributes(name: Uint8Array): Attribute[] {
  const found: Attribute[] = [];
  const reader = enterDer(name, Tag.sequence, 'a name');
  while (reader.left > 0) readSet(reader.enter(Tag.set), (attribute) => found.push(attribute));
  return found;
}

/** Whether a name has no part at all. */
export function isEmptyName(name: Uint8Array): boolean {
  return name.length === 2;
}

/** Whether a name holds an e-mail address, as names of old did. */
export function holdsEmail(name: Uint8Array): boolean {
  return attributes(name).some(({ type }) => type === EMAIL_ADDRESS);
}

/** The common name, the last one if there are several; null for none. For people and for messages, never for a decision. */
export function commonName(name: Uint8Array): string | null {
  const found = lastOf(attributes(name), COMMON_NAME);
  return found === undefined ? null : shown(textOf(found));
}

/** A name for a sentence: `"Example CA"`, or `a nameless one`. */
export function spokenName(name: Uint8Array): string {
  const all = attributes(name);
  for (const type of SPOKEN) {
    const found = lastOf(all, type);
    if (found !== undefined) return `"${shown(textOf(found))}"`;
  }
  return 'a nameless one';
}

/** The most specific attribute of a type stands last. */
function lastOf(all: readonly Attribute[], type: string): Attribute | undefined {
  return all.filter((attribute) => attribute.type === type).at(-1);
}

function textOf({ tag, value }: Attribute): string {
  if (tag === Tag.utf8String) return decodeUtf8(value);
  let text = '';
  const wide = tag === Tag.bmpString ? 2 : 1;
  for (let i = 0; i + wide <= value.length; i += wide) text += String.fromCharCode(wide === 2 ? (value[i]! << 8) | value[i + 1]! : value[i]!);
  return text;
}

/** UTF-8 as far as U+07FF, enough to be shown; anything else becomes a question mark. */
function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte < 0x80) text += String.fromCharCode(byte);
    else if (byte >= 0xc2 && byte < 0xe0 && bytes[i + 1]! >> 6 === 2) text += String.fromCharCode(((byte & 0x1f) << 6) | (bytes[++i]! & 0x3f));
    else if (byte >= 0xc0) text += '?';
  }
  return text;
}
