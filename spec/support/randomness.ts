/**
 * What randomness must look like, and sources that fail (CRY-11, CRY-12).
 */
import * as assert from 'uvu/assert';

/** Samples of one length: no two alike, no run of zeros as long as a bug would leave, and every byte value about as often as any other. */
export function checkRandomness(samples: readonly Uint8Array[]): void {
  assert.is(new Set(samples.map((bytes) => String.fromCharCode(...bytes))).size, samples.length);
  const { length } = samples[0]!;
  const counts = new Array<number>(256).fill(0);
  for (const bytes of samples) {
    assert.ok(bytes.length === length && bytes.filter((byte) => byte === 0).length < 12);
    for (const byte of bytes) counts[byte]!++;
  }
  const expected = (samples.length * length) / 256;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 255 degrees of freedom: beyond these bounds once in many millions of runs.
  assert.ok(chiSquare > 130 && chiSquare < 420, `chi-square ${chiSquare}`);
}

/** What a source does that fails in some way. */
export const FAILURES: Readonly<Record<string, (length: number) => Uint8Array>> = {
  throws: () => { throw new Error('no entropy'); },
  short: (length) => new Uint8Array(Math.max(0, length - 1)),
  long: (length) => new Uint8Array(length + 1),
  nothing: () => undefined as never,
  text: (length) => 'x'.repeat(length) as never,
};
