/**
 * The one suite that every crypto provider passes, on every runtime: no test framework and no platform in it.
 */
import type { Provider } from '../../lib/crypto/provider.js';
import { aeadAgreement, aeadChecks } from './aead.js';
import { ensure, pattern, sameBytes, type Check } from './check.js';
import { hashAgreement, hashChecks } from './hash.js';
import { sizeChecks } from './sizes.js';

export type { Check } from './check.js';

/** More than any provider keeps warm at a time. */
const MANY_KEYS = 8300;

/** What `provider` must do by itself. */
export function providerChecks(provider: Provider): Check[] {
  return [...hashChecks(provider), ...aeadChecks(provider), ...sizeChecks(provider), manyKeys(provider)];
}

/** What two providers must do alike. */
export function agreementChecks(one: Provider, other: Provider): Check[] {
  return [...hashAgreement(one, other), ...aeadAgreement(one, other)];
}

function manyKeys(provider: Provider): Check {
  return {
    name: `${provider.name} aes-128-ccm-8: more keys in use than can be kept warm`,
    run: () => {
      const algorithm = provider.aeads['aes-128-ccm-8'];
      ensure(algorithm !== undefined, 'there is no aes-128-ccm-8');
      const keyOf = (index: number): Uint8Array => {
        const key = new Uint8Array(16);
        key[0] = index;
        key[1] = index >>> 8;
        return key;
      };
      const [nonce, aad, plain] = [pattern(12, 1), pattern(13, 2), pattern(20, 3)] as const;
      const aeads = Array.from({ length: MANY_KEYS }, (_, index) => algorithm.create(keyOf(index)));
      const expected = new Uint8Array(28);
      const out = new Uint8Array(28);
      // Twice round: in the second, all of the first have been dropped and made again.
      for (let round = 0; round < 2; round++) {
        aeads.forEach((aead, index) => {
          const fresh = algorithm.create(keyOf(index));
          if (index % 16 === 0) fresh.seal(expected, 0, nonce, aad, plain);
          aead.seal(out, 0, nonce, aad, plain);
          if (index % 16 === 0) sameBytes(out, expected, `key ${index}, round ${round}`);
          fresh.wipe();
        });
      }
      for (const aead of aeads) aead.wipe();
    },
  };
}
