/**
 * One context on a bench: virtual clock, seeded randomness, everything that comes out written down.
 */
import {
  DtlsContext, PSK_SUITES, type DtlsError, type DtlsHandler, type DtlsOptions, type Peer, type Session, type SessionKey,
} from '../../lib/index.js';
import { Random } from './random.js';

export const IDENTITY: Uint8Array = text('device-1');
export const KEY: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
export const CLIENT: Session = { address: '192.0.2.1', port: 4000 };
export const SERVER: Session = { address: '192.0.2.9', port: 5684 };

export interface Sent {
  readonly session: Session;
  readonly bytes: Uint8Array;
  readonly at: number;
}

export interface Seen {
  readonly session: SessionKey;
  readonly level: number;
  readonly code: number;
  readonly detail: DtlsError | undefined;
  readonly at: number;
}

export interface Got {
  readonly session: SessionKey;
  readonly bytes: Uint8Array;
}

/** A context whose outputs are lists and whose time stands still until it is moved. */
export class Rig {
  now = 1000;
  readonly random: Random;
  readonly sent: Sent[] = [];
  readonly events: Seen[] = [];
  readonly reads: Got[] = [];
  readonly errors: unknown[] = [];
  readonly scheduled: number[] = [];
  readonly context: DtlsContext;
  /** What `write` returns. */
  writeReturns: number | undefined = undefined;
  /** Called for each datagram instead of writing it down, if set. */
  onWrite: ((session: Session, bytes: Uint8Array) => number | void) | null = null;

  constructor(options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}, seed: number = 1) {
    this.random = new Random(seed);
    this.context = new DtlsContext(
      {
        write: (_, session, datagram) => {
          if (this.onWrite !== null) return this.onWrite(session, datagram.slice());
          this.sent.push({ session, bytes: datagram.slice(), at: this.now });
          return this.writeReturns;
        },
        read: (_, session, data) => void this.reads.push({ session, bytes: data.slice() }),
        event: (_, session, level, code, detail) => void this.events.push({ session, level, code, detail, at: this.now }),
        getPskInfo: (_, __, type, description) => {
          if (type === 'hint') return null;
          if (type === 'identity') return IDENTITY;
          return equal(description, IDENTITY) ? KEY : null;
        },
        schedule: (_, at) => void this.scheduled.push(at),
        error: (_, __, error) => void this.errors.push(error),
        ...handler,
      },
      { now: () => this.now, wallClock: () => this.now, random: (length) => this.random.bytes(length), timeoutJitter: 0, cipherSuites: PSK_SUITES, ...options },
    );
  }

  /** Hands a datagram in. */
  feed(session: Session, datagram: Uint8Array): number {
    return this.context.handleMessage(session, datagram);
  }

  /** What was sent since the last call. */
  takeSent(): Uint8Array[] {
    return this.sent.splice(0).map(({ bytes }) => bytes);
  }

  /** Moves the clock and lets the context do what is due. */
  advance(ms: number): number {
    this.now += ms;
    return this.context.checkRetransmit();
  }

  /** Moves the clock from deadline to deadline until none is left or `limitMs` have passed. */
  runOut(limitMs: number = 1_000_000): void {
    const end = this.now + limitMs;
    for (let next = this.context.checkRetransmit(); next !== 0 && next <= end; next = this.context.checkRetransmit()) {
      this.now = Math.max(this.now, next);
    }
  }

  /** Codes of the engine's own events (level 0), in order. */
  get codes(): number[] {
    return this.events.filter(({ level }) => level === 0).map(({ code }) => code);
  }

  /** Fatal alerts seen by the host, in order. */
  get fatal(): number[] {
    return this.events.filter(({ level }) => level === 2).map(({ code }) => code);
  }
}

/** The identity of a peer that proved itself by a pre-shared key. */
export function pskIdentityOf(peer: Peer | undefined): Uint8Array {
  const identity = peer?.identity;
  if (identity?.kind !== 'psk') throw new Error('no peer with a pre-shared key');
  return identity.identity;
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function hex(value: string): Uint8Array {
  const clean = value.replace(/\s+/g, '');
  return Uint8Array.from({ length: clean.length / 2 }, (_, i) => parseInt(clean.slice(2 * i, 2 * i + 2), 16));
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
