/**
 * Puts a context into each state of its tables, with a scripted peer on the other side, so that any message can
 * come next in sequence: with pre-shared keys here, with public keys in certified.ts. Answers of the host stay open
 * where the state waits for one.
 */
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { composeProvider, type Provider } from '../../lib/crypto/provider.js';
import { ECDHE_PSK_SUITES, type DtlsOptions, type PskInfoType } from '../../lib/index.js';
import { writeHelloVerifyRequest } from '../../lib/message/hello.js';
import { CertifiedPeer } from '../support/certified.js';
import { EcdhePskPeer } from '../support/ephemeral.js';
import { stateOf } from '../support/inside.js';
import { remembering } from '../support/remembering.js';
import { CLIENT, equal, IDENTITY, join, KEY, Rig, SERVER, text } from '../support/rig.js';
import { establish, fetchCookie, ScriptedPeer, takeClientFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';

/** Bytes of the first fragment of a ClientHello in two: it ends after the cookie. */
export const FIRST_PART = 70;

/** A context in some state. The peer's next message has the message_seq that the context waits for. */
export interface Place {
  readonly rig: Rig;
  readonly peer: ScriptedPeer;
  /** Answers the question that is open. */
  readonly answer: () => Promise<void>;
}

/** How a context gets into each state of its table. */
export type Places<P extends Place = Place> = Readonly<Record<string, () => P>>;
export type PlaceTable<P extends Place = Place> = Readonly<Record<'client' | 'server', Places<P>>>;

interface Bench {
  readonly rig: Rig;
  readonly answer: () => Promise<void>;
}

/** An exchange with pre-shared keys: how its states and its messages differ from those of the other. */
interface PreShared {
  /** What its states are called. */
  readonly name: 'Psk' | 'EcdhePsk';
  readonly options: DtlsOptions;
  readonly peer: (role: 'client' | 'server') => ScriptedPeer;
}

/** A context whose host leaves the question `open` unanswered until `answer` is called. */
function bench({ options }: PreShared, open?: PskInfoType): Bench {
  let answer: () => void = () => {};
  const rig = new Rig(options, {
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

function clientPlaces(exchange: PreShared): Places {
  const { name } = exchange;
  const client = (open?: PskInfoType): Place => {
    const { rig, answer } = bench(exchange, open);
    const peer = exchange.peer('server');
    rig.context.connect(SERVER);
    toServerFlight(rig, peer);
    return { rig, peer, answer };
  };
  // Only plain PSK may leave ServerKeyExchange out (RFC 4279 §2).
  const flight = (peer: ScriptedPeer): Uint8Array => {
    return join(peer.serverHello(), ...(name === 'Psk' ? [] : [peer.serverKeyExchange(text('hint'))]), peer.serverHelloDone());
  };
  const toQuestion = (open: PskInfoType): Place => {
    const place = client(open);
    place.rig.feed(SERVER, flight(place.peer));
    return place;
  };
  const toFinished = (): Place => {
    const place = client();
    place.rig.feed(SERVER, flight(place.peer));
    takeClientFlight(place.peer, place.rig.takeSent());
    return place;
  };
  return {
    waitServerHello: () => client(),
    [`wait${name}ServerKeyExchange`]: () => {
      const place = client();
      place.rig.feed(SERVER, place.peer.serverHello());
      return place;
    },
    [`wait${name}ServerHelloDone`]: () => {
      const place = client();
      place.rig.feed(SERVER, join(place.peer.serverHello(), place.peer.serverKeyExchange(text('hint'))));
      return place;
    },
    [`ask${name}Identity`]: () => toQuestion('identity'),
    [`ask${name}Key`]: () => toQuestion('key'),
    waitFinished: toFinished,
    connected: () => {
      const place = toFinished();
      place.rig.feed(SERVER, join(place.peer.changeCipherSpec(), place.peer.finished()));
      return place;
    },
  };
}

function serverPlaces(exchange: PreShared): Places {
  const { name } = exchange;
  const server = (open?: PskInfoType): Place => {
    const { rig, answer } = bench(exchange, open);
    return { rig, peer: exchange.peer('client'), answer };
  };
  const toKey = (open?: PskInfoType): Place => {
    const place = server(open);
    toServerHelloDone(place.rig, place.peer);
    const keyExchange = place.peer.clientKeyExchange();
    place.peer.deriveKeys();
    place.rig.feed(CLIENT, keyExchange);
    return place;
  };
  return {
    waitClientHello: () => halfHello(server()),
    [`ask${name}Hint`]: () => {
      const place = server('hint');
      fetchCookie(place.rig, place.peer);
      place.rig.feed(CLIENT, place.peer.clientHello());
      return place;
    },
    [`wait${name}ClientKeyExchange`]: () => {
      const place = server();
      toServerHelloDone(place.rig, place.peer);
      return place;
    },
    [`ask${name}Key`]: () => toKey('key'),
    waitFinished: () => toKey(),
    connected: () => {
      const place = server();
      establish(place.rig, place.peer);
      return place;
    },
  };
}

/** A server that holds the first fragment of a ClientHello. */
export function halfHello<P extends Place>(place: P): P {
  const { rig, peer } = place;
  fetchCookie(rig, peer);
  const body = peer.clientHelloBody();
  const first = peer.fragment(1, body.subarray(0, FIRST_PART), { messageSeq: peer.messageSeq, length: body.length });
  rig.feed(CLIENT, peer.record(22, first));
  return place;
}

const { ec } = nativeProvider.signatures;
/** The platform's, every public-key operation once, with signatures that draw nothing: the same bytes in every run. */
export const CRYPTO: Provider = remembering(composeProvider('native', nativeProvider, {
  signatures: { ...nativeProvider.signatures, ec: { ...ec!, signer: (key) => nobleProvider.signatures.ec!.signer(key) } },
}));
const PSK: PreShared = { name: 'Psk', options: {}, peer: (role) => new ScriptedPeer(role) };
const ECDHE_PSK: PreShared = {
  name: 'EcdhePsk',
  options: { crypto: CRYPTO, cipherSuites: ECDHE_PSK_SUITES },
  peer: (role) => new EcdhePskPeer(role, { crypto: CRYPTO }),
};

export const PSK_PLACES: PlaceTable = { client: clientPlaces(PSK), server: serverPlaces(PSK) };
export const ECDHE_PSK_PLACES: PlaceTable = { client: clientPlaces(ECDHE_PSK), server: serverPlaces(ECDHE_PSK) };

/** Puts a context into `state` (with a pre-shared key by default) and makes sure that it is there, with nothing left in its lists. */
export function enter(role: 'client' | 'server', state: string): Place;
export function enter<P extends Place>(role: 'client' | 'server', state: string, table: PlaceTable<P>): P;
export function enter(role: 'client' | 'server', state: string, table: PlaceTable = PSK_PLACES): Place {
  const place = table[role][state]!();
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
      return untraced(peer, () => peer.serverHello());
    case 3:
      return writeHelloVerifyRequest({ version: 0xfeff, cookie: text('another cookie') });
    case 12:
      return untraced(peer, () => (peer instanceof CertifiedPeer ? peer.serverKeyExchange() : peer.serverKeyExchange(text('hint'))));
    case 16:
      return untraced(peer, () => peer.clientKeyExchange());
    case 20:
      return peer.verifyData(peer.role);
  }
  if (peer instanceof CertifiedPeer) {
    if (type === 11) return peer.certificateBody();
    if (type === 13) return untraced(peer, () => peer.certificateRequest());
    if (type === 15) return untraced(peer, () => peer.certificateVerify());
  }
  return Uint8Array.from([0, 0, 1, 0]);
}

/** The body of a message that a peer builds and never sends. */
function untraced(peer: ScriptedPeer, build: () => Uint8Array): Uint8Array {
  const { messageSeq, transcript } = peer;
  const [sequence] = peer.sequences;
  peer.transcript = [...transcript];
  const record = build();
  [peer.messageSeq, peer.transcript, peer.sequences[0]] = [messageSeq, transcript, sequence!];
  return record.slice(25);
}
