/**
 * Path building and the checks of every certificate above the leaf (RFC 5280 §6.1, RFC 4158): from the leaf through
 * whatever was sent, in any order, to an authority.
 *
 * Law: an authority is a name and a key that are believed without a signature (RFC 5280 §6.1.1 (d)), even if its
 * certificate is one of an intermediate. What that certificate says against itself still binds: its dates, its path
 * length, usages, name constraints, and that it is no authority at all. A leaf that is itself given is believed as it is.
 *
 * The work is bounded whatever was sent: signatures checked, issuers considered, names compared against constraints,
 * certificates in a row. Each signature is checked at most once. A path never passes the same name and key twice.
 */
import type { Provider } from '../crypto/provider.js';
import { equalBytes } from '../wire/bytes.js';
import { AlertDescription } from '../wire/registry.js';
import { describeCertificate, isSelfIssued, type Certificate } from './certificate.js';
import { comparisons, violation } from './constraints.js';
import type { RevocationLists } from './crl.js';
import { outOfDate } from './dates.js';
import { isEmptyName, spokenName } from './distinguished.js';
import { KeyUsage, Purpose } from './extensions.js';
import type { Fault } from './faults.js';
import { Graph, type Authorities } from './graph.js';
import { algorithmFault, isSignedBy, useKey, type KeyUse, type KnownVerifiers } from './signatures.js';

/** Bounds of one judgement. */
export const PathLimits = {
  /** Certificates of a path, leaf and authority included. */
  certificates: 10,
  /** Honest paths need nine at most; one costs up to 10 ms (P-521 in JavaScript). */
  signatures: 16,
  /** Pairs of a certificate and a possible issuer. */
  issuers: 10_000,
  /** Names compared with constraints. */
  comparisons: 250_000,
} as const;

/** What a path is held to. */
export interface PathTerms {
  readonly authorities: Authorities;
  readonly lists: RevocationLists | null;
  readonly provider: Provider;
  readonly known: KnownVerifiers;
  /** What the leaf is used for: `Purpose.serverAuth` or `Purpose.clientAuth`. */
  readonly purpose: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The search for one leaf. `find` can be called again under other rules; signatures stay checked. */
export class PathSearch {
  readonly #leaf: Certificate;
  readonly #sent: Graph;
  readonly #terms: PathTerms;
  readonly #keys = new Map<Certificate, KeyUse>();
  readonly #signed = new Map<Certificate, Map<Certificate, boolean>>();
  #dated = true;
  #signatures = 0;
  #issuers = 0;
  #comparisons = 0;
  #fault: Fault | null = null;

  constructor(leaf: Certificate, sent: readonly Certificate[], terms: PathTerms) {
    this.#leaf = leaf;
    this.#sent = new Graph(sent, terms.authorities);
    this.#terms = terms;
  }

