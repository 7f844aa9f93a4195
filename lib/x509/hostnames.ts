/**
 * What a DNS name of a host looks like (RFC 1123 §2.1, RFC 5890 §2.3.1 for A-labels), in lower case and without a closing
 * dot: in certificates, and in server_name (RFC 6066 §3). An underscore is taken too: names of services and devices have it.
 */

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
/** Labels, of which the last is no number. */
const NAME = new RegExp(`^(?:${LABEL}\\.)*(?!\\d+$)${LABEL}$`);
/** Characters of a name (RFC 1035 §2.3.4, in text and without the root). */
const MAX_LENGTH = 253;

/** Whether every label is one, and the last is no number: `10.0.0.256` is no name. */
export function isHostName(name: string): boolean {
  return name.length <= MAX_LENGTH && NAME.test(name);
}

/** The host name that `text` spells, where case and a closing dot say nothing; null if it is none. */
export function hostNameOf(text: string): string | null {
  const name = text.replace(/\.$/, '').toLowerCase();
  return isHostName(name) ? name : null;
}
