/**
 * What AES-CCM and AES-GCM have in common on noble's AES block function: records in the shared workspace, under a key
 * schedule that stays with the key. noble's public modes make a new one per call. `unsafe` may change with any release of
 * noble, hence the pinned version.
 *
 * Law: `out` sees nothing of a record before its tag is right, and the workspace is all zero again afterwards. Table
 * look-ups make this AES fast and not constant-time, as any fast AES in JavaScript.
 */
import { unsafe } from '@noble/ciphers/aes.js';
import { wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { checkRecord, clearBytes, copyBytes, wholeBlocks } from '../aead.js';
import type { Aead } from '../provider.js';
import { tagBytes, workspace } from './workspace.js';

export abstract class NobleAes implements Aead {
  readonly tagLength: number;
  #schedule: Uint32Array | null;

  /** Takes the key, and wipes it. */
  constructor(key: Uint8Array, tagLength: number) {
    this.tagLength = tagLength;
    this.#schedule = unsafe.expandKeyLE(key);
    wipe(key);
  }

  seal(out: Uint8Array, at: number, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): number {
    const { length } = plain;
    checkRecord(out, at, length + this.tagLength, nonce, aad);
    const payload = this.#load(aad, plain, 0, length);
    try {
      this.crypt(this.schedule(), nonce, aad.length, payload, length, true);
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
    const length = end - start - this.tagLength;
    if (length < 0) return -1;
    checkRecord(out, at, length, nonce, aad);
    const payload = this.#load(aad, sealed, start, length);
    try {
      this.crypt(this.schedule(), nonce, aad.length, payload, length, false);
      let difference = 0;
      for (let i = 0; i < this.tagLength; i++) difference |= tagBytes[i]! ^ sealed[start + length + i]!;
      if (difference !== 0) return -1;
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

  /** Bytes that the mode itself puts before so many of additional data. */
  protected abstract prefix(aadLength: number): number;

  /** En- or decrypts `length` bytes at `payload` in the workspace, behind prefix and additional data, and leaves the tag in `tag`. */
  protected abstract crypt(
    schedule: Uint32Array, nonce: Uint8Array, aadLength: number, payload: number, length: number, sealing: boolean,
  ): void;

  /**
   * Lays out the workspace: additional data, then payload, each padded with zeros to whole blocks. Returns where the payload
   * starts.
   */
  #load(aad: Uint8Array, payload: Uint8Array, from: number, length: number): number {
    const prefix = this.prefix(aad.length);
    const start = wholeBlocks(prefix + aad.length);
    workspace.reserve(start + wholeBlocks(length));
    copyBytes(workspace.bytes, prefix, aad, 0, aad.length);
    copyBytes(workspace.bytes, start, payload, from, length);
    return start;
  }
}
