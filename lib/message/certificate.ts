/**
 * Certificate, CertificateRequest, CertificateVerify (RFC 5246 §7.4.2, §7.4.4, §7.4.8) and the raw public key that may
 * stand in a Certificate's place (RFC 7250 §3).
 *
 * Law: byte fields are views of the message; trailing bytes are refused; what is in a certificate is not looked at.
 */
import { decodeError } from '../wire/errors.js';
import { readWhole, Reader } from '../wire/reader.js';
import { Writer } from '../wire/writer.js';

/** More certificates than any honest chain has: a longer list is refused before anything is made of it. */
const MAX_CERTIFICATES = 32;
/** The same of authorities, and of schemes and groups: what a list is made into takes many times its bytes. */
const MAX_AUTHORITIES = 256;
const MAX_NUMBERS = 256;

/** struct { ASN.1Cert certificate_list<0..2^24-1>; }, ASN.1Cert<1..2^24-1>. Leaf first; empty for "none". */
export function readCertificate(body: Uint8Array): Uint8Array[] {
  const list = new Reader(readWhole(body, 'Certificate', (reader) => reader.vector24()));
  const certificates: Uint8Array[] = [];
  while (list.left > 0) {
    if (certificates.length === MAX_CERTIFICATES) throw decodeError(`a chain of more than ${MAX_CERTIFICATES} certificates`);
    certificates.push(list.vector24(1));
  }
  return certificates;
}

export function writeCertificate(certificates: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer();
  const list = writer.open24();
  for (const certificate of certificates) writer.vector24(certificate);
  return writer.close24(list).finish();
}

/** struct { opaque ASN.1_subjectPublicKeyInfo<1..2^24-1>; } (RFC 7250 §3); null for an empty Certificate. */
export function readRawPublicKey(body: Uint8Array): Uint8Array | null {
  const spki = readWhole(body, 'Certificate', (reader) => reader.vector24());
  return spki.length === 0 ? null : spki;
}

export function writeRawPublicKey(spki: Uint8Array): Uint8Array {
  return new Writer().vector24(spki).finish();
}

/** Values of ClientCertificateType (RFC 5246 §7.4.4, RFC 8422 §5.5). */
export const ClientCertificateType = { rsaSign: 1, ecdsaSign: 64 } as const;

/**
 * struct { ClientCertificateType certificate_types<1..2^8-1>;
 *   SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;
 *   DistinguishedName certificate_authorities<0..2^16-1>; }, DistinguishedName<1..2^16-1>
 */
export interface CertificateRequest {
  readonly certificateTypes: Uint8Array;
  readonly signatureSchemes: readonly number[];
  /** DER names. */
  readonly authorities: readonly Uint8Array[];
}

export function readCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body);
  const certificateTypes = reader.vector8(1);
  const signatureSchemes = readUint16List(reader.sub16(2), 'supported_signature_algorithms');
  const names = reader.sub16();
  const authorities: Uint8Array[] = [];
  while (names.left > 0) {
    if (authorities.length === MAX_AUTHORITIES) throw decodeError(`more than ${MAX_AUTHORITIES} authorities`);
    authorities.push(names.vector16(1));
  }
  reader.expectEnd('CertificateRequest');
  return { certificateTypes, signatureSchemes, authorities };
}

export function writeCertificateRequest(request: CertificateRequest): Uint8Array {
  const writer = new Writer().vector8(request.certificateTypes);
  writeUint16List(writer, request.signatureSchemes);
  const names = writer.open16();
  for (const name of request.authorities) writer.vector16(name);
  return writer.close16(names).finish();
}

/** struct { SignatureAndHashAlgorithm algorithm; opaque signature<0..2^16-1>; } (RFC 5246 §4.7). */
export interface DigitallySigned {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

export function readCertificateVerify(body: Uint8Array): DigitallySigned {
  return readWhole(body, 'CertificateVerify', readDigitallySigned);
}

export function writeCertificateVerify(signed: DigitallySigned): Uint8Array {
  return new Writer().uint16(signed.scheme).vector16(signed.signature).finish();
}

/** Reads the algorithm and the signature at the cursor. */
export function readDigitallySigned(reader: Reader): DigitallySigned {
  return { scheme: reader.uint16(), signature: reader.vector16() };
}

/** The numbers of a list whose length is in bytes: an odd one is refused, and one that nobody means. */
export function readUint16List(list: Reader, what: string): number[] {
  if (list.left > 2 * MAX_NUMBERS) throw decodeError(`${what} has more than ${MAX_NUMBERS} entries`);
  const numbers: number[] = [];
  while (list.left >= 2) numbers.push(list.uint16());
  list.expectEnd(what);
  return numbers;
}

/** Writes numbers behind a 16-bit length in bytes. */
export function writeUint16List(writer: Writer, numbers: readonly number[]): Writer {
  writer.uint16(numbers.length * 2);
  for (const number of numbers) writer.uint16(number);
  return writer;
}
