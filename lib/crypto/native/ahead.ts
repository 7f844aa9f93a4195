/**
 * Keystream ahead of its records. The nonces of a key run in sequence (RFC 6655 §3: epoch ‖ sequence number), so that
 * the counter blocks of the next few records are known, and one call of the cipher encrypts them all. A native call costs
 * as much as 3,000 bytes of AES; this saves most of one of the two that a record takes.
 *
 * Law: a slot serves one record; a nonce that is out of sequence, longer than foreseen or used before finds none, and
 * the caller then encrypts for that record alone. What stands here is as secret as the key, and wiped with it.
 */
import { getUint32, wipe } from '../../wire/bytes.js';

/** Bytes of keystream kept for a key: that of four records of 1,200 bytes. */
const CAPACITY = 5120;
/** A mask of slots is one number. */
const MAX_SLOTS = 16;

export class KeystreamAhead {
  readonly bytes: Uint8Array = new Uint8Array(CAPACITY);
  /** The same as words of the machine. */
  readonly words: Int32Array = new Int32Array(this.bytes.buffer);
  /** Bytes of one slot; 0 while there are none. */
  #stride = 0;
  /** Slots that no record has used, as bits. */
  #unused = 0;
  #slots = 0;
  /** The nonce: what all slots share, and the last word of slot 0. */
  #prefix0 = 0;
  #prefix1 = 0;
  #first = 0;
  /** The last word of the latest nonce, −1 before the first. */
  #latest = -1;

  /** Where the `length` bytes of keystream for `nonce` stand, or −1. The slot is spent by asking, and the caller's to wipe. */
  take(nonce: Uint8Array, length: number): number {
    const last = getUint32(nonce, 8);
    const slot = last - this.#first;
    this.#latest = last;
    if (!this.#isForeseen(slot) || length > this.#stride || (this.#unused & (1 << slot)) === 0) return -1;
    if (getUint32(nonce, 0) !== this.#prefix0 || getUint32(nonce, 4) !== this.#prefix1) return -1;
    this.#unused &= ~(1 << slot);
    return slot * this.#stride;
  }

  /**
   * Whether those after `nonce` are worth foreseeing: it follows the latest one, and was not foreseen itself (for a shorter
   * record). So forged records that grow have no more than twice their keystream made for them. Ask before `take`.
   */
  follows(nonce: Uint8Array): boolean {
    const last = getUint32(nonce, 8);
    return last === this.#latest + 1 && !this.#isForeseen(last - this.#first);
  }

  /** How many records of `length` bytes of keystream fit, `nonce` being the first: 1 where it is not worth it. */
  static slotsFor(length: number, nonce: Uint8Array): number {
    const slots = Math.min(MAX_SLOTS, Math.floor(CAPACITY / length), 0x1_0000_0000 - getUint32(nonce, 8));
    return Math.max(1, slots);
  }

  /** Takes the keystream of `slots` records of `length` bytes each, from `nonce` on; the first is spent already and not kept. */
  fill(nonce: Uint8Array, length: number, slots: number, keystream: Uint8Array): void {
    // None is for use before all of it stands.
    this.#unused = 0;
    this.bytes.set(keystream);
    this.bytes.fill(0, 0, length);
    this.#stride = length;
    this.#slots = slots;
    this.#prefix0 = getUint32(nonce, 0);
    this.#prefix1 = getUint32(nonce, 4);
    this.#first = getUint32(nonce, 8);
    this.#unused = (1 << slots) - 2;
  }

  #isForeseen(slot: number): boolean {
    return slot >= 0 && slot < this.#slots;
  }

  wipe(): void {
    wipe(this.bytes);
    this.#stride = this.#slots = this.#unused = 0;
    this.#latest = -1;
  }
}
