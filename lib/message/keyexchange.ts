/**
 * ServerKeyExchange and ClientKeyExchange of each key exchange: PSK (RFC 4279 §2), ECDHE (RFC 8422 §5.4, §5.7),
 * ECDHE_PSK (RFC 5489 §2).
 *
 * Law: byte fields are views; trailing bytes are refused; named curves only (curve_type 3).
 */
import { PeerError } from '../wire/errors.js';
import { readWhole, Reader } from '../wire/reader.js';
import { AlertDescription } from '../wire/registry.js';
import { Writer } from '../wire/writer.js';
import { readDigitallySigned, type DigitallySigned } from './certificate.js';

/** ECCurveType named_curve (RFC 8422 §5.4). Explicit curves (1, 2) are refused. */
const NAMED_CURVE = 3;

/** struct { ECParameters curve_params; ECPoint public; } ServerECDHParams, with a named curve. */
export interface EcdhParameters {
  readonly group: number;
  readonly publicKey: Uint8Array;
}

/** struct { opaque psk_identity_hint<0..2^16-1>; } ServerKeyExchange. Returns the hint, a view. */
export function readPskServerKeyExchange(body: Uint8Array): Uint8Array {
  return readWhole(body, 'ServerKeyExchange', (reader) => reader.vector16());
}

export function writePskServerKeyExchange(hint: Uint8Array): Uint8Array {
  return new Writer().vector16(hint).finish();
}

/** struct { opaque psk_identity<0..2^16-1>; } ClientKeyExchange. Returns the identity, a view. */
export function readPskClientKeyExchange(body: Uint8Array): Uint8Array {
  return readWhole(body, 'ClientKeyExchange', (reader) => reader.vector16());
}

export function writePskClientKeyExchange(identity: Uint8Array): Uint8Array {
  return new Writer().vector16(identity).finish();
}

/** ServerKeyExchange of ECDHE_ECDSA and ECDHE_RSA; `signedParameters` are the bytes the signature is over. */
export interface EcdheServerKeyExchange extends EcdhParameters, DigitallySigned {
  readonly signedParameters: Uint8Array;
}

export function readEcdheServerKeyExchange(body: Uint8Array): EcdheServerKeyExchange {
  return readWhole(body, 'ServerKeyExchange', (reader) => {
    const { group, publicKey } = readEcdhParameters(reader);
    const signedParameters = body.subarray(0, reader.at);
    const { scheme, signature } = readDigitallySigned(reader);
    return { group, publicKey, signedParameters, scheme, signature };
  });
}

/** The parameters alone: what is signed, and what the signature follows. */
export function writeEcdhParameters(parameters: EcdhParameters): Uint8Array {
  return new Writer().uint8(NAMED_CURVE).uint16(parameters.group).vector8(parameters.publicKey).finish();
}

export function writeEcdheServerKeyExchange(parameters: Uint8Array, signed: DigitallySigned): Uint8Array {
  return new Writer().bytes(parameters).uint16(signed.scheme).vector16(signed.signature).finish();
}

/** struct { ECPoint ecdh_Yc; }. Returns the public value, a view. */
export function readEcdheClientKeyExchange(body: Uint8Array): Uint8Array {
  return readWhole(body, 'ClientKeyExchange', (reader) => reader.vector8(1));
}

export function writeEcdheClientKeyExchange(publicKey: Uint8Array): Uint8Array {
  return new Writer().vector8(publicKey).finish();
}

/** struct { opaque psk_identity_hint<0..2^16-1>; ServerECDHParams params; }. */
export function readEcdhePskServerKeyExchange(body: Uint8Array): EcdhParameters & { readonly hint: Uint8Array } {
  return readWhole(body, 'ServerKeyExchange', (reader) => ({ hint: reader.vector16(), ...readEcdhParameters(reader) }));
}

export function writeEcdhePskServerKeyExchange(hint: Uint8Array, parameters: EcdhParameters): Uint8Array {
  return new Writer().vector16(hint).bytes(writeEcdhParameters(parameters)).finish();
}

/** struct { opaque psk_identity<0..2^16-1>; ClientECDiffieHellmanPublic public; }. */
export function readEcdhePskClientKeyExchange(body: Uint8Array): { readonly identity: Uint8Array; readonly publicKey: Uint8Array } {
  return readWhole(body, 'ClientKeyExchange', (reader) => ({ identity: reader.vector16(), publicKey: reader.vector8(1) }));
}

export function writeEcdhePskClientKeyExchange(identity: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return new Writer().vector16(identity).vector8(publicKey).finish();
}

/** A message without a body, such as ServerHelloDone. */
export function readEmpty(body: Uint8Array, what: string): void {
  new Reader(body).expectEnd(what);
}

function readEcdhParameters(reader: Reader): EcdhParameters {
  if (reader.uint8() !== NAMED_CURVE) {
    throw new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.illegalParameter, 'the server names no curve but describes one');
  }
  return { group: reader.uint16(), publicKey: reader.vector8(1) };
}
