/**
 * API-02, hosts that call back where it matters: loopback without a network, echo upon echo, datagrams handed in from
 * callbacks, and a new handshake begun in the very callback that tells of the end of the old one.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_TIMEOUT, DtlsContext, type DtlsHandler, type Session,
} from '../../lib/index.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import { establish, establishClient, fetchCookie, ScriptedPeer, toServerHelloDone } from '../support/scripted.js';

const getPskInfo: NonNullable<DtlsHandler['getPskInfo']> = (_, __, type) => (type === 'hint' ? null : type === 'identity' ? IDENTITY : KEY);

/** Two contexts whose write callbacks feed each other on the spot. */
function loopback(read: (own: DtlsContext, session: Session, data: Uint8Array) => void): { a: Rig; b: Rig } {
  const a: Rig = new Rig({}, { read: (context, session, data) => read(context, session, data) });
  const b: Rig = new Rig({}, { read: (context, session, data) => read(context, session, data) });
  a.onWrite = (_, bytes) => void b.feed('a', bytes);
  b.onWrite = (_, bytes) => void a.feed('b', bytes);
  return { a, b };
}

test('API-02 over a loopback the handshake is complete when connect returns, and data passes both ways', () => {
  const got: string[] = [];
  const { a, b } = loopback((_, session, data) => void got.push(`${String(session)} ${new TextDecoder().decode(data)}`));
  assert.is(a.context.connect('b'), 1);
  assert.equal([a.context.getPeer('b')?.state, b.context.getPeer('a')?.state], ['connected', 'connected']);
  a.context.write('b', text('hello'));
  b.context.write('a', text('world'));
  assert.equal(got, ['a hello', 'b world']);
  assert.equal([a.context.stats().deadlines, b.context.stats().deadlines], [0, 0]);
  a.context.close('b');
  assert.equal([a.context.getPeer('b'), b.context.getPeer('a')], [undefined, undefined]);
});

test('API-02 ten thousand echoes over a loopback need no more stack than one', () => {
  let echoes = 0;
  let deepest = 0;
  Error.stackTraceLimit = 1000;
  const { a } = loopback((context, session, data) => {
    if (echoes % 500 === 0) deepest = Math.max(deepest, new Error().stack!.split('\n').length);
    if (++echoes < 10_000) context.write(session, data);
  });
  a.context.connect('b');
  a.context.write('b', text('ball'));
  Error.stackTraceLimit = 10;
  assert.is(echoes, 10_000);
  assert.ok(deepest > 2 && deepest < 100, `${deepest} frames`);
});

test('API-02 a context that is wired to itself refuses its own hello and ends in a timeout', () => {
  const rig: Rig = new Rig();
  rig.onWrite = (session, bytes) => void rig.feed(session === 'left' ? 'right' : 'left', bytes);
  rig.context.connect('left');
  assert.ok(rig.context.stats().dropped.reflected > 0);
  assert.is(rig.context.getPeer('right'), undefined);
  rig.runOut();
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT]);
  assert.is(rig.context.stats().halfOpen, 0);
});

test('API-02 datagrams handed in from a callback are copied, taken in their order, and bounded', () => {
  const feed: Uint8Array[] = [];
  const rig: Rig = new Rig({ maxDeferredDatagrams: 5 }, {
    read: (context, session, data) => {
      rig.reads.push({ session, bytes: data.slice() });
      for (const bytes of feed.splice(0)) {
        assert.is(context.handleMessage(session, bytes), 0);
        bytes.fill(0);
      }
      rig.reads.push({ session, bytes: text('end of callback') });
    },
  });
  const peer = establish(rig);
  for (let i = 0; i < 8; i++) feed.push(peer.applicationData(Uint8Array.of(i)));
  rig.feed(CLIENT, peer.applicationData(text('first')));
  const expected = [text('first'), ...[0, 1, 2, 3, 4].map((i) => Uint8Array.of(i))].flatMap((bytes) => [bytes, text('end of callback')]);
  assert.equal(rig.reads.map(({ bytes }) => bytes), expected);
  assert.is(rig.context.stats().dropped.deferred, 3);
});

