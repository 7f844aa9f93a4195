/**
 * What the host answered to a credential question, checked before the handshake sees it.
 *
 * Law: what the host returns is copied, never kept and never wiped; a wrong answer ends this one handshake.
 */
import type { Credential } from './authenticate.js';
import { ecdsaCredential, type EcdsaKey } from './ecdsakey.js';
import { Answered, type Question } from './machine.js';
import type { Provider, Signer } from '../crypto/provider.js';
import { copyOf } from '../wire/bytes.js';
import { DtlsError, LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';

/** Words for people, by question. */
const ASKED: Readonly<Record<Answered, string>> = {
  [Answered.pskHint]: 'a PSK identity hint',
  [Answered.pskIdentity]: 'a PSK identity',
  [Answered.pskKey]: 'a pre-shared key',
  [Answered.credential]: 'a credential',
  [Answered.trust]: 'its trust',
  [Answered.signature]: 'a signature',
};

/**
 * The bytes of an answer, copied; `null` for "none". A negative number is the host's own alert; anything else that
 * is not bytes is the host's mistake.
 */
export function answeredBytes(question: Question, answer: unknown): Uint8Array | null {
  if (answer === null || answer === undefined) return null;
  if (answer instanceof Uint8Array) return copyOf(answer);
  if (typeof answer === 'number' && answer < 0) throw refusedByHost(question, answer);
  throw uselessAnswer(question, answer);
}

/**
 * The credentials of an answer, none for `null`. A negative number is the host's own alert. `made` gets each signer that is
 * made of a key of the host's.
 */
export function answeredCredentials(
  question: Question, answer: unknown, crypto: Provider, made: (signer: Signer) => void,
): readonly Credential[] {
  if (answer === null || answer === undefined) return [];
  if (typeof answer === 'object') {
    const given: readonly (Credential | EcdsaKey)[] = Array.isArray(answer) ? answer : [answer];
    return given.map((one) => ('privateKey' in one ? ecdsaCredential(one, crypto, made) : one));
  }
  answeredBytes(question, answer);
  return [];
}

/**
 * Throws unless the host trusts the peer: `null` follows the verdict, true overrides it, false and negative alerts refuse.
 * Anything else is the host's mistake.
 */
export function checkTrusted(question: Question & { readonly answer: typeof Answered.trust }, answer: unknown): void {
  const { verdict } = question;
  if (answer === true) return;
  if (answer === null || answer === undefined) {
    if (verdict.trusted) return;
    throw new PeerError('ERR_DTLS_CERTIFICATE', verdict.alert, verdict.reason);
  }
  if (answer === false) throw new PeerError('ERR_DTLS_CERTIFICATE', AlertDescription.badCertificate, 'the host does not trust the peer');
  if (typeof answer === 'number' && answer < 0) throw refusedByHost(question, answer);
  throw uselessAnswer(question, answer);
}

function refusedByHost(question: Question, answer: number): PeerError {
  const description = -answer & 0xff;
  return new PeerError('ERR_DTLS_CREDENTIAL', description, `the host refused ${ASKED[question.answer]} (alert ${description})`);
}

function uselessAnswer(question: Question, answer: unknown): LocalError {
  const why = `the host answered ${typeof answer} when asked for ${ASKED[question.answer]}`;
  return new LocalError('ERR_DTLS_CREDENTIAL', why, AlertDescription.internalError);
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
