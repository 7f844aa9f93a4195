/**
 * `microdtls`: the engine with everything: the portable provider and every suite, in a safe default order.
 */
import { DtlsContext as CoreContext } from './engine/context.js';
import type { DtlsOptions } from './engine/config.js';
import type { DtlsHandler } from './engine/events.js';
import { nobleProvider } from './crypto/noble/index.js';
import { ALL_SUITES } from './suites/all.js';

/** A context whose `crypto` defaults to noble and whose `cipherSuites` default to all. */
export class DtlsContext extends CoreContext {
  constructor(handler: DtlsHandler, options: DtlsOptions = {}) {
    const { crypto = nobleProvider, cipherSuites = ALL_SUITES } = options;
    super(handler, { ...options, crypto, cipherSuites });
  }
}

export * from './core.js';
export { ALL_SUITES } from './suites/all.js';
export * from './suites/certificate.js';
export * from './suites/ecdhepsk.js';
export * from './suites/psk.js';
export { nobleProvider } from './crypto/noble/index.js';
