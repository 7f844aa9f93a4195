/**
 * IP addresses from text, to be compared with those in a certificate: IPv4 with four decimal numbers, IPv6 as RFC 4291
 * §2.2 writes it. No zone, no leading zeros in IPv4 (some read them as octal).
 */

/** 4 or 16 bytes; null for what is no address. */
export function parseAddress(text: string): Uint8Array | null {
  const parts = text.includes(':') ? groupsOf(text) : quad(text);
  return parts === null ? null : Uint8Array.from(parts);
}

function quad(text: string): number[] | null {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return null;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : null;
}

function groupsOf(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail = []] = halves.map((half, index) => bytesOf(half, index === halves.length - 1));
  if (head === null || head === undefined || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // `::` stands for at least one group of zeros.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The bytes of groups between colons; the last group of the last half may be an IPv4 address. */
function bytesOf(half: string, last: boolean): number[] | null {
  if (half === '') return [];
  const groups = half.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const embedded = last && index === groups.length - 1 && group.includes('.') ? quad(group) : null;
    if (embedded !== null) bytes.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff);
    else return null;
  }
  return bytes;
}
