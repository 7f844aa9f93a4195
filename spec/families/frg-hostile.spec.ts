/**
 * FRG, the hostile part: fragments that contradict each other or themselves, that carry nothing, that announce more
 * than they bring. They are dropped, hold no more than the budget, and the honest message behind them is taken.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, ContentType, HandshakeType } from '../../lib/index.js';
import { Bench, CHANGE_CIPHER_SPEC, ROLES, STAGES, UNDER_WAY, type Course, type Role, type Stage } from '../support/course.js';
import { IDENTITY, join, KEY } from '../support/rig.js';

/** What one handshake may hold: the promise for a half-open peer. */
const HALF_OPEN_PROMISE = 8192;

/** Every stage that waits for a message that can be cut in two, with the place to cut it. */
function eachMessage(work: (bench: Bench, course: () => Course, cut: number, name: string) => void): void {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of STAGES[role]) {
      if (stage === 'idle' || stage === 'established') continue;
      const { type, body } = bench.course(role).to(stage).upcoming;
      if (type === CHANGE_CIPHER_SPEC || body.length < 2) continue;
      const head = type === HandshakeType.clientHello ? 36 + body[34]! + body[35 + body[34]!]! : 0;
      work(bench, () => bench.course(role).to(stage), head + Math.floor((body.length - head) / 2), `${role} at ${stage}`);
    }
    bench.conclude();
  }
}

/** The stages with a handshake under way, on a bench for each role. */
function eachStage(work: (bench: Bench, course: () => Course, name: string, stage: Stage) => void): void {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of UNDER_WAY[role]) work(bench, () => bench.course(role).to(stage), `${role} at ${stage}`, stage);
    bench.conclude();
  }
}

/** The message that a stage waits for; where it waits for ChangeCipherSpec, the Finished behind that. */
function expected(course: Course): { type: number; epoch: number; messageSeq: number; body: Uint8Array } {
  const { upcoming } = course;
  if (upcoming.type !== CHANGE_CIPHER_SPEC) return { ...upcoming };
  return { type: HandshakeType.finished, epoch: 0, messageSeq: course.peer.messageSeq, body: new Uint8Array(12) };
}

test('FRG-04 a second fragment of another type is dropped, and the right one completes the message', () => {
  eachMessage((bench, fresh, cut, name) => {
    const course = fresh();
    const message = course.commit();
    const { length } = message.body;
    assert.is(bench.rig.feed(course.session, course.piece(message, 0, cut)), 0);
    for (let type = 0; type <= 25; type++) {
      if (type === message.type) continue;
      // In epoch 0 a Finished, and in epoch 1 anything else, is dropped before it is looked at.
      bench.drops(course.session, course.piece(message, cut, length, { type }), `${name}: type ${type}`);
      bench.drops(course.session, course.piece(message, 0, length - 1, { type }), `${name}: type ${type} from the start`);
    }
    assert.is(course.connected, 0);
    assert.is(bench.rig.feed(course.session, course.piece(message, cut, length)), 0);
    course.settle();
    course.live(name);
  });
});

test('FRG-05 a second fragment of another total length is dropped, shorter or longer', () => {
  eachMessage((bench, fresh, cut, name) => {
    const course = fresh();
    const message = course.commit();
    const { length } = message.body;
    assert.is(bench.rig.feed(course.session, course.piece(message, 0, cut)), 0);
    for (const other of [length + 1, length - 1, 2 * length, 4096]) {
      bench.drops(course.session, course.piece(message, cut, Math.min(length, other), { length: other }), `${name}: length ${other}`);
    }
    for (const [offset, other] of [[length, 2 * length], [4000, 4096], [0, length + 1]] as const) {
      const lies = { offset, length: other };
      bench.drops(course.session, course.piece(message, 0, Math.min(cut, 50), lies), `${name}: ${offset} of ${other}`);
    }
    assert.is(bench.rig.feed(course.session, course.piece(message, cut, length)), 0);
    course.settle();
    course.live(name);
  });
});

