/**
 * ServerKeyExchange and ClientKeyExchange of plain PSK (RFC 4279 §2), and the empty messages around them.
 */
import { Reader } from '../wire/reader.js';
import { Writer } from '../wire/writer.js';

/** struct { opaque psk_identity_hint<0..2^16-1>; } ServerKeyExchange. Returns the hint, a view. */
export function readPskServerKeyExchange(body: Uint8Array): Uint8Array {
  return readOnlyVector16(body, 'ServerKeyExchange');
}

export function writePskServerKeyExchange(hint: Uint8Array): Uint8Array {
  return new Writer(hint.length + 2).vector16(hint).finish();
}

/** struct { opaque psk_identity<0..2^16-1>; } ClientKeyExchange. Returns the identity, a view. */
export function readPskClientKeyExchange(body: Uint8Array): Uint8Array {
  return readOnlyVector16(body, 'ClientKeyExchange');
}

export function writePskClientKeyExchange(identity: Uint8Array): Uint8Array {
  return new Writer(identity.length + 2).vector16(identity).finish();
}

/** A message without a body, such as ServerHelloDone. */
export function readEmpty(body: Uint8Array, what: string): void {
  new Reader(body).expectEnd(what);
}

function readOnlyVector16(body: Uint8Array, what: string): Uint8Array {
  const reader = new Reader(body);
  const vector = reader.vector16();
  reader.expectEnd(what);
  return vector;
}
