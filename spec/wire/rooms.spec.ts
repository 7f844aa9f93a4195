/** Room that is lent again, and arrays that messages share. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { giveRoom, takePiece, takeRoom } from '../../lib/wire/rooms.js';

test('room has at least the bytes asked for, and one that is longer than any that is kept has some to spare', () => {
  for (const length of [0, 1, 1024, 1025, 20_000]) assert.ok(takeRoom(length).length >= length, `${length}`);
  assert.ok(takeRoom(3000).length > 3000);
});

test('room that was given back serves the next', () => {
  const room = takeRoom(100);
  giveRoom(room);
  assert.is(takeRoom(1000), room);
});

test('room is lent to one at a time', () => {
  assert.is.not(takeRoom(100), takeRoom(100));
});

test('of what is given back a bounded number is kept, and only of the length that is lent again', () => {
  const rooms = Array.from({ length: 40 }, () => takeRoom(100));
  for (const room of rooms) giveRoom(room);
  const again = new Set(Array.from({ length: 40 }, () => takeRoom(100)));
  const kept = rooms.filter((room) => again.has(room)).length;
  assert.ok(kept > 0 && kept <= 16, `${kept} of 40 are kept`);
  const odd = new Uint8Array(700);
  giveRoom(odd);
  assert.is.not(takeRoom(700), odd);
});

test('pieces have the length asked for, are zero, and no two share a byte', () => {
  const lengths = [0, 1, 64, 65, 100, 300, 512, 513, 5000];
  const pieces = Array.from({ length: 200 }, (_, i) => takePiece(lengths[i % lengths.length]!));
  for (const [i, piece] of pieces.entries()) {
    assert.is(piece.length, lengths[i % lengths.length]);
    assert.ok(piece.every((byte) => byte === 0), `piece ${i} is zero`);
    piece.fill(i % 255 + 1);
  }
  for (const [i, piece] of pieces.entries()) assert.ok(piece.every((byte) => byte === i % 255 + 1), `piece ${i} is its own`);
});

test('a piece keeps at most two kilobytes alive', () => {
  for (let i = 0; i < 100; i++) assert.ok(takePiece(65 + i).buffer.byteLength <= 2048);
});

test.run();
