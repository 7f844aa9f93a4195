/**
 * The record walk against a slow twin that cuts a datagram as RFC 6347 §4.1 says, and its bounds.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_CIPHERTEXT, RECORD_HEADER, writeRecordHeader } from '../../lib/record/header12.js';
import { RecordWalk } from '../../lib/record/records.js';
import { holds } from '../support/checked.js';

interface Cut {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly body: readonly number[];
}

/** The records of a datagram, cut with arrays and BigInt. */
function slowWalk(datagram: Uint8Array): { records: Cut[]; rest: number } {
  const left = [...datagram];
  const records: Cut[] = [];
  const number = (bytes: readonly number[]): number => Number(bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n));
  while (left.length >= 13 && !(left[0]! >= 32 && left[0]! <= 63)) {
    const length = number(left.slice(11, 13));
    if (length > left.length - 13 || length > 2 ** 14 + 2048) break;
    const [type] = left;
    records.push({
      type: type!, version: number(left.slice(1, 3)), epoch: number(left.slice(3, 5)), sequence: number(left.slice(5, 11)),
      body: left.slice(13, 13 + length),
    });
    left.splice(0, 13 + length);
  }
  return { records, rest: left.length };
}

function walkOf(walk: RecordWalk, datagram: Uint8Array): { records: Cut[]; rest: number } {
  const records: Cut[] = [];
  let end = 0;
  walk.begin(datagram);
  while (walk.next()) {
    const { type, version, epoch, sequence, start } = walk;
    assert.is(walk.headerStart, start - RECORD_HEADER);
    assert.ok(walk.end <= datagram.length && start >= end + RECORD_HEADER);
    records.push({ type, version, epoch, sequence, body: [...datagram.subarray(start, walk.end)] });
    end = walk.end;
  }
  assert.is(walk.unread, end < datagram.length);
  return { records, rest: datagram.length - end };
}

const record = fc.record({
  type: fc.oneof(fc.constantFrom(20, 21, 22, 23, 25, 31, 64), fc.nat(255)),
  version: fc.nat(0xffff), epoch: fc.nat(0xffff), sequence: fc.nat(2 ** 30 - 1).map((n) => n * 2 ** 18 + 7), body: fc.uint8Array({ maxLength: 40 }),
  lie: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 70 }) }),
});

const datagrams = fc.tuple(fc.array(record, { maxLength: 6 }), fc.uint8Array({ maxLength: 14 })).map(([records, tail]) => {
  const parts = records.map(({ type, version, epoch, sequence, body, lie }) => {
    const out = new Uint8Array(RECORD_HEADER + body.length);
    writeRecordHeader(out, 0, type, version, epoch, sequence, Math.max(0, body.length + lie));
    out.set(body, RECORD_HEADER);
    return out;
  });
  return Uint8Array.from([...parts, tail].flatMap((part) => [...part]));
});

test('the walk cuts plausible datagrams as its twin does, with one view that is used over and over', () => {
  const walk = new RecordWalk();
  holds(fc.property(datagrams, (datagram) => assert.equal(walkOf(walk, datagram), slowWalk(datagram))));
});

test('the walk cuts arbitrary bytes as its twin does', () => {
  const walk = new RecordWalk();
  holds(fc.property(fc.uint8Array({ maxLength: 120 }), (datagram) => assert.equal(walkOf(walk, datagram), slowWalk(datagram))), 5000);
});

test('what stands behind the datagram in the same memory is not seen', () => {
  const memory = new Uint8Array(200);
  writeRecordHeader(memory, 20, 23, 0xfefd, 1, 5, 30);
  const walk = new RecordWalk();
  for (let length = 0; length < 43; length++) {
    assert.equal(walkOf(walk, memory.subarray(20, 20 + length)).records, [], `${length} bytes`);
  }
  assert.is(walkOf(walk, memory.subarray(20, 20 + 43)).records.length, 1);
});

test('a header that was written is the header that is read', () => {
  holds(fc.property(record, ({ type, version, epoch, sequence, body }) => {
    const out = new Uint8Array(RECORD_HEADER + body.length);
    writeRecordHeader(out, 0, type, version, epoch, sequence, body.length);
    out.set(body, RECORD_HEADER);
    const expected = type >>> 5 === 1 ? [] : [{ type, version, epoch, sequence, body: [...body] }];
    assert.equal(walkOf(new RecordWalk(), out).records, expected);
  }));
});

test('the longest record is 2^14 + 2048 bytes, and one more ends the walk', () => {
  const datagram = new Uint8Array(RECORD_HEADER + MAX_CIPHERTEXT + 1);
  writeRecordHeader(datagram, 0, 23, 0xfefd, 1, 0, MAX_CIPHERTEXT);
  assert.is(MAX_CIPHERTEXT, 18_432);
  assert.is(walkOf(new RecordWalk(), datagram).records.length, 1);
  writeRecordHeader(datagram, 0, 23, 0xfefd, 1, 0, MAX_CIPHERTEXT + 1);
  assert.is(walkOf(new RecordWalk(), datagram).records.length, 0);
});

test('a walk that is released has nothing more to say', () => {
  const datagram = new Uint8Array(4 * RECORD_HEADER);
  const walk = new RecordWalk();
  walk.begin(datagram);
  assert.is(walk.next(), true);
  walk.release();
  assert.is(walk.datagram.length, 0);
  assert.is(walk.next(), false);
});

test.run();
