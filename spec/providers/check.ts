/**
 * What the neutral checks are made of: no test framework, no platform, so that any runtime can run them.
 */

/** One named check: `run` throws if it fails. */
export interface Check {
  readonly name: string;
  run(): void;
}

/** Throws unless `condition` holds. */
export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Throws unless both hold the same bytes. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const same = actual.length === expected.length && expected.every((byte, index) => byte === actual[index]);
  if (!same) throw new Error(`${what}:\n  got  ${toHex(actual)}\n  want ${toHex(expected)}`);
}

/** Throws unless `act` throws an error with this code. */
export function throwsCode(code: string, act: () => unknown, what: string): void {
  try {
    act();
  } catch (error) {
    const found = error instanceof Error && 'code' in error ? error.code : String(error);
    ensure(found === code, `${what}: threw ${String(found)}, not ${code}`);
    return;
  }
  throw new Error(`${what}: did not throw`);
}

/** The bytes of a hexadecimal text; blanks are for the eye. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

/** Bytes in hexadecimal, cut short where they are many. */
export function toHex(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 200)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length > 200 ? `${shown}… (${bytes.length} bytes)` : shown;
}

/** `length` bytes that look random and are always the same for one `seed` (a linear congruential generator). */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** The same bytes at an odd address, where no word can be read at once. */
export function unaligned(bytes: Uint8Array, offset: number = 1): Uint8Array {
  const larger = new Uint8Array(bytes.length + offset);
  larger.set(bytes, offset);
  return larger.subarray(offset);
}
