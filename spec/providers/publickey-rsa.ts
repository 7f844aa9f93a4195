/**
 * What RSA of every provider must do, as neutral checks: verify what RFC 8017 says and nothing near it. The signatures
 * come from a textbook: an encoding, right or wrong in one way, raised to the private exponent.
 */
import { SignatureScheme, type PublicKey } from '../../lib/crypto/keys.js';
import type { Provider, Signatures, Verifier } from '../../lib/crypto/provider.js';
import { ascii, concat } from '../../lib/wire/bytes.js';
import { ensure, hex, pattern, sameBytes, throwsCode, unaligned, type Check } from './check.js';
import { bigEndian, numberOf } from './publickey-points.js';
import { RSA_TEST_KEYS, type RsaTestKey } from './publickey-rsakeys.js';

const PKCS1: SignatureScheme = SignatureScheme.rsaPkcs1Sha256;
const PSS: SignatureScheme = SignatureScheme.rsaPssRsaeSha256;
const MESSAGE: Uint8Array = ascii('what is signed');

/** The RSA schemes. */
export const RSA_SCHEMES: readonly SignatureScheme[] = [0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];

/** The public key of a test key. */
export function rsaPublicKey(key: RsaTestKey): PublicKey & { readonly kind: 'rsa' } {
  return { kind: 'rsa', modulus: hex(key.modulus), exponent: hex(key.exponent) };
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** The signature whose representative is `encoded`. */
function rawSignature(key: RsaTestKey, encoded: Uint8Array): Uint8Array {
  const modulus = numberOf(hex(key.modulus));
  return bigEndian(power(numberOf(encoded), numberOf(hex(key.privateExponent)), modulus), lengthOf(key));
}

function lengthOf(key: RsaTestKey): number {
  return Math.ceil(key.bits / 8);
}

function sha256(provider: Provider, data: Uint8Array): Uint8Array {
  const running = provider.hashes.sha256!.start();
  running.update(data);
  return running.digest();
}

/** DigestInfo of SHA-256, up to the digest (RFC 8017 §9.2, note 1). */
const DIGEST_INFO = '3031300d060960864801650304020105000420';

interface Pkcs1Shape {
  readonly head?: string;
  readonly fill?: number;
  readonly short?: number;
  readonly prefix?: string;
  readonly tail?: Uint8Array;
}

/** EMSA-PKCS1-v1_5 of MESSAGE, right unless `shape` says otherwise. */
function pkcs1(provider: Provider, key: RsaTestKey, shape: Pkcs1Shape = {}): Uint8Array {
  const head = hex(shape.head ?? '0001');
  const info = concat(Uint8Array.of(0), hex(shape.prefix ?? DIGEST_INFO), sha256(provider, MESSAGE), shape.tail ?? new Uint8Array(0));
  const fill = new Uint8Array(lengthOf(key) - head.length - info.length - (shape.short ?? 0)).fill(shape.fill ?? 0xff);
  return concat(head, fill, info, new Uint8Array(shape.short ?? 0));
}

interface PssShape {
  readonly salt?: number;
  /** Which salt. */
  readonly seed?: number;
  readonly separator?: number;
  readonly zeros?: number;
  readonly trailer?: number;
  readonly message?: Uint8Array;
}

/** EMSA-PSS of MESSAGE with SHA-256 (RFC 8017 §9.1.1), right unless `shape` says otherwise. */
function pss(provider: Provider, key: RsaTestKey, shape: PssShape = {}): Uint8Array {
  const bits = key.bits - 1;
  const length = Math.ceil(bits / 8);
  const salt = pattern(shape.salt ?? 32, shape.seed ?? 5);
  const h = sha256(provider, concat(new Uint8Array(8), sha256(provider, shape.message ?? MESSAGE), salt));
  const block = new Uint8Array(length - 33);
  block.fill(shape.zeros ?? 0);
  block[block.length - salt.length - 1] = shape.separator ?? 1;
  block.set(salt, block.length - salt.length);
  const masked = concat(...Array.from({ length: Math.ceil(block.length / 32) }, (_, counter) => sha256(provider, concat(h, Uint8Array.of(0, 0, 0, counter)))));
  for (let i = 0; i < block.length; i++) block[i]! ^= masked[i]!;
  block[0]! &= 0xff >> (8 * length - bits);
  return concat(new Uint8Array(lengthOf(key) - length), block, h, Uint8Array.of(shape.trailer ?? 0xbc));
}

/** A right encoding with the bit before it set (the encoding is one bit shorter than the modulus), and a salt that keeps it below the modulus. */
function pssAfterOne(provider: Provider, key: RsaTestKey): Uint8Array {
  const modulus = numberOf(hex(key.modulus));
  for (let seed = 0; seed < 1000; seed++) {
    const encoded = numberOf(pss(provider, key, { seed })) + (1n << BigInt(key.bits - 1));
    if (encoded < modulus) return bigEndian(encoded, lengthOf(key));
  }
  throw new Error('no salt gives one');
}

/** Signatures that are wrong in one way each. */
function wrongSignatures(provider: Provider, key: RsaTestKey): [string, SignatureScheme, Uint8Array][] {
  const ofPkcs1 = (name: string, shape: Pkcs1Shape): [string, SignatureScheme, Uint8Array] => [name, PKCS1, rawSignature(key, pkcs1(provider, key, shape))];
  const ofPss = (name: string, shape: PssShape): [string, SignatureScheme, Uint8Array] => [name, PSS, rawSignature(key, pss(provider, key, shape))];
  const [right1, right2] = [rawSignature(key, pkcs1(provider, key)), rawSignature(key, pss(provider, key))];
  const modulus = numberOf(hex(key.modulus));
  const both = (name: string, change: (right: Uint8Array) => Uint8Array): [string, SignatureScheme, Uint8Array][] => [
    [`PKCS #1: ${name}`, PKCS1, change(right1)],
    [`PSS: ${name}`, PSS, change(right2)],
  ];
  return [
    ofPkcs1('PKCS #1: block type 2', { head: '0002' }),
    ofPkcs1('PKCS #1: block type 0', { head: '0000', fill: 0 }),
    ofPkcs1('PKCS #1: padding with a wrong byte', { fill: 0xfe }),
    ofPkcs1('PKCS #1: no padding, the rest at the end (CVE-2006-4339)', { short: lengthOf(key) - 3 - 19 - 32 - 8 }),
    ofPkcs1('PKCS #1: a byte after the digest', { tail: Uint8Array.of(0) }),
    ofPkcs1('PKCS #1: no NULL parameters', { prefix: '302f300b0609608648016503040201 0420' }),
    ofPkcs1('PKCS #1: a digest without DigestInfo', { prefix: '' }),
    ofPkcs1('PKCS #1: the name of SHA-384 over SHA-256', { prefix: '3031300d060960864801650304020205000420' }),
    ofPkcs1('PKCS #1: BER in DigestInfo', { prefix: '308131300d060960864801650304020105000420' }),
    ofPkcs1('PKCS #1: garbage in the parameters', { prefix: '3033300f06096086480165030402010502aaaa0420' }),
    ofPss('PSS: no salt', { salt: 0 }),
    ofPss('PSS: a salt of 20 bytes', { salt: 20 }),
    ofPss('PSS: a salt of 31 bytes', { salt: 31 }),
    ofPss('PSS: a salt of 33 bytes', { salt: 33 }),
    ofPss('PSS: the longest salt', { salt: Math.ceil((key.bits - 1) / 8) - 34 }),
    ofPss('PSS: another trailer', { trailer: 0xcc }),
    ofPss('PSS: another separator', { separator: 2 }),
    ofPss('PSS: no separator', { separator: 0 }),
    ofPss('PSS: padding that is not zero', { zeros: 1 }),
    ofPss('PSS: over another message', { message: ascii('another message') }),
    ['PSS: the bit before the encoding set', PSS, rawSignature(key, pssAfterOne(provider, key))],
    ...both('nothing', () => new Uint8Array(0)),
    ...both('a zero before it', (right) => concat(Uint8Array.of(0), right)),
    ...both('a byte after it', (right) => concat(right, Uint8Array.of(0))),
    ...both('the last byte missing', (right) => right.subarray(0, right.length - 1)),
    ...both('the first byte missing', (right) => right.subarray(1)),
    ...both('the last bit changed', (right) => Uint8Array.from(right, (byte, index) => (index === right.length - 1 ? byte ^ 1 : byte))),
    ...both('0', (right) => new Uint8Array(right.length)),
    ...both('1', (right) => bigEndian(1n, right.length)),
    ...both('n − 1', (right) => bigEndian(modulus - 1n, right.length)),
    ...both('n', (right) => bigEndian(modulus, right.length)),
    ...both('all ones', (right) => new Uint8Array(right.length).fill(255)),
    ['a signature of PKCS #1 taken for PSS', PSS, right1],
    ['a signature of PSS taken for PKCS #1', PKCS1, right2],
    ['a signature with SHA-256 taken for SHA-384', SignatureScheme.rsaPkcs1Sha384, right1],
    ['a signature taken for ECDSA', SignatureScheme.ecdsaSha256, right1],
  ];
}

/** `encoded` with another n added to the signature, if that still fits its bytes. */
function beyondModulus(provider: Provider, key: RsaTestKey): Uint8Array | null {
  const modulus = numberOf(hex(key.modulus));
  const beyond = numberOf(rawSignature(key, pkcs1(provider, key))) + modulus;
  return beyond < 1n << BigInt(8 * lengthOf(key)) ? bigEndian(beyond, lengthOf(key)) : null;
}

/** Keys that must be refused, each with the reason. */
function wrongKeys(): [string, Uint8Array, Uint8Array][] {
  const [usual] = RSA_TEST_KEYS as [RsaTestKey];
  const [modulus, exponent] = [hex(usual.modulus), hex(usual.exponent)];
  const odd = (bits: number): Uint8Array => bigEndian((1n << BigInt(bits - 1)) + 1n, Math.ceil(bits / 8));
  const exponents = ['', '00', '01', '02', '04', '010000', '00010001', '0200000001', '010000000000000001'];
  return [
    ...[1, 512, 1024, 2040, 2047, 8193, 8200, 16384].map((bits): [string, Uint8Array, Uint8Array] => [`a modulus of ${bits} bits`, odd(bits), exponent]),
    ['no modulus', new Uint8Array(0), exponent],
    ['a modulus of zeros', new Uint8Array(256), exponent],
    ['a modulus with a leading zero', concat(Uint8Array.of(0), modulus), exponent],
    ['an even modulus', bigEndian(numberOf(modulus) - 1n, 256), exponent],
    ...exponents.map((each): [string, Uint8Array, Uint8Array] => [`an exponent of ${each === '' ? 'no bytes' : `0x${each}`}`, modulus, hex(each)]),
  ];
}

/** The checks of RSA, if `provider` lists it. `signs`: it makes signatures as well. */
export function rsaChecks(provider: Provider, signs: boolean): Check[] {
  const signatures = provider.signatures.rsa;
  if (signatures === undefined) return [];
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} RSA: ${what}`, run });
  const verifierOf = (key: RsaTestKey): Verifier => {
    const verifier = signatures.verifier(rsaPublicKey(key));
    ensure(verifier !== null, 'the key is refused');
    return verifier;
  };
  return [
    ...RSA_TEST_KEYS.flatMap((key) => [
      check(`verifies what the textbook signs with ${key.bits} bits`, () => {
        const verifier = verifierOf(key);
        for (const [scheme, encoded] of [[PKCS1, pkcs1(provider, key)], [PSS, pss(provider, key)]] as const) {
          const right = rawSignature(key, encoded);
          ensure(verifier.verify(scheme, MESSAGE, right), `${scheme}`);
          ensure(verifier.verify(scheme, unaligned(MESSAGE), unaligned(right)), `${scheme}, from an odd address`);
          ensure(!verifier.verify(scheme, ascii('another message'), right), 'over another message');
        }
      }),
      check(`refuses what is wrong in one way, with ${key.bits} bits`, () => {
        const verifier = verifierOf(key);
        for (const [name, scheme, wrong] of wrongSignatures(provider, key)) ensure(!verifier.verify(scheme, MESSAGE, wrong), name);
        const beyond = beyondModulus(provider, key);
        ensure(beyond === null || !verifier.verify(PKCS1, MESSAGE, beyond), 's beyond n');
      }),
    ]),
    check('a test key can have n added to its signature', () => ensure(RSA_TEST_KEYS.some((key) => beyondModulus(provider, key) !== null), 'none can')),
    ...wrongKeys().map(([name, modulus, exponent]) => check(`${name} is refused`, () => ensure(signatures.verifier({ kind: 'rsa', modulus, exponent }) === null, 'it is taken'))),
    check('refuses keys of another kind', () => ensure(signatures.verifier({ kind: 'ed25519', key: new Uint8Array(32) }) === null, 'it is taken')),
    ...(signs ? signingChecks(signatures, check) : [check('does not sign', () => doesNotSign(signatures))]),
  ];
}

function doesNotSign(signatures: Signatures): void {
  const pkcs1 = hex(RSA_TEST_KEYS[0]!.pkcs1!);
  ensure(signatures.signer({ kind: 'rsa', pkcs1 }) === null && signatures.publicKey({ kind: 'rsa', pkcs1 }) === null, 'it does');
}

function signingChecks(signatures: Signatures, check: (what: string, run: () => void) => Check): Check[] {
  const key = RSA_TEST_KEYS[0]!;
  return [
    check('signs with every scheme, and verifies it', () => {
      const own = hex(key.pkcs1!);
      const signer = signatures.signer({ kind: 'rsa', pkcs1: own })!;
      own.fill(0);
      const verifier = signatures.verifier(rsaPublicKey(key))!;
      ensure(signer.schemes.join() === RSA_SCHEMES.join(), `schemes ${signer.schemes.join()}`);
      for (const scheme of signer.schemes) {
        for (const size of [0, 1, 5000]) {
          const signed = signer.sign(scheme, pattern(size, 1))!;
          ensure(signed.constructor === Uint8Array && signed.length === 256, 'no plain array');
          ensure(verifier.verify(scheme, pattern(size, 1), signed), `${scheme}`);
          for (const other of RSA_SCHEMES) ensure(other === scheme || !verifier.verify(other, pattern(size, 1), signed), `${scheme} verifies as ${other}`);
        }
      }
      ensure(signer.sign(SignatureScheme.ecdsaSha256, MESSAGE) === null, 'signs as ECDSA');
      signer.wipe();
      throwsCode('ERR_DTLS_FREED', () => signer.sign(PSS, MESSAGE), 'sign');
    }),
    check('knows the public key of a private one', () => {
      const found = signatures.publicKey({ kind: 'rsa', pkcs1: hex(key.pkcs1!) });
      ensure(found !== null && found.kind === 'rsa', 'none');
      sameBytes(found.modulus, hex(key.modulus), 'modulus');
      sameBytes(found.exponent, hex(key.exponent), 'exponent');
    }),
    check('refuses a private key that is none', () => {
      for (const pkcs1 of [new Uint8Array(0), pattern(600, 1), hex(key.pkcs1!).subarray(0, 900)]) {
        ensure(signatures.signer({ kind: 'rsa', pkcs1 }) === null && signatures.publicKey({ kind: 'rsa', pkcs1 }) === null, `${pkcs1.length} bytes`);
      }
      ensure(signatures.signer({ kind: 'ed25519', seed: new Uint8Array(32) }) === null, 'of another kind');
    }),
  ];
}
