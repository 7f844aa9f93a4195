/**
 * Lines of an input as bytes: without their line break, the last one with or without it.
 *
 * Law: bytes stay as they are (no decoding); what is longer than a record takes is never collected.
 */
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { MAX_PLAINTEXT } from '../record/header12.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Bytes of a line that fit a record. */
export const MAX_LINE: number = MAX_PLAINTEXT;

/**
 * Calls `take` for each line, with `null` for one that is too long. Resolves at the end of input, also when `input` is
 * destroyed. Between two lines the event loop gets a turn, so that answers are heard while a file is sent.
 */
export async function eachLine(input: Readable, take: (line: Uint8Array | null) => void): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let tooLong = false;
  const deliver = (line: Buffer): void => {
    const end = line[line.length - 1] === RETURN ? line.length - 1 : line.length;
    take(tooLong || end > MAX_LINE ? null : line.subarray(0, end));
    tooLong = false;
  };
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        deliver(Buffer.concat([rest, chunk.subarray(from, at)]));
        rest = Buffer.alloc(0);
        from = at + 1;
        await setImmediate();
        if (input.readableAborted) return;
      }
      rest = Buffer.concat([rest, chunk.subarray(from)]);
      if (rest.length > MAX_LINE + 1) {
        tooLong = true;
        rest = Buffer.alloc(0);
      }
    }
  } catch {
    // The input was destroyed, or cannot be read: its end either way.
    return;
  }
  if (rest.length > 0 || tooLong) deliver(rest);
}
