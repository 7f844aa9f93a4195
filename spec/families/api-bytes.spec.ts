/**
 * API-04, API-06 and API-08, bytes across the border: buffers that are kept or scribbled on, arrays of every kind and
 * none, and writes at the wrong time.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, type DtlsContext, type Session } from '../../lib/index.js';
import { settled } from '../states/places.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, establishClient, fetchCookie, ScriptedPeer, takeServerFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';

const isConnected = (rig: Rig): boolean => rig.codes.includes(DTLS_EVENT_CONNECTED);

test('API-04 a host that keeps what it is given and scribbles on it, during and after the callback, changes nothing that is sent again', () => {
  const kept: Uint8Array[] = [];
  const scribble = (bytes: Uint8Array): void => {
    kept.push(bytes);
    for (const one of kept) one.fill(0xa5);
  };
  const rig: Rig = new Rig({}, {
    write: (_, session, bytes) => {
      rig.sent.push({ session, bytes: bytes.slice(), at: rig.now });
      scribble(bytes);
    },
    read: (_, session, bytes) => {
      rig.reads.push({ session, bytes: bytes.slice() });
      scribble(bytes);
    },
    getPskInfo: (_, __, type, description) => {
      const answer = type === 'key' && equal(description, IDENTITY) ? KEY.slice() : null;
      scribble(description);
      return answer;
    },
  });
  const peer = new ScriptedPeer('client');
  fetchCookie(rig, peer);
  rig.feed(CLIENT, peer.clientHello());
  const first = rig.takeSent();
  rig.advance(1000);
  const again = rig.takeSent();
  assert.equal(first.map((bytes) => bytes.slice(13)).map((bytes) => bytes.slice(0, 40)), again.map((bytes) => bytes.slice(13)).map((bytes) => bytes.slice(0, 40)));
  takeServerFlight(peer, again);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.is(isConnected(rig), true);
  peer.take(...rig.takeSent());
  assert.equal(peer.messages.at(-1)?.body, peer.verifyData('server'));
  rig.feed(CLIENT, peer.applicationData(text('one')));
  rig.feed(CLIENT, peer.applicationData(text('two')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('one'), text('two')]);
  rig.context.write(CLIENT, text('three'));
  peer.take(...rig.takeSent());
  assert.equal(peer.data, [text('three')]);
});

test('API-04 a datagram is only read: it is as it was, and what the host does to it afterwards has no effect', async () => {
  let answer: (key: Uint8Array) => void = () => {};
  const rig = new Rig({}, { getPskInfo: (_, __, type) => (type === 'key' ? new Promise((resolve) => (answer = resolve)) : null) });
  const feed = (bytes: Uint8Array): void => {
    const before = bytes.slice();
    rig.feed(CLIENT, bytes);
    assert.equal(bytes, before);
    bytes.fill(0);
  };
  const peer = new ScriptedPeer('client');
  feed(peer.clientHello());
  peer.cookie = peer.take(...rig.takeSent())[0]!.body.slice(3);
  // In fragments, so that it is held, then whole records that wait for the key.
  const body = peer.clientHelloBody();
  peer.note(1, 1, body);
  peer.transcript = peer.transcript.slice(-1);
  for (const [from, to] of [[0, 70], [75, body.length], [70, 75]] as const) {
    feed(peer.record(22, peer.fragment(1, body.subarray(from, to), { messageSeq: 1, offset: from, length: body.length })));
  }
  peer.messageSeq = 2;
  takeServerFlight(peer, rig.takeSent());
  const [keyExchange, change, finished] = clientFlight(peer);
  for (const record of [keyExchange, change, finished, peer.applicationData(text('held'))]) feed(record);
  answer(KEY);
  await settled();
  assert.is(isConnected(rig), true);
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('held')]);
});

test('API-04 a host that clears a datagram from within a callback ends the walk over it, and is not kept waiting', () => {
  let looks = 0;
  const rig: Rig = new Rig({
    now: () => {
      // Each fragment that comes again asks for the time.
      if (++looks > 1000) throw new Error('it goes on for ever');
      return rig?.now ?? 0;
    },
  });
  const server = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  toServerFlight(rig, server);
  rig.feed(SERVER, server.serverHello());
  const done = server.fragment(14, new Uint8Array(0));
  const datagram = server.record(22, join(done, server.fragment(99, new Uint8Array(5))));
  rig.onWrite = () => void datagram.fill(0);
  assert.is(rig.feed(SERVER, datagram), 0);
  assert.is(stateOf(rig, SERVER), 'waitFinished');
});

test('API-04 data that is written may be changed at once, and is not changed by the engine', () => {
  const rig = new Rig();
  const server = establishClient(rig);
  rig.takeSent();
  const data = text('as written');
  rig.context.write(SERVER, data);
  assert.equal(data, text('as written'));
  data.fill(0);
  server.take(...rig.takeSent());
  assert.equal(server.data, [text('as written')]);
});

test('API-06 what is no Uint8Array is a TypeError at once, in every call that takes bytes', () => {
  const rig = new Rig();
  establish(rig);
  const { context } = rig;
  const bad = [
    null, undefined, 'text', 5, [1, 2], {}, new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Uint16Array(4), new Uint8ClampedArray(4), new SharedArrayBuffer(8),
  ] as unknown as Uint8Array[];
  for (const bytes of bad) {
    for (const call of [
      () => context.handleMessage(CLIENT, bytes), () => context.write(CLIENT, bytes), () => context.writev(CLIENT, [bytes]), () => context.writev(CLIENT, [text('x'), bytes]),
      () => context.handleMessage({ address: 'unknown', port: 1 }, bytes),
    ]) assert.throws(call, (error: unknown) => error instanceof TypeError);
  }
  for (const parts of [null, undefined, 'text', 5, {}, new Uint8Array(3)] as unknown as Uint8Array[][]) {
    assert.throws(() => context.writev(CLIENT, parts), (error: unknown) => error instanceof TypeError);
  }
  assert.is(rig.context.getPeer(CLIENT)?.state, 'connected');
});

test('API-06 a Uint8Array over any memory serves: Node\'s Buffer, shared, resizable, a view into something larger', () => {
  const rig = new Rig();
  const peer = establish(rig);
  const wrap: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => Buffer.from(bytes),
    (bytes) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      return shared;
    },
    (bytes) => {
      const buffer = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(bytes.length, { maxByteLength: bytes.length + 100 });
      const view = new Uint8Array(buffer);
      view.set(bytes);
      return view;
    },
    (bytes) => {
      const large = new Uint8Array(bytes.length + 100).fill(0xee);
      large.set(bytes, 50);
      return large.subarray(50, 50 + bytes.length);
    },
  ];
  wrap.forEach((as, index) => {
    rig.feed(CLIENT, as(peer.applicationData(Uint8Array.of(index))));
    assert.is(rig.context.write(CLIENT, as(text('out'))), 3);
  });
  assert.equal(rig.reads.map(({ bytes }) => [...bytes]), [[0], [1], [2], [3]]);
  peer.take(...rig.takeSent());
  assert.equal(peer.data, wrap.map(() => text('out')));
});

test('API-06 a Buffer as key, identity and hint, and fragments that come as Buffers, are copied like anything else', () => {
  const pool = Buffer.from('a pool of bytes that is used again and again');
  const key = pool.subarray(0, 16);
  const hint = Uint8Array.from(pool.subarray(20, 24));
  const rig = new Rig({}, { getPskInfo: (_, __, type) => (type === 'hint' ? pool.subarray(20, 24) : key) });
  const peer = new ScriptedPeer('client', { psk: Uint8Array.from(key) });
  fetchCookie(rig, peer);
  const body = peer.clientHelloBody();
  const first = Buffer.from(peer.record(22, peer.fragment(1, body.subarray(0, 80), { messageSeq: 1, length: body.length })));
  rig.feed(CLIENT, first);
  first.fill(0);
  peer.transcript = [];
  peer.note(1, 1, body);
  rig.feed(CLIENT, peer.record(22, peer.fragment(1, body.subarray(80), { messageSeq: 1, offset: 80, length: body.length })));
  peer.messageSeq = 2;
  takeServerFlight(peer, rig.takeSent());
  const flight = clientFlight(peer);
  rig.feed(CLIENT, flight[0]);
  pool.fill(0);
  rig.feed(CLIENT, join(flight[1], flight[2]));
  assert.is(isConnected(rig), true);
  assert.equal(rig.context.getPeer(CLIENT)?.identity, { kind: 'psk', identity: IDENTITY, hint });
});

test('API-06 detached, empty and oversized arrays are network content: dropped or sent as they are, never thrown at', () => {
  const rig = new Rig();
  const peer = establish(rig);
  rig.takeSent();
  const detached = peer.applicationData(text('gone'));
  structuredClone(detached.buffer, { transfer: [detached.buffer as ArrayBuffer] });
  assert.is(detached.length, 0);
  for (const bytes of [detached, new Uint8Array(0), new Uint8Array(65_536), new Uint8Array(200_000).fill(23)]) {
    assert.is(rig.feed(CLIENT, bytes), 0);
    assert.is(rig.feed('unknown', bytes), 0);
  }
  assert.is(rig.context.write(CLIENT, detached), 0);
  rig.feed(CLIENT, peer.applicationData(text('still here')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('still here')]);
});

test('API-08 a hundred thousand writes before there is an association keep nothing and send one hello', () => {
  const rig = new Rig();
  const data = new Uint8Array(100);
  for (let i = 0; i < 100_000; i++) assert.is(rig.context.write(SERVER, data), 0);
  assert.is(rig.takeSent().length, 1);
  assert.ok(rig.context.stats().heldBytes < 300);
  assert.equal([rig.context.stats().halfOpen, rig.context.stats().deadlines], [1, 1]);
});

test('API-08 a write to an association that is closing or gone takes nothing and says so; with no peer it connects anew', () => {
  const rig = new Rig();
  const peer = establish(rig);
  rig.context.close(CLIENT);
  rig.takeSent();
  assert.is(rig.context.write(CLIENT, text('late')), 0);
  assert.equal(rig.takeSent(), []);
  rig.feed(CLIENT, peer.alert(1, 0, { epoch: 1 }));
  assert.is(stateOf(rig, CLIENT), 'gone');
  assert.is(rig.context.write(CLIENT, text('later')), 0);
  assert.is(stateOf(rig, CLIENT), 'waitServerHello');
});

test('API-08 while a newcomer shakes hands, writes go on under the association that lives', () => {
  const rig = new Rig();
  const old = establish(rig);
  toServerHelloDone(rig, new ScriptedPeer('client', { seed: 4 }));
  assert.is(rig.context.write(CLIENT, text('old')), 3);
  old.take(...rig.takeSent());
  assert.equal(old.data, [text('old')]);
});

test('API-12 two contexts share nothing: sessions, randomness, cookies, keys, counters', () => {
  const session: Session = { address: '192.0.2.1', port: 4000 };
  const [one, two] = [new Rig({}, {}, 1), new Rig({}, {}, 2)];
  const peer = new ScriptedPeer('client');
  fetchCookie(one, peer, session);
  const hello = peer.clientHello();
  two.feed(session, hello);
  assert.is(stateOf(two, session), 'gone', 'a cookie of the other');
  assert.is(two.takeSent()[0]![13], 3);
  one.feed(session, hello);
  takeServerFlight(peer, one.takeSent());
  one.feed(session, join(...clientFlight(peer)));
  const other = establish(two, new ScriptedPeer('client', { seed: 3 }), session);
  const data = peer.applicationData(text('for one'));
  two.feed(session, data);
  assert.equal(two.reads, []);
  one.feed(session, data);
  assert.is(one.reads.length, 1);
  two.feed(one.context.getPeer(session)!.session, other.applicationData(text('for two')));
  assert.is(two.reads.length, 1);
  one.context.free();
  two.feed(session, other.applicationData(text('again')));
  assert.is(two.reads.length, 2);
  assert.equal([one.context.stats().established, two.context.stats().established], [0, 1]);
  const contexts: DtlsContext[] = [one.context, two.context];
  assert.is(new Set(contexts).size, 2);
});

test('API-12 two contexts over one random source that repeats say the same, and still take no cookie of each other\'s session', () => {
  const [one, two] = [new Rig({}, {}, 1), new Rig({}, {}, 1)];
  const peer = new ScriptedPeer('client');
  fetchCookie(one, peer, 'a');
  fetchCookie(two, new ScriptedPeer('client'), 'b');
  two.feed('b', peer.clientHello());
  assert.is(stateOf(two, 'b'), 'gone');
});

test.run();
