/**
 * What the commands print: results on stdout, as text or as JSON lines, notes and the live timeline on stderr.
 *
 * Law: whatever came from a peer was made printable before it gets here; a reader that has gone away (EPIPE) is the
 * end of the work, not a crash.
 */
import type { SessionKey } from '../engine/events.js';
import { formatSession } from '../adapters/address.js';
import { wantsColour } from './colour.js';
import { describeDatagram, timelineRow } from './timeline.js';

/** Fields of a JSON line. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export class Terminal {
  readonly #json: boolean;
  readonly #startedAt = performance.now();
  readonly #colour: boolean = wantsColour(process.stderr);
  #wayWidth = 0;

  /** `json`: events are JSON lines. */
  constructor(json: boolean) {
    this.#json = json;
  }

  /** An event: a JSON line with `fields`, or `text` as a line (`null`: no line). */
  event(name: string, fields: Fields, text: string | null): void {
    if (this.#json) this.#print(JSON.stringify({ event: name, ms: Number(this.#elapsed().toFixed(3)), ...fields }));
    else if (text !== null) this.#print(text);
  }

  /** A line for the person, on stderr. */
  note(text: string): void {
    process.stderr.write(`microdtls: ${text}\n`);
  }

  /** A datagram, on stderr. */
  datagram(direction: 'in' | 'out', session: SessionKey, datagram: Uint8Array): void {
    const way = `${direction === 'out' ? '→' : '←'} ${formatSession(session)}`;
    this.#wayWidth = Math.max(this.#wayWidth, way.length);
    const passage = { atMs: this.#elapsed(), direction, way, bytes: datagram.length, what: describeDatagram(datagram) };
    process.stderr.write(`${timelineRow(passage, this.#wayWidth, this.#colour)}\n`);
  }

  #print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  #elapsed(): number {
    return performance.now() - this.#startedAt;
  }
}
