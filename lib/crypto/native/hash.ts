/**
 * SHA-256 and SHA-384 with their HMACs on the platform's crypto (FIPS 180-4, RFC 2104).
 *
 * Law: what leaves is a plain `Uint8Array`. Native states and key objects cannot be wiped: `wipe` drops the
 * reference, and the memory is zero only when the garbage collector and the library have had their turn.
 */
import { createHash, createHmac, createSecretKey, type Hash as NativeState, type KeyObject } from 'node:crypto';
import { LocalError } from '../../wire/errors.js';
import type { Hash, HashName, Hmac, ProviderPart, RunningHash } from '../provider.js';

class NativeRunningHash implements RunningHash {
  #state: NativeState | null;

  constructor(name: HashName) {
    this.#state = createHash(name);
  }

  update(data: Uint8Array): void {
    if (this.#state === null) throw new LocalError('ERR_DTLS_FREED', 'this hash was wiped');
    this.#state.update(data);
  }

  digest(): Uint8Array {
    if (this.#state === null) throw new LocalError('ERR_DTLS_FREED', 'this hash was wiped');
    const digest = this.#state.copy().digest();
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.length);
  }

  wipe(): void {
    this.#state = null;
  }
}

class NativeHmac implements Hmac {
  readonly outputLength: number;
  readonly #name: HashName;
  #key: KeyObject | null;

  constructor(name: HashName, outputLength: number, key: Uint8Array) {
    this.#name = name;
    this.outputLength = outputLength;
    this.#key = createSecretKey(key);
  }

  compute(out: Uint8Array, at: number, data: Uint8Array, length: number = data.length): void {
    if (this.#key === null) throw new LocalError('ERR_DTLS_FREED', 'this HMAC was wiped');
    const hmac = createHmac(this.#name, this.#key).update(length === data.length ? data : data.subarray(0, length));
    out.set(hmac.digest(), at);
  }

  wipe(): void {
    this.#key = null;
  }
}

function nativeHash(name: HashName, outputLength: number): Hash {
  return {
    name,
    outputLength,
    start: () => new NativeRunningHash(name),
    hmac: (key) => new NativeHmac(name, outputLength, key),
  };
}

/** SHA-256 and HMAC-SHA-256. */
export const sha256Part: ProviderPart = { hashes: { sha256: /* @__PURE__ */ nativeHash('sha256', 32) } };

/** SHA-384 and HMAC-SHA-384. */
export const sha384Part: ProviderPart = { hashes: { sha384: /* @__PURE__ */ nativeHash('sha384', 48) } };
