/**
 * FSM, the order of messages with raw public keys (RFC 7250) and certificates, against servers that require a key:
 * what must be shown and proved before anybody is believed (RFC 5246 §7.3, §7.4.2-§7.4.8). Both kinds behave alike.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, DTLS_EVENT_CONNECTED, fatalAlert, type Session } from '../../lib/index.js';
import { CERTIFIED_PLACES, type CertifiedPlace } from '../states/certified.js';
import { bodyOf, CRYPTO, ECDHE_PSK_PLACES, enter as enterPlace } from '../states/places.js';
import {
  certifiedFlight, CertifiedPeer, certifiedRig, certifiedServerFlight, establishCertified, establishCertifiedClient, flightOf, toCertifiedFinished,
} from '../support/certified.js';
import { holder, KINDS, type Kind } from '../support/holders.js';
import { fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, join, type Rig, SERVER, text } from '../support/rig.js';
import { takeClientFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';

const UNEXPECTED = fatalAlert(AlertDescription.unexpectedMessage);
const HANDSHAKE_FAILURE = fatalAlert(AlertDescription.handshakeFailure);
const BAD_CERTIFICATE = fatalAlert(AlertDescription.badCertificate);
const DECRYPT_ERROR = fatalAlert(AlertDescription.decryptError);

const connected = (rig: Rig): number => rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length;
const enter = (role: 'client' | 'server', state: string, kind: Kind): CertifiedPlace => enterPlace(role, state, CERTIFIED_PLACES[kind]);

/** A test for raw keys and one for certificates. */
function both(title: string, body: (kind: Kind) => void | Promise<void>): void {
  for (const kind of KINDS) test(`${title}: ${kind}`, () => body(kind));
}

/** The handshake ended with this code, and nothing of what follows is taken. */
function expectRefusal({ rig, peer }: CertifiedPlace, session: Session, code: number, record: Uint8Array, ...rest: readonly Uint8Array[]): void {
  assert.is(rig.feed(session, record), code);
  assert.is(stateOf(rig, session), 'gone');
  peer.take(...rig.takeSent());
  for (const later of rest) assert.is(rig.feed(session, later), 0);
  assert.is(connected(rig), 0);
  assert.equal(rig.reads, []);
  assert.equal(rig.takeSent(), []);
  assert.is(rig.context.stats().deadlines, 0);
  assert.equal(peer.alerts.map(({ description }) => description), [-code & 0xff]);
}

both('an honest scripted client completes with a server, and a server with a client, over every group', (kind) => {
  for (const asks of [true, false]) {
    for (const extendedMasterSecret of [true, false]) {
      for (const group of ['x25519', 'secp256r1', 'secp384r1'] as const) {
        const options = { crypto: CRYPTO, clientAuthentication: asks ? 'require' : 'none', forceExtendedMasterSecret: extendedMasterSecret } as const;
        const groups = group === 'secp256r1' ? { groups: [group] } : { groups: [group, 'secp256r1' as const] };
        const server = certifiedRig('server', kind, { ...options, ...groups });
        const client = establishCertified(server, new CertifiedPeer('client', kind, { crypto: CRYPTO, extendedMasterSecret, group }));
        assert.is(connected(server), 1);
        const identity = server.context.getPeer(CLIENT)?.identity;
        if (!asks) assert.is(identity, null);
        else if (identity?.kind === 'rawKey') assert.equal([identity.spki], holder('rawKey', 'client').chain);
        else assert.equal(identity?.kind === 'x509' && identity.chain, holder('x509', 'client').chain);
        server.feed(CLIENT, client.applicationData(text('there')));
        assert.equal(server.reads.map(({ bytes }) => bytes), [text('there')]);

        const other = certifiedRig('client', kind, { ...options, ...groups });
        const peer = establishCertifiedClient(other, new CertifiedPeer('server', kind, { crypto: CRYPTO, extendedMasterSecret, group }), asks);
        assert.is(connected(other), 1);
        assert.is(other.context.getPeer(SERVER)?.identity?.kind, kind);
        other.context.write(SERVER, text('back'));
        peer.take(...other.takeSent());
        assert.equal(peer.data, [text('back')]);
      }
    }
  }
});

