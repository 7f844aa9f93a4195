/**
 * What is left of a record in the room that the AEADs of the noble provider share: nothing.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { workspace } from '../../lib/crypto/noble/workspace.js';
import { pattern } from './check.js';

const NONCE = pattern(12, 1);
const isClear = (): boolean => workspace.bytes.every((byte) => byte === 0);

for (const algorithm of Object.values(nobleProvider.aeads)) {
  const { name, keyLength, tagLength } = algorithm;

  test(`${name}: nothing of a record stays, whether it was sealed, opened or refused`, () => {
    const aead = algorithm.create(pattern(keyLength, 2));
    for (const [aadLength, length] of [[13, 0], [13, 1], [0, 64], [13, 64], [300, 1200]] as const) {
      const aad = pattern(aadLength, 3);
      const sealed = new Uint8Array(length + tagLength);
      aead.seal(sealed, 0, NONCE, aad, pattern(length, 4));
      assert.ok(isClear(), 'sealed');
      const out = new Uint8Array(length);
      assert.is(aead.open(out, 0, NONCE, aad, sealed), length);
      assert.ok(isClear(), 'opened');
      sealed[sealed.length - 1]! ^= 1;
      out.fill(0);
      assert.is(aead.open(out, 0, NONCE, aad, sealed), -1);
      assert.ok(isClear() && out.every((byte) => byte === 0), 'refused');
    }
  });

  test(`${name}: a wiped key does nothing, and says so, before it looks at a record`, () => {
    const aead = algorithm.create(pattern(keyLength, 2));
    aead.wipe();
    const isFreed = (error: Error): boolean => (error as Error & { code?: string }).code === 'ERR_DTLS_FREED';
    assert.throws(() => aead.open(new Uint8Array(64), 0, NONCE, NONCE, new Uint8Array(1)), isFreed);
    assert.throws(() => aead.seal(new Uint8Array(64), 0, NONCE, NONCE, pattern(16, 1)), isFreed);
    assert.ok(isClear());
  });
}

test.run();
