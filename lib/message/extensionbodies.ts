/**
 * Bodies of the extensions that public-key handshakes speak with: supported_groups, ec_point_formats (RFC 8422 §5.1),
 * signature_algorithms (RFC 5246 §7.4.1.4.1), server_name (RFC 6066 §3), certificate types (RFC 7250 §4).
 */
import { ascii, latin1 } from '../wire/bytes.js';
import { decodeError } from '../wire/errors.js';
import { readWhole } from '../wire/reader.js';
import { Writer } from '../wire/writer.js';
import { readUint16List, writeUint16List } from './certificate.js';

const HOST_NAME = 0;
/** The only point format there is (RFC 8422 §5.1.2). */
const UNCOMPRESSED = 0;

/** A list of 16-bit numbers: supported_groups, signature_algorithms. At least one. */
export function readNumbers(body: Uint8Array, what: string): number[] {
  return readWhole(body, what, (reader) => readUint16List(reader.sub16(2), what));
}

export function writeNumbers(numbers: readonly number[]): Uint8Array {
  return writeUint16List(new Writer(), numbers).finish();
}

/** Whether ec_point_formats allows uncompressed points; every legal list does. */
export function readPointFormats(body: Uint8Array): boolean {
  return readWhole(body, 'ec_point_formats', (reader) => reader.vector8(1)).includes(UNCOMPRESSED);
}

export const POINT_FORMATS: Uint8Array = new Uint8Array([1, UNCOMPRESSED]);

/** The host name of a client's server_name, lower-case; null if it names no host. */
export function readServerName(body: Uint8Array): string | null {
  const list = readWhole(body, 'server_name', (reader) => reader.sub16(1));
  let name: string | null = null;
  while (list.left > 0) {
    const type = list.uint8();
    const bytes = list.vector16(1);
    if (type !== HOST_NAME) continue;
    if (name !== null) throw decodeError('server_name holds two host names');
    // A host name is ASCII without control characters (RFC 6066 §3: A-labels); NUL and the like would lie to whoever compares.
    if (bytes.length > 255 || !bytes.every((byte) => byte > 0x20 && byte < 0x7f)) throw decodeError('server_name is no host name');
    name = latin1(bytes).toLowerCase();
  }
  return name;
}

export function writeServerName(name: string): Uint8Array {
  const writer = new Writer();
  const list = writer.open16();
  writer.uint8(HOST_NAME).vector16(ascii(name));
  return writer.close16(list).finish();
}

/** A client's list of certificate types. */
export function readCertificateTypes(body: Uint8Array): Uint8Array {
  return readWhole(body, 'certificate_type', (reader) => reader.vector8(1));
}

export function writeCertificateTypes(types: readonly number[]): Uint8Array {
  return new Writer().vector8(Uint8Array.from(types)).finish();
}

/** The server's choice of one certificate type. */
export function readCertificateType(body: Uint8Array): number {
  return readWhole(body, 'certificate_type', (reader) => reader.uint8());
}
