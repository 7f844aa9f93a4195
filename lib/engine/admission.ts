/**
 * The door: a ClientHello from a session without an association is answered without state, or let in with a cookie
 * that proves its address (RFC 6347 §4.2.1).
 *
 * Law: before a valid cookie nothing is allocated that outlives the call, no timer runs, and never more bytes go out
 * than came in.
 */
import { ClientHelloStart } from '../message/hello.js';
import type { Fragment } from '../message/handshake.js';
import { MAX_SEQUENCE } from '../record/header12.js';
import type { RecordWalk } from '../record/records.js';
import type { Association } from './association.js';
import { resolveParameters, type Parameters } from './config.js';
import type { Engine } from './engine.js';
import type { Session, SessionKey } from './events.js';
import type { Peer } from './peer.js';
import { HELLO_VERIFY_REQUEST } from './outbound.js';
import { canonical, sessionBytes } from './session.js';

/** Record numbers that a server needs after the ClientHello's, whose number it goes on from. */
const SEQUENCE_RESERVE = 2 ** 20;

/** What the door says: turned away, told the cookie, or in; `checked` if the whole cookie was right. */
export type Verdict = 'out' | 'answered' | 'in' | 'checked';

export class Admission {
  readonly #engine: Engine;
  readonly #start: ClientHelloStart = new ClientHelloStart();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Looks at a ClientHello fragment of epoch 0. It was read from `record`; its datagram has `record.datagram.length` bytes.
   * A failing random source is reported to the host: nothing is thrown at the door, and nobody let in.
   */
  judge(session: Session, record: RecordWalk, fragment: Fragment): Verdict {
    try {
      return this.#verdict(session, record, fragment);
    } catch (error) {
      this.#engine.host.report(canonical(session), error);
      return 'out';
    }
  }

  #verdict(session: Session, record: RecordWalk, fragment: Fragment): Verdict {
    const { config, cookies, counters, outbound } = this.#engine;
    const bytes = record.datagram;
    const start = this.#start;
    // A fragment that does not hold the cookie field, or a datagram smaller than our answer, gets none.
    if (fragment.offset !== 0 || bytes.length < HELLO_VERIFY_REQUEST || !start.read(bytes, fragment.start, fragment.end)) {
      counters.drop('malformed');
      return 'out';
    }
    if (!config.acceptClients) {
      counters.drop('unexpected');
      return 'out';
    }
    if (fragment.length > config.maxMessageBytes) {
      counters.drop('bounds');
      return 'out';
    }
    if (config.cookieExchange === 'never') return this.#fits(record) ? 'checked' : 'out';
    const now = this.#engine.now();
    const name = sessionBytes(session);
    if (start.cookieEnd > start.cookie) {
      if (fragment.whole) {
        if (cookies.accepts(now, name, bytes, start, fragment.length)) return this.#fits(record) ? 'checked' : 'out';
      } else if (cookies.provesAddress(now, name, bytes, start)) {
        return this.#fits(record) ? 'in' : 'out';
      }
    }
    counters.drop('cookie');
    counters.helloVerifyRequests++;
    const cookie = cookies.make(now, name, bytes, start, fragment.length);
    outbound.helloVerifyRequest(session, record.sequence, fragment.messageSeq, cookie);
    return 'answered';
  }

  /** Whether the whole cookie of a reassembled ClientHello is right. A failing random source is reported, as by `judge`. */
  acceptsWhole(session: SessionKey, body: Uint8Array): boolean {
    const { cookies, host } = this.#engine;
    const start = this.#start;
    try {
      return start.read(body, 0, body.length) && cookies.accepts(this.#engine.now(), sessionBytes(session), body, start, body.length);
    } catch (error) {
      host.report(session, error);
      return false;
    }
  }

  /** The random of a ClientHello's first fragment, a view; null if the fragment does not hold it. */
  randomOf(record: RecordWalk, fragment: Fragment): Uint8Array | null {
    if (fragment.offset !== 0 || fragment.end - fragment.start < 34) return null;
    return record.datagram.subarray(fragment.start + 2, fragment.start + 34);
  }

  /** Whether a ClientHello with this random is one of ours, come back: nobody shakes hands with himself (RFC 9257 §4.1). */
  isReflected(random: Uint8Array): boolean {
    if (!this.#engine.isOwnRandom(random)) return false;
    this.#engine.counters.drop('reflected');
    return true;
  }

  /** Lets a ClientHello in (`fragment` of `record`): as a new peer, or as a newcomer beside an old association. */
  accept(session: Session, known: Peer | null, record: RecordWalk, fragment: Fragment, verdict: Verdict): Association | null {
    const engine = this.#engine;
    const { sequence } = record;
    const { messageSeq } = fragment;
    const random = this.randomOf(record, fragment);
    if (random !== null && this.isReflected(random)) return null;
    const peer = known ?? this.#newPeer(session);
    if (peer === null) return null;
    const parameters = known === null ? peer.parameters : this.#newcomersParameters(peer);
    if (parameters === null) return null;
    const old = peer.candidate;
    const association = engine.startServer(peer, parameters, sequence, messageSeq);
    association.cookieAccepted = verdict === 'checked';
    if (old !== null) {
      // The host heard of one handshake: it hears of its end, whichever hello that comes with.
      association.announced = old.announced;
      engine.release(old);
    }
    try {
      engine.arm(association);
    } catch (error) {
      engine.fail(association, error);
      return null;
    }
    // A hello in fragments is announced when it is whole and its cookie right.
    if (association.cookieAccepted) engine.announce(association);
    return association.released ? null : association;
  }

  #newPeer(session: Session): Peer | null {
    const engine = this.#engine;
    let peer: Peer;
    try {
      peer = engine.newPeer(session);
    } catch (error) {
      engine.host.report(canonical(session), error);
      return null;
    }
    // The callback may have made a peer of the same session.
    if (engine.peers.find(session) !== undefined || !engine.admit(peer)) {
      engine.counters.drop('limit');
      return null;
    }
    return peer;
  }

  /** Asks the host for parameters anew: those of the association in use may be of another role. Null if the host refuses. */
  #newcomersParameters(peer: Peer): Parameters | null {
    const { host, config } = this.#engine;
    try {
      const parameters = resolveParameters(host.userParameters(peer.session), config);
      if (peer.table === null) return null;
      // The server that we reached may come back as a client, but not as nobody: the host goes on as it did with the server.
      const reached = peer.state === 'connected' && peer.role === 'client';
      return reached ? { ...parameters, clientAuthentication: 'require' } : parameters;
    } catch (error) {
      host.report(peer.session, error);
      return null;
    }
  }

  #fits(record: RecordWalk): boolean {
    if (record.sequence <= MAX_SEQUENCE - SEQUENCE_RESERVE) return true;
    this.#engine.counters.drop('bounds');
    return false;
  }
}
