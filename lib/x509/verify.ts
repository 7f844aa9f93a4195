/**
 * Whether a chain is believed: the path above it, what the leaf may be used for, whose it is, and when.
 *
 * Law: every check is made, and the gravest fault is told: a fault of dates only if nothing else is wrong, one of the
 * name only if the path is right. So a host that overrides what it was told ("the clock is not set yet") overrides that
 * and nothing worse.
 */
import type { Provider } from '../crypto/provider.js';
import { AlertDescription } from '../wire/registry.js';
import { describeCertificate, type Certificate } from './certificate.js';
import type { RevocationLists } from './crl.js';
import { outOfDate } from './dates.js';
import { commonName, spokenName } from './distinguished.js';
import { KeyUsage, Purpose } from './extensions.js';
import { shown, type Fault } from './faults.js';
import type { Authorities } from './graph.js';
import { isFor, listNames, parseReference } from './names.js';
import { PathSearch, allows } from './path.js';
import type { KnownVerifiers } from './signatures.js';

/** What is asked of a chain. */
export interface Question {
  /** The role of whoever shows the chain. */
  readonly role: 'client' | 'server';
  /** The name that the leaf must have; null: any name or none. */
  readonly name: string | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whom to believe, and what to check with. */
export interface Grounds {
  readonly authorities: Authorities;
  readonly lists: RevocationLists | null;
  readonly provider: Provider;
  readonly known: KnownVerifiers;
}

/**
 * What is wrong with a chain, leaf first, the others in any order; null if it is believed. The leaf's own key is not
 * looked at: whoever verifies with it has to know it anyway.
 */
export function verifyChain(leaf: Certificate, sent: readonly Certificate[], question: Question, grounds: Grounds): Fault | null {
  const { role, name, now } = question;
  const purpose = role === 'server' ? Purpose.serverAuth : Purpose.clientAuth;
  const { authorities, lists, provider, known } = grounds;
  const search = new PathSearch(leaf, sent, { authorities, lists, provider, known, purpose, now });
  const path = search.find(true) ?? search.find(false);
  if (path === null) return search.fault;
  return usageFault(leaf, role, purpose) ?? (name === null ? null : nameFault(leaf, name)) ?? dateFault(path, now);
}

/** keyUsage, extendedKeyUsage and unknown critical extensions of the leaf. */
function usageFault(leaf: Certificate, role: string, purpose: string): Fault | null {
  const { keyUsage, extendedKeyUsage, unknownCritical } = leaf.extensions;
  const unfit = (reason: string): Fault => ({
    alert: AlertDescription.unsupportedCertificate, reason: `certificate of ${describeCertificate(leaf)} ${reason}`,
  });
  if (unknownCritical.length > 0) return unfit(`has the critical extension ${unknownCritical[0]}, which is unknown here`);
  // Every suite with certificates here has its key sign (RFC 5246 §7.4.2).
  if (keyUsage !== null && (keyUsage & KeyUsage.digitalSignature) === 0) return unfit('is not for signatures (keyUsage has no digitalSignature)');
  if (!allows(extendedKeyUsage, purpose)) return unfit(`is not for a ${role} (extendedKeyUsage)`);
  return null;
}

/** Whether the leaf is for `name`. */
function nameFault(leaf: Certificate, name: string): Fault | null {
  const bad = (reason: string): Fault => ({ alert: AlertDescription.badCertificate, reason });
  const reference = parseReference(name);
  if (reference === null) return bad(`"${shown(name)}" is no name that a certificate can have (international names go as xn--…)`);
  if (isFor(leaf, reference)) return null;
  const names = listNames(leaf);
  if (names !== null) return bad(`certificate for ${names} does not name ${shown(name)}`);
  const common = commonName(leaf.subject) === null ? '' : ': its common name does not count';
  return bad(`certificate of ${describeCertificate(leaf)} has no subjectAltName and does not name ${shown(name)}${common}`);
}

/** The first date that does not hold, from the leaf upwards. */
function dateFault(path: readonly Certificate[], now: number): Fault | null {
  for (const [index, certificate] of path.entries()) {
    const late = outOfDate(certificate, now);
    if (late === null) continue;
    const what = index === 0 ? `of ${describeCertificate(certificate)}` : `of authority ${spokenName(certificate.subject)}`;
    return { alert: AlertDescription.certificateExpired, reason: `certificate ${what} ${late}` };
  }
  return null;
}
