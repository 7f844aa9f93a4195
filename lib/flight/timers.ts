/**
 * Retransmission delays (RFC 6347 §4.2.4.1): a table without a clock.
 */

export interface TimerParameters {
  readonly initialTimeoutMs: number;
  readonly maxTimeoutMs: number;
  /** 0 to 1: how far a delay may be stretched, so that a fleet that lost power does not come back in step. */
  readonly timeoutJitter: number;
}

/**
 * Milliseconds until retransmission number `attempt` (0 for the first): doubled each time, capped, then stretched by
 * `chance` (0 to 1) of the jitter. Never shorter than the RFC says.
 */
export function retransmitDelay(parameters: TimerParameters, attempt: number, chance: number): number {
  const delay = Math.min(parameters.initialTimeoutMs * 2 ** attempt, parameters.maxTimeoutMs);
  return delay * (1 + parameters.timeoutJitter * chance);
}
