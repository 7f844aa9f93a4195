/**
 * F3: stateful fuzzing over a network that does its worst. Schedules are drawn, carried out, and, if one breaks an
 * invariant, cut down to the steps that matter.
 *
 * The seed is fixed; MICRODTLS_SEED sets another. A failure prints the seed and the schedule.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KINDS, World, type Step } from './world.js';

const RUNS = process.env['MICRODTLS_FULL'] === '1' ? 5000 : 200;
const SEED = Number(process.env['MICRODTLS_SEED'] ?? 20_261_121);

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(KINDS - 1), fc.nat(0xffff), fc.nat(0xfffff));
const schedule = fc.array(step, { minLength: 1, maxLength: 160, size: 'max' });

const totals = { connected: 0, read: 0, replaced: 0, timeout: 0, sealed: 0 };

test('F3 whatever the network does, data is read once at most and right, nothing grows, and ends find each other again', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), schedule, (seed, steps) => {
      const world = new World(seed);
      const done: string[] = [];
      try {
        for (const one of steps) done.push(world.step(one));
        world.heal();
      } catch (error) {
        throw new Error(`${(error as Error).message}\n  after: ${done.join('\n         ')}`, { cause: error });
      }
      for (const [name, count] of Object.entries(world.counts)) totals[name as keyof typeof totals] += count;
    }),
    { seed: SEED, numRuns: RUNS, includeErrorInReport: true },
  );
});

test('F3 the schedules reach what they are meant to reach: handshakes, data, reconnections, timeouts', () => {
  // Each network, well again, has six ends connected and reads six payloads: there must be more.
  assert.ok(totals.connected > 7 * RUNS, `${totals.connected} times connected`);
  assert.ok(totals.read > 7 * RUNS, `${totals.read} payloads read`);
  assert.ok(totals.replaced > RUNS / 10, `${totals.replaced} associations replaced`);
  assert.ok(totals.timeout > RUNS / 20, `${totals.timeout} timeouts`);
  assert.ok(totals.sealed > 12 * RUNS, `${totals.sealed} records sealed`);
});

test('F3 a world without trouble connects everyone', () => {
  const world = new World(1);
  world.heal();
  assert.is(world.counts.connected, 6);
});

test.run();
