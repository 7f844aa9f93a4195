/**
 * The public face: a context takes datagrams in and gives datagrams, data and events out through the host's
 * callbacks. It owns no socket and no timer; the host drives `checkRetransmit`.
 *
 * Law: arguments are checked here and only here; nothing that a peer sends is ever thrown.
 */
import { concat, copyOf } from '../wire/bytes.js';
import { argument, LocalError } from '../wire/errors.js';
import { AlertDescription, AlertLevel } from '../wire/registry.js';
import { MAX_DATAGRAM, MIN_MTU, resolveConfig, type DtlsOptions, type UserParameters } from './config.js';
import { defaultSources } from './defaults.js';
import { Engine } from './engine.js';
import type { DtlsHandler, Session } from './events.js';
import { Host } from './host.js';
import { Inbound } from './inbound.js';
import { Peer } from './peer.js';
import { Progress } from './progress.js';
import { canonical, checkSession } from './session.js';
import { Counters, type Stats } from './stats.js';

interface Deferred {
  readonly session: Session;
  readonly datagram: Uint8Array;
}

/** A DTLS engine: server and client at once, any number of peers. */
export class DtlsContext {
  /** A slot for the host. */
  app: unknown;
  readonly #engine: Engine;
  readonly #progress: Progress;
  readonly #inbound: Inbound;
  readonly #deferred: Deferred[] = [];
  #depth = 0;
  /** The deadline the host was last told. */
  #announced = 0;

  /**
   * `handler`: the callbacks; only `write` is required. `options`: `crypto` and `cipherSuites` are required in
   * `microdtls/core`, everything else has defaults. Throws a LocalError for what cannot be.
   */
  constructor(handler: DtlsHandler, options: DtlsOptions) {
    if (typeof options !== 'object' || options === null) throw argument('options are missing');
    this.app = options.app;
    const counters = new Counters();
    const host = new Host(this, checkHandler(handler), counters);
    this.#engine = new Engine(resolveConfig(options, defaultSources, host), host, counters);
    this.#progress = new Progress(this.#engine);
    this.#inbound = new Inbound(this.#engine, this.#progress);
    this.#progress.detached = (work) => this.#detached(work);
  }

  /** Replaces the callbacks. */
  setHandler(handler: DtlsHandler): void {
    this.#engine.host.handler = checkHandler(handler);
  }

  /**
   * Takes in one datagram from `session`. 0: taken, or dropped as the RFC says; negative: a fatal alert was sent or
   * received, as −(level·256 + description). Called from within a callback the datagram waits (copied, bounded) until
   * the call in progress ends, and the answer is 0. Throws for arguments of the wrong type, after `free`, and what a
   * callback threw where there is no `error` callback; never for what a peer sends.
   */
  handleMessage(session: Session, datagram: Uint8Array): number {
    checkSession(session);
    if (!(datagram instanceof Uint8Array)) throw new TypeError('a datagram is a Uint8Array');
    this.#alive();
    if (this.#depth > 0) {
      this.#defer(session, datagram);
      return 0;
    }
    this.#depth++;
    let code: number;
    try {
      code = this.#inbound.receive(session, datagram);
    } finally {
      this.#leave();
    }
    this.#engine.host.rethrow();
    return code;
  }

  /** Starts a handshake as client: > 0 a ClientHello was sent, 0 there is an association or a handshake already. */
  connect(session: Session): number {
    checkSession(session);
    this.#alive();
    const known = this.#engine.peers.find(session);
    if (known !== undefined && known.state !== 'closing') return 0;
    return this.connectPeer(this.newPeer(session));
  }

  /** A peer with parameters of its own, to be handed to `connectPeer`. Nothing is sent. */
  newPeer(session: Session, parameters?: UserParameters): Peer {
    checkSession(session);
    this.#alive();
    return this.#engine.newPeer(session, parameters);
  }

