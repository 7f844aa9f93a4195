/**
 * Every option, limit and timer of the engine, as named numbers with defaults, and their one check.
 *
 * Law: every queue and table of the engine is bounded by a number of this file.
 */
import { SignatureScheme, kindOf, type GroupName } from '../crypto/keys.js';
import type { Provider } from '../crypto/provider.js';
import { supports, type CipherSuite } from '../crypto/suites.js';
import type { Credential, Trust } from '../handshake/authenticate.js';
import { argument, LocalError } from '../wire/errors.js';

/** What may differ from peer to peer (tinydtls: dtls_user_parameters_t). Absent fields take the context's value. */
export interface UserParameters {
  /**
   * Suites offered or accepted, best first. Rows of `microdtls/suites/…`. Default in `microdtls`: all; in `microdtls/core`
   * there is none.
   */
  readonly cipherSuites?: readonly CipherSuite[] | undefined;
  /** Refuse a peer without extended_master_secret (RFC 7627). Default true. */
  readonly forceExtendedMasterSecret?: boolean | undefined;
  /** Refuse a peer without renegotiation_info or its SCSV (RFC 5746). Default true. */
  readonly forceRenegotiationInfo?: boolean | undefined;
  /** Groups of ECDHE, best first. Default: X25519, P-256, P-384, as far as the provider has them. */
  readonly groups?: readonly GroupName[] | undefined;
  /** Signature schemes that we accept, best first. Default: all that the provider verifies; never SHA-1. */
  readonly signatureSchemes?: readonly SignatureScheme[] | undefined;
  /**
   * What we may show, best first: certificates, raw keys (`loadCredential`, …). The first that fits what the peer takes is
   * shown. Default: none.
   */
  readonly credentials?: readonly Credential[] | undefined;
  /** Whom we believe (`trustStore`). Default: nobody. */
  readonly trust?: Trust | null | undefined;
  /** Client: the name that the server's certificate must hold (DNS name, address, URI); a DNS name is also sent as SNI. */
  readonly serverName?: string | null | undefined;
  /**
   * Server: whether clients show a key of theirs. Default `none`; `require` if there is a `verifyEcdsaKey`, and always of
   * who comes while we are connected there to a server.
   */
  readonly clientAuthentication?: 'none' | 'request' | 'require' | undefined;
  /** UDP payload bytes for handshake and corked datagrams, 100 to 65,507. Default 1,232. */
  readonly mtu?: number | undefined;
  /** First retransmission timeout in ms. Default 1,000 (RFC 6347 §4.2.4.1; RFC 7925 §11 recommends 9,000 on slow radios). */
  readonly initialTimeoutMs?: number | undefined;
  /** Ceiling of the doubling timeout in ms. Default 60,000. */
  readonly maxTimeoutMs?: number | undefined;
  /** Retransmissions of a flight before the peer is given up. Default 5 (63 s with the other defaults). */
  readonly maxRetransmits?: number | undefined;
  /** Each timeout is stretched by a random part of up to this fraction. Default 0.1; 0 switches it off. */
  readonly timeoutJitter?: number | undefined;
  /** Whether a plaintext fatal alert ends a handshake that has no read keys yet. Default `honour`. */
  readonly plaintextAlerts?: 'honour' | 'ignore' | undefined;
}

