/**
 * The same chains before `openssl verify` and before the trust store: the same verdict, or a difference that is named
 * with its reason. A difference that vanishes fails too, so that the list stays true.
 */
import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustStore } from '../../lib/credentials/trust.js';
import { CertificateType, type Verdict } from '../../lib/handshake/authenticate.js';
import { mintAuthority, mintServer, pem } from './support/mint.js';
import { AUTHORITY, SERVER, Workshop, opensslVersion, type Issued, type IssueOptions } from './support/openssl.js';
import { testProvider } from './support/provider.js';

const DAY = 86_400_000;
/** Certificates are issued now, to the second, and judged a minute later. */
const SOON = Math.floor(Date.now() / 1000) * 1000 + 60_000;

interface Case {
  readonly name: string;
  readonly leaf: Issued;
  readonly sent?: readonly Issued[];
  readonly authorities: readonly Issued[];
  readonly believed: boolean;
  /** Why openssl says the opposite. */
  readonly differs?: string;
  readonly serverName?: string;
  readonly role?: 'client' | 'server';
  readonly at?: number;
  readonly lists?: readonly string[];
  /** Every issuer needs a list. */
  readonly all?: boolean;
}

function ours({ leaf, sent = [], authorities, serverName = 'server.test', role = 'server', at = SOON, lists, all }: Case): Verdict {
  const trust = trustStore({
    provider: testProvider, authorities: authorities.map((one) => one.pem), revocationLists: lists, revocation: all === true ? 'all' : 'listed',
  });
  const chain = [leaf, ...sent].map((one) => new Uint8Array(new X509Certificate(one.pem).raw));
  return trust.judge({ type: CertificateType.x509, chain, role, serverName: role === 'server' ? serverName : null, wallClock: at });
}

function theirs(workshop: Workshop, { leaf, sent = [], authorities, serverName = 'server.test', role = 'server', at = SOON, lists, all }: Case): string {
  const isAddress = /^[0-9.]+$|:/.test(serverName) && !serverName.startsWith('urn:');
  const name = role === 'client' ? [] : [isAddress ? '-verify_ip' : '-verify_hostname', serverName];
  const revocation = lists === undefined ? [] : [all === true ? '-crl_check_all' : '-crl_check', '-CRLfile', workshop.file(lists.join(''))];
  return workshop.verify({
    leaf: leaf.pem, sent: sent.map((one) => one.pem), authorities: authorities.map((one) => one.pem),
    // Given intermediates are believed here: -partial_chain asks openssl to do so too.
    arguments: ['-partial_chain', '-purpose', role === 'client' ? 'sslclient' : 'sslserver', '-attime', String(at / 1000), ...name, ...revocation],
  });
}

/** The tables below, made when openssl is there. */
type Bench = {
  readonly workshop: Workshop;
  readonly root: Issued;
  readonly middle: Issued;
  server(issuer: Issued, names?: string, options?: IssueOptions): Issued;
};

function setUp(): Bench {
  const workshop = new Workshop();
  const root = workshop.issue('Root');
  const middle = workshop.issue('Middle', { issuer: root });
  const server = (issuer: Issued, names: string = 'DNS:server.test', options: IssueOptions = {}): Issued =>
    workshop.issue('server', { issuer, extensions: [...SERVER, ...(names === '' ? [] : [`subjectAltName=${names}`])], ...options });
  return { workshop, root, middle, server };
}

