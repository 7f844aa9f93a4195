/**
 * What AES-CCM and AES-GCM have in common on noble's AES block function: records in the shared workspace, under a key
 * schedule that stays with the key. noble's public modes make a new one per call. `unsafe` may change with any minor release
 * of noble, hence the narrow range of versions.
 *
 * Law: `out` sees nothing of a record before its tag is right, and the workspace is all zero again afterwards. Table
 * look-ups make this AES fast and not constant-time, as any fast AES in JavaScript.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { checkRecord, clearBytes, copyBytes, wholeBlocks } from '../aead.js';
import type { Aead } from '../provider.js';
import { tagBytes, tagStands, workspace } from './workspace.js';

export abstract class NobleAes implements Aead {
  readonly tagLength: number;
  readonly #prefix: number;
  #schedule: Uint32Array | null;

  /** Takes the key, and wipes it. `prefix`: bytes of the mode's own before additional data, if there is any. */
  constructor(key: Uint8Array, tagLength: number, prefix: number) {
    this.tagLength = tagLength;
    this.#prefix = prefix;
    this.#schedule = unsafe.expandKeyLE(key);
    wipe(key);
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const schedule = this.schedule();
    const { length } = plain;
    checkRecord(out, at, length + this.tagLength, nonce, aad);
    const payload = this.#payload(aad, length);
    try {
      this.#load(aad, payload, plain, 0, length);
      this.crypt(schedule, nonce, aad.length, payload, length, true);
      copyBytes(out, at, workspace.bytes, payload, length);
      for (let i = 0; i < this.tagLength; i++) out[at + length + i] = tagBytes[i]!;
      return length + this.tagLength;
    } finally {
      clearBytes(workspace.bytes, payload + wholeBlocks(length));
    }
  }

  open(
    out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array,
    start: number = 0, end: number = sealed.length,
  ): number {
    const schedule = this.schedule();
    const length = end - start - this.tagLength;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const payload = this.#payload(aad, length);
    try {
      this.#load(aad, payload, sealed, start, length);
      this.crypt(schedule, nonce, aad.length, payload, length, false);
      if (!tagStands(sealed, start + length, this.tagLength)) return -1;
      this.reveal(schedule, nonce, payload, length);
      copyBytes(out, at, workspace.bytes, payload, length);
      return length;
    } finally {
      clearBytes(workspace.bytes, payload + wholeBlocks(length));
    }
  }

  wipe(): void {
    this.#schedule?.fill(0);
    this.#schedule = null;
  }

  protected schedule(): Uint32Array {
    if (this.#schedule === null) throw wipedError('AEAD');
    return this.#schedule;
  }

  /**
   * Leaves the tag of the `length` bytes at `payload` in the workspace, behind prefix and additional data, in `tag`. Encrypts
   * them; decrypts them only if the tag is over plaintext.
   */
  protected abstract crypt(
    schedule: Uint32Array, nonce: Uint8Array, aadLength: number, payload: number, length: number, sealing: boolean,
  ): void;

  /** Decrypts what `crypt` has not, its tag being right. */
  protected reveal(_schedule: Uint32Array, _nonce: Uint8Array, _payload: number, _length: number): void {}

  /** Makes room; where `length` bytes of payload start: prefix, additional data and payload are each whole blocks. */
  #payload(aad: Uint8Array, length: number): number {
    const payload = aad.length && wholeBlocks(this.#prefix + aad.length);
    workspace.reserve(payload + wholeBlocks(length));
    return payload;
  }

  #load(aad: Uint8Array, payload: number, from: Uint8Array, start: number, length: number): void {
    copyBytes(workspace.bytes, this.#prefix, aad, 0, aad.length);
    copyBytes(workspace.bytes, payload, from, start, length);
  }
}
