/**
 * ECDHE_ECDSA and ECDHE_RSA (RFC 8422): the server shows a certificate chain or a raw public key (RFC 7250) and signs
 * its ephemeral key; the client may be asked to do likewise.
 *
 *   client                                              server
 *   ServerHello → Certificate → (trust)                 ClientHello → (sign) → ServerHello Certificate ServerKeyExchange
 *   → ServerKeyExchange → [CertificateRequest]             [CertificateRequest] ServerHelloDone
 *   → ServerHelloDone → [(credential)] → [(sign)]       → [Certificate → (trust)] → ClientKeyExchange → [CertificateVerify]
 *
 * Law: nobody is believed without a Trust or the host's word; a key that was not shown signs nothing.
 */
import { Answered, type Handler } from '../handshake/machine.js';
import { readCertificateRequest, readCertificateVerify, writeCertificateRequest, writeCertificateVerify } from '../message/certificate.js';
import {
  readEcdheClientKeyExchange, readEcdheServerKeyExchange, readEmpty, writeEcdheClientKeyExchange,
  writeEcdheServerKeyExchange, writeEcdhParameters,
} from '../message/keyexchange.js';
import { concat, copyOf, EMPTY } from '../wire/bytes.js';
import { invariant, LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription, HandshakeType } from '../wire/registry.js';
import {
  acceptTypes, askTrust, certificateRequest, checkSignature, chooseClientCredential, chooseServerCredential, offerCertificates,
  respondTypes, sendCertificate, serverWishes, takeCertificate, takeTrust,
} from './auth.js';
import {
  agree, checkPointFormats, chooseGroup, clientAgree, offerGroups, respondPointFormats, serverParameters, takeServerParameters,
} from './ecdhe.js';
import type { Handshake12, KeyExchange12, Table12 } from './handshake.js';
import { finishClient, installKeys } from './keys.js';
import { onServerCredential, sendServerHello } from './server.js';

type Step = Handler<Handshake12>;

// Client.

const onServerCertificate: Step = (handshake, body) => {
  if (!takeCertificate(handshake, body)) throw refused(AlertDescription.badCertificate, 'the server shows no certificate');
  return askTrust(handshake, 'askServerTrust');
};

const onServerTrust: Step = (handshake) => {
  takeTrust(handshake);
  return 'waitServerKeyExchange';
};

/** The server's key signs both randoms and its parameters (RFC 8422 §5.4). */
const onServerKeyExchange: Step = (handshake, body) => {
  const exchange = readEcdheServerKeyExchange(body);
  takeServerParameters(handshake, exchange);
  checkSignature(handshake, exchange, concat(handshake.clientRandom, handshake.serverRandom, exchange.signedParameters));
  return 'waitCertificateRequest';
};

const onCertificateRequest: Step = (handshake, body) => {
  handshake.keys.request = readCertificateRequest(copyOf(body));
  return 'waitServerHelloDone';
};

const onServerHelloDone: Step = (handshake, body) => {
  readEmpty(body, 'ServerHelloDone');
  if (handshake.keys.request === null) return sendKeyExchange(handshake);
  const wishes = chooseClientCredential(handshake);
  if (!handshake.parameters.asksCredential || wishes === null) return showClient(handshake);
  handshake.out.ask({ answer: Answered.credential, wishes });
  return 'askClientCredential';
};

const onClientCredential: Step = (handshake) => {
  chooseClientCredential(handshake);
  return showClient(handshake);
};

/** What we show, or an empty Certificate where nothing fits (RFC 5246 §7.4.6); the key exchange follows. */
function showClient(handshake: Handshake12): string {
  handshake.keys.sentChain = sendCertificate(handshake);
  return sendKeyExchange(handshake);
}

function sendKeyExchange(handshake: Handshake12): string {
  const { publicKey, secret } = clientAgree(handshake);
  handshake.send(HandshakeType.clientKeyExchange, writeEcdheClientKeyExchange(publicKey));
  installKeys(handshake, secret);
  const { choice, sentChain } = handshake.keys;
  const message = sentChain ? handshake.transcript.messages() : EMPTY;
  // The server signs nothing any more, and what we sign is a copy.
  handshake.transcript.forgetMessages();
  handshake.keys.request = null;
  if (!sentChain) return finishClient(handshake);
  invariant(choice !== null, 'a chain was sent of a credential that was chosen');
  handshake.out.ask({ answer: Answered.signature, choice, message });
  return 'askClientSignature';
}

const onClientSignature: Step = (handshake, signature) => {
  handshake.send(HandshakeType.certificateVerify, writeCertificateVerify(signed(handshake, signature)));
  return finishClient(handshake);
};

const clientRows: Table12 = {
  waitCertificate: { [HandshakeType.certificate]: onServerCertificate },
  askServerTrust: { [Answered.trust]: onServerTrust },
  waitServerKeyExchange: { [HandshakeType.serverKeyExchange]: onServerKeyExchange },
  // Whether the server asks who we are is its own choice (RFC 5246 §7.4.4).
  waitCertificateRequest: {
    [HandshakeType.certificateRequest]: onCertificateRequest,
    [HandshakeType.serverHelloDone]: onServerHelloDone,
  },
  waitServerHelloDone: { [HandshakeType.serverHelloDone]: onServerHelloDone },
  askClientCredential: { [Answered.credential]: onClientCredential },
  askClientSignature: { [Answered.signature]: onClientSignature },
};

