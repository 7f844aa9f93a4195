/**
 * Order and time: records in any order, no answer at all, clocks that jump, an idle month, both sides calling at
 * once, and the same bytes whenever seed and clock are the same.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_TIMEOUT } from '../../lib/index.js';
import { MIN_MTU } from '../../lib/engine/config.js';
import { connected, connectedAt, echoes, handshake, NOTHING, pair, records, remains } from '../support/pair.js';
import type { Datagram } from '../support/link.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, establishClient, fetchCookie, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';

/** When both sides are connected without loss: three round trips of 100 ms. */
const UNDISTURBED = 300;
const HINT = text('a hint');

/** A handler that brings a ServerKeyExchange into the server's flight. */
const withHint = {
  getPskInfo: (_: unknown, __: unknown, type: string, description: Uint8Array): Uint8Array | null =>
    type === 'hint' ? HINT : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null,
};

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]));
}

// NET-05

// ChangeCipherSpec comes before ClientKeyExchange and means nothing yet: it is needed again. Where the hello takes two
// datagrams, the second fragment comes before the first has opened the door: it is needed again too.
for (const [mtu, timeouts] of [[1232, 1], [128, 1], [MIN_MTU, 2]] as const) {
  test(`NET-05 with every flight arriving in reverse each flight at MTU ${mtu} waits for one retransmission at most`, () => {
    const ends = pair({ reverse: true, transform: ({ bytes }) => records(bytes) }, { mtu }, withHint);
    assert.ok(handshake(ends));
    assert.ok(connectedAt(ends.client) <= UNDISTURBED + timeouts * 1000, `${connectedAt(ends.client)} ms`);
    assert.ok(echoes(ends));
    assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
  });
}

test('NET-05 the records of every flight may come in any order: only a ChangeCipherSpec before the keys costs a timeout', () => {
  for (const hello of permutations([0, 1, 2])) {
    for (const exchange of permutations([0, 1, 2])) {
      for (const finish of permutations([0, 1])) {
        const order = (datagram: Datagram): Uint8Array[] => {
          const parts = records(datagram.bytes);
          if (parts.length === 1) return parts;
          const wanted = datagram.from === 'c' ? exchange : parts.length === 3 ? hello : finish;
          return wanted.map((i) => parts[i]!);
        };
        const ends = pair({ transform: order }, {}, withHint);
        const name = JSON.stringify({ hello, exchange, finish });
        assert.ok(handshake(ends), name);
        const early = exchange.indexOf(1) < exchange.indexOf(0);
        assert.is(connectedAt(ends.client), UNDISTURBED + (early ? 1000 : 0), name);
        assert.ok(echoes(ends), name);
      }
    }
  }
});

// NET-07

/** When each of the rig's datagrams was sent, counted from the first. */
function sendTimes(rig: Rig): number[] {
  return rig.sent.map(({ at }) => at - rig.sent[0]!.at);
}

const SCHEDULES = [
  { options: {}, sent: [0, 1000, 3000, 7000, 15_000, 31_000], end: 63_000 },
  { options: { maxRetransmits: 7 }, sent: [0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000], end: 183_000 },
  { options: { initialTimeoutMs: 9000, maxTimeoutMs: 20_000, maxRetransmits: 3 }, sent: [0, 9000, 27_000, 47_000], end: 67_000 },
] as const;

for (const { options, sent, end } of SCHEDULES) {
  const name = JSON.stringify(options);

  test(`NET-07 without an answer a client retransmits at doubling times and gives up once, with ${name}`, () => {
    const rig = new Rig(options);
    const start = rig.now;
    rig.context.connect(SERVER);
    rig.runOut();
    assert.equal(sendTimes(rig), sent);
    assert.equal(rig.events.map(({ code, at }) => [code, at - start]), [[DTLS_EVENT_CONNECT, 0], [DTLS_EVENT_TIMEOUT, end]]);
    assert.is(rig.events[1]?.detail?.code, 'ERR_DTLS_TIMEOUT');
    assert.equal(remains({ name: '', context: rig.context, events: [], reads: [] }), NOTHING);
    assert.is(rig.scheduled.at(-1), 0, 'the host was told that nothing waits');
    assert.is(rig.context.getPeer(SERVER), undefined);
    assert.is(rig.context.connect(SERVER), 1);
  });

  test(`NET-07 without an answer a server retransmits at doubling times and gives up once, with ${name}`, () => {
    const rig = new Rig(options);
    const client = new ScriptedPeer('client');
    fetchCookie(rig, client);
    const start = rig.now;
    rig.feed(CLIENT, client.clientHello());
    rig.runOut();
    assert.equal(sendTimes(rig), sent);
    assert.equal(rig.events.map(({ code, at }) => [code, at - start]), [[DTLS_EVENT_CONNECT, 0], [DTLS_EVENT_TIMEOUT, end]]);
    assert.equal(remains({ name: '', context: rig.context, events: [], reads: [] }), NOTHING);
    assert.is(rig.scheduled.at(-1), 0);
    establish(rig, new ScriptedPeer('client', { seed: 5 }));
    assert.is(rig.codes.at(-1), DTLS_EVENT_CONNECTED, 'the next handshake is as good as any');
  });
}

