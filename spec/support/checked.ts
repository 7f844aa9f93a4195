/**
 * Properties, checked twice: with a fixed seed, so that a failure stays a failure, and with one that nobody has tried.
 * fast-check prints the seed and the path of what it finds.
 */
import fc from 'fast-check';

/** Checks `property` with both seeds, `runs` times each. */
export function holds<T>(property: fc.IPropertyWithHooks<T>, runs: number = 1000): void {
  for (const seed of [20261121, Math.floor(Math.random() * 2 ** 31)]) fc.assert(property, { seed, numRuns: runs });
}
