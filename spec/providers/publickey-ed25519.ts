/**
 * What Ed25519 of every provider must do, as neutral checks: known answers, and one verdict on the edge cases where
 * implementations of RFC 8032 part ways.
 */
import { SignatureScheme } from '../../lib/crypto/keys.js';
import type { Provider, Signatures } from '../../lib/crypto/provider.js';
import { concat } from '../../lib/wire/bytes.js';
import { ensure, hex, pattern, sameBytes, throwsCode, unaligned, type Check } from './check.js';
import { ED25519_EDGE_CASES } from './publickey-edges.js';
import { littleEndian, numberOf } from './publickey-points.js';
import { ED25519_VECTORS } from './publickey-vectors.js';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const SCHEME: SignatureScheme = SignatureScheme.ed25519;

/** y of two points of order 8; y of the other two is p less that. */
const ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;

/** Keys that must be refused, each with the reason. */
export function wrongEd25519Keys(): [string, Uint8Array][] {
  const signed = (y: bigint): Uint8Array => littleEndian(y + 2n ** 255n);
  const small = [1n, P - 1n, 0n, ORDER_8, P - ORDER_8];
  const lengths = [0, 31, 33, 64].map((length): [string, Uint8Array] => [`${length} bytes`, new Uint8Array(length).fill(9)]);
  return [
    ...small.map((y): [string, Uint8Array] => [`a point of small order, y of ${y}`, littleEndian(y)]),
    ...small.map((y): [string, Uint8Array] => [`a point of small order, y of ${y}, the other x`, signed(y)]),
    ...Array.from({ length: 19 }, (_, above): [string, Uint8Array] => [`y of p + ${above}`, littleEndian(P + BigInt(above))]),
    ...Array.from({ length: 19 }, (_, above): [string, Uint8Array] => [`y of p + ${above}, the other x`, signed(P + BigInt(above))]),
    ['no point of the curve, y of 2', littleEndian(2n)],
    ['no point of the curve, y of 2, the other x', signed(2n)],
    ['no point of the curve, y of 7', littleEndian(7n)],
    ...lengths,
  ];
}

/** The checks of Ed25519, if `provider` lists it. */
export function ed25519Checks(provider: Provider): Check[] {
  const signatures = provider.signatures.ed25519;
  if (signatures === undefined) return [];
  const check = (what: string, run: () => void): Check => ({ name: `${provider.name} Ed25519: ${what}`, run });
  return [
    ...answerChecks(signatures, check),
    ...ED25519_EDGE_CASES.map((edge) =>
      check(`${edge.name}: ${edge.verdict}`, () => {
        const verifier = signatures.verifier({ kind: 'ed25519', key: hex(edge.key) });
        const verdict = verifier === null ? 'refused key' : verifier.verify(SCHEME, hex(edge.message), hex(edge.signature)) ? 'valid' : 'invalid';
        ensure(verdict === edge.verdict, verdict);
      }),
    ),
    ...wrongEd25519Keys().map(([name, key]) => check(`${name} is no key`, () => ensure(signatures.verifier({ kind: 'ed25519', key }) === null, 'it is taken'))),
    check('takes the smallest y of a point', () => {
      ensure(signatures.verifier({ kind: 'ed25519', key: littleEndian(3n) }) !== null, 'y of 3');
      ensure(signatures.verifier({ kind: 'ed25519', key: littleEndian(3n + 2n ** 255n) }) !== null, 'y of 3, the other x');
    }),
  ];
}

