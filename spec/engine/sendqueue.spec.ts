/**
 * The sendqueue against a list that is sorted anew each time.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Deadlines, type Waiting } from '../../lib/engine/deadlines.js';
import { Random } from '../support/random.js';
import { holds } from '../support/checked.js';

interface Item extends Waiting {
  readonly name: number;
}

const items = (count: number): Item[] => Array.from({ length: count }, (_, name) => ({ name, deadlineAt: 0, deadlineIndex: -1 }));

/** Looks at everything that can be seen of both. */
function compare(heap: Deadlines<Item>, waiting: ReadonlyMap<Item, number>, all: readonly Item[]): void {
  const times = [...waiting.values()].sort((a, b) => a - b);
  assert.is(heap.size, times.length);
  assert.is(heap.earliest, times[0] ?? 0);
  const [first] = times;
  if (first === undefined) {
    assert.is(heap.due(Infinity), null);
  } else {
    assert.is(heap.due(first - 1), null);
    const due = heap.due(first);
    assert.is(waiting.get(due!), first);
    assert.is(heap.size, times.length, 'what is due stays');
  }
  for (const item of all) {
    assert.is(item.deadlineAt, waiting.get(item) ?? 0);
    assert.is(item.deadlineIndex >= 0, waiting.has(item));
  }
}

test('what is due, and when, is what a sorted list says', () => {
  const step = fc.record({ what: fc.constantFrom('set', 'set', 'clear', 'due'), which: fc.nat(19), at: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1e9 })) });
  holds(fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const heap = new Deadlines<Item>();
    const all = items(20);
    const waiting = new Map<Item, number>();
    for (const { what, which, at } of steps) {
      const item = what === 'due' ? (heap.due(at) ?? all[which]!) : all[which]!;
      if (what === 'set') {
        heap.set(item, at);
        waiting.set(item, at);
      } else {
        heap.clear(item);
        waiting.delete(item);
      }
      compare(heap, waiting, all);
    }
  }), 300);
});

test('a thousand deadlines, moved and cleared at random, come out in the order of time', () => {
  const random = new Random(8);
  const heap = new Deadlines<Item>();
  const all = items(1000);
  for (let round = 0; round < 10_000; round++) {
    const item = all[random.below(1000)]!;
    if (random.chance(0.3)) heap.clear(item);
    else heap.set(item, 1 + random.below(100_000));
  }
  const expected = all.filter(({ deadlineIndex }) => deadlineIndex >= 0).map(({ deadlineAt }) => deadlineAt).sort((a, b) => a - b);
  assert.ok(expected.length > 300);
  const drained: number[] = [];
  for (let due = heap.due(Infinity); due !== null; due = heap.due(Infinity)) {
    drained.push(due.deadlineAt);
    heap.clear(due);
  }
  assert.equal(drained, expected);
  assert.is(heap.size, 0);
});

test('clearing what does not wait changes nothing', () => {
  const heap = new Deadlines<Item>();
  const [a, b] = items(2) as [Item, Item];
  heap.clear(a);
  heap.set(b, 5);
  heap.clear(a);
  heap.clear(a);
  assert.equal([heap.size, heap.earliest], [1, 5]);
});

test.run();
