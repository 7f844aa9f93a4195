/**
 * How many bytes one half-open association may make us hold, shared by everything that holds for it.
 *
 * Law: whoever keeps a byte of an unauthenticated peer takes it from here first and gives it back when it goes.
 */
export class Budget {
  readonly limit: number;
  #held = 0;
  #lent = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Takes `bytes` if they fit. */
  take(bytes: number): boolean {
    if (this.#held + this.#lent + bytes > this.limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }

  /** From now on `bytes` of the limit are used elsewhere. Negative counts as none. */
  lend(bytes: number): void {
    this.#lent = Math.max(0, bytes);
  }

  /** Whether more is held and lent than there is. */
  get overdrawn(): boolean {
    return this.#held + this.#lent > this.limit;
  }
}
