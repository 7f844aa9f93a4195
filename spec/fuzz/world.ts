/**
 * A server, three clients and an attacker on a network that does what a schedule says, step by step: it delivers in
 * any order, loses, repeats, damages, invents and misdirects, while ends write, close, crash and come back.
 *
 * After every step the invariants hold: data is read once at most, unchanged, by whom it was meant for; no nonce is
 * used twice under one key; nothing grows beyond its bound; no association waits for two things.
 */
import * as assert from 'node:assert/strict';
import { composeProvider, DtlsContext, nobleProvider, type AeadAlgorithm, type Provider } from '../../lib/index.js';
import { Random } from '../support/random.js';
import { equal, IDENTITY, KEY, text } from '../support/rig.js';

/** One step of a schedule: what, and two numbers that say to whom and with what. */
export type Step = readonly [kind: number, first: number, second: number];

interface Packet {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

interface End {
  readonly name: string;
  context: DtlsContext;
  /** How often it was started. */
  lives: number;
}

const SERVER = 's';
const CLIENTS = ['c0', 'c1', 'c2'] as const;
/** Bytes an association may make an end hold, and how far a clock goes in a step. */
const MAX_HELD = 8192;
const ADVANCES = [1, 50, 400, 1000, 3000, 20_000, 90_000] as const;
/** Time within which a handshake completes once the network is well: a candidate's first timeout and a retransmission. */
const BUDGET_MS = 10_000;

export class World {
  now = 1000;
  readonly #ends: Map<string, End> = new Map();
  /** Datagrams under way, oldest first. */
  #network: Packet[] = [];
  /** What went over the network, for the attacker to choose from. */
  readonly #seen: Packet[] = [];
  /** Payloads that were written and not read yet, by text, with their way. */
  readonly #written: Map<string, { readonly from: string; readonly to: string }> = new Map();
  readonly #spent: Set<string> = new Set();
  readonly #random: Random;
  #payloads = 0;
  /** How often each thing happened, so that a schedule can be seen to do something. */
  readonly counts: Record<'connected' | 'read' | 'replaced' | 'timeout' | 'sealed', number> = { connected: 0, read: 0, replaced: 0, timeout: 0, sealed: 0 };

  constructor(seed: number) {
    this.#random = new Random(seed);
    for (const name of [SERVER, ...CLIENTS]) this.#ends.set(name, { name, context: this.#context(name, 1), lives: 1 });
    // Every other world begins with everyone connected.
    if (seed % 2 === 0) return;
    for (const name of CLIENTS) this.connect(name);
    this.#settle(0);
  }

  /** Carries out a step and checks everything. Returns what was done, in words. */
  step([kind, first, second]: Step): string {
    const action = ACTIONS[kind % ACTIONS.length]!;
    const done = action(this, first, second);
    this.check();
    return done;
  }

