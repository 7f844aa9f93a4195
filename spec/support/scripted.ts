/**
 * A peer that owns every key and follows no rules: it builds any record, message and fragment in any epoch, right or
 * wrong, and reads what the engine answers. It shares the codecs with the engine and nothing else: no state machine,
 * no timer, no reassembly beyond what a test needs.
 */
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { extendedMasterSecret, keyBlock, masterSecret, pskPremaster, verifyData } from '../../lib/crypto/prf12.js';
import type { CipherSuite } from '../../lib/crypto/suites.js';
import { writeHandshakeHeader } from '../../lib/message/handshake.js';
import {
  readHelloVerifyRequest, readServerHello, writeClientHello, writeHelloVerifyRequest, writeServerHello,
  type ClientHello, type ServerHello,
} from '../../lib/message/hello.js';
import { writePskClientKeyExchange, writePskServerKeyExchange } from '../../lib/message/keyexchange.js';
import { Protection12 } from '../../lib/record/protect12.js';
import { RecordWalk } from '../../lib/record/records.js';
import { writeRecordHeader } from '../../lib/record/header12.js';
import { PSK_AES_128_CCM_8 } from '../../lib/suites/psk.js';
import { ContentType, ExtensionType, HandshakeType, ProtocolVersion } from '../../lib/wire/registry.js';
import { CLIENT, IDENTITY, join, KEY, type Rig, SERVER } from './rig.js';
import { Random } from './random.js';
import type { Session } from '../../lib/index.js';

/** Extensions of an honest hello. */
export const HONEST: ReadonlyMap<number, Uint8Array> = new Map([
  [ExtensionType.renegotiationInfo, new Uint8Array([0])],
  [ExtensionType.extendedMasterSecret, new Uint8Array(0)],
]);

export interface Received {
  readonly type: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly messageSeq: number;
  readonly offset: number;
  readonly length: number;
  readonly body: Uint8Array;
}

export interface ReceivedAlert {
  readonly epoch: number;
  readonly level: number;
  readonly description: number;
}

export interface RecordOptions {
  readonly epoch?: number;
  readonly sequence?: number;
  readonly version?: number;
  /** Seal with these keys; by default epoch 0 is plain and other epochs take the derived keys. */
  readonly protection?: Protection12 | null;
}

export interface MessageOptions {
  readonly messageSeq?: number;
  /** Claimed length of the whole message. */
  readonly length?: number;
  readonly offset?: number;
  /** Claimed length of the fragment. */
  readonly fragmentLength?: number;
}

export interface ScriptedOptions {
  readonly suite?: CipherSuite;
  readonly psk?: Uint8Array;
  readonly identity?: Uint8Array;
  readonly extendedMasterSecret?: boolean;
  readonly seed?: number;
}

export class ScriptedPeer {
  readonly role: 'client' | 'server';
  readonly suite: CipherSuite;
  readonly psk: Uint8Array;
  readonly identity: Uint8Array;
  readonly useExtendedMasterSecret: boolean;
  readonly random: Random;
  clientRandom: Uint8Array;
  serverRandom: Uint8Array;
  cookie: Uint8Array = new Uint8Array(0);
  /** Next record number by epoch. */
  readonly sequences: number[] = [0, 0, 0, 0];
  /** Next message_seq. */
  messageSeq = 0;
  /** Raw messages of the handshake hash, 12-byte headers and all. */
  transcript: Uint8Array[] = [];
  /** Keys of epoch 1, once derived. */
  write: Protection12 | null = null;
  read: Protection12 | null = null;
  master: Uint8Array = new Uint8Array(0);
  /** What came in. */
  readonly messages: Received[] = [];
  readonly alerts: ReceivedAlert[] = [];
  readonly data: Uint8Array[] = [];
  changeCipherSpecs = 0;
  /** Protected records that our keys could not open. */
  undecryptable = 0;

  constructor(role: 'client' | 'server', options: ScriptedOptions = {}) {
    this.role = role;
    this.suite = options.suite ?? PSK_AES_128_CCM_8;
    this.psk = options.psk ?? KEY;
    this.identity = options.identity ?? IDENTITY;
    this.useExtendedMasterSecret = options.extendedMasterSecret ?? true;
    this.random = new Random(options.seed ?? 99);
    this.clientRandom = this.random.bytes(32);
    this.serverRandom = this.random.bytes(32);
  }

