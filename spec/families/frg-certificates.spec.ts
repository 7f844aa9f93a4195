/**
 * FRG with certificates: every message of a server's flight and of a client's, chains of 3 KiB among them, in pieces, in
 * any order, repeated, packed together, and with lies between the pieces. The honest handshake completes all the same.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, DTLS_EVENT_TIMEOUT, HandshakeType } from '../../lib/index.js';
import { Between, eachMessage, RECEIVERS, type Message, type Piece } from '../support/refragmenter.js';
import { CHAIN_BYTES } from '../support/certifiedpair.js';
import { connected, handshake, NOTHING, remains } from '../support/pair.js';
import { join } from '../support/rig.js';
import { Random } from '../support/random.js';

/** The promise for a half-open peer with certificates. */
const HALF_OPEN_PROMISE = 48 * 1024;

/** One-byte pieces of a message; an empty one is whole. */
function bytesOf({ body }: Message): Piece[] {
  return body.length === 0 ? [[0, 0]] : Array.from({ length: body.length }, (_, i) => [i, i + 1]);
}

test('the flights of these specs hold a Certificate of 3 KiB each way', () => {
  assert.ok(CHAIN_BYTES >= 3072);
  const types = RECEIVERS.map((receiver) => new Between(receiver).messages.map(({ type, body }) => [type, body.length === CHAIN_BYTES]));
  assert.equal(types, [
    [[2, false], [11, true], [12, false], [13, false], [14, false]],
    [[11, true], [16, false], [15, false]],
  ]);
});

for (const receiver of RECEIVERS) {
  test(`FRG-01 the flight to a ${receiver} in single bytes completes: in order, reversed, shuffled with three copies of each`, () => {
    const random = new Random(1);
    const orders: Readonly<Record<string, (records: Uint8Array[]) => Uint8Array[]>> = {
      'in order': (records) => records,
      reversed: (records) => records.reverse(),
      shuffled: (records) => random.shuffle([...records, ...records, ...records]),
    };
    for (const [name, order] of Object.entries(orders)) {
      // All messages of the flight at once, those ahead of their turn among them.
      const between = new Between(receiver);
      const records = between.messages.flatMap((message) => bytesOf(message).map((piece) => between.piece(message, piece)));
      for (const record of order(records)) assert.is(between.feed(record), 0, name);
      between.finish(between.messages.length, name);
    }
  });
}

test('FRG-01 each message for itself in single bytes completes: in order, reversed, shuffled with three copies of each', () => {
  const random = new Random(2);
  eachMessage((fresh, index, name) => {
    const pieces = bytesOf(fresh().messages[index]!);
    for (const order of [pieces, [...pieces].reverse(), random.shuffle([...pieces, ...pieces, ...pieces])]) {
      const between = fresh();
      for (const piece of order) assert.is(between.feed(between.piece(between.messages[index]!, piece)), 0, name);
      between.finish(index, name);
    }
  });
});

test('FRG-01 a chain of 3 KiB in 3,000 single bytes, three times over, takes under 500 ms', () => {
  const random = new Random(3);
  for (const receiver of RECEIVERS) {
    const index = receiver === 'client' ? 1 : 0;
    const between = new Between(receiver).upTo(index);
    const message = between.messages[index]!;
    assert.is(message.type, HandshakeType.certificate);
    const pieces = bytesOf(message);
    const records = random.shuffle([...pieces, ...pieces, ...pieces]).map((piece) => between.piece(message, piece));
    const before = process.cpuUsage();
    for (const record of records) between.feed(record);
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1000 < 500, `${receiver}: ${records.length} fragments took ${(user + system) / 1000} ms`);
    between.finish(index, receiver);
  }
});

test('FRG-02 overlapping, repeated and contained fragments with consistent bytes complete', () => {
  const random = new Random(4);
  eachMessage((fresh, index, name) => {
    const { length } = fresh().messages[index]!.body;
    if (length === 0) return;
    const at = (part: number): number => Math.round(length * part);
    const overlaps: Piece[][] = [
      [[0, at(2 / 3)], [at(1 / 3), length], [0, length]],
      [[at(1 / 3), length], [0, at(2 / 3)]],
      [[0, at(0.5)], [0, at(0.5)], [at(0.5), length], [at(0.5), length]],
      [[0, at(0.9)], [at(0.2), at(0.4)], [at(0.1), at(0.6)], [at(0.8), length]],
      [[at(0.4), length], [at(0.2), at(0.8)], [0, at(0.5)]],
    ];
    for (let round = 0; round < 10; round++) {
      const pieces: Piece[] = [];
      const covered = new Uint8Array(length);
      while (covered.includes(0)) {
        const from = random.below(length);
        const to = from + 1 + random.below(length - from);
        pieces.push([from, to]);
        covered.fill(1, from, to);
      }
      overlaps.push(pieces);
    }
    for (const pieces of overlaps) {
      const between = fresh();
      // Behind the piece that makes it whole, the rest is a repetition.
      for (const piece of pieces) assert.is(between.feed(between.piece(between.messages[index]!, piece)), 0);
      between.finish(index, `${name} ${JSON.stringify(pieces)}`);
    }
  });
});

