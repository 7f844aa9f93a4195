import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PeerError } from '../../lib/wire/errors.js';
import { describeKey, readPublicKey, writePublicKey } from '../../lib/x509/keys.js';
import { decodeBase64, readPem } from '../../lib/x509/pem.js';
import { readPrivateKey } from '../../lib/x509/privatekeys.js';
import { bits, hex, integer, keyPair, octets, oid, pem, sequence, tlv } from './support/mint.js';
import { fromKeyObject, privateKeyObject, publicKeyObject } from './support/provider.js';

/** The same numbers on every run. */
const SEED = 20261121;
const KINDS = ['prime256v1', 'secp384r1', 'secp521r1', 'ed25519', 'rsa2048'] as const;

/** Throws a PeerError whose words match; its alert decides whether it is broken or unsupported. */
function refuses(act: () => unknown, words: string | RegExp, code: string = 'ERR_DTLS_DECODE'): void {
  try {
    act();
  } catch (error) {
    assert.instance(error, PeerError, String(error));
    assert.match((error as PeerError).message, words);
    assert.is((error as PeerError).code, code);
    return;
  }
  assert.unreachable(`nothing was thrown about "${words}"`);
}

const UNSUPPORTED = 'ERR_DTLS_CERTIFICATE';

for (const kind of KINDS) {
  test(`a public key is read as Node reads it, and written back the same (${kind})`, () => {
    const { spki, publicKey } = keyPair('public', kind);
    const key = readPublicKey(spki);
    assert.equal(key, fromKeyObject(publicKey));
    assert.is(Buffer.from(writePublicKey(key)).toString('hex'), spki.toString('hex'));
    assert.ok(publicKeyObject(key)!.equals(publicKey));
  });

  test(`a private key is read from every form that Node writes (${kind})`, () => {
    const { privateKey } = keyPair('private', kind);
    const forms = kind === 'ed25519' ? ['pkcs8'] : kind.startsWith('rsa') ? ['pkcs8', 'pkcs1'] : ['pkcs8', 'sec1'];
    for (const type of forms as 'pkcs8'[]) {
      const der = privateKey.export({ type, format: 'der' });
      const text = privateKey.export({ type, format: 'pem' }) as string;
      for (const source of [new Uint8Array(der), text, new Uint8Array(Buffer.from(text))]) {
        assert.ok(privateKeyObject(readPrivateKey(source)).equals(privateKey), type);
      }
    }
  });
}

test('a key for people', () => {
  assert.equal(KINDS.map((kind) => describeKey(readPublicKey(keyPair('public', kind).spki))), [
    'an EC key on secp256r1', 'an EC key on secp384r1', 'an EC key on secp521r1', 'an Ed25519 key', 'an RSA key of 2048 bits',
  ]);
});

test('public keys of other kinds are refused by name', () => {
  const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).publicKey.export({ type: 'spki', format: 'der' });
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
  const ed448 = generateKeyPairSync('ed448').publicKey.export({ type: 'spki', format: 'der' });
  const x25519 = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' });
  refuses(() => readPublicKey(dsa), 'a key for DSA', UNSUPPORTED);
  refuses(() => readPublicKey(pss), 'a key for RSASSA-PSS', UNSUPPORTED);
  refuses(() => readPublicKey(ed448), 'a key for Ed448', UNSUPPORTED);
  refuses(() => readPublicKey(x25519), 'a key for X25519, which agrees and does not sign', UNSUPPORTED);
  refuses(() => readPublicKey(keyPair('k', 'secp256k1').spki), 'an EC key on secp256k1', UNSUPPORTED);
  refuses(() => readPublicKey(keyPair('b', 'brainpoolP256r1').spki), 'an EC key on brainpoolP256r1', UNSUPPORTED);
});

test('explicit parameters and compressed points are refused in public and private keys', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1', paramEncoding: 'explicit' });
  refuses(() => readPublicKey(publicKey.export({ type: 'spki', format: 'der' })), 'explicit parameters', UNSUPPORTED);
  refuses(() => readPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })), 'explicit parameters', UNSUPPORTED);
  refuses(() => readPrivateKey(privateKey.export({ type: 'sec1', format: 'pem' })), 'explicit parameters', UNSUPPORTED);
  const compressed = sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bits(Buffer.concat([hex('03'), Buffer.alloc(32, 7)])));
  refuses(() => readPublicKey(compressed), 'a compressed point', UNSUPPORTED);
});

