/**
 * Whether a certificate is for a name (RFC 6125 as replaced by RFC 9525; RFC 7925 §4.4.1 for devices): DNS names and IP
 * addresses of hosts, URIs of devices (`urn:dev:…`, `coaps://…`).
 *
 * Law: only subjectAltName counts, never the common name. DNS names are compared whole and without regard to case; `*`
 * stands for exactly one label, the left-most, whole, and above at least two others. Addresses match addresses and URIs
 * URIs, character by character; a DNS name that looks like an address matches nothing.
 */
import { equalBytes } from '../wire/bytes.js';
import { parseAddress } from './addresses.js';
import type { Certificate } from './certificate.js';
import { shown } from './faults.js';
import { hostNameOf, isHostName } from './hostnames.js';

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** Names that a refusal lists. */
const MAX_LISTED = 3;

/** Whom the other side should be. */
export type Reference =
  | { readonly kind: 'dns'; readonly name: string }
  | { readonly kind: 'ip'; readonly address: Uint8Array }
  | { readonly kind: 'uri'; readonly uri: string };

/** What was read last: a handshake asks for the same name several times. */
let latest: { readonly text: string; readonly reference: Reference | null } = { text: '', reference: null };

/**
 * Reads a name that the host gives: an IPv4 or IPv6 address, a URI, else a DNS name (a closing dot says nothing and is
 * dropped; A-labels where it is international). Null for what can be no name.
 */
export function parseReference(text: string): Reference | null {
  if (text !== latest.text) latest = { text, reference: readReference(text) };
  return latest.reference;
}

function readReference(text: string): Reference | null {
  const address = parseAddress(text);
  if (address !== null) return { kind: 'ip', address };
  if (SCHEME.test(text)) return { kind: 'uri', uri: text };
  const name = hostNameOf(text);
  return name === null ? null : { kind: 'dns', name };
}

/** Whether `certificate` is for `reference`. */
export function isFor(certificate: Certificate, reference: Reference): boolean {
  const names = certificate.extensions.subjectAltName;
  if (names === null) return false;
  switch (reference.kind) {
    case 'dns':
      return names.dns.some((presented) => matchesHost(presented.toLowerCase(), reference.name));
    case 'ip':
      return names.ip.some((address) => equalBytes(address, reference.address));
    case 'uri':
      return names.uri.includes(reference.uri);
  }
}

/** Whether a name in a certificate is for the host `name`; both in lower case, `name` a host name. */
function matchesHost(presented: string, name: string): boolean {
  if (presented === name) return true;
  if (!presented.startsWith('*.')) return false;
  const rest = presented.slice(2);
  return rest.includes('.') && isHostName(rest) && name.slice(name.indexOf('.') + 1) === rest && name.includes('.');
}

/** Whether `certificate` is for the name `text`; false for what can be no name. */
export function isForName(certificate: Certificate, text: string): boolean {
  const reference = parseReference(text);
  return reference !== null && isFor(certificate, reference);
}

/** The names of a certificate for a sentence: `a.example and 2 more`; null for none. */
export function listNames({ extensions: { subjectAltName } }: Certificate): string | null {
  if (subjectAltName === null) return null;
  const { dns, uri, ip } = subjectAltName;
  const count = dns.length + uri.length + ip.length;
  const first = [...dns.slice(0, MAX_LISTED), ...uri.slice(0, MAX_LISTED), ...ip.slice(0, MAX_LISTED).map(addressText)].slice(0, MAX_LISTED);
  if (count === 0) return null;
  return first.map(shown).join(', ') + (count > first.length ? ` and ${count - first.length} more` : '');
}

function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((address[2 * index]! << 8) | address[2 * index + 1]!).toString(16));
  return groups.join(':');
}
