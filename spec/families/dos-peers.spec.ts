/**
 * How many half-open peers there may be, who gives way, and what one silent or repeating peer can cost.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_TIMEOUT, type SessionAddress,
} from '../../lib/index.js';
import { writePskClientKeyExchange } from '../../lib/message/keyexchange.js';
import { CLIENT, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, fetchCookie, ScriptedPeer, toServerHelloDone } from '../support/scripted.js';
import { address, hello, provenHello } from './dos-hello.js';

const NOTHING = { halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0 };
const FULL = process.env['MICRODTLS_FULL'] === '1';

function state(rig: Rig): typeof NOTHING {
  const { halfOpen, established, heldBytes, deadlines } = rig.context.stats();
  return { halfOpen, established, heldBytes, deadlines };
}

/** Opens a handshake from `session` up to the server's flight. False if it was not let in. */
function open(rig: Rig, session: SessionAddress | string): boolean {
  rig.feed(session, provenHello(rig, session));
  return rig.takeSent()[0]?.[13] === 2;
}

function lives(rig: Rig, session: SessionAddress | string, client: ScriptedPeer): boolean {
  const before = rig.reads.length;
  rig.feed(session, client.applicationData(text('ping')));
  rig.takeSent();
  rig.context.write(session, text('pong'));
  const received = client.data.length;
  client.take(...rig.takeSent());
  return rig.reads.length === before + 1 && client.data.length === received + 1;
}

/** Which of the sessions have a peer. */
function present(rig: Rig, sessions: readonly SessionAddress[]): SessionAddress[] {
  return sessions.filter((session) => rig.context.getPeer(session) !== undefined);
}

function evictions(rig: Rig): SessionAddress[] {
  return rig.events.filter(({ code, detail }) => code === DTLS_EVENT_ERROR && detail?.code === 'ERR_DTLS_EVICTED')
    .map(({ session }) => session as SessionAddress);
}

const ports = (count: number, at: string): SessionAddress[] => Array.from({ length: count }, (_, i) => ({ address: at, port: 1 + i }));

test('DOS-09 at the limit of half-open peers the oldest of the fullest address gives way, until no address stands out', () => {
  const rig = new Rig({ maxHalfOpenPeers: 10 });
  const crowd = ports(6, '192.0.2.66');
  const others = [1, 2, 3, 4].map((i) => address(i));
  for (const session of [others[0]!, ...crowd, ...others.slice(1)]) assert.ok(open(rig, session));
  assert.equal([state(rig).halfOpen, evictions(rig)], [10, []]);
  for (let i = 0; i < 5; i++) {
    assert.ok(open(rig, address(100 + i)), 'the newcomer gets in');
    assert.equal([state(rig).halfOpen, state(rig).deadlines], [10, 10]);
  }
  assert.equal(present(rig, crowd), crowd.slice(5), 'the crowd went from its oldest on');
  assert.equal(present(rig, others), others, 'those who are alone at their address stayed');
  assert.equal(evictions(rig).map(({ port }) => port), [1, 2, 3, 4, 5]);
  assert.is(rig.context.stats().evicted, 5);
});

test('DOS-09 one address, whatever its ports, has a limit of its own and pays for itself', () => {
  const rig = new Rig({ maxHalfOpenPeersPerAddress: 5 });
  const bystander = address(1);
  assert.ok(open(rig, bystander));
  const crowd = ports(50, '192.0.2.66');
  for (const session of crowd) assert.ok(open(rig, session));
  assert.equal([state(rig).halfOpen, state(rig).deadlines], [6, 6]);
  assert.equal(present(rig, crowd), crowd.slice(45));
  assert.ok(rig.context.getPeer(bystander) !== undefined);
  assert.is(rig.context.stats().evicted, 45);
});

test('DOS-09 a half-open peer that completes or fails makes room at once', () => {
  const rig = new Rig({ maxHalfOpenPeersPerAddress: 2 });
  const [one, two, three] = ports(3, '192.0.2.66') as [SessionAddress, SessionAddress, SessionAddress];
  establish(rig, new ScriptedPeer('client', { seed: 1 }), one);
  assert.ok(open(rig, two) && open(rig, three));
  assert.equal([state(rig).halfOpen, state(rig).established, evictions(rig)], [2, 1, []]);
  rig.runOut();
  assert.equal([state(rig).halfOpen, state(rig).established], [0, 1]);
  assert.ok(open(rig, two) && open(rig, three));
  assert.equal(evictions(rig), []);
});

