/**
 * The anti-replay window of one epoch (RFC 6347 §4.1.2.6): 64 records wide.
 *
 * Law: `check` before the record is opened changes nothing; `mark` after it proved authentic. A jump ahead of any
 * size is accepted: a peer that refused jumps would go deaf after one burst of loss.
 * Two 32-bit halves and a double cost 8 ns where one BigInt costs 74.
 */
export class ReplayWindow {
  /** Highest authentic sequence number, −1 before the first. */
  #highest = -1;
  /** Bit i: `highest − i` was seen; #far continues with i = 32…63. */
  #near = 0;
  #far = 0;

  /** Whether a record numbered `sequence` may be new. */
  check(sequence: number): boolean {
    const age = this.#highest - sequence;
    if (age < 0) return true;
    if (age < 32) return (this.#near & (1 << age)) === 0;
    if (age < 64) return (this.#far & (1 << (age - 32))) === 0;
    return false;
  }

  /** Records that `sequence` was seen and is authentic. */
  mark(sequence: number): void {
    const ahead = sequence - this.#highest;
    if (ahead > 0) {
      this.#shift(ahead);
      this.#highest = sequence;
      this.#near |= 1;
    } else if (ahead > -32) {
      this.#near |= 1 << -ahead;
    } else if (ahead > -64) {
      this.#far |= 1 << (-ahead - 32);
    }
  }

  #shift(by: number): void {
    if (by >= 64) {
      this.#near = this.#far = 0;
    } else if (by >= 32) {
      this.#far = by === 32 ? this.#near : this.#near << (by - 32);
      this.#near = 0;
    } else {
      this.#far = (this.#far << by) | (this.#near >>> (32 - by));
      this.#near <<= by;
    }
  }
}
