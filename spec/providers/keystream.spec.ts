/**
 * What is left of keystream once its record is done: nothing, but what was made ahead for other records.
 */
import type { Cipher } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeystreamAhead } from '../../lib/crypto/native/ahead.js';
import { keystream, type CounterForm } from '../../lib/crypto/native/keystream.js';

const FORM: CounterForm = { nonceAt: 0, flags: 0, first: 1 };
const LENGTH = 48;

const nonce = (number: number): Uint8Array => Uint8Array.of(...new Uint8Array(11), number);
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** Not a cipher at all: gives ones, and remembers the arrays that it gave. */
function pretended(): { readonly ecb: Cipher; readonly given: Buffer[] } {
  const given: Buffer[] = [];
  const update = (blocks: Uint8Array): Buffer => {
    given.push(Buffer.alloc(blocks.length, 1));
    return given.at(-1)!;
  };
  return { ecb: { update } as unknown as Cipher, given };
}

/** Tries `attempt` where the stack ends, and a step further from there for as long as that throws. */
function whereTheStackEnds(attempt: () => void): void {
  const deeper = (): boolean => {
    try {
      if (deeper()) return true;
    } catch {
      // The end of the stack.
    }
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  };
  deeper();
}

// First here: the table of counters that all keys share grows only once to each length.
test('counters are right after the stack has ended while they were made', () => {
  const ecb = { update: (blocks: Uint8Array) => Buffer.from(blocks) } as unknown as Cipher;
  for (let blocks = 1; blocks <= 200; blocks++) {
    const make = (): void => keystream.make(ecb, new KeystreamAhead(), FORM, nonce(1), 16 * blocks);
    whereTheStackEnds(make);
    keystream.clear();
    make();
    for (let i = 0; i < blocks; i++) assert.is(keystream.bytes[keystream.at + 16 * i + 15], FORM.first + i & 0xff, `${blocks} blocks`);
    keystream.clear();
  }
});

test('keystream of a record is gone when it is cleared, whether it was made for it alone, first of several, or ahead', () => {
  const { ecb, given } = pretended();
  const ahead = new KeystreamAhead();
  for (const number of [1, 2, 3]) {
    keystream.make(ecb, ahead, FORM, nonce(number), LENGTH);
    const { bytes, at } = keystream;
    assert.ok(bytes.subarray(at, at + LENGTH).every((byte) => byte === 1));
    keystream.clear();
    assert.ok(isZero(bytes.subarray(at, at + LENGTH)));
    assert.ok(given.every(isZero), 'what the cipher gave');
  }
  assert.equal(given.map(({ length }) => length), [LENGTH, 16 * LENGTH], 'the third was made ahead');
  assert.ok(isZero(ahead.bytes.subarray(0, 2 * LENGTH)), 'the second and the third');
  assert.ok(ahead.bytes.subarray(2 * LENGTH, 16 * LENGTH).every((byte) => byte === 1), 'those to come');
  ahead.wipe();
  assert.ok(isZero(ahead.bytes));
});

test('keystream of four records of a packet is made by one call', () => {
  const { ecb, given } = pretended();
  const ahead = new KeystreamAhead();
  for (let number = 1; number <= 9; number++) {
    keystream.make(ecb, ahead, FORM, nonce(number), 1216);
    keystream.clear();
  }
  assert.equal(given.map(({ length }) => length), [1216, 4 * 1216, 4 * 1216]);
});

test('records that grow, as a forger numbers and sizes them, have no more than twice their keystream made', () => {
  const { ecb, given } = pretended();
  const ahead = new KeystreamAhead();
  let asked = 0;
  for (let number = 1; number < 100; number++) {
    const length = 208 + 16 * (number % 60);
    asked += length;
    keystream.make(ecb, ahead, FORM, nonce(number), length);
    keystream.clear();
  }
  const made = given.reduce((sum, { length }) => sum + length, 0);
  assert.ok(made <= 2 * asked, `${made} bytes for ${asked}`);
});

test('slots that were broken off while they were filled serve no record', () => {
  const { ecb } = pretended();
  const ahead = new KeystreamAhead();
  for (const number of [1, 2]) {
    keystream.make(ecb, ahead, FORM, nonce(number), LENGTH);
    keystream.clear();
  }
  assert.throws(() => ahead.fill(null as unknown as Uint8Array, 2 * LENGTH, 4, new Uint8Array(8 * LENGTH)));
  assert.is(ahead.take(nonce(3), LENGTH), -1);
});

test.run();
