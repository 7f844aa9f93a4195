/**
 * The host contract: sessions, callbacks, events, answers. Types and numbers only.
 *
 * Names and numbers follow tinydtls where it has them (dtls.h): alerts arrive as level 1 or 2 with a code below
 * 256, everything else as level 0 with a code of 256 and above.
 */
import type { CipherSuite } from '../crypto/suites.js';
import type { Credential, Shown, Verdict, Wishes } from '../handshake/authenticate.js';
import type { EcdsaKey } from '../handshake/ecdsakey.js';
import type { DtlsError } from '../wire/errors.js';
import type { UserParameters } from './config.js';
import type { DtlsContext } from './context.js';
import type { Peer } from './peer.js';

/**
 * Names a peer: an address with a port, or any string the host likes (a connection id of its transport).
 * Equal by value. The frozen object handed to callbacks is the cheapest to hand back.
 */
export type Session = SessionAddress | string;

/** A transport address: `port` 0 to 65,535; `ifindex` tells interfaces apart (0 and absent are the same). */
export interface SessionAddress {
  readonly address: string;
  readonly port: number;
  readonly ifindex?: number | undefined;
}

/** Levels of `event`: 0 for the engine's own events, otherwise the alert's level. */
export type EventLevel = 0 | 1 | 2;

/** A handshake begins: ours (`connect`) or an accepted ClientHello. */
export const DTLS_EVENT_CONNECT = 0x1dc;
/** The handshake is complete: data may flow. `getPeer(session).identity` says with whom. */
export const DTLS_EVENT_CONNECTED = 0x1de;
/** The peer asked for a renegotiation, which was refused. */
export const DTLS_EVENT_RENEGOTIATE = 0x1df;
/** Retransmissions ran out; the peer is gone. `detail` says what was waited for. */
export const DTLS_EVENT_TIMEOUT = 0x1e0;
/** The association ended in good order (close_notify from either side); the peer is gone. */
export const DTLS_EVENT_CLOSED = 0x1e1;
/** A reconnecting client proved itself; its new association replaced the old one (RFC 6347 §4.2.8). CONNECTED follows. */
export const DTLS_EVENT_REPLACED = 0x1e2;
/** Something failed; `detail` says what. A fatal alert that we send comes as an alert event instead. */
export const DTLS_EVENT_ERROR = 0x1e3;

/** Return this from `write` when the datagram is larger than the path takes: the peer's MTU is lowered. */
export const DTLS_EMSGSIZE = -90;

/** What `getPskInfo` is asked for. */
export type PskInfoType = 'hint' | 'identity' | 'key';

/**
 * What a credential callback may answer: the thing, a negative alert (see `fatalAlert`), `null` for "none",
 * or a promise of one of these. Bytes are copied by the engine and never wiped.
 */
export type Answer<T> = AnswerNow<T> | PromiseLike<AnswerNow<T>>;
/** An answer that is there. */
export type AnswerNow<T> = T | number | null | undefined;

/** Codes a fatal alert as callbacks return it and `handleMessage` reports it: −(level·256 + description). */
export function fatalAlert(description: number): number {
  return -(2 * 256 + description);
}

