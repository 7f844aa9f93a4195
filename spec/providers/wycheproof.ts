/**
 * CRY-14: judges a provider by test vectors in the form of Project Wycheproof (https://github.com/C2SP/wycheproof,
 * testvectors_v1; Apache-2.0), as neutral checks.
 *
 * Law: what is `invalid` is refused; what is `valid` is taken if a suite of ours has these parameters. `acceptable` is
 * decided here, once: a coordinate of small order and a compressed point are refused (RFC 8422 §5.11, §5.1.2), a point on the twist
 * of Curve25519 is as good as any other (RFC 7748 §5), the rest is the provider's own affair.
 */
import { SignatureScheme, type CurveName, type GroupName, type PublicKey } from '../../lib/crypto/keys.js';
import type { AeadName, Provider, Verifier } from '../../lib/crypto/provider.js';
import { concat } from '../../lib/wire/bytes.js';
import { ensure, hex, sameBytes } from './check.js';
import { bigEndian, numberOf } from './publickey-points.js';

/** One test: its fields are those of its kind, in hexadecimal. */
export interface WycheproofTest {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags?: readonly string[];
  readonly [field: string]: unknown;
}

/** Tests with the same parameters. */
export interface WycheproofGroup {
  readonly type: string;
  readonly tests: readonly WycheproofTest[];
  readonly [parameter: string]: unknown;
}

/** One file. */
export interface WycheproofFile {
  readonly algorithm: string;
  readonly testGroups: readonly WycheproofGroup[];
}

/** Files of testvectors_v1 that say something about our suites. HKDF is not among them: DTLS 1.2 has none. */
export const WYCHEPROOF_FILES: readonly string[] = [
  'aes_ccm', 'aes_gcm', 'chacha20_poly1305', 'ecdh_secp256r1_ecpoint', 'ecdh_secp384r1_ecpoint', 'x25519', 'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512', 'ed25519', 'rsa_signature_2048_sha256', 'rsa_pss_2048_sha256_mgf1_32',
  'hmac_sha256', 'hmac_sha384',
];

/** How many tests were judged, by their result, and how many have parameters that no suite has. */
export interface WycheproofCount {
  readonly valid: number;
  readonly invalid: number;
  readonly acceptable: number;
  readonly outside: number;
}

/** Judges every test of `file`. Throws at the first verdict that is wrong, and says which. */
export function judge(provider: Provider, file: WycheproofFile): WycheproofCount {
  const count = { valid: 0, invalid: 0, acceptable: 0, outside: 0 };
  for (const group of file.testGroups) {
    const judgeOne = judgeOf(provider, file.algorithm, group);
    for (const test of group.tests) {
      const what = `${provider.name}, ${file.algorithm} ${test.tcId} (${String(test['comment'] ?? '')}), ${test.result}`;
      if (judgeOne === null) count.outside++;
      else {
        judgeOne(test, what);
        count[test.result]++;
      }
    }
  }
  return count;
}

/** Throws if the verdict on a test is wrong. */
type Judge = (test: WycheproofTest, what: string) => void;

/** Who judges a group; null if its parameters are those of no suite. */
function judgeOf(provider: Provider, algorithm: string, group: WycheproofGroup): Judge | null {
  switch (group.type) {
    case 'AeadTest': return aeadJudge(provider, algorithm, group);
    case 'EcdhEcpointTest':
    case 'XdhComp': return groupJudge(provider, group['curve'] as string);
    case 'EcdsaVerify':
    case 'EddsaVerify':
    case 'RsassaPssVerify':
    case 'RsassaPkcs1Verify': return signatureJudge(provider, group);
    case 'MacTest': return macJudge(provider, algorithm, group);
    default: throw new Error(`no judge for ${group.type}`);
  }
}

function bytesOf(test: WycheproofTest, field: string): Uint8Array {
  return hex(test[field] as string);
}

function aeadJudge(provider: Provider, algorithm: string, group: WycheproofGroup): Judge | null {
  const { ivSize, keySize, tagSize } = group as unknown as Record<'ivSize' | 'keySize' | 'tagSize', number>;
  const names: Readonly<Record<string, string>> = {
    'AES-CCM 128': `aes-${keySize}-ccm`, 'AES-CCM 64': `aes-${keySize}-ccm-8`, 'AES-GCM 128': `aes-${keySize}-gcm`,
    'CHACHA20-POLY1305 128': 'chacha20-poly1305',
  };
  const aead = provider.aeads[names[`${algorithm} ${tagSize}`] as AeadName];
  if (aead === undefined || ivSize !== 96) return null;
  return (test, what) => {
    const [nonce, aad, plain] = ['iv', 'aad', 'msg'].map((field) => bytesOf(test, field)) as [Uint8Array, Uint8Array, Uint8Array];
    const sealed = concat(bytesOf(test, 'ct'), bytesOf(test, 'tag'));
    const key = aead.create(bytesOf(test, 'key'));
    const out = new Uint8Array(sealed.length);
    const length = key.open(out, 0, nonce, aad, sealed);
    if (test.result === 'invalid') {
      ensure(length === -1 && out.every((byte) => byte === 0), `${what}: it opens`);
      return;
    }
    ensure(length === plain.length, `${what}: it does not open`);
    sameBytes(out.subarray(0, length), plain, what);
    const again = new Uint8Array(sealed.length);
    key.seal(again, 0, nonce, aad, plain);
    sameBytes(again, sealed, `${what}, sealed`);
  };
}

