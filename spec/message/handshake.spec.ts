/**
 * The handshake header and its fragment, against a slow twin; alerts.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlert } from '../../lib/message/alert.js';
import { Fragment, HANDSHAKE_HEADER, writeHandshakeHeader } from '../../lib/message/handshake.js';
import { hex, join } from '../support/rig.js';
import { holds } from '../support/checked.js';

interface Fields {
  readonly type: number;
  readonly length: number;
  readonly messageSeq: number;
  readonly offset: number;
  readonly fragmentLength: number;
}

/** The fields of RFC 6347 §4.2.2, or null where the fragment contradicts its record or itself. */
function slowRead(record: Uint8Array): Fields | null {
  if (record.length < 12) return null;
  const number = (from: number, to: number): number => parseInt([...record.slice(from, to)].map((byte) => byte.toString(16).padStart(2, '0')).join(''), 16);
  const fields = { type: number(0, 1), length: number(1, 4), messageSeq: number(4, 6), offset: number(6, 9), fragmentLength: number(9, 12) };
  const inRecord = 12 + fields.fragmentLength <= record.length;
  const inMessage = fields.offset + fields.fragmentLength <= fields.length;
  const carriesNothing = fields.fragmentLength === 0 && fields.length > 0;
  return inRecord && inMessage && !carriesNothing ? fields : null;
}

function compare(record: Uint8Array, before: number): void {
  const around = join(new Uint8Array(before).fill(0xee), record, new Uint8Array(40).fill(0xee));
  const fragment = new Fragment();
  const expected = slowRead(record);
  assert.is(fragment.read(around, before, before + record.length), expected !== null);
  if (expected === null) return;
  const { type, length, messageSeq, offset, start, end } = fragment;
  assert.equal({ type, length, messageSeq, offset, fragmentLength: end - start }, expected);
  assert.is(start, before + HANDSHAKE_HEADER);
  assert.is(fragment.whole, expected.fragmentLength === expected.length);
  // Re-encodes to the same bytes.
  const again = new Uint8Array(HANDSHAKE_HEADER);
  writeHandshakeHeader(again, 0, type, length, messageSeq, offset, end - start);
  assert.equal(again, record.slice(0, HANDSHAKE_HEADER));
}

const small = fc.oneof(fc.nat(40), fc.constantFrom(0, 1, 0xff, 0xffff, 0xffffff));

test('a fragment is read as its twin reads it: near its limits', () => {
  const record = fc.record({ type: fc.nat(255), length: small, messageSeq: fc.nat(0xffff), offset: small, fragmentLength: small, body: fc.nat(60) });
  holds(fc.property(record, fc.nat(20), ({ type, length, messageSeq, offset, fragmentLength, body }, before) => {
    const bytes = new Uint8Array(HANDSHAKE_HEADER + body);
    writeHandshakeHeader(bytes, 0, type, length, messageSeq, offset, fragmentLength);
    compare(bytes, before);
  }), 5000);
});

test('a fragment is read as its twin reads it: arbitrary bytes', () => {
  holds(fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(20), compare), 5000);
});

test('a header cut short at any length is no fragment', () => {
  for (let length = 0; length < HANDSHAKE_HEADER; length++) assert.is(new Fragment().read(new Uint8Array(100), 0, length), false);
  assert.is(new Fragment().read(new Uint8Array(100), 0, HANDSHAKE_HEADER), true);
});

test('sums of offset and length do not wrap', () => {
  const bytes = new Uint8Array(HANDSHAKE_HEADER + 2);
  for (const [length, offset, fragmentLength] of [[0xffffff, 0xffffff, 1], [0xffffff, 0xfffffe, 2], [1, 0xffffff, 2], [0, 0xffffff, 1]] as const) {
    writeHandshakeHeader(bytes, 0, 1, length, 0, offset, fragmentLength);
    assert.is(new Fragment().read(bytes, 0, bytes.length), false, `${offset} + ${fragmentLength} of ${length}`);
  }
  writeHandshakeHeader(bytes, 0, 1, 0xffffff, 0, 0xfffffd, 2);
  assert.is(new Fragment().read(bytes, 0, bytes.length), true);
});

test('an alert has two bytes, the first of which says warning or fatal', () => {
  for (const [body, expected] of [
    ['', false], ['02', false], ['0100', true], ['0228', true], ['02ff', true], ['0028', false], ['0328', false], ['ff28', false], ['022800', false],
  ] as const) {
    const bytes = join(hex('02'), hex(body), hex('0202'));
    assert.is(isAlert(bytes, 1, 1 + body.length / 2), expected, body);
  }
});

test.run();