test('a public key has one encoding', () => {
  const { spki } = keyPair('public', 'prime256v1');
  const rsa = (...numbers: Buffer[]): Buffer => sequence(sequence(oid('1.2.840.113549.1.1.1'), tlv(5)), bits(sequence(...numbers)));
  refuses(() => readPublicKey(Buffer.concat([spki, hex('00')])), 'a SubjectPublicKeyInfo has 1 bytes too many');
  refuses(() => readPublicKey(spki.subarray(0, -1)), 'past the end');
  refuses(() => readPublicKey(sequence(sequence(oid('1.3.101.112'), tlv(5)), bits(Buffer.alloc(32)))), 'Ed25519');
  refuses(() => readPublicKey(sequence(sequence(oid('1.3.101.112')), bits(Buffer.alloc(31)))), 'an Ed25519 key of 31 bytes');
  refuses(() => readPublicKey(sequence(sequence(oid('1.2.840.113549.1.1.1')), bits(sequence(integer(5), integer(3))))), 'the end where');
  refuses(() => readPublicKey(rsa(hex('0201ff'), integer(3))), 'negative');
  refuses(() => readPublicKey(rsa(hex('02020001'), integer(3))), 'longer than need be');
  refuses(() => readPublicKey(rsa(integer(0), integer(3))), 'an RSA key of zero');
  refuses(() => readPublicKey(rsa(integer(5), integer(3), integer(1))), 'bytes too many');
  refuses(() => readPublicKey(new Uint8Array(0)), 'the end');
});

test('an encrypted key is refused with the way out, in each of its forms', () => {
  const { privateKey } = keyPair('private', 'prime256v1');
  const secret = { cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }) as string;
  const sec1 = privateKey.export({ type: 'sec1', format: 'pem', ...secret }) as string;
  const der = privateKey.export({ type: 'pkcs8', format: 'der', ...secret });
  for (const source of [pkcs8, sec1, new Uint8Array(der), pkcs8.replace(/ENCRYPTED /g, '')]) {
    refuses(() => readPrivateKey(source), 'the key is encrypted: decrypt it first', UNSUPPORTED);
  }
});

test('a private key stands among other blocks, alone of its kind', () => {
  const { privateKey, spki } = keyPair('private', 'prime256v1');
  const text = privateKey.export({ type: 'sec1', format: 'pem' }) as string;
  const parameters = pem(oid('1.2.840.10045.3.1.7'), 'EC PARAMETERS');
  assert.ok(privateKeyObject(readPrivateKey(`${parameters}${text}${pem(spki, 'PUBLIC KEY')}`)).equals(privateKey));
  refuses(() => readPrivateKey(text + text), 'it holds 2 private keys, where one belongs');
  refuses(() => readPrivateKey(pem(spki, 'PUBLIC KEY')), 'it holds no private key but "PUBLIC KEY"');
  refuses(() => readPrivateKey(spki), 'encrypted', UNSUPPORTED);
});

test('private keys that do not fit together are refused', () => {
  const scalar = Buffer.alloc(32, 1);
  const p256 = oid('1.2.840.10045.3.1.7');
  const sec1 = (digits: Uint8Array, ...rest: Uint8Array[]): Buffer => sequence(integer(1), octets(digits), ...rest);
  const pkcs8 = (parameters: Buffer, key: Uint8Array): Buffer => sequence(integer(0), sequence(oid('1.2.840.10045.2.1'), parameters), octets(key));
  refuses(() => readPrivateKey(sec1(scalar)), 'does not say its curve');
  refuses(() => readPrivateKey(pkcs8(p256, sec1(scalar, tlv(0xa0, oid('1.3.132.0.34'))))), 'an EC private key on secp256r1 that says secp384r1');
  refuses(() => readPrivateKey(sec1(Buffer.alloc(33, 1), tlv(0xa0, p256))), 'an EC private key of 33 bytes on secp256r1');
  refuses(() => readPrivateKey(pkcs8(oid('1.3.132.0.10'), sec1(scalar))), 'an EC key on secp256k1', UNSUPPORTED);
  refuses(() => readPrivateKey(sequence(integer(0), sequence(oid('1.3.101.113')), octets(octets(Buffer.alloc(57))))), 'algorithm 1.3.101.113', UNSUPPORTED);
  refuses(() => readPrivateKey(sequence(integer(0), sequence(oid('1.3.101.112')), octets(octets(Buffer.alloc(31))))), 'an Ed25519 private key of 31 bytes');
  refuses(() => readPrivateKey(sequence(integer(1), ...new Array<Buffer>(8).fill(integer(7)))), 'more than two primes', UNSUPPORTED);
  refuses(() => readPrivateKey(sequence(integer(0), ...new Array<Buffer>(7).fill(integer(7)))), 'the end where');
  const short = readPrivateKey(sec1(Buffer.alloc(31, 1), tlv(0xa0, p256)));
  assert.equal(short, { kind: 'ec', curve: 'secp256r1', scalar: new Uint8Array([0, ...Buffer.alloc(31, 1)]) });
});

test('PKCS#8 of version 2, with its public key, is read (RFC 8410 §10.3, RFC 5958)', () => {
  const text = `-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----`;
  const key = readPrivateKey(text);
  assert.is(key.kind, 'ed25519');
  assert.is(Buffer.from(key.kind === 'ed25519' ? key.seed : []).toString('hex'), 'd4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842');
});

