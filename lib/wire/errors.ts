/**
 * Every error of the engine, in two kinds: the peer is refused (`PeerError`, turned into an alert and an event), or
 * anything else (`LocalError`): what the host did wrong is thrown to it, what is only told (silence, an alert) is an event.
 *
 * Law: no message carries a key, a secret or plaintext.
 */
import { AlertDescription } from './registry.js';

/** The stable codes; the words in `message` may change, these do not. */
export type DtlsErrorCode =
  | 'ERR_DTLS_ARGUMENT' // a call or an option is of the wrong shape
  | 'ERR_DTLS_CONFLICT' // an association is there that was made for something else
  | 'ERR_DTLS_TOO_LARGE' // data longer than a record or a datagram takes
  | 'ERR_DTLS_NO_PROVIDER' // the crypto provider lacks what a suite needs
  | 'ERR_DTLS_RANDOM' // the random source failed or came up short
  | 'ERR_DTLS_SEQUENCE_EXHAUSTED' // 2^48 records sent under one key
  | 'ERR_DTLS_CALLBACK' // a host callback threw
  | 'ERR_DTLS_CREDENTIAL' // a credential callback gave something unusable
  | 'ERR_DTLS_CREDENTIAL_TIMEOUT' // a credential promise did not settle in time
  | 'ERR_DTLS_CLOSED' // closed on our side before it was complete
  | 'ERR_DTLS_FREED' // the context was freed
  | 'ERR_DTLS_DECODE' // a message of the peer is malformed
  | 'ERR_DTLS_UNEXPECTED_MESSAGE' // a message out of order
  | 'ERR_DTLS_HANDSHAKE' // negotiation failed
  | 'ERR_DTLS_VERIFY' // a Finished or signature does not verify
  | 'ERR_DTLS_CERTIFICATE' // what the peer shows is not trusted
  | 'ERR_DTLS_PSK_MISMATCH' // the peer most likely has another key
  | 'ERR_DTLS_TIMEOUT' // retransmissions ran out
  | 'ERR_DTLS_EVICTED' // a half-open peer gave way to a limit
  | 'ERR_DTLS_ALERT' // the peer sent a fatal alert
  | 'ERR_DTLS_INTERNAL'; // a bug of ours

/** Base of all errors of the engine: `code` is stable, `alert` is the description that goes on the wire. */
export class DtlsError extends Error {
  // Written out: the name of a class does not outlive a minifier.
  override readonly name: string = 'DtlsError';
  /** What happened, for programs. */
  readonly code: DtlsErrorCode;
  /** Alert description (RFC 5246 §7.2) that this error sends or was received as, if any. */
  readonly alert: number | undefined;

  constructor(code: DtlsErrorCode, message: string, alert?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.alert = alert;
  }
}

/** A wrong argument, a failing random source, a freed context: thrown at the caller. A peer that fell silent, an alert: of an event. */
export class LocalError extends DtlsError {
  override readonly name: string = 'LocalError';
}

/** The peer is refused: `alert` goes on the wire and an event to the host; never thrown out of the engine. */
export class PeerError extends DtlsError {
  override readonly name: string = 'PeerError';
  /** What goes on the wire. */
  declare readonly alert: number;

  constructor(code: DtlsErrorCode, alert: number, message: string) {
    super(code, message, alert);
  }
}

/** A message of the peer does not follow its grammar (decode_error, RFC 5246 §7.2.2). */
export function decodeError(message: string): PeerError {
  return new PeerError('ERR_DTLS_DECODE', AlertDescription.decodeError, message);
}

/** A call or an option of the host is of the wrong shape. */
export function argument(message: string): LocalError {
  return new LocalError('ERR_DTLS_ARGUMENT', message);
}

/** What was wiped (a key, an AEAD) is used all the same: it must never go on with a key of zeros. */
export function wipedError(what: string): LocalError {
  return new LocalError('ERR_DTLS_FREED', `this ${what} was wiped`);
}

/** For what cannot happen: a broken invariant is a bug of ours and fails closed. */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new LocalError('ERR_DTLS_INTERNAL', `invariant broken: ${why}`, AlertDescription.internalError);
}
