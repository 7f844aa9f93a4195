/**
 * The clocks and the randomness of a context that brings none: the one file of the core that knows a platform, by
 * globals that every runtime has.
 */
import type { Sources } from './config.js';

declare const performance: { now(): number };
declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };

export const defaultSources: Sources = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
