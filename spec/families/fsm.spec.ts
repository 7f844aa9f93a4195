/**
 * FSM, the order of messages whatever the credentials: Finished and ChangeCipherSpec out of place, messages that come
 * again or never should, data before its time (RFC 5246 §7.3, RFC 6347 §4.2.5).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { keyBlock } from '../../lib/crypto/prf12.js';
import { DTLS_EVENT_CONNECTED, PSK_AES_128_GCM_SHA256, type Session } from '../../lib/index.js';
import { Protection12 } from '../../lib/record/protect12.js';
import { MODES, waiting } from '../states/modes.js';
import { enter, type Place } from '../states/places.js';
import { fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import {
  clientFlight, fetchCookie, ScriptedPeer, takeClientFlight, takeServerFlight, toServerHelloDone,
} from '../support/scripted.js';

const connected = (rig: Rig): number => rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length;

/** The association still lives both ways. */
function expectEcho({ rig, peer }: Pick<Place, 'rig' | 'peer'>, session: Session): void {
  rig.reads.length = 0;
  rig.takeSent();
  rig.feed(session, peer.applicationData(text('there')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('there')]);
  assert.is(rig.context.write(session, text('back')), 4);
  peer.data.length = 0;
  peer.take(...rig.takeSent());
  assert.equal(peer.data, [text('back')]);
}

/** Gives `peer` the keys that follow from a master secret, whatever the handshake says. */
function keysOf(peer: ScriptedPeer, master: Uint8Array): void {
  const block = keyBlock(nobleProvider.hashes.sha256!.hmac(master), peer.serverRandom, peer.clientRandom, 40);
  const side = (at: 0 | 1): Protection12 => new Protection12(
    nobleProvider.aeads[peer.suite.aead]!.create(block.slice(16 * at, 16 * at + 16)), 'explicit', block, 32 + 4 * at,
  );
  peer.master = master;
  [peer.write, peer.read] = peer.role === 'client' ? [side(0), side(1)] : [side(1), side(0)];
}

test('FSM-03 a client Finished in the clear, right in every bit, completes nothing; in the new epoch it does', () => {
  for (const { places } of MODES) {
    const place = enter('server', 'waitFinished', places);
    const { rig, peer } = place;
    const before = fingerprint(rig, CLIENT);
    const early = peer.finished({ epoch: 0, messageSeq: peer.messageSeq });
    assert.is(rig.feed(CLIENT, early), 0);
    assert.is(rig.feed(CLIENT, join(early, early)), 0);
    assert.is(fingerprint(rig, CLIENT), before);
    assert.is(connected(rig), 0);
    assert.equal(rig.takeSent(), []);
    peer.transcript.pop();
    rig.feed(CLIENT, join(peer.changeCipherSpec(), peer.finished()));
    peer.take(...rig.takeSent());
    assert.is(connected(rig), 1);
    expectEcho(place, CLIENT);
  }
});

test('FSM-04 a server Finished in the clear completes nothing; in the new epoch it does', () => {
  for (const { places } of MODES) {
    const place = enter('client', 'waitFinished', places);
    const { rig, peer } = place;
    const before = fingerprint(rig, SERVER);
    assert.is(rig.feed(SERVER, peer.finished({ epoch: 0, messageSeq: peer.messageSeq })), 0);
    assert.is(fingerprint(rig, SERVER), before);
    assert.is(connected(rig), 0);
    peer.transcript.pop();
    rig.feed(SERVER, join(peer.changeCipherSpec(), peer.finished()));
    assert.is(connected(rig), 1);
    expectEcho(place, SERVER);
  }
});

test('FSM-05 a lone ChangeCipherSpec before ClientKeyExchange is dropped wherever it comes, and the handshake completes', () => {
  const rig = new Rig();
  const peer = new ScriptedPeer('client');
  const drop = (): void => {
    const before = fingerprint(rig, CLIENT);
    for (const record of [peer.changeCipherSpec(), peer.changeCipherSpec({ sequence: 0 }), peer.changeCipherSpec({ sequence: 2 ** 48 - 1 })]) {
      assert.is(rig.feed(CLIENT, record), 0);
    }
    assert.is(fingerprint(rig, CLIENT), before);
    assert.equal(rig.takeSent(), []);
  };
  drop();
  fetchCookie(rig, peer);
  drop();
  rig.feed(CLIENT, peer.clientHello());
  takeServerFlight(peer, rig.takeSent());
  drop();
  rig.feed(CLIENT, join(...clientFlight(peer)));
  peer.take(...rig.takeSent());
  assert.is(connected(rig), 1);
  expectEcho({ rig, peer }, CLIENT);
  assert.equal(rig.fatal, []);
});

test('FSM-05 a client drops a ChangeCipherSpec that comes before the keys, and completes', () => {
  for (const state of ['waitServerHello', 'waitPskServerKeyExchange', 'waitPskServerHelloDone']) {
    const { rig, peer } = enter('client', state);
    const before = fingerprint(rig, SERVER);
    assert.is(rig.feed(SERVER, peer.changeCipherSpec()), 0);
    assert.is(fingerprint(rig, SERVER), before);
    assert.is(rig.context.stats().dropped.unexpected, 1);
    if (state === 'waitServerHello') rig.feed(SERVER, peer.serverHello());
    rig.feed(SERVER, peer.serverHelloDone());
    takeClientFlight(peer, rig.takeSent());
    rig.feed(SERVER, join(peer.changeCipherSpec(), peer.finished()));
    assert.is(connected(rig), 1);
  }
});