function answerChecks(signatures: Signatures, check: (what: string, run: () => void) => Check): Check[] {
  return [
    ...ED25519_VECTORS.map((vector) =>
      check(`gives the published answer (${vector.source})`, () => {
        const message = hex(vector.message);
        const signer = signatures.signer({ kind: 'ed25519', seed: hex(vector.seed) })!;
        const key = signatures.publicKey({ kind: 'ed25519', seed: hex(vector.seed) });
        ensure(key !== null && key.kind === 'ed25519' && key.key.constructor === Uint8Array, 'no plain key');
        sameBytes(key.key, hex(vector.key), 'key');
        const signed = signer.sign(SCHEME, message);
        ensure(signed !== null && signed.constructor === Uint8Array, 'no plain signature');
        sameBytes(signed, hex(vector.signature), 'signature');
        const verifier = signatures.verifier(key)!;
        ensure(verifier.verify(SCHEME, unaligned(message), unaligned(signed)), 'does not verify');
        ensure(!verifier.verify(SCHEME, concat(message, Uint8Array.of(0)), signed), 'verifies over another message');
      }),
    ),
    check('refuses a changed signature, whatever bit it is', () => {
      const vector = ED25519_VECTORS[2]!;
      const verifier = signatures.verifier({ kind: 'ed25519', key: hex(vector.key) })!;
      for (let bit = 0; bit < 512; bit += 7) {
        const changed = hex(vector.signature);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        ensure(!verifier.verify(SCHEME, hex(vector.message), changed), `bit ${bit}`);
      }
    }),
    check('refuses S + L, S of 0, and signatures of another length', () => {
      const vector = ED25519_VECTORS[2]!;
      const right = hex(vector.signature);
      const r = right.subarray(0, 32);
      const s = numberOf(right.slice(32).reverse());
      const verifier = signatures.verifier({ kind: 'ed25519', key: hex(vector.key) })!;
      const wrong = [concat(r, littleEndian(s + L)), concat(r, littleEndian(s + 2n * L)), concat(r, new Uint8Array(32)), new Uint8Array(64), new Uint8Array(64).fill(255)];
      for (const bytes of [...wrong, new Uint8Array(0), right.subarray(0, 63), concat(right, Uint8Array.of(0)), r]) {
        ensure(!verifier.verify(SCHEME, hex(vector.message), bytes), `${bytes.length} bytes`);
      }
    }),
    check('is asked with its own scheme alone', () => {
      const vector = ED25519_VECTORS[2]!;
      const verifier = signatures.verifier({ kind: 'ed25519', key: hex(vector.key) })!;
      const signer = signatures.signer({ kind: 'ed25519', seed: hex(vector.seed) })!;
      ensure(signer.schemes.length === 1 && signer.schemes[0] === SCHEME, 'schemes');
      for (const scheme of Object.values(SignatureScheme)) {
        if (scheme === SCHEME) continue;
        ensure(!verifier.verify(scheme, hex(vector.message), hex(vector.signature)), `verifies as ${scheme}`);
        ensure(signer.sign(scheme, hex(vector.message)) === null, `signs as ${scheme}`);
      }
    }),
    check('refuses seeds of another length and keys of another kind', () => {
      for (const length of [0, 31, 33, 64]) {
        ensure(signatures.signer({ kind: 'ed25519', seed: new Uint8Array(length) }) === null, `a signer of ${length} bytes`);
        ensure(signatures.publicKey({ kind: 'ed25519', seed: new Uint8Array(length) }) === null, `a key of ${length} bytes`);
      }
      ensure(signatures.verifier({ kind: 'ec', curve: 'secp256r1', point: new Uint8Array(65).fill(4) }) === null, 'an EC key');
      ensure(signatures.signer({ kind: 'ec', curve: 'secp256r1', scalar: pattern(32, 1) }) === null, 'an EC private key');
    }),
    check('keeps copies, and never signs with a key that was wiped', () => {
      const [seed, key] = [hex(ED25519_VECTORS[1]!.seed), hex(ED25519_VECTORS[1]!.key)];
      const [signer, verifier] = [signatures.signer({ kind: 'ed25519', seed })!, signatures.verifier({ kind: 'ed25519', key })!];
      seed.fill(0);
      key.fill(0);
      ensure(verifier.verify(SCHEME, pattern(3, 1), signer.sign(SCHEME, pattern(3, 1))!), 'after the caller wiped its own');
      signer.wipe();
      signer.wipe();
      throwsCode('ERR_DTLS_FREED', () => signer.sign(SCHEME, pattern(3, 1)), 'sign');
    }),
  ];
}
