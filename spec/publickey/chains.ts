/**
 * Chains of certificates, right or wrong, in whole handshakes: who shows one, what the other side makes of it, and
 * whether an honest peer gets through afterwards.
 */
import * as assert from 'uvu/assert';
import type { DtlsHandler, DtlsOptions, UserParameters } from '../../lib/index.js';
import { loadCredential } from '../../lib/credentials/credential.js';
import { trustStore, type TrustOptions } from '../../lib/credentials/trust.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { CertificateType, type Credential, type Trust } from '../../lib/handshake/authenticate.js';
import { RecordWalk } from '../../lib/record/records.js';
import { CERTIFICATE_SUITES } from '../../lib/suites/certificate.js';
import { AlertDescription, ContentType, nameOf } from '../../lib/wire/registry.js';
import { Link, type Datagram, type LinkOptions, type Node } from '../support/link.js';
import {
  CLIENT_AUTH, NOW, SERVER_AUTH, dnsName, extendedKeyUsage, keyUsage, mint, mintAuthority, subjectAltName, type Design, type KeyPair, type Minted,
} from '../x509/support/mint.js';

export type Side = 'client' | 'server';
export const SIDES: readonly Side[] = ['server', 'client'];

export const ROOT: Minted = mintAuthority('Root');
export const MIDDLE: Minted = mintAuthority('Middle', { issuer: ROOT });

/** A leaf as a server or a client has it, named `server.test` or `client.test`. */
export function mintLeaf(role: Side, issuer: Minted | null = ROOT, design: Design = {}): Minted {
  const purpose = role === 'server' ? SERVER_AUTH : CLIENT_AUTH;
  return mint({ name: role, issuer, extensions: [subjectAltName(dnsName(`${role}.test`)), keyUsage(0), extendedKeyUsage(purpose)], ...design });
}

const loaded = new Map<KeyPair, Credential>();

/** The raw key of a pair as a credential: a public key and a signer. */
export function rawCredentialOf(pair: KeyPair): Credential {
  const known = loaded.get(pair);
  if (known !== undefined) return known;
  const key = new Uint8Array(pair.privateKey.export({ type: 'pkcs8', format: 'der' }));
  const made = loadCredential({ rawKey: true, key }, nativeProvider);
  loaded.set(pair, made);
  return made;
}

/**
 * A credential that shows `chain` whatever is in it and signs with `key`. It claims to come from every authority, so that
 * no choice passes it over.
 */
export function showing(chain: readonly (Minted | Uint8Array)[], key: KeyPair = (chain[0] as Minted).key): Credential {
  const ders = chain.map((one) => new Uint8Array('der' in one ? one.der : one));
  return { ...rawCredentialOf(key), type: CertificateType.x509, chain: ders, issuers: [ROOT.subject], names: () => true };
}

/** A credential that shows `bytes` where a raw public key belongs, and signs with `key`. */
export function showingRaw(key: KeyPair, bytes: Uint8Array = key.spki): Credential {
  return { ...rawCredentialOf(key), chain: [new Uint8Array(bytes)] };
}

/** A Trust in some authorities; the names of servers count. */
export function trusting(authorities: readonly Minted[] = [ROOT], options: Partial<TrustOptions> = {}): Trust {
  return trustStore({ provider: nativeProvider, authorities: authorities.map(({ der }) => new Uint8Array(der)), ...options });
}

const TRUST = trusting();
const BARE = { getPskInfo: undefined } as unknown as Partial<DtlsHandler>;
const BASE: DtlsOptions = { crypto: nativeProvider, cipherSuites: CERTIFICATE_SUITES, wallClock: () => NOW };

/** A context with nothing but what it is given, on the native provider, on the day of the certificates. */
export function add(link: Link, name: string, options: DtlsOptions, handler: Partial<DtlsHandler> = {}): Node {
  return link.add(name, { ...BASE, ...options }, { ...BARE, ...handler });
}

/** An honest server, or client, and what the other side is told to expect. */
export const HONEST: Readonly<Record<Side, Credential>> = {
  server: showing([mintLeaf('server', MIDDLE), MIDDLE]),
  client: showing([mintLeaf('client', MIDDLE), MIDDLE]),
};

export interface Trial {
  /** Who shows the chain. */
  readonly role: Side;
  readonly shown: Credential;
  /** What the other side holds for this peer alone. */
  readonly parameters?: UserParameters;
  /** What the other side holds for everybody. */
  readonly options?: DtlsOptions;
  readonly handler?: Partial<DtlsHandler>;
  /** What the side that shows holds besides. */
  readonly bearer?: DtlsOptions;
  readonly link?: LinkOptions;
}

export interface Stage {
  readonly link: Link;
  /** The side that judges. */
  readonly judge: Node;
  /** The side that shows. */
  readonly bearer: Node;
  readonly honest: Node;
}

/** Whoever shows a chain may be hostile, and does not mind what its own messages cost it. */
const BOUNDLESS: DtlsOptions = { maxHeldBytes: 1_048_576, maxKeptBytes: 1_048_576 };

