/**
 * Datagrams on their way in: records to their epoch, handshake fragments to their message, messages to the state
 * table, data to the host.
 *
 * Law (input order): bounds, epoch known, replay check, open, mark, content type, then state. Beyond epoch 0 nothing
 * that is not authentic changes a timer, a window or a peer. After completion epoch 0 takes nothing but a ClientHello.
 */
import { isAlert } from '../message/alert.js';
import { Fragment, isFragments } from '../message/handshake.js';
import { isHelloVerifyRequest } from '../message/hello.js';
import { MAX_CIPHERTEXT } from '../record/header12.js';
import { FORGED, REPLAYED } from '../record/epoch.js';
import { RecordWalk } from '../record/records.js';
import { equalBytes, getUint48, wipe } from '../wire/bytes.js';
import { PeerError } from '../wire/errors.js';
import { Views } from '../wire/views.js';
import { AlertDescription, ContentType, HandshakeType, ProtocolVersion } from '../wire/registry.js';
import { Admission } from './admission.js';
import { alertReceived, dataReceived, establishedHandshake } from './established.js';
import type { Association } from './association.js';
import type { Engine } from './engine.js';
import { DTLS_EVENT_TIMEOUT, type Session } from './events.js';
import type { Peer } from './peer.js';
import type { Progress } from './progress.js';

export class Inbound {
  readonly #engine: Engine;
  readonly #progress: Progress;
  readonly #admission: Admission;
  readonly #walk: RecordWalk = new RecordWalk();
  readonly #fragment: Fragment = new Fragment();
  readonly #plain: Uint8Array = new Uint8Array(MAX_CIPHERTEXT);
  readonly #views: Views = new Views(this.#plain);

  constructor(engine: Engine, progress: Progress) {
    this.#engine = engine;
    this.#progress = progress;
    this.#admission = new Admission(engine);
    progress.resume = (association) => this.#resume(association);
    progress.replay = (association, records) => this.#replay(association.peer, records);
  }

  /** Overwrites the last plaintext. */
  wipe(): void {
    wipe(this.#plain);
  }

  /** Takes in a datagram. Returns 0, or the code of a fatal alert sent or received. */
  receive(session: Session, datagram: Uint8Array): number {
    const walk = this.#walk;
    walk.begin(datagram);
    let peer = this.#engine.peers.find(session);
    let code = 0;
    if (peer === undefined) {
      const association = this.#stranger(session, walk);
      if (association === null) {
        walk.release();
        return 0;
      }
      peer = association.peer;
      code = this.#handshakeRecord(association, walk.datagram, walk.start, walk.end, 0);
    }
    while (peer.table !== null && walk.next()) code = this.#record(peer, walk) || code;
    if (walk.unread && peer.table !== null) this.#engine.counters.drop('truncated');
    walk.release();
    return code;
  }

  /** The first record of a session without a peer: a ClientHello or nothing. */
  #stranger(session: Session, record: RecordWalk): Association | null {
    const fragment = this.#fragment;
    if (!record.next()) {
      this.#engine.counters.drop('truncated');
      return null;
    }
    const isHello =
      record.type === ContentType.handshake && record.epoch === 0 && isHelloVersion(record.version) &&
      record.datagram[record.start] === HandshakeType.clientHello;
    if (!isHello) {
      this.#engine.counters.drop('unknownSession');
      return null;
    }
    if (!isFragments(record.datagram, record.start, record.end)) {
      this.#engine.counters.drop('malformed');
      return null;
    }
    fragment.read(record.datagram, record.start, record.end);
    const verdict = this.#admission.judge(session, record, fragment);
    return verdict === 'out' || verdict === 'answered' ? null : this.#admission.accept(session, null, record, fragment, verdict);
  }