/** Options of a context. All have defaults except `crypto` and `cipherSuites` in `microdtls/core`. */
export interface DtlsOptions extends UserParameters {
  /** The crypto provider. Default in `microdtls`: noble; in `microdtls/core` there is none. */
  readonly crypto?: Provider | undefined;
  /** A slot for the host, handed back as `context.app`. */
  readonly app?: unknown;
  /** Milliseconds on a clock that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds since 1970, for the dates of certificates. Default: the platform's. */
  readonly wallClock?: (() => number) | undefined;
  /** A fresh array of `length` bytes from a cryptographic source (default: Web Crypto's). A throw or another length fails closed. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
  /** `always` (default), or `never` for hosts that have proved the address themselves, such as ICE. */
  readonly cookieExchange?: 'always' | 'never' | undefined;
  /** Whether clients are let in. Default true; false where a context only connects: then whoever it knows is whom it reached. */
  readonly acceptClients?: boolean | undefined;
  /** How long a cookie secret is used; the one before it is still accepted. Default 60,000 ms. */
  readonly cookieLifetimeMs?: number | undefined;
  /** How long a credential promise may take. Default 10,000 ms. */
  readonly credentialTimeoutMs?: number | undefined;
  /** How long a closing peer waits for the other side's close_notify. Default 1,000 ms. */
  readonly closeTimeoutMs?: number | undefined;
  /** How long the last flight stays ready for retransmission: 2·MSL. Default 240,000 ms (RFC 6347 §4.2.4). */
  readonly lastFlightMs?: number | undefined;
  /** Peers in all. Default 150,000. */
  readonly maxPeers?: number | undefined;
  /** Half-open peers in all. Default 20,000; the oldest of the fullest address gives way. */
  readonly maxHalfOpenPeers?: number | undefined;
  /** Half-open peers of one address, whatever the port. Default 1,000. */
  readonly maxHalfOpenPeersPerAddress?: number | undefined;
  /** Bytes of one handshake message. Default 4,096 with pre-shared keys only, else 16,384. */
  readonly maxMessageBytes?: number | undefined;
  /** Bytes that a half-open peer may make us hold for reassembly and early records. Default 6,144 with pre-shared keys only, else 24,576. */
  readonly maxHeldBytes?: number | undefined;
  /**
   * Bytes that a handshake may keep for its signatures: messages, the chain that the peer shows, names of authorities.
   * What is more takes its place from `maxHeldBytes`. Default 2,048 with pre-shared keys only, else 20,480.
   */
  readonly maxKeptBytes?: number | undefined;
  /** Handshake messages buffered ahead of the next one. Default 8. */
  readonly maxMessagesAhead?: number | undefined;
  /** Records kept that came before their keys or while an answer is awaited. Default 10. */
  readonly maxEarlyRecords?: number | undefined;
  /** HelloVerifyRequests that a client answers in one handshake. Default 3. */
  readonly maxHelloVerifyRequests?: number | undefined;
  /** Bytes of a PSK identity or hint. Default 1,024. */
  readonly maxPskIdentityBytes?: number | undefined;
  /** Datagrams kept when `handleMessage` is called from within a callback. Default 64. */
  readonly maxDeferredDatagrams?: number | undefined;
  /** Peers that are corked at a time, each with a buffer of its MTU. Default 1,000. */
  readonly maxCorkedPeers?: number | undefined;
}

/** The largest datagram the engine sends: what UDP takes. */
export const MAX_DATAGRAM = 65_507;
/** The smallest MTU: the first fragment of a ClientHello must hold its cookie, or no stateless server can answer it. */
export const MIN_MTU = 100;
/** Path MTU guesses to fall back to, largest first (RFC 6347 §4.1.1.1; RFC 4821 §7.6 has the idea of a ladder). */
const MTU_LADDER = [1400, 1232, 1024, 548, 256, 128, MIN_MTU] as const;

/** The next MTU to try when `length` bytes did not get through. */
export function lowerMtu(length: number): number {
  return MTU_LADDER.find((mtu) => mtu < length) ?? MIN_MTU;
}

type Resolved<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };
/** A peer's parameters with every default filled in, but one: whether clients are asked who they are may hang on a callback. */
export type Parameters = Omit<Resolved<UserParameters>, 'clientAuthentication'> & {
  readonly clientAuthentication: UserParameters['clientAuthentication'] | null;
};
/** Bounds on what one handshake holds. */
export type Limits = Pick<Resolved<DtlsOptions>, 'maxMessageBytes' | 'maxHeldBytes' | 'maxKeptBytes' | 'maxMessagesAhead' | 'maxEarlyRecords'>;
/** A context's options with every default filled in. */
export type Config = Resolved<Omit<DtlsOptions, 'app' | 'clientAuthentication'>> & Pick<Parameters, 'clientAuthentication'> & {
  /** For peers whose own parameters bring public keys. */
  readonly certifiedLimits: Limits;
  /** Of peers that have none of their own: one object for them all. */
  readonly parameters: Parameters;
};

const DAY_MS = 86_400_000;

