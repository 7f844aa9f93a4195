/**
 * Reader and writer: a random list of fields written and read again, and a read beyond the bounds at every length.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalError, PeerError } from '../../lib/wire/errors.js';
import { Reader } from '../../lib/wire/reader.js';
import { AlertDescription } from '../../lib/wire/registry.js';
import { Writer } from '../../lib/wire/writer.js';
import { holds } from '../support/checked.js';

type Field =
  | { readonly kind: 'uint8' | 'uint16' | 'uint24'; readonly value: number }
  | { readonly kind: 'bytes' | 'vector8' | 'vector16' | 'block'; readonly value: Uint8Array };

const number = (kind: 'uint8' | 'uint16' | 'uint24', bits: number): fc.Arbitrary<Field> =>
  fc.record({ kind: fc.constant(kind), value: fc.nat(2 ** bits - 1) });
const opaque = (kind: 'bytes' | 'vector8' | 'vector16' | 'block', maxLength: number): fc.Arbitrary<Field> =>
  fc.record({ kind: fc.constant(kind), value: fc.uint8Array({ maxLength }) });

const fields: fc.Arbitrary<Field[]> = fc.array(fc.oneof(
  number('uint8', 8), number('uint16', 16), number('uint24', 24),
  opaque('bytes', 30), opaque('vector8', 255), opaque('vector16', 300), opaque('block', 300),
), { maxLength: 12 });

function write(all: readonly Field[], before: number = 0): Uint8Array {
  const writer = new Writer().bytes(new Uint8Array(before));
  for (const field of all) {
    if (field.kind === 'block') {
      const mark = writer.open16();
      writer.bytes(field.value).close16(mark);
    } else if (typeof field.value === 'number') {
      writer[field.kind as 'uint8'](field.value);
    } else {
      writer[field.kind as 'bytes'](field.value);
    }
  }
  return writer.finish();
}

function read(reader: Reader, all: readonly Field[]): unknown[] {
  return all.map(({ kind, value }) => {
    if (kind === 'block') {
      const sub = reader.sub16();
      const bytes = sub.bytes(sub.left);
      sub.expectEnd('block');
      return bytes;
    }
    if (kind === 'bytes') return reader.bytes((value as Uint8Array).length);
    return reader[kind]();
  });
}

function throwsDecodeError(work: () => unknown, why?: string): void {
  assert.throws(work, (error: unknown) => error instanceof PeerError && error.alert === AlertDescription.decodeError, why);
}

test('what was written is read again, wherever the writer has to grow, and nothing is left', () => {
  holds(fc.property(fields, fc.constantFrom(0, 900, 1000, 1020, 1024), (all, before) => {
    const reader = new Reader(write(all, before));
    reader.bytes(before);
    assert.equal(read(reader, all), all.map(({ value }) => value));
    assert.is(reader.left, 0);
    reader.expectEnd('all');
  }));
});

test('a reader stays within its bounds: cut short anywhere it throws decode_error, whatever stands behind', () => {
  holds(fc.property(fields, fc.nat(), fc.nat(20), (all, at, before) => {
    const bytes = write(all);
    if (bytes.length === 0) return;
    const cut = at % bytes.length;
    // The rest of the message stands right behind the bound, and must not be seen.
    const surrounded = new Uint8Array(before + bytes.length + 10).fill(0xff);
    surrounded.set(bytes, before);
    throwsDecodeError(() => read(new Reader(surrounded, before, before + cut), all), `${cut} of ${bytes.length} bytes`);
    assert.equal(read(new Reader(surrounded, before, before + bytes.length), all), all.map(({ value }) => value));
  }), 500);
});

test('a failed read moves nothing', () => {
  const reader = new Reader(new Uint8Array([1, 2, 3]));
  throwsDecodeError(() => reader.bytes(4));
  assert.is(reader.left, 3);
  assert.is(reader.at, 0);
  assert.is(reader.uint24(), 0x010203);
});

test('vectors are views, and their lengths are held to the bounds of the grammar', () => {
  const bytes = new Uint8Array([2, 7, 8, 0, 1, 9, 0, 0, 1, 5]);
  const reader = new Reader(bytes);
  const view = reader.vector8();
  assert.is(view.buffer, bytes.buffer);
  assert.equal([...reader.vector16(1, 1)], [9]);
  assert.equal([...reader.vector24()], [5]);
  for (const [min, max] of [[3, 255], [0, 1]] as const) throwsDecodeError(() => new Reader(bytes).vector8(min, max));
  throwsDecodeError(() => new Reader(new Uint8Array([0, 2, 0, 0])).vector16(3));
  throwsDecodeError(() => new Reader(new Uint8Array([0, 2, 0, 0])).sub16(0, 1));
  throwsDecodeError(() => new Reader(new Uint8Array([0, 0, 2, 0, 0])).vector24(0, 1));
});

test('a cursor over a vector ends where the vector ends', () => {
  const reader = new Reader(new Uint8Array([0, 2, 1, 2, 3]));
  const sub = reader.sub16();
  assert.is(sub.uint16(), 0x0102);
  throwsDecodeError(() => sub.uint8());
  assert.is(reader.uint8(), 3);
});

test('bytes that are left over are a decode_error', () => {
  const reader = new Reader(new Uint8Array(3));
  reader.uint8();
  throwsDecodeError(() => reader.expectEnd('message'));
  reader.uint16();
  reader.expectEnd('message');
});

test('a vector that does not fit its length field is our own error, at its exact limit', () => {
  const tooLarge = (error: unknown): boolean => error instanceof LocalError && error.code === 'ERR_DTLS_TOO_LARGE';
  assert.is(new Writer().vector8(new Uint8Array(255)).finish().length, 256);
  assert.throws(() => new Writer().vector8(new Uint8Array(256)), tooLarge);
  assert.is(new Writer().vector16(new Uint8Array(65_535)).finish().length, 65_537);
  assert.throws(() => new Writer().vector16(new Uint8Array(65_536)), tooLarge);
  const writer = new Writer();
  const mark = writer.open16();
  writer.bytes(new Uint8Array(65_536));
  assert.throws(() => writer.close16(mark), tooLarge);
});

test('what a writer returns is its own: neither it nor another writes there again, also one inside another', () => {
  const writer = new Writer();
  const first = writer.uint16(0x0102).finish();
  const inside = new Writer().uint8(5).bytes(new Writer().uint16(0x0607).finish()).bytes(new Uint8Array(2000)).uint8(8);
  assert.equal([...writer.uint16(0x0304).finish()], [3, 4]);
  assert.equal([...new Writer().uint16(0x090a).finish()], [9, 10]);
  const whole = inside.finish();
  assert.equal([...first], [1, 2]);
  assert.equal([whole.length, ...whole.subarray(0, 4), whole.at(-1)], [2004, 5, 6, 7, 0, 8]);
});

test('a writer that failed keeps nobody from writing', () => {
  for (let i = 0; i < 3; i++) assert.throws(() => new Writer().uint8(1).vector8(new Uint8Array(256)));
  assert.equal([...new Writer().uint8(2).bytes(new Writer().uint8(3).finish()).finish()], [2, 3]);
});

test.run();
