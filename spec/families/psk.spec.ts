/**
 * PSK, pre-shared keys: identities and keys of every length, hints, unknown identities and wrong keys, and the
 * premaster against an independent derivation (RFC 4279 §2, §5).
 */
import { createHash, createHmac } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_SUITES, type DtlsHandler, type PskInfoType,
} from '../../lib/index.js';
import { writePskClientKeyExchange, writePskServerKeyExchange } from '../../lib/message/keyexchange.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import {
  clientFlight, establish, establishClient, fetchCookie, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

type Host = Required<Pick<DtlsHandler, 'getPskInfo'>>;

/** A host that writes down what it is asked and answers from a table. */
function host(answers: Partial<Record<PskInfoType, (description: Uint8Array) => Uint8Array | number | null>>): Host & { asked: [PskInfoType, Uint8Array][] } {
  const asked: [PskInfoType, Uint8Array][] = [];
  return {
    asked,
    getPskInfo: (_, __, type, description) => {
      asked.push([type, description]);
      return answers[type]?.(description) ?? null;
    },
  };
}

const isConnected = (rig: Rig): boolean => rig.codes.includes(DTLS_EVENT_CONNECTED);

test('PSK-01 an unknown identity and a wrong key for a known one give the same bytes at the same times', () => {
  const views = ['device-1', 'nobody-1'].map((identity) => {
    const rig = new Rig({ timeoutJitter: 0.1 });
    const peer = new ScriptedPeer('client', { identity: text(identity), psk: text('0123456789abcdef') });
    toServerHelloDone(rig, peer);
    const flight = join(...clientFlight(peer));
    for (let i = 0; i < 4; i++) {
      rig.feed(CLIENT, flight);
      rig.feed(CLIENT, peer.applicationData(text('data')));
      rig.feed(CLIENT, peer.alert(1, 90, { epoch: 1 }));
      rig.advance(1100);
    }
    rig.runOut();
    rig.feed(CLIENT, flight);
    return { rig, sent: rig.sent.map(({ bytes, at }) => ({ bytes, at })), stats: { ...rig.context.stats(), dropped: null } };
  });
  const [known, unknown] = [views[0]!, views[1]!];
  assert.ok(known.sent.length >= 6);
  assert.equal(known.sent, unknown.sent);
  assert.equal(known.stats, unknown.stats);
  assert.equal(known.rig.random.next(), unknown.rig.random.next(), 'as much randomness was drawn');
  // The host alone is told which it was.
  for (const { rig } of views) assert.equal(rig.events.slice(1).map(({ level, code, detail }) => [level, code, detail?.code]), [[0, DTLS_EVENT_ERROR, 'ERR_DTLS_PSK_MISMATCH']]);
  assert.match(known.rig.events[1]!.detail!.message, /another key/);
  assert.match(unknown.rig.events[1]!.detail!.message, /identity is unknown/);
});

test('PSK-01 a promised answer hides the same: the server goes on alike from the moment it is there', async () => {
  const views = [];
  for (const identity of ['device-1', 'nobody-1']) {
    const rig = new Rig({}, {
      getPskInfo: (_, __, type, description) => (type === 'key' ? Promise.resolve(equal(description, IDENTITY) ? KEY : null) : null),
    });
    const peer = new ScriptedPeer('client', { identity: text(identity), psk: text('0123456789abcdef') });
    toServerHelloDone(rig, peer);
    rig.feed(CLIENT, join(...clientFlight(peer)));
    for (let i = 0; i < 5; i++) await Promise.resolve();
    const deadline = rig.context.checkRetransmit();
    rig.runOut();
    views.push({ deadline, sent: rig.sent.map(({ bytes, at }) => [bytes, at]), codes: rig.codes });
  }
  assert.equal(views[0], views[1]);
});

test('PSK-01 the stand-in for a missing key is no key that anybody could know', () => {
  for (const psk of [new Uint8Array(1), new Uint8Array(16), new Uint8Array(32), new Uint8Array(64), text('nobody-1'), text('')]) {
    const rig = new Rig();
    const peer = new ScriptedPeer('client', { identity: text('nobody-1'), psk });
    toServerHelloDone(rig, peer);
    rig.feed(CLIENT, join(...clientFlight(peer)));
    assert.is(isConnected(rig), false);
  }
});

