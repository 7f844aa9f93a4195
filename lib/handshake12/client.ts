/**
 * The client's steps that all key exchanges share (RFC 6347 §4.2.1, RFC 5246 §7.4.1).
 */
import type { Handler } from '../handshake/machine.js';
import { clientExtensions, clientSuites, negotiateClient } from '../handshake/negotiate.js';
import { readHelloVerifyRequest, readServerHello, writeClientHello } from '../message/hello.js';
import { copyOf, EMPTY } from '../wire/bytes.js';
import { PeerError } from '../wire/errors.js';
import { AlertDescription, HandshakeType, ProtocolVersion } from '../wire/registry.js';
import type { Handshake12, KeyExchange12 } from './handshake.js';
import { checkFinished } from './keys.js';

const NULL_COMPRESSION = new Uint8Array([0]);

/** Sends the first ClientHello. */
export function startClient(handshake: Handshake12): void {
  handshake.clientRandom = handshake.out.random(32);
  const extensions = clientExtensions();
  for (const keyExchange of new Set(handshake.parameters.cipherSuites.map((suite) => suite.keyExchange as KeyExchange12))) {
    keyExchange.offer(handshake, extensions);
  }
  handshake.offeredExtensions = extensions;
  sendClientHello(handshake, EMPTY);
  handshake.state = 'waitServerHello';
}

function sendClientHello(handshake: Handshake12, cookie: Uint8Array): void {
  const body = writeClientHello({
    version: ProtocolVersion.dtls12,
    random: handshake.clientRandom,
    sessionId: EMPTY,
    cookie,
    cipherSuites: clientSuites(handshake.parameters.cipherSuites),
    compressionMethods: NULL_COMPRESSION,
    extensions: handshake.offeredExtensions,
  });
  handshake.send(HandshakeType.clientHello, body);
}

/** The same hello again, with the cookie; what came before leaves the transcript (RFC 6347 §4.2.1). */
export const onHelloVerifyRequest: Handler<Handshake12> = (handshake, body) => {
  const { cookie } = readHelloVerifyRequest(body);
  if (++handshake.helloVerifyRequests > handshake.parameters.maxHelloVerifyRequests) {
    throw new PeerError(
      'ERR_DTLS_UNEXPECTED_MESSAGE',
      AlertDescription.unexpectedMessage,
      `the server asks for another cookie after ${handshake.parameters.maxHelloVerifyRequests}`,
    );
  }
  handshake.transcript.reset();
  sendClientHello(handshake, cookie);
  return 'waitServerHello';
};

export const onServerHello: Handler<Handshake12> = (handshake, body) => {
  const hello = readServerHello(body);
  handshake.negotiated = negotiateClient(hello, handshake.offeredExtensions, handshake.parameters);
  handshake.serverRandom = copyOf(hello.random);
  handshake.transcript.start(handshake.hash, handshake.keyExchange.certified);
  handshake.keyExchange.accept(handshake, hello.extensions);
  return handshake.keyExchange.afterServerHello(handshake);
};

export const onServerFinished: Handler<Handshake12> = (handshake, body) => {
  checkFinished(handshake, body);
  handshake.out.complete();
  return 'connected';
};