both('FSM-01 a client that leaves Certificate and CertificateVerify out, or shows nothing, is refused', (kind) => {
  const without = enter('server', 'waitClientCertificate', kind);
  const keyExchange = without.peer.clientKeyExchange();
  without.peer.deriveKeys();
  expectRefusal(without, CLIENT, UNEXPECTED, keyExchange, without.peer.changeCipherSpec(), without.peer.finished(), without.peer.applicationData(text('x')));

  const empty = enter('server', 'waitClientCertificate', kind);
  empty.peer.holder = null;
  const { certificate, ...rest } = certifiedFlight(empty.peer);
  expectRefusal(empty, CLIENT, HANDSHAKE_FAILURE, certificate!, rest.keyExchange, rest.change, rest.finished);
});

both('FSM-02 a client that shows a key and does not prove that it has it is refused', (kind) => {
  const place = enter('server', 'waitCertificateVerify', kind);
  const { rig, peer } = place;
  assert.is(rig.feed(CLIENT, peer.changeCipherSpec()), 0);
  const before = fingerprint(rig, CLIENT);
  rig.feed(CLIENT, peer.finished({ epoch: 0, messageSeq: peer.messageSeq }));
  assert.is(fingerprint(rig, CLIENT), before, 'in the clear Finished is nothing');
  peer.transcript.pop();
  expectRefusal(place, CLIENT, UNEXPECTED, peer.finished(), peer.applicationData(text('x')), peer.certificateVerify());
});

both('FSM-02 a CertificateVerify by another key, over other messages, or with a broken signature is refused', (kind) => {
  const stranger = holder(kind, 'stranger').privateKey;
  for (const forge of [
    (peer: CertifiedPeer) => peer.certificateVerify({ privateKey: stranger }),
    (peer: CertifiedPeer) => peer.certificateVerify({ message: join(...peer.transcript.slice(1)) }),
    (peer: CertifiedPeer) => peer.certificateVerify({ message: join(...peer.transcript.slice(0, -1)) }),
    (peer: CertifiedPeer) => peer.certificateVerify({ message: peer.digest() }),
    (peer: CertifiedPeer) => peer.certificateVerify({ message: join(peer.clientRandom, peer.serverRandom, ...peer.transcript) }),
    (peer: CertifiedPeer) => peer.certificateVerify({ signature: new Uint8Array(0) }),
    (peer: CertifiedPeer) => peer.certificateVerify({ signature: new Uint8Array(70) }),
  ]) {
    const place = enter('server', 'waitCertificateVerify', kind);
    expectRefusal(place, CLIENT, DECRYPT_ERROR, forge(place.peer), place.peer.changeCipherSpec(), place.peer.finished());
  }
});

both('FSM-02 the signature of one handshake proves nothing in another', (kind) => {
  const first = enter('server', 'waitCertificateVerify', kind);
  const signed = join(...first.peer.transcript);
  const rig = certifiedRig('server', kind, { crypto: CRYPTO });
  const peer = new CertifiedPeer('client', kind, { crypto: CRYPTO, seed: 7 });
  toServerHelloDone(rig, peer);
  const [certificate, keyExchange] = [peer.certificate(), peer.clientKeyExchange()];
  rig.feed(CLIENT, join(certificate, keyExchange));
  assert.is(stateOf(rig, CLIENT), 'waitCertificateVerify');
  assert.is(rig.feed(CLIENT, peer.certificateVerify({ message: signed })), DECRYPT_ERROR);
});

both('FSM-05 a lone ChangeCipherSpec before ClientKeyExchange is dropped in every state, and the handshake completes', (kind) => {
  for (const [role, session, states] of [
    ['server', CLIENT, ['waitClientCertificate', 'waitCertifiedClientKeyExchange', 'waitClientKeyExchange']],
    ['client', SERVER, ['waitServerHello', 'waitCertificate', 'waitServerKeyExchange', 'waitCertificateRequest', 'waitServerHelloDone']],
  ] as const) {
    for (const state of states) {
      const { rig, peer } = enter(role, state, kind);
      const before = fingerprint(rig, session);
      for (const record of [peer.changeCipherSpec(), peer.changeCipherSpec({ sequence: 0 }), peer.changeCipherSpec({ sequence: 2 ** 48 - 1 })]) {
        assert.is(rig.feed(session, record), 0);
      }
      assert.is(fingerprint(rig, session), before, state);
      assert.is(rig.context.stats().dropped.unexpected, 3);
      assert.is(stateOf(rig, session), state);
      assert.equal(rig.takeSent(), []);
    }
  }
  const rig = certifiedRig('server', kind, { crypto: CRYPTO });
  const peer = new CertifiedPeer('client', kind, { crypto: CRYPTO });
  toServerHelloDone(rig, peer);
  const { certificate, keyExchange, verify, change, finished } = certifiedFlight(peer);
  rig.feed(CLIENT, join(change, certificate!, change, keyExchange, verify!, change, finished));
  assert.is(connected(rig), 1);
});

