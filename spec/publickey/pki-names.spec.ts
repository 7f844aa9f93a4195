/**
 * PKI-08, -09 and -11 in whole handshakes: whose the certificate is, what it is for, and which names its authorities
 * may give. What matches is proved name by name in spec/x509/names.spec.ts and constraints.spec.ts.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExtensionType, HandshakeType } from '../../lib/wire/registry.js';
import { readClientHello } from '../../lib/message/hello.js';
import { readServerName } from '../../lib/message/extensionbodies.js';
import { ScriptedPeer } from '../support/scripted.js';
import {
  CLIENT_AUTH, SERVER_AUTH, directoryName, dnsName, extendedKeyUsage, extension, ipName, keyUsage, mint, mintLimited,
  nameConstraints, nameOf, sequence, subjectAltName, text, tlv, uriName, type Minted,
} from '../x509/support/mint.js';
import { ROOT, SIDES, begin, mintLeaf, outcome, showing, shows, stage, trusting, type Side } from './chains.js';

/** What becomes of a server with these names where `serverName` is expected. */
function named(names: readonly Uint8Array[], serverName: string, common: string = 'leaf'): string {
  const alternative = names.length === 0 ? [] : [subjectAltName(...names)];
  return shows('server', [mint({ name: common, issuer: ROOT, extensions: [...alternative, keyUsage(0)] })], { serverName });
}

const dns = (presented: string, serverName: string): string => named([dnsName(presented)], serverName);
const mismatch = (presented: string, expected: string): string => `bad_certificate: certificate for ${presented} does not name ${expected}`;

test('PKI-08 a server with another name is refused, and the reason says both names', () => {
  assert.is(dns('a.example', 'b.example'), mismatch('a.example', 'b.example'));
  assert.is(named([dnsName('a.example'), dnsName('c.example')], 'b.example'), mismatch('a.example, c.example', 'b.example'));
  assert.is(dns('A.Example', 'a.eXAMPLE'), 'connected');
});

test('PKI-08 a common name does not count, neither beside alternative names nor without them', () => {
  assert.is(named([dnsName('a.example')], 'b.example', 'b.example'), mismatch('a.example', 'b.example'));
  assert.is(named([], 'b.example', 'b.example'), 'bad_certificate: certificate of b.example has no subjectAltName and does not name b.example: its common name does not count');
});

test('PKI-08 alternative names that are empty, too long, or hold a NUL are refused, whatever the common name', () => {
  const shown = (names: Uint8Array): string => shows('server', [mint({ name: 'b.example', issuer: ROOT, extensions: [extension('2.5.29.17', names)] })], { serverName: 'b.example' });
  const unreadable = 'bad_certificate: what the peer shows cannot be read:';
  assert.is(shown(sequence()), `${unreadable} a subjectAltName without names`);
  assert.match(shown(sequence(dnsName('b.example\0.evil.test'))), `${unreadable} a name with a character that no name has`);
  assert.match(shown(sequence(ipName(1, 2, 3))), `${unreadable} an IP address of 3 bytes`);
  const long = `${'a'.repeat(63)}.`.repeat(200);
  assert.match(shown(sequence(dnsName(`${long}example`))), /^bad_certificate: certificate for a{63}\.… does not name b\.example$/);
});

test('PKI-08 a wildcard stands for one whole left-most label above two others, and for nothing else', () => {
  assert.is(dns('*.a.example', 'b.a.example'), 'connected');
  for (const [presented, expected] of [
    ['*.*.example', 'b.a.example'], ['b*.a.example', 'b.a.example'], ['*', 'example'], ['*.example', 'a.example'], ['*.a.example', 'a.example'],
    ['*.a.example', 'c.b.a.example'],
  ] as const) assert.is(dns(presented, expected), mismatch(presented, expected));
});

test('PKI-08 a closing dot says nothing in the expected name and makes another name in a certificate', () => {
  assert.is(dns('a.example', 'a.example.'), 'connected');
  assert.is(dns('a.example.', 'a.example'), mismatch('a.example.', 'a.example'));
});

test('PKI-08 an address is matched by addresses alone', () => {
  assert.is(named([ipName(192, 0, 2, 7)], '192.0.2.7'), 'connected');
  assert.is(dns('192.0.2.7', '192.0.2.7'), mismatch('192.0.2.7', '192.0.2.7'));
  assert.is(named([uriName('192.0.2.7')], '192.0.2.7'), mismatch('192.0.2.7', '192.0.2.7'));
});

test('PKI-08 an international name goes as A-labels; as it is written it is refused in words', () => {
  assert.is(dns('xn--bcher-kva.example', 'XN--bcher-kva.example'), 'connected');
  for (const serverName of ['bücher.example', 'b\0.example', 'a b', '']) {
    assert.match(dns('xn--bcher-kva.example', serverName), 'is no name that a certificate can have (international names go as xn--…)', JSON.stringify(serverName));
  }
});

