/**
 * A client and a server of ours on one simulated network, and what came of their handshake.
 */
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, type DtlsHandler, type DtlsOptions } from '../../lib/index.js';
import { RecordWalk } from '../../lib/record/records.js';
import { Link, type LinkOptions, type Node } from './link.js';
import { text } from './rig.js';

export interface Pair {
  readonly link: Link;
  readonly client: Node;
  readonly server: Node;
}

/** Whether the specs run in full: all seeds, all schedules. */
export const FULL: boolean = process.env['MICRODTLS_FULL'] === '1';

/** A client `c` and a server `s`. The client has not begun yet. */
export function pair(network: LinkOptions = {}, options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}): Pair {
  const link = new Link(network);
  const client = link.add('c', options, handler);
  const server = link.add('s', options, handler);
  return { link, client, server };
}

/** Connects the client and lets everything happen that will. True if both sides have the association. */
export function handshake({ link, client, server }: Pair, limitMs?: number): boolean {
  client.context.connect('s');
  link.run(undefined, limitMs);
  return connected({ link, client, server });
}

/** Whether both sides have the association. */
export function connected({ client, server }: Pair): boolean {
  return client.context.getPeer('s')?.state === 'connected' && server.context.getPeer('c')?.state === 'connected';
}

/** When `node` heard of CONNECTED for the first time; Infinity if never. */
export function connectedAt(node: Node): number {
  return node.events.find(({ code }) => code === DTLS_EVENT_CONNECTED)?.at ?? Infinity;
}

/** Whether data goes both ways. */
export function echoes({ link, client, server }: Pair): boolean {
  const before = [client.reads.length, server.reads.length] as const;
  client.context.write('s', text('ping'));
  server.context.write('c', text('pong'));
  link.run();
  return server.reads.length === before[1] + 1 && client.reads.length === before[0] + 1;
}

/** Connects many sessions at once: all but one in 200 complete, nothing waits afterwards, and data goes where it is meant to. */
export function connectsMany({ link, client, server }: Pair, sessions: number): void {
  for (let i = 0; i < sessions; i++) client.context.connect(`s#${i}`);
  link.run();
  const complete = Array.from({ length: sessions }, (_, i) => i).filter(
    (i) => client.context.getPeer(`s#${i}`)?.state === 'connected' && server.context.getPeer(`c#${i}`)?.state === 'connected',
  );
  assert.ok(complete.length >= 0.995 * sessions, `${complete.length} of ${sessions}`);
  assert.is(client.context.stats().deadlines + server.context.stats().deadlines, 0);
  link.options = { reorder: 0.5 };
  for (const i of complete) client.context.write(`s#${i}`, text(`to s, path ${i}`));
  for (const i of complete) server.context.write(`c#${i}`, text(`to c, path ${i}`));
  link.run();
  const line = ({ from, bytes }: Node['reads'][number]): string => `${String(from)} ${new TextDecoder().decode(bytes)}`;
  assert.equal(server.reads.map(line).sort(), complete.map((i) => `c#${i} to s, path ${i}`).sort());
  assert.equal(client.reads.map(line).sort(), complete.map((i) => `s#${i} to c, path ${i}`).sort());
}

/** What a node still keeps for handshakes: all zero when nothing is under way. */
export function remains({ context }: Node): { halfOpen: number; heldBytes: number; deadlines: number } {
  const { halfOpen, heldBytes, deadlines } = context.stats();
  return { halfOpen, heldBytes, deadlines };
}

export const NOTHING = { halfOpen: 0, heldBytes: 0, deadlines: 0 } as const;

/** The records of a datagram, each for itself. */
export function records(datagram: Uint8Array): Uint8Array[] {
  const walk = new RecordWalk();
  const found: Uint8Array[] = [];
  for (walk.begin(datagram); walk.next(); ) found.push(datagram.slice(walk.headerStart, walk.end));
  return found;
}
