/**
 * Every state × every message in a real context: it is put into each state of its table, then each handshake type
 * comes next in sequence. What has a row goes on; what has none is answered with unexpected_message and the
 * association is gone. The exceptions are those that are pinned: a ClientHello in epoch 0 is the door's business, a
 * HelloRequest is ignored, Finished counts under the new keys only and everything else in the clear only. With
 * pre-shared keys, raw public keys and certificates alike.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_SUITES, DTLS_EVENT_CONNECT } from '../../lib/index.js';
import type { KeyExchange12 } from '../../lib/handshake12/handshake.js';
import { tablesOf } from '../../lib/handshake12/states.js';
import { fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, SERVER, text } from '../support/rig.js';
import { takeClientFlight } from '../support/scripted.js';
import { asking, type Mode, MODES, waiting } from './modes.js';
import { bodyOf, enter, FIRST_PART, type Place, PSK_PLACES } from './places.js';

const ROLES = ['client', 'server'] as const;
const full = process.env['MICRODTLS_FULL'] === '1';
const UNEXPECTED = -(2 * 256 + 10);
const [HELLO_REQUEST, CLIENT_HELLO, FINISHED] = [0, 1, 20];

const sessionOf = (role: 'client' | 'server') => (role === 'client' ? SERVER : CLIENT);

/** Where an answer leads when what is asked next is answered at once; `hello`: a server's state after the whole ClientHello. */
const preShared = (name: 'Psk' | 'EcdhePsk'): Readonly<Record<string, string>> => ({
  hello: `wait${name}ClientKeyExchange`, [`ask${name}Hint`]: `wait${name}ClientKeyExchange`,
  [`ask${name}Identity`]: 'waitFinished', [`ask${name}Key`]: 'waitFinished',
});
const withKeys: Readonly<Record<string, string>> = {
  hello: 'waitClientCertificate', askServerTrust: 'waitServerKeyExchange', askClientCredential: 'waitFinished', askClientSignature: 'waitFinished',
  askServerCredential: 'waitClientCertificate', askServerSignature: 'waitClientCertificate', askClientTrust: 'waitCertifiedClientKeyExchange',
};
const LEADS: Readonly<Record<Mode['name'], Readonly<Record<string, string>>>> = {
  PSK: preShared('Psk'), ECDHE_PSK: preShared('EcdhePsk'), 'raw keys': withKeys, certificates: withKeys,
};

test('there is a way into each state of the tables of every suite', () => {
  const known = tablesOf(MODES.map(({ keyExchange }) => keyExchange));
  const all = tablesOf(ALL_SUITES.map(({ keyExchange }) => keyExchange as KeyExchange12));
  for (const role of ROLES) {
    assert.equal(Object.keys(all[role]).sort(), Object.keys(known[role]).sort());
    for (const { places, tables } of MODES) {
      const states = Object.keys(tables[role]);
      assert.equal(Object.keys(places[role]).sort(), states.sort());
      for (const state of states) enter(role, state, places);
    }
  }
});

