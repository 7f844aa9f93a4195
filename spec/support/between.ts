/**
 * Somebody between two contexts who edits what they say in the clear, headers made to fit.
 */
import { readClientHello, readServerHello, writeClientHello, writeServerHello, type ClientHello, type ServerHello } from '../../lib/message/hello.js';
import { ContentType, HandshakeType } from '../../lib/wire/registry.js';
import { CLIENT, equal, join, SERVER, type Rig } from './rig.js';

export interface Edit {
  readonly client?: (hello: ClientHello) => ClientHello;
  readonly server?: (hello: ServerHello) => ServerHello;
  /** Another body for any other message; null: it stays. */
  readonly message?: (type: number, body: Uint8Array) => Uint8Array | null;
}

/** The client connects, and both talk until neither has anything to say. Returns whether anything was changed on the way. */
export function between(client: Rig, server: Rig, edit: Edit): boolean {
  client.context.connect(SERVER);
  let changed = false;
  const pass = (bytes: Uint8Array): Uint8Array => {
    const passed = edited(bytes, edit);
    changed ||= !equal(passed, bytes);
    return passed;
  };
  for (let round = 0; round < 4; round++) {
    for (const bytes of client.takeSent()) server.feed(CLIENT, pass(bytes));
    for (const bytes of server.takeSent()) client.feed(SERVER, pass(bytes));
  }
  return changed;
}

/** The datagram with the messages of its plain records edited. Each stands whole in a record of its own. */
function edited(datagram: Uint8Array, edit: Edit): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0; at < datagram.length; ) {
    const end = at + 13 + ((datagram[at + 11]! << 8) | datagram[at + 12]!);
    const record = datagram.slice(at, end);
    const plain = record[0] === ContentType.handshake && record[4] === 0;
    records.push(plain ? withBody(record, bodyOf(record[13]!, record.slice(25), edit)) : record);
    at = end;
  }
  return join(...records);
}

function bodyOf(type: number, body: Uint8Array, { client, server, message }: Edit): Uint8Array | null {
  if (type === HandshakeType.clientHello) return client === undefined ? null : writeClientHello(client(readClientHello(body)));
  if (type === HandshakeType.serverHello) return server === undefined ? null : writeServerHello(server(readServerHello(body)));
  return message?.(type, body) ?? null;
}

function withBody(record: Uint8Array, body: Uint8Array | null): Uint8Array {
  if (body === null) return record;
  const head = record.slice(0, 25);
  const size = body.length;
  head.set([(size + 12) >> 8, (size + 12) & 255], 11);
  for (const at of [14, 22]) head.set([0, size >> 8, size & 255], at);
  return join(head, body);
}
