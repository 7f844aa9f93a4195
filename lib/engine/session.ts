/**
 * Sessions by value: the frozen canonical form of an address, and its bytes for the cookie.
 */
import { putUint16, putUint32 } from '../wire/bytes.js';
import { argument } from '../wire/errors.js';
import type { Session, SessionAddress, SessionKey } from './events.js';
import type { Peer } from './peer.js';

/**
 * The canonical session of one peer, frozen. It knows its peer through a private field, so that handing it back
 * costs no look-up at all.
 */
export class CanonicalSession implements SessionAddress {
  readonly address: string;
  readonly port: number;
  readonly ifindex: number | undefined;
  #peer: Peer | null = null;

  constructor(session: SessionAddress) {
    this.address = session.address;
    this.port = session.port;
    this.ifindex = session.ifindex;
    Object.freeze(this);
  }

  static bind(session: SessionKey, peer: Peer | null): void {
    if (typeof session === 'object' && #peer in session) session.#peer = peer;
  }

  /** The peer this very object was handed out for, while it lives. */
  static peerOf(session: SessionAddress): Peer | null {
    return #peer in session ? (session as CanonicalSession).#peer : null;
  }
}

/** Throws a LocalError unless `session` is a string or an address with a port. */
export function checkSession(session: Session): void {
  if (typeof session === 'string') return;
  if (typeof session === 'object' && session !== null && typeof session.address === 'string') {
    const { port, ifindex } = session;
    if (isPort(port) && (ifindex === undefined || (Number.isInteger(ifindex) && ifindex >= 0 && ifindex < 2 ** 31))) return;
  }
  throw argument('a session is a string or { address: string, port: 0…65535, ifindex?: number }');
}

function isPort(port: unknown): boolean {
  return typeof port === 'number' && port >= 0 && port <= 0xffff && Number.isInteger(port);
}

/** The form callbacks get. */
export function canonical(session: Session): SessionKey {
  return typeof session === 'string' ? session : new CanonicalSession(session);
}

/** Port and interface as one number, the key within an address. */
export function portKey(session: SessionAddress): number {
  return session.port + (session.ifindex ?? 0) * 0x1_0000;
}

let scratch: Uint8Array = new Uint8Array(256);

/** The session's bytes, injective; a view that the next call overwrites. */
export function sessionBytes(session: Session): Uint8Array {
  const text = typeof session === 'string' ? session : session.address;
  const length = 7 + 2 * text.length;
  if (scratch.length < length) scratch = new Uint8Array(length);
  scratch[0] = typeof session === 'string' ? 1 : 2;
  putUint32(scratch, 1, typeof session === 'string' ? 0 : (session.ifindex ?? 0));
  putUint16(scratch, 5, typeof session === 'string' ? 0 : session.port);
  for (let i = 0; i < text.length; i++) putUint16(scratch, 7 + 2 * i, text.charCodeAt(i));
  return scratch.subarray(0, length);
}
