/**
 * Signatures of authorities over certificates and revocation lists.
 *
 * Law: an algorithm that is weak or unknown verifies nothing; nor does a key that the provider refuses.
 */
import { kindOf, type PublicKey } from '../crypto/keys.js';
import type { Provider, Verifier } from '../crypto/provider.js';
import { AlertDescription } from '../wire/registry.js';
import type { SignatureAlgorithm } from './algorithms.js';
import type { Fault } from './faults.js';
import { describeKey } from './keys.js';

/** Something that carries a signature over `tbs`. */
export interface Signed {
  /** What is signed, with its header. */
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** A key that was shown, for use, or what is wrong with it. */
export type KeyUse = { readonly verifier: Verifier; readonly fault: null } | { readonly verifier: null; readonly fault: Fault };

/** A verifier of `key`. `whose` gives the start of the sentence if there is none: "the key of certificate of a.example". */
export function useKey(key: PublicKey | null, keyFault: string, whose: () => string, provider: Provider): KeyUse {
  const refused = (reason: string): KeyUse => ({
    verifier: null, fault: { alert: AlertDescription.unsupportedCertificate, reason: `${whose()} cannot be used: ${reason}` },
  });
  if (key === null) return refused(keyFault);
  const family = provider.signatures[key.kind];
  if (family === undefined) return refused(`the provider ${provider.name} has nothing for ${describeKey(key)}`);
  const verifier = family.verifier(key);
  return verifier === null ? refused(`${describeKey(key)} that is too weak or invalid`) : { verifier, fault: null };
}

/** Why `signed` cannot be verified by anybody; null if it may be. `what` is for people: "certificate of a.example". */
export function algorithmFault({ algorithm: { name, scheme, weak } }: Signed, what: () => string): (() => Fault) | null {
  if (weak) return () => ({ alert: AlertDescription.badCertificate, reason: `${what()} is signed with ${name}, which is too weak to be believed` });
  if (scheme === null) return () => ({ alert: AlertDescription.unsupportedCertificate, reason: `${what()} is signed with ${name}, which is not supported` });
  return null;
}

/** Whether the signature is right and by `key`. */
export function isSignedBy({ tbs, algorithm: { scheme }, signature }: Signed, key: PublicKey, verifier: Verifier): boolean {
  return scheme !== null && kindOf(scheme) === key.kind && verifier.verify(scheme, tbs, signature);
}
