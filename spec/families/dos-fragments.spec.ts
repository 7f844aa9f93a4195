/**
 * A ClientHello in fragments at the door (RFC 6347 §4.2.1, §4.2.3): a first fragment with the cookie field in it is
 * answered, or opens a bounded reassembly, by the cookie's first half alone; the second half is checked at the end.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientHello } from '../../lib/message/hello.js';
import { DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, type Session } from '../../lib/index.js';
import { Random } from '../support/random.js';
import { CLIENT, join, Rig, SERVER } from '../support/rig.js';
import { clientFlight, HONEST, ScriptedPeer, takeServerFlight } from '../support/scripted.js';
import { address, cookieIn, hello, helloBody, helloFragment } from './dos-hello.js';

const A = { address: '198.51.100.1', port: 1000 };
/** Where the cookie's bytes stand in a body without session_id. */
const COOKIE_AT = 36;
/** Bytes of a HelloVerifyRequest with record and handshake header. */
const ANSWER = 60;
/** Bytes of a datagram that holds no more of a hello than the (empty) cookie field: 61. */
const SMALLEST = 25 + COOKIE_AT;
const NOTHING = { halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0 };

function state(rig: Rig): typeof NOTHING {
  const { halfOpen, established, heldBytes, deadlines } = rig.context.stats();
  return { halfOpen, established, heldBytes, deadlines };
}

/** The two fragments of a body cut at `cut`. */
function split(body: Uint8Array, cut: number, messageSeq: number): [Uint8Array, Uint8Array] {
  return [
    helloFragment(body, 0, cut, { messageSeq, sequence: 2 * messageSeq }),
    helloFragment(body, cut, body.length, { messageSeq, sequence: 2 * messageSeq + 1 }),
  ];
}

/** A second hello, whose cookie was given for a first one cut at `cut`. */
function provenBody(rig: Rig, session: Session, cut: number, fields: Partial<ClientHello> = {}): Uint8Array {
  rig.takeSent();
  rig.feed(session, split(helloBody(fields), cut, 0)[0]);
  return helloBody({ ...fields, cookie: cookieIn(rig.takeSent()[0]) });
}

/** A hello as browsers send it: beyond what one datagram takes. */
const LARGE: Partial<ClientHello> = { extensions: new Map([...HONEST, [0x11ec, new Uint8Array(1216)], [21, new Uint8Array(400)]]) };

test('FRG-14 a first fragment is answered exactly if it holds the cookie field, a later one never; nothing is kept', () => {
  const body = helloBody();
  for (let cut = 1; cut < body.length; cut++) {
    const rig = new Rig();
    const [first, second] = split(body, cut, 0);
    rig.feed(A, first);
    const answers = rig.takeSent();
    assert.is(answers.length, cut >= COOKIE_AT ? 1 : 0, `cut at ${cut}`);
    if (answers.length === 1) assert.ok(answers[0]!.length <= first.length, `cut at ${cut}`);
    rig.feed(A, second);
    assert.equal(rig.takeSent(), [], `cut at ${cut}`);
    assert.equal([state(rig), rig.events, rig.scheduled], [NOTHING, [], []], `cut at ${cut}`);
  }
  assert.ok(SMALLEST >= ANSWER, 'the smallest fragment that is answered is no smaller than the answer');
});

test('FRG-14 any fragment at an offset, with any bytes, is dropped where nobody is known', () => {
  const rig = new Rig();
  const random = new Random(14);
  const body = helloBody({ cookie: random.bytes(32) });
  for (let i = 0; i < 2000; i++) {
    const from = 1 + random.below(body.length - 1);
    const datagram = helloFragment(body, from, from + 1 + random.below(body.length - from), { messageSeq: random.below(4) });
    assert.is(rig.feed(address(i % 100), join(datagram, random.bytes(60))), 0);
  }
  assert.equal([state(rig), rig.sent, rig.events], [NOTHING, [], []]);
});

test('FRG-14 a second hello in two fragments is in once its first fragment holds the cookie, and the handshake completes', () => {
  const body = helloBody();
  for (let cut = COOKIE_AT + 32; cut < body.length + 32; cut++) {
    const rig = new Rig();
    const client = new ScriptedPeer('client');
    client.clientRandom = new Uint8Array(32).fill(7);
    const second = provenBody(rig, CLIENT, Math.min(cut, body.length - 1));
    const fragments = split(second, cut, 1);
    rig.feed(CLIENT, fragments[0]);
    assert.equal([rig.takeSent(), state(rig).halfOpen], [[], 1], `cut at ${cut}: reassembly, no answer yet`);
    rig.feed(CLIENT, fragments[1]);
    client.messageSeq = 2;
    client.sequences[0] = 4;
    client.note(1, 1, second);
    takeServerFlight(client, rig.takeSent());
    rig.feed(CLIENT, join(...clientFlight(client)));
    assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED], `cut at ${cut}`);
  }
});

