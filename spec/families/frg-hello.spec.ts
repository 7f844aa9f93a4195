/**
 * FRG, the edges of a handshake: a ClientHello in pieces before any state exists (FRG-14), and messages that come
 * again after they were taken (FRG-16).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HandshakeType, type LocalError } from '../../lib/index.js';
import { Bench, ROLES, UNDER_WAY, type Course, type Upcoming } from '../support/course.js';
import { Random } from '../support/random.js';
import { join } from '../support/rig.js';
import { HONEST } from '../support/scripted.js';

/** A hello with much in it, such as a browser's with a post-quantum key share. */
const LARGE = { extensions: new Map([...HONEST, [0x0033, new Uint8Array(1800)]]) };

/** Where the cookie field ends. */
const cookieEnd = (body: Uint8Array): number => 36 + body[34]! + body[35 + body[34]!]!;
/** The least that a datagram must have to be answered: as much as the answer. */
const ANSWER = 60;
const HEADERS = 13 + 12;

test('FRG-14 a first fragment with the whole cookie field gets a HelloVerifyRequest no longer than itself, and no state', () => {
  const bench = new Bench();
  const course = bench.course('server', { hello: LARGE });
  const { upcoming } = course;
  const before = bench.snapshot(course.session);
  for (let to = 0; to < 300; to++) {
    const record = course.piece(upcoming, 0, to);
    bench.rig.feed(course.session, record);
    const answers = bench.takeFrom(course.session);
    const holdsCookie = to >= cookieEnd(upcoming.body) && record.length >= ANSWER;
    assert.is(answers.length, holdsCookie ? 1 : 0, `${to} bytes of the hello`);
    if (holdsCookie) assert.ok(answers[0]!.length <= record.length, `${to} bytes of the hello`);
    assert.equal(bench.snapshot(course.session), before);
  }
  course.live();
  bench.conclude();
});

test('FRG-14 fragments at an offset from an unknown session are dropped, before any cookie and with one', () => {
  const bench = new Bench();
  for (const stage of ['idle', 'helloVerified'] as const) {
    const course = bench.course('server', { hello: LARGE }).to(stage);
    const { upcoming } = course;
    for (const from of [1, 2, 34, 35, 36, 68, 100, 1000, upcoming.body.length - 1]) {
      bench.drops(course.session, course.piece(upcoming, from, upcoming.body.length), `${stage}: from ${from}`);
    }
    course.live();
  }
  bench.conclude();
});

/** Both hellos of a handshake, each cut at `cut`, each piece in a datagram of its own, in the order of `pieces`. */
function inPieces(course: Course, message: Upcoming, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts, message.body.length];
  return course.fragments(message, ends.map((to, i) => [i === 0 ? 0 : ends[i - 1]!, to]));
}

test('FRG-14 hellos in pieces complete, wherever behind the cookie they are cut, the first one whole or not', () => {
  for (const hello of [{}, LARGE]) {
    const bench = new Bench();
    for (const firstInPieces of [false, true]) {
      const probe = bench.course('server', { hello }).upcoming.body;
      // A hello grows by its cookie; the first fragment of the first one needs as many bytes as its answer.
      const cuts = [probe.length - 1, probe.length - 5, 48, 60].filter((cut) => cut >= Math.max(cookieEnd(probe), ANSWER - HEADERS));
      for (const cut of cuts) {
        const course = bench.course('server', { hello });
        const first = course.commit();
        const before = bench.rig.context.stats();
        for (const record of firstInPieces ? inPieces(course, first, [cut]) : [course.record(first)]) bench.rig.feed(course.session, record);
        assert.equal(bench.rig.context.stats().halfOpen, before.halfOpen);
        course.settle();
        const second = course.commit();
        for (const record of inPieces(course, second, [cut + 32, cut + 33])) assert.is(bench.rig.feed(course.session, record), 0);
        course.settle();
        course.live(`${JSON.stringify(hello)} cut at ${cut}`);
      }
    }
    bench.conclude();
  }
});

