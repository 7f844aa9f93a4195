/**
 * Recorded handshakes, as trees that can be changed and made into datagrams again.
 *
 * A recording is what one side got to hear: played to a context with the same randomness and clock it leads to the
 * same association, byte for byte. Its keys are known, so a record can be changed under its protection.
 */
import type { CipherSuite } from '../../lib/index.js';
import { RecordWalk } from '../../lib/record/records.js';
import { CLIENT, equal, IDENTITY, KEY, Rig, SERVER, text } from '../support/rig.js';
import { ScriptedPeer } from '../support/scripted.js';

/** One record. `sealed` ones hold plaintext here and are protected when they are made into bytes. */
export interface RecordNode {
  type: number;
  version: number;
  epoch: number;
  sequence: number;
  body: Uint8Array;
  sealed: boolean;
  /** What the length field says beyond the truth. */
  lengthError: number;
}

/** One datagram: its records, then loose bytes, then cut to at most `limit` bytes. */
export interface DatagramNode {
  records: RecordNode[];
  tail: Uint8Array;
  limit: number;
}

/** A handshake message that the target needs, as the sender meant it. */
export interface Needed {
  readonly type: number;
  readonly messageSeq: number;
  readonly epoch: 0 | 1;
  readonly body: Uint8Array;
}

/** What a target does before, and what it is played. */
export interface Recording {
  readonly name: string;
  /** The side that the recording is played to. */
  readonly role: 'client' | 'server';
  /** Who speaks to the target. */
  readonly session: { readonly address: string; readonly port: number };
  /** Everything that came to the target from that session, in order. */
  readonly datagrams: readonly DatagramNode[];
  /** What it cannot complete without, besides a ChangeCipherSpec. */
  readonly needed: readonly Needed[];
  /** Application data, in order. */
  readonly data: readonly Uint8Array[];
  /** Holds the keys of whoever speaks to the target. */
  readonly speaker: ScriptedPeer;
  /** Opens what the speaker sealed. */
  readonly listener: ScriptedPeer;
  /** A fresh target that already has an association with somebody else, and where it expects nothing but `datagrams`. */
  readonly begin: () => { readonly rig: Rig; readonly controlLives: () => boolean };
}

const CONTROL = { address: '203.0.113.77', port: 7777 } as const;
const HINT = text('a hint');
const DATA = ['the first', 'the second, which is somewhat longer', ''].map(text);

const handler = {
  getPskInfo: (_: unknown, __: unknown, type: string, description: Uint8Array): Uint8Array | null =>
    type === 'hint' ? HINT : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null,
};

/** Records a handshake of `suite` with data and a close_notify, as `role` hears it. */
export function record(suite: CipherSuite, role: 'client' | 'server', mtu: number, seed: number): Recording {
  const make = (s: number): Rig => new Rig({ cipherSuites: [suite], mtu }, handler, s);
  const target = make(seed);
  const session = (role === 'server' ? CLIENT : SERVER) as { address: string; port: number };
  const control = converse(target, make(seed + 1), role, CONTROL, [text('ping')], false);
  const main = converse(target, make(seed + 2), role, session, DATA, true);
  const { peer: controlPeer, toTarget: toControl } = control;
  controlPeer.context.write(addressOf(role), text('still here'));
  const [last] = controlPeer.takeSent();

  const [client, server] = keyHolders(suite, role === 'server' ? main.toTarget : main.fromTarget, role === 'server' ? main.fromTarget : main.toTarget);
  const [speaker, listener] = role === 'server' ? [client, server] : [server, client];
  const datagrams = main.toTarget.map((bytes) => parse(bytes, listener));
  const begin = (): ReturnType<Recording['begin']> => {
    const rig = make(seed);
    play(rig, role, CONTROL, toControl);
    if (role === 'client') rig.context.connect(session);
    rig.takeSent();
    rig.events.length = rig.reads.length = 0;
    return { rig, controlLives: () => lives(rig, last!) };
  };
  return { name: `${suite.name}, ${role}, MTU ${mtu}`, role, session, datagrams, needed: neededFrom(datagrams, role), data: DATA, speaker, listener, begin };
}

function addressOf(role: 'client' | 'server'): typeof SERVER {
  return role === 'server' ? SERVER : CLIENT;
}

/** A whole conversation between a target and `peer`, and what either side sent. */
function converse(target: Rig, peer: Rig, role: 'client' | 'server', session: { address: string; port: number }, data: readonly Uint8Array[], close: boolean): {
  peer: Rig; toTarget: Uint8Array[]; fromTarget: Uint8Array[];
} {
  const toTarget: Uint8Array[] = [];
  const fromTarget: Uint8Array[] = [];
  const self = addressOf(role);
  const exchange = (): void => {
    for (;;) {
      const [out, back] = [peer.takeSent(), target.takeSent()];
      if (out.length + back.length === 0) return;
      for (const datagram of out) target.feed(session, datagram);
      for (const datagram of back) peer.feed(self, datagram);
      toTarget.push(...out);
      fromTarget.push(...back);
    }
  };
  if (role === 'server') peer.context.connect(self);
  else target.context.connect(session);
  exchange();
  for (const one of data) peer.context.write(self, one);
  exchange();
  if (close) peer.context.close(self);
  exchange();
  return { peer, toTarget, fromTarget };
}

/** Plays to a fresh target what came from `session`; a client begins by itself. */
function play(rig: Rig, role: 'client' | 'server', session: typeof CONTROL, datagrams: readonly Uint8Array[]): void {
  if (role === 'client') rig.context.connect(session);
  for (const datagram of datagrams) rig.feed(session, datagram);
}

