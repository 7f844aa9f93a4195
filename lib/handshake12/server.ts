/**
 * The server's steps that all key exchanges share (RFC 6347 §4.2.1, RFC 5246 §7.4.1).
 */
import type { Handler } from '../handshake/machine.js';
import { negotiateServer, serverExtensions } from '../handshake/negotiate.js';
import { readClientHello, writeServerHello } from '../message/hello.js';
import { copyOf, EMPTY } from '../wire/bytes.js';
import { invariant } from '../wire/errors.js';
import { HandshakeType, ProtocolVersion } from '../wire/registry.js';
import type { Handshake12 } from './handshake.js';
import { checkFinished, sendFinished } from './keys.js';

/** The address is proved by now: the cookie is the business of the door, not of the handshake. */
export const onClientHello: Handler<Handshake12> = (handshake, body) => {
  const hello = readClientHello(body);
  handshake.negotiated = negotiateServer(hello, handshake.parameters);
  handshake.clientRandom = copyOf(hello.random);
  handshake.serverRandom = handshake.out.random(32);
  handshake.transcript.start(handshake.hash);
  return handshake.keyExchange.afterClientHello(handshake);
};

/** Sends ServerHello; the key exchange sends what follows it. No session can be resumed: session_id is empty. */
export function sendServerHello(handshake: Handshake12): void {
  const { negotiated } = handshake;
  invariant(negotiated !== null, 'ServerHello comes after negotiation');
  const body = writeServerHello({
    version: ProtocolVersion.dtls12,
    random: handshake.serverRandom,
    sessionId: EMPTY,
    cipherSuite: negotiated.suite.id,
    compressionMethod: 0,
    extensions: serverExtensions(negotiated),
  });
  handshake.send(HandshakeType.serverHello, body);
}

export const onClientFinished: Handler<Handshake12> = (handshake, body) => {
  checkFinished(handshake, body);
  handshake.out.sendChangeCipherSpec();
  sendFinished(handshake);
  handshake.out.complete();
  return 'connected';
};
