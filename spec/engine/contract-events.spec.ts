/**
 * The host contract, callback by callback: the table of events with level, code and detail; `error` for callbacks
 * that throw; `schedule`, which is called last and only when the earliest deadline becomes earlier or vanishes.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as api from '../../lib/index.js';
import {
  DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_RENEGOTIATE, DTLS_EVENT_REPLACED,
  DTLS_EVENT_TIMEOUT, DtlsContext, DtlsError, type DtlsHandler, LocalError, PeerError, type Session,
} from '../../lib/index.js';
import { settled } from '../states/places.js';
import { CLIENT, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, establishClient, fetchCookie, ScriptedPeer, takeServerFlight, toServerHelloDone } from '../support/scripted.js';

const OTHER: Session = { address: '192.0.2.50', port: 50 };

/** Level, code and the detail's code of each event. */
const told = (rig: Rig): unknown[] => rig.events.map(({ level, code, detail }) => [level, code, detail?.code]);

test('the events have their numbers, and no other is exported', () => {
  const events = Object.entries(api).filter(([name]) => name.startsWith('DTLS_EVENT_'));
  assert.equal(Object.fromEntries(events), {
    DTLS_EVENT_CONNECT: 0x1dc, DTLS_EVENT_CONNECTED: 0x1de, DTLS_EVENT_RENEGOTIATE: 0x1df, DTLS_EVENT_TIMEOUT: 0x1e0,
    DTLS_EVENT_CLOSED: 0x1e1, DTLS_EVENT_REPLACED: 0x1e2, DTLS_EVENT_ERROR: 0x1e3,
  });
  assert.is(api.DTLS_EMSGSIZE, -90);
});

test('CONNECT and CONNECTED frame a handshake of either role; CONNECTED comes when the state says so', () => {
  const seen: unknown[] = [];
  const look: Partial<DtlsHandler> = {
    event: (context, session, level, code) => {
      const peer = context.getPeer(session);
      seen.push([level, code, peer?.state, peer?.role, peer?.identity?.kind, context.stats().established]);
      if (code === DTLS_EVENT_CONNECTED) assert.is(context.write(session, text('hi')), 2);
    },
  };
  establish(new Rig({}, look));
  establishClient(new Rig({}, look));
  assert.equal(seen, ['server', 'client'].flatMap((role) => [
    [0, DTLS_EVENT_CONNECT, 'handshake', role, undefined, 0], [0, DTLS_EVENT_CONNECTED, 'connected', role, 'psk', 1],
  ]));
});

test('a hello without a cookie is no handshake: no event', () => {
  const rig = new Rig();
  fetchCookie(rig, new ScriptedPeer('client'));
  assert.equal(rig.events, []);
});

test('RENEGOTIATE tells of a refused attempt', () => {
  const rig = new Rig();
  const peer = establish(rig);
  rig.events.length = 0;
  rig.feed(CLIENT, peer.message(1, peer.clientHelloBody(), { epoch: 1 }));
  assert.equal(told(rig), [[0, DTLS_EVENT_RENEGOTIATE, undefined]]);
});

test('TIMEOUT says what was waited for; the peer is gone by then', () => {
  const rig: Rig = new Rig({ maxRetransmits: 2 }, {
    event: (context, session, level, code, detail) => {
      rig.events.push({ session, level, code, detail, at: rig.now });
      if (code === DTLS_EVENT_TIMEOUT) assert.is(context.getPeer(session), undefined);
    },
  });
  rig.context.connect(SERVER);
  toServerHelloDone(rig, new ScriptedPeer('client'));
  rig.runOut();
  const last = rig.events.filter(({ code }) => code === DTLS_EVENT_TIMEOUT);
  assert.equal(last.map(({ level, detail, at }) => [level, detail?.code, at]), [[0, 'ERR_DTLS_TIMEOUT', 8000], [0, 'ERR_DTLS_TIMEOUT', 8000]]);
  assert.match(last[0]!.detail!.message, /waitServerHello/);
  assert.match(last[0]!.detail!.message, /2 retransmissions/);
  assert.match(last[1]!.detail!.message, /waitPskClientKeyExchange/);
});

