/**
 * Bounded waits: look at something each time it changes, for so long and no longer.
 */

/** How long a wait lasts unless it says otherwise: far more than a peer needs, on a slow machine too. */
export const PATIENCE_MS = 20_000;

/** Something that changes and is waited for. */
export class Changes {
  readonly #watchers = new Set<() => void>();

  /** Something changed: everybody who waits looks again. */
  announce(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /**
   * What `look` returns as soon as it is neither null nor undefined nor false; an error that tells what was waited
   * for if that takes longer than `limitMs`. An error that `look` throws ends the wait.
   */
  until<T>(what: string, look: () => T | null | undefined | false, limitMs: number = PATIENCE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        act();
      };
      const watcher = (): void => {
        try {
          const found = look();
          if (found !== null && found !== undefined && found !== false) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`waited ${limitMs} ms in vain for ${what}`))), limitMs);
      this.#watchers.add(watcher);
      watcher();
    });
  }
}