test('FRG-14 a second hello whose first fragment ends within the cookie opens nothing', () => {
  const rig = new Rig();
  const second = provenBody(rig, A, COOKIE_AT);
  for (let cut = 1; cut < COOKIE_AT + 32; cut++) {
    for (const fragment of split(second, cut, 1)) rig.feed(A, fragment);
    assert.equal([state(rig), rig.takeSent()], [NOTHING, []], `cut at ${cut}`);
  }
});

test('FRG-14 a hello of 1,700 bytes in many datagrams takes no state before the cookie and completes after it', () => {
  for (const size of [100, 548, 1200]) {
    const rig = new Rig();
    const pieces = (body: Uint8Array, messageSeq: number): Uint8Array[] => {
      const found: Uint8Array[] = [];
      for (let at = 0; at < body.length; at += size) {
        found.push(helloFragment(body, at, Math.min(at + size, body.length), { messageSeq, sequence: 100 * messageSeq + found.length }));
      }
      return found;
    };
    for (const piece of pieces(helloBody(LARGE), 0)) rig.feed(CLIENT, piece);
    assert.equal(state(rig), NOTHING);
    const sent = rig.takeSent();
    assert.is(sent.length, 1);
    const second = helloBody({ ...LARGE, cookie: cookieIn(sent[0]) });
    for (const piece of pieces(second, 1)) rig.feed(CLIENT, piece);
    const client = new ScriptedPeer('client');
    client.clientRandom = new Uint8Array(32).fill(7);
    client.messageSeq = 2;
    client.sequences[0] = 200;
    client.note(1, 1, second);
    takeServerFlight(client, rig.takeSent());
    rig.feed(CLIENT, join(...clientFlight(client)));
    assert.is(rig.codes.at(-1), DTLS_EVENT_CONNECTED, `${size} bytes a piece`);
  }
});

test('FRG-14 a cookie given to a fragment that ended before the suites is good for the same hello, whole or in pieces', () => {
  for (const cut of [COOKIE_AT, COOKIE_AT + 1, COOKIE_AT + 3]) {
    const rig = new Rig();
    const second = provenBody(rig, A, cut);
    rig.feed(A, helloFragment(second, 0, second.length, { messageSeq: 1 }));
    assert.is(rig.takeSent()[0]?.[13], 2, `cut at ${cut}: a ServerHello`);
  }
});

test('FRG-14 a client with a cookie that is too old gets a new one for its fragments, and that one is good', () => {
  for (const cut of [COOKIE_AT + 32, COOKIE_AT + 34, COOKIE_AT + 40]) {
    const rig = new Rig();
    const old = provenBody(rig, A, COOKIE_AT);
    rig.advance(300_000);
    rig.feed(A, split(old, cut, 1)[0]);
    const second = helloBody({ cookie: cookieIn(rig.takeSent()[0]) });
    for (const fragment of split(second, cut, 2)) rig.feed(A, fragment);
    assert.is(rig.takeSent()[0]?.[13], 2, `cut at ${cut}: a ServerHello`);
  }
});

test('FRG-14 the second half of the cookie is checked when the hello is whole: other suites end it without an answer', () => {
  const changes: readonly Partial<ClientHello>[] = [
    { cipherSuites: new Uint8Array([0, 0xa8]) },
    { cipherSuites: new Uint8Array([0, 0xa8, 0xc0, 0xa8]) },
    { compressionMethods: new Uint8Array([0, 1]) },
  ];
  for (const change of changes) {
    const rig = new Rig();
    rig.feed(A, hello());
    const second = helloBody({ ...change, cookie: cookieIn(rig.takeSent()[0]) });
    for (const fragment of split(second, COOKIE_AT + 32, 1)) rig.feed(A, fragment);
    assert.equal([rig.takeSent(), state(rig), rig.events], [[], NOTHING, []]);
  }
});

test('FRG-14 the first half of the cookie alone proves the address: no other session and no other random gets in with it', () => {
  const rig = new Rig();
  const second = provenBody(rig, A, COOKIE_AT);
  const [first] = split(second, COOKIE_AT + 32, 1);
  for (const other of [{ ...A, port: 1001 }, { ...A, address: '198.51.100.2' }]) {
    rig.feed(other, first);
    assert.is(rig.takeSent()[0]?.[13], 3);
  }
  for (let bit = 0; bit < 128; bit++) {
    const flipped = first.slice();
    flipped[25 + COOKIE_AT + (bit >>> 3)]! ^= 1 << (bit & 7);
    rig.feed(A, flipped);
    assert.is(rig.takeSent()[0]?.[13], 3, `bit ${bit}`);
  }
  for (let at = 0; at < 35; at++) {
    const changed = first.slice();
    changed[25 + at]! ^= 0x80;
    rig.feed(A, changed);
    assert.ok(rig.takeSent().every((datagram) => datagram[13] === 3), `byte ${at}`);
  }
  assert.equal(state(rig), NOTHING);
  rig.feed(A, first);
  assert.is(state(rig).halfOpen, 1);
});

