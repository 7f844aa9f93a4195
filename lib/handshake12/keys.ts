/**
 * From the premaster secret to record protection (RFC 5246 §6.3, §8.1; RFC 7627 §4), and Finished (RFC 5246 §7.4.9).
 *
 * Law: premaster, master secret and key block are wiped as soon as they are used (RFC 5246 §8.1); an HMAC that is keyed
 * with the master secret lives as long as the handshake.
 */
import { extendedMasterSecret, keyBlock, masterSecret, verifyData } from '../crypto/prf12.js';
import { Protection12 } from '../record/protect12.js';
import { EMPTY, equalBytes, wipe } from '../wire/bytes.js';
import { decodeError, invariant, LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription, HandshakeType } from '../wire/registry.js';
import type { Handshake12 } from './handshake.js';

/**
 * Derives the master secret from `premaster` (which is wiped) and installs the keys of epoch 1. With
 * extended_master_secret the transcript must stand right after ClientKeyExchange.
 */
export function installKeys(handshake: Handshake12, premaster: Uint8Array): void {
  const { negotiated, hash, clientRandom, serverRandom, provider, role } = handshake;
  invariant(negotiated !== null, 'keys come after negotiation');
  let secret = EMPTY;
  try {
    secret = negotiated.extendedMasterSecret
      ? extendedMasterSecret(hash, premaster, handshake.transcript.digest())
      : masterSecret(hash, premaster, clientRandom, serverRandom);
    handshake.master = hash.hmac(secret);
  } finally {
    wipe(premaster);
    wipe(secret);
  }
  const { suite } = negotiated;
  const algorithm = provider.aeads[suite.aead];
  if (algorithm === undefined) {
    throw new LocalError('ERR_DTLS_NO_PROVIDER', `the provider has no ${suite.aead}`, AlertDescription.internalError);
  }
  const { keyLength } = algorithm;
  const ivLength = suite.nonceForm === 'explicit' ? 4 : 12;
  const block = keyBlock(handshake.master, serverRandom, clientRandom, 2 * (keyLength + ivLength));
  const protection = (side: 0 | 1): Protection12 => {
    // A copy: a view of an array of up to 64 bytes makes V8 move it out of the heap first.
    const key = block.slice(side * keyLength, (side + 1) * keyLength);
    try {
      return new Protection12(algorithm.create(key), suite.nonceForm, block, 2 * keyLength + side * ivLength);
    } finally {
      wipe(key);
    }
  };
  const client = protection(0);
  const server = protection(1);
  wipe(block);
  if (role === 'client') handshake.out.install(client, server);
  else handshake.out.install(server, client);
}

/** Sends our Finished over the transcript so far. */
export function sendFinished(handshake: Handshake12): void {
  handshake.send(HandshakeType.finished, expectedVerifyData(handshake, handshake.role));
}

/** Client: ends its last flight with ChangeCipherSpec and Finished; the next state. */
export function finishClient(handshake: Handshake12): string {
  handshake.out.sendChangeCipherSpec();
  sendFinished(handshake);
  return 'waitFinished';
}

/** Checks the peer's Finished and adds it to the transcript. */
export function checkFinished(handshake: Handshake12, body: Uint8Array): void {
  const expected = expectedVerifyData(handshake, handshake.role === 'client' ? 'server' : 'client');
  if (body.length !== expected.length) throw decodeError(`Finished has ${body.length} bytes instead of ${expected.length}`);
  if (!equalBytes(expected, body)) {
    throw new PeerError('ERR_DTLS_VERIFY', AlertDescription.decryptError, 'Finished does not verify');
  }
  handshake.transcript.add(HandshakeType.finished, handshake.messageSeq, body);
}

function expectedVerifyData(handshake: Handshake12, sender: 'client' | 'server'): Uint8Array {
  // The tables have no way to Finished but over `installKeys`.
  return verifyData(handshake.master!, sender, handshake.transcript.digest());
}
