/**
 * The door: what a server says to a ClientHello before it knows that the address is real (RFC 6347 §4.2.1).
 *
 * Nothing is kept, nothing waits, and never do more bytes go out than came in.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Session } from '../../lib/index.js';
import type { ClientHello } from '../../lib/message/hello.js';
import { Random } from '../support/random.js';
import { CLIENT, equal, Rig, SERVER } from '../support/rig.js';
import { address, cookieIn, hello, helloBody, helloFragment, provenHello, smallestHello } from './dos-hello.js';

const A = { address: '198.51.100.1', port: 1000 };

/** A rig with nothing in it, as its counters have it. */
const NOTHING = { halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0 };

function state(rig: Rig): typeof NOTHING {
  const { halfOpen, established, heldBytes, deadlines } = rig.context.stats();
  return { halfOpen, established, heldBytes, deadlines };
}

/** What a hello came to: a HelloVerifyRequest (no state), a handshake (undone at once), or nothing. */
function verdict(rig: Rig, session: Session, datagram: Uint8Array): 'verify' | 'handshake' | 'silence' {
  rig.takeSent();
  const before = state(rig);
  assert.is(rig.feed(session, datagram), 0);
  const sent = rig.takeSent();
  if (sent[0]?.[13] === 2) {
    rig.context.resetPeer(rig.context.getPeer(session)!);
    return 'handshake';
  }
  assert.equal(state(rig), before, 'no state');
  assert.ok(sent.length <= 1);
  if (sent.length === 0) return 'silence';
  assert.is(sent[0]![13], 3, 'nothing but a HelloVerifyRequest');
  assert.ok(sent[0]!.length <= datagram.length, 'no amplification');
  return 'verify';
}

test('DOS-02 the smallest ClientHello, of 67 bytes, is answered with 60', () => {
  const rig = new Rig();
  const smallest = smallestHello();
  assert.is(smallest.length, 67);
  rig.feed(A, smallest);
  const sent = rig.takeSent();
  assert.equal(sent.map(({ length }) => length), [60]);
  assert.is(cookieIn(sent[0]).length, 32);
  assert.equal(state(rig), NOTHING);
  assert.equal(rig.events, []);
});

test('DOS-01 each ClientHello without a cookie is answered once and leaves nothing', () => {
  const rig = new Rig();
  for (let i = 0; i < 2000; i++) assert.is(verdict(rig, address(i), smallestHello()), 'verify');
  assert.is(rig.context.stats().helloVerifyRequests, 2000);
  assert.equal([state(rig), rig.events, rig.scheduled], [NOTHING, [], []]);
});

test('DOS-03 a cookie is of use to the session it was issued to and to no other', () => {
  const rig = new Rig();
  const proven = provenHello(rig, A);
  const others: Session[] = [
    { ...A, port: A.port + 1 }, { ...A, address: '198.51.100.2' }, { ...A, ifindex: 1 },
    { address: '', port: 1000 }, { address: '198.51.100.1\0', port: 1000 }, '198.51.100.1', '198.51.100.1:1000',
  ];
  for (const other of others) assert.is(verdict(rig, other, proven), 'verify', JSON.stringify(other));
  assert.is(verdict(rig, { ...A }, proven), 'handshake', 'equal by value');
});

const CHANGES: Readonly<Record<string, Partial<ClientHello>>> = {
  version: { version: 0xfefc },
  random: { random: new Uint8Array(32).fill(8) },
  'one bit of random': { random: Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 6 : 7)) },
  session_id: { sessionId: new Uint8Array(1) },
  'a longer session_id': { sessionId: new Uint8Array(32) },
  'a suite more': { cipherSuites: new Uint8Array([0xc0, 0xa8, 0, 0xa8]) },
  'another suite': { cipherSuites: new Uint8Array([0, 0xa8]) },
  'a compression method more': { compressionMethods: new Uint8Array([0, 1]) },
  'another compression method': { compressionMethods: new Uint8Array([1]) },
};

test('DOS-04 a cookie is of no use to a hello with another version, random, session_id, suite or compression method', () => {
  const rig = new Rig();
  const proven = provenHello(rig, A);
  const cookie = proven.slice(25 + 36, 25 + 36 + 32);
  for (const [name, fields] of Object.entries(CHANGES)) {
    assert.is(verdict(rig, A, hello({ ...fields, cookie }, { messageSeq: 1 })), 'verify', name);
  }
  assert.is(verdict(rig, A, hello({ cookie }, { messageSeq: 1 })), 'handshake', 'nothing changed');
});

