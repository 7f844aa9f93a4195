/**
 * Flights on the wire: cut and packed into the fewest datagrams that the path takes, whole again on the other side,
 * and the same messages under new record numbers when they are sent again.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nobleProvider } from '../../lib/index.js';
import { Flight } from '../../lib/flight/flight.js';
import { WriteEpoch } from '../../lib/record/epoch.js';
import { Protection12 } from '../../lib/record/protect12.js';
import { RecordWalk } from '../../lib/record/records.js';
import { Random } from '../support/random.js';
import { join } from '../support/rig.js';
import { holds } from '../support/checked.js';

const SMALLEST_MTU = 64;
const CCS = -1;

/** A message of so many bytes, or a ChangeCipherSpec; what follows that goes out in epoch 1. */
type Plan = readonly number[];

interface Record {
  readonly datagram: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly type: number;
  readonly plain: Uint8Array;
}

const KEY = new Uint8Array(16).fill(3);
const IV = new Uint8Array(4).fill(4);
const protection = (): Protection12 => new Protection12(nobleProvider.aeads['aes-128-ccm-8']!.create(KEY), 'explicit', IV, 0);

function flightOf(plan: Plan): { flight: Flight; bodies: Uint8Array[] } {
  const flight = new Flight();
  const bodies: Uint8Array[] = [];
  let epoch = new WriteEpoch(0, null, 5);
  plan.forEach((length, i) => {
    if (length === CCS) {
      flight.addChangeCipherSpec(epoch);
      epoch = new WriteEpoch(1, protection());
    } else {
      const body = new Random(i + 1).bytes(length);
      bodies.push(body.slice());
      flight.addMessage(epoch, 11, 40 + bodies.length - 1, body);
    }
  });
  return { flight, bodies };
}

function transmit(flight: Flight, mtu: number, limit: number = Infinity): { datagrams: Uint8Array[]; all: boolean } {
  const out = new Uint8Array(20_000);
  const datagrams: Uint8Array[] = [];
  const all = flight.transmit(mtu, out, new Uint8Array(20_000), (length) => {
    datagrams.push(out.slice(0, length));
    return datagrams.length < limit;
  });
  return { datagrams, all };
}

function recordsOf(datagrams: readonly Uint8Array[]): Record[] {
  const read = protection();
  return datagrams.flatMap((bytes, datagram) => {
    const records: Record[] = [];
    const walk = new RecordWalk();
    walk.begin(bytes);
    while (walk.next()) {
      let plain = bytes.slice(walk.start, walk.end);
      if (walk.epoch === 1) {
        const out = new Uint8Array(20_000);
        const length = read.open(out, walk.type, walk.epoch, walk.sequence, bytes, walk.start, walk.end);
        assert.ok(length >= 0, 'a record of the flight is not authentic');
        plain = out.slice(0, length);
      }
      records.push({ datagram, epoch: walk.epoch, sequence: walk.sequence, type: walk.type, plain });
    }
    assert.is(walk.unread, false);
    return records;
  });
}

/** The messages in their order, put together from fragments that must follow each other; −1 for a ChangeCipherSpec. */
function messagesOf(records: readonly Record[]): (Uint8Array | -1)[] {
  const messages: (Uint8Array | -1)[] = [];
  let open: { seq: number; length: number; parts: Uint8Array[]; at: number; epoch: number } | null = null;
  for (const { type, plain, epoch } of records) {
    if (type === 20) {
      assert.ok(open === null && plain.length === 1 && plain[0] === 1 && epoch === 0);
      messages.push(CCS);
      continue;
    }
    assert.is(type, 22);
    const u24 = (at: number): number => (plain[at]! << 16) | (plain[at + 1]! << 8) | plain[at + 2]!;
    const seq = (plain[4]! << 8) | plain[5]!;
    assert.is(plain[0], 11);
    assert.is(plain.length, 12 + u24(9), 'one fragment fills its record');
    open ??= { seq, length: u24(1), parts: [], at: 0, epoch };
    assert.equal([seq, u24(1), u24(6), epoch], [open.seq, open.length, open.at, open.epoch], 'the next fragment of the same message');
    open.parts.push(plain.slice(12));
    open.at += u24(9);
    if (open.at < open.length) continue;
    assert.is(open.seq, 40 + messages.filter((message) => message !== CCS).length);
    messages.push(join(...open.parts));
    open = null;
  }
  assert.is(open, null);
  return messages;
}

const expectedOf = (plan: Plan, bodies: readonly Uint8Array[]): (Uint8Array | -1)[] => {
  const left = [...bodies];
  return plan.map((length) => (length === CCS ? CCS : left.shift()!));
};

/** The fewest datagrams there can be: each filled to the last byte, whatever the pieces. */
function fewest(plan: Plan, mtu: number): number {
  let count = 0;
  let room = 0;
  let header = 13;
  const start = (least: number): void => {
    if (room >= least) return;
    count++;
    room = mtu;
  };
  for (const length of plan) {
    let left = length === CCS ? 1 : length;
    const overhead = header + (length === CCS ? 0 : 12);
    do {
      start(overhead + Math.min(left, 1));
      const taken = Math.min(left, room - overhead);
      room -= overhead + taken;
      left -= taken;
    } while (left > 0);
    if (length === CCS) header = 13 + 16;
  }
  return count;
}

