import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DerReader, Tag, checkDer, contextTag, enterDer, isDerSequence } from '../../lib/wire/der.js';
import { PeerError } from '../../lib/wire/errors.js';
import { writeDer, writeDerBits, writeDerOid, writeDerUnsigned } from '../../lib/x509/derwriter.js';

/** The same numbers on every run. */
const SEED = 20261121;

const hex = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits.replace(/\s/g, ''), 'hex'));
const read = (digits: string): DerReader => new DerReader(hex(digits));

/** Throws decode_error, whose words match. */
function refuses(act: () => unknown, words: string | RegExp = ''): void {
  try {
    act();
  } catch (error) {
    assert.instance(error, PeerError);
    assert.is((error as PeerError).code, 'ERR_DTLS_DECODE');
    assert.match((error as PeerError).message, words);
    return;
  }
  assert.unreachable(`nothing was thrown about "${words}"`);
}

test('a header is one tag and a definite length in its shortest form', () => {
  assert.equal(read('0400').octetString(), new Uint8Array(0));
  assert.equal(read(`0481 80${'ab'.repeat(128)}`).octetString().length, 128);
  assert.equal(read(`0482 0100${'ab'.repeat(256)}`).octetString().length, 256);
  refuses(() => read('0480 0000').octetString(), 'indefinite length');
  refuses(() => read('0481 01 ab').octetString(), 'longer than need be');
  refuses(() => read('0481 7f').octetString(), 'longer than need be');
  refuses(() => read(`0482 0080${'ab'.repeat(128)}`).octetString(), 'longer than need be');
  refuses(() => read('0484 000000ff').octetString(), 'longer than need be');
  refuses(() => read('0485 0100000000').octetString(), 'past the end');
  refuses(() => read('04ff').octetString(), 'past the end');
  refuses(() => read('0484 ffffffff').octetString(), 'past the end');
  refuses(() => read('0402 ab').octetString(), 'past the end');
  refuses(() => read('04').octetString(), 'cut off');
  refuses(() => read('1f8101 00').element(), 'more than one byte');
  refuses(() => read('').octetString(), 'the end where DER tag 4 belongs');
  refuses(() => read('0500').octetString(), 'DER tag 5 where 4 belongs');
});

test('a cursor enters, steps over and ends', () => {
  const reader = read('3006 0401aa 0500 05 00');
  const inner = reader.enter(Tag.sequence);
  assert.is(reader.left, 1);
  assert.equal(inner.element(), hex('0401aa'));
  inner.null();
  refuses(() => inner.expectEnd('it'), 'it has 1 bytes too many');
  assert.is(inner.tag, 5);
  refuses(() => enterDer(hex('300000'), Tag.sequence, 'it'), 'it has 1 bytes too many');
  assert.is(new DerReader(hex('ff0400'), 1).octetString().length, 0);
  assert.is(new DerReader(hex(''), 0).tag, -1);
});

test('a BOOLEAN is 00 or ff', () => {
  assert.is(read('0101ff').boolean(), true);
  assert.is(read('010100').boolean(), false);
  for (const wrong of ['010101', '0100', '0102ffff', '0101fe']) refuses(() => read(wrong).boolean(), 'neither 00 nor ff');
});

test('an INTEGER is in its shortest form', () => {
  assert.equal(read('020100').integer(), hex('00'));
  assert.equal(read('020100').unsigned(), hex(''));
  assert.equal(read('02020080').unsigned(), hex('80'));
  assert.equal(read('0202ff7f').integer(), hex('ff7f'));
  assert.is(read('0203010000').small(65_536), 65_536);
  for (const wrong of ['0200', '0202007f', '0202ff80', '0203000080']) refuses(() => read(wrong).integer());
  refuses(() => read('0201ff').unsigned(), 'negative');
  refuses(() => read('0203010000').small(65_535), 'beyond 65535');
  refuses(() => read(`0214 01${'00'.repeat(19)}`).small(255), 'beyond 255');
});

test('a BIT STRING says how many bits do not count, and they are zero', () => {
  assert.equal(read('03020780').bitString(), { unused: 7, bytes: hex('80') });
  assert.equal(read('030100').bitStringBytes(), hex(''));
  for (const wrong of ['0300', '03020880', '030101', '0302017f', '030207c0']) refuses(() => read(wrong).bitString(), 'BIT STRING');
  refuses(() => read('03020780').bitStringBytes(), 'does not end at a byte');
});

test('an OBJECT IDENTIFIER is read to dotted form, arcs of 128 bits too, and no longer than anybody needs', () => {
  const dotted: [string, string][] = [
    ['06082a8648ce3d030107', '1.2.840.10045.3.1.7'],
    ['0603551d11', '2.5.29.17'],
    ['060100', '0.0'],
    ['060127', '0.39'],
    ['060128', '1.0'],
    ['06014f', '1.39'],
    ['060150', '2.0'],
    ['06028837', '2.999'],
    // A UUID as an identifier: the example of ITU-T X.667 §7.
    ['0614 6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776', '2.25.329800735698586629295641978511506172918'],
  ];
  for (const [der, text] of dotted) assert.is(read(der).oid(), text);
  for (const wrong of ['0600', '06022a80', '06022a86', '06028001', '0603558001', '060180']) refuses(() => read(wrong).oid(), 'object identifier');
  assert.is(read(`0640 2a${'81'.repeat(62)}01`).oid().slice(0, 4), '1.2.');
  refuses(() => read(`0641 2a${'81'.repeat(63)}01`).oid(), 'of 65 bytes');
  const huge = new Uint8Array(1_048_576 + 6).fill(0x81);
  huge.set(hex('06 83 100001 2a'));
  huge[huge.length - 1] = 1;
  refuses(() => new DerReader(huge.subarray(0, 5 + 0x100001)).oid(), 'object identifier');
});

