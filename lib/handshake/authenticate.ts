/**
 * How the two sides prove who they are with public keys: what a side shows (`Credential`), whom it believes (`Trust`),
 * and which credential and signature scheme fit what the other side asked for (RFC 5246 §7.4.1.4.1, §7.4.4, §7.4.6;
 * RFC 8422 §5.1; RFC 7250 §4).
 *
 * Law: how chains are judged is not known here (`x509/` makes a Trust); a private key is never seen, only asked to sign.
 */
import { kindOf, NamedGroup, type PublicKey, type SignatureScheme } from '../crypto/keys.js';
import { equalBytes } from '../wire/bytes.js';

/** CertificateType (RFC 7250, IANA): what a Certificate message holds. */
export const CertificateType = { x509: 0, rawKey: 2 } as const;
export type CertificateType = (typeof CertificateType)[keyof typeof CertificateType];

/** Signs for a credential: now, or later (a module or service that keeps the key). */
export interface CredentialSigner {
  /** What it can sign with, best first. */
  readonly schemes: readonly SignatureScheme[];
  /** A signature over `message`, a negative alert, or null if it cannot. */
  sign(scheme: SignatureScheme, message: Uint8Array): SignatureNow | PromiseLike<SignatureNow>;
}
/** A signature, a negative alert, or null if there is none. */
export type SignatureNow = Uint8Array | number | null | undefined;

/** What a side shows: a certificate chain or a raw public key, with the means to sign. */
export interface Credential {
  /** `CertificateType.x509` or `.rawKey`. */
  readonly type: CertificateType;
  /** x509: DER certificates, leaf first. rawKey: one SubjectPublicKeyInfo. */
  readonly chain: readonly Uint8Array[];
  /** The leaf's key, or the raw one. */
  readonly publicKey: PublicKey;
  /** Signs with the private key. */
  readonly signer: CredentialSigner;
  /** x509: DER names of the chain's issuers, for certificate_authorities. */
  readonly issuers: readonly Uint8Array[];
  /** x509: whether the leaf is for `serverName`, for the choice by SNI. */
  names?(serverName: string): boolean;
}

/** What a peer showed. */
export interface Shown {
  /** As in `Credential.type`. */
  readonly type: CertificateType;
  /** As in `Credential.chain`; owned copies. */
  readonly chain: readonly Uint8Array[];
  /** The peer's role. */
  readonly role: 'client' | 'server';
  /** The name the peer should have (client side), or null. */
  readonly serverName: string | null;
  /** Milliseconds since 1970. */
  readonly wallClock: number;
}

/** What a Trust says of a peer. */
export interface Verdict {
  /** Whether the peer is believed. */
  readonly trusted: boolean;
  /** The peer's key: null if what was shown cannot even be read, and then nothing can override the verdict. */
  readonly publicKey: PublicKey | null;
  /** Alert description for a refusal. */
  readonly alert: number;
  /** For people: "certificate for a.example does not name b.example". */
  readonly reason: string;
}

/** Whom a side believes. Made by `trustStore`. */
export interface Trust {
  /** What kinds of credentials it can judge, best first. */
  readonly types: readonly CertificateType[];
  /** DER names of its authorities, for CertificateRequest. */
  readonly authorities: readonly Uint8Array[];
  /** Whether what a peer shows is believed. Never throws for what a peer shows. */
  judge(shown: Shown): Verdict;
}

/** What the other side will accept: by its hello or its CertificateRequest (RFC 5246 §7.4.4). */
export interface Wishes {
  /** Kinds of keys, by the suite or by certificate_types. */
  readonly keys: readonly PublicKey['kind'][];
  readonly types: readonly CertificateType[];
  /** SignatureScheme values, its best first; also such as are unknown here. */
  readonly schemes: readonly number[];
  /** Named groups it can work with, for the curve of an EC key; null: any (RFC 8422 §5.1). */
  readonly groups: readonly number[] | null;
  /** DER names of the authorities that it believes, one of which a certificate must come from; empty: any. */
  readonly authorities: readonly Uint8Array[];
  /** The name that a client asked for by SNI (RFC 6066 §3), or null. */
  readonly serverName: string | null;
}

/** A credential that fits, with the scheme to sign with. */
export interface Choice {
  readonly credential: Credential;
  readonly scheme: SignatureScheme;
}

/** secp521r1 is no group of ours for key exchange, but a certificate may be on it. */
const CURVE_GROUPS = { secp256r1: NamedGroup.secp256r1, secp384r1: NamedGroup.secp384r1, secp521r1: 25 } as const;

/**
 * The first credential that fits, preferring one that names `serverName`; null if none does. The scheme is the first
 * of the credential's own that the other side accepts and that is of its key's kind (in 1.2 it does not bind the curve).
 */
export function chooseCredential(credentials: readonly Credential[], wishes: Wishes): Choice | null {
  let fallback: Choice | null = null;
  for (const credential of credentials) {
    const choice = fits(credential, wishes);
    if (choice === null) continue;
    if (wishes.serverName === null || credential.names?.(wishes.serverName) === true) return choice;
    fallback ??= choice;
  }
  return fallback;
}

function fits(credential: Credential, wishes: Wishes): Choice | null {
  const { publicKey, type, issuers, signer } = credential;
  if (!wishes.types.includes(type) || !wishes.keys.includes(publicKey.kind)) return null;
  if (publicKey.kind === 'ec' && wishes.groups !== null && !wishes.groups.includes(CURVE_GROUPS[publicKey.curve])) return null;
  if (type === CertificateType.x509 && wishes.authorities.length > 0) {
    if (!wishes.authorities.some((name) => issuers.some((issuer) => equalBytes(issuer, name)))) return null;
  }
  const scheme = signer.schemes.find((candidate) => wishes.schemes.includes(candidate) && kindOf(candidate) === publicKey.kind);
  return scheme === undefined ? null : { credential, scheme };
}
