/**
 * One epoch, both directions: sealed records against the formulas of RFC 6655 and RFC 7905 on the reference AEADs,
 * numbers that are used once, and a window that only authentic records move.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalError, nobleProvider, PSK_SUITES, type CipherSuite } from '../../lib/index.js';
import { FORGED, ReadEpoch, REPLAYED, WriteEpoch } from '../../lib/record/epoch.js';
import { MAX_SEQUENCE, RECORD_HEADER } from '../../lib/record/header12.js';
import { Protection12 } from '../../lib/record/protect12.js';
import { RecordWalk } from '../../lib/record/records.js';
import { Random } from '../support/random.js';
import { slowSeal } from '../reference/aead.js';
import { holds } from '../support/checked.js';

const random = new Random(6);

interface Pair {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly write: WriteEpoch;
  readonly read: ReadEpoch;
}

function pairOf(suite: CipherSuite, number: number = 1, first: number = 0): Pair {
  const algorithm = nobleProvider.aeads[suite.aead]!;
  const key = random.bytes(algorithm.keyLength);
  const iv = random.bytes(suite.nonceForm === 'explicit' ? 4 : 12);
  const protection = (): Protection12 => new Protection12(algorithm.create(key), suite.nonceForm, iv, 0);
  return { key, iv, write: new WriteEpoch(number, protection(), first), read: new ReadEpoch(number, protection()) };
}

function seal(write: WriteEpoch, type: number, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + write.overhead);
  assert.is(write.seal(out, 0, type, 0xfefd, plain), out.length);
  return out;
}

/** What `read` makes of a datagram: its plaintext, or the number that says why not. */
function open(read: ReadEpoch, datagram: Uint8Array): Uint8Array | number {
  const walk = new RecordWalk();
  walk.begin(datagram);
  if (!walk.next()) return FORGED;
  const out = new Uint8Array(20_000);
  const length = read.open(out, walk);
  return length < 0 ? length : out.slice(0, length);
}

/** The nonce as its RFC writes it. */
function nonceOf(suite: CipherSuite, iv: Uint8Array, epoch: number, sequence: number): Uint8Array {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, (BigInt(epoch) << 48n) | BigInt(sequence));
  if (suite.nonceForm === 'explicit') return Uint8Array.from([...iv, ...number]);
  return iv.map((byte, i) => (i < 4 ? byte : byte ^ number[i - 4]!));
}

for (const suite of PSK_SUITES) {
  test(`${suite.name}: a sealed record is what the RFC's formulas give, and opens to what was sealed`, () => {
    for (const [epoch, sequence] of [[1, 0], [1, 2 ** 32 + 9], [2, 77], [0xfffe, MAX_SEQUENCE - 2]] as const) {
      const { key, iv, write, read } = pairOf(suite, epoch, sequence);
      for (const length of [0, 1, 15, 16, 17, 300]) {
        const plain = random.bytes(length);
        const number = write.nextSequence;
        if (number > MAX_SEQUENCE) break;
        const record = seal(write, 23, plain);
        const nonce = nonceOf(suite, iv, epoch, number);
        const aad = Uint8Array.from([...nonceOf({ ...suite, nonceForm: 'explicit' }, new Uint8Array(0), epoch, number), 23, 0xfe, 0xfd, length >>> 8, length & 0xff]);
        const sealed = slowSeal(suite.aead, key, nonce, aad, plain);
        const explicit = suite.nonceForm === 'explicit' ? [...nonce.subarray(4)] : [];
        assert.equal([...record.subarray(RECORD_HEADER)], [...explicit, ...sealed], `${length} bytes, number ${number}`);
        assert.equal([...record.subarray(0, 5)], [23, 0xfe, 0xfd, epoch >>> 8, epoch & 0xff]);
        assert.equal(open(read, record), plain);
      }
    }
  });

  test(`${suite.name}: a record with any bit changed is forged, and its number still good`, () => {
    const { write, read } = pairOf(suite);
    const plain = random.bytes(20);
    const record = seal(write, 22, plain);
    for (let bit = 0; bit < record.length * 8; bit++) {
      // Version and length are the walk's business; a type of 32 to 63 is no DTLS 1.2 record.
      if ((bit >= 8 && bit < 24) || bit >>> 3 === 11 || bit >>> 3 === 12 || bit === 5) continue;
      const changed = record.slice();
      changed[bit >>> 3]! ^= 1 << (bit & 7);
      // Where the nonce goes with the record, a change of the header alone is caught by the additional data.
      assert.is(open(read, changed), FORGED, `bit ${bit}`);
    }
    for (let length = 0; length < record.length - RECORD_HEADER; length++) {
      const cut = record.slice(0, RECORD_HEADER + length);
      cut.set([length >>> 8, length & 0xff], 11);
      assert.is(open(read, cut), FORGED, `${length} bytes`);
    }
    assert.equal(open(read, record), plain);
    assert.is(open(read, record), REPLAYED);
  });
}

