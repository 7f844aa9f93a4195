/**
 * PKI-02, -03, -04, -15, -17 and -18 in whole handshakes: raw public keys and what is shown in their place, what the
 * host says of a peer, kinds of certificates that were not agreed on, no certificate at all, and proofs of somebody else.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, fatalAlert, type DtlsHandler } from '../../lib/index.js';
import { trustEverything, trustStore } from '../../lib/credentials/trust.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { CertificateType, type Credential, type Trust } from '../../lib/handshake/authenticate.js';
import { readClientHello, readServerHello } from '../../lib/message/hello.js';
import { CERTIFICATE_SUITES, ECDHE_ECDSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { ExtensionType, HandshakeType } from '../../lib/wire/registry.js';
import { CLIENT, Rig, SERVER } from '../support/rig.js';
import { ScriptedPeer, fetchCookie, toServerFlight } from '../support/scripted.js';
import { Random } from '../support/random.js';
import { bits, hex, integer, keyPair, oid, sequence, tlv, type KeyPair } from '../x509/support/mint.js';
import {
  HONEST, ROOT, SIDES, alertsOnTheWire, assertFreed, assertLive, begin, mintLeaf, outcome, outcomeLater, refusal, showing, showingRaw, shows,
  stage, trusting, type Side,
} from './chains.js';

/** A Trust in raw keys and nothing else. */
const trustingKeys = (...pairs: readonly KeyPair[]): Trust => trustStore({ provider: nativeProvider, rawKeys: pairs.map(({ spki }) => spki) });

/** A handler that answers for the peer under trial alone; honest ones go by the verdict. */
const verify = (answer: () => unknown): Partial<DtlsHandler> => ({
  verifyCertificate: (_, session) => (session === 'bearer' ? (answer() as boolean) : null),
});

