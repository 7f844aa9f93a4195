/**
 * Datagrams in words: what passes over the wire, as a timeline with direction, size and messages. Handshake messages
 * in the clear are named (RFC 6347 §4.2.2), what is encrypted is named by its content type.
 *
 * Law: only types, lengths and alert names are shown; whatever the bytes, describing them never throws.
 */
import { isAlert } from '../message/alert.js';
import { Fragment } from '../message/handshake.js';
import { RecordWalk } from '../record/records.js';
import { AlertDescription, AlertLevel, ContentType, HandshakeType, nameOf } from '../wire/registry.js';
import { paint } from './colour.js';

/** Parts of a description that are shown; a datagram may hold thousands of records. */
const MOST_PARTS = 12;

/** What a datagram holds, e.g. `ServerHello, ServerHelloDone` or `Certificate[0..100/700]`. */
export function describeDatagram(datagram: Uint8Array): string {
  const walk = new RecordWalk();
  const parts: string[] = [];
  walk.begin(datagram);
  while (walk.next()) describeRecord(walk, parts);
  if (walk.unread) parts.push(parts.length === 0 ? 'no DTLS 1.2 record' : 'a rest that is no record');
  if (datagram.length === 0) parts.push('empty');
  return joined(parts);
}

function describeRecord(record: RecordWalk, parts: string[]): void {
  const { datagram, type, epoch, start, end } = record;
  if (type === ContentType.handshake && epoch === 0) {
    describeHandshake(datagram, start, end, parts);
  } else if (type === ContentType.handshake) {
    parts.push('handshake (encrypted)');
  } else if (type === ContentType.changeCipherSpec) {
    parts.push('ChangeCipherSpec');
  } else if (type === ContentType.applicationData) {
    parts.push('application data');
  } else if (type === ContentType.alert && epoch === 0 && isAlert(datagram, start, end)) {
    const level = nameOf(AlertLevel, datagram[start]!);
    parts.push(`alert (${level} ${nameOf(AlertDescription, datagram[start + 1]!)})`);
  } else {
    const name = nameOf(ContentType, type);
    parts.push(/^\d/.test(name) ? `content type ${name}` : name);
  }
}

function describeHandshake(datagram: Uint8Array, start: number, end: number, parts: string[]): void {
  const fragment = new Fragment();
  for (let at = start; at < end || at === start; at = fragment.end) {
    if (!fragment.read(datagram, at, end)) {
      parts.push('handshake (malformed)');
      return;
    }
    const name = messageName(fragment.type);
    const { offset, length } = fragment;
    parts.push(fragment.whole ? name : `${name}[${offset}..${offset + fragment.end - fragment.start}/${length}]`);
  }
}

/** As the RFCs write it: `ClientHello`. */
function messageName(type: number): string {
  const name = Object.entries(HandshakeType).find(([, value]) => value === type)?.[0];
  return name === undefined ? `handshake type ${type}` : name[0]!.toUpperCase() + name.slice(1);
}

/** Parts in a row that are the same are counted. */
function joined(parts: readonly string[]): string {
  const runs: { part: string; count: number }[] = [];
  for (const part of parts) {
    const last = runs[runs.length - 1];
    if (last?.part === part) last.count++;
    else runs.push({ part, count: 1 });
  }
  const shown = runs.slice(0, MOST_PARTS).map(({ part, count }) => (count === 1 ? part : `${part} ×${count}`));
  return [...shown, ...(runs.length > MOST_PARTS ? ['…'] : [])].join(', ');
}

/** One datagram on its way. */
export interface Passage {
  /** Milliseconds since the timeline began. */
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  /** Between whom, with the arrow: `client → server`. */
  readonly way: string;
  readonly bytes: number;
  readonly what: string;
}

/** One aligned line of a timeline. `wayWidth`: the column of `way`. */
export function timelineRow({ atMs, direction, way, bytes, what }: Passage, wayWidth: number, colour: boolean): string {
  const time = paint('dim', `${atMs.toFixed(1).padStart(9)} ms`, colour);
  const arrow = paint(direction === 'out' ? 'cyan' : 'green', way.padEnd(wayWidth), colour);
  return `${time}  ${arrow}  ${paint('dim', `${String(bytes).padStart(5)} B`, colour)}  ${what}`;
}
