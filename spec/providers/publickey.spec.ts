import { constants, generateKeyPairSync, sign, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readEcdsaSignature } from '../../lib/crypto/ecdsa-der.js';
import { SignatureScheme, type CurveName, type GroupName } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import type { Provider } from '../../lib/crypto/provider.js';
import { concat } from '../../lib/wire/bytes.js';
import { bundle } from '../laws/bundles.js';
import { hex, pattern } from './check.js';
import { NOBLE_TRAITS, nativeTraits, publicKeyAgreement, publicKeyChecks } from './publickey.js';
import { ECDSA_SCHEMES, signature, signerOf, verifierOf } from './publickey-ecdsa.js';
import { bytes, bytesOf, edited, edits } from './publickey-edits.js';
import { drawing, secretLength } from './publickey-groups.js';
import { bigEndian, honestPoint, littleEndian, numberOf, oddPoints, wrongCoordinates, wrongPoints } from './publickey-points.js';
import { RSA_SCHEMES, rsaPublicKey } from './publickey-rsa.js';
import { RSA_TEST_KEYS } from './publickey-rsakeys.js';
import { ECDSA_VECTORS } from './publickey-vectors.js';

const providers: readonly [Provider, Provider] = [nobleProvider, nativeProvider];

/** The same numbers on every run. */
const SEED = 20261121;

for (const { name, run } of publicKeyChecks(nobleProvider, NOBLE_TRAITS)) test(name, run);
for (const { name, run } of publicKeyChecks(nativeProvider, nativeTraits('node'))) test(name, run);
for (const { name, run } of publicKeyAgreement(nobleProvider, nativeProvider)) test(name, run);

test('on Node both providers have every group and every kind of signature', () => {
  for (const { groups, signatures } of providers) {
    assert.equal(Object.keys(groups).sort(), ['secp256r1', 'secp384r1', 'x25519']);
    assert.equal(Object.keys(signatures).sort(), ['ec', 'ed25519', 'rsa']);
  }
});

/** What each provider says, which must be the same; returned for those who want to count. */
function sameVerdict<T>(ask: (provider: Provider) => T): T {
  const [first, second] = providers.map(ask) as [T, T];
  assert.equal(second, first);
  return first;
}

for (const name of ['x25519', 'secp256r1', 'secp384r1'] as const satisfies readonly GroupName[]) {
  test(`fuzz: both providers agree alike with whatever a peer sends (${name})`, () => {
    const length = secretLength(name);
    const shares = new Map(providers.map((provider) => [provider, provider.groups[name]!.generate(drawing(pattern(length, 21)))]));
    const [odd, wrong] = name === 'x25519' ? [[], wrongCoordinates()] : [oddPoints(name), wrongPoints(name)];
    const starts = [honestPoint(name), ...[...odd, ...wrong].map((entry) => entry.bytes)];
    const size = name === 'x25519' ? 32 : 1 + 2 * length;
    const garbage = bytesOf(size).map((each) => (name === 'x25519' ? each : concat(Uint8Array.of(4), each.subarray(1))));
    const values = fc.oneof(garbage, fc.tuple(fc.constantFrom(...starts), edits).map(([start, changes]) => edited(start, changes)), bytes(2 * size));
    const property = fc.property(values, (value) => {
      sameVerdict((provider) => hexOrNull(shares.get(provider)!.agree(value)));
    });
    fc.assert(property, { seed: SEED, numRuns: 250 });
  });
}

test('fuzz: the reader of ECDSA signatures takes exactly what DER writes', () => {
  const value = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 528n - 1n }));
  const property = fc.property(value, value, fc.constantFrom(32, 48, 66), edits, (r, s, size, changes) => {
    const der = signature(r, s);
    const fits = [r, s].every((each) => each < 1n << BigInt(8 * size));
    assert.equal(readEcdsaSignature(der, size), fits ? concat(bigEndian(r, size), bigEndian(s, size)) : null);
    const other = edited(der, changes);
    const pair = readEcdsaSignature(other, size);
    if (pair !== null) assert.equal(signature(numberOf(pair.subarray(0, size)), numberOf(pair.subarray(size))), other);
  });
  fc.assert(property, { seed: SEED, numRuns: 3000 });
});

test('the reader of ECDSA signatures takes no integer without bytes', () => {
  assert.is(readEcdsaSignature(hex('3005 0200 020101'), 32), null);
  assert.is(readEcdsaSignature(hex('3005 020101 0200'), 32), null);
  assert.equal(readEcdsaSignature(hex('3006 020100 020101'), 2), Uint8Array.of(0, 0, 0, 1));
});

