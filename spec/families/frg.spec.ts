/**
 * FRG, the honest part: messages in pieces, in any order, overlapping, repeated, packed together. Every handshake here
 * completes.
 *
 * The rows name a certificate of 3 KiB; with pre-shared keys the long messages are a ServerKeyExchange with a long
 * hint, a ClientKeyExchange with an identity of 1,024 bytes and a ClientHello with much in it. The first fragment of a
 * ClientHello must hold its cookie (FRG-14), so a hello is cut behind the cookie.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ContentType, HandshakeType } from '../../lib/index.js';
import { Bench, CHANGE_CIPHER_SPEC, ROLES, STAGES, type Course, type CourseOptions, type Stage, type Upcoming } from '../support/course.js';
import { Random } from '../support/random.js';
import { join, KEY, text } from '../support/rig.js';
import { HONEST } from '../support/scripted.js';

type Piece = readonly [number, number];

/** Credentials for whatever identity. */
const ANY_IDENTITY = { getPskInfo: (_: unknown, __: unknown, type: string): Uint8Array | null => (type === 'hint' ? null : type === 'identity' ? text('me') : KEY) };

/** Every stage that waits for a message in pieces, each on a fresh course. */
function eachMessage(options: CourseOptions, work: (bench: Bench, fresh: () => Course, name: string) => void): void {
  for (const role of ROLES) {
    const bench = new Bench({ maxPskIdentityBytes: 4000 }, ANY_IDENTITY);
    for (const stage of STAGES[role]) {
      if (stage === 'idle' || stage === 'established') continue;
      const { type, body } = bench.course(role, options).to(stage).upcoming;
      if (type === CHANGE_CIPHER_SPEC || body.length < 2) continue;
      work(bench, () => bench.course(role, options).to(stage), `${role} at ${stage}`);
    }
    bench.conclude();
  }
}

/** How long the first fragment has to be. */
function headOf({ type, body }: Upcoming): number {
  return type === HandshakeType.clientHello ? 36 + body[34]! + body[35 + body[34]!]! : 0;
}

/** One-byte pieces, after a head where there must be one. */
function bytesOf(message: Upcoming): { readonly head: Piece[]; readonly rest: Piece[] } {
  const head = headOf(message);
  const rest = Array.from({ length: message.body.length - head }, (_, i): Piece => [head + i, head + i + 1]);
  return { head: head === 0 ? [] : [[0, head]], rest };
}

/** Hands the pieces in, each in a datagram of its own; the handshake then completes. */
function deliver(course: Course, pieces: readonly Piece[], name: string): void {
  const message = course.commit();
  for (const record of course.fragments(message, pieces)) assert.is(course.bench.rig.feed(course.session, record), 0, name);
  course.settle();
  course.to('established');
  assert.is(course.connected, 1, name);
  course.echo();
}

test('FRG-01 every message cut into single bytes completes: in order, reversed, shuffled with three copies of each', () => {
  const random = new Random(1);
  eachMessage({}, (_, fresh, name) => {
    const { head, rest } = bytesOf(fresh().upcoming);
    deliver(fresh(), [...head, ...rest], `${name} in order`);
    deliver(fresh(), [...head, ...[...rest].reverse()], `${name} reversed`);
    deliver(fresh(), [...head, ...random.shuffle([...rest, ...rest, ...rest])], `${name} shuffled`);
  });
});

test('FRG-01 with no head first a hello in single bytes is taken on its second coming, reversed or not', () => {
  const bench = new Bench();
  const course = bench.course('server').to('helloVerified');
  const message = course.commit();
  const { head, rest } = bytesOf(message);
  const pieces = [...rest, ...head];
  // The head comes last and opens the door; the bytes before it have gone, as if lost, and come again.
  for (const record of course.fragments(message, pieces)) bench.rig.feed(course.session, record);
  assert.is(course.taken().length, 0);
  for (const record of course.fragments(message, pieces)) bench.rig.feed(course.session, record);
  course.settle();
  course.live();
  bench.conclude();
});

/** The longest messages that a PSK handshake has. */
const LONG: CourseOptions = {
  hint: new Uint8Array(3070).fill(0x68),
  identity: new Uint8Array(1024).fill(0x69),
  hello: { extensions: new Map([...HONEST, [0x0015, new Uint8Array(3000)]]) },
  serverHello: { sessionId: new Uint8Array(32).fill(1) },
};

test('FRG-01 messages of 3 KiB in thousands of single bytes, three times over, take under 500 ms each', () => {
  const random = new Random(3);
  let longest = 0;
  eachMessage(LONG, (_, fresh, name) => {
    const course = fresh();
    const message = course.commit();
    const { head, rest } = bytesOf(message);
    longest = Math.max(longest, message.body.length);
    const records = course.fragments(message, [...head, ...random.shuffle([...rest, ...rest, ...rest])]);
    const startedAt = performance.now();
    for (const record of records) course.bench.rig.feed(course.session, record);
    const elapsed = performance.now() - startedAt;
    assert.ok(elapsed < 500, `${name}: ${records.length} fragments took ${elapsed} ms`);
    course.settle();
    course.to('established');
    assert.is(course.connected, 1, name);
    course.echo();
  });
  assert.ok(longest >= 3072);
});

