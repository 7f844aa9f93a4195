/**
 * The walk over the records of a datagram (RFC 6347 §4.1.1), with one view that is reused.
 *
 * Law: a record that reaches past its datagram ends the walk (it and the rest are dropped, what came before stands);
 * a record of a kind or version we do not know is stepped over; nothing is allocated.
 * The walk branches on the first byte (RFC 9147 §4.1): 001xxxxx is a DTLS 1.3 ciphertext, whose length only an
 * association could tell.
 */
import { EMPTY, getUint16, getUint48 } from '../wire/bytes.js';
import { MAX_CIPHERTEXT, RECORD_HEADER } from './header12.js';

export class RecordWalk {
  datagram: Uint8Array = EMPTY;
  type = 0;
  version = 0;
  epoch = 0;
  sequence = 0;
  /** The fragment is `datagram[start, end)`. */
  start = 0;
  end = 0;
  #next = 0;

  /** Starts over at the first record of `datagram`. */
  begin(datagram: Uint8Array): void {
    this.datagram = datagram;
    this.#next = 0;
  }

  /** Steps to the next record. False at the end, at a truncated record and at what is no DTLS 1.2 record. */
  next(): boolean {
    const datagram = this.datagram;
    const at = this.#next;
    if (datagram.length - at < RECORD_HEADER) return false;
    this.type = datagram[at]!;
    if (this.type >>> 5 === 1) return false;
    this.version = getUint16(datagram, at + 1);
    this.epoch = getUint16(datagram, at + 3);
    this.sequence = getUint48(datagram, at + 5);
    const length = getUint16(datagram, at + 11);
    this.start = at + RECORD_HEADER;
    this.end = this.start + length;
    if (this.end > datagram.length || length > MAX_CIPHERTEXT) return false;
    this.#next = this.end;
    return true;
  }

  /** Where the present record's header starts. */
  get headerStart(): number {
    return this.start - RECORD_HEADER;
  }

  /** Whether bytes are left that no step has covered. */
  get unread(): boolean {
    return this.#next < this.datagram.length;
  }

  /** Ends the walk: the rest of the datagram is of no use. */
  stop(): void {
    this.#next = this.datagram.length;
  }

  /** Lets go of the datagram. */
  release(): void {
    this.datagram = EMPTY;
    this.#next = 0;
  }
}
