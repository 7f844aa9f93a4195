import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../lib/x509/addresses.js';
import { isHostName } from '../../lib/x509/hostnames.js';
import { parseReference } from '../../lib/x509/names.js';
import { directoryName, dnsName, ipName, mintAuthority, mintServer, nameOf, tlv, uriName } from './support/mint.js';
import { verdictOf } from './support/judge.js';

const root = mintAuthority('Root');

/** Whether a leaf with these names is believed for `serverName`. */
function isFor(names: readonly Uint8Array[], serverName: string, common: string = 'leaf'): boolean {
  return verdictOf([mintServer(root, names, { name: common })], { authorities: [root], serverName }) === 'trusted';
}

/** Whether a leaf with one DNS name is believed for `serverName`. */
const dns = (presented: string, serverName: string): boolean => isFor([dnsName(presented)], serverName);

test('PKI-08: a refusal says which names there are and which was expected', () => {
  const verdict = (names: readonly Uint8Array[], serverName: string, name = 'leaf'): string =>
    verdictOf([mintServer(root, names, { name })], { authorities: [root], serverName });
  assert.is(verdict([dnsName('a.example')], 'b.example'), 'bad_certificate: certificate for a.example does not name b.example');
  const many = ['a', 'b', 'c', 'd', 'e'].map((label) => dnsName(`${label}.example`));
  assert.is(verdict(many, 'x.example'), 'bad_certificate: certificate for a.example, b.example, c.example and 2 more does not name x.example');
  assert.is(verdict([ipName(192, 0, 2, 1), uriName('urn:dev:1')], 'x.example'), 'bad_certificate: certificate for urn:dev:1, 192.0.2.1 does not name x.example');
  assert.is(
    verdict([], 'b.example', 'b.example'),
    'bad_certificate: certificate of b.example has no subjectAltName and does not name b.example: its common name does not count',
  );
});

test('PKI-08: a DNS name matches whole and without regard to case', () => {
  assert.ok(dns('a.example', 'a.example'));
  assert.ok(dns('A.Example', 'a.eXAMPLE'));
  assert.not.ok(dns('a.example', 'b.a.example'));
  assert.not.ok(dns('b.a.example', 'a.example'));
  assert.not.ok(dns('a.example', 'a.example.org'));
  assert.ok(dns('localhost', 'localhost'));
  assert.ok(dns('under_score.example', 'under_score.example'));
});

test('PKI-08: the common name is never looked at, with and without alternative names', () => {
  assert.not.ok(isFor([], 'a.example', 'a.example'));
  assert.not.ok(isFor([dnsName('b.example')], 'a.example', 'a.example'));
  assert.not.ok(isFor([ipName(192, 0, 2, 1)], 'a.example', 'a.example'));
  assert.not.ok(isFor([directoryName(nameOf('a.example'))], 'a.example', 'a.example'));
});

test('PKI-08: a subjectAltName that is empty or holds a name that none can be is refused, whatever the common name', () => {
  const verdict = (names: Uint8Array): string =>
    verdictOf([mintServer(root, [], { name: 'a.example', extensions: [extensionOf(names)] })], { authorities: [root], serverName: 'a.example' });
  const extensionOf = (names: Uint8Array): Uint8Array => tlv(0x30, Buffer.from('0603551d11', 'hex'), tlv(4, names));
  const unreadable = 'bad_certificate: what the peer shows cannot be read:';
  assert.match(verdict(tlv(0x30)), `${unreadable} a subjectAltName without names`);
  for (const broken of ['a.example\0.evil.test', 'a.example ', ' ', 'a.example\n', 'b\u00fccher.example', '']) {
    const outcome = verdict(tlv(0x30, dnsName(broken)));
    assert.match(outcome, broken === '' ? 'bad_certificate: certificate' : `${unreadable} a name with a character that no name has`, JSON.stringify(broken));
  }
  assert.match(verdict(tlv(0x30, ipName(1, 2, 3))), `${unreadable} an IP address of 3 bytes`);
  assert.match(verdict(tlv(0x30, tlv(0xa2, Buffer.from('a.example')))), `${unreadable} DER tag 162 where a GeneralName belongs`);
  assert.match(verdict(tlv(0x30, tlv(0x89, Buffer.from('a.example')))), `${unreadable} DER tag 137`);
});

test('PKI-08: a wildcard is the whole left-most label, stands for one label, and above at least two others', () => {
  assert.ok(dns('*.a.example', 'b.a.example'));
  assert.ok(dns('*.A.EXAMPLE', 'xn--bcher-kva.a.example'));
  assert.not.ok(dns('*.a.example', 'a.example'));
  assert.not.ok(dns('*.a.example', 'c.b.a.example'));
  for (const wrong of ['f*.a.example', '*f.a.example', 'f*f.a.example', '*.*.a.example', 'b.*.example', 'b.a.*', '**.a.example', '*a.example', '*..a.example', '*.a.example.', '*.a..example']) {
    assert.not.ok(dns(wrong, 'b.a.example'), wrong);
    assert.not.ok(dns(wrong, 'foo.a.example'), wrong);
  }
  for (const broad of ['*', '*.', '*.example']) {
    assert.not.ok(dns(broad, 'a.example'), broad);
    assert.not.ok(dns(broad, 'example'), broad);
  }
});

