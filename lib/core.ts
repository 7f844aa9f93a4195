/**
 * `microdtls/core`: the engine without a default provider and without suites. Bring both as values; a bundle then
 * holds nothing else.
 */
export { DtlsContext } from './engine/context.js';
export type { DtlsOptions, UserParameters } from './engine/config.js';
export * from './engine/events.js';
export type { DropReason, Stats } from './engine/stats.js';
export { peek, type Peeked } from './engine/peek.js';
export { composeProvider } from './crypto/provider.js';
export type {
  Aead, AeadAlgorithm, AeadName, Hash, HashName, Hmac, Provider, ProviderPart, RunningHash,
} from './crypto/provider.js';
export type { CipherSuite } from './crypto/suites.js';
export { DtlsError, LocalError, PeerError, type DtlsErrorCode } from './wire/errors.js';
export { AlertDescription, AlertLevel, ContentType, HandshakeType, nameOf } from './wire/registry.js';