test('PSK-02 identities of up to 1,024 bytes reach the host as they are, the empty one as empty', () => {
  for (const length of [0, 1, 127, 128, 129, 255, 256, 1024]) {
    const identity = Uint8Array.from({ length }, (_, i) => i * 7);
    const answers = host({ key: (description) => (equal(description, identity) ? KEY : null) });
    const rig = new Rig({}, answers);
    establish(rig, new ScriptedPeer('client', { identity }));
    assert.is(isConnected(rig), true, `${length} bytes`);
    assert.equal(answers.asked.at(-1), ['key', identity]);
    assert.equal(rig.context.getPeer(CLIENT)?.identity, { kind: 'psk', identity, hint: new Uint8Array(0) });

    const client = new Rig({}, host({ identity: () => identity, key: (description) => (equal(description, identity) ? KEY : null) }));
    const server = establishClient(client);
    assert.is(isConnected(client), true);
    assert.equal(server.messages.find(({ type }) => type === 16)?.body, writePskClientKeyExchange(identity));
  }
});

test('PSK-02 the empty identity is one identity among others: it opens nothing that the host does not name', () => {
  const rig = new Rig();
  const peer = new ScriptedPeer('client', { identity: new Uint8Array(0) });
  toServerHelloDone(rig, peer);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.is(isConnected(rig), false);
});

test('PSK-02 a larger identity ends its handshake with an alert and is never shown to the host', () => {
  for (const length of [1025, 4094, 4095, 65_535]) {
    const answers = host({ key: () => KEY });
    const rig = new Rig({}, answers);
    const peer = new ScriptedPeer('client', { identity: new Uint8Array(length) });
    toServerHelloDone(rig, peer);
    const body = writePskClientKeyExchange(peer.identity);
    const record = peer.message(16, body.subarray(0, 8000), { length: body.length });
    assert.is(rig.feed(CLIENT, record), -(512 + 47), `${length} bytes`);
    assert.is(stateOf(rig, CLIENT), 'gone');
    assert.equal(answers.asked.map(([type]) => type), ['hint']);
    assert.is(rig.context.stats().heldBytes, 0);
  }
  const rig = new Rig({ maxPskIdentityBytes: 8 });
  establish(rig);
  assert.is(isConnected(rig), true);
});

test('PSK-02 an identity of our own that is too long is the mistake of the host, told as such', () => {
  const rig = new Rig({}, host({ identity: () => new Uint8Array(1025), key: () => KEY }));
  const server = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  toServerFlight(rig, server);
  rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
  assert.is(stateOf(rig, SERVER), 'gone');
  const { level, code, detail } = rig.events.at(-1)!;
  assert.equal([level, code, detail?.name, detail?.code], [0, DTLS_EVENT_ERROR, 'LocalError', 'ERR_DTLS_CREDENTIAL']);
  server.take(...rig.takeSent());
  assert.equal(server.alerts, [{ epoch: 0, level: 2, description: 80 }]);
});

test('PSK-03 keys of 1, 64, 65, 255 and 1,000 bytes work in both roles, and sixteen zeros if the host says so', () => {
  for (const psk of [...[1, 64, 65, 255, 1000].map((length) => Uint8Array.from({ length }, (_, i) => i + 1)), new Uint8Array(16)]) {
    const rig = new Rig({}, host({ identity: () => IDENTITY, key: () => psk }));
    establish(rig, new ScriptedPeer('client', { psk }));
    assert.is(isConnected(rig), true, `${psk.length} bytes`);
    const client = new Rig({}, host({ identity: () => IDENTITY, key: () => psk }));
    establishClient(client, new ScriptedPeer('server', { psk }));
    assert.is(isConnected(client), true, `${psk.length} bytes`);
  }
});

