import { createPublicKey, verify } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { externalCredential, loadCredential, rawCredential, type CredentialSource } from '../../lib/credentials/credential.js';
import { SignatureScheme } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { composeProvider, type Provider } from '../../lib/crypto/provider.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import { LocalError } from '../../lib/wire/errors.js';
import { dnsName, hex, keyPair, keyUsage, mintAuthority, mintServer, pem, subjectAltName, type KeyPair } from '../x509/support/mint.js';
import { testProvider } from '../x509/support/provider.js';

const root = mintAuthority('Root');
const middle = mintAuthority('Middle', { issuer: root });
const server = mintServer(middle, [dnsName('*.server.test'), dnsName('server.test')]);
const chain = pem(server.der) + pem(middle.der);
const bare = composeProvider('bare', { hashes: nativeProvider.hashes });

const keyOf = ({ privateKey }: KeyPair): string => privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** The message of the LocalError that this source leads to. */
function refusal(source: CredentialSource, provider: Provider = testProvider): string {
  try {
    loadCredential(source, provider);
  } catch (error) {
    assert.instance(error, LocalError, String(error));
    assert.is((error as LocalError).code, 'ERR_DTLS_CREDENTIAL');
    return (error as Error).message;
  }
  return 'taken';
}

test('a chain and a key make a credential that names its issuers and its names, and signs', () => {
  const credential = loadCredential({ certificate: chain, key: keyOf(server.key), name: 'server.pem' }, testProvider);
  assert.is(credential.type, CertificateType.x509);
  assert.equal(credential.chain.map((der) => Buffer.from(der).toString('hex')), [server.der.toString('hex'), middle.der.toString('hex')]);
  assert.equal(credential.issuers.map((name) => [...name]), [[...middle.subject], [...root.subject]]);
  assert.equal(['server.test', 'a.server.test', 'a.b.server.test', 'other.test', ''].map((name) => credential.names?.(name)), [true, true, false, false, false]);
  const message = new Uint8Array([1, 2, 3]);
  const signature = credential.signer.sign(SignatureScheme.ecdsaSha256, message);
  assert.instance(signature, Uint8Array);
  assert.ok(verify('sha256', message, createPublicKey(keyOf(server.key)), signature as Uint8Array));
});

test('certificate and key may stand in one text, come as bytes, or as DER one by one', () => {
  const key = keyOf(server.key);
  const together = key + chain;
  assert.is(loadCredential({ certificate: together, key: together }, testProvider).chain.length, 2);
  assert.is(loadCredential({ certificate: new Uint8Array(Buffer.from(chain)), key: new Uint8Array(Buffer.from(key)) }, testProvider).chain.length, 2);
  const der = new Uint8Array(server.key.privateKey.export({ type: 'sec1', format: 'der' }));
  assert.is(loadCredential({ certificate: [new Uint8Array(server.der), middle.der], key: der }, testProvider).chain.length, 2);
});

test('Ed25519 and RSA make credentials too', () => {
  for (const kind of ['ed25519', 'rsa2048', 'secp384r1', 'secp521r1']) {
    const leaf = mintServer(root, undefined, { key: keyPair('leaf', kind) });
    const credential = loadCredential({ certificate: leaf.der, key: keyOf(leaf.key) }, testProvider);
    const scheme = credential.signer.schemes[0]!;
    assert.instance(credential.signer.sign(scheme, new Uint8Array(4)), Uint8Array, kind);
  }
});

test('a raw key shows its SubjectPublicKeyInfo', () => {
  const credential = loadCredential({ rawKey: true, key: keyOf(server.key) }, testProvider);
  assert.is(credential.type, CertificateType.rawKey);
  assert.equal(credential.chain.map((der) => Buffer.from(der).toString('hex')), [server.key.spki.toString('hex')]);
  assert.equal(credential.issuers, []);
});

