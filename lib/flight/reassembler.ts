/**
 * Reassembly and ordering of handshake messages (RFC 6347 §4.2.2, §4.2.3): fragments in any order, overlapping or
 * repeated, come out as whole messages in the order of message_seq.
 *
 * Law: memory follows the bytes that came, never the length that was announced: a message is kept in pages that
 * appear when touched, each with a bitmap of what is there, so that work is linear in bytes and overlap costs
 * nothing. The next message always finds room: those farthest ahead give way.
 */
import type { Fragment } from '../message/handshake.js';
import { wipe } from '../wire/bytes.js';
import type { Budget } from './budget.js';

const PAGE = 256;
const BITMAP = PAGE / 8;
/** What a page costs: its bytes and its bitmap, in one array. */
export const PAGE_BYTES: number = PAGE + BITMAP;

/** A message that is not whole yet. */
interface Partial {
  readonly type: number;
  readonly length: number;
  readonly messageSeq: number;
  readonly pages: (Uint8Array | undefined)[];
  received: number;
}

/** What `accept` did with a fragment. */
export type Accepted =
  | 'kept' // stored, or known already
  | 'duplicate' // of a message that was delivered: the peer may be retransmitting
  | 'refused' // does not fit what is known or the bounds
  | 'tooLarge'; // the next message announces more than we ever take

export interface ReassemblerLimits {
  readonly maxMessageBytes: number;
  readonly maxMessagesAhead: number;
}

export class Reassembler {
  readonly #limits: ReassemblerLimits;
  readonly #budget: Budget;
  readonly #partials: Map<number, Partial> = new Map();
  #next: number;
  /** The message_seq that was delivered first: a server's ClientHello. */
  readonly first: number;

  /** Delivers messages from `next` on. */
  constructor(next: number, limits: ReassemblerLimits, budget: Budget) {
    this.first = this.#next = next;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** The message_seq that is delivered next. */
  get next(): number {
    return this.#next;
  }

  /** Whether `fragment` is the next message and whole: it can be used where it stands, without a copy. */
  isNextWhole(fragment: Fragment): boolean {
    return fragment.messageSeq === this.#next && fragment.whole && fragment.length <= this.#limits.maxMessageBytes;
  }

  /** Notes that the next message was delivered. */
  advance(): void {
    this.#drop(this.#next);
    this.#next++;
  }

  /** Forgets what came of the next message: it may come again. */
  discard(): void {
    this.#drop(this.#next);
  }

  /** Takes in `fragment`, whose bytes stand in `bytes[fragment.start, fragment.end)`. */
  accept(fragment: Fragment, bytes: Uint8Array): Accepted {
    const ahead = fragment.messageSeq - this.#next;
    if (ahead < 0) return 'duplicate';
    if (ahead >= this.#limits.maxMessagesAhead) return 'refused';
    if (fragment.length > this.#limits.maxMessageBytes) return ahead === 0 ? 'tooLarge' : 'refused';
    let partial = this.#partials.get(fragment.messageSeq);
    if (partial === undefined) {
      const { type, length, messageSeq } = fragment;
      partial = { type, length, messageSeq, pages: [], received: 0 };
      this.#partials.set(messageSeq, partial);
    } else if (partial.type !== fragment.type || partial.length !== fragment.length) {
      return 'refused';
    }
    return this.#store(partial, fragment, bytes) ? 'kept' : 'refused';
  }

  /** The next message as a fresh array if it is whole, with its type in `nextType`; the caller then calls `advance`. */
  takeNext(): Uint8Array | null {
    const partial = this.#partials.get(this.#next);
    if (partial === undefined || partial.received < partial.length) return null;
    const body = new Uint8Array(partial.length);
    partial.pages.forEach((page, index) => {
      body.set(page!.subarray(0, Math.min(PAGE, partial.length - index * PAGE)), index * PAGE);
    });
    return body;
  }

  /** The type of the message that `takeNext` returned. */
  get nextType(): number {
    return this.#partials.get(this.#next)?.type ?? -1;
  }

  /** Lends `bytes` of the budget: what is farthest ahead gives way. False if there is not so much. */
  lend(bytes: number): boolean {
    this.#budget.lend(bytes);
    while (this.#budget.overdrawn) {
      if (!this.#evictBeyond(-1)) return false;
    }
    return true;
  }

  /** Gives everything back. */
  clear(): void {
    for (const messageSeq of [...this.#partials.keys()]) this.#drop(messageSeq);
  }

  #store(partial: Partial, fragment: Fragment, bytes: Uint8Array): boolean {
    let from = fragment.start;
    let at = fragment.offset;
    while (from < fragment.end) {
      const index = Math.floor(at / PAGE);
      const page = partial.pages[index] ?? this.#newPage(partial, index);
      if (page === null) return false;
      const within = at - index * PAGE;
      const count = Math.min(PAGE - within, fragment.end - from);
      for (let i = 0; i < count; i++) {
        const bit = within + i;
        const mask = 1 << (bit & 7);
        // First come, first kept: a later fragment cannot change a byte that is there.
        if ((page[PAGE + (bit >>> 3)]! & mask) !== 0) continue;
        page[PAGE + (bit >>> 3)]! |= mask;
        page[bit] = bytes[from + i]!;
        partial.received++;
      }
      from += count;
      at += count;
    }
    return true;
  }

  #newPage(partial: Partial, index: number): Uint8Array | null {
    while (!this.#budget.take(PAGE_BYTES)) {
      if (!this.#evictBeyond(partial.messageSeq)) return null;
    }
    const page = new Uint8Array(PAGE_BYTES);
    partial.pages[index] = page;
    return page;
  }

  /** Drops the message farthest ahead of `messageSeq`; false if there is none. */
  #evictBeyond(messageSeq: number): boolean {
    let farthest = messageSeq;
    for (const candidate of this.#partials.keys()) if (candidate > farthest) farthest = candidate;
    if (farthest === messageSeq) return false;
    this.#drop(farthest);
    return true;
  }

  #drop(messageSeq: number): void {
    const partial = this.#partials.get(messageSeq);
    if (partial === undefined) return;
    for (const page of partial.pages) {
      if (page === undefined) continue;
      wipe(page);
      this.#budget.give(PAGE_BYTES);
    }
    this.#partials.delete(messageSeq);
  }
}
