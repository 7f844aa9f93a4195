/**
 * The other reference of the record benches: noble's own AEADs as their documentation has them called, a new instance for
 * each record. Ours on the noble provider is made of the same parts, with what belongs to the key kept.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { AeadName } from '../lib/core.js';
import { sink, type Work } from './harness.js';

/** Whether noble has this AEAD: it has no CCM. */
export function hasOneShot(aead: AeadName): boolean {
  return !aead.includes('ccm');
}

/** Sealing `size` bytes with the additional data of a record, and nothing else. */
export function oneShotSeal(aead: AeadName, size: number): Work {
  const key = new Uint8Array(aead.startsWith('aes-128') ? 16 : 32).fill(7);
  const nonce = new Uint8Array(12).fill(3);
  const aad = new Uint8Array(13).fill(5);
  const plain = new Uint8Array(size).fill(9);
  const make = aead.endsWith('gcm') ? gcm : chacha20poly1305;
  return {
    run(count) {
      for (let i = 0; i < count; i++) sink.value = make(key, nonce, aad).encrypt(plain);
    },
  };
}
