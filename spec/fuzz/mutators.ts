/**
 * How a recorded handshake is changed: in ways that must not matter (`NEUTRAL`), and in any way at all (`VIOLENT`).
 *
 * A mutator changes the stream in place and says what it did, or null if it found nothing to do it to.
 */
import type { Random } from '../support/random.js';
import { fragments, type DatagramNode, type RecordNode, type Recording } from './transcript.js';

/** A stream in the making, what it is made of, and where else records may come from. */
export interface Mutant {
  readonly recording: Recording;
  readonly donor: readonly DatagramNode[];
  stream: DatagramNode[];
}

export type Mutator = (mutant: Mutant, random: Random) => string | null;

const NONE = new Uint8Array(0);

/** A record somewhere in the stream that `fits`. */
function pick({ stream }: Mutant, random: Random, fits: (node: RecordNode) => boolean = () => true): { d: number; r: number; node: RecordNode } | null {
  const found = stream.flatMap(({ records }, d) => records.flatMap((node, r) => (fits(node) ? [{ d, r, node }] : [])));
  return found.length === 0 ? null : found[random.below(found.length)]!;
}

function isHandshake(node: RecordNode): boolean {
  return node.type === 22 && (node.epoch === 0 || node.sealed) && node.body.length >= 12;
}

function isHello(node: RecordNode): boolean {
  return node.type === 22 && node.epoch === 0 && node.body[0] === 1;
}

function clone(node: RecordNode): RecordNode {
  return { ...node, body: node.body.slice() };
}

function alone(...records: RecordNode[]): DatagramNode {
  return { records, tail: NONE, limit: Infinity };
}

/** The next number of epoch 1 that no record has. */
function freshSequence({ stream }: Mutant): number {
  return 1 + Math.max(0, ...stream.flatMap(({ records }) => records.map(({ sequence, epoch }) => (epoch === 1 ? sequence : 0))));
}

function at(where: { d: number; r: number; node: RecordNode }): string {
  return `record ${where.r} of datagram ${where.d} (type ${where.node.type}, epoch ${where.node.epoch})`;
}

/** The record in `where` becomes `parts`. */
function replace({ stream }: Mutant, { d, r }: { d: number; r: number }, parts: readonly RecordNode[]): void {
  stream[d]!.records.splice(r, 1, ...parts);
}

/** The bytes [from, to) of a fragment, as a fragment in a record of its own. */
function cutOut(node: RecordNode, from: number, to: number): RecordNode {
  const [header] = fragments(node.body);
  const body = node.body.slice(0, 12 + to - from);
  const offset = header!.offset + from;
  body.set([offset >>> 16, offset >>> 8, offset, 0, (to - from) >>> 8, to - from], 6);
  body.set(node.body.subarray(12 + from, 12 + to), 12);
  return { ...node, body };
}

// Neutral.

/** A record comes again, at once or later. */
const repeatRecord: Mutator = (mutant, random) => {
  const where = pick(mutant, random);
  if (where === null) return null;
  const later = where.d + random.below(mutant.stream.length - where.d);
  mutant.stream.splice(later + 1, 0, alone(clone(where.node)));
  return `repeat ${at(where)} after datagram ${later}`;
};

const repeatDatagram: Mutator = (mutant, random) => {
  const from = random.below(mutant.stream.length);
  const later = from + random.below(mutant.stream.length - from);
  const { records, tail, limit } = mutant.stream[from]!;
  mutant.stream.splice(later + 1, 0, { records: records.map(clone), tail, limit });
  return `repeat datagram ${from} after datagram ${later}`;
};

/** A message goes in two or three fragments, which may overlap, in records and perhaps datagrams of their own. */
const fragment: Mutator = (mutant, random) => {
  const splittable = (node: RecordNode): boolean =>
    isHandshake(node) && node.epoch === 0 && fragments(node.body).length === 1 && node.body.length > 12 + (isHello(node) ? 72 : 1);
  const where = pick(mutant, random, splittable);
  if (where === null) return null;
  const length = where.node.body.length - 12;
  // The first fragment of a hello holds its cookie.
  const least = isHello(where.node) ? 72 : 1;
  const cut = least + random.below(length - least);
  const overlap = random.chance(0.5) ? random.below(cut) : 0;
  const parts = [cutOut(where.node, 0, cut), cutOut(where.node, cut - overlap, length)];
  if (random.chance(0.3)) parts.splice(1, 0, cutOut(where.node, random.below(cut), length));
  if (random.chance(0.3) && !isHello(where.node)) parts.reverse();
  if (random.chance(0.5)) replace(mutant, where, parts);
  else splitAt(mutant, where, parts.map((part) => alone(part)));
  return `cut ${at(where)} at ${cut} with ${overlap} bytes twice`;
};

