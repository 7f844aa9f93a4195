/**
 * Every size of a record up to 320 bytes and those around every larger threshold, against the slow twins, with nonces as a
 * connection has them: in sequence, with gaps, repeated, swapped, and with forged records among the true ones.
 *
 * Law: wherever an implementation changes its ways with the size or foresees the next nonce, both sides of that place
 * are here. Anything that is decided below 320 bytes is covered without naming it.
 */
import type { Aead, AeadAlgorithm, AeadName, Provider } from '../../lib/crypto/provider.js';
import { slowSeal } from '../reference/aead.js';
import { opens, refuses, sealedBy } from './aead.js';
import { pattern, sameBytes, type Check } from './check.js';

/** Up to here every size. */
const EVERY = 320;

/**
 * Beyond: what keystream is kept ahead for (5,120 bytes with the block of the tag: of 16, 4, 3, 2 records, or one), what a
 * busy key of GCM does itself (1,536), what workspaces start with (2,048, with a block or two of additional data before),
 * powers of two, the largest plaintext and ciphertext of a record.
 */
const PLACES: readonly number[] = [1008, 1024, 1200, 1264, 1536, 1680, 2016, 2032, 2048, 2544, 4096, 5104, 8192, 16_384, 16_640];
const SIZES: readonly number[] = [...Array.from({ length: EVERY + 1 }, (_, size) => size), ...PLACES.flatMap((size) => [size - 1, size, size + 1])];

/** Sizes where only the nonces are of interest: around a block and around the bounds of the slots that are kept ahead. */
const FEW: readonly number[] = [0, 1, 15, 16, 17, 32, 48, 49, 64, 100, 111, 112, 113, 240, 241, 304, 305, 496, 497, 1009, 1264, 1265, 1681];

/** More records than the longest that a busy key does itself has blocks. */
const BUSY = 110;

interface Record {
  readonly nonce: Uint8Array;
  readonly plain: Uint8Array;
  readonly sealed: Uint8Array;
}

/** The checks of all algorithms that `provider` lists. */
export function sizeChecks(provider: Provider): Check[] {
  return Object.values(provider.aeads).flatMap((algorithm) => checksOf(provider, algorithm));
}