  // Building.

  /** One record. Epoch 0 in the clear; other epochs under the derived keys. */
  record(type: number, body: Uint8Array, options: RecordOptions = {}): Uint8Array {
    const epoch = options.epoch ?? 0;
    const sequence = options.sequence ?? this.sequences[epoch]!++;
    const version = options.version ?? ProtocolVersion.dtls12;
    const protection = options.protection !== undefined ? options.protection : epoch === 0 ? null : this.write;
    const out = new Uint8Array(13 + body.length + 64);
    let length = body.length;
    if (protection === null) out.set(body, 13);
    else length = protection.seal(out, 13, type, epoch, sequence, body);
    writeRecordHeader(out, 0, type, version, epoch, sequence, length);
    return out.slice(0, 13 + length);
  }

  /** One handshake fragment (by default the whole message), not yet in a record. Takes the next message_seq by default. */
  fragment(type: number, body: Uint8Array, options: MessageOptions = {}): Uint8Array {
    const out = new Uint8Array(12 + body.length);
    writeHandshakeHeader(
      out, 0, type, options.length ?? body.length, options.messageSeq ?? this.messageSeq++,
      options.offset ?? 0, options.fragmentLength ?? body.length,
    );
    out.set(body, 12);
    return out;
  }

  /** A whole message in a record of `epoch`, noted in the transcript unless told otherwise. */
  message(type: number, body: Uint8Array, options: RecordOptions & MessageOptions & { readonly note?: boolean } = {}): Uint8Array {
    const messageSeq = options.messageSeq ?? this.messageSeq++;
    if (options.note !== false) this.note(type, messageSeq, body);
    return this.record(ContentType.handshake, this.fragment(type, body, { ...options, messageSeq }), options);
  }

  /** Adds a message to the handshake hash. */
  note(type: number, messageSeq: number, body: Uint8Array): void {
    const raw = new Uint8Array(12 + body.length);
    writeHandshakeHeader(raw, 0, type, body.length, messageSeq, 0, body.length);
    raw.set(body, 12);
    this.transcript.push(raw);
  }

  clientHelloBody(overrides: Partial<ClientHello> = {}): Uint8Array {
    return writeClientHello({
      version: ProtocolVersion.dtls12,
      random: this.clientRandom,
      sessionId: new Uint8Array(0),
      cookie: this.cookie,
      cipherSuites: new Uint8Array([this.suite.id >>> 8, this.suite.id & 0xff]),
      compressionMethods: new Uint8Array([0]),
      extensions: HONEST,
      ...overrides,
    });
  }

  /** A ClientHello record. Starts the transcript anew: only the hello that is answered with a ServerHello counts. */
  clientHello(overrides: Partial<ClientHello> = {}, options: RecordOptions & MessageOptions = {}): Uint8Array {
    this.transcript = [];
    return this.message(HandshakeType.clientHello, this.clientHelloBody(overrides), options);
  }

  helloVerifyRequest(cookie: Uint8Array, options: RecordOptions & MessageOptions = {}): Uint8Array {
    const body = writeHelloVerifyRequest({ version: ProtocolVersion.dtls10, cookie });
    return this.message(HandshakeType.helloVerifyRequest, body, { note: false, ...options });
  }

  serverHello(overrides: Partial<ServerHello> = {}, options: RecordOptions & MessageOptions = {}): Uint8Array {
    return this.message(HandshakeType.serverHello, writeServerHello({
      version: ProtocolVersion.dtls12,
      random: this.serverRandom,
      sessionId: new Uint8Array(0),
      cipherSuite: this.suite.id,
      compressionMethod: 0,
      extensions: HONEST,
      ...overrides,
    }), options);
  }

  serverKeyExchange(hint: Uint8Array, options: RecordOptions & MessageOptions = {}): Uint8Array {
    return this.message(HandshakeType.serverKeyExchange, writePskServerKeyExchange(hint), options);
  }

  serverHelloDone(options: RecordOptions & MessageOptions = {}): Uint8Array {
    return this.message(HandshakeType.serverHelloDone, new Uint8Array(0), options);
  }