/** The record in `where` becomes `parts`, datagrams of their own between what came before and after it. */
function splitAt({ stream }: Mutant, { d, r }: { d: number; r: number }, parts: readonly DatagramNode[]): void {
  const { records, tail, limit } = stream[d]!;
  const before = records.slice(0, r);
  const after = records.slice(r + 1);
  stream.splice(d, 1, ...(before.length > 0 ? [alone(...before)] : []), ...parts, ...(after.length > 0 || tail.length > 0 ? [{ records: after, tail, limit }] : []));
}

const splitDatagram: Mutator = (mutant, random) => {
  const where = pick(mutant, random);
  if (where === null) return null;
  splitAt(mutant, where, [alone(where.node)]);
  return `${at(where)} in a datagram of its own`;
};

/** Two datagrams become one. Where nobody is known yet only a first record is looked at: hellos stay apart. */
const joinDatagrams: Mutator = (mutant, random) => {
  const d = random.below(mutant.stream.length);
  const [one, next] = [mutant.stream[d]!, mutant.stream[d + 1]];
  if (next === undefined || one.tail.length > 0 || [...one.records, ...next.records].some(isHello)) return null;
  mutant.stream.splice(d, 2, { records: [...one.records, ...next.records], tail: next.tail, limit: Infinity });
  return `join datagrams ${d} and ${d + 1}`;
};

/** Epoch 0 has no replay window: any number will do. */
const renumber: Mutator = (mutant, random) => {
  const where = pick(mutant, random, ({ epoch }) => epoch === 0);
  if (where === null) return null;
  where.node.sequence = random.chance(0.5) ? random.below(4) : random.below(2 ** 40);
  return `${at(where)} gets number ${where.node.sequence}`;
};

/** Something that means nothing comes in between. */
const rubbish: Mutator = (mutant, random) => {
  const base = { version: 0xfefd, epoch: 0, sequence: random.below(1000), sealed: false, lengthError: 0 };
  const kinds: readonly RecordNode[] = [
    { ...base, type: 99, body: random.bytes(20) },
    { ...base, type: 22, epoch: 2, body: random.bytes(40) },
    { ...base, type: 22, epoch: 1, sequence: 5000, body: random.bytes(40) },
    { ...base, type: 23, epoch: 1, sequence: random.below(9), body: random.bytes(33) },
    { ...base, type: 23, body: random.bytes(10) },
    { ...base, type: 20, body: new Uint8Array([2]) },
    { ...base, type: 20, body: new Uint8Array([1, 1]) },
    { ...base, type: 21, body: new Uint8Array([1, 90]) },
    { ...base, type: 21, body: new Uint8Array([2, 40, 0]) },
    { ...base, type: 24, body: new Uint8Array([1, 0x40, 0]) },
    { ...base, type: 22, version: 0x0303, body: random.bytes(30) },
    { ...base, type: 22, body: random.bytes(11) },
  ];
  const node = kinds[random.below(kinds.length)]!;
  const place = random.below(mutant.stream.length + 1);
  mutant.stream.splice(place, 0, alone(node));
  return `rubbish of type ${node.type} before datagram ${place}`;
};

const looseBytes: Mutator = (mutant, random) => {
  const d = random.below(mutant.stream.length);
  mutant.stream[d]!.tail = random.bytes(random.below(13));
  return `loose bytes after datagram ${d}`;
};

/** Data overtakes what was sent before it, down to the peer's ChangeCipherSpec. */
const overtake: Mutator = (mutant, random) => {
  const isData = (node: RecordNode): boolean => node.type === 23 && node.sealed;
  const from = mutant.stream.findIndex(({ records }) => records.length === 1 && isData(records[0]!));
  const least = 1 + mutant.stream.findIndex(({ records }) => records.some(({ type, epoch, body }) => type === 20 && epoch === 0 && body.length === 1 && body[0] === 1));
  if (from < 0 || least === 0 || from <= least) return null;
  const to = least + random.below(from - least);
  const [moved] = mutant.stream.splice(from, 1);
  mutant.stream.splice(to, 0, moved!);
  return `data of datagram ${from} comes before datagram ${to}`;
};

