/**
 * The little DER that is written here: keys and algorithm identifiers. Our own values, so nothing is checked.
 */
import { concat } from '../wire/bytes.js';
import { Tag } from '../wire/der.js';

/** One element with this identifier around `contents`. */
export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concat(...contents);
  const length: number[] = [];
  for (let left = body.length; left > 0; left = Math.floor(left / 256)) length.unshift(left % 256);
  const header = body.length < 0x80 ? [tag, body.length] : [tag, 0x80 | length.length, ...length];
  return concat(Uint8Array.from(header), body);
}

/** An INTEGER of a non-negative big-endian number. */
export function writeDerUnsigned(digits: Uint8Array): Uint8Array {
  let start = 0;
  while (start < digits.length && digits[start] === 0) start += 1;
  const significant = digits.subarray(start);
  const sign = significant.length === 0 || significant[0]! >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0);
  return writeDer(Tag.integer, sign, significant);
}

/** A BIT STRING of whole bytes. */
export function writeDerBits(bytes: Uint8Array): Uint8Array {
  return writeDer(Tag.bitString, Uint8Array.of(0), bytes);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function writeDerOid(oid: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift(0x80 | left % 128);
    return groups;
  });
  return writeDer(Tag.oid, Uint8Array.from(bytes));
}