for (const role of SIDES) {
  const leaf = mintLeaf(role);
  const pair = keyPair(`raw ${role}`);
  const trust = trustingKeys(pair);
  /** What is said where a raw key was agreed on and this is shown. */
  const shownRaw = (bytes: Uint8Array, key: KeyPair = pair, given: Trust = trust): string =>
    outcome({ role, shown: showingRaw(key, bytes), parameters: { trust: given } });

  test(`PKI-02 where a ${role}'s raw key was agreed on, chains, two keys and trailing bytes are bad_certificate`, () => {
    const unreadable = 'bad_certificate: what the peer shows cannot be read:';
    assert.is(shownRaw(pair.spki), 'connected');
    assert.match(shownRaw(leaf.der), unreadable);
    // What a Certificate message with a chain of one looks like to whoever reads a raw key.
    assert.match(shownRaw(Buffer.concat([hex('000000'), leaf.der])), unreadable);
    const length = Buffer.alloc(3);
    length.writeUIntBE(leaf.der.length, 0, 3);
    assert.match(shownRaw(Buffer.concat([length, leaf.der])), unreadable);
    assert.match(shownRaw(Buffer.concat([pair.spki, pair.spki])), `${unreadable} a SubjectPublicKeyInfo has 91 bytes too many`);
    assert.is(shownRaw(Buffer.concat([pair.spki, hex('00')])), `${unreadable} a SubjectPublicKeyInfo has 1 bytes too many`);
    assert.match(shownRaw(pair.spki.subarray(0, -1)), unreadable);
  });

  test(`PKI-02 a raw key of a ${role} for DSA, of RSA 512, with explicit parameters or off the curve is unsupported_certificate`, () => {
    const ec = (parameters: Uint8Array): Buffer => sequence(sequence(oid('1.2.840.10045.2.1'), parameters), bits(Buffer.concat([hex('04'), Buffer.alloc(64, 1)])));
    const unread = 'unsupported_certificate: what the peer shows cannot be read:';
    assert.match(shownRaw(sequence(sequence(oid('1.2.840.10040.4.1')), bits(integer(5)))), `${unread} a key for DSA`);
    assert.match(shownRaw(ec(sequence(integer(1)))), `${unread} an EC key with explicit parameters`);
    assert.match(shownRaw(keyPair('tiny', 'rsa512').spki), 'unsupported_certificate: the raw public key cannot be used: an RSA key of 512 bits that is too weak');
    assert.match(shownRaw(ec(oid('1.2.840.10045.3.1.7'))), 'unsupported_certificate: the raw public key cannot be used');
  });

  test(`PKI-02 where a ${role}'s chain was agreed on, a raw key is decode_error`, () => {
    const shown: Credential = { ...showing([leaf]), chain: [], type: CertificateType.x509 };
    const at = stage({ role, shown, bearer: { mtu: 16_000 } });
    begin(at, role);
    // A chain without certificates is what a client without any sends, and what no server may.
    const none = role === 'server' ? 'bad_certificate: the server shows no certificate' : 'handshake_failure: the client shows no certificate, and one is required';
    assert.is(refusal(at, role), none);
    // Its length field makes an SPKI a list whose first length is 0x305930.
    const asList = outcome({ role, shown: { ...showing([leaf]), chain: [pair.spki] } });
    assert.match(asList, 'bad_certificate: what the peer shows cannot be read');
  });

  test(`PKI-03 a raw key of a ${role} that is not on the list is bad_certificate, and the list is what counts`, () => {
    const stranger = keyPair('stranger');
    assert.is(shownRaw(stranger.spki, stranger), 'bad_certificate: the raw public key (an EC key on secp256r1) is not among those that are trusted');
    assert.is(shownRaw(stranger.spki, stranger, trustingKeys(pair, stranger)), 'connected');
    for (const kind of ['ed25519', 'secp384r1', 'rsa2048']) {
      const other = keyPair('other', kind);
      assert.match(shownRaw(other.spki, other), /^bad_certificate: the raw public key \(.*\) is not among those that are trusted$/, kind);
      assert.is(shownRaw(other.spki, other, trustingKeys(other)), 'connected', kind);
    }
  });

  test(`PKI-03 a host that refuses a ${role}, throws, rejects, answers nonsense or never: no association`, async () => {
    const failed = 'internal_error: the host failed to give its trust';
    const answers: readonly (readonly [() => unknown, string])[] = [
      [() => false, 'bad_certificate: the host does not trust the peer'],
      [() => Promise.resolve(false), 'bad_certificate: the host does not trust the peer'],
      [() => fatalAlert(AlertDescription.accessDenied), 'access_denied: the host refused its trust (alert 49)'],
      [() => Promise.resolve(fatalAlert(AlertDescription.accessDenied)), 'access_denied: the host refused its trust (alert 49)'],
      [() => { throw new Error('out of order'); }, failed],
      [() => Promise.reject(new Error('out of order')), failed],
      [() => ({ then: () => { throw new Error('out of order'); } }), failed],
      [() => 'yes', 'internal_error: the host answered string when asked for its trust'],
      [() => 0, 'internal_error: the host answered number when asked for its trust'],
      [() => Promise.resolve(0), 'internal_error: the host answered number when asked for its trust'],
      [() => 1, 'internal_error: the host answered number when asked for its trust'],
      [() => ({}), 'internal_error: the host answered object when asked for its trust'],
      [() => new Uint8Array(1), 'internal_error: the host answered object when asked for its trust'],
      [() => Promise.resolve(new Uint8Array(0)), 'internal_error: the host answered object when asked for its trust'],
      [() => new Promise(() => {}), 'internal_error: the host did not give its trust in time'],
    ];
    for (const [answer, why] of answers) {
      assert.is(await outcomeLater({ role, shown: showing([leaf]), handler: verify(answer) }), why);
      assert.is(await outcomeLater({ role, shown: showingRaw(pair), parameters: { trust }, handler: verify(answer) }), why);
    }
  });

  test(`PKI-03 a host that follows the verdict on a ${role} or says yes lets it in, at once and later`, async () => {
    for (const answer of [() => null, () => undefined, () => Promise.resolve(null), () => true, () => Promise.resolve(true)]) {
      assert.is(await outcomeLater({ role, shown: showing([leaf]), handler: verify(answer) }), 'connected');
    }
    const stranger = showing([mintLeaf(role, null)]);
    assert.is(await outcomeLater({ role, shown: stranger, handler: verify(() => Promise.resolve(true)) }), 'connected');
    const unknown = `unknown_ca: certificate of ${role}.test is self-signed and not among the authorities`;
    assert.is(await outcomeLater({ role, shown: stranger, handler: verify(() => Promise.resolve(null)) }), unknown);
  });

  test(`PKI-17 a ${role} that signs with what it signed in an earlier handshake is decrypt_error`, () => {
    const said = 'decrypt_error: the signature of the handshake does not verify';
    for (const kind of ['prime256v1', 'ed25519', 'rsa2048']) {
      const key = keyPair(`replaying ${role}`, kind);
      const shown = showing([mintLeaf(role, ROOT, { key })]);
      const signatures: Uint8Array[] = [];
      const replaying: Credential = {
        ...shown,
        signer: {
          schemes: shown.signer.schemes,
          sign: (scheme, message) => {
            signatures.push(signatures[0] ?? (shown.signer.sign(scheme, message) as Uint8Array));
            return signatures.at(-1)!;
          },
        },
      };
      assert.is(outcome({ role, shown: replaying }), 'connected', kind);
      assert.is(outcome({ role, shown: replaying, link: { seed: 7 } }), said, kind);
      assert.is(signatures.length, 2);
    }
  });

  test(`PKI-17 a ${role} that signs anything but what this handshake says is decrypt_error`, () => {
    const wrong: readonly ((message: Uint8Array) => Uint8Array)[] = [
      () => new Uint8Array(0),
      (message) => message.slice(1),
      (message) => message.slice(0, -1),
      (message) => Uint8Array.of(...message, 0),
      (message) => message.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
      (message) => message.map((byte, index) => (index === message.length - 1 ? byte ^ 0x80 : byte)),
      // The server's randoms the other way round; of a transcript, its messages in another order.
      (message) => Uint8Array.of(...message.slice(32, 64), ...message.slice(0, 32), ...message.slice(64)),
    ];
    const shown = showing([leaf]);
    for (const [index, change] of wrong.entries()) {
      const signer: Credential['signer'] = { schemes: shown.signer.schemes, sign: (scheme, message) => shown.signer.sign(scheme, change(message)) };
      assert.is(outcome({ role, shown: { ...shown, signer } }), 'decrypt_error: the signature of the handshake does not verify', String(index));
    }
  });

  test(`PKI-18 a ${role} with the certificate of Alice and the key of Mallory is decrypt_error, whoever the host believes`, () => {
    const said = 'decrypt_error: the signature of the handshake does not verify';
    for (const kind of ['prime256v1', 'secp384r1', 'ed25519', 'rsa2048']) {
      const [alice, mallory] = [keyPair('Alice', kind), keyPair('Mallory', kind)];
      const shown = showing([mintLeaf(role, ROOT, { key: alice })], mallory);
      assert.is(outcome({ role, shown }), said, kind);
      assert.is(outcome({ role, shown, handler: verify(() => true) }), said, kind);
      assert.is(outcome({ role, shown, parameters: { trust: trustEverything() } }), said, kind);
      assert.is(outcome({ role, shown: showingRaw(mallory, alice.spki), parameters: { trust: trustingKeys(alice, mallory) } }), said, kind);
    }
  });

  test(`PKI-18 what is no signature proves nothing of a ${role}: zeros, the points at no distance, noise, another's form`, () => {
    const random = new Random(18);
    const order = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    const forgeries: readonly Uint8Array[] = [
      hex('3006020100020100'), hex('3006020101020100'), hex('3006020100020101'), sequence(tlv(2, hex('00'), order), tlv(2, hex('00'), order)),
      hex('3000'), hex('00'), new Uint8Array(64), random.bytes(64), random.bytes(72), new Uint8Array(256), random.bytes(1000),
    ];
    for (const forged of forgeries) {
      const shown = showing([leaf]);
      const forger: Credential = { ...shown, signer: { schemes: shown.signer.schemes, sign: () => new Uint8Array(forged) } };
      assert.is(outcome({ role, shown: forger }), 'decrypt_error: the signature of the handshake does not verify', Buffer.from(forged).toString('hex'));
    }
  });
}

