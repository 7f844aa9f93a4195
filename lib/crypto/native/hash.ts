/**
 * SHA-256 and SHA-384 with their HMACs on the platform's crypto (FIPS 180-4, RFC 2104).
 *
 * Law: what leaves is a plain `Uint8Array`. Native states and key objects cannot be wiped: `wipe` drops the
 * reference, and the memory is zero only when the garbage collector and the library have had their turn.
 *
 * Where the platform hashes in one call (Node from 20.12 on), an HMAC is two such calls around key blocks of our own: half
 * the time of `createHmac`, a twentieth of the time to set up a key, and the key can be wiped.
 */
import platform, { createHash, createHmac, createSecretKey, type Hash as NativeState, type KeyObject } from 'node:crypto';
import { EMPTY, wipe } from '../../wire/bytes.js';
import { LocalError } from '../../wire/errors.js';
import { giveRoom, takeRoom } from '../../wire/rooms.js';
import { Views } from '../../wire/views.js';
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

/** A hash that was wiped and says so. */
const WIPED: NativeRunningHash = /* @__PURE__ */ (() => {
  const hash = new NativeRunningHash('sha256');
  hash.wipe();
  return hash;
})();

/** The platform's hash in one call, where it has one. */
type OneCall = typeof platform.hash;

/** Bytes of a block, and so of a padded key: 64 and 128. */
const BLOCK_LENGTHS: Readonly<Record<HashName, number>> = { sha256: 64, sha384: 128 };

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
    putLatin1(digest, 0, text);
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

/** The bytes of a digest that came as text. */
function putLatin1(out: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
}

/** Room for a block and the data behind it; longer data gets room of its own. All of it is zero between two uses. */
const scratch: Views = /* @__PURE__ */ new Views(/* @__PURE__ */ new Uint8Array(128 + 512));

/** HMAC as H(K ⊕ opad ‖ H(K ⊕ ipad ‖ data)) by two one-call hashes. */
class OneCallHmac implements Hmac {
  readonly outputLength: number;
  readonly #name: HashName;
  readonly #hash: OneCall;
  /** K ⊕ ipad, K ⊕ opad; empty once wiped. */
  #inner: Uint8Array;
  #outer: Uint8Array;

  constructor(name: HashName, outputLength: number, key: Uint8Array, hash: OneCall) {
    const blockLength = BLOCK_LENGTHS[name];
    // A key that is longer than a block is hashed first (RFC 2104 §2).
    const short = key.length > blockLength ? hash(name, key, 'buffer') : key;
    const inner = new Uint8Array(blockLength);
    const outer = new Uint8Array(blockLength);
    inner.set(short);
    if (short !== key) wipe(short);
    for (let i = 0; i < blockLength; i++) {
      outer[i] = inner[i]! ^ 0x5c;
      inner[i]! ^= 0x36;
    }
    this.#name = name;
    this.outputLength = outputLength;
    this.#hash = hash;
    this.#inner = inner;
    this.#outer = outer;
  }

  compute(out: Uint8Array, at: number, data: Uint8Array, length: number = data.length, isPublic: boolean = false): void {
    const blockLength = this.#inner.length;
    if (blockLength === 0) throw wipedError();
    const innerLength = blockLength + length;
    const isLong = innerLength > scratch.bytes.length;
    const inner = isLong ? new Uint8Array(innerLength) : scratch.first(innerLength);
    inner.set(this.#inner);
    inner.set(length === data.length ? data : data.subarray(0, length), blockLength);
    // As text, which cannot be wiped, a digest costs a third; without the key nothing follows from this one.
    const digest = this.#hash(this.#name, inner, 'binary');
    if (isLong) wipe(inner);
    const outerLength = blockLength + this.outputLength;
    const outer = scratch.first(outerLength);
    outer.set(this.#outer);
    putLatin1(outer, blockLength, digest);
    if (isPublic) {
      putLatin1(out, at, this.#hash(this.#name, outer, 'binary'));
    } else {
      const result = this.#hash(this.#name, outer, 'buffer');
      out.set(result, at);
      wipe(result);
    }
    wipe(isLong || innerLength < outerLength ? outer : inner);
  }

  wipe(): void {
    wipe(this.#inner);
    wipe(this.#outer);
    this.#inner = this.#outer = EMPTY;
  }
}

/** HMAC by the platform's own, for platforms that hash in several calls only. */
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
    if (this.#key === null) throw wipedError();
    const hmac = createHmac(this.#name, this.#key).update(length === data.length ? data : data.subarray(0, length));
    out.set(hmac.digest(), at);
  }

  wipe(): void {
    this.#key = null;
  }
}

function wipedError(): LocalError {
  return new LocalError('ERR_DTLS_FREED', 'this HMAC was wiped');
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
  return {
    name,
    outputLength,
    start: () => (oneCall === null ? new NativeRunningHash(name) : new OneCallRunningHash(name, oneCall)),
    hmac: (key) => (oneCall === null ? new NativeHmac(name, outputLength, key) : new OneCallHmac(name, outputLength, key, oneCall)),
  };
}

/** SHA-256 and HMAC-SHA-256. */
export const sha256Part: ProviderPart = { hashes: { sha256: /* @__PURE__ */ nativeHash('sha256', 32) } };

/** SHA-384 and HMAC-SHA-384. */
export const sha384Part: ProviderPart = { hashes: { sha384: /* @__PURE__ */ nativeHash('sha384', 48) } };
