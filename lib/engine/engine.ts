/**
 * The rooms of one context under one roof: clock, randomness, tables, and the life of associations from birth to
 * release. Datagrams come in through `inbound`, effects leave through `progress` and `outbound`.
 *
 * Law: an association is released in one place, and then no table, deadline or callback knows it any more.
 */
import type { Hash, Hmac } from '../crypto/provider.js';
import type { KeyExchange } from '../crypto/suites.js';
import { retransmitDelay } from '../flight/timers.js';
import { CertificateType, type Trust } from '../handshake/authenticate.js';
import { CookieJar } from '../handshake/cookie.js';
import { ecdsaKeyTrust } from '../handshake/ecdsakey.js';
import type { HandshakeParameters } from '../handshake/negotiate.js';
import { startClient } from '../handshake12/client.js';
import { Handshake12, type KeyExchange12, type Table12 } from '../handshake12/handshake.js';
import { tablesOf } from '../handshake12/states.js';
import { getUint48, wipe } from '../wire/bytes.js';
import { DtlsError, LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription, AlertLevel } from '../wire/registry.js';
import { Association } from './association.js';
import { limitsOf, resolveParameters, type Config, type Parameters, type UserParameters } from './config.js';
import { Deadlines } from './deadlines.js';
import { DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_ERROR, fatalAlert, type Session } from './events.js';
import { Host } from './host.js';
import { Outbound } from './outbound.js';
import { Peer } from './peer.js';
import { Peers } from './peers.js';
import { canonical } from './session.js';
import type { Counters } from './stats.js';

