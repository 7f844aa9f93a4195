/**
 * HSP, the hellos of public-key handshakes: extensions that stand twice (HSP-11), that nobody offered (HSP-12), and answers
 * that were not offered: certificate types, suites, point formats, server_name (HSP-17).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustStore } from '../../lib/credentials/index.js';
import { NamedGroup } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { AlertDescription, HandshakeType, type DtlsOptions } from '../../lib/index.js';
import { writeCertificateTypes, writeNumbers, writeServerName } from '../../lib/message/extensionbodies.js';
import { readServerHello } from '../../lib/message/hello.js';
import { ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_RSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { ECDHE_PSK_AES_128_GCM_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { PSK_AES_128_GCM_SHA256 } from '../../lib/suites/psk.js';
import { ExtensionType } from '../../lib/wire/registry.js';
import { AUTHORITY, credentialOf, holder, SERVER_NAME } from '../support/holders.js';
import { extensionsAt } from '../support/lengthfields.js';
import { hex, join, text } from '../support/rig.js';
import { fetchCookie } from '../support/scripted.js';
import { eachRefused, MODES, Stage, type Editor, type Mode, type PlayOptions, type Role } from '../support/stage.js';

const { decodeError, handshakeFailure, illegalParameter, protocolVersion, unsupportedCertificate, unsupportedExtension } = AlertDescription;
const { rawKey, x509 } = CertificateType;
const {
  clientCertificateType, ecPointFormats, extendedMasterSecret, renegotiationInfo, serverCertificateType, serverName, signatureAlgorithms, supportedGroups,
} = ExtensionType;
const HELLOS: readonly number[] = [HandshakeType.clientHello, HandshakeType.serverHello];

type Map8 = Map<number, Uint8Array>;

/** One extension of the peer's hello is there again, at the end, as it was or with another body. */
function twice(extension: number, body?: Uint8Array): Editor {
  return (type, hello) => {
    if (!HELLOS.includes(type)) return null;
    const at = extensionsAt(type, hello);
    let found = body;
    for (let i = at + 2; i < hello.length && found === undefined; ) {
      const length = (hello[i + 2]! << 8) | hello[i + 3]!;
      if (((hello[i]! << 8) | hello[i + 1]!) === extension) found = hello.slice(i + 4, i + 4 + length);
      i += 4 + length;
    }
    assert.ok(found !== undefined, `the hello has no extension ${extension}`);
    const again = join(Uint8Array.of(extension >>> 8, extension, 0, found.length), found);
    const length = hello.length - at - 2 + again.length;
    return join(hello.slice(0, at), Uint8Array.of(length >>> 8, length), hello.slice(at + 2), again);
  };
}

const named: PlayOptions = { extensions: (own) => own.set(serverName, writeServerName(SERVER_NAME)) };

