/**
 * One epoch in one direction (RFC 6347 §4.1): number, protection, sequence numbers or replay window.
 *
 * Law: epoch 0 is unprotected and has no replay window (message_seq absorbs duplicates); a sequence number is used
 * once and never wraps; the window moves only for records that proved authentic.
 */
import { LocalError } from '../wire/errors.js';
import { MAX_SEQUENCE, RECORD_HEADER, writeRecordHeader } from './header12.js';
import type { Protection12 } from './protect12.js';
import type { RecordWalk } from './records.js';
import { ReplayWindow } from './replay.js';

/** The sending side of an epoch. */
export class WriteEpoch {
  readonly number: number;
  readonly #protection: Protection12 | null;
  /** Number of the next record; 2^48 when all are spent. */
  nextSequence: number;

  constructor(number: number, protection: Protection12 | null, firstSequence: number = 0) {
    this.number = number;
    this.#protection = protection;
    this.nextSequence = firstSequence;
  }

  /** Bytes a record of this epoch adds to its plaintext, header included. */
  get overhead(): number {
    return RECORD_HEADER + (this.#protection === null ? 0 : this.#protection.overhead);
  }

  /** Writes `plain` as one record at `out[at…]` and returns its length. Throws when the sequence numbers are spent. */
  seal(out: Uint8Array, at: number, type: number, version: number, plain: Uint8Array): number {
    const sequence = this.nextSequence;
    if (sequence > MAX_SEQUENCE) {
      throw new LocalError('ERR_DTLS_SEQUENCE_EXHAUSTED', 'all 2^48 sequence numbers of this epoch are spent: connect anew');
    }
    this.nextSequence = sequence + 1;
    let length: number;
    if (this.#protection === null) {
      length = plain.length;
      out.set(plain, at + RECORD_HEADER);
    } else {
      length = this.#protection.seal(out, at + RECORD_HEADER, type, this.number, sequence, plain);
    }
    writeRecordHeader(out, at, type, version, this.number, sequence, length);
    return RECORD_HEADER + length;
  }

  /** Forgets the keys. */
  wipe(): void {
    this.#protection?.wipe();
  }
}

/** What became of a protected record: its plaintext length, or one of these. */
export const REPLAYED = -2;
export const FORGED = -1;

/** The receiving side of a protected epoch. */
export class ReadEpoch {
  readonly number: number;
  readonly #protection: Protection12;
  readonly #window: ReplayWindow = new ReplayWindow();

  constructor(number: number, protection: Protection12) {
    this.number = number;
    this.#protection = protection;
  }

  /** Replay check, open, mark. Returns the plaintext length in `out`, or REPLAYED or FORGED with nothing changed. */
  open(out: Uint8Array, record: RecordWalk): number {
    if (!this.#window.check(record.sequence)) return REPLAYED;
    const length = this.#protection.open(
      out, record.type, record.epoch, record.sequence, record.datagram, record.start, record.end,
    );
    if (length < 0) return FORGED;
    this.#window.mark(record.sequence);
    return length;
  }

  /** Forgets the keys. */
  wipe(): void {
    this.#protection.wipe();
  }
}
