/**
 * What a stream of datagrams may lead to, found without the engine: which messages it really holds, and which data.
 *
 * A stream may connect its target only if every byte of every message that the target needs is in it, unaltered, in
 * its place and epoch, with a ChangeCipherSpec; and nothing may be read that the speaker's keys did not seal.
 */
import { fragments, open, type Recording } from './transcript.js';

export interface Verdict {
  /** Whether the stream holds everything that a complete handshake takes. */
  readonly complete: boolean;
  /** Authentic application data by record number; a number may stand for one of several. */
  readonly data: ReadonlyMap<number, readonly string[]>;
}

interface Raw {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly start: number;
  readonly end: number;
}

/** The records of a datagram, up to the first that does not fit. */
function* recordsOf(bytes: Uint8Array): IterableIterator<Raw> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 13 <= bytes.length; ) {
    const start = at + 13;
    const end = start + view.getUint16(at + 11);
    if (end > bytes.length) return;
    const sequence = view.getUint16(at + 5) * 2 ** 32 + view.getUint32(at + 7);
    yield { type: bytes[at]!, version: view.getUint16(at + 1), epoch: view.getUint16(at + 3), sequence, start, end };
    at = end;
  }
}

/** Looks through a stream. */
export function judge(recording: Recording, stream: readonly Uint8Array[]): Verdict {
  const present = recording.needed.map(({ body }) => new Uint8Array(Math.max(1, body.length)));
  const data = new Map<number, string[]>();
  let changed = false;
  for (const bytes of stream) {
    for (const { type, version, epoch, sequence, start, end } of recordsOf(bytes)) {
      if (version !== 0xfefd && !(epoch === 0 && version === 0xfeff)) continue;
      if (epoch > 1) continue;
      const body = epoch === 0 ? bytes.subarray(start, end) : open(recording.listener, bytes, type, sequence, start, end);
      if (body === null) continue;
      if (type === 20 && epoch === 0 && body.length === 1 && body[0] === 1) changed = true;
      if (type === 23 && epoch === 1) data.set(sequence, [...(data.get(sequence) ?? []), body.toString()]);
      if (type === 22) note(recording, present, body, epoch);
    }
  }
  return { complete: changed && present.every((bytes) => bytes.every((byte) => byte === 1)), data };
}

/** Marks which bytes of which needed message stand in a handshake record. */
function note({ needed }: Recording, present: readonly Uint8Array[], body: Uint8Array, epoch: number): void {
  for (const { at, type, length, messageSeq, offset, fragmentLength } of fragments(body)) {
    needed.forEach((message, index) => {
      if (message.type !== type || message.messageSeq !== messageSeq || message.epoch !== epoch || message.body.length !== length) return;
      if (length === 0) present[index]![0] = 1;
      for (let i = 0; i < fragmentLength; i++) {
        // What a HelloVerifyRequest says of the version means nothing (RFC 6347 §4.2.1).
        const means = type !== 3 || offset + i >= 2;
        if (!means || body[at + 12 + i] === message.body[offset + i]) present[index]![offset + i] = 1;
      }
    });
  }
}
