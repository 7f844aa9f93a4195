/**
 * The host contract, call by call: what each method takes, returns and throws, and what it sends.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DTLS_EMSGSIZE, DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DtlsContext, fatalAlert, LocalError, type Session,
} from '../../lib/index.js';
import { associationOf, stateOf } from '../support/inside.js';
import { CLIENT, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import {
  clientFlight, establish, establishClient, fetchCookie, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

const FREE: Session = { address: '192.0.2.200', port: 1 };

/** A server whose flight has 500 bytes and more: it sends a long hint. */
const longFlights = (): Rig => new Rig({}, { getPskInfo: (_, __, type) => (type === 'hint' ? new Uint8Array(400) : KEY) });

function throwsLocal(work: () => unknown, code: string, words?: RegExp): void {
  assert.throws(work, (error: unknown) => error instanceof LocalError && error.code === code && (words === undefined || words.test(error.message)));
}

test('handleMessage returns 0 for what is taken and for what is dropped, a coded fatal alert for one sent or received', () => {
  const rig = new Rig();
  const peer = new ScriptedPeer('client');
  assert.is(rig.feed(CLIENT, new Uint8Array(0)), 0);
  assert.is(rig.feed(CLIENT, new Uint8Array(100)), 0);
  assert.is(rig.feed(CLIENT, peer.clientHello()), 0);
  assert.is(fatalAlert(40), -(2 * 256 + 40));
  toServerHelloDone(rig, new ScriptedPeer('client'), SERVER);
  const other = new ScriptedPeer('client');
  toServerHelloDone(rig, other, FREE);
  assert.is(rig.feed(FREE, other.alert(2, 40)), fatalAlert(40));
  const third = new ScriptedPeer('client');
  toServerHelloDone(rig, third, FREE);
  assert.is(rig.feed(FREE, third.message(16, new Uint8Array(1), { note: false })), fatalAlert(50));
  // The alert's code is that of its record, wherever in the datagram it stands.
  const last = establish(rig, new ScriptedPeer('client'), FREE);
  assert.is(rig.feed(FREE, join(last.applicationData(text('x')), last.alert(2, 20, { epoch: 1 }), last.applicationData(text('y')))), fatalAlert(20));
});

test('connect sends a ClientHello and returns more than 0, or 0 where there is a handshake or an association', () => {
  const rig = new Rig();
  assert.is(rig.context.connect(SERVER), 1);
  assert.is(rig.sent.length, 1);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT]);
  assert.is(rig.context.connect(SERVER), 0);
  assert.is(rig.sent.length, 1);
  const other = new Rig();
  const server = establishClient(other);
  other.takeSent();
  assert.is(other.context.connect(SERVER), 0);
  assert.equal(other.takeSent(), []);
  // A peer that is closing gives way: CLOSED, then a handshake of its own.
  other.context.close(SERVER);
  server.take(...other.takeSent());
  other.events.length = 0;
  assert.is(other.context.connect(SERVER), 1);
  assert.equal(other.codes, [DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT]);
  assert.is(stateOf(other, SERVER), 'waitServerHello');
  assert.equal([other.context.stats().halfOpen, other.context.stats().established], [1, 0]);
});

test('connect to whom this context serves already returns 0, in the handshake and after it', () => {
  const rig = new Rig();
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  assert.is(rig.context.connect(CLIENT), 0);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.is(rig.context.connect(CLIENT), 0);
  assert.is(rig.context.getPeer(CLIENT)?.role, 'server');
});

test('without getPskInfo there is nothing to connect with, and nothing is sent', () => {
  const sent: Uint8Array[] = [];
  const context = new DtlsContext({ write: (_, __, bytes) => void sent.push(bytes) });
  throwsLocal(() => context.connect(SERVER), 'ERR_DTLS_CREDENTIAL', /getPskInfo/);
  throwsLocal(() => context.write(SERVER, text('x')), 'ERR_DTLS_CREDENTIAL');
  assert.equal(sent, []);
  assert.is(context.getPeer(SERVER), undefined);
});

