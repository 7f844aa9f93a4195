/**
 * PSK-06, answers of the host: at once, late, never, twice, wrong, rejected, or for a peer that is gone; for the
 * server's hint and key and the client's identity and key. While a question is open nothing is delivered and nothing
 * is sent again; what came meanwhile is used afterwards, within bounds.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, type DtlsHandler, fatalAlert, type PskInfoType, type Session } from '../../lib/index.js';
import { settled } from '../states/places.js';
import { associationOf, fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import {
  clientFlight, establish, fetchCookie, ScriptedPeer, takeClientFlight, takeServerFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));

/** The four questions, and the steps that make a context ask each. */
const QUESTIONS = [
  { role: 'server', open: 'hint', state: 'askPskHint', session: CLIENT },
  { role: 'server', open: 'key', state: 'askPskKey', session: CLIENT },
  { role: 'client', open: 'identity', state: 'askPskIdentity', session: SERVER },
  { role: 'client', open: 'key', state: 'askPskKey', session: SERVER },
] as const;

type Question = (typeof QUESTIONS)[number];
type Callback = NonNullable<DtlsHandler['getPskInfo']>;

const rightAnswer: Callback = (_, __, type, description) =>
  type === 'hint' ? text('hint') : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null;

interface Asked {
  readonly rig: Rig;
  readonly peer: ScriptedPeer;
  /** The rest of the peer's messages, once the question is answered. */
  readonly finish: () => void;
}

/** Makes a context ask: `answer` is what the host says to the question, all others it answers at once. */
function ask({ role, open, session }: Question, answer: Callback, handler: Partial<DtlsHandler> = {}): Asked {
  const rig = new Rig({}, {
    getPskInfo: (context, from, type, description) => (type === open ? answer : rightAnswer)(context, from, type, description),
    ...handler,
  });
  const peer = new ScriptedPeer(role === 'server' ? 'client' : 'server');
  if (role === 'client') {
    rig.context.connect(session);
    toServerFlight(rig, peer);
    rig.feed(session, join(peer.serverHello(), peer.serverHelloDone()));
    return { rig, peer, finish: () => {
      takeClientFlight(peer, rig.takeSent());
      rig.feed(session, join(peer.changeCipherSpec(), peer.finished()));
    } };
  }
  fetchCookie(rig, peer);
  rig.feed(session, peer.clientHello());
  if (open === 'hint') {
    return { rig, peer, finish: () => {
      takeServerFlight(peer, rig.takeSent());
      rig.feed(session, join(...clientFlight(peer)));
    } };
  }
  takeServerFlight(peer, rig.takeSent());
  const [keyExchange, ...rest] = clientFlight(peer);
  rig.feed(session, keyExchange);
  return { rig, peer, finish: () => void rig.feed(session, join(...rest)) };
}

/** A promise with its ends in hand. */
function later<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

const valueOf = (open: PskInfoType): Uint8Array => (open === 'hint' ? text('hint') : open === 'identity' ? IDENTITY : KEY);
const isConnected = (rig: Rig): boolean => rig.codes.includes(DTLS_EVENT_CONNECTED);

function expectGone(rig: Rig, session: Session): void {
  assert.is(stateOf(rig, session), 'gone');
  const { halfOpen, deadlines, heldBytes } = rig.context.stats();
  assert.equal([halfOpen, deadlines, heldBytes], [0, 0, 0]);
}

