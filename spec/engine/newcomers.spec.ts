/**
 * Newcomers: a handshake beside the association in use, and what the network brings late. Nothing unsigned reads as
 * the end of the association, nothing old starts a handshake, and whatever began has an end and a place in the counts.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_TIMEOUT, LocalError, PSK_AES_128_CCM_8,
  PSK_AES_256_CCM_8, type Session, type UserParameters,
} from '../../lib/index.js';
import { readClientHello } from '../../lib/message/hello.js';
import {
  certifiedFlight, CertifiedPeer, certifiedRig, establishCertified, establishCertifiedClient, flightOf,
} from '../support/certified.js';
import { holder } from '../support/holders.js';
import { Link } from '../support/link.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import {
  clientFlight, establish, fetchCookie, ScriptedPeer, takeClientFlight, takeServerFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

const OTHER: Session = { address: '192.0.2.50', port: 50 };
const CLOSE_NOTIFY = 0;
/** Where the cookie ends in the ClientHello of a scripted client that has one. */
const COOKIE_END = 2 + 32 + 1 + 1 + 32;

const newcomer = (seed: number): ScriptedPeer => new ScriptedPeer('client', { seed });

/** Level, code and the detail's code of each event, which are then forgotten. */
const told = (rig: Rig): unknown[] => rig.events.splice(0).map(({ level, code, detail }) => [level, code, detail?.code]);

function counts(rig: Rig): unknown {
  const { halfOpen, established, deadlines } = rig.context.stats();
  return { halfOpen, established, deadlines };
}

/** Whether data goes both ways between the server in `rig` and `client`. */
function lives(rig: Rig, client: ScriptedPeer, session: Session = CLIENT): boolean {
  rig.takeSent();
  const [read, received] = [rig.reads.length, client.data.length];
  rig.feed(session, client.applicationData(text('ping')));
  rig.context.write(session, text('pong'));
  client.take(...rig.takeSent());
  return rig.reads.length === read + 1 && client.data.length === received + 1;
}

/** As `establish`; also gives the very hellos that it took: without a cookie, and with it. */
function establishAndKeep(rig: Rig, client: ScriptedPeer): readonly [Uint8Array, Uint8Array] {
  const first = client.clientHello();
  rig.feed(CLIENT, first);
  client.take(...rig.takeSent());
  client.cookie = client.latest(3).body.slice(3);
  const second = client.clientHello();
  rig.feed(CLIENT, second);
  takeServerFlight(client, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(client)));
  client.take(...rig.takeSent());
  return [first, second];
}

/** A second hello in two fragments, of which only the first holds the cookie. `tail` changes what comes after the cookie. */
function fragmentedHello(client: ScriptedPeer, tail: (bytes: Uint8Array) => void = () => {}): [Uint8Array, Uint8Array] {
  const body = client.clientHelloBody();
  const messageSeq = client.messageSeq++;
  tail(body.subarray(COOKIE_END));
  client.transcript = [];
  client.note(1, messageSeq, body);
  return [[0, COOKIE_END], [COOKIE_END, body.length]].map(([from, to]) => client.record(22, client.fragment(1, body.subarray(from, to), {
    messageSeq, length: body.length, offset: from!,
  }))) as [Uint8Array, Uint8Array];
}

test('a forged close_notify to a newcomer never reads as the end of the association beside it', () => {
  for (const level of [1, 2]) {
    const rig = new Rig();
    const client = establish(rig);
    toServerHelloDone(rig, newcomer(5));
    rig.events.length = 0;
    rig.feed(CLIENT, newcomer(6).alert(level, CLOSE_NOTIFY));
    assert.not.ok(rig.events.some(({ code }) => code === DTLS_EVENT_CLOSED || code === CLOSE_NOTIFY), `level ${level}`);
    // A fatal alert may end what has no keys yet; the host hears of a newcomer that failed.
    assert.equal(told(rig), level === 2 ? [[0, DTLS_EVENT_ERROR, 'ERR_DTLS_ALERT']] : []);
    assert.is(rig.context.getPeer(CLIENT)?.state, 'connected');
    assert.equal(rig.takeSent(), [], 'nobody answers it');
    assert.ok(lives(rig, client), `level ${level}`);
  }
});

test('a forged close_notify to a first handshake is no close either', () => {
  const rig = new Rig();
  toServerHelloDone(rig, newcomer(5));
  rig.events.length = 0;
  rig.feed(CLIENT, newcomer(6).alert(2, CLOSE_NOTIFY));
  assert.equal(told(rig), [[2, CLOSE_NOTIFY, 'ERR_DTLS_ALERT']]);
});

