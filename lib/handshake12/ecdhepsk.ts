/**
 * ECDHE_PSK (RFC 5489, RFC 8442): a pre-shared key authenticates an ephemeral exchange, so that the key alone does not
 * open old records.
 *
 *   client                                        server
 *   ServerHello → ServerKeyExchange               ClientHello → ask hint
 *   → ServerHelloDone → ask identity → ask key    → ServerHello ServerKeyExchange ServerHelloDone
 *   → ClientKeyExchange …                         → ClientKeyExchange → ask key → keys
 *
 * Law: ServerKeyExchange is not optional here; everything about identities and keys is as in psk.ts.
 */
import { ecdhePskPremaster } from '../crypto/prf12.js';
import { Answered, type Handler } from '../handshake/machine.js';
import {
  readEcdhePskClientKeyExchange, readEcdhePskServerKeyExchange, readEmpty, writeEcdhePskClientKeyExchange,
  writeEcdhePskServerKeyExchange,
} from '../message/keyexchange.js';
import { copyOf, EMPTY, wipe } from '../wire/bytes.js';
import { HandshakeType } from '../wire/registry.js';
import {
  agree, checkPointFormats, chooseGroup, clientAgree, offerGroups, respondPointFormats, serverParameters, takeServerParameters,
} from './ecdhe.js';
import type { Handshake12, KeyExchange12 } from './handshake.js';
import { finishClient, installKeys } from './keys.js';
import { askIdentityKey, checkHint, checkPeerIdentity, checkKey, pskAnswer, pskIdentity } from './presharedkey.js';
import { sendServerHello } from './server.js';

type Step = Handler<Handshake12>;

const onServerKeyExchange: Step = (handshake, body) => {
  const { hint, ...parameters } = readEcdhePskServerKeyExchange(body);
  takeServerParameters(handshake, parameters);
  handshake.pskHint = copyOf(hint);
  return 'waitEcdhePskServerHelloDone';
};

const onServerHelloDone: Step = (handshake, body) => {
  readEmpty(body, 'ServerHelloDone');
  handshake.out.ask({ answer: Answered.pskIdentity, description: handshake.pskHint });
  return 'askEcdhePskIdentity';
};

const onIdentity: Step = (handshake, identity) => {
  askIdentityKey(handshake, identity);
  return 'askEcdhePskKey';
};

const onClientKey: Step = (handshake, key) => {
  checkKey(key);
  try {
    const { publicKey, secret } = clientAgree(handshake);
    handshake.send(HandshakeType.clientKeyExchange, writeEcdhePskClientKeyExchange(handshake.pskIdentity, publicKey));
    installMixed(handshake, secret, key);
  } finally {
    wipe(key);
  }
  return finishClient(handshake);
};

const onHint: Step = (handshake, hint) => {
  checkHint(handshake, hint);
  handshake.pskHint = hint;
  const parameters = serverParameters(handshake);
  sendServerHello(handshake);
  handshake.send(HandshakeType.serverKeyExchange, writeEcdhePskServerKeyExchange(hint, parameters));
  handshake.send(HandshakeType.serverHelloDone, EMPTY);
  return 'waitEcdhePskClientKeyExchange';
};

const onClientKeyExchange: Step = (handshake, body) => {
  const { identity, publicKey } = readEcdhePskClientKeyExchange(body);
  checkPeerIdentity(handshake, identity);
  handshake.keys.peerShare = copyOf(publicKey);
  handshake.pskIdentity = copyOf(identity);
  handshake.out.ask({ answer: Answered.pskKey, description: handshake.pskIdentity });
  return 'askEcdhePskKey';
};

const onServerKey: Step = (handshake, key) => {
  checkKey(key);
  try {
    installMixed(handshake, agree(handshake, handshake.keys.peerShare), key);
  } finally {
    // Whatever public value came.
    wipe(key);
  }
  return 'waitFinished';
};

/** ECDHE_PSK. */
export const ecdhePsk: KeyExchange12 = {
  name: 'ecdhe_psk',
  certified: false,
  preShared: true,
  ephemeral: true,
  clientRows: {
    waitEcdhePskServerKeyExchange: { [HandshakeType.serverKeyExchange]: onServerKeyExchange },
    waitEcdhePskServerHelloDone: { [HandshakeType.serverHelloDone]: onServerHelloDone },
    askEcdhePskIdentity: { [Answered.pskIdentity]: onIdentity },
    askEcdhePskKey: { [Answered.pskKey]: onClientKey },
  },
  serverRows: {
    askEcdhePskHint: { [Answered.pskHint]: onHint },
    waitEcdhePskClientKeyExchange: { [HandshakeType.clientKeyExchange]: onClientKeyExchange },
    askEcdhePskKey: { [Answered.pskKey]: onServerKey },
  },
  offer: offerGroups,
  fit: (handshake, hello) => (chooseGroup(handshake, hello) ? 'well' : 'no'),
  respond: respondPointFormats,
  accept: (_, extensions) => checkPointFormats(extensions),
  afterServerHello: () => 'waitEcdhePskServerKeyExchange',
  afterClientHello: (handshake) => {
    handshake.out.ask({ answer: Answered.pskHint, description: EMPTY });
    return 'askEcdhePskHint';
  },
  answer: pskAnswer,
};

/** Both secrets make the premaster (RFC 5489 §2); `secret` is wiped. */
function installMixed(handshake: Handshake12, secret: Uint8Array, key: Uint8Array): void {
  handshake.identity = pskIdentity(handshake);
  const premaster = ecdhePskPremaster(secret, key);
  wipe(secret);
  installKeys(handshake, premaster);
}