/** What must not matter. */
export const NEUTRAL: readonly Mutator[] = [
  repeatRecord, repeatDatagram, fragment, fragment, splitDatagram, joinDatagrams, renumber, rubbish, rubbish, looseBytes, overtake,
];

// Violent.

const flipBit: Mutator = (mutant, random) => {
  const where = pick(mutant, random, ({ body }) => body.length > 0);
  if (where === null) return null;
  const bit = random.below(8 * where.node.body.length);
  where.node.body[bit >>> 3]! ^= 1 << (bit & 7);
  return `flip bit ${bit} of ${at(where)}`;
};

const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff] as const;

const setByte: Mutator = (mutant, random) => {
  const where = pick(mutant, random, ({ body }) => body.length > 0);
  if (where === null) return null;
  const place = random.below(where.node.body.length);
  const value = INTERESTING[random.below(INTERESTING.length)]!;
  for (let i = place; i < Math.min(place + 1 + random.below(3), where.node.body.length); i++) where.node.body[i] = value;
  return `bytes from ${place} of ${at(where)} become ${value}`;
};

/** A field of the handshake header: type, length, message_seq, offset, fragment length. */
const handshakeField: Mutator = (mutant, random) => {
  const where = pick(mutant, random, isHandshake);
  if (where === null) return null;
  const headers = fragments(where.node.body);
  const header = headers[random.below(Math.max(1, headers.length))];
  if (header === undefined) return null;
  const [name, place, width, value] = ([
    ['type', 0, 1, header.type], ['length', 1, 3, header.length], ['message_seq', 4, 2, header.messageSeq],
    ['offset', 6, 3, header.offset], ['fragment length', 9, 3, header.fragmentLength],
  ] as const)[random.below(5)]!;
  const changed = [value + 1, Math.max(0, value - 1), 0, 2 ** (8 * width) - 1, random.below(2 ** (8 * width)), random.below(25)][random.below(6)]!;
  for (let i = 0; i < width; i++) where.node.body[header.at + place + i] = changed >>> (8 * (width - 1 - i));
  return `${name} in ${at(where)} becomes ${changed}`;
};

/** A message is longer or shorter than it was, and its headers say so. */
const resize: Mutator = (mutant, random) => {
  const where = pick(mutant, random, (node) => isHandshake(node) && fragments(node.body).length === 1);
  if (where === null) return null;
  const { node } = where;
  const length = node.body.length - 12;
  const wanted = random.chance(0.7) ? random.below(length + 1) : length + 1 + random.below(300);
  const body = new Uint8Array(12 + wanted);
  body.set(node.body.subarray(0, Math.min(node.body.length, body.length)));
  const total = fragments(node.body)[0]!.length + wanted - length;
  body.set([total >>> 16, total >>> 8, total], 1);
  body.set([wanted >>> 16, wanted >>> 8, wanted], 9);
  node.body = body;
  return `${at(where)} has ${wanted} bytes instead of ${length}`;
};

const recordField: Mutator = (mutant, random) => {
  const where = pick(mutant, random);
  if (where === null) return null;
  const { node } = where;
  switch (random.below(5)) {
    case 0:
      node.type = random.chance(0.7) ? 20 + random.below(7) : random.below(256);
      return `type of ${at(where)} changed`;
    case 1:
      node.version = [0xfeff, 0xfefc, 0x0303, 0][random.below(4)]!;
      return `version of ${at(where)} becomes ${node.version}`;
    case 2:
      node.epoch = [0, 1, 2, 3, 0xffff][random.below(5)]!;
      return `epoch of ${at(where)} changed`;
    case 3:
      node.sequence = [0, 1, node.sequence + 1, 2 ** 48 - 1, random.below(2 ** 48)][random.below(5)]!;
      return `number of ${at(where)} becomes ${node.sequence}`;
    default:
      node.lengthError = [1, -1, -node.body.length, 0xffff, random.below(50)][random.below(5)]!;
      return `length of ${at(where)} is wrong by ${node.lengthError}`;
  }
};

/** What was protected comes in the clear, what was clear protected. */
const exchangeProtection: Mutator = (mutant, random) => {
  const where = pick(mutant, random);
  if (where === null) return null;
  where.node.sealed = !where.node.sealed;
  if (random.chance(0.7)) where.node.epoch = where.node.sealed ? 1 : 0;
  return `protection of ${at(where)} is now ${where.node.sealed}`;
};

