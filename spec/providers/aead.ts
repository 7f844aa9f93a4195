/**
 * What every AEAD of every provider must do, as neutral checks.
 */
import type { Aead, AeadAlgorithm, AeadName, Provider } from '../../lib/crypto/provider.js';
import { slowSeal } from '../reference/aead.js';
import { ensure, hex, pattern, sameBytes, throwsCode, unaligned, type Check } from './check.js';
import { AEAD_VECTORS } from './vectors.js';

/** Around and between block boundaries, and the largest records of TLS. */
const SIZES: readonly number[] = [...Array.from({ length: 131 }, (_, size) => size), 255, 256, 1200, 2047, 2048, 2049, 16383, 16384, 16385, 16640];

/** No additional data, that of DTLS 1.2 (13), with a connection identifier, and around block boundaries. */
const AAD_SIZES: readonly number[] = [0, 1, 13, 14, 15, 16, 17, 23, 29, 30, 31, 32, 33, 64, 278, 4096];

/** What `out` is filled with, so that a stray write shows. */
const FILL = 0xa5;

/** The checks of all algorithms that `provider` lists. */
export function aeadChecks(provider: Provider): Check[] {
  return Object.values(provider.aeads).flatMap((algorithm) => checksOf(provider, algorithm));
}

function checksOf(provider: Provider, algorithm: AeadAlgorithm): Check[] {
  const { name, keyLength, tagLength } = algorithm;
  const key = pattern(keyLength, 1);
  const nonce = pattern(12, 2);
  const aad = pattern(13, 3);
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} ${name}: ${what}`, run });
  return [
    check('is listed under its name, with the lengths of its suite', () => {
      ensure(provider.aeads[name] === algorithm, 'listed under another name');
      ensure(keyLength === (name.includes('128') ? 16 : 32), 'key length');
      ensure(tagLength === (name.endsWith('-8') ? 8 : 16) && algorithm.create(key).tagLength === tagLength, 'tag length');
    }),
    ...publishedAnswers(provider, algorithm),
    check('seals every size as the slow twin does, and opens it', () => {
      const aead = algorithm.create(key);
      for (const size of SIZES) {
        const plain = pattern(size, size);
        const sealed = sealedBy(aead, nonce, aad, plain);
        sameBytes(sealed, slowSeal(name, key, nonce, aad, plain), `${size} bytes, sealed`);
        opens(aead, nonce, aad, sealed, plain, `${size} bytes, opened`);
      }
    }),
    check('takes every size of additional data', () => {
      const aead = algorithm.create(key);
      const plain = pattern(37, 4);
      for (const size of AAD_SIZES) {
        const longer = pattern(size, size + 1);
        const sealed = sealedBy(aead, nonce, longer, plain);
        sameBytes(sealed, slowSeal(name, key, nonce, longer, plain), `${size} bytes of additional data, sealed`);
        opens(aead, nonce, longer, sealed, plain, `${size} bytes of additional data, opened`);
      }
    }),
    check('does not care where in memory anything stands', () => {
      const aead = algorithm.create(unaligned(key, 1));
      const plain = pattern(67, 5);
      const expected = slowSeal(name, key, nonce, aad, plain);
      for (const offset of [1, 2, 3]) {
        const sealed = sealedBy(aead, unaligned(nonce, offset), unaligned(aad, offset), unaligned(plain, offset));
        sameBytes(sealed, expected, `at an address with remainder ${offset}, sealed`);
        opens(aead, unaligned(nonce, offset), unaligned(aad, offset), unaligned(sealed, offset), plain, `remainder ${offset}, opened`);
      }
    }),
    check('seals in place', () => {
      const aead = algorithm.create(key);
      for (const size of [0, 1, 16, 64, 100, 1200]) {
        const plain = pattern(size, 6);
        const out = new Uint8Array(size + tagLength + 26).fill(FILL);
        out.set(plain, 13);
        const length = aead.seal(out, 13, nonce, aad, out.subarray(13, 13 + size));
        sameBytes(out.subarray(13, 13 + length), slowSeal(name, key, nonce, aad, plain), `${size} bytes`);
        ensure(isFilled(out.subarray(0, 13)) && isFilled(out.subarray(13 + length)), 'wrote beside its place');
      }
    }),
    check('only reads what it is given', () => {
      const aead = algorithm.create(key);
      const plain = pattern(50, 7);
      const given = [nonce.slice(), aad.slice(), plain.slice()] as const;
      const sealed = sealedBy(aead, ...given);
      const kept = sealed.slice();
      opens(aead, given[0], given[1], sealed, plain, 'opened');
      sameBytes(given[0], nonce, 'nonce');
      sameBytes(given[1], aad, 'additional data');
      sameBytes(given[2], plain, 'plaintext');
      sameBytes(sealed, kept, 'sealed record');
    }),
    ...rejections(algorithm, check, key, nonce, aad),
    ...endurance(algorithm, check, key, nonce, aad),
    ...misuse(algorithm, check, key, nonce, aad),
  ];
}

/** CRY-15. There are none here for AES-256-CCM-8: the slow twin, which gives those of RFC 3610, has to do there. */
function publishedAnswers(provider: Provider, algorithm: AeadAlgorithm): Check[] {
  const vectors = AEAD_VECTORS.filter(({ aead }) => aead === algorithm.name);
  const run = (): void => {
    for (const { source, key, nonce, aad, plain, sealed } of vectors) {
      const aead = algorithm.create(hex(key));
      sameBytes(sealedBy(aead, hex(nonce), hex(aad), hex(plain)), hex(sealed), `${source}, sealed`);
      opens(aead, hex(nonce), hex(aad), hex(sealed), hex(plain), `${source}, opened`);
    }
  };
  return vectors.length === 0 ? [] : [{ name: `CRY-15 ${provider.name} ${algorithm.name}: gives the published answers`, run }];
}

type Make = (what: string, run: () => void) => Check;

function rejections(algorithm: AeadAlgorithm, check: Make, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Check[] {
  const { tagLength } = algorithm;
  return [
    check('rejects every single flipped bit of record, nonce and additional data', () => {
      const aead = algorithm.create(key);
      const plain = pattern(21, 8);
      const sealed = sealedBy(aead, nonce, aad, plain);
      eachBitFlipped(sealed, (flipped, bit) => refuses(aead, nonce, aad, flipped, `record, bit ${bit}`));
      eachBitFlipped(nonce, (flipped, bit) => refuses(aead, flipped, aad, sealed, `nonce, bit ${bit}`));
      eachBitFlipped(aad, (flipped, bit) => refuses(aead, nonce, flipped, sealed, `additional data, bit ${bit}`));
      opens(aead, nonce, aad, sealed, plain, 'the record itself');
    }),
    check('rejects every flipped bit of the tag of an empty record', () => {
      const aead = algorithm.create(key);
      const sealed = sealedBy(aead, nonce, aad, new Uint8Array(0));
      eachBitFlipped(sealed, (flipped, bit) => refuses(aead, nonce, aad, flipped, `tag, bit ${bit}`));
    }),
    check('rejects records that are cut, shorter than a tag or empty', () => {
      const aead = algorithm.create(key);
      const sealed = sealedBy(aead, nonce, aad, pattern(40, 9));
      for (let length = 0; length < sealed.length; length++) refuses(aead, nonce, aad, sealed.subarray(0, length), `${length} bytes`);
      refuses(aead, nonce, aad, sealed.subarray(1), 'without its first byte');
    }),
    check('rejects a record with additional data cut, stretched or moved into the text', () => {
      const aead = algorithm.create(key);
      const sealed = sealedBy(aead, nonce, aad, pattern(16, 10));
      refuses(aead, nonce, aad.subarray(0, 12), sealed, 'cut');
      refuses(aead, nonce, new Uint8Array(0), sealed, 'none');
      refuses(aead, nonce, Uint8Array.of(...aad, 0), sealed, 'with a zero more');
    }),
    check('rejects a long record and leaves no plaintext of it', () => {
      const aead = algorithm.create(key);
      const sealed = sealedBy(aead, nonce, aad, pattern(1200, 11));
      sealed[sealed.length - 1]! ^= 0x80;
      refuses(aead, nonce, aad, sealed, 'last bit of the tag');
    }),
    check('rejects a record of another key', () => {
      const sealed = sealedBy(algorithm.create(pattern(algorithm.keyLength, 99)), nonce, aad, pattern(30, 12));
      refuses(algorithm.create(key), nonce, aad, sealed, 'another key');
      refuses(algorithm.create(key), nonce, aad, new Uint8Array(tagLength), 'zeros');
    }),
    check('goes on after a rejection as if nothing had been', () => {
      const aead = algorithm.create(key);
      const plain = pattern(33, 13);
      const sealed = sealedBy(aead, nonce, aad, plain);
      const forged = sealed.slice();
      forged[0]! ^= 1;
      for (let round = 0; round < 3; round++) {
        refuses(aead, nonce, aad, forged, 'forged');
        opens(aead, nonce, aad, sealed, plain, 'after a forged one');
        sameBytes(sealedBy(aead, nonce, aad, plain), sealed, 'sealed after a forged one');
      }
    }),
  ];
}

function endurance(algorithm: AeadAlgorithm, check: Make, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Check[] {
  const { name, tagLength, keyLength } = algorithm;
  return [
    check('stays right for 10,000 records in a row', () => {
      const sender = algorithm.create(key);
      const receiver = algorithm.create(key);
      const source = pattern(200, 14);
      const count = nonce.slice();
      const out = new Uint8Array(200 + tagLength);
      const back = new Uint8Array(200);
      for (let record = 0; record < 10_000; record++) {
        count[10] = record >>> 8;
        count[11] = record;
        const plain = source.subarray(0, record % 97);
        const length = sender.seal(out, 0, count, aad, plain);
        const sealed = out.subarray(0, length);
        // The twin is slow: it looks at one record in a hundred, the receiver at each.
        if (record % 100 === 99) sameBytes(sealed, slowSeal(name, key, count, aad, plain), `record ${record}`);
        ensure(receiver.open(back, 0, count, aad, sealed) === plain.length, `record ${record} does not open`);
        if (record % 10 === 0) sameBytes(back.subarray(0, plain.length), plain, `record ${record}, opened`);
      }
    }),
    check('keeps two keys apart that take turns', () => {
      const other = pattern(keyLength, 15);
      const first = algorithm.create(key);
      const second = algorithm.create(other);
      for (let round = 0; round < 40; round++) {
        const plain = pattern(round * 5, round);
        sameBytes(sealedBy(first, nonce, aad, plain), slowSeal(name, key, nonce, aad, plain), `first, round ${round}`);
        const sealed = sealedBy(second, nonce, aad, plain);
        sameBytes(sealed, slowSeal(name, other, nonce, aad, plain), `second, round ${round}`);
        if (round % 3 === 0) opens(second, nonce, aad, sealed, plain, `second, round ${round}, opened`);
      }
    }),
    check('is not disturbed by a large record between small ones', () => {
      const aead = algorithm.create(key);
      for (const size of [5, 20_000, 5, 70_000, 64, 3]) {
        const plain = pattern(size, 16);
        const sealed = sealedBy(aead, nonce, aad, plain);
        sameBytes(sealed, slowSeal(name, key, nonce, aad, plain), `${size} bytes`);
        opens(aead, nonce, aad, sealed, plain, `${size} bytes, opened`);
      }
    }),
    check('has copied its key', () => {
      const mine = key.slice();
      const aead = algorithm.create(mine);
      mine.fill(0);
      const plain = pattern(10, 17);
      sameBytes(sealedBy(aead, nonce, aad, plain), slowSeal(name, key, nonce, aad, plain), 'after the key was wiped');
    }),
  ];
}

function misuse(algorithm: AeadAlgorithm, check: Make, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Check[] {
  const { keyLength, tagLength } = algorithm;
  return [
    check('throws for a key of another length', () => {
      for (const length of [0, 1, keyLength - 1, keyLength + 1, keyLength === 16 ? 32 : 16, 24]) {
        throwsCode('ERR_DTLS_ARGUMENT', () => algorithm.create(new Uint8Array(length)), `${length} bytes`);
      }
    }),
    check('throws for a nonce of another length and for an `out` that is too small, and writes nothing', () => {
      const aead = algorithm.create(key);
      const plain = pattern(20, 18);
      const sealed = sealedBy(aead, nonce, aad, plain);
      const out = new Uint8Array(20 + tagLength).fill(FILL);
      for (const length of [0, 8, 11, 13, 16]) {
        throwsCode('ERR_DTLS_ARGUMENT', () => aead.seal(out, 0, new Uint8Array(length), aad, plain), `seal, nonce of ${length}`);
        throwsCode('ERR_DTLS_ARGUMENT', () => aead.open(out, 0, new Uint8Array(length), aad, sealed), `open, nonce of ${length}`);
      }
      throwsCode('ERR_DTLS_TOO_LARGE', () => aead.seal(out, 1, nonce, aad, plain), 'seal, one byte short');
      throwsCode('ERR_DTLS_TOO_LARGE', () => aead.open(out, 17 + tagLength, nonce, aad, sealed), 'open, beyond the end');
      throwsCode('ERR_DTLS_TOO_LARGE', () => aead.seal(out, -1, nonce, aad, plain), 'seal, before the start');
      ensure(isFilled(out), 'wrote to `out`');
    }),
    check('throws when it is used after it was wiped', () => {
      for (const used of [false, true]) {
        const aead = algorithm.create(key);
        const sealed = used ? sealedBy(aead, nonce, aad, pattern(8, 19)) : new Uint8Array(8 + tagLength);
        aead.wipe();
        aead.wipe();
        throwsCode('ERR_DTLS_FREED', () => aead.seal(new Uint8Array(64), 0, nonce, aad, new Uint8Array(8)), 'seal');
        throwsCode('ERR_DTLS_FREED', () => aead.open(new Uint8Array(64), 0, nonce, aad, sealed), 'open');
      }
    }),
    check('leaves other keys alone when one is wiped', () => {
      const kept = algorithm.create(key);
      const gone = algorithm.create(pattern(keyLength, 20));
      const sealed = sealedBy(kept, nonce, aad, pattern(25, 21));
      sealedBy(gone, nonce, aad, pattern(25, 21));
      gone.wipe();
      opens(kept, nonce, aad, sealed, pattern(25, 21), 'opened');
      sameBytes(sealedBy(kept, nonce, aad, pattern(25, 21)), sealed, 'sealed again');
    }),
  ];
}

/** Checks that two providers do the same with everything both can do. */
export function aeadAgreement(one: Provider, other: Provider): Check[] {
  const shared = (Object.keys(one.aeads) as AeadName[]).filter((name) => other.aeads[name] !== undefined);
  return shared.map((name) => ({
    name: `${one.name} and ${other.name} ${name}: the same bytes, and each opens the other's`,
    run: () => {
      const first = one.aeads[name]!;
      const second = other.aeads[name]!;
      for (let round = 0; round < 200; round++) {
        const key = pattern(first.keyLength, round);
        const nonce = pattern(12, round + 1000);
        const aad = pattern(round % 40, round + 2000);
        const plain = pattern((round * 37) % 1500, round + 3000);
        const a = first.create(key);
        const b = second.create(key);
        const sealed = sealedBy(a, nonce, aad, plain);
        sameBytes(sealedBy(b, nonce, aad, plain), sealed, `round ${round}, sealed`);
        opens(a, nonce, aad, sealed, plain, `round ${round}, ${one.name}`);
        opens(b, nonce, aad, sealed, plain, `round ${round}, ${other.name}`);
      }
    },
  }));
}

