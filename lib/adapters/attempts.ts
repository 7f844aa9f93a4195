/**
 * Connections being made: each call of `connect` waits here until its handshake is complete, fails, takes too long or
 * is aborted.
 *
 * Law: every error is told once, to those who wait; when nobody waits any more the handshake is abandoned.
 */
import type { UserParameters } from '../engine/config.js';
import type { SessionKey } from '../engine/events.js';
import type { Peer } from '../engine/peer.js';
import { DtlsError, LocalError } from '../wire/errors.js';
import type { SystemError } from './udp.js';

/** How long to wait, and who may end the waiting. */
export interface Patience {
  /** Milliseconds for everything, the name's resolution included. Without it the retransmission timers decide (63 s). */
  readonly timeoutMs?: number | undefined;
  /** Abandons the handshake; its reason is what the promise rejects with. */
  readonly signal?: AbortSignal | undefined;
}

/** Does `work` with a signal that is aborted when patience ends: by `signal`, or by time with `late` as the reason. */
export async function patiently<T>({ timeoutMs, signal }: Patience, late: DtlsError, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const aborted = (): void => stop.abort(signal!.reason);
  signal?.addEventListener('abort', aborted);
  // The socket keeps the process alive, not the timer.
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(late), timeoutMs).unref();
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}

/** What `work` comes to, unless `stop` comes first: then its reason is thrown. */
export function unless<T>(stop: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason), { once: true });
    work.then(resolve, reject);
  });
}

interface Waiter {
  readonly resolve: (peer: Peer) => void;
  readonly reject: (error: unknown) => void;
}

interface Attempt {
  readonly waiters: Set<Waiter>;
  /** Why the latest datagram of this handshake did not leave the machine. */
  sendError: SystemError | null;
}

/** Who waits for which handshake. */
export class Attempts {
  readonly #attempts: Map<SessionKey, Attempt> = new Map();
  readonly #abandon: (session: SessionKey) => void;

  /** `abandon` ends a handshake that nobody waits for. */
  constructor(abandon: (session: SessionKey) => void) {
    this.#abandon = abandon;
  }

  /** Waits for the handshake of `session`, the canonical object, until `stop` is aborted. */
  wait(session: SessionKey, stop: AbortSignal): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const attempt = this.#attempts.get(session) ?? { waiters: new Set(), sendError: null };
      this.#attempts.set(session, attempt);
      const waiter = { resolve, reject };
      attempt.waiters.add(waiter);
      stop.addEventListener('abort', () => {
        if (!attempt.waiters.delete(waiter)) return;
        reject(stop.reason instanceof DtlsError ? explained(stop.reason, attempt) : stop.reason);
        if (attempt.waiters.size > 0) return;
        this.#attempts.delete(session);
        this.#abandon(session);
      });
    });
  }

  /** The handshake is complete. */
  connected(session: SessionKey, peer: Peer): void {
    for (const { resolve } of this.#take(session)) resolve(peer);
  }

  /** The handshake failed. False if nobody waited for it. */
  failed(session: SessionKey, error: DtlsError): boolean {
    const attempt = this.#attempts.get(session);
    if (attempt === undefined) return false;
    const explanation = explained(error, attempt);
    for (const { reject } of this.#take(session)) reject(explanation);
    return true;
  }

  /** The fate of a datagram to `session`. False if that is no handshake of ours. Lost ones are sent again by the timers. */
  sent(session: SessionKey, error: SystemError | null): boolean {
    const attempt = this.#attempts.get(session);
    if (attempt === undefined) return false;
    attempt.sendError = error;
    return true;
  }

  /** The sessions that somebody waits for. */
  get sessions(): SessionKey[] {
    return [...this.#attempts.keys()];
  }

  /** Those who wait, who then wait no longer. */
  #take(session: SessionKey): Waiter[] {
    const { waiters } = this.#attempts.get(session) ?? {};
    this.#attempts.delete(session);
    const all = [...(waiters ?? [])];
    waiters?.clear();
    return all;
  }
}

/** Units of the first timeout until a handshake with `retransmits` doublings is given up. */
function units(retransmits: number): number {
  return 2 ** (retransmits + 1) - 1;
}

/**
 * Retransmission timers that give up a little before `timeoutMs`, so that the engine can still say what was waited for:
 * the first timeout is one second (RFC 6347 §4.2.4.1) or more, unless the time is too short for two retransmissions.
 */
export function timersWithin(timeoutMs: number): UserParameters {
  // The jitter adds up to a tenth; a fifth is left for the messages that did get through.
  const usable = (0.8 * timeoutMs) / 1.1;
  let maxRetransmits = 2;
  while (maxRetransmits < 8 && usable / units(maxRetransmits + 1) >= 1000) maxRetransmits++;
  return { maxRetransmits, timeoutJitter: 0.1, initialTimeoutMs: Math.max(1, Math.floor(usable / units(maxRetransmits))) };
}

/** An error with the reason that the network gave, if it gave one. */
function explained(error: DtlsError, { sendError }: Attempt): DtlsError {
  if (sendError === null) return error;
  return new LocalError(error.code, `${error.message}; a datagram could not be sent: ${sendError.code}`, error.alert, sendError);
}
