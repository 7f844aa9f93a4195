/**
 * ChaCha20-Poly1305 (RFC 8439 §2.8) on the platform's crypto, where the platform has it.
 *
 * Law: see `authenticated.ts` and `platform.ts`.
 */
import type { ProviderPart } from '../provider.js';
import { authenticated } from './authenticated.js';
import { partOf } from './platform.js';

/** ChaCha20-Poly1305, or nothing. */
export const chachaPart: ProviderPart = /* @__PURE__ */ partOf(authenticated('chacha20-poly1305', 32));