test('NET-07 a retransmission carries the same messages in records with new numbers', () => {
  const rig = new Rig();
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  rig.feed(CLIENT, client.clientHello());
  rig.runOut();
  const flights = rig.takeSent().map((datagram) => client.take(datagram));
  for (const flight of flights) {
    const content = ({ type, messageSeq, body }: (typeof flight)[number]): unknown => ({ type, messageSeq, body });
    assert.equal(flight.map(content), flights[0]!.map(content));
  }
  const numbers = flights.flat().map(({ sequence }) => sequence);
  assert.is(new Set(numbers).size, numbers.length);
  assert.equal(numbers, [...numbers].sort((a, b) => a - b));
});

test('NET-07 jitter stretches every timeout by up to its fraction and shortens none', () => {
  const rig = new Rig({ timeoutJitter: 0.1, maxRetransmits: 7 });
  rig.context.connect(SERVER);
  rig.runOut();
  const times = sendTimes(rig);
  const waits = times.slice(1).map((at, i) => at - times[i]!);
  [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000].forEach((wait, i) => {
    assert.ok(waits[i]! >= wait && waits[i]! <= 1.1 * wait, `${waits[i]} after retransmission ${i}`);
  });
  assert.ok(waits.some((wait, i) => wait !== [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000][i]), 'there is jitter at all');
});

test('NET-02 a server repeats its last flight for as long as a client with its timers goes on asking', () => {
  // From the last flight on nothing gets through for most of 2·MSL (RFC 6347 §4.2.4); the client's patience is longer.
  const ends = pair({ dropNumber: (index) => index >= 5 }, { maxRetransmits: 12 });
  assert.not.ok(handshake(ends, 170_000));
  assert.is(ends.server.context.getPeer('c')?.state, 'connected');
  ends.link.options = {};
  ends.link.run();
  assert.ok(connected(ends));
});

// NET-08

for (const role of ['client', 'server'] as const) {
  test(`NET-08 a clock that jumps makes a ${role} send one flight a call, and one that stands or goes back none`, () => {
    const rig = new Rig({ maxRetransmits: 7 });
    if (role === 'client') rig.context.connect(SERVER);
    else {
      const client = new ScriptedPeer('client');
      fetchCookie(rig, client);
      rig.feed(CLIENT, client.clientHello());
    }
    rig.takeSent();
    const first = rig.context.checkRetransmit();
    assert.is(first, rig.now + 1000);
    // An hour at once: one retransmission, not the eleven that were due.
    const second = rig.advance(3_600_000);
    assert.is(rig.takeSent().length, 1);
    assert.is(second, rig.now + 2000);
    for (let i = 0; i < 1000; i++) assert.is(rig.context.checkRetransmit(), second);
    assert.is(rig.takeSent().length, 0);
    // Back by an hour: time stands still until the clock has caught up.
    assert.is(rig.advance(-3_600_000), second);
    for (let i = 0; i < 10; i++) assert.is(rig.advance(60_000), second);
    assert.is(rig.takeSent().length, 0);
    // What begins meanwhile waits from the latest time that was, not from the time it is said to be.
    const other = { address: '198.51.100.9', port: 9 };
    rig.context.connect(other);
    rig.takeSent();
    for (let i = 0; i < 10; i++) assert.is(rig.advance(60_000), second - 1000);
    assert.is(rig.takeSent().length, 0);
    rig.context.resetPeer(rig.context.getPeer(other)!);
    rig.now = second - 1;
    assert.is(rig.context.checkRetransmit(), second);
    const third = rig.advance(1);
    assert.is(rig.takeSent().length, 1);
    assert.is(third, rig.now + 4000);
  });
}

test('NET-08 after a jump beyond every timeout a handshake is given up by and by, never at once', () => {
  const rig = new Rig({ maxRetransmits: 3 });
  rig.context.connect(SERVER);
  rig.takeSent();
  const events: number[] = [];
  for (let hour = 0; hour < 6; hour++) {
    rig.advance(3_600_000);
    events.push(rig.takeSent().length);
  }
  assert.equal(events, [1, 1, 1, 0, 0, 0]);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT]);
});

// NET-10

/** A rig that writes down what the peer's state was whenever data was read. */
function watchful(): { rig: Rig; states: (string | undefined)[] } {
  const states: (string | undefined)[] = [];
  const rig: Rig = new Rig({}, {
    read: (context, session, data) => {
      states.push(context.getPeer(session)?.state);
      rig.reads.push({ session, bytes: data.slice() });
    },
  });
  return { rig, states };
}