for (const question of QUESTIONS) {
  const { role, open, state, session } = question;
  const name = `PSK-06 the ${open} of a ${role}`;

  test(`${name} answered at once leaves nothing to wait for`, () => {
    const { rig, finish } = ask(question, rightAnswer);
    finish();
    assert.is(isConnected(rig), true);
    assert.is(rig.context.stats().deadlines, 0);
  });

  test(`${name} answered late lets the handshake go on where it stood; the timer meanwhile is the answer's`, async () => {
    const { promise, resolve } = later<Uint8Array>();
    const { rig, finish } = ask(question, () => promise);
    assert.is(stateOf(rig, session), state);
    assert.is(rig.context.checkRetransmit(), rig.now + 10_000);
    rig.takeSent();
    for (let second = 0; second < 9; second++) assert.is.not(rig.advance(1100), 0);
    assert.equal(rig.takeSent(), []);
    resolve(valueOf(open));
    await settled();
    assert.is.not(stateOf(rig, session), state);
    assert.is(rig.context.checkRetransmit(), rig.now + 1000);
    finish();
    assert.is(isConnected(rig), true);
  });

  test(`${name} refused by rejection, by throwing or with a wrong thing ends this handshake alone, with words`, async () => {
    const boom = new Error('the database is down');
    const wrong: [Callback, string][] = [
      [() => Promise.reject(boom), 'ERR_DTLS_CREDENTIAL'],
      [() => { throw boom; }, 'ERR_DTLS_CREDENTIAL'],
      [() => 'secret' as never, 'ERR_DTLS_CREDENTIAL'],
      [() => Promise.resolve([1, 2, 3] as never), 'ERR_DTLS_CREDENTIAL'],
      [() => 0, 'ERR_DTLS_CREDENTIAL'],
      [() => Promise.resolve(7), 'ERR_DTLS_CREDENTIAL'],
      [() => ({ then: (): never => { throw boom; } }) as never, 'ERR_DTLS_CREDENTIAL'],
    ];
    for (const [answer, code] of wrong) {
      const { rig, peer } = ask(question, answer);
      await settled();
      expectGone(rig, session);
      const last = rig.events.at(-1)!;
      assert.equal([last.level, last.code, last.detail?.code], [0, DTLS_EVENT_ERROR, code], String(answer));
      if (String(answer).includes('boom')) assert.is(last.detail?.cause, boom);
      peer.take(...rig.takeSent());
      assert.equal(peer.alerts.map(({ level, description }) => [level, description]), [[2, 80]]);
    }
  });

  test(`${name} refused with an alert sends that alert`, async () => {
    for (const answer of [fatalAlert(49), Promise.resolve(fatalAlert(49)), -(256 + 49)]) {
      const { rig, peer } = ask(question, () => answer);
      await settled();
      expectGone(rig, session);
      assert.equal(rig.fatal, [49]);
      peer.take(...rig.takeSent());
      assert.equal(peer.alerts.map(({ level, description }) => [level, description]), [[2, 49]]);
    }
  });

  test(`${name} that never comes is given up after credentialTimeoutMs, to the millisecond, and nobody else notices`, async () => {
    const { promise, resolve } = later<Uint8Array>();
    const { rig, peer } = ask(question, () => promise);
    rig.takeSent();
    rig.advance(9999);
    assert.is(stateOf(rig, session), state);
    assert.equal(rig.takeSent(), []);
    rig.advance(1);
    expectGone(rig, session);
    const { level, code, detail } = rig.events.at(-1)!;
    assert.equal([level, code, detail?.code], [0, DTLS_EVENT_ERROR, 'ERR_DTLS_CREDENTIAL_TIMEOUT']);
    peer.take(...rig.takeSent());
    assert.equal(peer.alerts.map(({ level, description }) => [level, description]), [[2, 80]]);
    // Late is as good as never.
    const before = rig.events.length;
    resolve(valueOf(open));
    await settled();
    assert.is(rig.events.length, before);
    assert.equal(rig.takeSent(), []);
    expectGone(rig, session);
  });

  test(`${name} given twice counts once, the first time`, async () => {
    let give: (value: Uint8Array) => void = () => {};
    let refuse: (error: unknown) => void = () => {};
    const thenable = { then: (yes: (value: Uint8Array) => void, no: (error: unknown) => void) => ([give, refuse] = [yes, no]) };
    const { rig, finish } = ask(question, () => thenable as never);
    await settled();
    give(valueOf(open));
    give(text('another'));
    refuse(new Error('changed my mind'));
    await settled();
    give(text('a third'));
    await settled();
    finish();
    assert.is(isConnected(rig), true);
    assert.equal(rig.errors, []);
  });

  test(`${name} that comes after its peer was closed, reset or freed does nothing`, async () => {
    const ends: ((rig: Rig) => void)[] = [
      (rig) => void rig.context.close(session),
      (rig) => rig.context.resetPeer(rig.context.getPeer(session)!),
      (rig) => rig.context.free(),
    ];
    for (const end of ends) {
      for (const reject of [false, true]) {
        const answer = later<Uint8Array>();
        const { rig } = ask(question, () => answer.promise);
        end(rig);
        const [events, sent] = [rig.events.length, rig.takeSent().length];
        assert.ok(sent <= 3);
        if (reject) answer.reject(new Error('late'));
        else answer.resolve(valueOf(open));
        await settled();
        assert.is(rig.events.length, events);
        assert.equal(rig.takeSent(), []);
        expectGone(rig, session);
      }
    }
  });

  test(`${name} that comes after a new handshake took the place of its own does not disturb the new one`, async () => {
    const answers = [later<Uint8Array>(), later<Uint8Array>()];
    let next = 0;
    const { rig, finish } = ask(question, () => answers[next++]!.promise);
    rig.context.resetPeer(rig.context.getPeer(session)!);
    rig.takeSent();
    // The same steps again on the same context: the second question is open when the first is answered.
    const again = new ScriptedPeer(role === 'server' ? 'client' : 'server', { seed: 4 });
    if (role === 'client') {
      rig.context.connect(session);
      toServerFlight(rig, again);
      rig.feed(session, join(again.serverHello(), again.serverHelloDone()));
    } else {
      fetchCookie(rig, again);
      rig.feed(session, again.clientHello());
      if (open === 'key') {
        takeServerFlight(again, rig.takeSent());
        rig.feed(session, clientFlight(again)[0]);
      }
    }
    assert.is(stateOf(rig, session), state);
    const before = fingerprint(rig, session);
    rig.takeSent();
    answers[0]!.resolve(text('of the old one'));
    await settled();
    assert.is(fingerprint(rig, session), before);
    assert.equal(rig.takeSent(), []);
    answers[1]!.resolve(valueOf(open));
    await settled();
    assert.is.not(stateOf(rig, session), state);
    assert.type(finish, 'function');
  });

  test(`${name} that is not there yet: what comes meanwhile waits within bounds, nothing is sent again`, async () => {
    const { promise, resolve } = later<Uint8Array>();
    const { rig, peer, finish } = ask(question, () => promise);
    rig.takeSent();
    const copies = [peer.message(99, new Uint8Array(5), { messageSeq: 0, note: false }), peer.changeCipherSpec(), peer.applicationData(text('x'), { epoch: 0 })];
    for (let i = 0; i < 40; i++) {
      rig.advance(200);
      rig.feed(session, copies[i % 3]!);
    }
    assert.equal(rig.takeSent(), []);
    assert.is(stateOf(rig, session), state);
    assert.ok(associationOf(rig, session)!.making!.early.length <= 10);
    assert.ok(rig.context.stats().heldBytes < 6144);
    resolve(valueOf(open));
    await settled();
    finish();
    assert.is(isConnected(rig), true);
  });
}

