/**
 * The slow twin of AES-CCM (RFC 3610; L is what the nonce leaves): each formula of the RFC as one line, on noble's public CBC
 * and CTR.
 *
 * Law: nothing is shared with lib/, so that a mistake there is not repeated here.
 */
import { cbc, ctr } from '@noble/ciphers/aes.js';

/** Ciphertext ‖ tag. */
export function sealCcm(key: Uint8Array, tagLength: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const full = ctr(key, counterBlock(nonce)).encrypt(join(mac(key, tagLength, nonce, aad, plain), plain));
  // The keystream's first block masks the MAC (§2.3), the others the text.
  return join(full.subarray(16), full.subarray(0, tagLength));
}

/** The plaintext, or null where the tag is wrong. */
export function openCcm(key: Uint8Array, tagLength: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < tagLength) return null;
  const ciphertext = sealed.subarray(0, sealed.length - tagLength);
  const plain = ctr(key, counterBlock(nonce)).decrypt(join(new Uint8Array(16), ciphertext)).slice(16);
  const again = sealCcm(key, tagLength, nonce, aad, plain);
  return again.every((byte, index) => byte === sealed[index]) ? plain : null;
}

/** The last block of the CBC-MAC (§2.2). */
function mac(key: Uint8Array, tagLength: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const flags = 64 * (aad.length > 0 ? 1 : 0) + 8 * ((tagLength - 2) / 2) + (15 - nonce.length - 1);
  const first = join([flags], nonce, [plain.length >> 16, plain.length >> 8, plain.length].slice(nonce.length - 12));
  const additional = aad.length > 0 ? join([aad.length >> 8, aad.length], aad) : aad;
  const input = join(first, padded(additional), padded(plain));
  return cbc(key, new Uint8Array(16), { disablePadding: true }).encrypt(input).slice(-16);
}

/** A_0 (§2.3). */
function counterBlock(nonce: Uint8Array): Uint8Array {
  return join([15 - nonce.length - 1], nonce, new Uint8Array(15 - nonce.length));
}

function padded(bytes: Uint8Array): Uint8Array {
  return join(bytes, new Uint8Array((16 - (bytes.length % 16)) % 16));
}

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