both('FSM-07 ClientKeyExchange or CertificateVerify ahead of Certificate is refused', (kind) => {
  const place = enter('server', 'waitClientCertificate', kind);
  const { peer } = place;
  const keyExchange = peer.clientKeyExchange();
  peer.deriveKeys();
  expectRefusal(place, CLIENT, UNEXPECTED, keyExchange, peer.certificate(), peer.certificateVerify(), peer.changeCipherSpec(), peer.finished());

  const early = enter('server', 'waitClientCertificate', kind);
  expectRefusal(early, CLIENT, UNEXPECTED, early.peer.certificateVerify(), early.peer.certificate());
  const shown = enter('server', 'waitCertifiedClientKeyExchange', kind);
  expectRefusal(shown, CLIENT, UNEXPECTED, shown.peer.certificateVerify(), shown.peer.clientKeyExchange());
  const twice = enter('server', 'waitCertificateVerify', kind);
  expectRefusal(twice, CLIENT, UNEXPECTED, twice.peer.clientKeyExchange(), twice.peer.certificateVerify());
});

both('FSM-09 ChangeCipherSpec may overtake CertificateVerify, which counts in the clear and never in the new epoch', (kind) => {
  const { rig, peer } = enter('server', 'waitCertificateVerify', kind);
  rig.feed(CLIENT, peer.changeCipherSpec());
  const before = fingerprint(rig, CLIENT);
  const { messageSeq } = peer;
  for (let type = 0; type < 20; type++) {
    rig.feed(CLIENT, peer.message(type, bodyOf(peer, type), { epoch: 1, messageSeq, note: false }));
    assert.is(fingerprint(rig, CLIENT), before, `${type}`);
  }
  rig.feed(CLIENT, peer.certificateVerify({}, { epoch: 1 }));
  assert.is(fingerprint(rig, CLIENT), before);
  assert.is(stateOf(rig, CLIENT), 'waitCertificateVerify');
  peer.messageSeq = messageSeq;
  peer.transcript.pop();
  rig.feed(CLIENT, peer.certificateVerify());
  assert.is(stateOf(rig, CLIENT), 'waitFinished');
  rig.feed(CLIENT, peer.finished());
  assert.is(connected(rig), 1);
});

both('FSM-10 a second Certificate is refused, on both sides, the same one and another', (kind) => {
  for (const second of [holder(kind, 'client'), holder(kind, 'stranger')]) {
    for (const state of ['waitCertifiedClientKeyExchange', 'waitCertificateVerify', 'waitClientKeyExchange', 'waitFinished']) {
      const place = enter('server', state, kind);
      expectRefusal(place, CLIENT, UNEXPECTED, place.peer.certificate(place.peer.certificateBody(second.chain)), place.peer.clientKeyExchange());
    }
    for (const state of ['waitServerKeyExchange', 'waitCertificateRequest', 'waitServerHelloDone']) {
      const place = enter('client', state, kind);
      expectRefusal(place, SERVER, UNEXPECTED, place.peer.certificate(place.peer.certificateBody(second.chain)), place.peer.serverHelloDone());
    }
  }
});

