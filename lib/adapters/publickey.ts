/**
 * What a DtlsSocket adds to the engine for public keys: which suites a peer can be offered, the host's callbacks.
 *
 * Law: a suite that needs a pre-shared key is neither offered nor accepted where there is none.
 */
import type { CipherSuite } from '../crypto/suites.js';
import type { DtlsHandler } from '../engine/events.js';

/** The callbacks of a handler that deal with public keys. */
export type KeyCallbacks = Pick<DtlsHandler, 'getCertificate' | 'verifyCertificate' | 'getEcdsaKey' | 'verifyEcdsaKey'>;

/** Those callbacks that are there, each called on its handler. */
export function keyCallbacks(handler: KeyCallbacks): KeyCallbacks {
  const { getCertificate, verifyCertificate, getEcdsaKey, verifyEcdsaKey } = handler;
  return {
    ...(getCertificate && { getCertificate: getCertificate.bind(handler) }),
    ...(verifyCertificate && { verifyCertificate: verifyCertificate.bind(handler) }),
    ...(getEcdsaKey && { getEcdsaKey: getEcdsaKey.bind(handler) }),
    ...(verifyEcdsaKey && { verifyEcdsaKey: verifyEcdsaKey.bind(handler) }),
  };
}

/** Whether the host can tell by callbacks which public keys to believe: `verifyCertificate` needs a Trust beside it. */
export function verifiesKeys({ verifyEcdsaKey }: KeyCallbacks): boolean {
  return verifyEcdsaKey !== undefined;
}

/** The suites that need no pre-shared key. */
export function withoutPreShared(suites: readonly CipherSuite[]): readonly CipherSuite[] {
  return suites.filter(({ keyExchange }) => !keyExchange.preShared);
}
