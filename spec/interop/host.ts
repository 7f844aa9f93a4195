/**
 * A small host: a context over a UDP socket of the loopback interface, one timer, one pre-shared key. It remembers
 * what happened: events, data, and every datagram in both directions.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECTED, DtlsContext,
  type DtlsError, type DtlsHandler, type DtlsOptions, type EventLevel, type Peer, type SessionAddress,
} from '../../lib/index.js';
import { Changes } from './waiting.js';

/** A pre-shared key with its name. */
export interface Psk {
  readonly identity: string;
  readonly key: Uint8Array;
  /** The hint that a server gives (none if absent). */
  readonly hint?: string;
}

/** Options of the context, and the host's own. */
export interface HostOptions extends DtlsOptions {
  readonly psk?: Psk;
  /** What a host answers to application data (nothing if absent or null). */
  readonly answer?: (data: Uint8Array) => Uint8Array | null;
  /** Callbacks for keys and certificates. */
  readonly callbacks?: Pick<DtlsHandler, 'getEcdsaKey' | 'verifyEcdsaKey' | 'getCertificate' | 'verifyCertificate'>;
}

/** An event of the context. */
export interface HostEvent {
  readonly port: number;
  readonly level: EventLevel;
  readonly code: number;
  readonly detail: DtlsError | undefined;
}

/** A datagram as it went over the wire. */
export interface Datagram {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** The address of every socket here. */
export const LOOPBACK = '127.0.0.1';

/** The key that the peers use unless a spec says otherwise. */
export const PSK: Psk = { identity: 'Client_identity', key: bytesOf('00112233445566778899aabbccddeeff') };

/** Bytes from hexadecimal digits; white space does not count. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replace(/\s/g, '').match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

/** Bytes as hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Answers data with `echo: ` before it. */
export function echo(data: Uint8Array): Uint8Array {
  return Buffer.concat([utf8('echo: '), data]);
}

export class Host {
  readonly context: DtlsContext;
  /** In the order they came. */
  readonly events: HostEvent[] = [];
  /** Application data, one entry a record. */
  readonly data: Uint8Array[] = [];
  /** Everything sent and received. */
  readonly datagrams: Datagram[] = [];
  /** What every fatal alert came to: the negative answers of `handleMessage`. */
  readonly codes: number[] = [];
  readonly #socket: Socket;
  readonly #changes: Changes = new Changes();
  readonly #suites = new Map<number, string>();
  #timer: NodeJS.Timeout | undefined;
  #fault: unknown = null;

  private constructor(socket: Socket, options: HostOptions) {
    const { psk = PSK, answer, callbacks = {}, ...others } = options;
    this.#socket = socket;
    this.context = new DtlsContext(
      {
        write: (_, session, datagram) => this.#send((session as SessionAddress).port, datagram),
        read: (context, session, data) => {
          this.data.push(data.slice());
          const reply = answer?.(data) ?? null;
          if (reply !== null) context.write(session, reply);
          this.#changes.announce();
        },
        event: (context, session, level, code, detail) => {
          const { port } = session as SessionAddress;
          if (code === DTLS_EVENT_CONNECTED) this.#suites.set(port, context.getPeer(session)?.suite?.name ?? '');
          this.events.push({ port, level, code, detail });
          this.#changes.announce();
        },
        getPskInfo: (_, __, type, description) => {
          if (type === 'hint') return psk.hint === undefined ? null : utf8(psk.hint);
          if (type === 'identity') return utf8(psk.identity);
          return hexOf(description) === hexOf(utf8(psk.identity)) ? psk.key : null;
        },
        schedule: (_, atMs) => this.#arm(atMs),
        ...callbacks,
      },
      others,
    );
    socket.on('message', (bytes, { port }) => this.#receive(port, bytes));
  }

  /** A host on a port that the system picks. */
  static async open(options: HostOptions = {}): Promise<Host> {
    const socket = createSocket('udp4');
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    return new Host(socket, options);
  }

  /** The port of this host. */
  get port(): number {
    return this.#socket.address().port;
  }

  /** All application data so far, as one text. */
  get text(): string {
    return Buffer.concat(this.data).toString();
  }

  /** The peer at a port of the loopback interface. */
  peer(port: number): Peer | undefined {
    return this.context.getPeer(at(port));
  }

  /** The name of the suite agreed on with the peer at `port`, of the latest handshake, also when the peer is gone. */
  suiteWith(port: number): string | undefined {
    return this.#suites.get(port);
  }

  /** Starts a handshake with the server at `port`. */
  connect(port: number): void {
    this.context.connect(at(port));
  }

  /** Sends application data to `port`. */
  write(port: number, data: Uint8Array | string): number {
    return this.context.write(at(port), typeof data === 'string' ? utf8(data) : data);
  }

  /** Closes the association with `port` in good order. */
  shut(port: number): void {
    this.context.close(at(port));
  }

  /** How many events had this code. */
  count(code: number): number {
    return this.events.filter((event) => event.code === code).length;
  }

  /** What `look` finds once it finds something; see `Changes.until`. */
  async until<T>(what: string, look: () => T | null | undefined | false, limitMs?: number): Promise<T> {
    return this.#changes.until(what, () => {
      if (this.#fault !== null) throw this.#fault;
      return look();
    }, limitMs);
  }

  /** The first event with this code, or the `nth`, counted from 1. */
  async event(code: number, nth: number = 1): Promise<HostEvent> {
    return this.until(`event 0x${code.toString(16)}`, () => this.events.filter((event) => event.code === code)[nth - 1]);
  }

  /** The port of the first peer to be connected, or the `nth`, counted from 1. */
  async connected(nth: number = 1): Promise<number> {
    return (await this.event(DTLS_EVENT_CONNECTED, nth)).port;
  }

  /** Waits until an association has ended in good order. */
  async closed(): Promise<void> {
    await this.event(DTLS_EVENT_CLOSED);
  }

  /** Waits until `text` is among the application data. */
  async reads(text: string): Promise<void> {
    await this.until(`the data ${JSON.stringify(text)}`, () => this.text.includes(text));
  }

  /** Frees the context, closes the socket, stops the timer. */
  async close(): Promise<void> {
    this.context.free();
    clearTimeout(this.#timer);
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  /** What happened, for people. */
  describe(): string {
    const events = this.events.map(({ level, code, detail }) => `  event ${level} 0x${code.toString(16)} ${detail?.message ?? ''}`);
    const datagrams = this.datagrams.map(({ from, to, bytes }) => `  ${from} -> ${to}: ${bytes.length} bytes ${hexOf(bytes.subarray(0, 26))}`);
    return [`the host on port ${this.port}: ${JSON.stringify(this.context.stats())}`, ...events, ...datagrams].join('\n');
  }

  #send(to: number, datagram: Uint8Array): void {
    const bytes = datagram.slice();
    this.datagrams.push({ atMs: Date.now(), from: this.port, to, bytes });
    this.#socket.send(bytes, to, LOOPBACK);
  }

  #receive(from: number, bytes: Buffer): void {
    this.datagrams.push({ atMs: Date.now(), from, to: this.port, bytes });
    try {
      const code = this.context.handleMessage(at(from), bytes);
      if (code < 0) this.codes.push(code);
    } catch (error) {
      this.#fault = error;
    }
    this.#changes.announce();
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer);
    if (atMs === 0) return;
    this.#timer = setTimeout(() => {
      this.#arm(this.context.checkRetransmit());
      this.#changes.announce();
    }, Math.max(0, Math.ceil(atMs - performance.now())));
  }
}

function at(port: number): SessionAddress {
  return { address: LOOPBACK, port };
}
