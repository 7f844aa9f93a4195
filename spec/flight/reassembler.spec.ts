/**
 * The reassembler against a slow twin that keeps single bytes in a map: random fragments, overlapping, repeated,
 * contradicting each other, ahead of their turn, within a budget.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Budget } from '../../lib/flight/budget.js';
import { PAGE_BYTES, Reassembler } from '../../lib/flight/reassembler.js';
import { Fragment, writeHandshakeHeader } from '../../lib/message/handshake.js';
import { Random } from '../support/random.js';
import { equal } from '../support/rig.js';
import { holds } from '../support/checked.js';

interface Piece {
  readonly messageSeq: number;
  readonly type: number;
  readonly length: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const LIMITS = { maxMessageBytes: 1000, maxMessagesAhead: 8 };
const PAGE = 256;

/** One byte at a time, and every number counted anew each time. */
class SlowReassembler {
  next: number;
  readonly #limit: number;
  /** By message_seq: what the first fragment said, and each byte with its place. */
  readonly #messages: Map<number, { type: number; length: number; bytes: Map<number, number> }> = new Map();

  constructor(next: number, limit: number) {
    this.next = next;
    this.#limit = limit;
  }

  get held(): number {
    let pages = 0;
    for (const { bytes } of this.#messages.values()) pages += new Set([...bytes.keys()].map((place) => Math.floor(place / PAGE))).size;
    return pages * PAGE_BYTES;
  }

  accept({ messageSeq, type, length, offset, bytes }: Piece): string {
    if (messageSeq < this.next) return 'duplicate';
    if (messageSeq >= this.next + LIMITS.maxMessagesAhead) return 'refused';
    if (length > LIMITS.maxMessageBytes) return messageSeq === this.next ? 'tooLarge' : 'refused';
    const message = this.#messages.get(messageSeq) ?? { type, length, bytes: new Map<number, number>() };
    this.#messages.set(messageSeq, message);
    if (message.type !== type || message.length !== length) return 'refused';
    for (let i = 0; i < bytes.length; i++) {
      const place = offset + i;
      if (message.bytes.has(place)) continue;
      const known = [...message.bytes.keys()].some((other) => Math.floor(other / PAGE) === Math.floor(place / PAGE));
      while (!known && this.held + PAGE_BYTES > this.#limit) {
        const farthest = Math.max(...this.#messages.keys());
        if (farthest === messageSeq) return 'refused';
        this.#messages.delete(farthest);
      }
      message.bytes.set(place, bytes[i]!);
    }
    return 'kept';
  }

  takeNext(): { type: number; body: Uint8Array } | null {
    const message = this.#messages.get(this.next);
    if (message === undefined || message.bytes.size < message.length) return null;
    return { type: message.type, body: Uint8Array.from({ length: message.length }, (_, place) => message.bytes.get(place)!) };
  }

  advance(): void {
    this.#messages.delete(this.next++);
  }
}

/** A piece as it stands in a record, read by the engine's own reader. */
function fragmentOf({ messageSeq, type, length, offset, bytes }: Piece): { fragment: Fragment; record: Uint8Array } | null {
  const record = new Uint8Array(12 + bytes.length + 3).fill(0xdd);
  writeHandshakeHeader(record, 0, type, length, messageSeq, offset, bytes.length);
  record.set(bytes, 12);
  const fragment = new Fragment();
  return fragment.read(record, 0, 12 + bytes.length) ? { fragment, record } : null;
}

/** Pieces of messages that mostly agree with themselves, around the one that is expected. */
const pieces = fc.array(fc.record({
  ahead: fc.oneof({ weight: 6, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.integer({ min: -2, max: 12 }) }),
  from: fc.nat(99), to: fc.nat(99), seed: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) }),
  lie: fc.oneof({ weight: 12, arbitrary: fc.constant('none') }, { weight: 1, arbitrary: fc.constantFrom('type', 'length', 'too large') }),
}), { maxLength: 60 });

/** The length of each message: some empty, some of a byte, some of several pages. */
const lengthOf = (messageSeq: number): number => [1, 700, 256, 0, 257, 40, LIMITS.maxMessageBytes, 512][messageSeq % 8]!;

