/**
 * What the host answered to a credential question, checked before the handshake sees it.
 *
 * Law: what the host returns is copied, never kept and never wiped; a wrong answer ends this one handshake.
 */
import type { Answered, Question } from './machine.js';
import { Answered as A } from './machine.js';
import { copyOf } from '../wire/bytes.js';
import { DtlsError, LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';

/** Words for people, by question. */
const ASKED: Readonly<Record<Answered, string>> = {
  [A.pskHint]: 'a PSK identity hint',
  [A.pskIdentity]: 'a PSK identity',
  [A.pskKey]: 'a pre-shared key',
};

/**
 * The bytes of an answer, copied; `null` for "none". A negative number is the host's own alert; anything else that
 * is not bytes is the host's mistake.
 */
export function answeredBytes(question: Question, answer: unknown): Uint8Array | null {
  const asked = ASKED[question.answer];
  if (answer === null || answer === undefined) return null;
  if (answer instanceof Uint8Array) return copyOf(answer);
  if (typeof answer === 'number' && answer < 0) {
    const description = -answer & 0xff;
    throw new PeerError('ERR_DTLS_CREDENTIAL', description, `the host refused ${asked} (alert ${description})`);
  }
  throw new LocalError('ERR_DTLS_CREDENTIAL', `the host answered ${typeof answer} when asked for ${asked}`, AlertDescription.internalError);
}

/** The host's callback threw or its promise was rejected. */
export function failedAnswer(question: Question, cause: unknown): DtlsError {
  return new LocalError('ERR_DTLS_CREDENTIAL', `the host failed to give ${ASKED[question.answer]}`, AlertDescription.internalError, cause);
}

/** The host's promise did not settle in time. */
export function lateAnswer(question: Question): DtlsError {
  return new LocalError(
    'ERR_DTLS_CREDENTIAL_TIMEOUT',
    `the host did not give ${ASKED[question.answer]} in time`,
    AlertDescription.internalError,
  );
}