/** A Trust in `pair` that speaks of kinds of certificates that nobody knows. */
const speaking = (types: readonly number[], pair: KeyPair): Trust => {
  const inner = trustingKeys(pair);
  return { types: types as CertificateType[], authorities: [], judge: (shown) => inner.judge(shown) };
};

test('PKI-04 unknown kinds of certificates are passed over in both lists, and raw keys are chosen', () => {
  const [client, server] = [keyPair('raw client'), keyPair('raw server')];
  for (const types of [[1, 2], [2, 1], [7, 1, 255, 2, 0]]) {
    const alien: Credential = { ...showingRaw(client), type: types[0] as CertificateType };
    const at = stage({
      role: 'client', shown: showingRaw(client), parameters: { trust: trustingKeys(client), credentials: [showingRaw(server)] },
      bearer: { credentials: [alien, showingRaw(client)], trust: speaking(types, server) },
    });
    begin(at, 'client');
    at.link.run();
    const [ofServer, ofClient] = [at.bearer.context.getPeer('judge')?.identity, at.judge.context.getPeer('bearer')?.identity];
    assert.equal([ofServer?.kind, ofClient?.kind], ['rawKey', 'rawKey'], types.join());
    assertLive(at, 'client');
  }
});

/** What a server said to a client with these lists of kinds: alerts, events, and what its ServerHello answered. */
function types(own: readonly number[] | null, ofServer: readonly number[] | null, shown: Credential, client: 'none' | 'request' | 'require' = 'none'): string {
  const rig = new Rig({
    cipherSuites: CERTIFICATE_SUITES, crypto: nativeProvider, credentials: [shown], trust: trusting(), clientAuthentication: client, mtu: 16_000,
  });
  const peer = new ScriptedPeer('client', { suite: ECDHE_ECDSA_AES_128_GCM_SHA256 });
  const list = (numbers: readonly number[]): Uint8Array => Uint8Array.of(numbers.length, ...numbers);
  const extensions = new Map<number, Uint8Array>([
    [ExtensionType.extendedMasterSecret, new Uint8Array(0)],
    [ExtensionType.renegotiationInfo, new Uint8Array(1)],
    [ExtensionType.supportedGroups, hex('00020017')],
    [ExtensionType.signatureAlgorithms, hex('00020403')],
  ]);
  if (own !== null) extensions.set(ExtensionType.clientCertificateType, list(own));
  if (ofServer !== null) extensions.set(ExtensionType.serverCertificateType, list(ofServer));
  fetchCookie(rig, peer);
  rig.feed(CLIENT, peer.clientHello({ extensions }));
  const received = peer.take(...rig.takeSent());
  const hello = received.find(({ type }) => type === HandshakeType.serverHello);
  if (hello === undefined) {
    assert.is(rig.context.getPeer(CLIENT), undefined);
    assert.is(peer.alerts.length, 1);
    return `${peer.alerts[0]!.description}: ${rig.events.at(-1)!.detail!.message}`;
  }
  const answers = readServerHello(hello.body).extensions;
  const answer = (type: number): string => Buffer.from(answers.get(type) ?? []).toString('hex') || 'none';
  const asked = received.some(({ type }) => type === HandshakeType.certificateRequest);
  return `client ${answer(ExtensionType.clientCertificateType)}, server ${answer(ExtensionType.serverCertificateType)}${asked ? ', asked' : ''}`;
}