test('API-02 a write inside read, inside write and inside event goes out whole, each in its own datagram', () => {
  let nested = 0;
  const rig: Rig = new Rig({}, {
    write: (context, session, bytes) => {
      const whole = bytes.slice();
      if (nested > 0 && nested-- > 0) context.write(session, text(`nested ${nested}`));
      assert.equal(bytes, whole, 'what is being written is not touched by another write');
      rig.sent.push({ session, bytes: bytes.slice(), at: rig.now });
    },
    read: (context, session, data) => {
      const whole = data.slice();
      context.write(session, data);
      assert.equal(data, whole, 'nor what is being read');
    },
    event: (context, session, _, code) => {
      if (code === DTLS_EVENT_CONNECTED) context.write(session, text('welcome'));
    },
  });
  const peer = establish(rig);
  nested = 3;
  rig.feed(CLIENT, peer.applicationData(text('echo')));
  peer.take(...rig.takeSent());
  assert.equal(peer.data.map((bytes) => new TextDecoder().decode(bytes)), ['welcome', 'nested 0', 'nested 1', 'nested 2', 'echo']);
  assert.is(peer.undecryptable, 0);
});

for (const [name, code, end] of [
  ['CLOSED', DTLS_EVENT_CLOSED, (rig: Rig, peer: ScriptedPeer) => rig.feed(SERVER, peer.alert(1, 0, { epoch: 1 }))],
  ['CLOSED of our own close', DTLS_EVENT_CLOSED, (rig: Rig) => (rig.context.close(SERVER), rig.runOut(2000))],
  ['close_notify', 0, (rig: Rig, peer: ScriptedPeer) => rig.feed(SERVER, peer.alert(1, 0, { epoch: 1 }))],
  ['a fatal alert', 80, (rig: Rig, peer: ScriptedPeer) => rig.feed(SERVER, peer.alert(2, 80, { epoch: 1 }))],
  ['CLOSED of connectPeer', DTLS_EVENT_CLOSED, (rig: Rig) => (rig.context.close(SERVER), rig.context.connectPeer(rig.context.newPeer(SERVER)))],
] as const) {
  test(`API-02 a host that connects anew on ${name} has one new handshake`, () => {
    let results: number[] = [];
    const rig: Rig = new Rig({}, {
      event: (context, session, level, told) => {
        if (told === code) results.push(context.connect(session));
        rig.events.push({ session, level, code: told, detail: undefined, at: rig.now });
      },
    });
    const peer = establishClient(rig);
    results = [];
    end(rig, peer);
    assert.is(results.length > 0, true);
    assert.is(stateOf(rig, SERVER), 'waitServerHello');
    const { halfOpen, established, deadlines } = rig.context.stats();
    assert.equal([halfOpen, established, deadlines], [1, 0, 1]);
    rig.context.setHandler({ write: () => {}, getPskInfo });
    rig.context.resetPeer(rig.context.getPeer(SERVER)!);
    assert.equal([rig.context.stats().halfOpen, rig.context.stats().deadlines], [0, 0]);
  });
}

test('API-02 a host that connects anew on TIMEOUT goes on trying, with one peer at a time', () => {
  let tries = 0;
  const rig: Rig = new Rig({}, {
    event: (context, session, _, code) => {
      if (code === DTLS_EVENT_TIMEOUT && ++tries < 5) assert.is(context.connect(session), 1);
      assert.ok(context.stats().halfOpen <= 1);
    },
  });
  rig.context.connect(SERVER);
  rig.runOut();
  assert.is(tries, 5);
  assert.equal([rig.context.stats().halfOpen, rig.context.stats().deadlines], [0, 0]);
  assert.is(rig.sent.length, 5 * 6);
});

test('API-02 a host that begins a handshake with a session while it is being let in has one peer of it', () => {
  const newcomer: Session = { address: '192.0.2.1', port: 4001 };
  for (const eviction of [true, false]) {
    let done = false;
    const connectBack = (context: DtlsContext): void => {
      if (done) return;
      done = true;
      context.connect(newcomer);
    };
    const rig: Rig = new Rig(eviction ? { maxHalfOpenPeers: 1 } : {}, {
      event: (context, _, __, code, detail) => {
        if (eviction && code === DTLS_EVENT_ERROR && detail?.code === 'ERR_DTLS_EVICTED') connectBack(context);
      },
      getUserParameters: (context) => (eviction ? undefined : void connectBack(context)),
    });
    if (eviction) toServerHelloDone(rig, new ScriptedPeer('client'));
    const peer = new ScriptedPeer('client', { seed: 2 });
    fetchCookie(rig, peer, newcomer);
    rig.feed(newcomer, peer.clientHello());
    assert.is(done, true);
    const known = [CLIENT, newcomer].filter((session) => rig.context.getPeer(session) !== undefined).length;
    assert.is(rig.context.stats().halfOpen, known, eviction ? 'in the event of an eviction' : 'in getUserParameters');
    rig.runOut();
    assert.equal([rig.context.stats().halfOpen, rig.context.stats().deadlines], [0, 0]);
  }
});