for (const vector of ECDSA_VECTORS) {
  test(`fuzz: both providers give one verdict on any ECDSA signature (${vector.curve})`, () => {
    const signers = providers.map((provider) => signerOf(provider, vector));
    const verifiers = new Map(providers.map((provider) => [provider, verifierOf(provider, vector)]));
    const verdicts = { true: 0, false: 0 };
    const property = fc.property(
      fc.nat(1), fc.constantFrom(...ECDSA_SCHEMES), fc.constantFrom(...ECDSA_SCHEMES), fc.boolean(), bytes(80), edits,
      (who, scheme, other, same, message, changes) => {
        const signed = edited(signers[who]!.sign(scheme, message)!, changes);
        const verdict = sameVerdict((provider) => verifiers.get(provider)!.verify(same ? scheme : other, message, signed));
        verdicts[`${verdict}`]++;
      },
    );
    fc.assert(property, { seed: SEED, numRuns: { secp256r1: 300, secp384r1: 80, secp521r1: 60 }[vector.curve] });
    assert.ok(verdicts.true > 5 && verdicts.false > 5, JSON.stringify(verdicts));
  });
}

test('fuzz: both providers refuse the same EC keys, whatever the bytes', () => {
  const keys = ECDSA_VECTORS.map(({ curve, point, scalar }) => ({ curve, point: hex(point), scalar: hex(scalar) }));
  const property = fc.property(fc.constantFrom(...keys), edits, bytes(140), fc.boolean(), ({ curve, point, scalar }, changes, garbage, any) => {
    const otherPoint = any ? garbage : edited(point, changes);
    const otherScalar = any ? garbage : edited(scalar, changes);
    sameVerdict(({ signatures }) => signatures.ec!.verifier({ kind: 'ec', curve, point: otherPoint }) === null);
    sameVerdict(({ signatures }) => signatures.ec!.publicKey({ kind: 'ec', curve, scalar: otherScalar }));
  });
  fc.assert(property, { seed: SEED, numRuns: 120 });
});

test('fuzz: both providers give one verdict on any Ed25519 key and signature', () => {
  const verdicts = { valid: 0, invalid: 0, refused: 0 };
  const property = fc.property(bytesOf(32), bytes(60), fc.constantFrom('signature', 'key', 'both', 'none'), edits, (seed, message, where, changes) => {
    const key = nobleProvider.signatures.ed25519!.publicKey({ kind: 'ed25519', seed })!;
    const signed = nativeProvider.signatures.ed25519!.signer({ kind: 'ed25519', seed })!.sign(SignatureScheme.ed25519, message)!;
    const usedKey = where === 'key' || where === 'both' ? edited((key as { key: Uint8Array }).key, changes) : (key as { key: Uint8Array }).key;
    const used = where === 'signature' || where === 'both' ? edited(signed, changes) : signed;
    verdicts[ed25519Verdict(usedKey, message, used)]++;
  });
  fc.assert(property, { seed: SEED, numRuns: 400 });
  assert.ok(Object.values(verdicts).every((count) => count > 20), JSON.stringify(verdicts));
});

test('both providers give one verdict on Ed25519 keys and signatures with a component of small order', () => {
  // A = a·B + t·T and R = r·B + u·T, with T of order 8: the equation times 8 always holds, as it stands in one of eight.
  const { Point } = ed25519;
  const torsion = Point.fromBytes(hex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));
  const times = (count: number): InstanceType<typeof Point> => torsion.multiplyUnsafe(BigInt(count));
  const [a, r] = [0x1234567890abcdef1234567890abcdefn, 0xfedcba0987654321fedcba0987654321n];
  const verdicts = { valid: 0, invalid: 0, refused: 0 };
  for (let t = 0; t < 8; t++) {
    for (let u = 0; u < 8; u++) {
      const key = Point.BASE.multiply(a).add(times(t)).toBytes();
      const commitment = Point.BASE.multiply(r).add(times(u)).toBytes();
      const message = Uint8Array.of(t, u);
      const k = numberOf(sha512(concat(commitment, key, message)).reverse());
      verdicts[ed25519Verdict(key, message, concat(commitment, littleEndian((r + k * a) % Point.Fn.ORDER)))]++;
    }
  }
  assert.is(verdicts.refused, 0);
  assert.ok(verdicts.valid >= 4 && verdicts.invalid >= 40, JSON.stringify(verdicts));
});

function ed25519Verdict(key: Uint8Array, message: Uint8Array, signed: Uint8Array): 'valid' | 'invalid' | 'refused' {
  return sameVerdict(({ signatures }) => {
    const verifier = signatures.ed25519!.verifier({ kind: 'ed25519', key });
    return verifier === null ? 'refused' : verifier.verify(SignatureScheme.ed25519, message, signed) ? 'valid' : 'invalid';
  });
}

