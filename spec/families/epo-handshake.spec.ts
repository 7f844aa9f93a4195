/**
 * EPO, a handshake: messages in the wrong epoch, records for epochs that have no keys yet, numbers that do not begin
 * where they should.
 *
 * Pinned: epoch 0 has no replay window, message_seq absorbs duplicates. Whatever message_seq a ClientHello with a
 * valid cookie has, both sides go on from there.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContentType, HandshakeType, type Session } from '../../lib/index.js';
import { MAX_SEQUENCE, writeRecordHeader } from '../../lib/record/header12.js';
import { Bench, CHANGE_CIPHER_SPEC, ROLES, STAGES, UNDER_WAY } from '../support/course.js';
import { IDENTITY, join, KEY } from '../support/rig.js';

/** What may be held of records for epochs that have no keys yet, in records and bytes. */
const EARLY_RECORDS = 10;
const EARLY_BYTES = 8192;

const STRANGER: Session = { address: '203.0.113.5', port: 5 };

function forged(type: number, epoch: number, sequence: number, length: number = 40): Uint8Array {
  const out = new Uint8Array(13 + length).fill(0x5a);
  writeRecordHeader(out, 0, type, 0xfefd, epoch, sequence, length);
  return out;
}

test('EPO-04 forged records of the next epoch are held within bounds in every stage, and the handshake completes', () => {
  for (const role of ROLES) {
    for (const stage of UNDER_WAY[role]) {
      for (const length of [40, 700, 6000, 16_000]) {
        const bench = new Bench();
        const course = bench.course(role).to(stage);
        const before = bench.snapshot(course.session);
        for (let i = 0; i < 200; i++) {
          assert.is(bench.rig.feed(course.session, forged(20 + (i % 4), 1, i * 1000, length)), 0);
          const held = bench.snapshot(course.session).heldBytes - before.heldBytes;
          assert.ok(held <= Math.min(EARLY_BYTES, EARLY_RECORDS * (13 + length)), `${role} at ${stage}: ${held} bytes of ${i + 1} records`);
        }
        const after = bench.snapshot(course.session);
        assert.equal({ ...after, heldBytes: 0 }, { ...before, heldBytes: 0 }, `${role} at ${stage}`);
        course.live(`${role} at ${stage}`);
        // Freed at completion: no more is held than of a handshake that nobody disturbed.
        const held = bench.snapshot(course.session).heldBytes;
        bench.course(role).live();
        assert.is(bench.snapshot(course.session).heldBytes, held);
        bench.conclude();
      }
    }
  }
});

test('EPO-04 forged records of later epochs are dropped in every stage', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of UNDER_WAY[role]) {
      const course = bench.course(role).to(stage);
      for (const epoch of [2, 3, 0x7fff, 0xffff]) {
        for (const sequence of [0, 1, MAX_SEQUENCE]) {
          for (const type of [20, 21, 22, 23]) bench.drops(course.session, forged(type, epoch, sequence), `${role} at ${stage}: epoch ${epoch}`);
        }
      }
      course.live();
    }
    bench.conclude();
  }
});

test('EPO-04 early records that fill the budget do not keep the next message out, even if it comes in pieces', () => {
  const handler = { getPskInfo: (_: unknown, __: unknown, type: string): Uint8Array | null => (type === 'hint' ? null : type === 'identity' ? IDENTITY : KEY) };
  for (const role of ROLES) {
    for (const length of [600, 3000, 6131]) {
      const bench = new Bench({}, handler);
      const course = bench.course(role, { hint: new Uint8Array(1000), identity: new Uint8Array(1000) });
      course.to(role === 'server' ? 'helloDone' : 'serverHello');
      for (let i = 0; i < 20; i++) bench.rig.feed(course.session, forged(22, 1, i, length));
      const message = course.commit();
      for (const record of course.fragments(message, [[0, 300], [600, 1002], [300, 600]])) assert.is(bench.rig.feed(course.session, record), 0);
      course.settle();
      course.live(`${role}, records of ${length} bytes`);
      bench.conclude();
    }
  }
});

