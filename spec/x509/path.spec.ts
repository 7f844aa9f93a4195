import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CLIENT_AUTH, DAY, NOW, SERVER_AUTH, authorityKeyId, basicConstraints, bits, dnsName, extendedKeyUsage, extension, hex, keyPair, keyUsage,
  mint, mintAuthority, mintServer, nameOf, sequence, subjectAltName, type Minted,
} from './support/mint.js';
import { judge, verdictOf } from './support/judge.js';
import { count } from './support/provider.js';

const root = mintAuthority('Root');
const middle = mintAuthority('Middle', { issuer: root });
const server = mintServer(middle);
const authorities = [root];

test('a chain of a leaf, an intermediate and an authority is believed', () => {
  assert.is(verdictOf([server, middle], { authorities }), 'trusted');
  assert.equal(judge([server, middle], { authorities }).publicKey?.kind, 'ec');
});

test('PKI-05: a leaf that expired or is not yet valid at the injected clock is certificate_expired, in words', () => {
  const expired = mintServer(root, undefined, { notAfter: NOW - 3 * DAY });
  assert.is(verdictOf([expired], { authorities }), 'certificate_expired: certificate of server.test expired 3 days ago (2026-11-18)');
  const early = mintServer(root, undefined, { notBefore: NOW + 41 * DAY });
  assert.is(verdictOf([early], { authorities }), 'certificate_expired: certificate of server.test is not valid before 2027-01-01 (in 41 days)');
});

test('PKI-05: the first and the last second of a validity period are part of it, and no other', () => {
  const brief = mintServer(root, undefined, { notBefore: NOW, notAfter: NOW + 60_000 });
  const at = (now: number): boolean => judge([brief], { authorities, now }).trusted;
  assert.equal([NOW - 1, NOW, NOW + 60_999, NOW + 61_000].map(at), [false, true, true, false]);
  assert.equal([NaN, Infinity, -Infinity].map(at), [false, false, false]);
});

test('PKI-05: authorities expire too, sent or given, and a valid one of the same name and key takes their place', () => {
  const old = mintAuthority('Middle', { issuer: root, notAfter: NOW - DAY });
  assert.is(verdictOf([server, old], { authorities }), 'certificate_expired: certificate of authority "Middle" expired 1 day ago (2026-11-20)');
  assert.is(verdictOf([server, old, middle], { authorities }), 'trusted');
  const oldRoot = mintAuthority('Root', { notAfter: NOW - DAY });
  assert.match(verdictOf([server, middle], { authorities: [oldRoot] }), 'certificate_expired: certificate of authority "Root" expired 1 day ago');
  assert.is(verdictOf([server, middle], { authorities: [oldRoot, root] }), 'trusted');
});

test('PKI-05: a date is told only where nothing graver is wrong, so that overriding it overrides nothing else', () => {
  const late = { notAfter: NOW - DAY };
  assert.match(verdictOf([mintServer(mintAuthority('Elsewhere'), undefined, late)], { authorities }), 'unknown_ca');
  assert.match(verdictOf([mintServer(root, [dnsName('other.test')], late)], { authorities }), 'bad_certificate: certificate for other.test');
  assert.match(verdictOf([mintServer(root, undefined, late)], { authorities, serverName: null }), 'bad_certificate: no server name');
  assert.match(verdictOf([mintServer(middle, undefined, late), mintAuthority('Middle', { issuer: root, ...late, signedBy: keyPair('x') })], { authorities }), 'bad_certificate: the signature');
});

test('PKI-06: a self-signed leaf that nobody gave is unknown_ca; given, it is believed', () => {
  const alone = mintServer(null);
  assert.is(verdictOf([alone], { authorities }), 'unknown_ca: certificate of server.test is self-signed and not among the authorities');
  assert.is(verdictOf([alone], { authorities: [alone] }), 'trusted');
});

test('PKI-06: a chain to an unknown root is unknown_ca and names who is missing', () => {
  const elsewhere = mintAuthority('Elsewhere');
  const theirs = mintServer(mintAuthority('Their Middle', { issuer: elsewhere }));
  const chain = [theirs, mintAuthority('Their Middle', { issuer: elsewhere })];
  assert.is(verdictOf(chain, { authorities }), 'unknown_ca: certificate of Their Middle was issued by "Elsewhere", which is not among the authorities');
  assert.is(verdictOf([...chain, elsewhere], { authorities }), 'unknown_ca: certificate of Elsewhere is self-signed and not among the authorities');
  assert.is(verdictOf([theirs], { authorities }), 'unknown_ca: certificate of server.test was issued by "Their Middle", which is not among the authorities');
});

