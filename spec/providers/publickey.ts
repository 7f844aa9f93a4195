/**
 * The suite of public-key crypto that every provider passes, on every runtime: no test framework and no platform in it.
 */
import { SignatureScheme, type CurveName, type PublicKey } from '../../lib/crypto/keys.js';
import type { Provider, Signer } from '../../lib/crypto/provider.js';
import { ensure, hex, pattern, sameBytes, type Check } from './check.js';
import { ecdsaChecks, signerOf, verifierOf } from './publickey-ecdsa.js';
import { ed25519Checks } from './publickey-ed25519.js';
import { groupAgreement, groupChecks } from './publickey-groups.js';
import { rsaChecks, rsaPublicKey } from './publickey-rsa.js';
import { RSA_TEST_KEYS } from './publickey-rsakeys.js';
import { ECDSA_VECTORS, ED25519_VECTORS } from './publickey-vectors.js';

/** What is allowed to differ from provider to provider. */
export interface Traits {
  /** ECDSA signatures are those of RFC 6979. */
  readonly deterministicEcdsa: boolean;
  /** RSA signatures are made, not just verified. */
  readonly signsRsa: boolean;
  /** The curves of ECDSA. */
  readonly curves: readonly CurveName[];
}

const ALL_CURVES: readonly CurveName[] = ['secp256r1', 'secp384r1', 'secp521r1'];

/** noble, everywhere. */
export const NOBLE_TRAITS: Traits = { deterministicEcdsa: true, signsRsa: false, curves: ALL_CURVES };

/** The platform's crypto. Deno has secp521r1 in part, which counts as none. */
export function nativeTraits(runtime: 'node' | 'deno' | 'bun'): Traits {
  return { deterministicEcdsa: false, signsRsa: true, curves: runtime === 'deno' ? ALL_CURVES.slice(0, 2) : ALL_CURVES };
}

/** What `provider` must do by itself. */
export function publicKeyChecks(provider: Provider, traits: Traits): Check[] {
  return [
    ...groupChecks(provider),
    ...ecdsaChecks(provider, traits.deterministicEcdsa, traits.curves),
    ...ed25519Checks(provider),
    ...rsaChecks(provider, traits.signsRsa),
  ];
}

/** What two providers must do alike: the same keys, and each verifies what the other signs. */
export function publicKeyAgreement(one: Provider, other: Provider): Check[] {
  return [...groupAgreement(one, other), ...crossing(one, other), ...crossing(other, one)];
}

function crossing(from: Provider, to: Provider): Check[] {
  const check = (what: string, run: () => void): Check => ({ name: `${to.name} ${what} by ${from.name}`, run });
  const checks: Check[] = [];
  if (from.signatures.ec !== undefined && to.signatures.ec !== undefined) {
    for (const vector of ECDSA_VECTORS) {
      const { curve, point } = vector;
      const isShared = [from, to].every(({ signatures }) => signatures.ec!.verifier({ kind: 'ec', curve, point: hex(point) }) !== null);
      if (!isShared) continue;
      checks.push(
        check(`verifies ECDSA signatures on ${vector.curve}`, () => {
          const verifier = verifierOf(to, vector);
          everyScheme(signerOf(from, vector), (scheme, message, signed) => verifier.verify(scheme, message, signed));
        }),
      );
    }
  }
  if (from.signatures.ed25519 !== undefined && to.signatures.ed25519 !== undefined) {
    checks.push(
      check('makes the same Ed25519 signatures as are made', () => {
        for (const { seed } of ED25519_VECTORS) {
          const [mine, theirs] = [from, to].map(({ signatures }) => signatures.ed25519!.signer({ kind: 'ed25519', seed: hex(seed) })!) as [Signer, Signer];
          everyScheme(mine, (scheme, message, signed) => {
            sameBytes(theirs.sign(scheme, message)!, signed, 'signature');
            return true;
          });
        }
      }),
    );
  }
  const pkcs1 = hex(RSA_TEST_KEYS[0]!.pkcs1!);
  const rsa = from.signatures.rsa?.signer({ kind: 'rsa', pkcs1 }) ?? null;
  if (rsa !== null && to.signatures.rsa !== undefined) {
    checks.push(
      check('verifies RSA signatures', () => {
        const key: PublicKey = rsaPublicKey(RSA_TEST_KEYS[0]!);
        const verifier = to.signatures.rsa!.verifier(key)!;
        everyScheme(rsa, (scheme, message, signed) => verifier.verify(scheme, message, signed));
      }),
    );
  }
  return checks;
}

/** Signs messages of many lengths with every scheme of `signer` and holds each signature against `isRight`. */
function everyScheme(signer: Signer, isRight: (scheme: SignatureScheme, message: Uint8Array, signed: Uint8Array) => boolean): void {
  for (const scheme of signer.schemes) {
    for (const size of [0, 1, 31, 32, 33, 64, 111, 112, 129, 2000]) {
      const message = pattern(size, size);
      ensure(isRight(scheme, message, signer.sign(scheme, message)!), `${scheme}, ${size} bytes`);
    }
  }
}