/** Feeds the first half of message `index`, lets `lie` do what it likes, feeds the rest: the handshake completes. */
function betweenHalves(lie: (between: Between, message: Message, half: number, name: string) => void): void {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const message = between.messages[index]!;
    const { length } = message.body;
    if (length < 2) return;
    const half = Math.floor(length / 2);
    assert.is(between.feed(between.piece(message, [0, half])), 0);
    lie(between, message, half, name);
    assert.not.ok(connected(between.ends));
    assert.is(between.feed(between.piece(message, [half, length])), 0);
    between.finish(index, name);
  });
}

test('FRG-04 a second fragment of another type is dropped, and the right one completes the message', () => {
  betweenHalves((between, message, half, name) => {
    const { length } = message.body;
    for (let type = 0; type <= 25; type++) {
      // What begins as a ClientHello is a matter of the server's door, which answers without state.
      if (type === message.type || (type === HandshakeType.clientHello && between.receiver.name === 's')) continue;
      between.drops(between.piece(message, [half, length], { type }), `${name}: type ${type}`);
      between.drops(between.piece(message, [0, length - 1], { type }), `${name}: type ${type} from the start`);
    }
  });
});

test('FRG-05 a second fragment of another total length is dropped, shorter or longer', () => {
  betweenHalves((between, message, half, name) => {
    const { length } = message.body;
    for (const other of [length + 1, length - 1, 2 * length, 16_384]) {
      between.drops(between.piece(message, [half, Math.min(length, other)], { length: other }), `${name}: length ${other}`);
    }
    for (const [offset, other] of [[length, 2 * length], [16_000, 16_384], [0, length + 1]] as const) {
      between.drops(between.piece(message, [0, Math.min(half, 50)], { offset, length: other }), `${name}: ${offset} of ${other}`);
    }
  });
});

test('FRG-04, FRG-05 a forged first fragment never mixes with an honest message: that comes whole, or this handshake alone ends in time', () => {
  eachMessage((fresh, index, name) => {
    for (const lies of [{ type: 24 }, { length: 16_000 }]) {
      const between = fresh();
      const message = between.messages[index]!;
      const { length } = message.body;
      if (length < 2) continue;
      assert.is(between.feed(between.piece(message, [0, 1], lies)), 0);
      const half = Math.floor(length / 2);
      for (const piece of [[0, half], [half, length]] as const) between.drops(between.piece(message, piece), name);
      assert.is(between.feed(between.whole(message)), 0, name);
      between.finish(index, name);
    }
  });
  for (const receiver of RECEIVERS) {
    // A chain that never comes whole: the honest ends give up, and the next handshake is as good as any.
    const between = new Between(receiver, { maxRetransmits: 2 });
    const message = between.messages.find(({ type }) => type === HandshakeType.certificate)!;
    between.upTo(between.messages.indexOf(message));
    assert.is(between.feed(between.piece(message, [0, 1], { length: 16_000 })), 0);
    between.ends.client.context.setMtu('s', 512);
    between.ends.server.context.setMtu('c', 512);
    between.ends.link.run();
    assert.is(between.receiver.events.at(-1)?.code, DTLS_EVENT_TIMEOUT, receiver);
    assert.equal([remains(between.ends.client), remains(between.ends.server)], [NOTHING, NOTHING]);
    assert.ok(handshake(between.ends), receiver);
  }
});

test('FRG-07 a fragment that reaches past its message is dropped and holds nothing', () => {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const message = between.messages[index]!;
    const body = message.body.length === 0 ? new Uint8Array(5) : message.body;
    const { length } = body;
    const lies = [
      { offset: 1 }, { offset: length }, { offset: length + 1 }, { offset: 0xffffff }, { offset: 0xffffff, length: 0xffffff },
      { length: length - 1 }, { length: 0 }, { fragmentLength: 0xffffff }, { offset: 0xfffffe, length: 0xffffff, fragmentLength: 0xffffff },
    ];
    for (const lie of lies) {
      for (const messageSeq of [message.messageSeq, message.messageSeq + 1, message.messageSeq + 7, 0xffff]) {
        between.drops(between.piece({ ...message, body, messageSeq }, [0, length], lie), `${name}: ${JSON.stringify(lie)}`);
      }
    }
    assert.is(between.feed(between.whole(message)), 0);
    between.finish(index, name);
  });
});