const GROUPS: Readonly<Record<string, GroupName>> = { secp256r1: 'secp256r1', secp384r1: 'secp384r1', curve25519: 'x25519' };

function groupJudge(provider: Provider, curve: string): Judge | null {
  const group = provider.groups[GROUPS[curve]!];
  if (group === undefined) return null;
  const length = curve === 'secp384r1' ? 48 : 32;
  return (test, what) => {
    // Private keys of curves are numbers, with as many bytes as they need and one more for the sign.
    const given = bytesOf(test, 'private');
    const share = group.generate(() => (curve === 'curve25519' ? given : bigEndian(numberOf(given), length)));
    const secret = share.agree(bytesOf(test, 'public'));
    const flags = test.flags ?? [];
    if (test.result === 'invalid' || flags.includes('ZeroSharedSecret') || flags.includes('CompressedPoint')) {
      ensure(secret === null, `${what}: there is a secret`);
    } else {
      ensure(secret !== null, `${what}: there is no secret`);
      sameBytes(secret, bytesOf(test, 'shared'), what);
    }
  };
}

const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  'EcdsaVerify SHA-256': SignatureScheme.ecdsaSha256, 'EcdsaVerify SHA-384': SignatureScheme.ecdsaSha384,
  'EcdsaVerify SHA-512': SignatureScheme.ecdsaSha512, 'EddsaVerify ': SignatureScheme.ed25519,
  'RsassaPssVerify SHA-256': SignatureScheme.rsaPssRsaeSha256, 'RsassaPkcs1Verify SHA-256': SignatureScheme.rsaPkcs1Sha256,
};

function signatureJudge(provider: Provider, group: WycheproofGroup): Judge | null {
  const scheme = SCHEMES[`${group.type} ${String(group['sha'] ?? '')}`];
  const verifier = verifierOf(provider, keyOf(group));
  // TLS has PSS with the salt as long as the hash and one hash for both (RFC 8446 §4.2.3).
  const ourSalt = group.type !== 'RsassaPssVerify' || (group['sLen'] === 32 && group['mgfSha'] === group['sha']);
  if (scheme === undefined || !ourSalt) return null;
  return (test, what) => {
    const verifies = verifier?.verify(scheme, bytesOf(test, 'msg'), bytesOf(test, 'sig')) === true;
    if (test.result !== 'acceptable') ensure(verifies === (test.result === 'valid'), `${what}: it ${verifies ? 'verifies' : 'does not verify'}`);
  };
}

function keyOf(group: WycheproofGroup): PublicKey {
  const key = group['publicKey'] as Readonly<Record<string, string>>;
  if (group.type === 'EcdsaVerify') return { kind: 'ec', curve: key['curve'] as CurveName, point: hex(key['uncompressed']!) };
  if (group.type === 'EddsaVerify') return { kind: 'ed25519', key: hex(key['pk']!) };
  const [modulus, exponent] = [key['modulus'], key['publicExponent']].map((digits) => hex(digits!.replace(/^(00)+/, '')));
  return { kind: 'rsa', modulus: modulus!, exponent: exponent! };
}

/** Null for a key that is refused, with which nothing verifies. */
function verifierOf(provider: Provider, key: PublicKey): Verifier | null {
  const { signatures } = provider;
  ensure(signatures[key.kind] !== undefined, `no signatures with ${key.kind}`);
  return signatures[key.kind]!.verifier(key);
}

function macJudge(provider: Provider, algorithm: string, group: WycheproofGroup): Judge | null {
  const name = ({ HMACSHA256: 'sha256', HMACSHA384: 'sha384' } as const)[algorithm];
  ensure(name !== undefined, `no judge for ${algorithm}`);
  const hash = provider.hashes[name];
  if (hash === undefined || group['tagSize'] !== 8 * hash.outputLength) return null;
  return (test, what) => {
    const out = new Uint8Array(hash.outputLength);
    hash.hmac(bytesOf(test, 'key')).compute(out, 0, bytesOf(test, 'msg'));
    const same = bytesOf(test, 'tag').every((byte, index) => byte === out[index]);
    ensure(same === (test.result !== 'invalid'), `${what}: the tag is ${same ? 'right' : 'wrong'}`);
  };
}