test('PKI-04 a server answers the kinds that it chose, each where it was asked and matters, and none that was not offered', () => {
  const [chain, raw] = [HONEST.server, showingRaw(keyPair('raw server'))];
  assert.is(types(null, null, chain), 'client none, server none');
  assert.is(types(null, [1, 2], raw), 'client none, server 02');
  assert.is(types(null, [9, 2, 0], chain), 'client none, server 00');
  assert.is(types([1, 2], null, chain), 'client none, server none');
  assert.is(types([1, 0], [0], chain, 'request'), 'client 00, server 00, asked');
  assert.is(types([2, 1, 0], null, chain, 'require'), 'client 00, server none, asked');
  // It would like to see a certificate, but none of the kinds that this client has: it does not ask (RFC 7250 §4.2).
  assert.is(types([1, 2], null, chain, 'request'), 'client none, server none');
});

test('PKI-04 no kind in common is unsupported_certificate, a list that is empty decode_error, and the client is told nothing else', () => {
  const [chain, raw] = [HONEST.server, showingRaw(keyPair('raw server'))];
  const none = '43: the client takes no kind of certificate that we have';
  assert.is(types(null, [2], chain), none);
  assert.is(types(null, [1], raw), none);
  assert.is(types(null, [0], raw), none);
  assert.is(types(null, null, raw), '40: no cipher suite in common, or no key and certificate for one');
  assert.is(types([2], null, chain, 'require'), '43: the client has no kind of certificate that we take');
  assert.is(types([1], [0], chain, 'require'), '43: the client has no kind of certificate that we take');
  assert.match(types(null, [], chain), '50: ');
  assert.match(types([], [0], chain, 'request'), '50: ');
  assert.match(types([], [2], raw), '50: ');
});