test('PSK-06 an answer that throws as soon as it is looked at ends its handshake, and no call of the engine', async () => {
  for (const question of QUESTIONS) {
    const boom = new Error('no such thing');
    const { rig } = ask(question, () => ({ get then(): never { throw boom; } }) as never);
    await settled();
    expectGone(rig, question.session);
    assert.is(rig.events.at(-1)!.detail?.code, 'ERR_DTLS_CREDENTIAL');
  }
});

test('PSK-06 the rest of the flight and data behind it wait for the key and are used once it is there, in order', async () => {
  const { promise, resolve } = later<Uint8Array>();
  const rig = new Rig({}, { getPskInfo: (_, __, type) => (type === 'key' ? promise : null) });
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  const flight = clientFlight(peer);
  const data = [1, 2, 3].map((value) => peer.applicationData(Uint8Array.of(value)));
  rig.feed(CLIENT, join(...flight, data[0]!));
  rig.feed(CLIENT, data[1]!);
  rig.feed(CLIENT, data[2]!);
  assert.is(isConnected(rig), false);
  assert.equal(rig.takeSent(), []);
  resolve(KEY);
  await settled();
  assert.is(isConnected(rig), true);
  assert.equal(rig.reads.map(({ bytes }) => bytes[0]), [1, 2, 3]);
  peer.take(...rig.takeSent());
  assert.equal(peer.messages.at(-1)?.body, peer.verifyData('server'));
});

test('PSK-06 a client hello that repeats or begins anew while the hint is awaited: the newcomer gets its own question', async () => {
  const answers = [later<null>(), later<null>()];
  let next = 0;
  const rig = new Rig({}, { getPskInfo: (_, __, type) => (type === 'hint' ? answers[next++]!.promise : KEY) });
  const first = new ScriptedPeer('client');
  fetchCookie(rig, first);
  const hello = first.clientHello();
  rig.feed(CLIENT, hello);
  rig.feed(CLIENT, hello);
  const second = new ScriptedPeer('client', { seed: 8 });
  rig.advance(1000);
  fetchCookie(rig, second);
  rig.feed(CLIENT, second.clientHello());
  assert.is(next, 2);
  answers[0]!.resolve(null);
  await settled();
  assert.equal(rig.takeSent(), []);
  answers[1]!.resolve(null);
  await settled();
  takeServerFlight(second, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(second)));
  assert.is(isConnected(rig), true);
  assert.is(rig.context.stats().halfOpen, 0);
});

test('PSK-06 an open question of one peer holds up no other', () => {
  const slow: Session = { address: '192.0.2.77', port: 1 };
  const never = new Promise<never>(() => {});
  const rig: Rig = new Rig({}, {
    getPskInfo: (_, session, type, description) => {
      if (type !== 'key') return null;
      return typeof session === 'object' && session.port === 1 ? never : equal(description, IDENTITY) ? KEY : null;
    },
  });
  const waiting = new ScriptedPeer('client', { seed: 2 });
  toServerHelloDone(rig, waiting, slow);
  rig.feed(slow, join(...clientFlight(waiting)));
  assert.is(stateOf(rig, slow), 'askPskKey');
  const peer = establish(rig);
  rig.feed(CLIENT, peer.applicationData(text('free')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('free')]);
  rig.runOut();
  assert.is(stateOf(rig, slow), 'gone');
  assert.is(stateOf(rig, CLIENT), 'connected');
});

test('PSK-06 identity and key of a client may both be promised, one after the other', async () => {
  const rig = new Rig({}, {
    getPskInfo: async (_, __, type, description) => (type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null),
  });
  const server = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  toServerFlight(rig, server);
  rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
  assert.equal(rig.takeSent(), []);
  await settled();
  await settled();
  takeClientFlight(server, rig.takeSent());
  rig.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
  assert.is(isConnected(rig), true);
});

test('PSK-06 no rejection was left unhandled', async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(unhandled, []);
});

test.run();
