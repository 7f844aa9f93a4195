import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  basicConstraints, dnsName, directoryName, hex, ipName, keyPair, mint, mintAuthority, mintLimited, mintServer, nameConstraints, nameOf, oid, sequence, set,
  subjectAltName, text, tlv, uriName, extension, keyUsage,
} from './support/mint.js';
import { verdictOf } from './support/judge.js';

const root = mintAuthority('Root');

/** What is said of a server whose names are `names` under an authority with these constraints. */
function under(constraints: Uint8Array, names: readonly Uint8Array[], subject: Uint8Array = nameOf('')): string {
  const limited = mintLimited('Limited', root, constraints);
  return verdictOf([mintServer(limited, [...names, ipName(192, 0, 2, 250)], { subject }), limited], { authorities: [root], serverName: '192.0.2.250' });
}

const permits = (...bases: string[]): Uint8Array => nameConstraints(bases.map(dnsName));
const excludes = (...bases: string[]): Uint8Array => nameConstraints([], bases.map(dnsName));
const isFine = (constraints: Uint8Array, name: string): boolean => under(constraints, [dnsName(name)]) === 'trusted';

test('PKI-11: a DNS name must be within a permitted subtree: the base itself or below, by whole labels, whatever the case', () => {
  for (const name of ['example.com', 'a.example.com', 'b.a.Example.COM', 'EXAMPLE.com']) assert.ok(isFine(permits('Example.com'), name), name);
  for (const name of ['badexample.com', 'example.com.evil.test', 'example.org', 'com']) assert.not.ok(isFine(permits('example.com'), name), name);
  assert.ok(isFine(permits('other.test', 'example.com'), 'a.example.com'));
  assert.ok(isFine(permits(''), 'anything.test'));
  assert.is(
    under(permits('example.com'), [dnsName('a.example.com'), dnsName('evil.test')]),
    'bad_certificate: certificate of a.example.com has the DNS name evil.test, which authority "Limited" may not give (nameConstraints)',
  );
});

test('PKI-11: a DNS name within an excluded subtree is refused, whatever the case', () => {
  for (const name of ['example.com', 'a.example.com', 'A.EXAMPLE.COM']) assert.not.ok(isFine(excludes('eXample.com'), name), name);
  for (const name of ['badexample.com', 'example.org']) assert.ok(isFine(excludes('example.com'), name), name);
  assert.not.ok(isFine(excludes(''), 'anything.test'));
  assert.not.ok(isFine(nameConstraints([dnsName('example.com')], [dnsName('a.example.com')]), 'b.a.example.com'));
});

test('PKI-11: a leading dot is read against the certificate', () => {
  assert.ok(isFine(permits('.example.com'), 'a.example.com'));
  assert.not.ok(isFine(permits('.example.com'), 'example.com'));
  assert.not.ok(isFine(permits('.example.com'), 'badexample.com'));
  assert.not.ok(isFine(excludes('.example.com'), 'a.example.com'));
  assert.not.ok(isFine(excludes('.example.com'), 'example.com'));
});

test('PKI-11: a wildcard must be permitted for all it stands for, and is excluded for any of it', () => {
  assert.ok(isFine(permits('example.com'), '*.example.com'));
  assert.ok(isFine(permits('.example.com'), '*.example.com'));
  assert.not.ok(isFine(permits('a.example.com'), '*.example.com'));
  assert.not.ok(isFine(excludes('a.example.com'), '*.example.com'));
  assert.not.ok(isFine(excludes('example.com'), '*.example.com'));
  assert.ok(isFine(excludes('b.a.example.com'), '*.example.com'));
  assert.ok(isFine(excludes('a.example.org'), '*.example.com'));
});

test('PKI-11: where DNS names are constrained, each must be one', () => {
  for (const wrong of ['.example.com', 'a..example.com', '*.*.example.com', 'f*.example.com', 'example.com.', '192.0.2.1', '*']) {
    assert.not.ok(isFine(permits('example.com'), wrong), wrong);
    assert.not.ok(isFine(excludes('example.org'), wrong), wrong);
  }
  assert.ok(isFine(nameConstraints([ipName(192, 0, 2, 0, 255, 255, 255, 0)]), '*.*.example.com'));
});

test('PKI-11: addresses are within a block of their own family or not permitted', () => {
  const v4 = (...block: number[]): Uint8Array => ipName(...block);
  const v6 = hex('20010db8000000000000000000000000 ffffffff000000000000000000000000');
  const fine = (constraints: Uint8Array, ...address: number[]): boolean => under(constraints, [ipName(...address)]) === 'trusted';
  const all = v4(192, 0, 2, 0, 255, 255, 255, 0);
  assert.ok(fine(nameConstraints([all]), 192, 0, 2, 9));
  assert.not.ok(fine(nameConstraints([all]), 192, 0, 3, 9));
  assert.not.ok(fine(nameConstraints([all]), 0x20, 1, 0xd, 0xb8, ...new Array<number>(12).fill(0)));
  assert.ok(fine(nameConstraints([all, tlv(0x87, v6)]), 0x20, 1, 0xd, 0xb8, ...new Array<number>(12).fill(9)));
  assert.not.ok(fine(nameConstraints([], [v4(192, 0, 2, 9, 255, 255, 255, 255)]), 192, 0, 2, 9));
  assert.ok(fine(nameConstraints([], [v4(192, 0, 2, 9, 255, 255, 255, 255)]), 192, 0, 2, 8));
  assert.match(under(nameConstraints([v4(192, 0, 2, 0, 255, 0, 255, 0)]), []), 'cannot be read: an IP constraint whose mask has holes');
  assert.match(under(nameConstraints([v4(192, 0, 2, 0)]), []), 'cannot be read: an IP constraint of 4 bytes');
});

