import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PeerError } from '../../lib/wire/errors.js';
import { describeCertificate, parseCertificate } from '../../lib/x509/certificate.js';
import { dayOf } from '../../lib/x509/dates.js';
import {
  ALGORITHMS, NOW, SERVER_AUTH, authorityKeyId, basicConstraints, bits, boolean, dnsName, extendedKeyUsage, extension, hex, integer, ipName,
  keyPair, keyUsage, mint, mintAuthority, mintServer, nameOf, octets, oid, sequence, set, subjectAltName, subjectKeyId, text, time, tlv, uriName,
  type Design,
} from './support/mint.js';
import { judge, verdictOf } from './support/judge.js';

const root = mintAuthority('Root');

/** What is said of a server's leaf that differs from an honest one in this. */
function verdict(design: Design): string {
  return verdictOf([mintServer(root, undefined, design)], { authorities: [root] });
}

const unreadable = (why: string): string => `bad_certificate: what the peer shows cannot be read: ${why}`;
const extended = (...extensions: Uint8Array[]): Design => ({ extensions: [subjectAltName(dnsName('server.test')), ...extensions] });

test('a certificate is read as Node reads it', () => {
  const key = keyPair('read', 'rsa2048');
  const minted = mintServer(root, [dnsName('a.test'), ipName(192, 0, 2, 1), uriName('urn:x')], {
    key, notBefore: Date.UTC(1999, 1, 28), notAfter: Date.UTC(2051, 11, 31), serial: hex('020900ffffffffffffff01'),
  });
  const ours = parseCertificate(new Uint8Array(minted.der));
  const theirs = new X509Certificate(minted.der);
  assert.is(Buffer.from(ours.serial).toString('hex').toUpperCase(), theirs.serialNumber);
  assert.is(ours.notBefore, Date.parse(theirs.validFrom));
  assert.is(ours.notAfter, Date.parse(theirs.validTo));
  assert.is(Buffer.from(ours.spki).toString('hex'), theirs.publicKey.export({ format: 'der', type: 'spki' }).toString('hex'));
  assert.equal([...ours.subject], [...minted.subject]);
  assert.equal([...ours.issuer], [...root.subject]);
  assert.equal(ours.extensions.subjectAltName?.dns, ['a.test']);
  assert.equal(ours.extensions.subjectAltName?.uri, ['urn:x']);
  assert.equal(ours.extensions.subjectAltName?.ip.map((address) => [...address]), [[192, 0, 2, 1]]);
  assert.equal(ours.extensions.extendedKeyUsage, [SERVER_AUTH]);
  assert.is(ours.extensions.keyUsage, 1);
  assert.is(ours.version, 3);
  assert.is(describeCertificate(ours), 'a.test');
});

test('extensions are read, and what is unknown and critical is listed', () => {
  const issuer = keyPair('Root');
  const minted = mint({
    name: 'all', issuer: root,
    extensions: [basicConstraints(true, 3), keyUsage(0, 5, 6), subjectKeyId(keyPair('all')), authorityKeyId(issuer), extension('1.2.3.4', octets(), true), extension('1.2.3.5', octets())],
  });
  const { extensions } = parseCertificate(minted.der);
  assert.equal(extensions.basicConstraints, { ca: true, pathLength: 3 });
  assert.is(extensions.keyUsage, 0x61);
  assert.equal(extensions.unknownCritical, ['1.2.3.4']);
  assert.is(extensions.subjectKeyId?.length, 20);
  assert.is(extensions.authorityKeyId?.length, 20);
  assert.is(extensions.subjectAltName, null);
});

test('a FALSE that DER would leave out is taken: it says what its absence says', () => {
  const spelled = (id: string, value: Uint8Array): Buffer => sequence(oid(id), boolean(false), octets(value));
  assert.is(verdict(extended(spelled('2.5.29.19', sequence(boolean(false))), spelled('1.2.3.4', octets()))), 'trusted');
});

test('dates are days of the calendar', () => {
  for (const at of [0, NOW, Date.UTC(2000, 1, 29), Date.UTC(1900, 1, 28, 23, 59, 59), Date.UTC(9999, 11, 31), Date.UTC(2100, 2, 1), -86_400_000]) {
    assert.is(dayOf(at), new Date(at).toISOString().slice(0, 10));
  }
  for (let at = Date.UTC(1996, 0, 1); at < Date.UTC(2004, 0, 1); at += 86_400_000) assert.is(dayOf(at), new Date(at).toISOString().slice(0, 10));
});

