/**
 * What a flood leaves in memory, measured in a process of its own (`node --expose-gc dos-memory.js scenario count`).
 * Prints one line of JSON.
 *
 * Memory is the heap with the array buffers, after two collections; everything that only warms up is done before.
 */
import { Random } from '../support/random.js';
import { CLIENT, Rig, text } from '../support/rig.js';
import { establish, ScriptedPeer } from '../support/scripted.js';
import { address, hello, provenHello, smallestHello } from './dos-hello.js';

/** What a scenario came to. */
export interface Measured {
  /** Bytes kept more than before. */
  readonly bytes: number;
  readonly halfOpen: number;
  readonly established: number;
  readonly deadlines: number;
  readonly evicted: number;
  /** Datagrams handed in and sent. */
  readonly taken: number;
  readonly sent: number;
  /** The largest answer, as a fraction of what was asked. */
  readonly amplification: number;
  /** Whether an association that was there before still carries data. */
  readonly lives: boolean;
}

declare const gc: () => void;

/** A rig that forgets what it sent, but for its number and size. */
class Sink {
  readonly rig: Rig;
  taken = 0;
  sent = 0;
  amplification = 0;
  #asked = 0;

  constructor(options: ConstructorParameters<typeof Rig>[0] = {}) {
    this.rig = new Rig(options);
  }

  /** From now on nothing is written down. */
  open(): void {
    this.rig.sent.length = 0;
    this.rig.onWrite = (_, bytes) => {
      this.sent++;
      this.amplification = Math.max(this.amplification, bytes.length / this.#asked);
    };
  }

  feed(session: Parameters<Rig['feed']>[0], datagram: Uint8Array): void {
    this.taken++;
    this.#asked = datagram.length;
    this.rig.feed(session, datagram);
  }
}

function used(): number {
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function echoes(sink: Sink, client: ScriptedPeer): boolean {
  const { rig } = sink;
  rig.onWrite = null;
  rig.sent.length = 0;
  rig.reads.length = 0;
  rig.feed(CLIENT, client.applicationData(text('ping')));
  rig.context.write(CLIENT, text('pong'));
  client.take(...rig.takeSent());
  return rig.reads.length === 1 && client.data.length === 1;
}

function measured(sink: Sink, client: ScriptedPeer, bytes: number): Measured {
  const { halfOpen, established, deadlines, evicted } = sink.rig.context.stats();
  const { taken, sent, amplification } = sink;
  return { bytes, halfOpen, established, deadlines, evicted, taken, sent, amplification, lives: echoes(sink, client) };
}

/** Hellos without a cookie, each from a session of its own. */
function hellos(count: number): Measured {
  const sink = new Sink();
  const client = establish(sink.rig);
  sink.open();
  const smallest = smallestHello();
  const ask = (i: number): void => {
    smallest[27 + (i & 31)]! ^= 1 + (i & 0x7f);
    sink.feed(address(i, 1024 + (i >>> 24)), smallest);
  };
  for (let i = 0; i < 20_000; i++) ask(i);
  sink.taken = sink.sent = 0;
  const before = used();
  for (let i = 0; i < count; i++) ask(i);
  return measured(sink, client, used() - before);
}

/** Half-open handshakes with valid cookies, a hundred to an address, up to a limit of `count`, and a tenth more. */
function halfOpen(count: number): Measured {
  const sink = new Sink({ maxHalfOpenPeers: count });
  const { rig } = sink;
  const client = establish(rig);
  const random = new Random(9);
  const enter = (i: number): void => {
    const session = address(Math.floor(i / 100), 1024 + (i % 100));
    rig.onWrite = null;
    const proven = provenHello(rig, session, { random: random.bytes(32) });
    sink.open();
    sink.feed(session, proven);
    rig.events.length = rig.scheduled.length = 0;
  };
  for (let i = 0; i < 200; i++) enter(i);
  rig.runOut();
  rig.events.length = rig.scheduled.length = 0;
  sink.taken = sink.sent = 0;
  const before = used();
  for (let i = 0; i < count; i++) enter(i);
  const bytes = used() - before;
  for (let i = count; i < 1.1 * count; i++) enter(i);
  return measured(sink, client, bytes);
}

/** Forged records of 30 bytes at one association: too short a payload to be anything, long enough to be opened. */
function forged(count: number): Measured {
  const sink = new Sink();
  const client = establish(sink.rig);
  sink.open();
  const random = new Random(17);
  const record = new Uint8Array(30);
  record.set([23, 0xfe, 0xfd, 0, 1], 0);
  record.set([0, 17], 11);
  const forge = (i: number): void => {
    record.set([random.below(256), i >>> 24, i >>> 16, i >>> 8, i], 6);
    for (let at = 13; at < 30; at++) record[at] = random.below(256);
    sink.feed(CLIENT, record);
  };
  for (let i = 0; i < 5000; i++) forge(i);
  sink.taken = sink.sent = 0;
  const before = used();
  for (let i = 0; i < count; i++) forge(i);
  return measured(sink, client, used() - before);
}

/** Associations, each of which has carried data. */
function established(count: number): Measured {
  const sink = new Sink();
  const { rig } = sink;
  const client = establish(rig);
  const enter = (i: number): void => {
    const peer = establish(rig, new ScriptedPeer('client', { seed: i }), address(i));
    rig.feed(address(i), peer.applicationData(text('ping')));
    rig.takeSent();
    rig.events.length = rig.scheduled.length = rig.reads.length = 0;
  };
  for (let i = 0; i < 100; i++) enter(i);
  const before = used();
  for (let i = 100; i < 100 + count; i++) enter(i);
  return measured(sink, client, used() - before);
}

/** Hellos of every kind, spoofed from the addresses of `sessions` associations and from anywhere else. */
function besieged(count: number): Measured {
  const sessions = 1000;
  const sink = new Sink();
  const { rig } = sink;
  const client = establish(rig);
  const peers = Array.from({ length: sessions }, (_, i) => establish(rig, new ScriptedPeer('client', { seed: i }), address(i)));
  sink.open();
  const random = new Random(12);
  const before = used();
  for (let i = 0; i < count; i++) {
    const session = random.chance(0.5) ? address(random.below(sessions)) : address(random.below(2 ** 24), random.below(65_536));
    const cookie = random.chance(0.5) ? new Uint8Array(0) : random.bytes(32);
    sink.feed(session, hello({ cookie, random: new Uint8Array(32).fill(i) }, { sequence: i, messageSeq: i & 3 }));
    if (i % 1000 === 0) rig.advance(1000);
  }
  const result = measured(sink, client, used() - before);
  rig.reads.length = 0;
  peers.forEach((peer, i) => rig.feed(address(i), peer.applicationData(text(`${i}`))));
  const lost = peers.filter((_, i) => rig.context.getPeer(address(i))?.state !== 'connected').length;
  return { ...result, lives: result.lives && lost === 0 && rig.reads.length === sessions };
}

const SCENARIOS: Readonly<Record<string, (count: number) => Measured>> = { hellos, halfOpen, forged, established, besieged };
const [name, count] = process.argv.slice(2) as [string, string];
console.log(JSON.stringify(SCENARIOS[name]!(Number(count))));
