/**
 * Arguments to options: parsed, checked, with defaults.
 *
 * Law: whatever cannot be meant is a UsageError with one sentence; nothing is guessed.
 */
import { MAX_DATAGRAM, MIN_MTU } from '../engine/config.js';
import { isIPv6 } from 'node:net';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Bytes, PskCredential } from '../adapters/psk.js';
import type { CipherSuite } from '../crypto/suites.js';
import { ALL_SUITES } from '../suites/all.js';
import type { Credential, Trust } from '../handshake/authenticate.js';
import { readCredentials, textOrHex } from './credentials.js';
import { parseReference } from '../x509/names.js';
import { readPublicKeys, type PublicKeys } from './publickeys.js';
import { generalName } from './selfsigned.js';
import { UsageError, type Command } from './usage.js';

/** The port of coaps (RFC 7252 §12.7), the usual one for DTLS. */
const DEFAULT_PORT = 5684;

const PUBLIC_KEYS_OF_SERVER = 'or show a certificate or raw key: --cert FILE --key FILE, --raw-key FILE';
const PUBLIC_KEYS_OF_CLIENT = 'or say which certificates or raw keys to believe: --ca FILE, --trust-key FILE';

/** Where to listen, or whom to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What `keygen` makes. */
export interface KeygenOptions {
  readonly out: string;
  readonly names: readonly string[];
  readonly raw: boolean;
  readonly days: number;
}

