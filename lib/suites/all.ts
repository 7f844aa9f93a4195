/**
 * Every cipher suite, for whoever does not mind the bytes.
 */
import type { CipherSuite } from '../crypto/suites.js';
import { CERTIFICATE_SUITES } from './certificate.js';
import { ECDHE_PSK_SUITES } from './ecdhepsk.js';
import { PSK_SUITES } from './psk.js';

/**
 * Every suite, best first: with an ephemeral exchange before without, which leaves old records closed when a key is lost.
 * A side offers and accepts only those that it has credentials for.
 */
export const ALL_SUITES: readonly CipherSuite[] = [...CERTIFICATE_SUITES, ...ECDHE_PSK_SUITES, ...PSK_SUITES];
