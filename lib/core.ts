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
  Aead, AeadAlgorithm, AeadName, Group, Hash, HashName, Hmac, KeyShare, Provider, ProviderPart, RunningHash,
  Signatures, Signer, Verifier,
} from './crypto/provider.js';
export { SignatureScheme, type CurveName, type GroupName, type PrivateKey, type PublicKey } from './crypto/keys.js';
export type { KeyExchange, NonceForm } from './crypto/suites.js';
export { CertificateType, type CredentialSigner, type SignatureNow, type Trust } from './handshake/authenticate.js';
export { DtlsError, LocalError, PeerError, type DtlsErrorCode } from './wire/errors.js';
export { AlertDescription, AlertLevel, ContentType, HandshakeType, nameOf } from './wire/registry.js';
