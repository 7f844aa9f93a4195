/**
 * Every codec pair of the messages as one row: how to read, how to write, and an arbitrary of what can be said in it.
 */
import fc from 'fast-check';
import {
  readClientHello, readHelloVerifyRequest, readServerHello, writeClientHello, writeHelloVerifyRequest, writeServerHello,
} from '../../lib/message/hello.js';
import type { Extensions } from '../../lib/message/extensions.js';
import {
  readEmpty, readPskClientKeyExchange, readPskServerKeyExchange, writePskClientKeyExchange, writePskServerKeyExchange,
} from '../../lib/message/keyexchange.js';

/** One pair. `read` throws a PeerError for what it does not take. */
export interface Codec {
  readonly name: string;
  readonly read: (body: Uint8Array) => unknown;
  readonly write: (value: never) => Uint8Array;
  readonly values: fc.Arbitrary<unknown>;
  /** Whether the message may end in an extension block, which may be empty or not be there. */
  readonly extensible: boolean;
}

const opaque = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength });

/** Extensions of distinct types, in the order of the message. */
export const extensions: fc.Arbitrary<Extensions> = fc
  .uniqueArray(fc.tuple(fc.oneof(fc.constantFrom(0, 10, 23, 54, 0xff01), fc.nat(0xffff)), opaque(0, 20)), { selector: ([type]) => type, maxLength: 6 })
  .map((pairs) => new Map(pairs));

/** Objects as the codecs make them. */
const PLAIN = { noNullPrototype: true } as const;

const version = fc.oneof(fc.constantFrom(0xfefd, 0xfeff), fc.nat(0xffff));

export const CODECS: readonly Codec[] = [
  {
    name: 'ClientHello',
    read: readClientHello,
    write: writeClientHello as (value: never) => Uint8Array,
    values: fc.record({
      version, random: opaque(32, 32), sessionId: opaque(0, 32), cookie: opaque(0, 255),
      cipherSuites: opaque(1, 20).map((half) => Uint8Array.from([...half, ...half])), compressionMethods: opaque(1, 5), extensions,
    }, PLAIN),
    extensible: true,
  },
  {
    name: 'ServerHello',
    read: readServerHello,
    write: writeServerHello as (value: never) => Uint8Array,
    values: fc.record({
      version, random: opaque(32, 32), sessionId: opaque(0, 32), cipherSuite: fc.nat(0xffff), compressionMethod: fc.nat(255), extensions,
    }, PLAIN),
    extensible: true,
  },
  {
    name: 'HelloVerifyRequest',
    read: readHelloVerifyRequest,
    write: writeHelloVerifyRequest as (value: never) => Uint8Array,
    values: fc.record({ version, cookie: opaque(0, 255) }, PLAIN),
    extensible: false,
  },
  {
    name: 'ServerKeyExchange (PSK)',
    read: readPskServerKeyExchange,
    write: writePskServerKeyExchange as (value: never) => Uint8Array,
    values: opaque(0, 300),
    extensible: false,
  },
  {
    name: 'ClientKeyExchange (PSK)',
    read: readPskClientKeyExchange,
    write: writePskClientKeyExchange as (value: never) => Uint8Array,
    values: opaque(0, 300),
    extensible: false,
  },
  {
    name: 'an empty message',
    read: (body) => readEmpty(body, 'ServerHelloDone'),
    write: () => new Uint8Array(0),
    values: fc.constant(undefined),
    extensible: false,
  },
];