test('EPO-04 early records and messages ahead together hold no more than the limit says', () => {
  for (const role of ROLES) {
    for (const maxHeldBytes of [2048, 6144]) {
      const bench = new Bench({ maxHeldBytes });
      const course = bench.course(role).to('helloDone');
      const before = bench.snapshot(course.session).heldBytes;
      let most = 0;
      for (let i = 0; i < 60; i++) {
        bench.rig.feed(course.session, forged(23, 1, i, 100 + 20 * i));
        const ahead = { type: 11, epoch: 0, messageSeq: course.peer.messageSeq + 1 + (i % 7), body: new Uint8Array(4000) };
        bench.rig.feed(course.session, course.piece(ahead, 60 * i, 60 * i + 1));
        most = Math.max(most, bench.snapshot(course.session).heldBytes - before);
      }
      assert.ok(most <= maxHeldBytes, `${role}: ${most} bytes held`);
      assert.ok(most > maxHeldBytes / 2, `${role}: only ${most} bytes held, the limit was not tried`);
      course.live();
      bench.conclude();
    }
  }
});

test('EPO-04 an honest Finished that comes before its ChangeCipherSpec is kept and used, and freed', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to(role === 'server' ? 'keyExchanged' : 'helloDone');
    const changeCipherSpec = course.record(course.commit());
    const finished = course.record(course.commit());
    assert.is(bench.rig.feed(course.session, finished), 0);
    assert.is(course.connected, 0);
    bench.rig.feed(course.session, changeCipherSpec);
    assert.is(course.connected, 1, role);
    course.settle();
    course.echo();
    bench.conclude();
  }
});

test('EPO-05 a ClientHello of another epoch than 0 is dropped, with a cookie or without', () => {
  const bench = new Bench();
  for (const epoch of [1, 2, 0x00ff, 0xff00, 0xffff]) {
    for (const stage of ['idle', 'helloVerified'] as const) {
      const course = bench.course('server').to(stage);
      const { body, messageSeq } = course.upcoming;
      const fragment = course.peer.fragment(HandshakeType.clientHello, body, { messageSeq });
      const record = course.peer.record(ContentType.handshake, fragment, { epoch, sequence: 7, protection: null });
      bench.drops(course.session, record, `epoch ${epoch} at ${stage}`);
      bench.drops(STRANGER, record, `epoch ${epoch} from elsewhere`);
      // "The rest of the handshake regular": whatever follows is of no handshake.
      bench.drops(course.session, course.peer.record(20, new Uint8Array([1])));
      bench.drops(course.session, forged(22, 1, 0));
      assert.is(course.connected, 0);
      course.live();
    }
  }
  bench.conclude();
});

test('EPO-06 a message in the clear that is sealed, or in epoch 1 unsealed, completes nothing; the right one does', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of STAGES[role]) {
      if (stage === 'idle' || stage === 'established' || stage === 'changed') continue;
      const course = bench.course(role).to(stage);
      const { type, body, messageSeq } = course.upcoming;
      const contentType = type === CHANGE_CIPHER_SPEC ? ContentType.changeCipherSpec : ContentType.handshake;
      const bytes = type === CHANGE_CIPHER_SPEC ? body : course.peer.fragment(type, body, { messageSeq });
      const before = course.bench.rig.sent.length;
      for (const epoch of [1, 2, 0xffff]) {
        const record = course.peer.record(contentType, bytes, { epoch, sequence: 0, protection: null });
        assert.is(bench.rig.feed(course.session, record), 0);
      }
      if (course.peer.write !== null) {
        assert.is(bench.rig.feed(course.session, course.peer.record(contentType, bytes, { epoch: 1 })), 0);
      }
      assert.is(bench.rig.sent.length, before, `${role} at ${stage} was answered`);
      assert.is(course.connected, 0);
      course.live(`${role} at ${stage}`);
    }
    bench.conclude();
  }
});

test('EPO-06 a ClientKeyExchange sealed in epoch 1 by who knows the key completes nothing', () => {
  const bench = new Bench();
  const course = bench.course('server').to('helloDone');
  const { peer } = course;
  const [keyExchange, changeCipherSpec, finished] = [course.commit(), course.commit(), course.commit()];
  const sealed = peer.record(22, peer.fragment(keyExchange.type, keyExchange.body, keyExchange), { epoch: 1 });
  for (const record of [sealed, course.record(changeCipherSpec), course.record(finished)]) assert.is(bench.rig.feed(course.session, record), 0);
  assert.is(course.connected, 0);
  assert.equal(course.taken(), []);
  bench.rig.runOut();
  bench.rig.sent.length = 0;
  assert.is(course.connected, 0);
  course.anew();
  bench.conclude();
});

