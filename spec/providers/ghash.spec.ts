/**
 * The memory in which busy keys of AES-GCM do their GHASH: what stands there after a record, after a key, with more
 * keys than it has room for, and what happens where there is no such memory.
 */
import { createCipheriv } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { busyKeys, MAX_BUSY_KEYS } from '../../lib/crypto/native/pool.js';
import type { Aead } from '../../lib/crypto/provider.js';
import { pattern } from './check.js';
import { JITLESS, REFUSING, inProcess, watchMemories } from './wasm.js';

/** Where tables begin. */
const TABLES_AT = 2048;

/** More records than the longest of them has blocks: the key is busy, and has all tables that it needs. */
const RECORDS = 100;

/** The memories that are made from here on. */
const memories = watchMemories();

const aad = pattern(13, 2);
const nonceOf = (number: number): Uint8Array => Uint8Array.of(...pattern(8, 3), 0, 0, number >> 8, number);
const busyKey = (seed: number): Aead => {
  const aead = nativeProvider.aeads['aes-128-gcm']!.create(pattern(16, seed));
  for (let number = 0; number < RECORDS; number++) sealed(aead, number, pattern(16, number));
  return aead;
};

function sealed(aead: Aead, number: number, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + aead.tagLength);
  aead.seal(out, 0, nonceOf(number), aad, plain);
  return out;
}

/** What the platform makes of the same. */
function expected(seed: number, number: number, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-gcm', pattern(16, seed), nonceOf(number));
  cipher.setAAD(aad);
  return new Uint8Array(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
}

test('nothing of a record is left, sealed, opened or refused; nothing of a key when it is wiped', () => {
  const aead = busyKey(1);
  assert.is(memories.length, 1);
  const [memory] = memories;
  const isClear = (from: number, to?: number): boolean => Buffer.from(memory!.subarray(from, to)).every((byte) => byte === 0);
  for (const size of [0, 1, 16, 95, 96, 97, 200, 1200, 1536]) {
    const plain = pattern(size, 7);
    const record = sealed(aead, 500 + size, plain);
    assert.equal(record, expected(1, 500 + size, plain), `${size}`);
    assert.ok(isClear(0, TABLES_AT), `${size}, sealed`);
    // Behind a header and before another record, which are copied with it.
    const datagram = Buffer.concat([Buffer.alloc(21, 0xee), record, Buffer.alloc(300, 0xdd)]);
    const out = new Uint8Array(size);
    assert.is(aead.open(out, 0, nonceOf(500 + size), aad, datagram, 21, 21 + record.length), size);
    assert.equal(out, plain);
    assert.ok(isClear(0, TABLES_AT), `${size}, opened`);
    datagram[21 + record.length - 1]! ^= 1;
    assert.is(aead.open(out, 0, nonceOf(500 + size), aad, datagram, 21, 21 + record.length), -1);
    assert.ok(isClear(0, TABLES_AT), `${size}, refused`);
  }
  assert.not.ok(isClear(TABLES_AT), 'its tables');
  aead.wipe();
  assert.ok(isClear(0), 'wiped');
});

test('with more keys at work than may be busy each goes on as the platform does, and all room comes back', () => {
  const keys = Array.from({ length: MAX_BUSY_KEYS + 20 }, (_, seed) => busyKey(seed));
  for (const size of [64, 1200]) {
    keys.forEach((aead, seed) => assert.equal(sealed(aead, 900, pattern(size, 1)), expected(seed, 900, pattern(size, 1))));
  }
  assert.is(busyKeys.size, MAX_BUSY_KEYS);
  for (const aead of keys) aead.wipe();
  assert.is(busyKeys.size, 0);
  assert.is(memories.length, 1);
  assert.ok(Buffer.from(memories[0]!).every((byte) => byte === 0));
});

/** Seals record after record in a process of its own, after `before`, with `flags`. `after` may throw. */
function withoutMemory(flags: readonly string[], before: string, after: string): void {
  inProcess(flags, `
    import { createCipheriv } from 'node:crypto';
    ${before}
    const [key, nonce, aad, plain, out] = [16, 12, 13, 64, 80].map((length) => new Uint8Array(length).fill(length));
    const aead = nativeProvider.aeads['aes-128-gcm'].create(key);
    for (let i = 0; i < ${RECORDS}; i++) aead.seal(out, 0, nonce, aad, plain);
    const cipher = createCipheriv('aes-128-gcm', key, nonce);
    cipher.setAAD(aad);
    const expected = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    if (!expected.equals(out) || busyKeys.size !== 0) throw new Error('not the platform\\'s');
    ${after}
  `);
}

test('without WebAssembly every record is for the GCM of the platform', () => {
  withoutMemory(JITLESS.flags, JITLESS.before, '');
});

test('where WebAssembly refuses, it is asked once and not for each record', () => {
  withoutMemory([], REFUSING, "if (asked !== 1) throw new Error('asked ' + asked + ' times');");
});

test.run();
