/**
 * What the cases are played with: providers, suites, and two contexts that are connected over memory.
 *
 * Law: throwaway keys. Sessions come as node:dgram gives them, a fresh object around a fresh string for every
 * datagram, so that nothing is found by identity that a socket would not have.
 */
import { DtlsContext, type CipherSuite, type DtlsHandler, type DtlsOptions, type Peer, type Provider, type SessionAddress } from '../lib/core.js';
import { nativeProvider } from '../lib/crypto/native/index.js';
import { nobleProvider } from '../lib/crypto/noble/index.js';
import {
  PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_CHACHA20_POLY1305_SHA256, PSK_SUITES,
} from '../lib/suites/psk.js';

/** The providers by name. */
export const PROVIDERS: readonly Provider[] = [nobleProvider, nativeProvider];

/** One suite of each AEAD: what the quick mode looks at. */
export const QUICK_SUITES: readonly CipherSuite[] = [PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_CHACHA20_POLY1305_SHA256];

/** Every suite, the mandatory one first. */
export const ALL_SUITES: readonly CipherSuite[] = [PSK_AES_128_CCM_8, ...PSK_SUITES.filter((suite) => suite !== PSK_AES_128_CCM_8)];

/** Payload bytes of a record. */
export const SIZES: readonly number[] = [64, 256, 1200];

/** The combinations of suite and provider that exist on this platform. */
export function combinations(quick: boolean): { readonly suite: CipherSuite; readonly provider: Provider }[] {
  return (quick ? QUICK_SUITES : ALL_SUITES).flatMap((suite) =>
    PROVIDERS.filter(({ aeads }) => aeads[suite.aead] !== undefined).map((provider) => ({ suite, provider })),
  );
}

/** A suite's name as the tables print it. */
export function shortName({ name }: CipherSuite): string {
  return name.replace(/^TLS_/, '').replace('_WITH', '');
}

const KEY = new Uint8Array(16).fill(0x5a);
const IDENTITY = new Uint8Array([0x62, 0x65, 0x6e, 0x63, 0x68]);

/** Answers all questions about keys. */
export const getPskInfo: NonNullable<DtlsHandler['getPskInfo']> = (_context, _session, type) =>
  type === 'key' ? KEY : type === 'identity' ? IDENTITY : null;

/** A session as node:dgram reports it. */
export interface RemoteInfo extends SessionAddress {
  readonly family: 'IPv4';
  readonly size: number;
}

const scratch: Buffer = Buffer.alloc(32);

/** Address number `index` as a fresh string: no hash is known of it, no table holds it. */
export function freshAddress(index: number): string {
  const codes = ENDS[index];
  if (codes !== undefined) return String.fromCharCode(...codes);
  const length = scratch.write(textOf(index), 'latin1');
  return scratch.toString('latin1', 0, length);
}

function textOf(index: number): string {
  return `10.${(index >>> 16) & 255}.${(index >>> 8) & 255}.${index & 255}`;
}

/** The addresses of two ends, character by character: with every datagram of a handshake comes one. */
const ENDS: readonly (readonly number[])[] = [0, 1, 2].map((index) => Array.from(textOf(index), (character) => character.charCodeAt(0)));

/** A fresh session object for peer number `index`. */
export function remoteInfo(index: number, size = 0, port = 40_000): RemoteInfo {
  return { address: freshAddress(index), family: 'IPv4', port, size };
}

/** One end of a connection over memory, with what the other end is called. */
export interface End {
  readonly context: DtlsContext;
  /** Number of the other end, for `remoteInfo`. */
  readonly remote: number;
  /** The other end, once connected. */
  readonly peer: Peer;
}

/** Two contexts that have shaken hands. */
export interface Pair {
  readonly client: End;
  readonly server: End;
}

const SERVER = 1;
const CLIENT = 2;
/** As a host knows whom it asks about; with each datagram comes a fresh one. */
const TO_SERVER: SessionAddress = remoteInfo(SERVER);
const TO_CLIENT: SessionAddress = remoteInfo(CLIENT);

/** What the two ends are told besides provider and suite. */
export interface Options {
  readonly client?: DtlsOptions;
  readonly server?: DtlsOptions;
}

/** Datagrams on their way: more than are ever under way at a time, and each is as long as the longest. */
const CARRIED = 64;
const LONGEST = 2048;

