/**
 * The TLS 1.2 PRF and what is derived with it (RFC 5246 §5, §6.3, §7.4.9, §8.1; RFC 7627 §4; RFC 4279 §2).
 *
 * Law: intermediates are wiped before the functions return or throw; what they return is owned by the caller, who wipes it.
 */
import { putUint16, wipe } from '../wire/bytes.js';
import { LocalError } from '../wire/errors.js';
import { Views } from '../wire/views.js';
import type { Hash, Hmac } from './provider.js';

const MASTER_SECRET_LENGTH = 48;
const VERIFY_DATA_LENGTH = 12;
const MAX_PSK_LENGTH = 0xffff;

/** Room for the usual PRF, and for a block of which not all is wanted: nothing in them outlives a call. */
const WORK: Views = /* @__PURE__ */ new Views(/* @__PURE__ */ new Uint8Array(256));
const LAST: Uint8Array = /* @__PURE__ */ new Uint8Array(64);

/**
 * Fills `out` with PRF(secret, label, seed), where `seed` is the concatenation of its parts: P_hash of RFC 5246 §5.
 *
 *   A(0) = label ‖ seed,  A(i) = HMAC(secret, A(i−1)),  out = HMAC(secret, A(1) ‖ A(0)) ‖ HMAC(secret, A(2) ‖ A(0)) ‖ …
 */
export function prf12(hmac: Hmac, label: string, seed: readonly Uint8Array[], out: Uint8Array): void {
  const size = hmac.outputLength;
  let length = label.length;
  for (let i = 0; i < seed.length; i++) length += seed[i]!.length;
  const end = size + length;
  const work = end <= WORK.bytes.length ? WORK : new Views(new Uint8Array(end));
  const { bytes } = work;
  try {
    let at = 0;
    for (; at < label.length; at++) bytes[at] = label.charCodeAt(at);
    for (let i = 0; i < seed.length; at += seed[i++]!.length) bytes.set(seed[i]!, at);
    hmac.compute(LAST, 0, work.first(length), length);
    bytes.copyWithin(size, 0, length);
    for (let i = 0; i < size; i++) bytes[i] = LAST[i]!;
    const input = work.first(end);
    for (let done = 0; done < out.length; done += size) {
      const left = out.length - done;
      if (left >= size) {
        hmac.compute(out, done, input, end);
      } else {
        hmac.compute(LAST, 0, input, end);
        for (let i = 0; i < left; i++) out[done + i] = LAST[i]!;
      }
      if (left > size) {
        hmac.compute(LAST, 0, work.first(size), size);
        for (let i = 0; i < size; i++) bytes[i] = LAST[i]!;
      }
    }
  } finally {
    LAST.fill(0);
    bytes.fill(0, 0, end);
  }
}

/** `length` fresh bytes of PRF(secret, label, seed). */
function derive(hmac: Hmac, label: string, seed: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  try {
    prf12(hmac, label, seed, out);
    return out;
  } catch (error) {
    wipe(out);
    throw error;
  }
}

/** A master secret. The premaster is the caller's to wipe. */
function masterOf(hash: Hash, premaster: Uint8Array, label: string, seed: readonly Uint8Array[]): Uint8Array {
  const hmac = hash.hmac(premaster);
  try {
    return derive(hmac, label, seed, MASTER_SECRET_LENGTH);
  } finally {
    hmac.wipe();
  }
}

/** The 48-byte master secret (RFC 5246 §8.1). */
export function masterSecret(hash: Hash, premaster: Uint8Array, clientRandom: Uint8Array, serverRandom: Uint8Array): Uint8Array {
  return masterOf(hash, premaster, 'master secret', [clientRandom, serverRandom]);
}

/** The 48-byte master secret over the hash of the handshake up to and including ClientKeyExchange (RFC 7627 §4). */
export function extendedMasterSecret(hash: Hash, premaster: Uint8Array, sessionHash: Uint8Array): Uint8Array {
  return masterOf(hash, premaster, 'extended master secret', [sessionHash]);
}

/** `length` bytes of key block (RFC 5246 §6.3), `master` being keyed with the master secret. Here the server's random comes first. */
export function keyBlock(master: Hmac, serverRandom: Uint8Array, clientRandom: Uint8Array, length: number): Uint8Array {
  return derive(master, 'key expansion', [serverRandom, clientRandom], length);
}

/** The 12 bytes of `sender`'s Finished over the hash of the handshake before it (RFC 5246 §7.4.9). */
export function verifyData(master: Hmac, sender: 'client' | 'server', handshakeHash: Uint8Array): Uint8Array {
  return derive(master, sender === 'client' ? 'client finished' : 'server finished', [handshakeHash], VERIFY_DATA_LENGTH);
}

/** The premaster of plain PSK (RFC 4279 §2): uint16 N ‖ N zeros ‖ uint16 N ‖ psk, N being the length of `psk`. */
export function pskPremaster(psk: Uint8Array): Uint8Array {
  const { length } = psk;
  checkPskLength(length);
  const premaster = new Uint8Array(4 + 2 * length);
  putUint16(premaster, 0, length);
  putUint16(premaster, 2 + length, length);
  premaster.set(psk, 4 + length);
  return premaster;
}

/** The premaster of ECDHE_PSK (RFC 5489 §2): uint16 length ‖ shared secret ‖ uint16 length ‖ psk. */
export function ecdhePskPremaster(secret: Uint8Array, psk: Uint8Array): Uint8Array {
  checkPskLength(psk.length);
  const premaster = new Uint8Array(4 + secret.length + psk.length);
  putUint16(premaster, 0, secret.length);
  premaster.set(secret, 2);
  putUint16(premaster, 2 + secret.length, psk.length);
  premaster.set(psk, 4 + secret.length);
  return premaster;
}

function checkPskLength(length: number): void {
  if (length <= MAX_PSK_LENGTH) return;
  throw new LocalError('ERR_DTLS_CREDENTIAL', `a pre-shared key has at most ${MAX_PSK_LENGTH} bytes, not ${length}`);
}