test('a client that never gets a valid Finished is told that identity or key are probably wrong', () => {
  const rig = new Rig();
  const server = new ScriptedPeer('server', { psk: text('another') });
  establishClient(rig, server);
  rig.runOut();
  assert.equal(told(rig).at(-1), [0, DTLS_EVENT_TIMEOUT, 'ERR_DTLS_PSK_MISMATCH']);
  assert.match(rig.events.at(-1)!.detail!.message, /no valid Finished from the server: the identity or the key is probably wrong/);
});

test('an alert that we send is told as an alert of level 2 with a PeerError that says why', () => {
  const rig = new Rig();
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  rig.feed(CLIENT, peer.message(16, Uint8Array.of(0), { note: false }));
  const { level, code, detail } = rig.events.at(-1)!;
  assert.equal([level, code, detail instanceof PeerError, detail?.code, detail?.alert], [2, 50, true, 'ERR_DTLS_DECODE', 50]);
});

test('an alert that comes is told with its own level and code: warnings bare, fatal ones with a detail', () => {
  const rig = new Rig();
  const peer = establish(rig);
  rig.events.length = 0;
  rig.feed(CLIENT, peer.alert(1, 90, { epoch: 1 }));
  rig.feed(CLIENT, peer.alert(2, 80, { epoch: 1 }));
  assert.equal(told(rig), [[1, 90, undefined], [2, 80, 'ERR_DTLS_ALERT']]);
  assert.ok(rig.events[1]!.detail instanceof DtlsError);
  assert.match(rig.events[1]!.detail!.message, /internal_error/);
});

test('REPLACED comes before CONNECTED when a reconnecting client has proved itself, and the identity is the new one', () => {
  const identities: unknown[] = [];
  const rig: Rig = new Rig({}, {
    getPskInfo: (_, __, type) => (type === 'key' ? KEY : null),
    event: (context, session, level, code, detail) => {
      rig.events.push({ session, level, code, detail, at: rig.now });
      const identity = context.getPeer(session)?.identity;
      identities.push(identity?.kind === 'psk' ? identity.identity : undefined);
    },
  });
  establish(rig, new ScriptedPeer('client', { identity: text('one') }));
  const handle = rig.context.getPeer(CLIENT);
  establish(rig, new ScriptedPeer('client', { identity: text('two'), seed: 5 }));
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_REPLACED, DTLS_EVENT_CONNECTED]);
  assert.equal(identities.slice(2), [text('two'), text('two')]);
  assert.is(rig.context.getPeer(CLIENT), handle);
  assert.equal([rig.context.stats().established, rig.context.stats().halfOpen], [1, 0]);
});

test('a newcomer that fails is told as ERROR, never as an alert of the association that goes on', () => {
  const rig = new Rig();
  const old = establish(rig);
  rig.events.length = 0;
  const newcomer = new ScriptedPeer('client', { seed: 5 });
  toServerHelloDone(rig, newcomer);
  rig.feed(CLIENT, newcomer.message(16, Uint8Array.of(0), { note: false }));
  toServerHelloDone(rig, new ScriptedPeer('client', { seed: 6 }));
  rig.runOut();
  assert.equal(told(rig), [[0, DTLS_EVENT_ERROR, 'ERR_DTLS_DECODE'], [0, DTLS_EVENT_ERROR, 'ERR_DTLS_TIMEOUT']]);
  rig.feed(CLIENT, old.applicationData(text('alive')));
  assert.is(rig.reads.length, 1);
});

test('an evicted half-open peer is told as ERROR', () => {
  const rig = new Rig({ maxHalfOpenPeersPerAddress: 1 });
  toServerHelloDone(rig, new ScriptedPeer('client'));
  toServerHelloDone(rig, new ScriptedPeer('client', { seed: 2 }), { address: '192.0.2.1', port: 4001 });
  assert.equal(told(rig).slice(1), [[0, DTLS_EVENT_ERROR, 'ERR_DTLS_EVICTED'], [0, DTLS_EVENT_CONNECT, undefined]]);
});

test('CLOSED comes once for each way to end in good order', () => {
  const rig = new Rig();
  const peer = establish(rig);
  rig.feed(CLIENT, peer.alert(1, 0, { epoch: 1 }));
  establish(rig, new ScriptedPeer('client', { seed: 2 }));
  rig.context.close(CLIENT);
  rig.runOut();
  assert.is(rig.codes.filter((code) => code === DTLS_EVENT_CLOSED).length, 2);
});

