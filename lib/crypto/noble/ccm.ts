/**
 * AES-CCM with 12-byte nonces (RFC 3610 with L = 3, NIST SP 800-38C, RFC 6655 §3) on noble's AES block function, as
 * `aes.ts` says. noble has no CCM; `spec/reference/ccm.ts` is the slow twin on its CBC and CTR.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import { swap8IfBE } from '@noble/ciphers/utils.js';
import { aeadAlgorithm, wholeBlocks } from '../aead.js';
import type { AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';
import { NobleAes } from './aes.js';
import { tag, workspace } from './workspace.js';

/** L − 1 in the flags byte of every block that the nonce stands in (RFC 3610 §2.2, §2.3). */
const LENGTH_FLAGS = 2;

class NobleCcm extends NobleAes {
  /** CBC-MAC and counter mode go side by side, block by block: their chains do not wait for each other. */
  protected override crypt(
    schedule: Uint32Array, nonce: Uint8Array, aadLength: number, payload: number, length: number, sealing: boolean,
  ): void {
    const { bytes, words } = workspace;
    // The length of the additional data, if there is any (§2.2).
    if (aadLength > 0) {
      bytes[0] = aadLength >>> 8;
      bytes[1] = aadLength;
    }
    // A_i (RFC 3610 §2.3): flags ‖ nonce ‖ i. B_0 (§2.2) differs in its flags and ends in the length.
    const a0 = LENGTH_FLAGS | (nonce[0]! << 8) | (nonce[1]! << 16) | (nonce[2]! << 24);
    const a1 = nonce[3]! | (nonce[4]! << 8) | (nonce[5]! << 16) | (nonce[6]! << 24);
    const a2 = nonce[7]! | (nonce[8]! << 8) | (nonce[9]! << 16) | (nonce[10]! << 24);
    const a3 = nonce[11]!;
    const flags = (aadLength > 0 ? 0x40 : 0) | (((this.tagLength - 2) >> 1) << 3);
    let { s0: x0, s1: x1, s2: x2, s3: x3 } = unsafe.encrypt(schedule, a0 | flags, a1, a2, a3 | field(length));
    const start = payload >> 2;
    for (let i = 0; i < start; i += 4) {
      x0 ^= swap8IfBE(words[i]!);
      x1 ^= swap8IfBE(words[i + 1]!);
      x2 ^= swap8IfBE(words[i + 2]!);
      x3 ^= swap8IfBE(words[i + 3]!);
      ({ s0: x0, s1: x1, s2: x2, s3: x3 } = unsafe.encrypt(schedule, x0, x1, x2, x3));
    }
    const end = (payload + wholeBlocks(length)) >> 2;
    for (let i = start, counter = 1; i < end; i += 4, counter++) {
      const { s0, s1, s2, s3 } = unsafe.encrypt(schedule, a0, a1, a2, a3 | field(counter));
      if (sealing) {
        x0 ^= swap8IfBE(words[i]!);
        x1 ^= swap8IfBE(words[i + 1]!);
        x2 ^= swap8IfBE(words[i + 2]!);
        x3 ^= swap8IfBE(words[i + 3]!);
      }
      words[i]! ^= swap8IfBE(s0);
      words[i + 1]! ^= swap8IfBE(s1);
      words[i + 2]! ^= swap8IfBE(s2);
      words[i + 3]! ^= swap8IfBE(s3);
      if (!sealing) {
        // What lies beyond the payload is now bare keystream; the MAC is over zeros there.
        if (i + 4 === end) bytes.fill(0, payload + length, end << 2);
        x0 ^= swap8IfBE(words[i]!);
        x1 ^= swap8IfBE(words[i + 1]!);
        x2 ^= swap8IfBE(words[i + 2]!);
        x3 ^= swap8IfBE(words[i + 3]!);
      }
      ({ s0: x0, s1: x1, s2: x2, s3: x3 } = unsafe.encrypt(schedule, x0, x1, x2, x3));
    }
    const { s0, s1, s2, s3 } = unsafe.encrypt(schedule, a0, a1, a2, a3);
    tag[0] = swap8IfBE(x0 ^ s0);
    tag[1] = swap8IfBE(x1 ^ s1);
    tag[2] = swap8IfBE(x2 ^ s2);
    tag[3] = swap8IfBE(x3 ^ s3);
  }
}

/** The low 24 bits of `value`, as the last three bytes of a block stand in a little-endian word. */
function field(value: number): number {
  return ((value >>> 8) & 0xff00) | ((value & 0xff00) << 8) | (value << 24);
}

function ccm(name: AeadName, keyLength: number, tagLength: number): AeadAlgorithm {
  return aeadAlgorithm(name, keyLength, tagLength, (key) => new NobleCcm(key, tagLength, 2));
}

/** AES-CCM with keys of 128 and 256 bits, tags of 8 and 16 bytes. */
export const ccmPart: ProviderPart = {
  aeads: {
    'aes-128-ccm-8': /* @__PURE__ */ ccm('aes-128-ccm-8', 16, 8),
    'aes-128-ccm': /* @__PURE__ */ ccm('aes-128-ccm', 16, 16),
    'aes-256-ccm-8': /* @__PURE__ */ ccm('aes-256-ccm-8', 32, 8),
    'aes-256-ccm': /* @__PURE__ */ ccm('aes-256-ccm', 32, 16),
  },
};
