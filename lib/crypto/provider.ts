/**
 * What the engine asks of a crypto library: interfaces only. `noble/` and `native/` implement them in parts,
 * `composeProvider` joins the parts that an application wants to pay for.
 *
 * Law: nothing here draws randomness, reads a clock or keeps state beyond the key it was made with.
 * A rejected record is a return value (-1), never an exception (expected rejects are the common case under attack).
 */

import type { GroupName, PrivateKey, PublicKey, SignatureScheme } from './keys.js';

/** Hash functions of the TLS 1.2 suites. */
export type HashName = 'sha256' | 'sha384';

/** AEAD algorithms of the suites, with the tag length they carry in TLS. */
export type AeadName =
  | 'aes-128-ccm-8'
  | 'aes-128-ccm'
  | 'aes-256-ccm-8'
  | 'aes-256-ccm'
  | 'aes-128-gcm'
  | 'aes-256-gcm'
  | 'chacha20-poly1305';

/** A running hash of what is no secret. `digest` can be called again after more `update`s: it does not end the hash. */
export interface RunningHash {
  /** Takes in more; `data` is only read, now: what stands there later is another's. */
  update(data: Uint8Array): void;
  /** The digest of everything so far, freshly allocated; the hash goes on. */
  digest(): Uint8Array;
  /** Forgets what was hashed, as far as the platform lets it. */
  wipe(): void;
}

/** A keyed MAC that is used many times: the key schedule is kept. */
export interface Hmac {
  /** Bytes of a result: 32 or 48. */
  readonly outputLength: number;
  /**
   * HMAC over the first `length` bytes of `data` (all of it by default), written to `out[at, at + outputLength)`.
   * `out` may be `data`'s array as long as the ranges do not overlap.
   */
  compute(out: Uint8Array, at: number, data: Uint8Array, length?: number): void;
  /** Forgets the key, as far as the platform lets it. */
  wipe(): void;
}

/** One hash function with its HMAC. */
export interface Hash {
  readonly name: HashName;
  /** Bytes of a digest: 32 or 48. */
  readonly outputLength: number;
  /** A new hash of nothing so far. */
  start(): RunningHash;
  /** An HMAC under `key` (any length, copied). RFC 2104. */
  hmac(key: Uint8Array): Hmac;
}

/**
 * An AEAD under one key, with 12-byte nonces. Instances are not shared between directions.
 * `nonce`, `aad` and the inputs are only read; `out` is written in place and nothing else is.
 */
export interface Aead {
  /** Bytes that sealing adds: 8 or 16. */
  readonly tagLength: number;
  /**
   * Encrypts `plain` to `out[at, at + plain.length + tagLength)` and returns that length. `plain` may be the
   * very bytes at `out[at…]` (sealing in place); any other overlap is undefined.
   */
  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number;
  /**
   * Checks and decrypts `sealed[start, end)` (ciphertext ‖ tag; all of it by default, so that a record needs no view of
   * its own) to `out[at, …)`; returns the plaintext length, or -1 if the tag is wrong or what is sealed is shorter than
   * a tag. After -1 no byte of plaintext stands in `out`: the range is as before or zero. `sealed` may not overlap `out`.
   */
  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array, start?: number, end?: number,
  ): number;
  /** Forgets the key, as far as the platform lets it. The instance must not be used afterwards. */
  wipe(): void;
}

/** Makes AEADs of one algorithm. */
export interface AeadAlgorithm {
  readonly name: AeadName;
  /** Bytes of a key: 16 or 32. */
  readonly keyLength: number;
  readonly tagLength: number;
  /** An AEAD under `key`, which is copied. Throws a `LocalError` for a key of another length. */
  create(key: Uint8Array): Aead;
}

/** One side's ephemeral key pair of a handshake. */
export interface KeyShare {
  /** As on the wire: 32 bytes for X25519, an uncompressed point otherwise (RFC 8422 §5.4). */
  readonly publicKey: Uint8Array;
  /**
   * The shared secret (32, 32 or 48 bytes: the x coordinate, RFC 8422 §5.10), or null if `peerPublic` is no valid public
   * value: wrong length or form (compressed, hybrid, infinity), not on the curve, or a shared secret of zeros (§5.11).
   */
  agree(peerPublic: Uint8Array): Uint8Array | null;
  /** Forgets the private key, as far as the platform lets it. */
  wipe(): void;
}

/** A group of ECDHE. */
export interface Group {
  readonly name: GroupName;
  /** A fresh key pair from `random`, which gives so many bytes and fails closed. */
  generate(random: (length: number) => Uint8Array): KeyShare;
}

/** Checks signatures of one public key. */
export interface Verifier {
  /**
   * Whether `signature` over `message` is right under `scheme`; false also for a scheme that does not fit the key and for
   * any malformed signature. ECDSA signatures are DER (RFC 8422 §5.8) and strictly so; their curve is the key's.
   */
  verify(scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean;
}

/** Signs with one private key. */
export interface Signer {
  /** What it can sign with, best first. */
  readonly schemes: readonly SignatureScheme[];
  /** A signature over `message`; null if `scheme` is not among `schemes`. */
  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | null;
  /** Forgets the key, as far as the platform lets it. */
  wipe(): void;
}

/** A family of signatures: `ec`, `ed25519`, `rsa`. */
export interface Signatures {
  /** Null for a key that is refused: an invalid point, a modulus under 2,048 bits, an even or tiny exponent. */
  verifier(key: PublicKey): Verifier | null;
  /** Null if this provider cannot sign with such a key (noble has no RSA), or the key is invalid. */
  signer(key: PrivateKey): Signer | null;
  /** The public key of a private one; null as above. */
  publicKey(key: PrivateKey): PublicKey | null;
}

/** A part of a provider. */
export interface ProviderPart {
  readonly hashes?: Partial<Readonly<Record<HashName, Hash>>>;
  readonly aeads?: Partial<Readonly<Record<AeadName, AeadAlgorithm>>>;
  readonly groups?: Partial<Readonly<Record<GroupName, Group>>>;
  readonly signatures?: Partial<Readonly<Record<PublicKey['kind'], Signatures>>>;
}

/** Everything the engine may ask of crypto. What is missing makes the suites that need it unavailable. */
export interface Provider {
  /** For people: `noble`, `native`. */
  readonly name: string;
  readonly hashes: Partial<Readonly<Record<HashName, Hash>>>;
  readonly aeads: Partial<Readonly<Record<AeadName, AeadAlgorithm>>>;
  readonly groups: Partial<Readonly<Record<GroupName, Group>>>;
  readonly signatures: Partial<Readonly<Record<PublicKey['kind'], Signatures>>>;
}

/** A provider of the given parts; a later part wins over an earlier one. */
export function composeProvider(name: string, ...parts: readonly ProviderPart[]): Provider {
  return {
    name,
    hashes: Object.assign({}, ...parts.map((part) => part.hashes)),
    aeads: Object.assign({}, ...parts.map((part) => part.aeads)),
    groups: Object.assign({}, ...parts.map((part) => part.groups)),
    signatures: Object.assign({}, ...parts.map((part) => part.signatures)),
  };
}
