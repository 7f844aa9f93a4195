/**
 * SHA-256 and SHA-384 with their HMACs on the platform's crypto (FIPS 180-4, RFC 2104).
 *
 * Law: what leaves is a plain `Uint8Array`. Native states and key objects cannot be wiped: `wipe` drops the
 * reference, and the memory is zero only when the garbage collector and the library have had their turn.
 *
 * HMACs are computed here, in WebAssembly (see `hmac.ts`): two calls of the platform for a hundred bytes are calls above
 * all. Without WebAssembly the platform does them.
 */
import platform, { createHash, createHmac, createSecretKey, type Hash as NativeState, type KeyObject } from 'node:crypto';
import { EMPTY, wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { giveRoom, takeRoom } from '../../wire/rooms.js';
import type { Hash, HashName, Hmac, ProviderPart, RunningHash } from '../provider.js';
import { CompiledHmac, HmacEngine } from './hmac.js';

class NativeRunningHash implements RunningHash {
  #state: NativeState | null;

  constructor(name: HashName) {
    this.#state = createHash(name);
  }

  update(data: Uint8Array): void {
    if (this.#state === null) throw wipedError('hash');
    this.#state.update(data);
  }

  digest(): Uint8Array {
    if (this.#state === null) throw wipedError('hash');
    const digest = this.#state.copy().digest();
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.length);
  }

  wipe(): void {
    this.#state = null;
  }
}

/** A hash that was wiped and says so. */
const WIPED: NativeRunningHash = /* @__PURE__ */ (() => {
  const hash = new NativeRunningHash('sha256');
  hash.wipe();
  return hash;
})();

/** The platform's hash in one call, where it has one. */
type OneCall = typeof platform.hash;

/** Bytes that a running hash holds at most before it hands them to a native state. A handshake has 300 to 2,000. */
const MAX_HELD = 2048;

/** Hashes what came so far anew for each digest: for little data it costs less than a native state, which must be freed too. */
class OneCallRunningHash implements RunningHash {
  readonly #name: HashName;
  readonly #hash: OneCall;
  #held: Uint8Array = EMPTY;
  #length = 0;
  /** Beyond the bound; then nothing is held. */
  #native: NativeRunningHash | null = null;

  constructor(name: HashName, hash: OneCall) {
    this.#name = name;
    this.#hash = hash;
  }

  update(data: Uint8Array): void {
    const length = this.#length + data.length;
    if (this.#native === null && length > MAX_HELD) this.#spill();
    if (this.#native !== null) return this.#native.update(data);
    if (length > this.#held.length) this.#grow(length);
    this.#held.set(data, this.#length);
    this.#length = length;
  }

  digest(): Uint8Array {
    if (this.#native !== null) return this.#native.digest();
    // What is hashed here is no secret, and as text a digest costs a third.
    const text = this.#hash(this.#name, this.#held.subarray(0, this.#length), 'binary');
    const digest = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) digest[i] = text.charCodeAt(i);
    return digest;
  }

  wipe(): void {
    this.#native?.wipe();
    this.#native = WIPED;
    this.#letGo();
  }

  #letGo(): void {
    wipe(this.#held);
    giveRoom(this.#held);
    this.#held = EMPTY;
  }

  #grow(length: number): void {
    const larger = takeRoom(length);
    larger.set(this.#held.subarray(0, this.#length));
    this.#letGo();
    this.#held = larger;
  }

  #spill(): void {
    this.#native = new NativeRunningHash(this.#name);
    this.#native.update(this.#held.subarray(0, this.#length));
    this.#letGo();
  }
}

/** HMAC by the platform's own. */
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
    if (this.#key === null) throw wipedError('HMAC');
    const hmac = createHmac(this.#name, this.#key).update(length === data.length ? data : data.subarray(0, length));
    out.set(hmac.digest(), at);
  }

  wipe(): void {
    this.#key = null;
  }
}

/** Null where there is none, or one that does not keep its word (the digest of nothing, FIPS 180-4). */
function oneCallOf(name: HashName, outputLength: number): OneCall | null {
  const { hash } = platform as { readonly hash?: OneCall };
  if (typeof hash !== 'function') return null;
  try {
    const digest = hash(name, new Uint8Array(0), 'buffer');
    const text = hash(name, new Uint8Array(0), 'binary');
    const right = createHash(name).digest();
    return digest.equals(right) && digest.length === outputLength && text === right.toString('latin1') ? hash : null;
  } catch {
    return null;
  }
}

function nativeHash(name: HashName, outputLength: number): Hash {
  const oneCall = oneCallOf(name, outputLength);
  /** Undefined until the first key asks for it. */
  let engine: HmacEngine | null | undefined;
  return {
    name,
    outputLength,
    start: () => (oneCall === null ? new NativeRunningHash(name) : new OneCallRunningHash(name, oneCall)),
    hmac(key) {
      if (engine === undefined) engine = HmacEngine.make(name, outputLength);
      return engine === null ? new NativeHmac(name, outputLength, key) : new CompiledHmac(engine, key);
    },
  };
}

/** SHA-256 and HMAC-SHA-256. */
export const sha256Part: ProviderPart = { hashes: { sha256: /* @__PURE__ */ nativeHash('sha256', 32) } };

/** SHA-384 and HMAC-SHA-384. */
export const sha384Part: ProviderPart = { hashes: { sha384: /* @__PURE__ */ nativeHash('sha384', 48) } };
