/**
 * Records that share a datagram: between `cork` and `uncork` the application data of an association is sealed into one
 * buffer, record after record, and leaves when the buffer is full or the cork is pulled.
 *
 * Law: a record is sealed when it is written, so numbers run in the order of the writes, and only its datagram waits; a
 * datagram is no larger than the peer's MTU, unless one record is; nothing is allocated for a record.
 */
import { RECORD_HEADER } from '../record/header12.js';
import { getUint16 } from '../wire/bytes.js';

export class Cork {
  readonly bytes: Uint8Array;
  /** Bytes of whole records that wait. */
  used = 0;
  /** What the host's write returned for the first datagram that was not sent; 0 for none. */
  failure = 0;
  /** The host looks at `bytes` right now. */
  lent = false;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }

  /** Whether a record of `size` bytes may join a datagram of at most `mtu` bytes. */
  fits(size: number, mtu: number): boolean {
    return this.used + size <= Math.min(mtu, this.bytes.length);
  }

  /** Where the records end that make up a datagram of at most `mtu` bytes from `start` on: after one record at least. */
  endWithin(start: number, mtu: number): number {
    let end = this.#recordEnd(start);
    while (end < this.used && this.#recordEnd(end) - start <= mtu) end = this.#recordEnd(end);
    return end;
  }

  #recordEnd(start: number): number {
    return start + RECORD_HEADER + getUint16(this.bytes, start + RECORD_HEADER - 2);
  }
}