function pieceOf(messageSeq: number, { from, to, seed, lie }: { from: number; to: number; seed: number; lie: string }): Piece {
  const length = lie === 'too large' ? 1001 + seed : lengthOf(messageSeq) + (lie === 'length' ? 1 : 0);
  const [start, end] = [from, to].map((part) => Math.round((Math.min(length, 1000) * part) / 99)).sort((a, b) => a - b) as [number, number];
  const content = new Random(messageSeq * 10 + seed).bytes(length);
  return { messageSeq, type: lie === 'type' ? 99 : 11 + (messageSeq % 3), length, offset: start, bytes: content.slice(start, end) };
}

test('what comes out, what is held and what is refused is what the twin says', () => {
  let delivered = 0;
  holds(fc.property(fc.constantFrom(0, 5, 60_000), fc.constantFrom(PAGE_BYTES, 3 * PAGE_BYTES, 7 * PAGE_BYTES, 100_000), pieces, (first, limit, all) => {
    const budget = new Budget(limit);
    const reassembler = new Reassembler(first, LIMITS, budget);
    const twin = new SlowReassembler(first, limit);
    for (const step of all) {
      const messageSeq = twin.next + step.ahead;
      if (messageSeq < 0) continue;
      const piece = pieceOf(messageSeq, step);
      const read = fragmentOf(piece);
      if (read === null) continue;
      const { fragment, record } = read;
      const inOneGo = piece.messageSeq === twin.next && piece.bytes.length === piece.length && piece.length <= LIMITS.maxMessageBytes;
      assert.is(reassembler.isNextWhole(fragment), inOneGo);
      assert.is(reassembler.accept(fragment, record), twin.accept(piece), JSON.stringify(step));
      assert.is(budget.held, twin.held);
      assert.ok(budget.held <= limit);
      for (let due = twin.takeNext(); due !== null; due = twin.takeNext()) {
        assert.is(reassembler.nextType, due.type);
        assert.equal(reassembler.takeNext(), due.body);
        reassembler.advance();
        twin.advance();
        delivered++;
        assert.is(reassembler.next, twin.next);
        assert.is(budget.held, twin.held);
      }
      assert.is(reassembler.takeNext(), null);
    }
    reassembler.clear();
    assert.is(budget.held, 0);
    assert.is(reassembler.first, first);
  }), 400);
  assert.ok(delivered > 200, 'nearly nothing was delivered: the check is empty');
});

/** `body` cut into pieces that cover it, in some order, some of them twice. */
function cut(random: Random, messageSeq: number, body: Uint8Array): Piece[] {
  const all: Piece[] = [];
  for (let at = 0; at < body.length; ) {
    const end = Math.min(body.length, at + 1 + random.below(80));
    const from = Math.max(0, at - random.below(30));
    all.push({ messageSeq, type: 11, length: body.length, offset: from, bytes: body.slice(from, end) });
    at = end;
  }
  return random.shuffle([...all, ...all.filter(() => random.chance(0.3))]);
}

test('whatever the order and the overlap, honest fragments of several messages come out whole and in order', () => {
  const random = new Random(4);
  for (let round = 0; round < 100; round++) {
    const budget = new Budget(100_000);
    const reassembler = new Reassembler(3, LIMITS, budget);
    const bodies = Array.from({ length: 5 }, () => random.bytes(1 + random.below(1000)));
    const out: Uint8Array[] = [];
    for (const piece of random.shuffle(bodies.flatMap((body, i) => cut(random, 3 + i, body)))) {
      const { fragment, record } = fragmentOf(piece)!;
      const outcome = reassembler.accept(fragment, record);
      assert.ok(outcome === 'kept' || (outcome === 'duplicate' && piece.messageSeq < reassembler.next));
      // The record's memory is somebody else's again.
      record.fill(0);
      for (let body = reassembler.takeNext(); body !== null; body = reassembler.takeNext()) {
        out.push(body);
        reassembler.advance();
      }
    }
    assert.equal(out, bodies);
    assert.is(budget.held, 0);
  }
});

test('first come, first kept: later bytes for a place that is taken do not change it', () => {
  const reassembler = new Reassembler(0, LIMITS, new Budget(10_000));
  const put = (offset: number, bytes: number[]): string => {
    const { fragment, record } = fragmentOf({ messageSeq: 0, type: 11, length: 6, offset, bytes: Uint8Array.from(bytes) })!;
    return reassembler.accept(fragment, record);
  };
  put(1, [1, 2, 3]);
  put(0, [9, 9, 9, 9, 4]);
  put(2, [7, 7, 7, 5]);
  assert.equal(reassembler.takeNext(), Uint8Array.from([9, 1, 2, 3, 4, 5]));
});

