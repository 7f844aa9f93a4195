/**
 * What an authentic record means to an association: data, alerts, and the few handshake messages that may still come.
 *
 * Law: everything here was opened with the peer's keys, except an alert to a handshake that has none yet.
 */
import { isFragments, type Fragment } from '../message/handshake.js';
import { LocalError } from '../wire/errors.js';
import { AlertDescription, AlertLevel, HandshakeType, nameOf } from '../wire/registry.js';
import type { Association } from './association.js';
import type { Engine } from './engine.js';
import { DTLS_EVENT_CLOSED, DTLS_EVENT_ERROR, DTLS_EVENT_RENEGOTIATE, fatalAlert } from './events.js';
import type { Progress } from './progress.js';

/** Application data: the first proves that the peer has our last flight. */
export function dataReceived(engine: Engine, association: Association, data: Uint8Array): void {
  if (association.flight !== null) association.dropFlight();
  if (association.closing) {
    engine.counters.drop('unexpected');
    return;
  }
  engine.host.read(association.peer.session, data);
}

/** An alert (RFC 5246 §7.2). Returns the code of a fatal one, or 0. */
export function alertReceived(engine: Engine, association: Association, level: number, description: number): number {
  const { peer, closing } = association;
  const newcomer = peer.current !== null && peer.current !== association;
  if (description === AlertDescription.closeNotify && association.read !== null) {
    // Answered once, unless it is the answer itself (RFC 5246 §7.2.1).
    association.closing = true;
    // "Discarding any pending writes", says the same section.
    engine.outbound.discard(association);
    if (!closing) engine.outbound.alert(association, AlertLevel.warning, AlertDescription.closeNotify);
    if (!closing && !association.released) engine.host.event(peer.session, AlertLevel.warning, description);
    engine.end(association, 0, DTLS_EVENT_CLOSED);
    return 0;
  }
  if (level === AlertLevel.warning) {
    engine.host.event(peer.session, level, description);
    return 0;
  }
  const error = new LocalError('ERR_DTLS_ALERT', `the peer sent the fatal alert ${nameOf(AlertDescription, description)}`, description);
  if (newcomer) engine.end(association, 0, DTLS_EVENT_ERROR, error);
  else engine.end(association, AlertLevel.fatal, description, error);
  return fatalAlert(description);
}

/**
 * Handshake fragments after completion: the peer's Finished again asks for our last flight, an attempt to renegotiate
 * is refused (RFC 5746 §4.5, RFC 7925 §17), nothing is buffered.
 */
export function establishedHandshake(
  engine: Engine,
  progress: Progress,
  association: Association,
  plain: Uint8Array,
  length: number,
  fragment: Fragment,
): void {
  let at = 0;
  if (!isFragments(plain, 0, length)) {
    engine.counters.drop('malformed');
    return;
  }
  while (at < length && !association.released && fragment.read(plain, at, length)) {
    at = fragment.end;
    const request = association.role === 'client' ? HandshakeType.helloRequest : HandshakeType.clientHello;
    if (fragment.type === HandshakeType.finished && fragment.messageSeq === association.peerFinishedSeq) {
      progress.lastFlightLost(association);
    } else if (fragment.type === request && fragment.offset === 0 && !association.closing) {
      refuseRenegotiation(engine, association);
    } else {
      engine.counters.drop('unexpected');
    }
  }
}

/** At most one answer per initial timeout: a retransmitting peer must not make us a storm. */
function refuseRenegotiation(engine: Engine, association: Association): void {
  const now = engine.now();
  if (now - association.refusedAt < association.parameters.initialTimeoutMs) return;
  association.refusedAt = now;
  engine.outbound.alert(association, AlertLevel.warning, AlertDescription.noRenegotiation);
  if (!association.released) engine.host.event(association.peer.session, 0, DTLS_EVENT_RENEGOTIATE);
}
