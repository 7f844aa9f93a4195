/**
 * Measuring on a machine that is never quite still: samples of two kinds in random order, the slow tail cut off, and
 * three tries, of which one must do.
 */
import { Random } from '../support/random.js';

/** Whether the machine is to be kept busy for as long as it takes. */
export const FULL: boolean = process.env['MICRODTLS_FULL'] === '1';

export interface Samples {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Times `work` of two kinds, `count` samples of each in random order, in µs. `prepare` is not timed. */
export function sample<T>(count: number, prepare: (kind: 'a' | 'b', index: number) => T, work: (prepared: T) => void, seed: number = 1): Samples {
  const samples = { a: new Float64Array(count), b: new Float64Array(count) };
  const random = new Random(seed);
  const next = { a: 0, b: 0 };
  while (next.a < count || next.b < count) {
    const kind = next.a === count ? 'b' : next.b === count ? 'a' : random.chance(0.5) ? 'a' : 'b';
    const prepared = prepare(kind, next[kind]);
    const startedAt = performance.now();
    work(prepared);
    samples[kind][next[kind]++] = (performance.now() - startedAt) * 1000;
  }
  return samples;
}

export function percentile(values: Float64Array, part: number): number {
  const sorted = values.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

/** Welch's t of the samples below a common cut, which takes off the tail of interruptions and collections. */
export function welch({ a, b }: Samples, cutAt: number = 0.9): number {
  const cut = percentile(Float64Array.of(...a, ...b), cutAt);
  const [one, two] = [a, b].map((values) => {
    const kept = values.filter((value) => value <= cut);
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
    const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
    return { mean, error: variance / kept.length };
  }) as [{ mean: number; error: number }, { mean: number; error: number }];
  return (one.mean - two.mean) / Math.sqrt(one.error + two.error);
}

/** Runs `attempt` up to three times, until it says nothing; else what it said last. */
export function threeTries(attempt: (round: number) => string | null): string | null {
  let complaint: string | null = null;
  for (let round = 1; round <= 3; round++) {
    complaint = attempt(round);
    if (complaint === null) return null;
  }
  return complaint;
}
