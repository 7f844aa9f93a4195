/**
 * Views of the first bytes of a buffer, made once for each length and kept: making one costs as much as copying 60
 * bytes, and leaves something to collect.
 *
 * Law: who is lent a view may keep it, and reads in it whatever stands there later.
 */

/** Longer views are made when they are asked for. */
const KEPT = 2048;

export class Views {
  readonly bytes: Uint8Array;
  /** Full length from the start: an array that grows by gaps of a thousand becomes a dictionary. */
  readonly #views: (Uint8Array | undefined)[] = new Array<undefined>(KEPT);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The first `length` bytes. */
  first(length: number): Uint8Array {
    if (length >= KEPT) return this.bytes.subarray(0, length);
    return (this.#views[length] ??= this.bytes.subarray(0, length));
  }
}
