/**
 * Every state × every message in a real context: it is put into each state of its table, then each handshake type
 * comes next in sequence. What has a row goes on; what has none is answered with unexpected_message and the
 * association is gone. The exceptions are those that are pinned: a ClientHello in epoch 0 is the door's business, a
 * HelloRequest is ignored, Finished counts under the new keys only and everything else in the clear only.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECT } from '../../lib/index.js';
import { tablesOf } from '../../lib/handshake12/states.js';
import { psk } from '../../lib/handshake12/psk.js';
import { fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, SERVER, text } from '../support/rig.js';
import { takeClientFlight } from '../support/scripted.js';
import { bodyOf, CLIENT_PLACES, enter, FIRST_PART, type Place, SERVER_PLACES } from './places.js';

const TABLES = tablesOf([psk]);
const TYPES = Array.from({ length: 256 }, (_, type) => type);
const ROLES = ['client', 'server'] as const;
const UNEXPECTED = -(2 * 256 + 10);
const [HELLO_REQUEST, CLIENT_HELLO, FINISHED] = [0, 1, 20];

const sessionOf = (role: 'client' | 'server') => (role === 'client' ? SERVER : CLIENT);

/** The states that wait for the peer, in the clear. */
const WAITING = {
  client: ['waitServerHello', 'waitPskServerKeyExchange', 'waitPskServerHelloDone', 'waitFinished'],
  server: ['waitPskClientKeyExchange', 'waitFinished'],
} as const;

test('there is a way into each state of the tables', () => {
  assert.equal(Object.keys(CLIENT_PLACES).sort(), Object.keys(TABLES.client).sort());
  assert.equal(Object.keys(SERVER_PLACES).sort(), Object.keys(TABLES.server).sort());
  for (const role of ROLES) for (const state of Object.keys(TABLES[role])) enter(role, state);
});

for (const role of ROLES) {
  for (const state of WAITING[role]) {
    test(`a ${role} in ${state} takes the messages of its row; every other one in epoch 0 ends the association`, () => {
      const session = sessionOf(role);
      const seen = { accepted: 0, ended: 0, ignored: 0 };
      let place = enter(role, state);
      for (const type of TYPES) {
        const { rig, peer } = place;
        const messageSeq = peer.messageSeq;
        const before = fingerprint(rig, session);
        const code = rig.feed(session, peer.message(type, bodyOf(peer, type), { note: false }));
        if (type === FINISHED || type === CLIENT_HELLO) {
          // Neither is for the table: nothing happened, and the number was not spent.
          assert.is(code, 0);
          assert.is(fingerprint(rig, session), before, `${type}`);
          assert.equal(rig.fatal, []);
          peer.messageSeq = messageSeq;
          rig.takeSent();
          seen.ignored++;
        } else if (type === HELLO_REQUEST && role === 'client') {
          assert.is(code, 0);
          assert.is(stateOf(rig, session), state);
          assert.equal(rig.takeSent(), []);
          seen.ignored++;
        } else if (Object.hasOwn(TABLES[role][state]!, type)) {
          assert.is(code, 0, `${type}`);
          assert.not.equal(fingerprint(rig, session), before);
          assert.equal(rig.fatal, []);
          place = enter(role, state);
          seen.accepted++;
        } else {
          assert.is(code, UNEXPECTED, `${type}`);
          expectGone(place, role);
          place = enter(role, state);
          seen.ended++;
        }
      }
      const own = Object.keys(TABLES[role][state]!).filter((type) => Number(type) !== FINISHED).length;
      assert.equal(seen, { accepted: own, ignored: role === 'client' ? 3 : 2, ended: 256 - own - (role === 'client' ? 3 : 2) });
    });
  }

  test(`a ${role} that waits for Finished takes nothing else in the new epoch, and the right one ends the handshake`, () => {
    const session = sessionOf(role);
    const { rig, peer } = enter(role, 'waitFinished');
    rig.feed(session, peer.changeCipherSpec());
    const before = fingerprint(rig, session);
    for (const type of TYPES.filter((type) => type !== FINISHED)) {
      rig.feed(session, peer.message(type, bodyOf(peer, type), { epoch: 1, note: false, messageSeq: peer.messageSeq }));
      assert.is(fingerprint(rig, session), before, `${type}`);
    }
    assert.equal(rig.takeSent(), []);
    assert.equal(rig.events, []);
    rig.feed(session, peer.finished());
    assert.is(stateOf(rig, session), 'connected');
  });

  test(`a ${role} that waits for Finished ends on a wrong one under the right keys, whatever bit is wrong`, () => {
    const session = sessionOf(role);
    for (let bit = 0; bit < 96; bit += 5) {
      const { rig, peer } = enter(role, 'waitFinished');
      const verifyData = peer.verifyData(role === 'client' ? 'server' : 'client');
      verifyData[bit >>> 3]! ^= 1 << (bit & 7);
      rig.feed(session, peer.changeCipherSpec());
      assert.is(rig.feed(session, peer.finished({}, verifyData)), -(2 * 256 + 51));
      assert.equal(rig.fatal, [51]);
      assert.is(stateOf(rig, session), 'gone');
    }
  });

  test(`a connected ${role} takes no handshake message in either epoch and stays connected`, () => {
    const session = sessionOf(role);
    const { rig, peer } = enter(role, 'connected');
    rig.advance(5000);
    peer.cookie = new Uint8Array(0);
    const before = fingerprint(rig, session);
    const request = role === 'client' ? HELLO_REQUEST : CLIENT_HELLO;
    for (const epoch of [0, 1]) {
      for (const type of TYPES) {
        for (const messageSeq of [peer.messageSeq, 0]) {
          assert.is(rig.feed(session, peer.message(type, bodyOf(peer, type), { epoch, note: false, messageSeq })), 0);
          assert.is(fingerprint(rig, session), before, `${epoch} ${type}`);
        }
        const out = rig.takeSent();
        if (epoch === 1 && type === request) {
          peer.alerts.length = 0;
          peer.take(...out);
          assert.equal(peer.alerts, [{ epoch: 1, level: 1, description: 100 }]);
        } else if (epoch === 0 && type === CLIENT_HELLO) {
          // The door asks whoever says hello for a cookie, and keeps nothing.
          for (const bytes of out) assert.is(bytes[13], 3);
        } else {
          assert.equal(out, [], `${epoch} ${type}`);
        }
      }
    }
    assert.equal(rig.events.map(({ level, code }) => [level, code]), [[0, 0x1df]]);
    rig.feed(session, peer.applicationData(text('still here')));
    assert.equal(rig.reads.map(({ bytes }) => bytes), [text('still here')]);
  });
}

