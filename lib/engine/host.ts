/**
 * The only place that calls the host.
 *
 * Law: a callback that throws disturbs nobody: the error goes to `handler.error`, or, without one, to the caller of
 * the engine call in progress once the state is consistent, or, where there is no caller, to an ERROR event.
 */
import { CertificateType, type Shown, type Verdict, type Wishes } from '../handshake/authenticate.js';
import { coordinatesOf } from '../handshake/ecdsakey.js';
import { Answered, type PskAnswered, type Question } from '../handshake/machine.js';
import { DtlsError, LocalError } from '../wire/errors.js';
import type { HostAbilities, UserParameters } from './config.js';
import type { DtlsContext } from './context.js';
import { DTLS_EVENT_ERROR, type DtlsHandler, type EventLevel, type PskInfoType, type Session, type SessionKey } from './events.js';
import type { Counters } from './stats.js';

const PSK_INFO: Readonly<Record<PskAnswered, PskInfoType>> = {
  [Answered.pskHint]: 'hint',
  [Answered.pskIdentity]: 'identity',
  [Answered.pskKey]: 'key',
};

export class Host implements HostAbilities {
  handler: DtlsHandler;
  readonly #context: DtlsContext;
  readonly #counters: Counters;
  /** Errors nobody has taken yet. */
  #uncaught: { readonly session: SessionKey | null; readonly error: unknown }[] = [];

  constructor(context: DtlsContext, handler: DtlsHandler, counters: Counters) {
    this.#context = context;
    this.#counters = counters;
    this.handler = handler;
  }

  /** Sends a datagram; what the callback returned, 0 for nothing, −1 if it threw. */
  write(session: Session, datagram: Uint8Array): number {
    try {
      const sent = this.handler.write(this.#context, session, datagram);
      return typeof sent === 'number' ? sent : 0;
    } catch (error) {
      this.report(session, error);
      return -1;
    }
  }

  read(session: SessionKey, data: Uint8Array): void {
    try {
      this.handler.read?.(this.#context, session, data);
    } catch (error) {
      this.report(session, error);
    }
  }

  event(session: SessionKey, level: EventLevel, code: number, detail?: DtlsError): void {
    try {
      this.handler.event?.(this.#context, session, level, code, detail);
    } catch (error) {
      this.report(session, error);
    }
  }

  /** The answer, whatever it is. Throws what the callback throws: a failed answer is the handshake's business. */
  answer(session: SessionKey, question: Question): unknown {
    const { handler } = this;
    switch (question.answer) {
      case Answered.pskHint:
      case Answered.pskIdentity:
      case Answered.pskKey:
        return handler.getPskInfo?.(this.#context, session, PSK_INFO[question.answer], question.description.slice());
      case Answered.credential:
        return this.#credential(session, question.wishes);
      case Answered.trust:
        return this.#trust(session, question.shown, question.verdict);
      case Answered.signature:
        return question.choice.credential.signer.sign(question.choice.scheme, question.message);
    }
  }

  /** A raw key where the peer takes one, else a certificate. */
  #credential(session: SessionKey, wishes: Wishes): unknown {
    const { getEcdsaKey, getCertificate } = this.handler;
    if (getEcdsaKey === undefined || !wishes.types.includes(CertificateType.rawKey)) {
      return getCertificate?.call(this.handler, this.#context, session, wishes);
    }
    return getEcdsaKey.call(this.handler, this.#context, session);
  }

  /**
   * Raw P-256 keys go to `verifyEcdsaKey` where there is one, everything else to `verifyCertificate`. Only the first may
   * say yes by 0, as in tinydtls: from the other, 0 is no answer, for who means "no" may well come up with it.
   */
  #trust(session: SessionKey, shown: Shown, verdict: Verdict): unknown {
    const { verifyEcdsaKey, verifyCertificate } = this.handler;
    const coordinates = shown.type === CertificateType.rawKey ? coordinatesOf(shown.chain[0]!) : null;
    if (verifyEcdsaKey !== undefined && coordinates !== null) {
      const answer: unknown = verifyEcdsaKey.call(this.handler, this.#context, session, coordinates.x.slice(), coordinates.y.slice());
      return isThenable(answer) ? Promise.resolve(answer).then(zeroIsYes) : zeroIsYes(answer);
    }
    return verifyCertificate?.call(this.handler, this.#context, session, shown, verdict);
  }

  /** Whether it has callbacks for public keys. */
  get publicKeys(): boolean {
    const { getEcdsaKey, verifyEcdsaKey, getCertificate, verifyCertificate } = this.handler;
    return [getEcdsaKey, verifyEcdsaKey, getCertificate, verifyCertificate].some((callback) => callback !== undefined);
  }

  /** The parameters of a new peer. Throws what the callback throws. */
  userParameters(session: SessionKey): UserParameters | null | undefined | void {
    return this.handler.getUserParameters?.(this.#context, session);
  }

  schedule(atMs: number): void {
    try {
      this.handler.schedule?.(this.#context, atMs);
    } catch (error) {
      this.report(null, error);
    }
  }

  /** A callback threw. */
  report(session: SessionKey | null, error: unknown): void {
    this.#counters.callbackErrors++;
    if (this.handler.error === undefined) {
      this.#uncaught.push({ session, error });
      return;
    }
    try {
      this.handler.error(this.#context, session, error);
    } catch {
      // The error callback itself fails: counted, and there is nobody left to tell.
    }
  }

  /** Whether the call in progress will throw. */
  get hasUncaught(): boolean {
    return this.#uncaught.length > 0;
  }

  /** Throws the first error that nobody has taken, at the end of an engine call. */
  rethrow(): void {
    if (this.#uncaught.length === 0) return;
    const [first] = this.#uncaught;
    this.#uncaught = [];
    throw first!.error;
  }

  /** As `rethrow`, where there is no caller: an event for each. */
  surface(): void {
    const uncaught = this.#uncaught;
    this.#uncaught = [];
    for (const { session, error } of uncaught) {
      this.event(session ?? '', 0, DTLS_EVENT_ERROR, new LocalError('ERR_DTLS_CALLBACK', 'a callback threw', undefined, error));
    }
    // What the event callback threw meanwhile: nobody is left to tell either.
    this.#uncaught = [];
  }
}

/** Whether an answer is yet to come. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<T>).then === 'function';
}

function zeroIsYes(answer: unknown): unknown {
  return answer === 0 ? true : answer;
}
