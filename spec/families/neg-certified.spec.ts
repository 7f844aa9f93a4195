/**
 * NEG with ECDHE: raw public keys, certificates and ECDHE_PSK. Old versions, a man in the middle who edits what is negotiated,
 * suites that must not be, and what an endpoint without DTLS 1.3 owes to one that has it.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { SignatureScheme } from '../../lib/crypto/keys.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { ALL_SUITES, AlertDescription, DTLS_EVENT_CONNECTED, HandshakeType, type DtlsOptions } from '../../lib/index.js';
import { readCertificateRequest, writeCertificateRequest } from '../../lib/message/certificate.js';
import { readNumbers, writeCertificateTypes, writeNumbers, writeServerName } from '../../lib/message/extensionbodies.js';
import { readClientHello, readServerHello } from '../../lib/message/hello.js';
import { ECDHE_ECDSA_AES_128_CCM_8, ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_ECDSA_AES_256_GCM_SHA384 } from '../../lib/suites/certificate.js';
import { ECDHE_PSK_AES_128_GCM_SHA256, ECDHE_PSK_CHACHA20_POLY1305_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { ExtensionType } from '../../lib/wire/registry.js';
import { between, type Edit } from '../support/between.js';
import { certifiedRig } from '../support/certified.js';
import { Random } from '../support/random.js';
import { hex, join, Rig } from '../support/rig.js';
import { MODES, Stage, type Mode, type Role } from '../support/stage.js';

const { decryptError, handshakeFailure, protocolVersion } = AlertDescription;
const { clientCertificateType, ecPointFormats, extendedMasterSecret, renegotiationInfo, serverCertificateType, serverName, signatureAlgorithms, supportedGroups } = ExtensionType;

const DOWNGRADE_13 = hex('444f574e47524401');
const DOWNGRADE_11 = hex('444f574e47524400');
const SUPPORTED_VERSIONS = 43;

const isConnected = (rig: Rig): boolean => rig.codes.includes(DTLS_EVENT_CONNECTED);

for (const mode of MODES) {
  test(`NEG-01 a server of 1.2 sends its own random, never the mark of a 1.3 server that steps down: ${mode}`, () => {
    const source = new Random(31);
    const drawn: string[] = [];
    const stage = new Stage('server', mode, { random: (length) => {
      const bytes = source.bytes(length);
      drawn.push(bytes.join());
      return bytes;
    } });
    // DTLS 1.3 and 1.2, 1.3 alone, a GREASE version beside them: the extension means nothing to us (RFC 8446 §4.2.1, §4.1.3).
    for (const versions of ['04 fefc fefd', '02 fefc', '06 0a0a fefc fefd', '02 fefd']) {
      const { peer } = stage.completes({ extensions: (own) => own.set(SUPPORTED_VERSIONS, hex(versions)) });
      const { version, random, extensions } = readServerHello(peer.latest(HandshakeType.serverHello).body);
      assert.is(version, 0xfefd);
      assert.is(extensions.has(SUPPORTED_VERSIONS), false);
      assert.ok(drawn.includes(random.join()), 'the random is not what was drawn');
      for (const mark of [DOWNGRADE_13, DOWNGRADE_11]) assert.not.equal(random.slice(24), mark);
    }
    stage.conclude();
  });

  test(`NEG-01 a client of 1.2 offers no version beside it, and takes the mark that a 1.3 server must send it: ${mode}`, () => {
    const stage = new Stage('client', mode);
    for (const mark of [DOWNGRADE_13, DOWNGRADE_11]) {
      // RFC 8446 §4.1.3: a 1.3 server that is asked for 1.2 marks its random; 1.2 clients look at the mark for 1.1 and below only.
      const peer = stage.peer();
      peer.serverRandom.set(mark, 24);
      const { peer: heard } = stage.completes({ hello: { random: peer.serverRandom }, editor: (type, _, own) => {
        if (type === HandshakeType.serverHello) own.serverRandom = peer.serverRandom;
      } });
      const { version, extensions } = readClientHello(heard.latest(HandshakeType.clientHello).body);
      assert.equal([version, extensions.has(SUPPORTED_VERSIONS)], [0xfefd, false]);
    }
    // Below 1.2 nothing is taken, marked or not.
    for (const version of [0xfeff, 0x0302, 0x0301]) {
      const random = join(new Uint8Array(24).fill(3), DOWNGRADE_11);
      stage.refused(stage.play({ hello: { version, random } }), [protocolVersion], version.toString(16));
    }
    stage.conclude();
  });

  test(`NEG-02 neither side goes below DTLS 1.2, whatever else is offered: ${mode}`, () => {
    for (const role of ['client', 'server'] as const) {
      const stage = new Stage(role, mode);
      for (const version of [0xfeff, 0xfefe, 0x0303, 0x0000, 0xffff]) {
        stage.refused(stage.play({ hello: { version } }), [protocolVersion], `${role}: ${version.toString(16)}`);
      }
      stage.completes();
      stage.conclude();
    }
  });

  test(`NEG-11 a server has nothing in common with suites without encryption, authentication or forward life: ${mode}`, () => {
    const stage = new Stage('server', mode);
    const names: Readonly<Record<string, readonly number[]>> = {
      null: [0x0000, 0x0001, 0x0002, 0x003b, 0xc001, 0xc006, 0xc00b, 0xc010, 0xc015, 0xc039, 0xc03a], anonymous: [0x0018, 0x001b, 0x0034, 0x00a6, 0xc016, 0xc018, 0xc019],
      export: [0x0003, 0x0006, 0x0008, 0x000e, 0x0014, 0x0062], rc4: [0x0004, 0x0005, 0xc002, 0xc007, 0xc00c, 0xc011], des: [0x0009, 0x000a, 0xc003, 0xc008, 0xc012],
      'cbc-sha1': [0x002f, 0x0035, 0xc004, 0xc005, 0xc009, 0xc00a, 0xc013, 0xc014, 0xc035], 'cbc-sha2': [0x003c, 0xc023, 0xc024, 0xc027, 0xc037],
      'static rsa and ecdh': [0x009c, 0x009d, 0xc02d, 0xc031, 0xc0a0], tls13: [0x1301, 0x1302, 0x1303, 0x1304, 0x1305], signalling: [0x00ff, 0x5600],
    };
    for (const [name, ids] of Object.entries(names)) {
      const cipherSuites = Uint8Array.from(ids.flatMap((id) => [id >> 8, id & 255]));
      const play = stage.play({ hello: { cipherSuites } });
      stage.refused(play, [handshakeFailure], name);
      // Before the cookie nothing is refused, and nothing but the cookie is said.
      assert.equal(play.peer.messages.map(({ type }) => type), [HandshakeType.helloVerifyRequest], name);
    }
    stage.completes();
    stage.conclude();
  });
}

test('NEG-11 every suite there is encrypts with an AEAD, and a client offers no other', () => {
  assert.ok(ALL_SUITES.length > 15);
  for (const { name, id, aead } of ALL_SUITES) {
    assert.ok(nativeProvider.aeads[aead] !== undefined, name);
    assert.is(/NULL|anon|EXPORT|RC4|DES|CBC|_RSA_WITH/.test(name.replace('ECDHE_RSA_WITH', '')), false, `${name} ${id}`);
  }
  const rig = certifiedRig('client', 'rawKey', { cipherSuites: ALL_SUITES });
  rig.context.connect('x');
  const { cipherSuites } = readClientHello(rig.takeSent()[0]!.slice(25));
  const offered = Array.from({ length: cipherSuites.length / 2 }, (_, index) => (cipherSuites[2 * index]! << 8) | cipherSuites[2 * index + 1]!);
  assert.equal(offered.filter((id) => !ALL_SUITES.some((suite) => suite.id === id)), []);
  assert.ok(offered.length > 5);
});

type Map8 = ReadonlyMap<number, Uint8Array>;

const without = (extensions: Map8, ...types: number[]): Map8 => new Map([...extensions].filter(([type]) => !types.includes(type)));
const replaced = (extensions: Map8, type: number, body: Uint8Array): Map8 => new Map([...extensions].map(([each, own]) => [each, each === type ? body : own]));
const hello = (change: (extensions: Map8) => Map8): Edit => ({ client: (sent) => ({ ...sent, extensions: change(sent.extensions) }) });
const answer = (change: (extensions: Map8) => Map8): Edit => ({ server: (sent) => ({ ...sent, extensions: change(sent.extensions) }) });

/** Both sides offer more than one of everything. */
function pair(mode: Mode, edit: Edit, options: DtlsOptions = {}): { client: Rig; server: Rig; changed: boolean } {
  const rigOf = (role: Role): Rig => {
    const random = new Random(role === 'client' ? 41 : 42);
    const common: DtlsOptions = { random: (length) => random.bytes(length), ...options };
    return mode === 'ecdhePsk'
      ? new Rig({ crypto: nativeProvider, mtu: 4096, cipherSuites: [ECDHE_PSK_AES_128_GCM_SHA256, ECDHE_PSK_CHACHA20_POLY1305_SHA256], ...common })
      : certifiedRig(role, mode, { cipherSuites: [ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_ECDSA_AES_256_GCM_SHA384, ECDHE_ECDSA_AES_128_CCM_8], ...common });
  };
  const [client, server] = [rigOf('client'), rigOf('server')];
  return { changed: between(client, server, edit), client, server };
}

