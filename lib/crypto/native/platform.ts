/**
 * What this platform can do, found out by trying: Bun has no ChaCha20-Poly1305, another may lack something else.
 *
 * Law: an algorithm is listed only if it keeps its word here: what it seals it opens, and a wrong tag it refuses.
 * What is not listed makes its suites unavailable; nothing falls back to JavaScript behind the application's back,
 * which can put noble's part beside these with `composeProvider` if that is what it wants.
 */
import type { AeadAlgorithm, AeadName, ProviderPart } from '../provider.js';

/** A part with those of `algorithms` that work. */
export function partOf(...algorithms: readonly AeadAlgorithm[]): ProviderPart {
  const aeads: Partial<Record<AeadName, AeadAlgorithm>> = {};
  for (const algorithm of algorithms) {
    if (works(algorithm)) aeads[algorithm.name] = algorithm;
  }
  return { aeads };
}

function works(algorithm: AeadAlgorithm): boolean {
  try {
    const aead = algorithm.create(new Uint8Array(algorithm.keyLength));
    const nonce = new Uint8Array(12);
    const aad = new Uint8Array(13);
    const text = new Uint8Array(20);
    const sealed = new Uint8Array(text.length + algorithm.tagLength);
    aead.seal(sealed, 0, nonce, aad, text);
    const opened = aead.open(text, 0, nonce, aad, sealed) === text.length && text.every((byte) => byte === 0);
    sealed[text.length]! ^= 1;
    const refused = aead.open(text, 0, nonce, aad, sealed) === -1;
    aead.wipe();
    return opened && refused;
  } catch {
    return false;
  }
}
