/**
 * What a call of `connect` asks for: the parameters of its handshake, the name that the server is expected to have, and
 * whether an association that is there already is what it asks for.
 *
 * Law: a suite is offered only where there is what it needs; no call gets an association that proved less than the call
 * asks for, or something else.
 */
import { isIP } from 'node:net';
import { givenParameters, type DtlsOptions, type UserParameters } from '../engine/config.js';
import type { DtlsHandler } from '../engine/events.js';
import type { Peer } from '../engine/peer.js';
import { CertificateType } from '../handshake/authenticate.js';
import { LocalError } from '../wire/errors.js';
import type { PskSource } from './psk.js';
import { verifiesKeys, withoutPreShared, type KeyCallbacks } from './publickey.js';

/** What a socket has for its clients, where a call says nothing else. */
export interface Means extends Required<Pick<DtlsOptions, 'cipherSuites'>>, Pick<DtlsOptions, 'trust' | 'credentials' | 'serverName' | 'wallClock'> {
  readonly psk: PskSource | null;
  readonly handler: Pick<DtlsHandler, 'getPskInfo'> & KeyCallbacks;
}

/** The arguments of a call of `connect`. */
export interface Wanted {
  readonly own: PskSource | null;
  readonly serverName: string | null | undefined;
  readonly host: string;
}

/** What a call came to: its own keys, and all its parameters as `clientParameters` makes them. */
export interface Asked {
  readonly own: PskSource | null;
  readonly parameters: UserParameters;
}

/** The parameters of a client: what it can prove and check decides what it offers. Throws a LocalError if that is nothing. */
export function clientParameters(means: Means, { own, serverName, host }: Wanted, given: UserParameters | null | undefined | void): UserParameters {
  // What is made of them here hides from the engine what they were.
  const asked = givenParameters(given);
  const believes = checksKeys(means, asked);
  const hasPsk = own === null ? means.psk?.canConnect === true || means.handler.getPskInfo !== undefined : own.canConnect;
  const suites = asked.cipherSuites ?? means.cipherSuites;
  const offered = hasPsk ? suites : withoutPreShared(suites);
  if (!hasPsk && (!believes || offered.length === 0)) {
    const why = believes ? 'no suite for public keys is among cipherSuites' : 'or somebody to believe: trust';
    throw new LocalError('ERR_DTLS_CREDENTIAL', `a client needs a credential: psk: { identity, key }, ${why}`);
  }
  const names = [serverName, asked.serverName, means.serverName, believes ? nameOf(host) : undefined];
  const name = names.find((given) => given !== undefined);
  return { ...asked, cipherSuites: offered, ...(name !== undefined && { serverName: name }) };
}

/**
 * In what `peer`, of which `before` was asked (undefined: it came to us), is not what `now` asks for, in words; null: it
 * is. Trust and credentials are the same if they are the same objects, pre-shared keys if their bytes are.
 */
export function difference(means: Means, peer: Peer, before: Asked | undefined, now: Asked): string | null {
  // A peer may have started anew, as client: then nothing of what was asked of it as a server was checked.
  const asServer = peer.role === 'server';
  const made = asServer || before === undefined ? NOTHING : before;
  const [then, wanted] = [made.parameters, now.parameters];
  if (asServer && peer.identity === null && checksKeys(means, wanted)) return 'with a client that has not said who it is';
  const unfit = asServer ? refusedAsServer(means, peer, wanted) : null;
  if (unfit !== null) return `with a client that is not the server to be reached: ${unfit}`;
  // Until a suite is chosen, any that was offered may be. What proves the other side hangs on it.
  const possible = peer.suite === null ? (then.cipherSuites ?? means.cipherSuites) : [peer.suite];
  const stray = possible.find((suite) => !wanted.cipherSuites?.includes(suite));
  if (stray !== undefined) return `made with ${stray.name}, which is not offered`;
  const [name, other] = [then.serverName ?? null, wanted.serverName ?? null];
  if (name !== other) return `made ${spoken(name)}, not ${spoken(other)}`;
  if (!samePsk(made.own ?? means.psk, now.own ?? means.psk)) return 'made with another psk';
  if ((then.trust ?? means.trust) !== (wanted.trust ?? means.trust)) return 'made with another trust';
  const [shown, toShow] = [then.credentials ?? means.credentials ?? [], wanted.credentials ?? means.credentials ?? []];
  const same = shown.length === toShow.length && shown.every((credential, index) => credential === toShow[index]);
  return same ? null : 'made with other credentials';
}

/** What is wrong with the certificate of a client of ours as one of a server: its name and usage were not asked for. */
function refusedAsServer(means: Means, { identity }: Peer, { trust = means.trust, serverName = null }: UserParameters): string | null {
  if (identity?.kind !== 'x509') return null;
  const shown = { type: CertificateType.x509, chain: identity.chain, role: 'server', serverName, wallClock: (means.wallClock ?? Date.now)() } as const;
  const verdict = trust?.judge(shown);
  return verdict?.trusted === true ? null : (verdict?.reason ?? 'nobody is trusted');
}

const NOTHING: Asked = { own: null, parameters: {} };

/** Whether there is anything that could tell which public keys to believe. */
function checksKeys({ trust, handler }: Means, asked: UserParameters): boolean {
  return (asked.trust ?? trust ?? null) !== null || verifiesKeys(handler);
}

function samePsk(one: PskSource | null, other: PskSource | null): boolean {
  return one === other || (one !== null && other !== null && one.equals(other));
}

function spoken(serverName: string | null): string {
  return serverName === null ? 'without a serverName' : `for the serverName ${JSON.stringify(serverName)}`;
}

/** The name that the server at `host` should have: `host` itself, unless it is an address. */
function nameOf(host: string): string | undefined {
  return isIP(host) === 0 ? host : undefined;
}
