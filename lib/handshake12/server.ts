/**
 * The server's steps that all key exchanges share (RFC 6347 §4.2.1, RFC 5246 §7.4.1).
 */
import type { CipherSuite } from '../crypto/suites.js';
import { Answered, type Handler } from '../handshake/machine.js';
import { checkClientHello, negotiateServer, serverExtensions, type Fit } from '../handshake/negotiate.js';
import { offersSuite, readClientHello, writeServerHello, type ClientHello } from '../message/hello.js';
import { copyOf, EMPTY } from '../wire/bytes.js';
import { invariant } from '../wire/errors.js';
import { HandshakeType, ProtocolVersion } from '../wire/registry.js';
import type { Handshake12, KeyExchange12 } from './handshake.js';
import { checkFinished, sendFinished } from './keys.js';

/** The address is proved by now: the cookie is the business of the door, not of the handshake. */
export const onClientHello: Handler<Handshake12> = (handshake, body) => {
  const hello = readClientHello(body);
  checkClientHello(hello);
  const certified = handshake.parameters.cipherSuites.find(
    ({ id, keyExchange }) => (keyExchange as KeyExchange12).certified && offersSuite(hello.cipherSuites, id),
  );
  if (certified === undefined || !handshake.parameters.asksCredential) return acceptHello(handshake, hello);
  // What the host has to show decides which suites fit: it is asked before one is chosen.
  handshake.keys.clientHello = copyOf(body);
  handshake.clientRandom = copyOf(hello.random);
  handshake.out.ask({ answer: Answered.credential, wishes: (certified.keyExchange as KeyExchange12).wishes!(handshake, hello) });
  return 'askServerCredential';
};

/** The host's credentials are known. */
export const onServerCredential: Handler<Handshake12> = (handshake) => {
  const hello = readClientHello(handshake.keys.clientHello);
  handshake.keys.clientHello = EMPTY;
  return acceptHello(handshake, hello);
};

function acceptHello(handshake: Handshake12, hello: ClientHello): string {
  const fitOf = ({ keyExchange }: CipherSuite): Fit => (keyExchange as KeyExchange12).fit(handshake, hello);
  handshake.negotiated = negotiateServer(hello, handshake.parameters, fitOf, () => handshake.keys.noCommonType);
  handshake.clientRandom = copyOf(hello.random);
  handshake.serverRandom = handshake.out.random(32);
  const { certified } = handshake.keyExchange;
  handshake.transcript.start(handshake.hash, certified && handshake.keys.asks);
  return handshake.keyExchange.afterClientHello(handshake);
}

/** Sends ServerHello; the key exchange sends what follows it. No session can be resumed: session_id is empty. */
export function sendServerHello(handshake: Handshake12): void {
  const { negotiated } = handshake;
  invariant(negotiated !== null, 'ServerHello comes after negotiation');
  const extensions = serverExtensions(negotiated);
  handshake.keyExchange.respond(handshake, extensions);
  const body = writeServerHello({
    version: ProtocolVersion.dtls12,
    random: handshake.serverRandom,
    sessionId: EMPTY,
    cipherSuite: negotiated.suite.id,
    compressionMethod: 0,
    extensions,
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
