/**
 * ALR, alerts and closure: unsigned alerts, malformed ones, storms, both sides closing at once, what a decryption
 * failure looks like from outside (RFC 5246 §7.2, RFC 6347 §4.1.2.7).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, type Session } from '../../lib/index.js';
import { enter, type Place } from '../states/places.js';
import { associationOf, fingerprint, stateOf } from '../support/inside.js';
import { Link } from '../support/link.js';
import { Random } from '../support/random.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, fetchCookie, ScriptedPeer, toServerHelloDone } from '../support/scripted.js';

const ENDS = [['server', CLIENT], ['client', SERVER]] as const;

function expectEcho({ rig, peer }: Pick<Place, 'rig' | 'peer'>, session: Session): void {
  const before = rig.reads.length;
  rig.takeSent();
  rig.feed(session, peer.applicationData(text('there')));
  assert.equal(rig.reads.slice(before).map(({ bytes }) => bytes), [text('there')]);
  rig.context.write(session, text('back'));
  peer.data.length = 0;
  peer.take(...rig.takeSent());
  assert.equal(peer.data, [text('back')]);
}

test('ALR-01 no unsigned alert touches an association: fatal, warning or close_notify, from anywhere', () => {
  for (const [role, session] of ENDS) {
    const place = enter(role, 'connected');
    const { rig, peer } = place;
    const before = fingerprint(rig, session);
    for (let description = 0; description < 256; description++) {
      for (const level of [1, 2]) {
        for (const sequence of [0, 1, 2 ** 48 - 1]) assert.is(rig.feed(session, peer.alert(level, description, { sequence })), 0);
      }
    }
    assert.is(fingerprint(rig, session), before);
    assert.equal(rig.events, []);
    assert.equal(rig.takeSent(), []);
    expectEcho(place, session);
  }
});

test('ALR-02 an unsigned fatal alert ends a handshake without read keys if honoured; each description is told as it came', () => {
  for (const [role, session, states] of [
    ['server', CLIENT, ['waitPskClientKeyExchange']],
    ['client', SERVER, ['waitServerHello', 'waitPskServerKeyExchange']],
  ] as const) {
    for (const state of states) {
      for (let description = 1; description < 256; description++) {
        const { rig, peer } = enter(role, state);
        assert.is(rig.feed(session, peer.alert(2, description)), -(512 + description));
        assert.is(stateOf(rig, session), 'gone');
        assert.equal(rig.events.map(({ level, code, detail }) => [level, code, detail?.code]), [[2, description, 'ERR_DTLS_ALERT']]);
        assert.equal(rig.takeSent(), [], 'an alert is not answered with an alert');
        assert.is(rig.context.stats().deadlines, 0);
      }
    }
  }
});

test('ALR-02 an unsigned alert is dropped where it is to be ignored, where it is a warning, and once there are keys', () => {
  for (const [role, session, state] of [
    ['server', CLIENT, 'waitPskClientKeyExchange'], ['client', SERVER, 'waitServerHello'],
  ] as const) {
    const { rig, peer } = enter(role, state);
    const before = fingerprint(rig, session);
    for (let description = 0; description < 256; description++) rig.feed(session, peer.alert(1, description));
    for (const body of [[], [2], [2, 40, 0], [0, 40], [3, 40], [255, 40]]) rig.feed(session, peer.record(21, Uint8Array.from(body)));
    assert.is(fingerprint(rig, session), before);
    assert.equal(rig.events, []);
    assert.equal(rig.takeSent(), []);
  }
  for (const [role, session] of ENDS) {
    const place = enter(role, 'waitFinished');
    const { rig, peer } = place;
    const before = fingerprint(rig, session);
    for (let description = 0; description < 256; description++) assert.is(rig.feed(session, peer.alert(2, description)), 0);
    assert.is(fingerprint(rig, session), before);
    assert.equal(rig.events, []);
    rig.feed(session, join(peer.changeCipherSpec(), peer.finished()));
    peer.take(...rig.takeSent());
    expectEcho(place, session);
  }
  const rig = new Rig({ plaintextAlerts: 'ignore' });
  const peer = new ScriptedPeer('client');
  toServerHelloDone(rig, peer);
  for (let description = 0; description < 256; description++) assert.is(rig.feed(CLIENT, peer.alert(2, description)), 0);
  assert.is(rig.context.stats().dropped.plaintextAlert, 256);
  rig.feed(CLIENT, join(...clientFlight(peer)));
  peer.take(...rig.takeSent());
  expectEcho({ rig, peer }, CLIENT);
});

test('ALR-02 what an ignored alert said stands in the words of a later timeout', () => {
  const { rig, peer } = enter('client', 'waitFinished');
  rig.feed(SERVER, peer.alert(2, 115));
  rig.runOut();
  assert.match(rig.events.at(-1)!.detail!.message, /unknown_psk_identity/);
});

test('ALR-02 an unsigned alert ends the newcomer only: the association it would replace lives on', () => {
  const rig = new Rig();
  const old = establish(rig);
  const newcomer = new ScriptedPeer('client', { seed: 5 });
  fetchCookie(rig, newcomer);
  rig.feed(CLIENT, newcomer.clientHello());
  assert.is(stateOf(rig, CLIENT), 'waitPskClientKeyExchange');
  rig.events.length = 0;
  rig.feed(CLIENT, newcomer.alert(2, 40));
  assert.is(stateOf(rig, CLIENT), 'connected');
  assert.equal(rig.events.map(({ level, code, detail }) => [level, code, detail?.code]), [[0, DTLS_EVENT_ERROR, 'ERR_DTLS_ALERT']]);
  expectEcho({ rig, peer: old }, CLIENT);
});

test('ALR-03 an authentic alert of a wrong length or level is dropped; an unknown description is told as it is', () => {
  for (const [role, session] of ENDS) {
    const place = enter(role, 'connected');
    const { rig, peer } = place;
    const before = fingerprint(rig, session);
    const bodies = [[], [2], [2, 40, 40], [1, 0, 1, 0], Array<number>(100).fill(2), [0, 40], [3, 40], [255, 0], [0, 0]];
    for (const body of bodies) assert.is(rig.feed(session, peer.record(21, Uint8Array.from(body), { epoch: 1 })), 0);
    assert.is(fingerprint(rig, session), before);
    assert.is(rig.context.stats().dropped.malformed, bodies.length);
    assert.equal(rig.events, []);
    assert.equal(rig.takeSent(), []);
    for (const description of [2, 99, 255]) rig.feed(session, peer.alert(1, description, { epoch: 1 }));
    assert.equal(rig.events.map(({ level, code }) => [level, code]), [[1, 2], [1, 99], [1, 255]]);
    expectEcho(place, session);
    assert.is(rig.feed(session, peer.alert(2, 99, { epoch: 1 })), -(512 + 99));
    assert.is(stateOf(rig, session), 'gone');
    assert.is(rig.events.at(-1)!.code, 99);
  }
});

test('ALR-04 ten thousand authentic warnings are told and not answered, and the association stays', () => {
  const place = enter('server', 'connected');
  const { rig, peer } = place;
  for (let i = 0; i < 10_000; i++) rig.feed(CLIENT, peer.alert(1, i % 2 === 0 ? 90 : 100, { epoch: 1 }));
  assert.equal(rig.takeSent(), []);
  assert.is(rig.events.length, 10_000);
  assert.is(rig.context.stats().heldBytes, 13);
  expectEcho(place, CLIENT);
});

test('ALR-05 close_notify is answered once, told once, and nothing is read after it', () => {
  for (const [role, session] of ENDS) {
    const { rig, peer } = enter(role, 'connected');
    const [lower, close, higher] = [peer.applicationData(text('lower')), peer.alert(1, 0, { epoch: 1 }), peer.applicationData(text('higher'))];
    assert.is(rig.feed(session, close), 0);
    for (const record of [higher, lower, close, close]) assert.is(rig.feed(session, record), 0);
    assert.equal(rig.reads, []);
    assert.equal(rig.events.map(({ level, code }) => [level, code]), [[1, 0], [0, DTLS_EVENT_CLOSED]]);
    peer.alerts.length = 0;
    peer.take(...rig.takeSent());
    assert.equal(peer.alerts, [{ epoch: 1, level: 1, description: 0 }]);
    assert.is(stateOf(rig, session), 'gone');
    assert.is(rig.context.stats().deadlines, 0);
  }
});

test('ALR-05 a datagram with data, close_notify and data gives the first data only', () => {
  const { rig, peer } = enter('server', 'connected');
  rig.feed(CLIENT, join(peer.applicationData(text('1')), peer.alert(1, 0, { epoch: 1 }), peer.applicationData(text('2'))));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('1')]);
});

test('ALR-05 a host that closes when it hears of close_notify sends no second one', () => {
  const rig: Rig = new Rig({}, {
    event: (context, session, level, code) => {
      rig.events.push({ session, level, code, detail: undefined, at: rig.now });
      if (level === 1) context.close(session);
    },
  });
  const peer = establish(rig);
  rig.takeSent();
  rig.feed(CLIENT, peer.alert(1, 0, { epoch: 1 }));
  assert.is(rig.takeSent().length, 1);
  assert.is(rig.codes.filter((code) => code === DTLS_EVENT_CLOSED).length, 1);
  assert.is(rig.context.stats().deadlines, 0);
});

test('ALR-05 the answer to our own close_notify is not answered, and data meanwhile is not read', () => {
  const { rig, peer } = enter('client', 'connected');
  assert.is(rig.context.close(SERVER), 0);
  assert.is(rig.context.getPeer(SERVER)?.state, 'closing');
  assert.is(rig.takeSent().length, 1);
  rig.feed(SERVER, peer.applicationData(text('meanwhile')));
  assert.equal(rig.reads, []);
  rig.feed(SERVER, peer.alert(1, 0, { epoch: 1 }));
  assert.equal(rig.takeSent(), []);
  assert.equal(rig.codes, [DTLS_EVENT_CLOSED]);
  assert.is(rig.context.stats().deadlines, 0);
});

test('ALR-06 two contexts that close at the same instant write at most four alerts, however often they arrive', () => {
  for (const copies of [1, 100]) {
    const link = new Link({ copies });
    const [a, b] = [link.add('a'), link.add('b')];
    a.context.connect('b');
    link.run(() => a.events.some(({ code }) => code === DTLS_EVENT_CONNECTED) && b.events.some(({ code }) => code === DTLS_EVENT_CONNECTED));
    link.run(() => false, 2000);
    const before = link.log.length;
    a.context.close('b');
    b.context.close('a');
    link.run();
    const alerts = link.log.slice(before);
    assert.ok(alerts.every(({ bytes }) => bytes[0] === 21));
    assert.is(alerts.length, 2);
    for (const node of [a, b]) {
      assert.is(node.events.filter(({ code }) => code === DTLS_EVENT_CLOSED).length, 1);
      assert.is(node.context.stats().established, 0);
      assert.is(node.context.stats().deadlines, 0);
    }
  }
});

test('ALR-07 a fatal alert removes its peer once, whatever comes again, and no other peer', () => {
  const rig = new Rig();
  const other: Session = { address: '192.0.2.1', port: 4001 };
  const peer = establish(rig);
  const bystander = establish(rig, new ScriptedPeer('client', { seed: 3 }), other);
  const fatal = peer.alert(2, 20, { epoch: 1 });
  assert.is(rig.feed(CLIENT, join(fatal, fatal)), -(512 + 20));
  for (let i = 0; i < 3; i++) assert.is(rig.feed(CLIENT, fatal), 0);
  assert.equal(rig.fatal, [20]);
  assert.equal([rig.context.stats().established, rig.context.stats().halfOpen], [1, 0]);
  assert.is(rig.context.getPeer(CLIENT), undefined);
  expectEcho({ rig, peer: bystander }, other);
  const again = establish(rig, new ScriptedPeer('client', { seed: 4 }));
  expectEcho({ rig, peer: again }, CLIENT);
});

test('ALR-08 alerts from unknown sessions, plain, sealed or garbage, are never answered', () => {
  const rig = new Rig();
  const random = new Random(7);
  const peer = enter('client', 'connected').peer;
  for (let i = 0; i < 300; i++) {
    const session: Session = { address: `198.51.100.${i % 256}`, port: 1 + i };
    rig.feed(session, peer.alert(1 + (i % 2), i % 256));
    rig.feed(session, peer.alert(2, 40, { epoch: 1 }));
    rig.feed(session, peer.record(21, random.bytes(i % 60)));
  }
  assert.equal(rig.takeSent(), []);
  assert.equal(rig.events, []);
  assert.equal([rig.context.stats().halfOpen, rig.context.stats().established, rig.context.stats().deadlines], [0, 0, 0]);
  assert.is(rig.context.stats().dropped.unknownSession, 900);
});

test('ALR-09 whatever is wrong with a protected record, all that shows is silence', () => {
  for (const [role, session] of ENDS) {
    for (const state of ['waitFinished', 'connected']) {
      const { rig, peer } = enter(role, state);
      if (state === 'waitFinished') rig.feed(session, peer.changeCipherSpec());
      const before = fingerprint(rig, session);
      const { messageSeq } = peer;
      for (const type of [20, 21, 22, 23]) {
        const good = peer.record(type, type === 22 ? peer.fragment(20, new Uint8Array(12), { messageSeq }) : new Uint8Array([1, 0]), { epoch: 1, sequence: 40 });
        for (const bad of spoilt(good)) assert.is(rig.feed(session, bad), 0);
      }
      assert.equal(rig.takeSent(), []);
      assert.equal(rig.events, []);
      assert.equal(rig.reads, []);
      const after = associationOf(rig, session)!;
      // Records that wait for the end of the handshake are held; nothing else has changed.
      if (after.making !== null) after.takeEarly();
      assert.is(fingerprint(rig, session), before);
    }
  }
});

test('ALR-09 a peer with another key sees the same as one whose Finished was damaged: nothing', () => {
  const views = [false, true].map((damaged) => {
    const rig = new Rig();
    const peer = new ScriptedPeer('client', damaged ? {} : { psk: text('another key') });
    toServerHelloDone(rig, peer);
    const flight = clientFlight(peer);
    if (damaged) flight[2][flight[2].length - 1]! ^= 1;
    rig.feed(CLIENT, join(...flight));
    for (let i = 0; i < 8; i++) rig.advance(5000);
    rig.feed(CLIENT, join(...flight));
    rig.runOut();
    return { sent: rig.sent.map(({ bytes, at }) => [bytes, at]), events: rig.events.map(({ level, code, at }) => [level, code, at]) };
  });
  assert.equal(views[0], views[1]);
  assert.equal(views[0]!.events.map(([, code]) => code), [DTLS_EVENT_CONNECT, DTLS_EVENT_ERROR]);
});

/** A record damaged in its nonce, ciphertext and tag, cut, stretched, and of other lengths. */
function spoilt(good: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 13; at < good.length; at++) {
    const flipped = good.slice();
    flipped[at]! ^= 1;
    all.push(flipped);
  }
  for (const length of [0, 1, 7, 8, 15, 16, 17, good.length - 14]) {
    const cut = good.slice(0, 13 + length);
    cut[12] = length;
    all.push(cut);
  }
  const long = new Uint8Array(good.length + 5);
  long.set(good);
  long[12] = good.length + 5 - 13;
  all.push(long);
  return all;
}

test.run();
