/**
 * The default provider, on @noble: the same bytes on every runtime, nothing native, no platform.
 *
 * Law: only this folder imports @noble. Applications that want less take parts and `composeProvider`.
 */
import { composeProvider, type Provider } from '../provider.js';
import { ccmPart } from './ccm.js';
import { chachaPart } from './chacha.js';
import { ecdsaPart } from './ecdsa.js';
import { ed25519Part } from './ed25519.js';
import { gcmPart } from './gcm.js';
import { p256Part, p384Part } from './groups-nist.js';
import { x25519Part } from './groups-x25519.js';
import { sha256Part, sha384Part } from './hash.js';
import { rsaVerifyPart } from './rsa.js';

export { ccmPart, chachaPart, gcmPart, sha256Part, sha384Part };
export { ecdsaPart, ed25519Part, p256Part, p384Part, rsaVerifyPart, x25519Part };

/** Everything that noble and we on top of it can do. */
export const nobleProvider: Provider = /* @__PURE__ */ composeProvider(
  'noble',
  ...[sha256Part, sha384Part, ccmPart, gcmPart, chachaPart],
  ...[x25519Part, p256Part, p384Part, ecdsaPart, ed25519Part, rsaVerifyPart],
);
