import { createCipheriv, createHash, createHmac, type CipherCCMTypes } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { extendedMasterSecret, prf12 } from '../../lib/crypto/prf12.js';
import { composeProvider, type AeadName, type Hash, type Provider } from '../../lib/crypto/provider.js';
import { ccmPart } from '../../lib/crypto/noble/ccm.js';
import { sha256Part } from '../../lib/crypto/noble/hash.js';
import { supports } from '../../lib/crypto/suites.js';
import { PSK_AES_128_CCM_8, PSK_AES_256_GCM_SHA384, PSK_SUITES } from '../../lib/suites/psk.js';
import { openCcm, sealCcm } from '../reference/ccm.js';
import { hex, pattern } from './check.js';
import { agreementChecks, providerChecks } from './suite.js';
import { CCM_PACKET_VECTORS } from './vectors.js';

const providers: readonly Provider[] = [nobleProvider, nativeProvider];
const ccmNames: readonly AeadName[] = ['aes-128-ccm-8', 'aes-128-ccm', 'aes-256-ccm-8', 'aes-256-ccm'];

/** The same numbers on every run. */
const SEED = 20261121;

for (const provider of providers) {
  for (const { name, run } of providerChecks(provider)) test(name, run);
}
for (const { name, run } of agreementChecks(nobleProvider, nativeProvider)) test(name, run);

test('on Node both providers have every algorithm of every suite', () => {
  for (const provider of providers) {
    assert.is(Object.keys(provider.aeads).length, 7);
    assert.is(Object.keys(provider.hashes).length, 2);
    assert.ok(PSK_SUITES.every((suite) => supports(provider, suite)));
  }
});

test('a provider of parts has what its parts have', () => {
  const small = composeProvider('small', sha256Part, ccmPart);
  assert.equal(Object.keys(small.aeads).sort(), [...ccmNames].sort());
  assert.equal(Object.keys(small.hashes), ['sha256']);
  assert.ok(supports(small, PSK_AES_128_CCM_8));
  assert.not.ok(supports(small, PSK_AES_256_GCM_SHA384));
});

test('a PRF whose HMAC fails leaves nothing in the room that it shares with the next, and no key', () => {
  const { sha256 } = nativeProvider.hashes;
  for (let failing = 1; failing <= 4; failing++) {
    const lent = new Set<Uint8Array>();
    let calls = 0;
    let wiped = false;
    const hmac: Hash['hmac'] = (key) => {
      const real = sha256!.hmac(key);
      return {
        outputLength: 32,
        compute(out, at, data, length) {
          lent.add(out).add(data);
          if (++calls === failing) throw new Error('no HMAC');
          real.compute(out, at, data, length);
        },
        wipe: () => void (wiped = true),
      };
    };
    assert.throws(() => extendedMasterSecret({ ...sha256!, hmac }, pattern(48, 1), pattern(32, 2)), /no HMAC/);
    for (const bytes of lent) assert.ok(new Uint8Array(bytes.buffer).every((byte) => byte === 0), `call ${failing}`);
    assert.ok(wiped);
  }
});

test('the suites of pre-shared keys have the numbers of RFC 5487, RFC 6655 and RFC 7905, and short tags stand last', () => {
  const rows = PSK_SUITES.map(({ id, name, aead, hash, nonceForm }) => [id, name, aead, hash, nonceForm]);
  assert.equal(rows, [
    [0x00a8, 'TLS_PSK_WITH_AES_128_GCM_SHA256', 'aes-128-gcm', 'sha256', 'explicit'],
    [0xccab, 'TLS_PSK_WITH_CHACHA20_POLY1305_SHA256', 'chacha20-poly1305', 'sha256', 'xor'],
    [0x00a9, 'TLS_PSK_WITH_AES_256_GCM_SHA384', 'aes-256-gcm', 'sha384', 'explicit'],
    [0xc0a4, 'TLS_PSK_WITH_AES_128_CCM', 'aes-128-ccm', 'sha256', 'explicit'],
    [0xc0a5, 'TLS_PSK_WITH_AES_256_CCM', 'aes-256-ccm', 'sha256', 'explicit'],
    [0xc0a8, 'TLS_PSK_WITH_AES_128_CCM_8', 'aes-128-ccm-8', 'sha256', 'explicit'],
    [0xc0a9, 'TLS_PSK_WITH_AES_256_CCM_8', 'aes-256-ccm-8', 'sha256', 'explicit'],
  ]);
  assert.ok(PSK_SUITES.every(({ keyExchange }) => keyExchange.name === 'psk'));
});

