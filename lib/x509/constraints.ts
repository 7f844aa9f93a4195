/**
 * Name constraints (RFC 5280 §4.2.1.10): what names an authority may give to those below it.
 *
 * Law: DNS, IP and permitted directory names are judged. A constraint of another kind, or with minimum or maximum, is
 * never guessed at: where a certificate below has a name of that kind, the path is refused, critical or not; so is one
 * with a DNS name that is none where DNS names are constrained. Common names are no names here and are not constrained.
 *
 * DNS: `example.com` holds for itself and everything below. A leading dot, which RFC 5280 knows for URIs only, is read
 * against the certificate: as a permission it does not hold for `example.com` itself, as an exclusion it does. A
 * wildcard is excluded if any name that it stands for is.
 */
import { equalBytes } from '../wire/bytes.js';
import { DerReader, Tag, contextTag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { holdsEmail, isEmptyName, partsOf } from './distinguished.js';
import { shown } from './faults.js';
import { KIND_NAMES, NameKind, printable, readGeneralName, type GeneralNames } from './generalnames.js';
import { isHostName } from './hostnames.js';

/** Subtrees of one side. */
export interface Subtrees {
  /** Lower case. */
  readonly dns: readonly string[];
  /** Address ‖ mask: 8 or 32 bytes. */
  readonly ip: readonly Uint8Array[];
  /** DER names. */
  readonly directory: readonly Uint8Array[];
  /** Bit `1 << kind` for every kind that is constrained. */
  readonly kinds: number;
  /** The same for the kinds that cannot be judged. */
  readonly unjudged: number;
}

/** The value of the extension. */
export interface NameConstraints {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
  /** Subtrees in all, for the budget of comparisons. */
  readonly size: number;
}

/** Who is constrained: a certificate's subject and alternative names. */
export interface Named {
  readonly subject: Uint8Array;
  readonly subjectAltName: GeneralNames | null;
}

const NONE: Subtrees = { dns: [], ip: [], directory: [], kinds: 0, unjudged: 0 };

/** NameConstraints ::= SEQUENCE { permittedSubtrees [0] OPTIONAL, excludedSubtrees [1] OPTIONAL } */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const reader = enterDer(value, Tag.sequence, 'nameConstraints');
  if (reader.left === 0) throw decodeError('nameConstraints without subtrees');
  const count = { size: 0 };
  const permitted = reader.isNext(contextTag(0)) ? readSubtrees(reader.enter(contextTag(0)), false, count) : NONE;
  const excluded = reader.isNext(contextTag(1)) ? readSubtrees(reader.enter(contextTag(1)), true, count) : NONE;
  reader.expectEnd('nameConstraints');
  return { permitted, excluded, size: count.size };
}

/** SEQUENCE SIZE (1..MAX) OF SEQUENCE { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL } */
function readSubtrees(list: DerReader, excluded: boolean, count: { size: number }): Subtrees {
  const [dns, ip, directory]: [string[], Uint8Array[], Uint8Array[]] = [[], [], []];
  let kinds = 0;
  let unjudged = 0;
  if (list.left === 0) throw decodeError('nameConstraints with an empty list of subtrees');
  while (list.left > 0) {
    const subtree = list.enter(Tag.sequence);
    const { kind, contents } = readGeneralName(subtree);
    const bare = subtree.left === 0;
    while (subtree.left > 0) subtree.element();
    count.size += 1;
    kinds |= 1 << kind;
    if (kind === NameKind.dns) dns.push(readDomain(contents));
    else if (kind === NameKind.ip) ip.push(checkBlock(contents));
    else if (kind === NameKind.directory) directory.push(contents);
    // A directory name in another spelling would slip through an exclusion: spelling is not normalized here.
    const judged = kind === NameKind.dns || kind === NameKind.ip || (kind === NameKind.directory && !excluded);
    if (!bare || !judged) unjudged |= 1 << kind;
  }
  return { dns, ip, directory, kinds, unjudged };
}

/** A domain, empty for all of them, or with a leading dot. Patterns are somebody's mistake and not to be guessed at. */
function readDomain(contents: Uint8Array): string {
  const domain = printable(contents).toLowerCase();
  if (domain !== '' && !isHostName(domain.replace(/^\./, ''))) throw decodeError('a DNS constraint that is no domain');
  return domain;
}

/** An address with a mask of leading ones (RFC 4632). */
function checkBlock(block: Uint8Array): Uint8Array {
  if (block.length !== 8 && block.length !== 32) throw decodeError(`an IP constraint of ${block.length} bytes`);
  let ended = false;
  for (const byte of block.subarray(block.length / 2)) {
    const ones = Math.clz32(~(byte << 24));
    if ((ended && byte !== 0) || ((byte << ones) & 0xff) !== 0) throw decodeError('an IP constraint whose mask has holes');
    ended ||= byte !== 0xff;
  }
  return block;
}