/** The options of a command, complete. What a command does not know has its default. */
export interface Options {
  readonly help: boolean;
  readonly endpoint: Endpoint;
  /** Pre-shared keys. */
  readonly credentials: readonly PskCredential[];
  /** Certificates and raw keys to show. */
  readonly shown: readonly Credential[];
  /** Whom to believe. */
  readonly trust: Trust | null;
  /** What `keygen` makes. */
  readonly keygen: KeygenOptions;
  readonly serverName: string | undefined;
  readonly clientAuthentication: 'none' | 'request' | 'require';
  /** Everybody is believed. */
  readonly insecure: boolean;
  readonly hint: Bytes | undefined;
  readonly suites: readonly CipherSuite[] | undefined;
  readonly mtu: number | undefined;
  readonly forceExtendedMasterSecret: boolean;
  readonly forceRenegotiationInfo: boolean;
  readonly timeoutMs: number;
  readonly waitMs: number;
  readonly echo: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

const FLAG = { type: 'boolean' } as const;
const VALUE = { type: 'string' } as const;
const HELP = { help: { type: 'boolean', short: 'h' } } as const;
const COMMON = {
  ...HELP,
  psk: { type: 'string', multiple: true },
  'psk-file': { type: 'string', multiple: true },
  cert: VALUE,
  key: VALUE,
  'raw-key': VALUE,
  ca: { type: 'string', multiple: true },
  crl: { type: 'string', multiple: true },
  'trust-key': { type: 'string', multiple: true },
  insecure: FLAG,
  suites: VALUE,
  mtu: VALUE,
  'allow-no-ems': FLAG,
  'allow-no-renegotiation-info': FLAG,
  timeout: VALUE,
  json: FLAG,
  verbose: { type: 'boolean', short: 'v' },
} as const;

const KNOWN: Readonly<Record<Command, NonNullable<ParseArgsConfig['options']>>> = {
  serve: { ...COMMON, listen: VALUE, hint: VALUE, echo: FLAG, 'require-client-cert': FLAG },
  connect: { ...COMMON, wait: VALUE, 'server-name': VALUE },
  demo: { ...HELP, suites: VALUE, mtu: VALUE },
  keygen: { ...HELP, out: VALUE, name: { type: 'string', multiple: true }, raw: FLAG, days: VALUE },
};

/** The options of `command` from its arguments. Throws a UsageError. */
export function parseOptions(command: Command, args: readonly string[], environment: NodeJS.ProcessEnv): Options {
  const { values, positionals } = parse(command, args);
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const list = (name: string): readonly string[] => (values[name] as string[] | undefined) ?? [];
  const flag = (name: string): boolean => values[name] === true;
  const help = flag('help');
  const hint = text('hint');
  const keys = help || command === 'demo' || command === 'keygen' ? NO_KEYS : keysOf(command, { text, list, flag }, environment);
  return {
    help,
    endpoint: help ? { host: '', port: 0 } : endpointOf(command, positionals, text('listen')),
    ...keys,
    keygen: keygenOf({ text, list, flag }),
    serverName: checkedName(text('server-name')),
    hint: hint === undefined ? undefined : textOrHex(hint, '--hint'),
    suites: parseSuites(text('suites')),
    mtu: number('--mtu', text('mtu'), MIN_MTU, MAX_DATAGRAM, true),
    forceExtendedMasterSecret: !flag('allow-no-ems'),
    forceRenegotiationInfo: !flag('allow-no-renegotiation-info'),
    timeoutMs: 1000 * (number('--timeout', text('timeout'), 0.001, 86_400) ?? 10),
    waitMs: 1000 * (number('--wait', text('wait'), 0, 86_400) ?? 2),
    echo: flag('echo'),
    json: flag('json'),
    verbose: flag('verbose'),
  };
}

/** The arguments by name. */
interface Values {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

function keygenOf({ text, list, flag }: Values): KeygenOptions {
  const names = list('name');
  const raw = flag('raw');
  const wrong = names.find((name) => generalName(name) === null);
  if (wrong !== undefined) throw new UsageError(`--name is ${JSON.stringify(wrong)}: no DNS name, address or URI`);
  const out = text('out') ?? 'microdtls';
  if (/(?:^|[/\\])$/.test(out)) throw new UsageError(`--out is ${JSON.stringify(out)}: a name of files, to which .key and .crt are added`);
  if (raw && (names.length > 0 || text('days') !== undefined)) throw new UsageError('--raw makes a bare key, which has no --name and no --days');
  const days = number('--days', text('days'), 1, 36_500, true) ?? 365;
  return { out, names: names.length > 0 ? names : ['localhost'], raw, days };
}

type Keys = Pick<Options, 'credentials' | 'shown' | 'trust' | 'clientAuthentication' | 'insecure'>;

const NO_KEYS: Keys = { credentials: [], shown: [], trust: null, clientAuthentication: 'none', insecure: false };

/** Pre-shared keys and public keys. A server must have something to show, a client somebody to believe. */
function keysOf(command: Command, { text, list, flag }: Values, environment: NodeJS.ProcessEnv): Keys {
  const insecure = flag('insecure');
  const { shown, trust } = readPublicKeys({
    cert: text('cert'),
    key: text('key'),
    rawKey: text('raw-key'),
    authorities: list('ca'),
    revocationLists: list('crl'),
    trustedKeys: list('trust-key'),
    insecure,
  });
  const suffices = command === 'serve' ? shown.length > 0 : trust !== null;
  const given = { given: list('psk'), files: list('psk-file') };
  const otherwise = command === 'serve' ? PUBLIC_KEYS_OF_SERVER : PUBLIC_KEYS_OF_CLIENT;
  const credentials = readCredentials({ ...given, environment: suffices ? {} : environment }, suffices ? null : otherwise);
  if (credentials.length === 0 && text('hint') !== undefined) throw new UsageError('--hint is for pre-shared keys, and there is none');
  checkUse(command, { shown, trust });
  const required = flag('require-client-cert');
  if (required && trust === null) throw new UsageError('--require-client-cert needs --ca FILE, --trust-key FILE or --insecure: whom to believe');
  const clientAuthentication = required ? 'require' : command === 'serve' && trust !== null ? 'request' : 'none';
  return { credentials, shown, trust, clientAuthentication, insecure };
}

/** What is given beside a pre-shared key and could never be of use is a mistake. */
function checkUse(command: Command, { shown, trust }: PublicKeys): void {
  if (command === 'serve' && trust !== null && shown.length === 0) {
    throw new UsageError('a server asks clients for certificates and keys only if it shows one: --cert FILE --key FILE or --raw-key FILE');
  }
  if (command === 'connect' && shown.length > 0 && trust === null) {
    throw new UsageError('a client shows a certificate or key only to servers it believes: --ca FILE, --trust-key FILE or --insecure');
  }
}

/** A name that a certificate can hold. */
function checkedName(name: string | undefined): string | undefined {
  if (name === undefined || parseReference(name) !== null) return name;
  throw new UsageError(`--server-name is ${JSON.stringify(name)}: no DNS name, address or URI`);
}

/** `HOST:PORT`, `HOST`, `:PORT`, `[IPv6]:PORT`, or an IPv6 address alone. */
export function parseEndpoint(text: string, defaultHost: string | null): Endpoint {
  if (isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const [, bracketed, plain, digits] = parts ?? [];
  const host = bracketed ?? (plain || defaultHost);
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  const fits = parts !== null && port <= 0xffff && (bracketed === undefined || isIPv6(bracketed));
  // The platform takes a number for an address: 5684 would be 0.0.22.52.
  const isNumber = /^\d+$/.test(text);
  if (fits && host !== null && !isNumber) return { host, port };
  const brackets = `an IPv6 address goes in brackets: [::1]:${DEFAULT_PORT}`;
  const alone = `a port alone is written ${defaultHost === null ? 'localhost' : ''}:${text}`;
  throw new UsageError(`${JSON.stringify(text)} is not HOST:PORT (${isNumber ? alone : text.includes('://') ? 'without a scheme' : brackets})`);
}

function parse(command: Command, args: readonly string[]): ReturnType<typeof parseArgs> {
  const parsed = parseOnce(command, args);
  const given = new Set<string>();
  for (const token of parsed.tokens ?? []) {
    if (token.kind !== 'option') continue;
    const { type, multiple = false } = KNOWN[command][token.name]!;
    if (type === 'string' && !multiple && given.has(token.name)) throw new UsageError(`--${token.name} is given twice`);
    given.add(token.name);
  }
  return parsed;
}

function parseOnce(command: Command, args: readonly string[]): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...args], options: KNOWN[command], allowPositionals: true, tokens: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, option] = /'(?:-\w, )?(--[\w-]+)[^']*' argument (?:missing|is ambiguous)/.exec(message) ?? [];
    if (option !== undefined) throw new UsageError(`${option} needs a value (one that begins with a hyphen: ${option}=-…)`);
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    // The first sentence names the option; the rest explains how to give a name that begins with a hyphen.
    throw new UsageError(message.split(/\. |\n/)[0]!.replace(/\.$/, ''));
  }
}