/** Default, smallest and largest value of each numeric option. A half-open peer holds 8 KiB in all: no message is long. */
const NUMBERS = {
  mtu: [1232, MIN_MTU, MAX_DATAGRAM],
  initialTimeoutMs: [1000, 1, DAY_MS],
  maxTimeoutMs: [60_000, 1, DAY_MS],
  maxRetransmits: [5, 0, 1000],
  timeoutJitter: [0.1, 0, 1],
  cookieLifetimeMs: [60_000, 1, DAY_MS],
  credentialTimeoutMs: [10_000, 1, DAY_MS],
  closeTimeoutMs: [1000, 1, DAY_MS],
  lastFlightMs: [240_000, 0, DAY_MS],
  maxPeers: [150_000, 1, 2 ** 24],
  maxHalfOpenPeers: [20_000, 1, 2 ** 24],
  maxHalfOpenPeersPerAddress: [1000, 1, 2 ** 24],
  maxMessageBytes: [4096, 256, 65_536],
  maxHeldBytes: [6144, 1024, 1_048_576],
  maxKeptBytes: [2048, 1024, 1_048_576],
  maxMessagesAhead: [8, 1, 64],
  maxEarlyRecords: [10, 1, 64],
  maxHelloVerifyRequests: [3, 1, 16],
  maxPskIdentityBytes: [1024, 1, 65_535],
  maxDeferredDatagrams: [64, 1, 65_536],
  maxCorkedPeers: [1000, 1, 2 ** 24],
} as const satisfies Partial<Record<keyof DtlsOptions, readonly [number, number, number]>>;

/** What stands for those defaults where chains of certificates come: 48 KiB in all. */
const CERTIFIED_LIMITS = { maxMessageBytes: 16_384, maxHeldBytes: 24_576, maxKeptBytes: 20_480 } as const;

/** What each option with a choice may be, the default first. */
const CHOICES = {
  forceExtendedMasterSecret: [true, false],
  forceRenegotiationInfo: [true, false],
  plaintextAlerts: ['honour', 'ignore'],
  cookieExchange: ['always', 'never'],
  acceptClients: [true, false],
  clientAuthentication: ['none', 'request', 'require'],
} as const satisfies Partial<Record<keyof DtlsOptions, readonly unknown[]>>;

/** What is a list. */
const LISTS: readonly string[] = ['cipherSuites', 'groups', 'signatureSchemes', 'credentials'] satisfies readonly (keyof UserParameters)[];

const GROUPS: readonly GroupName[] = ['x25519', 'secp256r1', 'secp384r1'];

/** ECDSA and Ed25519 before RSA, PSS before PKCS#1. */
const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  SignatureScheme.ecdsaSha256, SignatureScheme.ecdsaSha384, SignatureScheme.ecdsaSha512, SignatureScheme.ed25519,
  SignatureScheme.rsaPssRsaeSha256, SignatureScheme.rsaPssRsaeSha384, SignatureScheme.rsaPssRsaeSha512,
  SignatureScheme.rsaPkcs1Sha256, SignatureScheme.rsaPkcs1Sha384, SignatureScheme.rsaPkcs1Sha512,
];

/** What the callbacks of a host say of it. */
export interface HostAbilities {
  /** It has callbacks for public keys. */
  readonly publicKeys: boolean;
}

/** What options must be besides numbers and choices. */
export interface Sources {
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly random: (length: number) => Uint8Array;
}

/**
 * Fills in defaults and checks everything. Throws a LocalError that names the option. What the
 * host can do by its callbacks decides some defaults: small bounds without public keys.
 */
export function resolveConfig(options: DtlsOptions, sources: Sources, host: HostAbilities): Config {
  const { crypto } = options;
  if (crypto === undefined) throw argument('the option crypto is missing: microdtls/core has no default provider');
  if (crypto.hashes.sha256 === undefined) {
    throw new LocalError('ERR_DTLS_NO_PROVIDER', `the provider ${crypto.name} has no sha256, which cookies need`);
  }
  check(defined(options));
  const cipherSuites = checkSuites(options.cipherSuites, crypto);
  const certified = usesKeys({ ...options, cipherSuites }, host.publicKeys);
  const config = {
    ...sources,
    ...firsts(NUMBERS),
    ...firsts(CHOICES),
    ...(certified ? CERTIFIED_LIMITS : {}),
    clientAuthentication: null,
    credentials: [],
    trust: null,
    serverName: null,
    groups: GROUPS.filter((name) => crypto.groups[name] !== undefined),
    signatureSchemes: SIGNATURE_SCHEMES.filter((scheme) => crypto.signatures[kindOf(scheme)] !== undefined),
    ...defined(options),
    crypto,
    cipherSuites,
  };
  const { maxMessageBytes, maxHeldBytes, maxKeptBytes } = { ...CERTIFIED_LIMITS, ...defined(options) };
  const { maxMessagesAhead, maxEarlyRecords } = config;
  const certifiedLimits = { maxMessageBytes, maxHeldBytes, maxKeptBytes, maxMessagesAhead, maxEarlyRecords };
  return { ...config, certifiedLimits, parameters: parametersOf(config) };
}