test('PKI-08 server_name is sent for names that a host can have, without a closing dot, and for nothing else (RFC 6066 §3)', () => {
  const sent = (serverName: string | null): string | null => {
    const at = stage({ role: 'server', shown: showing([mintLeaf('server')]), parameters: { serverName } });
    begin(at, 'server');
    const reader = new ScriptedPeer('server');
    reader.take(at.link.log[0]!.bytes);
    const body = readClientHello(reader.latest(HandshakeType.clientHello).body).extensions.get(ExtensionType.serverName);
    return body === undefined ? null : readServerName(body);
  };
  assert.is(sent('Server.Test'), 'server.test');
  assert.is(sent('server.test.'), 'server.test');
  const none = ['192.0.2.7', '::1', 'coaps://server.test/', 'bücher.example', 'b\0.example', 'a b', '', '.', 'a.'.repeat(130), null];
  for (const name of none) assert.is(sent(name), null, JSON.stringify(name));
});

test('PKI-08 without an expected name, the certificate of no server is believed, unless any name will do', () => {
  const nameless = 'bad_certificate: no server name is expected, so nothing says that the certificate of server.test is the right one';
  const leaf = mintLeaf('server');
  assert.is(shows('server', [leaf], { serverName: null }), nameless);
  assert.is(shows('server', [leaf], { serverName: null, trust: trusting([ROOT], { anyName: true }) }), 'connected');
});

for (const role of SIDES) {
  const other: Side = role === 'server' ? 'client' : 'server';
  const leaf = (...extensions: Uint8Array[]): Minted => mintLeaf(role, ROOT, { extensions: [subjectAltName(dnsName(`${role}.test`)), ...extensions] });

  test(`PKI-09 a certificate for ${other}s alone is not taken from a ${role}`, () => {
    const [right, wrong] = role === 'server' ? [SERVER_AUTH, CLIENT_AUTH] : [CLIENT_AUTH, SERVER_AUTH];
    assert.is(shows(role, [leaf(extendedKeyUsage(wrong))]), `unsupported_certificate: certificate of ${role}.test is not for a ${role} (extendedKeyUsage)`);
    for (const fine of [extendedKeyUsage(right), extendedKeyUsage(wrong, right), extendedKeyUsage('2.5.29.37.0')]) assert.is(shows(role, [leaf(fine)]), 'connected');
    const limited = mintLimited('Others Only', ROOT, extendedKeyUsage(wrong));
    assert.match(shows(role, [mintLeaf(role, limited), limited]), 'issued by "Others Only", whose extendedKeyUsage does not allow this use');
  });

  test(`PKI-09 a ${role} signs: its keyUsage must have digitalSignature`, () => {
    for (const usage of [keyUsage(2), keyUsage(4), keyUsage(5), keyUsage()]) {
      assert.is(shows(role, [leaf(usage)]), `unsupported_certificate: certificate of ${role}.test is not for signatures (keyUsage has no digitalSignature)`);
    }
  });

  test(`PKI-11 a ${role}'s names beyond what its authorities may give are refused: DNS names in any case, wildcards, addresses`, () => {
    const under = (constraints: Uint8Array, names: readonly Uint8Array[], subject: Uint8Array = nameOf('')): string => {
      const limited = mintLimited('Limited', ROOT, constraints);
      const one = mintLeaf(role, limited, { subject, extensions: [subjectAltName(...names, ipName(192, 0, 2, 250)), keyUsage(0)] });
      return shows(role, [one, limited], { serverName: '192.0.2.250' });
    };
    const limits = 'which authority "Limited" may not give (nameConstraints)';
    const permitted = nameConstraints([dnsName('Example.com')]);
    const excluded = nameConstraints([], [dnsName('evil.Example')]);
    assert.is(under(permitted, [dnsName('a.EXAMPLE.com')]), 'connected');
    assert.is(under(permitted, [dnsName('a.example.com'), dnsName('evil.test')]), `bad_certificate: certificate of a.example.com has the DNS name evil.test, ${limits}`);
    assert.match(under(permitted, [dnsName('*.com')]), limits);
    assert.match(under(excluded, [dnsName('A.EVIL.EXAMPLE')]), limits);
    assert.match(under(excluded, [dnsName('*.example')]), limits);
    assert.match(under(excluded, [dnsName('*.evil.example')]), limits);
    const block = nameConstraints([ipName(192, 0, 2, 0, 255, 255, 255, 0)]);
    assert.is(under(block, []), 'connected');
    assert.match(under(block, [ipName(192, 0, 3, 1)]), limits);
    assert.match(under(nameConstraints([uriName('example.com')]), [uriName('coaps://a.example.com/')]), 'has names of a kind (URI) whose constraints cannot be judged here');
    assert.match(under(nameConstraints([directoryName(nameOf('ours'))]), [], nameOf('theirs')), `has a directory name, ${limits}`);
    // A common name is no name: it is neither matched nor constrained.
    assert.is(under(permitted, [dnsName('a.example.com')], nameOf('evil.test')), 'connected');
    assert.match(under(extension('2.5.29.30', sequence(tlv(0xa0)), true), []), 'cannot be read: nameConstraints with an empty list of subtrees');
    assert.match(under(nameConstraints([], [text('example.com', 0x81)]), [text('a@example.com', 0x81)]), '(e-mail)');
  });
}

test('PKI-11 constraints hold for a name that is expected and is in the certificate', () => {
  const limited = mintLimited('Limited', ROOT, nameConstraints([dnsName('ours.test')]));
  assert.match(
    outcome({ role: 'server', shown: showing([mintLeaf('server', limited), limited]) }),
    'bad_certificate: certificate of server.test has the DNS name server.test, which authority "Limited" may not give',
  );
});

test.run();
