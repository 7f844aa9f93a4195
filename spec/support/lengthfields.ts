/**
 * Where the lengths stand in a handshake message, for specs that let them lie.
 */
import { readClientHello } from '../../lib/message/hello.js';
import { ExtensionType, HandshakeType } from '../../lib/wire/registry.js';

/** A field that holds the length of what follows it: where it stands, and in how many bytes. */
export interface LengthField {
  readonly name: string;
  readonly at: number;
  readonly bytes: 1 | 2 | 3;
}

/** Whose key exchange the messages are of: their grammar depends on it. */
export type Grammar = 'psk' | 'ecdhePsk' | 'rawKey' | 'x509';

/** Extensions of a ClientHello whose body is one vector with a length of so many bytes. */
const LISTS: Readonly<Record<number, 1 | 2>> = {
  [ExtensionType.supportedGroups]: 2, [ExtensionType.signatureAlgorithms]: 2, [ExtensionType.ecPointFormats]: 1,
  [ExtensionType.clientCertificateType]: 1, [ExtensionType.serverCertificateType]: 1, [ExtensionType.serverName]: 2,
};
/** Those that are one vector in a ServerHello too: of certificate types it names one, without a length; server_name is empty. */
const LISTS_OF_SERVER: readonly number[] = [ExtensionType.ecPointFormats];

/** The number that `field` holds in `body`. */
export function lengthAt(body: Uint8Array, { at, bytes }: LengthField): number {
  return body.subarray(at, at + bytes).reduce((number, byte) => number * 256 + byte, 0);
}

/** `body` with another number in `field`. */
export function withLength(body: Uint8Array, { at, bytes }: LengthField, value: number): Uint8Array {
  const changed = body.slice();
  for (let i = 0; i < bytes; i++) changed[at + i] = value >>> (8 * (bytes - 1 - i));
  return changed;
}

/** HSP-02: what a length says that is not so. */
export function lies(body: Uint8Array, field: LengthField): number[] {
  const actual = lengthAt(body, field);
  const mask = 2 ** (8 * field.bytes) - 1;
  const values = new Set([0, actual - 1, actual + 1, 0x7f, 0xff, 0xffff, 0xffffff].map((value) => value & mask));
  values.delete(actual);
  return [...values];
}

/** The length fields of each message, found by walking it as its grammar says. */
export function lengthFields(type: number, body: Uint8Array, grammar: Grammar): LengthField[] {
  const fields: LengthField[] = [];
  let at = 0;
  const vector = (name: string, bytes: 1 | 2 | 3, skip: boolean = true): void => {
    const field = { name, at, bytes };
    fields.push(field);
    at += bytes + (skip ? lengthAt(body, field) : 0);
  };
  const extensions = (lists: (type: number) => 1 | 2 | undefined): void => {
    vector('extensions', 2, false);
    while (at < body.length) {
      const extension = (body[at]! << 8) | body[at + 1]!;
      at += 2;
      const inner = lists(extension);
      if (extension === ExtensionType.renegotiationInfo) fields.push({ name: 'renegotiated_connection', at: at + 2, bytes: 1 });
      else if (inner !== undefined) fields.push({ name: `list of ${extension}`, at: at + 2, bytes: inner });
      if (extension === ExtensionType.serverName && inner !== undefined) fields.push({ name: 'host_name', at: at + 5, bytes: 2 });
      vector(`extension ${extension}`, 2);
    }
  };
  switch (type) {
    case HandshakeType.clientHello:
      at = 34;
      vector('session_id', 1);
      vector('cookie', 1);
      vector('cipher_suites', 2);
      vector('compression_methods', 1);
      extensions((extension) => LISTS[extension]);
      break;
    case HandshakeType.serverHello:
      at = 34;
      vector('session_id', 1);
      at += 3;
      extensions((extension) => (LISTS_OF_SERVER.includes(extension) ? LISTS[extension] : undefined));
      break;
    case HandshakeType.helloVerifyRequest:
      at = 2;
      vector('cookie', 1);
      break;
    case HandshakeType.certificate:
      vector('certificate_list', 3, grammar === 'rawKey');
      while (at < body.length) vector('certificate', 3);
      break;
    case HandshakeType.serverKeyExchange:
      if (grammar === 'psk' || grammar === 'ecdhePsk') vector('hint', 2);
      if (grammar === 'psk') break;
      at += 3;
      vector('public', 1);
      if (grammar === 'ecdhePsk') break;
      at += 2;
      vector('signature', 2);
      break;
    case HandshakeType.certificateRequest:
      vector('certificate_types', 1);
      vector('supported_signature_algorithms', 2);
      vector('certificate_authorities', 2, false);
      while (at < body.length) vector('authority', 2);
      break;
    case HandshakeType.clientKeyExchange:
      if (grammar === 'psk' || grammar === 'ecdhePsk') vector('identity', 2);
      if (grammar !== 'psk') vector('public', 1);
      break;
    case HandshakeType.certificateVerify:
      at = 2;
      vector('signature', 2);
      break;
  }
  return fields;
}

/** Where the extensions of a hello start. */
export function extensionsAt(type: number, body: Uint8Array): number {
  if (type === HandshakeType.serverHello) return 35 + body[34]! + 3;
  const { sessionId, cookie, cipherSuites, compressionMethods } = readClientHello(body);
  return 34 + 1 + sessionId.length + 1 + cookie.length + 2 + cipherSuites.length + 1 + compressionMethods.length;
}