export class Engine {
  readonly config: Config;
  readonly counters: Counters;
  readonly host: Host;
  readonly peers: Peers;
  readonly deadlines: Deadlines<Association> = new Deadlines();
  readonly outbound: Outbound;
  readonly cookies: CookieJar;
  /** The context is of no use any more: nobody is let in. */
  freed = false;
  readonly #hash: Hash;
  readonly #tables: { readonly client: Table12; readonly server: Table12 };
  readonly #standIn = (identity: Uint8Array): Uint8Array => this.#standInKey(identity);
  #standInSecret: Hmac | null = null;
  /** What the last handshake of each role could agree to, and what that was made from. */
  readonly #agreed: Record<'client' | 'server', { readonly from: readonly unknown[]; readonly agreed: HandshakeParameters } | null> = {
    client: null, server: null,
  };
  #latest = 0;
  /** Our own ClientHello randoms in flight, the last 48 bits of each: none of them may come back to us as a server. */
  readonly #ownRandoms: Set<number> = new Set();

  constructor(config: Config, host: Host, counters: Counters) {
    this.config = config;
    this.host = host;
    this.counters = counters;
    this.peers = new Peers(config);
    this.outbound = new Outbound(host, config.maxCorkedPeers);
    this.#hash = config.crypto.hashes.sha256!;
    this.cookies = new CookieJar(this.#hash, (length) => this.random(length), config.cookieLifetimeMs);
    this.#tables = tablesOf(new Set(config.cipherSuites.map((suite) => suite.keyExchange as KeyExchange12)));
  }

  /** Milliseconds; never goes back, whatever the host's clock does. */
  now(): number {
    const now = this.config.now();
    if (now > this.#latest) this.#latest = now;
    return this.#latest;
  }

  /** Milliseconds since 1970. */
  wallClock(): number {
    return this.config.wallClock();
  }

  /** Fresh randomness, checked: a source that fails or comes up short fails closed. */
  random(length: number): Uint8Array {
    let bytes: unknown;
    try {
      bytes = this.config.random(length);
    } catch (cause) {
      throw new LocalError('ERR_DTLS_RANDOM', 'the random source failed', AlertDescription.internalError, cause);
    }
    if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
      throw new LocalError('ERR_DTLS_RANDOM', `the random source gave no ${length} bytes`, AlertDescription.internalError);
    }
    return bytes;
  }

  /** A peer that is not in the table yet. The host is asked for its parameters if none are given. */
  newPeer(session: Session, parameters?: UserParameters): Peer {
    const key = canonical(session);
    return new Peer(key, resolveParameters(parameters ?? this.host.userParameters(key), this.config));
  }

  /** Starts a handshake as client. Throws a LocalError if it cannot even begin. */
  startClient(peer: Peer): Association {
    const { parameters } = peer;
    const association = new Association(peer, parameters, 'client', this, this.now(), 0, 0);
    const handshake = this.#handshake('client', parameters, association);
    association.begin(handshake, 0, limitsOf(parameters, this.config, this.host));
    startClient(handshake);
    this.#ownRandoms.add(getUint48(handshake.clientRandom, 26));
    peer.candidate = association;
    return association;
  }

  /** Begins as server: the ClientHello numbered `messageSeq`, in record `sequence`, is to be fed to the result. */
  startServer(peer: Peer, parameters: Parameters, sequence: number, messageSeq: number): Association {
    const association = new Association(peer, parameters, 'server', this, this.now(), sequence, messageSeq);
    association.begin(this.#handshake('server', parameters, association), messageSeq, limitsOf(parameters, this.config, this.host));
    peer.candidate = association;
    return association;
  }

  /** Puts a new peer into the table, if need be in place of an older half-open one. False if there is no room. */
  admit(peer: Peer): boolean {
    // One makes room for one; a second where newcomers that outlived their associations stand beyond the limit.
    let victim = this.peers.victim(peer.session);
    for (let evictions = 0; evictions < 2 && victim !== null && victim !== undefined; evictions++) {
      this.counters.evicted++;
      const error = new LocalError('ERR_DTLS_EVICTED', 'a half-open peer gave way to the limit of half-open peers');
      this.end(victim.candidate!, 0, DTLS_EVENT_ERROR, error);
      // The host heard of it: it may have freed the context, begun with the same session, or taken the room.
      if (this.freed || this.peers.find(peer.session) !== undefined) return false;
      victim = this.peers.victim(peer.session);
    }
    if (victim !== null || this.freed || this.peers.find(peer.session) !== undefined) return false;
    this.peers.add(peer);
    peer.table = this.peers;
    return true;
  }

  /** Tells the host that a handshake begins; beside a living association it hears only of how that ends. */
  announce(association: Association): void {
    if (association.announced) return;
    association.announced = true;
    if (association.peer.current === null) this.host.event(association.peer.session, 0, DTLS_EVENT_CONNECT);
  }

  /** Whether `random` is of a ClientHello that this context sent and still waits on. */
  isOwnRandom(random: Uint8Array): boolean {
    return this.#ownRandoms.size > 0 && this.#ownRandoms.has(getUint48(random, 26));
  }

  /** Arms the retransmission timer for the present attempt. The random that our hello shows spreads it: no secret hangs on that. */
  arm(association: Association): void {
    const { parameters, attempt, making } = association;
    const random = making?.handshake.ownRandom;
    const chance = (random?.[attempt % random.length] ?? 0) / 256;
    this.deadlines.set(association, this.now() + retransmitDelay(parameters, attempt, chance));
  }

  /**
   * Ends an association for an error, with a fatal alert to the peer and an event to the host. Returns the code that
   * `handleMessage` reports.
   */
  fail(association: Association, error: unknown): number {
    if (association.released) return 0;
    const known = error instanceof DtlsError ? error : internal(error);
    const alert = known.alert ?? AlertDescription.internalError;
    this.outbound.alert(association, AlertLevel.fatal, alert);
    if (!association.announced && known instanceof LocalError) this.host.report(association.peer.session, known);
    // A failed newcomer is no matter of the association that goes on: the host hears of it, but not as an alert.
    const newcomer = association.peer.current !== null && association.peer.current !== association;
    if (known instanceof PeerError && !newcomer) this.end(association, AlertLevel.fatal, alert, known);
    else this.end(association, 0, DTLS_EVENT_ERROR, known);
    return fatalAlert(alert);
  }

  /** Releases an association, then tells the host why, if it ever heard of it. */
  end(association: Association, level: 0 | 1 | 2, code: number, detail?: DtlsError): void {
    if (association.released) return;
    const { session } = association.peer;
    this.release(association);
    if (association.announced) this.host.event(session, level, code, detail);
  }

  /** Sends close_notify and waits for the peer's, or abandons a handshake with user_canceled; CLOSED follows once. */
  close(peer: Peer): void {
    const { candidate, current } = peer;
    if (candidate !== null && !candidate.closing) {
      candidate.closing = true;
      this.outbound.alert(candidate, AlertLevel.fatal, AlertDescription.userCanceled);
      if (current === null) this.end(candidate, 0, DTLS_EVENT_CLOSED);
      else this.release(candidate);
    }
    if (current === null || current.closing || current.released) return;
    current.closing = true;
    current.dropFlight();
    this.outbound.alert(current, AlertLevel.warning, AlertDescription.closeNotify);
    if (!current.released) this.deadlines.set(current, this.now() + this.config.closeTimeoutMs);
  }

  /** A closing peer makes room for its successor. */
  supersede(peer: Peer): void {
    if (peer.candidate !== null) this.release(peer.candidate);
    if (peer.current !== null) this.end(peer.current, 0, DTLS_EVENT_CLOSED);
  }

  /** Forgets a peer. Tells nobody. */
  forget(peer: Peer): void {
    if (peer.candidate !== null) this.release(peer.candidate);
    if (peer.current !== null) this.release(peer.current);
  }

  /** Forgets an association and everything of it; its peer too, if it has no other. Tells nobody. */
  release(association: Association): void {
    if (association.released) return;
    const { peer } = association;
    this.deadlines.clear(association);
    this.forgetRandom(association);
    this.outbound.discard(association);
    association.wipe();
    if (peer.current === association) peer.current = null;
    if (peer.candidate === association) peer.candidate = null;
    if (peer.current === null && peer.candidate !== null) this.peers.reopen(peer);
    if (peer.current !== null || peer.candidate !== null) return;
    this.peers.remove(peer);
    peer.table = null;
  }

  /** The handshake of `association` is over: its random may come back. */
  forgetRandom(association: Association): void {
    if (association.role === 'client' && association.making !== null) {
      this.#ownRandoms.delete(getUint48(association.making.handshake.clientRandom, 26));
    }
  }

  /** Sends close_notify to every peer and forgets everything, the context's own secrets too. Tells nobody. */
  free(): void {
    // From here on callbacks that call in are told so, and nobody new is let in.
    this.freed = true;
    for (const peer of this.peers.all()) {
      const { current } = peer;
      if (current !== null && !current.closing) this.outbound.alert(current, AlertLevel.warning, AlertDescription.closeNotify);
      this.forget(peer);
    }
    this.cookies.wipe();
    this.outbound.wipe();
    this.#standInSecret?.wipe();
    this.#standInSecret = null;
    this.#ownRandoms.clear();
  }

  #handshake(role: 'client' | 'server', parameters: Parameters, association: Association): Handshake12 {
    const agreed = this.#agreeable(role, parameters);
    return new Handshake12(role, this.#tables[role], agreed, this.config.crypto, association, this.#standIn);
  }

  /** What a handshake may agree to: the same object as last time unless parameters or callbacks have changed. */
  #agreeable(role: 'client' | 'server', parameters: Parameters): HandshakeParameters {
    const { getCertificate, getEcdsaKey, verifyEcdsaKey, getPskInfo, verifyCertificate } = this.host.handler;
    const from = [parameters, getCertificate, getEcdsaKey, verifyEcdsaKey, getPskInfo, verifyCertificate];
    const known = this.#agreed[role];
    if (known !== null && from.every((part, index) => part === known.from[index])) return known.agreed;
    const { maxPskIdentityBytes, maxHelloVerifyRequests } = this.config;
    const asksCredential = getCertificate !== undefined || getEcdsaKey !== undefined;
    const ownTypes = [...(getCertificate ? [CertificateType.x509] : []), ...(getEcdsaKey ? [CertificateType.rawKey] : [])];
    const trust = verifyEcdsaKey === undefined ? parameters.trust : ecdsaKeyTrust(parameters.trust);
    const cipherSuites = parameters.cipherSuites.filter(({ keyExchange }) => this.#canDo(keyExchange, role, trust));
    if (role === 'client' && cipherSuites.length === 0) {
      const why = 'no getPskInfo, no option trust and no verifyEcdsaKey: no suite could authenticate a server';
      throw new LocalError('ERR_DTLS_CREDENTIAL', why, AlertDescription.internalError);
    }
    // A host that verifies raw keys requires them, whenever it set the callback, unless it says otherwise.
    const clientAuthentication = parameters.clientAuthentication ?? (verifyEcdsaKey === undefined ? 'none' : 'require');
    const agreed = {
      ...parameters, cipherSuites, trust, clientAuthentication, maxPskIdentityBytes, maxHelloVerifyRequests, asksCredential, ownTypes,
    };
    this.#agreed[role] = { from, agreed };
    return agreed;
  }

  /** Whether the host has what a key exchange needs on our side: what we cannot finish is not offered. */
  #canDo(keyExchange: KeyExchange, role: 'client' | 'server', trust: Trust | null): boolean {
    const { getPskInfo } = this.host.handler;
    if (keyExchange.preShared && getPskInfo === undefined) return false;
    return !keyExchange.certified || role === 'server' || trust !== null;
  }

  #standInKey(identity: Uint8Array): Uint8Array {
    if (this.#standInSecret === null) {
      const secret = this.random(32);
      this.#standInSecret = this.#hash.hmac(secret);
      wipe(secret);
    }
    const key = new Uint8Array(this.#hash.outputLength);
    this.#standInSecret.compute(key, 0, identity);
    return key;
  }
}

/** Something that is no error of ours was thrown below: a bug, or a callback's. Fails closed. */
function internal(cause: unknown): LocalError {
  return new LocalError('ERR_DTLS_INTERNAL', 'the handshake failed on our side', AlertDescription.internalError, cause);
}
