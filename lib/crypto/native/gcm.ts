/**
 * AES-GCM (NIST SP 800-38D, RFC 5288) on the platform's crypto. A long-lived ECB object and GHASH in JavaScript would
 * be faster for short records, but a fast GHASH looks things up and this provider promises constant time.
 *
 * Law: what the platform lacks is not listed.
 */
import { authenticated, available } from './authenticated.js';
import type { AeadName, ProviderPart } from '../provider.js';

function gcm(name: AeadName, keyLength: number): ProviderPart['aeads'] {
  return available(name, keyLength) ? { [name]: authenticated(name, keyLength) } : {};
}

/** AES-GCM with keys of 128 and 256 bits. */
export const gcmPart: ProviderPart = { aeads: { ...gcm('aes-128-gcm', 16), ...gcm('aes-256-gcm', 32) } };
