/**
 * The codecs of both hellos. The reference is one copy of the message, the least anybody does with it.
 */
import { clientExtensions, clientSuites } from '../../lib/handshake/negotiate.js';
import {
  readClientHello, readServerHello, writeClientHello, writeServerHello, type ClientHello, type ServerHello,
} from '../../lib/message/hello.js';
import { EMPTY } from '../../lib/wire/bytes.js';
import { ProtocolVersion } from '../../lib/wire/registry.js';
import { ALL_SUITES } from '../ends.js';
import { sink, type Case, type Work } from '../harness.js';

const CLIENT_HELLO: ClientHello = {
  version: ProtocolVersion.dtls12,
  random: new Uint8Array(32).fill(1),
  sessionId: EMPTY,
  cookie: new Uint8Array(32).fill(2),
  cipherSuites: clientSuites(ALL_SUITES),
  compressionMethods: new Uint8Array([0]),
  extensions: clientExtensions(),
};

const SERVER_HELLO: ServerHello = {
  version: ProtocolVersion.dtls12,
  random: new Uint8Array(32).fill(1),
  sessionId: new Uint8Array(32).fill(2),
  cipherSuite: ALL_SUITES[0]!.id,
  compressionMethod: 0,
  extensions: clientExtensions(),
};

export function codecCases(): Case[] {
  const client = writeClientHello(CLIENT_HELLO);
  const server = writeServerHello(SERVER_HELLO);
  return [
    one('codec/read ClientHello', client, () => readClientHello(client)),
    one('codec/write ClientHello', client, () => writeClientHello(CLIENT_HELLO)),
    one('codec/read ServerHello', server, () => readServerHello(server)),
    one('codec/write ServerHello', server, () => writeServerHello(SERVER_HELLO)),
  ];
}

function one(bench: string, message: Uint8Array, operation: () => unknown): Case {
  return {
    bench, suite: null, provider: null, size: message.length, reference: 'one copy',
    set: () => ({ subject: looped(operation), reference: looped(() => message.slice()) }),
  };
}

function looped(operation: () => unknown): Work {
  return {
    run(count) {
      for (let i = 0; i < count; i++) sink.value = operation();
    },
  };
}
