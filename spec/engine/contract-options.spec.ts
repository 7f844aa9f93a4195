/**
 * Options of the host contract: each with its range and its default, the relaxations for old peers, the cookie that
 * can be left out, clocks and randomness from outside; and what can be seen from outside: `stats` and `peek`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsContext as CoreContext } from '../../lib/core.js';
import {
  composeProvider, DTLS_EVENT_CONNECTED, DtlsContext, type DtlsOptions, LocalError, nobleProvider, peek, PSK_AES_128_CCM_8, type Session,
} from '../../lib/index.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, establishClient, fetchCookie, HONEST, ScriptedPeer, takeServerFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';

const handler = { write: () => {} };
const isConnected = (rig: Rig): boolean => rig.codes.includes(DTLS_EVENT_CONNECTED);
const without = (...types: number[]): Map<number, Uint8Array> => new Map([...HONEST].filter(([type]) => !types.includes(type)));

/** Smallest and largest value of every number. */
const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  mtu: [100, 65_507], initialTimeoutMs: [1, 86_400_000], maxTimeoutMs: [1, 86_400_000], maxRetransmits: [0, 1000], timeoutJitter: [0, 1],
  cookieLifetimeMs: [1, 86_400_000], credentialTimeoutMs: [1, 86_400_000], closeTimeoutMs: [1, 86_400_000], lastFlightMs: [0, 86_400_000],
  maxPeers: [1, 2 ** 24], maxHalfOpenPeers: [1, 2 ** 24], maxHalfOpenPeersPerAddress: [1, 2 ** 24], maxMessageBytes: [256, 65_536],
  maxHeldBytes: [1024, 1_048_576], maxKeptBytes: [1024, 1_048_576], maxMessagesAhead: [1, 64], maxEarlyRecords: [1, 64], maxHelloVerifyRequests: [1, 16],
  maxPskIdentityBytes: [1, 65_535], maxDeferredDatagrams: [1, 65_536], maxCorkedPeers: [1, 2 ** 24],
};

function refuses(make: () => unknown, words: RegExp, code: string = 'ERR_DTLS_ARGUMENT'): void {
  assert.throws(make, (error: unknown) => error instanceof LocalError && error.code === code && words.test(error.message), String(words));
}

test('every number is taken from its smallest to its largest value and refused by name beyond', () => {
  for (const [name, [low, high]] of Object.entries(NUMBERS)) {
    for (const value of [low, high, undefined]) assert.ok(new DtlsContext(handler, { [name]: value }));
    for (const value of [low - 1, high + 1, Number.NaN, Infinity, -Infinity, String(low), null]) {
      refuses(() => new DtlsContext(handler, { [name]: value } as DtlsOptions), new RegExp(`${name} is .*${low}.*${high}`));
    }
  }
});

test('choices, suites, providers and handlers that cannot be are refused by name', () => {
  for (const [name, value] of [
    ['forceExtendedMasterSecret', 0], ['forceRenegotiationInfo', 'yes'], ['plaintextAlerts', true], ['cookieExchange', 'sometimes'], ['acceptClients', 1],
  ] as const) refuses(() => new DtlsContext(handler, { [name]: value } as DtlsOptions), new RegExp(`${name} is`));
  refuses(() => new DtlsContext(handler, { cipherSuites: [] }), /cipherSuites/);
  refuses(() => new DtlsContext({} as never), /write/);
  refuses(() => new DtlsContext(null as never), /write/);
  refuses(() => new CoreContext(handler, { cipherSuites: [PSK_AES_128_CCM_8] }), /crypto/);
  refuses(() => new CoreContext(handler, { crypto: nobleProvider }), /cipherSuites/);
  refuses(() => new CoreContext(handler, null as never), /options/);
  const noHash = composeProvider('bare', { aeads: nobleProvider.aeads });
  refuses(() => new DtlsContext(handler, { crypto: noHash }), /bare has no sha256/, 'ERR_DTLS_NO_PROVIDER');
  const noAead = composeProvider('bare', { hashes: nobleProvider.hashes });
  refuses(() => new DtlsContext(handler, { crypto: noAead }), /bare can do none/, 'ERR_DTLS_NO_PROVIDER');
});

