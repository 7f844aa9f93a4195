import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PathLimits } from '../../lib/x509/path.js';
import {
  DAY, NOW, basicConstraints, directoryName, dnsName, extension, hex, keyPair, keyUsage, mint, mintAuthority, mintLimited, mintServer,
  nameConstraints, nameOf, octets, oid, sequence, set, subjectAltName, text, tlv, type Minted,
} from './support/mint.js';
import { costOf, verdictOf, type Setting } from './support/judge.js';
import { count } from './support/provider.js';

const root = mintAuthority('Root');
const authorities = [root];
const MAX_MS = 100;

/** The verdict, which must cost less than 100 ms. */
function quickly(chain: readonly (Minted | Uint8Array)[], setting: Setting): string {
  let verdict = '';
  const cost = costOf(() => (verdict = verdictOf(chain, setting)), MAX_MS);
  assert.ok(cost < MAX_MS, `${Math.round(cost)} ms`);
  return verdict;
}

/** A chain of `length` certificates below the root, leaf first. */
function chainOf(length: number): Minted[] {
  const chain: Minted[] = [];
  let issuer = root;
  for (let i = 1; i < length; i++) {
    issuer = mintAuthority(`Level ${i}`, { issuer });
    chain.unshift(issuer);
  }
  return [mintServer(issuer), ...chain];
}

test('PKI-12: a chain as long as is allowed is believed, one longer is not, one of 100 neither', () => {
  assert.is(quickly(chainOf(PathLimits.certificates - 1), { authorities }), 'trusted');
  const long = 'unknown_ca: certificate of server.test has more than 9 certificates above it';
  assert.is(quickly(chainOf(PathLimits.certificates), { authorities }), long);
  assert.is(quickly(chainOf(100), { authorities }), long);
});

test('PKI-12: 1,000 intermediates that lead nowhere cost nothing, and the right one among them is found', () => {
  const middle = mintAuthority('Middle', { issuer: root });
  const strangers = Array.from({ length: 1000 }, (_, index) => mintAuthority(`Stranger ${index}`, { key: keyPair('stranger') }));
  const [right, wrong] = [[mintServer(middle), ...strangers, middle], [mintServer(mintAuthority('Nobody')), ...strangers]];
  const before = count.verified;
  verdictOf(right, { authorities });
  verdictOf(wrong, { authorities });
  assert.is(count.verified - before, 2);
  assert.is(quickly(right, { authorities }), 'trusted');
  assert.is(quickly(wrong, { authorities }), 'unknown_ca: certificate of server.test was issued by "Nobody", which is not among the authorities');
});

test('PKI-12: 1,000 intermediates of one name with 1,000 keys cost no more than the signatures that are allowed', () => {
  const crowd = Array.from({ length: 1000 }, () => mintAuthority('Crowd', { key: keyPair(`crowd ${Math.floor(count.verified++ / 10)}`), issuer: root }));
  const leaf = mintServer({ ...crowd[0]!, key: keyPair('somebody else') });
  const before = count.verified;
  const verdict = verdictOf([leaf, ...crowd], { authorities });
  assert.match(verdict, 'bad_certificate: the signature on the certificate of server.test is not by the key of "Crowd"');
  assert.ok(count.verified - before <= 2 * PathLimits.signatures);
  quickly([leaf, ...crowd], { authorities });
});

test('PKI-12: authorities that sign each other in every direction end, and lead to the root if one of them does', () => {
  const names = ['A', 'B', 'C', 'D', 'E', 'F'];
  const mesh = names.flatMap((name) => names.filter((other) => other !== name).map((other) =>
    mintAuthority(name, { key: keyPair(`mesh ${name}`), issuer: mintAuthority(other, { key: keyPair(`mesh ${other}`) }) })));
  const leaf = mintServer(mesh[0]!);
  assert.match(quickly([leaf, ...mesh], { authorities }), /^unknown_ca: /);
  const way = mintAuthority('F', { key: keyPair('mesh F'), issuer: root });
  assert.is(quickly([leaf, ...mesh.slice(0, 8), way, ...mesh.slice(8)], { authorities }), 'trusted');
});

