/**
 * What every hash and HMAC of every provider must do, and the TLS 1.2 PRF over them, as neutral checks.
 */
import { extendedMasterSecret, keyBlock, masterSecret, prf12, pskPremaster, verifyData } from '../../lib/crypto/prf12.js';
import type { Hash, HashName, Provider } from '../../lib/crypto/provider.js';
import { ascii, concat } from '../../lib/wire/bytes.js';
import { ensure, hex, pattern, sameBytes, throwsCode, type Check } from './check.js';
import { EXTENDED_MASTER_SECRET_VECTORS, HASH_VECTORS, HMAC_VECTORS, KEY_DERIVATION_VECTOR, PRF_VECTORS } from './vectors.js';

/** Around the blocks of SHA-256 (64) and SHA-384 (128). */
const SIZES: readonly number[] = [...Array.from({ length: 260 }, (_, size) => size), 1000, 4096, 16384];

/** The checks of all hashes that `provider` lists. */
export function hashChecks(provider: Provider): Check[] {
  return Object.values(provider.hashes).flatMap((hash) => [...checksOf(provider, hash), ...prfChecks(provider, hash)]);
}

function checksOf(provider: Provider, hash: Hash): Check[] {
  const { name, outputLength } = hash;
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} ${name}: ${what}`, run });
  return [
    check('is listed under its name, with its length', () => {
      ensure(provider.hashes[name] === hash, 'listed under another name');
      ensure(outputLength === (name === 'sha256' ? 32 : 48), 'length');
      ensure(hash.hmac(new Uint8Array(1)).outputLength === outputLength, 'length of the HMAC');
    }),
    check('gives the published digests', () => {
      for (const vector of HASH_VECTORS.filter((each) => each.hash === name)) {
        sameBytes(digest(hash, ascii(vector.message)), hex(vector.digest), vector.source);
      }
    }),
    check('gives the published HMACs', () => {
      for (const vector of HMAC_VECTORS) sameBytes(mac(hash, hex(vector.key), hex(vector.data)), hex(vector[name]), vector.source);
    }),
    check('goes on after a digest, however it is fed', () => {
      // Native states are made beyond a few thousand bytes only.
      const message = pattern(5000, 1);
      const running = hash.start();
      let at = 0;
      for (let step = 0; at < message.length; step = (step * 3 + 1) % 370) {
        running.update(message.subarray(at, at + step));
        at = Math.min(message.length, at + step);
        const soFar = digest(hash, message.subarray(0, at));
        sameBytes(running.digest(), soFar, `after ${at} bytes`);
        sameBytes(running.digest(), soFar, `after ${at} bytes, again`);
      }
    }),
    check('gives a digest that is the caller’s own, a plain array', () => {
      const running = hash.start();
      const first = running.digest();
      const kept = first.slice();
      ensure(first.constructor === Uint8Array, `a ${first.constructor.name}`);
      running.update(pattern(10, 2));
      const second = running.digest();
      sameBytes(first, kept, 'the first, after the second');
      first.fill(0);
      second.fill(0);
      sameBytes(running.digest(), digest(hash, pattern(10, 2)), 'after both were wiped');
    }),
    check('keeps two running hashes apart', () => {
      const one = hash.start();
      const other = hash.start();
      one.update(pattern(100, 3));
      other.update(pattern(30, 4));
      one.digest();
      one.update(pattern(100, 5));
      sameBytes(other.digest(), digest(hash, pattern(30, 4)), 'other');
      sameBytes(one.digest(), digest(hash, concat(pattern(100, 3), pattern(100, 5))), 'one');
    }),
    check('computes HMACs under keys of every length as RFC 2104 defines them', () => {
      for (const length of [0, 1, 31, 32, 48, 63, 64, 65, 127, 128, 129, 200]) {
        const key = pattern(length, 6);
        for (const size of [0, 1, 55, 64, 100]) {
          sameBytes(mac(hash, key, pattern(size, 7)), slowHmac(hash, key, pattern(size, 7)), `key of ${length}, data of ${size}`);
        }
      }
    }),
    check('uses one keyed HMAC again and again, for any data', () => {
      const key = pattern(32, 8);
      const hmac = hash.hmac(key);
      const out = new Uint8Array(outputLength);
      for (const size of SIZES) {
        const data = pattern(size, size);
        hmac.compute(out, 0, data);
        sameBytes(out, slowHmac(hash, key, data), `${size} bytes`);
      }
    }),
    check('writes an HMAC in its place, also into the array of its data, over as much of it as is asked', () => {
      const key = pattern(20, 9);
      const hmac = hash.hmac(key);
      const array = pattern(200, 10);
      const before = array.slice();
      hmac.compute(array, 100, array, 90);
      sameBytes(array.subarray(100, 100 + outputLength), slowHmac(hash, key, before.subarray(0, 90)), 'HMAC');
      sameBytes(array.subarray(0, 100), before.subarray(0, 100), 'before it');
      sameBytes(array.subarray(100 + outputLength), before.subarray(100 + outputLength), 'after it');
      hmac.compute(array, 0, before, 0);
      sameBytes(array.subarray(0, outputLength), slowHmac(hash, key, new Uint8Array(0)), 'over nothing');
    }),
    check('has copied the key of an HMAC', () => {
      const key = pattern(32, 11);
      const hmac = hash.hmac(key);
      const expected = slowHmac(hash, key, pattern(5, 12));
      key.fill(0);
      const out = new Uint8Array(outputLength);
      hmac.compute(out, 0, pattern(5, 12));
      sameBytes(out, expected, 'after the key was wiped');
    }),
    check('keeps two HMACs apart, and one when the other is wiped', () => {
      const keys = [pattern(32, 13), pattern(32, 14)] as const;
      const one = hash.hmac(keys[0]);
      const other = hash.hmac(keys[1]);
      const out = new Uint8Array(outputLength);
      other.compute(out, 0, pattern(9, 15));
      one.compute(out, 0, pattern(9, 15));
      sameBytes(out, slowHmac(hash, keys[0], pattern(9, 15)), 'one');
      other.wipe();
      one.compute(out, 0, pattern(9, 16));
      sameBytes(out, slowHmac(hash, keys[0], pattern(9, 16)), 'one, after the other was wiped');
    }),
    check('does not compute with what was wiped', () => {
      const hmac = hash.hmac(pattern(32, 17));
      hmac.wipe();
      throwsAnything(() => hmac.compute(new Uint8Array(outputLength), 0, pattern(1, 1)), 'HMAC');
      const running = hash.start();
      running.update(pattern(5, 1));
      running.digest();
      running.wipe();
      throwsAnything(() => running.update(pattern(5, 1)), 'update');
      throwsAnything(() => running.digest(), 'digest');
    }),
  ];
}

function prfChecks(provider: Provider, hash: Hash): Check[] {
  const { name } = hash;
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} PRF with ${name}: ${what}`, run });
  const prf = (secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array => {
    const out = new Uint8Array(length);
    prf12(hash.hmac(secret), label, [seed], out);
    return out;
  };
  const known = (what: string, run: () => void): Check => ({ name: `CRY-15 ${provider.name} PRF with ${name}: ${what}`, run });
  return [
    known('gives the published answers', () => {
      const vectors = PRF_VECTORS.filter((each) => each.hash === name);
      ensure(vectors.length > 0, 'there are none');
      for (const vector of vectors) {
        const output = hex(vector.output);
        sameBytes(prf(hex(vector.secret), vector.label, hex(vector.seed), output.length), output, vector.source);
      }
    }),
    known('gives the published extended master secret, and its key block', () => {
      const vectors = EXTENDED_MASTER_SECRET_VECTORS.filter((each) => each.hash === name);
      ensure(vectors.length > 0, 'there are none');
      for (const { source, premaster, sessionHash, masterSecret: expected, serverRandom, clientRandom, keyBlock: block } of vectors) {
        const master = extendedMasterSecret(hash, hex(premaster), hex(sessionHash));
        sameBytes(master, hex(expected), source);
        sameBytes(keyBlock(hash.hmac(master), hex(serverRandom), hex(clientRandom), 128), hex(block), `${source}, key block`);
      }
    }),
    check('gives any length, each the start of the next', () => {
      const secret = pattern(48, 1);
      const seed = pattern(64, 2);
      const longest = slowPrf(hash, secret, concat(ascii('a label'), seed), 260);
      for (let length = 0; length <= 260; length++) sameBytes(prf(secret, 'a label', seed, length), longest.subarray(0, length), `${length} bytes`);
    }),
    check('takes secrets of any length, and its seed in parts', () => {
      for (const length of [0, 1, 48, 64, 65, 128, 200]) {
        const secret = pattern(length, 3);
        const seed = pattern(70, 4);
        const whole = prf(secret, 'label', seed, 80);
        sameBytes(whole, slowPrf(hash, secret, concat(ascii('label'), seed), 80), `secret of ${length}`);
        const inParts = new Uint8Array(80);
        prf12(hash.hmac(secret), 'label', [seed.subarray(0, 32), seed.subarray(32, 32), seed.subarray(32)], inParts);
        sameBytes(inParts, whole, `secret of ${length}, seed in parts`);
      }
    }),
    check('derives master secret, key block and verify_data with the labels and seeds of the RFCs', () => {
      const [master, client, server, digestSoFar] = [pattern(48, 5), pattern(32, 6), pattern(32, 7), pattern(hash.outputLength, 8)] as const;
      sameBytes(masterSecret(hash, master, client, server), prf(master, 'master secret', concat(client, server), 48), 'master secret');
      sameBytes(extendedMasterSecret(hash, master, digestSoFar), prf(master, 'extended master secret', digestSoFar, 48), 'extended master secret');
      sameBytes(keyBlock(hash.hmac(master), server, client, 104), prf(master, 'key expansion', concat(server, client), 104), 'key block');
      sameBytes(verifyData(hash.hmac(master), 'client', digestSoFar), prf(master, 'client finished', digestSoFar, 12), 'client');
      sameBytes(verifyData(hash.hmac(master), 'server', digestSoFar), prf(master, 'server finished', digestSoFar, 12), 'server');
    }),
    ...(name === 'sha256' ? [known('derives what NIST says', nistDerivation(hash))] : []),
    check('makes the premaster of a pre-shared key as RFC 4279 §2 says', () => {
      sameBytes(pskPremaster(hex('a1a2a3')), hex('0003 000000 0003 a1a2a3'), 'three bytes');
      const long = pskPremaster(new Uint8Array(65535).fill(1));
      ensure(long.length === 4 + 2 * 65535 && long[0] === 0xff && long[1] === 0xff && long[2] === 0, 'the longest');
      throwsCode('ERR_DTLS_CREDENTIAL', () => pskPremaster(new Uint8Array(65536)), 'one byte more');
    }),
  ];
}