test('a list that is none is refused by name, to a context and for a peer; whoever came is kept out', () => {
  for (const name of ['cipherSuites', 'groups', 'signatureSchemes', 'credentials']) {
    for (const value of [null, 5, 'x25519']) {
      const wrong = { [name]: value } as DtlsOptions;
      refuses(() => new DtlsContext(handler, wrong), new RegExp(`${name} is .* a list`));
      const rig = new Rig({}, { getUserParameters: () => wrong });
      refuses(() => rig.context.newPeer(SERVER), new RegExp(`${name} is .* a list`));
      const client = new ScriptedPeer('client');
      fetchCookie(rig, client);
      assert.is(rig.feed(CLIENT, client.clientHello()), 0);
      assert.is((rig.errors[0] as LocalError).code, 'ERR_DTLS_ARGUMENT');
      assert.equal([rig.context.getPeer(CLIENT), rig.context.stats().halfOpen], [undefined, 0]);
    }
  }
});

test('user parameters that are a promise are refused, and whoever came is kept out: what they would say is not known', () => {
  const late = (): never => Promise.resolve({ clientAuthentication: 'require' }) as never;
  const rig = new Rig({}, { getUserParameters: late });
  refuses(() => rig.context.newPeer(SERVER), /promise/);
  refuses(() => rig.context.newPeer(SERVER, late()), /promise/);
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  assert.is(rig.feed(CLIENT, client.clientHello()), 0);
  assert.is((rig.errors[0] as LocalError).code, 'ERR_DTLS_ARGUMENT');
  assert.is(rig.context.getPeer(CLIENT), undefined);
});

test('a context needs nothing but a write callback: clocks and randomness of the platform, every suite', () => {
  const sent: Uint8Array[] = [];
  const context = new DtlsContext({ write: (_, __, bytes) => void sent.push(bytes.slice()), getPskInfo: () => null });
  assert.is(context.app, undefined);
  assert.is(context.connect(SERVER), 1);
  const { body } = new ScriptedPeer('server').take(sent[0]!)[0]!;
  assert.not.equal(body.slice(2, 34), new Uint8Array(32));
  const before = performance.now();
  const at = context.checkRetransmit();
  assert.ok(at > before && at < before + 1101, 'a second and a tenth of jitter');
  context.free();
});

test('app is a slot for the host, and the context is handed to every callback', () => {
  const rig = new Rig({ app: 'slot' }, { read: (context) => void (context.app = 'seen') });
  assert.is(rig.context.app, 'slot');
  rig.feed(CLIENT, establish(rig).applicationData(text('x')));
  assert.is(rig.context.app, 'seen');
});

test('forceExtendedMasterSecret: a peer without it is refused by name, or let in where the host says so', () => {
  for (const force of [true, false]) {
    const rig = new Rig({ forceExtendedMasterSecret: force });
    const peer = new ScriptedPeer('client', { extendedMasterSecret: false });
    fetchCookie(rig, peer);
    assert.is(rig.feed(CLIENT, peer.clientHello({ extensions: without(23) })), force ? -(512 + 40) : 0);
    if (force) assert.match(rig.events.at(-1)!.detail!.message, /forceExtendedMasterSecret: false/);
    else {
      takeServerFlight(peer, rig.takeSent());
      const hello = peer.messages.find(({ type }) => type === 2)!.body;
      assert.is(hello.length, 38 + 2 + 5, 'renegotiation_info alone is answered');
      rig.feed(CLIENT, join(...clientFlight(peer)));
      assert.is(isConnected(rig), true);
    }
    const client = new Rig({ forceExtendedMasterSecret: force });
    const server = new ScriptedPeer('server', { extendedMasterSecret: false });
    client.context.connect(SERVER);
    toServerFlight(client, server);
    assert.is(client.feed(SERVER, server.serverHello({ extensions: without(23) })), force ? -(512 + 40) : 0);
    if (force) assert.match(client.events.at(-1)!.detail!.message, /forceExtendedMasterSecret: false/);
  }
});

