/**
 * Byte arithmetic on plain `Uint8Array`: big-endian numbers, constant-time comparison, wiping.
 *
 * Law: nothing here allocates except `concat`, `copyOf` and what turns text to bytes and back; nothing here knows a protocol.
 * 48-bit sequence numbers are doubles (exact up to 2^53): a BigInt would cost 24 bytes a record.
 */

/** A Buffer's own takes half as long again. */
const { fill } = Uint8Array.prototype;

/** The shared empty array. Never written to. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** Reads an unsigned 16-bit number at `at`. */
export function getUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Reads an unsigned 24-bit number at `at`. */
export function getUint24(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}

/** Reads an unsigned 32-bit number at `at`. */
export function getUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Reads an unsigned 48-bit number at `at` as a double. */
export function getUint48(bytes: Uint8Array, at: number): number {
  return getUint16(bytes, at) * 0x1_0000_0000 + getUint32(bytes, at + 2);
}

/** Writes the low 16 bits of `value` at `at`. */
export function putUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes the low 24 bits of `value` at `at`. */
export function putUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 16;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value;
}

/** Writes the low 32 bits of `value` at `at`. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes a 48-bit `value` (a double below 2^48) at `at`. */
export function putUint48(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  putUint16(bytes, at, high);
  putUint32(bytes, at + 2, value - high * 0x1_0000_0000);
}

/**
 * Whether `a` and `b` hold the same bytes, in time that depends on the lengths alone.
 * Unequal lengths are unequal, never an exception.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Overwrites `bytes` with zeros. Accepts nothing for convenience at clean-up. */
export function wipe(bytes: Uint8Array | null | undefined): void {
  if (bytes !== null && bytes !== undefined) fill.call(bytes, 0);
}

/** A fresh array that owns a copy of `bytes`. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

/** A fresh array with every part in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The bytes of an ASCII string (labels of the key schedule). */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Arguments of one call: an engine takes many, and not any number. */
const CALL = 4096;

/** One character a byte: a string that is equal for equal bytes, to look things up by, and ASCII as it is. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CALL) {
    const part = bytes.length <= CALL ? bytes : bytes.subarray(at, at + CALL);
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}