both('FSM-11 a thousand ChangeCipherSpecs change the epoch once', (kind) => {
  const { rig, peer } = enter('server', 'waitCertificateVerify', kind);
  const change = peer.changeCipherSpec();
  for (let i = 0; i < 1000; i++) rig.feed(CLIENT, i % 2 === 0 ? change : peer.changeCipherSpec());
  assert.is(stateOf(rig, CLIENT), 'waitCertificateVerify');
  rig.feed(CLIENT, join(peer.certificateVerify(), peer.finished()));
  for (let i = 0; i < 1000; i++) rig.feed(CLIENT, i % 2 === 0 ? change : peer.changeCipherSpec());
  assert.is(connected(rig), 1);
  const data = peer.applicationData(text('once'));
  for (let copy = 0; copy < 2; copy++) rig.feed(CLIENT, data);
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('once')]);
});

both('FSM-16 a server that leaves ServerKeyExchange out is refused', (kind) => {
  for (const next of [(peer: CertifiedPeer) => peer.serverHelloDone(), (peer: CertifiedPeer) => peer.certificateRequest()]) {
    const place = enter('client', 'waitServerKeyExchange', kind);
    expectRefusal(place, SERVER, UNEXPECTED, next(place.peer), place.peer.serverHelloDone(), place.peer.changeCipherSpec());
    assert.not.ok(place.peer.messages.some(({ type }) => type === 16));
  }
});

both('FSM-16 a ServerKeyExchange that the shown key did not sign for this handshake is refused', (kind) => {
  for (const forge of [
    (peer: CertifiedPeer) => peer.exchangeBody({ privateKey: holder(kind, 'stranger').privateKey }),
    (peer: CertifiedPeer) => peer.exchangeBody({ message: join(peer.serverRandom, peer.clientRandom) }),
    (peer: CertifiedPeer) => peer.exchangeBody({ message: new Uint8Array(64) }),
    (peer: CertifiedPeer) => peer.exchangeBody({ signature: new Uint8Array(71) }),
  ]) {
    const place = enter('client', 'waitServerKeyExchange', kind);
    expectRefusal(place, SERVER, DECRYPT_ERROR, place.peer.serverKeyExchange(forge(place.peer)), place.peer.serverHelloDone());
  }
});

both('FSM-18 a server that leaves Certificate out, or shows an empty one, is refused', (kind) => {
  for (const next of [
    (peer: CertifiedPeer) => peer.serverKeyExchange(), (peer: CertifiedPeer) => peer.serverHelloDone(), (peer: CertifiedPeer) => peer.certificateRequest(),
  ]) {
    const place = enter('client', 'waitCertificate', kind);
    expectRefusal(place, SERVER, UNEXPECTED, next(place.peer), place.peer.serverHelloDone());
  }
  const empty = enter('client', 'waitCertificate', kind);
  expectRefusal(empty, SERVER, BAD_CERTIFICATE, empty.peer.emptyCertificate(), empty.peer.serverKeyExchange(), empty.peer.serverHelloDone());
});

both('FSM-19 a client that was not asked shows no certificate and signs nothing', (kind) => {
  const rig = certifiedRig('client', kind, { crypto: CRYPTO });
  const server = establishCertifiedClient(rig, new CertifiedPeer('server', kind, { crypto: CRYPTO }), false);
  assert.is(connected(rig), 1);
  assert.equal(server.messages.map(({ type, epoch }) => [type, epoch]), [[1, 0], [1, 0], [16, 0], [20, 1]]);
});

both('FSM-20 a client that owns nothing of what is asked for sends an empty Certificate and no CertificateVerify', (kind) => {
  for (const request of [
    { certificateTypes: Uint8Array.of(1) },
    { certificateTypes: Uint8Array.of(3, 4, 65, 66) },
    { signatureSchemes: [0x0401, 0x0804] },
    { signatureSchemes: [0x0203, 0x0807] },
    ...(kind === 'x509' ? [{ authorities: [Uint8Array.of(0x30, 0), Uint8Array.of(0x30, 1, 0)] }] : []),
  ]) {
    const rig = certifiedRig('client', kind, { crypto: CRYPTO });
    const server = new CertifiedPeer('server', kind, { crypto: CRYPTO });
    rig.context.connect(SERVER);
    toServerFlight(rig, server);
    rig.feed(SERVER, join(
      server.serverHello(), server.certificate(), server.serverKeyExchange(), server.certificateRequest(request), server.serverHelloDone(),
    ));
    takeClientFlight(server, rig.takeSent());
    assert.equal(server.messages.map(({ type }) => type), [1, 1, 11, 16, 20]);
    assert.equal(server.latest(11).body, new Uint8Array(3));
    // Whether nobody is good enough is the server's to say.
    rig.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
    assert.is(connected(rig), 1);
  }
});

