/**
 * ClientHellos as raw datagrams, without a peer behind them: for floods, where each session is worth one look only.
 */
import { writeHandshakeHeader } from '../../lib/message/handshake.js';
import { readHelloVerifyRequest, writeClientHello, type ClientHello } from '../../lib/message/hello.js';
import { writeRecordHeader } from '../../lib/record/header12.js';
import type { SessionAddress } from '../../lib/index.js';
import type { Rig } from '../support/rig.js';
import { HONEST } from '../support/scripted.js';

const NONE = new Uint8Array(0);

export interface Place {
  /** Number of the record. */
  readonly sequence?: number;
  readonly messageSeq?: number;
}

/** The body of an honest ClientHello of the suite that every peer has, or of what `fields` say. */
export function helloBody(fields: Partial<ClientHello> = {}): Uint8Array {
  return writeClientHello({
    version: 0xfefd,
    random: new Uint8Array(32).fill(7),
    sessionId: NONE,
    cookie: NONE,
    cipherSuites: new Uint8Array([0xc0, 0xa8]),
    compressionMethods: new Uint8Array([0]),
    extensions: HONEST,
    ...fields,
  });
}

/** The fragment `body[from, to)` of a ClientHello in a record of its own. */
export function helloFragment(body: Uint8Array, from: number, to: number, { sequence = 0, messageSeq = 0 }: Place = {}): Uint8Array {
  const out = new Uint8Array(25 + to - from);
  writeRecordHeader(out, 0, 22, 0xfefd, 0, sequence, 12 + to - from);
  writeHandshakeHeader(out, 13, 1, body.length, messageSeq, from, to - from);
  out.set(body.subarray(from, to), 25);
  return out;
}

/** A whole ClientHello in a datagram of its own. */
export function hello(fields: Partial<ClientHello> = {}, place: Place = {}): Uint8Array {
  const body = helloBody(fields);
  return helloFragment(body, 0, body.length, place);
}

/** The smallest legal ClientHello: one suite, no extensions. */
export function smallestHello(fields: Partial<ClientHello> = {}): Uint8Array {
  return hello({ extensions: new Map(), ...fields });
}

/** The cookie in a datagram that is a HelloVerifyRequest; throws for any other. */
export function cookieIn(datagram: Uint8Array | undefined): Uint8Array {
  if (datagram === undefined || datagram[13] !== 3) throw new Error('no HelloVerifyRequest came');
  return readHelloVerifyRequest(datagram.subarray(25)).cookie.slice();
}

/** Sends a hello from `session` and returns it with the cookie it was answered with: a second hello that is let in. */
export function provenHello(rig: Rig, session: SessionAddress | string, fields: Partial<ClientHello> = {}): Uint8Array {
  rig.takeSent();
  rig.feed(session, hello(fields));
  return hello({ ...fields, cookie: cookieIn(rig.takeSent()[0]) }, { sequence: 1, messageSeq: 1 });
}

/** The `index`-th of many addresses. */
export function address(index: number, port: number = 5000): SessionAddress {
  return { address: `10.${(index >>> 16) & 0xff}.${(index >>> 8) & 0xff}.${index & 0xff}`, port };
}