test('FRG-08 a record whose bytes are not what its unfragmented message announces is dropped whole', () => {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const message = between.messages[index]!;
    const { length } = message.body;
    for (const claimed of [length + 1, length + 12, length + 1000, length - 1, length - Math.min(length, 11)]) {
      if (claimed < 0 || claimed === length) continue;
      const record = between.piece(message, [0, length], { length: claimed, fragmentLength: claimed });
      between.drops(record, `${name}: ${claimed} of ${length} bytes`);
    }
    assert.is(between.feed(between.whole(message)), 0);
    between.finish(index, name);
  });
});

test('FRG-09 fragments that carry nothing do nothing, 10,000 of them, and a message that is empty works', () => {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const message = between.messages[index]!;
    const body = message.body.length === 0 ? new Uint8Array(30) : message.body;
    const nothing = [0, body.length, 1].map((offset) => between.piece({ ...message, body }, [0, 0], { offset }));
    for (const record of nothing) between.drops(record, name);
    const datagram = join(...Array.from({ length: 100 }, (_, i) => nothing[i % 3]!));
    for (let i = 0; i < 100; i++) between.drops(datagram, name);
    assert.is(between.feed(between.whole(message)), 0);
    between.finish(index, name);
  });
});

test('FRG-10 a message of more than 16 KiB is refused, and no more is kept of it than came', () => {
  eachMessage((fresh, index, name) => {
    for (const length of [16_385, 0x10000, 0xffffff]) {
      const between = fresh();
      const message = between.messages[index]!;
      const claim = (ahead: number): Uint8Array =>
        between.piece({ ...message, type: HandshakeType.certificate, body: new Uint8Array(1), messageSeq: message.messageSeq + ahead }, [0, 1], { length });
      // Ahead of its turn nobody knows yet whether it was forged: dropped. In its turn it ends the handshake.
      for (const ahead of [1, 7, 8]) between.drops(claim(ahead), `${name}: ${length} bytes, ${ahead} ahead`);
      const sent = between.ends.link.log.length;
      assert.is(between.feed(claim(0)), -(512 + AlertDescription.illegalParameter), `${name}: ${length} bytes`);
      assert.is(between.ends.link.log.length, sent + 1, 'one alert');
      assert.equal(remains(between.receiver), NOTHING);
      between.ends.link.run();
      assert.equal([remains(between.ends.client), remains(between.ends.server)], [NOTHING, NOTHING]);
      assert.ok(handshake(between.ends), `${name}: the next handshake`);
    }
  });
});

/** One byte of each of `count` messages from `from` on, each announcing `length` bytes, in datagrams of 500. */
function flood(between: Between, from: number, count: number, length: number): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < count; at += 500) {
    datagrams.push(join(...Array.from({ length: Math.min(500, count - at) }, (_, i) => {
      const message = { type: HandshakeType.certificate, messageSeq: (from + at + i) & 0xffff, body: new Uint8Array(length) };
      const offset = (257 * i) % length;
      return between.piece(message, [offset, offset + 1]);
    })));
  }
  return datagrams;
}

test('FRG-11 one byte of each of 65,535 messages ahead holds a bounded number of bytes, and the next message still comes in pieces', () => {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const message = between.messages[index]!;
    // All of them once; elsewhere the nearest, which are the only ones that are ever kept.
    for (const datagram of flood(between, message.messageSeq + 1, index === 0 ? 65_535 - message.messageSeq : 2000, 16_384)) {
      assert.is(between.feed(datagram), 0);
      const { heldBytes } = between.receiver.context.stats();
      assert.ok(heldBytes <= HALF_OPEN_PROMISE, `${name}: ${heldBytes} bytes held`);
    }
    const { length } = message.body;
    const third = Math.ceil(length / 3);
    const pieces: Piece[] = length < 3 ? [[0, length]] : [[2 * third, length], [0, third], [third, 2 * third]];
    for (const piece of pieces) assert.is(between.feed(between.piece(message, piece)), 0, name);
    // The messages behind it have a liar's fragments in their places: they come whole, and are taken where they stand.
    between.finish(index, name);
  });
});