test('PKI-12: authorities that cross-sign each other in a ring lead to the one of them that is given', () => {
  const names = ['Ring A', 'Ring B', 'Ring C'];
  const [a, , c] = names.map((name) => mintAuthority(name)) as [Minted, Minted, Minted];
  const ring = names.flatMap((name) => names.filter((by) => by !== name).map((by) => mintAuthority(name, { issuer: mintAuthority(by) })));
  const lower = mintAuthority('Ring A1', { issuer: a });
  const before = count.verified;
  assert.is(verdictOf([mintServer(lower), ...ring, lower], { authorities: [a] }), 'trusted');
  assert.is(count.verified - before, 2);
  assert.is(verdictOf([mintServer(lower), ...ring, lower], { authorities: [c] }), 'trusted');
  const idle = count.verified;
  assert.match(verdictOf([mintServer(lower), ...ring, lower], { authorities }), 'unknown_ca');
  assert.is(count.verified, idle);
});

test('PKI-12: loops of one, two and three end', () => {
  const [a, b, c] = ['Loop A', 'Loop B', 'Loop C'].map((name) => mintAuthority(name)) as [Minted, Minted, Minted];
  const ab = mintAuthority('Loop A', { issuer: b });
  const bc = mintAuthority('Loop B', { issuer: c });
  const ca = mintAuthority('Loop C', { issuer: a });
  const ba = mintAuthority('Loop B', { issuer: a });
  for (const loop of [[a], [ab, ba], [ab, bc, ca], [a, b, c, ab, ba, bc, ca]]) {
    assert.match(quickly([mintServer(a), ...loop], { authorities }), /^unknown_ca: /);
  }
});

test('PKI-12: as many alternative names as fit 64 KiB are read and matched; 10,000 long ones are too large', () => {
  const short = Array.from({ length: 6000 }, (_, index) => dnsName(`h${index}.x`));
  assert.is(quickly([mintServer(root, [...short, dnsName('server.test')])], { authorities }), 'trusted');
  const long = Array.from({ length: 10_000 }, (_, index) => dnsName(`host-${index}.example.com`));
  assert.match(quickly([mintServer(root, long)], { authorities }), /cannot be read: a certificate of \d{6} bytes$/);
});

test('PKI-12: names against constraints are compared up to a bound, then refused', () => {
  const limited = mintLimited('Limited', root, nameConstraints(Array.from({ length: 1000 }, (_, index) => dnsName(`n${index}.test`))));
  const names = Array.from({ length: 3000 }, (_, index) => dnsName(`h${index}.n999.test`));
  const few = [...names.slice(0, 100), dnsName('server.n1.test')];
  assert.is(quickly([mintServer(limited, few), limited], { authorities, serverName: 'server.n1.test' }), 'trusted');
  assert.match(quickly([mintServer(limited, names), limited], { authorities }), 'has more names than can be compared with constraints');
});

test('PKI-12: many ways that all fail are put into words once, however long the names in them', () => {
  const layers = [1, 2, 3, 4].flatMap((layer) => {
    const above = layer < 4 ? { issuerName: nameOf(`Way ${layer + 1}`), signedBy: keyPair(`way ${layer + 1}`) } : { issuerName: nameOf('Root'), signedBy: keyPair('nobody') };
    return [1, 2].map(() => mint({ name: `Way ${layer}`, key: keyPair(`way ${layer}`), extensions: [basicConstraints(true)], ...above }));
  });
  // Out of date, so that they are tried when all the signatures that are allowed have been looked at.
  const expired = { key: keyPair('expired'), issuerName: nameOf('Root'), notAfter: NOW - DAY, extensions: [basicConstraints(true)] };
  const crowd = Array.from({ length: 23 }, () => mint({ ...expired, name: 'Root' }));
  const subject = sequence(...new Array<Buffer>(3000).fill(set(sequence(oid('0.1'), text('')))));
  const leaf = mint({ subject, key: keyPair('leaf'), issuerName: nameOf('Way 1'), signedBy: keyPair('way 1') });
  const verdict = quickly([leaf, ...layers, ...crowd], { authorities });
  assert.is(verdict, 'bad_certificate: the signature on the certificate of Way 4 is not by the key of "Root"');
});