test('PKI-11: common names are no names and are not constrained', () => {
  assert.is(under(permits('example.com'), [dnsName('a.example.com')], nameOf('evil.test')), 'trusted');
});

test('PKI-11: directory names are permitted by their first parts; what is excluded cannot be judged', () => {
  const organization = (value: string): Uint8Array => set(sequence(oid('2.5.4.10'), text(value)));
  const person = (value: string): Uint8Array => set(sequence(oid('2.5.4.3'), text(value)));
  const ours = nameConstraints([directoryName(sequence(organization('Ours')))]);
  assert.is(under(ours, [], sequence(organization('Ours'), person('leaf'))), 'trusted');
  assert.match(under(ours, [], sequence(organization('Theirs'), person('leaf'))), 'has a directory name, which authority "Limited" may not give');
  assert.is(under(ours, []), 'trusted');
  assert.match(under(ours, [directoryName(sequence(organization('Theirs')))]), 'has a directory name');
  const excluded = nameConstraints([], [directoryName(sequence(organization('Theirs')))]);
  assert.match(under(excluded, [], sequence(organization('Ours'))), 'has names of a kind (directory) whose constraints cannot be judged here');
  assert.is(under(excluded, []), 'trusted');
});

test('PKI-11: constraints of kinds that cannot be judged refuse whoever has such a name, and nobody else', () => {
  const uris = nameConstraints([uriName('example.com')]);
  assert.match(under(uris, [uriName('coaps://a.example.com/')]), 'bad_certificate: certificate of coaps://a.example.com/ has names of a kind (URI) whose constraints cannot be judged here');
  assert.is(under(uris, [dnsName('a.test')]), 'trusted');
  const emails = nameConstraints([], [text('example.com', 0x81)]);
  assert.match(under(emails, [text('a@example.com', 0x81)]), '(e-mail)');
  assert.match(under(emails, [], sequence(set(sequence(oid('1.2.840.113549.1.9.1'), text('a@example.com', 0x16))))), '(e-mail)');
  const bounded = extension('2.5.29.30', sequence(tlv(0xa0, sequence(dnsName('example.com'), hex('800101')))), true);
  assert.match(under(bounded, [dnsName('a.example.com')]), '(DNS)');
  assert.is(under(bounded, []), 'trusted');
});

test('PKI-11: every authority of the path constrains, the given one too, and intermediates are constrained', () => {
  const top = mintLimited('Top', null, permits('example.com'));
  const inner = mintLimited('Inner', top, permits('a.example.com'));
  const verdict = (name: string): string => verdictOf([mintServer(inner, [dnsName(name)]), inner], { authorities: [top], serverName: name });
  assert.is(verdict('x.a.example.com'), 'trusted');
  assert.match(verdict('b.example.com'), 'which authority "Inner" may not give');
  const wider = mintLimited('Wider', top, permits('test'));
  assert.match(verdictOf([mintServer(wider, [dnsName('a.test')]), wider], { authorities: [top], serverName: 'a.test' }), 'which authority "Top" may not give');
  const named = mintLimited('Named', top, subjectAltName(dnsName('evil.test')));
  assert.match(verdictOf([mintServer(named, [dnsName('a.example.com')]), named], { authorities: [top], serverName: 'a.example.com' }), 'certificate of evil.test has the DNS name evil.test');
});

test('PKI-11: an authority that renames itself is not constrained by itself, the leaf always is', () => {
  const limited = mintLimited('Limited', root, nameConstraints([directoryName(sequence(set(sequence(oid('2.5.4.10'), text('Ours')))))]));
  const renewed = mintAuthority('Limited', { issuer: limited, extensions: [basicConstraints(true), keyUsage(5)] });
  const leaf = mint({ name: '', subject: sequence(set(sequence(oid('2.5.4.10'), text('Ours')))), issuer: renewed, extensions: [subjectAltName(dnsName('a.test'))] });
  assert.is(verdictOf([leaf, renewed, limited], { authorities: [root], serverName: 'a.test' }), 'trusted');
});

test('PKI-11: a path that constraints forbid leaves the others', () => {
  const [one, other] = [mintAuthority('One'), mintAuthority('Other')];
  const limited = mintLimited('Limited', one, excludes('forbidden.test'));
  const key = keyPair('Twice');
  const forbidden = mintAuthority('Twice', { key, issuer: limited, extensions: [basicConstraints(true), subjectAltName(dnsName('a.forbidden.test'))] });
  const free = mintAuthority('Twice', { key, issuer: other });
  const leaf = mintServer(free, [dnsName('a.test')]);
  const sent = [leaf, forbidden, limited, free];
  assert.is(verdictOf(sent, { authorities: [one, other], serverName: 'a.test' }), 'trusted');
  assert.match(verdictOf(sent, { authorities: [one], serverName: 'a.test' }), 'certificate of a.forbidden.test has the DNS name a.forbidden.test');
});

test('PKI-11: constraints that are empty or malformed make the certificate unreadable', () => {
  const empty = (value: Uint8Array): string => under(extension('2.5.29.30', value, true), []);
  assert.match(empty(sequence()), 'nameConstraints without subtrees');
  assert.match(empty(sequence(tlv(0xa0))), 'nameConstraints with an empty list of subtrees');
  assert.match(empty(sequence(tlv(0xa1), tlv(0xa0))), 'cannot be read');
  assert.match(empty(sequence(tlv(0xa0, sequence(dnsName('a b'))))), 'a name with a character that no name has');
  for (const wrong of ['*.example.com', 'example.com.', 'a..b', '..a', '.', '10.0.0.1']) {
    assert.match(empty(sequence(tlv(0xa1, sequence(dnsName(wrong))))), 'a DNS constraint that is no domain', wrong);
  }
});

test.run();
