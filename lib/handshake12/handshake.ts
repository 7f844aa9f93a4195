/**
 * One DTLS 1.2 handshake: what both roles know while it lasts, and the step that feeds it a message.
 *
 * Law: all secrets of the handshake stand here and are wiped with it; the world is reached through `Out` alone.
 */
import type { GroupName, PublicKey } from '../crypto/keys.js';
import type { Hash, Hmac, KeyShare, Provider, Signer } from '../crypto/provider.js';
import type { KeyExchange } from '../crypto/suites.js';
import { Transcript } from '../flight/transcript.js';
import { CertificateType, type Choice, type Credential, type Shown, type Wishes } from '../handshake/authenticate.js';
import { Answered, handlerOf, type Out, type StateTable } from '../handshake/machine.js';
import type { Fit, HandshakeParameters, Negotiated } from '../handshake/negotiate.js';
import type { CertificateRequest } from '../message/certificate.js';
import type { Extensions } from '../message/extensions.js';
import type { ClientHello } from '../message/hello.js';
import { EMPTY } from '../wire/bytes.js';
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
  /** Client: adds what it has to say to the ClientHello's extensions. */
  offer(handshake: Handshake12, extensions: Map<number, Uint8Array>): void;
  /** Server: what the client accepts of a server that shows a credential. */
  wishes?(handshake: Handshake12, hello: ClientHello): Wishes;
  /** Server: how it fits this client, by what its hello offers and what there is to show. Notes what it would be done with. */
  fit(handshake: Handshake12, hello: ClientHello): Fit;
  /** Server: adds its answers to the ServerHello's extensions. */
  respond(handshake: Handshake12, extensions: Map<number, Uint8Array>): void;
  /** Client: reads the answers. */
  accept(handshake: Handshake12, extensions: Extensions): void;
}

/** Who the peer proved to be. Null where it showed nothing. */
export type Identity =
  | { readonly kind: 'psk'; readonly identity: Uint8Array; readonly hint: Uint8Array }
  | { readonly kind: 'rawKey'; readonly spki: Uint8Array }
  | { readonly kind: 'x509'; readonly chain: readonly Uint8Array[] };

/** What a handshake with public keys knows besides. */
export interface KeyMaterial {
  /** Server: a copy of the ClientHello while the host is asked. */
  clientHello: Uint8Array;
  /** Our ephemeral key pair, until it has agreed. */
  share: KeyShare | null;
  group: GroupName | null;
  /** The peer's public value, a copy. */
  peerShare: Uint8Array;
  /** What we show and sign with. */
  choice: Choice | null;
  /** Client: a Certificate that was not empty went out, so that CertificateVerify must follow. */
  sentChain: boolean;
  /** Negotiated kinds of certificates (RFC 7250): of ours and of the peer's. */
  ownType: CertificateType;
  peerType: CertificateType;
  /** Server: the client sent ec_point_formats. */
  pointFormats: boolean;
  /** Server: the parameters that are signed. */
  parameters: Uint8Array;
  /** The kinds of keys that the suite lets the server show. */
  peerKinds: readonly PublicKey['kind'][];
  /** Client: the server wants to know who we are. */
  request: CertificateRequest | null;
  /** What the peer showed, and its key once it is trusted. */
  shown: Shown | null;
  peerKey: PublicKey | null;
  /** What the host gave when asked; null before. */
  credentials: readonly Credential[] | null;
  /** Signers that were made of it, for this handshake alone. */
  signers: Signer[];
  /** Server: which certificate_type extensions the client sent, to answer them (1: its own, 2: ours). */
  sentTypes: number;
  /** Server: this client is asked to show something. */
  asks: boolean;
  /** Server: why no suite with certificates would do, where that is for the kinds of certificates; else empty. */
  noCommonType: string;
  /** Server: the name that the client asked for (RFC 6066 §3). */
  serverName: string | null;
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
  /** Keyed with the master secret, which stands nowhere else. */
  master: Hmac | null = null;
  pskHint: Uint8Array = EMPTY;
  pskIdentity: Uint8Array = EMPTY;
  /** Server: the identity is unknown and a stand-in key is in use. */
  unknownIdentity = false;
  identity: Identity | null = null;
  /** Public-key handshakes keep what they need here. */
  readonly keys: KeyMaterial = {
    clientHello: EMPTY, share: null, group: null, peerShare: EMPTY, choice: null, sentChain: false,
    ownType: CertificateType.x509, peerType: CertificateType.x509, request: null, shown: null, peerKey: null, credentials: null,
    signers: [], serverName: null, pointFormats: false, parameters: EMPTY, peerKinds: [], sentTypes: 0, asks: false, noCommonType: '',
  };

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
    const forKeyExchange = answered < Answered.credential;
    this.step(answered, 0, forKeyExchange ? this.keyExchange.answer(this, answered, bytes) : (bytes ?? EMPTY));
  }

  /** Sends a message as part of the flight and the transcript. */
  send(type: HandshakeType, body: Uint8Array): void {
    this.transcript.add(type, this.out.send(type, body), body);
  }

  /** The random of our own hello; empty before there is one. */
  get ownRandom(): Uint8Array {
    return this.role === 'client' ? this.clientRandom : this.serverRandom;
  }

  /** The suite's key exchange with its behaviour. */
  get keyExchange(): KeyExchange12 {
    invariant(this.negotiated !== null, 'a suite is chosen');
    return this.negotiated.suite.keyExchange as KeyExchange12;
  }

  /** The suite's hash. */
  get hash(): Hash {
    invariant(this.negotiated !== null, 'a suite is chosen');
    const hash = this.provider.hashes[this.negotiated.suite.hash];
    if (hash === undefined) {
      throw new LocalError('ERR_DTLS_NO_PROVIDER', `the provider has no ${this.negotiated.suite.hash}`, AlertDescription.internalError);
    }
    return hash;
  }

  /** Bytes kept until the handshake is over: messages, and what was copied out of them. */
  get heldBytes(): number {
    const { clientHello, shown, request } = this.keys;
    const copies = [clientHello, ...(shown?.chain ?? []), ...(request?.authorities ?? [])];
    return copies.reduce((held, { length }) => held + length, this.transcript.heldBytes);
  }

  /** Overwrites the secrets. */
  wipe(): void {
    this.keys.share?.wipe();
    this.keys.share = null;
    for (const signer of this.keys.signers.splice(0)) signer.wipe();
    this.master?.wipe();
    this.master = null;
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
