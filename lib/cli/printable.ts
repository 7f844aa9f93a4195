/**
 * Bytes of a peer as text for people: as they are where they are valid, printable UTF-8, else `hex:…`.
 *
 * Law: no control character, no escape sequence and no mark that turns the writing direction reaches a terminal, and
 * what is printed says which bytes it was: text that begins with `hex:` is printed as hex too.
 */
import { asText } from '../adapters/psk.js';

/** Control, format, private, unassigned, line separators; the joiners that emoji and some scripts need are spared. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
const HARMLESS = /[\t\u200c\u200d]/g;
const LINE_BREAKS = /[\r\n]/g;

/** The text of `bytes`, or `hex:` and their digits. `multiline`: line breaks count as printable (JSON escapes them). */
export function printable(bytes: Uint8Array, multiline: boolean = false): string {
  const text = asText(bytes);
  if (text !== null && !text.startsWith('hex:')) {
    const rest = text.replace(HARMLESS, '');
    if (!UNPRINTABLE.test(multiline ? rest.replace(LINE_BREAKS, '') : rest)) return text;
  }
  return `hex:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
}

/** As `printable`, for a datagram that is shown as one line: the line break at its end is not shown. */
export function printableLine(bytes: Uint8Array): string {
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === 0x0a) end -= end > 1 && bytes[end - 2] === 0x0d ? 2 : 1;
  return printable(bytes.subarray(0, end));
}