both('FSM-21 a CertificateRequest ahead of Certificate or ServerKeyExchange, twice, or after ServerHelloDone is refused', (kind) => {
  for (const state of ['waitServerHello', 'waitCertificate', 'waitServerKeyExchange', 'waitServerHelloDone', 'waitFinished']) {
    const place = enter('client', state, kind);
    expectRefusal(place, SERVER, UNEXPECTED, place.peer.certificateRequest(), place.peer.certificate(), place.peer.serverHelloDone());
  }
});

test('FSM-21 a CertificateRequest or a Certificate in a handshake with ECDHE_PSK is refused', () => {
  for (const type of [11, 13]) {
    for (const state of ['waitEcdhePskServerKeyExchange', 'waitEcdhePskServerHelloDone', 'waitFinished']) {
      const { rig, peer } = enterPlace('client', state, ECDHE_PSK_PLACES);
      assert.is(rig.feed(SERVER, peer.message(type, new Uint8Array([0, 0, 0]))), UNEXPECTED);
      assert.is(stateOf(rig, SERVER), 'gone');
    }
  }
});

both('FSM-23 data between ChangeCipherSpec and a CertificateVerify that fails is never read', (kind) => {
  const { rig, peer } = enter('server', 'waitCertificateVerify', kind);
  rig.feed(CLIENT, join(peer.changeCipherSpec(), peer.applicationData(text('too early'), { sequence: 1 })));
  assert.equal(rig.reads, []);
  assert.is(rig.feed(CLIENT, peer.certificateVerify({ privateKey: holder(kind, 'stranger').privateKey })), DECRYPT_ERROR);
  rig.feed(CLIENT, peer.finished({ sequence: 0 }));
  assert.equal(rig.reads, []);
  assert.is(connected(rig), 0);
  assert.is(rig.context.stats().heldBytes, 0);
});

both('FSM-26 after a fatal alert, sent or received, the rest of the handshake completes nothing', (kind) => {
  for (const received of [true, false]) {
    const { rig, peer } = enter('server', 'waitClientCertificate', kind);
    const fault = received ? peer.alert(2, 40) : peer.message(2, new Uint8Array(38), { messageSeq: peer.messageSeq, note: false });
    const rest = flightOf(certifiedFlight(peer));
    assert.ok(rig.feed(CLIENT, fault) < 0);
    rig.takeSent();
    rig.feed(CLIENT, rest);
    assert.is(stateOf(rig, CLIENT), 'gone');
    assert.is(connected(rig), 0);
    assert.equal(rig.takeSent(), []);

    const other = enter('client', 'waitCertificate', kind);
    const wrong = received ? other.peer.alert(2, 40) : other.peer.message(2, new Uint8Array(38), { messageSeq: other.peer.messageSeq, note: false });
    assert.ok(other.rig.feed(SERVER, wrong) < 0);
    other.rig.takeSent();
    other.rig.feed(SERVER, certifiedServerFlight(other.peer, true));
    assert.equal(other.rig.takeSent(), []);
    assert.is(stateOf(other.rig, SERVER), 'gone');
  }
});

both('FSM-28 keys that differ are silence on both sides: no alert tells what could not be opened', (kind) => {
  const { rig, peer } = enter('server', 'waitFinished', kind);
  peer.deriveKeys(new Uint8Array(32));
  rig.feed(CLIENT, join(peer.changeCipherSpec(), peer.finished(), peer.applicationData(text('x'))));
  const server = new CertifiedPeer('server', kind, { crypto: CRYPTO });
  const other = certifiedRig('client', kind, { crypto: CRYPTO });
  toCertifiedFinished(other, server, true);
  server.deriveKeys(new Uint8Array(32));
  other.events.length = 0;
  other.feed(SERVER, join(server.changeCipherSpec(), server.finished()));
  for (const { events, context, sent } of [rig, other]) {
    assert.equal(events, []);
    assert.equal(sent, []);
    assert.is(context.stats().dropped.forged >= 1, true);
  }
});

test.run();
