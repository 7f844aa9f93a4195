import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { composeProvider } from '../../lib/crypto/provider.js';
import { trustEverything, trustStore, type TrustOptions } from '../../lib/credentials/trust.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { LocalError } from '../../lib/wire/errors.js';
import { DAY, NOW, bits, dnsName, hex, integer, keyPair, mintAuthority, mintServer, oid, pem, sequence, tlv } from '../x509/support/mint.js';
import { derOf, judge, verdictOf, type Setting } from '../x509/support/judge.js';
import { testProvider } from '../x509/support/provider.js';

const root = mintAuthority('Root');
const { rawKey } = CertificateType;
const { spki } = keyPair('device');

const colons = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase().match(/../g)!.join(':');
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The message of the LocalError that these options lead to. */
function refusal(options: Omit<TrustOptions, 'provider'> & Partial<Pick<TrustOptions, 'provider'>>): string {
  try {
    trustStore({ provider: testProvider, ...options });
  } catch (error) {
    assert.instance(error, LocalError, String(error));
    return (error as Error).message;
  }
  return 'taken';
}

test('a raw public key is believed if it is on the list, given as PEM or DER', () => {
  for (const rawKeys of [spki, [new Uint8Array(spki)], pem(spki, 'PUBLIC KEY'), pem(keyPair('other').spki, 'PUBLIC KEY') + pem(spki, 'PUBLIC KEY')]) {
    assert.is(verdictOf([spki], { type: rawKey, rawKeys }), 'trusted');
    assert.is(verdictOf([spki], { type: rawKey, rawKeys, role: 'client' }), 'trusted');
    assert.is(verdictOf([spki], { type: rawKey, rawKeys, serverName: null }), 'trusted');
  }
});

test('PKI-02: a key that is not on the list is bad_certificate, and stays known so that a host may override', () => {
  const verdict = judge([spki], { type: rawKey, rawKeys: keyPair('other').spki });
  assert.equal([verdict.trusted, verdict.alert], [false, 42]);
  assert.is(verdict.reason, 'the raw public key (an EC key on secp256r1) is not among those that are trusted');
  assert.is(verdict.publicKey?.kind, 'ec');
});

test('PKI-02: two keys, a chain of certificates, trailing bytes: bad_certificate, and nothing to override', () => {
  const refused = (...chain: Uint8Array[]): string => {
    const setting: Setting = { type: rawKey, rawKeys: spki };
    assert.is(judge(chain, setting).publicKey, null);
    return verdictOf(chain, setting);
  };
  assert.is(refused(spki, spki), 'bad_certificate: 2 raw public keys, where one belongs');
  assert.is(refused(), 'bad_certificate: 0 raw public keys, where one belongs');
  assert.match(refused(mintServer(root).der), 'bad_certificate: what the peer shows cannot be read');
  assert.match(refused(mintServer(root).der, root.der), 'bad_certificate');
  assert.match(refused(Buffer.concat([spki, hex('00')])), 'bad_certificate: what the peer shows cannot be read: a SubjectPublicKeyInfo has 1 bytes too many');
  assert.match(refused(spki.subarray(0, 50)), 'bad_certificate');
  assert.match(refused(new Uint8Array(0)), 'bad_certificate');
});

test('PKI-02: keys of other kinds, explicit parameters, RSA 512 and points off the curve are unsupported_certificate', () => {
  const refused = (key: Uint8Array): string => {
    assert.is(judge([key], { type: rawKey, rawKeys: spki }).publicKey, null);
    return verdictOf([key], { type: rawKey, rawKeys: spki });
  };
  const ec = (parameters: Uint8Array): Buffer => sequence(sequence(oid('1.2.840.10045.2.1'), parameters), bits(Buffer.concat([hex('04'), Buffer.alloc(64, 1)])));
  assert.match(refused(sequence(sequence(oid('1.2.840.10040.4.1')), bits(integer(5)))), 'unsupported_certificate: what the peer shows cannot be read: a key for DSA');
  assert.match(refused(keyPair('tiny', 'rsa512').spki), 'unsupported_certificate: the raw public key cannot be used: an RSA key of 512 bits that is too weak or invalid');
  assert.match(refused(ec(sequence(integer(1)))), 'unsupported_certificate: what the peer shows cannot be read: an EC key with explicit parameters');
  assert.match(refused(ec(oid('1.2.840.10045.3.1.7'))), 'unsupported_certificate: the raw public key cannot be used');
});

