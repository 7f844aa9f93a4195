/**
 * A growing cursor for outgoing messages, with length blocks that are patched when they close.
 *
 * Law: it writes our own values, so an overflow is a bug or a host's oversize value, and throws a `LocalError`. What is
 * written is no secret: the room for it is not wiped.
 */
import { EMPTY, putUint16, putUint24 } from './bytes.js';
import { LocalError } from './errors.js';
import { giveRoom, takePiece, takeRoom } from './rooms.js';

export class Writer {
  #bytes: Uint8Array = takeRoom(0);
  #at = 0;

  #room(length: number): number {
    const at = this.#at;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = takeRoom(needed);
      larger.set(this.#bytes);
      giveRoom(this.#bytes);
      this.#bytes = larger;
    }
    this.#at = needed;
    return at;
  }

  uint8(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }

  uint16(value: number): this {
    const at = this.#room(2);
    putUint16(this.#bytes, at, value);
    return this;
  }

  uint24(value: number): this {
    const at = this.#room(3);
    putUint24(this.#bytes, at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** `opaque<0..2^8-1>`. */
  vector8(value: Uint8Array): this {
    return this.uint8(fits(value.length, 0xff)).bytes(value);
  }

  /** `opaque<0..2^16-1>`. */
  vector16(value: Uint8Array): this {
    return this.uint16(fits(value.length, 0xffff)).bytes(value);
  }

  /** `opaque<0..2^24-1>`. */
  vector24(value: Uint8Array): this {
    return this.uint24(fits(value.length, 0xff_ffff)).bytes(value);
  }

  /** Opens a block whose 16-bit length is patched by `close16` with the returned mark. */
  open16(): number {
    return this.#room(2) + 2;
  }

  close16(mark: number): this {
    putUint16(this.#bytes, mark - 2, fits(this.#at - mark, 0xffff));
    return this;
  }

  /** As `open16`, with a 24-bit length. */
  open24(): number {
    return this.#room(3) + 3;
  }

  close24(mark: number): this {
    putUint24(this.#bytes, mark - 3, fits(this.#at - mark, 0xff_ffff));
    return this;
  }

  /** An exact copy of what was written, in an array that others may share. The writer is empty then. */
  finish(): Uint8Array {
    const written = takePiece(this.#at);
    written.set(this.#bytes.subarray(0, this.#at));
    giveRoom(this.#bytes);
    this.#bytes = EMPTY;
    this.#at = 0;
    return written;
  }
}

function fits(length: number, max: number): number {
  if (length > max) throw new LocalError('ERR_DTLS_TOO_LARGE', `a vector of ${length} bytes, where at most ${max} fit`);
  return length;
}
