/**
 * The platform's own authenticated ciphers with 12-byte nonces and 16-byte tags, AES-GCM and ChaCha20-Poly1305: one
 * cipher object per record (they cannot be started anew), under a key object that is made at the second record.
 *
 * Law: `authTagLength` is always given (without it Node takes a GCM tag of 4 bytes). `update()` of a decipher yields
 * plaintext that nobody has verified: it stands in `out` only after `final()` has found the tag right, and is wiped
 * otherwise. Key objects cannot be wiped: `wipe` drops the reference.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type CipherGCMTypes, type KeyObject } from 'node:crypto';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { Views } from '../../wire/views.js';
import { aeadAlgorithm, checkRecord } from '../aead.js';
import type { Aead, AeadAlgorithm, AeadName } from '../provider.js';

export const TAG_LENGTH = 16;

/** Shared and never written to: an object literal per record would be one allocation more. */
const OPTIONS = { authTagLength: TAG_LENGTH };

export class AuthenticatedCipher implements Aead {
  readonly tagLength: number = TAG_LENGTH;
  /** Node types both kinds of cipher alike; ChaCha20-Poly1305 takes the calls of GCM. */
  readonly #name: CipherGCMTypes;
  /** Until the second record. */
  #bytes: Uint8Array | null;
  #begun = false;
  #key: KeyObject | null = null;

  constructor(name: AeadName, key: Uint8Array) {
    this.#name = name as CipherGCMTypes;
    this.#bytes = key;
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const key = this.#recordKey();
    const { length } = plain;
    checkRecord(out, at, length + TAG_LENGTH, nonce, aad);
    const cipher = createCipheriv(this.#name, key, nonce, OPTIONS);
    if (aad.length > 0) cipher.setAAD(aad);
    if (length > 0) out.set(cipher.update(plain), at);
    cipher.final();
    out.set(cipher.getAuthTag(), at + length);
    return length + TAG_LENGTH;
  }

  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const key = this.#recordKey();
    const length = end - start - TAG_LENGTH;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const decipher = createDecipheriv(this.#name, key, nonce, OPTIONS);
    const text = ciphertextOf(sealed, start, length);
    decipher.setAuthTag(tagOf(sealed, start, length));
    if (aad.length > 0) decipher.setAAD(aad);
    const plain = length > 0 ? decipher.update(text) : null;
    try {
      decipher.final();
    } catch {
      // The one way the platform has to say that the tag is wrong.
      wipe(plain);
      return -1;
    }
    if (plain !== null) out.set(plain, at);
    return length;
  }

  wipe(): void {
    wipe(this.#bytes);
    this.#bytes = null;
    this.#key = null;
  }

  /** The key of a record. An object costs as much as it saves in two records: for the first, a handshake's only one, there is none. */
  #recordKey(): KeyObject | Uint8Array {
    if (this.#begun || this.#bytes === null) return this.key();
    this.#begun = true;
    return this.#bytes;
  }

  /** The key as an object. Throws once it is wiped. */
  protected key(): KeyObject {
    if (this.#key !== null) return this.#key;
    if (this.#bytes === null) throw wipedError('AEAD');
    const key = createSecretKey(this.#bytes);
    wipe(this.#bytes);
    this.#bytes = null;
    this.#key = key;
    return key;
  }
}

/** Datagrams that are copied, and how far into them a record may start: a record that is alone starts after its header. */
const MAX_COPIED = 2048;
const LEAD = 64;

const copied: Uint8Array = /* @__PURE__ */ new Uint8Array(LEAD + MAX_COPIED);
const ciphertexts: Views = /* @__PURE__ */ new Views(/* @__PURE__ */ copied.subarray(LEAD));
/** The 16 bytes behind so many bytes of ciphertext. */
const tags: (Uint8Array | undefined)[] = /* @__PURE__ */ new Array<undefined>(MAX_COPIED);

const isCopied = (sealed: Uint8Array, start: number): boolean => sealed.length <= MAX_COPIED && start <= LEAD;

/** The platform takes a view. One that is kept, of a copy, costs less than one that is made, of the datagram. */
function ciphertextOf(sealed: Uint8Array, start: number, length: number): Uint8Array {
  if (!isCopied(sealed, start)) return new Uint8Array(sealed.buffer, sealed.byteOffset + start, length);
  copied.set(sealed, LEAD - start);
  return ciphertexts.first(length);
}

/** The tag behind the ciphertext, which was asked for before. */
function tagOf(sealed: Uint8Array, start: number, length: number): Uint8Array {
  if (!isCopied(sealed, start)) return new Uint8Array(sealed.buffer, sealed.byteOffset + start + length, TAG_LENGTH);
  return (tags[length] ??= copied.subarray(LEAD + length, LEAD + length + TAG_LENGTH));
}

/** The platform's cipher `name` as an AEAD. */
export function authenticated(name: AeadName, keyLength: number): AeadAlgorithm {
  return aeadAlgorithm(name, keyLength, TAG_LENGTH, (key) => new AuthenticatedCipher(name, key));
}
