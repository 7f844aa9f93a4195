/**
 * Puts a context into each state of its tables, with a scripted peer on the other side, so that any message can
 * come next in sequence. Answers of the host stay open where the state waits for one.
 */
import * as assert from 'uvu/assert';
import type { PskInfoType } from '../../lib/index.js';
import { writeHelloVerifyRequest, writeServerHello } from '../../lib/message/hello.js';
import { writePskClientKeyExchange, writePskServerKeyExchange } from '../../lib/message/keyexchange.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import {
  clientFlight, establish, establishClient, fetchCookie, HONEST, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone,
} from '../support/scripted.js';

/** Bytes of the first fragment of a ClientHello in two: it ends after the cookie. */
export const FIRST_PART = 70;

/** A context in some state. The peer's next message has the message_seq that the context waits for. */
export interface Place {
  readonly rig: Rig;
  readonly peer: ScriptedPeer;
  /** Answers the question that is open. */
  readonly answer: () => Promise<void>;
}

interface Bench {
  readonly rig: Rig;
  readonly answer: () => Promise<void>;
}

/** A context whose host leaves the question `open` unanswered until `answer` is called. */
export function bench(open?: PskInfoType): Bench {
  let answer: () => void = () => {};
  const rig = new Rig({}, {
    getPskInfo: (_, __, type, description) => {
      const bytes = type === 'hint' ? null : type === 'identity' ? IDENTITY : equal(description, IDENTITY) ? KEY : null;
      return type === open ? new Promise((resolve) => (answer = () => resolve(bytes))) : bytes;
    },
  });
  return { rig, answer: async () => (answer(), await settled()) };
}

/** Lets promises settle. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

function client(open?: PskInfoType): Place {
  const { rig, answer } = bench(open);
  const peer = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  toServerFlight(rig, peer);
  return { rig, peer, answer };
}

function server(open?: PskInfoType): Place {
  const { rig, answer } = bench(open);
  return { rig, peer: new ScriptedPeer('client'), answer };
}

/** How a context gets into each state of the client's table. */
export const CLIENT_PLACES: Readonly<Record<string, () => Place>> = {
  waitServerHello: () => client(),
  waitPskServerKeyExchange: () => {
    const place = client();
    place.rig.feed(SERVER, place.peer.serverHello());
    return place;
  },
  waitPskServerHelloDone: () => {
    const place = client();
    place.rig.feed(SERVER, join(place.peer.serverHello(), place.peer.serverKeyExchange(text('hint'))));
    return place;
  },
  askPskIdentity: () => toClientQuestion('identity'),
  askPskKey: () => toClientQuestion('key'),
  waitFinished: () => {
    const place = client();
    place.rig.feed(SERVER, join(place.peer.serverHello(), place.peer.serverHelloDone()));
    takeClientFlight(place.peer, place.rig.takeSent());
    return place;
  },
  connected: () => {
    const { rig, answer } = bench();
    return { rig, answer, peer: establishClient(rig) };
  },
};

function toClientQuestion(open: PskInfoType): Place {
  const place = client(open);
  place.rig.feed(SERVER, join(place.peer.serverHello(), place.peer.serverHelloDone()));
  return place;
}

/** How a context gets into each state of the server's table. */
export const SERVER_PLACES: Readonly<Record<string, () => Place>> = {
  waitClientHello: () => {
    const place = server();
    const { rig, peer } = place;
    fetchCookie(rig, peer);
    const body = peer.clientHelloBody();
    const first = peer.fragment(1, body.subarray(0, FIRST_PART), { messageSeq: peer.messageSeq, length: body.length });
    rig.feed(CLIENT, peer.record(22, first));
    return place;
  },
  askPskHint: () => {
    const place = server('hint');
    fetchCookie(place.rig, place.peer);
    place.rig.feed(CLIENT, place.peer.clientHello());
    return place;
  },
  waitPskClientKeyExchange: () => {
    const place = server();
    toServerHelloDone(place.rig, place.peer);
    return place;
  },
  askPskKey: () => toServerKey('key'),
  waitFinished: () => toServerKey(),
  connected: () => {
    const { rig, answer } = bench();
    return { rig, answer, peer: establish(rig) };
  },
};

function toServerKey(open?: PskInfoType): Place {
  const place = server(open);
  toServerHelloDone(place.rig, place.peer);
  const [keyExchange] = clientFlight(place.peer);
  // Finished was built to derive the keys only: the next message takes its number.
  place.peer.messageSeq--;
  place.peer.transcript.pop();
  place.peer.sequences[1] = 0;
  place.rig.feed(CLIENT, keyExchange);
  return place;
}

/** Puts a context into `state` and makes sure that it is there, with nothing left in its lists. */
export function enter(role: 'client' | 'server', state: string): Place {
  const place = (role === 'client' ? CLIENT_PLACES : SERVER_PLACES)[state]!();
  assert.is(stateOf(place.rig, role === 'client' ? SERVER : CLIENT), state);
  place.rig.takeSent();
  place.rig.events.length = 0;
  return place;
}

/** A well-formed body for every type that has a grammar, some bytes for the others. */
export function bodyOf(peer: ScriptedPeer, type: number): Uint8Array {
  switch (type) {
    case 0:
    case 14:
      return new Uint8Array(0);
    case 1:
      return peer.clientHelloBody();
    case 2:
      return writeServerHello({
        version: 0xfefd, random: peer.serverRandom, sessionId: new Uint8Array(0), cipherSuite: peer.suite.id, compressionMethod: 0, extensions: HONEST,
      });
    case 3:
      return writeHelloVerifyRequest({ version: 0xfeff, cookie: text('another cookie') });
    case 12:
      return writePskServerKeyExchange(text('hint'));
    case 16:
      return writePskClientKeyExchange(IDENTITY);
    case 20:
      return peer.verifyData(peer.role);
    default:
      return Uint8Array.from([0, 0, 1, 0]);
  }
}