test('FRG-05 a message of length 0 and then of 100 bytes, ahead of its turn: the first is kept, the second dropped', () => {
  const bench = new Bench();
  for (const role of ROLES) {
    const course = bench.course(role).to(role === 'server' ? 'helloDone' : 'helloVerified');
    // So far ahead that the honest handshake never gets there.
    const ahead = { type: HandshakeType.certificateVerify, epoch: 0, messageSeq: course.upcoming.messageSeq + 7, body: new Uint8Array(0) };
    assert.is(bench.rig.feed(course.session, course.piece(ahead, 0, 0)), 0);
    bench.drops(course.session, course.piece({ ...ahead, body: new Uint8Array(100) }, 0, 100), role);
    course.live();
  }
  bench.conclude();
});

test('FRG-04, FRG-05 a message whose first fragment was forged is never mixed, and still taken when it comes whole', () => {
  eachMessage((bench, fresh, cut, name) => {
    for (const lies of [{ type: 24 }, { length: 400 }]) {
      const course = fresh();
      const message = course.commit();
      if (message.type === HandshakeType.clientHello || message.epoch === 1) continue; // a cookie, or keys, forbid it
      assert.is(bench.rig.feed(course.session, course.piece(message, 0, 1, lies)), 0);
      for (const record of course.fragments(message, [[0, cut], [cut, message.body.length]])) bench.rig.feed(course.session, record);
      assert.is(course.taken().length, 0, `${name}: a mixed message was taken`);
      // The honest message in one piece is taken where it stands.
      assert.is(bench.rig.feed(course.session, course.record(message)), 0);
      course.settle();
      course.live(name);
    }
  });
});

test('FRG-07 a fragment that reaches past its message is dropped and holds nothing', () => {
  eachStage((bench, fresh, name) => {
    const course = fresh();
    const message = expected(course);
    if (message.body.length === 0) message.body = new Uint8Array(5);
    const { length } = message.body;
    const lies = [
      { offset: 1 }, { offset: length }, { offset: length + 1 }, { offset: 0xffffff }, { offset: 0xffffff, length: 0xffffff },
      { length: length - 1 }, { length: 0 }, { fragmentLength: 0xffffff }, { offset: 0xfffffe, length: 0xffffff, fragmentLength: 0xffffff },
    ];
    for (const lie of lies) {
      for (const messageSeq of [message.messageSeq, message.messageSeq + 1, message.messageSeq + 7, 0xffff]) {
        bench.drops(course.session, course.piece({ ...message, messageSeq }, 0, length, lie), `${name}: ${JSON.stringify(lie)}`);
      }
    }
    course.live(name);
  });
});

test('FRG-07 so it is before the cookie, where nothing is answered either', () => {
  const bench = new Bench();
  const course = bench.course('server');
  const { upcoming } = course;
  for (const lie of [{ offset: 1 }, { offset: 0xffffff }, { length: 10 }, { fragmentLength: upcoming.body.length + 1 }, { fragmentLength: 0xffffff }]) {
    bench.drops(course.session, course.piece(upcoming, 0, upcoming.body.length, lie), JSON.stringify(lie));
  }
  course.live();
  bench.conclude();
});

test('FRG-07 a hello whose fragment contradicts itself is dropped beside a handshake and an association', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const stage of [...UNDER_WAY[role], 'established'] as const) {
      const course = bench.course(role).to(stage);
      const hello = { type: HandshakeType.clientHello, epoch: 0, messageSeq: 1, body: new Uint8Array(80) };
      for (const lie of [{ offset: 1 }, { length: 79 }, { fragmentLength: 81 }, { length: 0 }, { offset: 0xffffff, length: 0xffffff }]) {
        bench.drops(course.session, course.piece(hello, 0, 80, lie), `${role} at ${stage}: ${JSON.stringify(lie)}`);
      }
      course.live();
    }
    bench.conclude();
  }
});

