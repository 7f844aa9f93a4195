/**
 * The clocks and the randomness of a context that brings none: the one file of the core that knows a platform, by
 * globals that every runtime has.
 *
 * Law: a random byte is given out once, and forgotten here when it is. They are drawn by the thousand, because a draw of
 * 32 costs ten times as long as to copy them, and both ends of a handshake take five.
 */
import type { Sources } from './config.js';

declare const performance: { now(): number };
declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };

const RESERVE = 1024;

/** Bytes that nobody has had yet: those from `next` on. */
const reserve: Uint8Array = /* @__PURE__ */ new Uint8Array(RESERVE);
let next = RESERVE;

/** `length` fresh random bytes. Throws what the platform throws, with nothing given out. */
function random(length: number): Uint8Array {
  if (length > RESERVE / 4) return crypto.getRandomValues(new Uint8Array(length));
  if (next + length > RESERVE) {
    // Nothing is left to give, should the platform fail.
    next = RESERVE;
    crypto.getRandomValues(reserve);
    next = 0;
  }
  const bytes = reserve.slice(next, next + length);
  reserve.fill(0, next, next + length);
  next += length;
  return bytes;
}

export const defaultSources: Sources = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  random,
};
