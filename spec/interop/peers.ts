/**
 * The peers by their commands: OpenSSL, GnuTLS and libcoap, each as client and as server.
 */
import { LOOPBACK, PSK, hexOf, type Psk } from './host.js';
import type { PeerProcess } from './process.js';
import { freePort, type Stage } from './stage.js';
import {
  PSK_AES_128_CCM, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_AES_256_CCM, PSK_AES_256_CCM_8,
  PSK_AES_256_GCM_SHA384, PSK_CHACHA20_POLY1305_SHA256, type CipherSuite,
} from '../../lib/index.js';

/** One suite and what the peers call it. */
export interface NamedSuite {
  readonly suite: CipherSuite;
  readonly openssl: string;
  readonly gnutls: string;
}

/** Every suite of plain PSK. All peers know all of them. */
export const SUITES: readonly NamedSuite[] = [
  { suite: PSK_AES_128_CCM_8, openssl: 'PSK-AES128-CCM8', gnutls: 'AES-128-CCM-8' },
  { suite: PSK_AES_256_CCM_8, openssl: 'PSK-AES256-CCM8', gnutls: 'AES-256-CCM-8' },
  { suite: PSK_AES_128_CCM, openssl: 'PSK-AES128-CCM', gnutls: 'AES-128-CCM' },
  { suite: PSK_AES_256_CCM, openssl: 'PSK-AES256-CCM', gnutls: 'AES-256-CCM' },
  { suite: PSK_AES_128_GCM_SHA256, openssl: 'PSK-AES128-GCM-SHA256', gnutls: 'AES-128-GCM' },
  { suite: PSK_AES_256_GCM_SHA384, openssl: 'PSK-AES256-GCM-SHA384', gnutls: 'AES-256-GCM' },
  { suite: PSK_CHACHA20_POLY1305_SHA256, openssl: 'PSK-CHACHA20-POLY1305', gnutls: 'CHACHA20-POLY1305' },
];

/** What a peer is told besides its address. */
export interface PeerOptions {
  readonly psk?: Psk;
  /** As the peer calls it. CCM-8 if absent. */
  readonly cipher?: string;
  /** More parameters of the command. */
  readonly more?: readonly string[];
  /** More words of a GnuTLS priority string. */
  readonly priority?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A server that is ready. */
export interface Server {
  readonly process: PeerProcess;
  readonly port: number;
}

/** `openssl s_client`. It prints what it receives and sends what is typed. */
export function opensslClient(stage: Stage, port: number, options: PeerOptions = {}): PeerProcess {
  const parameters = ['s_client', '-dtls1_2', '-connect', `${LOOPBACK}:${port}`, ...opensslParameters(options)];
  return stage.spawn('openssl', parameters, options.environment);
}

/** `openssl s_server`, ready. It prints what it receives and sends what is typed. */
export async function opensslServer(stage: Stage, options: PeerOptions = {}): Promise<Server> {
  const parameters = ['s_server', '-dtls1_2', '-accept', `${LOOPBACK}:0`, '-nocert', ...opensslParameters(options)];
  const process = stage.spawn('openssl', parameters, options.environment);
  const [, port] = await process.prints(/^ACCEPT .*:(\d+)$/m);
  return { process, port: Number(port) };
}

function opensslParameters({ psk = PSK, cipher = 'PSK-AES128-CCM8', more = [] }: PeerOptions): string[] {
  return ['-psk_identity', psk.identity, '-psk', hexOf(psk.key), '-cipher', cipher, ...more];
}

/** `gnutls-cli`. It prints what it receives and sends what is typed. */
export function gnutlsClient(stage: Stage, port: number, options: PeerOptions = {}): PeerProcess {
  const { psk = PSK, more = [] } = options;
  const credentials = ['--pskusername', psk.identity, '--pskkey', hexOf(psk.key)];
  return stage.spawn('gnutls-cli', ['--udp', LOOPBACK, '-p', `${port}`, ...credentials, ...gnutlsPriority(options), ...more]);
}

/** `gnutls-serv --echo`, ready. It sends back what it receives. */
export async function gnutlsServer(stage: Stage, options: PeerOptions = {}): Promise<Server> {
  const { psk = PSK, more = [] } = options;
  const keys = await stage.file('psk.txt', `${psk.identity}:${hexOf(psk.key)}\n`);
  return onFreePort(0, async (port) => {
    const parameters = ['--udp', '--echo', '-p', `${port}`, '--pskpasswd', keys, ...gnutlsPriority(options), ...more];
    const process = stage.spawn('gnutls-serv', parameters);
    await process.prints(/listening on IPv4 .*done/);
    return { process, port };
  });
}

function gnutlsPriority({ cipher = 'AES-128-CCM-8', priority = '' }: PeerOptions): string[] {
  const base = 'NONE:+VERS-DTLS1.2:+MAC-ALL:+AEAD:+SIGN-ALL:+GROUP-SECP256R1:+GROUP-X25519:+CTYPE-X509:+COMP-NULL:+PSK';
  return ['--priority', `${base}:+${cipher}${priority}`];
}

/** The two builds of libcoap. */
export type CoapBuild = 'openssl' | 'gnutls';

/** `coap-client`: GETs `path` once and prints the payload. */
export function coapClient(stage: Stage, build: CoapBuild, port: number, path: string, psk: Psk): PeerProcess {
  const key = new TextDecoder().decode(psk.key);
  const resource = `coaps://${LOOPBACK}:${port}${path}`;
  return stage.spawn(`coap-client-${build}`, ['-m', 'get', '-B', '20', '-k', key, '-u', psk.identity, resource]);
}

/** `coap-server`, ready. The port is that of its DTLS. */
export async function coapServer(stage: Stage, build: CoapBuild, psk: Psk): Promise<Server> {
  const key = new TextDecoder().decode(psk.key);
  return onFreePort(1, async (port) => {
    const process = stage.spawn(`coap-server-${build}`, ['-A', LOOPBACK, '-p', `${port}`, '-k', key, '-v', '7']);
    await process.prints(/created DTLS endpoint/);
    return { process, port: port + 1 };
  });
}

/** Starts a server that must be told its port. Somebody else may take that first, so it may need another. */
async function onFreePort(more: number, start: (port: number) => Promise<Server>, attempts: number = 3): Promise<Server> {
  try {
    return await start(await freePort(more));
  } catch (error) {
    if (attempts === 1) throw error;
    return onFreePort(more, start, attempts - 1);
  }
}
