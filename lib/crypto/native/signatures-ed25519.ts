/**
 * Which Ed25519 public keys the native provider takes. Node and Bun take any 32 bytes, Deno any canonical encoding of
 * a point: a key of small order, under which anything verifies, passes on all of them, and so does on two of them a
 * key in a second encoding, which makes one signature valid under two keys.
 *
 * Law: the same keys as noble's strict decoding (RFC 8032 §5.1.3) without points of small order. Public data only, so
 * BigInt is safe here; it costs about as much as one verification.
 */

const P = /* @__PURE__ */ (() => 2n ** 255n - 19n)();

/** d of the curve −x² + y² = 1 + d·x²·y² (RFC 8032 §5.1). */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/** The y coordinates of the eight points of small order: orders 1, 2, 4 and, twice, 8. */
const SMALL_ORDER: readonly bigint[] = /* @__PURE__ */ (() => [
  1n,
  P - 1n,
  0n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  P - 2707385501144840649318225287225658788936804267575313519463743609750303402022n,
])();

/** Whether 32 bytes are the canonical encoding of a point of the curve that is not of small order. */
export function isEd25519Key(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  let y = 0n;
  for (let i = 31; i >= 0; i--) y = (y << 8n) | BigInt(i === 31 ? key[i]! & 0x7f : key[i]!);
  if (y >= P || SMALL_ORDER.includes(y)) return false;
  // x² = (y² − 1) / (d·y² + 1) has a root if the product of the two is a square. It is not 0: y ≠ ±1, and −1/d is no square.
  const square = (y * y) % P;
  return isSquare(((square - 1n) * (D * square + 1n)) % P);
}

/** Euler's criterion: v^((p − 1) / 2) = 1, with (p − 1) / 2 = 2^254 − 10. */
function isSquare(v: bigint): boolean {
  const v2 = (v * v) % P;
  const v4 = (v2 * v2) % P;
  const v8 = (v4 * v4) % P;
  let power = v8;
  for (let i = 3; i < 254; i++) power = (power * power) % P;
  return power === (v8 * v2) % P;
}