test('times are to the second and in UTC, and exist', () => {
  const time = (tag: number, text: string): number => new DerReader(writeDer(tag, new Uint8Array(Buffer.from(text)))).time();
  assert.is(time(Tag.utcTime, '700101000000Z'), 0);
  assert.is(time(Tag.utcTime, '491231235959Z'), Date.UTC(2049, 11, 31, 23, 59, 59));
  assert.is(time(Tag.utcTime, '500101000000Z'), Date.UTC(1950, 0, 1));
  assert.is(time(Tag.generalizedTime, '20501231235959Z'), Date.UTC(2050, 11, 31, 23, 59, 59));
  assert.is(time(Tag.generalizedTime, '99991231235959Z'), Date.UTC(9999, 11, 31, 23, 59, 59));
  assert.is(time(Tag.generalizedTime, '20240229000000Z'), Date.UTC(2024, 1, 29));
  const wrong: [number, string][] = [
    [Tag.utcTime, '2611210000Z'], [Tag.utcTime, '261121000000+0000'], [Tag.utcTime, '261121000000'], [Tag.utcTime, '20261121000000Z'],
    [Tag.utcTime, '26112100000-Z'], [Tag.utcTime, '261321000000Z'], [Tag.utcTime, '260021000000Z'], [Tag.utcTime, '261100000000Z'],
    [Tag.utcTime, '261131000000Z'], [Tag.utcTime, '250229000000Z'], [Tag.utcTime, '261121240000Z'], [Tag.utcTime, '261121006000Z'],
    [Tag.utcTime, '261121000060Z'], [Tag.generalizedTime, '261121000000Z'], [Tag.generalizedTime, '20261121000000.5Z'],
    [Tag.generalizedTime, '21000229000000Z'], [Tag.generalizedTime, '20261121000000z'], [Tag.generalizedTime, ''], [Tag.integer, '20261121000000Z'],
  ];
  for (const [tag, text] of wrong) refuses(() => time(tag, text));
});

test('fuzz: every second of ten thousand years is the one that the platform knows', () => {
  const moments = fc.integer({ min: Date.UTC(0, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 }).filter((second) => second >= -62_167_219_200);
  fc.assert(fc.property(moments, (second) => {
    const text = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
    assert.is(new DerReader(writeDer(Tag.generalizedTime, new Uint8Array(Buffer.from(text)))).time(), second * 1000);
  }), { seed: SEED, numRuns: 2000 });
});

test('a tree is checked throughout, also where no grammar looks', () => {
  checkDer(hex('300a 3003020101 a103010100'), 'it');
  checkDer(hex('3000'), 'it');
  const wrong = [
    '3003 020200', '3004 02020001', '3003 010101', '3080 0000', '3003 020101 00', '3002 1000', '3002 1100', '2400', '2305 0303000000', '3003 a00104',
    '3005 3103 0101 01', '3002 0000', '3003 1f0100', '3001 05', '', '30', 'a0 03 05 01 00',
  ];
  for (const digits of wrong) refuses(() => checkDer(hex(digits), 'it'));
});

test('a tree deeper than 32 is refused, a thousand or fifty thousand deep no differently, and in no time', () => {
  const nested = (depth: number): Uint8Array => {
    let length = 0;
    const headers: number[][] = [];
    for (let i = 0; i < depth; i++) {
      const digits: number[] = [];
      for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
      headers.push(length < 0x80 ? [0x30, length] : [0x30, 0x80 | digits.length, ...digits]);
      length += headers.at(-1)!.length;
    }
    return Uint8Array.from(headers.reverse().flat());
  };
  checkDer(nested(32), 'it');
  refuses(() => checkDer(nested(33), 'it'), 'nested more than 32 deep');
  refuses(() => checkDer(nested(1000), 'it'), 'nested more than 32 deep');
  const deepest = nested(50_000);
  const startedAt = performance.now();
  refuses(() => checkDer(deepest, 'it'), 'nested more than 32 deep');
  assert.ok(performance.now() - startedAt < 50);
});

test('DER is told from text', () => {
  assert.ok(isDerSequence(hex('3000')));
  for (const text of ['', '0', '00', '-----BEGIN X-----', '0\n', '300']) assert.not.ok(isDerSequence(new Uint8Array(Buffer.from(text))), text);
  assert.not.ok(isDerSequence(hex('300000')));
});

test('what is written is read again', () => {
  for (const oid of ['1.2.840.10045.3.1.7', '2.5.29.17', '0.9.2342.19200300.100.1.25', '2.999.1']) assert.is(new DerReader(writeDerOid(oid)).oid(), oid);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(30), (bytes, number) => {
    assert.equal(new DerReader(writeDer(contextTag(number), bytes)).contents(contextTag(number)), bytes);
    assert.equal(new DerReader(writeDerBits(bytes)).bitStringBytes(), bytes);
    const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0) === -1 ? bytes.length : bytes.findIndex((byte) => byte !== 0));
    assert.equal(new DerReader(writeDerUnsigned(bytes)).unsigned(), digits);
    checkDer(writeDer(Tag.sequence, writeDerUnsigned(bytes), writeDerBits(bytes)), 'it');
  }), { seed: SEED, numRuns: 500 });
  assert.is(writeDer(Tag.octetString, new Uint8Array(70_000)).length, 70_005);
});

test('fuzz: no bytes make the tree check throw anything but decode_error, or write anything', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const before = Buffer.from(bytes).toString('hex');
    try {
      checkDer(bytes, 'it');
    } catch (error) {
      assert.instance(error, PeerError);
    }
    assert.is(Buffer.from(bytes).toString('hex'), before);
  }), { seed: SEED, numRuns: 5000 });
});

test.run();
