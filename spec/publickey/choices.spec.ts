/**
 * Who shows what to whom: one server with pre-shared keys, raw keys and certificates; several credentials, chosen by name, by
 * authority, by algorithm; nothing that is unauthenticated in their place (PSK-08); belief in everybody only where asked for.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_SUITES, ECDHE_PSK_SUITES, PSK_SUITES, type DtlsHandler, type DtlsOptions } from '../../lib/index.js';
import { trustEverything, trustStore } from '../../lib/credentials/trust.js';
import { NamedGroup, SignatureScheme } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import type { Credential, Verdict, Wishes } from '../../lib/handshake/authenticate.js';
import { readHelloVerifyRequest } from '../../lib/message/hello.js';
import { CERTIFICATE_SUITES, ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_RSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { ExtensionType, HandshakeType } from '../../lib/wire/registry.js';
import { Link, type Node } from '../support/link.js';
import { CLIENT, IDENTITY, KEY, Rig, equal } from '../support/rig.js';
import { ScriptedPeer } from '../support/scripted.js';
import { DAY, NOW, dnsName, hex, keyPair, keyUsage, mintAuthority, subjectAltName, type Minted } from '../x509/support/mint.js';
import { HONEST, ROOT, add, alertsOnTheWire, assertFreed, mintLeaf, outcome, rawCredentialOf, showing, showingRaw, trusting, type Side } from './chains.js';

const PSK: Partial<DtlsHandler> = {
  getPskInfo: (_, __, type, description) => (type === 'hint' ? null : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null),
};
const RAW = { server: keyPair('raw server'), client: keyPair('raw client') };
const both = (raw: Minted['key']): ReturnType<typeof trusting> => trusting([ROOT], { rawKeys: raw.spki });
/** A server with everything. */
const EVERYTHING: DtlsOptions = {
  cipherSuites: ALL_SUITES, credentials: [showingRaw(RAW.server), HONEST.server], trust: both(RAW.client), clientAuthentication: 'request',
};

const stateOf = (node: Node, peer: string): string | undefined => node.context.getPeer(peer)?.state;

/** The leaf that `server` showed to `client`. */
function leafOf(client: Node): Uint8Array | null {
  const identity = client.context.getPeer('server')?.identity;
  return identity?.kind === 'x509' ? identity.chain[0]! : null;
}

test('one server takes pre-shared keys, raw keys and certificates at the same time, and knows each peer by its own kind', () => {
  const link = new Link();
  const server = add(link, 'server', EVERYTHING, PSK);
  const clients = {
    plain: add(link, 'plain', { cipherSuites: PSK_SUITES }, PSK),
    ephemeral: add(link, 'ephemeral', { cipherSuites: ECDHE_PSK_SUITES }, PSK),
    raw: add(link, 'raw', { cipherSuites: ALL_SUITES, credentials: [showingRaw(RAW.client)], trust: trustStore({ provider: nativeProvider, rawKeys: RAW.server.spki }) }),
    certified: add(link, 'certified', { cipherSuites: ALL_SUITES, credentials: [HONEST.client], trust: trusting(), serverName: 'server.test' }),
    nobody: add(link, 'nobody', { cipherSuites: ALL_SUITES, trust: trusting(), serverName: 'server.test' }),
  };
  for (const { context } of Object.values(clients)) context.connect('server');
  link.run();
  const of = (name: string): unknown => server.context.getPeer(name)?.identity;
  const psk = { kind: 'psk', identity: IDENTITY, hint: new Uint8Array(0) };
  assert.equal(of('plain'), psk);
  assert.equal(of('ephemeral'), psk);
  assert.equal(of('raw'), { kind: 'rawKey', spki: new Uint8Array(RAW.client.spki) });
  assert.equal(of('certified'), { kind: 'x509', chain: HONEST.client.chain });
  assert.is(of('nobody'), null);
  assert.is(stateOf(server, 'nobody'), 'connected');
  assert.equal(clients.raw.context.getPeer('server')?.identity, { kind: 'rawKey', spki: new Uint8Array(RAW.server.spki) });
  for (const name of ['certified', 'nobody'] as const) assert.equal(leafOf(clients[name]), HONEST.server.chain[0]);
  const exchanges = Object.keys(clients).map((name) => server.context.getPeer(name)?.suite?.keyExchange.name);
  assert.equal(exchanges, ['psk', 'ecdhe_psk', 'ecdhe_ecdsa', 'ecdhe_ecdsa', 'ecdhe_ecdsa']);
  assert.equal([server.context.stats().halfOpen, server.context.stats().deadlines], [0, 0]);
});