test('PKI-04 a client without a kind that the server takes is anonymous where one is requested', () => {
  const raw = showingRaw(keyPair('raw client'));
  const at = stage({ role: 'client', shown: raw, parameters: { clientAuthentication: 'request' } });
  begin(at, 'client');
  at.link.run();
  assert.is(at.judge.context.getPeer('bearer')?.state, 'connected');
  assert.is(at.judge.context.getPeer('bearer')?.identity, null);
  assertLive(at, 'client');
});

test('PKI-04 a client refuses kinds of certificates that it did not offer', () => {
  const chosen = (trust: Trust, credentials: readonly Credential[], answers: readonly (readonly [number, number])[]): string => {
    const rig = new Rig({ cipherSuites: CERTIFICATE_SUITES, crypto: nativeProvider, trust, credentials, serverName: 'server.test' });
    const server = new ScriptedPeer('server', { suite: ECDHE_ECDSA_AES_128_GCM_SHA256 });
    rig.context.connect(SERVER);
    toServerFlight(rig, server);
    const offered = readClientHello(server.latest(HandshakeType.clientHello).body).extensions;
    assert.is(offered.has(ExtensionType.serverCertificateType), trust.types.some((type) => type !== 0));
    const extensions = new Map<number, Uint8Array>([[ExtensionType.extendedMasterSecret, new Uint8Array(0)], [ExtensionType.renegotiationInfo, new Uint8Array(1)]]);
    for (const [type, value] of answers) extensions.set(type, value < 0 ? hex('0200') : Uint8Array.of(value));
    rig.feed(SERVER, server.serverHello({ extensions }));
    server.take(...rig.takeSent());
    if (server.alerts.length === 0) return 'taken';
    assert.is(rig.context.getPeer(SERVER), undefined);
    return `${server.alerts[0]!.description}: ${rig.events.at(-1)!.detail!.message}`;
  };
  const { clientCertificateType: own, serverCertificateType: theirs } = ExtensionType;
  const raw = trustingKeys(keyPair('raw server'));
  const ownRaw = [showingRaw(keyPair('raw client'))];
  const unoffered = (type: number): string => `47: the server chose certificate type ${type}, which was not offered`;
  assert.is(chosen(raw, ownRaw, [[own, 2], [theirs, 2]]), 'taken');
  for (const type of [0, 1, 255]) {
    assert.is(chosen(raw, ownRaw, [[theirs, type]]), unoffered(type));
    assert.is(chosen(raw, ownRaw, [[own, type], [theirs, 2]]), unoffered(type));
  }
  for (const extension of [own, theirs]) {
    assert.is(chosen(trusting(), [], [[extension, 2]]), `110: the server answers extension ${extension}, which was not offered`);
    assert.match(chosen(raw, ownRaw, [[theirs, 2], [extension, -1]]), '50: ');
  }
  // A server that passes the extension over means X.509 (RFC 7250 §4.2), which this client cannot judge.
  assert.is(chosen(raw, ownRaw, []), '43: the server has certificates alone, and none is taken here, only raw public keys');
});

