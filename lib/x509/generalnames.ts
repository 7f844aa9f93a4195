/**
 * GeneralName (RFC 5280 §4.2.1.6), as it stands in subjectAltName and in name constraints.
 *
 * Law: DNS names, URIs and addresses are read; of the other kinds is only known that they are there. A DNS name or URI
 * holds printable ASCII and nothing else: a NUL, a blank or a letter of another script is a broken name, not one to be
 * interpreted (it may be read differently elsewhere).
 */
import { latin1 } from '../wire/bytes.js';
import { DerReader, Tag, contextTag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { checkName } from './distinguished.js';

/** Kinds of GeneralName: the numbers of its CHOICE. */
export const NameKind = {
  other: 0,
  email: 1,
  dns: 2,
  x400: 3,
  directory: 4,
  ediParty: 5,
  uri: 6,
  ip: 7,
  registered: 8,
} as const;

/** For people. */
export const KIND_NAMES: readonly string[] = ['other', 'e-mail', 'DNS', 'X.400', 'directory', 'EDI party', 'URI', 'IP', 'registered id'];

/** Kinds whose content is constructed: otherName, x400Address, ediPartyName are IMPLICIT SEQUENCEs, directoryName is EXPLICIT. */
const CONSTRUCTED: readonly number[] = [NameKind.other, NameKind.x400, NameKind.directory, NameKind.ediParty];

/** One name: its kind and its contents (of a directory name the whole Name). */
export interface GeneralName {
  readonly kind: number;
  readonly contents: Uint8Array;
}

/** The names of a certificate. */
export interface GeneralNames {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  /** 4 or 16 bytes each. */
  readonly ip: readonly Uint8Array[];
  /** DER names. */
  readonly directory: readonly Uint8Array[];
  /** Which kinds are there at all: bit `1 << kind`. */
  readonly kinds: number;
}

/** Reads one GeneralName. */
export function readGeneralName(reader: DerReader): GeneralName {
  const { tag } = reader;
  const kind = tag & 0x1f;
  if (tag === -1 || kind > NameKind.registered || tag !== contextTag(kind, CONSTRUCTED.includes(kind))) {
    throw decodeError(`DER tag ${tag} where a GeneralName belongs`);
  }
  const contents = reader.contents(tag);
  if (kind === NameKind.directory) checkName(contents);
  return { kind, contents };
}

/** GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName: the value of subjectAltName. */
export function readGeneralNames(value: Uint8Array): GeneralNames {
  const reader = enterDer(value, Tag.sequence, 'subjectAltName');
  if (reader.left === 0) throw decodeError('a subjectAltName without names');
  const [dns, uri, ip, directory]: [string[], string[], Uint8Array[], Uint8Array[]] = [[], [], [], []];
  let kinds = 0;
  while (reader.left > 0) {
    const { kind, contents } = readGeneralName(reader);
    kinds |= 1 << kind;
    if (kind === NameKind.dns) dns.push(printable(contents));
    else if (kind === NameKind.uri) uri.push(printable(contents));
    else if (kind === NameKind.directory) directory.push(contents);
    else if (kind === NameKind.ip) {
      if (contents.length !== 4 && contents.length !== 16) throw decodeError(`an IP address of ${contents.length} bytes`);
      ip.push(contents);
    }
  }
  return { dns, uri, ip, directory, kinds };
}

/** An IA5String without blanks and control characters. */
export function printable(bytes: Uint8Array): string {
  if (bytes.some((byte) => byte < 0x21 || byte > 0x7e)) throw decodeError('a name with a character that no name has');
  return latin1(bytes);
}
