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
import { PSK_SUITES } from '../suites/psk.js';
import { readCredentials, textOrHex } from './credentials.js';
import { UsageError, type Command } from './usage.js';

/** The port of coaps (RFC 7252 §12.7), the usual one for DTLS. */
const DEFAULT_PORT = 5684;

/** Where to listen, or whom to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The options of a command, complete. What a command does not know has its default. */
export interface Options {
  readonly help: boolean;
  readonly endpoint: Endpoint;
  readonly credentials: readonly PskCredential[];
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
  suites: VALUE,
  mtu: VALUE,
  'allow-no-ems': FLAG,
  'allow-no-renegotiation-info': FLAG,
  timeout: VALUE,
  json: FLAG,
  verbose: { type: 'boolean', short: 'v' },
} as const;

const KNOWN: Readonly<Record<Command, NonNullable<ParseArgsConfig['options']>>> = {
  serve: { ...COMMON, listen: VALUE, hint: VALUE, echo: FLAG },
  connect: { ...COMMON, wait: VALUE },
  demo: { ...HELP, suites: VALUE, mtu: VALUE },
};

/** The options of `command` from its arguments. Throws a UsageError. */
export function parseOptions(command: Command, args: readonly string[], environment: NodeJS.ProcessEnv): Options {
  const { values, positionals } = parse(command, args);
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const list = (name: string): readonly string[] => (values[name] as string[] | undefined) ?? [];
  const help = values['help'] === true;
  const hint = text('hint');
  const needsKey = command !== 'demo' && !help;
  return {
    help,
    endpoint: help ? { host: '', port: 0 } : endpointOf(command, positionals, text('listen')),
    credentials: needsKey ? readCredentials({ given: list('psk'), files: list('psk-file'), environment }) : [],
    hint: hint === undefined ? undefined : textOrHex(hint, '--hint'),
    suites: parseSuites(text('suites')),
    mtu: number('--mtu', text('mtu'), MIN_MTU, MAX_DATAGRAM, true),
    forceExtendedMasterSecret: values['allow-no-ems'] !== true,
    forceRenegotiationInfo: values['allow-no-renegotiation-info'] !== true,
    timeoutMs: 1000 * (number('--timeout', text('timeout'), 0.001, 86_400) ?? 10),
    waitMs: 1000 * (number('--wait', text('wait'), 0, 86_400) ?? 2),
    echo: values['echo'] === true,
    json: values['json'] === true,
    verbose: values['verbose'] === true,
  };
}

/** `HOST:PORT`, `HOST`, `:PORT`, `[IPv6]:PORT`, or an IPv6 address alone. */
export function parseEndpoint(text: string, defaultHost: string | null): Endpoint {
  if (isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const [, bracketed, plain, digits] = parts ?? [];
  const host = bracketed ?? (plain || defaultHost);
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  const fits = parts !== null && port <= 0xffff && (bracketed === undefined || isIPv6(bracketed));
  if (fits && host !== null) return { host, port };
  throw new UsageError(`${JSON.stringify(text)} is not HOST:PORT (an IPv6 address goes in brackets: [::1]:${DEFAULT_PORT})`);
}

function parse(command: Command, args: readonly string[]): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({ args: [...args], options: KNOWN[command], allowPositionals: true });
  } catch (error) {
    // The first sentence names the option; the rest explains how to give a name that begins with a hyphen.
    throw new UsageError((error as Error).message.split(/\. |\n/)[0]!.replace(/\.$/, ''));
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
    const suite = PSK_SUITES.find((row) => row.name === name || shortName(row) === name);
    if (suite !== undefined) return suite;
    throw new UsageError(`${JSON.stringify(given)} is no suite that is known here: ${PSK_SUITES.map(shortName).join(', ')}`);
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
