/**
 * The extensions block of hello messages (RFC 5246 §7.4.1.4): a map from type to body.
 *
 * Law: a type that stands twice is refused; what a body means is the business of whoever looks it up.
 */
import { PeerError } from '../wire/errors.js';
import type { Reader } from '../wire/reader.js';
import { AlertDescription } from '../wire/registry.js';
import type { Writer } from '../wire/writer.js';

/** Extension bodies by type, in the order of the message. Bodies are views. */
export type Extensions = ReadonlyMap<number, Uint8Array>;

const NONE: Extensions = new Map();

/** Reads the optional block at the end of a hello: nothing left means no extensions. */
export function readExtensions(reader: Reader): Extensions {
  if (reader.left === 0) return NONE;
  const block = reader.sub16();
  const extensions = new Map<number, Uint8Array>();
  while (block.left > 0) {
    const type = block.uint16();
    if (extensions.has(type)) {
      throw new PeerError('ERR_DTLS_DECODE', AlertDescription.illegalParameter, `extension ${type} stands twice`);
    }
    extensions.set(type, block.vector16());
  }
  return extensions;
}

/** Writes the block, or nothing at all for no extensions. */
export function writeExtensions(writer: Writer, extensions: Extensions): void {
  if (extensions.size === 0) return;
  const block = writer.open16();
  for (const [type, body] of extensions) writer.uint16(type).vector16(body);
  writer.close16(block);
}