test('API-02 a host that connects anew whenever a peer of its own is evicted does not outgrow the limit of half-open peers', () => {
  const rig: Rig = new Rig({ maxHalfOpenPeers: 3 }, {
    event: (context, session, _, code, detail) => {
      if (code === DTLS_EVENT_ERROR && detail?.code === 'ERR_DTLS_EVICTED') context.connect(session);
    },
  });
  for (let i = 0; i < 3; i++) rig.context.connect(`mine ${i}`);
  for (let i = 0; i < 30; i++) {
    const peer = new ScriptedPeer('client', { seed: i });
    rig.takeSent();
    fetchCookie(rig, peer, `stranger ${i}`);
    rig.feed(`stranger ${i}`, peer.clientHello());
    assert.ok(rig.context.stats().halfOpen <= 3, `${rig.context.stats().halfOpen} after ${i + 1} strangers`);
  }
});

test('API-02 a host that frees the context when a peer is evicted is left with nothing', () => {
  const rig: Rig = new Rig({ maxHalfOpenPeers: 1 }, {
    event: (context, _, __, code) => {
      if (code === DTLS_EVENT_ERROR) context.free();
    },
  });
  toServerHelloDone(rig, new ScriptedPeer('client'));
  const peer = new ScriptedPeer('client', { seed: 2 });
  fetchCookie(rig, peer, 'other');
  rig.takeSent();
  rig.feed('other', peer.clientHello());
  const { halfOpen, established, deadlines, heldBytes } = rig.context.stats();
  assert.equal([halfOpen, established, deadlines, heldBytes], [0, 0, 0, 0]);
  assert.equal(rig.takeSent(), []);
});

test('API-02 a host that connects while the context says good-bye is told that it is freed, and nothing is left', () => {
  const errors: unknown[] = [];
  const rig: Rig = new Rig({}, {
    write: (context, _, bytes) => {
      if (bytes[0] !== 21) return void rig.sent.push({ session: CLIENT, bytes: bytes.slice(), at: rig.now });
      for (const call of [() => context.connect(SERVER), () => context.handleMessage(SERVER, new Uint8Array(60)), () => context.free()]) {
        try {
          call();
        } catch (error) {
          errors.push((error as { code?: string }).code);
        }
      }
    },
  });
  establish(rig);
  rig.context.free();
  const { halfOpen, established, deadlines } = rig.context.stats();
  assert.equal([halfOpen, established, deadlines], [0, 0, 0]);
  assert.equal(errors, ['ERR_DTLS_FREED', 'ERR_DTLS_FREED']);
  assert.is(rig.scheduled.at(-1) ?? 0, 0);
});

test('API-02 a handshake that is reset in its own CONNECT sends nothing, in either role', () => {
  for (const role of ['client', 'server']) {
    const rig: Rig = new Rig({}, { event: (context, session) => void context.resetPeer(context.getPeer(session)!) });
    if (role === 'client') {
      rig.context.connect(SERVER);
    } else {
      const peer = new ScriptedPeer('client');
      fetchCookie(rig, peer);
      rig.feed(CLIENT, peer.clientHello());
    }
    assert.equal(rig.takeSent(), []);
    assert.equal([rig.context.stats().halfOpen, rig.context.stats().deadlines], [0, 0]);
  }
});

test('API-02 a peer that is reset while its first record is read gets no other of the same datagram', () => {
  const rig = new Rig();
  const peer = establish(rig);
  let reads = 0;
  rig.context.setHandler({
    write: () => {}, getPskInfo,
    read: (context, session) => {
      reads++;
      context.resetPeer(context.getPeer(session)!);
    },
  });
  rig.feed(CLIENT, join(peer.applicationData(text('1')), peer.applicationData(text('2')), peer.applicationData(text('3'))));
  assert.is(reads, 1);
  assert.is(rig.context.stats().established, 0);
});

test.run();