test('a late or replayed ClientHello of the living association starts nothing and costs 0 bytes', () => {
  for (const later of [0, 900, 1000, 5000, 60_000, 119_000]) {
    const rig = new Rig();
    const client = newcomer(99);
    const hellos = establishAndKeep(rig, client);
    assert.ok(lives(rig, client));
    rig.events.length = 0;
    rig.advance(later);
    const { dropped, helloVerifyRequests } = rig.context.stats();
    for (const hello of [...hellos, ...hellos]) assert.is(rig.feed(CLIENT, hello), 0);
    assert.equal(counts(rig), { halfOpen: 0, established: 1, deadlines: 0 }, `after ${later} ms`);
    rig.runOut();
    assert.equal(rig.takeSent(), [], `after ${later} ms`);
    assert.equal(told(rig), []);
    assert.is(rig.context.stats().helloVerifyRequests, helloVerifyRequests);
    assert.is(rig.context.stats().dropped.duplicate, dropped.duplicate + 4);
    assert.ok(lives(rig, client));
  }
});

test('a replayed ClientHello starts nothing either where the secret of its cookie was replaced late', () => {
  const rig = new Rig({ cookieLifetimeMs: 60_000 });
  const client = newcomer(99);
  const [, second] = establishAndKeep(rig, client);
  rig.advance(119_000);
  // The first to ask for a cookie since: its secret is new, and the one before is good for another minute.
  rig.feed(OTHER, newcomer(5).clientHello());
  rig.advance(59_000);
  rig.takeSent();
  rig.feed(CLIENT, second);
  assert.equal([rig.takeSent(), counts(rig)], [[], { halfOpen: 0, established: 1, deadlines: 0 }]);
  assert.ok(lives(rig, client));
});

test('a late ClientHello of the living association disturbs no newcomer', () => {
  const rig = new Rig();
  const hellos = establishAndKeep(rig, newcomer(99));
  const next = newcomer(5);
  toServerHelloDone(rig, next);
  rig.advance(1000);
  rig.takeSent();
  for (const hello of hellos) rig.feed(CLIENT, hello);
  assert.equal(rig.takeSent(), []);
  rig.feed(CLIENT, join(...clientFlight(next)));
  next.take(...rig.takeSent());
  assert.ok(lives(rig, next));
});

test('a network that repeats 20 % and reorders 30 % starts no handshake but the one that the client wants', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const link = new Link({ seed, duplicate: 0.2, reorder: 0.3, reorderMs: 400 });
    const client = link.add('client');
    const server = link.add('server');
    client.context.connect('server');
    link.run();
    const codes = [client, server].map(({ events }) => events.map(({ code }) => code));
    assert.equal(codes, Array(2).fill([DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]), `seed ${seed}`);
    assert.is(server.context.stats().deadlines, 0, `seed ${seed}`);
  }
});

test('a newcomer that outlives its association is half-open: it is counted, and gives way to the limit', () => {
  const rig = new Rig({ maxHalfOpenPeers: 1 });
  const old = establish(rig);
  toServerHelloDone(rig, newcomer(5));
  assert.equal(counts(rig), { halfOpen: 0, established: 1, deadlines: 1 });
  rig.feed(CLIENT, old.alert(1, CLOSE_NOTIFY, { epoch: 1 }));
  assert.is(rig.context.getPeer(CLIENT)?.state, 'handshake');
  assert.equal(counts(rig), { halfOpen: 1, established: 0, deadlines: 1 });
  rig.takeSent();
  rig.events.length = 0;
  toServerHelloDone(rig, newcomer(6), OTHER);
  assert.equal(told(rig), [[0, DTLS_EVENT_ERROR, 'ERR_DTLS_EVICTED'], [0, DTLS_EVENT_CONNECT, undefined]]);
  assert.is(rig.context.getPeer(CLIENT), undefined);
  assert.equal(counts(rig), { halfOpen: 1, established: 0, deadlines: 1 });
});