test('a callback that throws is told to `error` with the session, and disturbs nothing', () => {
  const boom = new Error('boom');
  for (const name of ['write', 'read', 'event', 'schedule'] as const) {
    const errors: unknown[] = [];
    const handler = { [name]: () => { throw boom; }, error: (_: unknown, session: unknown, error: unknown) => void errors.push([session, error]) };
    const rig = new Rig({}, name === 'write' ? {} : handler);
    const peer = establish(rig);
    if (name === 'write') rig.context.setHandler(handler as never);
    rig.feed(CLIENT, peer.applicationData(text('one')));
    rig.context.write(CLIENT, text('two'));
    const session = name === 'schedule' ? null : rig.context.getPeer(CLIENT)!.session;
    assert.ok(errors.length > 0, name);
    for (const error of errors) assert.equal(error, [session, boom]);
    assert.is(rig.context.stats().callbackErrors, errors.length);
    assert.is(rig.context.getPeer(CLIENT)?.state, 'connected');
  }
});

test('without `error` the first error is thrown from the call in progress, once, and the state is consistent', () => {
  const boom = new Error('boom');
  let throwing = true;
  const sent: Uint8Array[] = [];
  const handler: DtlsHandler = {
    write: (_, __, bytes) => void sent.push(bytes.slice()),
    event: () => { if (throwing) throw boom; },
    getPskInfo: (_, __, type) => (type === 'identity' ? IDENTITY : type === 'key' ? KEY : null),
  };
  const context = new DtlsContext(handler, { now: () => 5, timeoutJitter: 0 });
  assert.throws(() => context.connect(SERVER), (error: unknown) => error === boom);
  assert.is(context.getPeer(SERVER)?.state, 'handshake');
  assert.is(sent.length, 1);
  assert.is(context.checkRetransmit(), 1005);
  assert.throws(() => context.close(SERVER), (error: unknown) => error === boom);
  assert.is(context.getPeer(SERVER), undefined);
  throwing = false;
  assert.is(context.connect(SERVER), 1);
});

test('an `error` that throws, and an error where there is no caller, end up nowhere but in a count or an event', async () => {
  const rig = new Rig({}, { read: () => { throw new Error('a'); }, error: () => { throw new Error('b'); } });
  const peer = establish(rig);
  assert.is(rig.feed(CLIENT, peer.applicationData(text('x'))), 0);
  assert.is(rig.context.stats().callbackErrors, 1);

  const events: unknown[] = [];
  const sent: Uint8Array[] = [];
  const context = new DtlsContext({
    write: (_, __, bytes) => void sent.push(bytes.slice()),
    getPskInfo: async () => null,
    event: (_, session, level, code, detail) => {
      if (code === DTLS_EVENT_ERROR && detail?.code === 'ERR_DTLS_CALLBACK') events.push([(session as { port: number }).port, level, (detail.cause as Error).message]);
      else if (code !== DTLS_EVENT_CONNECT) throw new Error('nobody calls');
    },
  }, { timeoutJitter: 0 });
  const client = new ScriptedPeer('client');
  const bench = { feed: (session: Session, bytes: Uint8Array) => context.handleMessage(session, bytes), takeSent: () => sent.splice(0) };
  fetchCookie(bench as never, client);
  bench.feed(CLIENT, client.clientHello());
  await settled();
  takeServerFlight(client, bench.takeSent());
  bench.feed(CLIENT, client.clientKeyExchange(new Uint8Array(0)));
  bench.feed(CLIENT, client.message(99, new Uint8Array(0), { note: false }));
  await settled();
  assert.equal(events, [[4000, 0, 'nobody calls']]);
});

test('getUserParameters that throws is told, and its peer is not let in', () => {
  const rig = new Rig({}, { getUserParameters: () => { throw new Error('no parameters'); } });
  const peer = new ScriptedPeer('client');
  fetchCookie(rig, peer);
  assert.is(rig.feed(CLIENT, peer.clientHello()), 0);
  assert.equal(rig.errors.map((error) => (error as Error).message), ['no parameters']);
  assert.equal([rig.context.getPeer(CLIENT), rig.takeSent(), rig.events], [undefined, [], []]);
  assert.throws(() => rig.context.connect(SERVER), 'no parameters');
  assert.is(rig.context.getPeer(SERVER), undefined);
});