test('connectPeer starts the handshake of a peer of newPeer, which sends nothing by itself', () => {
  const rig = new Rig();
  const peer = rig.context.newPeer(SERVER, { mtu: 500 });
  assert.equal([peer.state, peer.role, peer.mtu, peer.suite, peer.identity], ['closed', 'client', 500, null, null]);
  assert.is(rig.context.getPeer(SERVER), undefined);
  assert.equal(rig.sent, []);
  assert.is(rig.context.connectPeer(peer), 1);
  assert.is(rig.context.getPeer(SERVER), peer);
  assert.is(peer.state, 'handshake');
  assert.is(rig.context.connectPeer(peer), 0);
  assert.is(rig.context.connectPeer(rig.context.newPeer(SERVER)), 0);
  rig.context.resetPeer(peer);
  assert.is(peer.state, 'closed');
  assert.is(rig.context.connectPeer(peer), 1);
  throwsLocal(() => rig.context.connectPeer({} as never), 'ERR_DTLS_ARGUMENT');
  throwsLocal(() => rig.context.connectPeer(null as never), 'ERR_DTLS_ARGUMENT');
});

test('connectPeer refuses a peer that lives in another context', () => {
  const [one, two] = [new Rig(), new Rig()];
  one.context.connect(SERVER);
  const peer = one.context.getPeer(SERVER)!;
  const before = associationOf(one, SERVER);
  throwsLocal(() => two.context.connectPeer(peer), 'ERR_DTLS_ARGUMENT');
  assert.is(associationOf(one, SERVER), before);
  assert.is(two.context.getPeer(SERVER), undefined);
});

test('write returns the bytes taken, and 0 while there is no association, keeping nothing', () => {
  const rig = new Rig();
  const server = new ScriptedPeer('server');
  assert.is(rig.context.write(SERVER, text('first')), 0);
  assert.is(stateOf(rig, SERVER), 'waitServerHello', 'with no peer at all it connects');
  assert.is(rig.context.write(SERVER, text('second')), 0);
  toServerFlight(rig, server);
  rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
  takeClientFlight(server, rig.takeSent());
  assert.is(rig.context.write(SERVER, text('third')), 0);
  rig.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
  assert.equal(rig.takeSent(), []);
  assert.is(rig.context.write(SERVER, text('fourth')), 6);
  assert.is(rig.context.write(SERVER, new Uint8Array(0)), 0);
  server.take(...rig.takeSent());
  assert.equal(server.data, [text('fourth'), new Uint8Array(0)]);
  rig.context.close(SERVER);
  assert.is(rig.context.write(SERVER, text('fifth')), 0);
  server.take(...rig.takeSent());
  assert.is(server.data.length, 2);
});

test('writev sends its parts as one record', () => {
  const rig = new Rig();
  const server = establishClient(rig);
  rig.takeSent();
  assert.is(rig.context.writev(SERVER, [text('a'), new Uint8Array(0), text('bc')]), 3);
  assert.is(rig.context.writev(SERVER, []), 0);
  const sent = rig.takeSent();
  assert.is(sent.length, 2);
  server.take(...sent);
  assert.equal(server.data, [text('abc'), new Uint8Array(0)]);
  assert.throws(() => rig.context.writev(SERVER, ['a' as never]), (error: unknown) => error instanceof TypeError);
});

test('write takes 16,384 bytes and throws beyond, with the limit; no record number is spent on it', () => {
  const rig = new Rig();
  const server = establishClient(rig);
  rig.takeSent();
  throwsLocal(() => rig.context.write(SERVER, new Uint8Array(16_385)), 'ERR_DTLS_TOO_LARGE', /16384/);
  throwsLocal(() => rig.context.writev(SERVER, [new Uint8Array(16_000), new Uint8Array(385)]), 'ERR_DTLS_TOO_LARGE');
  assert.is(rig.context.write(SERVER, new Uint8Array(16_384).fill(7)), 16_384);
  const [record] = rig.takeSent();
  assert.is(record![10], 1, 'the record after Finished');
  server.take(record!);
  assert.equal(server.data[0], new Uint8Array(16_384).fill(7));
  rig.feed(SERVER, server.applicationData(new Uint8Array(16_384)));
  assert.is(rig.reads[0]!.bytes.length, 16_384);
});

test('write returns what the write callback returned if it is negative, and the record number is spent', () => {
  const rig = new Rig();
  const server = establishClient(rig);
  rig.takeSent();
  rig.writeReturns = -5;
  assert.is(rig.context.write(SERVER, text('lost')), -5);
  rig.writeReturns = 3;
  assert.is(rig.context.write(SERVER, text('sent')), 4);
  rig.writeReturns = undefined;
  assert.is(rig.context.write(SERVER, text('sent')), 4);
  assert.equal(rig.takeSent().map((bytes) => bytes[10]), [1, 2, 3]);
  assert.is(server.undecryptable, 0);
});

