/**
 * The raw reference of the record benches: the platform's AEAD as a program would call it that has everything else
 * at hand already: key object, nonce, additional data, options.
 *
 * Law: one cipher object per record, as the platform wants it; nothing is copied out of what it returns.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type CipherGCM, type CipherGCMTypes, type DecipherGCM } from 'node:crypto';
import type { AeadName } from '../lib/core.js';
import type { Work } from './harness.js';
import { sink } from './harness.js';

const AAD_LENGTH = 13;

interface RawAead {
  readonly name: CipherGCMTypes;
  readonly keyLength: number;
  readonly options: { readonly authTagLength: number };
  readonly isCcm: boolean;
}

function rawAead(aead: AeadName): RawAead {
  const isCcm = aead.includes('ccm');
  return {
    name: aead.replace(/-8$/, '') as CipherGCMTypes,
    keyLength: aead.startsWith('aes-128') ? 16 : 32,
    options: { authTagLength: aead.endsWith('ccm-8') ? 8 : 16 },
    isCcm,
  };
}

/** What `setAAD` is told beside the bytes: CCM must know the length beforehand. */
type Lengths = { plaintextLength: number } | undefined;

/** Sealing records of `size` bytes and nothing else. */
export function rawSeal(aead: AeadName, size: number): Work {
  const { name, keyLength, options, isCcm } = rawAead(aead);
  const key = createSecretKey(new Uint8Array(keyLength).fill(7));
  const nonce = new Uint8Array(12).fill(3);
  const aad = new Uint8Array(AAD_LENGTH).fill(5);
  const plain = new Uint8Array(size).fill(9);
  const lengths: Lengths = isCcm ? { plaintextLength: size } : undefined;
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        const cipher = createCipheriv(name, key, nonce, options) as CipherGCM;
        cipher.setAAD(aad, lengths);
        sink.value = cipher.update(plain);
        cipher.final();
        sink.value = cipher.getAuthTag();
      }
    },
  };
}

/** Opening records of `size` bytes and nothing else; with `forged` the tag is wrong and the platform throws. */
export function rawOpen(aead: AeadName, size: number, forged = false): Work {
  const { name, keyLength, options, isCcm } = rawAead(aead);
  const key = createSecretKey(new Uint8Array(keyLength).fill(7));
  const nonce = new Uint8Array(12).fill(3);
  const aad = new Uint8Array(AAD_LENGTH).fill(5);
  const lengths: Lengths = isCcm ? { plaintextLength: size } : undefined;
  const cipher = createCipheriv(name, key, nonce, options) as CipherGCM;
  cipher.setAAD(aad, lengths);
  const sealed = cipher.update(new Uint8Array(size).fill(9));
  cipher.final();
  const tag = cipher.getAuthTag();
  if (forged) tag[0]! ^= 1;
  return {
    run(count) {
      for (let i = 0; i < count; i++) {
        const decipher = createDecipheriv(name, key, nonce, options) as DecipherGCM;
        decipher.setAuthTag(tag);
        decipher.setAAD(aad, lengths);
        if (forged) sink.value = rejected(decipher, sealed);
        else {
          sink.value = decipher.update(sealed);
          decipher.final();
        }
      }
    },
  };
}

/** CCM says so in `update`, the others in `final`. */
function rejected(decipher: DecipherGCM, sealed: Uint8Array): unknown {
  try {
    decipher.update(sealed);
    return decipher.final();
  } catch (error) {
    return error;
  }
}
