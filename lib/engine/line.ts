/**
 * A line of those who wait: first come, first found, and anyone may leave from anywhere, all in constant time.
 *
 * Law: who stands in a line knows the place, and stands in one line at a time. (A Set will not do: finding its first
 * member walks over everyone who ever left from the front.)
 */

/** Who can stand in a line. */
export interface Placed {
  /** The place, −1 outside of any line. Belongs to the line. */
  place: number;
}

export class Line<T extends Placed> {
  readonly #members: Map<number, T> = new Map();
  #first = 0;
  #next = 0;

  get size(): number {
    return this.#members.size;
  }

  /** Who has stood longest; undefined if nobody does. */
  get oldest(): T | undefined {
    if (this.#members.size === 0) return undefined;
    // Each place is passed once in the life of the line.
    while (!this.#members.has(this.#first)) this.#first++;
    return this.#members.get(this.#first);
  }

  /** Joins at the end. */
  join(member: T): void {
    member.place = this.#next++;
    this.#members.set(member.place, member);
  }

  /** Leaves; false if `member` does not stand in this line. */
  leave(member: T): boolean {
    if (this.#members.get(member.place) !== member) return false;
    this.#members.delete(member.place);
    member.place = -1;
    return true;
  }
}
