import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { trustStore } from '../../lib/credentials/trust.js';
import { PeerError } from '../../lib/wire/errors.js';
import { parseCertificate } from '../../lib/x509/certificate.js';
import { parseRevocationList } from '../../lib/x509/crl.js';
import { readPublicKey } from '../../lib/x509/keys.js';
import { isForName, parseReference } from '../../lib/x509/names.js';
import { readPem } from '../../lib/x509/pem.js';
import {
  CLIENT_AUTH, NOW, SERVER_AUTH, authorityKeyId, basicConstraints, directoryName, dnsName, extendedKeyUsage, extension, ipName, keyPair, keyUsage, mint,
  mintAuthority, mintList, mintServer, nameConstraints, nameOf, octets, pem, subjectAltName, subjectKeyId, uriName, hex,
} from './support/mint.js';
import { costOf } from './support/judge.js';
import { testProvider } from './support/provider.js';

/** The same numbers on every run. */
const SEED = 20261121;
/** No input takes longer. */
const MAX_MS = 50;

const root = mintAuthority('Root');
const middle = mintAuthority('Middle', {
  issuer: root,
  extensions: [basicConstraints(true, 2), keyUsage(5, 6), subjectKeyId(keyPair('Middle')), authorityKeyId(keyPair('Root')), nameConstraints([dnsName('test'), ipName(10, 0, 0, 0, 255, 0, 0, 0)], [dnsName('evil.test'), directoryName(nameOf('Evil'))])],
});
const leaf = mint({
  name: '', issuer: middle, key: keyPair('leaf'),
  extensions: [subjectAltName(dnsName('server.test'), dnsName('*.a.test'), uriName('urn:x'), ipName(10, 1, 2, 3)), keyUsage(0), extendedKeyUsage(SERVER_AUTH, CLIENT_AUTH), extension('1.2.3.4', octets())],
});
const rsa = mintServer(root, undefined, { key: keyPair('rsa', 'rsa2048') });
const list = mintList(middle, { serials: [hex('020101'), hex('02020abc')], extensions: [authorityKeyId(keyPair('Middle'))] });
const trust = trustStore({ provider: testProvider, authorities: root.der, revocationLists: list, rawKeys: keyPair('leaf').spki, pins: new Uint8Array(32) });

/** Runs `act`, which may throw a PeerError and nothing else. */
function tame(act: () => void): void {
  quick(() => {
    try {
      act();
    } catch (error) {
      assert.instance(error, PeerError, String((error as Error).stack));
    }
  });
}

/** Runs `act`, which must not cost much. */
function quick(act: () => void): void {
  assert.ok(costOf(act, MAX_MS) < MAX_MS);
}

const readers: readonly ((bytes: Uint8Array) => unknown)[] = [parseCertificate, parseRevocationList, readPublicKey];

/** Bytes with a few changes: a byte replaced, a stretch cut out, doubled, or a length field moved. */
const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'flip', 'cut', 'double', 'insert'), fc.integer({ min: 1, max: 12 }));

function changed(bytes: Uint8Array, changes: readonly (readonly [number, number, string, number])[]): Uint8Array {
  let result = Buffer.from(bytes);
  for (const [where, value, kind, length] of changes) {
    const at = where % Math.max(1, result.length);
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    if (kind === 'set') result[at] = value;
    else if (kind === 'flip') result[at]! ^= 1 << (value & 7);
    else if (kind === 'cut') result = Buffer.concat([before, after.subarray(length)]);
    else if (kind === 'double') result = Buffer.concat([before, after.subarray(0, length), after]);
    else result = Buffer.concat([before, Buffer.alloc(length, value), after]);
  }
  return new Uint8Array(result);
}

test('fuzz: random bytes are read or refused, by every reader', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
    for (const read of readers) tame(() => read(bytes));
    const verdict = trust.judge({ type: CertificateType.x509, chain: [bytes], role: 'server', serverName: 'server.test', wallClock: NOW });
    assert.not.ok(verdict.trusted);
  }), { seed: SEED, numRuns: 3000 });
});

