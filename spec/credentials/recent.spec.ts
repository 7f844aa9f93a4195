/**
 * Certificates that were seen lately: read once, in a bounded number, and nobody's but the cache's.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RecentCertificates } from '../../lib/credentials/recent.js';
import { trustStore } from '../../lib/credentials/trust.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { NOW, dnsName, integer, keyPair, mintAuthority, mintServer, uriName } from '../x509/support/mint.js';
import { testProvider } from '../x509/support/provider.js';

const root = mintAuthority('Root');
const NAMES = [dnsName('a.example')];
/** As plain arrays: `slice` of a Buffer is no copy. */
const leaves = Array.from({ length: 40 }, (_, index) =>
  new Uint8Array(mintServer(root, NAMES, { key: keyPair(`leaf ${index % 4}`), serial: integer(index + 1) }).der));

test('a certificate is read once for as long as it is among the 32 that came last', () => {
  const recent = new RecentCertificates();
  const first = recent.parse(leaves[0]!);
  assert.is(recent.parse(leaves[0]!.slice()), first);
  for (const der of leaves.slice(1, 32)) recent.parse(der);
  assert.is(recent.parse(leaves[0]!), first);
  // Now the second is the one that was used longest ago.
  const third = recent.parse(leaves[2]!);
  recent.parse(leaves[32]!);
  assert.is(recent.parse(leaves[0]!), first);
  assert.is(recent.parse(leaves[2]!), third);
  for (const der of leaves.slice(4, 40)) recent.parse(der);
  assert.is.not(recent.parse(leaves[0]!), first);
});

test('one bit more or less is another certificate, wherever it stands', () => {
  const recent = new RecentCertificates();
  const der = leaves[0]!;
  const first = recent.parse(der);
  for (const at of [der.length - 1, der.length >> 1, 60]) {
    const other = der.slice();
    other[at]! ^= 1;
    let found: unknown = null;
    try {
      found = recent.parse(other);
    } catch {
      // No certificate at all any more.
    }
    assert.is.not(found, first);
  }
});

test('a large certificate is read each time, and what cannot be read is not kept', () => {
  const recent = new RecentCertificates();
  const large = mintServer(root, [...NAMES, uriName(`urn:${'x'.repeat(4096)}`)]).der;
  assert.is.not(recent.parse(large), recent.parse(large));
  for (let round = 0; round < 2; round++) assert.throws(() => recent.parse(Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00)));
});

test('what a host does to a chain or to the key of a verdict changes no later verdict', () => {
  const trust = trustStore({ provider: testProvider, authorities: root.der });
  const judge = (chain: readonly Uint8Array[]): ReturnType<typeof trust.judge> =>
    trust.judge({ type: CertificateType.x509, chain, role: 'server', serverName: 'a.example', wallClock: NOW });
  const chain = [leaves[0]!.slice()];
  const before = judge(chain);
  assert.ok(before.trusted && before.publicKey?.kind === 'ec');
  before.publicKey.point.fill(0);
  chain[0]!.fill(0);
  const after = judge([leaves[0]!]);
  assert.ok(after.trusted && after.publicKey?.kind === 'ec' && after.publicKey.point.some((byte) => byte !== 0));
});

test.run();
