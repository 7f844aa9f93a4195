/**
 * Random changes of byte strings, for the fuzz of public-key crypto.
 */
import fc from 'fast-check';
import { concat } from '../../lib/wire/bytes.js';

/** Up to so many bytes. */
export const bytes: (maxLength: number) => fc.Arbitrary<Uint8Array> = (maxLength) => fc.uint8Array({ maxLength });

/** So many bytes. */
export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

/** A change of a byte string: some of it replaced, cut out or put in. */
export interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

/** Up to three changes, often near the start, where the lengths are. */
export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(
    fc.record({ at: fc.nat(300), remove: fc.constant(1), insert: bytesOf(1) }),
    fc.record({ at: fc.nat(6), remove: fc.constant(1), insert: bytesOf(1) }),
    fc.record({ at: fc.nat(300), remove: fc.nat(2), insert: bytes(2) }),
  ),
  { maxLength: 3 },
);

/** `original` after the changes. */
export function edited(original: Uint8Array, changes: readonly Edit[]): Uint8Array {
  let result = original;
  for (const { at, remove, insert } of changes) {
    const from = result.length === 0 ? 0 : at % (result.length + 1);
    result = concat(result.subarray(0, from), insert, result.subarray(Math.min(result.length, from + remove)));
  }
  return result;
}
