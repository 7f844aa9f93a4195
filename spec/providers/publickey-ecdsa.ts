/**
 * What ECDSA of every provider must do, as neutral checks: known answers, any hash with any curve, one encoding of each
 * signature (CRY-04), no key out of range.
 */
import { SignatureScheme, type CurveName, type PublicKey } from '../../lib/crypto/keys.js';
import type { Provider, Signatures, Signer, Verifier } from '../../lib/crypto/provider.js';
import { ascii, concat } from '../../lib/wire/bytes.js';
import { ensure, hex, pattern, sameBytes, throwsCode, unaligned, type Check } from './check.js';
import { bigEndian, numberOf, wrongPoints, type NamedBytes } from './publickey-points.js';
import { ECDSA_VECTORS, type EcdsaVector } from './publickey-vectors.js';

/** The orders of the groups (SP 800-186 §3.2.1). */
const ORDERS: Readonly<Record<CurveName, bigint>> = {
  secp256r1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  secp521r1: 2n ** 521n - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7n,
};

/** The ECDSA schemes. */
export const ECDSA_SCHEMES: readonly SignatureScheme[] = [SignatureScheme.ecdsaSha256, SignatureScheme.ecdsaSha384, SignatureScheme.ecdsaSha512];

/** A DER header and its content, with the shortest length. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const all = concat(...content);
  return concat(Uint8Array.of(tag, ...(all.length < 128 ? [all.length] : [0x81, all.length])), all);
}

/** A DER INTEGER. */
export function integer(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const bytes = hex(digits.length % 2 === 0 ? digits : `0${digits}`);
  return tagged(2, bytes[0]! >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), bytes);
}

/** A DER signature. */
export function signature(r: bigint, s: bigint): Uint8Array {
  return tagged(0x30, integer(r), integer(s));
}

/** The size of a field element. */
function sizeOf(curve: CurveName): number {
  return { secp256r1: 32, secp384r1: 48, secp521r1: 66 }[curve];
}

