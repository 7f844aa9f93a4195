/**
 * What the engine asks of a crypto library: interfaces only. `noble/` and `native/` implement them in parts,
 * `composeProvider` joins the parts that an application wants to pay for.
 *
 * Law: nothing here draws randomness, reads a clock or keeps state beyond the key it was made with.
 * A rejected record is a return value (-1), never an exception (expected rejects are the common case under attack).
 */

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

/** A running hash. `digest` can be called again after more `update`s: it does not end the hash. */
export interface RunningHash {
  update(data: Uint8Array): void;
  /** The digest of everything so far, freshly allocated; the hash goes on. */
  digest(): Uint8Array;
  /** Forgets what was hashed, as far as the platform lets it. */
  wipe(): void;
}

/** A keyed MAC that is used many times: the key schedule is kept. */
export interface Hmac {
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
   * Checks and decrypts `sealed` (ciphertext ‖ tag) to `out[at, …)`; returns the plaintext length, or -1 if the
   * tag is wrong or `sealed` is shorter than a tag. After -1 no byte of plaintext stands in `out`: the range is
   * as before or zero. `sealed` may not overlap `out`.
   */
  open(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): number;
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

/** A part of a provider: some hashes, some AEADs (key exchange groups and signatures join them as further maps). */
export interface ProviderPart {
  readonly hashes?: Partial<Readonly<Record<HashName, Hash>>>;
  readonly aeads?: Partial<Readonly<Record<AeadName, AeadAlgorithm>>>;
}

/** Everything the engine may ask of crypto. What is missing makes the suites that need it unavailable. */
export interface Provider {
  /** For people: `noble`, `native`. */
  readonly name: string;
  readonly hashes: Partial<Readonly<Record<HashName, Hash>>>;
  readonly aeads: Partial<Readonly<Record<AeadName, AeadAlgorithm>>>;
}

/** A provider of the given parts; a later part wins over an earlier one. */
export function composeProvider(name: string, ...parts: readonly ProviderPart[]): Provider {
  return {
    name,
    hashes: Object.assign({}, ...parts.map((part) => part.hashes)),
    aeads: Object.assign({}, ...parts.map((part) => part.aeads)),
  };
}