test('close sends close_notify, waits for the other side within closeTimeoutMs, and tells CLOSED once', () => {
  const rig = new Rig({ closeTimeoutMs: 700 });
  assert.is(rig.context.close(SERVER), -1);
  const server = establishClient(rig);
  server.take(...rig.takeSent());
  assert.is(rig.context.close(SERVER), 0);
  assert.is(rig.context.getPeer(SERVER)?.state, 'closing');
  assert.is(rig.context.close(SERVER), 0);
  server.take(...rig.takeSent());
  assert.equal(server.alerts, [{ epoch: 1, level: 1, description: 0 }]);
  assert.is(rig.context.checkRetransmit(), rig.now + 700);
  rig.advance(699);
  assert.is(rig.codes.includes(DTLS_EVENT_CLOSED), false);
  assert.is(rig.advance(1), 0);
  assert.is(rig.codes.filter((code) => code === DTLS_EVENT_CLOSED).length, 1);
  assert.is(rig.context.getPeer(SERVER), undefined);
});

test('close of a handshake abandons it with user_canceled, in both roles', () => {
  const rig = new Rig();
  rig.context.connect(SERVER);
  rig.takeSent();
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  for (const session of [SERVER, CLIENT]) {
    rig.events.length = 0;
    assert.is(rig.context.close(session), 0);
    const alerts = new ScriptedPeer('client');
    alerts.take(...rig.takeSent());
    assert.equal(alerts.alerts, [{ epoch: 0, level: 2, description: 90 }]);
    assert.equal(rig.codes, [DTLS_EVENT_CLOSED]);
    assert.is(stateOf(rig, session), 'gone');
  }
  assert.is(rig.context.stats().deadlines, 0);
});

test('renegotiate is refused: no_renegotiation, and nothing is sent', () => {
  const rig = new Rig();
  establishClient(rig);
  rig.takeSent();
  assert.is(rig.context.renegotiate(SERVER), -(256 + 100));
  assert.equal(rig.takeSent(), []);
  assert.is(stateOf(rig, SERVER), 'connected');
});

test('checkRetransmit does what is due, returns the next deadline, and 0 when nothing waits', () => {
  const rig = new Rig();
  assert.is(rig.context.checkRetransmit(), 0);
  rig.context.connect(SERVER);
  rig.now += 300;
  rig.context.connect(FREE);
  rig.takeSent();
  assert.is(rig.context.checkRetransmit(), 2000);
  assert.is(rig.advance(699), 2000);
  assert.equal(rig.takeSent(), []);
  assert.is(rig.advance(1), 2300);
  assert.is(rig.takeSent().length, 1);
  assert.is(rig.context.checkRetransmit(), 2300);
  // However late the host comes: one retransmission for each peer.
  rig.advance(1_000_000);
  assert.is(rig.takeSent().length, 2);
  assert.is(rig.context.stats().retransmissions, 3);
});

test('getPeer gives the one peer object; resetPeer forgets it, sends nothing and tells nobody', () => {
  const rig = new Rig();
  establish(rig);
  const peer = rig.context.getPeer(CLIENT)!;
  assert.is(rig.context.getPeer({ ...(CLIENT as object) } as Session), peer);
  rig.takeSent();
  rig.events.length = 0;
  const other = new Rig();
  other.context.resetPeer(peer);
  assert.is(rig.context.getPeer(CLIENT), peer);
  rig.context.resetPeer(peer);
  rig.context.resetPeer(peer);
  assert.is(rig.context.getPeer(CLIENT), undefined);
  assert.equal([rig.takeSent(), rig.events], [[], []]);
  assert.equal([peer.state, peer.identity, peer.suite], ['closed', null, null]);
  assert.is(rig.context.stats().established, 0);
  throwsLocal(() => rig.context.resetPeer({ session: CLIENT } as never), 'ERR_DTLS_ARGUMENT');
});

test('setMtu is heard by the next flight; it knows its range and whether there is such a peer', () => {
  const rig = longFlights();
  assert.is(rig.context.setMtu(SERVER, 500), false);
  const peer = new ScriptedPeer('client');
  fetchCookie(rig, peer);
  rig.feed(CLIENT, peer.clientHello());
  assert.is(rig.takeSent().length, 1);
  assert.is(rig.context.setMtu(CLIENT, 100), true);
  assert.is(rig.context.getPeer(CLIENT)?.mtu, 100);
  rig.advance(1000);
  const sent = rig.takeSent();
  assert.ok(sent.length > 1 && sent.every(({ length }) => length <= 100), `${sent.map(({ length }) => length)}`);
  for (const bytes of [99, 65_508, 500.5, Number.NaN, '500' as never]) throwsLocal(() => rig.context.setMtu(CLIENT, bytes), 'ERR_DTLS_ARGUMENT');
  assert.is(rig.context.getPeer(CLIENT)?.mtu, 100);
});