/** CRY-04: what is no signature, though r and s are those of one. */
export function wrongSignatures(curve: CurveName, r: bigint, s: bigint): NamedBytes[] {
  const order = ORDERS[curve];
  const size = sizeOf(curve);
  const [first, second] = [integer(r), integer(s)];
  const right = signature(r, s);
  const content = concat(first, second);
  const unsigned = (value: bigint): Uint8Array => tagged(2, hex(value.toString(16).padStart(2 * Math.ceil(value.toString(16).length / 2), '0')));
  const padded = (value: bigint): Uint8Array => tagged(2, Uint8Array.of(0), integer(value).subarray(2));
  const negative = (value: bigint): Uint8Array => tagged(2, bigEndian((1n << BigInt(8 * (size + 1))) - value, size + 1));
  const length = content.length;
  const entries: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['an empty sequence', Uint8Array.of(0x30, 0)],
    ['r of 0', signature(0n, s)],
    ['s of 0', signature(r, 0n)],
    ['r and s of 0', signature(0n, 0n)],
    ['r and s of 1', signature(1n, 1n)],
    ['r of n', signature(order, s)],
    ['s of n', signature(r, order)],
    ['r and s of n', signature(order, order)],
    ['r above n, the same modulo n', signature(r + order, s)],
    ['s above n, the same modulo n', signature(r, s + order)],
    ['r of n − r', signature(order - r, s)],
    ['r longer than the field', signature(r + (1n << BigInt(8 * size)), s)],
    ['s longer than the field', signature(r, s + (1n << BigInt(8 * size)))],
    ['r negated', tagged(0x30, negative(r), second)],
    ['s negated', tagged(0x30, first, negative(s))],
    ['r with a needless zero', tagged(0x30, padded(r), second)],
    ['s with a needless zero', tagged(0x30, first, padded(s))],
    ['an empty r', tagged(0x30, Uint8Array.of(2, 0), second)],
    ['an empty s', tagged(0x30, first, Uint8Array.of(2, 0))],
    ['r alone', tagged(0x30, first)],
    ['r and s exchanged', signature(s, r)],
    ['a third integer', tagged(0x30, first, second, integer(1n))],
    ['a null at the end of the sequence', tagged(0x30, first, second, Uint8Array.of(5, 0))],
    ['a byte after the sequence', concat(right, Uint8Array.of(0))],
    ['a byte at the end of the sequence', tagged(0x30, first, second, Uint8Array.of(0))],
    ['the last byte missing', right.subarray(0, right.length - 1)],
    ['the sequence longer than its content', concat(Uint8Array.of(0x30, ...(length < 127 ? [length + 1] : [0x81, length + 1])), content)],
    ['the sequence shorter than its content', concat(Uint8Array.of(0x30, ...(length < 129 ? [length - 1] : [0x81, length - 1])), content)],
    ['the length of the sequence a form too long', concat(Uint8Array.of(0x30, ...(length < 128 ? [0x81, length] : [0x82, 0, length])), content)],
    ['the length of the sequence with leading zeros', concat(Uint8Array.of(0x30, 0x84, 0, 0, 0, length), content)],
    ['a sequence of indefinite length', concat(Uint8Array.of(0x30, 0x80), content, Uint8Array.of(0, 0))],
    ['a long-form length of r', tagged(0x30, concat(Uint8Array.of(2, 0x81, first.length - 2), first.subarray(2)), second)],
    ['a long-form length of s', tagged(0x30, first, concat(Uint8Array.of(2, 0x81, second.length - 2), second.subarray(2)))],
    ['r longer than the sequence', tagged(0x30, concat(Uint8Array.of(2, 0x7f), first.subarray(2)), second)],
    ['a set for the sequence', concat(Uint8Array.of(0x31), right.subarray(1))],
    ['a primitive sequence', concat(Uint8Array.of(0x10), right.subarray(1))],
    ['octets for r', tagged(0x30, concat(Uint8Array.of(4), first.subarray(1)), second)],
    ['r ‖ s without DER', concat(bigEndian(r, size), bigEndian(s, size))],
    ['the signature in a sequence of its own', tagged(0x30, right)],
  ];
  if (integer(r)[2] === 0) entries.push(['r without its leading zero', tagged(0x30, unsigned(r), second)]);
  if (integer(s)[2] === 0) entries.push(['s without its leading zero', tagged(0x30, first, unsigned(s))]);
  return entries.map(([name, bytes]) => ({ name, bytes }));
}

/** The verifier of a published key. */
export function verifierOf(provider: Provider, vector: EcdsaVector): Verifier {
  const verifier = signaturesOf(provider).verifier({ kind: 'ec', curve: vector.curve, point: hex(vector.point) });
  ensure(verifier !== null, 'the key is refused');
  return verifier;
}

/** The signer of a published key. */
export function signerOf(provider: Provider, vector: EcdsaVector): Signer {
  const signer = signaturesOf(provider).signer({ kind: 'ec', curve: vector.curve, scalar: hex(vector.scalar) });
  ensure(signer !== null, 'the key is refused');
  return signer;
}

function signaturesOf(provider: Provider): Signatures {
  const { ec } = provider.signatures;
  ensure(ec !== undefined, 'there is no ECDSA');
  return ec;
}

/**
 * The checks of ECDSA, if `provider` lists it. `isDeterministic`: its signatures are those of RFC 6979. `curves`: what
 * its platform can do; keys on others must be refused.
 */