/** The callbacks of a host. Only `write` is required. None may be called by anyone but the engine. */
export interface DtlsHandler {
  /**
   * Send one datagram. `datagram` is valid until the callback returns: copy what must live longer.
   * A negative return means "not sent"; `DTLS_EMSGSIZE` also lowers the peer's MTU.
   */
  write(context: DtlsContext, session: SessionKey, datagram: Uint8Array): number | void;
  /** Authentic application data. `data` is valid until the callback returns. `context.write` may be called here. */
  read?(context: DtlsContext, session: SessionKey, data: Uint8Array): void;
  /** An alert (level 1, 2; code < 256; sent or received) or an event (level 0; DTLS_EVENT_…). */
  event?(context: DtlsContext, session: SessionKey, level: EventLevel, code: number, detail?: DtlsError): void;
  /**
   * Pre-shared keys. `hint`: the server's hint to send (`null`: none). `identity`: the client's identity;
   * `description` is the server's hint. `key`: the key for the identity in `description`; on the server `null`
   * means unknown (hidden from the wire, RFC 4279 §2).
   */
  getPskInfo?(context: DtlsContext, session: SessionKey, type: PskInfoType, description: Uint8Array): Answer<Uint8Array>;
  /**
   * Our raw P-256 key for this peer (tinydtls: get_ecdsa_key); `null`: none. Asked when the handshake needs one, in the
   * place of `getCertificate`, where the peer takes raw keys.
   */
  getEcdsaKey?(context: DtlsContext, session: SessionKey): Answer<EcdsaKey>;
  /**
   * Whether to believe the raw P-256 key with these coordinates (tinydtls: verify_ecdsa_key): 0 or true: yes; a negative
   * alert or false: no; `null`: follow the option `trust`. A server with this callback requires clients to show a key.
   */
  verifyEcdsaKey?(context: DtlsContext, session: SessionKey, x: Uint8Array, y: Uint8Array): Answer<boolean>;
  /** What to show to this peer, besides the option `credentials`; the first that fits is taken. `null`: nothing. */
  getCertificate?(context: DtlsContext, session: SessionKey, wishes: Wishes): Answer<Credential | readonly Credential[]>;
  /**
   * Whether to believe what the peer shows. `null`: follow `verdict`; true: override it (say so loudly); false or a
   * negative alert: refuse. Asked beside the option `trust`, which reads what is shown, never in its place.
   */
  verifyCertificate?(context: DtlsContext, session: SessionKey, shown: Shown, verdict: Verdict): Answer<boolean>;
  /** Parameters for one peer, asked when its handshake begins. Absent fields fall back to the context's options. */
  getUserParameters?(context: DtlsContext, session: SessionKey): UserParameters | null | undefined | void;
  /** Called last, whenever the earliest deadline becomes earlier or vanishes (0), in the clock of `now`. */
  schedule?(context: DtlsContext, atMs: number): void;
  /** A callback threw. Without this callback the error is thrown from the engine call in progress. */
  error?(context: DtlsContext, session: SessionKey | null, error: unknown): void;
}

/**
 * The session as callbacks get it: the frozen canonical object, or the host's string. Only the answer to a hello without
 * a cookie, for which nothing is made, goes to the very object that was handed in, and so does the error if it cannot.
 */
export type SessionKey = Readonly<SessionAddress> | string;

/** Whom an association is with. Identities are bytes, never text. */
export type PeerIdentity = PskIdentity | RawKeyIdentity | X509Identity;

/** Authenticated by a pre-shared key. `hint` is the server's hint, empty if there was none. */
export interface PskIdentity {
  readonly kind: 'psk';
  /** The client's identity, in either role (RFC 4279 §5.1: UTF-8, which is not enforced). */
  readonly identity: Uint8Array;
  readonly hint: Uint8Array;
}

/** Authenticated by a raw public key (RFC 7250): its SubjectPublicKeyInfo. */
export interface RawKeyIdentity {
  readonly kind: 'rawKey';
  readonly spki: Uint8Array;
}

/** Authenticated by a certificate: the DER chain as the peer sent it, leaf first. */
export interface X509Identity {
  readonly kind: 'x509';
  readonly chain: readonly Uint8Array[];
}

/**
 * `handshake`: the first one is under way; `closing`: our close_notify went out, the peer's is awaited; `closed`: no
 * association.
 */
export type PeerState = 'handshake' | 'connected' | 'closing' | 'closed';
/** Our role towards the peer. */
export type Role = 'client' | 'server';

export type { CipherSuite, Credential, EcdsaKey, Peer, Shown, UserParameters, Verdict, Wishes };
