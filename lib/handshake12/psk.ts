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
import { LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription, HandshakeType } from '../wire/registry.js';
import type { Handshake12, KeyExchange12 } from './handshake.js';
import { installKeys, sendFinished } from './keys.js';
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
  const tooLong = identityTooLong(handshake, identity);
  if (tooLong !== null) throw new LocalError('ERR_DTLS_CREDENTIAL', tooLong, AlertDescription.internalError);
  handshake.pskIdentity = identity;
  handshake.out.ask({ answer: Answered.pskKey, description: identity });
  return 'askPskKey';
};

const onClientKey: Step = (handshake, key) => {
  handshake.send(HandshakeType.clientKeyExchange, writePskClientKeyExchange(handshake.pskIdentity));
  agree(handshake, key);
  handshake.out.sendChangeCipherSpec();
  sendFinished(handshake);
  return 'waitFinished';
};

const onHint: Step = (handshake, hint) => {
  if (hint.length > handshake.parameters.maxPskIdentityBytes) {
    throw new LocalError('ERR_DTLS_CREDENTIAL', `a PSK identity hint of ${hint.length} bytes`, AlertDescription.internalError);
  }
  handshake.pskHint = hint;
  sendServerHello(handshake);
  // Without a hint the message is left out (RFC 4279 §2).
  if (hint.length > 0) handshake.send(HandshakeType.serverKeyExchange, writePskServerKeyExchange(hint));
  handshake.send(HandshakeType.serverHelloDone, EMPTY);
  return 'waitPskClientKeyExchange';
};

const onClientKeyExchange: Step = (handshake, body) => {
  const identity = readPskClientKeyExchange(body);
  const tooLong = identityTooLong(handshake, identity);
  if (tooLong !== null) throw new PeerError('ERR_DTLS_TOO_LARGE', AlertDescription.illegalParameter, tooLong);
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
  answer: (handshake, answered, bytes) => {
    if (answered === Answered.pskHint) return bytes ?? EMPTY;
    if (answered === Answered.pskKey && handshake.role === 'server') return serverKey(handshake, bytes);
    if (bytes !== null) return bytes;
    const missing = answered === Answered.pskKey ? 'no key for this PSK identity' : 'no PSK identity for this server';
    throw new LocalError('ERR_DTLS_CREDENTIAL', missing, AlertDescription.handshakeFailure);
  },
};

/**
 * The server's key, or one that stands in for it where the identity is unknown: the handshake then goes on in silence
 * until it fails as with a wrong key. The stand-in is made in both cases, so that both cost the same.
 */
function serverKey(handshake: Handshake12, key: Uint8Array | null): Uint8Array {
  const standIn = handshake.standInKey(handshake.pskIdentity);
  handshake.unknownIdentity = key === null;
  if (key === null) return standIn;
  wipe(standIn);
  return key;
}

/** The key is there: premaster, master secret, record keys. `key` is wiped. */
function agree(handshake: Handshake12, key: Uint8Array): void {
  if (key.length === 0) throw new LocalError('ERR_DTLS_CREDENTIAL', 'an empty pre-shared key', AlertDescription.internalError);
  handshake.identity = { kind: 'psk', identity: handshake.pskIdentity, hint: handshake.pskHint };
  const premaster = pskPremaster(key);
  wipe(key);
  installKeys(handshake, premaster);
}

/** What is wrong with the length of an identity, or null. */
function identityTooLong(handshake: Handshake12, identity: Uint8Array): string | null {
  const { maxPskIdentityBytes } = handshake.parameters;
  if (identity.length <= maxPskIdentityBytes) return null;
  return `a PSK identity of ${identity.length} bytes, where ${maxPskIdentityBytes} are taken`;
}
