/**
 * A simulated network between contexts: latency, loss, duplication, reordering, a virtual clock, one seed.
 */
import { DtlsContext, type DtlsHandler, type DtlsOptions, type DtlsError, type Session } from '../../lib/index.js';
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

interface Parcel {
  readonly at: number;
  readonly order: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

export class Link {
  now = 0;
  readonly random: Random;
  /** Every datagram that was handed to the network, in order. */
  readonly log: { readonly at: number; readonly from: string; readonly to: string; readonly bytes: Uint8Array }[] = [];
  readonly #options: LinkOptions;
  readonly #nodes: Map<string, Node> = new Map();
  #parcels: Parcel[] = [];
  #order = 0;

  constructor(options: LinkOptions = {}) {
    this.#options = options;
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
      },
      { now: () => this.now, wallClock: () => this.now, random: (length) => random.bytes(length), timeoutJitter: 0, ...options },
    );
    const node: Node = { name, context, events, reads };
    this.#nodes.set(name, node);
    return node;
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
      for (const { context } of this.#nodes.values()) context.checkRetransmit();
    }
  }

  #nextEvent(): number {
    let next = 0;
    const consider = (at: number): void => {
      if (at !== 0 && (next === 0 || at < next)) next = at;
    };
    for (const { at } of this.#parcels) consider(Math.max(at, Number.MIN_VALUE));
    for (const { context } of this.#nodes.values()) consider(context.checkRetransmit());
    return next;
  }

  #deliverDue(): void {
    const due = this.#parcels.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order);
    this.#parcels = this.#parcels.filter(({ at }) => at > this.now);
    for (const { from, to, bytes } of due) this.#nodes.get(to)?.context.handleMessage(from, bytes);
  }

  #send(from: string, to: string, bytes: Uint8Array): void {
    const { latencyMs = 50, drop = 0, duplicate = 0, reorder = 0, reorderMs = 100, mtu = 0, dropNumber, copies = 1 } = this.#options;
    const index = this.log.length;
    this.log.push({ at: this.now, from, to, bytes });
    if ((mtu > 0 && bytes.length > mtu) || dropNumber?.(index) === true || this.random.chance(drop)) return;
    const count = copies + (this.random.chance(duplicate) ? 1 : 0);
    for (let copy = 0; copy < count; copy++) {
      const late = this.random.chance(reorder) ? this.random.next() * reorderMs : 0;
      this.#parcels.push({ at: this.now + latencyMs + late, order: this.#order++, from, to, bytes });
    }
  }
}
