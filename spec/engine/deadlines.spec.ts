/**
 * Deadlines and callbacks: whatever a host does inside a callback, or fails to do, a deadline stays armed and is told,
 * nothing recurses, no rejection goes unhandled, and the counters count what happened.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { looks } from '../../bench/cases/peers.js';
import {
  DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT, LocalError, type Session,
} from '../../lib/index.js';
import type { Parameters } from '../../lib/engine/config.js';
import { Peer } from '../../lib/engine/peer.js';
import { Peers } from '../../lib/engine/peers.js';
import { canonical } from '../../lib/engine/session.js';
import { CLIENT, Rig, SERVER, text } from '../support/rig.js';
import { establish, fetchCookie, ScriptedPeer, toServerHelloDone } from '../support/scripted.js';

const OTHER: Session = { address: '192.0.2.50', port: 50 };

test('setMtu inside the CONNECT event sends nothing early and keeps the timer armed', () => {
  const rig = new Rig({ maxRetransmits: 2 }, {
    event: (context, session, _, code) => {
      if (code === DTLS_EVENT_CONNECT) assert.ok(context.setMtu(session as Session, 500));
      codes.push(code);
    },
  });
  const codes: number[] = [];
  rig.context.connect(SERVER);
  assert.is(rig.takeSent().length, 1);
  assert.is(rig.context.stats().deadlines, 1);
  assert.is(rig.context.checkRetransmit(), 2000);
  assert.is(rig.advance(1000), 4000);
  assert.is(rig.takeSent().length, 1, 'the hello again');
  rig.runOut();
  assert.equal(codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT]);
  assert.is(rig.context.getPeer(SERVER), undefined);
});

test('a write callback that throws during checkRetransmit, with nobody to take the error, does not lose the deadline', () => {
  const rig = new Rig({}, { error: undefined });
  const failure = new Error('no network');
  let armed = 0;
  const tick = (): void => {
    rig.now = armed;
    armed = 0;
    armed = rig.context.checkRetransmit();
  };
  rig.context.setHandler({
    write: () => {
      throw failure;
    },
    schedule: (_, at) => void (armed = at),
    event: (_, session, level, code, detail) => void rig.events.push({ session, level, code, detail, at: rig.now }),
    getPskInfo: () => null,
  });
  assert.throws(() => rig.context.connect(SERVER), (error: unknown) => error === failure);
  assert.is(armed, 2000);
  for (const next of [4000, 8000, 16_000, 32_000, 64_000]) {
    assert.throws(tick, (error: unknown) => error === failure);
    assert.is(armed, next, 'the host of a call that throws hears of the deadline by schedule');
  }
  tick();
  assert.is(armed, 0);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_TIMEOUT]);
});

test('checkRetransmit returns the deadline as it is after what a callback handed in', () => {
  let hello: Uint8Array | null = null;
  const rig = new Rig({ maxRetransmits: 0 }, {
    event: (context, _, __, code) => {
      if (code === DTLS_EVENT_TIMEOUT && hello !== null) context.handleMessage(CLIENT, hello);
      hello = null;
    },
  });
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  rig.context.connect(SERVER);
  hello = client.clientHello();
  assert.is(rig.advance(1000), 3000, 'of the handshake that the datagram began');
  assert.is(rig.context.getPeer(CLIENT)?.state, 'handshake');
});

test('checkRetransmit returns the deadline as it is after what schedule did', () => {
  let pending = true;
  const rig = new Rig({ maxRetransmits: 0 }, {
    schedule: (context, at) => {
      if (at !== 0 || !pending) return;
      pending = false;
      context.connect(OTHER);
    },
  });
  rig.context.connect(SERVER);
  assert.is(rig.advance(1000), 3000);
  assert.is(rig.context.getPeer(OTHER)?.state, 'handshake');
});

test('a clock that fails while a datagram from a callback is taken in leaves a context that works', () => {
  let broken = false;
  const rig = new Rig({
    now: () => {
      if (broken) throw new Error('no clock');
      return rig.now;
    },
  }, {
    read: (context, _, data) => {
      reads.push(data.slice());
      if (reads.length > 1) return;
      broken = true;
      context.handleMessage(OTHER, new ScriptedPeer('client', { seed: 3 }).clientHello());
    },
  });
  const reads: Uint8Array[] = [];
  const client = establish(rig);
  // Another hello from where a handshake runs: how old that is, is a question to the clock.
  toServerHelloDone(rig, new ScriptedPeer('client', { seed: 2 }), OTHER);
  try {
    rig.feed(CLIENT, client.applicationData(text('one')));
  } catch {
    // It may be thrown: it is the host's clock.
  }
  broken = false;
  rig.takeSent();
  rig.feed(SERVER, new ScriptedPeer('client', { seed: 4 }).clientHello());
  assert.is(rig.takeSent().length, 1, 'a hello is answered at once');
  rig.feed(CLIENT, client.applicationData(text('two')));
  assert.equal(reads, [text('one'), text('two')]);
});

/** Runs `body`, an async function of (api, rig, scripted) as text, in a process that ends at an unhandled rejection. */
async function inChild(body: string): Promise<string> {
  const at = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const code = `
    const [api, rig, scripted] = await Promise.all([import(${at('../../lib/index.js')}), import(${at('../support/rig.js')}), import(${at('../support/scripted.js')})]);
    process.on('unhandledRejection', (error) => console.log('unhandled:', error.message));
    await (${body})(api, rig, scripted);
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log('end');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
  return stdout.trim();
}

test('a promise of credentials that is abandoned before it is even looked at may reject', async () => {
  assert.is(await inChild(`async (api, { Rig, CLIENT }, { ScriptedPeer, fetchCookie }) => {
    const rig = new Rig({}, {
      getPskInfo: async (context, session) => {
        context.resetPeer(context.getPeer(session));
        throw new Error('blocked');
      },
    });
    const client = new ScriptedPeer('client');
    fetchCookie(rig, client);
    rig.feed(CLIENT, client.clientHello());
  }`), 'end');
});

test('a promise of credentials that is abandoned while it is waited for may reject', async () => {
  assert.is(await inChild(`async (api, { Rig, CLIENT }, { ScriptedPeer, fetchCookie }) => {
    let reject;
    const rig = new Rig({}, { getPskInfo: () => new Promise((_, no) => (reject = no)) });
    const client = new ScriptedPeer('client');
    fetchCookie(rig, client);
    rig.feed(CLIENT, client.clientHello());
    rig.context.resetPeer(rig.context.getPeer(CLIENT));
    reject(new Error('too late'));
  }`), 'end');
});

test('close inside a write callback that fails does not recurse, in a handshake of either role', () => {
  for (const role of ['client', 'server'] as const) {
    const rig = new Rig();
    const client = new ScriptedPeer('client');
    if (role === 'server') toServerHelloDone(rig, client);
    const session = role === 'client' ? SERVER : CLIENT;
    rig.events.length = 0;
    let writes = 0;
    rig.onWrite = () => {
      writes++;
      rig.context.close(session);
      return -1;
    };
    if (role === 'client') rig.context.connect(session);
    else rig.advance(1000);
    assert.is(writes, 2, `${role}: the flight, then user_canceled`);
    assert.equal(rig.codes.filter((code) => code !== DTLS_EVENT_CONNECT), [DTLS_EVENT_CLOSED]);
    assert.equal(rig.errors, []);
    assert.is(rig.context.getPeer(session), undefined);
    assert.is(rig.context.stats().deadlines, 0);
  }
});

test('an MTU of a fraction of a byte is refused wherever one is taken, as is any count; times may be fractions', () => {
  const refused = (name: string) => (error: unknown): boolean =>
    error instanceof LocalError && error.code === 'ERR_DTLS_ARGUMENT' && error.message.includes(name);
  assert.throws(() => new Rig({ mtu: 100.5 }), refused('mtu'));
  assert.throws(() => new Rig({ mtu: Number.NaN }), refused('mtu'));
  for (const name of ['maxRetransmits', 'maxPeers', 'maxHalfOpenPeers', 'maxHalfOpenPeersPerAddress', 'maxMessageBytes', 'maxEarlyRecords', 'maxDeferredDatagrams']) {
    assert.throws(() => new Rig({ [name]: 1000.5 }), refused(name), name);
  }
  const rig = new Rig({ initialTimeoutMs: 100.5, timeoutJitter: 0 });
  assert.throws(() => rig.context.newPeer(SERVER, { mtu: 120.7 }), refused('mtu'));
  rig.context.connect(SERVER);
  assert.throws(() => rig.context.setMtu(SERVER, 120.7), refused('MTU'));
  assert.is(rig.context.checkRetransmit(), 1100.5);
});

test('retransmissions counts what was sent again, and nothing where there was nothing to send', () => {
  const rig = new Rig();
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  const body = client.clientHelloBody();
  const start = body.subarray(0, 68);
  rig.feed(CLIENT, client.record(22, client.fragment(1, start, { messageSeq: 1, length: body.length })));
  assert.is(rig.context.stats().deadlines, 1, 'it waits for the rest of the hello');
  rig.runOut();
  assert.is(rig.context.getPeer(CLIENT), undefined);
  assert.equal(rig.takeSent(), []);
  assert.is(rig.context.stats().retransmissions, 0);

  rig.context.connect(SERVER);
  rig.runOut();
  const sent = rig.takeSent().length;
  assert.ok(sent > 1);
  assert.is(rig.context.stats().retransmissions, sent - 1);
});

test('who sends again is answered by the second, however slow our own timer is', () => {
  const rig = new Rig({ initialTimeoutMs: 9000 });
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  const hello = client.clientHello();
  rig.feed(CLIENT, hello);
  assert.ok(rig.takeSent().length > 0);
  rig.now += 1000;
  rig.feed(CLIENT, hello);
  assert.ok(rig.takeSent().length > 0);
  rig.now += 400;
  rig.feed(CLIENT, hello);
  assert.equal(rig.takeSent(), [], 'not twice within a second');
  assert.is(rig.context.stats().retransmissions, 1);
});

test('timers are spread by the random of our own hello, a byte for each attempt, and draw none of their own', () => {
  const drawn: number[] = [];
  const random = (length: number): Uint8Array => {
    drawn.push(length);
    return Uint8Array.from({ length }, (_, at) => (at === 0 ? 128 : at === 1 ? 64 : 0));
  };
  const rig = new Rig({ random, timeoutJitter: 0.5, maxTimeoutMs: 1000, maxRetransmits: 100 });
  rig.context.connect(SERVER);
  assert.is(rig.context.checkRetransmit(), 2250, 'half of the jitter');
  assert.is(rig.advance(1250), 2250 + 1125, 'a quarter');
  assert.is(rig.advance(1125), 2250 + 1125 + 1000, 'none');
  assert.equal(drawn, [32], 'the random of the ClientHello');
});

test('a table of very many peers of one address can be listed, which stats and free do', () => {
  const count = 200_000;
  const parameters = { mtu: 1232 } as Parameters;
  const peers = new Peers({ maxPeers: count, maxHalfOpenPeers: count, maxHalfOpenPeersPerAddress: count });
  for (let i = 0; i < count; i++) {
    peers.add(new Peer(canonical({ address: 'fe80::1', port: i % 50_000, ifindex: 1 + Math.floor(i / 50_000) }), parameters));
  }
  assert.is(peers.all().length, count);
});

test('with nothing due checkRetransmit looks at one deadline, however many wait; a peer that is due costs the logarithm of their number', () => {
  // Counted, not timed: one path down the heap, at four looks a level, one up at two, and a few beside.
  const most = (peers: number): number => 6 * Math.ceil(Math.log2(peers)) + 10;
  for (const peers of [10, 1000, process.env['MICRODTLS_FULL'] === '1' ? 100_000 : 4000]) {
    const { nothingDue, oneDue } = looks(peers);
    assert.ok(nothingDue > 0 && nothingDue <= 4, `${nothingDue} looks among ${peers} when nothing is due`);
    assert.ok(oneDue > Math.log2(peers) && oneDue <= most(peers), `${oneDue} looks among ${peers} when one peer is due`);
  }
});

test.run();