test('a key that is not of the certificate is refused, and a wrong order says so', () => {
  const key = keyOf(server.key);
  assert.is(refusal({ certificate: chain, key: keyOf(keyPair('other')), name: 'server.pem' }), 'server.pem: the key (an EC key on secp256r1) does not belong to the certificate of *.server.test');
  assert.is(refusal({ certificate: pem(middle.der) + pem(server.der), key, name: 'server.pem' }), 'server.pem: the key belongs to certificate 2 of the chain: the leaf must stand first, then each issuer');
  const upsideDown = pem(server.der) + pem(root.der) + pem(middle.der);
  assert.is(refusal({ certificate: upsideDown, key, name: 'server.pem' }), 'server.pem: certificate 2 (Root) did not issue certificate 1 (*.server.test): the leaf goes first, then each issuer');
});

test('an encrypted key, junk, an unsupported curve, a missing part: the error names the source and the reason', () => {
  const key = keyOf(server.key);
  const encrypted = server.key.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }) as string;
  const name = 'device.pem';
  assert.is(refusal({ certificate: chain, key: encrypted, name }), 'device.pem, key: the key is encrypted: decrypt it first (openssl pkey -in … -out …)');
  assert.is(refusal({ certificate: chain, key: 'junk', name }), 'device.pem, key: it holds no PEM block (no line "-----BEGIN …-----") and is no DER');
  assert.is(refusal({ certificate: chain, key: chain, name }), 'device.pem, key: it holds no private key but "CERTIFICATE", "CERTIFICATE"');
  assert.is(refusal({ certificate: key, key, name }), 'device.pem, certificate: no certificate in it but "PRIVATE KEY"');
  assert.is(refusal({ certificate: chain.replace('MII', 'M*I'), key, name }), 'device.pem, certificate: PEM line 2 holds a character that is not base64');
  assert.is(refusal({ certificate: pem(server.der) + pem(hex('3000')), key, name }), 'device.pem, certificate: certificate 2: a DER element is cut off');
  assert.is(refusal({ certificate: chain, key: keyOf(keyPair('k1', 'secp256k1')), name }), 'device.pem, key: an EC key on secp256k1, which is not supported');
  assert.is(refusal({ key, name }), 'device.pem: it needs either a certificate or rawKey: true');
  assert.is(refusal({ certificate: chain, rawKey: true, key }), 'the credential: it needs either a certificate or rawKey: true');
  assert.is(refusal({ certificate: chain, key: undefined as never, name }), 'device.pem: its key is neither text nor bytes');
  assert.is(refusal({ certificate: 7 as never, key, name }), 'device.pem, certificate: neither text nor bytes nor a list of them');
  assert.is(refusal({ certificate: chain, key, name }, bare), 'device.pem, key: the provider bare cannot sign with an EC key like this one');
});

test('two keys in one file, a key encrypted the old way, a chain with a gap, a certificate on an unsupported curve', () => {
  const key = keyOf(server.key);
  const name = 'device.pem';
  assert.is(refusal({ certificate: chain, key: key + keyOf(keyPair('other')), name }), 'device.pem, key: it holds 2 private keys, where one belongs');
  const old = server.key.privateKey.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }) as string;
  assert.is(refusal({ certificate: chain, key: old, name }), 'device.pem, key: the key is encrypted: decrypt it first (openssl pkey -in … -out …)');
  assert.is(refusal({ certificate: pem(server.der) + pem(root.der), key, name }), 'device.pem: certificate 2 (Root) did not issue certificate 1 (*.server.test): the leaf goes first, then each issuer');
  const k1 = mintServer(root, undefined, { key: keyPair('k1', 'secp256k1') });
  assert.is(refusal({ certificate: k1.der, key, name }), 'device.pem: the key (an EC key on secp256r1) does not belong to the certificate of server.test');
  assert.is(refusal({ certificate: [chain, 'junk'], key, name }), 'device.pem, certificate (2 of 2): it holds no PEM block (no line "-----BEGIN …-----") and is no DER');
  assert.is(refusal({ certificate: chain.slice(0, 200), key, name }), 'device.pem, certificate: PEM block "CERTIFICATE" from line 1 has no end');
});