test('PKI-12: a subject of thousands of parts against thousands of constraints on directory names', () => {
  const part = (value: string): Buffer => set(sequence(oid('0.1'), text(value)));
  const bases = Array.from({ length: 2000 }, (_, index) => directoryName(sequence(part(`${index}`))));
  const limited = mintLimited('Limited', root, nameConstraints(bases));
  const server = (first: string): Minted => {
    const subject = sequence(part(first), ...new Array<Buffer>(4000).fill(part('')));
    return mintServer(limited, undefined, { subject });
  };
  assert.is(quickly([server('1999'), limited], { authorities }), 'trusted');
  assert.match(quickly([server('2000'), limited], { authorities }), 'has a directory name, which authority "Limited" may not give (nameConstraints)');
});

test('PKI-12: a certificate of 1 MiB, 500 extensions, an identifier of 1 MB, nesting of 1,000: all quick', () => {
  const strange = (index: number, critical = false): Buffer => extension(`1.3.6.1.4.1.99999.${index}`, octets(Buffer.alloc(20)), critical);
  const extensions = [subjectAltName(dnsName('server.test')), ...Array.from({ length: 499 }, (_, index) => strange(index))];
  assert.is(quickly([mintServer(root, undefined, { extensions })], { authorities }), 'trusted');
  const huge = mintServer(root, undefined, { extensions: [extension('1.2.3.4', octets(Buffer.alloc(1_048_576)))] });
  assert.match(quickly([huge], { authorities }), /cannot be read: a certificate of 1048\d\d\d bytes$/);
  const arc = (length: number): Buffer => tlv(0x06, Buffer.concat([hex('2a'), Buffer.alloc(length, 0x81), hex('01')]));
  const long = (length: number): Minted => mintServer(root, undefined, { extensions: [sequence(arc(length), octets())] });
  assert.match(quickly([long(1_000_000)], { authorities }), 'cannot be read: a certificate of');
  assert.match(quickly([long(60_000)], { authorities }), 'cannot be read: an object identifier of 60002 bytes');
  let nested = sequence();
  for (let i = 0; i < 1000; i++) nested = sequence(nested);
  const deep = (subject: Uint8Array): string => quickly([mintServer(root, undefined, { subject })], { authorities });
  assert.match(deep(sequence(set(sequence(oid('2.5.4.3'), nested)))), 'cannot be read: a certificate is nested more than 32 deep');
  const inside = mint({ name: 'inside', issuer: root, extensions: [subjectAltName(dnsName('server.test')), extension('2.5.29.32', nested)] });
  assert.match(quickly([inside], { authorities }), 'cannot be read: certificatePolicies is nested more than 32 deep');
});

test('PKI-12: a name of thousands of parts, and keys of absurd size, cost nothing', () => {
  const part = set(sequence(oid('2.5.4.11'), text('x')));
  const subject = sequence(...new Array<Buffer>(5000).fill(part));
  assert.is(quickly([mintServer(root, undefined, { subject })], { authorities }), 'trusted');
  const rsa = (modulus: number, exponent: number): Buffer => sequence(
    sequence(oid('1.2.840.113549.1.1.1'), tlv(5)),
    tlv(0x03, hex('00'), sequence(tlv(0x02, Buffer.alloc(modulus, 0x7f)), tlv(0x02, Buffer.alloc(exponent, 0x7f)))),
  );
  const big = (spki: Uint8Array): string => quickly([mint({ name: 'big', issuer: root, spki, extensions: [basicConstraints(true), keyUsage(0)] })], { authorities });
  assert.match(big(rsa(8000, 3)), 'an RSA key of more than 8192 bits');
  assert.match(big(rsa(512, 512)), 'an RSA exponent of 512 bytes');
});

test.run();
