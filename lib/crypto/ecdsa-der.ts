/**
 * The one reader of ECDSA signatures: Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 8422 §5.4,
 * RFC 3279 §2.2.3) in DER (X.690 §8.3, §10.1). Every provider asks it first, so none is laxer than the others.
 *
 * Law: exactly one encoding of each pair is taken. No long-form length where the short form does, no leading zeros
 * beyond the sign, no negative number, nothing after `s`, nothing after the sequence. Whether r and s are in 1 … n − 1
 * is for the curve arithmetic to say.
 */

/**
 * r ‖ s, each big-endian and `size` bytes long, or null if `der` is anything but the DER of two non-negative
 * integers of at most `size` bytes.
 */
export function readEcdsaSignature(der: Uint8Array, size: number): Uint8Array | null {
  if (der.length < 2 || der[0] !== 0x30) return null;
  // The content is at most 2 × (2 + 1 + 66) bytes, so a long form has one byte, and needs it.
  const long = der[1] === 0x81;
  const start = long ? 3 : 2;
  const length = long ? der[2]! : der[1]!;
  if ((long ? length < 0x80 : length >= 0x80) || der.length !== start + length) return null;
  const pair = new Uint8Array(2 * size);
  const middle = readInteger(der, start, pair, 0, size);
  return middle > 0 && readInteger(der, middle, pair, size, size) === der.length ? pair : null;
}

/** Copies the INTEGER at `der[at…]` to the end of `out[to, to + size)`. Returns where it ends, or 0 if it is not well-formed. */
function readInteger(der: Uint8Array, at: number, out: Uint8Array, to: number, size: number): number {
  if (at + 3 > der.length || der[at] !== 0x02) return 0;
  const length = der[at + 1]!;
  const start = at + 2;
  const end = start + length;
  if (length === 0 || length >= 0x80 || end > der.length || der[start]! >= 0x80) return 0;
  const padded = length > 1 && der[start] === 0;
  if (padded && der[start + 1]! < 0x80) return 0;
  const number = der.subarray(padded ? start + 1 : start, end);
  if (number.length > size) return 0;
  out.set(number, to + size - number.length);
  return end;
}
