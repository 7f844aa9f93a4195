/**
 * AES-GCM (NIST SP 800-38D, RFC 5288) on the platform's crypto. A long-lived ECB object and GHASH in JavaScript would
 * be faster for short records, but a fast GHASH looks things up and this provider promises constant time.
 *
 * Law: see `authenticated.ts`.
 */
import type { ProviderPart } from '../provider.js';
import { authenticated } from './authenticated.js';
import { partOf } from './platform.js';

/** AES-GCM with keys of 128 and 256 bits. */
export const gcmPart: ProviderPart = /* @__PURE__ */ partOf(authenticated('aes-128-gcm', 16), authenticated('aes-256-gcm', 32));