/** The bounds of a handshake: a peer's parameters, or callbacks of later, may bring public keys to a context that was made without. */
export function limitsOf(parameters: Parameters, config: Config, host: HostAbilities): Limits {
  return usesKeys(parameters, host.publicKeys) ? config.certifiedLimits : config;
}

function usesKeys(
  { credentials = [], trust = null, cipherSuites = [] }: Pick<UserParameters, 'credentials' | 'trust' | 'cipherSuites'>, otherwise: boolean,
): boolean {
  return (otherwise || credentials.length > 0 || trust !== null) && cipherSuites.some(({ keyExchange }) => keyExchange.certified);
}

function parametersOf(config: Parameters): Parameters {
  const { cipherSuites, forceExtendedMasterSecret, forceRenegotiationInfo, mtu } = config;
  const { initialTimeoutMs, maxTimeoutMs, maxRetransmits, timeoutJitter, plaintextAlerts } = config;
  const { groups, signatureSchemes, credentials, trust, serverName, clientAuthentication } = config;
  return Object.freeze({
    cipherSuites, forceExtendedMasterSecret, forceRenegotiationInfo, mtu,
    initialTimeoutMs, maxTimeoutMs, maxRetransmits, timeoutJitter, plaintextAlerts,
    groups, signatureSchemes, credentials, trust, serverName, clientAuthentication,
  });
}

/** A peer's parameters over those of its context. Throws a LocalError that names the parameter. */
export function resolveParameters(parameters: UserParameters | null | undefined | void, config: Config): Parameters {
  if (parameters === null || parameters === undefined) return config.parameters;
  const given = defined(givenParameters(parameters));
  check(given);
  const resolved = { ...config.parameters, ...given };
  const foreign = resolved.cipherSuites.find((suite) => !config.cipherSuites.includes(suite));
  if (foreign !== undefined) throw argument(`the suite ${foreign.name} is not among those of the context`);
  return { ...resolved, cipherSuites: checkSuites(resolved.cipherSuites, config.crypto) };
}

/** What a host gave as parameters of a peer; none for nothing. Throws a LocalError for what cannot be any. */
export function givenParameters(given: UserParameters | null | undefined | void): UserParameters {
  if (given === null || given === undefined) return {};
  if (typeof given !== 'object') throw argument('user parameters are not an object');
  // A promise has none of them: who asked for more than the context does would get less than that.
  if ('then' in given) throw argument('user parameters are a promise: they are needed at once');
  return given;
}

function checkSuites(suites: readonly CipherSuite[] | undefined, crypto: Provider): readonly CipherSuite[] {
  if (!Array.isArray(suites) || suites.length === 0) throw argument('cipherSuites is empty');
  const usable = (suites as readonly CipherSuite[]).filter((suite) => supports(crypto, suite));
  if (usable.length > 0) return usable;
  throw new LocalError('ERR_DTLS_NO_PROVIDER', `the provider ${crypto.name} can do none of the suites given`);
}

/** Throws a LocalError that names the first option out of bounds. Of a peer's parameters not every option is there. */
function check(values: object): void {
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    const bounds = (NUMBERS as Readonly<Record<string, readonly [number, number, number]>>)[name];
    // Bytes and counts are whole; only times and the jitter need not be.
    const whole = name.endsWith('Ms') || name === 'timeoutJitter' || Number.isInteger(value);
    if (bounds !== undefined && !(typeof value === 'number' && value >= bounds[1] && value <= bounds[2] && whole)) {
      throw argument(`${name} is ${String(value)}: it goes from ${bounds[1]} to ${bounds[2]}`);
    }
    const choices = (CHOICES as Readonly<Record<string, readonly unknown[]>>)[name];
    if (choices !== undefined && !choices.includes(value)) {
      throw argument(`${name} is ${String(value)}: it is one of ${choices.join(', ')}`);
    }
    if (LISTS.includes(name) && !Array.isArray(value)) throw argument(`${name} is ${String(value)}: it is a list`);
  }
}

/** The defaults of a table: the first entry of each row. */
function firsts<T extends Readonly<Record<string, readonly unknown[]>>>(table: T): { [Name in keyof T]: T[Name][number] } {
  return Object.fromEntries(Object.entries(table).map(([name, [first]]) => [name, first])) as { [Name in keyof T]: T[Name][number] };
}

/** Without the fields that are undefined, so that they do not hide a default. */
function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