const dropRecord: Mutator = (mutant, random) => {
  const where = pick(mutant, random);
  if (where === null) return null;
  replace(mutant, where, []);
  return `drop ${at(where)}`;
};

const dropDatagram: Mutator = (mutant, random) => {
  const d = random.below(mutant.stream.length);
  mutant.stream.splice(d, 1);
  if (mutant.stream.length === 0) mutant.stream.push(alone());
  return `drop datagram ${d}`;
};

const swapDatagrams: Mutator = (mutant, random) => {
  const [a, b] = [random.below(mutant.stream.length), random.below(mutant.stream.length)];
  [mutant.stream[a], mutant.stream[b]] = [mutant.stream[b]!, mutant.stream[a]!];
  return `swap datagrams ${a} and ${b}`;
};

const shuffleRecords: Mutator = (mutant, random) => {
  const d = random.below(mutant.stream.length);
  mutant.stream[d]!.records = random.shuffle(mutant.stream[d]!.records);
  return `shuffle datagram ${d}`;
};

/** Bytes of a message change places. */
const swapBytes: Mutator = (mutant, random) => {
  const where = pick(mutant, random, ({ body }) => body.length > 4);
  if (where === null) return null;
  const { body } = where.node;
  const width = 1 + random.below(Math.min(8, body.length >>> 1));
  const [a, b] = [random.below(body.length - width + 1), random.below(body.length - width + 1)];
  const first = body.slice(a, a + width);
  body.copyWithin(a, b, b + width);
  body.set(first, b);
  return `swap ${width} bytes at ${a} and ${b} of ${at(where)}`;
};

/** A record of another handshake, under its own protection (useless) or under this one's. */
const splice: Mutator = (mutant, random) => {
  const from = mutant.donor[random.below(mutant.donor.length)]!;
  if (from.records.length === 0) return null;
  const node = clone(from.records[random.below(from.records.length)]!);
  const place = random.below(mutant.stream.length + 1);
  if (random.chance(0.5)) mutant.stream.splice(place, 0, alone(node));
  else mutant.stream[Math.min(place, mutant.stream.length - 1)]!.records.push(node);
  return `splice in a record of type ${node.type}, epoch ${node.epoch}, before datagram ${place}`;
};

/** An authentic record that nobody should send: from an alert of any kind to a Finished of zeros. */
const invent: Mutator = (mutant, random) => {
  const sequence = freshSequence(mutant);
  const messageSeq = random.below(7);
  const message = (type: number, body: Uint8Array): Uint8Array =>
    Uint8Array.from([type, 0, body.length >>> 8, body.length, 0, messageSeq, 0, 0, 0, 0, body.length >>> 8, body.length, ...body]);
  const bodies: readonly (readonly [number, Uint8Array])[] = [
    [21, random.bytes(random.below(4))], [21, new Uint8Array([2, random.below(256)])], [21, new Uint8Array([1, random.below(256)])],
    [20, new Uint8Array([1])], [23, NONE], [23, random.bytes(1500)], [24, random.bytes(19)],
    [22, message(20, new Uint8Array(12))], [22, message(0, NONE)], [22, message(random.below(25), random.bytes(random.below(60)))],
    [22, random.bytes(random.below(40))],
  ];
  const [type, body] = bodies[random.below(bodies.length)]!;
  const sealed = random.chance(0.7);
  const place = random.below(mutant.stream.length + 1);
  mutant.stream.splice(place, 0, alone({ type, version: 0xfefd, epoch: sealed ? 1 : 0, sequence, body, sealed, lengthError: 0 }));
  return `invent a ${sealed ? 'sealed' : 'plain'} record of type ${type} and ${body.length} bytes before datagram ${place}`;
};

const truncate: Mutator = (mutant, random) => {
  const d = random.below(mutant.stream.length);
  mutant.stream[d]!.limit = random.below(300);
  return `cut datagram ${d} to ${mutant.stream[d]!.limit} bytes`;
};

/** Anything. */
export const VIOLENT: readonly Mutator[] = [
  flipBit, flipBit, setByte, setByte, handshakeField, handshakeField, resize, recordField, recordField, exchangeProtection,
  dropRecord, dropDatagram, swapDatagrams, shuffleRecords, swapBytes, splice, splice, invent, invent, truncate,
];