test('PKI-08: a closing dot of the expected name says nothing; in a certificate it makes another name', () => {
  assert.ok(dns('a.example', 'a.example.'));
  assert.not.ok(dns('a.example.', 'a.example'));
  assert.not.ok(dns('a.example.', 'a.example.'));
  assert.not.ok(dns('a.example', 'a.example..'));
});

test('PKI-08: international names are compared as A-labels', () => {
  assert.ok(dns('xn--bcher-kva.example', 'XN--bcher-kva.example'));
  const verdict = verdictOf([mintServer(root)], { authorities: [root], serverName: 'b\u00fccher.example' });
  assert.is(verdict, 'bad_certificate: "b\u00fccher.example" is no name that a certificate can have (international names go as xn--…)');
});

test('PKI-08: addresses match addresses alone, not DNS names that look like one, nor wildcards', () => {
  assert.ok(isFor([ipName(192, 0, 2, 7)], '192.0.2.7'));
  assert.not.ok(isFor([ipName(192, 0, 2, 8)], '192.0.2.7'));
  assert.not.ok(isFor([dnsName('192.0.2.7')], '192.0.2.7'));
  assert.not.ok(isFor([dnsName('*.0.2.7')], '192.0.2.7'));
  assert.not.ok(isFor([dnsName('::1')], '::1'));
  assert.ok(isFor([ipName(...new Array<number>(15).fill(0), 1)], '::1'));
  assert.ok(isFor([ipName(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 5)], '2001:DB8:0:0::5'));
  assert.not.ok(isFor([ipName(192, 0, 2, 7)], '::ffff:192.0.2.7'));
  assert.not.ok(isFor([uriName('192.0.2.7')], '192.0.2.7'));
});

test('PKI-08: URIs of devices match character by character', () => {
  assert.ok(isFor([uriName('urn:dev:ops:32473-thing-1')], 'urn:dev:ops:32473-thing-1'));
  assert.not.ok(isFor([uriName('urn:dev:ops:32473-thing-1')], 'urn:dev:ops:32473-Thing-1'));
  assert.not.ok(isFor([uriName('urn:dev:ops:32473-thing-1')], 'urn:dev:ops:32473-thing-10'));
  assert.ok(isFor([uriName('coaps://thing.example/')], 'coaps://thing.example/'));
  assert.not.ok(isFor([uriName('coaps://thing.example/')], 'thing.example'));
  assert.not.ok(isFor([dnsName('thing.example')], 'coaps://thing.example/'));
});

test('PKI-08: what can be no name matches nothing, and says so', () => {
  for (const wrong of ['', '.', 'a..b', '-a.example', 'a-.example', '10.0.0.256', '1.2.3', 'a b', `${'a'.repeat(64)}.example`, `${'a.'.repeat(130)}example`, 'fe80::1%eth0', '*.a.example', 'a\0b']) {
    const reference = parseReference(wrong);
    assert.ok(reference === null || reference.kind === 'uri', wrong);
    assert.match(verdictOf([mintServer(root, [dnsName('*.a.example')])], { authorities: [root], serverName: wrong }), 'bad_certificate: ');
  }
});

test('a host name has labels of up to 63 characters, 253 in all, and does not end in a number', () => {
  const label = 'a'.repeat(63);
  const longest = [label, label, label, 'a'.repeat(61)].join('.');
  assert.is(longest.length, 253);
  for (const name of ['a', '1a', 'a.1b', '1.a', 'a-b', 'a--b', '_a', label, longest]) assert.ok(isHostName(name), name);
  const none = ['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a.-b', 'A', '1', 'a.1', '10.0.0.256', 'a b', '\u00e4', 'a\n', `${label}a`, `a${longest}`];
  for (const name of none) assert.not.ok(isHostName(name), name);
});

test('addresses are read from every form of RFC 4291, and from nothing else', () => {
  const read = (text: string): string | null => {
    const bytes = parseAddress(text);
    return bytes === null ? null : Buffer.from(bytes).toString('hex');
  };
  const zeros = (count: number): string => '00'.repeat(count);
  assert.is(read('0.0.0.0'), '00000000');
  assert.is(read('255.255.255.255'), 'ffffffff');
  assert.is(read('::'), zeros(16));
  assert.is(read('1::'), `0001${zeros(14)}`);
  assert.is(read('::1'), `${zeros(15)}01`);
  assert.is(read('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
  assert.is(read('1:2:3:4:5:6:7::'), '00010002000300040005000600070000');
  assert.is(read('::2:3:4:5:6:7:8'), '00000002000300040005000600070008');
  assert.is(read('::ffff:192.0.2.1'), `${zeros(10)}ffffc0000201`);
  assert.is(read('64:ff9b::192.0.2.33'), `0064ff9b${zeros(8)}c0000221`);
  const wrong = [
    '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '1.2.3.4 ', '0x1.2.3.4', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3',
    '1:2:3:4::5:6:7:8', '12345::', 'g::', '::1%1', '[::1]', '1.2.3.4::', '::1.2.3.4:5', '::1.2.3', '1:2:3:4:5:6:7:1.2.3.4', ' ::1', '1:',
  ];
  for (const text of wrong) assert.is(read(text), null, text);
});

test.run();
