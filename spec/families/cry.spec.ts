/**
 * CRY, cryptographic inputs at the level of the engine: records with one bit wrong, header fields exchanged, and
 * randomness that is good, repeated, short or missing (RFC 5246 §6.2.3.3, RFC 6347 §4.1.2.1).
 */
import { createCipheriv } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keyBlock } from '../../lib/crypto/prf12.js';
import {
  DTLS_EVENT_CONNECTED, DtlsContext, LocalError, nobleProvider, PSK_AES_128_CCM_8, PSK_AES_256_GCM_SHA384, PSK_CHACHA20_POLY1305_SHA256, type DtlsOptions, type Session,
} from '../../lib/index.js';
import { Random } from '../support/random.js';
import { checkRandomness, FAILURES } from '../support/randomness.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, establishClient, ScriptedPeer, takeServerFlight } from '../support/scripted.js';

/** CCM with a short tag, GCM with the explicit nonce, ChaCha20-Poly1305 with the other nonce. */
const SUITES = [PSK_AES_128_CCM_8, PSK_AES_256_GCM_SHA384, PSK_CHACHA20_POLY1305_SHA256] as const;

function associations(): { rig: Rig; peer: ScriptedPeer; session: Session }[] {
  return SUITES.flatMap((suite) => {
    const [server, client] = [new Rig({ cipherSuites: [suite] }), new Rig({ cipherSuites: [suite] })];
    return [
      { rig: server, peer: establish(server, new ScriptedPeer('client', { suite })), session: CLIENT },
      { rig: client, peer: establishClient(client, new ScriptedPeer('server', { suite })), session: SERVER },
    ];
  });
}

test('CRY-08 a record with any one bit wrong, in header, nonce, ciphertext or tag, is dropped, and the right one is read after', () => {
  for (const { rig, peer, session } of associations()) {
    rig.takeSent();
    rig.events.length = 0;
    for (const length of [0, 1, 20]) {
      const good = peer.applicationData(new Uint8Array(length).fill(0x55));
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bad = good.slice();
        bad[bit >>> 3]! ^= 0x80 >>> (bit & 7);
        assert.is(rig.feed(session, bad), 0);
      }
      assert.equal([rig.reads, rig.events, rig.takeSent()], [[], [], []]);
      rig.feed(session, good);
      assert.equal(rig.reads.splice(0).map(({ bytes }) => bytes), [new Uint8Array(length).fill(0x55)]);
    }
  }
});

test('CRY-08 a record that is cut or stretched anywhere is dropped', () => {
  for (const { rig, peer, session } of associations()) {
    const good = peer.applicationData(new Uint8Array(33));
    for (let length = 0; length < good.length + 20; length++) {
      if (length === good.length - 13) continue;
      const bad = new Uint8Array(13 + length);
      bad.set(good.subarray(0, Math.min(good.length, bad.length)));
      bad.set([length >> 8, length & 255], 11);
      rig.feed(session, bad);
    }
    assert.equal(rig.reads, []);
    rig.feed(session, good);
    assert.is(rig.reads.length, 1);
  }
});

test('CRY-10 no field of the header of an authentic record can be exchanged: type, version, epoch, number, length', () => {
  for (const { rig, peer, session } of associations()) {
    rig.takeSent();
    rig.events.length = 0;
    const data = peer.applicationData(Uint8Array.of(1, 0), { sequence: 20 });
    const alert = peer.alert(1, 0, { epoch: 1, sequence: 21 });
    const change = (record: Uint8Array, at: number, ...bytes: number[]): Uint8Array => {
      const copy = record.slice();
      copy.set(bytes, at);
      return copy;
    };
    const forged = [
      ...[20, 21, 22, 24, 25, 26].map((type) => change(data, 0, type)), change(alert, 0, 23), change(alert, 0, 22),
      change(data, 1, 0xfe, 0xff), change(data, 1, 3, 3), change(data, 3, 0, 0), change(data, 3, 0, 2), change(data, 10, 22), change(data, 5, 1),
      change(data, 10, 21), change(alert, 10, 20), join(change(data, 12, data[12]! + 1), Uint8Array.of(0)), change(data, 12, data[12]! - 1).slice(0, -1),
    ];
    // The explicit nonce moved along with the number: the additional data still tells.
    if (peer.suite.nonceForm === 'explicit') forged.push(change(change(data, 10, 22), 20, 22));
    for (const record of forged) assert.is(rig.feed(session, record), 0);
    assert.equal([rig.reads, rig.events, rig.takeSent()], [[], [], []]);
    rig.feed(session, data);
    assert.equal(rig.reads.map(({ bytes }) => [...bytes]), [[1, 0]]);
  }
});