/** A client without anything to show, or with what does not fit, at a server that asks. */
function unshown(clientAuthentication: 'request' | 'require' | 'none', credentials: readonly Credential[]): string {
  const at = stage({ role: 'client', shown: HONEST.client, bearer: { credentials }, parameters: { clientAuthentication } });
  begin(at, 'client');
  if (!at.link.run(() => at.judge.context.getPeer('bearer')?.state === 'connected', 2000)) return refusal(at, 'client');
  assert.is(at.judge.context.getPeer('bearer')!.identity, null);
  assert.equal(alertsOnTheWire(at.link.log, 'judge', 'bearer'), []);
  assertLive(at, 'client');
  return 'anonymous';
}

test('PKI-15 a client that shows nothing is anonymous where a certificate is requested, and handshake_failure where one is required', () => {
  const required = 'handshake_failure: the client shows no certificate, and one is required';
  const stranger: Credential = { ...showing([mintLeaf('client', null)]), issuers: [hex('3000')] };
  for (const credentials of [[], [stranger]]) {
    assert.is(unshown('request', credentials), 'anonymous');
    assert.is(unshown('require', credentials), required);
    assert.is(unshown('none', credentials), 'anonymous');
  }
});

test('PKI-15 a certificate that is shown and wrong is refused, even where none is needed', () => {
  const role: Side = 'client';
  const trial = { role, shown: showing([mintLeaf(role, null)]), parameters: { clientAuthentication: 'request' as const } };
  assert.is(outcome(trial), 'unknown_ca: certificate of client.test is self-signed and not among the authorities');
  assert.is(shows(role, [mintLeaf(role)], { clientAuthentication: 'request' }), 'connected');
});

test('PKI-15 a client that is not asked sends no Certificate, whatever it has', () => {
  const at = stage({ role: 'client', shown: HONEST.client, parameters: { clientAuthentication: 'none' } });
  begin(at, 'client');
  at.link.run();
  assert.is(at.judge.context.getPeer('bearer')?.identity, null);
  const reader = new ScriptedPeer('server');
  reader.take(...at.link.log.filter(({ from }) => from === 'bearer').map(({ bytes }) => bytes));
  const sent = new Set(reader.messages.map(({ type }) => type));
  assert.equal([...sent], [HandshakeType.clientHello, HandshakeType.clientKeyExchange]);
});

test('PKI-15 a server without a Trust that asks for certificates believes nobody who shows one', () => {
  const said = outcome({ role: 'client', shown: HONEST.client, parameters: { trust: null } });
  assert.is(said, 'certificate_unknown: nobody is trusted: the option trust is missing');
});

test('PKI-18 a key of a kind that the suite does not have is refused before it signs anything', () => {
  const rsa = mintLeaf('server', ROOT, { key: keyPair('other', 'rsa2048') });
  assert.is(shows('server', [rsa], undefined, keyPair('server')), 'unsupported_certificate: a key of kind rsa does not fit the suite');
  const ec = mintLeaf('server');
  assert.is(shows('server', [ec], undefined, keyPair('other', 'rsa2048')), 'unsupported_certificate: a key of kind ec does not fit the suite');
});

test('what was refused is gone on both sides before anything else comes', () => {
  const at = stage({ role: 'server', shown: showing([mintLeaf('server', null)]) });
  begin(at, 'server');
  at.link.run(() => at.judge.events.some(({ level }) => level === 2));
  assertFreed(at.judge, 'bearer');
});

test.run();
