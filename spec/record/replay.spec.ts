/**
 * The replay window against its slow twin: a set of everything seen and the highest of it (RFC 6347 §4.1.2.6).
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SEQUENCE } from '../../lib/record/header12.js';
import { ReplayWindow } from '../../lib/record/replay.js';
import { holds } from '../support/checked.js';

const WIDTH = 64;

/** Everything it ever saw, and no cleverness. */
class SlowWindow {
  readonly #seen: Set<number> = new Set();
  #highest = -1;

  check(sequence: number): boolean {
    return sequence > this.#highest || (this.#highest - sequence < WIDTH && !this.#seen.has(sequence));
  }

  mark(sequence: number): void {
    this.#seen.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
  }
}

/** The next number relative to the highest so far: mostly near, at times a leap. */
const steps = fc.array(fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -70, max: 70 }) },
  { weight: 2, arbitrary: fc.constantFrom(-65, -64, -63, -33, -32, -31, -1, 0, 1, 31, 32, 33, 63, 64, 65, 95, 96, 127, 128) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 40, -(2 ** 31), -(2 ** 32)) },
), { maxLength: 200 });

test('the window says what a set of everything seen says', () => {
  holds(fc.property(fc.constantFrom(0, 5, 2 ** 31 - 3, 2 ** 32 - 2, 2 ** 47), steps, (start, relative) => {
    const window = new ReplayWindow();
    const twin = new SlowWindow();
    let highest = start;
    for (const step of [0, ...relative]) {
      const sequence = Math.min(MAX_SEQUENCE, Math.max(0, highest + step));
      const fresh = twin.check(sequence);
      assert.is(window.check(sequence), fresh, `${sequence}, the highest being ${highest}`);
      if (!fresh) continue;
      window.mark(sequence);
      twin.mark(sequence);
      highest = Math.max(highest, sequence);
    }
  }));
});

test('after every mark the whole neighbourhood is as the twin has it', () => {
  holds(fc.property(fc.array(fc.integer({ min: -70, max: 90 }), { maxLength: 40 }), (relative) => {
    const window = new ReplayWindow();
    const twin = new SlowWindow();
    let highest = 200;
    for (const step of [0, ...relative]) {
      const sequence = highest + step;
      if (!twin.check(sequence)) continue;
      window.mark(sequence);
      twin.mark(sequence);
      highest = Math.max(highest, sequence);
      for (let near = highest - 70; near <= highest + 3; near++) assert.is(window.check(near), twin.check(near), `${near} of ${highest}`);
    }
  }), 100);
});

test('a check changes nothing, and a first record may have any number', () => {
  for (const first of [0, 1, 63, 64, 2 ** 32, MAX_SEQUENCE]) {
    const window = new ReplayWindow();
    for (let i = 0; i < 3; i++) assert.is(window.check(first), true);
    assert.is(window.check(MAX_SEQUENCE), true);
    window.mark(first);
    assert.is(window.check(first), false);
    if (first > 0) assert.is(window.check(first - 1), true);
  }
});

test('at the end of the sequence numbers the window still works', () => {
  const window = new ReplayWindow();
  window.mark(0);
  window.mark(MAX_SEQUENCE);
  assert.is(window.check(0), false);
  assert.is(window.check(MAX_SEQUENCE), false);
  assert.is(window.check(MAX_SEQUENCE - 63), true);
  assert.is(window.check(MAX_SEQUENCE - 64), false);
});

test.run();