test('what is sealed and opened under several keys in turn stays apart: no nonce of one is used for another', () => {
  for (const suite of PSK_SUITES) {
    const pairs = [pairOf(suite), pairOf(suite, 3, 2 ** 40), pairOf(suite)];
    const plain = random.bytes(40);
    const records = pairs.map(({ write }) => seal(write, 23, plain));
    // Each opens what was sealed before another key was used, and not what another sealed.
    pairs.forEach(({ read }, i) => {
      records.forEach((record, j) => {
        if (j !== i) assert.is(open(read, record), FORGED, `${suite.name}: ${j} under ${i}`);
      });
      assert.equal(open(read, records[i]!), plain, suite.name);
    });
  }
});

test('after its keys were forgotten an epoch neither seals nor opens', () => {
  for (const suite of PSK_SUITES) {
    const { write, read } = pairOf(suite);
    const [record, other] = [seal(write, 23, new Uint8Array(9)), seal(write, 23, new Uint8Array(9))];
    assert.equal(open(read, other), new Uint8Array(9));
    write.wipe();
    read.wipe();
    const freed = (error: unknown): boolean => error instanceof LocalError && error.code === 'ERR_DTLS_FREED';
    assert.throws(() => seal(write, 23, new Uint8Array(9)), freed, suite.name);
    assert.throws(() => open(read, record), freed, suite.name);
  }
});

test('forged records, whatever their number, do not move the window', () => {
  const { write, read } = pairOf(PSK_SUITES[0]!);
  const records = Array.from({ length: 64 }, () => seal(write, 23, new Uint8Array([1])));
  holds(fc.property(fc.nat(2 ** 31 - 1), fc.nat(2 ** 17 - 1), (low, high) => {
    const forged = records[0]!.slice();
    new DataView(forged.buffer).setBigUint64(3, (1n << 48n) | (BigInt(high) << 31n) | BigInt(low) | 64n);
    assert.is(open(read, forged), FORGED);
  }), 200);
  for (const record of records.reverse()) assert.equal(open(read, record), new Uint8Array([1]));
});

test('each number is used once, the last one too, and then sealing throws and writes nothing', () => {
  for (const protection of ['plain', 'sealed'] as const) {
    const { write: sealed, read } = pairOf(PSK_SUITES[0]!, 1, MAX_SEQUENCE - 1);
    const write = protection === 'plain' ? new WriteEpoch(1, null, MAX_SEQUENCE - 1) : sealed;
    const records = [seal(write, 23, new Uint8Array(3)), seal(write, 23, new Uint8Array(3))];
    assert.equal(records.map((record) => [...record.subarray(5, 11)]), [[255, 255, 255, 255, 255, 254], [255, 255, 255, 255, 255, 255]]);
    if (protection === 'sealed') for (const record of records) assert.equal(open(read, record), new Uint8Array(3));
    const out = new Uint8Array(100);
    for (let i = 0; i < 2; i++) {
      assert.throws(
        () => write.seal(out, 0, 23, 0xfefd, new Uint8Array(3)),
        (error: unknown) => error instanceof LocalError && error.code === 'ERR_DTLS_SEQUENCE_EXHAUSTED',
      );
    }
    assert.equal(out, new Uint8Array(100));
  }
});

test('an epoch without protection adds a header and nothing else', () => {
  const write = new WriteEpoch(0, null, 5);
  assert.is(write.overhead, RECORD_HEADER);
  assert.equal([...seal(write, 22, new Uint8Array([7, 8]))], [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 7, 8]);
  assert.is(write.nextSequence, 6);
});

test('a record is sealed where it is told to be, and nothing around it changes', () => {
  for (const suite of PSK_SUITES) {
    const { write, read } = pairOf(suite);
    const out = new Uint8Array(300).fill(0xa5);
    const length = write.seal(out, 50, 23, 0xfefd, random.bytes(100));
    assert.is(length, 100 + write.overhead);
    assert.ok(out.subarray(0, 50).every((byte) => byte === 0xa5));
    assert.ok(out.subarray(50 + length).every((byte) => byte === 0xa5), suite.name);
    assert.is((open(read, out.slice(50, 50 + length)) as Uint8Array).length, 100);
  }
});

test.run();
