/**
 * A server with very many peers, to be weighed.
 *
 * Only the server is weighed: the other ends are forgotten as soon as their part is done.
 */
import { DtlsContext, type CipherSuite, type DtlsOptions, type Peer, type Provider } from '../lib/core.js';
import { getPskInfo, remoteInfo } from './ends.js';

/** No limit that a bench could reach. */
export const UNLIMITED: Pick<DtlsOptions, 'maxPeers' | 'maxHalfOpenPeers' | 'maxHalfOpenPeersPerAddress'> = {
  maxPeers: 2 ** 20, maxHalfOpenPeers: 2 ** 20, maxHalfOpenPeersPerAddress: 2 ** 20,
};

/** A server and its peers; the clients come and go. */
export class Crowd {
  readonly #server: DtlsContext;
  readonly #client: DtlsContext;
  readonly #toClient: Uint8Array[] = [];
  readonly #toServer: Uint8Array[] = [];
  #size = 0;

  constructor(provider: Provider, suite: CipherSuite) {
    const options = { crypto: provider, cipherSuites: [suite], now: () => 0, ...UNLIMITED };
    this.#server = new DtlsContext({ getPskInfo, write: (_context, _session, datagram) => void this.#toClient.push(datagram.slice()) }, options);
    this.#client = new DtlsContext({ getPskInfo, write: (_context, _session, datagram) => void this.#toServer.push(datagram.slice()) }, options);
  }

  /** Adds `count` peers: up to the server's first flight, or with data said and answered. */
  grow(count: number, state: 'half-open' | 'established'): void {
    for (let i = 0; i < count; i++) {
      const number = this.#size++;
      this.#client.connect(remoteInfo(0));
      this.#toServerAs(number);
      this.#toClientBack();
      this.#toServerAs(number);
      if (state === 'established') {
        this.#toClientBack();
        this.#toServerAs(number);
        this.#toClientBack();
        this.#client.write(remoteInfo(0), new Uint8Array(16));
        this.#toServerAs(number);
        this.#server.write(remoteInfo(number), new Uint8Array(16));
      }
      const peer = this.#server.getPeer(remoteInfo(number));
      if (peer?.state !== (state === 'half-open' ? 'handshake' : 'connected')) throw new Error(`a peer is not ${state}`);
      this.#toClient.length = 0;
      this.#client.resetPeer(found(this.#client.getPeer(remoteInfo(0))));
    }
  }

  #toServerAs(number: number): void {
    for (const datagram of this.#toServer.splice(0)) this.#server.handleMessage(remoteInfo(number), datagram);
  }

  #toClientBack(): void {
    for (const datagram of this.#toClient.splice(0)) this.#client.handleMessage(remoteInfo(0), datagram);
  }

  /** Peers that the server has. */
  get size(): number {
    const { halfOpen, established } = this.#server.stats();
    return halfOpen + established;
  }

  /** The server forgets everyone. */
  forget(): void {
    for (let number = 0; number < this.#size; number++) this.#server.resetPeer(found(this.#server.getPeer(remoteInfo(number))));
    this.#size = 0;
  }
}

/** `peer`, which must be there. */
export function found(peer: Peer | undefined): Peer {
  if (peer === undefined) throw new Error('a peer was not found');
  return peer;
}

declare const gc: (() => void) | undefined;

/** What is alive. Twice, because finalizers free in a second round. */
export function held(): NodeJS.MemoryUsage {
  if (gc === undefined) throw new Error('weighing needs --expose-gc');
  gc();
  gc();
  return process.memoryUsage();
}
