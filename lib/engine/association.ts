/**
 * One association in the making or in use: its handshake, flights, epochs, early records and deadline.
 *
 * Law: what only a handshake needs is let go when it is complete, so that an idle association is small; nothing here
 * calls the host, it only notes what is to be done (`building`, `question`, `completed`) for the engine to do last.
 */
import type { CipherSuite } from '../crypto/suites.js';
import { Budget } from '../flight/budget.js';
import { Flight } from '../flight/flight.js';
import { Reassembler } from '../flight/reassembler.js';
import { Answered, type Out, type Question } from '../handshake/machine.js';
import type { Handshake12, Identity } from '../handshake12/handshake.js';
import type { Protection12 } from '../record/protect12.js';
import { ReadEpoch, WriteEpoch } from '../record/epoch.js';
import { copyOf, getUint48 } from '../wire/bytes.js';
import { invariant } from '../wire/errors.js';
import type { HandshakeType } from '../wire/registry.js';
import type { Limits, Parameters } from './config.js';
import type { Cork } from './cork.js';
import type { Waiting } from './deadlines.js';
import type { Role } from './events.js';
import type { Peer } from './peer.js';

/** What an association needs only until it is complete. */
export interface Making {
  readonly handshake: Handshake12;
  readonly reassembler: Reassembler;
  readonly reassembly: Budget;
  readonly earlyBytes: Budget;
  readonly limits: Limits;
  /** Records that came before their keys or while an answer is awaited, copied whole. */
  early: Uint8Array[];
}

/** What an association draws from: the engine, which checks. */
export interface AssociationSources {
  random(length: number): Uint8Array;
  wallClock(): number;
}

export class Association implements Out, Waiting {
  readonly peer: Peer;
  readonly role: Role;
  readonly #sources: AssociationSources;
  /** The peer's own, or those that the host gave for a newcomer. */
  readonly parameters: Parameters;
  /** Null once the handshake is complete. */
  making: Making | null = null;

  deadlineAt = 0;
  deadlineIndex = -1;
  /** When the handshake began, later when it was complete. */
  since: number;
  released = false;
  /** Whether the host heard of the handshake: only then does it hear of its end. */
  announced = false;
  closing = false;

  /** Where application data waits for company; null when it does not. */
  cork: Cork | null = null;
  /** Epoch in use for sending. */
  write: WriteEpoch;
  /** Epoch 1 for receiving, once the peer's ChangeCipherSpec was seen. */
  read: ReadEpoch | null = null;
  #pendingWrite: Protection12 | null = null;
  #pendingRead: Protection12 | null = null;
  #nextMessageSeq: number;

  /** Messages that wait to be sent for the first time. */
  building: Flight | null = null;
  /** The flight that was sent last: retransmitted until it is answered. */
  flight: Flight | null = null;
  /** How often the flight was retransmitted by timer. */
  attempt = 0;
  /** Its datagrams are no larger than this, where its own losses say so and there is another association whose MTU stays. */
  mtu: number = Infinity;
  /** When the flight was last sent; when its resending was last triggered by the peer. */
  sentAt = 0;
  resentAt: number = -Infinity;
  /** How often the peer triggered it. */
  resends = 0;

  /** An open question; `asked` once the host knows it. The generation makes late answers harmless. */
  question: Question | null = null;
  asked = false;
  generation = 0;
  completed = false;
  /** Early records may be of use now. */
  earlyReady = false;
  /** Whether the ClientHello's whole cookie was checked (server). */
  cookieAccepted = false;
  /** A record came that our keys could not open: the peer may have another key. */
  undecryptable = false;
  /** Description of a plaintext alert that was not honoured, for the words of a later error; −1 for none. */
  rumouredAlert = -1;
  /** When a renegotiation was last refused. */
  refusedAt: number = -Infinity;

  suite: CipherSuite | null = null;
  identity: Identity | null = null;
  extendedMasterSecret = false;
  /** Part of the random of the ClientHello that made us (server), to know it when the network brings it again; −1 for none. */
  helloTag = -1;
  /** The message_seq of the peer's Finished: only its return triggers the last flight again. */
  peerFinishedSeq = -1;

  /** `firstSequence`, `messageSeq`: of the ClientHello for a server (RFC 6347 §4.2.1), 0 for a client. */
  constructor(
    peer: Peer, parameters: Parameters, role: Role, sources: AssociationSources, since: number, firstSequence: number, messageSeq: number,
  ) {
    this.peer = peer;
    this.parameters = parameters;
    this.role = role;
    this.#sources = sources;
    this.since = since;
    this.write = new WriteEpoch(0, null, firstSequence);
    this.#nextMessageSeq = messageSeq;
  }

