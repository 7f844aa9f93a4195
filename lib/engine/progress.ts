/**
 * What follows a step, in this order: the host is asked, flights go out, a handshake is completed, early records get
 * their turn. And what time brings: retransmission, give-up, credential timeouts.
 *
 * Law: the host is called last, when the state is already consistent; after every call to it the association may be
 * gone, and is asked whether it is.
 */
import { answeredBytes, answeredCredentials, checkTrusted, failedAnswer, lateAnswer } from '../handshake/credentials.js';
import { Answered, type Question } from '../handshake/machine.js';
import type { Handshake12 } from '../handshake12/handshake.js';
import type { Provider } from '../crypto/provider.js';
import { DtlsError, LocalError } from '../wire/errors.js';
import { AlertDescription, nameOf } from '../wire/registry.js';
import type { Association } from './association.js';
import type { Engine } from './engine.js';
import {
  DTLS_EVENT_CLOSED,
  DTLS_EVENT_CONNECTED,
  DTLS_EVENT_ERROR,
  DTLS_EVENT_REPLACED,
  DTLS_EVENT_TIMEOUT,
} from './events.js';
import { isThenable } from './host.js';

/** From this retransmission on, large datagrams are taken to be the reason for the loss (RFC 6347 §4.1.1.1). */
const SHRINK_FROM_ATTEMPT = 3;
const SHRUNK_MTU = 548;

export class Progress {
  readonly #engine: Engine;
  /** Feeds what became deliverable: buffered messages and early records. Set by `inbound`. */
  resume: (association: Association) => number = () => 0;
  /** Feeds early records again. Set by `inbound`. */
  replay: (association: Association, records: readonly Uint8Array[]) => number = () => 0;
  /** Runs work that no caller waits for, as an engine call of its own. Set by the context. */
  detached: (work: () => void) => void = (work) => work();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Carries out what the last step left to be done. Returns the code of a fatal alert, or 0. */
  settle(association: Association): number {
    for (;;) {
      if (association.released) return 0;
      // A flight goes out whole: while the host is asked for a part of it, what is there already waits.
      if (association.question !== null) {
        if (association.asked) return 0;
        const code = this.#ask(association);
        if (code !== 0) return code;
      } else if (association.building !== null) {
        this.#sendFlight(association);
      } else if (association.completed) {
        association.completed = false;
        this.#complete(association);
      } else {
        const code = this.resume(association);
        if (code !== 0 || (association.building === null && !association.completed && association.question === null)) return code;
      }
    }
  }

  /** The peer sent again what it had sent: our answer was lost, or the network repeats. At most once per timeout. */
  peerRetransmitted(association: Association): void {
    const { flight, question, parameters } = association;
    if (flight === null || question !== null) return;
    const now = this.#engine.now();
    // A true retransmission comes a timeout after the original, a repetition of the network at once.
    // The timeout is the peer's, which we do not know: ours, but no more than the RFC's.
    const timeout = Math.min(parameters.initialTimeoutMs, 1000);
    if (now - association.sentAt < timeout / 2 || now - association.resentAt < timeout) return;
    association.resentAt = now;
    this.#engine.counters.retransmissions++;
    this.#transmit(association);
  }

  /** An authentic, fresh Finished of the peer came again after completion: our last flight was lost (RFC 6347 §4.2.4). */
  lastFlightLost(association: Association): void {
    const { config, counters, outbound } = this.#engine;
    if (association.flight === null) return;
    const now = this.#engine.now();
    const { initialTimeoutMs, maxRetransmits } = association.parameters;
    // 2·MSL after it was last needed: a client's own timers may reach further than 2·MSL after completion.
    if (now - Math.max(association.since, association.resentAt) > config.lastFlightMs || association.resends >= maxRetransmits) {
      association.dropFlight();
      return;
    }
    if (now - association.resentAt < initialTimeoutMs) return;
    association.resentAt = now;
    association.resends++;
    counters.retransmissions++;
    try {
      outbound.flight(association);
    } catch {
      // Spent sequence numbers: it cannot be repeated any more, and the association is what it was.
      association.dropFlight();
    }
  }

  /** The deadline of `association` has come. */
  expire(association: Association): void {
    const engine = this.#engine;
    engine.deadlines.clear(association);
    if (association.closing) {
      engine.end(association, 0, DTLS_EVENT_CLOSED);
    } else if (association.question !== null) {
      engine.fail(association, lateAnswer(association.question));
    } else if (association.attempt >= association.parameters.maxRetransmits) {
      this.#giveUp(association);
    } else {
      association.attempt++;
      if (association.attempt >= SHRINK_FROM_ATTEMPT) this.#shrink(association);
      if (association.flight !== null) engine.counters.retransmissions++;
      if (this.#transmit(association)) this.#arm(association);
    }
  }

  /** What a newcomer loses says nothing to the association beside it before its Finished: it may be nobody. */
  #shrink(association: Association): void {
    const { peer } = association;
    if (peer.current === null) peer.pathMtu = Math.min(peer.pathMtu, SHRUNK_MTU);
    else association.mtu = SHRUNK_MTU;
  }

  #sendFlight(association: Association): void {
    association.attempt = 0;
    association.resentAt = -Infinity;
    if (!this.#transmit(association)) return;
    // The last flight has no timer: only the peer's return triggers it.
    if (association.completed) this.#engine.deadlines.clear(association);
    else this.#arm(association);
  }