test('PSK-08 a server with pre-shared keys and certificates refuses a client with neither, and makes nothing unauthenticated of it', () => {
  const offers: readonly (readonly [string, string])[] = [
    ['0001 0002 003b', 'suites without encryption'], ['0034 003a 006c 00a6', 'anonymous DH'], ['c015 c018 c019', 'anonymous ECDH'], ['002f 009c', 'static RSA'],
    ['c006 c010', 'ECDHE without encryption'], ['002c 00b0 00b4', 'PSK without encryption'], ['1301', 'TLS 1.3'], ['c0ac', 'a suite that needs a group'],
  ];
  for (const [suites, what] of offers) {
    const rig = new Rig({ ...EVERYTHING, crypto: nativeProvider }, PSK);
    const peer = new ScriptedPeer('client');
    const hello = { cipherSuites: new Uint8Array(hex(suites)) };
    rig.feed(CLIENT, peer.clientHello(hello));
    peer.take(...rig.takeSent());
    peer.cookie = readHelloVerifyRequest(peer.latest(HandshakeType.helloVerifyRequest).body).cookie;
    rig.feed(CLIENT, peer.clientHello(hello));
    assert.equal(peer.take(...rig.takeSent()), [], what);
    assert.equal(peer.alerts, [{ epoch: 0, level: 2, description: 40 }], what);
    assert.is(rig.events.at(-1)!.detail!.message, 'no cipher suite in common, or no key and certificate for one');
    assert.is(rig.context.getPeer(CLIENT), undefined);
  }
});

test('PSK-08 the server\'s order decides between pre-shared keys with and without ECDHE, and certificates', () => {
  const chosen = (cipherSuites: DtlsOptions['cipherSuites'], offered: DtlsOptions['cipherSuites']): string | undefined => {
    const link = new Link();
    add(link, 'server', { ...EVERYTHING, cipherSuites }, PSK);
    const client = add(link, 'client', { cipherSuites: offered, trust: trusting(), serverName: 'server.test' }, PSK);
    client.context.connect('server');
    link.run();
    assert.is(stateOf(client, 'server'), 'connected');
    return client.context.getPeer('server')?.suite?.keyExchange.name;
  };
  const backwards = [...ALL_SUITES].reverse();
  assert.is(chosen(ALL_SUITES, backwards), 'ecdhe_ecdsa');
  assert.is(chosen(backwards, ALL_SUITES), 'psk');
  assert.is(chosen([...ECDHE_PSK_SUITES, ...PSK_SUITES], [...PSK_SUITES, ...ECDHE_PSK_SUITES]), 'ecdhe_psk');
  assert.is(chosen([...PSK_SUITES, ...ECDHE_PSK_SUITES], ALL_SUITES), 'psk');
});

test('PSK-08 a server that requires certificates of clients lets nobody in without, but by a pre-shared key', () => {
  const link = new Link();
  const server = add(link, 'server', { ...EVERYTHING, clientAuthentication: 'require' }, PSK);
  const trust = { cipherSuites: ALL_SUITES, trust: trusting(), serverName: 'server.test' };
  const bare = add(link, 'bare', trust);
  const keyed = add(link, 'keyed', { cipherSuites: PSK_SUITES }, PSK);
  const wrong = add(link, 'wrong', { cipherSuites: PSK_SUITES }, { getPskInfo: (_, __, type) => (type === 'key' ? new Uint8Array(16) : IDENTITY) });
  for (const { context } of [bare, keyed, wrong]) context.connect('server');
  link.run();
  assert.equal(['bare', 'keyed', 'wrong'].map((name) => stateOf(server, name)), [undefined, 'connected', undefined]);
  assert.equal(alertsOnTheWire(link.log, 'server', 'bare'), ['handshake_failure']);
});

test('PSK-08 a client whose raw key nobody takes still gets in by its pre-shared key', () => {
  const link = new Link();
  const server = add(link, 'server', { ...EVERYTHING, credentials: [HONEST.server], trust: trusting(), clientAuthentication: 'require' }, PSK);
  const client = add(link, 'client', {
    cipherSuites: ALL_SUITES, credentials: [showingRaw(RAW.client)], trust: trusting(), serverName: 'server.test',
  }, PSK);
  client.context.connect('server');
  link.run();
  assert.equal(server.context.getPeer('client')?.identity?.kind, 'psk');
});