test('schedule is called when the earliest deadline becomes earlier or vanishes, and never otherwise', () => {
  const rig = new Rig();
  const { scheduled } = rig;
  const expectScheduled = (...at: number[]): void => assert.equal(scheduled.splice(0), at);
  expectScheduled();
  rig.context.connect(SERVER);
  expectScheduled(2000);
  rig.now = 1200;
  rig.context.connect(OTHER);
  expectScheduled();
  rig.now = 1500;
  rig.context.connect({ address: '192.0.2.51', port: 51 });
  rig.context.resetPeer(rig.context.getPeer(SERVER)!);
  expectScheduled();
  assert.is(rig.context.checkRetransmit(), 2200);
  rig.context.resetPeer(rig.context.getPeer(OTHER)!);
  rig.context.close({ address: '192.0.2.51', port: 51 });
  expectScheduled(0);
  const peer = establish(rig);
  expectScheduled(2500, 0);
  rig.feed(CLIENT, peer.applicationData(text('x')));
  rig.context.write(CLIENT, text('y'));
  expectScheduled();
  rig.context.connect(SERVER);
  expectScheduled(2500);
  rig.context.close(CLIENT);
  expectScheduled();
  rig.now = 1600;
  const short = rig.context.newPeer(OTHER, { initialTimeoutMs: 100 });
  rig.context.connectPeer(short);
  expectScheduled(1700);
  rig.context.free();
  expectScheduled(0);
});

/** A context that writes down the order of its callbacks; `inSchedule` is done once, in the next `schedule`. */
function ordered(): { rig: Rig; order: string[]; inSchedule: (work: () => void) => void } {
  const order: string[] = [];
  let work: (() => void) | null = null;
  const rig: Rig = new Rig({}, {
    event: (_, __, ___, code) => void order.push(`event ${code}`),
    schedule: (context, at) => {
      order.push(`schedule ${at}`);
      assert.is(context.checkRetransmit(), at);
      const now = work;
      work = null;
      now?.();
    },
  });
  rig.onWrite = (session, bytes) => {
    order.push('write');
    rig.sent.push({ session, bytes, at: rig.now });
  };
  return { rig, order, inSchedule: (next) => (work = next) };
}

test('schedule is the last callback of a call', () => {
  const { rig, order } = ordered();
  const peer = new ScriptedPeer('client');
  fetchCookie(rig, peer);
  order.length = 0;
  rig.feed(CLIENT, peer.clientHello());
  assert.equal(order.splice(0), [`event ${DTLS_EVENT_CONNECT}`, 'write', 'schedule 2000']);
  takeServerFlight(peer, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.equal(order, ['write', `event ${DTLS_EVENT_CONNECTED}`, 'schedule 0']);
});

test('what a host does in schedule is taken in before the call returns, and schedule hears of what comes of it', () => {
  const { rig, order, inSchedule } = ordered();
  const peer = establish(rig);
  const alert = peer.alert(2, 80, { epoch: 1 });
  order.length = 0;
  inSchedule(() => rig.feed(CLIENT, alert));
  rig.context.connect(SERVER);
  assert.equal(order.splice(0), [`event ${DTLS_EVENT_CONNECT}`, 'write', 'schedule 2000', 'event 80']);
  inSchedule(() => rig.context.connectPeer(rig.context.newPeer(OTHER, { initialTimeoutMs: 10 })));
  rig.context.resetPeer(rig.context.getPeer(SERVER)!);
  assert.equal(order.filter((step) => step.startsWith('schedule')), ['schedule 0', 'schedule 1010']);
});

test('LocalError and PeerError are the two kinds of DtlsError, with name, code and alert', () => {
  for (const error of [new LocalError('ERR_DTLS_ARGUMENT', 'words', 80, 'cause'), new PeerError('ERR_DTLS_DECODE', 50, 'words')]) {
    assert.ok(error instanceof DtlsError && error instanceof Error);
    assert.is(error.name, error.constructor.name);
    assert.is(error.message, 'words');
  }
});

test.run();