test('fuzz: both providers refuse the same 32 bytes as an Ed25519 key', () => {
  const refused = { true: 0, false: 0 };
  const property = fc.property(bytesOf(32), (key) => {
    refused[`${sameVerdict(({ signatures }) => signatures.ed25519!.verifier({ kind: 'ed25519', key }) === null)}`]++;
  });
  fc.assert(property, { seed: SEED, numRuns: 300 });
  assert.ok(refused.true > 100 && refused.false > 100, JSON.stringify(refused)); // half of all y are on the curve
});

test('fuzz: both providers give one verdict on any RSA signature', () => {
  const key = RSA_TEST_KEYS[0]!;
  const signer = nativeProvider.signatures.rsa!.signer({ kind: 'rsa', pkcs1: hex(key.pkcs1!) })!;
  const verifiers = new Map(providers.map((provider) => [provider, provider.signatures.rsa!.verifier(rsaPublicKey(key))!]));
  const verdicts = { true: 0, false: 0 };
  const schemes = fc.constantFrom(...RSA_SCHEMES);
  const property = fc.property(schemes, schemes, fc.boolean(), bytes(80), edits, (scheme, other, same, message, changes) => {
    const signed = edited(signer.sign(scheme, message)!, changes);
    verdicts[`${sameVerdict((provider) => verifiers.get(provider)!.verify(same ? scheme : other, message, signed))}`]++;
  });
  fc.assert(property, { seed: SEED, numRuns: 300 });
  assert.ok(verdicts.true > 20 && verdicts.false > 20, JSON.stringify(verdicts));
});

test('a PSS signature that starts with a zero is refused without it, though the platform takes it', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: 'jwk' });
  const verifiers = providers.map(({ signatures }) => signatures.rsa!.verifier({ kind: 'rsa', modulus: fromBase64url(n!), exponent: fromBase64url(e!) })!);
  const signer = nativeProvider.signatures.rsa!.signer({ kind: 'rsa', pkcs1: privateKey.export({ type: 'pkcs1', format: 'der' }) })!;
  let signed = new Uint8Array(1).fill(1);
  for (let tries = 0; signed[0] !== 0; tries++) {
    assert.ok(tries < 20_000, 'no such signature');
    signed = Uint8Array.from(signer.sign(SignatureScheme.rsaPssRsaeSha256, pattern(8, 1))!);
  }
  for (const verifier of verifiers) {
    assert.ok(verifier.verify(SignatureScheme.rsaPssRsaeSha256, pattern(8, 1), signed));
    assert.not.ok(verifier.verify(SignatureScheme.rsaPssRsaeSha256, pattern(8, 1), signed.subarray(1)));
  }
});

for (const modulusLength of [2048, 3072, 4096]) {
  test(`a third opinion: Node signs with ${modulusLength} bits of RSA, and both providers verify it`, () => {
    const pair = generateKeyPairSync('rsa', { modulusLength, publicExponent: modulusLength === 3072 ? 3 : 65_537 });
    const pkcs1 = Uint8Array.from(pair.privateKey.export({ type: 'pkcs1', format: 'der' }));
    const key = nativeProvider.signatures.rsa!.publicKey({ kind: 'rsa', pkcs1 })!;
    const signer = nativeProvider.signatures.rsa!.signer({ kind: 'rsa', pkcs1 })!;
    RSA_SCHEMES.forEach((scheme, index) => {
      const [hash, saltLength] = ([['sha256', 32], ['sha384', 48], ['sha512', 64]] as const)[index % 3]!;
      const padding = index < 3 ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } : { padding: constants.RSA_PKCS1_PADDING };
      const signed = sign(hash, pattern(100, index), { key: pair.privateKey, ...padding });
      assert.ok(sameVerdict(({ signatures }) => signatures.rsa!.verifier(key)!.verify(scheme, pattern(100, index), signed)));
      assert.not.ok(sameVerdict(({ signatures }) => signatures.rsa!.verifier(key)!.verify(scheme, pattern(100, index + 1), signed)));
      assert.ok(verify(hash, pattern(100, index), { key: pair.publicKey, ...padding }, signer.sign(scheme, pattern(100, index))!));
    });
  });
}

