/**
 * How many bytes one half-open association may make us hold, shared by everything that holds for it.
 *
 * Law: whoever keeps a byte of an unauthenticated peer takes it from here first and gives it back when it goes.
 */
export class Budget {
  readonly limit: number;
  #held = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Takes `bytes` if they fit. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