function nistDerivation(hash: Hash): () => void {
  const vector = KEY_DERIVATION_VECTOR;
  return () => {
    const master = masterSecret(hash, hex(vector.premaster), hex(vector.clientHelloRandom), hex(vector.serverHelloRandom));
    sameBytes(master, hex(vector.masterSecret), 'master secret');
    sameBytes(keyBlock(hash.hmac(master), hex(vector.serverRandom), hex(vector.clientRandom), 128), hex(vector.keyBlock), 'key block');
  };
}

/** Checks that two providers do the same with every hash that both have. */
export function hashAgreement(one: Provider, other: Provider): Check[] {
  const shared = (Object.keys(one.hashes) as HashName[]).filter((name) => other.hashes[name] !== undefined);
  return shared.map((name) => ({
    name: `${one.name} and ${other.name} ${name}: the same digests and HMACs`,
    run: () => {
      const first = one.hashes[name]!;
      const second = other.hashes[name]!;
      for (const size of SIZES) {
        const data = pattern(size, size);
        sameBytes(digest(first, data), digest(second, data), `digest of ${size} bytes`);
        sameBytes(mac(first, pattern(size % 200, 1), data), mac(second, pattern(size % 200, 1), data), `HMAC of ${size} bytes`);
      }
    },
  }));
}

function digest(hash: Hash, message: Uint8Array): Uint8Array {
  const running = hash.start();
  running.update(message);
  return running.digest();
}

function mac(hash: Hash, key: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(hash.outputLength);
  hash.hmac(key).compute(out, 0, data);
  return out;
}

/** RFC 2104 §2 to the letter. */
function slowHmac(hash: Hash, key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = new Uint8Array(hash.name === 'sha256' ? 64 : 128);
  block.set(key.length > block.length ? digest(hash, key) : key);
  const inner = digest(hash, concat(block.map((byte) => byte ^ 0x36), data));
  return digest(hash, concat(block.map((byte) => byte ^ 0x5c), inner));
}

/** P_hash of RFC 5246 §5 to the letter. */
function slowPrf(hash: Hash, secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  let output = new Uint8Array(0);
  let a = seed;
  while (output.length < length) {
    a = slowHmac(hash, secret, a);
    output = Uint8Array.from([...output, ...slowHmac(hash, secret, concat(a, seed))]);
  }
  return output.subarray(0, length);
}

function throwsAnything(act: () => void, what: string): void {
  try {
    act();
  } catch {
    return;
  }
  throw new Error(`${what}: did not throw`);
}
