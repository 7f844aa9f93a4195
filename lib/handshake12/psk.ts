/**
 * The plain PSK key exchange (RFC 4279 §2): the rows it adds to both state tables.
 *
 *   client                                   server
 *   ServerHello → [ServerKeyExchange: hint]  ClientHello → ask hint
 *   → ServerHelloDone → ask identity         → ServerHello [ServerKeyExchange] ServerHelloDone
 *   → ask key → ClientKeyExchange …          → ClientKeyExchange → ask key → keys
 */
import { pskPremaster } from '../crypto/prf12.js';
import { Answered, type Handler } from '../handshake/machine.js';
import {
  readEmpty,
  readPskClientKeyExchange,
  readPskServerKeyExchange,
  writePskClientKeyExchange,
  writePskServerKeyExchange,
} from '../message/keyexchange.js';
import { copyOf, EMPTY, wipe } from '../wire/bytes.js';
import { HandshakeType } from '../wire/registry.js';
import type { Handshake12, KeyExchange12 } from './handshake.js';
import { finishClient, installKeys } from './keys.js';
import { askIdentityKey, checkHint, checkPeerIdentity, checkKey, pskAnswer, pskIdentity } from './presharedkey.js';
import { sendServerHello } from './server.js';

type Step = Handler<Handshake12>;

const onServerKeyExchange: Step = (handshake, body) => {
  handshake.pskHint = copyOf(readPskServerKeyExchange(body));
  return 'waitPskServerHelloDone';
};

const onServerHelloDone: Step = (handshake, body) => {
  readEmpty(body, 'ServerHelloDone');
  handshake.out.ask({ answer: Answered.pskIdentity, description: handshake.pskHint });
  return 'askPskIdentity';
};

const onIdentity: Step = (handshake, identity) => {
  askIdentityKey(handshake, identity);
  return 'askPskKey';
};

const onClientKey: Step = (handshake, key) => {
  handshake.send(HandshakeType.clientKeyExchange, writePskClientKeyExchange(handshake.pskIdentity));
  agree(handshake, key);
  return finishClient(handshake);
};

const onHint: Step = (handshake, hint) => {
  checkHint(handshake, hint);
  handshake.pskHint = hint;
  sendServerHello(handshake);
  // Without a hint the message is left out (RFC 4279 §2).
  if (hint.length > 0) handshake.send(HandshakeType.serverKeyExchange, writePskServerKeyExchange(hint));
  handshake.send(HandshakeType.serverHelloDone, EMPTY);
  return 'waitPskClientKeyExchange';
};

const onClientKeyExchange: Step = (handshake, body) => {
  const identity = readPskClientKeyExchange(body);
  checkPeerIdentity(handshake, identity);
  handshake.pskIdentity = copyOf(identity);
  handshake.out.ask({ answer: Answered.pskKey, description: handshake.pskIdentity });
  return 'askPskKey';
};

const onServerKey: Step = (handshake, key) => {
  agree(handshake, key);
  return 'waitFinished';
};

/** Plain PSK. */
export const psk: KeyExchange12 = {
  name: 'psk',
  certified: false,
  preShared: true,
  ephemeral: false,
  offer: () => {},
  fit: () => 'well',
  respond: () => {},
  accept: () => {},
  clientRows: {
    // ServerKeyExchange carries the hint and may be left out (RFC 4279 §2).
    waitPskServerKeyExchange: {
      [HandshakeType.serverKeyExchange]: onServerKeyExchange,
      [HandshakeType.serverHelloDone]: onServerHelloDone,
    },
    waitPskServerHelloDone: { [HandshakeType.serverHelloDone]: onServerHelloDone },
    askPskIdentity: { [Answered.pskIdentity]: onIdentity },
    askPskKey: { [Answered.pskKey]: onClientKey },
  },
  serverRows: {
    askPskHint: { [Answered.pskHint]: onHint },
    waitPskClientKeyExchange: { [HandshakeType.clientKeyExchange]: onClientKeyExchange },
    askPskKey: { [Answered.pskKey]: onServerKey },
  },
  afterServerHello: () => 'waitPskServerKeyExchange',
  afterClientHello: (handshake) => {
    handshake.out.ask({ answer: Answered.pskHint, description: EMPTY });
    return 'askPskHint';
  },
  answer: pskAnswer,
};

/** The key is there: premaster, master secret, record keys. `key` is wiped. */
function agree(handshake: Handshake12, key: Uint8Array): void {
  checkKey(key);
  handshake.identity = pskIdentity(handshake);
  const premaster = pskPremaster(key);
  wipe(key);
  installKeys(handshake, premaster);
}
