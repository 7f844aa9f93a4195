/**
 * Whether a server under handshakes keeps serving records: how long an echo on an established association takes while
 * full handshakes arrive at the same context.
 *
 * The clock is virtual and counts the server's work alone. Clients live in the same process and off the clock, and the
 * network between them takes no time; what the server does with a datagram is timed as it runs, and puts off whatever
 * arrived in the meantime, as on one thread behind one socket. So neither the clients' crypto nor a second core nor a
 * kernel is in the figures. A busy machine is: a server that is put aside in the middle of a datagram is late with the rest.
 */
import { DtlsContext, type CipherSuite, type DtlsHandler, type Provider } from '../../lib/core.js';
import { ECDHE_ECDSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { PROVIDERS, remoteInfo, shortName } from '../ends.js';
import { quantile, type Case, type Sample } from '../harness.js';
import { certificates } from '../publickeys.js';

const HANDSHAKES_PER_SECOND = 100;
const ECHOES_PER_SECOND = 1000;
const PAYLOAD = 64;
/** Ports: the client whose echoes are measured, and the first of those that shake hands. */
const PROBER = 1;
const FIRST = 2;
const LAST = 60_000;
/** Address of the server, and of all clients. */
const SERVER = 1;
const CLIENTS = 2;
/** Virtual time of a slice; idle and busy ones take turns. */
const SLICE_US = 50_000;
/** Echoes that percentiles are taken of, at least. */
const LEAST_ECHOES = 1000;

export function latencyCases(): Case[] {
  return PROVIDERS.map((provider): Case => ({
    bench: 'latency/echo beside handshakes', suite: shortName(ECDHE_ECDSA_AES_128_GCM_SHA256), provider: provider.name, size: PAYLOAD,
    sample: (seconds) => sample(new Service(provider, ECDHE_ECDSA_AES_128_GCM_SHA256), seconds, provider.name === 'native' ? 1500 : 300),
  }));
}

function sample(service: Service, seconds: number, warmUpHandshakes: number): Sample {
  while (service.handshakes < warmUpHandshakes) service.slice(true);
  service.forget();
  const endAt = performance.now() + seconds * 1000;
  while (performance.now() < endAt || service.busy.length < LEAST_ECHOES || service.idle.length < LEAST_ECHOES) {
    service.slice(true);
    service.slice(false);
  }
  const { busy, idle, handshakes, handshakeUs } = service;
  return {
    percentiles: {
      p50: quantile(busy, 0.5), p99: quantile(busy, 0.99), idleP50: quantile(idle, 0.5), idleP99: quantile(idle, 0.99),
    },
    count: busy.length,
    detail: {
      handshakesPerSecond: HANDSHAKES_PER_SECOND, echoesPerSecond: ECHOES_PER_SECOND, handshakes,
      serverMicrosecondsPerHandshake: handshakeUs / handshakes,
    },
  };
}

/** Something that is to happen at a time: a datagram at the server, or a client that begins. */
interface Arrival {
  readonly atUs: number;
  readonly port: number;
  /** Null: the client at this port begins a handshake. */
  readonly datagram: Uint8Array | null;
}

/** A server, a client that has its association, and clients that come and go. */
class Service {
  /** Latencies of echoes in microseconds, with and without handshakes beside them. */
  busy: number[] = [];
  idle: number[] = [];
  handshakes = 0;
  /** The server's time for them. */
  handshakeUs = 0;
  readonly #server: DtlsContext;
  readonly #client: DtlsContext;
  readonly #toServer: { readonly port: number; readonly datagram: Uint8Array }[] = [];
  readonly #toClient: { readonly port: number; readonly datagram: Uint8Array }[] = [];
  /** By time. */
  #arrivals: Arrival[] = [];
  #nowUs = 0;
  #freeAtUs = 0;
  #nextPort = FIRST;
  #echoed = 0;
  /** Ports of those that are shaking hands. */
  readonly #shaking: Set<number> = new Set();
  readonly #payload: Uint8Array = new Uint8Array(PAYLOAD).fill(9);

  constructor(provider: Provider, suite: CipherSuite) {
    const { client, server } = certificates('prime256v1', { provider, mutual: false });
    const all = { crypto: provider, cipherSuites: [suite], now: () => this.#nowUs / 1000 };
    this.#server = new DtlsContext({
      write: carry(this.#toClient),
      read: (context, session, data) => void context.write(session, data),
    }, { ...all, ...server });
    this.#client = new DtlsContext({ write: carry(this.#toServer), read: () => void this.#echoed++ }, { ...all, ...client });
    this.#begin(PROBER);
    this.#run(null);
    if (this.#client.getPeer(serverOf(PROBER))?.state !== 'connected') throw new Error('the client that echoes is not connected');
    this.forget();
  }

  /** What was measured so far does not count. */
  forget(): void {
    this.busy = [];
    this.idle = [];
    this.handshakes = this.handshakeUs = 0;
  }

  /** Echoes for a while, with handshakes beside them or without; both arrive at random (Poisson). */
  slice(withHandshakes: boolean): void {
    const from = this.#nowUs;
    const arrive = (perSecond: number, port: () => number, datagram: () => Uint8Array | null): void => {
      for (let at = from + gapUs(perSecond); at < from + SLICE_US; at += gapUs(perSecond)) {
        this.#insert({ atUs: at, port: port(), datagram: datagram() });
      }
    };
    if (withHandshakes) arrive(HANDSHAKES_PER_SECOND, () => this.#port(), () => null);
    arrive(ECHOES_PER_SECOND, () => PROBER, () => {
      this.#client.write(serverOf(PROBER), this.#payload);
      return this.#toServer.pop()!.datagram;
    });
    this.#run(withHandshakes ? this.busy : this.idle);
    this.#nowUs = this.#freeAtUs = Math.max(this.#freeAtUs, from + SLICE_US);
  }

  /** Until nothing is left to do. Latencies of echoes go to `latencies`. */
  #run(latencies: number[] | null): void {
    for (let next = this.#arrivals.shift(); next !== undefined; next = this.#arrivals.shift()) {
      const { atUs, port, datagram } = next;
      this.#nowUs = Math.max(atUs, this.#freeAtUs);
      if (datagram === null) {
        this.#begin(port, atUs);
        continue;
      }
      const session = remoteInfo(CLIENTS, datagram.length, port);
      const startedAt = performance.now();
      this.#server.handleMessage(session, datagram);
      const tookUs = (performance.now() - startedAt) * 1000;
      this.#freeAtUs = this.#nowUs + tookUs;
      const before = this.#echoed;
      this.#answered();
      if (port !== PROBER) this.handshakeUs += tookUs;
      else if (latencies !== null) {
        if (this.#echoed !== before + 1) throw new Error('an echo did not come back');
        latencies.push(this.#freeAtUs - atUs);
      }
    }
  }

  /** The clients take what the server sent, off the clock, and what they answer arrives at once. */
  #answered(): void {
    for (const { port, datagram } of this.#toClient.splice(0)) this.#client.handleMessage(serverOf(port), datagram);
    for (const { port, datagram } of this.#toServer.splice(0)) this.#insert({ atUs: this.#freeAtUs, port, datagram });
    if (this.#toServer.length > 0) throw new Error('a client speaks out of turn');
    this.#finish();
  }

  #begin(port: number, atUs = 0): void {
    this.#client.connect(serverOf(port));
    this.#shaking.add(port);
    for (const { datagram } of this.#toServer.splice(0)) this.#insert({ atUs, port, datagram });
  }

  /** Who is connected goes again, but for the client that echoes. */
  #finish(): void {
    for (const port of this.#shaking) {
      const own = this.#client.getPeer(serverOf(port));
      if (own === undefined) throw new Error('a handshake failed');
      if (own.state !== 'connected') continue;
      this.#shaking.delete(port);
      if (port === PROBER) continue;
      this.#client.resetPeer(own);
      const peer = this.#server.getPeer(remoteInfo(CLIENTS, 0, port));
      if (peer?.state !== 'connected') throw new Error('the server is not connected');
      this.#server.resetPeer(peer);
      this.handshakes++;
    }
  }

  #insert(arrival: Arrival): void {
    let at = this.#arrivals.length;
    while (at > 0 && this.#arrivals[at - 1]!.atUs > arrival.atUs) at--;
    this.#arrivals.splice(at, 0, arrival);
  }

  #port(): number {
    const port = this.#nextPort++;
    if (this.#nextPort > LAST) this.#nextPort = FIRST;
    return port;
  }
}

/** The server as the client at `port` knows it: each client of the one context has a server of its own. */
function serverOf(port: number): ReturnType<typeof remoteInfo> {
  return remoteInfo(SERVER, 0, port);
}

function carry(queue: { readonly port: number; readonly datagram: Uint8Array }[]): DtlsHandler['write'] {
  return (_context, session, datagram) => {
    if (typeof session === 'string') throw new Error('sessions are addresses here');
    queue.push({ port: session.port, datagram: datagram.slice() });
  };
}

/** Microseconds until the next of so many a second that come at random. */
function gapUs(perSecond: number): number {
  return (-Math.log(1 - Math.random()) * 1e6) / perSecond;
}