test('forceRenegotiationInfo: extension or SCSV count, both are answered with the extension; without them, refused by name or let in', () => {
  const scsv = Uint8Array.of(0xc0, 0xa8, 0x00, 0xff);
  for (const [force, overrides, outcome] of [
    [true, {}, 'answered'], [true, { extensions: without(0xff01), cipherSuites: scsv }, 'answered'], [true, { cipherSuites: scsv }, 'answered'],
    [true, { extensions: without(0xff01) }, 'refused'], [false, { extensions: without(0xff01) }, 'silent'],
    [false, { extensions: without(0xff01), cipherSuites: scsv }, 'answered'],
  ] as const) {
    const rig = new Rig({ forceRenegotiationInfo: force });
    const peer = new ScriptedPeer('client');
    fetchCookieWith(rig, peer, overrides);
    const code = rig.feed(CLIENT, peer.clientHello(overrides));
    assert.is(code, outcome === 'refused' ? -(512 + 40) : 0);
    if (outcome === 'refused') {
      assert.match(rig.events.at(-1)!.detail!.message, /forceRenegotiationInfo: false/);
      continue;
    }
    takeServerFlight(peer, rig.takeSent());
    const hello = peer.messages.find(({ type }) => type === 2)!.body;
    assert.is(hello.length, 38 + 2 + 4 + (outcome === 'answered' ? 5 : 0));
    rig.feed(CLIENT, join(...clientFlight(peer)));
    assert.is(isConnected(rig), true);
  }
  for (const force of [true, false]) {
    const client = new Rig({ forceRenegotiationInfo: force });
    const server = new ScriptedPeer('server');
    client.context.connect(SERVER);
    toServerFlight(client, server);
    assert.is(client.feed(SERVER, server.serverHello({ extensions: without(0xff01) })), force ? -(512 + 40) : 0);
    if (force) assert.match(client.events.at(-1)!.detail!.message, /forceRenegotiationInfo: false/);
  }
});

function fetchCookieWith(rig: Rig, peer: ScriptedPeer, overrides: Parameters<ScriptedPeer['clientHello']>[0]): void {
  rig.feed(CLIENT, peer.clientHello(overrides));
  peer.cookie = peer.take(...rig.takeSent())[0]!.body.slice(3);
}

test('cookieExchange never: the first ClientHello is answered with the flight; still nothing for what is none', () => {
  const rig = new Rig({ cookieExchange: 'never' });
  const peer = new ScriptedPeer('client');
  rig.feed(CLIENT, peer.clientHello());
  takeServerFlight(peer, rig.takeSent());
  assert.equal(peer.messages.map(({ type }) => type), [2, 14]);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.is(isConnected(rig), true);
  assert.is(rig.context.stats().helloVerifyRequests, 0);
  const other = new ScriptedPeer('client', { seed: 2 });
  rig.feed('other', other.message(2, new Uint8Array(60)));
  rig.feed('other', other.clientHello({}, { epoch: 0, offset: 5, length: 300 }));
  assert.is(stateOf(rig, 'other'), 'gone');
  // A cookie that is none of ours disturbs nobody here.
  const third = new ScriptedPeer('client', { seed: 3 });
  third.cookie = text('from another server, before');
  rig.feed('third', third.clientHello());
  assert.is(stateOf(rig, 'third'), 'waitPskClientKeyExchange');
});

test('acceptClients false: no ClientHello is answered or let in, from a stranger or in place of a server that was reached', () => {
  for (const cookieExchange of ['always', 'never'] as const) {
    const rig = new Rig({ acceptClients: false, cookieExchange });
    rig.feed(CLIENT, new ScriptedPeer('client').clientHello());
    assert.equal([rig.takeSent(), stateOf(rig, CLIENT), rig.context.stats().dropped.unexpected], [[], 'gone', 1]);
    const server = establishClient(rig);
    rig.takeSent();
    rig.feed(SERVER, new ScriptedPeer('client', { seed: 2 }).clientHello());
    assert.equal([rig.takeSent(), rig.context.stats().dropped.unexpected], [[], 2]);
    rig.feed(SERVER, server.applicationData(text('still here')));
    assert.equal(rig.reads.map(({ bytes }) => bytes), [text('still here')]);
  }
});

test('stats count what is held, armed, sent again, refused and dropped', () => {
  const rig = new Rig();
  const zero = rig.context.stats();
  assert.equal({ ...zero, dropped: Object.values(zero.dropped).every((count) => count === 0) }, {
    halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0, helloVerifyRequests: 0, retransmissions: 0, evicted: 0, callbackErrors: 0, dropped: true,
  });
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  const half = rig.context.stats();
  assert.equal([half.halfOpen, half.established, half.deadlines, half.helloVerifyRequests, half.dropped.cookie], [1, 0, 1, 1, 1]);
  assert.ok(half.heldBytes > 0 && half.heldBytes < 200);
  rig.advance(1000);
  assert.is(rig.context.stats().retransmissions, 1);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.equal([rig.context.stats().halfOpen, rig.context.stats().established, rig.context.stats().deadlines], [0, 1, 0]);
  const data = peer.applicationData(text('x'));
  const forged = data.slice();
  forged[forged.length - 1]! ^= 1;
  const drops: [Uint8Array, string][] = [
    [data, ''], [data, 'replayed'], [forged, 'replayed'], [peer.applicationData(text('y'), { epoch: 2, protection: peer.write }), 'unknownEpoch'],
    [join(data.slice(0, 12)), 'truncated'], [new Uint8Array(14).fill(255), 'truncated'], [peer.record(99, text('?'), { epoch: 1 }), 'contentType'],
    [peer.record(23, text('?'), { epoch: 1, version: 0xfeff }), 'version'], [peer.record(21, text('???'), { epoch: 1 }), 'malformed'],
    [peer.record(22, text('?'), { epoch: 1 }), 'malformed'], [peer.applicationData(text('?'), { epoch: 0 }), 'unexpected'],
    [flipped(peer.applicationData(text('z'))), 'forged'],
  ];
  for (const [record, reason] of drops) {
    const before: Record<string, number> = rig.context.stats().dropped;
    rig.feed(CLIENT, record);
    const after = rig.context.stats().dropped as Record<string, number>;
    assert.equal(Object.keys(after).filter((name) => after[name] !== before[name]), reason === '' ? [] : [reason], reason);
  }
  rig.feed('stranger', data);
  assert.is(rig.context.stats().dropped.unknownSession, 1);
  assert.is(rig.reads.length, 1);
});

