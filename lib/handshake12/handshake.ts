/**
 * One DTLS 1.2 handshake: what both roles know while it lasts, and the step that feeds it a message.
 *
 * Law: all secrets of the handshake stand here and are wiped with it; the world is reached through `Out` alone.
 */
import type { Hash, Provider } from '../crypto/provider.js';
import type { KeyExchange } from '../crypto/suites.js';
import { Transcript } from '../flight/transcript.js';
import { handlerOf, type Answered, type Out, type StateTable } from '../handshake/machine.js';
import type { HandshakeParameters, Negotiated } from '../handshake/negotiate.js';
import type { Extensions } from '../message/extensions.js';
import { EMPTY, wipe } from '../wire/bytes.js';
import { invariant, LocalError } from '../wire/errors.js';
import { AlertDescription, HandshakeType } from '../wire/registry.js';

export type Table12 = StateTable<Handshake12>;

/** A key exchange with its behaviour: the rows it adds to both tables and the states they begin in. */
export interface KeyExchange12 extends KeyExchange {
  readonly clientRows: Table12;
  readonly serverRows: Table12;
  /** Client: the state after ServerHello. */
  afterServerHello(handshake: Handshake12): string;
  /** Server: begins after the ClientHello was accepted; returns the next state. */
  afterClientHello(handshake: Handshake12): string;
  /** What stands for the host's answer in the table: the answer, or what "none" means for this question. */
  answer(handshake: Handshake12, answered: Answered, bytes: Uint8Array | null): Uint8Array;
}

/** Who the peer proved to be. */
export interface Identity {
  readonly kind: 'psk';
  readonly identity: Uint8Array;
  readonly hint: Uint8Array;
}

export class Handshake12 {
  readonly role: 'client' | 'server';
  readonly parameters: HandshakeParameters;
  readonly provider: Provider;
  readonly out: Out;
  readonly transcript: Transcript = new Transcript();
  /** A key that stands in for one that does not exist, derived from the identity (RFC 4279 §2: hide which it was). */
  readonly standInKey: (identity: Uint8Array) => Uint8Array;
  readonly #table: Table12;

  state: string;
  /** Message_seq of the message being handled. */
  messageSeq = 0;
  clientRandom: Uint8Array = EMPTY;
  serverRandom: Uint8Array = EMPTY;
  /** Client: what was offered, to check the answer against. */
  offeredExtensions: Extensions = new Map();
  helloVerifyRequests = 0;
  negotiated: Negotiated | null = null;
  masterSecret: Uint8Array = EMPTY;
  pskHint: Uint8Array = EMPTY;
  pskIdentity: Uint8Array = EMPTY;
  /** Server: the identity is unknown and a stand-in key is in use. */
  unknownIdentity = false;
  identity: Identity | null = null;

  constructor(
    role: 'client' | 'server',
    table: Table12,
    parameters: HandshakeParameters,
    provider: Provider,
    out: Out,
    standInKey: (identity: Uint8Array) => Uint8Array,
  ) {
    this.role = role;
    this.#table = table;
    this.parameters = parameters;
    this.provider = provider;
    this.out = out;
    this.standInKey = standInKey;
    this.state = role === 'client' ? 'start' : 'waitClientHello';
  }

  /** Feeds a message, whole and in order, or an answer. Throws a PeerError or LocalError that ends the handshake. */
  step(type: number, messageSeq: number, body: Uint8Array): void {
    const handler = handlerOf(this.#table, this.state, type);
    this.messageSeq = messageSeq;
    if (isHashed(type)) this.transcript.add(type, messageSeq, body);
    this.state = handler(this, body);
  }

  /** Feeds the host's answer: `null` is "none". Throws as `step` does. */
  answer(answered: Answered, bytes: Uint8Array | null): void {
    this.step(answered, 0, this.keyExchange.answer(this, answered, bytes));
  }

  /** Sends a message as part of the flight and the transcript. */
  send(type: HandshakeType, body: Uint8Array): void {
    this.transcript.add(type, this.out.send(type, body), body);
  }

  /** The suite's key exchange with its behaviour. */
  get keyExchange(): KeyExchange12 {
    invariant(this.negotiated !== null, 'a suite is chosen before its key exchange is asked for');
    return this.negotiated.suite.keyExchange as KeyExchange12;
  }

  /** The suite's hash. */
  get hash(): Hash {
    invariant(this.negotiated !== null, 'a suite is chosen before its hash is asked for');
    const hash = this.provider.hashes[this.negotiated.suite.hash];
    if (hash === undefined) {
      throw new LocalError('ERR_DTLS_NO_PROVIDER', `the provider has no ${this.negotiated.suite.hash}`, AlertDescription.internalError);
    }
    return hash;
  }

  /** Overwrites the secrets. */
  wipe(): void {
    wipe(this.masterSecret);
    this.masterSecret = EMPTY;
    this.transcript.reset();
  }
}

/** HelloVerifyRequest and HelloRequest are never hashed; Finished is hashed by its handler, after it is verified. */
function isHashed(type: number): boolean {
  return (
    type < 0x100 &&
    type !== HandshakeType.helloVerifyRequest &&
    type !== HandshakeType.helloRequest &&
    type !== HandshakeType.finished
  );
}