test('EPO-06 a valid Finished in epoch 0 or epoch 2 completes nothing, one in epoch 1 does', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('changed');
    const { upcoming, peer } = course;
    const fragment = peer.fragment(upcoming.type, upcoming.body, upcoming);
    bench.drops(course.session, peer.record(22, fragment), `${role}: epoch 0`);
    bench.drops(course.session, peer.record(22, fragment, { epoch: 2, protection: null }), `${role}: epoch 2, unsealed`);
    bench.drops(course.session, peer.record(22, fragment, { epoch: 2, sequence: 9, protection: peer.write }), `${role}: epoch 2, sealed`);
    bench.drops(course.session, peer.record(22, fragment, { epoch: 1, sequence: 9, protection: null }), `${role}: epoch 1, unsealed`);
    course.live();
    bench.conclude();
  }
});

test('EPO-07 whatever message_seq a ClientHello has, it is answered under the same, and both sides go on from there', () => {
  for (const [first, second] of [[255, 191], [0, 0], [0, 1], [1, 0], [0, 65_000], [65_535, 2]] as const) {
    const bench = new Bench();
    const course = bench.course('server');
    course.peer.messageSeq = first;
    course.go();
    assert.is(course.peer.latest(HandshakeType.helloVerifyRequest).messageSeq, first);
    course.peer.messageSeq = second;
    course.go();
    assert.is(course.peer.latest(HandshakeType.serverHello).messageSeq, second);
    assert.is(course.peer.latest(HandshakeType.serverHelloDone).messageSeq, second + 1);
    course.live(`${first}, ${second}`);
    bench.conclude();
  }
});

test('EPO-07 a gap in message_seq waits, and completes only when it is closed', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const stage = role === 'server' ? 'helloDone' : 'helloVerified';
    for (const gap of [1, 2, 7, 8, 1000]) {
      const course = bench.course(role).to(stage);
      const { upcoming } = course;
      bench.rig.feed(course.session, course.record({ ...upcoming, messageSeq: upcoming.messageSeq + gap }));
      assert.equal(course.taken(), []);
      if (gap < 7) continue; // what was sent too early would now come in its turn, and out of order
      course.live(`${role}: gap ${gap}`);
    }
    bench.conclude();
  }
});

test('EPO-07 a handshake that skips a number never completes', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to(role === 'server' ? 'helloDone' : 'helloVerified');
    course.peer.messageSeq++;
    while (course.stage !== 'established') {
      if (role === 'client' && course.stage === 'helloDone') break; // without the client's key exchange there are no keys
      assert.is(bench.rig.feed(course.session, course.record(course.commit())), 0);
    }
    assert.is(course.connected, 0);
    bench.rig.runOut();
    assert.is(course.connected, 0);
    bench.rig.sent.length = 0;
    course.anew();
    bench.conclude();
  }
});

test('EPO-07 at the end of message_seq a handshake stops without harm', () => {
  const bench = new Bench();
  for (const messageSeq of [65_535, 65_534, 65_533]) {
    const course = bench.course('server').to('helloVerified');
    course.peer.messageSeq = messageSeq;
    const hello = course.commit();
    assert.is(bench.rig.feed(course.session, course.record(hello)), 0);
    course.peer.take(...course.taken());
    bench.rig.runOut();
    bench.rig.sent.length = 0;
    assert.is(course.connected, 0);
    course.anew();
  }
  bench.conclude();
});

test('EPO-12 the same record number twice in epoch 0 is no obstacle', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role);
    while (course.stage !== 'changed') {
      course.peer.sequences[0] = 0;
      course.go();
    }
    course.live(role);
    bench.conclude();
  }
});

test('EPO-12 a HelloVerifyRequest and a ServerHello that share a record number are both taken', () => {
  const bench = new Bench();
  const course = bench.course('client');
  course.go();
  course.peer.sequences[0] = 0;
  const flight = [course.commit(), course.commit(), course.commit()].map((message) => course.record(message));
  bench.rig.feed(course.session, join(...flight));
  course.settle();
  course.live();
  bench.conclude();
});

test('EPO-12 a record number at the end of epoch 0 is no hello of ours to answer with a handshake', () => {
  const bench = new Bench();
  const course = bench.course('server');
  for (const sequence of [MAX_SEQUENCE, MAX_SEQUENCE - 5]) {
    const { body } = course.upcoming;
    const hello = course.peer.record(22, course.peer.fragment(1, body, { messageSeq: 0 }), { sequence });
    bench.rig.feed(course.session, hello);
    const [answer] = course.taken();
    assert.equal(answer!.slice(5, 11), hello.slice(5, 11), 'the record number is echoed');
  }
  course.to('helloVerified');
  const { upcoming } = course;
  const last = course.peer.record(22, course.peer.fragment(upcoming.type, upcoming.body, upcoming), { sequence: MAX_SEQUENCE });
  bench.drops(course.session, last, 'there would be no number left for our flight');
  course.live();
  bench.conclude();
});

test.run();