  /** A path from the leaf to an authority, both included; null if there is none. `dated`: the dates above the leaf count. */
  find(dated: boolean): readonly Certificate[] | null {
    this.#dated = dated;
    this.#issuers = 0;
    this.#comparisons = 0;
    this.#fault = null;
    if (this.#terms.authorities.holds(this.#leaf)) return [this.#leaf];
    return this.#climb([this.#leaf]);
  }

  /** Why the last `find` gave null. */
  get fault(): Fault {
    if (this.#fault !== null) return this.#fault;
    const last = this.#sent.topOf(this.#leaf);
    const what = `certificate of ${describeCertificate(last)}`;
    if (isSelfIssued(last)) return unknownCa(`${what} is self-signed and not among the authorities`);
    return unknownCa(`${what} was issued by ${spokenName(last.issuer)}, which is not among the authorities`);
  }

  /** Goes on from the last of `path`. */
  #climb(path: readonly Certificate[]): readonly Certificate[] | null {
    const certificate = path.at(-1)!;
    const deadEnd = this.#deadEnd(path);
    if (deadEnd !== null) {
      this.#note(deadEnd);
      return null;
    }
    for (const issuer of likelyFirst(this.#terms.authorities.named(certificate.issuer), certificate)) {
      if (!this.#issued(issuer, path, true)) continue;
      const complete = [...path, issuer];
      if (this.#accepts(complete)) return complete;
    }
    for (const issuer of likelyFirst(this.#sent.named(certificate.issuer), certificate)) {
      if (path.some((below) => isSame(below, issuer)) || !this.#issued(issuer, path, false)) continue;
      const found = this.#climb([...path, issuer]);
      if (found !== null) return found;
    }
    return null;
  }

  /** Why `path` cannot go on at all. */
  #deadEnd(path: readonly Certificate[]): (() => Fault) | null {
    const certificate = path.at(-1)!;
    if (path.length < PathLimits.certificates) return algorithmFault(certificate, () => `certificate of ${describeCertificate(certificate)}`);
    return () => unknownCa(`certificate of ${describeCertificate(this.#leaf)} has more than ${PathLimits.certificates - 1} certificates above it`);
  }

  /** Whether `issuer` may have issued the last of `path`, and did. */
  #issued(issuer: Certificate, path: readonly Certificate[], trusted: boolean): boolean {
    this.#issuers += 1;
    if (this.#issuers > PathLimits.issuers) return this.#givesUp();
    const certificate = path.at(-1)!;
    const fault = this.#issuerFault(issuer, path, trusted);
    if (fault !== null) {
      const issued = (): string => `certificate of ${describeCertificate(certificate)} was issued by ${spokenName(issuer.subject)}`;
      this.#note(() => ({ ...fault, reason: `${issued()}, ${fault.reason}` }));
    }
    return fault === null && this.#isSigned(certificate, issuer);
  }

  /** Why `issuer` may not stand above `path`, in words that go on from its name; null if it may. */
  #issuerFault(issuer: Certificate, path: readonly Certificate[], trusted: boolean): Fault | null {
    const { extensions, version } = issuer;
    const { basicConstraints, keyUsage, extendedKeyUsage, unknownCritical } = extensions;
    const bad = (reason: string): Fault => ({ alert: AlertDescription.badCertificate, reason });
    const unfit = (reason: string): Fault => ({ alert: AlertDescription.unsupportedCertificate, reason });
    // Before version 3 a certificate could not say it; whoever gave such an authority said it (RFC 5280 §6.1.4 (k)).
    if (basicConstraints?.ca !== true && !(trusted && version < 3)) return bad('which is no authority (basicConstraints)');
    if (isEmptyName(issuer.subject)) return bad('an authority without a name');
    if (keyUsage !== null && (keyUsage & KeyUsage.keyCertSign) === 0) return bad('whose key may not sign certificates (keyUsage)');
    const pathLength = basicConstraints?.pathLength ?? null;
    const between = path.filter((below, index) => index > 0 && !isSelfIssued(below)).length;
    if (pathLength !== null && between > pathLength) {
      return bad(`which allows ${pathLength} authorities below itself (pathLenConstraint) and has ${between}`);
    }
    if (!allows(extendedKeyUsage, this.#terms.purpose)) return unfit('whose extendedKeyUsage does not allow this use');
    if (unknownCritical.length > 0) return unfit(`whose critical extension ${unknownCritical[0]} is unknown here`);
    return this.#dated && outOfDate(issuer, this.#terms.now) !== null ? bad('whose certificate is out of date') : null;
  }

  #isSigned(certificate: Certificate, issuer: Certificate): boolean {
    const known = this.#signed.get(certificate) ?? new Map<Certificate, boolean>();
    this.#signed.set(certificate, known);
    let right = known.get(issuer);
    if (right === undefined) {
      if (this.#signatures === PathLimits.signatures) return this.#givesUp();
      this.#signatures += 1;
      const { publicKey } = issuer;
      const use = this.#keyOf(issuer);
      if (use.fault !== null) this.#note(() => use.fault);
      if (use.verifier === null || publicKey === null) return false;
      right = isSignedBy(certificate, publicKey, use.verifier);
      known.set(issuer, right);
    }
    if (!right) {
      this.#note(() => ({
        alert: AlertDescription.badCertificate,
        reason: `the signature on the certificate of ${describeCertificate(certificate)} is not by the key of ${spokenName(issuer.subject)}`,
      }));
    }
    return right;
  }

  #keyOf(issuer: Certificate): KeyUse {
    const known = this.#keys.get(issuer);
    if (known !== undefined) return known;
    const use = useKey(issuer, () => `the key of ${spokenName(issuer.subject)}`, this.#terms.provider, this.#terms.known);
    this.#keys.set(issuer, use);
    return use;
  }

  /** What can only be said of a whole path: constraints on names, then revocation. */
  #accepts(path: readonly Certificate[]): boolean {
    const { lists, now, provider } = this.#terms;
    let fault = this.#constraintFault(path);
    for (let i = 0; i < path.length - 1 && fault === null; i++) {
      const revoked = lists?.check(path[i]!, path[i + 1]!, now, provider) ?? null;
      if (revoked !== null) fault = () => revoked;
    }
    if (fault !== null) this.#note(fault);
    return fault === null;
  }

  #constraintFault(path: readonly Certificate[]): (() => Fault) | null {
    for (const [index, authority] of path.entries()) {
      const { nameConstraints } = authority.extensions;
      if (nameConstraints === null) continue;
      for (const [at, below] of path.slice(0, index).entries()) {
        if (at > 0 && isSelfIssued(below)) continue;
        const named = { subject: below.subject, subjectAltName: below.extensions.subjectAltName };
        this.#comparisons += comparisons(nameConstraints, named);
        const tooMany = this.#comparisons > PathLimits.comparisons;
        const broken = tooMany ? 'has more names than can be compared with constraints' : violation(nameConstraints, named);
        if (broken === null) continue;
        const limits = (): string => `which authority ${spokenName(authority.subject)} may not give (nameConstraints)`;
        return () => ({ alert: AlertDescription.badCertificate, reason: `certificate of ${describeCertificate(below)} ${broken}, ${limits()}` });
      }
    }
    return null;
  }

  #givesUp(): false {
    this.#note(() => unknownCa(`certificate of ${describeCertificate(this.#leaf)} has too many possible issuers`));
    return false;
  }