for (const mode of MODES) {
  const { name, places, tables } = mode;
  // Every type there could be in one mode at least; those with a name and some without one in the others.
  const types = Array.from({ length: full || name === 'PSK' ? 256 : 32 }, (_, type) => type);

  for (const role of ROLES) {
    for (const state of waiting(mode, role)) {
      test(`${name}: a ${role} in ${state} takes the messages of its row; every other one in epoch 0 ends the association`, () => {
        const session = sessionOf(role);
        const seen = { accepted: 0, ended: 0, ignored: 0 };
        let place = enter(role, state, places);
        for (const type of types) {
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
          } else if (Object.hasOwn(tables[role][state]!, type)) {
            assert.is(code, 0, `${type}`);
            assert.not.equal(fingerprint(rig, session), before);
            assert.equal(rig.fatal, []);
            place = enter(role, state, places);
            seen.accepted++;
          } else {
            assert.is(code, UNEXPECTED, `${type}`);
            expectGone(place, role);
            place = enter(role, state, places);
            seen.ended++;
          }
        }
        const own = Object.keys(tables[role][state]!).filter((type) => Number(type) !== FINISHED).length;
        assert.equal(seen, { accepted: own, ignored: role === 'client' ? 3 : 2, ended: types.length - own - (role === 'client' ? 3 : 2) });
      });
    }

    test(`${name}: a ${role} that waits for Finished takes nothing else in the new epoch, and the right one ends the handshake`, () => {
      const session = sessionOf(role);
      const { rig, peer } = enter(role, 'waitFinished', places);
      rig.feed(session, peer.changeCipherSpec());
      const before = fingerprint(rig, session);
      for (const type of types.filter((type) => type !== FINISHED)) {
        rig.feed(session, peer.message(type, bodyOf(peer, type), { epoch: 1, note: false, messageSeq: peer.messageSeq }));
        assert.is(fingerprint(rig, session), before, `${type}`);
      }
      assert.equal(rig.takeSent(), []);
      assert.equal(rig.events, []);
      rig.feed(session, peer.finished());
      assert.is(stateOf(rig, session), 'connected');
    });

    test(`${name}: a ${role} that waits for Finished ends on a wrong one under the right keys, whatever bit is wrong`, () => {
      const session = sessionOf(role);
      for (let bit = 0; bit < 96; bit += 5) {
        const { rig, peer } = enter(role, 'waitFinished', places);
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
      const { rig, peer } = enter(role, 'connected', places);
      rig.advance(5000);
      peer.cookie = new Uint8Array(0);
      const before = fingerprint(rig, session);
      const request = role === 'client' ? HELLO_REQUEST : CLIENT_HELLO;
      for (const epoch of [0, 1]) {
        for (const type of types) {
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

  for (const [role, state] of ROLES.flatMap((role) => asking(mode, role).map((state) => [role, state] as const))) {
    test(`${name}: a ${role} in ${state} delivers nothing until the host has answered, then every message gets its due`, async () => {
      const session = sessionOf(role);
      const next = LEADS[name][state]!;
      const row = tables[role][next]!;
      for (const type of types) {
        const { rig, peer, answer } = enter(role, state, places);
        const record = peer.message(type, bodyOf(peer, type), { note: false });
        for (let copy = 0; copy < 2; copy++) assert.is(rig.feed(session, record), 0);
        assert.is(stateOf(rig, session), state, `${type}`);
        assert.equal(rig.takeSent(), [], `${type}`);
        assert.equal(rig.events, []);
        await answer();
        if (role === 'client') takeClientFlight(peer, rig.takeSent());
        const harmless = type === FINISHED || type === CLIENT_HELLO || (type === HELLO_REQUEST && role === 'client');
        if (harmless) assert.is(stateOf(rig, session), next, `${type}`);
        else if (Object.hasOwn(row, type)) assert.is.not(stateOf(rig, session), next);
        else expectGone({ rig, peer, answer }, role);
      }
    });
  }

  test(`${name}: a server that holds the first fragment of a ClientHello takes the rest of it and no other message`, () => {
    for (const type of types) {
      const { rig, peer } = enter('server', 'waitClientHello', places);
      const body = type === CLIENT_HELLO ? peer.clientHelloBody().subarray(FIRST_PART) : bodyOf(peer, type);
      const options = type === CLIENT_HELLO ? { offset: FIRST_PART, length: body.length + FIRST_PART } : {};
      rig.feed(CLIENT, peer.message(type, body, { note: false, ...options }));
      if (type === CLIENT_HELLO) assert.is(stateOf(rig, CLIENT), LEADS[name]['hello']);
      else assert.ok(['gone', 'waitClientHello'].includes(stateOf(rig, CLIENT)), `${type}`);
    }
  });
}

test('a server that announced a handshake tells its end, even where the rest of a fragmented ClientHello does not fit its cookie', () => {
  const { rig, peer } = PSK_PLACES.server['waitClientHello']!();
  const body = peer.clientHelloBody({ cipherSuites: new Uint8Array([0, 1]) });
  rig.takeSent();
  rig.feed(CLIENT, peer.message(CLIENT_HELLO, body.subarray(FIRST_PART), { offset: FIRST_PART, length: body.length, note: false }));
  assert.is(stateOf(rig, CLIENT), 'gone');
  assert.equal(rig.takeSent(), []);
  const announced = rig.codes.filter((code) => code === DTLS_EVENT_CONNECT).length;
  assert.is(rig.events.length - announced, announced, 'CONNECT was told and never its end');
});

test('a server that holds half a ClientHello and hears no more forgets it in time, without a word to the host', () => {
  const { rig } = PSK_PLACES.server['waitClientHello']!();
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