/**
 * Two contexts and the queue between them. `play` shakes hands and leaves both connected. What carries datagrams is no part
 * of what is measured, and costs as little as it can: its buffers are used again.
 */
export class Ends {
  readonly client: DtlsContext;
  readonly server: DtlsContext;
  readonly #buffers: readonly Uint8Array[] = Array.from({ length: CARRIED }, () => new Uint8Array(LONGEST));
  #carried = 0;
  readonly #queue: { readonly to: DtlsContext; readonly from: number; readonly datagram: Uint8Array }[] = [];

  constructor(provider: Provider, suite: CipherSuite, { client, server }: Options = {}) {
    const all = { crypto: provider, cipherSuites: [suite] };
    const toServer = { getPskInfo, write: carrier((datagram) => this.#carry(this.server, CLIENT, datagram)) };
    const toClient = { getPskInfo, write: carrier((datagram) => this.#carry(this.client, SERVER, datagram)) };
    this.client = new DtlsContext(toServer, { ...all, ...client });
    this.server = new DtlsContext(toClient, { ...all, ...server });
  }

  /** A whole handshake. */
  play(): void {
    this.client.connect(TO_SERVER);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      next.to.handleMessage(remoteInfo(next.from, next.datagram.length), next.datagram);
    }
  }

  /** Both ends as they stand. Throws unless they are connected. */
  pair(): Pair {
    return { client: end(this.client, SERVER, TO_SERVER), server: end(this.server, CLIENT, TO_CLIENT) };
  }

  /** Both ends forget each other. */
  forget(): void {
    const { client, server } = this.pair();
    client.context.resetPeer(client.peer);
    server.context.resetPeer(server.peer);
  }

  #carry(to: DtlsContext, from: number, datagram: Uint8Array): void {
    if (this.#queue.length >= CARRIED - 1) throw new Error('more datagrams under way than there are buffers');
    const buffer = this.#buffers[this.#carried++ % CARRIED]!;
    buffer.set(datagram);
    this.#queue.push({ to, from, datagram: buffer.subarray(0, datagram.length) });
  }
}

function carrier(carry: (datagram: Uint8Array) => void): DtlsHandler['write'] {
  return (_context, _session, datagram) => carry(datagram);
}

function end(context: DtlsContext, remote: number, session: SessionAddress): End {
  const peer = context.getPeer(session);
  if (peer?.state !== 'connected') throw new Error(`the two ends are not connected: ${peer?.state ?? 'no peer'}`);
  return { context, remote, peer };
}

/** Two contexts that have just shaken hands. */
export function connectedPair(provider: Provider, suite: CipherSuite): Pair {
  const ends = new Ends(provider, suite);
  ends.play();
  return ends.pair();
}

/**
 * Records that `from` sealed, waiting to be handed to the other end: each with a number of its own, because a repeated
 * record is a replay and measures nothing. Buffers are reused; session objects are not.
 */
export class Datagrams {
  readonly datagrams: Buffer[] = [];
  readonly sessions: RemoteInfo[] = [];
  readonly #from: End;
  readonly #remote: number;
  readonly #payload: Uint8Array;
  readonly #counting: DtlsHandler;
  #at = 0;

  /** Records of `size` bytes from `from`, which its peer knows as number `remote`. Takes over the handler of `from`. */
  constructor(from: End, remote: number, size: number) {
    this.#from = from;
    this.#remote = remote;
    this.#payload = new Uint8Array(size).fill(9);
    this.#counting = { getPskInfo, write: (_context, _session, datagram) => this.#keep(datagram) };
  }

  /** Seals `count` new records. */
  seal(count: number): void {
    const { context, peer } = this.#from;
    context.setHandler(this.#counting);
    for (this.#at = 0; this.#at < count; this.#at++) context.write(peer.session, this.#payload);
  }

  #keep(datagram: Uint8Array): void {
    const kept = this.datagrams[this.#at];
    if (kept?.length === datagram.length) kept.set(datagram);
    // As a socket does: a Buffer with memory of its own.
    else this.datagrams[this.#at] = Buffer.from(datagram.slice().buffer);
    this.sessions[this.#at] = remoteInfo(this.#remote, datagram.length);
  }
}

export { CLIENT as CLIENT_NUMBER, SERVER as SERVER_NUMBER };