test('a newcomer that outlives its association leaves the count when it completes, fails or is forgotten', () => {
  const rig = new Rig();
  for (const end of ['completes', 'fails', 'is forgotten'] as const) {
    const old = establish(rig);
    const next = newcomer(5);
    toServerHelloDone(rig, next);
    rig.feed(CLIENT, old.alert(1, CLOSE_NOTIFY, { epoch: 1 }));
    assert.is(rig.context.stats().halfOpen, 1, end);
    rig.takeSent();
    if (end === 'completes') {
      rig.feed(CLIENT, join(...clientFlight(next)));
      next.take(...rig.takeSent());
      assert.ok(lives(rig, next));
      assert.equal(counts(rig), { halfOpen: 0, established: 1, deadlines: 0 }, end);
      rig.context.resetPeer(rig.context.getPeer(CLIENT)!);
    } else if (end === 'fails') {
      rig.runOut();
    } else {
      rig.context.resetPeer(rig.context.getPeer(CLIENT)!);
    }
    assert.equal(counts(rig), { halfOpen: 0, established: 0, deadlines: 0 }, end);
  }
});

/** A rig that is connected to SERVER as a client that asks for little, and that server. */
function relaxedClient(getUserParameters: () => UserParameters | undefined): { readonly rig: Rig; readonly server: ScriptedPeer } {
  const rig = new Rig({}, { getUserParameters });
  const server = new ScriptedPeer('server');
  rig.context.connectPeer(rig.context.newPeer(SERVER, { forceExtendedMasterSecret: false, forceRenegotiationInfo: false }));
  toServerFlight(rig, server);
  rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
  takeClientFlight(server, rig.takeSent());
  rig.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
  assert.is(rig.context.getPeer(SERVER)?.state, 'connected');
  rig.events.length = 0;
  return { rig, server };
}

test('parameters are asked for anew for an incoming handshake: those of a client that asks for little do not leak', () => {
  let asked = 0;
  const { rig } = relaxedClient(() => void asked++);
  assert.is(asked, 0, 'newPeer had its own');
  const weak = new ScriptedPeer('client', { seed: 8, extendedMasterSecret: false });
  fetchCookie(rig, weak, SERVER);
  assert.is(asked, 0, 'not before the cookie');
  assert.ok(rig.feed(SERVER, weak.clientHello({ extensions: new Map() })) < 0);
  assert.is(asked, 1);
  assert.equal(rig.events.map(({ level, code }) => [level, code]), [[0, DTLS_EVENT_ERROR]]);
  assert.is(rig.context.getPeer(SERVER)?.role, 'client', 'the association goes on');
  assert.is(rig.context.getPeer(SERVER)?.state, 'connected');
});

test('the parameters of a newcomer are its own: a peer that is connected again offers what it offered before', () => {
  const rig = new Rig({}, { getUserParameters: () => ({ cipherSuites: [PSK_AES_256_CCM_8] }) });
  const peer = rig.context.newPeer(SERVER, { cipherSuites: [PSK_AES_128_CCM_8] });
  const suitesOffered = (): unknown => {
    rig.context.connectPeer(peer);
    const server = new ScriptedPeer('server');
    toServerFlight(rig, server);
    rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
    takeClientFlight(server, rig.takeSent());
    rig.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
    assert.is(peer.state, 'connected');
    return [...readClientHello(server.messages[0]!.body).cipherSuites];
  };
  const before = suitesOffered();
  // Whoever gets a cookie: it proves nothing more, and goes away.
  const next = newcomer(8);
  fetchCookie(rig, next, SERVER);
  rig.feed(SERVER, next.clientHello());
  rig.runOut();
  rig.context.resetPeer(peer);
  rig.takeSent();
  assert.equal(suitesOffered(), before);
});

test('nobody takes the place of a server that we reached without a key to show, even where clients need none; that server may', () => {
  for (const clientAuthentication of ['none', 'request'] as const) {
    const rig = certifiedRig('client', 'rawKey', { clientAuthentication });
    establishCertifiedClient(rig, new CertifiedPeer('server', 'rawKey'));
    const identity = rig.context.getPeer(SERVER)?.identity;
    assert.is(identity?.kind, 'rawKey');
    // What it can do: name a kind of certificate that we take, or none.
    for (const clientTypes of [[2], null]) {
      rig.events.length = 0;
      const nobody = new CertifiedPeer('client', 'rawKey', { seed: 5, holder: null, clientTypes });
      fetchCookie(rig, nobody, SERVER);
      rig.feed(SERVER, nobody.clientHello());
      takeServerFlight(nobody, rig.takeSent());
      if (nobody.isAsked) rig.feed(SERVER, flightOf(certifiedFlight(nobody)));
      assert.equal(told(rig), [[0, DTLS_EVENT_ERROR, clientTypes === null ? 'ERR_DTLS_HANDSHAKE' : 'ERR_DTLS_CERTIFICATE']]);
      rig.takeSent();
      const peer = rig.context.getPeer(SERVER);
      assert.equal([peer?.state, peer?.role, peer?.identity], ['connected', 'client', identity]);
    }
    establishCertified(rig, new CertifiedPeer('client', 'rawKey', { seed: 6, holder: holder('rawKey', 'server') }), SERVER);
    const peer = rig.context.getPeer(SERVER);
    assert.equal([peer?.state, peer?.role, peer?.identity], ['connected', 'server', identity]);
  }
});

