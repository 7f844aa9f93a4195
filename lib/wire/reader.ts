/**
 * A bounded cursor over untrusted bytes.
 *
 * Law: a read outside the bounds throws `decode_error` and nothing else; views are returned, never copies;
 * a length is checked against what is left before anything is made of it.
 */
import { getUint16, getUint24 } from './bytes.js';
import { decodeError } from './errors.js';

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** Where the cursor stands, as an index into the underlying array. */
  get at(): number {
    return this.#at;
  }

  #take(length: number): number {
    if (length > this.#end - this.#at) throw decodeError('a field reaches past the end of its message');
    const at = this.#at;
    this.#at = at + length;
    return at;
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    return getUint16(this.#bytes, this.#take(2));
  }

  uint24(): number {
    return getUint24(this.#bytes, this.#take(3));
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A view of `opaque<min..max>` behind an 8-bit length. */
  vector8(min: number = 0, max: number = 0xff): Uint8Array {
    return this.bytes(inRange(this.uint8(), min, max));
  }

  /** A view of `opaque<min..max>` behind a 16-bit length. */
  vector16(min: number = 0, max: number = 0xffff): Uint8Array {
    return this.bytes(inRange(this.uint16(), min, max));
  }

  /** A view of `opaque<min..max>` behind a 24-bit length. */
  vector24(min: number = 0, max: number = 0xff_ffff): Uint8Array {
    return this.bytes(inRange(this.uint24(), min, max));
  }

  /** A cursor over the vector behind a 16-bit length. */
  sub16(min: number = 0, max: number = 0xffff): Reader {
    const length = inRange(this.uint16(), min, max);
    const at = this.#take(length);
    return new Reader(this.#bytes, at, at + length);
  }

  /** Every byte must have been read: trailing bytes are a decode_error (RFC 5246 §7.2.2). */
  expectEnd(what: string): void {
    if (this.left !== 0) throw decodeError(`${what} has ${this.left} bytes too many`);
  }
}

/** What `read` makes of `bytes`, of which nothing may be left; `what` they are, for people. */
export function readWhole<T>(bytes: Uint8Array, what: string, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.expectEnd(what);
  return value;
}

function inRange(length: number, min: number, max: number): number {
  if (length < min || length > max) throw decodeError(`a vector of ${length} bytes, where ${min} to ${max} are allowed`);
  return length;
}
