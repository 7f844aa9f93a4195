/**
 * Bytes as a key of a Map: one character a byte. For look-ups only, never shown.
 */

/** A string that is equal for equal bytes. */
export function byteKey(bytes: Uint8Array): string {
  let key = '';
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i]!);
  return key;
}
