/**
 * The harness of all benches: a case and its raw reference take turns in one process, so that whatever slows the
 * machine down slows both, and the ratio is the median of the ratios of the rounds.
 *
 * Law: what only gets ready (sealing records to be opened, making sessions) happens off the clock, in `prepare`.
 * Garbage is paid for where it falls: nothing collects it between turns. Bytes per operation are counted apart from
 * the timing, over spans too short to be collected, and only under `node --expose-gc`.
 */

/** One side of a case. `run` holds the loop itself, so that no call of the harness stands between two operations. */
export interface Work {
  /** Does `count` operations. */
  run(count: number): void;
  /** Gets ready for the next `count` operations, off the clock. */
  prepare?(count: number): void;
}

/** What a case is called. What does not apply is null. */
export interface Labels {
  readonly bench: string;
  readonly suite: string | null;
  readonly provider: string | null;
  readonly size: number | null;
}

/** A case that is timed. */
export interface TimedCase extends Labels {
  /** What the ratio is against, in words. */
  readonly reference: string | null;
  /** The ratio that this case must reach, where there is one. */
  readonly gate?: number | null;
  /** Operations that `prepare` has room for. Default: no limit. */
  readonly maxBatch?: number;
  /** Operations of the subject before anything counts, for cases with more code than the usual time compiles. Default 0. */
  readonly warmUpOperations?: number;
  /** Builds both sides; called once, in the process that measures. */
  set(): Sides;
}

/** Both sides of a timed case. */
export interface Sides {
  readonly subject: Work;
  readonly reference?: Work;
  /** Numbers worth knowing beside the time, such as how many hashes an operation takes. */
  readonly detail?: Readonly<Record<string, number>>;
}

/** A case that is weighed: the bytes that one thing of its kind keeps alive. */
export interface WeighedCase extends Labels {
  weigh(): Weight;
}

/** Bytes for each thing: in the heap, in array buffers, and of the whole process. */
export interface Weight {
  readonly heap: number;
  readonly buffers: number;
  readonly resident: number;
}

/** A case whose operations are timed one by one, because their distribution is what matters. */
export interface SampledCase extends Labels {
  /** Samples for about so many seconds. */
  sample(seconds: number): Sample;
}

/** Microseconds by the name of what they are, `p50` among them. */
export interface Sample {
  readonly percentiles: Readonly<Record<string, number>>;
  /** How many operations they are of. */
  readonly count: number;
  readonly detail: Readonly<Record<string, number>>;
}

export type Case = TimedCase | WeighedCase | SampledCase;

/** What was measured. Times are medians; `spread` is the distance of the quartiles over the median. */
export interface Result extends Labels {
  readonly opsPerSecond: number | null;
  readonly microsecondsPerOp: number | null;
  readonly spread: number | null;
  /** Bytes an operation allocates in the heap, or that a weighed thing keeps. Null without --expose-gc. */
  readonly bytesPerOp: number | null;
  /** The same outside the heap: array buffers. */
  readonly bufferBytesPerOp: number | null;
  readonly reference: string | null;
  readonly referenceOpsPerSecond: number | null;
  /** Our operations a second over the reference's: above 1 is faster than the reference. */
  readonly ratio: number | null;
  readonly ratioSpread: number | null;
  /** The ratio that must be reached; null where nothing is demanded. */
  readonly gate: number | null;
  readonly rounds: number;
  /** Of a sampled case, in microseconds; `p50` is `microsecondsPerOp` too. */
  readonly percentiles?: Readonly<Record<string, number>>;
  readonly detail?: Readonly<Record<string, number>>;
}

export interface Options {
  /** Budget of the timed rounds of one case. Default 1. */
  readonly seconds?: number;
  /** How long each side runs before anything counts. Default: a third of the budget, at least 100 ms. */
  readonly warmUpMs?: number;
  /**
   * How long a turn lasts, about. Default 0.5 ms: well below the slice that a scheduler gives to others on a busy
   * machine, so that most turns are whole and the median knows nothing of the rest.
   */
  readonly turnMs?: number;
}

const MIN_ROUNDS = 7;
/** Heap that one span of the allocation count may fill: well below a young generation. */
const SPAN_BYTES = 256 * 1024;
const SPAN_OPERATIONS = 256;
const SPANS = 15;

declare const gc: ((options?: { readonly type: 'minor' }) => void) | undefined;

/** Measures one case. */
export function measure(item: Case, options: Options = {}): Result {
  if ('weigh' in item) return weighed(item);
  return 'sample' in item ? sampled(item, options) : timed(item, options);
}

/** What a result has nothing to say of. */
const NOTHING = {
  opsPerSecond: null, microsecondsPerOp: null, spread: null, bytesPerOp: null, bufferBytesPerOp: null, reference: null,
  referenceOpsPerSecond: null, ratio: null, ratioSpread: null, gate: null,
} as const;

function sampled(item: SampledCase, { seconds = 1 }: Options): Result {
  const { percentiles, count, detail } = item.sample(seconds);
  return { ...labels(item), ...NOTHING, microsecondsPerOp: percentiles['p50'] ?? null, rounds: count, percentiles, detail };
}