test('FSM-06 ChangeCipherSpec and a Finished under keys of an empty or all-zero master secret complete nothing', () => {
  for (const mode of MODES) {
    const { name, places } = mode;
    for (const master of [new Uint8Array(48), new Uint8Array(0)]) {
      for (const [role, session] of [['server', CLIENT], ['client', SERVER]] as const) {
        for (const state of waiting(mode, role)) {
          const { rig, peer } = enter(role, state, places);
          keysOf(peer, master);
          rig.feed(session, peer.changeCipherSpec());
          rig.feed(session, peer.finished({ messageSeq: peer.messageSeq }));
          rig.feed(session, peer.applicationData(text('forged')));
          assert.is(connected(rig), 0, `${name} ${role} ${state}`);
          assert.equal(rig.reads, []);
          assert.equal(rig.fatal, []);
          assert.is(stateOf(rig, session), state);
        }
      }
    }
  }
});

test('FSM-11 a thousand ChangeCipherSpecs change the epoch once: the handshake completes and nothing can be replayed', () => {
  const rig = new Rig();
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  const [keyExchange, change, finished] = clientFlight(peer);
  rig.feed(CLIENT, join(keyExchange, change));
  for (let i = 0; i < 1000; i++) rig.feed(CLIENT, i % 2 === 0 ? change : peer.changeCipherSpec());
  assert.is(stateOf(rig, CLIENT), 'waitFinished');
  rig.feed(CLIENT, finished);
  peer.take(...rig.takeSent());
  assert.is(connected(rig), 1);
  const data = peer.applicationData(text('once'));
  rig.feed(CLIENT, data);
  for (let i = 0; i < 1000; i++) rig.feed(CLIENT, i % 2 === 0 ? change : peer.changeCipherSpec());
  rig.feed(CLIENT, peer.changeCipherSpec({ epoch: 1 }));
  rig.feed(CLIENT, data);
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('once')]);
  assert.is(rig.context.stats().dropped.replayed, 1);
  expectEcho({ rig, peer }, CLIENT);
});

test('FSM-11 a client takes a repeated ChangeCipherSpec of the server once', () => {
  for (const { places } of MODES) {
    const place = enter('client', 'waitFinished', places);
    const { rig, peer } = place;
    const change = peer.changeCipherSpec();
    for (let i = 0; i < 1000; i++) rig.feed(SERVER, i % 2 === 0 ? change : peer.changeCipherSpec());
    rig.feed(SERVER, peer.finished());
    assert.is(connected(rig), 1);
    expectEcho(place, SERVER);
  }
});

test('FSM-13 a HelloVerifyRequest after ServerHello ends the handshake, an old one is dropped; neither is answered with a hello', () => {
  for (const mode of MODES) {
    const { places } = mode;
    for (const state of waiting(mode, 'client').filter((state) => state !== 'waitServerHello')) {
      const again = enter('client', state, places);
      assert.is(again.rig.feed(SERVER, again.peer.helloVerifyRequest(text('new cookie'), { messageSeq: 0 })), 0);
      assert.is(stateOf(again.rig, SERVER), state);
      assert.equal(again.rig.takeSent(), []);
      const next = enter('client', state, places);
      assert.is(next.rig.feed(SERVER, next.peer.helloVerifyRequest(text('new cookie'))), -(2 * 256 + 10));
      assert.is(stateOf(next.rig, SERVER), 'gone');
      assert.not.ok(next.peer.take(...next.rig.takeSent()).some(({ type }) => type === 1));
    }
  }
});

test('FSM-14 a second ServerHello with another suite ends the handshake or is dropped; the suite stays', () => {
  for (const mode of MODES) {
    const { places } = mode;
    for (const state of waiting(mode, 'client').filter((state) => state !== 'waitServerHello')) {
      const next = enter('client', state, places);
      assert.is(next.rig.feed(SERVER, next.peer.serverHello({ cipherSuite: PSK_AES_128_GCM_SHA256.id })), -(2 * 256 + 10));
      assert.is(stateOf(next.rig, SERVER), 'gone');
    }
    const { rig, peer } = enter('client', 'waitFinished', places);
    const transcript = [...peer.transcript];
    rig.feed(SERVER, peer.serverHello({ cipherSuite: PSK_AES_128_GCM_SHA256.id }, { messageSeq: 1 }));
    peer.transcript = transcript;
    rig.feed(SERVER, join(peer.changeCipherSpec(), peer.finished()));
    assert.is(connected(rig), 1);
    assert.is(rig.context.getPeer(SERVER)?.suite, peer.suite);
  }
});

test('FSM-19 a client with a pre-shared key sends ClientKeyExchange, ChangeCipherSpec and Finished, and no certificate', () => {
  const { peer, rig } = enter('client', 'connected');
  assert.equal(peer.messages.map(({ type, epoch }) => [type, epoch]), [[1, 0], [1, 0], [16, 0], [20, 1]]);
  assert.is(peer.changeCipherSpecs, 1);
  assert.is(rig.context.getPeer(SERVER)?.identity?.kind, 'psk');
});

test('FSM-21 a CertificateRequest or a Certificate in a handshake with pre-shared keys is unexpected', () => {
  for (const type of [11, 13]) {
    for (const state of ['waitPskServerKeyExchange', 'waitPskServerHelloDone', 'waitFinished']) {
      const { rig, peer } = enter('client', state);
      assert.is(rig.feed(SERVER, peer.message(type, new Uint8Array([0, 0, 0]))), -(2 * 256 + 10));
      assert.is(stateOf(rig, SERVER), 'gone');
    }
  }
});

test.run();
