/**
 * Fingerprints as people write them: SDP (RFC 8122 §5, `sha-256 4A:AD:…`), plain hexadecimal, `sha256/` with base64.
 *
 * Law: SHA-256 and nothing else: a fingerprint of another length is of another hash, and refused.
 */
import { copyOf } from '../wire/bytes.js';
import { decodeError } from '../wire/errors.js';
import { decodeBase64 } from '../x509/pem.js';

const LENGTH = 32;
/** At least 20 bytes, so that short base64 is not taken for it. */
const HEXADECIMAL = /^[0-9a-f]{2}(?::?[0-9a-f]{2}){19,}$/i;

/** The 32 bytes of a fingerprint. Throws `decode_error` for anything else. */
export function parsePin(pin: string | Uint8Array): Uint8Array {
  if (pin instanceof Uint8Array) return checked(copyOf(pin));
  if (typeof pin !== 'string') throw decodeError('a fingerprint is text or bytes');
  const [prefix = '', bits] = /^\s*sha-?(\d+)[ :/]/i.exec(pin) ?? [];
  if (bits !== undefined && bits !== '256') throw decodeError(`a fingerprint by SHA-${bits}, where SHA-256 is known`);
  const digits = pin.slice(prefix.length).trim();
  if (digits === '') throw decodeError('an empty fingerprint');
  if (!HEXADECIMAL.test(digits)) return checked(decodeBase64(digits, 'the fingerprint'));
  return checked(Uint8Array.from(digits.match(/[0-9a-f]{2}/gi) ?? [], (digit) => parseInt(digit, 16)));
}

function checked(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== LENGTH) throw decodeError(`a fingerprint of ${bytes.length} bytes, where SHA-256 has ${LENGTH}`);
  return bytes;
}