test('a host that refuses parameters to a newcomer keeps it out, and the association goes on', () => {
  const refusal = new Error('not now');
  const { rig, server } = relaxedClient(() => {
    throw refusal;
  });
  const next = newcomer(8);
  fetchCookie(rig, next, SERVER);
  assert.is(rig.feed(SERVER, next.clientHello()), 0);
  assert.equal(rig.errors, [refusal]);
  assert.equal(rig.takeSent(), []);
  assert.equal(told(rig), []);
  assert.ok(lives(rig, server, SERVER));
});

test('CONNECT has an end when a hello in fragments, never completed, replaces the handshake that was announced', () => {
  const rig = new Rig();
  toServerHelloDone(rig, newcomer(1));
  assert.equal(told(rig), [[0, DTLS_EVENT_CONNECT, undefined]]);
  rig.advance(1001);
  const next = newcomer(2);
  fetchCookie(rig, next);
  rig.feed(CLIENT, fragmentedHello(next)[0]);
  assert.equal(counts(rig), { halfOpen: 1, established: 0, deadlines: 1 });
  assert.equal(told(rig), [], 'one handshake goes on, as far as the host knows');
  rig.runOut();
  assert.equal(told(rig), [[0, DTLS_EVENT_TIMEOUT, 'ERR_DTLS_TIMEOUT']]);
  assert.equal(counts(rig), { halfOpen: 0, established: 0, deadlines: 0 });
});

test('CONNECT has an end when a hello in fragments, with half a right cookie, replaces the handshake that was announced', () => {
  const rig = new Rig();
  toServerHelloDone(rig, newcomer(1));
  rig.advance(1001);
  const next = newcomer(2);
  fetchCookie(rig, next);
  rig.events.length = 0;
  // Compression methods in place of the suite: another hello than the one that the cookie was made for.
  const [first, second] = fragmentedHello(next, (tail) => tail.set([0, 2, 0, 0xa8]));
  rig.feed(CLIENT, first);
  rig.feed(CLIENT, second);
  rig.runOut();
  assert.equal(rig.codes, [DTLS_EVENT_TIMEOUT]);
  assert.equal(counts(rig), { halfOpen: 0, established: 0, deadlines: 0 });
});

test('CONNECT is told once when a hello in fragments replaces the handshake that was announced and completes', () => {
  const rig = new Rig();
  toServerHelloDone(rig, newcomer(1));
  rig.advance(1001);
  const next = newcomer(2);
  fetchCookie(rig, next);
  for (const record of fragmentedHello(next)) rig.feed(CLIENT, record);
  takeServerFlight(next, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(next)));
  next.take(...rig.takeSent());
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]);
  assert.ok(lives(rig, next));
});

test('an unproven hello in fragments that nobody announced ends without a word', () => {
  const rig = new Rig();
  const client = newcomer(2);
  fetchCookie(rig, client);
  for (const record of fragmentedHello(client, (tail) => tail.set([0, 2, 0, 0xa8]))) rig.feed(CLIENT, record);
  assert.equal(told(rig), []);
  assert.is(rig.context.getPeer(CLIENT), undefined);
});

test('who reconnects while its old association is closing ends it: the host that closed it hears CLOSED', () => {
  const rig = new Rig();
  establish(rig);
  rig.context.close(CLIENT);
  rig.takeSent();
  rig.events.length = 0;
  const next = establish(rig, newcomer(5));
  rig.runOut();
  assert.equal(rig.codes, [DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECTED]);
  assert.ok(lives(rig, next));
});

test('wrong parameters for a newcomer are told to the host by name, and the association goes on', () => {
  const { rig, server } = relaxedClient(() => ({ mtu: 7 }));
  const next = newcomer(8);
  fetchCookie(rig, next, SERVER);
  assert.is(rig.feed(SERVER, next.clientHello()), 0);
  assert.ok(rig.errors[0] instanceof LocalError && rig.errors[0].code === 'ERR_DTLS_ARGUMENT');
  assert.ok(lives(rig, server, SERVER));
});

test.run();
