/**
 * Connections being made: each call of `connect` waits here until its handshake is complete, fails, takes too long or
 * is aborted.
 *
 * Law: every error is told once, to those who wait; when nobody waits any more the handshake is abandoned.
 */
import type { UserParameters } from '../engine/config.js';
import type { SessionKey } from '../engine/events.js';
import type { Peer } from '../engine/peer.js';
import { LocalError, type DtlsError } from '../wire/errors.js';
import { formatSession } from './address.js';
import type { SystemError } from './udp.js';

/** How long to wait, and who may end the waiting. */
export interface Patience {
  /** Milliseconds for the whole handshake. Without it the retransmission timers alone decide (63 s). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly resolve: (peer: Peer) => void;
  readonly reject: (error: unknown) => void;
}

interface Attempt {
  readonly waiters: Set<Waiter>;
  /** Why a datagram of this handshake did not leave the machine. */
  sendError: SystemError | null;
}

export class Attempts {
  readonly #attempts: Map<SessionKey, Attempt> = new Map();
  readonly #abandon: (session: SessionKey) => void;

  /** `abandon` ends a handshake that nobody waits for. */
  constructor(abandon: (session: SessionKey) => void) {
    this.#abandon = abandon;
  }

  /** Waits for the handshake of `session`, the canonical object. */
  wait(session: SessionKey, { timeoutMs, signal }: Patience): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const attempt = this.#attempts.get(session) ?? { waiters: new Set(), sendError: null };
      this.#attempts.set(session, attempt);
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        attempt.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        resolve: (peer) => (settle(), resolve(peer)),
        reject: (error) => (settle(), reject(error)),
      };
      const giveUp = (error: unknown): void => {
        waiter.reject(error);
        if (attempt.waiters.size > 0) return;
        this.#attempts.delete(session);
        this.#abandon(session);
      };
      const aborted = (): void => giveUp(signal!.reason);
      const late = (): void => giveUp(explained(timeout(session, timeoutMs!), attempt));
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      signal?.addEventListener('abort', aborted);
      attempt.waiters.add(waiter);
    });
  }

  /** The handshake is complete. */
  connected(session: SessionKey, peer: Peer): void {
    for (const { resolve } of this.#take(session)?.waiters ?? []) resolve(peer);
  }

  /** The handshake failed. False if nobody waited for it. */
  failed(session: SessionKey, error: DtlsError): boolean {
    const attempt = this.#take(session);
    if (attempt === undefined) return false;
    const explanation = explained(error, attempt);
    for (const { reject } of attempt.waiters) reject(explanation);
    return true;
  }

  /** A datagram to `session` was not sent; false if that is no handshake of ours. The timers will try again. */
  sendFailed(session: SessionKey, error: SystemError): boolean {
    const attempt = this.#attempts.get(session);
    if (attempt === undefined) return false;
    attempt.sendError = error;
    return true;
  }

  /** The sessions that somebody waits for. */
  get sessions(): SessionKey[] {
    return [...this.#attempts.keys()];
  }

  #take(session: SessionKey): Attempt | undefined {
    const attempt = this.#attempts.get(session);
    this.#attempts.delete(session);
    return attempt;
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
  // The jitter adds up to a tenth; another tenth is for the way here.
  const usable = timeoutMs / 1.1 - timeoutMs / 10;
  let maxRetransmits = 2;
  while (maxRetransmits < 8 && usable / units(maxRetransmits + 1) >= 1000) maxRetransmits++;
  return { maxRetransmits, timeoutJitter: 0.1, initialTimeoutMs: Math.max(1, Math.floor(usable / units(maxRetransmits))) };
}

function timeout(session: SessionKey, timeoutMs: number): LocalError {
  return new LocalError('ERR_DTLS_TIMEOUT', `the handshake with ${formatSession(session)} was not complete after ${timeoutMs / 1000} s`);
}

/** An error with the reason that the network gave, if it gave one. */
function explained(error: DtlsError, { sendError }: Attempt): DtlsError {
  if (sendError === null) return error;
  return new LocalError(error.code, `${error.message}; a datagram could not be sent: ${sendError.code}`, error.alert, sendError);
}
