/**
 * `microdtls/credentials`: what a side shows and whom it believes, from certificates and keys as people have them.
 *
 * Law: what cannot be used is refused when it is loaded, by an error that names the source and the reason.
 */
export { externalCredential, loadCredential, rawCredential, type CredentialSource, type ExternalSource } from './credential.js';
export { trustEverything, trustStore, type TrustOptions } from './trust.js';
export type { PemSource } from './source.js';
export { SignatureScheme } from '../crypto/keys.js';
export type { Credential, SignatureNow, Trust } from '../handshake/authenticate.js';
export type { EcdsaKey } from '../handshake/ecdsakey.js';