test('PSK-03 an empty key is refused in both roles as the mistake of the host', () => {
  const rig = new Rig({}, host({ key: () => new Uint8Array(0) }));
  const peer = new ScriptedPeer('client', { psk: new Uint8Array(0) });
  toServerHelloDone(rig, peer);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  const client = new Rig({}, host({ identity: () => IDENTITY, key: () => new Uint8Array(0) }));
  const server = new ScriptedPeer('server', { psk: new Uint8Array(0) });
  client.context.connect(SERVER);
  toServerFlight(client, server);
  client.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
  for (const one of [rig, client]) {
    assert.is(isConnected(one), false);
    assert.is(one.context.stats().halfOpen, 0);
    assert.is(one.events.at(-1)!.detail?.code, 'ERR_DTLS_CREDENTIAL');
    assert.is(one.events.at(-1)!.code, DTLS_EVENT_ERROR);
  }
});

test('PSK-03 a key or identity that is not there ends a client with words, and sends no key exchange', () => {
  for (const answers of [{ identity: () => null, key: () => KEY }, { identity: () => IDENTITY, key: () => null }]) {
    const rig = new Rig({}, host(answers));
    const server = new ScriptedPeer('server');
    rig.context.connect(SERVER);
    toServerFlight(rig, server);
    assert.is(rig.feed(SERVER, join(server.serverHello(), server.serverHelloDone())), -(512 + 40));
    assert.is(stateOf(rig, SERVER), 'gone');
    assert.is(rig.events.at(-1)!.detail?.code, 'ERR_DTLS_CREDENTIAL');
    assert.equal(server.take(...rig.takeSent()), []);
    assert.equal(server.alerts, [{ epoch: 0, level: 2, description: 40 }]);
  }
});

test('PSK-07 a client takes a hint that is absent, empty, known, unknown or long, and goes by its own identity', () => {
  for (const hint of [null, new Uint8Array(0), text('hint'), new Uint8Array(128).fill(255), new Uint8Array(1024), new Uint8Array(4094)]) {
    const answers = host({ identity: () => IDENTITY, key: () => KEY });
    const rig = new Rig({}, answers);
    const server = new ScriptedPeer('server');
    rig.context.connect(SERVER);
    toServerFlight(rig, server);
    rig.feed(SERVER, server.serverHello());
    if (hint !== null) rig.feed(SERVER, server.serverKeyExchange(hint));
    rig.feed(SERVER, server.serverHelloDone());
    takeClientFlight(server, rig.takeSent());
    rig.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
    assert.is(isConnected(rig), true);
    assert.equal(answers.asked, [['identity', hint ?? new Uint8Array(0)], ['key', IDENTITY]]);
    assert.equal(rig.context.getPeer(SERVER)?.identity, { kind: 'psk', identity: IDENTITY, hint: hint ?? new Uint8Array(0) });
  }
});

test('PSK-07 a hint of 65,535 bytes ends the handshake with an alert, within bounds', () => {
  const rig = new Rig();
  const server = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  toServerFlight(rig, server);
  rig.feed(SERVER, server.serverHello());
  const body = writePskServerKeyExchange(new Uint8Array(65_535));
  assert.is(rig.feed(SERVER, server.message(12, body.subarray(0, 8000), { length: body.length })), -(512 + 47));
  assert.is(stateOf(rig, SERVER), 'gone');
});

test('PSK-07 a server sends its hint in a ServerKeyExchange and leaves the message out without one', () => {
  for (const [hint, types] of [[text('hint'), [2, 12, 14]], [new Uint8Array(0), [2, 14]], [null, [2, 14]]] as const) {
    const rig = new Rig({}, host({ hint: () => hint, key: () => KEY }));
    const peer = new ScriptedPeer('client');
    establish(rig, peer);
    assert.is(isConnected(rig), true);
    assert.equal(peer.messages.filter(({ type }) => type !== 3 && type !== 20).map(({ type }) => type), types);
    assert.equal(rig.context.getPeer(CLIENT)?.identity, { kind: 'psk', identity: IDENTITY, hint: hint ?? new Uint8Array(0) });
  }
  const rig = new Rig({}, host({ hint: () => new Uint8Array(1025) }));
  const peer = new ScriptedPeer('client');
  fetchCookie(rig, peer);
  assert.is(rig.feed(CLIENT, peer.clientHello()), -(512 + 80));
  assert.is(rig.events.at(-1)!.detail?.code, 'ERR_DTLS_CREDENTIAL');
});

