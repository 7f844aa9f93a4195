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

/** Something that shows a key: a certificate. */
export interface KeyHolder {
  /** Null where it cannot be read, for the reason `keyFault`. */
  readonly publicKey: PublicKey | null;
  readonly keyFault: string;
}

/** Verifiers that were made before, by who shows the key: of use where certificates are kept, which need not even be looked up by value. */
export type KnownVerifiers = WeakMap<KeyHolder, Verifier>;

/**
 * A verifier of the key that `holder` shows, made now unless it is in `known`. `whose` gives the start of the sentence if
 * there is none: "the key of certificate of a.example".
 */
export function useKey(holder: KeyHolder, whose: () => string, provider: Provider, known?: KnownVerifiers): KeyUse {
  const made = known?.get(holder);
  if (made !== undefined) return { verifier: made, fault: null };
  const { publicKey: key, keyFault } = holder;
  const refused = (reason: string): KeyUse => ({
    verifier: null, fault: { alert: AlertDescription.unsupportedCertificate, reason: `${whose()} cannot be used: ${reason}` },
  });
  if (key === null) return refused(keyFault);
  const family = provider.signatures[key.kind];
  if (family === undefined) return refused(`the provider ${provider.name} has nothing for ${describeKey(key)}`);
  const verifier = family.verifier(key);
  if (verifier === null) return refused(`${describeKey(key)} that is too weak or invalid`);
  known?.set(holder, verifier);
  return { verifier, fault: null };
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