  /** The network is well again: every client gets through to the server within the budget, and what is left goes. */
  heal(): void {
    this.#settle(BUDGET_MS);
    for (const name of CLIENTS) {
      if (this.#echoes(name)) continue;
      // One side may have lost what the other still has: a client that hears nothing starts anew.
      this.restart(name);
      this.connect(name);
      this.#settle(BUDGET_MS);
      assert.ok(this.#echoes(name), `${name} does not get through a network that is well`);
    }
    for (const { context } of this.#ends.values()) {
      for (const name of this.#ends.keys()) context.close(name);
    }
    this.#settle(400_000);
    for (const { name, context } of this.#ends.values()) {
      const { halfOpen, established, heldBytes, deadlines, callbackErrors } = context.stats();
      assert.deepEqual({ halfOpen, established, heldBytes, deadlines, callbackErrors }, {
        halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0, callbackErrors: 0,
      }, `what is left at ${name}`);
    }
  }

  /** What holds after every step. */
  check(): void {
    for (const { name, context } of this.#ends.values()) {
      const { heldBytes, deadlines, halfOpen, established } = context.stats();
      const peers = [...this.#ends.keys()].map((other) => context.getPeer(other)).filter((peer) => peer !== undefined);
      const associations = peers.reduce((sum, { current, candidate }) => sum + (current === null ? 0 : 1) + (candidate === null ? 0 : 1), 0);
      assert.equal(halfOpen + established, peers.length, `peers of ${name}`);
      assert.ok(deadlines <= associations, `${name} waits for ${deadlines} things with ${associations} associations`);
      assert.ok(heldBytes <= associations * MAX_HELD, `${name} holds ${heldBytes} bytes for ${associations} associations`);
      for (const { candidate } of peers) assert.ok(candidate === null || candidate.deadlineAt > 0, `a handshake of ${name} waits for nothing`);
    }
  }

  // What a schedule can do.

  deliver(index: number): string {
    const [packet] = this.#network.splice(index % Math.max(1, this.#network.length), 1);
    return packet === undefined ? 'nothing to deliver' : this.#arrive(packet);
  }

  drop(index: number): string {
    const [packet] = this.#network.splice(index % Math.max(1, this.#network.length), 1);
    return packet === undefined ? 'nothing to drop' : `${wayOf(packet)} is lost`;
  }

  duplicate(index: number): string {
    const packet = this.#network[index % Math.max(1, this.#network.length)];
    if (packet === undefined) return 'nothing to duplicate';
    this.#network.push(packet);
    return `${wayOf(packet)} comes twice`;
  }

  /** One bit of a datagram under way is flipped. */
  corrupt(index: number, bit: number): string {
    const at = index % Math.max(1, this.#network.length);
    const packet = this.#network[at];
    if (packet === undefined) return 'nothing to corrupt';
    const bytes = packet.bytes.slice();
    const place = bit % (8 * bytes.length);
    bytes[place >>> 3]! ^= 1 << (place & 7);
    this.#network[at] = { ...packet, bytes };
    return `bit ${place} of ${wayOf(packet)} is flipped`;
  }

  /** Something that was sent once, or is made of it, comes again from its sender. */
  inject(index: number, variant: number): string {
    const packet = this.#seen[index % Math.max(1, this.#seen.length)];
    if (packet === undefined) return 'nothing to inject';
    return `injected: ${this.#arrive({ ...packet, bytes: this.#variant(packet.bytes, variant) })}`;
  }

  /** Something that was sent once comes to its receiver, or anyone, from another address. */
  spoof(index: number, who: number): string {
    const packet = this.#seen[index % Math.max(1, this.#seen.length)];
    if (packet === undefined) return 'nothing to spoof';
    const names = [...this.#ends.keys(), 'elsewhere'];
    const to = who % 3 === 0 ? packet.to : [...this.#ends.keys()][who % 4]!;
    return `spoofed: ${this.#arrive({ ...packet, to, from: names[who % names.length]! })}`;
  }

  /** Time passes, at once or from deadline to deadline. */
  advance(index: number, how: number): string {
    const by = ADVANCES[index % ADVANCES.length]!;
    const end = this.now + by;
    for (let next = this.now; how % 2 === 1 && next <= end; next = this.#nextDeadline()) {
      this.now = Math.max(this.now, next);
      this.#network.length = Math.min(this.#network.length, 100);
    }
    this.now = end;
    this.#nextDeadline();
    return `${by} ms pass ${how % 2 === 1 ? 'one by one' : 'at once'}`;
  }

  /** Lets every end do what is due; when the next of them wants to be called, Infinity for never. */
  #nextDeadline(): number {
    const times = [...this.#ends.values()].map(({ context }) => context.checkRetransmit()).filter((at) => at > 0);
    return Math.min(...times);
  }

  /** A client writes to the server, or the server to a client. */
  write(who: number): string {
    const client = CLIENTS[who % CLIENTS.length]!;
    const [from, to] = who % 2 === 0 ? [client, SERVER] : [SERVER, client];
    const { context } = this.#ends.get(from)!;
    const payload = `${from} to ${to}, number ${this.#payloads++}`;
    this.#written.set(payload, { from, to });
    const taken = context.getPeer(to)?.state === 'connected' ? context.write(to, text(payload)) : 0;
    if (taken === 0) this.#written.delete(payload);
    return `${from} writes to ${to}: ${taken}`;
  }

  close(who: number): string {
    const client = CLIENTS[who % CLIENTS.length]!;
    const [from, to] = who % 2 === 0 ? [client, SERVER] : [SERVER, client];
    return `${from} closes ${to}: ${this.#ends.get(from)!.context.close(to)}`;
  }

  connect(name: string): string {
    return `${name} connects: ${this.#ends.get(name)!.context.connect(SERVER)}`;
  }

  /** A client loses its memory without a word. */
  restart(name: string): string {
    const end = this.#ends.get(name)!;
    end.lives++;
    end.context = this.#context(name, end.lives);
    return `${name} starts anew`;
  }

  // The ends.

  #context(name: string, life: number): DtlsContext {
    const random = new Random(this.#random.below(2 ** 32));
    const isCurrent = (context: DtlsContext): boolean => this.#ends.get(name)?.context === context;
    return new DtlsContext({
      write: (context, session, datagram) => {
        if (!isCurrent(context)) return;
        const packet = { from: name, to: session as string, bytes: datagram.slice() };
        this.#network.push(packet);
        this.#seen.push(packet);
      },
      read: (_, session, data) => this.#read(name, session as string, new TextDecoder().decode(data)),
      event: (_, __, level, code) => {
        if (level !== 0) return;
        if (code === 0x1de) this.counts.connected++;
        if (code === 0x1e2) this.counts.replaced++;
        if (code === 0x1e0) this.counts.timeout++;
      },
      getPskInfo: (_, __, type, description) =>
        type === 'hint' ? text(`hint of life ${life}`) : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null,
    }, {
      now: () => this.now, wallClock: () => this.now, random: (length) => random.bytes(length), timeoutJitter: 0,
      crypto: this.#provider(), mtu: name === 'c1' ? 128 : 1232,
    });
  }

  #read(reader: string, from: string, payload: string): void {
    const way = this.#written.get(payload);
    assert.ok(way !== undefined, `${reader} reads “${payload}”, which nobody wrote or which was read before`);
    assert.deepEqual({ from, to: reader }, way, `${reader} reads “${payload}” from ${from}`);
    this.#written.delete(payload);
    this.counts.read++;
  }

  /** The crypto provider, with an eye on the nonces. */
  #provider(): Provider {
    const watched = Object.values(nobleProvider.aeads).map((algorithm): [string, AeadAlgorithm] => [algorithm.name, {
      ...algorithm,
      create: (key) => {
        const name = key.toString();
        const aead = algorithm.create(key);
        return {
          tagLength: aead.tagLength,
          open: (...all) => aead.open(...all),
          wipe: () => aead.wipe(),
          seal: (...all) => {
            const use = `${name}/${all[2].toString()}`;
            assert.ok(!this.#spent.has(use), 'a nonce is used twice under one key');
            this.#spent.add(use);
            this.counts.sealed++;
            return aead.seal(...all);
          },
        };
      },
    }]);
    return composeProvider('watched', { hashes: nobleProvider.hashes, aeads: Object.fromEntries(watched) });
  }

  // The network.

  #arrive(packet: Packet): string {
    this.#ends.get(packet.to)?.context.handleMessage(packet.from, packet.bytes);
    return `${wayOf(packet)} arrives`;
  }

  /** A datagram as the attacker changes it: as it is, with one record left out or twice, in another epoch, cut off. */
  #variant(bytes: Uint8Array, variant: number): Uint8Array {
    const changed = bytes.slice();
    switch (variant % 6) {
      case 1: changed[4]! ^= 1; break; // epoch
      case 2: changed[10]! += 1 + (variant >>> 8) % 250; break; // record number
      case 3: changed[0] = 20 + ((variant >>> 8) % 7); break; // content type
      case 4: return changed.slice(0, (variant >>> 8) % (changed.length + 1));
      case 5: if (changed.length > 18) changed[18]! += 1; break; // message_seq, or ciphertext
    }
    return changed;
  }

  /** Everything arrives in order, timers run, until nothing is under way or the time is up. */
  #settle(limitMs: number): void {
    const end = this.now + limitMs;
    for (;;) {
      for (let packet = this.#network.shift(); packet !== undefined; packet = this.#network.shift()) {
        this.#arrive(packet);
        this.check();
      }
      const next = this.#nextDeadline();
      if (this.#network.length > 0) continue;
      if (next > end) return;
      this.now = Math.max(this.now, next);
    }
  }

  /** Whether data goes both ways between a client and the server, at once. */
  #echoes(name: string): boolean {
    const before = this.counts.read;
    const [client, server] = [this.#ends.get(name)!.context, this.#ends.get(SERVER)!.context];
    for (const [context, from, to] of [[client, name, SERVER], [server, SERVER, name]] as const) {
      if (context.getPeer(to)?.state !== 'connected') return false;
      const payload = `${from} to ${to}, number ${this.#payloads++}`;
      this.#written.set(payload, { from, to });
      context.write(to, text(payload));
    }
    this.#settle(0);
    return this.counts.read === before + 2;
  }
}

function wayOf({ from, to, bytes }: Packet): string {
  return `${from}→${to} (${bytes.length} B, type ${bytes[0]}, epoch ${bytes[4]})`;
}

/** What steps do; what stands here more often happens more often. */
const ACTIONS: readonly ((world: World, first: number, second: number) => string)[] = [
  ...Array.from({ length: 10 }, () => (world: World, first: number) => world.deliver(first % 4)),
  ...Array.from({ length: 3 }, () => (world: World, first: number) => world.deliver(first)),
  (world, first) => world.drop(first),
  (world, first) => world.drop(first),
  (world, first) => world.duplicate(first),
  (world, first) => world.duplicate(first),
  (world, first, second) => world.corrupt(first, second),
  (world, first, second) => world.inject(first, second),
  (world, first, second) => world.inject(first, second),
  (world, first, second) => world.spoof(first, second),
  (world, first, second) => world.advance(first, second),
  (world, first, second) => world.advance(first, second),
  (world, first) => world.write(first),
  (world, first) => world.write(first),
  (world, first) => world.write(first),
  (world, first) => world.connect(CLIENTS[first % CLIENTS.length]!),
  (world, first) => world.connect(CLIENTS[first % CLIENTS.length]!),
  (world, first, second) => (second % 4 === 0 ? world.close(first) : world.deliver(first)),
  (world, first, second) => (second % 4 === 0 ? world.restart(CLIENTS[first % CLIENTS.length]!) : world.deliver(first)),
];

/** How many kinds of steps there are. */
export const KINDS: number = ACTIONS.length;
