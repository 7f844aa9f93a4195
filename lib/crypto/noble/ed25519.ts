/**
 * Ed25519 (RFC 8032 §5.1) on the group arithmetic of @noble/curves.
 *
 * Law: one verdict on every platform. noble's own `verify` checks the equation times the cofactor; OpenSSL, BoringSSL
 * and Deno check it as it stands, by comparing the encoding of S·B − k·A with R. Both are RFC 8032 (§5.1.7 allows
 * either) and they differ on signatures with a component of small order, so the comparison is made here. It also
 * refuses R in any but its canonical encoding. S is below L, and keys of small order (anything verifies under them) and
 * non-canonical ones are refused before a signature is looked at.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, copyOf, equalBytes, wipe } from '../../wire/bytes.js';
import { wipedError } from '../../wire/errors.js';
import { SignatureScheme, type PrivateKey, type PublicKey } from '../keys.js';
import type { ProviderPart, Signatures, Signer, Verifier } from '../provider.js';
import { RecentVerifiers } from '../recent.js';

const KEY_LENGTH = 32;
const SIGNATURE_LENGTH = 64;

type Point = ReturnType<typeof ed25519.Point.fromBytes>;

class NobleEd25519Verifier implements Verifier {
  readonly #key: Uint8Array;
  readonly #point: Point;

  constructor(key: Uint8Array, point: Point) {
    this.#key = copyOf(key);
    this.#point = point;
  }

  verify(scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
    if (scheme !== SignatureScheme.ed25519 || signature.length !== SIGNATURE_LENGTH) return false;
    const { BASE, Fn } = ed25519.Point;
    const r = signature.subarray(0, KEY_LENGTH);
    const s = bytesToNumberLE(signature.subarray(KEY_LENGTH));
    if (!Fn.isValid(s)) return false;
    const k = Fn.create(bytesToNumberLE(sha512(concat(r, this.#key, message))));
    const expected = BASE.multiplyUnsafe(s).subtract(this.#point.multiplyUnsafe(k));
    return equalBytes(expected.toBytes(), r);
  }
}

class NobleEd25519Signer implements Signer {
  readonly schemes: readonly SignatureScheme[] = [SignatureScheme.ed25519];
  #seed: Uint8Array | null;

  constructor(seed: Uint8Array) {
    this.#seed = copyOf(seed);
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | null {
    if (this.#seed === null) throw wipedError('key');
    return scheme === SignatureScheme.ed25519 ? ed25519.sign(message, this.#seed) : null;
  }

  wipe(): void {
    wipe(this.#seed);
    this.#seed = null;
  }
}

/** The point of a key, or null for a key that is refused. */
function decode(key: Uint8Array): Point | null {
  if (key.length !== KEY_LENGTH) return null;
  try {
    const point = ed25519.Point.fromBytes(key, false);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null; // not on the curve, or not canonical
  }
}

function ed25519Verifier(key: Uint8Array): Verifier | null {
  const point = decode(key);
  return point === null ? null : new NobleEd25519Verifier(key, point);
}

const recent: RecentVerifiers = /* @__PURE__ */ new RecentVerifiers();

const nobleEd25519: Signatures = {
  verifier: (key: PublicKey) => (key.kind === 'ed25519' ? recent.of('', key.key, () => ed25519Verifier(key.key)) : null),
  signer(key: PrivateKey): Signer | null {
    return key.kind === 'ed25519' && key.seed.length === KEY_LENGTH ? new NobleEd25519Signer(key.seed) : null;
  },
  publicKey(key: PrivateKey): PublicKey | null {
    if (key.kind !== 'ed25519' || key.seed.length !== KEY_LENGTH) return null;
    return { kind: 'ed25519', key: ed25519.getPublicKey(key.seed) };
  },
};

/** Ed25519. */
export const ed25519Part: ProviderPart = { signatures: { ed25519: nobleEd25519 } };