function flipped(record: Uint8Array): Uint8Array {
  record[record.length - 1]! ^= 1;
  return record;
}

test('peek tells type, epoch and connection id of the first record, and touches nothing', () => {
  const record = new ScriptedPeer('client').record(23, text('data'), { epoch: 7, protection: null, sequence: 5 });
  assert.equal(peek(record), { contentType: 23, epoch: 7, connectionId: null });
  assert.equal(peek(join(record, record)), peek(record));
  for (let type = 0; type < 256; type++) {
    const other = record.slice();
    other[0] = type;
    const seen = peek(other);
    if (type >= 20 && type <= 26) assert.is(seen?.contentType, type);
    else if (type >= 32 && type < 64) assert.is(seen?.epoch, type & 3);
    else assert.is(seen, null, `${type}`);
  }
  for (let length = 0; length < 13; length++) assert.is(peek(record.slice(0, length)), null);
  for (const other of [Uint8Array.of(22, 3, 1, 0, 5, ...new Uint8Array(20)), text('GET / HTTP/1.1\r\n'), Uint8Array.of(0x80, 0x60, ...new Uint8Array(20))]) {
    assert.is(peek(other), null);
  }
});

test('peek finds the connection id where RFC 9146 and RFC 9147 put it', () => {
  const tls12 = Uint8Array.of(25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0xaa, 0xbb, 0xcc, 0, 2, 1, 2);
  assert.equal(peek(tls12, 3), { contentType: 25, epoch: 1, connectionId: Uint8Array.of(0xaa, 0xbb, 0xcc) });
  assert.equal(peek(tls12), { contentType: 25, epoch: 1, connectionId: new Uint8Array(0) });
  assert.is(peek(tls12.slice(0, 15), 3), null);
  assert.equal(peek(Uint8Array.of(0x3f, 1, 2, 3, 4), 2), { contentType: 0x3f, epoch: 3, connectionId: Uint8Array.of(1, 2) });
  assert.equal(peek(Uint8Array.of(0x2e, 1, 2, 3, 4), 2), { contentType: 0x2e, epoch: 2, connectionId: null });
  assert.is(peek(Uint8Array.of(0x3f, 1), 2), null);
});

test('a clock that stands still or goes back sends nothing twice', () => {
  const rig = new Rig();
  rig.context.connect(SERVER);
  rig.advance(1000);
  rig.takeSent();
  for (let i = 0; i < 1000; i++) rig.context.checkRetransmit();
  rig.now -= 3_600_000;
  assert.is(rig.context.checkRetransmit(), 4000);
  assert.equal(rig.takeSent(), []);
  rig.context.connect('other');
  assert.is(rig.context.checkRetransmit(), 3000, 'a second after the latest time that was seen');
  rig.context.resetPeer(rig.context.getPeer('other')!);
  rig.takeSent();
  rig.now += 3_600_000 + 2000;
  rig.context.checkRetransmit();
  assert.is(rig.takeSent().length, 1);
});

test('a session of any kind and a context of core serve as well as of the whole', () => {
  const sent: Uint8Array[] = [];
  const context = new CoreContext({ write: (_, __, bytes) => void sent.push(bytes.slice()), getPskInfo: () => null }, { crypto: nobleProvider, cipherSuites: [PSK_AES_128_CCM_8] });
  const session: Session = 'any';
  assert.is(context.connect(session), 1);
  assert.is(sent.length, 1);
});

test.run();
