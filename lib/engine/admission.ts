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
import type { Engine } from './engine.js';
import type { Session } from './events.js';
import { HELLO_VERIFY_REQUEST } from './outbound.js';
import { sessionBytes } from './session.js';

/** Record numbers that a server needs after the ClientHello's, whose number it goes on from. */
const SEQUENCE_RESERVE = 2 ** 20;

/** What the door says: turned away (counted, perhaps answered), or in; `checked` if the whole cookie was right. */
export type Verdict = 'out' | 'in' | 'checked';

export class Admission {
  readonly #engine: Engine;
  readonly #start: ClientHelloStart = new ClientHelloStart();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** As `verdict`, with a failing random source reported to the host: nothing is thrown at the door, and nobody let in. */
  judge(session: Session, record: RecordWalk, fragment: Fragment): Verdict {
    try {
      return this.verdict(session, record, fragment);
    } catch (error) {
      this.#engine.host.report(session, error);
      return 'out';
    }
  }

  /** Looks at a ClientHello fragment of epoch 0. It was read from `record`; its datagram has `record.datagram.length` bytes. */
  verdict(session: Session, record: RecordWalk, fragment: Fragment): Verdict {
    const { config, cookies, counters, outbound } = this.#engine;
    const bytes = record.datagram;
    const start = this.#start;
    // A fragment that does not hold the cookie field, or a datagram smaller than our answer, gets none.
    if (fragment.offset !== 0 || bytes.length < HELLO_VERIFY_REQUEST || !start.read(bytes, fragment.start, fragment.end)) {
      counters.drop('malformed');
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
    return 'out';
  }

  /** Whether the whole cookie of a reassembled ClientHello is right. */
  acceptsWhole(session: Session, body: Uint8Array): boolean {
    const start = this.#start;
    return (
      start.read(body, 0, body.length) &&
      this.#engine.cookies.accepts(this.#engine.now(), sessionBytes(session), body, start, body.length)
    );
  }

  /** The random of a ClientHello's first fragment, a view; null if the fragment does not hold it. */
  randomOf(record: RecordWalk, fragment: Fragment): Uint8Array | null {
    if (fragment.offset !== 0 || fragment.end - fragment.start < 34) return null;
    return record.datagram.subarray(fragment.start + 2, fragment.start + 34);
  }

  #fits(record: RecordWalk): boolean {
    if (record.sequence <= MAX_SEQUENCE - SEQUENCE_RESERVE) return true;
    this.#engine.counters.drop('bounds');
    return false;
  }
}