  /** Begins the handshake; messages are expected from `messageSeq` on. */
  begin(handshake: Handshake12, messageSeq: number, limits: Limits): void {
    // Early records are anybody's: they must not keep the next message from being put together.
    const earlyBytes = new Budget(Math.floor(limits.maxHeldBytes / 4));
    const reassembly = new Budget(limits.maxHeldBytes - earlyBytes.limit);
    const reassembler = new Reassembler(messageSeq, limits, reassembly);
    this.making = { handshake, reassembler, reassembly, earlyBytes, limits, early: [] };
  }

  /** After a message: what the handshake keeps beyond its share is taken from reassembly. False if there is not so much. */
  makeRoom(): boolean {
    const { making } = this;
    return making === null || making.reassembler.lend(this.#keptBytes(making) - making.limits.maxKeptBytes);
  }

  #keptBytes({ handshake }: Making): number {
    const signing = this.question?.answer === Answered.signature ? this.question.message.length : 0;
    return handshake.heldBytes + signing;
  }

  /** Bytes held for the handshake, and of data that is corked. */
  get heldBytes(): number {
    const leaving = (this.flight?.heldBytes ?? 0) + (this.building?.heldBytes ?? 0) + (this.cork?.used ?? 0);
    if (this.making === null) return leaving;
    const { reassembly, earlyBytes } = this.making;
    return leaving + reassembly.held + earlyBytes.held + this.#keptBytes(this.making);
  }

  /** Keys of epoch 1 exist, whether or not the peer's ChangeCipherSpec was seen. */
  get hasReadKeys(): boolean {
    return this.read !== null || this.#pendingRead !== null;
  }

  /** The peer's ChangeCipherSpec. Before keys exist it means nothing (RFC 6347 §4.2.5; CVE-2014-0224). */
  changeCipherSpec(): boolean {
    if (this.#pendingRead === null) return false;
    this.read = new ReadEpoch(1, this.#pendingRead);
    this.#pendingRead = null;
    this.earlyReady = true;
    return true;
  }

  /** Keeps a copy of a record for later; false if it is beyond the bounds. */
  hold(record: Uint8Array): boolean {
    const { making } = this;
    if (making === null || making.early.length >= making.limits.maxEarlyRecords || !making.earlyBytes.take(record.length)) return false;
    making.early.push(copyOf(record));
    return true;
  }

  /** Takes the early records out of the buffer. */
  takeEarly(): Uint8Array[] {
    const { making } = this;
    if (making === null) return [];
    const { early } = making;
    making.early = [];
    for (const record of early) making.earlyBytes.give(record.length);
    return early;
  }

  // Out: what the handshake may do.

  send(type: HandshakeType, body: Uint8Array): number {
    const messageSeq = this.#nextMessageSeq++;
    (this.building ??= new Flight()).addMessage(this.write, type, messageSeq, body);
    return messageSeq;
  }

  sendChangeCipherSpec(): void {
    invariant(this.#pendingWrite !== null, 'ChangeCipherSpec comes after the keys');
    (this.building ??= new Flight()).addChangeCipherSpec(this.write);
    this.write = new WriteEpoch(1, this.#pendingWrite);
    this.#pendingWrite = null;
  }

  install(write: Protection12, read: Protection12): void {
    this.#pendingWrite = write;
    this.#pendingRead = read;
  }

  ask(question: Question): void {
    this.question = question;
    this.asked = false;
    this.generation++;
  }

  complete(): void {
    this.completed = true;
  }

  random(length: number): Uint8Array {
    return this.#sources.random(length);
  }

  wallClock(): number {
    return this.#sources.wallClock();
  }

  /** Lets go of everything that only the handshake needed; keeps what is known of the peer. */
  settle(now: number): void {
    const { making } = this;
    invariant(making !== null && making.handshake.negotiated !== null, 'a handshake is complete once');
    const { handshake, reassembler } = making;
    this.suite = making.handshake.negotiated.suite;
    this.extendedMasterSecret = making.handshake.negotiated.extendedMasterSecret;
    this.identity = handshake.identity;
    this.peerFinishedSeq = reassembler.next - 1;
    this.since = now;
    if (this.role === 'server') this.helloTag = getUint48(handshake.clientRandom, 26);
    reassembler.clear();
    handshake.wipe();
    this.making = null;
    // Who sent the last flight must be able to repeat it; for the other side the matter is closed.
    if (this.role === 'client') this.dropFlight();
    this.resends = 0;
    this.resentAt = -Infinity;
  }

  /** The flight will not be needed again. */
  dropFlight(): void {
    this.flight?.wipe();
    this.flight = null;
  }

  /** Overwrites every secret. */
  wipe(): void {
    this.released = true;
    this.question = null;
    this.generation++;
    this.takeEarly();
    this.making?.reassembler.clear();
    this.making?.handshake.wipe();
    this.making = null;
    this.building?.wipe();
    this.building = null;
    this.dropFlight();
    this.write.wipe();
    this.read?.wipe();
    this.#pendingWrite?.wipe();
    this.#pendingRead?.wipe();
    this.#pendingWrite = this.#pendingRead = null;
  }
}