test('a fingerprint of a certificate or of its key is enough: no authority, name or date is asked for', () => {
  const old = mintServer(null, [dnsName('other.test')], { notAfter: NOW - DAY });
  for (const print of [sha256(old.der), sha256(old.key.spki)]) {
    const forms = [new Uint8Array(print), colons(print), colons(print).toLowerCase(), `sha-256 ${colons(print)}`, `SHA-256 ${colons(print)}`, print.toString('hex'), `sha256:${print.toString('hex')}`, `sha256/${print.toString('base64')}`, print.toString('base64')];
    for (const pins of forms) {
      assert.is(verdictOf([old], { pins, serverName: null }), 'trusted', String(pins));
      assert.match(verdictOf([mintServer(null, undefined, { key: keyPair('else') })], { pins, serverName: null }), /^(unknown_ca|bad_certificate): /);
    }
    assert.is(verdictOf([old], { pins: [sha256(hex('00')), print] }), 'trusted');
  }
});

test('a fingerprint of an authority does not make one', () => {
  assert.match(verdictOf([mintServer(root), root], { pins: colons(sha256(root.der)) }), 'bad_certificate: ');
});

test('where fingerprints are all there is, a refusal speaks of them and not of authorities', () => {
  const pins = colons(sha256(root.der));
  const why = 'bad_certificate: the certificate of server.test has none of the fingerprints that are trusted';
  for (const chain of [[mintServer(null)], [mintServer(root), root]]) assert.is(verdictOf(chain, { pins }), why);
  assert.match(verdictOf([mintServer(null)], { pins, authorities: [root] }), 'unknown_ca: ');
  assert.is(judge([mintServer(null)], { pins }).publicKey?.kind, 'ec');
});

test('a pinned key that is too weak to be used is not believed', () => {
  const weak = mintServer(null, undefined, { key: keyPair('weak', 'rsa1024') });
  assert.match(verdictOf([weak], { pins: colons(sha256(weak.der)) }), 'unsupported_certificate');
});

test('fingerprints of raw keys count where raw keys are taken at all', () => {
  const pins = colons(sha256(spki));
  assert.is(verdictOf([spki], { type: rawKey, rawKeys: keyPair('other').spki, pins }), 'trusted');
  assert.equal(trustStore({ provider: testProvider, pins }).types, [CertificateType.x509]);
});

test('a server must be expected by name, unless any will do or it was given itself; a client need not', () => {
  const server = mintServer(root);
  const nameless = 'bad_certificate: no server name is expected, so nothing says that the certificate of server.test is the right one';
  assert.is(verdictOf([server], { authorities: [root], serverName: null }), nameless);
  assert.is(verdictOf([server], { authorities: [root], serverName: null, anyName: true }), 'trusted');
  assert.is(verdictOf([server], { authorities: [root, server], serverName: null }), 'trusted');
  assert.match(verdictOf([server], { authorities: [root], serverName: 'other.test', anyName: true }), 'bad_certificate: certificate for server.test does not name other.test');
  assert.match(verdictOf([server], { authorities: [server], serverName: 'other.test' }), 'does not name other.test');
  assert.is(verdictOf([mintServer(root, [], { name: 'device', extensions: [] })], { authorities: [root], role: 'client' }), 'trusted');
});

test('what can be read has a key, believed or not; what cannot has none', () => {
  const stranger = judge([mintServer(null)], { authorities: [root] });
  assert.equal([stranger.trusted, stranger.publicKey?.kind], [false, 'ec']);
  assert.equal(judge([hex('3000')], { authorities: [root] }).publicKey, null);
  assert.equal(judge([], { authorities: [root] }), { trusted: false, publicKey: null, alert: 42, reason: 'no certificate was shown' });
});

test('a provider that lacks a kind of key says so', () => {
  const provider = composeProvider('lacking', testProvider, { signatures: { rsa: undefined as never } });
  const rsa = mintAuthority('RSA Root', { key: keyPair('RSA Root', 'rsa2048') });
  const verdict = verdictOf([mintServer(rsa)], { authorities: [rsa], provider });
  assert.is(verdict, 'unsupported_certificate: the key of "RSA Root" cannot be used: the provider lacking has nothing for an RSA key of 2048 bits');
});

test('a trust store says what kinds it judges and names its authorities, each once, unless they are too many', () => {
  const twin = mintAuthority('Root', { key: keyPair('twin') });
  const trust = trustStore({ provider: testProvider, authorities: [root.der, twin.der, mintAuthority('Other').der], rawKeys: spki });
  assert.equal(trust.types, [CertificateType.x509, rawKey]);
  assert.equal(trust.authorities.map((name) => [...name]), [[...root.subject], [...mintAuthority('Other').subject]]);
  assert.equal(trustStore({ provider: testProvider, rawKeys: spki }).types, [rawKey]);
  const many = Array.from({ length: 200 }, (_, index) => mintAuthority(`Authority number ${index}`, { key: keyPair('many') }).der);
  assert.equal(trustStore({ provider: testProvider, authorities: many }).authorities, []);
});

test('a leaf that is itself believed is asked for by the name of its issuer too: a client goes by the names above its leaf', () => {
  const leaf = mintServer(root);
  const trust = trustStore({ provider: testProvider, authorities: [leaf.der, root.der] });
  assert.equal(trust.authorities.map((name) => [...name]), [[...leaf.subject], [...root.subject]]);
});