test('FRG-02 overlapping, repeated and contained fragments with consistent bytes complete', () => {
  const options: CourseOptions = { hint: new Uint8Array(148).fill(7), identity: new Uint8Array(148).fill(8) };
  const random = new Random(2);
  eachMessage({ ...options, serverHello: { sessionId: new Uint8Array(32) } }, (_, fresh, name) => {
    const { upcoming } = fresh();
    const { length } = upcoming.body;
    const head = headOf(upcoming);
    const at = (part: number): number => head + Math.round((length - head) * part);
    const overlaps: readonly Piece[][] = [
      [[0, at(2 / 3)], [at(1 / 3), length], [0, length]],
      [[0, at(2 / 3)], [at(1 / 3), length]],
      [[0, at(0.5)], [0, at(0.5)], [at(0.5), length], [at(0.5), length]],
      [[0, at(0.9)], [at(0.2), at(0.4)], [at(0.1), at(0.6)], [at(0.8), length]],
      [[0, at(0.1)], [at(0.5), length], [at(0.3), at(0.7)], [at(0.05), at(0.4)]],
      // Backwards, where nothing has to come first.
      ...(head === 0 ? [[[at(0.4), length], [at(0.2), at(0.8)], [0, at(0.5)]] as Piece[]] : []),
    ];
    for (const pieces of overlaps) deliver(fresh(), pieces, `${name} ${JSON.stringify(pieces)}`);
    for (let round = 0; round < 10; round++) {
      const pieces: Piece[] = [[0, Math.max(head, 1)]];
      while (!covers(pieces, length)) {
        const from = random.below(length);
        pieces.push([from, from + 1 + random.below(length - from)]);
      }
      deliver(fresh(), pieces, `${name} ${JSON.stringify(pieces)}`);
    }
  });
});

function covers(pieces: readonly Piece[], length: number): boolean {
  return Array.from({ length }, (_, i) => pieces.some(([from, to]) => from <= i && i < to)).every(Boolean);
}

/** The messages up to the one that leads to `last`, committed: what a scripted peer sends at once. */
function flightOf(course: Course, last: Stage): Upcoming[] {
  const flight: Upcoming[] = [];
  while (course.stage !== last) flight.push(course.commit());
  return flight;
}

test('FRG-15 several messages in one record, each in its own, and pieces of different messages in one record complete', () => {
  const bench = new Bench();
  const packings: Readonly<Record<string, (course: Course, flight: readonly Upcoming[]) => Uint8Array[]>> = {
    'all in one record': (course, flight) => [course.peer.record(ContentType.handshake, join(...flight.map((message) => whole(course, message))))],
    'each in its own datagram': (course, flight) => flight.map((message) => course.record(message)),
    'each in its own record of one datagram': (course, flight) => [join(...flight.map((message) => course.record(message)))],
    'cut across records': (course, flight) => {
      const [hello, hint, done] = flight as [Upcoming, Upcoming, Upcoming];
      const third = Math.floor(hello.body.length / 3);
      return [
        course.peer.record(ContentType.handshake, join(part(course, hello, third, hello.body.length), part(course, hint, 0, 2))),
        course.peer.record(ContentType.handshake, join(whole(course, done), part(course, hint, 2, hint.body.length), part(course, hello, 0, third))),
      ];
    },
    'in reverse, in one record': (course, flight) => [
      course.peer.record(ContentType.handshake, join(...[...flight].reverse().map((message) => whole(course, message)))),
    ],
  };
  for (const [name, pack] of Object.entries(packings)) {
    const course = bench.course('client').to('helloVerified');
    const datagrams = pack(course, flightOf(course, 'helloDone'));
    for (const datagram of datagrams) assert.is(bench.rig.feed(course.session, datagram), 0, name);
    course.settle();
    course.to('established');
    assert.is(course.connected, 1, name);
    course.echo();
  }
  bench.conclude();
});

test('FRG-15 the last flight completes in every order of its records', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const together of [false, true]) {
      for (const order of permutations(role === 'server' ? 3 : 2)) {
        const course = bench.course(role).to('helloDone');
        const records = flightOf(course, 'established').map((message) => course.record(message));
        const sent = order.map((index) => records[index]!);
        for (const datagram of together ? [join(...sent)] : sent) assert.is(bench.rig.feed(course.session, datagram), 0);
        // ChangeCipherSpec before the keys means nothing: then the flight comes again, as it would.
        if (course.connected === 0) {
          assert.ok(role === 'server' && order.indexOf(1) < order.indexOf(0), `${role} ${order.join()} together: ${together}`);
          bench.rig.feed(course.session, course.peer.changeCipherSpec());
        }
        assert.is(course.connected, 1, `${role} ${order.join()} together: ${together}`);
        course.settle();
        course.echo();
      }
    }
    bench.conclude();
  }
});

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((shorter) =>
    Array.from({ length: count }, (_, at) => [...shorter.slice(0, at), count - 1, ...shorter.slice(at)]),
  );
}

function whole(course: Course, message: Upcoming): Uint8Array {
  return part(course, message, 0, message.body.length);
}

function part(course: Course, { type, body, messageSeq }: Upcoming, from: number, to: number): Uint8Array {
  return course.peer.fragment(type, body.slice(from, to), { messageSeq, length: body.length, offset: from });
}

test.run();
