/**
 * Verification of RSA signatures, PKCS #1 v1.5 and PSS (RFC 8017 §5.2.2, §8.1.2, §8.2.2, §9.1.2, §9.2) with SHA-256,
 * SHA-384 and SHA-512, on BigInt: noble has no RSA.
 *
 * Why not the package `micro-rsa-dsa-dh` (0.2.3): it brings a fourth dependency with DSA, Diffie–Hellman, prime
 * search, SHA-1 and SHA-3 for what is one modular power and two comparisons; it bounds neither modulus nor exponent,
 * so a peer's certificate sets the price of a verification; and its PSS throws where the answer is "no" (a modulus of
 * 8k + 1 bits and a representative that needs its top byte). Verifying keeps no secret, so BigInt costs nothing in
 * safety. Signing would need constant time, and this provider has none: `signer` is null.
 *
 * Law: a signature is as long as the modulus, below it, and its whole encoding is compared: nothing is parsed.
 */
import { pow } from '@noble/curves/abstract/modular.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes } from '../../wire/bytes.js';
import type { PublicKey, SignatureScheme } from '../keys.js';
import type { ProviderPart, Signatures, Verifier } from '../provider.js';
import { bitLength, isUsableRsaKey, rsaScheme, type SignatureHash } from '../publickey.js';
import { RecentVerifiers } from '../recent.js';

/** The last byte of every PSS encoding (§9.1.1). */
const PSS_TRAILER = 0xbc;

class NobleRsaVerifier implements Verifier {
  readonly #modulus: bigint;
  readonly #exponent: bigint;
  readonly #modulusBits: number;

  constructor(modulus: Uint8Array, exponent: Uint8Array) {
    this.#modulus = bytesToNumberBE(modulus);
    this.#exponent = bytesToNumberBE(exponent);
    this.#modulusBits = bitLength(modulus);
  }

  verify(scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
    const row = rsaScheme(scheme);
    const length = Math.ceil(this.#modulusBits / 8);
    if (row === undefined || signature.length !== length) return false;
    const s = bytesToNumberBE(signature);
    if (s >= this.#modulus) return false;
    const encoded = numberToBytesBE(pow(s, this.#exponent, this.#modulus), length);
    const digest = digestOf(row.hash, message);
    if (!row.pss) return equalBytes(encoded, pkcs1Encoding(row.hash, digest, length));
    // The encoding of PSS is one bit shorter than the modulus, so it may be one byte shorter, after a zero.
    const bits = this.#modulusBits - 1;
    const short = bits % 8 === 0;
    return (!short || encoded[0] === 0) && isPssEncoding(row.hash, digest, short ? encoded.subarray(1) : encoded, bits);
  }
}

function digestOf(hash: SignatureHash, message: Uint8Array): Uint8Array {
  return hash === 'sha256' ? sha256(message) : hash === 'sha384' ? sha384(message) : sha512(message);
}

/** EMSA-PKCS1-v1_5 (§9.2): 00 01 FF … FF 00 ‖ DigestInfo, whose algorithm has explicit NULL parameters. */
function pkcs1Encoding(hash: SignatureHash, digest: Uint8Array, length: number): Uint8Array {
  const { length: size } = digest;
  // DigestInfo { { 2.16.840.1.101.3.4.2.x, NULL }, OCTET STRING }: x is 1, 2, 3 for SHA-256, 384, 512.
  const oid = hash === 'sha256' ? 1 : hash === 'sha384' ? 2 : 3;
  const prefix = [0x30, 17 + size, 0x30, 13, 0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, oid, 0x05, 0, 0x04, size];
  const encoded = new Uint8Array(length).fill(0xff);
  encoded[0] = 0;
  encoded[1] = 1;
  const start = length - prefix.length - size;
  encoded[start - 1] = 0;
  encoded.set(prefix, start);
  encoded.set(digest, start + prefix.length);
  return encoded;
}

/** EMSA-PSS-VERIFY (§9.1.2) of an encoding of `bits` bits, with a salt as long as the digest and MGF1 over the same hash. */
function isPssEncoding(hash: SignatureHash, digest: Uint8Array, encoded: Uint8Array, bits: number): boolean {
  const { length: size } = digest;
  const split = encoded.length - size - 1;
  const h = encoded.subarray(split, split + size);
  const unused = 8 * encoded.length - bits;
  if (encoded.at(-1) !== PSS_TRAILER || encoded[0]! >>> (8 - unused) !== 0) return false;
  const block = maskOf(hash, h, split);
  for (let i = 0; i < split; i++) block[i]! ^= encoded[i]!;
  block[0]! &= 0xff >>> unused;
  // DB is zeros ‖ 01 ‖ salt.
  const separator = split - size - 1;
  let difference = block[separator]! ^ 1;
  for (let i = 0; i < separator; i++) difference |= block[i]!;
  const salt = block.subarray(separator + 1);
  return difference === 0 && equalBytes(h, digestOf(hash, concat(new Uint8Array(8), digest, salt)));
}

/** MGF1 (§B.2.1): `length` bytes of hash(seed ‖ counter). */
function maskOf(hash: SignatureHash, seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  const input = concat(seed, new Uint8Array(4));
  for (let at = 0, counter = 0; at < length; at += seed.length, counter++) {
    input[input.length - 1] = counter; // 8,192 bits are 32 digests at most
    mask.set(digestOf(hash, input).subarray(0, length - at), at);
  }
  return mask;
}

const recent: RecentVerifiers = /* @__PURE__ */ new RecentVerifiers();

const nobleRsa: Signatures = {
  verifier(key: PublicKey): Verifier | null {
    if (key.kind !== 'rsa' || !isUsableRsaKey(key.modulus, key.exponent)) return null;
    const { modulus, exponent } = key;
    return recent.of(exponent.join(), modulus, () => new NobleRsaVerifier(modulus, exponent));
  },
  signer: () => null,
  publicKey: () => null,
};

/** Verification of RSA signatures; no signing. */
export const rsaVerifyPart: ProviderPart = { signatures: { rsa: nobleRsa } };