test('an RSA key whose numbers do not belong together is refused when it is loaded', () => {
  const whole = new Uint8Array(keyPair('rsa', 'rsa2048').privateKey.export({ type: 'pkcs1', format: 'der' }));
  assert.is(loadCredential({ rawKey: true, key: whole }, nativeProvider).publicKey.kind, 'rsa');
  const damaged = whole.slice();
  // In the midst of the modulus.
  damaged[100]! ^= 1;
  for (const provider of [nativeProvider, testProvider]) {
    assert.is(refusal({ rawKey: true, key: damaged, name: 'it.key' }, provider), 'it.key, key: it is damaged: its public half does not verify what it signs');
  }
});

test('a certificate that is not for signatures is refused when it is loaded', () => {
  const leaf = mintServer(root, undefined, { extensions: [subjectAltName(dnsName('server.test')), keyUsage(2)] });
  assert.is(refusal({ certificate: leaf.der, key: keyOf(leaf.key) }), 'the credential: the certificate of server.test is not for signatures (keyUsage has no digitalSignature)');
});

test('an external credential signs by the host, now or later', async () => {
  const seen: number[] = [];
  const sign = (scheme: SignatureScheme, message: Uint8Array): Promise<Uint8Array> => {
    seen.push(scheme);
    return Promise.resolve(message.slice(0, 1));
  };
  const schemes = [SignatureScheme.ecdsaSha256];
  const certified = externalCredential({ certificate: chain, schemes, sign });
  assert.is(certified.chain.length, 2);
  assert.is(certified.names?.('server.test'), true);
  assert.equal(await certified.signer.sign(SignatureScheme.ecdsaSha256, new Uint8Array([7, 8])), new Uint8Array([7]));
  const raw = externalCredential({ spki: pem(server.key.spki, 'PUBLIC KEY'), schemes, sign });
  assert.is(raw.type, CertificateType.rawKey);
  assert.is(raw.publicKey.kind, 'ec');
  assert.equal(seen, [SignatureScheme.ecdsaSha256]);
});

test('an external credential that does not fit together is refused', () => {
  const sign = (): null => null;
  const schemes = [SignatureScheme.ecdsaSha256];
  const fails = (source: Parameters<typeof externalCredential>[0], words: string): void => {
    assert.throws(() => externalCredential(source), (error: Error) => error instanceof LocalError && error.message.includes(words) || error.message);
  };
  fails({ schemes, sign }, 'it needs either a certificate or spki');
  fails({ certificate: chain, spki: server.key.spki, schemes, sign }, 'it needs either a certificate or spki');
  fails({ certificate: chain, schemes: [], sign }, 'it has no signature schemes');
  fails({ certificate: chain, schemes: [SignatureScheme.rsaPssRsaeSha256], sign, name: 'hsm' }, 'hsm: signature scheme 0x0804 does not fit an EC key on secp256r1');
  fails({ certificate: [], schemes, sign }, 'there is no certificate');
  fails({ spki: 'junk', schemes, sign, name: 'hsm' }, 'hsm, spki: it holds no PEM block');
  fails({ spki: pem(server.key.spki, 'PUBLIC KEY').repeat(2), schemes, sign }, '2 public keys, where one belongs');
  fails({ certificate: mintServer(root, undefined, { key: keyPair('k1', 'secp256k1') }).der, schemes, sign }, 'an EC key on secp256k1');
});

test('a key as tinydtls has it makes a raw credential, if its halves belong together', () => {
  const { spki, privateKey } = server.key;
  const scalar = new Uint8Array(Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url'));
  const [publicKeyX, publicKeyY] = [new Uint8Array(spki.subarray(-64, -32)), new Uint8Array(spki.subarray(-32))];
  const credential = rawCredential({ privateKey: scalar, publicKeyX, publicKeyY }, testProvider);
  assert.is(Buffer.from(credential.chain[0]!).toString('hex'), spki.toString('hex'));
  const signature = credential.signer.sign(SignatureScheme.ecdsaSha256, new Uint8Array(3)) as Uint8Array;
  assert.ok(verify('sha256', new Uint8Array(3), createPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' })), signature));
  assert.throws(() => rawCredential({ privateKey: scalar, publicKeyX: publicKeyY, publicKeyY: publicKeyX }, testProvider), /its public key is not that of its private key/);
  assert.throws(() => rawCredential({ privateKey: scalar.slice(1), publicKeyX, publicKeyY }, testProvider), /32 bytes/);
});

test.run();