test('FRG-11 seven messages ahead, filled to the last byte but one, hold a bounded number of bytes and give way to a chain', () => {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const message = between.messages[index]!;
    for (let ahead = 7; ahead > 0; ahead--) {
      const long = { type: HandshakeType.certificate, messageSeq: message.messageSeq + ahead, body: new Uint8Array(16_384) };
      for (let at = 0; at < 16_384; at += 1024) between.feed(between.piece(long, [at, Math.min(at + 1024, 16_383)]));
      const { heldBytes } = between.receiver.context.stats();
      assert.ok(heldBytes <= HALF_OPEN_PROMISE, `${name}: ${heldBytes} bytes held`);
    }
    const { length } = message.body;
    for (let at = 0; at < Math.max(1, length); at += 200) {
      assert.is(between.feed(between.piece(message, [at, Math.min(at + 200, length)])), 0, name);
    }
    between.finish(index, name);
  });
});

test('FRG-15 a flight with a chain completes however its messages are packed', () => {
  for (const receiver of RECEIVERS) {
    const packings: Readonly<Record<string, (between: Between, messages: readonly Message[]) => Uint8Array[]>> = {
      'all in one record': (between, messages) => [between.packed(...messages.map((message) => all(between, message)))],
      'each in its own record of one datagram': (between, messages) => [join(...messages.map((message) => between.whole(message)))],
      'in reverse, in one record': (between, messages) => [between.packed(...[...messages].reverse().map((message) => all(between, message)))],
      'halves of different messages in one record': (between, messages) => [
        between.packed(...messages.map((message) => between.fragment(message, [Math.ceil(message.body.length / 2), message.body.length]))
          .filter((_, i) => messages[i]!.body.length > 1)),
        between.packed(...messages.map((message) => between.fragment(message, [0, Math.ceil(message.body.length / 2)]))),
      ],
      'records of 700 bytes across messages': (between, messages) => {
        const pieces = messages.flatMap((message) =>
          Array.from({ length: Math.max(1, Math.ceil(message.body.length / 350)) }, (_, i) =>
            between.fragment(message, [350 * i, Math.min(350 * (i + 1), message.body.length)])));
        return Array.from({ length: Math.ceil(pieces.length / 2) }, (_, i) => between.packed(...pieces.slice(2 * i, 2 * i + 2)));
      },
    };
    for (const [name, pack] of Object.entries(packings)) {
      const between = new Between(receiver);
      for (const datagram of pack(between, between.messages)) assert.is(between.feed(datagram), 0, `${receiver} ${name}`);
      between.finish(between.messages.length, `${receiver} ${name}`);
    }
  }
});

function all(between: Between, message: Message): Uint8Array {
  return between.fragment(message, [0, message.body.length]);
}

test('FRG-16 fragments of messages that were taken are dropped, with the same bytes or others, and change no hash', () => {
  eachMessage((fresh, index, name) => {
    const between = fresh();
    const old = between.messages.slice(0, index);
    for (const message of old) {
      const altered = { ...message, body: message.body.map((byte) => byte ^ 0xff) };
      for (const repeated of [message, altered]) {
        between.drops(between.whole(repeated), name);
        if (message.body.length > 1) between.drops(between.piece(repeated, [1, message.body.length]), name);
        between.drops(between.piece(repeated, [0, message.body.length], { type: 20 }), name);
      }
    }
    assert.is(between.feed(between.whole(between.messages[index]!)), 0);
    between.finish(index, name);
  });
});

test('FRG-16 a hundred old fragments a moment trigger one flight a second, and none after completion', () => {
  for (const receiver of RECEIVERS) {
    const between = new Between(receiver, { initialTimeoutMs: 60_000 });
    const { link } = between.ends;
    const last = between.messages.length - 1;
    between.upTo(last);
    const start = link.now;
    const count = (): number => link.log.filter(({ from, at }) => from === between.receiver.name && at > start).length;
    for (let ms = 1; ms <= 4000; ms++) {
      link.now = start + ms;
      for (const message of between.messages.slice(0, 2)) between.feed(between.piece(message, [0, 1]));
    }
    assert.ok(count() >= 3 && count() <= 4, `${receiver}: ${count()} flights in 4 s`);
    between.feed(between.whole(between.messages[last]!));
    between.finish(last, receiver);
    const sent = link.log.length;
    for (let ms = 0; ms < 4000; ms++) {
      link.now++;
      for (const message of between.messages) between.feed(between.piece(message, [0, Math.min(1, message.body.length)]));
      // A ChangeCipherSpec comes too late, and the Finished of a client was seen.
      for (const record of between.tail.slice(0, 1)) between.feed(record);
    }
    assert.is(link.log.length, sent, receiver);
    assert.equal(remains(between.receiver), NOTHING);
  }
});

test.run();