  /** A record of a session with a peer. */
  #record(peer: Peer, record: RecordWalk): number {
    const { counters } = this.#engine;
    if (record.epoch !== 0) return this.#protectedRecord(peer, record);
    if (!this.#versionFits(peer, record)) {
      counters.drop('version');
      return 0;
    }
    const { candidate } = peer;
    if (record.type === ContentType.handshake) {
      if (record.datagram[record.start] === HandshakeType.clientHello) return this.#clientHello(peer, record);
      if (candidate !== null) return this.#handshakeRecord(candidate, record.datagram, record.start, record.end, 0);
    } else if (candidate !== null && record.type === ContentType.changeCipherSpec) {
      return this.#changeCipherSpec(candidate, record);
    } else if (candidate !== null && record.type === ContentType.alert) {
      return this.#plaintextAlert(candidate, record);
    }
    counters.drop('unexpected');
    return 0;
  }

  /** DTLS 1.2 everywhere; before it is negotiated, and for a ClientHello, the record may also say 1.0 (RFC 6347 §4.1). */
  #versionFits({ candidate }: Peer, record: RecordWalk): boolean {
    if (record.version === ProtocolVersion.dtls12) return true;
    if (record.version !== ProtocolVersion.dtls10) return false;
    if (candidate?.making?.handshake.negotiated === null) return true;
    return record.type === ContentType.handshake && record.datagram[record.start] === HandshakeType.clientHello;
  }

  /** A ClientHello in epoch 0 from a known session: one we know already, or a client that starts anew. */
  #clientHello(peer: Peer, record: RecordWalk): number {
    const fragment = this.#fragment;
    const { candidate } = peer;
    const { counters } = this.#engine;
    if (!isFragments(record.datagram, record.start, record.end)) {
      counters.drop('malformed');
      return 0;
    }
    fragment.read(record.datagram, record.start, record.end);
    if (candidate !== null && candidate.role === 'server' && this.#belongs(candidate, record)) {
      return this.#handshakeRecord(candidate, record.datagram, record.start, record.end, 0);
    }
    if (this.#isOld(peer, record)) {
      counters.drop('duplicate');
      return 0;
    }
    // Who shakes hands as client takes no ClientHello: if both sides do, neither gives way (both time out).
    const young = candidate !== null && this.#engine.now() - candidate.since < candidate.parameters.initialTimeoutMs;
    if (fragment.offset !== 0 || candidate?.role === 'client') {
      counters.drop('unexpected');
      return 0;
    }
    const verdict = this.#admission.judge(peer.session, record, fragment);
    // One answer to a datagram: many small ones would be more on the wire than what asked for them.
    if (verdict === 'answered') record.stop();
    if (verdict === 'out' || verdict === 'answered') return 0;
    if (young) {
      counters.drop('limit');
      return 0;
    }
    const association = this.#admission.accept(peer.session, peer, record, fragment, verdict);
    if (association === null) return 0;
    return this.#handshakeRecord(association, record.datagram, record.start, record.end, 0);
  }

  /** Whether the ClientHello fragment in #fragment is of the handshake that `candidate` is in. */
  #belongs(candidate: Association, record: RecordWalk): boolean {
    const { handshake, reassembler } = candidate.making!;
    if (handshake.state === 'waitClientHello') return this.#fragment.messageSeq === reassembler.next;
    const random = this.#admission.randomOf(record, this.#fragment);
    return random !== null && equalBytes(random, handshake.clientRandom) && this.#fragment.messageSeq === reassembler.first;
  }

  /** The ClientHello that made the association in use, late or replayed: for as long as its cookie might still be right. */
  #isOld({ current }: Peer, record: RecordWalk): boolean {
    if (current === null || current.helloTag < 0) return false;
    // A secret is replaced when it is asked for: up to a lifetime late, and then it is good for one more.
    if (this.#engine.now() - current.since >= 3 * this.#engine.config.cookieLifetimeMs) return false;
    const random = this.#admission.randomOf(record, this.#fragment);
    return random !== null && getUint48(random, 26) === current.helloTag;
  }

  #changeCipherSpec(candidate: Association, record: RecordWalk): number {
    if (candidate.question !== null) return this.#hold(candidate, record);
    const valid = record.end - record.start === 1 && record.datagram[record.start] === 1;
    if (valid && candidate.changeCipherSpec()) return this.#progress.settle(candidate);
    this.#engine.counters.drop(valid ? 'unexpected' : 'malformed');
    return 0;
  }

  /** Nobody signed it: it ends a handshake that has no keys yet, if the host lets it, and nothing else. */
  #plaintextAlert(candidate: Association, record: RecordWalk): number {
    const { datagram, start, end } = record;
    const [level, description] = [datagram[start], datagram[start + 1]!];
    if (isAlert(datagram, start, end) && level === 2) {
      if (!candidate.hasReadKeys && candidate.parameters.plaintextAlerts === 'honour') {
        return alertReceived(this.#engine, candidate, level, description);
      }
      candidate.rumouredAlert = description;
    }
    this.#engine.counters.drop('plaintextAlert');
    return 0;
  }

  /**
   * A record of an epoch with keys. Handshake records are tried with the newcomer's keys first, others with those in
   * use; what only a newcomer's later keys could open is held back.
   */
  #protectedRecord(peer: Peer, record: RecordWalk): number {
    const { current, candidate } = peer;
    const { counters } = this.#engine;
    if (record.version !== ProtocolVersion.dtls12) {
      counters.drop('version');
      return 0;
    }
    if (record.epoch !== 1) {
      counters.drop('unknownEpoch');
      return 0;
    }
    const plain = this.#plain;
    const forNewcomer = record.type === ContentType.handshake || (record.type === ContentType.alert && current === null);
    let outcome = 0;
    if (candidate !== null && candidate.read !== null && forNewcomer) {
      outcome = candidate.read.open(plain, record);
      if (outcome >= 0) return this.#newcomersRecord(candidate, record, outcome);
      if (outcome === FORGED) candidate.undecryptable = true;
    }
    if (current !== null && current.read !== null) {
      outcome = current.read.open(plain, record);
      if (outcome >= 0) return this.#currentsRecord(current, record, outcome);
    }
    if (candidate !== null && (candidate.read === null || !forNewcomer)) return this.#hold(candidate, record);
    counters.drop(outcome === REPLAYED ? 'replayed' : outcome === FORGED ? 'forged' : 'unknownEpoch');
    return 0;
  }

  #newcomersRecord(candidate: Association, record: RecordWalk, length: number): number {
    const plain = this.#plain;
    if (record.type === ContentType.handshake) return this.#handshakeRecord(candidate, plain, 0, length, 1);
    if (isAlert(plain, 0, length)) return alertReceived(this.#engine, candidate, plain[0]!, plain[1]!);
    this.#engine.counters.drop('malformed');
    return 0;
  }

  #currentsRecord(current: Association, record: RecordWalk, length: number): number {
    const plain = this.#plain;
    switch (record.type) {
      case ContentType.applicationData:
        dataReceived(this.#engine, current, this.#views.first(length));
        return 0;
      case ContentType.alert:
        if (isAlert(plain, 0, length)) return alertReceived(this.#engine, current, plain[0]!, plain[1]!);
        break;
      case ContentType.handshake:
        establishedHandshake(this.#engine, this.#progress, current, plain, length, this.#fragment);
        return 0;
    }
    this.#engine.counters.drop(record.type === ContentType.alert ? 'malformed' : 'contentType');
    return 0;
  }

  /** Keeps a record that cannot be used yet. */
  #hold(candidate: Association, record: RecordWalk): number {
    const bytes = record.datagram.subarray(record.headerStart, record.end);
    if (!candidate.hold(bytes)) this.#engine.counters.drop('bounds');
    return 0;
  }

  /** The handshake fragments in `bytes[start, end)`, of a record in `epoch`. */
  #handshakeRecord(association: Association, bytes: Uint8Array, start: number, end: number, epoch: number): number {
    const fragment = this.#fragment;
    let at = start;
    let code = 0;
    if (!isFragments(bytes, start, end)) {
      this.#engine.counters.drop('malformed');
      return 0;
    }
    while (at < end && association.making !== null) {
      // What stood here may be gone: the host had its turn since it was looked at.
      if (!fragment.read(bytes, at, end)) break;
      at = fragment.end;
      code = this.#fragmentReceived(association, bytes, epoch) || code;
    }
    return code;
  }

  #fragmentReceived(association: Association, bytes: Uint8Array, epoch: number): number {
    const fragment = this.#fragment;
    const { counters } = this.#engine;
    const { reassembler } = association.making!;
    // Finished comes under the new keys, everything before it in the clear.
    if ((fragment.type === HandshakeType.finished) !== (epoch === 1)) {
      counters.drop('unexpected');
      return 0;
    }
    // While a question is open nothing is delivered: what comes is put together and waits, as if it were ahead of its turn.
    if (association.question === null && reassembler.isNextWhole(fragment)) {
      return this.#deliver(association, fragment.type, bytes.subarray(fragment.start, fragment.end));
    }
    switch (reassembler.accept(fragment, bytes)) {
      case 'kept':
        return this.#progress.settle(association);
      case 'duplicate':
        counters.drop('duplicate');
        this.#progress.peerRetransmitted(association);
        return 0;
      case 'refused':
        counters.drop('bounds');
        return 0;
      case 'tooLarge':
        return this.#engine.fail(association, tooLarge(`a handshake message of ${fragment.length} bytes`));
    }
  }

  /** A message, whole and in order. */
  #deliver(association: Association, type: number, body: Uint8Array): number {
    const { handshake, reassembler } = association.making!;
    const messageSeq = reassembler.next;
    if (handshake.state === 'waitClientHello') {
      if (!this.#isWelcome(association, type, body)) {
        this.#engine.end(association, 0, DTLS_EVENT_TIMEOUT);
        return 0;
      }
      this.#engine.announce(association);
      if (association.released) return 0;
    }
    // Nobody signed it and nothing is lost by waiting for the honest one.
    if (type === HandshakeType.helloVerifyRequest && !isHelloVerifyRequest(body)) {
      this.#engine.counters.drop('malformed');
      reassembler.discard();
      return 0;
    }
    reassembler.advance();
    // A HelloRequest during a handshake asks for what is happening already (RFC 5246 §7.4.1.1).
    if (type === HandshakeType.helloRequest && association.role === 'client') return this.#progress.settle(association);
    try {
      handshake.step(type, messageSeq, body);
    } catch (error) {
      return this.#engine.fail(association, error);
    }
    if (!association.makeRoom()) return this.#engine.fail(association, tooLarge('messages that are more than we keep at a time'));
    return this.#progress.settle(association);
  }

  /** Whether a hello that is whole now may open a handshake. It need not be the one whose first fragment was let in. */
  #isWelcome(association: Association, type: number, body: Uint8Array): boolean {
    const isHello = type === HandshakeType.clientHello;
    if (isHello && this.#admission.isReflected(body.subarray(2, 34))) return false;
    association.cookieAccepted ||= isHello && this.#admission.acceptsWhole(association.peer.session, body);
    if (!association.cookieAccepted) this.#engine.counters.drop('cookie');
    return association.cookieAccepted;
  }

  /** What was buffered and can be delivered now: the next message, then early records. */
  #resume(association: Association): number {
    const { making } = association;
    if (making === null) return 0;
    const { reassembler } = making;
    const type = reassembler.nextType;
    const body = reassembler.takeNext();
    if (body !== null) return this.#deliver(association, type, body);
    if (!association.earlyReady) return 0;
    association.earlyReady = false;
    return this.#replay(association.peer, association.takeEarly());
  }

  /** Records that were held back, as if they came now. */
  #replay(peer: Peer, records: readonly Uint8Array[]): number {
    if (records.length === 0) return 0;
    const walk = new RecordWalk();
    let code = 0;
    for (const record of records) {
      walk.begin(record);
      if (peer.table !== null && walk.next()) code = this.#record(peer, walk) || code;
    }
    return code;
  }
}

function tooLarge(what: string): PeerError {
  return new PeerError('ERR_DTLS_TOO_LARGE', AlertDescription.illegalParameter, what);
}

function isHelloVersion(version: number): boolean {
  return version === ProtocolVersion.dtls12 || version === ProtocolVersion.dtls10;
}
