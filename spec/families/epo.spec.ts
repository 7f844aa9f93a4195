/**
 * EPO, an association: every authentic record is taken once, whatever the network does with it, and nothing that is
 * not authentic moves the replay window.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  LocalError, PSK_AES_128_CCM, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_AES_256_GCM_SHA384, PSK_CHACHA20_POLY1305_SHA256,
} from '../../lib/index.js';
import { MAX_SEQUENCE, writeRecordHeader } from '../../lib/record/header12.js';
import { ContentType } from '../../lib/wire/registry.js';
import { Bench, Course, ROLES, UNDER_WAY, type Role } from '../support/course.js';
import { Random } from '../support/random.js';
import { CLIENT, equal, join, Rig, text } from '../support/rig.js';
import { establish, fetchCookie, ScriptedPeer } from '../support/scripted.js';

function establishedIn(work: (bench: Bench, course: Course, role: Role) => void): void {
  for (const role of ROLES) {
    const bench = new Bench();
    work(bench, bench.course(role).to('established'), role);
    bench.conclude();
  }
}

function forged(type: number, epoch: number, sequence: number, length: number = 40): Uint8Array {
  const out = new Uint8Array(13 + length).fill(0x5a);
  writeRecordHeader(out, 0, type, 0xfefd, epoch, sequence, length);
  return out;
}

/** What was read while `work` ran. */
function readIn(bench: Bench, work: () => void): Uint8Array[] {
  const from = bench.rig.reads.length;
  work();
  return bench.rig.reads.slice(from).map(({ bytes }) => bytes);
}

test('EPO-01 a duplicate of a record is dropped, at once and after any number of newer ones', () => {
  establishedIn((bench, course, role) => {
    const { peer, session } = course;
    for (const newer of [0, 1, 31, 32, 33, 62, 63, 64, 65, 1000]) {
      const record = peer.applicationData(text(`after ${newer}`));
      assert.equal(readIn(bench, () => bench.rig.feed(session, record)), [text(`after ${newer}`)]);
      for (let i = 0; i < newer; i++) bench.rig.feed(session, peer.applicationData(text('newer')));
      bench.drops(session, record, `${role}: a duplicate after ${newer} newer ones`);
      bench.drops(session, join(record, record), `${role}: twice in one datagram`);
    }
    course.live();
  });
});

test('EPO-01 a record that comes late is taken within the window, once, and dropped behind it', () => {
  establishedIn((bench, course, role) => {
    const { peer, session } = course;
    for (const distance of [1, 2, 31, 32, 33, 62, 63, 64, 65, 100, 1000]) {
      const late = peer.applicationData(text('late'));
      for (let i = 0; i < distance; i++) bench.rig.feed(session, peer.applicationData(text('newer')));
      if (distance < 64) assert.equal(readIn(bench, () => bench.rig.feed(session, late)), [text('late')], `${role}: ${distance} behind`);
      bench.drops(session, late, `${role}: ${distance} behind`);
    }
    course.live();
  });
});

test('EPO-01 the records of the handshake are no exception: a replayed Finished is dropped', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('changed');
    const finished = course.record(course.commit());
    bench.rig.feed(course.session, finished);
    course.settle();
    bench.rig.advance(5000);
    for (let i = 0; i < 3; i++) bench.drops(course.session, finished, role);
    course.live();
    bench.conclude();
  }
});

test('EPO-03 forged records at the end of the sequence numbers move nothing', () => {
  establishedIn((bench, course, role) => {
    for (const sequence of [MAX_SEQUENCE, MAX_SEQUENCE - 1, 2 ** 47, 2 ** 32, 2 ** 31, 1000, 70, 64]) {
      for (const type of [20, 21, 22, 23]) {
        for (const length of [0, 16, 40, 1200]) bench.drops(course.session, forged(type, 1, sequence, length), `${role}: ${sequence}`);
      }
    }
    // An authentic record with its number changed is as good as forged.
    const moved = course.peer.applicationData(text('moved'));
    moved.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 5);
    bench.drops(course.session, moved);
    course.live();
  });
});

test('EPO-03 an authentic jump of any size is followed, and what is left behind is behind', () => {
  establishedIn((bench, course, role) => {
    const { peer, session } = course;
    const behind = peer.applicationData(text('behind'));
    for (const sequence of [70, 1000, 2 ** 31, 2 ** 32 + 5, 2 ** 47, MAX_SEQUENCE]) {
      const record = peer.applicationData(text('ahead'), { sequence });
      assert.equal(readIn(bench, () => bench.rig.feed(session, record)), [text('ahead')], `${role}: ${sequence}`);
      bench.drops(session, record, `${role}: ${sequence} again`);
      const near = peer.applicationData(text('near'), { sequence: sequence - 63 });
      assert.equal(readIn(bench, () => bench.rig.feed(session, near)), [text('near')], `${role}: ${sequence - 63}`);
      bench.drops(session, peer.applicationData(text('far'), { sequence: sequence - 64 }), `${role}: ${sequence - 64}`);
      bench.drops(session, behind, role);
    }
  });
});

