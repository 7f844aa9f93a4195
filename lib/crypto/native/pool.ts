/**
 * Which keys have native cipher objects right now: a bounded number, the busy ones.
 *
 * Law: a native pair costs about 2.4 KB outside the heap, keystream made ahead 5 KB, and making them costs several records. So it is made at the first
 * record, and when too many keys have one, a key that was idle for a whole turn of the hand gives its own up
 * ("second chance"); it makes another when it is used again.
 */

/** A key that may hold native objects. */
export interface Pooled {
  /** Set at every use, cleared by the passing hand. */
  recent: boolean;
  /** Place in the pool, or -1. Belongs to the pool. */
  slot: number;
  /** Drops the native objects. */
  release(): void;
}

/** At most `limit` keys with native objects. */
export class Pool {
  readonly #limit: number;
  readonly #members: Pooled[] = [];
  #hand = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Keys that have native objects. */
  get size(): number {
    return this.#members.length;
  }

  /** `member` is about to make native objects; another may lose its own. */
  admit(member: Pooled): void {
    if (member.slot >= 0) return;
    const members = this.#members;
    if (members.length < this.#limit) {
      member.slot = members.length;
      members.push(member);
      return;
    }
    let oldest = members[this.#hand]!;
    while (oldest.recent) {
      oldest.recent = false;
      this.#advance();
      oldest = members[this.#hand]!;
    }
    oldest.slot = -1;
    oldest.release();
    member.slot = this.#hand;
    members[this.#hand] = member;
    this.#advance();
  }

  /** `member` is gone for good. */
  remove(member: Pooled): void {
    const { slot } = member;
    if (slot < 0) return;
    member.slot = -1;
    const last = this.#members.pop()!;
    if (last !== member) {
      this.#members[slot] = last;
      last.slot = slot;
    }
    if (this.#hand >= this.#members.length) this.#hand = 0;
  }

  #advance(): void {
    this.#hand = (this.#hand + 1) % this.#members.length;
  }
}

/** Keys of all ciphers that may have native objects at a time: 7.5 KB each for CCM, 10 to 33 KB for GCM, as long as its records are. */
export const MAX_BUSY_KEYS = 256;

/** The pool that all native ciphers share. */
export const busyKeys: Pool = /* @__PURE__ */ new Pool(MAX_BUSY_KEYS);
