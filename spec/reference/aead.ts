/**
 * A slow, obvious way to seal with each algorithm of the suites: our twin of CCM, and noble's public, complete modes
 * for the others (lib/ uses only their parts).
 */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { AeadName } from '../../lib/crypto/provider.js';
import { sealCcm } from './ccm.js';

/** Ciphertext ‖ tag. */
export function slowSeal(name: AeadName, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  switch (name) {
    case 'aes-128-ccm-8':
    case 'aes-256-ccm-8':
      return sealCcm(key, 8, nonce, aad, plain);
    case 'aes-128-ccm':
    case 'aes-256-ccm':
      return sealCcm(key, 16, nonce, aad, plain);
    case 'aes-128-gcm':
    case 'aes-256-gcm':
      return gcm(key, nonce, aad).encrypt(plain);
    case 'chacha20-poly1305':
      return chacha20poly1305(key, nonce, aad).encrypt(plain);
  }
}
