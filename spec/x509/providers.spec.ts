/**
 * Chains and credentials before the providers of lib/: whoever checks the signatures, the verdict is the same.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCredential } from '../../lib/credentials/credential.js';
import { trustStore } from '../../lib/credentials/trust.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { LocalError } from '../../lib/wire/errors.js';
import { NOW, bits, dnsName, hex, keyPair, mintAuthority, mintList, mintServer, oid, pem, sequence, subjectAltName, type Minted } from './support/mint.js';
import { costOf, verdictOf } from './support/judge.js';
import { testProvider } from './support/provider.js';

const providers = [nobleProvider, nativeProvider, testProvider];
const KINDS = [['prime256v1', 'ecdsaSha256'], ['secp384r1', 'ecdsaSha384'], ['secp521r1', 'ecdsaSha512'], ['prime256v1', 'ecdsaSha512'], ['ed25519', 'ed25519'], ['rsa2048', 'rsaSha256']] as const;

/** The verdict of every provider, which is one. */
function verdict(chain: readonly (Minted | Uint8Array)[], authorities: readonly Minted[], lists?: readonly Uint8Array[]): string {
  const verdicts = providers.map((provider) => verdictOf(chain, { authorities, provider, revocationLists: lists }));
  for (const [index, one] of verdicts.entries()) assert.is(one, verdicts[0], providers[index]!.name);
  return verdicts[0]!;
}

for (const [kind, algorithm] of KINDS) {
  test(`every provider believes a chain of ${kind} signed by ${algorithm}, and none with another bit in it`, () => {
    const root = mintAuthority('Root', { key: keyPair('root', kind), algorithm });
    const middle = mintAuthority('Middle', { key: keyPair('middle', kind), issuer: root, algorithm });
    const leaf = mintServer(middle, undefined, { key: keyPair('leaf', kind), algorithm });
    assert.is(verdict([leaf, middle], [root]), 'trusted');
    const spoiled = new Uint8Array(leaf.der);
    spoiled[spoiled.length - 3]! ^= 4;
    assert.match(verdict([spoiled, middle], [root]), 'bad_certificate: the signature on the certificate of server.test');
    assert.match(verdict([mintServer(middle, undefined, { signedBy: keyPair('Mallory', kind), algorithm }), middle], [root]), 'bad_certificate: the signature');
  });
}

test('every provider refuses a point off the curve and a modulus that is short, in a leaf and in an authority', () => {
  const point = (first: number): Buffer => bits(Buffer.concat([hex('04'), Buffer.alloc(64, first)]));
  const off = sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), point(1));
  const root = mintAuthority('Root');
  assert.match(verdict([mintServer(root, undefined, { spki: off })], [root]), 'unsupported_certificate: the key of the certificate of server.test cannot be used: an EC key on secp256r1');
  const weak = mintAuthority('Weak', { key: keyPair('weak', 'rsa1024') });
  assert.match(verdict([mintServer(weak)], [weak]), 'unsupported_certificate: the key of "Weak" cannot be used');
});

test('every provider believes a revocation list, and not a forged one', () => {
  const root = mintAuthority('Root');
  const leaf = mintServer(root, undefined, { serial: hex('020177') });
  assert.is(verdict([leaf], [root], [mintList(root)]), 'trusted');
  assert.match(verdict([leaf], [root], [mintList(root, { serials: [hex('020177')] })]), 'certificate_revoked');
  assert.match(verdict([leaf], [root], [mintList(root, { signedBy: keyPair('Mallory') })]), 'certificate_unknown');
});

test('1,000 intermediates of one name are judged in bounded time by every provider', () => {
  const root = mintAuthority('Root');
  const crowd = Array.from({ length: 1000 }, (_, index) => mintAuthority('Crowd', { key: keyPair(`crowd ${index % 50}`), issuer: root }));
  const leaf = mintServer({ ...crowd[0]!, key: keyPair('somebody else') });
  for (const provider of providers) {
    const trust = trustStore({ provider, authorities: root.der });
    const chain = [leaf, ...crowd].map(({ der }) => new Uint8Array(der));
    const shown = { type: CertificateType.x509, chain, role: 'server', serverName: 'server.test', wallClock: NOW } as const;
    const cost = costOf(() => assert.not.ok(trust.judge(shown).trusted), 100);
    assert.ok(cost < 100, `${provider.name}: ${Math.round(cost)} ms`);
  }
});

for (const kind of ['prime256v1', 'secp384r1', 'ed25519', 'rsa2048']) {
  test(`a credential of ${kind} signs with every provider that can, and its signature holds before the others`, () => {
    const leaf = mintServer(null, undefined, { key: keyPair('leaf', kind), extensions: [subjectAltName(dnsName('server.test'))] });
    const key = leaf.key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    for (const provider of providers) {
      if (kind === 'rsa2048' && provider === nobleProvider) {
        assert.throws(() => loadCredential({ certificate: pem(leaf.der), key }, provider), (error: Error) => error instanceof LocalError && /cannot sign with an RSA key/.test(error.message));
        continue;
      }
      const { signer, publicKey } = loadCredential({ certificate: pem(leaf.der), key }, provider);
      const message = new Uint8Array([1, 2, 3]);
      for (const scheme of signer.schemes) {
        const signature = signer.sign(scheme, message) as Uint8Array;
        for (const other of providers) assert.ok(other.signatures[publicKey.kind]!.verifier(publicKey)!.verify(scheme, message, signature), `${provider.name} to ${other.name}`);
      }
    }
  });
}

test.run();