export function ecdsaChecks(provider: Provider, isDeterministic: boolean, curves: readonly CurveName[]): Check[] {
  if (provider.signatures.ec === undefined) return [];
  const [known, unknown] = [true, false].map((has) => ECDSA_VECTORS.filter(({ curve }) => curves.includes(curve) === has)) as [EcdsaVector[], EcdsaVector[]];
  return [
    ...unknown.map((vector) => ({
      name: `${provider.name} ECDSA on ${vector.curve}: there is none, and keys are refused`,
      run: () => refusesKeys(provider, vector),
    })),
    ...known.flatMap((vector) => [
      ...answerChecks(provider, vector, isDeterministic),
      ...encodingChecks(provider, vector),
      ...keyChecks(provider, vector),
    ]),
    ...(['secp256r1', 'secp384r1'] as const).flatMap((curve) =>
      wrongPoints(curve).map(({ name, bytes }) => ({
        name: `${provider.name} ECDSA on ${curve}: ${name} is no key`,
        run: () => ensure(signaturesOf(provider).verifier({ kind: 'ec', curve, point: bytes }) === null, 'it is taken'),
      })),
    ),
  ];
}

function refusesKeys(provider: Provider, { curve, point, scalar }: EcdsaVector): void {
  const signatures = signaturesOf(provider);
  ensure(signatures.verifier({ kind: 'ec', curve, point: hex(point) }) === null, 'a verifier');
  ensure(signatures.signer({ kind: 'ec', curve, scalar: hex(scalar) }) === null, 'a signer');
  ensure(signatures.publicKey({ kind: 'ec', curve, scalar: hex(scalar) }) === null, 'a public key');
}