test('CRY-10 nonce and additional data are those of RFC 5246 and RFC 6655, as another cipher makes them', () => {
  const rig = new Rig();
  const peer = establish(rig);
  const block = keyBlock(nobleProvider.hashes.sha256!.hmac(peer.master), peer.serverRandom, peer.clientRandom, 40);
  const data = text('sealed elsewhere');
  const number = [0, 1, 0, 0, 0, 0, 0, 77];
  const cipher = createCipheriv('aes-128-ccm', block.slice(0, 16), join(block.slice(32, 36), Uint8Array.from(number)), { authTagLength: 8 });
  cipher.setAAD(Uint8Array.from([...number, 23, 0xfe, 0xfd, 0, data.length]), { plaintextLength: data.length });
  const sealed = join(cipher.update(data), cipher.final(), cipher.getAuthTag());
  rig.feed(CLIENT, join(Uint8Array.from([23, 0xfe, 0xfd, ...number, 0, 8 + sealed.length, ...number]), sealed));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [data]);
});

test('CRY-10 a record of one association, or of the other direction, is nothing to another', () => {
  const rig = new Rig();
  const one = establish(rig, new ScriptedPeer('client', { seed: 1 }), 'one');
  const two = establish(rig, new ScriptedPeer('client', { seed: 2 }), 'two');
  rig.feed('two', one.applicationData(text('stray')));
  rig.takeSent();
  rig.context.write('one', text('ours'));
  const [ours] = rig.takeSent();
  rig.feed('one', ours!);
  rig.feed('two', ours!);
  assert.equal(rig.reads, []);
  rig.feed('two', two.applicationData(text('own')));
  assert.is(rig.reads.length, 1);
});

test('CRY-11 hellos and cookies from the default source: no repeats, no zeros, no byte preferred', () => {
  const sent: Uint8Array[] = [];
  const now = 5;
  const context = new DtlsContext(
    { write: (_, __, bytes) => void sent.push(bytes.slice()), getPskInfo: () => null }, { now: () => now, timeoutJitter: 0 },
  );
  const randoms: Uint8Array[] = [];
  for (let i = 0; i < 10_000; i++) {
    context.connect('x');
    randoms.push(sent.pop()!.slice(27, 59));
    context.resetPeer(context.getPeer('x')!);
  }
  checkRandomness(randoms);
  const server = { feed: (session: Session, bytes: Uint8Array) => context.handleMessage(session, bytes) };
  const [cookies, serverRandoms]: [Uint8Array[], Uint8Array[]] = [[], []];
  const seeds = new Random(3);
  for (let i = 0; i < 1500; i++) {
    const peer = new ScriptedPeer('client', { seed: seeds.below(2 ** 32) });
    server.feed('y', peer.clientHello());
    peer.cookie = peer.take(sent.pop()!)[0]!.body.slice(3);
    cookies.push(peer.cookie);
    server.feed('y', peer.clientHello());
    serverRandoms.push(peer.take(sent.pop()!)[0]!.body.slice(2, 34));
    context.resetPeer(context.getPeer('y')!);
  }
  checkRandomness(cookies);
  checkRandomness(serverRandoms);
});

test('CRY-11 the same bytes come only when the source repeats them', () => {
  const hello = (seed: number): Uint8Array => {
    const rig = new Rig({}, {}, seed);
    rig.context.connect(SERVER);
    return rig.takeSent()[0]!;
  };
  assert.equal(hello(1), hello(1));
  assert.not.equal(hello(1), hello(2));
});

function failingAt(call: number, failure: (length: number) => Uint8Array): { options: DtlsOptions; calls: () => number } {
  const random = new Random(11);
  let calls = 0;
  return { options: { timeoutJitter: 0.1, random: (length) => (++calls < call ? random.bytes(length) : failure(length)) }, calls: () => calls };
}

/** No hello with an empty random and no empty cookie ever went out. */
function expectNoZeros(sent: readonly Uint8Array[]): void {
  for (const bytes of sent) {
    if (bytes[0] !== 22 || bytes[4] !== 0) continue;
    const body = bytes.slice(25);
    const part = bytes[13] === 1 || bytes[13] === 2 ? body.slice(2, 34) : bytes[13] === 3 ? body.slice(3) : null;
    if (part !== null) assert.ok(part.length === 32 && part.some((byte) => byte !== 0));
  }
}

