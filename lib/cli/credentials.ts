/**
 * Keys from the command line, from a file, from the environment: `IDENTITY:KEY`, each part text or `hex:` with digits.
 *
 * Law: no message repeats what was given, for it may be the key.
 */
import { asText, type PskCredential } from '../adapters/psk.js';
import { readInput } from './files.js';
import { UsageError } from './usage.js';

/** The variable that is looked at if no key is given otherwise. */
const KEY_VARIABLE = 'MICRODTLS_PSK';

/** Where keys come from. */
export interface KeySources {
  /** Values of --psk, in order. */
  readonly given: readonly string[];
  /** Values of --psk-file, in order. */
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Every key that is given, those on the command line first. Throws a UsageError. Without any key it is one too, which
 * ends with `otherwise`, the other way to go; null: there need be none.
 */
export function readCredentials({ given, files, environment }: KeySources, otherwise: string | null = ''): PskCredential[] {
  const credentials = given.map((text) => parseCredential(text, '--psk'));
  for (const file of files) credentials.push(...parseLines(textOf(file), file));
  const variable = environment[KEY_VARIABLE];
  if (credentials.length === 0 && variable !== undefined) credentials.push(...parseLines(variable, KEY_VARIABLE));
  if (credentials.length > 0 || otherwise === null) return credentials;
  const ways = `no key: give --psk IDENTITY:KEY or --psk-file FILE, or set ${KEY_VARIABLE}=IDENTITY:KEY`;
  throw new UsageError(otherwise === '' ? ways : `${ways}; ${otherwise}`);
}

/** One `IDENTITY:KEY`. A key in hex ends the text as `:hex:DIGITS`; otherwise the last colon divides. */
export function parseCredential(text: string, where: string): PskCredential {
  const hex = /^(.+):hex:([^:]*)$/s.exec(text);
  const at = text.lastIndexOf(':');
  const [identity, key] = hex !== null ? [hex[1]!, fromHex(hex[2]!, `${where}: the key`)] : [text.slice(0, at), text.slice(at + 1)];
  if (at < 0) throw new UsageError(`${where}: a key is written IDENTITY:KEY, or IDENTITY:hex:DIGITS`);
  if (/^hex:[^:]*$/.test(text)) throw new UsageError(`${where}: the identity is missing: IDENTITY:hex:DIGITS`);
  if (identity.length === 0) throw new UsageError(`${where}: the identity is empty (if it should be, write hex::KEY)`);
  if (key.length === 0) throw new UsageError(`${where}: the key is empty`);
  return { identity: textOrHex(identity, `${where}: the identity`), key };
}

/** Text as it stands, or the bytes of `hex:DIGITS`. */
export function textOrHex(text: string, what: string): string | Uint8Array {
  return text.startsWith('hex:') ? fromHex(text.slice(4), what) : text;
}

/** The text of a file, without a byte order mark. What is not UTF-8 would become another key than the one meant. */
function textOf(file: string): string {
  const text = asText(readInput('--psk-file', file));
  if (text === null) throw new UsageError(`--psk-file: ${file} is no UTF-8 text (a key of any bytes is written IDENTITY:hex:DIGITS)`);
  return text.replace(/^\ufeff/, '');
}

/** Lines of `IDENTITY:KEY`; blank lines and lines that begin with # do not count. */
function parseLines(text: string, where: string): PskCredential[] {
  return text.split('\n').flatMap((line, index) => {
    const content = line.replace(/\r$/, '');
    if (content.trim() === '' || content.startsWith('#')) return [];
    return [parseCredential(content, `${where}:${index + 1}`)];
  });
}

function fromHex(digits: string, what: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new UsageError(`${what} is not an even number of hex digits`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
