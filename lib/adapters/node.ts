/**
 * `microdtls/node`: DTLS over a UDP socket of Node.js, server and client in one, IPv4 and IPv6.
 *
 * Law: the engine's one timer lives here; what a listener gets is its own; nothing that a peer or the network does is
 * thrown. Every error is told once: by the promise of `connect`, `bind`, or else by an event.
 * Listeners are called from within the engine: what they throw surfaces as an uncaught exception, a tick later.
 */
import type { RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { nativeProvider } from '../crypto/native/index.js';
import { supports } from '../crypto/suites.js';
import { givenParameters, lowerMtu, type DtlsOptions, type UserParameters } from '../engine/config.js';
import { DtlsContext } from '../engine/context.js';
import {
  DTLS_EVENT_CLOSED,
  DTLS_EVENT_CONNECTED,
  DTLS_EVENT_ERROR,
  DTLS_EVENT_TIMEOUT,
  type Answer,
  type DtlsHandler,
  type EventLevel,
  type PskInfoType,
  type Session,
  type SessionKey,
} from '../engine/events.js';
import { Peer } from '../engine/peer.js';
import type { Stats } from '../engine/stats.js';
import { ALL_SUITES } from '../suites/all.js';
import { argument, LocalError, type DtlsError } from '../wire/errors.js';
import { AlertLevel, ContentType } from '../wire/registry.js';
import { formatSession, reachable, resolveHost, type Family } from './address.js';
import { Attempts, patiently, timersWithin, unless } from './attempts.js';
import { clientParameters, difference, type Asked, type Means, type Wanted } from './client.js';
import type { BindOptions, ConnectOptions, DtlsSocketEvents, DtlsSocketOptions, SocketHandler, SocketStats } from './options.js';
import { PskSource, quietly } from './psk.js';
import { keyCallbacks, withoutPreShared } from './publickey.js';
import { UdpSocket, type SystemError, type UdpOptions } from './udp.js';

export { DtlsError, LocalError, PeerError } from '../wire/errors.js';
export type { DtlsContext, DtlsHandler, DtlsOptions, Peer, Session, SessionKey, Stats, UserParameters };
export type { Bytes, PskCredential, PskLookup, PskOption } from './psk.js';
export type { BindOptions, ConnectOptions, DtlsSocketEvents, DtlsSocketOptions, SocketHandler, SocketStats } from './options.js';
export type { Family, SystemError, UdpOptions };
export { formatSession };

/** A DTLS socket. */
export class DtlsSocket extends EventEmitter<DtlsSocketEvents> {
  /** The engine, for everything else. Its handler belongs to this socket. */
  readonly context: DtlsContext;
  readonly #handler: SocketHandler;
  /** What was asked for when a handshake began as client. */
  readonly #asked: WeakMap<Peer, Asked> = new WeakMap();
  readonly #udpOptions: UdpOptions;
  readonly #tap: DtlsSocketOptions['tap'];
  readonly #now: () => number;
  /** Timers of the host's own choice, which no timeout of a connection overrides. */
  readonly #timers: UserParameters;
  /** What a client can prove and check without further parameters. */
  readonly #means: Means;
  readonly #connected: Map<SessionKey, Peer> = new Map();
  readonly #attempts: Attempts;
  readonly #traffic = { datagramsReceived: 0, datagramsSent: 0, bytesReceived: 0, bytesSent: 0, sendErrors: 0 };
  #udp: UdpSocket | null = null;
  #opening: Promise<UdpSocket> | null = null;
  #closing: Promise<void> | null = null;
  #referenced = true;
  #timer: NodeJS.Timeout | undefined;

  /** Throws a LocalError for options that cannot be. Nothing is opened yet. */
  constructor(options: DtlsSocketOptions = {}) {
    super();
    const { psk, pskHint, handler = {}, udp = {}, tap, ...engine } = options;
    if (psk !== undefined && handler.getPskInfo !== undefined) throw argument('psk and handler.getPskInfo: one of them, please');
    this.#handler = handler;
    this.#udpOptions = udp;
    this.#tap = tap;
    this.#now = engine.now ?? (() => performance.now());
    const { crypto = nativeProvider, cipherSuites = ALL_SUITES, initialTimeoutMs, maxRetransmits, trust, credentials, serverName, wallClock } = engine;
    this.#timers = { initialTimeoutMs, maxRetransmits };
    // As the context does: what the provider cannot do is not offered.
    const usable = cipherSuites.filter((suite) => supports(crypto, suite));
    this.#means = { psk: psk === undefined ? null : new PskSource(psk, pskHint), handler, cipherSuites: usable, trust, credentials, serverName, wallClock };
    this.context = new DtlsContext(this.#callbacks(), { ...engine, now: this.#now, crypto, cipherSuites });
    this.#attempts = new Attempts((session) => {
      if (this.#closing === null) this.context.close(session);
    });
  }

  /** Binds to a local port. Rejects with one error: the platform's (`EADDRINUSE`, `ENOTFOUND`, …), or a LocalError. */
  async bind({ port = 0, address = '0.0.0.0' }: BindOptions = {}): Promise<AddressInfo> {
    this.#alive();
    // The platform takes any number and binds to what its low 16 bits come to.
    if (!(Number.isInteger(port) && port >= 0 && port <= 0xffff)) throw argument(`the port ${String(port)}: it goes from 0 to 65535`);
    if (this.#opening !== null) throw argument('the socket is bound already');
    const udp = await this.#open(resolveHost(address, undefined, false), port);
    this.#alive();
    return udp.address();
  }

  /**
   * Makes an association as client and resolves with its peer; binds to a free port if need be. Rejects with the
   * DtlsError of the handshake, the resolver's error, or the reason of `signal`. There is one association for each
   * address and port: one that is there already, or being made, is taken if it is what this call asks for, and
   * rejects with `ERR_DTLS_CONFLICT` if it was made for another serverName, with another psk, trust or credentials, with a
   * suite that this call does not offer, or by a client of ours that showed no identity or a certificate that is not the
   * server's; `closePeer` makes room.
   */
  async connect(options: ConnectOptions, parameters?: UserParameters): Promise<Peer> {
    this.#alive();
    const { port, host = 'localhost', family, psk, timeoutMs, signal } = options;
    if (!(Number.isInteger(port) && port > 0 && port <= 0xffff)) throw argument(`the port ${String(port)}: it goes from 1 to 65535`);
    if (timeoutMs !== undefined && !(timeoutMs >= 1 && timeoutMs < 2 ** 31)) throw argument(`timeoutMs is ${String(timeoutMs)}`);
    const own = psk === undefined ? null : new PskSource(psk);
    // What can be known now is said before a socket is opened.
    if (this.#handler.getUserParameters === undefined || parameters !== undefined) {
      clientParameters(this.#means, { own, serverName: null, host }, parameters);
    }
    const who = formatSession({ address: host, port });
    const late = new LocalError('ERR_DTLS_TIMEOUT', `the handshake with ${who} was not complete after ${(timeoutMs ?? 0) / 1000} s`);
    return patiently({ timeoutMs, signal }, late, async (stop) => {
      const startedAt = performance.now();
      const address = await unless(stop, this.#addressOf(host, family));
      stop.throwIfAborted();
      this.#alive();
      const left = timeoutMs === undefined ? undefined : Math.max(1, timeoutMs - (performance.now() - startedAt));
      const wanted = { own, serverName: options.serverName, host };
      return this.#handshake({ address, port }, wanted, parameters, left, stop);
    });
  }

  /**
   * Sends `data` (text: as UTF-8) as one datagram, copied. False: there is no complete association, and nothing was
   * kept. As with UDP, true is no promise that it arrives. Throws `ERR_DTLS_TOO_LARGE` above 16,384 bytes.
   */
  send(to: Peer | Session, data: Uint8Array | string): boolean {
    const session = to instanceof Peer ? to.session : to;
    if (this.#closing !== null || this.context.getPeer(session)?.state !== 'connected') return false;
    return this.context.write(session, typeof data === 'string' ? Buffer.from(data) : data) >= 0;
  }

  /** Ends one association with close_notify, or abandons a handshake. `disconnect` follows. False if there is none. */
  closePeer(to: Peer | Session): boolean {
    if (this.#closing !== null) return false;
    return this.context.close(to instanceof Peer ? to.session : to) === 0;
  }

  /** Sends close_notify to every peer, then closes the socket. May be called at any time, more than once. */
  close(): Promise<void> {
    return (this.#closing ??= this.#shutdown());
  }

  /** Where the socket is bound. Throws before it is. */
  address(): AddressInfo {
    if (this.#udp === null) throw argument('the socket is not bound');
    return this.#udp.address();
  }

  /** The peers with a complete association. */
  get peers(): readonly Peer[] {
    return [...this.#connected.values()];
  }

  /** Everything that is bounded, dropped or sent, in numbers. */
  stats(): SocketStats {
    return { ...this.context.stats(), ...this.#traffic };
  }

  /** Keeps the process alive while the socket is open (the default). */
  ref(): this {
    this.#referenced = true;
    this.#udp?.ref();
    return this;
  }

  /** Lets the process end though the socket is open. */
  unref(): this {
    this.#referenced = false;
    this.#udp?.unref();
    return this;
  }

  /** Begins a handshake, or joins in what is there already. */
  #handshake(session: Session, wanted: Wanted, parameters: UserParameters | undefined, timeMs: number | undefined, stop: AbortSignal): Promise<Peer> {
    const known = this.context.getPeer(session);
    const asked = clientParameters(this.#means, wanted, parameters ?? this.#handler.getUserParameters?.(this.context, session));
    stop.throwIfAborted();
    if (known?.state === 'connected' || known?.state === 'handshake') {
      const why = difference(this.#means, known, this.#asked.get(known), { own: wanted.own, parameters: asked });
      if (why !== null) throw new LocalError('ERR_DTLS_CONFLICT', `there is an association with ${formatSession(session)} already, ${why}`);
      return known.state === 'connected' ? Promise.resolve(known) : this.#attempts.wait(known.session, stop);
    }
    const chosen = { ...this.#timers, ...asked };
    const isTimed = timeMs === undefined || chosen.initialTimeoutMs !== undefined || chosen.maxRetransmits !== undefined;
    const peer = this.context.newPeer(session, { ...(isTimed ? {} : timersWithin(timeMs)), ...asked });
    this.#asked.set(peer, { own: wanted.own, parameters: asked });
    const outcome = this.#attempts.wait(peer.session, stop);
    try {
      this.context.connectPeer(peer);
    } catch (error) {
      this.#attempts.failed(peer.session, error as DtlsError);
    }
    return outcome;
  }

  /** The parameters of a client that comes to us. */
  #asServer(asked: UserParameters | null | undefined | void): UserParameters {
    const parameters = givenParameters(asked);
    if (this.#means.psk !== null || this.#handler.getPskInfo !== undefined) return parameters;
    const accepted = withoutPreShared(parameters.cipherSuites ?? this.#means.cipherSuites);
    return accepted.length === 0 ? parameters : { ...parameters, cipherSuites: accepted };
  }

  #callbacks(): DtlsHandler {
    return {
      ...keyCallbacks(this.#handler),
      write: (_context, session, datagram) => this.#write(session, datagram),
      read: (context, session, data) => {
        const peer = context.getPeer(session);
        if (peer !== undefined) this.#tell('message', Buffer.from(data), peer);
      },
      event: (context, session, level, code, detail) => {
        try {
          this.#handler.event?.(context, session, level, code, detail);
        } finally {
          this.#event(session, level, code, detail);
        }
      },
      getPskInfo: (context, session, type, description) => this.#pskInfo(context, session, type, description),
      getUserParameters: (context, session) => this.#asServer(this.#handler.getUserParameters?.(context, session)),
      schedule: (_context, atMs) => this.#schedule(atMs),
      error: (_context, session, error) => this.#tell('dtlsError', asError(error), session),
    };
  }

  #pskInfo(context: DtlsContext, session: SessionKey, type: PskInfoType, description: Uint8Array): Answer<Uint8Array> {
    const peer = context.getPeer(session);
    // Who asks is the handshake: a peer that we reached as client may be starting anew as ours.
    const source = (peer?.candidate?.role === 'client' ? this.#asked.get(peer)?.own : null) ?? this.#means.psk;
    if (source !== null) return source.answer(session, type, description);
    return quietly(() => this.#handler.getPskInfo?.(context, session, type, description));
  }

  #event(session: SessionKey, level: EventLevel, code: number, detail: DtlsError | undefined): void {
    if (level === 0 && code === DTLS_EVENT_CONNECTED) {
      const peer = this.context.getPeer(session)!;
      this.#connected.set(session, peer);
      this.#attempts.connected(session, peer);
      this.#tell('connect', peer);
    } else if (level === 0 && code === DTLS_EVENT_CLOSED) {
      this.#attempts.failed(session, new LocalError('ERR_DTLS_CLOSED', 'the handshake was closed before it was complete'));
      this.#ended(session);
    } else if (level === AlertLevel.fatal || (level === 0 && (code === DTLS_EVENT_TIMEOUT || code === DTLS_EVENT_ERROR))) {
      const error = detail ?? new LocalError('ERR_DTLS_ALERT', `the fatal alert ${code}`, code);
      if (!this.#attempts.failed(session, error)) this.#tell('dtlsError', error, session);
      this.#ended(session);
    }
  }

  /** Tells that an association is over, if it is (a newcomer's failure leaves the old one as it was). */
  #ended(session: SessionKey): void {
    const peer = this.#connected.get(session);
    if (peer === undefined || peer.state === 'connected' || peer.state === 'closing') return;
    this.#connected.delete(session);
    this.#tell('disconnect', peer);
  }

  /** A listener that throws must not disturb the engine it was called from. */
  #tell<K extends keyof DtlsSocketEvents>(event: K, ...args: DtlsSocketEvents[K]): void {
    try {
      (this as EventEmitter).emit(event, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  async #open(host: Promise<{ address: string; family: Family }>, port: number): Promise<UdpSocket> {
    const opening = (async () => {
      const { address, family } = await host;
      const udp = new UdpSocket(family, this.#udpOptions, {
        datagram: (bytes, from) => this.#receive(bytes, from),
        problem: (error) => this.#tell('error', error),
      });
      await udp.open(address, port);
      if (!this.#referenced) udp.unref();
      this.#udp = udp;
      return udp;
    })();
    this.#opening = opening;
    try {
      const udp = await opening;
      if (this.#closing === null) this.#tell('listening');
      return udp;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  /** The address of `host` as the socket's family spells it; the socket is open afterwards. */
  async #addressOf(host: string, family: Family | undefined): Promise<string> {
    const bound = this.#opening === null ? null : await this.#opening;
    if (bound === null) {
      const { address, family: found } = await resolveHost(host, family, false);
      // Another call may have opened it meanwhile.
      if (this.#opening !== null) return this.#addressOf(host, family);
      this.#alive();
      await this.#open(Promise.resolve({ address: found === 4 ? '0.0.0.0' : '::', family: found }), 0);
      return reachable(address);
    }
    const mapped = bound.family === 6 && this.#udpOptions.ipv6Only !== true && bound.address().address === '::' && family !== 6;
    const { address } = await resolveHost(host, bound.family, mapped);
    return reachable(address);
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#closing !== null) return;
    this.#traffic.datagramsReceived++;
    this.#traffic.bytesReceived += bytes.length;
    this.#tap?.('in', from, bytes);
    this.context.handleMessage(from, bytes);
  }

  #write(session: SessionKey, datagram: Uint8Array): number {
    const udp = this.#udp;
    if (udp === null || typeof session === 'string') return -1;
    this.#tap?.('out', session, datagram);
    const { length } = datagram;
    const carriesData = datagram[0] === ContentType.applicationData;
    const { address, port } = session;
    if (!udp.send(datagram, address, port, (error) => this.#sent(error, session, length, carriesData))) return -1;
    this.#traffic.datagramsSent++;
    this.#traffic.bytesSent += length;
    return 0;
  }

  /** The platform tells late what became of a datagram. Lost handshake datagrams are repeated by the engine's timers. */
  #sent(error: SystemError | null, session: SessionKey, length: number, carriesData: boolean): void {
    const isHandshake = this.#attempts.sent(session, error);
    if (error === null) return;
    this.#traffic.sendErrors++;
    if (this.#closing !== null) return;
    if (error.code === 'EMSGSIZE') {
      const mtu = lowerMtu(length);
      const peer = this.context.getPeer(session);
      if (peer !== undefined && peer.mtu > mtu) this.context.setMtu(session, mtu);
    }
    if (!isHandshake && carriesData) this.#tell('dtlsError', error, session);
  }

  /** The one timer. The socket keeps the process alive, not the timer. */
  #schedule(atMs: number): void {
    clearTimeout(this.#timer);
    if (atMs === 0) return;
    const delay = Math.min(Math.max(0, Math.ceil(atMs - this.#now())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      if (this.#closing === null) this.#schedule(this.context.checkRetransmit());
    }, delay).unref();
  }

  async #shutdown(): Promise<void> {
    // A listener may have called: the engine finishes what it is doing first.
    await undefined;
    const error = new LocalError('ERR_DTLS_FREED', 'the socket was closed');
    for (const session of this.#attempts.sessions) {
      this.#attempts.failed(session, error);
      this.context.close(session);
    }
    const peers = this.peers;
    this.#connected.clear();
    this.context.free();
    clearTimeout(this.#timer);
    for (const peer of peers) this.#tell('disconnect', peer);
    const udp = await this.#opening?.catch(() => null);
    await udp?.close();
    this.#tell('close');
  }

  #alive(): void {
    if (this.#closing !== null) throw new LocalError('ERR_DTLS_FREED', 'the socket was closed');
  }
}

function asError(error: unknown): DtlsError | SystemError {
  return error instanceof Error ? error : new LocalError('ERR_DTLS_CALLBACK', 'a callback threw', undefined, error);
}