test('FRG-08 a record whose bytes are not what its unfragmented message announces is dropped whole', () => {
  eachMessage((bench, fresh, _, name) => {
    const course = fresh();
    const message = course.upcoming;
    const { length } = message.body;
    for (const claimed of [length + 1, length + 12, length + 1000, length - 1, length - Math.min(length, 11)]) {
      // Too long: the header announces more than the record holds. Too short: bytes are left that are no message.
      const record = course.piece(message, 0, length, { length: claimed, fragmentLength: claimed });
      bench.drops(course.session, record, `${name}: ${claimed} of ${length} bytes`);
    }
    course.live(name);
  });
});

test('FRG-09 fragments that carry nothing do nothing, 10,000 of them, and take no time', () => {
  eachStage((bench, fresh, name) => {
    const course = fresh();
    const message = expected(course);
    const body = message.body.length === 0 ? new Uint8Array(30) : message.body;
    const nothing = [0, body.length, 1].map((offset) => course.piece({ ...message, body }, 0, 0, { offset }));
    for (const record of nothing) bench.drops(course.session, record, name);
    const datagram = join(...Array.from({ length: 100 }, (_, i) => nothing[i % 3]!));
    const startedAt = performance.now();
    for (let i = 0; i < 100; i++) bench.drops(course.session, datagram, name);
    assert.ok(performance.now() - startedAt < 1000, name);
    course.live(name);
  });
});

test('FRG-09 a message that really is empty works, and its fragment at offset 0 is the only one it has', () => {
  const bench = new Bench();
  const course = bench.course('client').to('hint');
  const done = course.upcoming;
  assert.equal([done.type, done.body.length], [HandshakeType.serverHelloDone, 0]);
  bench.drops(course.session, course.piece(done, 0, 0, { offset: 1 }));
  course.live();
  bench.conclude();
});

test('FRG-10 a message that announces 16 MiB is refused, and no more is kept of it than came', () => {
  eachStage((bench, fresh, name) => {
    const { heldBytes } = bench.rig.context.stats();
    const course = fresh();
    const { messageSeq } = expected(course);
    const huge = (seq: number): Uint8Array => course.peer.record(ContentType.handshake, course.peer.fragment(
      HandshakeType.certificate, new Uint8Array(1), { messageSeq: seq, length: 0xffffff },
    ), { epoch: 0 });
    // Ahead of its turn nobody knows yet whether it was forged: dropped. In its turn it ends the handshake.
    for (const seq of [messageSeq + 1, messageSeq + 7, messageSeq + 8]) bench.drops(course.session, huge(seq), name);
    bench.alerts(course, huge(messageSeq), AlertDescription.illegalParameter, name);
    assert.is(bench.rig.context.stats().heldBytes, heldBytes);
    course.anew();
  });
});

test('FRG-10 a ClientHello that announces 16 MiB is dropped before its cookie and after', () => {
  const bench = new Bench();
  for (const stage of ['idle', 'helloVerified'] as const) {
    const course = bench.course('server').to(stage);
    const { upcoming } = course;
    for (const length of [0xffffff, 0x10000, 4097]) {
      bench.drops(course.session, course.piece(upcoming, 0, upcoming.body.length, { length }), `${stage} ${length}`);
    }
    course.live();
  }
  bench.conclude();
});

/** Fragments of one byte for every message_seq ahead, each announcing `length` bytes, packed into datagrams. */
function flood(course: Course, type: number, from: number, count: number, length: number): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < count; at += 1000) {
    datagrams.push(join(...Array.from({ length: Math.min(1000, count - at) }, (_, i) => {
      const messageSeq = (from + at + i) & 0xffff;
      return course.peer.record(ContentType.handshake, course.peer.fragment(type, new Uint8Array(1), { messageSeq, length, offset: (7 * i) % length }));
    })));
  }
  return datagrams;
}