test('authorities come as PEM with several in one text, as bytes of a file, as DER', () => {
  const text = `# Root\n${pem(mintAuthority('Other').der)}\n${pem(root.der)}`;
  for (const authorities of [text, [text], new Uint8Array(Buffer.from(text)), [new Uint8Array(root.der)]]) {
    const trust = trustStore({ provider: testProvider, authorities });
    const shown = { type: CertificateType.x509, chain: [derOf(mintServer(root))], role: 'server', serverName: 'server.test', wallClock: NOW } as const;
    assert.ok(trust.judge(shown).trusted);
  }
});

test('what is given and useless is an error that names the option and the reason', () => {
  assert.is(refusal({}), 'a trust store without authorities, rawKeys and pins believes nobody');
  assert.is(refusal({ authorities: [] }), 'a trust store without authorities, rawKeys and pins believes nobody');
  assert.is(refusal({ authorities: '' }), 'authorities: it is empty');
  assert.is(refusal({ authorities: 'junk' }), 'authorities: it holds no PEM block (no line "-----BEGIN …-----") and is no DER');
  assert.is(refusal({ authorities: [root.der, hex('3000')] }), 'authorities (2 of 2): a DER element is cut off');
  assert.is(refusal({ authorities: pem(root.der) + pem(hex('3000')) }), 'authorities: certificate 2: a DER element is cut off');
  assert.is(refusal({ authorities: pem(spki, 'PUBLIC KEY') }), 'authorities: no certificate in it but "PUBLIC KEY"');
  assert.is(refusal({ authorities: 7 as never }), 'authorities: neither text nor bytes nor a list of them');
  assert.is(refusal({ authorities: [7 as never] }), 'authorities: neither text nor bytes');
  assert.is(refusal({ rawKeys: root.der }), 'rawKeys: DER tag 48 where 3 belongs');
  assert.is(refusal({ rawKeys: keyPair('k1', 'secp256k1').spki }), 'rawKeys: an EC key on secp256k1, which is not supported');
  assert.is(refusal({ pins: 'AB:CD' }), 'pins (1 of 1): the fingerprint is no whole base64');
  assert.is(refusal({ pins: [colons(Buffer.alloc(32)), colons(Buffer.alloc(20))] }), 'pins (2 of 2): a fingerprint of 20 bytes, where SHA-256 has 32');
  assert.is(refusal({ pins: `sha-1 ${colons(Buffer.alloc(20))}` }), 'pins (1 of 1): a fingerprint by SHA-1, where SHA-256 is known');
  assert.is(refusal({ pins: Buffer.alloc(20) }), 'pins (1 of 1): a fingerprint of 20 bytes, where SHA-256 has 32');
  assert.is(refusal({ pins: '' }), 'pins (1 of 1): an empty fingerprint');
  assert.is(refusal({ authorities: root.der, revocation: 'some' as never }), `revocation: neither 'listed' nor 'all'`);
  assert.is(refusal({ authorities: root.der, anyName: 'false' as never }), 'anyName: neither true nor false');
  assert.is(refusal({ authorities: root.der, provider: undefined as never }), 'provider: it is none');
  for (const pins of [5, null, {}]) assert.is(refusal({ pins: pins as never }), 'pins: neither text nor bytes nor a list of them');
  assert.is(refusal({ pins: Buffer.alloc(32), provider: composeProvider('bare') }), 'pins need SHA-256, which the provider bare lacks');
});

test('what is given is copied', () => {
  const der = new Uint8Array(root.der);
  const trust = trustStore({ provider: testProvider, authorities: der });
  der.fill(0);
  const shown = { type: CertificateType.x509, chain: [derOf(mintServer(root))], role: 'server', serverName: 'server.test', wallClock: NOW } as const;
  assert.ok(trust.judge(shown).trusted);
});

test('trustEverything believes all that can be read, and nothing that cannot', () => {
  const trust = trustEverything();
  const shown = { type: CertificateType.x509, chain: [derOf(mintServer(null, [], { notAfter: NOW - DAY }))], role: 'server', serverName: 'x.test', wallClock: NOW } as const;
  assert.ok(trust.judge(shown).trusted);
  assert.ok(trust.judge({ ...shown, type: rawKey, chain: [spki] }).trusted);
  assert.not.ok(trust.judge({ ...shown, chain: [hex('3000')] }).trusted);
  assert.not.ok(trust.judge({ ...shown, chain: [] }).trusted);
  assert.not.ok(trust.judge({ ...shown, chain: [derOf(mintServer(null, [], { key: keyPair('k1', 'secp256k1') }))] }).trusted);
  assert.not.ok(trust.judge({ ...shown, type: rawKey, chain: [tlv(5)] }).trusted);
});

test('hashes of the native provider make the fingerprints here', () => {
  assert.ok(nativeProvider.hashes.sha256 !== undefined);
});

test.run();