test('DOS-09 established peers never give way: where there are none but those, the newcomer is refused', () => {
  const rig = new Rig({ maxPeers: 3 });
  const clients = [1, 2, 3].map((seed) => ({ session: address(seed), client: new ScriptedPeer('client', { seed }) }));
  for (const { session, client } of clients) establish(rig, client, session);
  assert.is(state(rig).established, 3);
  for (let i = 0; i < 20; i++) assert.not.ok(open(rig, address(100 + i)));
  assert.is(rig.context.stats().dropped.limit, 20);
  assert.throws(() => rig.context.connect(SERVER), (error: { code?: string }) => error.code === 'ERR_DTLS_EVICTED');
  assert.equal([state(rig).halfOpen, state(rig).established, state(rig).deadlines], [0, 3, 0]);
  for (const { session, client } of clients) assert.ok(lives(rig, session, client));
});

test('DOS-09 where all places are taken a half-open peer gives way and the established ones stay', () => {
  const rig = new Rig({ maxPeers: 3 });
  const client = new ScriptedPeer('client');
  establish(rig, client);
  assert.ok(open(rig, address(1)) && open(rig, address(2)));
  for (let i = 0; i < 20; i++) assert.ok(open(rig, address(100 + i)));
  assert.equal([state(rig).halfOpen, state(rig).established], [2, 1]);
  assert.ok(lives(rig, CLIENT, client));
});

test('DOS-09 whoever was evicted may come back and complete', () => {
  const rig = new Rig({ maxHalfOpenPeers: 2 });
  const client = new ScriptedPeer('client', { seed: 1 });
  toServerHelloDone(rig, client);
  for (let i = 0; i < 3; i++) {
    assert.ok(open(rig, { ...(CLIENT as SessionAddress), port: 1 + i }));
    rig.advance(10);
  }
  assert.is(rig.context.getPeer(CLIENT), undefined);
  const again = establish(rig, new ScriptedPeer('client', { seed: 2 }));
  assert.ok(lives(rig, CLIENT, again));
});

test('DOS-07 one hello with its cookie, again and again during a handshake, makes one state and few flights', () => {
  const rig = new Rig();
  const repeated = provenHello(rig, CLIENT);
  const start = rig.now;
  const count = FULL ? 10_000 : 1000;
  const step = 60_000 / count;
  for (let i = 0; i < count; i++) {
    rig.feed(CLIENT, repeated);
    assert.equal([state(rig).halfOpen, state(rig).deadlines], [1, 1]);
    assert.ok(state(rig).heldBytes <= 1024, `${state(rig).heldBytes} bytes`);
    rig.advance(step);
  }
  const seconds = (rig.now - start) / 1000;
  // One a timeout because the client seems to ask for it, and those of the server's own timer.
  assert.ok(rig.sent.length <= 1 + seconds + 5, `${rig.sent.length} flights in ${seconds} s`);
  const out = rig.sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.ok(out <= 3 * count * repeated.length, `${out} bytes`);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT]);
});

test('DOS-07 ten thousand copies of a hello with its cookie in an instant are answered with one flight', () => {
  const rig = new Rig();
  const repeated = provenHello(rig, CLIENT);
  for (let i = 0; i < 10_000; i++) rig.feed(CLIENT, repeated);
  assert.is(rig.takeSent().length, 1);
  assert.equal([state(rig).halfOpen, state(rig).deadlines], [1, 1]);
});

test('DOS-07 a handshake goes on and completes while its hello is repeated', () => {
  const rig = new Rig();
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  const repeated = client.clientHello();
  rig.feed(CLIENT, repeated);
  const flight = rig.takeSent();
  for (let i = 0; i < 100; i++) {
    rig.advance(50);
    rig.feed(CLIENT, repeated);
  }
  rig.takeSent();
  for (const { type, messageSeq, body } of client.take(...flight)) {
    if (type === 2) client.serverRandom = body.slice(2, 34);
    client.note(type, messageSeq, body);
  }
  for (const record of clientFlight(client)) {
    rig.feed(CLIENT, repeated);
    rig.feed(CLIENT, record);
  }
  client.take(...rig.takeSent());
  assert.is(rig.codes.at(-1), DTLS_EVENT_CONNECTED);
  assert.ok(lives(rig, CLIENT, client));
});

for (const options of [{}, { maxRetransmits: 7, initialTimeoutMs: 200 }]) {
  test(`DOS-15 a client that goes silent after its cookie costs its flights and no more, with ${JSON.stringify(options)}`, () => {
    const rig = new Rig({ ...options, timeoutJitter: 0.1 });
    const repeated = provenHello(rig, CLIENT);
    const start = rig.now;
    rig.feed(CLIENT, repeated);
    const flight = rig.sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert.ok(state(rig).heldBytes <= 8192);
    rig.runOut();
    const out = rig.sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const retransmits = 'maxRetransmits' in options ? options.maxRetransmits! : 5;
    assert.is(out, (1 + retransmits) * flight);
    assert.ok(rig.now - start <= 90_000, `${rig.now - start} ms`);
    assert.equal([state(rig), rig.codes], [NOTHING, [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT]]);
    assert.is(rig.scheduled.at(-1), 0);
  });
}

