/**
 * ClientHello, ServerHello, HelloVerifyRequest (RFC 6347 §4.2.1, §4.3.2; RFC 5246 §7.4.1).
 *
 * Law: byte fields are views of the message; trailing bytes are refused.
 */
import { getUint16 } from '../wire/bytes.js';
import { readWhole, Reader } from '../wire/reader.js';
import { Writer } from '../wire/writer.js';
import { readExtensions, writeExtensions, type Extensions } from './extensions.js';

/**
 * struct { ProtocolVersion client_version; Random random; SessionID session_id; opaque cookie<0..2^8-1>;
 *   CipherSuite cipher_suites<2..2^16-1>; CompressionMethod compression_methods<1..2^8-1>; Extension extensions<..>; }
 */
export interface ClientHello {
  readonly version: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** 0 to 32 bytes. */
  readonly sessionId: Uint8Array;
  /** 0 to 255 bytes. */
  readonly cookie: Uint8Array;
  /** Pairs of bytes, as on the wire. */
  readonly cipherSuites: Uint8Array;
  readonly compressionMethods: Uint8Array;
  readonly extensions: Extensions;
}

export function readClientHello(body: Uint8Array): ClientHello {
  const reader = new Reader(body);
  const version = reader.uint16();
  const random = reader.bytes(32);
  const sessionId = reader.vector8(0, 32);
  const cookie = reader.vector8();
  const suites = reader.sub16(2);
  const cipherSuites = suites.bytes(suites.left & ~1);
  suites.expectEnd('cipher_suites');
  const compressionMethods = reader.vector8(1);
  const extensions = readExtensions(reader);
  reader.expectEnd('ClientHello');
  return { version, random, sessionId, cookie, cipherSuites, compressionMethods, extensions };
}

export function writeClientHello(hello: ClientHello): Uint8Array {
  const writer = new Writer();
  writer.uint16(hello.version).bytes(hello.random).vector8(hello.sessionId).vector8(hello.cookie);
  writer.vector16(hello.cipherSuites).vector8(hello.compressionMethods);
  writeExtensions(writer, hello.extensions);
  return writer.finish();
}

/** Whether the pairs of `cipherSuites` hold `id`. */
export function offersSuite(cipherSuites: Uint8Array, id: number): boolean {
  for (let at = 0; at + 1 < cipherSuites.length; at += 2) {
    if (getUint16(cipherSuites, at) === id) return true;
  }
  return false;
}

/**
 * Where the leading fields of a ClientHello stand, found without allocating or throwing, for the stateless
 * look at a first fragment (which need not hold the whole message).
 */
export class ClientHelloStart {
  /** Index of client_version; random follows at +2. */
  at = 0;
  /** Index of the session_id's bytes and past them. */
  sessionId = 0;
  sessionIdEnd = 0;
  /** Index of the cookie's bytes and past them. */
  cookie = 0;
  cookieEnd = 0;
  /** Index past compression_methods, or 0 if the fragment ends before that. */
  algorithmsEnd = 0;

  /** False unless `bytes[at, end)` holds everything up to and with the cookie, in legal lengths. */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    this.at = at;
    this.sessionId = at + 35;
    if (this.sessionId > end) return false;
    const sessionIdLength = bytes[this.sessionId - 1]!;
    this.sessionIdEnd = this.sessionId + sessionIdLength;
    this.cookie = this.sessionIdEnd + 1;
    if (sessionIdLength > 32 || this.cookie > end) return false;
    this.cookieEnd = this.cookie + bytes[this.cookie - 1]!;
    if (this.cookieEnd > end) return false;
    this.algorithmsEnd = 0;
    if (this.cookieEnd + 2 > end) return true;
    const compressionAt = this.cookieEnd + 2 + getUint16(bytes, this.cookieEnd);
    if (compressionAt + 1 > end) return true;
    const algorithmsEnd = compressionAt + 1 + bytes[compressionAt]!;
    if (algorithmsEnd <= end) this.algorithmsEnd = algorithmsEnd;
    return true;
  }
}

/**
 * struct { ProtocolVersion server_version; Random random; SessionID session_id; CipherSuite cipher_suite;
 *   CompressionMethod compression_method; Extension extensions<..>; }
 */
export interface ServerHello {
  readonly version: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** 0 to 32 bytes. */
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly compressionMethod: number;
  readonly extensions: Extensions;
}

export function readServerHello(body: Uint8Array): ServerHello {
  const reader = new Reader(body);
  const version = reader.uint16();
  const random = reader.bytes(32);
  const sessionId = reader.vector8(0, 32);
  const cipherSuite = reader.uint16();
  const compressionMethod = reader.uint8();
  const extensions = readExtensions(reader);
  reader.expectEnd('ServerHello');
  return { version, random, sessionId, cipherSuite, compressionMethod, extensions };
}

export function writeServerHello(hello: ServerHello): Uint8Array {
  const writer = new Writer();
  writer.uint16(hello.version).bytes(hello.random).vector8(hello.sessionId);
  writer.uint16(hello.cipherSuite).uint8(hello.compressionMethod);
  writeExtensions(writer, hello.extensions);
  return writer.finish();
}

/** struct { ProtocolVersion server_version; opaque cookie<0..2^8-1>; }. The version says nothing: ignore it. */
export interface HelloVerifyRequest {
  readonly version: number;
  readonly cookie: Uint8Array;
}

export function readHelloVerifyRequest(body: Uint8Array): HelloVerifyRequest {
  return readWhole(body, 'HelloVerifyRequest', (reader) => ({ version: reader.uint16(), cookie: reader.vector8() }));
}

/** Whether `body` is a HelloVerifyRequest at all: one that is not is dropped, as anybody could have sent it. */
export function isHelloVerifyRequest(body: Uint8Array): boolean {
  return body.length >= 3 && body.length === 3 + body[2]!;
}

export function writeHelloVerifyRequest(request: HelloVerifyRequest): Uint8Array {
  return new Writer().uint16(request.version).vector8(request.cookie).finish();
}