test('DOS-04 the bytes of the hello are bound field by field: moving a byte from one field to the next is a change', () => {
  const rig = new Rig();
  const fields = { sessionId: new Uint8Array([1, 2]), cipherSuites: new Uint8Array([0xc0, 0xa8, 0, 0xff]) };
  const cookie = provenHello(rig, A, fields).slice(25 + 38, 25 + 38 + 32);
  assert.is(verdict(rig, A, hello({ ...fields, cookie, sessionId: new Uint8Array([1]) }, { messageSeq: 1 })), 'verify');
  assert.is(verdict(rig, A, hello({ ...fields, cookie, sessionId: new Uint8Array([1, 2, 3]) }, { messageSeq: 1 })), 'verify');
  assert.is(verdict(rig, A, hello({ ...fields, cookie }, { messageSeq: 1 })), 'handshake');
});

test('DOS-05 a cookie with any bit flipped, cut, lengthened, zeroed or left out counts as none', () => {
  const rig = new Rig();
  const good = provenHello(rig, A).slice(25 + 36, 25 + 36 + 32);
  const bad: Uint8Array[] = [new Uint8Array(32), new Uint8Array(0), new Uint8Array(255).fill(1), good.slice(0, 16), good.slice(16)];
  for (let bit = 0; bit < 256; bit++) {
    const flipped = good.slice();
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    bad.push(flipped);
  }
  for (let length = 1; length < 32; length++) bad.push(good.slice(0, length));
  bad.push(Uint8Array.from([...good, 0]), Uint8Array.from([0, ...good]), Uint8Array.from([...good, ...good]));
  for (const cookie of bad) assert.is(verdict(rig, A, hello({ cookie }, { messageSeq: 1 })), 'verify', cookie.toString());
  assert.equal([rig.events, rig.scheduled], [[], []], 'no alert, no event, no timer');
  assert.is(verdict(rig, A, hello({ cookie: good }, { messageSeq: 1 })), 'handshake');
});

test('DOS-06 a cookie is accepted while its secret is in use and one rotation later, and no longer', () => {
  const rig = new Rig({ cookieLifetimeMs: 60_000 });
  const proven = provenHello(rig, A);
  const use = (): void => void assert.is(verdict(rig, SERVER, hello()), 'verify');
  assert.is(verdict(rig, A, proven), 'handshake', 'at once');
  rig.advance(59_999);
  assert.is(verdict(rig, A, proven), 'handshake', 'the same secret');
  rig.advance(1);
  use();
  assert.is(verdict(rig, A, proven), 'handshake', 'one rotation later');
  rig.advance(59_999);
  assert.is(verdict(rig, A, proven), 'handshake', 'until the second rotation');
  rig.advance(1);
  use();
  assert.is(verdict(rig, A, proven), 'verify', 'two rotations later');
});

test('DOS-06 the second rotation is noticed by the replay itself', () => {
  const rig = new Rig({ cookieLifetimeMs: 60_000 });
  const proven = provenHello(rig, A);
  rig.advance(60_000);
  assert.is(verdict(rig, A, proven), 'handshake', 'the replay rotates the secret and is still accepted');
  rig.advance(60_000);
  assert.is(verdict(rig, A, proven), 'verify');
});

for (const silence of [120_000, 120_001, 180_000, 3_600_000, 30 * 86_400_000]) {
  test(`DOS-06 after ${silence / 1000} s of silence, two lifetimes or more, an old cookie is worth nothing`, () => {
    const rig = new Rig({ cookieLifetimeMs: 60_000 });
    const proven = provenHello(rig, A);
    rig.advance(silence);
    assert.is(verdict(rig, A, proven), 'verify');
    assert.is(verdict(rig, A, proven), 'verify', 'nor does it come back');
    assert.is(verdict(rig, A, provenHello(rig, A)), 'handshake', 'a new one is good');
  });
}

test('DOS-06 a cookie of a previous secret is checked as strictly as any', () => {
  const rig = new Rig({ cookieLifetimeMs: 60_000 });
  const cookie = provenHello(rig, A).slice(25 + 36, 25 + 36 + 32);
  rig.advance(60_000);
  assert.is(verdict(rig, SERVER, hello({ cookie }, { messageSeq: 1 })), 'verify', 'another address');
  for (const [name, fields] of Object.entries(CHANGES)) {
    assert.is(verdict(rig, A, hello({ ...fields, cookie }, { messageSeq: 1 })), 'verify', name);
  }
  // A and B under different secrets make no cookie.
  const fresh = provenHello(rig, A).slice(25 + 36, 25 + 36 + 32);
  const mixed = Uint8Array.from([...cookie.subarray(0, 16), ...fresh.subarray(16)]);
  assert.is(verdict(rig, A, hello({ cookie: mixed }, { messageSeq: 1 })), 'verify', 'half old, half new');
});

