/**
 * The stateless cookie in two parts (RFC 6347 §4.2.1): A proves the address and the start of the ClientHello, B binds
 * the algorithms it offers.
 *
 *   A = HMAC(secret, domain ‖ session ‖ version ‖ random ‖ session_id), cut to 16
 *   B = HMAC(secret, A ‖ cipher_suites ‖ compression_methods), cut to 16
 *
 * A first fragment that ends before the algorithms gets B = HMAC(secret, A ‖ message length) instead, so that a hello
 * over many small datagrams needs no state either; the length it announces next time is known.
 * Law: no state but the secret, which rotates; the one before it is still accepted. Compares are constant-time.
 */
import type { Hash, Hmac } from '../crypto/provider.js';
import type { ClientHelloStart } from '../message/hello.js';
import { equalBytes, putUint24, putUint32, wipe } from '../wire/bytes.js';

/** Bytes of a cookie: A ‖ B. */
export const COOKIE_LENGTH = 32;
const HALF = 16;
const SECRET_LENGTH = 32;
/** Tells cookies from whatever else the secret might be used for. */
const DOMAIN = 0x43;
/** Marks a B that stands for a length, which no list of suites can look like (it would be cut short). */
const BY_LENGTH = 0xff;

export class CookieJar {
  readonly #hash: Hash;
  readonly #random: (length: number) => Uint8Array;
  readonly #lifetimeMs: number;
  #current: Hmac | null = null;
  #previous: Hmac | null = null;
  #rotatedAt = 0;
  /** Holds A's input, then A and B's input; grows to the largest hello seen, within a datagram. */
  #scratch: Uint8Array = new Uint8Array(1024);
  readonly #digest: Uint8Array;
  readonly #cookie: Uint8Array = new Uint8Array(COOKIE_LENGTH);

  constructor(hash: Hash, random: (length: number) => Uint8Array, lifetimeMs: number) {
    this.#hash = hash;
    this.#random = random;
    this.#lifetimeMs = lifetimeMs;
    this.#digest = new Uint8Array(hash.outputLength);
  }

  /** The cookie for the hello that `start` describes in `bytes`; valid until the next call. `length`: of the whole message. */
  make(now: number, session: Uint8Array, bytes: Uint8Array, start: ClientHelloStart, length: number): Uint8Array {
    const secret = this.#secretAt(now);
    this.#half(secret, 0, this.#addressInput(session, bytes, start));
    // The length without a cookie: with or without an old one in the hello, the next will hold one of ours.
    const bare = length - (start.cookieEnd - start.cookie);
    const input = start.algorithmsEnd > 0 ? this.#algorithmsInput(bytes, start) : this.#lengthInput(bare);
    this.#half(secret, HALF, input);
    return this.#cookie;
  }

  /** Whether A of the hello's cookie is right: the address is proved. */
  provesAddress(now: number, session: Uint8Array, bytes: Uint8Array, start: ClientHelloStart): boolean {
    if (start.cookieEnd - start.cookie !== COOKIE_LENGTH) return false;
    return this.#matchingSecret(now, session, bytes, start) !== null;
  }

  /** Whether the whole cookie is right. `length`: of the whole message, `start` must hold the algorithms. */
  accepts(now: number, session: Uint8Array, bytes: Uint8Array, start: ClientHelloStart, length: number): boolean {
    if (start.cookieEnd - start.cookie !== COOKIE_LENGTH || start.algorithmsEnd === 0) return false;
    const secret = this.#matchingSecret(now, session, bytes, start);
    if (secret === null) return false;
    const received = bytes.subarray(start.cookie + HALF, start.cookieEnd);
    this.#half(secret, HALF, this.#algorithmsInput(bytes, start));
    if (equalBytes(received, this.#cookie.subarray(HALF))) return true;
    this.#half(secret, HALF, this.#lengthInput(length - COOKIE_LENGTH));
    return equalBytes(received, this.#cookie.subarray(HALF));
  }

  /** Forgets the secrets. */
  wipe(): void {
    this.#current?.wipe();
    this.#previous?.wipe();
    this.#current = this.#previous = null;
    wipe(this.#scratch);
  }

  #matchingSecret(now: number, session: Uint8Array, bytes: Uint8Array, start: ClientHelloStart): Hmac | null {
    const current = this.#secretAt(now);
    const received = bytes.subarray(start.cookie, start.cookie + HALF);
    const length = this.#addressInput(session, bytes, start);
    for (const secret of [current, this.#previous]) {
      if (secret === null) continue;
      this.#half(secret, 0, length);
      if (equalBytes(received, this.#cookie.subarray(0, HALF))) return secret;
    }
    return null;
  }

  #secretAt(now: number): Hmac {
    const age = now - this.#rotatedAt;
    if (this.#current === null || age >= this.#lifetimeMs) {
      // Drawn first: if there is no randomness, the secrets stay as they are and nobody is let in by them.
      const secret = this.#random(SECRET_LENGTH);
      this.#previous?.wipe();
      // After two lifetimes of silence the old secret is too old to be the previous one.
      const keep = age < 2 * this.#lifetimeMs;
      if (!keep) this.#current?.wipe();
      this.#previous = keep ? this.#current : null;
      this.#current = this.#hash.hmac(secret);
      wipe(secret);
      this.#rotatedAt = now;
    }
    return this.#current;
  }

  /** HMAC over the first `length` bytes of the scratch, cut to a half cookie at `at`. */
  #half(secret: Hmac, at: number, length: number): void {
    secret.compute(this.#digest, 0, this.#scratch, length);
    for (let i = 0; i < HALF; i++) this.#cookie[at + i] = this.#digest[i]!;
  }

  #addressInput(session: Uint8Array, bytes: Uint8Array, start: ClientHelloStart): number {
    const helloLength = start.sessionIdEnd - start.at;
    const scratch = this.#room(5 + session.length + helloLength);
    scratch[0] = DOMAIN;
    putUint32(scratch, 1, session.length);
    scratch.set(session, 5);
    scratch.set(bytes.subarray(start.at, start.sessionIdEnd), 5 + session.length);
    return 5 + session.length + helloLength;
  }

  #algorithmsInput(bytes: Uint8Array, start: ClientHelloStart): number {
    const length = start.algorithmsEnd - start.cookieEnd;
    const scratch = this.#room(HALF + length);
    scratch.set(this.#cookie.subarray(0, HALF));
    scratch.set(bytes.subarray(start.cookieEnd, start.algorithmsEnd), HALF);
    return HALF + length;
  }

  #lengthInput(length: number): number {
    const scratch = this.#room(HALF + 4);
    scratch.set(this.#cookie.subarray(0, HALF));
    scratch[HALF] = BY_LENGTH;
    putUint24(scratch, HALF + 1, length);
    return HALF + 4;
  }

  #room(length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    return this.#scratch;
  }
}