for (const mode of MODES) {
  test(`HSP-11 a server refuses an extension that stands twice in a ClientHello, whichever it is: ${mode}`, () => {
    const stage = new Stage('server', mode);
    const common = [renegotiationInfo, extendedMasterSecret, supportedGroups, ecPointFormats];
    const own = { rawKey: [signatureAlgorithms, clientCertificateType, serverCertificateType], x509: [signatureAlgorithms, serverName], ecdhePsk: [] }[mode];
    eachRefused(stage, [...common, ...own].map((extension) => [`extension ${extension}`, twice(extension)]), [illegalParameter], mode === 'x509' ? named : {});
    const other = new Stage('server', mode);
    eachRefused(other, [
      ['groups, another list', twice(supportedGroups, writeNumbers([NamedGroup.secp256r1]))],
      ['point formats, malformed', twice(ecPointFormats, new Uint8Array(0))],
    ], [illegalParameter]);
  });

  test(`HSP-11 a client refuses an extension that stands twice in a ServerHello, whichever it is: ${mode}`, () => {
    const stage = new Stage('client', mode);
    const own = { rawKey: [clientCertificateType, serverCertificateType], x509: [serverName], ecdhePsk: [] }[mode];
    const options: PlayOptions = mode === 'x509' ? { extensions: (extensions) => extensions.set(serverName, new Uint8Array(0)) } : {};
    eachRefused(stage, [renegotiationInfo, extendedMasterSecret, ecPointFormats, ...own].map((extension) => [`extension ${extension}`, twice(extension)]), [illegalParameter], options);
  });

  test(`HSP-12 a client refuses an extension that it did not offer: ${mode}`, () => {
    const offered: Readonly<Record<Mode, readonly number[]>> = { rawKey: [serverCertificateType, clientCertificateType], x509: [serverName], ecdhePsk: [] };
    const stage = new Stage('client', mode);
    const candidates = [
      serverName, clientCertificateType, serverCertificateType, ExtensionType.maxFragmentLength, ExtensionType.connectionId, ExtensionType.recordSizeLimit,
      ExtensionType.heartbeat, ExtensionType.encryptThenMac, ExtensionType.sessionTicket, ExtensionType.alpn, ExtensionType.useSrtp, 5, 17, 43, 51, 0x0a0a, 0xfafa,
    ].filter((extension) => !offered[mode].includes(extension));
    if (mode === 'ecdhePsk') candidates.push(signatureAlgorithms);
    for (const extension of candidates) {
      for (const body of [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(rawKey)]) {
        const play = stage.play({ extensions: (own) => own.set(extension, body) });
        stage.refused(play, [unsupportedExtension], `extension ${extension}, ${body.length} bytes`);
      }
    }
    stage.completes();
    stage.conclude();
  });
}

/** Hellos of the peer with one extension changed (null: taken out), and the alert they come to. */
function answers(role: Role, mode: Mode, rows: readonly (readonly [string, number, Uint8Array | null, number])[], options: DtlsOptions = {}): void {
  const stage = new Stage(role, mode, options);
  for (const [why, extension, body, alert] of rows) {
    const change = (own: Map8): Map8 => {
      if (body === null) own.delete(extension);
      return body === null ? own : own.set(extension, body);
    };
    stage.refused(stage.play({ extensions: change }), [alert], `${role}, ${mode}: ${why}`);
  }
  stage.completes();
  stage.conclude();
}

test('HSP-17 a client takes no certificate type that it did not offer, and none that does not decode', () => {
  const rows = [serverCertificateType, clientCertificateType].flatMap((extension): [string, number, Uint8Array, number][] => [
    [`${extension}: X.509, not offered`, extension, Uint8Array.of(x509), illegalParameter],
    [`${extension}: OpenPGP`, extension, Uint8Array.of(1), illegalParameter],
    [`${extension}: 1609.2`, extension, Uint8Array.of(3), illegalParameter],
    [`${extension}: 255`, extension, Uint8Array.of(255), illegalParameter],
    [`${extension}: nothing`, extension, new Uint8Array(0), decodeError],
    [`${extension}: a list, as a client sends`, extension, writeCertificateTypes([rawKey]), decodeError],
    [`${extension}: two`, extension, Uint8Array.of(rawKey, rawKey), decodeError],
  ]);
  answers('client', 'rawKey', rows);
});

test('HSP-17 a client that offered raw keys alone takes the missing answer for X.509 (RFC 7250 §4.2), and no raw key for one', () => {
  const stage = new Stage('client', 'rawKey');
  const play = stage.play({ extensions: (own) => {
    own.delete(serverCertificateType);
    return own;
  } });
  assert.is(play.connected, 0);
  assert.is(play.alerts.length, 1);
  assert.ok([decodeError, AlertDescription.badCertificate, unsupportedCertificate, AlertDescription.certificateUnknown].includes(play.alerts[0] as never), String(play.alerts));
  stage.completes({}, play);
  stage.conclude();
});

test('HSP-17 a server_name answer must be empty', () => {
  answers('client', 'x509', [
    ['a byte', serverName, Uint8Array.of(0), decodeError],
    ['the name again', serverName, writeServerName(SERVER_NAME), decodeError],
    ['a name', serverName, text('server.test'), decodeError],
  ]);
  const stage = new Stage('client', 'x509');
  stage.completes({ extensions: (own) => own.set(serverName, new Uint8Array(0)) });
  stage.conclude();
});