/** A certificate for one name. */
const named = (name: string, kind: string = 'prime256v1', issuer: Minted = ROOT): Minted =>
  mintLeaf('server', issuer, { name, key: keyPair(name, kind), extensions: [subjectAltName(dnsName(name)), keyUsage(0)] });

/** What the client got to see of a server with these credentials, and how that ended. */
function visit(credentials: readonly Credential[], client: DtlsOptions, server: Partial<DtlsHandler> = {}): { leaf: Uint8Array | null; client: Node } {
  const link = new Link();
  add(link, 'server', { credentials }, server);
  const node = add(link, 'client', { trust: trusting(), ...client });
  node.context.connect('server');
  link.run();
  return { leaf: leafOf(node), client: node };
}

test('a server with several certificates shows the one that has the name the client asked for, whatever its kind of key', () => {
  const leaves = {
    'a.test': named('a.test'), '*.b.test': named('*.b.test'), 'c.test': named('c.test', 'rsa2048'), 'd.test': named('d.test', 'ed25519'), 'e.test': named('e.test', 'secp384r1'),
  };
  const credentials = Object.entries(leaves).map(([name, leaf]): Credential => ({ ...showing([leaf]), names: (asked) => asked === name || (name === '*.b.test' && /^[^.]+\.b\.test$/.test(asked)) }));
  const expected: readonly (readonly [string, keyof typeof leaves])[] = [
    ['a.test', 'a.test'], ['A.Test', 'a.test'], ['x.b.test', '*.b.test'], ['c.test', 'c.test'], ['d.test', 'd.test'], ['e.test', 'e.test'],
  ];
  for (const [serverName, shown] of expected) assert.equal(visit(credentials, { serverName }).leaf, new Uint8Array(leaves[shown].der), serverName);
  // Nobody has this name: the first is shown, and the client says what is wrong with it.
  const { leaf, client } = visit(credentials, { serverName: 'z.test' });
  assert.is(leaf, null);
  assert.is(client.events.at(-1)!.detail!.message, 'certificate for a.test does not name z.test');
  assertFreed(client, 'server');
  // Without a name to go by, the server's order counts.
  assert.equal(visit(credentials, { trust: trusting([ROOT], { anyName: true }) }).leaf, new Uint8Array(leaves['a.test'].der));
});

test('the name asked for never makes a server show what the client cannot verify', () => {
  const [ec, rsa] = [named('a.test'), named('b.test', 'rsa2048')];
  const credentials = [ec, rsa].map((leaf, index): Credential => ({ ...showing([leaf]), names: (asked) => asked === ['a.test', 'b.test'][index] }));
  const seen = (serverName: string, more: DtlsOptions): string => {
    const { leaf, client } = visit(credentials, { serverName, ...more });
    return leaf !== null ? Buffer.from(leaf).equals(ec.der) ? 'ec' : 'rsa' : client.events.at(-1)!.detail?.message ?? 'alert';
  };
  const mismatch = 'certificate for b.test does not name a.test';
  assert.equal([seen('a.test', {}), seen('b.test', {})], ['ec', 'rsa']);
  assert.is(seen('a.test', { cipherSuites: [ECDHE_RSA_AES_128_GCM_SHA256] }), mismatch);
  assert.is(seen('a.test', { signatureSchemes: [SignatureScheme.rsaPssRsaeSha256] }), mismatch);
  assert.is(seen('b.test', { cipherSuites: [ECDHE_ECDSA_AES_128_GCM_SHA256] }), 'certificate for a.test does not name b.test');
});

test('a server shows the certificate whose key and curve the client can verify', () => {
  const leaves = ['secp384r1', 'prime256v1', 'ed25519', 'rsa2048'].map((kind) => mintLeaf('server', ROOT, { key: keyPair('many', kind) }));
  const credentials = leaves.map((leaf) => showing([leaf]));
  const shownTo = (client: DtlsOptions): number => {
    const { leaf } = visit(credentials, { serverName: 'server.test', ...client });
    return leaves.findIndex(({ der }) => leaf !== null && Buffer.from(leaf).equals(der));
  };
  assert.is(shownTo({}), 0);
  assert.is(shownTo({ groups: ['secp256r1', 'x25519'] }), 1);
  assert.is(shownTo({ signatureSchemes: [SignatureScheme.ed25519, SignatureScheme.rsaPssRsaeSha256] }), 2);
  assert.is(shownTo({ groups: ['x25519'] }), 2);
  assert.is(shownTo({ signatureSchemes: [SignatureScheme.rsaPkcs1Sha256] }), 3);
  assert.is(shownTo({ cipherSuites: [ECDHE_RSA_AES_128_GCM_SHA256] }), 3);
  assert.is(shownTo({ cipherSuites: [ECDHE_RSA_AES_128_GCM_SHA256], signatureSchemes: [SignatureScheme.ed25519] }), -1);
});

