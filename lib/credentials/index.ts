/**
 * `microdtls/credentials`: what a side shows and whom it believes, from certificates and keys as people have them.
 *
 * Law: what cannot be used is refused when it is loaded, by an error that names the source and the reason.
 */
export { externalCredential, loadCredential, rawCredential } from './credential.js';
export { trustEverything, trustStore } from './trust.js';
