/**
 * DER (ITU-T X.690 §8, §10, §11) as far as certificates and keys need it: a strict cursor over untrusted bytes, and a
 * check of a whole tree.
 *
 * Law: definite lengths in their shortest form, integers likewise, BOOLEAN is 00 or ff, nothing after an element.
 * Whatever is malformed throws `decode_error` and nothing else. Nothing recurses; nesting, identifiers and lengths are
 * bounded before anything is made of them. Byte fields are views.
 * Times are those of RFC 5280 §4.1.2.5: to the second, in UTC, returned as milliseconds since 1970.
 */
import { latin1 } from './bytes.js';
import { decodeError } from './errors.js';

/** Identifier octets of the types that X.509 uses. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONSTRUCTED = 0x20;
const CLASS = 0xc0;
const MAX_DEPTH = 32;
/** Bytes of an object identifier: far more than any that is assigned. */
const MAX_OID = 64;
/** Bytes of a length beyond the first: 4 GiB is more than anybody sends. */
const MAX_LENGTH_BYTES = 4;

/** The identifier octet of `[number]`, constructed unless said otherwise. */
export function contextTag(number: number, constructed: boolean = true): number {
  return 0x80 | (constructed ? CONSTRUCTED : 0) | number;
}

/** A BIT STRING: `unused` of the last byte's low bits do not count, and are zero. */
export interface BitString {
  readonly unused: number;
  readonly bytes: Uint8Array;
}