test('FRG-14 after a valid first fragment the rest of the hello is held to it: other bytes of the algorithms end without an answer', () => {
  const bench = new Bench();
  const course = bench.course('server', { hello: LARGE }).to('helloVerified');
  const { upcoming } = course;
  const cut = cookieEnd(upcoming.body);
  bench.rig.feed(course.session, course.piece(upcoming, 0, cut));
  assert.is(bench.rig.context.getPeer(course.session)?.state, 'handshake');
  const forged = { ...upcoming, body: upcoming.body.slice() };
  forged.body[cut + 3]! ^= 1; // another suite than the cookie was made for
  bench.rig.feed(course.session, course.piece(forged, cut, forged.body.length));
  assert.equal(course.taken(), []);
  assert.is(bench.rig.context.getPeer(course.session), undefined);
  course.live();
  bench.conclude();
});

test('FRG-14 a hello in pieces whose cookie cannot be checked for want of randomness is forgotten, and the host is told', () => {
  const random = new Random(14);
  let failing = false;
  const bench = new Bench({
    random: (length) => {
      if (failing) throw new Error('no randomness');
      return random.bytes(length);
    },
  });
  const { rig } = bench;
  const course = bench.course('server', { hello: LARGE }).to('helloVerified');
  const pieces = inPieces(course, course.commit(), [100, 101]);
  rig.feed(course.session, pieces[0]!);
  // The secret is to be replaced just now.
  rig.now += 60_000;
  failing = true;
  for (const piece of pieces.slice(1)) assert.is(rig.feed(course.session, piece), 0);
  assert.equal(rig.errors.map((error) => (error as LocalError).code), ['ERR_DTLS_RANDOM']);
  assert.equal([rig.context.getPeer(course.session), rig.context.stats().halfOpen], [undefined, 0]);
});

test('FRG-14 a hello that stops after its first fragment is forgotten in time, and sends nothing', () => {
  const bench = new Bench();
  const course = bench.course('server', { hello: LARGE }).to('helloVerified');
  bench.rig.feed(course.session, course.piece(course.upcoming, 0, 100));
  assert.is(bench.rig.context.stats().halfOpen, 1);
  bench.rig.runOut(90_000);
  assert.is(bench.rig.context.stats().halfOpen, 0);
  assert.equal(course.taken(), []);
  course.live();
  bench.conclude();
});

/** The messages that a course has sent up to `stage`, to be sent again. */
function earlier(course: Course, stage: string): Upcoming[] {
  const sent: Upcoming[] = [];
  while (course.stage !== stage) {
    const message = course.upcoming;
    if (message.type >= 0 && message.epoch === 0) sent.push(message);
    course.go();
  }
  return sent;
}

/** A message again, as it was and altered. */
function again(course: Course, message: Upcoming): Uint8Array[] {
  const altered = message.body.slice();
  for (let at = 2; at < Math.min(altered.length, 34); at++) altered[at]! ^= 0x55;
  const longer = { ...message, body: join(message.body, new Uint8Array(9)) };
  return [course.record(message), course.record(message, altered), course.record(longer), course.piece(message, 0, 1)];
}

test('FRG-16 messages that come again, the same or altered, are dropped and leave the transcript as it is', () => {
  for (const role of ROLES) {
    for (const stage of UNDER_WAY[role]) {
      const bench = new Bench();
      const course = bench.course(role);
      for (const message of earlier(course, stage)) {
        // The hellos of a server are not messages of a handshake until their cookie is known to be right.
        if (message.type === HandshakeType.clientHello) continue;
        for (const record of again(course, message)) bench.drops(course.session, record, `${role} at ${stage}: type ${message.type}`);
      }
      course.live();
      bench.conclude();
    }
  }
});