function answerChecks(provider: Provider, vector: EcdsaVector, isDeterministic: boolean): Check[] {
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} ECDSA on ${vector.curve}: ${what}`, run });
  return [
    check(`verifies the published signatures (${vector.source})`, () => {
      const verifier = verifierOf(provider, vector);
      for (const { scheme, message, r, s } of vector.signatures) {
        const der = signature(numberOf(hex(r)), numberOf(hex(s)));
        ensure(verifier.verify(scheme, ascii(message), der), `${message}, ${scheme}`);
        ensure(verifier.verify(scheme, unaligned(ascii(message)), unaligned(der)), `${message}, ${scheme}, from an odd address`);
        ensure(!verifier.verify(scheme, ascii(`${message}.`), der), 'over another message');
        for (const other of ECDSA_SCHEMES) ensure(other === scheme || !verifier.verify(other, ascii(message), der), 'with another hash');
        ensure(!verifier.verify(SignatureScheme.ed25519, ascii(message), der), 'as Ed25519');
        ensure(!verifier.verify(SignatureScheme.rsaPkcs1Sha256, ascii(message), der), 'as RSA');
        ensure(verifier.verify(scheme, ascii(message), signature(numberOf(hex(r)), ORDERS[vector.curve] - numberOf(hex(s)))), 'with n − s, which is as right');
      }
    }),
    ...(isDeterministic
      ? [
          check(`makes the published signatures (${vector.source})`, () => {
            const signer = signerOf(provider, vector);
            for (const { scheme, message, r, s } of vector.signatures) {
              sameBytes(signer.sign(scheme, ascii(message))!, signature(numberOf(hex(r)), numberOf(hex(s))), `${message}, ${scheme}`);
            }
          }),
        ]
      : []),
    check('verifies what it signs, with every hash', () => {
      const signer = signerOf(provider, vector);
      const verifier = verifierOf(provider, vector);
      ensure(signer.schemes.length === 3 && signer.schemes[0] === { secp256r1: 0x0403, secp384r1: 0x0503, secp521r1: 0x0603 }[vector.curve], 'schemes');
      for (const scheme of signer.schemes) {
        for (const length of [0, 1, 64, 5000]) {
          const signed = signer.sign(scheme, pattern(length, 1));
          ensure(signed !== null && signed.constructor === Uint8Array, 'no plain array');
          ensure(verifier.verify(scheme, pattern(length, 1), signed), `${scheme}, ${length} bytes`);
        }
      }
      ensure(signer.sign(SignatureScheme.ed25519, pattern(1, 1)) === null, 'signs as Ed25519');
      ensure(signer.sign(SignatureScheme.rsaPssRsaeSha256, pattern(1, 1)) === null, 'signs as RSA');
    }),
  ];
}

function encodingChecks(provider: Provider, vector: EcdsaVector): Check[] {
  const { scheme, message, r, s } = vector.signatures[0]!;
  const [first, second] = [numberOf(hex(r)), numberOf(hex(s))];
  return wrongSignatures(vector.curve, first, second).map((wrong) => ({
    name: `${provider.name} ECDSA on ${vector.curve}: CRY-04: ${wrong.name} is no signature`,
    run: () => {
      const verifier = verifierOf(provider, vector);
      ensure(!verifier.verify(scheme, ascii(message), wrong.bytes), 'it verifies');
      ensure(verifier.verify(scheme, ascii(message), signature(first, second)), 'the right one does not, afterwards');
    },
  }));
}

function keyChecks(provider: Provider, vector: EcdsaVector): Check[] {
  const { curve } = vector;
  const signatures = signaturesOf(provider);
  const size = sizeOf(curve);
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} ECDSA on ${curve}: ${what}`, run });
  return [
    check('knows the public key of a private one', () => {
      const key = signatures.publicKey({ kind: 'ec', curve, scalar: hex(vector.scalar) });
      ensure(key !== null && key.kind === 'ec' && key.curve === curve, 'no such key');
      sameBytes(key.point, hex(vector.point), 'point');
      ensure(key.point.constructor === Uint8Array, 'not plain');
    }),
    check('refuses private keys out of range or of another length', () => {
      const order = ORDERS[curve];
      const wrong = [0n, order, order + 1n, (1n << BigInt(8 * size)) - 1n].map((scalar) => bigEndian(scalar, size));
      for (const scalar of [...wrong, new Uint8Array(0), hex(vector.scalar).subarray(1), concat(Uint8Array.of(0), hex(vector.scalar))]) {
        ensure(signatures.signer({ kind: 'ec', curve, scalar }) === null, 'a signer');
        ensure(signatures.publicKey({ kind: 'ec', curve, scalar }) === null, 'a public key');
      }
      for (const scalar of [1n, order - 1n]) ensure(signatures.signer({ kind: 'ec', curve, scalar: bigEndian(scalar, size) }) !== null, `${scalar} is refused`);
    }),
    check('refuses keys of another kind and points of another form', () => {
      const point = hex(vector.point);
      const moved = point.slice();
      moved[moved.length - 1]! ^= 1;
      const compressed = concat(Uint8Array.of(2 + (point.at(-1)! & 1)), point.subarray(1, 1 + size));
      for (const wrong of [moved, compressed, concat(Uint8Array.of(6 + (point.at(-1)! & 1)), point.subarray(1)), new Uint8Array(point.length)]) {
        ensure(signatures.verifier({ kind: 'ec', curve, point: wrong }) === null, 'a verifier');
      }
      const others: PublicKey[] = [{ kind: 'ed25519', key: new Uint8Array(32) }, { kind: 'rsa', modulus: new Uint8Array(256), exponent: Uint8Array.of(3) }];
      for (const other of others) ensure(signatures.verifier(other) === null, other.kind);
      ensure(signatures.signer({ kind: 'ed25519', seed: new Uint8Array(32) }) === null, 'a signer of Ed25519');
      ensure(signatures.publicKey({ kind: 'rsa', pkcs1: new Uint8Array(32) }) === null, 'a public key of RSA');
    }),
    check('keeps copies, and never signs with a key that was wiped', () => {
      const [scalar, point] = [hex(vector.scalar), hex(vector.point)];
      const signer = signatures.signer({ kind: 'ec', curve, scalar })!;
      const verifier = signatures.verifier({ kind: 'ec', curve, point })!;
      scalar.fill(0);
      point.fill(0);
      const [scheme] = signer.schemes as [SignatureScheme];
      ensure(verifier.verify(scheme, ascii('text'), signer.sign(scheme, ascii('text'))!), 'after the caller wiped its own');
      signer.wipe();
      signer.wipe();
      throwsCode('ERR_DTLS_FREED', () => signer.sign(scheme, ascii('text')), 'sign');
    }),
  ];
}