function endpointOf(command: Command, positionals: readonly string[], listen: string | undefined): Endpoint {
  const [target, ...rest] = positionals;
  const surplus = command === 'connect' ? rest[0] : target;
  if (surplus !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(surplus)}`);
  if (command !== 'connect') return parseEndpoint(listen ?? '127.0.0.1', '127.0.0.1');
  if (target === undefined) throw new UsageError('connect needs HOST:PORT');
  const endpoint = parseEndpoint(target, null);
  if (endpoint.port === 0) throw new UsageError('nobody can be reached at port 0');
  return endpoint;
}

/** Names as IANA has them, or without TLS_ and WITH_; upper and lower case are the same. */
function parseSuites(text: string | undefined): readonly CipherSuite[] | undefined {
  return text?.split(',').map((given) => {
    const name = given.trim().toUpperCase();
    const suite = ALL_SUITES.find((row) => row.name === name || shortName(row) === name);
    if (suite !== undefined) return suite;
    throw new UsageError(`${JSON.stringify(given)} is no suite that is known here: ${ALL_SUITES.map(shortName).join(', ')}`);
  });
}

function shortName({ name }: CipherSuite): string {
  return name.replace(/^TLS_/, '').replace('WITH_', '');
}

function number(option: string, text: string | undefined, min: number, max: number, whole: boolean = false): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const fits = text.trim() !== '' && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (!fits) throw new UsageError(`${option} is ${JSON.stringify(text)}: a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
  return value;
}
