/**
 * REC, the counters of every row: whatever is dropped is counted once, under the reason that it was dropped for, so that a host
 * can tell an attack from a misconfiguration by `stats().dropped` alone.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HandshakeType, type DropReason } from '../../lib/index.js';
import { writeRecordHeader } from '../../lib/record/header12.js';
import { Bench, ROLES, type Course } from '../support/course.js';
import { join, text } from '../support/rig.js';

function raw(type: number, epoch: number, sequence: number, body: Uint8Array, length: number = body.length, version: number = 0xfefd): Uint8Array {
  const out = new Uint8Array(13 + body.length);
  writeRecordHeader(out, 0, type, version, epoch, sequence, length);
  out.set(body, 13);
  return out;
}

/** Which counters a datagram moved, and by how much. */
function countedFor(bench: Bench, course: Course, datagram: Uint8Array): Record<string, number> {
  const { context } = bench.rig;
  const before = context.stats().dropped;
  bench.rig.feed(course.session, datagram);
  const after = context.stats().dropped;
  const reasons = Object.keys(after) as DropReason[];
  return Object.fromEntries(reasons.filter((reason) => after[reason] !== before[reason]).map((reason) => [reason, after[reason] - before[reason]]));
}

test('REC-05 an association counts each drop once, under its own reason', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('established');
    const { peer } = course;
    const junk = new Uint8Array(40);
    const known = peer.applicationData(text('known'));
    assert.equal(countedFor(bench, course, known), {});
    const cases: readonly [string, DropReason, Uint8Array][] = [
      ['cut short', 'truncated', raw(23, 1, 90, junk, 41)],
      ['no DTLS 1.2 record', 'truncated', raw(0x2f, 1, 90, junk)],
      ['of another version', 'version', raw(23, 1, 90, junk, 40, 0xfefc)],
      ['replayed', 'replayed', known],
      ['forged', 'forged', raw(23, 1, 90, junk)],
      ['forged and short', 'forged', raw(23, 1, 90, new Uint8Array(3))],
      ['of an epoch without keys', 'unknownEpoch', raw(23, 2, 90, junk)],
      ['in the clear', 'unexpected', raw(23, 0, 90, junk)],
      ['a hello that contradicts itself', 'malformed', raw(22, 0, 90, join(new Uint8Array([1]), junk))],
      ['authentic, of an unknown type', 'contentType', peer.record(99, junk, { epoch: 1 })],
      ['authentic, a ChangeCipherSpec', 'contentType', peer.record(20, new Uint8Array([1]), { epoch: 1 })],
      ['authentic, an alert that is none', 'malformed', peer.record(21, new Uint8Array(3), { epoch: 1 })],
      ['authentic, no handshake fragments', 'malformed', peer.record(22, new Uint8Array(11), { epoch: 1 })],
      ['authentic, an empty handshake record', 'malformed', peer.record(22, new Uint8Array(0), { epoch: 1 })],
      ['authentic, a message of no use', 'unexpected', peer.record(22, peer.fragment(HandshakeType.certificate, junk), { epoch: 1 })],
    ];
    for (const [what, reason, datagram] of cases) assert.equal(countedFor(bench, course, datagram), { [reason]: 1 }, `${role}: ${what}`);
    // In one datagram each record counts for itself, and a good one between them is taken.
    const reads = bench.rig.reads.length;
    const mixed = join(raw(23, 1, 95, junk), peer.applicationData(text('good')), raw(23, 2, 90, junk), raw(23, 1, 96, junk), raw(23, 1, 90, junk, 41));
    assert.equal(countedFor(bench, course, mixed), { forged: 2, unknownEpoch: 1, truncated: 1 });
    assert.is(bench.rig.reads.length, reads + 1);
    course.live();
    bench.conclude();
  }
});

test('REC-07 a handshake counts each drop once, under its own reason', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('changed');
    const { peer } = course;
    const message = { type: 11, epoch: 0, messageSeq: peer.messageSeq, body: new Uint8Array(30) };
    const cases: readonly [string, DropReason, Uint8Array][] = [
      ['a Finished in the clear', 'unexpected', course.record({ ...message, type: HandshakeType.finished })],
      ['another message under the new keys', 'unexpected', course.record({ ...message, epoch: 1 })],
      ['too far ahead', 'bounds', course.record({ ...message, messageSeq: message.messageSeq + 8 })],
      ['taken before', 'duplicate', course.record({ ...message, messageSeq: message.messageSeq - 1 })],
      ['no fragments', 'malformed', raw(22, 0, 90, new Uint8Array(11).fill(9))],
      ['an empty record', 'malformed', raw(22, 0, 90, new Uint8Array(0))],
      ['a ChangeCipherSpec again', 'unexpected', peer.changeCipherSpec()],
      ['a ChangeCipherSpec that is none', 'malformed', raw(20, 0, 90, new Uint8Array([2]))],
      ['a plaintext alert', 'plaintextAlert', peer.alert(2, 40)],
      ['forged', 'forged', raw(22, 1, 90, new Uint8Array(40))],
      ['authentic, an empty handshake record', 'malformed', peer.record(22, new Uint8Array(0), { epoch: 1 })],
      ['authentic, an alert that is none', 'malformed', peer.record(21, new Uint8Array(3), { epoch: 1 })],
      ['data in the clear', 'unexpected', raw(23, 0, 90, new Uint8Array(4))],
    ];
    for (const [what, reason, datagram] of cases) assert.equal(countedFor(bench, course, datagram), { [reason]: 1 }, `${role}: ${what}`);
    // Beyond the records that are kept for after the handshake.
    for (let i = 0; i < 10; i++) assert.equal(countedFor(bench, course, raw(23, 1, 200 + i, new Uint8Array(20))), {});
    assert.equal(countedFor(bench, course, raw(23, 1, 300, new Uint8Array(20))), { bounds: 1 });
    course.live();
    bench.conclude();
  }
});

test('REC-11 a stranger is counted once, under the reason why it was not let in', () => {
  const bench = new Bench();
  const course = bench.course('server');
  const { body, messageSeq } = course.upcoming;
  const hello = (bytes: Uint8Array, lies: object = {}): Uint8Array => course.peer.record(22, course.peer.fragment(1, bytes, { messageSeq, ...lies }));
  const cases: readonly [string, DropReason, Uint8Array][] = [
    ['no record', 'truncated', new Uint8Array(12)],
    ['cut short', 'truncated', hello(body).slice(0, -1)],
    ['no hello', 'unknownSession', raw(23, 0, 0, new Uint8Array(50))],
    ['a hello of another epoch', 'unknownSession', course.peer.record(22, course.peer.fragment(1, body, { messageSeq }), { epoch: 1, sequence: 0, protection: null })],
    ['a hello of another version', 'unknownSession', course.peer.record(22, course.peer.fragment(1, body, { messageSeq }), { version: 0x0303 })],
    ['no fragment', 'malformed', hello(body, { fragmentLength: 3000 })],
    ['a hello without its cookie field', 'malformed', hello(body.slice(0, 35), { length: body.length })],
    ['a hello of 1 MiB', 'bounds', hello(body, { length: 0x100000 })],
    ['a hello without a cookie', 'cookie', hello(body)],
  ];
  for (const [what, reason, datagram] of cases) assert.equal(countedFor(bench, course, datagram), { [reason]: 1 }, what);
  course.taken();
  course.live();
  bench.conclude();
});

test.run();