  clientKeyExchange(identity: Uint8Array = this.identity, options: RecordOptions & MessageOptions = {}): Uint8Array {
    return this.message(HandshakeType.clientKeyExchange, writePskClientKeyExchange(identity), options);
  }

  changeCipherSpec(options: RecordOptions = {}): Uint8Array {
    return this.record(ContentType.changeCipherSpec, new Uint8Array([1]), options);
  }

  /** Our Finished over the transcript so far, in epoch 1 unless told otherwise. */
  finished(options: RecordOptions & MessageOptions = {}, body: Uint8Array = this.verifyData(this.role)): Uint8Array {
    return this.message(HandshakeType.finished, body, { epoch: 1, ...options });
  }

  applicationData(body: Uint8Array, options: RecordOptions = {}): Uint8Array {
    return this.record(ContentType.applicationData, body, { epoch: 1, ...options });
  }

  alert(level: number, description: number, options: RecordOptions = {}): Uint8Array {
    return this.record(ContentType.alert, new Uint8Array([level, description]), options);
  }

  // Keys.

  /** Derives the keys of epoch 1 from the transcript so far (which must end with ClientKeyExchange for EMS). */
  deriveKeys(premaster: Uint8Array = pskPremaster(this.psk)): void {
    const hash = nobleProvider.hashes[this.suite.hash]!;
    this.master = this.useExtendedMasterSecret
      ? extendedMasterSecret(hash, premaster, this.digest())
      : masterSecret(hash, premaster, this.clientRandom, this.serverRandom);
    const { keyLength, create } = nobleProvider.aeads[this.suite.aead]!;
    const ivLength = this.suite.nonceForm === 'explicit' ? 4 : 12;
    const block = keyBlock(hash.hmac(this.master), this.serverRandom, this.clientRandom, 2 * (keyLength + ivLength));
    const [client, server] = [0, 1].map((side) => new Protection12(
      create(block.slice(side * keyLength, (side + 1) * keyLength)),
      this.suite.nonceForm,
      block,
      2 * keyLength + side * ivLength,
    )) as [Protection12, Protection12];
    [this.write, this.read] = this.role === 'client' ? [client, server] : [server, client];
  }

  digest(): Uint8Array {
    const running = nobleProvider.hashes[this.suite.hash]!.start();
    for (const message of this.transcript) running.update(message);
    return running.digest();
  }

  verifyData(sender: 'client' | 'server'): Uint8Array {
    return verifyData(nobleProvider.hashes[this.suite.hash]!.hmac(this.master), sender, this.digest());
  }

  // Reading.

  /** Takes in datagrams of the engine: messages (fragments as they come), alerts, data. Does not touch the transcript. */
  take(...datagrams: readonly Uint8Array[]): Received[] {
    const before = this.messages.length;
    for (const datagram of datagrams) {
      const walk = new RecordWalk();
      walk.begin(datagram);
      while (walk.next()) this.#takeRecord(walk);
    }
    return this.messages.slice(before);
  }

  #takeRecord(walk: RecordWalk): void {
    let body = walk.datagram.slice(walk.start, walk.end);
    if (walk.epoch > 0) {
      const plain = new Uint8Array(20_000);
      const length = this.read?.open(plain, walk.type, walk.epoch, walk.sequence, walk.datagram, walk.start, walk.end) ?? -1;
      if (length < 0) {
        this.undecryptable++;
        return;
      }
      body = plain.slice(0, length);
    }
    if (walk.type === ContentType.handshake) this.#takeFragments(body, walk.epoch, walk.sequence);
    else if (walk.type === ContentType.alert) this.alerts.push({ epoch: walk.epoch, level: body[0]!, description: body[1]! });
    else if (walk.type === ContentType.applicationData) this.data.push(body);
    else if (walk.type === ContentType.changeCipherSpec) this.changeCipherSpecs++;
  }

  #takeFragments(body: Uint8Array, epoch: number, sequence: number): void {
    for (let at = 0; at + 12 <= body.length; ) {
      const u24 = (i: number): number => (body[at + i]! << 16) | (body[at + i + 1]! << 8) | body[at + i + 2]!;
      const fragmentLength = u24(9);
      const messageSeq = (body[at + 4]! << 8) | body[at + 5]!;
      const content = body.slice(at + 12, at + 12 + fragmentLength);
      this.messages.push({ type: body[at]!, epoch, sequence, messageSeq, offset: u24(6), length: u24(1), body: content });
      at += 12 + fragmentLength;
    }
  }

  /** The newest message of `type`, which must have come whole. */
  latest(type: number): Received {
    const found = [...this.messages].reverse().find((message) => message.type === type);
    if (found === undefined) throw new Error(`no message of type ${type} came`);
    return found;
  }
}

