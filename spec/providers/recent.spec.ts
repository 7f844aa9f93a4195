import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { RecentVerifiers } from '../../lib/crypto/recent.js';
import type { PublicKey } from '../../lib/crypto/keys.js';
import type { Verifier } from '../../lib/crypto/provider.js';

const verifier = (): Verifier => ({ verify: () => true });
const none = (): Verifier => {
  throw new Error('it was made again');
};

test('a key is known by its value, whatever array it comes in', () => {
  const recent = new RecentVerifiers();
  const bytes = new Uint8Array([4, 0, 255, 128]);
  const made = recent.of('secp256r1', bytes, verifier);
  assert.is(recent.of('secp256r1', bytes.slice(), none), made);
  bytes[1] = 1;
  assert.is.not(recent.of('secp256r1', bytes, verifier), made);
  assert.is.not(recent.of('secp384r1', new Uint8Array([4, 0, 255, 128]), verifier), made);
  assert.is(recent.size, 3);
});

test('a key that begins as another one does is another', () => {
  const recent = new RecentVerifiers();
  const made = recent.of('', Uint8Array.of(1, 2, 3), verifier);
  assert.is.not(recent.of('', Uint8Array.of(1, 2), verifier), made);
  assert.is.not(recent.of('', Uint8Array.of(1, 2, 3, 4), verifier), made);
  assert.is(recent.of('', Uint8Array.of(1, 2, 3), none), made);
});

test('the key that was used last is not the caller\'s array', () => {
  const recent = new RecentVerifiers();
  const bytes = Uint8Array.of(1, 2, 3);
  const made = recent.of('', bytes, verifier);
  bytes[0] = 9;
  assert.is.not(recent.of('', bytes, verifier), made);
  assert.is(recent.of('', Uint8Array.of(1, 2, 3), none), made);
});

test('beyond the bound the key that was used longest ago gives way', () => {
  const recent = new RecentVerifiers(3);
  const [a, b, c, d] = [1, 2, 3, 4].map((byte) => Uint8Array.of(byte)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  for (const key of [a, b, c]) recent.of('', key, verifier);
  recent.of('', a, none);
  recent.of('', d, verifier);
  assert.is(recent.size, 3);
  for (const key of [a, c, d]) recent.of('', key, none);
  assert.throws(() => recent.of('', b, none), 'it was made again');
});

test('a thousand keys leave no more than the bound behind', () => {
  const recent = new RecentVerifiers();
  for (let i = 0; i < 1000; i++) recent.of('', Uint8Array.of(i, i >> 8), verifier);
  assert.is(recent.size, 256);
});

test('a key that is refused is not remembered', () => {
  const recent = new RecentVerifiers();
  assert.is(recent.of('', Uint8Array.of(1), () => null), null);
  assert.is(recent.size, 0);
});

test('a provider sets a public key up once, and one with another value anew', () => {
  for (const [{ signatures }, family] of [nativeProvider, nobleProvider].flatMap((provider) => [[provider, 'ec'], [provider, 'ed25519']] as const)) {
    const keyOf = (byte: number): PublicKey => {
      const secret = new Uint8Array(32).fill(byte);
      return signatures[family]!.publicKey(family === 'ec' ? { kind: 'ec', curve: 'secp256r1', scalar: secret } : { kind: 'ed25519', seed: secret })!;
    };
    assert.is(signatures[family]!.verifier(keyOf(1)), signatures[family]!.verifier(keyOf(1)), family);
    assert.is.not(signatures[family]!.verifier(keyOf(1)), signatures[family]!.verifier(keyOf(2)), family);
  }
});

test.run();