test('PSK-08 without a suite in common there is handshake_failure, after the cookie, and nothing unauthenticated', () => {
  const rig = new Rig({ cipherSuites: [PSK_AES_128_GCM_SHA256] });
  const peer = new ScriptedPeer('client', { suite: PSK_AES_128_CCM_8 });
  fetchCookie(rig, peer);
  assert.is(rig.feed(CLIENT, peer.clientHello()), -(512 + 40));
  assert.equal(peer.take(...rig.takeSent()), []);
  assert.equal(peer.alerts, [{ epoch: 0, level: 2, description: 40 }]);
  assert.is(stateOf(rig, CLIENT), 'gone');
});

test('PSK-09 the premaster and all that follows agree with an independent derivation, for keys of 1 to 64 bytes', () => {
  for (let length = 1; length <= 64; length++) {
    const psk = Uint8Array.from({ length }, (_, i) => 200 - i);
    for (const extendedMasterSecret of [true, false]) {
      const rig = new Rig({ forceExtendedMasterSecret: false }, host({ identity: () => IDENTITY, key: () => psk }));
      const peer = new ScriptedPeer('client', { psk, extendedMasterSecret });
      const extensions = new Map([[0xff01, new Uint8Array(1)], ...(extendedMasterSecret ? [[23, new Uint8Array(0)] as const] : [])]);
      fetchCookie(rig, peer);
      rig.feed(CLIENT, peer.clientHello({ extensions }));
      for (const { type, messageSeq, body } of peer.take(...rig.takeSent())) {
        if (type === 2) peer.serverRandom = body.slice(2, 34);
        peer.note(type, messageSeq, body);
      }
      const keyExchange = peer.clientKeyExchange();
      const sessionHash = sha256(...peer.transcript);
      peer.deriveKeys();
      rig.feed(CLIENT, join(keyExchange, peer.changeCipherSpec(), peer.finished()));
      peer.take(...rig.takeSent());
      const master = extendedMasterSecret
        ? prf(premaster(psk), 'extended master secret', sessionHash, 48)
        : prf(premaster(psk), 'master secret', join(peer.clientRandom, peer.serverRandom), 48);
      const finished = peer.messages.at(-1)!;
      assert.equal([finished.type, finished.epoch], [20, 1], `${length} bytes`);
      assert.equal(finished.body, prf(master, 'server finished', sha256(...peer.transcript), 12));
    }
  }
});

test('PSK-09 both ends of this engine agree with each other in every suite', () => {
  for (const suite of PSK_SUITES) {
    const rig = new Rig({ cipherSuites: [suite] });
    establish(rig, new ScriptedPeer('client', { suite }));
    const client = new Rig({ cipherSuites: [suite] });
    establishClient(client, new ScriptedPeer('server', { suite }));
    assert.is(rig.context.getPeer(CLIENT)?.suite, suite);
    assert.is(client.context.getPeer(SERVER)?.suite, suite);
  }
});

/** RFC 4279 §2: N as two bytes, N zeros, N as two bytes, the key. */
function premaster(psk: Uint8Array): Uint8Array {
  const length = Uint8Array.of(psk.length >> 8, psk.length & 255);
  return join(length, new Uint8Array(psk.length), length, psk);
}

/** P_SHA256 of RFC 5246 §5, as it is written there. */
function prf(secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array {
  const hmac = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(createHmac('sha256', secret).update(join(...parts)).digest());
  const start = join(text(label), seed);
  let out = new Uint8Array(0);
  for (let a = hmac(start); out.length < length; a = hmac(a)) out = Uint8Array.from(join(out, hmac(a, start)));
  return out.slice(0, length);
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(join(...parts)).digest());
}

test.run();