test('PKI-06: right names with a wrong signature, or an intermediate with another key, are bad_certificate', () => {
  const forged = mintServer(root, undefined, { signedBy: keyPair('Mallory') });
  assert.is(verdictOf([forged], { authorities }), 'bad_certificate: the signature on the certificate of server.test is not by the key of "Root"');
  const swapped = mintAuthority('Middle', { issuer: root, key: keyPair('Mallory') });
  assert.match(verdictOf([server, swapped], { authorities }), 'bad_certificate: the signature on the certificate of server.test is not by the key of "Middle"');
  const selfMade = mintAuthority('Root', { key: keyPair('Mallory') });
  assert.match(verdictOf([mintServer(selfMade), selfMade], { authorities }), 'bad_certificate: the signature');
  const spoiled = Buffer.from(server.der);
  spoiled[spoiled.length - 1]! ^= 1;
  assert.match(verdictOf([spoiled, middle], { authorities }), 'bad_certificate: the signature');
});

test('PKI-07: what is no authority issues nothing: no basicConstraints, CA:FALSE, no keyCertSign', () => {
  const issuers: [Minted, RegExp][] = [
    [mint({ name: 'Not CA', issuer: root, extensions: [keyUsage(0, 5)] }), /which is no authority \(basicConstraints\)/],
    [mint({ name: 'Not CA', issuer: root, extensions: [basicConstraints(false), keyUsage(0, 5)] }), /which is no authority/],
    [mint({ name: 'Not CA', issuer: root }), /which is no authority/],
    [mint({ name: 'Not CA', issuer: root, extensions: [basicConstraints(true), keyUsage(0)] }), /whose key may not sign certificates \(keyUsage\)/],
  ];
  for (const [issuer, why] of issuers) {
    const verdict = verdictOf([mintServer(issuer), issuer], { authorities });
    assert.match(verdict, /^bad_certificate: certificate of server\.test was issued by "Not CA", /);
    assert.match(verdict, why);
    assert.match(verdictOf([mintServer(issuer)], { authorities: [issuer] }), /^(bad_certificate: .*(no authority|may not sign)|trusted)/);
  }
});

test('PKI-07: a leaf that is given is believed, and issues nothing', () => {
  const pinned = mintServer(root);
  assert.is(verdictOf([pinned], { authorities: [pinned] }), 'trusted');
  const below = mintServer({ ...pinned }, undefined, { name: 'below' });
  assert.match(verdictOf([below], { authorities: [pinned] }), 'bad_certificate: certificate of server.test was issued by "server", which is no authority');
});

test('PKI-07: an authority without extensions, as before version 3, is one if it was given, and only then', () => {
  const old = mint({ name: 'Old Root' });
  assert.is(verdictOf([mintServer(old)], { authorities: [old] }), 'trusted');
  const below = mint({ name: 'Old Middle', issuer: root });
  assert.match(verdictOf([mintServer(below), below], { authorities }), 'which is no authority');
});

test('PKI-07: pathLenConstraint counts the authorities between, not those that rename themselves', () => {
  const narrow = mintAuthority('Narrow', { issuer: root, pathLength: 0 });
  assert.is(verdictOf([mintServer(narrow), narrow], { authorities }), 'trusted');
  const under = mintAuthority('Under', { issuer: narrow });
  const verdict = verdictOf([mintServer(under), under, narrow], { authorities });
  assert.match(verdict, 'bad_certificate: certificate of Under was issued by "Narrow", which allows 0 authorities below itself (pathLenConstraint) and has 1');
  const renewed = mintAuthority('Narrow', { issuer: narrow, key: keyPair('Narrow renewed') });
  assert.is(verdictOf([mintServer(renewed), renewed, narrow], { authorities }), 'trusted');
});

test('PKI-07: the path length of a given authority holds', () => {
  const tight = mintAuthority('Tight', { pathLength: 0 });
  const under = mintAuthority('Under Tight', { issuer: tight });
  assert.is(verdictOf([mintServer(tight)], { authorities: [tight] }), 'trusted');
  assert.match(verdictOf([mintServer(under), under], { authorities: [tight] }), 'which allows 0 authorities below itself');
});

test('PKI-09: a leaf for clients only is no server, and the reverse; anyExtendedKeyUsage and silence allow both', () => {
  const leaf = (...extensions: Buffer[]): Minted => mint({ name: 'leaf', issuer: root, extensions: [subjectAltName(dnsName('server.test')), ...extensions] });
  const both = (one: Minted): string[] => (['server', 'client'] as const).map((role) => verdictOf([one], { authorities, role }));
  const refused = (role: string): string => `unsupported_certificate: certificate of server.test is not for a ${role} (extendedKeyUsage)`;
  assert.equal(both(leaf(extendedKeyUsage(CLIENT_AUTH))), [refused('server'), 'trusted']);
  assert.equal(both(leaf(extendedKeyUsage(SERVER_AUTH))), ['trusted', refused('client')]);
  assert.equal(both(leaf(extendedKeyUsage('1.3.6.1.5.5.7.3.8'))), [refused('server'), refused('client')]);
  assert.equal(both(leaf(extendedKeyUsage('2.5.29.37.0'))), ['trusted', 'trusted']);
  assert.equal(both(leaf()), ['trusted', 'trusted']);
});