/** The least that a part of a name takes, in bytes. */
const PART_BYTES = 9;

/** How many comparisons `violation` makes; a part of the subject, where e-mail is looked for, is one. */
export function comparisons({ size }: NameConstraints, { subject, subjectAltName }: Named): number {
  const parts = Math.ceil(subject.length / PART_BYTES);
  if (subjectAltName === null) return parts + size;
  const { dns, ip, directory } = subjectAltName;
  return parts + size * (1 + dns.length + ip.length + directory.length);
}

/** What of a certificate breaks the constraints, in words that go on from it ("has the name x, which …"); null: nothing. */
export function violation({ permitted, excluded }: NameConstraints, named: Named): string | null {
  const names = named.subjectAltName;
  const constrained = permitted.unjudged | excluded.unjudged;
  const unjudged = constrained & kindsOf(named, constrained);
  if (unjudged !== 0) {
    return `has names of a kind (${KIND_NAMES[31 - Math.clz32(unjudged)]}) whose constraints cannot be judged here`;
  }
  for (const name of names?.dns ?? []) {
    const lower = name.toLowerCase();
    if (dnsFails(permitted, excluded, lower)) return `has the DNS name ${shown(name)}`;
  }
  for (const address of names?.ip ?? []) {
    const within = (block: Uint8Array): boolean => withinBlock(block, address);
    if (fails(permitted, excluded, NameKind.ip, permitted.ip.some(within), excluded.ip.some(within))) return 'has an IP address';
  }
  const directories = [...(names?.directory ?? []), ...(isEmptyName(named.subject) ? [] : [named.subject])];
  for (const name of directories) {
    if ((permitted.kinds & (1 << NameKind.directory)) === 0) break;
    if (!permitted.directory.some((base) => withinDirectory(base, name))) return 'has a directory name';
  }
  return null;
}

/** Kinds of names in a certificate, its subject included; e-mail in the subject is looked for only if it is among `wanted`. */
function kindsOf({ subject, subjectAltName }: Named, wanted: number): number {
  let kinds = subjectAltName?.kinds ?? 0;
  if (!isEmptyName(subject)) kinds |= 1 << NameKind.directory;
  // RFC 5280 §4.2.1.10: constraints on e-mail hold for the attribute in the subject too.
  if ((wanted & ~kinds & (1 << NameKind.email)) !== 0 && holdsEmail(subject)) kinds |= 1 << NameKind.email;
  return kinds;
}

function fails(permitted: Subtrees, excluded: Subtrees, kind: number, isPermitted: boolean, isExcluded: boolean): boolean {
  return ((permitted.kinds & (1 << kind)) !== 0 && !isPermitted) || ((excluded.kinds & (1 << kind)) !== 0 && isExcluded);
}

function dnsFails(permitted: Subtrees, excluded: Subtrees, name: string): boolean {
  const wild = name.startsWith('*.');
  const suffix = wild ? name.slice(2) : name;
  if (((permitted.kinds | excluded.kinds) & (1 << NameKind.dns)) !== 0 && !isHostName(suffix)) return true;
  // Permitted: every name it stands for is below the base, which a base deeper than the wildcard does not give.
  const isPermitted = permitted.dns.some((base) => withinDomain(base, suffix, wild));
  const isExcluded = excluded.dns.some((base) => {
    const bare = base.startsWith('.') ? base.slice(1) : base;
    // The second: one of the names that the wildcard stands for is the base itself.
    return withinDomain(bare, suffix, wild) || (wild && bare.slice(bare.indexOf('.') + 1) === suffix && bare.includes('.'));
  });
  return fails(permitted, excluded, NameKind.dns, isPermitted, isExcluded);
}

/** Whether `name` (or with `below` everything right below it) is within `base`. */
function withinDomain(base: string, name: string, below: boolean): boolean {
  if (base === '') return true;
  if (base.startsWith('.')) return name.endsWith(base) || (below && name === base.slice(1));
  return name === base || name.endsWith(`.${base}`);
}

function withinBlock(block: Uint8Array, address: Uint8Array): boolean {
  const { length } = address;
  if (block.length !== 2 * length) return false;
  return address.every((byte, index) => ((byte ^ block[index]!) & block[length + index]!) === 0);
}

/** Whether `name` begins with the parts of `base`. Both are whole elements of DER, so that equal bytes are equal parts. */
function withinDirectory(base: Uint8Array, name: Uint8Array): boolean {
  const [above, parts] = [partsOf(base), partsOf(name)];
  return above.length <= parts.length && equalBytes(above, parts.subarray(0, above.length));
}
