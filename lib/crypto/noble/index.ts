/**
 * The default provider, on @noble: the same bytes on every runtime, nothing native, no platform.
 *
 * Law: only this folder imports @noble. Applications that want less take parts and `composeProvider`.
 */
import { composeProvider, type Provider } from '../provider.js';
import { ccmPart } from './ccm.js';
import { chachaPart } from './chacha.js';
import { gcmPart } from './gcm.js';
import { sha256Part, sha384Part } from './hash.js';

export { ccmPart, chachaPart, gcmPart, sha256Part, sha384Part };

/** Everything that noble and we on top of it can do. */
export const nobleProvider: Provider = /* @__PURE__ */ composeProvider('noble', sha256Part, sha384Part, ccmPart, gcmPart, chachaPart);
