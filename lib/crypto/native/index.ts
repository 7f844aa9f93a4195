/**
 * The provider on the platform's own crypto, for Node, Deno and Bun: faster on long records, and constant-time.
 *
 * Law: `node:` is imported in this folder and in no other of the core. A suite whose algorithms the platform lacks
 * is not available; nothing falls back to JavaScript.
 */
import { composeProvider, type Provider } from '../provider.js';
import { ccmPart } from './ccm.js';
import { chachaPart } from './chacha.js';
import { gcmPart } from './gcm.js';
import { p256Part, p384Part, x25519Part } from './groups.js';
import { sha256Part, sha384Part } from './hash.js';
import { ecdsaPart, ed25519Part, rsaPart } from './signatures.js';

export { ccmPart, chachaPart, gcmPart, sha256Part, sha384Part };
export { ecdsaPart, ed25519Part, p256Part, p384Part, rsaPart, x25519Part };

/** Everything that this platform can do. */
export const nativeProvider: Provider = /* @__PURE__ */ composeProvider(
  'native',
  ...[sha256Part, sha384Part, ccmPart, gcmPart, chachaPart],
  ...[x25519Part, p256Part, p384Part, ecdsaPart, ed25519Part, rsaPart],
);
