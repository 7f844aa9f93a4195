/**
 * One UDP socket as DTLS wants it: opened once, sending what it copied, never dying of one peer.
 *
 * Law: `send` never throws and never keeps the caller's bytes; every datagram's fate is known before the socket
 * closes; what ICMP says of one peer is no error of the socket.
 */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import type { Family } from './address.js';

/** What a socket may be told about the platform's UDP. */
export type UdpOptions = Pick<SocketOptions, 'reuseAddr' | 'ipv6Only' | 'recvBufferSize' | 'sendBufferSize'>;

/** An error of the platform: `code` is its name (`EADDRINUSE`). */
export type SystemError = NodeJS.ErrnoException;

/** Where things go. */
export interface UdpListener {
  /** A datagram; the bytes are the listener's own. */
  datagram(bytes: Uint8Array, from: RemoteInfo): void;
  /** The socket itself has a problem. It stays open. */
  problem(error: SystemError): void;
}

/** What the network reports about a peer, not about the socket. */
const PEER_TROUBLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ETIMEDOUT', 'EMSGSIZE']);

/** How long closing waits for datagrams that the kernel has not taken yet. */
const FLUSH_MS = 500;

export class UdpSocket {
  readonly family: Family;
  readonly #socket: Socket;
  readonly #listener: UdpListener;
  /** Datagrams handed to the platform whose fate is not known yet. */
  #pending = 0;
  #flushed: (() => void) | null = null;
  #open = false;

  /** Not open yet: see `open`. */
  constructor(family: Family, options: UdpOptions, listener: UdpListener) {
    this.family = family;
    this.#listener = listener;
    this.#socket = createSocket({ ...options, type: family === 4 ? 'udp4' : 'udp6', lookup: literal });
  }

  /** Binds. Rejects with the platform's error (`EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, …), and is closed then. */
  open(address: string, port: number): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const failed = (error: SystemError): void => {
        socket.close();
        reject(error);
      };
      socket.once('error', failed);
      // Exclusive: a cluster would otherwise deal the datagrams of one association out to several processes.
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', failed);
        socket.on('error', (error: SystemError) => {
          if (!PEER_TROUBLE.has(error.code ?? '')) this.#listener.problem(error);
        });
        socket.on('message', (message, from) => {
          // A plain view: a Buffer's methods differ (its slice does not copy). And port 0 cannot be answered.
          if (from.port !== 0) this.#listener.datagram(new Uint8Array(message.buffer, message.byteOffset, message.length), from);
        });
        this.#open = true;
        resolve();
      });
    });
  }

  /** Sends a copy of `bytes` and tells late whether that worked. False if it did not even begin. */
  send(bytes: Uint8Array, address: string, port: number, sent: (error: SystemError | null) => void): boolean {
    if (!this.#open) return false;
    try {
      this.#socket.send(Buffer.from(bytes), port, address, (error) => {
        this.#pending--;
        if (this.#pending === 0) this.#flushed?.();
        sent(error);
      });
    } catch {
      return false;
    }
    this.#pending++;
    return true;
  }

  /** Closes when everything was handed to the kernel, at the latest after half a second. */
  async close(): Promise<void> {
    if (!this.#open) return;
    if (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FLUSH_MS);
        this.#flushed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#open = false;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  address(): AddressInfo {
    return this.#socket.address();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }
}

/** Addresses are resolved before they come here: without this, every datagram would wait for a turn of the resolver. */
function literal(address: string, options: unknown, done: (error: null, address: string, family: number) => void): void {
  done(null, address, Number(options));
}