/** Whether the target's other association takes `datagram` and can answer. */
function lives(rig: Rig, datagram: Uint8Array): boolean {
  const before = rig.reads.length;
  rig.feed(CONTROL, datagram);
  return rig.reads.length === before + 1 && rig.context.write(CONTROL, text('and here')) === 8;
}

/** Both sides' keys, from what each of them sent. */
function keyHolders(suite: CipherSuite, fromClient: readonly Uint8Array[], fromServer: readonly Uint8Array[]): [ScriptedPeer, ScriptedPeer] {
  const [asClient, asServer] = (['client', 'server'] as const).map((role) => new ScriptedPeer(role, { suite })) as [ScriptedPeer, ScriptedPeer];
  const ofClient = wholeMessages(fromClient.map((bytes) => parse(bytes, null)));
  const ofServer = wholeMessages(fromServer.map((bytes) => parse(bytes, null)));
  const byType = (messages: readonly Needed[], type: number): Needed[] => messages.filter((message) => message.type === type);
  const transcript = [byType(ofClient, 1).at(-1)!, ...ofServer.filter(({ type }) => type !== 3), ...byType(ofClient, 16)];
  for (const holder of [asClient, asServer]) {
    holder.clientRandom = transcript[0]!.body.slice(2, 34);
    holder.serverRandom = transcript[1]!.body.slice(2, 34);
    for (const { type, messageSeq, body } of transcript) holder.note(type, messageSeq, body);
    holder.deriveKeys();
  }
  return [asClient, asServer];
}

/** What the target cannot do without. The first ClientHello is not among it: the second carries the cookie. */
function neededFrom(datagrams: readonly DatagramNode[], role: 'client' | 'server'): Needed[] {
  return wholeMessages(datagrams).filter(({ type, messageSeq }) => !(role === 'server' && type === 1 && messageSeq === 0));
}

/** The messages in the records, put together from fragments that come once and in order. */
function wholeMessages(datagrams: readonly DatagramNode[]): Needed[] {
  const found = new Map<number, { type: number; messageSeq: number; epoch: 0 | 1; body: Uint8Array }>();
  for (const { type: recordType, epoch, sealed, body } of datagrams.flatMap(({ records }) => records)) {
    if (recordType !== 22 || (epoch > 0 && !sealed)) continue;
    for (const { at, type, messageSeq, length, offset, fragmentLength } of fragments(body)) {
      const message = found.get(messageSeq) ?? { type, messageSeq, epoch: epoch as 0 | 1, body: new Uint8Array(length) };
      message.body.set(body.subarray(at + 12, at + 12 + fragmentLength), offset);
      found.set(messageSeq, message);
    }
  }
  return [...found.values()];
}

/** A handshake header in a record's body, and where it stands. */
export interface FragmentHeader {
  readonly at: number;
  readonly type: number;
  readonly length: number;
  readonly messageSeq: number;
  readonly offset: number;
  readonly fragmentLength: number;
}

export function uint24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/** The fragments of a handshake record, as far as they are well-formed. */
export function fragments(body: Uint8Array): FragmentHeader[] {
  const found: FragmentHeader[] = [];
  for (let at = 0; at + 12 <= body.length; ) {
    const messageSeq = (body[at + 4]! << 8) | body[at + 5]!;
    const header = { at, type: body[at]!, length: uint24(body, at + 1), messageSeq, offset: uint24(body, at + 6), fragmentLength: uint24(body, at + 9) };
    if (at + 12 + header.fragmentLength > body.length || header.offset + header.fragmentLength > header.length) break;
    found.push(header);
    at += 12 + header.fragmentLength;
  }
  return found;
}

/** Takes a datagram apart; what `listener` can open is opened. */
export function parse(bytes: Uint8Array, listener: ScriptedPeer | null): DatagramNode {
  const walk = new RecordWalk();
  const records: RecordNode[] = [];
  for (walk.begin(bytes); walk.next(); ) {
    const { type, version, epoch, sequence, start, end } = walk;
    const opened = epoch === 1 && listener !== null ? open(listener, bytes, type, sequence, start, end) : null;
    records.push({ type, version, epoch, sequence, body: opened ?? bytes.slice(start, end), sealed: opened !== null, lengthError: 0 });
  }
  return { records, tail: new Uint8Array(0), limit: Infinity };
}

/** The plaintext of a record of epoch 1, or null if it is not the speaker's. */
export function open(listener: ScriptedPeer, bytes: Uint8Array, type: number, sequence: number, start: number, end: number): Uint8Array | null {
  const plain = new Uint8Array(20_000);
  const length = listener.read!.open(plain, type, 1, sequence, bytes, start, end);
  return length < 0 ? null : plain.slice(0, length);
}

/** The bytes of a datagram. */
export function serialize(datagram: DatagramNode, speaker: ScriptedPeer): Uint8Array {
  const parts = datagram.records.map(({ type, version, epoch, sequence, body, sealed, lengthError }) => {
    const bytes = speaker.record(type, body, { version, epoch, sequence, protection: sealed ? speaker.write : null });
    const length = Math.max(0, Math.min(0xffff, bytes.length - 13 + lengthError));
    bytes[11] = length >>> 8;
    bytes[12] = length;
    return bytes;
  });
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const all = new Uint8Array(size + datagram.tail.length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  all.set(datagram.tail, at);
  return all.slice(0, Math.min(all.length, datagram.limit));
}

/** A copy that can be changed. */
export function copy(datagrams: readonly DatagramNode[]): DatagramNode[] {
  return datagrams.map(({ records, tail, limit }) => ({
    records: records.map((node) => ({ ...node, body: node.body.slice() })), tail: tail.slice(), limit,
  }));
}