test('PKI-09: extendedKeyUsage of an authority limits what it issues', () => {
  const clients = mintAuthority('Clients Only', { issuer: root, extensions: [basicConstraints(true), extendedKeyUsage(CLIENT_AUTH)] });
  assert.match(verdictOf([mintServer(clients), clients], { authorities }), 'unsupported_certificate: certificate of server.test was issued by "Clients Only", whose extendedKeyUsage');
  const device = mint({ name: 'device', issuer: clients, extensions: [extendedKeyUsage(CLIENT_AUTH)] });
  assert.is(verdictOf([device, clients], { authorities, role: 'client' }), 'trusted');
});

test('PKI-09: a leaf whose keyUsage has no digitalSignature is refused', () => {
  for (const usage of [keyUsage(2), keyUsage(4), keyUsage(5), keyUsage(), extension('2.5.29.15', bits(Buffer.from([0, 0x80]), 7))]) {
    const verdict = verdictOf([mint({ name: 'leaf', issuer: root, extensions: [subjectAltName(dnsName('server.test')), usage] })], { authorities });
    assert.is(verdict, 'unsupported_certificate: certificate of server.test is not for signatures (keyUsage has no digitalSignature)');
  }
});

test('PKI-10: an unknown critical extension is refused on a leaf, an intermediate and an authority; others are not', () => {
  const strange = (critical: boolean): Buffer => extension('1.3.6.1.4.1.99999.1', bits(Buffer.from([1])), critical);
  const leaf = (critical: boolean): Minted => mintServer(root, undefined, { extensions: [subjectAltName(dnsName('server.test')), strange(critical)] });
  const above = (critical: boolean): Minted => mintAuthority('Strange', { issuer: root, extensions: [basicConstraints(true), strange(critical)] });
  assert.is(verdictOf([leaf(true)], { authorities }), 'unsupported_certificate: certificate of server.test has the critical extension 1.3.6.1.4.1.99999.1, which is unknown here');
  assert.is(verdictOf([leaf(false)], { authorities }), 'trusted');
  assert.match(verdictOf([mintServer(above(true)), above(true)], { authorities }), 'unsupported_certificate: certificate of server.test was issued by "Strange", whose critical extension 1.3.6.1.4.1.99999.1 is unknown here');
  assert.is(verdictOf([mintServer(above(false)), above(false)], { authorities }), 'trusted');
  assert.match(verdictOf([mintServer(above(true))], { authorities: [above(true)] }), 'unsupported_certificate');
});

test('PKI-10: critical policies pass where no policy is asked for, and what could ask for one is unknown', () => {
  const policies = extension('2.5.29.32', sequence(sequence(hex('0603550400'))), true);
  assert.is(verdictOf([mintServer(root, undefined, { extensions: [subjectAltName(dnsName('server.test')), policies] })], { authorities }), 'trusted');
  const constraints = extension('2.5.29.36', sequence(hex('800100')), true);
  assert.match(verdictOf([mintServer(root, undefined, { extensions: [subjectAltName(dnsName('server.test')), constraints] })], { authorities }), '2.5.29.36, which is unknown');
});

test('PKI-14: certificates signed with SHA-1 or MD5 are refused, and an authority signed so stands as it is given', () => {
  const rsaRoot = mintAuthority('RSA Root', { key: keyPair('RSA Root', 'rsa2048'), algorithm: 'rsaSha1' });
  assert.is(verdictOf([mintServer(rsaRoot)], { authorities: [rsaRoot] }), 'trusted');
  for (const [algorithm, words] of [['rsaSha1', 'RSA with SHA-1'], ['rsaMd5', 'RSA with MD5']] as const) {
    const verdict = verdictOf([mintServer(rsaRoot, undefined, { algorithm })], { authorities: [rsaRoot] });
    assert.is(verdict, `bad_certificate: certificate of server.test is signed with ${words}, which is too weak to be believed`);
    const weak = mintAuthority('Weak Middle', { issuer: rsaRoot, algorithm });
    assert.match(verdictOf([mintServer(weak), weak], { authorities: [rsaRoot] }), `bad_certificate: certificate of Weak Middle is signed with ${words}`);
  }
  assert.match(verdictOf([mintServer(root, undefined, { algorithm: 'ecdsaSha1' })], { authorities }), 'signed with ECDSA with SHA-1, which is too weak');
});

