/**
 * Numbers on the wire against DataView and BigInt, and the small helpers beside them.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ascii, concat, copyOf, equalBytes, getUint16, getUint24, getUint32, getUint48, latin1, putUint16, putUint24, putUint32, putUint48, wipe,
} from '../../lib/wire/bytes.js';
import { holds } from '../support/checked.js';

const WIDTHS = [
  { bits: 16, get: getUint16, put: putUint16 },
  { bits: 24, get: getUint24, put: putUint24 },
  { bits: 32, get: getUint32, put: putUint32 },
  { bits: 48, get: getUint48, put: putUint48 },
] as const;

for (const { bits, get, put } of WIDTHS) {
  test(`a ${bits}-bit number is read as BigInt reads it, anywhere in its array`, () => {
    holds(fc.property(fc.uint8Array({ minLength: 12, maxLength: 20 }), fc.nat(12 - bits / 8), (bytes, at) => {
      let expected = 0n;
      for (let i = 0; i < bits / 8; i++) expected = (expected << 8n) | BigInt(bytes[at + i]!);
      assert.is(get(bytes, at), Number(expected));
    }));
  });

  test(`a ${bits}-bit number that was written is read again, and nothing beside it changes`, () => {
    const largest = 2 ** bits - 1;
    const edges = [0, 1, 0x7f, 0x80, 0xff, 0x100, 2 ** (bits - 1) - 1, 2 ** (bits - 1), largest - 1, largest];
    holds(fc.property(fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat().map((n) => n % (largest + 1))), fc.nat(4), (value, at) => {
      const bytes = new Uint8Array(16).fill(0xa5);
      put(bytes, at, value);
      assert.is(get(bytes, at), value);
      for (let i = 0; i < 16; i++) if (i < at || i >= at + bits / 8) assert.is(bytes[i], 0xa5);
    }));
  });
}

test('equalBytes is equality of bytes: other lengths are unequal, never an exception', () => {
  holds(fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
    assert.is(equalBytes(a, b), a.join() === b.join());
    assert.is(equalBytes(a, copyOf(a)), true);
  }));
  for (let i = 0; i < 256; i++) {
    const changed = new Uint8Array(32);
    changed[i >>> 3]! ^= 1 << (i & 7);
    assert.is(equalBytes(changed, new Uint8Array(32)), false, `bit ${i}`);
  }
  assert.is(equalBytes(new Uint8Array(0), new Uint8Array(0)), true);
  assert.is(equalBytes(new Uint8Array(0), new Uint8Array(1)), false);
});

test('concat and copyOf own what they return, and wipe leaves zeros', () => {
  const [a, b] = [new Uint8Array([1, 2]), new Uint8Array([3])];
  const all = concat(a, new Uint8Array(0), b);
  assert.equal([...all], [1, 2, 3]);
  const copy = copyOf(all.subarray(1));
  all.fill(9);
  assert.equal([...copy], [2, 3]);
  assert.is(copy.buffer.byteLength, 2);
  assert.equal([...a], [1, 2]);
  wipe(copy);
  assert.equal([...copy], [0, 0]);
  wipe(null);
  wipe(undefined);
  assert.equal([...ascii('PSK')], [0x50, 0x53, 0x4b]);
});

test('bytes as text have one character each, however many there are, and are ASCII where they were', () => {
  for (const length of [0, 1, 4095, 4096, 4097, 300_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff);
    assert.is(latin1(bytes), Buffer.from(bytes).toString('latin1'), String(length));
  }
  assert.is(latin1(ascii('master secret')), 'master secret');
});

test.run();
