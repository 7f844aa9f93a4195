/**
 * PEM: DER as text between labelled lines (RFC 7468 §2, §3).
 *
 * Law: what stands between a BEGIN and its END is base64 in whole groups and nothing else but white space; text outside
 * of the blocks is allowed (RFC 7468 §5.2 has explanations there), but a source without any block is an error. No error
 * repeats what a block holds.
 */
import { ascii, latin1 } from '../wire/bytes.js';
import { isDerSequence } from '../wire/der.js';
import { decodeError, type PeerError } from '../wire/errors.js';
import { shown, unsupported } from './faults.js';

/** One block. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly label: string;
  readonly der: Uint8Array;
}

/** Text, or bytes that are either DER or the text as it was read from a file. */
export type PemSource = string | Uint8Array;

const BOUNDARY = /^-----(BEGIN|END) ([\x21-\x2c\x2e-\x7e](?:[- ]?[\x21-\x2c\x2e-\x7e])*)?-----[ \t]*$/;

/** The blocks of a PEM text, in order. Throws `decode_error` where there is none or one is broken. */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly line: number; readonly body: string[] } | null = null;
  // A byte order mark before the first line is no part of it.
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  for (const [index, line] of lines.entries()) {
    const number = index + 1;
    const [boundary, word, label = ''] = BOUNDARY.exec(line) ?? [];
    if (boundary === undefined) {
      if (line.startsWith('-----')) throw decodeError(`PEM line ${number} looks like a boundary and is none`);
      if (open !== null) open.body.push(bodyLine(line, number));
    } else if (word === 'BEGIN') {
      if (open !== null) throw decodeError(`PEM block "${open.label}" from line ${open.line} has no end before line ${number}`);
      open = { label: shown(label), line: number, body: [] };
    } else {
      if (open === null) throw decodeError(`PEM line ${number} ends a block that did not begin`);
      if (open.label !== shown(label)) throw decodeError(`PEM block "${open.label}" from line ${open.line} ends as "${shown(label)}"`);
      blocks.push({ label: open.label, der: decodeBase64(open.body.join(''), `PEM block "${open.label}" from line ${open.line}`) });
      open = null;
    }
  }
  if (open !== null) throw decodeError(`PEM block "${open.label}" from line ${open.line} has no end`);
  if (text.trim() === '') throw decodeError('it is empty');
  if (blocks.length === 0) throw decodeError('it holds no PEM block (no line "-----BEGIN …-----") and is no DER');
  return blocks;
}

/** The blocks of a source; DER is one block, labelled `label`. */
export function readBlocks(source: PemSource, label: string): PemBlock[] {
  if (typeof source === 'string') return readPem(source);
  if (isDerSequence(source)) return [{ label, der: source }];
  if (source[0] === 0x30 && source[1] !== undefined && source[1] >= 0x80) throw decodeError('it looks like DER and is cut off or has bytes too many');
  return readPem(latin1(source).replace(/^\u00ef\u00bb\u00bf/, ''));
}

/** A line of a block without its white space. */
function bodyLine(line: string, number: number): string {
  if (/^[A-Za-z][A-Za-z0-9-]*:/.test(line)) {
    if (/ENCRYPTED/.test(line)) throw encryptedKey();
    throw decodeError(`PEM line ${number} is a header, which RFC 7468 does not have`);
  }
  const body = line.replace(/[ \t\v\f]+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) throw decodeError(`PEM line ${number} holds a character that is not base64`);
  return body;
}

/** The error about a key that only a password would open. */
export function encryptedKey(): PeerError {
  return unsupported('the key is encrypted: decrypt it first (openssl pkey -in … -out …)');
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The bytes of base64 in whole, canonical groups (RFC 4648 §4, §3.5). */
export function decodeBase64(text: string, what: string): Uint8Array {
  const digits = text.replace(/={0,2}$/, '');
  const canonical = text.length % 4 === 0 && /^[A-Za-z0-9+/]*$/.test(digits) && digits.length % 4 !== 1;
  if (!canonical) throw decodeError(`${what} is no whole base64`);
  const values = new Uint8Array(128);
  for (let i = 0; i < ALPHABET.length; i++) values[ALPHABET.charCodeAt(i)] = i;
  const codes = ascii(digits);
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let bits = 0;
  let at = 0;
  for (let i = 0; i < codes.length; i++) {
    bits = ((bits << 6) | values[codes[i]!]!) & 0xff_ffff;
    const held = (i % 4) * 2;
    if (held > 0) bytes[at++] = bits >>> (6 - held);
  }
  if ((bits & ((1 << ((digits.length * 6) % 8)) - 1)) !== 0) throw decodeError(`${what} is no canonical base64`);
  return bytes;
}
