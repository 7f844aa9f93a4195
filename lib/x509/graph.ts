/**
 * Certificates by name: those that are believed, and those that a peer sent along. No signature is looked at here.
 *
 * Law: work is linear in what was sent. An intermediate from which names lead to no authority is never a candidate, and
 * those from which they lead there sooner come first (RFC 4158 has more such hints; this one costs least).
 */
import { equalBytes, latin1 } from '../wire/bytes.js';
import type { Certificate } from './certificate.js';

/** Who is believed. */
export class Authorities {
  readonly #byName = new Map<string, Certificate[]>();
  /** DER names, each once, one of which a peer's chain must lead to. */
  readonly names: readonly Uint8Array[];

  constructor(certificates: readonly Certificate[]) {
    const names = new Map<string, Uint8Array>();
    for (const certificate of certificates) {
      const { subject, issuer, extensions } = certificate;
      const key = latin1(subject);
      file(certificate, this.#byName, key);
      names.set(key, subject);
      // A leaf that is itself believed: its owner goes by the names above it.
      if (extensions.basicConstraints?.ca !== true) names.set(latin1(issuer), issuer);
    }
    this.names = [...names.values()];
  }

  /** Those with this name. */
  named(name: Uint8Array): readonly Certificate[] {
    return this.#byName.get(latin1(name)) ?? [];
  }

  /** Whether this very certificate was given. */
  holds({ subject, der }: Certificate): boolean {
    return this.named(subject).some((authority) => equalBytes(authority.der, der));
  }
}

/** What a peer sent beside its leaf. */
export class Graph {
  /** By subject, nearest to an authority first. */
  readonly #near = new Map<string, Certificate[]>();
  /** By subject, one of those that lead nowhere. */
  readonly #far = new Map<string, Certificate>();

  constructor(sent: readonly Certificate[], authorities: Authorities) {
    const byIssuer = new Map<string, Certificate[]>();
    for (const certificate of unique(sent)) file(certificate, byIssuer, latin1(certificate.issuer));
    let frontier: Certificate[] = [];
    for (const [name, issued] of byIssuer) {
      if (authorities.named(issued[0]!.issuer).length === 0) continue;
      frontier.push(...issued);
      byIssuer.delete(name);
    }
    while (frontier.length > 0) {
      const next: Certificate[] = [];
      for (const certificate of frontier) {
        const name = latin1(certificate.subject);
        file(certificate, this.#near, name);
        next.push(...(byIssuer.get(name) ?? []));
        byIssuer.delete(name);
      }
      frontier = next;
    }
    for (const certificate of [...byIssuer.values()].flat()) this.#far.set(latin1(certificate.subject), certificate);
  }

  /** Those with this name from which names lead to an authority. */
  named(name: Uint8Array): readonly Certificate[] {
    return this.#near.get(latin1(name)) ?? [];
  }

  /** How far up names lead from `leaf` where they lead to no authority: the last certificate on the way. */
  topOf(leaf: Certificate): Certificate {
    const passed = new Set([leaf]);
    let last = leaf;
    for (;;) {
      const above = this.#far.get(latin1(last.issuer));
      if (above === undefined || passed.has(above)) return last;
      passed.add(above);
      last = above;
    }
  }
}

/** Puts a certificate to those of its name. */
function file(certificate: Certificate, byName: Map<string, Certificate[]>, name: string): void {
  const known = byName.get(name);
  if (known === undefined) byName.set(name, [certificate]);
  else known.push(certificate);
}

/** Each certificate once: two that end alike and are not the same are both kept, and a third is not compared. */
function unique(certificates: readonly Certificate[]): Certificate[] {
  const seen = new Map<string, Certificate>();
  return certificates.filter((certificate) => {
    const end = latin1(certificate.der.subarray(-16));
    const like = seen.get(end);
    if (like === undefined) seen.set(end, certificate);
    return like === undefined || !equalBytes(like.der, certificate.der);
  });
}
