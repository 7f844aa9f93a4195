/**
 * A man in the middle of a handshake with certificates. The ends are honest contexts of ours; he takes a flight off the
 * network, message by message, and hands it on as a spec likes: in pieces, packed, repeated, with lies between them.
 *
 * Law: everything before keys is in the clear, so he needs none; what he hands on unchanged must complete.
 */
import * as assert from 'uvu/assert';
import { ContentType, HandshakeType, type DtlsHandler, type DtlsOptions } from '../../lib/index.js';
import { Fragment } from '../../lib/message/handshake.js';
import { RecordWalk } from '../../lib/record/records.js';
import { certifiedPair } from './certifiedpair.js';
import { connected, echoes, NOTHING, remains, type Pair } from './pair.js';
import type { Node } from './link.js';
import { ScriptedPeer, type MessageOptions } from './scripted.js';

/** A handshake message in the clear. */
export interface Message {
  readonly type: number;
  readonly messageSeq: number;
  readonly body: Uint8Array;
}

export type Piece = readonly [from: number, to: number];

/** Who gets the flight: a client its server's, a server its client's. */
export const RECEIVERS = ['client', 'server'] as const;
export type Receiver = (typeof RECEIVERS)[number];

/** Flights are one datagram before he cuts them. */
const UNLIMITED = 16_384;

export class Between {
  readonly ends: Pair;
  readonly receiver: Node;
  readonly sender: Node;
  /** The messages of the flight with the chain, and the records behind them: ChangeCipherSpec, Finished. */
  readonly messages: readonly Message[];
  readonly tail: readonly Uint8Array[];
  /** Builds records and fragments; he has no keys. */
  readonly #scribe: ScriptedPeer;

  /** `options` are for both ends, `handler` is the receiver's. */
  constructor(role: Receiver, options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}) {
    this.ends = certifiedPair({}, { mtu: UNLIMITED, ...options }, (end) => (end === role ? handler : {}));
    const { link, client, server } = this.ends;
    [this.receiver, this.sender] = role === 'client' ? [client, server] : [server, client];
    this.#scribe = new ScriptedPeer(role === 'client' ? 'server' : 'client');
    const first = role === 'client' ? HandshakeType.serverHello : HandshakeType.certificate;
    let caught: Uint8Array | null = null;
    link.options = {
      transform: ({ from, bytes }) => {
        if (from !== this.sender.name || bytes[0] !== ContentType.handshake || bytes[13] !== first) return [bytes];
        caught = bytes;
        return [];
      },
    };
    client.context.connect('s');
    link.run(() => caught !== null);
    assert.ok(caught !== null, 'the flight was sent');
    link.options = {};
    [this.messages, this.tail] = messagesOf(caught);
  }

  /** A record with the bytes `[from, to)` of `message` and whatever lies its header is to tell. */
  piece(message: Message, [from, to]: Piece, lies: MessageOptions & { readonly type?: number } = {}): Uint8Array {
    return this.#scribe.record(ContentType.handshake, this.fragment(message, [from, to], lies));
  }

  /** As `piece`, not yet in a record. */
  fragment({ type, body, messageSeq }: Message, [from, to]: Piece, lies: MessageOptions & { readonly type?: number } = {}): Uint8Array {
    return this.#scribe.fragment(lies.type ?? type, body.slice(from, to), { messageSeq, length: body.length, offset: from, ...lies });
  }

  /** A record of several fragments. */
  packed(...fragments: readonly Uint8Array[]): Uint8Array {
    return this.#scribe.record(ContentType.handshake, new Uint8Array(Buffer.concat(fragments)));
  }

  /** A record with all of `message`. */
  whole(message: Message): Uint8Array {
    return this.piece(message, [0, message.body.length]);
  }

  /** Hands a datagram to the receiver. */
  feed(datagram: Uint8Array): number {
    return this.receiver.context.handleMessage(this.sender.name, datagram);
  }

  /** Hands on the messages before `index`, each in a datagram. */
  upTo(index: number): this {
    for (const message of this.messages.slice(0, index)) assert.is(this.feed(this.whole(message)), 0);
    return this;
  }

  /** Hands on what follows message `index`, and the handshake completes without a timeout. */
  finish(index: number, why: string): void {
    for (const message of this.messages.slice(index + 1)) assert.is(this.feed(this.whole(message)), 0, why);
    for (const record of this.tail) assert.is(this.feed(record), 0, why);
    this.ends.link.run(() => connected(this.ends), 500);
    assert.ok(connected(this.ends), why);
    assert.ok(echoes(this.ends), why);
    assert.equal([remains(this.ends.client), remains(this.ends.server)], [NOTHING, NOTHING], why);
  }

  /** What a datagram could change, as text that can be compared. */
  get snapshot(): string {
    const { context, events, reads } = this.receiver;
    const { halfOpen, established, heldBytes, deadlines } = context.stats();
    return JSON.stringify([halfOpen, established, heldBytes, deadlines, events.length, reads.length, this.ends.link.log.length]);
  }

  /** Records and datagrams dropped so far, for whatever reason. */
  get dropped(): number {
    return Object.values(this.receiver.context.stats().dropped).reduce((sum, count) => sum + count, 0);
  }

  /** DROP: the datagram changes nothing but a drop counter. */
  drops(datagram: Uint8Array, why: string): void {
    const [before, dropped] = [this.snapshot, this.dropped];
    assert.is(this.feed(datagram), 0, why);
    assert.is(this.snapshot, before, why);
    assert.ok(this.dropped > dropped, `not counted: ${why}`);
  }
}

/** The messages of a datagram, each whole in its record, and the records behind them. */
function messagesOf(datagram: Uint8Array): [Message[], Uint8Array[]] {
  const messages: Message[] = [];
  const tail: Uint8Array[] = [];
  const walk = new RecordWalk();
  const fragment = new Fragment();
  for (walk.begin(datagram); walk.next(); ) {
    if (walk.type !== ContentType.handshake || walk.epoch !== 0) {
      tail.push(datagram.slice(walk.headerStart, walk.end));
      continue;
    }
    fragment.read(datagram, walk.start, walk.end);
    assert.ok(fragment.whole, 'a flight of one datagram has whole messages');
    messages.push({ type: fragment.type, messageSeq: fragment.messageSeq, body: datagram.slice(fragment.start, fragment.end) });
  }
  return [messages, tail];
}

/** Every message of both flights, each on a fresh handshake, `index` being its place in the flight. */
export function eachMessage(work: (fresh: () => Between, index: number, name: string) => void): void {
  for (const receiver of RECEIVERS) {
    const { messages } = new Between(receiver);
    messages.forEach(({ type, body }, index) => {
      work(() => new Between(receiver).upTo(index), index, `${receiver}, message ${index}: type ${type}, ${body.length} bytes`);
    });
  }
}