function pathCases({ workshop, root, middle, server }: Bench): Case[] {
  const leaf = server(middle);
  const lower = workshop.issue('Lower', { issuer: middle });
  const stranger = workshop.issue('Stranger');
  const alone = workshop.issue('server', { extensions: [...SERVER, 'subjectAltName=DNS:server.test'] });
  const noExtensions = workshop.issue('Plain', { issuer: root, extensions: [] });
  const notCa = workshop.issue('Not CA', { issuer: root, extensions: ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'] });
  const noSign = workshop.issue('No Sign', { issuer: root, extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'] });
  const narrow = workshop.issue('Narrow', { issuer: root, extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', ...AUTHORITY.slice(1)] });
  const under = workshop.issue('Under', { issuer: narrow });
  const renewed = workshop.issue('Narrow', { issuer: narrow, key: 'Narrow renewed' });
  const loose = workshop.issue('Loose', { issuer: root, extensions: ['basicConstraints=CA:TRUE', ...AUTHORITY.slice(1)] });
  const usageless = workshop.issue('Usageless', { issuer: root, extensions: ['basicConstraints=critical,CA:TRUE', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'] });
  const keyless = workshop.issue('Keyless', { issuer: root, extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign', 'subjectKeyIdentifier=none', 'authorityKeyIdentifier=none'] });
  const shouting = { ...root, pem: workshop.issue('Root', { common: 'ROOT' }).pem };
  return [
    { name: 'a leaf under a root', leaf: server(root), authorities: [root], believed: true },
    { name: 'a leaf under an intermediate', leaf, sent: [middle], authorities: [root], believed: true },
    { name: 'a leaf under two, in disorder, with a stranger and the root', leaf: server(lower), sent: [root, stranger, middle, lower], authorities: [root], believed: true },
    { name: 'a missing intermediate', leaf, authorities: [root], believed: false },
    { name: 'a stranger as the only authority', leaf, sent: [middle, root], authorities: [stranger], believed: false },
    { name: 'a given intermediate without its root', leaf, authorities: [middle], believed: true },
    { name: 'a self-signed leaf that is given', leaf: alone, authorities: [alone], believed: true },
    { name: 'a self-signed leaf that is not', leaf: alone, authorities: [root], believed: false },
    { name: 'a broken signature on the leaf', leaf: workshop.spoil(leaf), sent: [middle], authorities: [root], believed: false },
    { name: 'a broken signature on an intermediate', leaf, sent: [workshop.spoil(middle)], authorities: [root], believed: false },
    { name: 'a broken signature on the given root', leaf, sent: [middle], authorities: [workshop.spoil(root)], believed: true },
    { name: 'an issuer with the right name and another key', leaf, sent: [workshop.issue('Middle', { issuer: root, key: 'another' })], authorities: [root], believed: false },
    { name: 'an issuer without extensions', leaf: server(noExtensions, '', { extensions: [...SERVER.slice(0, 4), 'authorityKeyIdentifier=none', 'subjectAltName=DNS:server.test'] }), sent: [noExtensions], authorities: [root], believed: false },
    { name: 'an issuer with CA:FALSE', leaf: server(notCa), sent: [notCa], authorities: [root], believed: false },
    { name: 'an issuer without keyCertSign', leaf: server(noSign), sent: [noSign], authorities: [root], believed: false },
    { name: 'a path length that is kept', leaf: server(narrow), sent: [narrow], authorities: [root], believed: true },
    { name: 'a path length that is exceeded', leaf: server(under), sent: [under, narrow], authorities: [root], believed: false },
    { name: 'a path length with an authority that renews itself', leaf: server(renewed), sent: [renewed, narrow], authorities: [root], believed: true },
    { name: 'an authority whose basicConstraints is not critical', leaf: server(loose), sent: [loose], authorities: [root], believed: true, differs: 'RFC 5280 §4.2.1.9 has the issuer make it critical; who reads it understands it either way' },
    { name: 'an authority without keyUsage', leaf: server(usageless), sent: [usageless], authorities: [root], believed: true, differs: 'RFC 5280 §6.1.4 (n) checks keyUsage if it is present; small authorities leave it out' },
    { name: 'certificates without key identifiers', leaf: server(keyless, 'DNS:server.test', { extensions: [...SERVER.slice(0, 3), 'subjectAltName=DNS:server.test', 'authorityKeyIdentifier=none'] }), sent: [keyless], authorities: [root], believed: true, differs: 'key identifiers are hints to build a path and no part of judging it (RFC 5280 §6.1)' },
    { name: 'an issuer whose name is in another case', leaf: server(root), authorities: [shouting], believed: false, differs: 'names are compared byte by byte: RFC 5280 §4.1.2.6 has a CA encode its name the same way everywhere' },
  ];
}

function timeCases({ workshop, root, middle, server }: Bench): Case[] {
  const brief = workshop.issue('Brief', { issuer: root, days: 10 });
  const briefRoot = workshop.issue('Brief Root', { days: 10 });
  const leaf = server(middle, undefined, { days: 100 });
  return [
    { name: 'a leaf on its last day', leaf, sent: [middle], authorities: [root], at: SOON + 100 * DAY - 120_000, believed: true },
    { name: 'an expired leaf', leaf, sent: [middle], authorities: [root], at: SOON + 100 * DAY, believed: false },
    { name: 'a leaf that is not yet valid', leaf, sent: [middle], authorities: [root], at: SOON - DAY, believed: false },
    { name: 'an expired intermediate', leaf: server(brief), sent: [brief], authorities: [root], at: SOON + 11 * DAY, believed: false },
    { name: 'an expired root', leaf: server(briefRoot), authorities: [briefRoot], at: SOON + 11 * DAY, believed: false },
  ];
}

const PARTIAL = 'RFC 9525: the wildcard is the whole left-most label';

function nameCases({ workshop, root, server }: Bench): Case[] {
  const rows: [string, string, boolean, string?][] = [
    ['DNS:server.test', 'server.test', true],
    ['DNS:server.test', 'other.test', false],
    ['DNS:SERVER.test', 'server.TEST', true],
    ['DNS:a.test,DNS:server.test', 'server.test', true],
    ['DNS:*.a.test', 'b.a.test', true],
    ['DNS:*.a.test', 'a.test', false],
    ['DNS:*.a.test', 'c.b.a.test', false],
    ['DNS:*.test', 'a.test', false],
    ['DNS:*', 'test', false],
    ['DNS:*.*.a.test', 'c.b.a.test', false],
    ['DNS:b.*.a.test', 'b.c.a.test', false],
    ['DNS:f*.a.test', 'foo.a.test', false, PARTIAL],
    ['DNS:*o.a.test', 'foo.a.test', false, PARTIAL],
    ['DNS:f*o.a.test', 'foo.a.test', false],
    ['DNS:*.a.test', 'xn--bcher-kva.a.test', true],
    ['DNS:server.test', 'server.test.', true, 'a closing dot of the expected name says nothing (RFC 6066 §3 has none): hosts write it or not'],
    ['DNS:server.test.', 'server.test', false],
    ['IP:192.0.2.1', '192.0.2.1', true],
    ['IP:192.0.2.1', '192.0.2.2', false],
    ['IP:2001:db8::1', '2001:db8:0::1', true],
    ['DNS:192.0.2.1', '192.0.2.1', false],
    ['URI:coaps://server.test/', 'server.test', false],
  ];
  const common = (names: string, extra: Partial<Case>): Case => ({
    name: `a common name with ${names || 'no alternative names'}`, leaf: server(root, names, { common: 'server.test' }), authorities: [root], believed: false, ...extra,
  });
  return [
    ...rows.map(([names, serverName, believed, differs]): Case => ({
      name: `${names} for ${serverName}`, leaf: server(root, names), authorities: [root], serverName, believed, ...(differs === undefined ? {} : { differs }),
    })),
    common('DNS:other.test', {}),
    common('', { differs: 'RFC 9525: the common name is no name of a host' }),
    common('IP:192.0.2.1', { differs: 'RFC 9525: the common name is no name of a host' }),
    { name: 'a NUL in a name', leaf: server(root, '', { extensions: [...SERVER, `2.5.29.17=DER:30:16:82:14:${[...Buffer.from('server.test\0.evil.x\0')].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`] }), authorities: [root], believed: false },
    { name: 'a name for whoever is a client', leaf: workshop.issue('device', { issuer: root, extensions: [...SERVER.slice(0, 2), 'extendedKeyUsage=clientAuth', ...SERVER.slice(3)] }), authorities: [root], role: 'client', believed: true },
  ];
}

function usageCases({ workshop, root, server }: Bench): Case[] {
  const used = (usage: string, purposes: string): Issued => server(root, '', {
    extensions: ['basicConstraints=critical,CA:FALSE', ...(usage === '' ? [] : [`keyUsage=critical,${usage}`]), ...(purposes === '' ? [] : [`extendedKeyUsage=${purposes}`]), ...SERVER.slice(3), 'subjectAltName=DNS:server.test'],
  });
  const signs = 'suites with certificates here have the key sign (RFC 5246 §7.4.2); openssl takes keys that agree or encrypt too';
  const clients = workshop.issue('Clients', { issuer: root, extensions: [...AUTHORITY, 'extendedKeyUsage=clientAuth'] });
  const row = (name: string, leaf: Issued, believed: boolean, more: Partial<Case> = {}): Case => ({ name, leaf, authorities: [root], believed, ...more });
  const critical = (line: string): Issued => server(root, 'DNS:server.test', { extensions: [...SERVER, 'subjectAltName=DNS:server.test', line] });
  const strange = workshop.issue('Strange', { issuer: root, extensions: [...AUTHORITY, '1.2.3.4=critical,DER:05:00'] });
  return [
    row('no usages at all', used('', ''), true),
    row('a client certificate as a server', used('digitalSignature', 'clientAuth'), false),
    row('a server certificate as a client', used('digitalSignature', 'serverAuth'), false, { role: 'client' }),
    row('both purposes', used('digitalSignature', 'clientAuth,serverAuth'), true),
    row('any purpose', used('digitalSignature', 'anyExtendedKeyUsage'), true, { differs: 'RFC 5280 §4.2.1.12: anyExtendedKeyUsage is there so as not to restrict; an application may ask for more' }),
    row('keyUsage for certificates only', used('cRLSign', 'serverAuth'), false),
    row('keyUsage for encryption only', used('keyEncipherment', 'serverAuth'), false, { differs: signs }),
    row('keyUsage for agreement only', used('keyAgreement', 'serverAuth'), false, { differs: signs }),
    row('a server under an authority for clients', server(clients), false, { sent: [clients] }),
    row('an unknown critical extension', critical('1.2.3.4=critical,DER:05:00'), false),
    row('an unknown extension', critical('1.2.3.4=DER:05:00'), true),
    row('an unknown critical extension of an authority', server(strange), false, { sent: [strange] }),
    row('critical policies', critical('certificatePolicies=critical,1.2.3.4'), true),
    row('critical policy constraints', critical('policyConstraints=critical,requireExplicitPolicy:0'), false, { differs: 'policies are not implemented: what could ask for one is refused; openssl ignores policies unless told' }),
  ];
}

function constraintCases({ workshop, root, server }: Bench): Case[] {
  const rows: [string, string, boolean, string?][] = [
    ['permitted;DNS:example.com', 'DNS:a.example.com', true],
    ['permitted;DNS:example.com', 'DNS:example.com', true],
    ['permitted;DNS:Example.COM', 'DNS:a.eXample.com', true],
    ['permitted;DNS:example.com', 'DNS:badexample.com', false],
    ['permitted;DNS:example.com', 'DNS:a.example.com,DNS:evil.test', false],
    ['permitted;DNS:example.com', 'DNS:*.example.com', true],
    ['permitted;DNS:a.example.com', 'DNS:*.example.com', false],
    ['permitted;DNS:.example.com', 'DNS:a.example.com', true],
    ['permitted;DNS:.example.com', 'DNS:example.com', false],
    ['excluded;DNS:example.com', 'DNS:a.EXAMPLE.com', false],
    ['excluded;DNS:example.com', 'DNS:example.org', true],
    ['excluded;DNS:a.example.com', 'DNS:*.example.com', false, 'a wildcard stands for the excluded name too; openssl compares the text'],
    ['excluded;DNS:.example.com', 'DNS:example.com', false, 'a leading dot is no syntax of DNS constraints (RFC 5280 §4.2.1.10): it is read against the certificate'],
    ['permitted;IP:192.0.2.0/255.255.255.0', 'IP:192.0.2.7', true],
    ['permitted;IP:192.0.2.0/255.255.255.0', 'IP:192.0.3.7', false],
    ['permitted;IP:192.0.2.0/255.255.255.0', 'IP:2001:db8::1', false],
    ['excluded;IP:192.0.2.0/255.255.255.0', 'IP:192.0.2.7', false],
    ['permitted;URI:example.com', 'URI:coaps://evil.test/', false],
    ['permitted;URI:example.com', 'URI:coaps://example.com/', false, 'constraints on URIs are not implemented: whoever has a URI under one is refused'],
    ['excluded;email:evil.test', 'email:a@example.com', false, 'constraints on e-mail are not implemented: whoever has an address under one is refused'],
    ['permitted;email:example.com', 'DNS:example.com', true],
  ];
  const leafUnder = (limited: Issued, names: string): Issued => server(limited, `${names},DNS:server.example.com,IP:192.0.2.99`, { common: 'server.example.com' });
  return rows.map(([constraint, names, believed, differs]): Case => {
    const limited = workshop.issue('Limited', { issuer: root, extensions: [...AUTHORITY, `nameConstraints=critical,${constraint}`] });
    const plain = /excluded;DNS:(\.)?example\.com/.test(constraint);
    const serverName = plain || constraint.includes('a.example.com') ? '192.0.2.99' : 'server.example.com';
    const leaf = plain || constraint.includes('a.example.com') ? server(limited, `${names},IP:192.0.2.99`, { common: 'x' }) : leafUnder(limited, names);
    return { name: `${names} under ${constraint}`, leaf, sent: [limited], authorities: [root], serverName, believed, ...(differs === undefined ? {} : { differs }) };
  });
}

function revocationCases({ workshop, root, middle, server }: Bench): Case[] {
  const leaf = server(middle);
  const row = (name: string, lists: readonly string[], believed: boolean, more: Partial<Case> = {}): Case => ({ name, leaf, sent: [middle], authorities: [root], lists, believed, ...more });
  const clean = workshop.list(middle, []);
  return [
    row('a clean list', [clean], true),
    row('a revoked leaf', [workshop.list(middle, [leaf])], false),
    row('a list that ended', [workshop.list(middle, [], 5)], false, { at: SOON + 6 * DAY }),
    row('a list of the root only', [workshop.list(root, [])], true, { differs: 'the default asks for lists of those issuers who have one; `revocation: all` asks for every one' }),
    row('a list of the root only, where all need one', [workshop.list(root, [])], false, { all: true }),
    row('clean lists of both', [clean, workshop.list(root, [])], true, { all: true }),
    row('a revoked intermediate', [clean, workshop.list(root, [middle])], false, { all: true }),
    row('a list that somebody else signed', [workshop.list(workshop.issue('Middle', { issuer: root, key: 'Mallory' }), [])], false),
  ];
}

function keyCases({ workshop, root, server }: Bench): Case[] {
  const rsa = workshop.issue('RSA Root', { kind: 'rsa2048' });
  const p384 = workshop.issue('P-384 Root', { kind: 'secp384r1', arguments: ['-sha384'] });
  const p521 = workshop.issue('P-521 Root', { kind: 'secp521r1', arguments: ['-sha512'] });
  const ed = workshop.issue('Ed Root', { kind: 'ed25519' });
  const weak = workshop.issue('Weak', { issuer: root, kind: 'rsa1024' });
  const pss = (salt: string): readonly string[] => ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', `rsa_pss_saltlen:${salt}`];
  const under = (name: string, issuer: Issued, believed: boolean, options: IssueOptions = {}, more: Partial<Case> = {}): Case =>
    ({ name, leaf: server(issuer, undefined, options), authorities: [issuer], believed, ...more });
  return [
    under('RSA with SHA-256', rsa, true),
    under('RSA with SHA-512', rsa, true, { arguments: ['-sha512'] }),
    under('RSA-PSS with SHA-256', rsa, true, { arguments: pss('32') }),
    under('RSA-PSS with another salt than TLS has', rsa, false, { arguments: pss('20') }, { differs: 'the schemes of TLS have a salt as long as the hash (RFC 8446 §4.2.3), and so do providers' }),
    under('P-384', p384, true, { arguments: ['-sha384'] }),
    under('P-521', p521, true, { arguments: ['-sha512'] }),
    under('Ed25519', ed, true),
    under('an Ed25519 leaf', root, true, { kind: 'ed25519' }),
    under('RSA with SHA-1', rsa, false, { arguments: ['-sha1'] }),
    under('RSA with MD5', rsa, false, { arguments: ['-md5'] }),
    under('ECDSA with SHA-1', root, false, { arguments: ['-sha1'] }),
    under('an RSA leaf of 1024 bits', root, false, { kind: 'rsa1024' }),
    { name: 'an RSA authority of 1024 bits', leaf: server(weak), sent: [weak], authorities: [root], believed: false },
    under('a leaf on secp256k1', root, false, { kind: 'secp256k1' }, { differs: 'TLS has no such curve here: the key could not be used anyway' }),
  ];
}

function graphCases({ workshop, root, server }: Bench): Case[] {
  const [one, other] = [workshop.issue('One'), workshop.issue('Other')];
  const byOne = workshop.issue('Shared', { issuer: one });
  const byOther = workshop.issue('Shared', { issuer: other });
  const leaf = server(byOne);
  const [a, b] = [workshop.issue('Loop A'), workshop.issue('Loop B')];
  const loop = [workshop.issue('Loop A', { issuer: b }), workshop.issue('Loop B', { issuer: a })];
  const strangers = Array.from({ length: 1000 }, (_, index): Issued => ({ name: 'stranger', key: 'stranger', kind: 'prime256v1', pem: pem(mintAuthority(`Stranger ${index}`).der) }));
  const minted = mintAuthority('Minted Root');
  const mintedMiddle = mintAuthority('Minted Middle', { issuer: minted });
  const asIssued = (der: Uint8Array): Issued => ({ name: 'minted', key: 'minted', kind: 'prime256v1', pem: pem(der) });
  return [
    { name: 'cross-signed, the first way', leaf, sent: [byOne, byOther], authorities: [one], believed: true },
    { name: 'cross-signed, the second way', leaf, sent: [byOne, byOther], authorities: [other], believed: true, differs: 'openssl takes the first issuer that was sent and does not go back' },
    { name: 'cross-signed, no way', leaf, sent: [byOne, byOther], authorities: [root], believed: false },
    { name: 'a loop of two', leaf: server(loop[0]!), sent: loop, authorities: [root], believed: false },
    { name: 'a loop with a way out', leaf: server(loop[0]!), sent: [...loop, b], authorities: [b], believed: true },
    { name: '1,000 intermediates that lead nowhere', leaf: server(byOne), sent: strangers, authorities: [one], believed: false },
    { name: '1,000 intermediates with the right one among them', leaf: server(byOne), sent: [...strangers, byOne], authorities: [one], believed: true },
    { name: 'a chain made by the specs themselves', leaf: asIssued(mintServer(mintedMiddle).der), sent: [asIssued(mintedMiddle.der)], authorities: [asIssued(minted.der)], believed: true, at: Date.UTC(2026, 10, 21, 12), differs: 'strict openssl asks for an authorityKeyIdentifier' },
  ];
}

const FAMILIES: readonly (readonly [string, (bench: Bench) => Case[]])[] = [
  ['paths', pathCases], ['dates', timeCases], ['names', nameCases], ['usages', usageCases], ['constraints', constraintCases],
  ['revocation', revocationCases], ['keys and hashes', keyCases], ['graphs', graphCases],
];

const version = opensslVersion();
if (version === null) console.log('skip: openssl is not installed');
const bench = version === null ? null : setUp();

for (const [family, cases] of FAMILIES) {
  const name = `openssl verify and the trust store say the same: ${family}`;
  if (bench === null) {
    test.skip(name);
    continue;
  }
  test(name, () => {
    const wrong: string[] = [];
    for (const one of cases(bench)) {
      const verdict = ours(one);
      const said = theirs(bench.workshop, one);
      if (verdict.trusted !== one.believed) wrong.push(`${one.name}: we say ${verdict.reason || 'trusted'}`);
      if ((said === '') !== (one.believed !== (one.differs !== undefined))) wrong.push(`${one.name}: openssl says ${said || 'OK'}`);
    }
    assert.equal(wrong, []);
  });
}

test.after(() => bench?.workshop.close());
test.run();
