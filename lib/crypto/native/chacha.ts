/**
 * ChaCha20-Poly1305 (RFC 8439 §2.8) on the platform's crypto, where the platform has it (Bun has not).
 *
 * Law: what the platform lacks is not listed; nothing falls back to JavaScript behind the application's back, who
 * can put noble's part beside these with `composeProvider` if that is what it wants.
 */
import { authenticated, available } from './authenticated.js';
import type { ProviderPart } from '../provider.js';

const NAME = 'chacha20-poly1305';
const KEY_LENGTH = 32;

/** ChaCha20-Poly1305, or nothing. */
export const chachaPart: ProviderPart = {
  aeads: available(NAME, KEY_LENGTH) ? { [NAME]: authenticated(NAME, KEY_LENGTH) } : {},
};