test('a client with several certificates shows the one whose issuer and key the server asked for, or none', () => {
  const other = mintAuthority('Other');
  const leaves = [mintLeaf('client', other), mintLeaf('client', ROOT, { key: keyPair('many', 'rsa2048') }), mintLeaf('client', ROOT)];
  const credentials = leaves.map((leaf, index): Credential => ({ ...showing([leaf]), issuers: [index === 0 ? other.subject : ROOT.subject] }));
  const shownTo = (server: DtlsOptions): number | null => {
    const link = new Link();
    const node = add(link, 'server', { credentials: [HONEST.server], clientAuthentication: 'request', ...server });
    add(link, 'client', { credentials, trust: trusting(), serverName: 'server.test' }).context.connect('server');
    link.run();
    const identity = node.context.getPeer('client')?.identity;
    return identity?.kind === 'x509' ? leaves.findIndex(({ der }) => Buffer.from(identity.chain[0]!).equals(der)) : identity === null ? -1 : null;
  };
  const { ecdsaSha256, rsaPssRsaeSha256, ed25519 } = SignatureScheme;
  assert.is(shownTo({ trust: trusting([other]) }), 0);
  assert.is(shownTo({ trust: trusting([other, ROOT]) }), 0);
  assert.is(shownTo({ trust: trusting([ROOT]) }), 1);
  assert.is(shownTo({ trust: trusting([ROOT]), signatureSchemes: [ecdsaSha256] }), 2);
  assert.is(shownTo({ trust: trusting([ROOT, other]), signatureSchemes: [rsaPssRsaeSha256] }), 1);
  assert.is(shownTo({ trust: trusting([mintAuthority('Third')]) }), -1);
  assert.is(shownTo({ trust: trusting([ROOT]), signatureSchemes: [ed25519] }), -1);
});

test('a host that is asked what to show sees the name, the kinds and the schemes that the client takes', () => {
  const asked: Wishes[] = [];
  const [a, b] = [named('a.test'), named('b.test')];
  const { leaf } = visit([], { serverName: 'b.test', groups: ['secp256r1'] }, {
    getCertificate: (_, __, wishes) => {
      asked.push(wishes);
      return [showing([a]), showing([b])].filter((__, index) => wishes.serverName === ['a.test', 'b.test'][index]);
    },
  });
  assert.equal(leaf, new Uint8Array(b.der));
  const [{ serverName, groups, schemes }] = asked as [Wishes];
  assert.equal([asked.length, serverName, groups], [1, 'b.test', [NamedGroup.secp256r1]]);
  assert.ok(schemes.includes(SignatureScheme.ecdsaSha256) && !schemes.some((scheme) => scheme >> 8 <= 2));
});

test('nobody is believed by default, and verifyCertificate alone is no Trust: a client says so before it sends anything', () => {
  const link = new Link();
  for (const handler of [{}, { verifyCertificate: () => true }]) {
    const { context } = add(link, 'client', { cipherSuites: CERTIFICATE_SUITES }, handler);
    assert.throws(() => context.connect('server'), /no option trust and no verifyEcdsaKey: no suite could authenticate a server/);
    assert.is(context.getPeer('server'), undefined);
  }
  assert.equal(link.log, []);
  // With a pre-shared key too, suites with certificates are not even offered.
  const peer = new ScriptedPeer('server');
  add(link, 'client', { cipherSuites: ALL_SUITES }, { ...PSK, verifyCertificate: () => true }).context.connect('server');
  peer.take(link.log[0]!.bytes);
  assert.not.ok(Buffer.from(peer.messages[0]!.body).includes(Buffer.from([0, ExtensionType.signatureAlgorithms, 0])));
});