test('DOS-14 no two cookies for different sessions or hellos are alike, and none is a counter', () => {
  const rig = new Rig();
  const random = new Random(14);
  const halves = new Set<string>();
  const cookies: Uint8Array[] = [];
  for (let i = 0; i < 1000; i++) {
    const fields = i % 2 === 0 ? {} : { random: random.bytes(32) };
    rig.feed(address(i), hello(fields));
    const cookie = cookieIn(rig.takeSent()[0]);
    assert.ok(cookie.length >= 16);
    cookies.push(cookie);
    for (const half of [cookie.subarray(0, 16), cookie.subarray(16)]) halves.add(half.toString());
  }
  assert.is(halves.size, 2000, 'neither half of any cookie comes twice');
  // Each bit of a MAC is set half of the time, and neighbours differ in half of their bits.
  for (let bit = 0; bit < 256; bit++) {
    const set = cookies.filter((cookie) => (cookie[bit >>> 3]! & (1 << (bit & 7))) !== 0).length;
    assert.ok(set > 400 && set < 600, `bit ${bit} is set in ${set} of 1000 cookies`);
  }
});

test('DOS-14 the same hello from the same session gets the same cookie from one context and another from the next', () => {
  const [one, other] = [new Rig({}, {}, 1), new Rig({}, {}, 2)];
  const ask = (rig: Rig): Uint8Array => {
    rig.feed(A, hello());
    return cookieIn(rig.takeSent()[0]);
  };
  assert.equal(ask(one), ask(one));
  assert.not.ok(equal(ask(one), ask(other)));
  assert.is(verdict(other, A, provenHello(one, A)), 'verify');
});

test('a HelloVerifyRequest goes out with the record number and message_seq of its hello', () => {
  const rig = new Rig();
  for (const [sequence, messageSeq] of [[0, 0], [5, 1], [2 ** 48 - 1, 191], [77, 65_535]] as const) {
    rig.feed(A, hello({}, { sequence, messageSeq }));
    const sent = rig.takeSent()[0]!;
    assert.equal(sent.subarray(3, 11), hello({}, { sequence }).subarray(3, 11));
    assert.is((sent[17]! << 8) | sent[18]!, messageSeq);
  }
});

test('a cookie in a record so late that the answer would run out of numbers opens nothing', () => {
  const rig = new Rig();
  const cookie = provenHello(rig, A).slice(25 + 36, 25 + 36 + 32);
  assert.is(verdict(rig, A, hello({ cookie }, { sequence: 2 ** 48 - 1, messageSeq: 1 })), 'silence');
  assert.is(verdict(rig, A, hello({ cookie }, { sequence: 1, messageSeq: 1 })), 'handshake');
});

test('a ClientHello of our own that comes back from elsewhere opens nothing, cookie or not', () => {
  const rig = new Rig();
  rig.context.connect(SERVER);
  const random = rig.takeSent()[0]!.slice(27, 59);
  const before = state(rig);
  assert.is(verdict(rig, A, hello({ random })), 'verify', 'before the cookie it is a hello like any other');
  assert.is(verdict(rig, A, provenHello(rig, A, { random })), 'silence');
  assert.is(rig.context.stats().dropped.reflected, 1);
  assert.equal(state(rig), before);
  assert.is(verdict(rig, A, provenHello(rig, A, { random: new Uint8Array(32).fill(9) })), 'handshake', 'another random is welcome');
});

test('a ClientHello of our own opens nothing either where the first fragment of another was let in', () => {
  for (const cookieExchange of ['always', 'never'] as const) {
    const rig = new Rig({ cookieExchange });
    rig.context.connect(SERVER);
    const random = rig.takeSent()[0]!.slice(27, 59);
    const own = cookieExchange === 'always' ? provenHello(rig, A, { random }) : hello({ random }, { messageSeq: 1 });
    const body = cookieExchange === 'always' ? provenHello(rig, A).subarray(25) : helloBody();
    rig.feed(A, helloFragment(body, 0, body.length - 1, { messageSeq: 1 }));
    assert.is(rig.context.getPeer(A)?.state, 'handshake');
    rig.takeSent();
    rig.feed(A, own);
    assert.equal(rig.takeSent(), [], cookieExchange);
    assert.is(rig.context.stats().dropped.reflected, 1);
    assert.is(rig.context.getPeer(A), undefined);
    assert.is(rig.context.getPeer(SERVER)?.state, 'handshake', 'ours goes on');
  }
});

test('a ClientHello that comes back from the very server it went to opens nothing', () => {
  const rig = new Rig();
  rig.context.connect(SERVER);
  const [own] = rig.takeSent();
  const before = state(rig);
  for (let i = 0; i < 10; i++) assert.is(rig.feed(SERVER, own!), 0);
  assert.equal([rig.takeSent(), state(rig)], [[], before]);
});

test('without the cookie exchange the first hello opens a handshake, and a reflected one still none', () => {
  const rig = new Rig({ cookieExchange: 'never' });
  rig.context.connect(SERVER);
  const random = rig.takeSent()[0]!.slice(27, 59);
  assert.is(verdict(rig, A, hello({ random })), 'silence');
  assert.is(verdict(rig, CLIENT, hello()), 'handshake');
});

test.run();