function timed(item: TimedCase, { seconds = 1, turnMs = 0.5, warmUpMs = Math.max(100, seconds * 333) }: Options): Result {
  const { subject, reference, detail } = item.set();
  const maxBatch = item.maxBatch ?? 2 ** 24;
  const least = item.warmUpOperations ?? 0;
  const batch = warmUp(subject, warmUpMs, least, turnMs, maxBatch);
  const referenceBatch = reference === undefined ? 0 : warmUp(reference, warmUpMs, 0, turnMs, maxBatch);
  const times: number[] = [];
  const referenceTimes: number[] = [];
  const ratios: number[] = [];
  const endAt = performance.now() + seconds * 1000;
  for (let round = 0; round < MIN_ROUNDS || performance.now() < endAt; round++) {
    if (reference === undefined) {
      times.push(turn(subject, batch));
      continue;
    }
    // Who goes first is left to chance: a strict alternation can fall into step with whatever else the machine does.
    const second = Math.random() < 0.5;
    const before = second ? turn(reference, referenceBatch) : 0;
    const time = turn(subject, batch);
    const referenceTime = second ? before : turn(reference, referenceBatch);
    times.push(time);
    referenceTimes.push(referenceTime);
    ratios.push(referenceTime / time);
  }
  const allocated = allocations(subject, Math.min(maxBatch, SPAN_OPERATIONS));
  const ms = median(times);
  return {
    ...labels(item),
    opsPerSecond: 1000 / ms,
    microsecondsPerOp: ms * 1000,
    spread: spread(times),
    bytesPerOp: allocated?.heap ?? null,
    bufferBytesPerOp: allocated?.buffers ?? null,
    reference: item.reference,
    referenceOpsPerSecond: reference === undefined ? null : 1000 / median(referenceTimes),
    ratio: reference === undefined ? null : median(ratios),
    ratioSpread: reference === undefined ? null : spread(ratios),
    gate: item.gate ?? null,
    rounds: times.length,
    ...(detail === undefined ? {} : { detail }),
  };
}

function weighed(item: WeighedCase): Result {
  const { heap, buffers, resident } = item.weigh();
  return {
    ...labels(item),
    ...NOTHING,
    bytesPerOp: heap,
    bufferBytesPerOp: buffers,
    rounds: 1,
    detail: { bufferBytes: Math.round(buffers), residentBytes: Math.round(resident) },
  };
}

function labels({ bench, suite, provider, size }: Labels): Labels {
  return { bench, suite, provider, size };
}

/** Runs until everything is compiled; returns how many operations fill a turn. */
function warmUp(work: Work, warmUpMs: number, leastOperations: number, turnMs: number, maxBatch: number): number {
  const endAt = performance.now() + warmUpMs;
  for (let batch = 1, done = 0; ; done += batch) {
    const wanted = turnMs / Math.max(turn(work, batch), 1e-9);
    const next = Math.max(1, Math.min(maxBatch, Math.round(wanted)));
    if (performance.now() >= endAt && done >= leastOperations) return next;
    batch = Math.min(next, batch * 2);
  }
}

/** Milliseconds per operation. */
function turn(work: Work, count: number): number {
  work.prepare?.(count);
  const startedAt = performance.now();
  work.run(count);
  return (performance.now() - startedAt) / count;
}

/** Bytes per operation; null without --expose-gc. */
export function allocations(work: Work, maxCount: number = SPAN_OPERATIONS): { heap: number; buffers: number } | null {
  if (typeof gc !== 'function') return null;
  gc();
  const nothing: Work = { run: () => {} };
  const idle = median(Array.from({ length: SPANS }, () => span(nothing, 1).heap));
  const first = span(work, 1);
  const count = Math.max(1, Math.min(maxCount, Math.floor(SPAN_BYTES / Math.max(64, first.heap, first.buffers))));
  const spans = Array.from({ length: SPANS }, () => span(work, count));
  // A span in which something was collected all the same says nothing. Buffers of earlier spans are freed by another
  // thread, which can only make the figure smaller: the largest is the true one.
  const whole = spans.map(({ heap }) => heap).filter((heap) => heap >= 0);
  const heap = median(whole.length > 0 ? whole : [0]) - idle;
  return { heap: Math.max(0, heap) / count, buffers: Math.max(0, ...spans.map(({ buffers }) => buffers)) / count };
}

function span(work: Work, count: number): { heap: number; buffers: number } {
  work.prepare?.(count);
  gc!({ type: 'minor' });
  const before = process.memoryUsage();
  work.run(count);
  const after = process.memoryUsage();
  return { heap: after.heapUsed - before.heapUsed, buffers: after.arrayBuffers - before.arrayBuffers };
}

/** The middle value; of an even number the mean of the two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The distance of the quartiles over the median. */
export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

/** The value below which `part` of them lie (0 to 1). */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * part;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
}

/** Somewhere to leave a result, so that no compiler finds the work to be in vain. */
export const sink: { value: unknown } = { value: 0 };
