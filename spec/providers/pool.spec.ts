import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { Pool, busyKeys, type Pooled } from '../../lib/crypto/native/pool.js';

class Member implements Pooled {
  recent = true;
  slot = -1;
  released = 0;

  release(): void {
    this.released++;
  }
}

const members = (count: number): Member[] => Array.from({ length: count }, () => new Member());

test('a pool takes as many members as it may, and each once', () => {
  const pool = new Pool(3);
  const all = members(3);
  for (const member of [...all, ...all]) pool.admit(member);
  assert.is(pool.size, 3);
  assert.equal(all.map(({ released }) => released), [0, 0, 0]);
});

test('a full pool releases a member that was idle since the hand passed it', () => {
  const pool = new Pool(3);
  const [a, b, c, d] = members(4) as [Member, Member, Member, Member];
  for (const member of [a, b, c]) pool.admit(member);
  b.recent = false;
  pool.admit(d);
  assert.equal([a, b, c, d].map(({ released }) => released), [0, 1, 0, 0]);
  assert.is(b.slot, -1);
  assert.is(pool.size, 3);
});

test('where all are busy, the one that was used longest ago by the hand goes', () => {
  const pool = new Pool(3);
  const [a, b, c, d] = members(4) as [Member, Member, Member, Member];
  for (const member of [a, b, c, d]) pool.admit(member);
  assert.equal([a, b, c].map(({ released }) => released), [1, 0, 0]);
  pool.admit(a);
  assert.equal([a, b, c, d].map(({ released }) => released), [1, 1, 0, 0]);
});

test('a member that leaves makes room, whichever it is', () => {
  for (const leaving of [0, 1, 2]) {
    const pool = new Pool(3);
    const all = members(3);
    for (const member of all) pool.admit(member);
    pool.remove(all[leaving]!);
    pool.remove(all[leaving]!);
    assert.is(pool.size, 2);
    const late = members(1)[0]!;
    pool.admit(late);
    assert.is(pool.size, 3);
    assert.equal(all.map(({ released }) => released), [0, 0, 0]);
    const slots = [...all.filter((_, index) => index !== leaving), late].map(({ slot }) => slot).sort();
    assert.equal(slots, [0, 1, 2]);
  }
});

test('a pool stays whole through a thousand random steps', () => {
  const pool = new Pool(8);
  const all = members(20);
  const inside = (): Member[] => all.filter(({ slot }) => slot >= 0);
  let state = 1;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % bound;
  };
  for (let step = 0; step < 1000; step++) {
    const member = all[next(all.length)]!;
    if (next(4) === 0) pool.remove(member);
    else pool.admit(member);
    member.recent = next(2) === 0;
    assert.is(inside().length, pool.size);
    assert.ok(pool.size <= 8);
    assert.equal(inside().map(({ slot }) => slot).sort((x, y) => x - y), Array.from({ length: pool.size }, (_, slot) => slot));
  }
});

test('forged records make no key busy, however many there are; authentic ones do', () => {
  for (const name of ['aes-128-ccm-8', 'aes-128-gcm'] as const) {
    const aead = nativeProvider.aeads[name]!.create(new Uint8Array(16).fill(3));
    const other = nativeProvider.aeads[name]!.create(new Uint8Array(16).fill(4));
    const [nonce, aad, out] = [new Uint8Array(12), new Uint8Array(13), new Uint8Array(64)];
    const sealed = (by: typeof aead): Uint8Array => out.slice(0, by.seal(out, 0, nonce, aad, new Uint8Array(20)));
    const forged = sealed(other);
    const before = busyKeys.size;
    for (let i = 0; i < 20; i++) assert.is(aead.open(out, 0, nonce, aad, forged), -1);
    assert.is(busyKeys.size, before, name);
    for (let i = 0; i < 20; i++) assert.is(aead.open(out, 0, nonce, aad, sealed(aead)), 20);
    assert.is(busyKeys.size, before + 1, name);
    aead.wipe();
    other.wipe();
  }
});

test.run();
