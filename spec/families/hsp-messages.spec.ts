/**
 * HSP, what comes after the hellos: key exchange messages, Finished, ChangeCipherSpec, types that do not exist. The
 * rows about Certificate (HSP-10) and ECDHE (HSP-08) are done here on what a PSK handshake has: a Certificate has no
 * place in it at all, and the hint of a plain PSK ServerKeyExchange stands for that of ECDHE_PSK.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, ContentType, HandshakeType } from '../../lib/index.js';
import { Bench, CHANGE_CIPHER_SPEC, ROLES, UNDER_WAY } from '../support/course.js';
import { hex, join } from '../support/rig.js';

const { decodeError, decryptError, unexpectedMessage } = AlertDescription;

test('HSP-08 an identity hint whose length covers the whole body, or more, is a decode_error', () => {
  const bench = new Bench();
  for (const [length, body] of [[2, 2], [3, 3], [6, 6], [0xffff, 6], [5, 6], [0x0400, 1024], [1025, 1026]] as const) {
    const course = bench.course('client').to('serverHello');
    const message = new Uint8Array(body);
    message.set([length >>> 8, length & 0xff]);
    bench.alerts(course, course.record(course.upcoming, message), decodeError, `${length} of ${body} bytes`);
    assert.is(course.connected, 0);
    course.anew();
  }
  bench.conclude();
});

test('HSP-08 the same for the identity of a ClientKeyExchange', () => {
  const bench = new Bench();
  for (const [length, body] of [[2, 2], [10, 10], [0xffff, 10], [7, 10], [1026, 1026]] as const) {
    const course = bench.course('server').to('helloDone');
    const message = new Uint8Array(body);
    message.set([length >>> 8, length & 0xff]);
    bench.alerts(course, course.record(course.upcoming, message), decodeError, `${length} of ${body} bytes`);
    course.anew();
  }
  bench.conclude();
});

test('HSP-10 a Certificate, however malformed, has no place in a PSK handshake: unexpected_message, nothing kept', () => {
  const lists: readonly [string, Uint8Array][] = [
    ['list length 0xffffff', hex('ffffff 000001 30')],
    ['inner length 0', hex('000003 000000')],
    ['inner length beyond the list', hex('000004 000002 30')],
    ['1,000 entries of 3 zero bytes', join(hex('000bb8'), new Uint8Array(3000))],
    ['empty list', hex('000000')],
  ];
  for (const role of ROLES) {
    const bench = new Bench();
    const stage = role === 'server' ? 'helloDone' : 'serverHello';
    for (const [what, body] of lists) {
      const course = bench.course(role).to(stage);
      const message = { ...course.upcoming, type: HandshakeType.certificate };
      const startedAt = performance.now();
      bench.alerts(course, course.record(message, body), unexpectedMessage, `${role}: ${what}`);
      assert.ok(performance.now() - startedAt < 500, what);
      course.anew();
    }
    bench.conclude();
  }
});

test('HSP-14 a Finished of another length than 12 is a decode_error, one of other bytes a decrypt_error', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const length of [0, 1, 11, 13, 16, 24, 32, 36, 255]) {
      const course = bench.course(role).to('changed');
      const { upcoming } = course;
      const body = new Uint8Array(length);
      body.set(upcoming.body.subarray(0, length));
      bench.alerts(course, course.record(upcoming, body), decodeError, `${role}: verify_data of ${length} bytes`);
      assert.is(course.connected, 0);
      course.anew();
    }
    for (let at = 0; at < 12; at++) {
      const course = bench.course(role).to('changed');
      const body = course.upcoming.body.slice();
      body[at]! ^= 1 << (at % 8);
      bench.alerts(course, course.record(course.upcoming, body), decryptError, `${role}: byte ${at} is wrong`);
      assert.is(course.connected, 0);
      course.anew();
    }
    bench.conclude();
  }
});

test('HSP-14 the verify_data of the other side, of another handshake or in the clear completes nothing', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const mirrored = bench.course(role).to('changed');
    bench.alerts(mirrored, mirrored.record(mirrored.upcoming, mirrored.peer.verifyData(role)), decryptError, `${role}: reflected`);
    const stale = bench.course(role).to('changed');
    bench.alerts(stale, stale.record(stale.upcoming, mirrored.upcoming.body), decryptError, `${role}: of another handshake`);
    for (const stage of ['helloDone', 'changed'] as const) {
      const plain = bench.course(role).to(stage);
      const body = plain.peer.master.length === 0 ? new Uint8Array(12) : plain.peer.verifyData(plain.peer.role);
      const message = { type: HandshakeType.finished, epoch: 0, messageSeq: plain.upcoming.messageSeq, body };
      bench.drops(plain.session, plain.record(message), `${role} ${stage}: in the clear`);
      plain.live();
    }
    bench.conclude();
  }
});

test('HSP-15 unknown handshake types in the epoch in use change nothing, with or without a body', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('established');
    // A request to renegotiate is answered: FSM-24.
    const request = role === 'server' ? HandshakeType.clientHello : HandshakeType.helloRequest;
    for (let type = 0; type < 256; type++) {
      if (type === request) continue;
      for (const body of [new Uint8Array(0), new Uint8Array(20)]) {
        const fragment = course.peer.fragment(type, body, { messageSeq: course.peer.messageSeq });
        bench.drops(course.session, course.peer.record(ContentType.handshake, fragment, { epoch: 1 }), `${role}: type ${type}`);
      }
    }
    course.live();
    bench.conclude();
  }
});

test('HSP-15 an unknown handshake type in its turn ends a handshake with unexpected_message, in every stage', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of UNDER_WAY[role]) {
      // Finished comes under the new keys only, so nothing else can take its turn there.
      if (stage === 'changed') continue;
      for (const type of [4, 5, 13, 19, 21, 24, 99, 254, 255]) {
        const course = bench.course(role).to(stage);
        const { upcoming } = course;
        const message = { ...upcoming, type, epoch: 0, messageSeq: course.peer.messageSeq };
        bench.alerts(course, course.record(message, new Uint8Array(7)), unexpectedMessage, `${role} ${stage}: type ${type}`);
        assert.is(course.connected, 0);
      }
    }
    bench.course(role).live();
    bench.conclude();
  }
});

test('HSP-16 a ChangeCipherSpec that does not say exactly 1 is dropped, before keys exist and after', () => {
  const bodies = ['02', '00', '', '0101', `01${'00'.repeat(100)}`, 'ff', '0100'].map(hex);
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of [...UNDER_WAY[role], 'established'] as const) {
      const course = bench.course(role).to(stage);
      for (const body of bodies) {
        bench.drops(course.session, course.peer.record(ContentType.changeCipherSpec, body), `${role} ${stage}: ${body.length} bytes`);
        if (stage === 'established') {
          bench.drops(course.session, course.peer.record(ContentType.changeCipherSpec, body, { epoch: 1 }), `${role} authentic`);
        }
      }
      course.live();
    }
    bench.conclude();
  }
});

test('HSP-16 a malformed ChangeCipherSpec in its turn does not let Finished in', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to(role === 'server' ? 'keyExchanged' : 'helloDone');
    assert.is(course.upcoming.type, CHANGE_CIPHER_SPEC);
    bench.drops(course.session, course.peer.record(ContentType.changeCipherSpec, hex('02')));
    const finished = course.peer.fragment(HandshakeType.finished, course.peer.verifyData(course.peer.role), { messageSeq: course.peer.messageSeq });
    bench.rig.feed(course.session, course.peer.record(ContentType.handshake, finished, { epoch: 1 }));
    assert.is(course.connected, 0, 'Finished was let in by a ChangeCipherSpec that is none');
    course.commit();
    bench.rig.feed(course.session, course.peer.changeCipherSpec());
    // The Finished that came early is good now.
    assert.is(course.connected, 1);
    course.commit();
    course.settle();
    course.echo();
    bench.conclude();
  }
});

test.run();
