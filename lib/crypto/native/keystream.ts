/**
 * Counter mode on an ECB cipher that lives as long as its key is busy: what CCM (RFC 3610 §2.3) and GCM (NIST SP
 * 800-38D §6.5) have in common. The first block of a record's keystream masks its tag, the others its payload.
 *
 * Law: AES is the platform's; JavaScript lays out counters and XORs. Counter blocks are no secret; keystream is, and is
 * cleared once it is used.
 */
import type { Cipher } from 'node:crypto';
import { getUint32, putUint32, wipe } from '../../wire/bytes.js';
import { invariant } from '../../wire/errors.js';
import { clearBytes, copyBytes, wholeBlocks, Workspace } from '../aead.js';
import { KeystreamAhead } from './ahead.js';

export const BLOCK = 16;

/** How a mode makes its counter blocks: 13 bytes that the record fixes, 3 bytes that count. */
export interface CounterForm {
  /** Where in the block the nonce stands: after a flags byte (1), or first and before a zero (0). */
  readonly nonceAt: 0 | 1;
  /** The flags byte, where there is one. */
  readonly flags: number;
  /** The counter of the block that masks the tag. */
  readonly first: number;
}

/** Whole blocks for a cipher. Native calls take views; those that were needed once are kept. */
export class Blocks extends Workspace {
  #views: Uint8Array[] = [];

  override reserve(length: number): void {
    const before = this.bytes;
    super.reserve(length);
    if (this.bytes !== before) this.#views = [];
  }

  /** The first `length` bytes, a multiple of the block. */
  first(length: number): Uint8Array {
    return (this.#views[length / BLOCK] ??= this.bytes.subarray(0, length));
  }
}

/** Counter blocks, to be encrypted. Nothing secret. */
const counters: Blocks = /* @__PURE__ */ new Blocks(2048);

/** Word n: three bytes that count, n, behind a zero, as they stand in the last word of a counter block. */
let counting: Workspace = /* @__PURE__ */ new Workspace(0);

/** Keystream that was made for one record alone. All zero between calls. */
const single: Workspace = /* @__PURE__ */ new Workspace(2048);

/** Where the keystream of the record at hand stands, from the tag's mask on. */
class Keystream {
  bytes: Uint8Array = single.bytes;
  words: Int32Array = single.words;
  /** In bytes, a multiple of the block. */
  at = 0;
  #length = 0;

  /**
   * Makes `length` bytes, whole blocks: foreseen ones where there are, else by a call of the cipher, which foresees the
   * next few where the nonces run in sequence.
   */
  make(ecb: Cipher, ahead: KeystreamAhead, form: CounterForm, nonce: Uint8Array, length: number): void {
    // Until there is a keystream, there is none to clear.
    this.#length = 0;
    const follows = ahead.follows(nonce);
    const at = ahead.take(nonce, length);
    if (at >= 0) {
      this.bytes = ahead.bytes;
      this.words = ahead.words;
      this.at = at;
      this.#length = length;
      return;
    }
    const slots = follows ? KeystreamAhead.slotsFor(length, nonce) : 1;
    counters.reserve(length * slots);
    for (let slot = 0; slot < slots; slot++) layCounters(form, nonce, slot, length);
    const encrypted = ecb.update(counters.first(length * slots));
    invariant(encrypted.length === length * slots, 'ECB gives whole blocks back at once');
    if (slots > 1) ahead.fill(nonce, length, slots, encrypted);
    single.reserve(length);
    copyBytes(single.bytes, 0, encrypted, 0, length);
    // What the platform gave lies in memory of its own until that is collected.
    wipe(encrypted);
    this.bytes = single.bytes;
    this.words = single.words;
    this.at = 0;
    this.#length = length;
  }

  /** Wipes what `make` made. */
  clear(): void {
    if (this.bytes === single.bytes) clearBytes(single.bytes, this.#length);
    else for (let word = this.at >> 2, end = word + (this.#length >> 2); word < end; word++) this.words[word] = 0;
    this.#length = 0;
  }
}

/** The keystream of the record at hand: whoever made it clears it. */
export const keystream: Keystream = /* @__PURE__ */ new Keystream();

/** Lays out the counter blocks for the nonce that is `slot` after `nonce`, as `length` bytes in `counters`. */
function layCounters({ nonceAt, flags, first: from }: CounterForm, nonce: Uint8Array, slot: number, length: number): void {
  const { bytes, words } = counters;
  const start = slot * length;
  const count = length / BLOCK;
  if (from + count > counting.words.length) extendCounting(from + count);
  // One of the two is overwritten by the nonce.
  bytes[start] = flags;
  bytes[start + 12] = 0;
  for (let i = 0; i < 8; i++) bytes[start + nonceAt + i] = nonce[i]!;
  putUint32(bytes, start + nonceAt + 8, getUint32(nonce, 8) + slot);
  for (let i = 13; i < BLOCK; i++) bytes[start + i] = 0;
  const first = start >> 2;
  const counted = counting.words;
  const w0 = words[first]!;
  const w1 = words[first + 1]!;
  const w2 = words[first + 2]!;
  const w3 = words[first + 3]!;
  for (let i = 0, word = first; i < count; i++, word += 4) {
    words[word] = w0;
    words[word + 1] = w1;
    words[word + 2] = w2;
    words[word + 3] = w3 | counted[from + i]!;
  }
}

/**
 * Makes the table as long as `length` counters need. It stands only when it is whole: if the stack of the host ended on the
 * way, counters of zero would stay behind, and the same keystream for block after block.
 */
function extendCounting(length: number): void {
  const longer = new Workspace(wholeBlocks(Math.max(4 * length, 2 * counting.bytes.length)));
  const { bytes, words } = longer;
  for (let counter = 0; counter < words.length; counter++) putUint32(bytes, 4 * counter, counter);
  counting = longer;
}

/** XORs `count` words, a multiple of four, from `source[from…]` into `target[to…]`. */
export function xorWords(target: Int32Array, to: number, source: Int32Array, from: number, count: number): void {
  for (const end = to + count; to < end; to += 4, from += 4) {
    target[to]! ^= source[from]!;
    target[to + 1]! ^= source[from + 1]!;
    target[to + 2]! ^= source[from + 2]!;
    target[to + 3]! ^= source[from + 3]!;
  }
}