  /** The first fault is the one that is told, and the only one that is put into words: a peer chooses how long names are. */
  #note(fault: () => Fault): void {
    this.#fault ??= fault();
  }
}

/** Whether extendedKeyUsage allows `purpose`: absent allows all; anyExtendedKeyUsage restricts nothing (RFC 5280 §4.2.1.12). */
export function allows(extendedKeyUsage: readonly string[] | null, purpose: string): boolean {
  return extendedKeyUsage === null || extendedKeyUsage.includes(purpose) || extendedKeyUsage.includes(Purpose.any);
}

/** Issuers with the key identifier asked for come first. It is a hint and decides nothing: RFC 5280 §6.1 knows none. */
function likelyFirst(issuers: readonly Certificate[], { extensions: { authorityKeyId } }: Certificate): readonly Certificate[] {
  if (authorityKeyId === null || issuers.length < 2) return issuers;
  const isLikely = ({ extensions: { subjectKeyId } }: Certificate): boolean => subjectKeyId !== null && equalBytes(subjectKeyId, authorityKeyId);
  return [...issuers.filter(isLikely), ...issuers.filter((issuer) => !isLikely(issuer))];
}

/** The same authority: name and key. */
function isSame(one: Certificate, other: Certificate): boolean {
  return equalBytes(one.subject, other.subject) && equalBytes(one.spki, other.spki);
}

function unknownCa(reason: string): Fault {
  return { alert: AlertDescription.unknownCa, reason };
}
