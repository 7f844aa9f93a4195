import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalError, PeerError } from '../../lib/wire/errors.js';
import { parseRevocationList } from '../../lib/x509/crl.js';
import {
  DAY, NOW, basicConstraints, extension, hex, integer, keyPair, keyUsage, mintAuthority, mintList, mintServer, octets, pem, sequence, tlv, authorityKeyId,
} from './support/mint.js';
import { judge, verdictOf, type Setting } from './support/judge.js';

const root = mintAuthority('Root');
const middle = mintAuthority('Middle', { issuer: root, serial: hex('020177') });
const serial = hex('02020abc');
const server = mintServer(middle, undefined, { serial });
const chain = [server, middle];

const verdict = (lists: readonly Uint8Array[], setting: Setting = {}): string => verdictOf(chain, { authorities: [root], revocationLists: lists, ...setting });

test('a revoked leaf is certificate_revoked, and so is whoever stands below a revoked authority', () => {
  assert.is(verdict([mintList(middle, { serials: [integer(1), serial, integer(2)] })]), 'certificate_revoked: certificate of server.test was revoked on 2026-11-19');
  assert.is(verdict([mintList(root, { serials: [hex('020177')] })]), 'certificate_revoked: certificate of Middle was revoked on 2026-11-19');
  assert.is(verdict([mintList(middle), mintList(root)]), 'trusted');
  assert.is(verdict([mintList(middle, { serials: [integer(1)] })]), 'trusted');
});

test('a list revokes what its own issuer issued, and nothing of the same number elsewhere', () => {
  assert.is(verdict([mintList(root, { serials: [serial] })]), 'trusted');
  assert.is(verdict([mintList(mintAuthority('Elsewhere'), { serials: [serial] })]), 'trusted');
});

test('an issuer without a list is asked for one only if all are', () => {
  assert.is(verdict([mintList(root)]), 'trusted');
  assert.is(verdict([mintList(root)], { revocation: 'all' }), 'certificate_unknown: certificate of server.test may be revoked: there is no revocation list of "Middle"');
  assert.is(verdict([mintList(root), mintList(middle)], { revocation: 'all' }), 'trusted');
  assert.match(verdictOf(chain, { authorities: [root], revocation: 'all' }), 'may be revoked: there is no revocation list of "Middle"');
});

test('a list that is out of date proves nothing, and what it revokes stays revoked', () => {
  const old = (serials: Uint8Array[] = []): Uint8Array => mintList(middle, { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - 3 * DAY, serials });
  assert.is(verdict([old()]), 'certificate_unknown: certificate of server.test may be revoked: the revocation list of "Middle" expired 3 days ago (2026-11-18)');
  assert.match(verdict([old([serial])]), 'certificate_revoked');
  assert.is(verdict([old(), mintList(middle)]), 'trusted');
  assert.match(verdict([old([serial]), mintList(middle)]), 'certificate_revoked');
  assert.match(verdict([mintList(middle, { thisUpdate: NOW + DAY, nextUpdate: NOW + 2 * DAY })]), 'the revocation list of "Middle" is not valid before 2026-11-22');
  assert.match(verdict([mintList(middle)], { now: NaN }), 'certificate_unknown');
});

test('a list that somebody else signed proves nothing and revokes nothing', () => {
  const forged = (serials: Uint8Array[]): Uint8Array => mintList(middle, { signedBy: keyPair('Mallory'), serials });
  assert.match(verdict([forged([])]), 'certificate_unknown: certificate of server.test may be revoked: the revocation list of "Middle" is not signed by its key');
  assert.match(verdict([forged([serial])]), 'certificate_unknown');
  assert.is(verdict([forged([serial]), mintList(middle)]), 'trusted');
});

test('an authority whose keyUsage has no cRLSign signs no lists', () => {
  const mute = mintAuthority('Mute', { issuer: root, extensions: [basicConstraints(true), keyUsage(5)] });
  const setting = { authorities: [root], revocationLists: [mintList(mute)] };
  assert.match(verdictOf([mintServer(mute), mute], setting), 'the revocation list of "Mute" is signed by an authority that may not sign any');
  const silent = mintAuthority('Silent', { issuer: root, extensions: [basicConstraints(true)] });
  assert.is(verdictOf([mintServer(silent), silent], { authorities: [root], revocationLists: [mintList(silent)] }), 'trusted');
});

test('lists come as PEM, several in one text, or DER', () => {
  const text = pem(mintList(root), 'X509 CRL') + pem(mintList(middle, { serials: [serial] }), 'X509 CRL');
  assert.match(verdictOf(chain, { authorities: [root], revocationLists: text }), 'certificate_revoked');
  assert.match(verdictOf(chain, { authorities: [root], revocationLists: [new Uint8Array(Buffer.from(text))] }), 'certificate_revoked');
});

test('a cross-signed chain that is revoked one way may be right the other way', () => {
  const other = mintAuthority('Other');
  const twin = mintAuthority('Middle', { issuer: other, serial: hex('020178') });
  const lists = [mintList(root, { serials: [hex('020177')] })];
  assert.is(verdictOf([server, middle, twin], { authorities: [root, other], revocationLists: lists }), 'trusted');
});

test('lists that are partial, indirect, deltas, without an end or malformed are refused when they are given', () => {
  const critical = extension('2.5.29.28', sequence(), true);
  const refused = (list: Uint8Array): string => {
    assert.throws(() => parseRevocationList(list), (error: Error) => error instanceof PeerError);
    try {
      judge(chain, { authorities: [root], revocationLists: [list] });
    } catch (error) {
      assert.instance(error, LocalError);
      return (error as Error).message;
    }
    return 'taken';
  };
  assert.is(refused(mintList(root, { extensions: [critical] })), 'revocationLists: a revocation list with critical extension 2.5.29.28: partial, indirect and delta lists are not supported');
  const scope = extension('2.5.29.28', sequence(tlv(0x82, hex('ff'))));
  assert.match(refused(mintList(root, { extensions: [scope] })), 'a revocation list with extension 2.5.29.28: partial,');
  assert.match(refused(mintList(root, { extensions: [extension('2.5.29.27', integer(3))] })), 'a revocation list with extension 2.5.29.27: partial,');
  assert.is(refused(mintList(root, { nextUpdate: null })), 'revocationLists: a revocation list without a next update');
  assert.is(refused(mintList(root, { serials: [hex('0201ff')] })), 'revocationLists: a negative number, where none can be');
  assert.is(refused(Buffer.concat([mintList(root), hex('00')])), 'revocationLists: it looks like DER and is cut off or has bytes too many');
  assert.match(refused(sequence(octets())), 'revocationLists: ');
  const entry = Buffer.concat([serial, sequence(extension('2.5.29.29', octets(), true))]);
  assert.match(refused(mintList(root, { serials: [entry] })), /revocationLists: /);
  assert.match(refused(mintList(root, { extensions: [tlv(5)] })), 'revocationLists: ');
  parseRevocationList(mintList(root, { extensions: [authorityKeyId(root.key), extension('2.5.29.20', integer(7))] }));
});

test('a list of 50,000 is read once and asked in no time', () => {
  const serials = Array.from({ length: 50_000 }, (_, index) => integer(0x100_0000 + index));
  const list = parseRevocationList(mintList(middle, { serials }));
  assert.is(list.revoked.size, 50_000);
});

test.run();