// Server.

function afterClientHello(handshake: Handshake12): string {
  const { choice } = handshake.keys;
  invariant(choice !== null, 'a suite with certificates fits by a credential');
  const parameters = writeEcdhParameters(serverParameters(handshake));
  handshake.keys.parameters = parameters;
  const message = concat(handshake.clientRandom, handshake.serverRandom, parameters);
  handshake.out.ask({ answer: Answered.signature, choice, message });
  return 'askServerSignature';
}

const onServerSignature: Step = (handshake, signature) => {
  const { keys } = handshake;
  sendServerHello(handshake);
  sendCertificate(handshake);
  handshake.send(HandshakeType.serverKeyExchange, writeEcdheServerKeyExchange(keys.parameters, signed(handshake, signature)));
  if (keys.asks) handshake.send(HandshakeType.certificateRequest, writeCertificateRequest(certificateRequest(handshake)));
  handshake.send(HandshakeType.serverHelloDone, EMPTY);
  return keys.asks ? 'waitClientCertificate' : 'waitClientKeyExchange';
};

const onClientCertificate: Step = (handshake, body) => {
  if (takeCertificate(handshake, body)) return askTrust(handshake, 'askClientTrust');
  if (handshake.parameters.clientAuthentication === 'require') {
    throw refused(AlertDescription.handshakeFailure, 'the client shows no certificate, and one is required');
  }
  return 'waitClientKeyExchange';
};

const onClientTrust: Step = (handshake) => {
  takeTrust(handshake);
  return 'waitCertifiedClientKeyExchange';
};

const onAnonymousKeyExchange: Step = (handshake, body) => {
  installKeys(handshake, agree(handshake, readEcdheClientKeyExchange(body)));
  return 'waitFinished';
};

const onCertifiedKeyExchange: Step = (handshake, body) => {
  installKeys(handshake, agree(handshake, readEcdheClientKeyExchange(body)));
  return 'waitCertificateVerify';
};

/** Over every message before it (RFC 5246 §7.4.8). */
const onCertificateVerify: Step = (handshake, body) => {
  checkSignature(handshake, readCertificateVerify(body), handshake.transcript.messagesBefore());
  handshake.transcript.forgetMessages();
  return 'waitFinished';
};

const serverRows: Table12 = {
  askServerCredential: { [Answered.credential]: onServerCredential },
  askServerSignature: { [Answered.signature]: onServerSignature },
  waitClientCertificate: { [HandshakeType.certificate]: onClientCertificate },
  askClientTrust: { [Answered.trust]: onClientTrust },
  waitClientKeyExchange: { [HandshakeType.clientKeyExchange]: onAnonymousKeyExchange },
  // A client that showed a key must prove that it has it: there is no way past CertificateVerify.
  waitCertifiedClientKeyExchange: { [HandshakeType.clientKeyExchange]: onCertifiedKeyExchange },
  waitCertificateVerify: { [HandshakeType.certificateVerify]: onCertificateVerify },
};

/** A key exchange whose server shows a key of `kinds`. */
function certified(name: string, kinds: readonly ('ec' | 'ed25519' | 'rsa')[]): KeyExchange12 {
  return {
    name,
    clientRows,
    serverRows,
    certified: true,
    preShared: false,
    ephemeral: true,
    offer: (handshake, extensions) => {
      offerGroups(handshake, extensions);
      offerCertificates(handshake, extensions);
    },
    wishes: (handshake, hello) => serverWishes(handshake, hello, kinds),
    fit: (handshake, hello) => (chooseGroup(handshake, hello) ? chooseServerCredential(handshake, hello, kinds) : 'no'),
    respond: (handshake, extensions) => {
      respondPointFormats(handshake, extensions);
      respondTypes(handshake, extensions);
    },
    accept: (handshake, extensions) => {
      checkPointFormats(extensions);
      acceptTypes(handshake, extensions);
    },
    afterServerHello: (handshake) => {
      handshake.keys.peerKinds = kinds;
      return 'waitCertificate';
    },
    afterClientHello,
    answer: (_, __, bytes) => bytes ?? EMPTY,
  };
}

/** ECDHE_ECDSA: EC and Ed25519 keys (RFC 8422 §2.2). */
export const ecdheEcdsa: KeyExchange12 = /* @__PURE__ */ certified('ecdhe_ecdsa', ['ec', 'ed25519']);
/** ECDHE_RSA (RFC 8422 §2.3). */
export const ecdheRsa: KeyExchange12 = /* @__PURE__ */ certified('ecdhe_rsa', ['rsa']);

function signed(handshake: Handshake12, signature: Uint8Array): { scheme: number; signature: Uint8Array } {
  if (signature.length === 0) {
    throw new LocalError('ERR_DTLS_CREDENTIAL', 'the private key gave no signature', AlertDescription.internalError);
  }
  return { scheme: handshake.keys.choice!.scheme, signature };
}

function refused(alert: number, message: string): PeerError {
  return new PeerError('ERR_DTLS_CERTIFICATE', alert, message);
}
