/**
 * PKI-05, -06, -07, -10 and -16 in whole handshakes, both roles: dates, issuers, who may issue, unknown extensions,
 * and the order of a chain. What makes a path is proved in spec/x509/path.spec.ts; here, that a handshake listens.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DAY, NOW, basicConstraints, dnsName, extension, hex, keyPair, keyUsage, mint, mintAuthority, mintList, octets, subjectAltName, type Minted,
} from '../x509/support/mint.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { trustStore } from '../../lib/credentials/trust.js';
import { Link } from '../support/link.js';
import { text } from '../support/rig.js';
import { HONEST, MIDDLE, ROOT, SIDES, add, assertLive, begin, mintLeaf, outcome, showing, shows, stage, trusting } from './chains.js';

for (const role of SIDES) {
  const leaf = mintLeaf(role, MIDDLE);

  test(`a chain of a ${role} to an authority that is trusted connects, and the peer's identity is that chain`, () => {
    assert.is(shows(role, [leaf, MIDDLE]), 'connected');
  });

  test(`PKI-05 the certificate of a ${role} that expired or is not yet valid at the injected clock is refused`, () => {
    const expired = mintLeaf(role, ROOT, { notAfter: NOW - 3 * DAY });
    assert.is(shows(role, [expired]), `certificate_expired: certificate of ${role}.test expired 3 days ago (2026-11-18)`);
    const early = mintLeaf(role, ROOT, { notBefore: NOW + 41 * DAY });
    assert.is(shows(role, [early]), `certificate_expired: certificate of ${role}.test is not valid before 2027-01-01 (in 41 days)`);
    const old = mintAuthority('Middle', { issuer: ROOT, notAfter: NOW - DAY });
    assert.is(shows(role, [leaf, old]), 'certificate_expired: certificate of authority "Middle" expired 1 day ago (2026-11-20)');
  });

  test(`PKI-05 it is the clock of the one who judges a ${role} that counts`, () => {
    const brief = mintLeaf(role, ROOT, { notBefore: NOW, notAfter: NOW + 60_000 });
    const at = (now: number): string => outcome({ role, shown: showing([brief]), options: { wallClock: () => now } });
    assert.match(at(NOW - 1), /^certificate_expired: .* is not valid before 2026-11-21/);
    assert.equal([NOW, NOW + 60_999].map(at), ['connected', 'connected']);
    assert.match(at(NOW + 61_000), /^certificate_expired: .* expired/);
  });

  test(`PKI-05 a host may override a ${role}'s date, and sees the verdict that it overrides`, () => {
    const reasons: string[] = [];
    const handler = {
      verifyCertificate: (_: unknown, __: unknown, ___: unknown, { trusted, reason }: { trusted: boolean; reason: string }) => {
        if (!trusted) reasons.push(reason);
        return trusted || reason.includes('expired');
      },
    };
    assert.is(outcome({ role, shown: showing([mintLeaf(role, ROOT, { notAfter: NOW - 3 * DAY })]), handler }), 'connected');
    assert.equal(reasons, [`certificate of ${role}.test expired 3 days ago (2026-11-18)`]);
    assert.match(outcome({ role, shown: showing([mintLeaf(role, null)]), handler }), 'bad_certificate: the host does not trust the peer');
  });

  test(`PKI-06 a ${role} that signed itself, or whose root is unknown, is unknown_ca`, () => {
    const self = `unknown_ca: certificate of ${role}.test is self-signed and not among the authorities`;
    assert.is(shows(role, [mintLeaf(role, null)]), self);
    const elsewhere = mintAuthority('Elsewhere');
    const theirs = mintAuthority('Their Middle', { issuer: elsewhere });
    const missing = 'unknown_ca: certificate of Their Middle was issued by "Elsewhere", which is not among the authorities';
    assert.is(shows(role, [mintLeaf(role, theirs), theirs]), missing);
    const sent = 'unknown_ca: certificate of Elsewhere is self-signed and not among the authorities';
    assert.is(shows(role, [mintLeaf(role, theirs), theirs, elsewhere]), sent);
    assert.is(shows(role, [leaf]), `unknown_ca: certificate of ${role}.test was issued by "Middle", which is not among the authorities`);
  });

  test(`PKI-06 right names under a wrong signature of a ${role}'s chain, and an intermediate with another key, are bad_certificate`, () => {
    const mallory = keyPair('Mallory');
    const notBy = (name: string): string => `bad_certificate: the signature on the certificate of ${role}.test is not by the key of "${name}"`;
    assert.is(shows(role, [mintLeaf(role, ROOT, { signedBy: mallory })]), notBy('Root'));
    assert.is(shows(role, [leaf, mintAuthority('Middle', { issuer: ROOT, key: mallory })]), notBy('Middle'));
    const selfMade = mintAuthority('Root', { key: mallory });
    assert.is(shows(role, [mintLeaf(role, selfMade), selfMade]), notBy('Root'));
    const spoiled = Buffer.from(leaf.der);
    spoiled[spoiled.length - 1]! ^= 1;
    assert.is(shows(role, [spoiled, MIDDLE], undefined, leaf.key), notBy('Middle'));
  });

  test(`PKI-07 a ${role}'s chain through what is no authority, may not sign certificates, or has too many below it is refused`, () => {
    const strays: [Minted, string][] = [
      [mint({ name: 'Stray', issuer: ROOT, extensions: [keyUsage(0, 5)] }), 'which is no authority (basicConstraints)'],
      [mint({ name: 'Stray', issuer: ROOT, extensions: [basicConstraints(false), keyUsage(0, 5)] }), 'which is no authority (basicConstraints)'],
      [mint({ name: 'Stray', issuer: ROOT, extensions: [basicConstraints(true), keyUsage(0)] }), 'whose key may not sign certificates (keyUsage)'],
    ];
    for (const [stray, why] of strays) {
      assert.is(shows(role, [mintLeaf(role, stray), stray]), `bad_certificate: certificate of ${role}.test was issued by "Stray", ${why}`);
    }
    const narrow = mintAuthority('Narrow', { issuer: ROOT, pathLength: 0 });
    const under = mintAuthority('Under', { issuer: narrow });
    assert.is(shows(role, [mintLeaf(role, narrow), narrow]), 'connected');
    assert.match(shows(role, [mintLeaf(role, under), under, narrow]), 'issued by "Narrow", which allows 0 authorities below itself (pathLenConstraint) and has 1');
  });

  test(`PKI-07 the honest leaf of a ${role} issues nothing, be it believed by itself`, () => {
    const given = mintLeaf(role);
    const below = mintLeaf(role, given, { key: keyPair('below') });
    const trust = trusting([given]);
    assert.is(shows(role, [given], { trust }), 'connected');
    assert.match(shows(role, [below, given], { trust }), `bad_certificate: certificate of ${role}.test was issued by "${role}", which is no authority`);
  });

  test(`PKI-10 an unknown critical extension of a ${role}'s leaf or intermediate is refused, one that is not critical passes`, () => {
    const strange = (critical: boolean): Buffer => extension('1.3.6.1.4.1.99999.1', octets(), critical);
    const strangeLeaf = (critical: boolean): Minted => mintLeaf(role, ROOT, { extensions: [subjectAltName(dnsName(`${role}.test`)), strange(critical)] });
    const above = (critical: boolean): Minted => mintAuthority('Strange', { issuer: ROOT, extensions: [basicConstraints(true), strange(critical)] });
    const unknown = 'critical extension 1.3.6.1.4.1.99999.1';
    assert.is(shows(role, [strangeLeaf(true)]), `unsupported_certificate: certificate of ${role}.test has the ${unknown}, which is unknown here`);
    assert.is(shows(role, [mintLeaf(role, above(true)), above(true)]), `unsupported_certificate: certificate of ${role}.test was issued by "Strange", whose ${unknown} is unknown here`);
    assert.is(shows(role, [strangeLeaf(false)]), 'connected');
    assert.is(shows(role, [mintLeaf(role, above(false)), above(false)]), 'connected');
  });

  test(`PKI-16 a ${role}'s intermediates may come in any order, twice, with strangers and the root; the leaf comes first`, () => {
    const lower = mintAuthority('Lower', { issuer: MIDDLE });
    const low = mintLeaf(role, lower);
    const stranger = mintAuthority('Stranger');
    assert.is(shows(role, [low, MIDDLE, lower]), 'connected');
    assert.is(shows(role, [low, ROOT, MIDDLE, lower]), 'connected');
    assert.is(shows(role, [low, stranger, lower, lower, stranger, MIDDLE, MIDDLE, low, ROOT]), 'connected');
    assert.match(shows(role, [lower, low, MIDDLE], undefined, low.key), 'unsupported_certificate: certificate of Lower is not for signatures');
    assert.match(shows(role, [low, stranger, lower, stranger]), 'unknown_ca: certificate of Lower was issued by "Middle", which is not among');
  });

  test(`a ${role} whose certificate was revoked is certificate_revoked, and one whose list is out of date is not believed`, () => {
    const revoked = mintLeaf(role, ROOT, { serial: hex('02020abc') });
    const list = (nextUpdate: number): Uint8Array => mintList(ROOT, { serials: [hex('02020abc')], nextUpdate });
    const trust = trusting([ROOT], { revocationLists: list(NOW + DAY) });
    assert.match(shows(role, [revoked], { trust }), new RegExp(`^certificate_revoked: certificate of ${role}\\.test `));
    assert.is(shows(role, [mintLeaf(role)], { trust }), 'connected');
    assert.not.match(shows(role, [mintLeaf(role)], { trust: trusting([ROOT], { revocationLists: list(NOW - 1) }) }), /^connected/);
  });

  test(`with the portable provider too, a ${role}'s chain is believed, and a stranger's and a forged one are not`, () => {
    const options = { crypto: nobleProvider, trust: trustStore({ provider: nobleProvider, authorities: new Uint8Array(ROOT.der) }) };
    assert.is(outcome({ role, shown: HONEST[role], options }), 'connected');
    assert.match(outcome({ role, shown: showing([mintLeaf(role, null)]), options }), 'unknown_ca');
    assert.match(outcome({ role, shown: showing([mintLeaf(role, ROOT, { signedBy: keyPair('Mallory') })]), options }), 'bad_certificate: the signature');
    assert.match(outcome({ role, shown: showing([mintLeaf(role)], keyPair('Mallory')), options }), 'decrypt_error');
  });
}

test('a client that starts anew with a certificate that is refused disturbs nothing of what it had, and the host hears why', () => {
  const at = stage({ role: 'client', shown: HONEST.client });
  begin(at, 'client');
  at.link.run();
  const { judge, link } = at;
  const told = judge.events.length;
  link.remove('bearer');
  const impostor = add(link, 'bearer', { credentials: [showing([mintLeaf('client', null)])], trust: trusting(), serverName: 'server.test' });
  impostor.context.connect('judge');
  link.run();
  assert.is(impostor.context.getPeer('judge'), undefined);
  const peer = judge.context.getPeer('bearer');
  assert.equal([peer?.state, peer?.identity], ['connected', { kind: 'x509', chain: HONEST.client.chain }]);
  const events = judge.events.slice(told);
  assert.equal(events.map(({ level, code }) => [level, code]), [[0, 0x1e3]]);
  assert.is(events[0]!.detail!.message, 'certificate of client.test is self-signed and not among the authorities');
  assertLive(at, 'client');
});

test('NET-02 chains on both sides survive loss, duplication, reordering and small datagrams', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const link = new Link({ seed, drop: 0.2, duplicate: 0.2, reorder: 0.2 });
    const server = add(link, 'server', { mtu: 110, maxRetransmits: 7, credentials: [HONEST.server], trust: trusting(), clientAuthentication: 'require' });
    const client = add(link, 'client', { mtu: 128, maxRetransmits: 7, credentials: [HONEST.client], trust: trusting(), serverName: 'server.test' });
    client.context.connect('server');
    const isConnected = (): boolean => server.context.getPeer('client')?.state === 'connected' && client.context.getPeer('server')?.state === 'connected';
    assert.ok(link.run(isConnected, 200_000), `seed ${seed}`);
    link.options = {};
    client.context.write('server', text('ping'));
    link.run();
    assert.equal(server.reads.map(({ bytes }) => bytes), [text('ping')]);
  }
});

test.run();