/** A cursor over a series of elements. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads the elements in `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** Identifier of the next element, -1 at the end. */
  get tag(): number {
    return this.#at < this.#end ? this.#bytes[this.#at]! : -1;
  }

  /** Whether the next element has this identifier. */
  isNext(tag: number): boolean {
    return this.tag === tag;
  }

  /** Steps over the next element, which must have this identifier; a cursor over what it holds. */
  enter(tag: number): DerReader {
    const at = this.#expect(tag);
    return new DerReader(this.#bytes, contentStart(this.#bytes, at), this.#at);
  }

  /** A view of what the next element holds; it must have this identifier. */
  contents(tag: number): Uint8Array {
    const at = this.#expect(tag);
    return this.#bytes.subarray(contentStart(this.#bytes, at), this.#at);
  }

  /** A view of the next element with its header, whatever it is. */
  element(): Uint8Array {
    const at = this.#at;
    this.#at = contentEnd(this.#bytes, at, this.#end);
    return this.#bytes.subarray(at, this.#at);
  }

  boolean(): boolean {
    const contents = this.contents(Tag.boolean);
    checkPrimitive(Tag.boolean, contents);
    return contents[0] === 0xff;
  }

  /** The two's complement of an INTEGER, shortest form. */
  integer(): Uint8Array {
    const contents = this.contents(Tag.integer);
    checkPrimitive(Tag.integer, contents);
    return contents;
  }

  /** A non-negative INTEGER, big-endian without leading zeros (zero is empty). */
  unsigned(): Uint8Array {
    const contents = this.integer();
    if (contents[0]! >= 0x80) throw decodeError('a negative number, where none can be');
    return contents[0] === 0 ? contents.subarray(1) : contents;
  }

  /** A non-negative INTEGER of at most `max`. */
  small(max: number): number {
    const digits = this.unsigned();
    let value = 0;
    for (const digit of digits.subarray(0, 6)) value = value * 256 + digit;
    if (digits.length > 6 || value > max) throw decodeError(`a number beyond ${max}`);
    return value;
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  oid(): string {
    const contents = this.contents(Tag.oid);
    checkPrimitive(Tag.oid, contents);
    return dotted(contents);
  }

  bitString(): BitString {
    const contents = this.contents(Tag.bitString);
    checkPrimitive(Tag.bitString, contents);
    return { unused: contents[0]!, bytes: contents.subarray(1) };
  }

  /** A BIT STRING of whole bytes. */
  bitStringBytes(): Uint8Array {
    const { unused, bytes } = this.bitString();
    if (unused !== 0) throw decodeError('a BIT STRING that does not end at a byte');
    return bytes;
  }

  octetString(): Uint8Array {
    return this.contents(Tag.octetString);
  }

  null(): void {
    checkPrimitive(Tag.null, this.contents(Tag.null));
  }

  /** UTCTime or GeneralizedTime as milliseconds since 1970. */
  time(): number {
    if (this.isNext(Tag.utcTime)) {
      const digits = timeDigits(this.contents(Tag.utcTime), 13);
      const year = Number(digits.slice(0, 2));
      return timeOf(`${year < 50 ? 20 : 19}${digits}`);
    }
    return timeOf(timeDigits(this.contents(Tag.generalizedTime), 15));
  }

  /** Every element must have been read. */
  expectEnd(what: string): void {
    if (this.left !== 0) throw decodeError(`${what} has ${this.left} bytes too many`);
  }

  /** Steps over the next element; where it started. */
  #expect(tag: number): number {
    const at = this.#at;
    if (this.tag !== tag) {
      throw decodeError(at < this.#end ? `DER tag ${this.tag} where ${tag} belongs` : `the end where DER tag ${tag} belongs`);
    }
    this.#at = contentEnd(this.#bytes, at, this.#end);
    return at;
  }
}

/** A cursor over what the one element holds that `bytes` consists of. */
export function enterDer(bytes: Uint8Array, tag: number, what: string): DerReader {
  const reader = new DerReader(bytes);
  const inner = reader.enter(tag);
  reader.expectEnd(what);
  return inner;
}

/**
 * Checks a whole tree: `bytes` is one element and everything within it is well-formed, at most 32 deep, also where no
 * grammar of ours looks. What is wrapped in an OCTET STRING or BIT STRING is not part of the tree.
 */
export function checkDer(bytes: Uint8Array, what: string): void {
  const ends = [bytes.length];
  let at = 0;
  if (contentEnd(bytes, 0, bytes.length) !== bytes.length) throw decodeError(`${what} has bytes too many`);
  for (;;) {
    while (at === ends.at(-1)) {
      ends.pop();
      if (ends.length === 0) return;
    }
    const tag = bytes[at]!;
    const end = contentEnd(bytes, at, ends.at(-1)!);
    const start = contentStart(bytes, at);
    checkForm(tag);
    if ((tag & CONSTRUCTED) !== 0) {
      if (ends.length > MAX_DEPTH) throw decodeError(`${what} is nested more than ${MAX_DEPTH} deep`);
      ends.push(end);
      at = start;
    } else {
      if ((tag & CLASS) === 0) checkPrimitive(tag, bytes.subarray(start, end));
      at = end;
    }
  }
}

/** Whether `bytes` begin as one DER element of SEQUENCE that they consist of: DER rather than text. */
export function isDerSequence(bytes: Uint8Array): boolean {
  try {
    return bytes[0] === Tag.sequence && contentEnd(bytes, 0, bytes.length) === bytes.length;
  } catch {
    return false;
  }
}

/** Where the contents of the element at `at` end. Checks its header against `end`. */
function contentEnd(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 2) throw decodeError('a DER element is cut off');
  if ((bytes[at]! & 0x1f) === 0x1f) throw decodeError('a DER tag of more than one byte');
  const first = bytes[at + 1]!;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0) throw decodeError('a DER element of indefinite length');
    if (count > MAX_LENGTH_BYTES || count > end - start) throw decodeError('a DER length reaches past the end');
    length = 0;
    for (const stop = start + count; start < stop; start++) length = length * 256 + bytes[start]!;
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw decodeError('a DER length longer than need be');
  }
  if (length > end - start) throw decodeError('a DER element reaches past the end');
  return start + length;
}