test('FRG-14 reassembly behind the first half is bounded, follows the bytes that came, and ends in time', () => {
  const rig = new Rig();
  const second = provenBody(rig, A, COOKIE_AT);
  const start = rig.now;
  // As the first, but of a message that claims to be as long as we take.
  const claimed = helloFragment(second, 0, COOKIE_AT + 32, { messageSeq: 1 });
  claimed.set([0, 0x10, 0], 14);
  rig.feed(A, claimed);
  assert.ok(state(rig).halfOpen === 1 && state(rig).heldBytes <= 1024, `${state(rig).heldBytes} bytes`);
  const byte = (messageSeq: number, offset: number, length: number): Uint8Array => {
    const fragment = helloFragment(new Uint8Array(length), 0, 1, { messageSeq });
    fragment.set([offset >>> 16, offset >>> 8, offset], 19);
    return fragment;
  };
  for (let offset = 100; offset < 4096; offset += 50) rig.feed(A, byte(1, offset, 4096));
  for (let messageSeq = 2; messageSeq < 200; messageSeq++) rig.feed(A, byte(messageSeq, 3000, 4096));
  assert.ok(state(rig).heldBytes <= 8192, `${state(rig).heldBytes} bytes`);
  assert.equal(rig.takeSent(), []);
  rig.runOut();
  assert.ok(rig.now - start <= 90_000, `${rig.now - start} ms`);
  assert.equal([rig.takeSent(), state(rig)], [[], NOTHING], 'nothing was ever sent');
  assert.equal(rig.events, [], 'and the host never heard of it');
});

test('FRG-14 a hello that claims more than we ever take is not let in, whatever its cookie', () => {
  const rig = new Rig();
  const second = provenBody(rig, A, COOKIE_AT);
  for (const length of [4097, 65_536, 0xff_ffff]) {
    const claimed = helloFragment(second, 0, COOKIE_AT + 32, { messageSeq: 1 });
    claimed.set([length >>> 16, length >>> 8, length], 14);
    rig.feed(A, claimed);
    assert.equal([rig.takeSent(), state(rig)], [[], NOTHING], `${length} bytes`);
  }
});

test('whatever comes before a valid cookie, no session is sent more bytes than came from it', () => {
  const random = new Random(2);
  for (let round = 0; round < 20; round++) {
    const rig = new Rig({}, {}, round + 1);
    const balance = new Map<string, number>();
    const stale = new Rig({}, {}, 99);
    if (round % 2 === 1) rig.context.connect(SERVER); // a context that is a client too
    for (let i = 0; i < 300; i++) {
      const session = `stranger ${random.below(5)}`;
      const datagram = anyHello(random, stale, session);
      rig.takeSent();
      assert.is(rig.feed(session, datagram), 0);
      const out = rig.sent.filter(({ session: to }) => to === session).reduce((sum, { bytes }) => sum + bytes.length, 0);
      const before = balance.get(session) ?? 0;
      balance.set(session, before + datagram.length - out);
      assert.ok(balance.get(session)! >= before, `round ${round}, datagram ${i}: ${datagram.length} in, ${out} out`);
      assert.ok(rig.sent.every(({ session: to }) => to === session), 'nobody else is sent anything');
      rig.advance(random.below(10));
    }
    assert.is(rig.context.stats().established, 0);
    assert.is(rig.context.stats().halfOpen, round % 2);
  }
});

/** A hello of any kind, honest or not, whole or in pieces, several to a datagram, cut off or with rubbish behind it. */
function anyHello(random: Random, stale: Rig, session: Session): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    const fields: Partial<ClientHello> = {
      cookie: random.chance(0.5) ? new Uint8Array(0) : random.bytes(random.chance(0.5) ? 32 : random.below(256)),
      sessionId: random.bytes(random.chance(0.7) ? 0 : random.below(33)),
      extensions: random.chance(0.5) ? new Map() : HONEST,
    };
    if (random.chance(0.1)) {
      // A cookie of another context.
      stale.takeSent();
      stale.feed(session, hello());
      parts.push(hello({ cookie: cookieIn(stale.takeSent()[0]) }, { messageSeq: 1 }));
      continue;
    }
    const body = helloBody(fields);
    const from = random.chance(0.7) ? 0 : random.below(body.length);
    const to = random.chance(0.5) ? body.length : from + random.below(body.length - from + 1);
    const part = helloFragment(body, from, to, { messageSeq: random.below(3), sequence: random.below(1000) });
    if (random.chance(0.2)) part[random.below(part.length)] = random.below(256);
    parts.push(part);
  }
  const datagram = join(...parts, random.bytes(random.chance(0.2) ? random.below(40) : 0));
  return random.chance(0.2) ? datagram.slice(0, random.below(datagram.length + 1)) : datagram;
}

test.run();