test('HSP-17 ec_point_formats without uncompressed points is illegal in both hellos, and an empty list does not decode', () => {
  for (const role of ['client', 'server'] as const) {
    for (const mode of ['rawKey', 'ecdhePsk'] as const) {
      answers(role, mode, [
        ['ansiX962_compressed_prime alone', ecPointFormats, Uint8Array.of(1, 1), illegalParameter],
        ['both compressed forms', ecPointFormats, Uint8Array.of(2, 1, 2), illegalParameter],
        ['private use', ecPointFormats, Uint8Array.of(1, 255), illegalParameter],
        ['an empty list', ecPointFormats, Uint8Array.of(0), decodeError],
        ['nothing', ecPointFormats, new Uint8Array(0), decodeError],
        ['a byte more', ecPointFormats, Uint8Array.of(1, 0, 0), decodeError],
      ]);
      const stage = new Stage(role, mode);
      // Others may stand beside it, and the extension may be missing (RFC 8422 §5.1.2).
      stage.completes({ extensions: (own) => own.set(ecPointFormats, Uint8Array.of(3, 1, 0, 2)) });
      stage.completes({ extensions: (own) => {
        own.delete(ecPointFormats);
        return own;
      } });
      stage.conclude();
    }
  }
});

test('HSP-17 a client takes no suite, compression, session or version that it did not offer, whatever comes with it', () => {
  for (const mode of MODES) {
    const stage = new Stage('client', mode);
    const own = mode === 'ecdhePsk' ? ECDHE_PSK_AES_128_GCM_SHA256.id : ECDHE_ECDSA_AES_128_GCM_SHA256.id;
    const others = [
      ECDHE_RSA_AES_128_GCM_SHA256.id, ECDHE_ECDSA_AES_128_GCM_SHA256.id, ECDHE_PSK_AES_128_GCM_SHA256.id, PSK_AES_128_GCM_SHA256.id, 0x1301, 0xc009, 0xc02c, 0x00ff, 0,
    ].filter((id) => id !== own);
    for (const cipherSuite of others) stage.refused(stage.play({ hello: { cipherSuite } }), [illegalParameter], `${mode}: suite ${cipherSuite.toString(16)}`);
    stage.refused(stage.play({ hello: { compressionMethod: 1 } }), [illegalParameter], 'compression');
    stage.refused(stage.play({ hello: { sessionId: new Uint8Array(33) } }), [decodeError], 'a session_id of 33 bytes');
    for (const version of [0xfeff, 0xfefc, 0x0303]) stage.refused(stage.play({ hello: { version } }), [protocolVersion], version.toString(16));
    stage.completes();
    stage.conclude();
  }
});

test('HSP-17 lists of a ClientHello that are empty, odd or unfinished do not decode', () => {
  for (const mode of ['rawKey', 'x509'] as const) {
    answers('server', mode, [supportedGroups, signatureAlgorithms].flatMap((extension): [string, number, Uint8Array, number][] => [
      [`${extension}: nothing`, extension, new Uint8Array(0), decodeError],
      [`${extension}: an empty list`, extension, hex('0000'), decodeError],
      [`${extension}: an odd list`, extension, hex('0003 0017 04'), decodeError],
      [`${extension}: a byte more`, extension, hex('0002 0017 00'), decodeError],
      [`${extension}: a byte less`, extension, hex('0004 0017 04'), decodeError],
    ]));
  }
  answers('server', 'rawKey', [serverCertificateType, clientCertificateType].flatMap((extension): [string, number, Uint8Array, number][] => [
    [`${extension}: nothing`, extension, new Uint8Array(0), decodeError],
    [`${extension}: an empty list`, extension, Uint8Array.of(0), decodeError],
    [`${extension}: a byte more`, extension, Uint8Array.of(1, 2, 2), decodeError],
    [`${extension}: a byte less`, extension, Uint8Array.of(2, 2), decodeError],
  ]));
  answers('server', 'x509', [
    ['an empty list of names', serverName, hex('0000'), decodeError],
    ['nothing', serverName, new Uint8Array(0), decodeError],
    ['an empty name', serverName, hex('0003 00 0000'), decodeError],
    ['two names', serverName, hex('0008 00 0001 61 00 0001 62'), decodeError],
    ['a name with NUL', serverName, hex('0006 00 0003 610062'), decodeError],
    ['a name beyond the list', serverName, hex('0004 00 0002 61'), decodeError],
  ]);
});

