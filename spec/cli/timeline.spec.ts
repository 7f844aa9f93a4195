/**
 * Datagrams in words, and bytes as text that is safe to print.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wantsColour } from '../../lib/cli/colour.js';
import { printable, printableLine } from '../../lib/cli/printable.js';
import { describeDatagram, timelineRow } from '../../lib/cli/timeline.js';
import { writeHandshakeHeader } from '../../lib/message/handshake.js';
import { writeRecordHeader } from '../../lib/record/header12.js';

function record(type: number, epoch: number, ...fragment: number[]): Uint8Array {
  const out = new Uint8Array(13 + fragment.length);
  writeRecordHeader(out, 0, type, 0xfefd, epoch, 0, fragment.length);
  out.set(fragment, 13);
  return out;
}

function handshake(type: number, length: number, offset: number, part: number): number[] {
  const out = new Uint8Array(12 + part);
  writeHandshakeHeader(out, 0, type, length, 0, offset, part);
  return [...out];
}

const together = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

test('handshake messages in the clear have their names, and fragments their place', () => {
  assert.is(describeDatagram(record(22, 0, ...handshake(1, 40, 0, 40))), 'ClientHello');
  assert.is(describeDatagram(record(22, 0, ...handshake(3, 9, 0, 9))), 'HelloVerifyRequest');
  assert.is(describeDatagram(record(22, 0, ...handshake(2, 4, 0, 4), ...handshake(14, 0, 0, 0))), 'ServerHello, ServerHelloDone');
  assert.is(describeDatagram(record(22, 0, ...handshake(11, 700, 0, 100))), 'Certificate[0..100/700]');
  assert.is(describeDatagram(record(22, 0, ...handshake(11, 700, 100, 100))), 'Certificate[100..200/700]');
  assert.is(describeDatagram(record(22, 0, ...handshake(99, 1, 0, 1))), 'handshake type 99');
});

test('what is encrypted is named by its type', () => {
  const last = together(record(22, 0, ...handshake(16, 2, 0, 2)), record(20, 0, 1), record(22, 1, 1, 2, 3));
  assert.is(describeDatagram(last), 'ClientKeyExchange, ChangeCipherSpec, handshake (encrypted)');
  assert.is(describeDatagram(record(23, 1, 1, 2)), 'application data');
  assert.is(describeDatagram(record(21, 1, 1, 2, 3)), 'alert');
  assert.is(describeDatagram(record(21, 0, 2, 40)), 'alert (fatal handshake_failure)');
  assert.is(describeDatagram(record(21, 0, 1, 200)), 'alert (warning 200)');
});

test('what is no record is said to be none, whatever it is', () => {
  assert.is(describeDatagram(new Uint8Array(0)), 'empty');
  assert.is(describeDatagram(new Uint8Array([1, 2, 3])), 'no DTLS 1.2 record');
  assert.is(describeDatagram(together(record(23, 1, 1), new Uint8Array(5))), 'application data, a rest that is no record');
  assert.is(describeDatagram(record(22, 0, 1, 2, 3)), 'handshake (malformed)');
  assert.is(describeDatagram(record(22, 0)), 'handshake (malformed)');
  assert.is(describeDatagram(record(99, 0)), 'content type 99');
  for (let seed = 0; seed < 2000; seed++) {
    const noise = Uint8Array.from({ length: seed % 90 }, (_, at) => (seed * 31 + at * at * 17 + (at === 0 ? 22 : 0)) & 0xff);
    assert.type(describeDatagram(noise), 'string');
  }
});

test('thousands of records are one short line', () => {
  assert.is(describeDatagram(together(...Array.from({ length: 2000 }, () => record(23, 1)))), 'application data ×2000');
  const mixed = together(...Array.from({ length: 2000 }, (_, at) => record(at % 2 === 0 ? 23 : 20, 1)));
  assert.ok(describeDatagram(mixed).length < 250);
  assert.match(describeDatagram(mixed), /, …$/);
});

test('rows are aligned, and coloured only if they may be', () => {
  const passage = { atMs: 1.25, direction: 'out', way: '→ [::1]:1', bytes: 90, what: 'ClientHello' } as const;
  assert.is(timelineRow(passage, 12, false), '      1.3 ms  → [::1]:1        90 B  ClientHello');
  assert.is(timelineRow(passage, 12, true), '\x1b[2m      1.3 ms\x1b[22m  \x1b[36m→ [::1]:1   \x1b[39m  \x1b[2m   90 B\x1b[22m  ClientHello');
  assert.equal([wantsColour({ isTTY: true }, {}), wantsColour({ isTTY: true }, { NO_COLOR: '1' }), wantsColour({ isTTY: true }, { TERM: 'dumb' }), wantsColour({}, {})], [true, false, false, false]);
});

test('printable text stays, everything else is hex', () => {
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const text of ['', 'plain', 'tab\tbed', 'Grüße, 世界', '👩‍🚀', 'quote " and \\']) assert.is(printable(utf8(text)), text);
  for (const text of ['\x1b[2J', 'a\nb', '\0', '\x7f', '\x9b31m', '\u202e reversed', '\u2028', '\ufeffmark', 'hex:00']) {
    assert.is(printable(utf8(text)), `hex:${Buffer.from(text).toString('hex')}`);
  }
  assert.is(printable(new Uint8Array([0xff, 0xfe])), 'hex:fffe');
  assert.is(printable(utf8('a\r\nb'), true), 'a\r\nb');
  assert.is(printable(utf8('a\x1bb'), true), 'hex:611b62');
});

test('one line break at the end of a line is not shown', () => {
  const line = (text: string): string => printableLine(new TextEncoder().encode(text));
  assert.equal(['hi\n', 'hi\r\n', 'hi', '\n', ''].map(line), ['hi', 'hi', 'hi', '', '']);
  assert.is(line('hi\n\n'), 'hex:68690a');
});

test.run();