test('fuzz: certificates, lists and keys with changes are read or refused', () => {
  const sources = [root.der, middle.der, leaf.der, rsa.der, list, leaf.key.spki, rsa.key.spki];
  fc.assert(fc.property(fc.constantFrom(...sources), fc.array(change, { minLength: 1, maxLength: 4 }), (source, changes) => {
    const bytes = changed(source, changes);
    for (const read of readers) tame(() => read(bytes));
  }), { seed: SEED, numRuns: 6000 });
});

test('every single bit of a leaf and of an intermediate matters: none can be flipped and the chain still be believed', () => {
  const verdict = (chain: Uint8Array[]): boolean => trust.judge({ type: CertificateType.x509, chain, role: 'server', serverName: 'server.test', wallClock: NOW }).trusted;
  const chain = [new Uint8Array(leaf.der), new Uint8Array(middle.der)] as const;
  assert.ok(verdict([...chain]));
  for (const index of [0, 1] as const) {
    for (let bit = 0; bit < chain[index].length * 8; bit += 5) {
      const flipped = chain[index].slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      assert.not.ok(verdict(index === 0 ? [flipped, chain[1]] : [chain[0], flipped]), `certificate ${index}, bit ${bit}`);
    }
  }
});

test('fuzz: chains with changes are judged without an exception, quickly, and never believed', () => {
  const chain = [leaf.der, middle.der, rsa.der, root.der];
  fc.assert(fc.property(fc.nat(1), fc.array(change, { minLength: 1, maxLength: 3 }), fc.constantFrom('client' as const, 'server' as const), (index, changes, role) => {
    const shown = chain.map((der, at) => (at === index ? changed(der, changes) : new Uint8Array(der)));
    if (Buffer.from(shown[index]!).equals(chain[index]!)) return;
    quick(() => {
      const { trusted, alert, reason } = trust.judge({ type: CertificateType.x509, chain: shown, role, serverName: role === 'server' ? 'server.test' : null, wallClock: NOW });
      assert.not.ok(trusted);
      assert.ok(alert >= 42 && alert <= 48 && reason.length > 10 && /^[\x20-\x7e\u00a1-\u024f…]*$/.test(reason), reason);
    });
  }), { seed: SEED, numRuns: 2000 });
});

test('fuzz: raw keys with changes are judged without an exception and never believed', () => {
  const { spki } = keyPair('leaf');
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    const bytes = changed(spki, changes);
    if (Buffer.from(bytes).equals(spki)) return;
    assert.not.ok(trust.judge({ type: CertificateType.rawKey, chain: [bytes], role: 'client', serverName: null, wallClock: NOW }).trusted);
  }), { seed: SEED, numRuns: 2000 });
});

test('fuzz: any text is PEM or is refused, any name is a name or is none', () => {
  const pieces = fc.constantFrom('-----BEGIN X-----', '-----END X-----', '-----BEGIN ', '\n', 'AAAA', '=', ' ', '-', 'Proc-Type: 4', '\r', pem(list, 'X509 CRL'));
  fc.assert(fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), (parts) => {
    tame(() => readPem(parts.join('')));
  }), { seed: SEED, numRuns: 2000 });
  const certificate = parseCertificate(leaf.der);
  const labels = fc.array(fc.constantFrom('*', 'a', 'test', 'server', '', '1', 'xn--a', '::', ':', '%', '_', '-', '\u00e4', '\0'), { maxLength: 6 }).map((all) => all.join('.'));
  fc.assert(fc.property(fc.oneof(labels, fc.string()), (name) => {
    parseReference(name);
    const right = ['server.test', 'server.test.', 'urn:x', '10.1.2.3'].includes(name) || /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.a\.test\.?$/i.test(name);
    assert.is(isForName(certificate, name), right, name);
  }), { seed: SEED, numRuns: 3000 });
});

test('every authority that the platform carries can be read', () => {
  const store = trustStore({ provider: testProvider, authorities: rootCertificates });
  assert.equal(store.types, [CertificateType.x509]);
});

test.run();