test('HSP-17 a server chooses certificate types that were offered, and asks for none where none fits', () => {
  const both = (role: Role): DtlsOptions => ({
    credentials: [credentialOf(holder('rawKey', role)), credentialOf(holder('x509', role))],
    trust: trustStore({ provider: nativeProvider, rawKeys: [...holder('rawKey', 'client').chain], authorities: new Uint8Array(AUTHORITY.der) }),
  });
  const offers = (types: readonly number[], extension: number) => (own: Map8): Map8 => own.set(extension, writeCertificateTypes(types));
  const stage = new Stage('server', 'rawKey', both('server'));
  // Unknown types are passed over.
  for (const types of [[1, rawKey], [rawKey, 255], [0x0a, 1, rawKey]]) {
    const { peer } = stage.completes({ extensions: offers(types, serverCertificateType) });
    assert.equal(readServerHello(peer.latest(HandshakeType.serverHello).body).extensions.get(serverCertificateType), Uint8Array.of(rawKey));
    stage.completes({ extensions: offers(types, clientCertificateType) });
  }
  for (const types of [[1], [3], [255, 1]]) {
    stage.refused(stage.play({ extensions: offers(types, serverCertificateType) }), [unsupportedCertificate], `server types ${types.join()}`);
    stage.refused(stage.play({ extensions: offers(types, clientCertificateType) }), [unsupportedCertificate], `client types ${types.join()}`);
  }
  // Where the kind is not what is wrong, it is not blamed.
  stage.refused(stage.play({ hello: { cipherSuites: Uint8Array.of(0xc0, 0x2f) } }), [handshakeFailure], 'a suite of RSA');
  stage.refused(stage.play({ extensions: (own) => own.set(signatureAlgorithms, writeNumbers([0x0203])) }), [handshakeFailure], 'SHA-1 alone');
  stage.conclude();
  // And a suite that does without certificates is still possible.
  const mixed = new Stage('server', 'rawKey', { ...both('server'), cipherSuites: [ECDHE_ECDSA_AES_128_GCM_SHA256, PSK_AES_128_GCM_SHA256] });
  const suites = [ECDHE_ECDSA_AES_128_GCM_SHA256, PSK_AES_128_GCM_SHA256].flatMap(({ id }) => [id >> 8, id & 255]);
  const peer = mixed.peer();
  const mixedHello = { cipherSuites: Uint8Array.from(suites), extensions: offers([1], serverCertificateType)(peer.extensions) };
  fetchCookie(mixed.rig, peer, 'mixed', mixedHello);
  mixed.rig.feed('mixed', peer.clientHello(mixedHello));
  peer.take(...mixed.rig.takeSent());
  assert.is(readServerHello(peer.latest(HandshakeType.serverHello).body).cipherSuite, PSK_AES_128_GCM_SHA256.id);
  // RFC 7250 §4.2: none in common and none required: the extension is left out, and nobody is asked.
  const asking = new Stage('server', 'rawKey', { ...both('server'), clientAuthentication: 'request' });
  for (const types of [[1], [255, 3]]) {
    const { peer } = asking.completes({ extensions: offers(types, clientCertificateType) });
    const { extensions } = readServerHello(peer.latest(HandshakeType.serverHello).body);
    assert.is(extensions.has(clientCertificateType), false, 'a type that the client did not offer');
    assert.is(peer.messages.some(({ type }) => type === HandshakeType.certificateRequest), false);
  }
  asking.conclude();
});

test.run();
