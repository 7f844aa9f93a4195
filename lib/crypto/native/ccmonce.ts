/**
 * One record under AES-CCM with the platform's own cipher, where it has one (Deno and Bun have none). The first record of
 * a key is often its only one for long, a Finished: then one object that serves once costs less than two that last.
 *
 * Law: as with `authenticated.ts`: `out` sees plaintext only after its tag proved right.
 */
import { createCipheriv, createDecipheriv, type CipherCCMTypes } from 'node:crypto';
import { wipe } from '../../wire/bytes.js';

/** Whether the platform can do it at all. */
export const hasCcm: boolean = /* @__PURE__ */ (() => {
  try {
    createCipheriv('aes-128-ccm', new Uint8Array(16), new Uint8Array(12), { authTagLength: 8 });
    return true;
  } catch {
    return false;
  }
})();

const nameOf = (key: Uint8Array): CipherCCMTypes => `aes-${key.length * 8}-ccm` as CipherCCMTypes;

/** As `Aead.seal`, for a record with text and additional data. Arguments are checked already. */
export function sealOnce(
  key: Uint8Array, tagLength: number, out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array,
): number {
  const { length } = plain;
  const cipher = createCipheriv(nameOf(key), key, nonce, { authTagLength: tagLength });
  cipher.setAAD(aad, { plaintextLength: length });
  const text = cipher.update(plain);
  cipher.final();
  out.set(text, at);
  out.set(cipher.getAuthTag(), at + length);
  return length + tagLength;
}

/** As `Aead.open` of the record `sealed[start, end)`. */
export function openOnce(
  key: Uint8Array, tagLength: number, out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array,
  sealed: Uint8Array, start: number, end: number,
): number {
  const length = end - start - tagLength;
  const decipher = createDecipheriv(nameOf(key), key, nonce, { authTagLength: tagLength });
  decipher.setAuthTag(sealed.subarray(start + length, end));
  decipher.setAAD(aad, { plaintextLength: length });
  let text: Uint8Array | null = null;
  try {
    text = decipher.update(sealed.subarray(start, start + length));
    decipher.final();
  } catch {
    // The one way the platform has to say that the tag is wrong.
    wipe(text);
    return -1;
  }
  out.set(text, at);
  wipe(text);
  return length;
}