const lengths = fc.oneof(fc.nat(60), fc.nat(600), fc.constantFrom(0, 1, 32, 1200, 3000));
/** Messages, and perhaps a ChangeCipherSpec with messages behind it. */
const plans = fc.tuple(fc.array(lengths, { minLength: 1, maxLength: 4 }), fc.boolean(), fc.array(lengths, { minLength: 1, maxLength: 2 }))
  .map(([before, change, after]): Plan => (change ? [...before, CCS, ...after] : before));
const mtus = fc.oneof(fc.integer({ min: SMALLEST_MTU, max: 300 }), fc.integer({ min: SMALLEST_MTU, max: 2000 }), fc.constantFrom(64, 100, 548, 1232));

test('no datagram is larger than the path, and the messages are whole, in order, each in its epoch', () => {
  holds(fc.property(plans, mtus, (plan, mtu) => {
    const { flight, bodies } = flightOf(plan);
    const { datagrams, all } = transmit(flight, mtu);
    assert.is(all, true);
    for (const { length } of datagrams) assert.ok(length <= mtu && length > 0, `${length} bytes on a path of ${mtu}`);
    const records = recordsOf(datagrams);
    assert.equal(messagesOf(records), expectedOf(plan, bodies));
    // The epoch changes with the ChangeCipherSpec and nowhere else.
    const change = records.findIndex(({ type }) => type === 20);
    records.forEach(({ epoch }, i) => assert.is(epoch, change >= 0 && i > change ? 1 : 0));
  }));
});

test('a flight goes out in the fewest datagrams there can be', () => {
  holds(fc.property(plans, mtus, (plan, mtu) => {
    const { datagrams } = transmit(flightOf(plan).flight, mtu);
    assert.is(datagrams.length, fewest(plan, mtu), `${plan.join(', ')} on a path of ${mtu}`);
  }), 2000);
});

test('the flights of a PSK handshake go out in the fewest datagrams there can be, at every MTU up to 300', () => {
  const more: string[] = [];
  for (let mtu = SMALLEST_MTU; mtu <= 300; mtu++) {
    for (let text = 0; text <= 64; text++) {
      // ServerHello, hint and done; ClientKeyExchange, ChangeCipherSpec, Finished.
      for (const plan of [[49, ...(text > 0 ? [2 + text] : []), 0], [2 + text, CCS, 12]]) {
        const { datagrams } = transmit(flightOf(plan).flight, mtu);
        if (datagrams.length > fewest(plan, mtu)) more.push(`${plan.join(', ')} at ${mtu}: ${datagrams.length}`);
      }
    }
  }
  assert.is(more.length, 0, `${more.length} flights take more, among them ${more.slice(0, 3).join('; ')}`);
});

test('a retransmission keeps messages and message_seq, takes new record numbers and may cut anew', () => {
  holds(fc.property(plans, mtus, mtus, (plan, mtu, next) => {
    const { flight, bodies } = flightOf(plan);
    const seen = new Set<string>();
    let last = [-1, -1];
    for (const size of [mtu, mtu, next]) {
      const records = recordsOf(transmit(flight, size).datagrams);
      assert.equal(messagesOf(records), expectedOf(plan, bodies));
      for (const { epoch, sequence } of records) {
        assert.not.ok(seen.has(`${epoch} ${sequence}`), 'a record number was used twice');
        seen.add(`${epoch} ${sequence}`);
        assert.is(sequence, last[epoch]! < 0 ? (epoch === 0 ? 5 : 0) : last[epoch]! + 1);
        last = last.map((value, i) => (i === epoch ? sequence : value));
      }
    }
  }), 300);
});

test('where everything fits one datagram it is one', () => {
  const { flight } = flightOf([49, 6, 0]);
  assert.is(transmit(flight, 1232).datagrams.length, 1);
  const [datagram] = transmit(flight, 3 * 25 + 55).datagrams;
  assert.is(datagram!.length, 3 * 25 + 55);
  assert.is(transmit(flight, 3 * 25 + 54).datagrams.length, 2);
});

test('a transmission that is stopped sends no more, and begins anew the next time', () => {
  const { flight, bodies } = flightOf([600, 600, 600]);
  const { datagrams, all } = transmit(flight, 256, 2);
  assert.is(datagrams.length, 2);
  assert.is(all, false);
  const last = transmit(flight, 4000, 1);
  assert.equal([last.datagrams.length, last.all], [1, false], 'the answer to the last datagram counts too');
  assert.equal(messagesOf(recordsOf(transmit(flight, 256).datagrams)), bodies);
});

test('a flight knows what it holds, and forgets it, bytes included', () => {
  const flight = new Flight();
  assert.equal(transmit(flight, 100), { datagrams: [], all: true });
  const body = new Uint8Array(50).fill(9);
  flight.addMessage(new WriteEpoch(0, null), 16, 0, body);
  flight.addMessage(new WriteEpoch(0, null), 16, 1, new Uint8Array(7));
  assert.is(flight.heldBytes, 57);
  flight.wipe();
  assert.equal([flight.heldBytes, transmit(flight, 100).datagrams], [0, []]);
  assert.equal(body, new Uint8Array(50));
  // The shared ChangeCipherSpec is nobody's to wipe.
  const other = flightOf([CCS]).flight;
  other.wipe();
  assert.equal(messagesOf(recordsOf(transmit(flightOf([CCS]).flight, 100).datagrams)), [CCS]);
});

test.run();
