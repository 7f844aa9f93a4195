/**
 * What the exchanges with pre-shared keys share (RFC 4279 §2, §5): identities, hints and keys as the host gives them,
 * and what "none" means.
 *
 * Law: all of them are bytes, never text; an unknown identity costs and looks the same as a wrong key; an empty key is
 * the host's mistake.
 */
import { Answered } from '../handshake/machine.js';
import { EMPTY, wipe } from '../wire/bytes.js';
import { LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';
import type { Handshake12, Identity } from './handshake.js';

/** What stands for the host's answer. No hint is an empty one; on a server, no key is one that nobody has. */
export function pskAnswer(handshake: Handshake12, answered: Answered, bytes: Uint8Array | null): Uint8Array {
  if (answered === Answered.pskHint) return bytes ?? EMPTY;
  if (answered === Answered.pskKey && handshake.role === 'server') return serverKey(handshake, bytes);
  if (bytes !== null) return bytes;
  const missing = answered === Answered.pskKey ? 'no key for this PSK identity' : 'no PSK identity for this server';
  throw new LocalError('ERR_DTLS_CREDENTIAL', missing, AlertDescription.handshakeFailure);
}

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

/** Client: the host's identity is there; its key is asked for next. */
export function askIdentityKey(handshake: Handshake12, identity: Uint8Array): void {
  const tooLong = identityTooLong(handshake, identity);
  if (tooLong !== null) throw new LocalError('ERR_DTLS_CREDENTIAL', tooLong, AlertDescription.internalError);
  handshake.pskIdentity = identity;
  handshake.out.ask({ answer: Answered.pskKey, description: identity });
}

/** Server: refuses an identity that is longer than what is taken. */
export function checkPeerIdentity(handshake: Handshake12, identity: Uint8Array): void {
  const tooLong = identityTooLong(handshake, identity);
  if (tooLong !== null) throw new PeerError('ERR_DTLS_TOO_LARGE', AlertDescription.illegalParameter, tooLong);
}

/** What is wrong with the length of an identity, or null. */
function identityTooLong(handshake: Handshake12, identity: Uint8Array): string | null {
  const { maxPskIdentityBytes } = handshake.parameters;
  if (identity.length <= maxPskIdentityBytes) return null;
  return `a PSK identity of ${identity.length} bytes, where ${maxPskIdentityBytes} are taken`;
}

/** Server: refuses a hint of the host's that is longer than what is sent. */
export function checkHint(handshake: Handshake12, hint: Uint8Array): void {
  if (hint.length <= handshake.parameters.maxPskIdentityBytes) return;
  throw new LocalError('ERR_DTLS_CREDENTIAL', `a PSK identity hint of ${hint.length} bytes`, AlertDescription.internalError);
}

/** An empty key protects nothing. */
export function checkKey(key: Uint8Array): void {
  if (key.length === 0) throw new LocalError('ERR_DTLS_CREDENTIAL', 'an empty pre-shared key', AlertDescription.internalError);
}

/** Who the other side is, once its Finished proves that it has the key. */
export function pskIdentity(handshake: Handshake12): Identity {
  return { kind: 'psk', identity: handshake.pskIdentity, hint: handshake.pskHint };
}