test('CRY-12 a client whose randomness fails at any call fails with an error, not with zeros, and leaves nothing behind', () => {
  for (const [name, failure] of Object.entries(FAILURES)) {
    for (let call = 1; call <= 6; call++) {
      const { options, calls } = failingAt(call, failure);
      const rig = new Rig(options);
      try {
        establishClient(rig);
      } catch (error) {
        assert.ok((error instanceof LocalError && error.code === 'ERR_DTLS_RANDOM') || rig.events.length > 0, `${name} ${call}: ${String(error)}`);
      }
      expectNoZeros(rig.sent.map(({ bytes }) => bytes));
      if (calls() < call) {
        assert.ok(rig.codes.includes(DTLS_EVENT_CONNECTED));
        continue;
      }
      assert.is(rig.context.getPeer(SERVER), undefined, `${name} ${call}`);
      const last = rig.events.at(-1);
      if (last !== undefined) assert.is(last.detail?.code, 'ERR_DTLS_RANDOM', `${name} ${call}`);
      assert.equal([rig.context.stats().halfOpen, rig.context.stats().deadlines], [0, 0]);
    }
  }
});

/** The steps of an honest client, as far as the server goes along. Everything that the server wrote. */
function approach(rig: Rig): Uint8Array[] {
  const peer = new ScriptedPeer('client');
  rig.feed(CLIENT, peer.clientHello());
  const requests = rig.takeSent();
  const [request] = peer.take(...requests);
  if (request !== undefined) peer.cookie = request.body.slice(3);
  rig.feed(CLIENT, peer.clientHello());
  const flight = rig.takeSent();
  takeServerFlight(peer, flight);
  if (peer.messages.some(({ type }) => type === 14)) rig.feed(CLIENT, join(...clientFlight(peer)));
  return [...requests, ...flight, ...rig.takeSent()];
}

test('CRY-12 a server whose randomness fails at any call throws nothing at its door, tells the host, and serves again when it is back', () => {
  for (const [name, failure] of Object.entries(FAILURES)) {
    for (let call = 1; call <= 8; call++) {
      let failing = true;
      const { options, calls } = failingAt(call, failure);
      const spare = new Random(12);
      const rig = new Rig({ ...options, random: (length) => (failing ? options.random!(length) : spare.bytes(length)) });
      expectNoZeros(approach(rig));
      if (calls() < call) {
        assert.ok(rig.codes.includes(DTLS_EVENT_CONNECTED), `${name} ${call}`);
        continue;
      }
      assert.is(rig.codes.includes(DTLS_EVENT_CONNECTED), false, `${name} ${call}`);
      const told = [...rig.events.map(({ detail }) => detail), ...rig.errors].filter((error) => error instanceof LocalError && error.code === 'ERR_DTLS_RANDOM');
      assert.ok(told.length > 0, `${name} ${call}: the host is not told`);
      assert.is(rig.context.getPeer(CLIENT), undefined);
      failing = false;
      approach(rig);
      assert.ok(rig.codes.includes(DTLS_EVENT_CONNECTED), `${name} ${call}: serves again`);
    }
  }
});

test('CRY-12 a cookie secret that cannot be replaced in its time is no secret that anybody could know', () => {
  for (const silence of [60_000, 119_999, 120_000, 500_000]) {
    let failing = false;
    const random = new Random(13);
    const rig = new Rig({
      random: (length) => {
        if (failing) throw new Error('no entropy');
        return random.bytes(length);
      },
    });
    const before = new ScriptedPeer('client', { seed: 1 });
    rig.feed(CLIENT, before.clientHello());
    before.cookie = before.take(...rig.takeSent())[0]!.body.slice(3);
    rig.advance(silence);
    failing = true;
    for (let i = 0; i < 3; i++) attempt(() => rig.feed('stranger', new ScriptedPeer('client', { seed: 2 + i }).clientHello()));
    failing = false;
    rig.takeSent();
    // The secret before the failure is the previous one now, and as good as it was.
    rig.feed('stranger', new ScriptedPeer('client', { seed: 9 }).clientHello());
    assert.is(rig.takeSent().length, 1);
    rig.feed(CLIENT, before.clientHello());
    assert.is(rig.context.getPeer(CLIENT) !== undefined, silence < 120_000, `${silence} ms`);
  }
});

function attempt(work: () => unknown): void {
  try {
    work();
  } catch {
    // Whether it throws is the matter of the spec before this one.
  }
}

test.run();
