/**
 * Names and addresses of hosts: resolved to one IP address, in the one spelling that the platform reports for incoming
 * datagrams, because a session is found by the letters of its address.
 *
 * Law: what is returned here is what a datagram from that host will say of itself.
 */
import { lookup } from 'node:dns/promises';
import { isIP, SocketAddress } from 'node:net';
import type { SessionKey } from '../engine/events.js';

/** An IP version. */
export type Family = 4 | 6;

/** An IP address in its canonical spelling. */
export interface HostAddress {
  readonly address: string;
  readonly family: Family;
}

/**
 * The address of `host`, a name or an address. Of several the first one of `family` counts, and without a family the
 * first IPv4 address before any IPv6 address. `mapped`: on an IPv6 socket that also carries IPv4, such an address is
 * written ::ffff:a.b.c.d. Rejects with the error of the resolver, or with one that names the missing family.
 */
export async function resolveHost(host: string, family: Family | undefined, mapped: boolean): Promise<HostAddress> {
  const found = isIP(host) === 0 ? await lookup(host, { all: true }) : [{ address: host, family: isIP(host) }];
  const first = (wanted: Family): string | undefined => found.find((one) => one.family === wanted)?.address;
  const [four, six] = [first(4), first(6)];
  if (family !== 6 && four !== undefined) return { address: four, family: 4 };
  if (family !== 4 && six !== undefined) return { address: canonicalIPv6(six), family: 6 };
  if (mapped && four !== undefined) return { address: `::ffff:${four}`, family: 6 };
  throw Object.assign(new Error(`${host} has no IPv${family ?? '4 or IPv6'} address`), { code: 'EAFNOSUPPORT' });
}

/** Where datagrams to the "any" address go, as the answers will say: to this machine. */
export function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

/** A session for people: `127.0.0.1:5684`, `[::1]:5684`, or the host's own string. */
export function formatSession(session: SessionKey): string {
  if (typeof session === 'string') return session;
  const { address, port } = session;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Lower case, shortest form; a zone (`%eth0`) stays as it is, the platform's own parser would lose it. */
function canonicalIPv6(text: string): string {
  const [address, zone] = text.split('%') as [string, string | undefined];
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}
