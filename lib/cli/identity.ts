/**
 * Whom an association is with, in words and in fields.
 *
 * Law: what a peer chose (identities, subjects) is made printable; a fingerprint is SHA-256, as `openssl x509
 * -fingerprint -sha256` writes it.
 */
import { createHash } from 'node:crypto';
import type { PeerIdentity } from '../engine/events.js';
import { describeCertificate, parseCertificate } from '../x509/certificate.js';
import { printable } from './printable.js';

/** An identity for output. */
export interface Identity {
  readonly kind: PeerIdentity['kind'] | 'none';
  /** A PSK identity, or a fingerprint. Empty for none. */
  readonly identity: string;
  /** Further fields of a JSON line. */
  readonly more: Readonly<Record<string, string>>;
  /** For a line of text. */
  readonly words: string;
}

/** `identity` for output; null is a peer that showed nothing. */
export function describeIdentity(identity: PeerIdentity | null): Identity {
  if (identity === null) return { kind: 'none', identity: '', more: {}, words: 'no identity' };
  const { kind } = identity;
  if (kind === 'psk') {
    const text = printable(identity.identity);
    return { kind, identity: text, more: { hint: printable(identity.hint) }, words: `identity ${JSON.stringify(text)}` };
  }
  if (kind === 'rawKey') {
    const print = fingerprint(identity.spki);
    return { kind, identity: print, more: {}, words: `raw key sha-256 ${print}` };
  }
  const print = fingerprint(identity.chain[0]!);
  const subject = printable(Buffer.from(describeCertificate(parseCertificate(identity.chain[0]!))));
  return { kind, identity: print, more: { subject }, words: `certificate of ${subject}, sha-256 ${print}` };
}

/** SHA-256 of `der` in upper case with colons. */
export function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex').toUpperCase().replace(/..(?!$)/g, '$&:');
}