/** The judge, named `judge`, whoever shows something, `bearer`, and an honest peer of the same role, `honest`; nothing has begun. */
export function stage({ role, shown, parameters, options, handler, bearer = {}, link: network }: Trial): Stage {
  const link = new Link(network);
  const judgeOf: DtlsOptions = role === 'server'
    ? { trust: TRUST, serverName: 'server.test' }
    : { trust: TRUST, clientAuthentication: 'require', credentials: [HONEST.server] };
  const others: DtlsOptions = role === 'server' ? {} : { trust: TRUST, serverName: 'server.test' };
  return {
    link,
    judge: add(link, 'judge', { ...judgeOf, ...options }, {
      ...(parameters && { getUserParameters: (_, session) => (session === 'bearer' ? parameters : null) }),
      error: () => {},
      ...handler,
    }),
    bearer: add(link, 'bearer', { credentials: [shown], ...others, ...BOUNDLESS, ...bearer }),
    honest: add(link, 'honest', { credentials: [HONEST[role]], ...others }),
  };
}

/** Begins the handshake of the judge with `peer`, in whichever role the peer has. */
export function begin({ judge, bearer, honest }: Stage, role: Side, peer: 'bearer' | 'honest' = 'bearer'): void {
  if (role === 'server') judge.context.connect(peer);
  else (peer === 'bearer' ? bearer : honest).context.connect('judge');
}

/** The plaintext alerts that `from` sent to `to`, by name. */
export function alertsOnTheWire(log: readonly Datagram[], from: string, to: string): string[] {
  const walk = new RecordWalk();
  return log.filter((one) => one.from === from && one.to === to).flatMap(({ bytes }) => {
    const found: string[] = [];
    walk.begin(bytes);
    while (walk.next()) {
      if (walk.type === ContentType.alert && walk.epoch === 0) found.push(nameOf(AlertDescription, bytes[walk.start + 1]!));
    }
    return found;
  });
}

export function assertFreed({ context }: Node, peer: string): void {
  assert.is(context.getPeer(peer), undefined);
  const { halfOpen, established, heldBytes, deadlines } = context.stats();
  assert.equal({ halfOpen, established, heldBytes, deadlines }, { halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0 });
}

/**
 * After the handshake with the bearer came to nothing: nobody connected, nothing held, one alert and one event that say
 * the same, and an honest peer gets through. Returns the alert and the reason.
 */
export function refusal(at: Stage, role: Side): string {
  const { link, judge, bearer } = at;
  link.run();
  assert.is([...judge.events, ...bearer.events].some(({ code }) => code === 0x1de), false, 'somebody connected');
  assertFreed(judge, 'bearer');
  assertFreed(bearer, 'judge');
  const alerts = alertsOnTheWire(link.log, 'judge', 'bearer');
  assert.is(alerts.length, 1, `alerts: ${alerts.join()}`);
  const ends = judge.events.filter(({ detail }) => detail !== undefined);
  assert.is(ends.length, 1);
  const { level, code, detail } = ends[0]!;
  if (level === 2) assert.is(nameOf(AlertDescription, code), alerts[0]);
  // A client that has its keys takes no unsigned alert: it hears of it when its retransmissions run out.
  if (role === 'server') assert.is(nameOf(AlertDescription, bearer.events.at(-1)!.code), alerts[0]);
  else assert.match(bearer.events.at(-1)!.detail!.message, `an unsigned alert said ${alerts[0]}`);
  assertLive(at, role);
  return `${alerts[0]}: ${detail!.message}`;
}

/** LIVE: an honest peer completes with the judge. */
export function assertLive(at: Stage, role: Side): void {
  begin(at, role, 'honest');
  assert.ok(at.link.run(() => at.judge.context.getPeer('honest')?.state === 'connected', 10_000), 'the honest peer did not get through');
  assert.is(at.judge.context.getPeer('honest')!.identity?.kind, 'x509');
}

/** What comes of it: `connected`, or the alert and the reason, with all that must hold of a refusal. */
export function outcome(trial: Trial): string {
  const at = stage(trial);
  begin(at, trial.role);
  const { link, judge } = at;
  if (!link.run(() => judge.context.getPeer('bearer')?.state === 'connected', 2000)) return refusal(at, trial.role);
  const identity = judge.context.getPeer('bearer')!.identity;
  assert.equal(identity?.kind === 'x509' ? identity.chain : identity?.kind === 'rawKey' ? [identity.spki] : null, trial.shown.chain);
  return 'connected';
}

/** As `outcome`, where answers come by promises; they have settled, or never will. */
export async function outcomeLater(trial: Trial): Promise<string> {
  const at = stage(trial);
  begin(at, trial.role);
  for (let turn = 0; turn < 8; turn++) {
    at.link.run(() => false, 200);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (at.judge.context.getPeer('bearer')?.state !== 'connected') return refusal(at, trial.role);
  return 'connected';
}

/** `outcome` of a chain. */
export function shows(role: Side, chain: readonly (Minted | Uint8Array)[], parameters?: UserParameters, key?: KeyPair): string {
  return outcome({ role, shown: showing(chain, key), ...(parameters && { parameters }) });
}
