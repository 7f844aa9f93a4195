/**
 * Certificate revocation lists (RFC 5280 §5, §6.3) that the host has at hand; none is ever fetched.
 *
 * Law: a list counts only if the authority that issued the certificate signed it and now lies between thisUpdate and
 * nextUpdate; what a right but old list revokes stays revoked. Lists that are partial, indirect or deltas, or have a
 * critical extension that is unknown here, are refused when they are given, not passed over when it matters.
 * Where a list of an authority was given and none of them counts, the certificate is not believed: silence is no proof.
 */
import type { Provider } from '../crypto/provider.js';
import { copyOf, equalBytes, latin1 } from '../wire/bytes.js';
import { DerReader, Tag, checkDer, contextTag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';
import { readSignatureAlgorithm } from './algorithms.js';
import { describeCertificate, type Certificate } from './certificate.js';
import { dayOf, outOfDate } from './dates.js';
import { checkName, spokenName } from './distinguished.js';
import { KeyUsage, readRawExtensions } from './extensions.js';
import { unsupported, type Fault } from './faults.js';
import { isSignedBy, useKey, type Signed } from './signatures.js';

const AUTHORITY_KEY_ID = '2.5.29.35';
/** deltaCRLIndicator, issuingDistributionPoint, certificateIssuer: critical by RFC 5280 §5.2.4, §5.2.5, §5.3.3, and meant when they are not. */
const PARTIAL = ['2.5.29.27', '2.5.29.28', '2.5.29.29'];

/** A revocation list. Byte fields are views. */
export interface RevocationList extends Signed {
  /** DER name. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** When each serial number (as `latin1`) was revoked. */
  readonly revoked: ReadonlyMap<string, number>;
}

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }. Throws for lists that are of no use. */
export function parseRevocationList(der: Uint8Array): RevocationList {
  checkDer(der, 'a revocation list');
  const outer = enterDer(der, Tag.sequence, 'a revocation list');
  const tbs = outer.element();
  const algorithm = outer.element();
  const signature = outer.bitStringBytes();
  outer.expectEnd('a revocation list');
  const reader = enterDer(tbs, Tag.sequence, 'TBSCertList');
  const versioned = reader.isNext(Tag.integer);
  if (versioned && reader.small(0xff) !== 1) throw decodeError('a revocation list of an unknown version');
  if (!equalBytes(reader.element(), algorithm)) throw decodeError('a revocation list with two different signature algorithms');
  const issuer = reader.element();
  checkName(issuer);
  const thisUpdate = reader.time();
  if (!reader.isNext(Tag.utcTime) && !reader.isNext(Tag.generalizedTime)) throw unsupported('a revocation list without a next update');
  const nextUpdate = reader.time();
  const revoked = new Map<string, number>();
  if (reader.isNext(Tag.sequence)) readEntries(reader.enter(Tag.sequence), revoked);
  if (versioned && reader.isNext(contextTag(0))) {
    const wrapper = reader.enter(contextTag(0));
    refusePartial(wrapper.enter(Tag.sequence));
    wrapper.expectEnd('the extensions of a revocation list');
  }
  reader.expectEnd('TBSCertList');
  return { tbs, signature, algorithm: readSignatureAlgorithm(algorithm), issuer, thisUpdate, nextUpdate, revoked };
}

/** SEQUENCE OF SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL } */
function readEntries(list: DerReader, revoked: Map<string, number>): void {
  while (list.left > 0) {
    const entry = list.enter(Tag.sequence);
    const serial = latin1(entry.unsigned());
    const date = entry.time();
    if (entry.isNext(Tag.sequence)) refusePartial(entry.enter(Tag.sequence));
    entry.expectEnd('an entry of a revocation list');
    revoked.set(serial, date);
  }
}

function refusePartial(list: DerReader): void {
  for (const { oid, critical } of readRawExtensions(list, 'a revocation list')) {
    if (!PARTIAL.includes(oid) && (!critical || oid === AUTHORITY_KEY_ID)) continue;
    throw unsupported(`a revocation list with ${critical ? 'critical ' : ''}extension ${oid}: partial, indirect and delta lists are not supported`);
  }
}

/** The lists of a host. */
export class RevocationLists {
  readonly #byIssuer = new Map<string, RevocationList[]>();
  readonly #everywhere: boolean;
  /** Key under which a list was last found rightly signed. */
  readonly #verified = new WeakMap<RevocationList, Uint8Array>();

  /** `everywhere`: authorities without a list are a fault too. */
  constructor(lists: readonly RevocationList[], everywhere: boolean) {
    this.#everywhere = everywhere;
    for (const list of lists) {
      const key = latin1(list.issuer);
      this.#byIssuer.set(key, [...(this.#byIssuer.get(key) ?? []), list]);
    }
  }

  /** Whether `certificate`, which `issuer` signed, is revoked or may be; null if it is known not to be. */
  check(certificate: Certificate, issuer: Certificate, now: number, provider: Provider): Fault | null {
    const lists = this.#byIssuer.get(latin1(certificate.issuer)) ?? [];
    const what = (): string => `certificate of ${describeCertificate(certificate)}`;
    const whose = (): string => `revocation list of ${spokenName(certificate.issuer)}`;
    let unknown = lists.length === 0 && this.#everywhere ? `there is no ${whose()}` : null;
    let known = false;
    for (const list of lists) {
      const problem = this.#signatureProblem(list, issuer, provider);
      const revokedAt = problem === null ? list.revoked.get(latin1(certificate.serial)) : undefined;
      if (revokedAt !== undefined) {
        return { alert: AlertDescription.certificateRevoked, reason: `${what()} was revoked on ${dayOf(revokedAt)}` };
      }
      const dated = outOfDate({ notBefore: list.thisUpdate, notAfter: list.nextUpdate }, now);
      if (problem === null && dated === null) known = true;
      else unknown ??= `the ${whose()} ${problem ?? dated!}`;
    }
    if (known || unknown === null) return null;
    return { alert: AlertDescription.certificateUnknown, reason: `${what()} may be revoked: ${unknown}` };
  }

  /** What is wrong with who signed a list, in words; null for nothing. */
  #signatureProblem(list: RevocationList, issuer: Certificate, provider: Provider): string | null {
    const { keyUsage } = issuer.extensions;
    if (keyUsage !== null && (keyUsage & KeyUsage.crlSign) === 0) return 'is signed by an authority that may not sign any';
    const verified = this.#verified.get(list);
    if (verified !== undefined && equalBytes(verified, issuer.spki)) return null;
    const { publicKey } = issuer;
    const { verifier } = useKey(issuer, () => 'the key', provider);
    if (publicKey === null || verifier === null || !isSignedBy(list, publicKey, verifier)) return 'is not signed by its key';
    this.#verified.set(list, copyOf(issuer.spki));
    return null;
  }
}