test('FRG-11 one byte of each of 65,535 messages ahead holds a bounded number of bytes, and the next message still comes', () => {
  eachStage((bench, fresh, name, stage) => {
    // All of them once for each role; elsewhere the nearest, which are the only ones that are ever kept.
    for (const [length, count] of [[16_384, stage === 'helloDone' ? 65_535 : 2000], [4096, 2000], [200, 2000]] as const) {
      const course = fresh();
      const { messageSeq } = expected(course);
      const before = bench.rig.context.stats();
      for (const datagram of flood(course, HandshakeType.certificate, messageSeq + 1, count, length)) {
        assert.is(bench.rig.feed(course.session, datagram), 0);
        const held = bench.rig.context.stats().heldBytes - before.heldBytes;
        assert.ok(held <= HALF_OPEN_PROMISE, `${name}: ${held} bytes held`);
      }
      assert.is(bench.rig.context.stats().deadlines, before.deadlines);
      assert.equal(course.taken(), []);
      // The next message comes all the same, even in pieces: what is farthest ahead gives way. If the flood took the
      // place of messages that follow, those come again whole.
      if (course.upcoming.type !== CHANGE_CIPHER_SPEC && course.upcoming.body.length > 1) {
        const message = course.commit();
        const { length: size } = message.body;
        const half = Math.floor(size / 2);
        for (const record of course.fragments(message, [[half, size], [0, half]])) assert.is(bench.rig.feed(course.session, record), 0, name);
        course.settle();
      }
      course.live(name);
    }
  });
});

test('FRG-11 long messages ahead, filled to the last byte but one, hold a bounded number of bytes and give way to the next one', () => {
  for (const role of ROLES as readonly Role[]) {
    const bench = new Bench({}, { getPskInfo: (_, __, type) => (type === 'hint' ? null : type === 'identity' ? IDENTITY : KEY) });
    const long = { hint: new Uint8Array(1000), identity: new Uint8Array(1000) };
    const course = bench.course(role, long).to(role === 'server' ? 'helloDone' : 'serverHello');
    const { heldBytes } = bench.rig.context.stats();
    for (let ahead = 7; ahead > 0; ahead--) {
      const message = { ...course.upcoming, type: 11, body: new Uint8Array(4096), messageSeq: course.upcoming.messageSeq + ahead };
      for (let at = 0; at < 4096; at += 512) bench.rig.feed(course.session, course.piece(message, at, Math.min(at + 512, 4095)));
      const held = bench.rig.context.stats().heldBytes - heldBytes;
      assert.ok(held <= HALF_OPEN_PROMISE, `${held} bytes held`);
    }
    const message = course.commit();
    for (const record of course.fragments(message, [[500, 1002], [0, 500]])) assert.is(bench.rig.feed(course.session, record), 0);
    course.settle();
    course.live(role);
    bench.conclude();
  }
});

test('FRG-12 after completion nothing is buffered, from epoch 0 or epoch 1, and what was is given back', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const clean = bench.course(role).to('established');
    clean.echo();
    const { heldBytes } = bench.rig.context.stats();
    const course = bench.course(role).to('helloDone');
    // Something waits ahead when the handshake completes.
    for (const datagram of flood(course, HandshakeType.certificate, course.peer.messageSeq + 2, 5, 300)) bench.rig.feed(course.session, datagram);
    assert.ok(bench.rig.context.stats().heldBytes > heldBytes);
    course.to('established').echo();
    assert.is(bench.rig.context.stats().heldBytes, heldBytes, 'held after completion');
    for (let ahead = 0; ahead < 70; ahead++) {
      for (const type of [HandshakeType.certificate, HandshakeType.clientKeyExchange, HandshakeType.finished, HandshakeType.serverHello]) {
        for (const epoch of [0, 1]) {
          const message = { type, epoch, messageSeq: course.peer.messageSeq + ahead, body: new Uint8Array(50) };
          bench.drops(course.session, course.piece(message, 0, 20), `${role}: type ${type}, epoch ${epoch}, ${ahead} ahead`);
        }
      }
    }
    course.live();
    bench.conclude();
  }
});

test.run();