test('trustEverything believes strangers, expired certificates and any name, but not a signature that is not theirs', () => {
  for (const role of ['server', 'client'] as const) {
    const parameters = { trust: trustEverything() };
    const expired = mintLeaf(role, null, { notAfter: NOW - 3 * DAY });
    assert.is(outcome({ role, shown: showing([expired]), parameters }), 'connected');
    assert.is(outcome({ role, shown: showingRaw(RAW[role]), parameters }), 'connected');
    assert.is(outcome({ role, shown: showing([expired], keyPair('Mallory')), parameters }), 'decrypt_error: the signature of the handshake does not verify');
    // It is one peer's matter: who was not asked to believe everybody does not.
    assert.match(outcome({ role, shown: showing([expired]) }), 'unknown_ca');
  }
});

test('bounds for certificates hold for a peer that has its trust or its credentials by parameters of its own', () => {
  const names = Array.from({ length: 400 }, (_, index) => dnsName(`host-${index}.test`));
  const long = (role: Side): Credential => showing([mintLeaf(role, ROOT, { extensions: [subjectAltName(dnsName(`${role}.test`), ...names), keyUsage(0)] })]);
  const link = new Link();
  const server = add(link, 'server', {}, { getUserParameters: () => ({ credentials: [long('server')], trust: trusting(), clientAuthentication: 'require' }) });
  const client = add(link, 'client', {}, { getUserParameters: () => ({ credentials: [long('client')], trust: trusting(), serverName: 'server.test' }) });
  client.context.connect('server');
  link.run();
  assert.equal([stateOf(client, 'server'), stateOf(server, 'client')], ['connected', 'connected']);
  // What the host says of bounds goes before what it shows.
  const narrow = add(link, 'narrow', { maxMessageBytes: 4096 }, { getUserParameters: () => ({ trust: trusting(), serverName: 'server.test' }) });
  narrow.context.connect('server');
  link.run();
  assert.match(narrow.events.at(-1)!.detail!.message, /^a handshake message of \d{4} bytes$/);
});

test('a Trust or a credential of the host that fails ends one handshake, in words, and nothing else', () => {
  const fails = (): never => { throw new Error('out of order'); };
  for (const role of ['server', 'client'] as const) {
    const said = (judge: () => unknown): string =>
      outcome({ role, shown: HONEST[role], parameters: { trust: { types: [0, 2], authorities: [], judge: judge as () => Verdict } } });
    assert.is(said(fails), 'internal_error: the handshake failed on our side');
    for (const nonsense of [undefined, {}, true]) assert.match(said(() => nonsense), /^(internal_error|certificate_unknown): /);
  }
  const { signer } = HONEST.server;
  const signing = (sign: () => unknown): Partial<Credential> => ({ signer: { schemes: signer.schemes, sign: sign as () => null } });
  const credentials: readonly (readonly [Partial<Credential>, string])[] = [
    [signing(fails), 'the host failed to give a signature'],
    [signing(() => 7), 'the host answered number when asked for a signature'],
    [signing(() => null), 'the private key gave no signature'],
    [{ names: fails }, 'the handshake failed on our side'],
  ];
  for (const [broken, why] of credentials) {
    const link = new Link();
    const server = add(link, 'server', { credentials: [{ ...HONEST.server, ...broken }] }, { error: () => {} });
    const client = add(link, 'client', { trust: trusting(), serverName: 'server.test' });
    client.context.connect('server');
    link.run();
    assertFreed(server, 'client');
    assertFreed(client, 'server');
    assert.equal(alertsOnTheWire(link.log, 'server', 'client'), ['internal_error']);
    assert.is(server.events.at(-1)!.detail!.message, why);
  }
});

test('a credential that never signs leaves nothing behind', () => {
  const { signer, ...rest } = rawCredentialOf(RAW.server);
  const silent: Credential = { ...rest, signer: { schemes: signer.schemes, sign: () => new Promise(() => {}) } };
  const link = new Link();
  const server = add(link, 'server', { credentials: [silent] }, { error: () => {} });
  const client = add(link, 'client', { trust: trustStore({ provider: nativeProvider, rawKeys: RAW.server.spki }) });
  client.context.connect('server');
  link.run();
  assertFreed(server, 'client');
  assertFreed(client, 'server');
  assert.equal(server.events.at(-1)!.detail!.message, 'the host did not give a signature in time');
  assert.equal(alertsOnTheWire(link.log, 'server', 'client'), ['internal_error']);
});

test.run();
