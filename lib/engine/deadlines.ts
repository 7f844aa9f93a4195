/**
 * The sendqueue: everything that waits for a time, in a binary heap ordered by that time.
 *
 * Law: one entry per association at most; looking costs O(1), setting and removing O(log n). No clock stands here.
 */

/** What waits. The two fields belong to the heap. */
export interface Waiting {
  /** Milliseconds on the context's clock; 0 when nothing is waited for. */
  deadlineAt: number;
  /** Place in the heap; −1 when not in it. */
  deadlineIndex: number;
}

export class Deadlines<T extends Waiting> {
  readonly #heap: T[] = [];

  /** How many wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline, 0 when nothing waits. */
  get earliest(): number {
    return this.#heap.length === 0 ? 0 : this.#heap[0]!.deadlineAt;
  }

  /** What waits longest, if its time has come. It stays until it is set anew or cleared. */
  due(now: number): T | null {
    const first = this.#heap[0];
    return first !== undefined && first.deadlineAt <= now ? first : null;
  }

  /** Sets, moves or starts the deadline of `item`. */
  set(item: T, at: number): void {
    item.deadlineAt = at;
    if (item.deadlineIndex < 0) {
      item.deadlineIndex = this.#heap.length;
      this.#heap.push(item);
    }
    this.#up(item.deadlineIndex);
    this.#down(item.deadlineIndex);
  }

  /** `item` waits no longer. */
  clear(item: T): void {
    const index = item.deadlineIndex;
    item.deadlineAt = 0;
    if (index < 0) return;
    item.deadlineIndex = -1;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#place(last, index);
    this.#up(index);
    this.#down(last.deadlineIndex);
  }

  #place(item: T, index: number): void {
    this.#heap[index] = item;
    item.deadlineIndex = index;
  }

  #up(index: number): void {
    const item = this.#heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent]!;
      if (above.deadlineAt <= item.deadlineAt) break;
      this.#place(above, index);
      index = parent;
    }
    this.#place(item, index);
  }

  #down(index: number): void {
    const item = this.#heap[index]!;
    const { length } = this.#heap;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#heap[child + 1]!.deadlineAt < this.#heap[child]!.deadlineAt) child++;
      const below = this.#heap[child]!;
      if (below.deadlineAt >= item.deadlineAt) break;
      this.#place(below, index);
      index = child;
    }
    this.#place(item, index);
  }
}