  #transmit(association: Association): boolean {
    association.sentAt = this.#engine.now();
    try {
      return this.#engine.outbound.flight(association);
    } catch (error) {
      this.#engine.fail(association, error);
      return false;
    }
  }

  #arm(association: Association): void {
    try {
      this.#engine.arm(association);
    } catch (error) {
      this.#engine.fail(association, error);
    }
  }

  /** Asks the host. A synchronous answer is taken at once, a promise gets a deadline. */
  #ask(association: Association): number {
    const { host, deadlines, config } = this.#engine;
    const question = association.question!;
    const { generation } = association;
    association.asked = true;
    let answer: unknown;
    let later: PromiseLike<unknown> | null;
    try {
      answer = host.answer(association.peer.session, question);
      // What the host gave may throw even when it is only looked at.
      later = isThenable(answer) ? answer : null;
    } catch (error) {
      host.report(association.peer.session, error);
      if (association.released) return 0;
      return this.#engine.fail(association, failedAnswer(question, error));
    }
    if (association.generation !== generation) {
      // Nobody waits for it any more; its rejection must not go unhandled.
      if (isThenable(answer)) Promise.resolve(answer).then(undefined, () => {});
      return 0;
    }
    if (later === null) return this.#take(association, answer);
    deadlines.set(association, this.#engine.now() + config.credentialTimeoutMs);
    const isOpen = (): boolean => !association.released && association.generation === generation && association.question !== null;
    Promise.resolve(later).then(
      (settled) => {
        if (isOpen()) this.detached(() => void (this.#take(association, settled) || this.settle(association)));
      },
      (error: unknown) => {
        if (isOpen()) this.detached(() => void this.#engine.fail(association, failedAnswer(question, error)));
      },
    );
    return 0;
  }

  /** The answer is there. */
  #take(association: Association, answer: unknown): number {
    const { config } = this.#engine;
    const question = association.question!;
    association.question = null;
    association.generation++;
    association.earlyReady = true;
    try {
      enter(association.making!.handshake, question, answer, config.crypto);
      // Nothing to send and nothing more to ask: the timer of the flight before goes on.
      if (association.building === null && association.question === null) this.#engine.arm(association);
      return 0;
    } catch (error) {
      return this.#engine.fail(association, error);
    }
  }

  /** The peer proved itself: from here on this association is the one in use. */
  #complete(association: Association): void {
    const { deadlines, host, peers } = this.#engine;
    const { peer } = association;
    const { session } = peer;
    deadlines.clear(association);
    this.#engine.forgetRandom(association);
    const early = association.takeEarly();
    association.settle(this.#engine.now());
    const old = peer.current;
    peer.current = association;
    peer.candidate = null;
    peer.pathMtu = Math.min(peer.pathMtu, association.mtu);
    peers.establish(peer);
    if (old !== null) {
      const { closing } = old;
      this.#engine.release(old);
      host.event(session, 0, closing ? DTLS_EVENT_CLOSED : DTLS_EVENT_REPLACED);
    }
    if (!association.released) host.event(session, 0, DTLS_EVENT_CONNECTED);
    if (!association.released) this.replay(association, early);
  }

  #giveUp(association: Association): void {
    const { making, role, undecryptable, peer } = association;
    const handshake = making!.handshake;
    const inFinished = handshake.state === 'waitFinished';
    const preShared = handshake.negotiated?.suite.keyExchange.preShared === true;
    const rumour =
      association.rumouredAlert < 0 ? '' : `; an unsigned alert said ${nameOf(AlertDescription, association.rumouredAlert)}`;
    let code = DTLS_EVENT_TIMEOUT as number;
    let detail: DtlsError;
    if (role === 'server' && inFinished && preShared && (undecryptable || handshake.unknownIdentity)) {
      code = DTLS_EVENT_ERROR;
      const why = handshake.unknownIdentity ? 'the PSK identity is unknown' : 'the client most likely has another key';
      detail = new LocalError('ERR_DTLS_PSK_MISMATCH', `no valid Finished from the client: ${why}${rumour}`);
    } else if (role === 'client' && inFinished && !preShared) {
      const why = 'no Finished from the server: it probably refuses the certificate or key that we showed, or that we showed none';
      detail = new LocalError('ERR_DTLS_TIMEOUT', why + rumour);
    } else if (role === 'client' && inFinished) {
      const why = 'no valid Finished from the server: the identity or the key is probably wrong';
      detail = new LocalError('ERR_DTLS_PSK_MISMATCH', why + rumour);
    } else {
      detail = new LocalError('ERR_DTLS_TIMEOUT', `no answer from the ${role === 'client' ? 'server' : 'client'} after ${association.attempt} retransmissions (${handshake.state})${rumour}`);
    }
    const newcomer = peer.current !== null;
    this.#engine.end(association, 0, newcomer ? DTLS_EVENT_ERROR : code, detail);
  }
}

/** Checks the answer and enters it as the pseudo-message of its question. */
function enter(handshake: Handshake12, question: Question, answer: unknown, crypto: Provider): void {
  switch (question.answer) {
    case Answered.credential:
      handshake.keys.credentials = answeredCredentials(question, answer, crypto, (signer) => handshake.keys.signers.push(signer));
      handshake.answer(question.answer, null);
      break;
    case Answered.trust:
      checkTrusted(question, answer);
      handshake.answer(question.answer, null);
      break;
    default:
      handshake.answer(question.answer, answeredBytes(question, answer));
  }
}
