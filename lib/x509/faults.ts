/**
 * What can be wrong with what a peer shows, and how this room says it.
 *
 * Law: bytes that cannot be read throw a `PeerError` (`decode_error` for broken DER, `unsupported_certificate` for what
 * is well-formed and not for us); a certificate that is read and not believed is a `Fault`, which is returned. What to
 * make of either, an alert or a `LocalError` about a file, is decided above. Words from a certificate are made harmless
 * before they stand in a sentence.
 */
import { PeerError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';

/** Why a peer is not believed: `alert` for the wire, `reason` for people. */
export interface Fault {
  readonly alert: number;
  readonly reason: string;
}

/** An error for what is well-formed but nothing that we can or want to work with. */
export function unsupported(message: string): PeerError {
  return new PeerError('ERR_DTLS_CERTIFICATE', AlertDescription.unsupportedCertificate, message);
}

const MAX_SHOWN = 64;

/** Text from a certificate for a sentence: printable, and not long. */
export function shown(text: string): string {
  const printable = text.replace(/[^\x20-\x7e\u00a1-\u024f]/g, '?');
  return printable.length > MAX_SHOWN ? `${printable.slice(0, MAX_SHOWN)}…` : printable;
}