test('CRY-15 the slow twin of CCM gives the answers of RFC 3610', () => {
  const [key, aad] = [hex('c0c1c2c3c4c5c6c7c8c9cacbcccdcecf'), hex('0001020304050607')];
  for (const { nonce, plain, sealed } of CCM_PACKET_VECTORS) {
    assert.equal(sealCcm(key, 8, hex(nonce), aad, hex(plain)), hex(sealed));
    assert.equal(openCcm(key, 8, hex(nonce), aad, hex(sealed)), hex(plain));
  }
});

test('the slow twin opens what it seals, and nothing else', () => {
  const [key, nonce, aad, plain] = [pattern(16, 1), pattern(12, 2), pattern(13, 3), pattern(40, 4)] as const;
  const sealed = sealCcm(key, 8, nonce, aad, plain);
  assert.equal(openCcm(key, 8, nonce, aad, sealed), plain);
  sealed[3]! ^= 1;
  assert.is(openCcm(key, 8, nonce, aad, sealed), null);
  assert.is(openCcm(key, 8, nonce, aad, sealed.subarray(0, 7)), null);
});

for (const name of ccmNames) {
  test(`a third opinion: Node's own CCM seals as both providers do (${name})`, () => {
    const authTagLength = name.endsWith('-8') ? 8 : 16;
    const platformName = name.replace(/-8$/, '') as CipherCCMTypes;
    for (let size = 0; size < 300; size += 7) {
      const [nonce, aad, plain] = [pattern(12, size), pattern(size % 30, size + 1), pattern(size, size + 2)] as const;
      for (const { aeads } of providers) {
        const algorithm = aeads[name]!;
        const key = pattern(algorithm.keyLength, size + 3);
        const cipher = createCipheriv(platformName, key, nonce, { authTagLength });
        cipher.setAAD(aad, { plaintextLength: size });
        const expected = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
        const out = new Uint8Array(expected.length);
        algorithm.create(key).seal(out, 0, nonce, aad, plain);
        assert.is(Buffer.from(out).toString('hex'), expected.toString('hex'));
      }
    }
  });
}

test("a third opinion: Node's own hashes and HMACs", () => {
  for (const { hashes } of providers) {
    for (const hash of Object.values(hashes)) {
      for (let size = 0; size < 300; size += 13) {
        const data = pattern(size, size);
        const running = hash.start();
        running.update(data);
        assert.is(Buffer.from(running.digest()).toString('hex'), createHash(hash.name).update(data).digest('hex'));
        const out = new Uint8Array(hash.outputLength);
        hash.hmac(pattern(size, 1)).compute(out, 0, data);
        assert.is(Buffer.from(out).toString('hex'), createHmac(hash.name, pattern(size, 1)).update(data).digest('hex'));
      }
    }
  }
});

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

for (const name of Object.keys(nobleProvider.aeads) as AeadName[]) {
  test(`fuzz: whatever is sealed by one provider opens with the other, and whatever is changed does not (${name})`, () => {
    const { keyLength, tagLength } = nobleProvider.aeads[name]!;
    const property = fc.property(
      bytesOf(keyLength), bytesOf(12), bytes(60), bytes(400), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(),
      (key, nonce, aad, plain, where, difference, swap) => {
        const [sender, receiver] = swap ? [nativeProvider, nobleProvider] : [nobleProvider, nativeProvider];
        const sealed = new Uint8Array(plain.length + tagLength);
        sender.aeads[name]!.create(key).seal(sealed, 0, nonce, aad, plain);
        const opener = receiver.aeads[name]!.create(key);
        const out = new Uint8Array(plain.length);
        assert.is(opener.open(out, 0, nonce, aad, sealed), plain.length);
        assert.equal(out, plain);
        sealed[where % sealed.length]! ^= difference;
        assert.is(opener.open(out.fill(0), 0, nonce, aad, sealed), -1);
        assert.ok(out.every((byte) => byte === 0));
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  test(`fuzz: bytes that nobody sealed are rejected without an exception (${name})`, () => {
    const openers = providers.map(({ aeads }) => aeads[name]!.create(pattern(aeads[name]!.keyLength, 1)));
    const property = fc.property(bytesOf(12), bytes(40), bytes(120), (nonce, aad, sealed) => {
      for (const opener of openers) assert.is(opener.open(new Uint8Array(120), 0, nonce, aad, sealed), -1);
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });
}

test('fuzz: the PRF is the same over both providers', () => {
  const property = fc.property(bytes(100), bytes(100), fc.nat({ max: 200 }), fc.constantFrom('sha256' as const, 'sha384' as const), (secret, seed, length, name) => {
    const [one, other] = providers.map(({ hashes }) => {
      const out = new Uint8Array(length);
      prf12(hashes[name]!.hmac(secret), 'label', [seed], out);
      return out;
    });
    assert.equal(one, other);
  });
  fc.assert(property, { seed: SEED, numRuns: 200 });
});

test.run();
