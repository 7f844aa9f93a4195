/**
 * What a DtlsSocket takes and tells: options, events, counters. Types only.
 *
 * Law: every event that reports trouble reports it alone; what a promise rejects with is no event.
 */
import type { DtlsOptions } from '../engine/config.js';
import type { DtlsHandler, SessionKey } from '../engine/events.js';
import type { Peer } from '../engine/peer.js';
import type { Stats } from '../engine/stats.js';
import type { DtlsError } from '../wire/errors.js';
import type { Family } from './address.js';
import type { Patience } from './attempts.js';
import type { Bytes, PskOption } from './psk.js';
import type { KeyCallbacks } from './publickey.js';
import type { SystemError, UdpOptions } from './udp.js';

/** Options of a DtlsSocket: those of the context, and what a socket adds. By default `crypto` is the native provider and `cipherSuites` are all. */
export interface DtlsSocketOptions extends DtlsOptions {
  /** Pre-shared keys, for both roles. */
  readonly psk?: PskOption | undefined;
  /** The identity hint to send as a server (RFC 4279 §5.2). Default: that of the first credential of `psk`, if it has one. */
  readonly pskHint?: Bytes | undefined;
  /**
   * Callbacks of the engine, for full control: `getPskInfo` takes the place of `psk`, `event` hears everything, those of
   * public keys stand beside `credentials` and `trust`.
   */
  readonly handler?: SocketHandler | undefined;
  /** The UDP socket's own options. */
  readonly udp?: UdpOptions | undefined;
  /** Sees every datagram before it is processed or sent. The bytes are valid until it returns. */
  readonly tap?: ((direction: 'in' | 'out', session: SessionKey, datagram: Uint8Array) => void) | undefined;
}

/** The engine's callbacks that a DtlsSocket leaves to its host. */
export type SocketHandler = Pick<DtlsHandler, 'getPskInfo' | 'getUserParameters' | 'event'> & KeyCallbacks;

/** Where to listen. */
export interface BindOptions {
  /** 0 (default): any port that is free. */
  readonly port?: number | undefined;
  /** A name or an address; default 0.0.0.0. `::` takes IPv6 and IPv4 (as ::ffff:a.b.c.d). */
  readonly address?: string | undefined;
}

/** Whom to connect to. */
export interface ConnectOptions extends Patience {
  /** 1 to 65,535. */
  readonly port: number;
  /** A name or an address; default localhost. */
  readonly host?: string | undefined;
  /** Of a name with several addresses: which to take. Default: the bound socket's, else IPv4 before IPv6. */
  readonly family?: Family | undefined;
  /** The key for this peer, in place of the socket's. */
  readonly psk?: PskOption | undefined;
  /**
   * The name that the server's certificate must hold, also sent as SNI. Default where public keys are checked: the
   * option of the parameters or of the socket, else `host` if it is a name and no address. `null`: none.
   */
  readonly serverName?: string | null | undefined;
}

/** Events of a DtlsSocket, with what their listeners get. */
export interface DtlsSocketEvents {
  /** The socket is bound: `address()` says where. */
  listening: [];
  /** An association is complete, in either role. It comes again for a peer whose client started anew. */
  connect: [peer: Peer];
  /** Authentic data of one datagram. */
  message: [data: Buffer, peer: Peer];
  /** An association that was complete is over. If it was not in good order, `dtlsError` said why. */
  disconnect: [peer: Peer];
  /** One peer's trouble: a failed incoming handshake, a fatal alert, data that could not be sent. Others go on. */
  dtlsError: [error: DtlsError | SystemError, session: SessionKey | null];
  /** The UDP socket's trouble. As everywhere in Node.js, it is thrown if nobody listens. */
  error: [error: SystemError];
  /** Everything is over. */
  close: [];
}

/** Counters of the context, and of the UDP socket. */
export interface SocketStats extends Stats {
  readonly datagramsReceived: number;
  readonly datagramsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Datagrams that the platform did not take. */
  readonly sendErrors: number;
}