/** Where the contents of the element at `at` start; its header has been checked. */
function contentStart(bytes: Uint8Array, at: number): number {
  const first = bytes[at + 1]!;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

/** DER leaves a universal type no choice between primitive and constructed (X.690 §10.2). */
function checkForm(tag: number): void {
  if ((tag & CLASS) !== 0) return;
  const number = tag & 0x1f;
  const constructed = (tag & CONSTRUCTED) !== 0;
  const structure = number === 0x10 || number === 0x11 || number === 0x08 || number === 0x0b;
  if (number === 0 || constructed !== structure) throw decodeError(`DER tag ${tag} is in the wrong form`);
}

/** The contents of a universal primitive type, as far as its form can be wrong. */
function checkPrimitive(tag: number, contents: Uint8Array): void {
  const { length } = contents;
  switch (tag) {
    case Tag.boolean:
      if (length !== 1 || (contents[0] !== 0 && contents[0] !== 0xff)) throw decodeError('a BOOLEAN that is neither 00 nor ff');
      return;
    case Tag.integer:
    case Tag.enumerated: {
      if (length === 0) throw decodeError('an INTEGER without bytes');
      const extended = length > 1 && (contents[0] === 0 || contents[0] === 0xff) && contents[0] >> 7 === contents[1]! >> 7;
      if (extended) throw decodeError('an INTEGER longer than need be');
      return;
    }
    case Tag.bitString: {
      const unused = contents[0] ?? 8;
      if (unused > 7 || (length === 1 && unused > 0)) throw decodeError('a BIT STRING with a wrong number of unused bits');
      if ((contents[length - 1]! & ((1 << unused) - 1)) !== 0 && length > 1) throw decodeError('a BIT STRING whose unused bits are set');
      return;
    }
    case Tag.null:
      if (length !== 0) throw decodeError('a NULL with contents');
      return;
    case Tag.oid:
      checkOid(contents);
  }
}

/** Base-128 groups in shortest form, the last one closed. */
function checkOid(contents: Uint8Array): void {
  if (contents.length === 0 || contents.length > MAX_OID) throw decodeError(`an object identifier of ${contents.length} bytes`);
  if (contents.at(-1)! >= 0x80) throw decodeError('an object identifier is cut off');
  for (let i = 0; i < contents.length; i++) {
    if (contents[i] === 0x80 && (i === 0 || contents[i - 1]! < 0x80)) throw decodeError('an object identifier longer than need be');
  }
}

function dotted(contents: Uint8Array): string {
  const arcs: string[] = [];
  let value = 0n;
  let small = 0;
  let length = 0;
  for (const byte of contents) {
    // Seven groups fit a double; UUIDs as identifiers (2.25.…) need more.
    length += 1;
    if (length === 7) value = BigInt(small);
    if (length >= 7) value = value * 128n + BigInt(byte & 0x7f);
    else small = small * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    const arc = length >= 7 ? value : small;
    if (arcs.length > 0) arcs.push(String(arc));
    else if (arc < 80) arcs.push(arc < 40 ? '0' : '1', String(Number(arc) % 40));
    else arcs.push('2', String(BigInt(arc) - 80n));
    small = 0;
    length = 0;
  }
  return arcs.join('.');
}

/** The digits of a time of `length` characters that ends with Z (RFC 5280 §4.1.2.5.1, §4.1.2.5.2). */
function timeDigits(contents: Uint8Array, length: number): string {
  const digits = latin1(contents.subarray(0, length - 1));
  if (/\D/.test(digits)) throw decodeError('a time with something else than digits in it');
  if (contents.length !== length || contents[length - 1] !== 0x5a) throw decodeError('a time that is not to the second and in UTC');
  return digits;
}

const DAY_MS = 86_400_000;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Milliseconds since 1970 of YYYYMMDDHHMMSS in the Gregorian calendar. */
function timeOf(digits: string): number {
  const field = (at: number, length: number = 2): number => Number(digits.slice(at, at + length));
  const [year, month, day, hour, minute, second] = [field(0, 4), field(4), field(6), field(8), field(10), field(12)];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = (MONTH_DAYS[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
  if (day < 1 || day > days || hour > 23 || minute > 59 || second > 59) throw decodeError(`a time that does not exist: ${digits}`);
  const before = year - 1;
  let count = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
  for (let i = 0; i < month - 1; i++) count += MONTH_DAYS[i]!;
  if (leap && month > 2) count += 1;
  return (count + day - 1) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}