test('FRG-16 they trigger at most one retransmission of the flight in each timeout', () => {
  const { serverHello, clientHello, clientKeyExchange } = HandshakeType;
  for (const [role, stage, first] of [
    ['server', 'helloDone', serverHello], ['client', 'helloVerified', clientHello], ['client', 'helloDone', clientKeyExchange],
  ] as const) {
    const bench = new Bench();
    const { rig } = bench;
    const course = bench.course(role);
    const records = (): Uint8Array[] => messages.flatMap((message) => again(course, message));
    const messages = earlier(course, stage).slice(role === 'server' ? 1 : 0);
    const began = rig.now;
    let flights = 0;
    for (let step = 0; step < 20; step++) {
      rig.advance(0);
      for (let copy = 0; copy < 10; copy++) for (const record of records()) rig.feed(course.session, record);
      flights += count(bench, course, first);
      rig.now += 100;
    }
    // In two seconds the timer has sent the flight once (at 1 s); the peer may trigger one in each initial timeout.
    const timeouts = (rig.now - began) / 1000;
    assert.ok(flights >= 1, `${role} at ${stage}: no retransmission at all`);
    assert.ok(flights <= 2 * timeouts, `${role} at ${stage}: ${flights} flights in ${timeouts} timeouts`);
    bench.rig.sent.length = 0;
    course.live();
    bench.conclude();
  }
});

/** How many flights were sent since the last count: how often their first message went out. */
function count(bench: Bench, course: Course, first: number): number {
  // An altered hello is a stranger's: it gets a HelloVerifyRequest, which is no flight.
  return bench.takeFrom(course.session).filter((datagram) => datagram[13] === first).length;
}

test('FRG-16 after completion only an authentic, fresh Finished brings the last flight again: once a timeout, and not for ever', () => {
  const bench = new Bench({ maxRetransmits: 3 });
  const { rig } = bench;
  const course = bench.course('server');
  const messages = earlier(course, 'established');
  const finished = { type: HandshakeType.finished, epoch: 1, messageSeq: course.peer.messageSeq - 1, body: new Uint8Array(12) };
  const replay = course.record(finished);
  rig.advance(1000);
  for (const message of messages.slice(1)) {
    if (message.type === HandshakeType.clientHello) continue;
    for (const record of again(course, message)) bench.drops(course.session, record, `type ${message.type} in the clear`);
  }
  bench.drops(course.session, course.record({ ...finished, epoch: 0 }), 'Finished in the clear');
  const forged = course.record(finished);
  forged[forged.length - 1]! ^= 1;
  bench.drops(course.session, forged, 'a forged Finished');
  bench.drops(course.session, course.record({ ...finished, messageSeq: finished.messageSeq - 1 }), 'a Finished of another number');
  let flights = 0;
  for (let timeout = 0; timeout < 6; timeout++) {
    for (let copy = 0; copy < 5; copy++) rig.feed(course.session, timeout === 0 && copy === 0 ? replay : course.record(finished));
    const sent = bench.takeFrom(course.session);
    assert.ok(sent.length <= 1, `${sent.length} datagrams in one timeout`);
    flights += sent.length;
    rig.advance(999);
    rig.feed(course.session, course.record(finished));
    assert.is(bench.takeFrom(course.session).length, 0, 'again before the timeout was over');
    rig.advance(1);
  }
  assert.is(flights, 3);
  // The very same record is a replay, and no cause for anything.
  bench.drops(course.session, replay, 'replayed');
  course.live();
  bench.conclude();
});

test('FRG-16 the last flight is let go with the first data of the client', () => {
  const bench = new Bench();
  const course = bench.course('server').to('established');
  course.echo();
  const finished = { type: HandshakeType.finished, epoch: 1, messageSeq: course.peer.messageSeq - 1, body: new Uint8Array(12) };
  bench.rig.advance(1000);
  bench.rig.feed(course.session, course.record(finished));
  assert.equal(course.taken(), []);
  course.live();
  bench.conclude();
});

test.run();