test('RSA keys of 2,048 to 8,192 bits are taken, and none beside', () => {
  const exponent = hex('010001');
  for (const bits of [2047, 2048, 2049, 4096, 4097, 8191, 8192, 8193]) {
    const modulus = bigEndian((1n << BigInt(bits - 1)) + numberOf(pattern(100, bits)) * 2n + 1n, Math.ceil(bits / 8));
    const taken = sameVerdict(({ signatures }) => signatures.rsa!.verifier({ kind: 'rsa', modulus, exponent }) !== null);
    assert.is(taken, bits >= 2048 && bits <= 8192, `${bits} bits`);
    if (!taken) continue;
    const signed = pattern(modulus.length, 1).fill(0, 0, 1);
    for (const scheme of RSA_SCHEMES) assert.not.ok(sameVerdict(({ signatures }) => signatures.rsa!.verifier({ kind: 'rsa', modulus, exponent })!.verify(scheme, signed, signed)));
  }
});

test('a third opinion: Node signs with ECDSA and Ed25519, and both providers verify it', () => {
  const names: [CurveName, string][] = [['secp256r1', 'P-256'], ['secp384r1', 'P-384'], ['secp521r1', 'P-521']];
  for (const [curve, namedCurve] of names) {
    const pair = generateKeyPairSync('ec', { namedCurve });
    const { x, y, d } = pair.privateKey.export({ format: 'jwk' });
    const point = concat(Uint8Array.of(4), fromBase64url(x!), fromBase64url(y!));
    assert.equal(sameVerdict(({ signatures }) => signatures.ec!.publicKey({ kind: 'ec', curve, scalar: fromBase64url(d!) })), { kind: 'ec', curve, point });
    ECDSA_SCHEMES.forEach((scheme, index) => {
      const hash = ['sha256', 'sha384', 'sha512'][index]!;
      const signed = sign(hash, point, pair.privateKey);
      assert.ok(sameVerdict(({ signatures }) => signatures.ec!.verifier({ kind: 'ec', curve, point })!.verify(scheme, point, signed)));
      const ours = nobleProvider.signatures.ec!.signer({ kind: 'ec', curve, scalar: fromBase64url(d!) })!.sign(scheme, point)!;
      assert.ok(verify(hash, point, pair.publicKey, ours));
    });
  }
  const pair = generateKeyPairSync('ed25519');
  const { x, d } = pair.privateKey.export({ format: 'jwk' });
  const key = { kind: 'ed25519', key: fromBase64url(x!) } as const;
  assert.equal(sameVerdict(({ signatures }) => signatures.ed25519!.publicKey({ kind: 'ed25519', seed: fromBase64url(d!) })), key);
  const signed = sign(null, pattern(70, 1), pair.privateKey);
  assert.ok(sameVerdict(({ signatures }) => signatures.ed25519!.verifier(key)!.verify(SignatureScheme.ed25519, pattern(70, 1), signed)));
});

/** A constant of each curve, as noble writes it: b, and of edwards25519 d. */
const CURVE_MARKS = {
  secp256r1: '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
  secp384r1: 'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
  secp521r1: '0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
  edwards25519: '52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3',
} as const;

const PARTS: readonly [file: string, part: string, curves: readonly (keyof typeof CURVE_MARKS)[]][] = [
  ['groups-x25519', 'x25519Part', ['edwards25519']],
  ['groups-nist', 'p256Part', ['secp256r1']],
  ['groups-nist', 'p384Part', ['secp384r1']],
  ['ecdsa', 'ecdsaPart', ['secp256r1', 'secp384r1', 'secp521r1']],
  ['ed25519', 'ed25519Part', ['edwards25519']],
  ['rsa', 'rsaVerifyPart', []],
];

for (const [file, part, curves] of PARTS) {
  test(`a bundle with ${part} alone holds ${curves.length === 0 ? 'no curve' : `no curve but ${curves.join(', ')}`}`, async () => {
    const { code, modules, imports } = await bundle(`export { ${part} } from './lib/crypto/noble/${file}.js';`, true);
    const held = Object.entries(CURVE_MARKS).filter(([, mark]) => code.toLowerCase().includes(mark));
    assert.equal(held.map(([name]) => name), curves);
    assert.equal([...modules.keys()].filter((module) => /hash-to-curve|frost|oprf|bls|ed448|secp256k1/.test(module)), []);
    assert.equal(imports, []);
  });
}

test('importing every part and using none costs nothing', async () => {
  const files = ['noble/groups-x25519', 'noble/groups-nist', 'noble/ecdsa', 'noble/ed25519', 'noble/rsa', 'native/groups', 'native/signatures'];
  const { modules } = await bundle(files.map((file) => `import './lib/crypto/${file}.js';`).join('\n'));
  assert.equal([...modules.keys()], []);
});

function fromBase64url(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64url'));
}

function hexOrNull(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString('hex');
}

test.run();