test('the longest message is taken, whole or in pieces, and one byte more is not', () => {
  const reassembler = new Reassembler(0, LIMITS, new Budget(10_000));
  for (const [length, expected] of [[1000, 'kept'], [1001, 'tooLarge']] as const) {
    const { fragment, record } = fragmentOf({ messageSeq: 0, type: 11, length, offset: 0, bytes: new Uint8Array(length) })!;
    assert.is(reassembler.isNextWhole(fragment), length === 1000);
    assert.is(reassembler.accept(fragment, record), expected);
    if (length === 1000) reassembler.clear();
  }
});

test('memory follows the bytes that came, never the length that was announced', () => {
  const budget = new Budget(1_000_000);
  const reassembler = new Reassembler(0, { maxMessageBytes: 0xffffff, maxMessagesAhead: 8 }, budget);
  for (const offset of [0xfffffe, 0, 0x800000]) {
    const { fragment, record } = fragmentOf({ messageSeq: 1, type: 11, length: 0xffffff, offset, bytes: new Uint8Array(1) })!;
    assert.is(reassembler.accept(fragment, record), 'kept');
  }
  assert.is(budget.held, 3 * PAGE_BYTES);
});

test('when the budget is spent the messages farthest ahead give way to nearer ones, never the other way round', () => {
  const budget = new Budget(2 * PAGE_BYTES);
  const reassembler = new Reassembler(0, LIMITS, budget);
  const put = (messageSeq: number): string => {
    const { fragment, record } = fragmentOf({ messageSeq, type: 11, length: 200, offset: 0, bytes: new Uint8Array(100) })!;
    return reassembler.accept(fragment, record);
  };
  assert.equal([put(5), put(3), put(4), put(6), put(1), put(0)], ['kept', 'kept', 'kept', 'refused', 'kept', 'kept']);
  assert.is(budget.held, 2 * PAGE_BYTES);
  // 0 and 1 are what is left.
  const rest = (messageSeq: number): void => {
    const { fragment, record } = fragmentOf({ messageSeq, type: 11, length: 200, offset: 100, bytes: new Uint8Array(100) })!;
    assert.is(reassembler.accept(fragment, record), 'kept');
  };
  rest(0);
  assert.ok(equal(reassembler.takeNext()!, new Uint8Array(200)));
  reassembler.advance();
  rest(1);
  assert.ok(reassembler.takeNext() !== null);
});

test('where a part of the budget is lent, what is farthest ahead makes room, and no more is lent than there is', () => {
  const budget = new Budget(3 * PAGE_BYTES);
  const reassembler = new Reassembler(0, LIMITS, budget);
  const put = (messageSeq: number, offset: number): string => {
    const { fragment, record } = fragmentOf({ messageSeq, type: 11, length: 200, offset, bytes: new Uint8Array(100) })!;
    return reassembler.accept(fragment, record);
  };
  assert.equal([put(0, 0), put(1, 0), put(2, 0)], ['kept', 'kept', 'kept']);
  assert.is(reassembler.lend(PAGE_BYTES + 1), true);
  assert.is(budget.held, PAGE_BYTES, 'messages 1 and 2 have gone');
  assert.equal([put(1, 0), put(0, 100)], ['refused', 'kept']);
  assert.ok(equal(reassembler.takeNext()!, new Uint8Array(200)));
  reassembler.advance();
  // Lending is not added up: less than before gives room back, and a negative number is none.
  assert.is(reassembler.lend(-5), true);
  assert.equal([put(1, 0), put(2, 0), put(3, 0), put(4, 0)], ['kept', 'kept', 'kept', 'refused']);
  assert.is(reassembler.lend(3 * PAGE_BYTES), true);
  assert.is(budget.held, 0);
  assert.is(reassembler.lend(3 * PAGE_BYTES + 1), false);
});

test('a budget gives what it has and not a byte more', () => {
  const budget = new Budget(10);
  assert.is(budget.take(11), false);
  assert.is(budget.held, 0);
  assert.is(budget.take(10), true);
  assert.is(budget.take(1), false);
  budget.give(4);
  assert.is(budget.take(4), true);
  assert.is(budget.held, 10);
});

test.run();