/** Seals into the midst of a filled array and sees to it that nothing beside is written. */
export function sealedBy(aead: Aead, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(5 + plain.length + aead.tagLength + 3).fill(FILL);
  const length = aead.seal(out, 5, nonce, aad, plain);
  ensure(length === plain.length + aead.tagLength, `seal returned ${length} for ${plain.length} bytes`);
  ensure(isFilled(out.subarray(0, 5)) && isFilled(out.subarray(5 + length)), 'seal wrote beside its place');
  return out.slice(5, 5 + length);
}

export function opens(aead: Aead, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array, plain: Uint8Array, what: string): void {
  const out = new Uint8Array(7 + plain.length + 3).fill(FILL);
  const { datagram, start, end } = inDatagram(sealed);
  const length = aead.open(out, 7, nonce, aad, datagram, start, end);
  ensure(length === plain.length, `${what}: open returned ${length}`);
  sameBytes(out.subarray(7, 7 + length), plain, what);
  ensure(isFilled(out.subarray(0, 7)) && isFilled(out.subarray(7 + length)), `${what}: open wrote beside its place`);
}

export function refuses(aead: Aead, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array, what: string): void {
  const out = new Uint8Array(sealed.length + 20).fill(FILL);
  const { datagram, start, end } = inDatagram(sealed);
  const length = aead.open(out, 10, nonce, aad, datagram, start, end);
  ensure(length === -1, `${what}: open returned ${length}`);
  const room = 10 + Math.max(0, sealed.length - aead.tagLength);
  const range = out.subarray(10, room);
  ensure(isFilled(range) || range.every((byte) => byte === 0), `${what}: something of the record stands in \`out\``);
  ensure(isFilled(out.subarray(0, 10)) && isFilled(out.subarray(room)), `${what}: open wrote beside its place`);
}

/** Places of a record in its datagram, by turns of its size: whole, behind a header, behind another record, before others. */
const LEADS: readonly number[] = [0, 13, 21, 90];
const TAILS: readonly number[] = [0, 0, 40, 2000];

/** `sealed` in a datagram, with something of no concern before and behind it. */
function inDatagram(sealed: Uint8Array): { readonly datagram: Uint8Array; readonly start: number; readonly end: number } {
  const start = LEADS[sealed.length % LEADS.length]!;
  const end = start + sealed.length;
  const tail = TAILS[(sealed.length >> 2) % TAILS.length]!;
  const datagram = new Uint8Array(end + tail).fill(FILL);
  datagram.set(sealed, start);
  return { datagram, start, end };
}

function eachBitFlipped(bytes: Uint8Array, visit: (flipped: Uint8Array, bit: number) => void): void {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    visit(flipped, bit);
  }
}

function isFilled(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === FILL);
}
