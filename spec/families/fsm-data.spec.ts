/**
 * FSM, data, alerts and attempts to renegotiate before, during and after a handshake, whatever the credentials: nothing
 * is read before Finished is verified, nothing is told to who holds no key (RFC 5246 §7.4.9, RFC 5746, RFC 7925 §17).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, type Session } from '../../lib/index.js';
import { MODES } from '../states/modes.js';
import { enter, type Place } from '../states/places.js';
import { fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';

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

test('FSM-22 application data in epoch 0 is never read, in no state, and harms nothing', () => {
  for (const mode of MODES) {
    const { name, places } = mode;
    for (const [role, session] of [['server', CLIENT], ['client', SERVER]] as const) {
      for (const state of Object.keys(mode.tables[role])) {
        const { rig, peer } = enter(role, state, places);
        const before = fingerprint(rig, session);
        for (const body of [text('plain'), new Uint8Array(0), new Uint8Array(1200)]) {
          assert.is(rig.feed(session, peer.applicationData(body, { epoch: 0 })), 0);
        }
        assert.is(fingerprint(rig, session), before, `${name} ${role} ${state}`);
        assert.equal(rig.reads, []);
        assert.equal(rig.events, []);
        assert.equal(rig.takeSent(), []);
        assert.is(rig.context.stats().dropped.unexpected, 3);
      }
    }
  }
  const rig = new Rig();
  rig.feed(CLIENT, new ScriptedPeer('client').applicationData(text('plain'), { epoch: 0 }));
  assert.equal(rig.reads, []);
  establish(rig);
  assert.is(connected(rig), 1);
});

test('FSM-23 data between ChangeCipherSpec and Finished waits within bounds and is read after CONNECTED, in order', () => {
  for (const { places } of MODES) {
    for (const [role, session] of [['server', CLIENT], ['client', SERVER]] as const) {
      const { rig, peer } = enter(role, 'waitFinished', places);
      rig.feed(session, peer.changeCipherSpec());
      for (let i = 0; i < 25; i++) {
        rig.feed(session, peer.applicationData(Uint8Array.of(i), { sequence: 1 + i }));
        assert.equal(rig.reads, [], 'nothing is read before Finished is verified');
        assert.ok(rig.context.stats().heldBytes <= 6144 + 200);
      }
      assert.is(rig.context.stats().dropped.bounds, 15);
      rig.feed(session, peer.finished({ sequence: 0 }));
      assert.is(connected(rig), 1);
      assert.equal(rig.reads.map(({ bytes }) => bytes[0]), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assert.is(rig.reads[0]!.session, rig.context.getPeer(session)?.session);
    }
  }
});

test('FSM-23 data that came before a Finished that does not verify is never read', () => {
  for (const { places } of MODES) {
    for (const [role, session] of [['server', CLIENT], ['client', SERVER]] as const) {
      const { rig, peer } = enter(role, 'waitFinished', places);
      rig.feed(session, peer.changeCipherSpec());
      rig.feed(session, peer.applicationData(text('too early'), { sequence: 1 }));
      rig.feed(session, peer.finished({ sequence: 0 }, new Uint8Array(12)));
      assert.equal(rig.reads, []);
      assert.is(connected(rig), 0);
      assert.is(rig.context.stats().heldBytes, 0);
    }
  }
});

test('FSM-24 an authentic attempt to renegotiate is refused, once per timeout, and the association stays', () => {
  for (const { places } of MODES) {
    for (const [role, session] of [['server', CLIENT], ['client', SERVER]] as const) {
      const place = enter(role, 'connected', places);
      const { rig, peer } = place;
      rig.advance(5000);
      const before = fingerprint(rig, session);
      const bodies = [[0, new Uint8Array(0)], [1, peer.clientHelloBody()], [2, new Uint8Array(40)], [11, new Uint8Array(3)], [16, new Uint8Array(2)]] as const;
      for (let round = 0; round < 3; round++) {
        for (const [type, body] of bodies) rig.feed(session, peer.message(type, body, { epoch: 1, note: false }));
        assert.is(fingerprint(rig, session), before);
      }
      peer.alerts.length = 0;
      peer.take(...rig.takeSent());
      assert.equal(peer.alerts, [{ epoch: 1, level: 1, description: 100 }]);
      assert.equal(rig.codes, [0x1df]);
      rig.advance(1000);
      for (const [type, body] of bodies) rig.feed(session, peer.message(type, body, { epoch: 1, note: false }));
      peer.take(...rig.takeSent());
      assert.is(peer.alerts.length, 2);
      expectEcho(place, session);
    }
  }
});

test('FSM-26 after a fatal alert, sent or received, the rest of the handshake completes nothing', () => {
  for (const alertFirst of [true, false]) {
    const rig = new Rig();
    const peer = new ScriptedPeer('client');
    toServerHelloDone(rig, peer);
    const rest = clientFlight(peer);
    // Ours: a ServerHello where ClientKeyExchange belongs. Theirs: handshake_failure.
    const fault = alertFirst ? peer.alert(2, 40) : peer.message(2, new Uint8Array(38), { messageSeq: 2, note: false });
    assert.ok(rig.feed(CLIENT, fault) < 0);
    rig.takeSent();
    for (const record of rest) assert.is(rig.feed(CLIENT, record), 0);
    assert.is(connected(rig), 0);
    assert.is(stateOf(rig, CLIENT), 'gone');
    assert.equal(rig.takeSent(), []);
    assert.is(rig.context.stats().deadlines, 0);

    const other = enter('client', 'waitPskServerKeyExchange');
    const done = other.peer.serverHelloDone({ messageSeq: other.peer.messageSeq });
    assert.ok(other.rig.feed(SERVER, alertFirst ? other.peer.alert(2, 40) : other.peer.message(11, new Uint8Array(3), { note: false })) < 0);
    other.rig.takeSent();
    assert.is(other.rig.feed(SERVER, done), 0);
    assert.equal(other.rig.takeSent(), []);
  }
});

test('FSM-26 after a fatal alert or a close nothing more is read and nothing can be written', () => {
  for (const [level, description] of [[2, 40], [1, 0]] as const) {
    const rig = new Rig();
    const peer = establish(rig);
    const data = peer.applicationData(text('late'), { sequence: 9 });
    rig.feed(CLIENT, peer.alert(level, description, { epoch: 1 }));
    rig.feed(CLIENT, data);
    assert.equal(rig.reads, []);
    assert.is(stateOf(rig, CLIENT), 'gone');
    // With no peer a write starts a handshake of our own, and carries nothing.
    assert.is(rig.context.write(CLIENT, text('x')), 0);
    assert.is(rig.context.getPeer(CLIENT)?.state, 'handshake');
  }
});

test('FSM-28 what cannot be opened where Finished is due is met with silence: no alert tells what was wrong', () => {
  for (const { places } of MODES) {
    for (const [role, session] of [['server', CLIENT], ['client', SERVER]] as const) {
      const { rig, peer } = enter(role, 'waitFinished', places);
      rig.feed(session, peer.changeCipherSpec());
      const good = peer.finished({ messageSeq: peer.messageSeq });
      const before = fingerprint(rig, session);
      for (let at = 13; at < good.length; at++) {
        const bad = good.slice();
        bad[at]! ^= 0x80;
        assert.is(rig.feed(session, bad), 0);
      }
      for (let length = 0; length < good.length - 13; length++) {
        const cut = good.slice(0, 13 + length);
        cut[12] = length;
        assert.is(rig.feed(session, cut), 0);
      }
      assert.is(rig.feed(session, peer.finished({ epoch: 0, messageSeq: peer.messageSeq })), 0);
      assert.equal(rig.takeSent(), []);
      assert.equal(rig.events, []);
      assert.is(fingerprint(rig, session), before);
      assert.is(rig.feed(session, good), 0);
      assert.is(connected(rig), 1);
    }
  }
});

test('FSM-28 keys that differ are silence on both sides until the handshake is given up', () => {
  const rig = new Rig();
  const wrong = new ScriptedPeer('client', { psk: text('not the key') });
  toServerHelloDone(rig, wrong);
  rig.feed(CLIENT, join(...clientFlight(wrong)));
  assert.equal(rig.takeSent(), []);
  assert.equal(rig.fatal, []);
  const other = new Rig();
  const server = new ScriptedPeer('server', { psk: text('not the key') });
  other.context.connect(SERVER);
  toServerFlight(other, server);
  other.feed(SERVER, join(server.serverHello(), server.serverHelloDone()));
  takeClientFlight(server, other.takeSent());
  assert.is(server.undecryptable, 1);
  other.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
  assert.equal(other.takeSent(), []);
  assert.equal(other.fatal, []);
  assert.is(connected(other), 0);
});

test.run();