test('PKI-14: RSA under 2048 bits is refused, in a leaf, an intermediate and an authority', () => {
  const weak = mintAuthority('Short', { issuer: root, key: keyPair('Short', 'rsa1024') });
  const verdict = verdictOf([mintServer(root, undefined, { key: keyPair('short', 'rsa1024') })], { authorities });
  assert.is(verdict, 'unsupported_certificate: the key of the certificate of server.test cannot be used: an RSA key of 1024 bits that is too weak or invalid');
  assert.match(verdictOf([mintServer(weak), weak], { authorities }), 'unsupported_certificate: the key of "Short" cannot be used');
  assert.match(verdictOf([mintServer(weak)], { authorities: [weak] }), 'unsupported_certificate: the key of "Short" cannot be used');
  assert.is(judge([mintServer(root, undefined, { key: keyPair('short', 'rsa1024') })], { authorities }).publicKey, null);
});

test('PKI-14: authorities on P-384, P-521, Ed25519 and RSA sign with what is theirs', () => {
  const makes = [['secp384r1', 'ecdsaSha384'], ['secp521r1', 'ecdsaSha512'], ['prime256v1', 'ecdsaSha512'], ['ed25519', 'ed25519'], ['rsa2048', 'rsaSha256']] as const;
  for (const [kind, algorithm] of makes) {
    const top = mintAuthority(`Root ${kind}`, { key: keyPair('top', kind), algorithm });
    assert.is(verdictOf([mintServer(top, undefined, { algorithm })], { authorities: [top] }), 'trusted', kind);
  }
});

test('PKI-16: intermediates in any order, with strangers, duplicates and the root among them, are believed', () => {
  const lower = mintAuthority('Lower', { issuer: middle });
  const leaf = mintServer(lower);
  const stranger = mintAuthority('Stranger');
  assert.is(verdictOf([leaf, middle, lower], { authorities }), 'trusted');
  assert.is(verdictOf([leaf, root, middle, lower], { authorities }), 'trusted');
  assert.is(verdictOf([leaf, stranger, lower, lower, stranger, middle, middle, leaf, root], { authorities }), 'trusted');
  assert.match(verdictOf([leaf, stranger, lower, stranger], { authorities }), 'unknown_ca: certificate of Lower was issued by "Middle"');
  assert.match(verdictOf([lower, leaf, middle], { authorities }), 'unsupported_certificate: certificate of Lower is not for signatures');
});

test('PKI-16: a cross-signed authority is believed through whichever of its issuers is', () => {
  const [one, other] = [mintAuthority('One'), mintAuthority('Other')];
  const key = keyPair('Shared');
  const byOne = mintAuthority('Shared', { issuer: one, key });
  const byOther = mintAuthority('Shared', { issuer: other, key });
  const leaf = mintServer(byOne);
  for (const given of [[one], [other], [byOne], [byOther]]) {
    for (const sent of [[byOne, byOther], [byOther, byOne]]) assert.is(verdictOf([leaf, ...sent], { authorities: given }), 'trusted');
  }
  assert.match(verdictOf([leaf, byOne, byOther], { authorities }), 'unknown_ca');
});

test('PKI-16: among authorities of one name the key decides; key identifiers only say which to try first', () => {
  const [young, old] = [mintAuthority('Twin', { key: keyPair('young') }), mintAuthority('Twin', { key: keyPair('old') })];
  const extensions = [subjectAltName(dnsName('server.test')), authorityKeyId(keyPair('young'))];
  const leaf = mintServer(young, undefined, { extensions });
  assert.is(verdictOf([leaf], { authorities: [old, young] }), 'trusted');
  const before = count.verified;
  assert.is(verdictOf([leaf], { authorities: [old, young] }), 'trusted');
  assert.is(count.verified - before, 1);
  const misled = mintServer(young, undefined, { extensions: [subjectAltName(dnsName('server.test')), authorityKeyId(keyPair('old'))] });
  assert.is(verdictOf([misled], { authorities: [old, young] }), 'trusted');
});

test('a given intermediate is believed without its root, and is not gone beyond', () => {
  assert.is(verdictOf([server], { authorities: [middle] }), 'trusted');
  assert.is(verdictOf([server, middle], { authorities: [middle] }), 'trusted');
});

test('an authority without a name issues nothing', () => {
  const nameless = mintAuthority('nameless', { subject: nameOf('') });
  assert.match(verdictOf([mintServer(nameless)], { authorities: [nameless] }), 'an authority without a name');
});

test.run();
