/**
 * A look at a datagram without touching any state: what kind of record comes first, and for which connection id.
 */
import { RECORD_HEADER } from '../record/header12.js';
import { getUint16 } from '../wire/bytes.js';
import { ContentType } from '../wire/registry.js';

/** What the first record says of itself. Nothing of it is authentic. */
export interface Peeked {
  /** `ContentType`; for a DTLS 1.3 ciphertext its first byte, 32 to 63. */
  readonly contentType: number;
  /** The epoch; for a DTLS 1.3 ciphertext its two low bits (RFC 9147 §4). */
  readonly epoch: number;
  /** The connection id, a view; null where the record carries none. */
  readonly connectionId: Uint8Array | null;
}

/**
 * Looks at the first record of `datagram`; null if it is no DTLS record (RFC 7983 §7, RFC 9147 §4.1). `cidLength` is
 * the length of the connection ids that this host gives out (RFC 9146 §4).
 */
export function peek(datagram: Uint8Array, cidLength: number = 0): Peeked | null {
  const first = datagram[0];
  if (first === undefined) return null;
  if (first >>> 5 === 1) {
    const hasCid = (first & 0x10) !== 0;
    if (datagram.length < 1 + (hasCid ? cidLength : 0)) return null;
    return { contentType: first, epoch: first & 3, connectionId: hasCid ? datagram.subarray(1, 1 + cidLength) : null };
  }
  if (first < ContentType.changeCipherSpec || first > ContentType.ack || datagram[1] !== 0xfe) return null;
  const hasCid = first === ContentType.tls12Cid;
  if (datagram.length < RECORD_HEADER + (hasCid ? cidLength : 0)) return null;
  // The connection id stands between sequence_number and length (RFC 9146 §4).
  const connectionId = hasCid ? datagram.subarray(11, 11 + cidLength) : null;
  return { contentType: first, epoch: getUint16(datagram, 3), connectionId };
}