for (const [role, state] of [['client', 'askPskIdentity'], ['client', 'askPskKey'], ['server', 'askPskHint'], ['server', 'askPskKey']] as const) {
  test(`a ${role} in ${state} delivers nothing until the host has answered, then every message gets its due`, async () => {
    const session = sessionOf(role);
    const waiting = role === 'server' && state === 'askPskHint' ? 'waitPskClientKeyExchange' : 'waitFinished';
    const row = TABLES[role][waiting]!;
    for (const type of TYPES) {
      const { rig, peer, answer } = enter(role, state);
      const record = peer.message(type, bodyOf(peer, type), { note: false });
      for (let copy = 0; copy < 2; copy++) assert.is(rig.feed(session, record), 0);
      assert.is(stateOf(rig, session), state, `${type}`);
      assert.equal(rig.takeSent(), [], `${type}`);
      assert.equal(rig.events, []);
      await answer();
      if (role === 'client') takeClientFlight(peer, rig.takeSent());
      const harmless = type === FINISHED || type === CLIENT_HELLO || (type === HELLO_REQUEST && role === 'client');
      if (harmless) assert.is(stateOf(rig, session), waiting, `${type}`);
      else if (Object.hasOwn(row, type)) assert.is.not(stateOf(rig, session), waiting);
      else expectGone({ rig, peer, answer }, role);
    }
  });
}

test('a server that holds the first fragment of a ClientHello takes the rest of it and no other message', () => {
  for (const type of TYPES) {
    const { rig, peer } = enter('server', 'waitClientHello');
    const body = type === CLIENT_HELLO ? peer.clientHelloBody().subarray(FIRST_PART) : bodyOf(peer, type);
    const options = type === CLIENT_HELLO ? { offset: FIRST_PART, length: body.length + FIRST_PART } : {};
    rig.feed(CLIENT, peer.message(type, body, { note: false, ...options }));
    if (type === CLIENT_HELLO) assert.is(stateOf(rig, CLIENT), 'waitPskClientKeyExchange');
    else assert.ok(['gone', 'waitClientHello'].includes(stateOf(rig, CLIENT)), `${type}`);
  }
});

test('a server that announced a handshake tells its end, even where the rest of a fragmented ClientHello does not fit its cookie', () => {
  const { rig, peer } = SERVER_PLACES['waitClientHello']!();
  const body = peer.clientHelloBody({ cipherSuites: new Uint8Array([0, 1]) });
  rig.takeSent();
  rig.feed(CLIENT, peer.message(CLIENT_HELLO, body.subarray(FIRST_PART), { offset: FIRST_PART, length: body.length, note: false }));
  assert.is(stateOf(rig, CLIENT), 'gone');
  assert.equal(rig.takeSent(), []);
  const announced = rig.codes.filter((code) => code === DTLS_EVENT_CONNECT).length;
  assert.is(rig.events.length - announced, announced, 'CONNECT was told and never its end');
});

test('a server that holds half a ClientHello and hears no more forgets it in time, without a word to the host', () => {
  const { rig } = SERVER_PLACES['waitClientHello']!();
  rig.takeSent();
  rig.runOut();
  assert.is(stateOf(rig, CLIENT), 'gone');
  assert.equal([rig.events, rig.takeSent()], [[], []]);
  const { halfOpen, deadlines, heldBytes } = rig.context.stats();
  assert.equal([halfOpen, deadlines, heldBytes], [0, 0, 0]);
});

function expectGone({ rig, peer }: Place, role: 'client' | 'server'): void {
  assert.is(stateOf(rig, sessionOf(role)), 'gone');
  assert.equal(rig.fatal, [10]);
  assert.is(rig.events.length, 1);
  assert.is(rig.events[0]!.detail?.code, 'ERR_DTLS_UNEXPECTED_MESSAGE');
  assert.is(rig.context.stats().deadlines, 0);
  assert.is(rig.context.stats().heldBytes, 0);
  peer.take(...rig.takeSent());
  assert.equal(peer.alerts.map(({ level, description }) => [level, description]), [[2, 10]]);
}

test.run();