test('NET-10 data that overtakes the client’s Finished in any way is read once, after the server is connected', () => {
  for (const order of permutations([0, 1, 2, 3])) {
    const { rig, states } = watchful();
    const client = new ScriptedPeer('client');
    toServerHelloDone(rig, client);
    const flight = clientFlight(client);
    const parts = [...flight, client.applicationData(text('early'))];
    for (const i of order) rig.feed(CLIENT, parts[i]!);
    const inOrder = order.indexOf(0) < order.indexOf(1);
    assert.equal(rig.codes, inOrder ? [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED] : [DTLS_EVENT_CONNECT], String(order));
    // ChangeCipherSpec before ClientKeyExchange meant nothing: the flight comes again.
    if (!inOrder) for (const record of flight) rig.feed(CLIENT, record);
    assert.equal(states, ['connected'], String(order));
    assert.equal(rig.reads.map(({ bytes }) => bytes), [text('early')], String(order));
  }
});

test('NET-10 data that overtakes the server’s Finished in any way is read once, after the client is connected', () => {
  for (const order of permutations([0, 1, 2])) {
    const { rig, states } = watchful();
    const server = new ScriptedPeer('server');
    rig.context.connect(SERVER);
    toServerFlight(rig, server);
    rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
    takeClientFlight(server, rig.takeSent());
    const parts = [server.changeCipherSpec(), server.finished(), server.applicationData(text('early'))];
    for (const i of order) rig.feed(SERVER, parts[i]!);
    assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED], String(order));
    assert.equal(states, ['connected'], String(order));
    assert.equal(rig.reads.map(({ bytes }) => bytes), [text('early')], String(order));
  }
});

test('NET-10 data whose Finished never comes is never read', () => {
  const { rig, states } = watchful();
  const client = new ScriptedPeer('client');
  toServerHelloDone(rig, client);
  const [keyExchange, change] = clientFlight(client);
  for (let i = 0; i < 20; i++) rig.feed(CLIENT, client.applicationData(text(`early ${i}`)));
  rig.feed(CLIENT, join(keyExchange, change));
  for (let i = 0; i < 20; i++) rig.feed(CLIENT, client.applicationData(text(`late ${i}`)));
  assert.ok(rig.context.stats().heldBytes <= 8192);
  rig.runOut();
  assert.equal([states, rig.reads], [[], []]);
  assert.equal(remains({ name: '', context: rig.context, events: [], reads: [] }), NOTHING);
});

// NET-12

test('NET-12 two ends that call each other at once both give up; one that is called first answers: one or none', () => {
  for (let later = 0; later <= 200; later += 20) {
    const ends = pair();
    const { link, client, server } = ends;
    client.context.connect('s');
    link.run(undefined, later);
    link.now = later;
    const began = server.context.connect('c');
    link.run();
    const found = [client.context.getPeer('s')?.state, server.context.getPeer('c')?.state];
    // The server's half is made by the second hello, which is there after 150 ms: until then each side is a client.
    if (later < 150) {
      assert.is(began, 1, `${later} ms`);
      assert.equal(found, [undefined, undefined], `${later} ms`);
      for (const { events } of [client, server]) {
        assert.equal(events.map(({ code }) => code), [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT], `${later} ms`);
      }
      assert.equal([remains(client), remains(server)], [NOTHING, NOTHING]);
      assert.ok(handshake(ends), 'whoever calls first the next time gets through');
    } else {
      assert.is(began, 0, `${later} ms`);
      assert.equal(found, ['connected', 'connected'], `${later} ms`);
    }
    assert.ok(echoes(ends));
  }
});

// NET-13

test('NET-13 an association that is idle for 30 days sends nothing, waits for nothing and still takes records', () => {
  const month = 30 * 24 * 3_600_000;
  const server = new Rig();
  const client = establish(server);
  const other = new Rig();
  const peer = establishClient(other);
  for (const rig of [server, other]) {
    rig.takeSent();
    const woken = rig.scheduled.length;
    for (let day = 0; day < 30; day++) assert.is(rig.advance(month / 30), 0);
    assert.equal([rig.sent, rig.scheduled.length], [[], woken]);
    assert.is(rig.context.stats().deadlines, 0);
  }
  server.feed(CLIENT, client.applicationData(text('awake')));
  other.feed(SERVER, peer.applicationData(text('awake')));
  for (const rig of [server, other]) assert.equal(rig.reads.map(({ bytes }) => bytes), [text('awake')]);
  assert.is(server.context.write(CLIENT, text('still here')), 10);
  assert.is(other.context.write(SERVER, text('still here')), 10);
  client.take(...server.takeSent());
  peer.take(...other.takeSent());
  assert.equal([client.data, peer.data], [[text('still here')], [text('still here')]]);
});

// NET-14

test('NET-14 the same seed, randomness and clock make the same bytes at the same times', () => {
  const run = (seed: number): readonly Datagram[] => {
    const ends = pair({ seed, drop: 0.3, duplicate: 0.2, reorder: 0.3 }, { maxRetransmits: 12, timeoutJitter: 0.1 });
    assert.ok(handshake(ends));
    ends.client.context.write('s', text('ping'));
    ends.link.run();
    ends.client.context.close('s');
    ends.link.run();
    return ends.link.log;
  };
  for (const seed of [1, 2, 3, 4, 5]) assert.equal(run(seed), run(seed), `seed ${seed}`);
  assert.is.not(run(1).length === run(2).length && equal(run(1)[0]!.bytes, run(2)[0]!.bytes), true);
});

test.run();