test('a write callback that returns DTLS_EMSGSIZE gets smaller datagrams at once, until they pass', () => {
  for (const limit of [100, 110, 128, 300]) {
    const rig = longFlights();
    const peer = new ScriptedPeer('client');
    fetchCookie(rig, peer);
    const passed: Uint8Array[] = [];
    rig.onWrite = (_, bytes) => (bytes.length > limit ? DTLS_EMSGSIZE : void passed.push(bytes));
    rig.feed(CLIENT, peer.clientHello());
    const pieces = peer.take(...passed).filter(({ type }) => type === 12);
    const bytes = new Set(pieces.flatMap(({ offset, body }) => Array.from(body, (_, i) => offset + i)));
    assert.is(bytes.size, pieces[0]!.length, `the whole message in datagrams of ${limit} bytes`);
    assert.ok(rig.context.getPeer(CLIENT)!.mtu <= Math.max(limit, 128), `${rig.context.getPeer(CLIENT)!.mtu}`);
  }
  const rig = new Rig();
  const server = establishClient(rig);
  rig.writeReturns = DTLS_EMSGSIZE;
  assert.is(rig.context.write(SERVER, new Uint8Array(1000)), DTLS_EMSGSIZE);
  assert.is(rig.context.getPeer(SERVER)?.mtu, 1024);
  assert.is(server.undecryptable, 0);
});

test('setHandler takes effect with the next callback; a handler without write is refused and the old one stays', () => {
  const rig = new Rig();
  const peer = establish(rig);
  const read: Uint8Array[] = [];
  for (const bad of [{}, null, undefined, { write: 1 }]) throwsLocal(() => rig.context.setHandler(bad as never), 'ERR_DTLS_ARGUMENT');
  rig.feed(CLIENT, peer.applicationData(text('old')));
  rig.context.setHandler({ write: () => {}, read: (_, __, data) => void read.push(data.slice()) });
  rig.feed(CLIENT, peer.applicationData(text('new')));
  assert.equal([rig.reads.map(({ bytes }) => bytes), read], [[text('old')], [text('new')]]);
});

test('free says close_notify to every association, forgets everything, and is of no use afterwards', () => {
  const rig = new Rig();
  const peer = establish(rig);
  const half = new ScriptedPeer('client', { seed: 3 });
  toServerHelloDone(rig, half, FREE);
  rig.context.connect(SERVER);
  rig.takeSent();
  rig.events.length = 0;
  rig.context.free();
  const sent = rig.sent.splice(0);
  assert.equal(sent.map(({ session }) => (session as { port: number }).port), [4000]);
  peer.take(sent[0]!.bytes);
  assert.equal(peer.alerts, [{ epoch: 1, level: 1, description: 0 }]);
  assert.equal(rig.events, []);
  const { halfOpen, established, heldBytes, deadlines } = rig.context.stats();
  assert.equal([halfOpen, established, heldBytes, deadlines], [0, 0, 0, 0]);
  assert.is(rig.context.getPeer(CLIENT), undefined);
  assert.is(rig.context.setMtu(CLIENT, 500), false);
  rig.context.free();
  const { context } = rig;
  for (const call of [
    () => context.handleMessage(CLIENT, new Uint8Array(0)), () => context.connect(CLIENT), () => context.newPeer(CLIENT),
    () => context.write(CLIENT, text('x')), () => context.writev(CLIENT, []), () => context.close(CLIENT), () => context.checkRetransmit(),
  ]) throwsLocal(call, 'ERR_DTLS_FREED');
  assert.equal(rig.takeSent(), []);
});

test('free is best effort: a write callback that throws or fails keeps nobody from being forgotten', () => {
  const rig = new Rig();
  establish(rig);
  establish(rig, new ScriptedPeer('client', { seed: 2 }), FREE);
  let calls = 0;
  rig.onWrite = () => {
    calls++;
    throw new Error('no route');
  };
  rig.context.free();
  assert.is(calls, 2);
  assert.is(rig.errors.length, 2);
  assert.is(rig.context.stats().established, 0);
});

test('a connection that ends and begins again tells CONNECT and CONNECTED anew', () => {
  const rig = new Rig();
  for (let round = 1; round <= 3; round++) {
    const peer = establish(rig, new ScriptedPeer('client', { seed: round }));
    rig.feed(CLIENT, peer.alert(1, 0, { epoch: 1 }));
  }
  assert.equal(rig.codes, [1, 2, 3].flatMap(() => [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_CLOSED]));
});

test.run();
