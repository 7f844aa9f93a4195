/**
 * Sessions and peers of the host contract: equality by value, the canonical session, what a peer shows, parameters
 * of one peer, and what callbacks are handed.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DTLS_EVENT_CONNECTED, DtlsContext, LocalError, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, type PskInfoType, type Session, type UserParameters,
} from '../../lib/index.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, IDENTITY, join, KEY, Rig, SERVER, text, pskIdentityOf } from '../support/rig.js';
import {
  clientFlight, establish, establishClient, fetchCookie, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

const fields = (session: Session): unknown => (typeof session === 'string' ? session : [session.address, session.port, session.ifindex ?? 0]);

test('API-07 sessions are equal by value: address, port and interface, where no interface is 0', () => {
  const rig = new Rig();
  const peer = establish(rig, new ScriptedPeer('client'), { address: '192.0.2.1', port: 4000 });
  const found = rig.context.getPeer({ address: '192.0.2.1', port: 4000 });
  assert.ok(found);
  for (const session of [
    { address: ['192', '0', '2', '1'].join('.'), port: 4000 }, { port: 4000, address: '192.0.2.1', ifindex: 0 },
    { address: '192.0.2.1', port: 4000, ifindex: undefined }, { address: '192.0.2.1', port: 4000, more: 'of the host' },
    Object.assign(Object.create(null) as object, { address: '192.0.2.1', port: 4000 }), found.session,
  ] as Session[]) {
    assert.is(rig.context.getPeer(session), found);
    rig.feed(session, peer.applicationData(text('x')));
  }
  assert.is(rig.reads.length, 6);
  for (const session of [
    { address: '192.0.2.1', port: 4001 }, { address: '192.0.2.2', port: 4000 }, { address: '192.0.2.1', port: 4000, ifindex: 1 },
    { address: '::ffff:192.0.2.1', port: 4000 }, '192.0.2.1', '192.0.2.1:4000', JSON.stringify(found.session),
  ] as Session[]) assert.is(rig.context.getPeer(session), undefined, JSON.stringify(session));
});

test('API-07 strings have a key space of their own; no name and no address reaches a prototype', () => {
  const rig = new Rig();
  const sessions: Session[] = [
    '', 'a', '__proto__', 'constructor', 'toString', 'fe80::1', { address: '__proto__', port: 1 }, { address: 'constructor', port: 1 },
    { address: 'fe80::1', port: 1 }, { address: 'fe80::1%eth0', port: 1 }, { address: 'fe80::1', port: 1, ifindex: 2 }, { address: '', port: 0 },
    { address: 'hasOwnProperty', port: 65_535, ifindex: 2 ** 31 - 1 },
  ];
  for (const session of sessions) assert.is(rig.context.getPeer(session), undefined);
  const peers = sessions.map((session, seed) => establish(rig, new ScriptedPeer('client', { seed }), session));
  assert.is(rig.context.stats().established, sessions.length);
  assert.is(new Set(sessions.map((session) => rig.context.getPeer(session))).size, sessions.length);
  sessions.forEach((session, i) => rig.feed(session, peers[i]!.applicationData(Uint8Array.of(i))));
  assert.equal(rig.reads.map(({ session, bytes }) => [fields(session), bytes[0]]), sessions.map((session, i) => [fields(session), i]));
  assert.equal(Object.keys(Object.prototype), []);
  assert.is(({} as { port?: number }).port, undefined);
  for (const session of sessions) rig.context.resetPeer(rig.context.getPeer(session)!);
  assert.is(rig.context.stats().established, 0);
});

test('API-07 a cookie is bound to the session as a value, and to no other that looks like it', () => {
  const twins: [Session, Session][] = [
    ['a', { address: 'a', port: 0 }], [{ address: 'a', port: 1 }, { address: 'a', port: 1, ifindex: 1 }],
    [{ address: 'a', port: 258 }, { address: 'a', port: 1 }], ['\u0001', '\u0100'], ['ab', 'a'], [{ address: 'ab', port: 1 }, { address: 'a', port: 1 }],
  ];
  for (const [one, two] of twins) {
    for (const [from, to] of [[one, two], [two, one]] as const) {
      const rig = new Rig();
      const peer = new ScriptedPeer('client');
      fetchCookie(rig, peer, from);
      const hello = peer.clientHello();
      rig.feed(to, hello);
      assert.is(stateOf(rig, to), 'gone');
      rig.feed(from, hello);
      assert.is(stateOf(rig, from), 'waitPskClientKeyExchange');
    }
  }
});

test('callbacks get one frozen session for each peer, the very object that getPeer shows', () => {
  const seen = new Set<Session>();
  const rig: Rig = new Rig({}, {
    read: (context, session, data) => {
      seen.add(session);
      assert.is(context.write(session, data), data.length);
    },
    event: (_, session) => void seen.add(session),
    getUserParameters: (_, session) => void seen.add(session),
    getPskInfo: (_, session, type) => (seen.add(session), type === 'key' ? KEY : null),
  });
  const given = { address: '192.0.2.1', port: 4000 };
  const peer = establish(rig, new ScriptedPeer('client'), given);
  rig.feed({ ...given }, peer.applicationData(text('x')));
  const { session } = rig.context.getPeer(given)!;
  seen.add(rig.sent.at(-1)!.session);
  assert.equal([...seen], [session]);
  assert.ok(Object.isFrozen(session));
  assert.throws(() => ((session as { port: number }).port = 1), (error: unknown) => error instanceof TypeError);
  assert.not.ok(Object.isFrozen(given));
  given.port = 9;
  assert.is((session as { port: number }).port, 4000);
  const other = establish(rig, new ScriptedPeer('client'), 'by name');
  rig.feed('by name', other.applicationData(text('x')));
  assert.ok(seen.has('by name'));
});

test('a canonical session of a peer that is gone, or of another context, is a session like any other', () => {
  const [one, two] = [new Rig(), new Rig()];
  establish(one);
  const { session } = one.context.getPeer(CLIENT)!;
  assert.is(two.context.getPeer(session), undefined);
  const peer = establish(two, new ScriptedPeer('client'), session);
  two.feed(session, peer.applicationData(text('x')));
  assert.is(two.reads.length, 1);
  assert.is.not(two.context.getPeer(session)!.session, session);
  one.context.resetPeer(one.context.getPeer(CLIENT)!);
  assert.is(one.context.getPeer(session), undefined);
  assert.is(one.context.connect(session), 1);
  assert.is(one.context.getPeer(CLIENT)?.state, 'handshake');
});

test('what is no session is refused at once, by every call that takes one', () => {
  const { context } = new Rig();
  const bad = [
    null, undefined, 5, true, Symbol('x'), {}, [], { address: '192.0.2.1' }, { port: 1 }, { address: 1, port: 1 }, { address: 'a', port: '1' },
    { address: 'a', port: -1 }, { address: 'a', port: 65_536 }, { address: 'a', port: 1.5 }, { address: 'a', port: Number.NaN },
    { address: 'a', port: 1, ifindex: -1 }, { address: 'a', port: 1, ifindex: 1.5 }, { address: 'a', port: 1, ifindex: 2 ** 31 }, { address: 'a', port: 1, ifindex: null },
  ] as unknown as Session[];
  for (const session of bad) {
    for (const call of [
      () => context.handleMessage(session, new Uint8Array(1)), () => context.connect(session), () => context.newPeer(session), () => context.write(session, text('x')),
      () => context.writev(session, []), () => context.close(session), () => context.renegotiate(session), () => context.getPeer(session), () => context.setMtu(session, 500),
    ]) assert.throws(call, (error: unknown) => error instanceof LocalError && error.code === 'ERR_DTLS_ARGUMENT');
  }
});

test('a peer shows role, state, suite, identity and extended_master_secret as they come to be', () => {
  const rig = new Rig({ forceExtendedMasterSecret: false }, { getPskInfo: (_, __, type) => (type === 'hint' ? text('hint') : KEY) });
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  const shown = rig.context.getPeer(CLIENT)!;
  assert.equal([shown.role, shown.state, shown.suite, shown.identity, shown.extendedMasterSecret, shown.mtu], ['server', 'handshake', null, null, false, 1232]);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.equal([shown.role, shown.state, shown.suite, shown.extendedMasterSecret], ['server', 'connected', PSK_AES_128_CCM_8, true]);
  assert.equal(shown.identity, { kind: 'psk', identity: IDENTITY, hint: text('hint') });
  pskIdentityOf(shown).fill(0);
  assert.equal(pskIdentityOf(shown), IDENTITY, 'each look is a copy');
  for (const name of ['role', 'state', 'suite', 'identity', 'extendedMasterSecret', 'mtu']) {
    assert.throws(() => ((shown as unknown as Record<string, unknown>)[name] = 1), (error: unknown) => error instanceof TypeError, name);
  }
  assert.is(shown.app, undefined);
  shown.app = 'the host\'s';
  assert.is(rig.context.getPeer(CLIENT)!.app, 'the host\'s');
  rig.context.close(CLIENT);
  assert.is(shown.state, 'closing');
  rig.runOut();
  assert.is(shown.state, 'closed');
  assert.is(establishedWithout(rig).extendedMasterSecret, false);
});

function establishedWithout(rig: Rig): { extendedMasterSecret: boolean } {
  const peer = new ScriptedPeer('client', { extendedMasterSecret: false, seed: 3 });
  fetchCookie(rig, peer, 'old');
  rig.feed('old', peer.clientHello({ extensions: new Map([[0xff01, new Uint8Array(1)]]) }));
  for (const { type, messageSeq, body } of peer.take(...rig.takeSent())) {
    if (type === 2) peer.serverRandom = body.slice(2, 34);
    peer.note(type, messageSeq, body);
  }
  rig.feed('old', join(...clientFlight(peer)));
  assert.is(rig.context.getPeer('old')?.state, 'connected');
  return rig.context.getPeer('old')!;
}

test('getPskInfo is asked in order, with the role in sight; it gets copies, and what it returns is copied and left alone', () => {
  const asked: [PskInfoType, unknown, unknown][] = [];
  const key = KEY.slice();
  const identity = IDENTITY.slice();
  const hint = text('hint');
  const ask = (rig: () => Rig) => (context: DtlsContext, session: Session, type: PskInfoType, description: Uint8Array): Uint8Array => {
    asked.push([type, new TextDecoder().decode(description), context.getPeer(session)?.role]);
    assert.is(context, rig().context);
    description.fill(0xee);
    return type === 'hint' ? hint : type === 'identity' ? identity : key;
  };
  const server: Rig = new Rig({}, { getPskInfo: ask(() => server) });
  establish(server);
  const client: Rig = new Rig({}, { getPskInfo: ask(() => client) });
  const peer = new ScriptedPeer('server');
  client.context.connect(SERVER);
  toServerFlight(client, peer);
  client.feed(SERVER, join(peer.serverHello(), peer.serverKeyExchange(hint), peer.serverHelloDone()));
  takeClientFlight(peer, client.takeSent());
  identity.fill(0);
  key.fill(0);
  client.feed(SERVER, join(peer.changeCipherSpec(), peer.finished()));
  assert.equal(asked, [['hint', '', 'server'], ['key', 'device-1', 'server'], ['identity', 'hint', 'client'], ['key', 'device-1', 'client']]);
  assert.equal([server, client].map((rig) => rig.codes.includes(DTLS_EVENT_CONNECTED)), [true, true]);
  assert.equal(client.context.getPeer(SERVER)?.identity, { kind: 'psk', identity: IDENTITY, hint });
  assert.equal(hint, text('hint'));
});

test('the engine wipes nothing of the host\'s: key, identity and hint are as they were', () => {
  const [key, identity, hint] = [KEY.slice(), IDENTITY.slice(), text('hint')];
  const answers = { getPskInfo: (_: unknown, __: unknown, type: PskInfoType) => (type === 'hint' ? hint : type === 'identity' ? identity : key) };
  establish(new Rig({}, answers));
  const rig = new Rig({}, answers);
  establishClient(rig);
  rig.context.free();
  assert.equal([key, identity, hint], [KEY, IDENTITY, text('hint')]);
});

test('getUserParameters is asked for each handshake, per session; absent fields fall back to the context', () => {
  const asked: unknown[] = [];
  let parameters: UserParameters | null | undefined = { mtu: 300, cipherSuites: [PSK_AES_128_GCM_SHA256], initialTimeoutMs: 50 };
  const rig = new Rig({ mtu: 900 }, { getUserParameters: (_, session) => (asked.push(fields(session)), parameters) });
  rig.context.connect(SERVER);
  assert.is(rig.context.getPeer(SERVER)?.mtu, 300);
  assert.is(rig.context.checkRetransmit(), 1050);
  const offered = new ScriptedPeer('server').take(...rig.takeSent())[0]!.body;
  assert.equal([...offered.slice(36, 40)], [0, 2, 0, 0xa8]);
  const peer = new ScriptedPeer('client');
  fetchCookie(rig, peer);
  assert.is(asked.length, 1, 'not before the cookie');
  assert.is(rig.feed(CLIENT, peer.clientHello()), -(512 + 40), 'CCM is not among this peer\'s suites');
  for (parameters of [null, undefined, {}, { mtu: undefined }]) {
    rig.context.resetPeer(rig.context.getPeer(SERVER)!);
    rig.context.connect(SERVER);
    assert.is(rig.context.getPeer(SERVER)?.mtu, 900);
  }
  assert.equal(asked, [fields(SERVER), fields(CLIENT), ...Array<unknown>(4).fill(fields(SERVER))]);
});

test('parameters of newPeer stand instead of getUserParameters; wrong ones are refused by name', () => {
  let asked = 0;
  const rig = new Rig({ cipherSuites: [PSK_AES_128_CCM_8] }, { getUserParameters: () => (asked++, { mtu: 300 }) });
  assert.is(rig.context.newPeer(SERVER, { initialTimeoutMs: 7 }).mtu, 1232);
  assert.is(rig.context.newPeer(SERVER, {}).mtu, 1232);
  assert.is(asked, 0);
  assert.is(rig.context.newPeer(SERVER).mtu, 300);
  const peer = rig.context.newPeer(SERVER, { initialTimeoutMs: 7, maxRetransmits: 0 });
  rig.context.connectPeer(peer);
  assert.is(rig.context.checkRetransmit(), 1007);
  assert.is(rig.advance(7), 0);
  assert.is(rig.context.getPeer(SERVER), undefined);
  for (const [bad, name] of [
    [{ mtu: 99 }, 'mtu'], [{ mtu: 70_000 }, 'mtu'], [{ initialTimeoutMs: 0 }, 'initialTimeoutMs'], [{ maxTimeoutMs: -1 }, 'maxTimeoutMs'],
    [{ maxRetransmits: Number.NaN }, 'maxRetransmits'], [{ timeoutJitter: 2 }, 'timeoutJitter'], [{ plaintextAlerts: 'maybe' }, 'plaintextAlerts'],
    [{ forceExtendedMasterSecret: 1 }, 'forceExtendedMasterSecret'], [{ cipherSuites: [] }, 'cipherSuites'], [{ cipherSuites: [PSK_AES_128_GCM_SHA256] }, 'GCM'],
    [7, 'parameters'],
  ] as [UserParameters, string][]) {
    assert.throws(() => rig.context.newPeer(SERVER, bad), (error: unknown) => error instanceof LocalError && error.code === 'ERR_DTLS_ARGUMENT' && error.message.includes(name), name);
  }
});

test.run();
