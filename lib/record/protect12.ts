/**
 * AEAD protection of DTLS 1.2 records in one direction (RFC 5246 §6.2.3.3; nonces: RFC 5288 §3, RFC 6655 §3,
 * RFC 7905 §2).
 *
 * Law: the nonce is made of epoch and sequence number and nothing else (RFC 9325 §7.2.1), so it repeats only if a
 * sequence number does. Nonce and additional data stand in scratch that all instances share: everything here is
 * synchronous, and an idle association need not own it.
 */
import type { Aead } from '../crypto/provider.js';
import type { NonceForm } from '../crypto/suites.js';
import { MAX_PLAINTEXT } from './header12.js';
import { getUint32, putUint16, putUint32, putUint48 } from '../wire/bytes.js';
import { ProtocolVersion } from '../wire/registry.js';

const NONCE = new Uint8Array(12);
const AAD = new Uint8Array(13);
const EXPLICIT_NONCE = 8;

export class Protection12 {
  readonly #aead: Aead;
  readonly #explicit: boolean;
  /** The implicit part of the nonce as words: one for `explicit`, three for `xor`. */
  #iv0: number;
  #iv1 = 0;
  #iv2 = 0;

  /** The IV is at `bytes[at…]`: 4 bytes for `explicit`, 12 for `xor`; read now, not kept. `aead` is owned from here on. */
  constructor(aead: Aead, nonceForm: NonceForm, bytes: Uint8Array, at: number) {
    this.#aead = aead;
    this.#explicit = nonceForm === 'explicit';
    this.#iv0 = getUint32(bytes, at);
    if (!this.#explicit) {
      this.#iv1 = getUint32(bytes, at + 4);
      this.#iv2 = getUint32(bytes, at + 8);
    }
  }

  /** Bytes that protection adds to a fragment. */
  get overhead(): number {
    return (this.#explicit ? EXPLICIT_NONCE : 0) + this.#aead.tagLength;
  }

  /** Seals `plain` as the fragment at `out[at…]`; returns its length. */
  seal(out: Uint8Array, at: number, type: number, epoch: number, sequence: number, plain: Uint8Array): number {
    putUint16(NONCE, 4, epoch);
    putUint48(NONCE, 6, sequence);
    this.#additionalData(type, epoch, sequence, plain.length);
    if (this.#explicit) {
      putUint32(NONCE, 0, this.#iv0);
      for (let i = 0; i < EXPLICIT_NONCE; i++) out[at + i] = NONCE[4 + i]!;
      return EXPLICIT_NONCE + this.#aead.seal(out, at + EXPLICIT_NONCE, NONCE, AAD, plain);
    }
    this.#mask();
    return this.#aead.seal(out, at, NONCE, AAD, plain);
  }

  /**
   * Opens the fragment `record[start, end)` to `out[0…]`; returns the plaintext length, or −1 if it is too short
   * or too long (RFC 5246 §6.2.1) or not authentic.
   */
  open(out: Uint8Array, type: number, epoch: number, sequence: number, record: Uint8Array, start: number, end: number): number {
    const length = end - start - this.overhead;
    if (length < 0 || length > MAX_PLAINTEXT) return -1;
    this.#additionalData(type, epoch, sequence, length);
    if (this.#explicit) {
      putUint32(NONCE, 0, this.#iv0);
      for (let i = 0; i < EXPLICIT_NONCE; i++) NONCE[4 + i] = record[start + i]!;
      return this.#aead.open(out, 0, NONCE, AAD, record, start + EXPLICIT_NONCE, end);
    }
    putUint16(NONCE, 4, epoch);
    putUint48(NONCE, 6, sequence);
    this.#mask();
    return this.#aead.open(out, 0, NONCE, AAD, record, start, end);
  }

  /** Forgets the key and the implicit nonce. */
  wipe(): void {
    this.#aead.wipe();
    this.#iv0 = this.#iv1 = this.#iv2 = 0;
  }

  /** struct { uint16 epoch; uint48 sequence; ContentType type; ProtocolVersion version; uint16 length; } */
  #additionalData(type: number, epoch: number, sequence: number, length: number): void {
    putUint16(AAD, 0, epoch);
    putUint48(AAD, 2, sequence);
    AAD[8] = type;
    putUint16(AAD, 9, ProtocolVersion.dtls12);
    putUint16(AAD, 11, length);
  }

  #mask(): void {
    putUint32(NONCE, 0, this.#iv0);
    putUint32(NONCE, 4, getUint32(NONCE, 4) ^ this.#iv1);
    putUint32(NONCE, 8, getUint32(NONCE, 8) ^ this.#iv2);
  }
}