test('EPO-04 forged records of other epochs change nothing in an association', () => {
  establishedIn((bench, course, role) => {
    for (const epoch of [0, 2, 3, 4, 0x100, 0x7fff, 0xfffe, 0xffff]) {
      for (const sequence of [0, 1, 100, 2 ** 32, MAX_SEQUENCE]) {
        for (const type of [20, 21, 22, 23]) bench.drops(course.session, forged(type, epoch, sequence), `${role}: epoch ${epoch} type ${type}`);
      }
    }
    // Even what is sealed with our keys, for an epoch that never was.
    const { peer } = course;
    for (const epoch of [2, 0xffff]) {
      bench.drops(course.session, peer.record(23, text('x'), { epoch, sequence: 5, protection: peer.write }), `${role}: epoch ${epoch}`);
    }
    course.live();
  });
});

test('EPO-09 the last sequence numbers are used once, then writing fails with a typed error, and nothing wraps', () => {
  establishedIn((bench, course) => {
    const { context } = bench.rig;
    const { session, peer } = course;
    context.getPeer(session)!.current!.write.nextSequence = MAX_SEQUENCE - 1;
    assert.is(context.write(session, text('last but one')), 12);
    assert.is(context.write(session, text('the last')), 8);
    for (let i = 0; i < 3; i++) {
      assert.throws(
        () => context.write(session, text('too much')),
        (error: unknown) => error instanceof LocalError && error.code === 'ERR_DTLS_SEQUENCE_EXHAUSTED',
      );
    }
    const sent = course.taken();
    assert.equal(sent.map((datagram) => [...datagram.slice(3, 11)]), [[0, 1, 255, 255, 255, 255, 255, 254], [0, 1, 255, 255, 255, 255, 255, 255]]);
    peer.take(...sent);
    assert.equal(peer.data, [text('last but one'), text('the last')]);
    // What the peer sends still arrives, and an alert to it fails without a word.
    assert.equal(readIn(bench, () => bench.rig.feed(session, peer.applicationData(text('still here')))), [text('still here')]);
    assert.is(context.close(session), 0);
    assert.equal(course.taken(), []);
  });
});

test('EPO-09 a handshake whose numbers are spent when the peer makes it repeat its flight fails, and nothing is thrown', () => {
  const rig = new Rig();
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  const hello = client.clientHello();
  rig.feed(CLIENT, hello);
  rig.context.getPeer(CLIENT)!.candidate!.write.nextSequence = MAX_SEQUENCE + 1;
  rig.takeSent();
  rig.now += 999;
  assert.is(rig.feed(CLIENT, hello), 0);
  assert.equal([rig.takeSent(), rig.events.at(-1)?.detail?.code], [[], 'ERR_DTLS_SEQUENCE_EXHAUSTED']);
  assert.is(rig.context.getPeer(CLIENT), undefined);
});

test('EPO-09 where the numbers are spent, a peer that repeats its Finished gets no last flight any more, and nothing is thrown', () => {
  const rig = new Rig();
  const client = establish(rig, new ScriptedPeer('client'));
  const { current } = rig.context.getPeer(CLIENT)!;
  current!.write.nextSequence = MAX_SEQUENCE + 1;
  for (let i = 0; i < 2; i++) {
    rig.now += 1000;
    assert.is(rig.feed(CLIENT, client.finished({ messageSeq: client.messageSeq - 1 })), 0);
    assert.equal([rig.takeSent(), rig.context.stats().retransmissions, current!.flight], [[], 1, null]);
  }
  rig.feed(CLIENT, client.applicationData(text('still here')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('still here')]);
});

test('EPO-11 explicit nonces are epoch and sequence number, strictly increasing, in both directions of 1,000 records', () => {
  for (const suite of [PSK_AES_128_CCM_8, PSK_AES_128_CCM, PSK_AES_128_GCM_SHA256, PSK_AES_256_GCM_SHA384]) {
    for (const role of ROLES) {
      const bench = new Bench();
      const course = bench.course(role, { suite }).to('established');
      course.echo();
      for (let i = 0; i < 1000; i++) bench.rig.context.write(course.session, text('x'));
      const sent = course.taken();
      assert.is(sent.length, 1000);
      const numbers = sent.map((datagram) => {
        assert.equal(datagram.slice(13, 21), datagram.slice(3, 11), 'the nonce is not epoch and sequence');
        return new DataView(datagram.buffer).getBigUint64(13);
      });
      for (let i = 1; i < numbers.length; i++) assert.is(numbers[i], numbers[i - 1]! + 1n);
      course.live();
      bench.conclude();
    }
  }
});