test('DOS-15 a client that stops anywhere in its handshake is forgotten in time', () => {
  for (const stop of [0, 1, 2]) {
    const rig = new Rig();
    const client = new ScriptedPeer('client');
    toServerHelloDone(rig, client);
    const start = rig.now;
    for (const record of clientFlight(client).slice(0, stop)) rig.feed(CLIENT, record);
    rig.runOut();
    assert.ok(rig.now - start <= 90_000, `${rig.now - start} ms after ${stop} records`);
    assert.equal([state(rig), rig.codes], [NOTHING, [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT]], `after ${stop} records`);
  }
});

test('DOS-16 a client that is asked for one cookie after another answers three times, then gives up', () => {
  const rig = new Rig();
  const server = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  assert.is(rig.takeSent().length, 1);
  let hellos = 0;
  let code = 0;
  for (let i = 0; i < 1000; i++) {
    code = rig.feed(SERVER, server.helloVerifyRequest(server.random.bytes(32))) || code;
    const sent = rig.takeSent();
    hellos += sent.filter((datagram) => datagram[0] === 22).length;
    server.take(...sent);
    assert.ok(state(rig).heldBytes <= 1024);
  }
  assert.is(hellos, 3);
  assert.is(code, -(2 * 256 + 10), 'unexpected_message');
  assert.equal(server.alerts, [{ epoch: 0, level: 2, description: 10 }], 'said once');
  assert.equal([rig.fatal, state(rig)], [[10], NOTHING]);
});

test('DOS-16 the same HelloVerifyRequest a thousand times is answered once', () => {
  const rig = new Rig();
  const server = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  rig.takeSent();
  const request = server.helloVerifyRequest(server.random.bytes(32));
  for (let i = 0; i < 1000; i++) rig.feed(SERVER, request);
  assert.is(rig.takeSent().length, 1);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT]);
});

test('DOS-16 a client answers as many HelloVerifyRequests as the option says', () => {
  for (const maxHelloVerifyRequests of [1, 2, 16]) {
    const rig = new Rig({ maxHelloVerifyRequests });
    const server = new ScriptedPeer('server');
    rig.context.connect(SERVER);
    rig.takeSent();
    for (let i = 0; i < 20; i++) rig.feed(SERVER, server.helloVerifyRequest(new Uint8Array([i])));
    assert.is(rig.takeSent().filter((datagram) => datagram[0] === 22).length, maxHelloVerifyRequests);
  }
});

test('EPO-04 forged records of a later epoch, up to every bound, never keep the next message from being put together', () => {
  const identity = new Uint8Array(900).fill(65);
  const rig = new Rig({}, { getPskInfo: (_, __, type) => (type === 'hint' ? null : KEY) });
  const client = new ScriptedPeer('client', { identity });
  toServerHelloDone(rig, client);
  for (const length of [1190, 1190, 1190, 1190, 1190, 100, 100, 20, 20, 20, 20]) {
    rig.feed(CLIENT, client.record(22, client.random.bytes(length), { epoch: 1, protection: null }));
  }
  assert.ok(state(rig).heldBytes <= 8192, `${state(rig).heldBytes} bytes`);
  assert.ok(rig.context.stats().dropped.bounds >= 2, 'not all of them were kept');
  const body = writePskClientKeyExchange(identity);
  const messageSeq = client.messageSeq++;
  client.note(16, messageSeq, body);
  for (let offset = 0; offset < body.length; offset += 100) {
    const part = body.slice(offset, offset + 100);
    rig.feed(CLIENT, client.record(22, client.fragment(16, part, { messageSeq, length: body.length, offset })));
  }
  client.deriveKeys();
  rig.feed(CLIENT, join(client.changeCipherSpec(), client.finished()));
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]);
});

test('a hello from a stranger who never had a cookie changes nothing for those half-open', () => {
  const rig = new Rig({ maxHalfOpenPeers: 3 });
  for (let i = 0; i < 3; i++) assert.ok(open(rig, address(i)));
  const before = state(rig);
  for (let i = 0; i < 1000; i++) rig.feed(address(10 + i), hello());
  assert.equal([state(rig), rig.context.stats().evicted], [before, 0]);
});

test.run();