test('words from a certificate are harmless in a sentence', () => {
  const subject = sequence(set(sequence(oid('2.5.4.3'), text(`evil\u0000\n\u001b[31m\u202e${'x'.repeat(100)}`))));
  const said = describeCertificate(parseCertificate(mint({ subject }).der));
  assert.match(said, /^evil\?+\[31m\?+x+…$/);
  assert.is(describeCertificate(parseCertificate(mint({ name: 'K\u00fcche' }).der)), 'K\u00fcche');
  const wide = sequence(set(sequence(oid('2.5.4.3'), tlv(0x1e, Buffer.from('0041004200e9', 'hex')))));
  assert.is(describeCertificate(parseCertificate(mint({ subject: wide }).der)), 'AB\u00e9');
  assert.is(describeCertificate(parseCertificate(mint({ subject: nameOf(''), serial: hex('02020abc') }).der)), 'serial number 0abc');
});

test('PKI-13: two different signature algorithms, inside and outside, are refused', () => {
  const [sha384] = ALGORITHMS.ecdsaSha384;
  assert.is(verdict({ outer: sha384 }), unreadable('a certificate with two different signature algorithms'));
  assert.is(verdict({ inner: sha384 }), unreadable('a certificate with two different signature algorithms'));
  const withNull = sequence(oid('1.2.840.10045.4.3.2'), tlv(5));
  assert.match(verdict({ inner: withNull, outer: withNull }), unreadable('the AlgorithmIdentifier of ECDSA with SHA-256'));
});

test('PKI-13: a negative or overlong serial number is refused, zero is not', () => {
  assert.is(verdict({ serial: hex('0201ff') }), unreadable('a negative number, where none can be'));
  assert.is(verdict({ serial: hex('0202007f') }), unreadable('an INTEGER longer than need be'));
  assert.is(verdict({ serial: hex(`0215 01${'00'.repeat(20)}`) }), unreadable('a serial number of 21 bytes'));
  assert.is(verdict({ serial: hex(`0215 00${'ff'.repeat(20)}`) }), 'trusted');
  assert.is(verdict({ serial: hex('020100') }), 'trusted');
});

test('PKI-13: trailing bytes in TBSCertificate, after it, and after the whole are refused', () => {
  assert.match(verdict({ trailing: tlv(5) }), unreadable('TBSCertificate has 2 bytes too many'));
  assert.match(verdict({ trailing: hex('00') }), 'cannot be read');
  const { der } = mintServer(root);
  assert.match(verdictOf([Buffer.concat([der, hex('00')])], { authorities: [root] }), unreadable('a certificate has bytes too many'));
});

test('PKI-13: indefinite and overlong lengths are refused', () => {
  const { der } = mintServer(root);
  const content = der.subarray(4);
  assert.match(verdictOf([Buffer.concat([hex('3080'), content, hex('0000')])], { authorities: [root] }), unreadable('a DER element of indefinite length'));
  const length = Buffer.alloc(3);
  length.writeUIntBE(content.length, 0, 3);
  assert.match(verdictOf([Buffer.concat([hex('3083'), length, content])], { authorities: [root] }), unreadable('a DER length longer than need be'));
});

test('PKI-13: a BOOLEAN that is 01 is refused', () => {
  const wrong = sequence(oid('1.2.3.4'), hex('010101'), octets());
  assert.is(verdict(extended(wrong)), unreadable('a BOOLEAN that is neither 00 nor ff'));
  assert.is(verdict(extended(extension('2.5.29.19', sequence(hex('010101'))))), unreadable('a BOOLEAN that is neither 00 nor ff'));
});

test('PKI-13: times that are not to the second and in UTC, or do not exist, are refused', () => {
  const until = (value: Uint8Array): string => verdict({ validity: sequence(time(NOW - 1000), value) });
  assert.is(until(time(NOW + 1000)), 'trusted');
  assert.is(until(text('20271121000000Z', 0x18)), 'trusted');
  assert.is(until(text('99991231235959Z', 0x18)), 'trusted');
  for (const [wrong, tag] of [['2711210000Z', 0x17], ['271121000000+0100', 0x17], ['20271121000000.0Z', 0x18], ['271321000000Z', 0x17], ['270229000000Z', 0x17], ['27112100000aZ', 0x17], ['271121000000Z', 0x18], ['271121000000Z', 0x0c]] as const) {
    assert.match(until(text(wrong, tag)), /cannot be read: (a time|DER tag)/, wrong);
  }
});

test('PKI-13: versions, extensions and names that RFC 5280 does not have are refused', () => {
  assert.match(verdict({ version: tlv(0xa0, integer(0)) }), unreadable('a certificate of version 1'));
  assert.match(verdict({ version: tlv(0xa0, integer(3)) }), unreadable('a certificate of version 4'));
  assert.match(verdict({ version: tlv(0xa0, integer(1)) }), unreadable('TBSCertificate has'));
  assert.match(verdict({ version: Buffer.alloc(0) }), 'cannot be read');
  const same = extension('1.2.3.4', octets());
  assert.is(verdict(extended(same, same)), unreadable('a certificate has extension 1.2.3.4 twice'));
  assert.is(verdict(extended(keyUsage(0), keyUsage(0))), unreadable('a certificate has extension 2.5.29.15 twice'));
  assert.is(verdict(extended(sequence(oid('1.2.3.4'), octets(), tlv(5)))), unreadable('extension 1.2.3.4 has 2 bytes too many'));
  assert.is(verdict(extended(extension('2.5.29.19', sequence(integer(1))))), unreadable('basicConstraints with a path length for what is no authority'));
  assert.match(verdict(extended(extension('2.5.29.19', sequence(boolean(true), hex('0201ff'))))), 'cannot be read');
  assert.match(verdict(extended(extension('2.5.29.15', bits(hex('ff'), 1)))), unreadable('a BIT STRING whose unused bits are set'));
  assert.match(verdict(extended(extendedKeyUsage())), unreadable('an extendedKeyUsage without purposes'));
  assert.match(verdict(extended(extension('2.5.29.14', integer(1)))), 'cannot be read');
  assert.match(verdict({ subject: sequence(set()) }), unreadable('a name with an empty part'));
  assert.match(verdict({ subject: sequence(sequence()) }), 'cannot be read');
  assert.match(verdict({ subject: sequence(set(sequence(oid('2.5.4.3')))) }), unreadable('a name with an attribute that has no value'));
  assert.match(verdict({ issuerName: text('Root') }), 'cannot be read');
});

test('PKI-14: a key with explicit parameters, on an unknown curve, compressed, or of another kind is unsupported', () => {
  const ec = (...parameters: Uint8Array[]): Buffer => sequence(sequence(oid('1.2.840.10045.2.1'), ...parameters), bits(Buffer.concat([hex('04'), Buffer.alloc(64, 1)])));
  const p256 = oid('1.2.840.10045.3.1.7');
  const explicit = sequence(integer(1), sequence(oid('1.2.840.10045.1.1'), integer(23)));
  const refusal = (why: string): string => `unsupported_certificate: the key of the certificate of server.test cannot be used: ${why}`;
  assert.is(verdict({ spki: ec(explicit) }), refusal('an EC key with explicit parameters: only named curves are supported'));
  assert.is(verdict({ spki: ec(tlv(5)) }), refusal('an EC key whose curve is implied: only named curves are supported'));
  assert.is(verdict({ spki: ec(oid('1.3.132.0.10')) }), refusal('an EC key on secp256k1, which is not supported'));
  assert.is(verdict({ spki: ec(oid('1.2.3.4')) }), refusal('an EC key on curve 1.2.3.4, which is not supported'));
  assert.is(verdict({ spki: sequence(sequence(oid('1.2.840.10045.2.1'), p256), bits(Buffer.concat([hex('02'), Buffer.alloc(32, 1)]))) }), refusal('an EC key with a compressed point'));
  assert.is(verdict({ spki: ec(p256) }), refusal('an EC key on secp256r1 that is too weak or invalid'));
  assert.is(verdict({ spki: sequence(sequence(oid('1.3.101.113')), bits(Buffer.alloc(57))) }), refusal('a key for Ed448, which is not supported'));
  assert.is(verdict({ spki: keyPair('k1', 'secp256k1').spki, key: keyPair('k1', 'secp256k1') }), refusal('an EC key on secp256k1, which is not supported'));
  for (const broken of [ec(), ec(p256, tlv(5)), sequence(sequence(oid('1.2.840.10045.2.1'), p256), bits(hex('00'))), sequence(sequence(oid('1.2.840.10045.2.1'), p256), bits(hex('0401')))]) {
    assert.match(verdict({ spki: broken }), 'bad_certificate: what the peer shows cannot be read');
    assert.is(judge([mintServer(root, undefined, { spki: broken })], { authorities: [root] }).publicKey, null);
  }
});

test('PKI-14: RSASSA-PSS-params other than those of RFC 4055 are refused', () => {
  const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'), tlv(5));
  const pss = (...more: Uint8Array[]): Uint8Array => {
    const mask = sequence(oid('1.2.840.113549.1.1.8'), sha256);
    return sequence(oid('1.2.840.113549.1.1.10'), sequence(tlv(0xa0, sha256), tlv(0xa1, mask), tlv(0xa2, integer(32)), ...more));
  };
  const signed = (algorithm: Uint8Array): string => verdict({ inner: algorithm, outer: algorithm });
  const right = 'bad_certificate: the signature on the certificate of server.test is not by the key of "Root"';
  assert.is(signed(pss()), right);
  assert.is(signed(pss(tlv(0xa3, integer(1)))), right);
  assert.is(signed(pss(tlv(0xa3, integer(0)))), unreadable('RSASSA-PSS-params with trailer field 0'));
  assert.is(signed(pss(tlv(0xa3, integer(2)))), unreadable('RSASSA-PSS-params with trailer field 2'));
  assert.is(signed(pss(tlv(5))), unreadable('RSASSA-PSS-params has 2 bytes too many'));
});

test('a certificate with an unsupported key can stand unused in a chain, one that is unreadable cannot', () => {
  const strange = mintAuthority('Strange', { key: keyPair('k1', 'secp256k1') });
  assert.is(verdictOf([mintServer(root), strange], { authorities: [root] }), 'trusted');
  const broken = mintAuthority('Broken', { serial: hex('0201ff') });
  assert.match(verdictOf([mintServer(root), broken], { authorities: [root] }), 'bad_certificate: what the peer shows cannot be read');
});

test('what is malformed throws one kind of error', () => {
  for (const bytes of [new Uint8Array(0), hex('30'), hex('3000'), hex('3003020101'), new Uint8Array(70_000)]) {
    try {
      parseCertificate(bytes);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, PeerError);
    }
  }
});

test.run();
