/**
 * `microdtls`: the engine with everything: the portable provider and every suite, in a safe default order.
 */
import { DtlsContext as CoreContext } from './engine/context.js';
import type { DtlsOptions } from './engine/config.js';
import type { DtlsHandler } from './engine/events.js';
import { nobleProvider } from './crypto/noble/index.js';
import type { CipherSuite } from './crypto/suites.js';
import { CERTIFICATE_SUITES } from './suites/certificate.js';
import { ECDHE_PSK_SUITES } from './suites/ecdhepsk.js';
import { PSK_SUITES } from './suites/psk.js';

/**
 * Every suite, best first: with an ephemeral exchange before without, which leaves old records closed when a key is lost.
 * A side offers and accepts only those that it has credentials for.
 */
export const ALL_SUITES: readonly CipherSuite[] = [...CERTIFICATE_SUITES, ...ECDHE_PSK_SUITES, ...PSK_SUITES];

/** A context whose `crypto` defaults to noble and whose `cipherSuites` default to all. */
export class DtlsContext extends CoreContext {
  constructor(handler: DtlsHandler, options: DtlsOptions = {}) {
    const { crypto = nobleProvider, cipherSuites = ALL_SUITES } = options;
    super(handler, { ...options, crypto, cipherSuites });
  }
}

export * from './core.js';
export * from './suites/certificate.js';
export * from './suites/ecdhepsk.js';
export * from './suites/psk.js';
export { nobleProvider } from './crypto/noble/index.js';