test('EPO-11 no two records of an association go out under one sequence number, handshake and alerts included', () => {
  for (const suite of [PSK_AES_128_CCM_8, PSK_CHACHA20_POLY1305_SHA256]) {
    for (const role of ROLES) {
      const bench = new Bench();
      const seen = new Set<string>();
      const course = bench.course(role, { suite });
      const { session } = course;
      bench.rig.onWrite = (_, datagram) => {
        for (let at = 0; at < datagram.length; at += 13 + ((datagram[at + 11]! << 8) | datagram[at + 12]!)) {
          const number = [...datagram.slice(at + 3, at + 11)].join();
          if (datagram[at + 4] === 0) continue;
          assert.not.ok(seen.has(number), `record number ${number} was used twice`);
          seen.add(number);
        }
        bench.rig.sent.push({ session, bytes: datagram, at: bench.rig.now });
      };
      course.to('established');
      // The last flight again, data, an alert.
      bench.rig.advance(2000);
      const finished = { type: 20, epoch: 1, messageSeq: course.peer.messageSeq - 1, body: new Uint8Array(12) };
      bench.rig.feed(session, course.record(finished));
      for (let i = 0; i < 10; i++) bench.rig.context.write(session, text('x'));
      bench.rig.context.close(session);
      assert.ok(seen.size >= 12, `only ${seen.size} records seen`);
      bench.rig.onWrite = null;
      course.taken();
      bench.conclude();
    }
  }
});

test('EPO-13 after a reconnect the old association takes no record any more, and before it takes every one', () => {
  const bench = new Bench();
  const course = bench.course('server').to('established');
  course.echo();
  const { rig } = bench;
  const next = new Course(bench, 'server', course.session, { seed: 4711 });
  for (const stage of [...UNDER_WAY.server] as const) {
    next.to(stage);
    // The old one goes on until the new Finished verifies.
    assert.equal(readIn(bench, () => rig.feed(course.session, course.peer.applicationData(text('old')))), [text('old')], stage);
  }
  const waiting = course.peer.applicationData(text('too late'));
  next.to('established');
  bench.drops(course.session, waiting, 'sent before the new Finished, come after it');
  bench.drops(course.session, course.peer.applicationData(text('dead')), 'sent after it');
  bench.drops(course.session, course.peer.alert(2, 40, { epoch: 1 }), 'an alert of the old epoch');
  next.echo();
  assert.is(rig.context.stats().established, 2);
  bench.conclude();
});

test('EPO-14 1,000 records in random order within a distance of 63 are all delivered, once', () => {
  establishedIn((bench, course) => {
    const random = new Random(14);
    const { peer, session } = course;
    const records = Array.from({ length: 1000 }, (_, i) => ({ text: text(`record ${i}`), bytes: peer.applicationData(text(`record ${i}`)) }));
    // Each place gets some record that is at most 63 behind the highest one before it.
    const order: typeof records = [];
    let highest = -1;
    const left = new Set(records.keys());
    while (left.size > 0) {
      const lowest = Math.min(...left);
      const reachable = [...left].filter((index) => index - lowest <= 63 && Math.max(highest, index) - lowest <= 63);
      const index = reachable.length === 0 ? lowest : reachable[random.below(reachable.length)]!;
      left.delete(index);
      highest = Math.max(highest, index);
      order.push(records[index]!);
    }
    assert.ok(order.some((record, i) => i > 0 && !equal(record.text, records[i]!.text)));
    const read = readIn(bench, () => {
      for (const { bytes } of order) {
        bench.rig.feed(session, bytes);
        bench.rig.feed(session, bytes);
      }
    });
    assert.equal(read, order.map((record) => record.text));
    course.live();
  });
});

test('EPO-14 a window of records in random order, in datagrams of several records, is delivered once', () => {
  establishedIn((bench, course) => {
    const random = new Random(15);
    for (let round = 0; round < 20; round++) {
      const sealed = Array.from({ length: 64 }, (_, i) => course.peer.record(ContentType.applicationData, text(`${round} ${i}`), { epoch: 1 }));
      const read = readIn(bench, () => {
        const shuffled = random.shuffle([...sealed, ...sealed, ...sealed]);
        for (let at = 0; at < shuffled.length; at += 7) bench.rig.feed(course.session, join(...shuffled.slice(at, at + 7)));
      });
      assert.is(read.length, 64);
      assert.is(new Set(read.map((bytes) => [...bytes].join())).size, 64);
    }
    course.live();
  });
});

test.run();