  /** As `connect`, for a peer of `newPeer`. */
  connectPeer(peer: Peer): number {
    this.#alive();
    if (!(peer instanceof Peer)) throw argument('connectPeer takes a peer of newPeer');
    const engine = this.#engine;
    if (peer.table !== null && peer.table !== engine.peers) throw argument('this peer lives in another context');
    const known = engine.peers.find(peer.session);
    if (known !== undefined && known.state !== 'closing') return 0;
    return this.#enter(() => {
      if (known !== undefined) engine.supersede(known);
      // The host may have connected anew when it heard of the end.
      if (engine.peers.find(peer.session) !== undefined) return 0;
      // The flight is made before the peer enters the table: if there is no randomness, there is no peer.
      const association = engine.startClient(peer);
      if (!engine.admit(peer)) {
        engine.release(association);
        this.#alive();
        if (engine.peers.find(peer.session) !== undefined) return 0;
        throw new LocalError('ERR_DTLS_EVICTED', 'there is no room for another peer: see maxPeers');
      }
      engine.announce(association);
      this.#progress.settle(association);
      return 1;
    });
  }

  /**
   * Sends application data as one record: > 0 bytes taken, or kept where corked (0 for empty data); 0 not connected yet, nothing kept (with
   * no peer at all it starts `connect`); < 0 what the write callback returned, the record number is spent. Throws
   * `ERR_DTLS_TOO_LARGE` above 16,384 bytes and `ERR_DTLS_SEQUENCE_EXHAUSTED` after 2^48 records.
   */
  write(session: Session, data: Uint8Array): number {
    checkSession(session);
    if (!(data instanceof Uint8Array)) throw new TypeError('data is a Uint8Array');
    this.#alive();
    const peer = this.#engine.peers.find(session);
    if (peer === undefined) {
      this.connect(session);
      return 0;
    }
    const { current } = peer;
    if (current === null || current.closing) return 0;
    this.#depth++;
    let taken: number;
    try {
      taken = this.#engine.outbound.applicationData(current, data);
    } finally {
      this.#leave();
    }
    if (this.#depth === 0) this.#engine.host.rethrow();
    return taken;
  }

  /** As `write`, for data in parts that go out as one record. */
  writev(session: Session, parts: readonly Uint8Array[]): number {
    if (!Array.isArray(parts) || !parts.every((part) => part instanceof Uint8Array)) throw new TypeError('parts are Uint8Arrays');
    return this.write(session, parts.length === 1 ? parts[0]! : concat(...parts));
  }

  /**
   * From here on the records of `write` wait in order and share datagrams of at most the peer's MTU, until `uncork` or a
   * full datagram; nothing else sends them but `close` and `free`. A record that is larger goes alone, and its `write`
   * says how that went. False, and nothing changes: no association, or `maxCorkedPeers` are corked. Twice is as once.
   */
  cork(session: Session): boolean {
    checkSession(session);
    this.#alive();
    const current = this.#engine.peers.find(session)?.current ?? null;
    return current !== null && !current.closing && this.#engine.outbound.cork(current);
  }

  /**
   * Sends what waits. 0; or what the write callback first returned below 0 since `cork` (those records are lost, as with
   * `write`); or −1 if nothing is corked: what waited went with its association.
   */
  uncork(session: Session): number {
    checkSession(session);
    this.#alive();
    const current = this.#engine.peers.find(session)?.current ?? null;
    return current === null ? -1 : this.#enter(() => this.#engine.outbound.uncork(current));
  }

  /**
   * Sends close_notify and waits (bounded) for the other side's; CLOSED follows once. A handshake in progress is
   * abandoned with user_canceled. Returns 0, or −1 if there is no such peer.
   */
  close(session: Session): number {
    checkSession(session);
    this.#alive();
    const peer = this.#engine.peers.find(session);
    if (peer === undefined) return -1;
    return this.#enter(() => {
      this.#engine.close(peer);
      return 0;
    });
  }

  /** Renegotiation is not available: it is refused in both directions (RFC 9325 §3.5). Returns −(256 + no_renegotiation). */
  renegotiate(session: Session): number {
    checkSession(session);
    return -(AlertLevel.warning * 256 + AlertDescription.noRenegotiation);
  }

  /**
   * Does what is due: at most one retransmission for each peer. Returns when to call again, on the context's clock,
   * or 0 when nothing waits.
   */
  checkRetransmit(): number {
    this.#alive();
    if (this.#depth > 0) return this.#engine.deadlines.earliest;
    const { deadlines } = this.#engine;
    this.#enter(() => {
      const now = this.#engine.now();
      for (let due = deadlines.due(now); due !== null; due = deadlines.due(now)) this.#progress.expire(due);
    });
    // Only now: what callbacks handed in and what `schedule` did may have changed it.
    return deadlines.earliest;
  }

  /** The peer of `session`, if there is one. */
  getPeer(session: Session): Peer | undefined {
    checkSession(session);
    return this.#engine.peers.find(session);
  }

  /** Forgets a peer, sends nothing, tells nobody. */
  resetPeer(peer: Peer): void {
    if (!(peer instanceof Peer)) throw argument('resetPeer takes a peer');
    if (peer.table !== this.#engine.peers) return;
    this.#enter(() => this.#engine.forget(peer));
  }

  /** Tells that the path to `session` takes datagrams of `bytes` at most (100 to 65,507). False if there is no such peer. */
  setMtu(session: Session, bytes: number): boolean {
    checkSession(session);
    if (!(Number.isInteger(bytes) && bytes >= MIN_MTU && bytes <= MAX_DATAGRAM)) {
      throw argument(`an MTU of ${String(bytes)}: it goes from ${MIN_MTU} to ${MAX_DATAGRAM}`);
    }
    const peer = this.#engine.peers.find(session);
    if (peer === undefined) return false;
    const smaller = bytes < peer.pathMtu;
    peer.pathMtu = bytes;
    const { candidate } = peer;
    // A host that hears of EMSGSIZE late should not have to wait for the timer too.
    if (smaller && candidate !== null && candidate.building === null && candidate.question === null) this.#enter(() => this.#engine.outbound.flight(candidate));
    return true;
  }

  /** Everything that is bounded or dropped, in numbers. */
  stats(): Stats {
    const { peers, counters, deadlines } = this.#engine;
    let heldBytes = 0;
    for (const peer of peers.all()) heldBytes += (peer.current?.heldBytes ?? 0) + (peer.candidate?.heldBytes ?? 0);
    const { helloVerifyRequests, retransmissions, evicted, callbackErrors, dropped } = counters;
    const { halfOpen } = peers;
    return {
      halfOpen, established: peers.size - halfOpen, heldBytes, deadlines: deadlines.size,
      helloVerifyRequests, retransmissions, evicted, callbackErrors, dropped: { ...dropped },
    };
  }

  /** Sends close_notify to every peer, best effort, and forgets everything. The context is of no use afterwards. */
  free(): void {
    if (this.#engine.freed) return;
    this.#enter(() => {
      this.#engine.free();
      this.#inbound.wipe();
      this.#deferred.length = 0;
    });
  }

  #defer(session: Session, datagram: Uint8Array): void {
    if (this.#deferred.length >= this.#engine.config.maxDeferredDatagrams) {
      this.#engine.counters.drop('deferred');
      return;
    }
    this.#deferred.push({ session: canonical(session), datagram: copyOf(datagram) });
  }

  #enter<T>(work: () => T): T {
    this.#depth++;
    let result: T;
    try {
      result = work();
    } finally {
      this.#leave();
    }
    if (this.#depth === 0) this.#engine.host.rethrow();
    return result;
  }

  /** A promise of the host settled: an engine call of its own that nobody called. */
  #detached(work: () => void): void {
    if (this.#engine.freed) return;
    this.#depth++;
    try {
      work();
    } finally {
      this.#leave();
    }
    this.#engine.host.surface();
  }

  /** At the end of the outermost call: what callbacks handed in, then the host's timer. */
  #leave(): void {
    if (this.#depth > 1) {
      this.#depth--;
      return;
    }
    try {
      do {
        while (this.#deferred.length > 0) {
          const { session, datagram } = this.#deferred.shift()!;
          this.#inbound.receive(session, datagram);
        }
        this.#announceDeadline();
        // What the host hands in when it hears of a deadline is taken in by this call too.
      } while (this.#deferred.length > 0);
    } finally {
      this.#depth--;
    }
  }

  #announceDeadline(): void {
    const { earliest } = this.#engine.deadlines;
    const earlier = earliest === 0 ? this.#announced !== 0 : this.#announced === 0 || earliest < this.#announced;
    // A call that is about to throw returns no deadline: its host must hear of it here.
    const silent = earliest !== 0 && this.#engine.host.hasUncaught;
    this.#announced = earliest;
    if (!earlier && !silent) return;
    this.#engine.host.schedule(earliest);
    // The host may have connected or closed meanwhile.
    if (this.#engine.deadlines.earliest !== earliest) this.#announceDeadline();
  }

  #alive(): void {
    if (this.#engine.freed) throw new LocalError('ERR_DTLS_FREED', 'the context was freed');
  }
}

function checkHandler(handler: DtlsHandler): DtlsHandler {
  if (typeof handler !== 'object' || handler === null || typeof handler.write !== 'function') {
    throw argument('the handler needs a write callback');
  }
  return handler;
}