/** A client that has its cookie: sends the first hello, reads the HelloVerifyRequest. */
export function fetchCookie(rig: Rig, client: ScriptedPeer, session: Session = CLIENT, hello: Partial<ClientHello> = {}): void {
  rig.feed(session, client.clientHello(hello));
  client.take(...rig.takeSent());
  client.cookie = readHelloVerifyRequest(client.latest(HandshakeType.helloVerifyRequest).body).cookie;
}

/** Goes on to ServerHelloDone: cookie, second hello, server flight taken into the transcript. */
export function toServerHelloDone(rig: Rig, client: ScriptedPeer, session: Session = CLIENT): void {
  fetchCookie(rig, client, session);
  rig.feed(session, client.clientHello());
  takeServerFlight(client, rig.takeSent());
}

/** Notes the server's flight in the client's transcript. */
export function takeServerFlight(client: ScriptedPeer, datagrams: readonly Uint8Array[]): void {
  for (const { type, messageSeq, body } of client.take(...datagrams)) {
    if (type === HandshakeType.serverHello) client.serverRandom = readServerHello(body).random.slice();
    client.note(type, messageSeq, body);
  }
}

/** The client's last flight as records: ClientKeyExchange, ChangeCipherSpec, Finished. Derives the keys. */
export function clientFlight(client: ScriptedPeer): [Uint8Array, Uint8Array, Uint8Array] {
  const keyExchange = client.clientKeyExchange();
  client.deriveKeys();
  return [keyExchange, client.changeCipherSpec(), client.finished()];
}

/** A complete handshake of a scripted client with the server in `rig`. The client then reads the server's Finished. */
export function establish(rig: Rig, client: ScriptedPeer = new ScriptedPeer('client'), session: Session = CLIENT): ScriptedPeer {
  toServerHelloDone(rig, client, session);
  rig.feed(session, join(...clientFlight(client)));
  client.take(...rig.takeSent());
  return client;
}

/** A complete handshake of the client in `rig` with a scripted server. */
export function establishClient(rig: Rig, server: ScriptedPeer = new ScriptedPeer('server'), session: Session = SERVER): ScriptedPeer {
  rig.context.connect(session);
  toServerFlight(rig, server, session);
  rig.feed(session, join(server.serverHello(), server.serverHelloDone()));
  takeClientFlight(server, rig.takeSent());
  rig.feed(session, join(server.changeCipherSpec(), server.finished()));
  return server;
}

/** Cookie exchange by a scripted server up to the client's second hello, noted in its transcript. */
export function toServerFlight(rig: Rig, server: ScriptedPeer, session: Session = SERVER): void {
  server.take(...rig.takeSent());
  rig.feed(session, server.helloVerifyRequest(server.random.bytes(20)));
  const [hello] = server.take(...rig.takeSent());
  if (hello === undefined || hello.type !== HandshakeType.clientHello) throw new Error('no second ClientHello came');
  server.clientRandom = hello.body.slice(2, 34);
  server.transcript = [];
  server.note(hello.type, hello.messageSeq, hello.body);
}

/** Notes ClientKeyExchange, derives the keys, opens and notes Finished. */
export function takeClientFlight(server: ScriptedPeer, datagrams: readonly Uint8Array[]): void {
  for (const datagram of datagrams) {
    const walk = new RecordWalk();
    walk.begin(datagram);
    while (walk.next()) {
      const one = datagram.slice(walk.start - 13, walk.end);
      for (const { type, messageSeq, body } of server.take(one)) {
        server.note(type, messageSeq, body);
        if (type === HandshakeType.clientKeyExchange) server.deriveKeys();
      }
    }
  }
}
