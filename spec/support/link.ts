/**
 * A simulated network between contexts: latency, loss, duplication, reordering, a virtual clock, one seed.
 *
 * A session is the name of a node. `name#label` opens further paths to the same node: what `a` sends to `b#7` comes
 * to `b` from `a#7`, so that two contexts can have many associations with each other.
 */
import { DtlsContext, PSK_SUITES, type DtlsHandler, type DtlsOptions, type DtlsError, type Session } from '../../lib/index.js';
import { IDENTITY, KEY, equal } from './rig.js';
import { Random } from './random.js';

export interface LinkOptions {
  readonly seed?: number;
  /** One way, in ms. */
  readonly latencyMs?: number;
  /** Probabilities of 0 to 1, for each datagram. */
  readonly drop?: number;
  readonly duplicate?: number;
  /** A reordered datagram takes up to this much longer. */
  readonly reorder?: number;
  readonly reorderMs?: number;
  /** Datagrams beyond this are lost (0: no limit). */
  readonly mtu?: number;
  /** Decides for each datagram, by its number from 0: true drops it. */
  readonly dropNumber?: (index: number) => boolean;
  /** How often each datagram arrives. */
  readonly copies?: number;
  /** What is under way at the same time arrives last in, first out. */
  readonly reverse?: boolean;
  /** Stands between sender and network: what becomes of a datagram (as it is, cut, several, none). */
  readonly transform?: (datagram: Datagram) => readonly Uint8Array[];
}

/** A datagram as it was handed to the network. */
export interface Datagram {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

export interface Event {
  readonly session: Session;
  readonly level: number;
  readonly code: number;
  readonly detail: DtlsError | undefined;
  readonly at: number;
}

/** One context with its address on the network. */
export interface Node {
  readonly name: string;
  readonly context: DtlsContext;
  readonly events: Event[];
  readonly reads: { readonly from: Session; readonly bytes: Uint8Array }[];
}

interface Parcel extends Datagram {
  readonly order: number;
}

/** A node and when its context wants to be called. */
interface Place {
  readonly node: Node;
  next: number;
}

export class Link {
  now = 0;
  readonly random: Random;
  /** Every datagram that was handed to the network, in order. */
  readonly log: Datagram[] = [];
  /** May be changed at any time: a network can heal. */
  options: LinkOptions;
  readonly #places: Map<string, Place> = new Map();
  /** What is under way, by time of arrival, then by order. */
  readonly #parcels: Parcel[] = [];
  #order = 0;

  constructor(options: LinkOptions = {}) {
    this.options = options;
    this.random = new Random(options.seed ?? 1);
  }

  /** Adds a context named `name`; its peers are the other names. */
  add(name: string, options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}): Node {
    const random = new Random(this.random.below(2 ** 32));
    const events: Event[] = [];
    const reads: { from: Session; bytes: Uint8Array }[] = [];
    const context = new DtlsContext(
      {
        write: (_, session, datagram) => this.#send(name, session as string, datagram.slice()),
        read: (_, from, data) => void reads.push({ from, bytes: data.slice() }),
        event: (_, session, level, code, detail) => void events.push({ session, level, code, detail, at: this.now }),
        getPskInfo: (_, __, type, description) =>
          type === 'hint' ? null : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null,
        ...handler,
        schedule: (context, at) => {
          place.next = at;
          handler.schedule?.(context, at);
        },
      },
      { now: () => this.now, wallClock: () => this.now, random: (length) => random.bytes(length), timeoutJitter: 0, cipherSuites: PSK_SUITES, ...options },
    );
    const place: Place = { node: { name, context, events, reads }, next: 0 };
    this.#places.set(name, place);
    return place.node;
  }

  /** Takes a node off the network: what is under way to it is lost. Its context is left as it is. */
  remove(name: string): void {
    this.#places.delete(name);
  }

  /** Hands a datagram to the network as if `from` had sent it to `to`. */
  inject(from: string, to: string, bytes: Uint8Array): void {
    this.#send(from, to, bytes);
  }

  /** Lets time pass, event by event, until `done` says so, nothing is left to happen, or `limitMs` have passed. */
  run(done: () => boolean = () => false, limitMs: number = 1_000_000): boolean {
    const end = this.now + limitMs;
    for (;;) {
      if (done()) return true;
      const at = this.#nextEvent();
      if (at === 0 || at > end) return done();
      this.now = Math.max(this.now, at);
      this.#deliverDue();
      for (const place of this.#places.values()) {
        if (place.next !== 0 && place.next <= this.now) place.next = place.node.context.checkRetransmit();
      }
    }
  }

  /** When the next thing happens, 0 for never. */
  #nextEvent(): number {
    let next = this.#parcels.length === 0 ? 0 : Math.max(this.#parcels[0]!.at, Number.MIN_VALUE);
    for (const place of this.#places.values()) {
      if (place.next !== 0 && (next === 0 || place.next < next)) next = place.next;
    }
    return next;
  }

  #deliverDue(): void {
    const count = this.#parcels.findIndex(({ at }) => at > this.now);
    const due = this.#parcels.splice(0, count < 0 ? this.#parcels.length : count);
    for (const { from, to, bytes } of due) {
      const [name, label] = to.split('#', 2) as [string, string?];
      const sender = label === undefined ? from : `${from.split('#', 1)[0]}#${label}`;
      this.#places.get(name)?.node.context.handleMessage(sender, bytes);
    }
  }

  #send(from: string, to: string, bytes: Uint8Array): void {
    const { drop = 0, mtu = 0, dropNumber, transform } = this.options;
    const index = this.log.length;
    const datagram = { at: this.now, from, to, bytes };
    this.log.push(datagram);
    if ((mtu > 0 && bytes.length > mtu) || dropNumber?.(index) === true || this.random.chance(drop)) return;
    for (const part of transform === undefined ? [bytes] : transform(datagram)) this.#forward(from, to, part);
  }

  #forward(from: string, to: string, bytes: Uint8Array): void {
    const { latencyMs = 50, duplicate = 0, reorder = 0, reorderMs = 100, copies = 1, reverse = false } = this.options;
    const count = copies + (this.random.chance(duplicate) ? 1 : 0);
    for (let copy = 0; copy < count; copy++) {
      const late = this.random.chance(reorder) ? this.random.next() * reorderMs : 0;
      const order = reverse ? -this.#order++ : this.#order++;
      this.#insert({ at: this.now + latencyMs + late, order, from, to, bytes });
    }
  }

  #insert(parcel: Parcel): void {
    let low = 0;
    let high = this.#parcels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#parcels[middle]!;
      if (other.at < parcel.at || (other.at === parcel.at && other.order < parcel.order)) low = middle + 1;
      else high = middle;
    }
    this.#parcels.splice(low, 0, parcel);
  }
}