const relaxed: DtlsOptions = { forceExtendedMasterSecret: false, forceRenegotiationInfo: false };

for (const mode of MODES) {
  test(`NEG-03 extended_master_secret taken out of the hellos: refused where required, never completed where not: ${mode}`, () => {
    const strip = hello((extensions) => without(extensions, extendedMasterSecret));
    const strict = pair(mode, strip);
    assert.equal([strict.server.fatal, isConnected(strict.client), isConnected(strict.server)], [[handshakeFailure], false, false]);
    const unanswered = pair(mode, answer((extensions) => without(extensions, extendedMasterSecret)));
    assert.equal([unanswered.client.fatal, isConnected(unanswered.client), isConnected(unanswered.server)], [[handshakeFailure], false, false]);
    for (const clientAuthentication of ['require', 'none'] as const) {
      const loose = pair(mode, strip, { ...relaxed, clientAuthentication });
      assert.equal([isConnected(loose.client), isConnected(loose.server)], [false, false]);
      assert.equal(loose.server.fatal, [decryptError], 'CertificateVerify, or else Finished, does not verify');
      const half = pair(mode, answer((extensions) => without(extensions, extendedMasterSecret)), { ...relaxed, clientAuthentication });
      assert.equal([isConnected(half.client), isConnected(half.server)], [false, false]);
    }
  });

  test(`NEG-03 extended_master_secret is used where both have it, and an honest peer without it is refused where it is required: ${mode}`, () => {
    for (const role of ['client', 'server'] as const) {
      const stage = new Stage(role, mode);
      stage.refused(stage.play({ peer: { extendedMasterSecret: false } }), [handshakeFailure], role);
      stage.conclude();
      const loose = new Stage(role, mode, relaxed);
      const { session } = loose.completes({ peer: { extendedMasterSecret: false } });
      assert.is(loose.rig.context.getPeer(session)?.extendedMasterSecret, false);
      assert.is(loose.rig.context.getPeer(loose.bystander.session)?.extendedMasterSecret, true);
      loose.conclude();
    }
  });

  test(`NEG-10 whatever is edited of what is negotiated, neither side completes: ${mode}`, () => {
    const honest = pair(mode, {}, relaxed);
    assert.equal([isConnected(honest.client), isConnected(honest.server)], [true, true]);
    const edits: [string, Edit][] = [
      ['suites: the best one taken out', { client: (sent) => ({ ...sent, cipherSuites: sent.cipherSuites.slice(2) }) }],
      ['suites: the last alone', { client: (sent) => ({ ...sent, cipherSuites: sent.cipherSuites.slice(-2) }) }],
      ['suites: another order', { client: (sent) => ({ ...sent, cipherSuites: join(sent.cipherSuites.slice(2), sent.cipherSuites.slice(0, 2)) }) }],
      ['suites: one more', { client: (sent) => ({ ...sent, cipherSuites: join(sent.cipherSuites, Uint8Array.of(0, 0xff)) }) }],
      ['groups: P-256 alone', hello((sent) => replaced(sent, supportedGroups, writeNumbers([23])))],
      ['groups: another order', hello((sent) => replaced(sent, supportedGroups, writeNumbers(readNumbers(sent.get(supportedGroups)!, '').reverse())))],
      ['groups: one more', hello((sent) => replaced(sent, supportedGroups, writeNumbers([...readNumbers(sent.get(supportedGroups)!, ''), 25])))],
      ['groups: none', hello((sent) => without(sent, supportedGroups))],
      ['point formats: more', hello((sent) => replaced(sent, ecPointFormats, Uint8Array.of(2, 0, 1)))],
      ['point formats: none', hello((sent) => without(sent, ecPointFormats))],
      ['renegotiation_info', hello((sent) => without(sent, renegotiationInfo))],
      ['another random', { client: (sent) => ({ ...sent, random: sent.random.map((byte) => byte ^ 1) }) }],
      ['another order of extensions', hello((sent) => new Map([...sent].reverse()))],
      ['the server’s suite', { server: (sent) => ({ ...sent, cipherSuite: mode === 'ecdhePsk' ? ECDHE_PSK_CHACHA20_POLY1305_SHA256.id : ECDHE_ECDSA_AES_256_GCM_SHA384.id }) }],
      ['the server’s random', { server: (sent) => ({ ...sent, random: sent.random.map((byte) => byte ^ 1) }) }],
      ['the server’s point formats', answer((sent) => without(sent, ecPointFormats))],
      ['the server’s renegotiation_info', answer((sent) => without(sent, renegotiationInfo))],
      ['the server’s session_id', { server: (sent) => ({ ...sent, sessionId: new Uint8Array(8) }) }],
    ];
    if (mode !== 'ecdhePsk') {
      const { ecdsaSha256, ecdsaSha384 } = SignatureScheme;
      edits.push(
        ['signature schemes: one alone', hello((sent) => replaced(sent, signatureAlgorithms, writeNumbers([ecdsaSha256])))],
        ['signature schemes: another hash', hello((sent) => replaced(sent, signatureAlgorithms, writeNumbers([ecdsaSha384])))],
        ['signature schemes: another order', hello((sent) => replaced(sent, signatureAlgorithms, writeNumbers(readNumbers(sent.get(signatureAlgorithms)!, '').reverse())))],
        ['signature schemes: SHA-1 alone', hello((sent) => replaced(sent, signatureAlgorithms, writeNumbers([0x0203])))],
        ['signature schemes: none', hello((sent) => without(sent, signatureAlgorithms))],
        ['the request’s signature schemes', { message: (type, body) => (type === HandshakeType.certificateRequest
          ? writeCertificateRequest({ ...readCertificateRequest(body), signatureSchemes: [ecdsaSha384] }) : null) }],
        ['the request’s types', { message: (type, body) => (type === HandshakeType.certificateRequest
          ? writeCertificateRequest({ ...readCertificateRequest(body), certificateTypes: Uint8Array.of(64) }) : null) }],
      );
    }
    if (mode === 'rawKey') {
      edits.push(
        ['certificate types: none', hello((sent) => without(sent, clientCertificateType, serverCertificateType))],
        ['certificate types of the client: none', hello((sent) => without(sent, clientCertificateType))],
        ['certificate types: X.509 too', hello((sent) => replaced(sent, serverCertificateType, writeCertificateTypes([CertificateType.rawKey, CertificateType.x509])))],
        ['certificate types: X.509 first', hello((sent) => replaced(sent, clientCertificateType, writeCertificateTypes([CertificateType.x509, CertificateType.rawKey])))],
        ['certificate types: X.509 alone', hello((sent) => replaced(sent, serverCertificateType, writeCertificateTypes([CertificateType.x509])))],
        ['the server’s type', answer((sent) => without(sent, serverCertificateType))],
        ['the type asked of the client', answer((sent) => without(sent, clientCertificateType))],
      );
    }
    if (mode === 'x509') {
      edits.push(
        ['server_name: none', hello((sent) => without(sent, serverName))],
        ['server_name: another', hello((sent) => replaced(sent, serverName, writeServerName('other.test')))],
        ['certificate types that nobody named', hello((sent) => new Map([...sent, [serverCertificateType, writeCertificateTypes([CertificateType.x509])]]))],
        ['the request’s authorities', { message: (type, body) => (type === HandshakeType.certificateRequest
          ? writeCertificateRequest({ ...readCertificateRequest(body), authorities: [] }) : null) }],
      );
    }
    for (const [why, edit] of edits) {
      for (const clientAuthentication of mode === 'ecdhePsk' ? ['none'] as const : ['require', 'none'] as const) {
        if (clientAuthentication === 'none' && /the request|asked of the client/.test(why)) continue;
        const { client, server, changed } = pair(mode, edit, { ...relaxed, clientAuthentication });
        assert.ok(changed, `${why}: nothing was edited`);
        assert.equal([isConnected(client), isConnected(server)], [false, false], `${why}, ${clientAuthentication}`);
        assert.equal([client.reads, server.reads], [[], []]);
        client.runOut();
        server.runOut();
        assert.equal([client, server].map(({ context }) => [context.stats().halfOpen, context.stats().heldBytes]), [[0, 0], [0, 0]], why);
      }
    }
  });
}

test.run();
