/**
 * The peer hash map: peers by session, and the bounds on how many there may be.
 *
 * Law: an established peer never gives way to a newcomer; among half-open ones the oldest of the fullest address
 * does (the port is ignored, it costs an attacker nothing). No string is built per look-up.
 */
import type { Session, SessionAddress, SessionKey } from './events.js';
import { Line, type Placed } from './line.js';
import type { Peer } from './peer.js';
import { CanonicalSession, portKey } from './session.js';

/** The half-open peers of one address, and the crowd's place among crowds of its size. */
class Crowd implements Placed {
  readonly line: Line<Peer> = new Line();
  place = -1;
}

export class Peers {
  readonly #maxPeers: number;
  readonly #maxHalfOpen: number;
  readonly #maxPerAddress: number;
  /**
   * By port first: a number is hashed at once, where the address of a datagram is a new string whose hash nobody knows
   * yet. Most ports have one peer: then it stands here itself, without a map of addresses, and one comparison tells.
   */
  readonly #byPort: Map<number, Peer | Map<string, Peer>> = new Map();
  /** The peer of the last address that was asked for: datagrams come in bursts. */
  #latest: Peer | null = null;
  readonly #byName: Map<string, Peer> = new Map();
  readonly #crowds: Map<string, Crowd> = new Map();
  /** Crowds by their size, so that the fullest is found at once. */
  readonly #bySize: Line<Crowd>[] = [];
  #size = 0;
  #halfOpen = 0;

  constructor(limits: { maxPeers: number; maxHalfOpenPeers: number; maxHalfOpenPeersPerAddress: number }) {
    this.#maxPeers = limits.maxPeers;
    this.#maxHalfOpen = limits.maxHalfOpenPeers;
    this.#maxPerAddress = limits.maxHalfOpenPeersPerAddress;
  }

  get size(): number {
    return this.#size;
  }

  get halfOpen(): number {
    return this.#halfOpen;
  }

  /** The peer of `session`, by value. */
  find(session: Session): Peer | undefined {
    if (typeof session === 'string') return this.#byName.get(session);
    const own = CanonicalSession.peerOf(session);
    if (own !== null && own.table === this) return own;
    const latest = this.#latest;
    if (latest !== null && isAt(latest, session)) return latest;
    const at = this.#byPort.get(portKey(session));
    const peer = at instanceof Map ? at.get(session.address) : at;
    if (peer === undefined || !isAt(peer, session)) return undefined;
    this.#latest = peer;
    return peer;
  }

  /**
   * Which half-open peer must go before one more of `session`'s address comes in: a peer, null if there is room,
   * undefined if there is none to be made.
   */
  victim(session: Session): Peer | null | undefined {
    const crowd = this.#crowds.get(addressOf(session));
    if (crowd !== undefined && crowd.line.size >= this.#maxPerAddress) return crowd.line.oldest;
    if (this.#halfOpen < this.#maxHalfOpen && this.#size < this.#maxPeers) return null;
    return this.#bySize[this.#bySize.length - 1]?.oldest?.line.oldest;
  }

  /** Adds a peer that is half-open. */
  add(peer: Peer): void {
    const { session } = peer;
    if (typeof session === 'string') {
      this.#byName.set(session, peer);
    } else {
      const at = this.#byPort.get(portKey(session));
      if (at === undefined) this.#byPort.set(portKey(session), peer);
      else if (at instanceof Map) at.set(session.address, peer);
      else this.#byPort.set(portKey(session), new Map([[addressOf(at.session), at], [session.address, peer]]));
    }
    CanonicalSession.bind(session, peer);
    this.#size++;
    this.reopen(peer);
  }

  /** A peer is half-open: it is new, or lost its association while a newcomer shakes hands. */
  reopen(peer: Peer): void {
    const { session } = peer;
    const address = addressOf(session);
    if (peer.place >= 0) return;
    const crowd = this.#crowds.get(address) ?? new Crowd();
    this.#halfOpen++;
    crowd.line.join(peer);
    this.#crowds.set(address, crowd);
    this.#resize(crowd, crowd.line.size - 1);
  }

  /** A peer is half-open no longer. */
  establish(peer: Peer): void {
    const address = addressOf(peer.session);
    const crowd = this.#crowds.get(address);
    if (crowd === undefined || !crowd.line.leave(peer)) return;
    this.#halfOpen--;
    this.#resize(crowd, crowd.line.size + 1);
    if (crowd.line.size === 0) this.#crowds.delete(address);
  }

  /** Forgets a peer. */
  remove(peer: Peer): void {
    const { session } = peer;
    if (this.find(session) !== peer) return;
    this.#latest = null;
    if (typeof session === 'string') {
      this.#byName.delete(session);
    } else {
      const at = this.#byPort.get(portKey(session));
      if (at instanceof Map) at.delete(session.address);
      if (!(at instanceof Map) || at.size === 0) this.#byPort.delete(portKey(session));
    }
    CanonicalSession.bind(session, null);
    this.#size--;
    this.establish(peer);
  }

  /** Every peer, in a list that later changes do not touch. */
  all(): Peer[] {
    const peers = [...this.#byName.values()];
    for (const at of this.#byPort.values()) {
      if (at instanceof Map) for (const peer of at.values()) peers.push(peer);
      else peers.push(at);
    }
    return peers;
  }

  /** A crowd had `before` members and now has one more or less. */
  #resize(crowd: Crowd, before: number): void {
    this.#bySize[before]?.leave(crowd);
    const { size } = crowd.line;
    if (size > 0) (this.#bySize[size] ??= new Line()).join(crowd);
    while (this.#bySize.length > 0 && !(this.#bySize[this.#bySize.length - 1]?.size)) this.#bySize.pop();
  }
}

/** Whether a peer has this address. */
function isAt(peer: Peer, session: SessionAddress): boolean {
  const own = peer.session as CanonicalSession;
  return portKey(own) === portKey(session) && own.address === session.address;
}

function addressOf(session: SessionKey | Session): string {
  return typeof session === 'string' ? session : session.address;
}