test('PEM is read with text around it, any line ends, blanks at the ends of lines', () => {
  const { spki } = keyPair('public', 'prime256v1');
  const text = pem(spki, 'PUBLIC KEY');
  const variants = [text, text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r'), `Subject: x\n# note\n${text}\nmore`, text.replaceAll('\n', ' \t\n'), `\ufeff${text}`, text.trimEnd()];
  for (const variant of variants) {
    const blocks = readPem(variant);
    assert.is(blocks.length, 1);
    assert.is(Buffer.from(blocks[0]!.der).toString('hex'), spki.toString('hex'));
  }
  assert.equal(readPem(text + text.replaceAll('PUBLIC', 'OTHER')).map(({ label }) => label), ['PUBLIC KEY', 'OTHER KEY']);
});

test('what is no PEM is refused, and the error says what and where', () => {
  const good = pem(Buffer.alloc(100, 7), 'X');
  const lines = good.split('\n');
  const without = (index: number): string => lines.filter((_, at) => at !== index).join('\n');
  const faults: [string, string][] = [
    ['', 'it is empty'],
    [' \n ', 'it is empty'],
    ['hello', 'it holds no PEM block (no line "-----BEGIN …-----") and is no DER'],
    [without(0), 'PEM line 3 is'],
    [lines.slice(0, 3).join('\n'), 'PEM block "X" from line 1 has no end'],
    [good.replace('END X', 'END Y'), 'PEM block "X" from line 1 ends as "Y"'],
    [good.replace('BEGIN X-----', 'BEGIN X----'), 'PEM line 1 looks like a boundary and is none'],
    [lines.slice(0, 2).join('\n') + '\n' + good, 'PEM block "X" from line 1 has no end before line 3'],
    [good.replace('BwcH', 'Bw*H'), 'PEM line 2 holds a character that is not base64'],
    [good.replace('BwcH', 'BwcHB'), 'PEM block "X" from line 1 is no whole base64'],
    [good.replace('BwcH', 'Bw=='), 'PEM line 2 holds a character that is not base64'],
    [good.replace('\nBwcH', '\nKey: value\n\nBwcH'), 'PEM line 2 is a header, which RFC 7468 does not have'],
    [good.replace('\nBwcH', '\nProc-Type: 4,ENCRYPTED\n\nBwcH'), 'the key is encrypted'],
  ];
  for (const [text, words] of faults) {
    refuses(() => readPem(text), words.startsWith('PEM line 3') ? 'ends a block that did not begin' : words, words.includes('encrypted') ? UNSUPPORTED : 'ERR_DTLS_DECODE');
  }
});

test('base64 is canonical', () => {
  assert.equal([...decodeBase64('', 'it')], []);
  assert.equal([...decodeBase64('/+8=', 'it')], [0xff, 0xef]);
  for (const wrong of ['A', 'AA', 'AAA', 'AA=', 'AB==', 'AAB=', 'A===', '====', 'AA==AAAA', 'A-A=', 'AA\n=']) refuses(() => decodeBase64(wrong, 'it'), 'it is no');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    assert.equal(decodeBase64(Buffer.from(bytes).toString('base64'), 'it'), bytes);
  }), { seed: SEED, numRuns: 500 });
});

test('no error about a key holds a piece of it, and what is given is left as it was', () => {
  const { privateKey } = keyPair('private', 'prime256v1');
  const der = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const text = pem(der, 'PRIVATE KEY');
  const before = Buffer.from(der).toString('hex');
  readPrivateKey(der);
  assert.is(Buffer.from(der).toString('hex'), before);
  for (let at = 0; at < text.length; at++) {
    const spoiled = `${text.slice(0, at)}*${text.slice(at + 1)}`;
    try {
      readPrivateKey(spoiled);
    } catch (error) {
      assert.instance(error, PeerError);
      const { message } = error as Error;
      for (let i = 0; i + 12 < text.length; i++) if (i > 28 && i < text.length - 40) assert.not.ok(message.includes(text.slice(i, i + 12)), message);
    }
  }
});

test('fuzz: a private key with a byte changed is read or refused, never anything else', () => {
  const sources = KINDS.map((kind) => keyPair('private', kind).privateKey.export({ type: 'pkcs8', format: 'der' }));
  fc.assert(fc.property(fc.constantFrom(...sources), fc.nat(), fc.integer({ min: 1, max: 255 }), (der, where, difference) => {
    const changed = new Uint8Array(der);
    changed[where % Math.min(changed.length, 200)]! ^= difference;
    try {
      readPrivateKey(changed);
    } catch (error) {
      assert.instance(error, PeerError, String(error));
    }
  }), { seed: SEED, numRuns: 2000 });
});

test('the test provider says of a key what Node says', () => {
  for (const kind of KINDS) {
    const { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject } = keyPair('private', kind);
    assert.ok(createPublicKey(privateKeyObject(readPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string))).equals(publicKey));
    assert.ok(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).equals(privateKey));
  }
});

test.run();