function checksOf(provider: Provider, algorithm: AeadAlgorithm): Check[] {
  const { name, keyLength } = algorithm;
  const key = pattern(keyLength, 1);
  const aad = pattern(13, 2);
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} ${name}: ${what}`, run });
  const seals = (records: readonly Record[], what: string): void => {
    const aead = algorithm.create(key);
    for (const { nonce, plain, sealed } of records) sameBytes(sealedBy(aead, nonce, aad, plain), sealed, `${plain.length} bytes, ${what}`);
  };
  return [
    check('seals every size in sequence as the slow twin does, growing, shrinking and mixed', () => {
      seals(inSequence(name, key, aad), 'growing');
      seals([...inSequence(name, key, aad)].reverse(), 'shrinking, numbers backwards');
      seals(mixed(name, key, aad), 'mixed');
    }),
    check('opens every size in sequence and out of it, with forged records, gaps and repetitions in between', () => {
      opensAmongForged(algorithm.create(key), aad, inSequence(name, key, aad));
      opensAmongForged(algorithm.create(key), aad, swapped(mixed(name, key, aad)));
    }),
    check('a key that did many short records seals and opens the long ones as the slow twin does', () => {
      const aead = algorithm.create(key);
      for (let number = 0; number < BUSY; number++) sealedBy(aead, nonceOf(3, number), aad, pattern(32, number));
      const records = long(name, key, aad);
      for (const { nonce, plain, sealed } of records) sameBytes(sealedBy(aead, nonce, aad, plain), sealed, `${plain.length} bytes`);
      opensAmongForged(aead, aad, records);
    }),
    check('seals and opens where numbers jump, wrap in their last word, return, or go on in another epoch', () => {
      const records = jumping(name, key, aad);
      seals(records, 'jumping');
      opensAmongForged(algorithm.create(key), aad, records);
    }),
    check('one instance that seals and opens by turns stays right', () => {
      const aead = algorithm.create(key);
      const records = mixed(name, key, aad).filter((_, index) => index % 5 === 0);
      records.forEach(({ nonce, plain, sealed }, index) => {
        const other = records[(index * 7) % records.length]!;
        sameBytes(sealedBy(aead, nonce, aad, plain), sealed, `${plain.length} bytes, sealed`);
        opens(aead, other.nonce, aad, other.sealed, other.plain, `${other.plain.length} bytes, opened`);
      });
    }),
  ];
}

/** Opens all but a few, some twice; before each comes a forgery of it, which must leave nothing. */
function opensAmongForged(aead: Aead, aad: Uint8Array, records: readonly Record[]): void {
  records.forEach(({ nonce, plain, sealed }, index) => {
    // A gap: nobody sees this one, and what follows is no longer in sequence.
    if (index % 23 === 22) return;
    const size = `${plain.length} bytes, record ${index}`;
    if (index % 3 === 0) refuses(aead, nonce, aad, forged(sealed, index), `${size}, forged`);
    opens(aead, nonce, aad, sealed, plain, size);
    if (index % 11 === 0) opens(aead, nonce, aad, sealed, plain, `${size}, again`);
    if (index % 7 === 0) refuses(aead, nonce, aad, forged(sealed, index + 1), `${size}, forged after it was opened`);
  });
}

/** A wrong bit somewhere, or a byte less at either end. */
function forged(sealed: Uint8Array, how: number): Uint8Array {
  if (how % 4 === 0) return sealed.subarray(0, sealed.length - 1);
  if (how % 4 === 1) return sealed.subarray(1);
  const wrong = sealed.slice();
  wrong[how % 4 === 2 ? wrong.length - 1 - (how % 8) : how % wrong.length]! ^= 1 << (how & 7);
  return wrong;
}

/** A fixed salt, an epoch, a sequence number: as RFC 6655 §3 has them. */
function nonceOf(epoch: number, sequence: number): Uint8Array {
  const nonce = pattern(12, 3);
  const view = new DataView(nonce.buffer);
  view.setUint16(4, epoch);
  view.setUint16(6, Math.floor(sequence / 2 ** 32));
  view.setUint32(8, sequence % 2 ** 32);
  return nonce;
}

/** The same for every provider: the twins are slow. */
const known: Map<string, readonly Record[]> = new Map();

function recordsOf(order: string, name: AeadName, key: Uint8Array, aad: Uint8Array, all: () => readonly (readonly [number, Uint8Array])[]): readonly Record[] {
  const found = known.get(`${name} ${order}`) ?? all().map(([size, nonce]): Record => {
    const plain = pattern(size, size + 4);
    return { nonce, plain, sealed: slowSeal(name, key, nonce, aad, plain) };
  });
  known.set(`${name} ${order}`, found);
  return found;
}

function inSequence(name: AeadName, key: Uint8Array, aad: Uint8Array): readonly Record[] {
  return recordsOf('in sequence', name, key, aad, () => SIZES.map((size, index) => [size, nonceOf(1, index)]));
}

/** Small ones and large ones by turns, numbers in sequence. */
function mixed(name: AeadName, key: Uint8Array, aad: Uint8Array): readonly Record[] {
  const { length } = SIZES;
  return recordsOf('mixed', name, key, aad, () => SIZES.map((_, index) => [SIZES[(index * 251) % length]!, nonceOf(1, 0xffff + index)]));
}

/** Numbers that go forth and back: in each eight the last come first. */
function swapped(records: readonly Record[]): readonly Record[] {
  return records.map((_, index) => records[Math.min(records.length - 1, index ^ 7)]!);
}

/** Long ones alone, longer and longer. */
function long(name: AeadName, key: Uint8Array, aad: Uint8Array): readonly Record[] {
  const sizes = [...Array.from({ length: 21 }, (_, index) => EVERY + 61 * index), ...SIZES.slice(EVERY + 1)];
  return recordsOf('long', name, key, aad, () => sizes.map((size, index) => [size, nonceOf(4, index)]));
}

function jumping(name: AeadName, key: Uint8Array, aad: Uint8Array): readonly Record[] {
  const wrap = 2 ** 32;
  const starts = [0, wrap - 3, wrap, 0, 2 * wrap - 20, 2 ** 48 - 6, 40];
  return recordsOf('jumping', name, key, aad, () => FEW.flatMap((size) => starts.flatMap((start, place) =>
    [0, 1, 2, 3, 5, 4].map((step) => [size, nonceOf(place % 2 === 0 ? 1 : 2, start + step)] as const))));
}
