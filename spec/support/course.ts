/**
 * Honest handshakes that stop wherever a spec wants them to, beside a bystander that must never notice.
 *
 * A `Course` is one handshake of the context under test with a scripted peer, walked message by message; its `role`
 * is that of the context. A `Bench` holds the context and looks at what a datagram changed.
 *
 * Law: every look at the engine is through its public face; `conclude` holds the standing post-conditions of every
 * case: nothing was thrown, other sessions still echo, and everything held is given back.
 */
import * as assert from 'uvu/assert';
import {
  DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, fatalAlert, type DtlsHandler, type DtlsOptions, type Session, type SessionAddress,
} from '../../lib/index.js';
import { readHelloVerifyRequest, writeHelloVerifyRequest, writeServerHello, type ClientHello, type ServerHello } from '../../lib/message/hello.js';
import { writePskClientKeyExchange, writePskServerKeyExchange } from '../../lib/message/keyexchange.js';
import { ContentType, HandshakeType, ProtocolVersion } from '../../lib/wire/registry.js';
import { Rig, text } from './rig.js';
import { HONEST, ScriptedPeer, takeClientFlight, takeServerFlight, type MessageOptions, type ScriptedOptions } from './scripted.js';

export type Role = 'client' | 'server';

/** Where a course can stop: the last honest message that the context got (or, for `clientHello`, sent). */
export const STAGES = {
  server: ['idle', 'helloVerified', 'helloDone', 'keyExchanged', 'changed', 'established'],
  client: ['clientHello', 'helloVerified', 'serverHello', 'hint', 'helloDone', 'changed', 'established'],
} as const;
export type Stage = (typeof STAGES)[Role][number];

/** Both roles, for loops. */
export const ROLES: readonly Role[] = ['server', 'client'];

/** The stages in which a handshake is on its way: the context keeps something for it. */
export const UNDER_WAY: Readonly<Record<Role, readonly Stage[]>> = {
  server: ['helloDone', 'keyExchanged', 'changed'],
  client: ['clientHello', 'helloVerified', 'serverHello', 'hint', 'helloDone', 'changed'],
};

/** The type that stands for ChangeCipherSpec among message types. */
export const CHANGE_CIPHER_SPEC = -1;

const ORDER: Readonly<Record<Role, readonly number[]>> = {
  server: [
    HandshakeType.clientHello, HandshakeType.clientHello, HandshakeType.clientKeyExchange, CHANGE_CIPHER_SPEC, HandshakeType.finished,
  ],
  client: [
    HandshakeType.helloVerifyRequest, HandshakeType.serverHello, HandshakeType.serverKeyExchange, HandshakeType.serverHelloDone,
    CHANGE_CIPHER_SPEC, HandshakeType.finished,
  ],
};

/** A message of the scripted peer, honest unless a spec says otherwise. */
export interface Upcoming {
  readonly type: number;
  readonly epoch: number;
  readonly messageSeq: number;
  readonly body: Uint8Array;
}

export interface CourseOptions extends ScriptedOptions {
  /** Fields of the ClientHello that differ (the context is the server). */
  readonly hello?: Partial<ClientHello>;
  /** Fields of the ServerHello that differ (the context is the client). */
  readonly serverHello?: Partial<ServerHello>;
  /** The hint of the scripted server's ServerKeyExchange. */
  readonly hint?: Uint8Array;
}

/** What must not change when a datagram is dropped. */
export interface Snapshot {
  readonly sent: number;
  readonly reads: number;
  readonly events: number;
  readonly halfOpen: number;
  readonly established: number;
  readonly heldBytes: number;
  readonly deadlines: number;
  readonly nextDeadline: number;
  readonly state: string;
}

/** What came of one datagram. */
export interface Outcome {
  /** `drop`, `alert N` (fatal, sent), or `other`. */
  readonly kind: string;
  readonly sent: readonly Uint8Array[];
}

export class Bench {
  readonly rig: Rig;
  readonly bystander: Course;
  readonly #sessions: SessionAddress[] = [];
  readonly #baseline: Snapshot;

  constructor(options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}) {
    this.rig = new Rig(options, handler);
    this.bystander = new Course(this, 'server', { address: '198.51.100.7', port: 7 });
    this.bystander.to('established').echo();
    this.#baseline = this.snapshot(this.bystander.session);
  }

  /** A new handshake, at its beginning, from a session of its own. */
  course(role: Role, options: CourseOptions = {}): Course {
    const session = { address: '192.0.2.1', port: 10_000 + this.#sessions.length };
    this.#sessions.push(session);
    return new Course(this, role, session, options);
  }

  /** What `drops` compares. */
  snapshot(session: Session): Snapshot {
    const { context, sent, reads, events } = this.rig;
    const { halfOpen, established, heldBytes, deadlines } = context.stats();
    const nextDeadline = context.checkRetransmit();
    const state = context.getPeer(session)?.state ?? 'none';
    return { sent: sent.length, reads: reads.length, events: events.length, halfOpen, established, heldBytes, deadlines, nextDeadline, state };
  }

  /** Records and datagrams dropped so far, for whatever reason. */
  get dropped(): number {
    return Object.values(this.rig.context.stats().dropped).reduce((sum, count) => sum + count, 0);
  }

  /** DROP: the datagram changes nothing but a drop counter. */
  drops(session: Session, datagram: Uint8Array, why: string = ''): void {
    const before = this.snapshot(session);
    const dropped = this.dropped;
    assert.is(this.rig.feed(session, datagram), 0, why);
    assert.equal(this.snapshot(session), before, why);
    if (datagram.length > 0) assert.ok(this.dropped > dropped, `not counted: ${why}`);
  }

  /** ALERT(description): one fatal alert written, one event, the session released. */
  alerts(course: Course, datagram: Uint8Array, description: number, why: string = ''): void {
    const events = this.rig.events.length;
    const outcome = this.outcome(course, datagram);
    assert.is(outcome.kind, `alert ${description}`, why);
    assert.is(outcome.sent.length, 1, why);
    const heard = this.rig.events.slice(events).filter(({ code }) => code !== DTLS_EVENT_CONNECT);
    assert.equal(heard.map(({ level, code }) => [level, code]), [[2, description]], why);
    assert.is(this.rig.context.getPeer(course.session), undefined, why);
  }

  /** Feeds a datagram and says what came of it, without an opinion. What was sent is taken in by the scripted peer. */
  outcome(course: Course, datagram: Uint8Array): Outcome {
    const before = this.snapshot(course.session);
    const alerts = course.peer.alerts.length;
    const code = this.rig.feed(course.session, datagram);
    const after = this.snapshot(course.session);
    const sent = this.takeFrom(course.session);
    course.peer.take(...sent);
    const [alert] = course.peer.alerts.slice(alerts).filter(({ level }) => level === 2);
    if (alert !== undefined) {
      assert.is(code, fatalAlert(alert.description));
      return { kind: `alert ${alert.description}`, sent };
    }
    assert.is(code, 0);
    return { kind: JSON.stringify(before) === JSON.stringify(after) ? 'drop' : 'other', sent };
  }

  /** What was sent to `session` since the last call. Nothing may have gone anywhere else. */
  takeFrom(session: Session): Uint8Array[] {
    const sent = this.rig.sent.splice(0);
    for (const { session: to } of sent) assert.is(addressOf(to), addressOf(session));
    return sent.map(({ bytes }) => bytes);
  }

  /** Standing post-conditions: no callback threw, others still echo, and after close and timeouts nothing is left. */
  conclude(): void {
    const { rig, bystander } = this;
    assert.equal(rig.errors, []);
    rig.sent.length = 0;
    bystander.echo();
    for (const session of this.#sessions) rig.context.close(session);
    rig.runOut();
    rig.sent.length = 0;
    const { halfOpen, established, heldBytes, deadlines, nextDeadline } = this.snapshot(bystander.session);
    assert.equal({ halfOpen, established, heldBytes, deadlines, nextDeadline }, {
      halfOpen: 0, established: this.#baseline.established, heldBytes: this.#baseline.heldBytes, deadlines: 0, nextDeadline: 0,
    });
    bystander.echo();
  }
}

export class Course {
  readonly bench: Bench;
  readonly role: Role;
  readonly session: SessionAddress;
  readonly options: CourseOptions;
  readonly peer: ScriptedPeer;
  #step = 0;
  #echoes = 0;

  constructor(bench: Bench, role: Role, session: SessionAddress, options: CourseOptions = {}) {
    this.bench = bench;
    this.role = role;
    this.session = session;
    this.options = options;
    this.peer = new ScriptedPeer(role === 'server' ? 'client' : 'server', { seed: session.port, ...options });
    if (role === 'server') return;
    assert.is(bench.rig.context.connect(session), 1);
    this.peer.take(...this.taken());
  }

  get stage(): Stage {
    return STAGES[this.role][this.#step]!;
  }

  /** The next honest message, which is not spent by looking at it. */
  get upcoming(): Upcoming {
    const { peer, role } = this;
    const type = ORDER[role][this.#step]!;
    const epoch = type === HandshakeType.finished ? 1 : 0;
    return { type, epoch, messageSeq: peer.messageSeq, body: this.#body(type) };
  }

  /** What the engine sent to this session. */
  taken(): Uint8Array[] {
    return this.bench.takeFrom(this.session);
  }

  /** A record of `message`, or of other bytes in its place. Spends nothing of the handshake but a record number. */
  record(message: Upcoming, body: Uint8Array = message.body): Uint8Array {
    const { peer } = this;
    if (message.type === CHANGE_CIPHER_SPEC) return peer.record(ContentType.changeCipherSpec, body);
    return peer.record(ContentType.handshake, peer.fragment(message.type, body, { messageSeq: message.messageSeq }), { epoch: message.epoch });
  }

  /** Records of its own for each piece `[from, to)` of `message`. */
  fragments(message: Upcoming, pieces: readonly (readonly [number, number])[]): Uint8Array[] {
    return pieces.map(([from, to]) => this.piece(message, from, to));
  }

  /** A record with the bytes `[from, to)` of `message` and whatever lies its header is to tell. */
  piece(message: Upcoming, from: number, to: number, lies: MessageOptions & { readonly type?: number } = {}): Uint8Array {
    const { peer } = this;
    const { type, body, messageSeq, epoch } = message;
    const fragment = peer.fragment(lies.type ?? type, body.slice(from, to), { messageSeq, length: body.length, offset: from, ...lies });
    return peer.record(ContentType.handshake, fragment, { epoch });
  }

  /** The next honest message is on its way: it counts for the transcript, whatever the spec makes of its bytes. */
  commit(): Upcoming {
    const { peer } = this;
    const message = this.upcoming;
    this.#step++;
    if (message.type === CHANGE_CIPHER_SPEC) return message;
    peer.messageSeq++;
    if (message.type === HandshakeType.clientHello) peer.transcript = [];
    if (message.type !== HandshakeType.helloVerifyRequest) peer.note(message.type, message.messageSeq, message.body);
    if (message.type === HandshakeType.clientKeyExchange) peer.deriveKeys();
    return message;
  }

  /** Takes the engine's answer to the message that was committed last. */
  settle(): void {
    const { peer, stage } = this;
    const sent = this.taken();
    if (this.role === 'server') {
      if (stage === 'helloVerified') {
        peer.take(...sent);
        peer.cookie = readHelloVerifyRequest(peer.latest(HandshakeType.helloVerifyRequest).body).cookie;
      } else if (stage === 'helloDone') {
        takeServerFlight(peer, sent);
      } else if (stage === 'established') {
        peer.take(...sent);
        assert.equal(peer.latest(HandshakeType.finished).body, peer.verifyData('server'));
      } else {
        assert.is(sent.length, 0);
      }
    } else if (stage === 'helloVerified') {
      const [hello] = peer.take(...sent);
      assert.is(hello?.type, HandshakeType.clientHello);
      peer.clientRandom = hello!.body.slice(2, 34);
      peer.transcript = [];
      peer.note(hello!.type, hello!.messageSeq, hello!.body);
    } else if (stage === 'helloDone') {
      takeClientFlight(peer, sent);
    } else {
      assert.is(sent.length, 0);
    }
  }

  /** One honest step. */
  go(): void {
    const record = this.record(this.commit());
    assert.is(this.bench.rig.feed(this.session, record), 0);
    this.settle();
  }

  /** Honest steps up to `stage`. */
  to(stage: Stage): this {
    while (this.stage !== stage) this.go();
    return this;
  }

  /** How often the host heard CONNECTED of this session. */
  get connected(): number {
    const own = this.bench.rig.events.filter(({ session }) => addressOf(session) === addressOf(this.session));
    return own.filter(({ level, code }) => level === 0 && code === DTLS_EVENT_CONNECTED).length;
  }

  /** LIVE: the honest handshake completes (if it had not) and data goes both ways, once. */
  live(why: string = ''): void {
    const connected = this.stage === 'established' ? this.connected : this.connected + 1;
    this.to('established');
    assert.is(this.bench.rig.context.getPeer(this.session)?.state, 'connected', why);
    assert.is(this.connected, connected, why);
    this.echo();
  }

  /** LIVE after the end of this course: a new handshake on the same session completes. */
  anew(): Course {
    const course = new Course(this.bench, this.role, this.session, this.options);
    course.live();
    return course;
  }

  /** One record each way, each delivered once. */
  echo(): void {
    const { rig } = this.bench;
    const ping = text(`ping ${this.#echoes}`);
    const pong = text(`pong ${this.#echoes++}`);
    const reads = rig.reads.length;
    const { dropped } = this.bench;
    assert.is(rig.feed(this.session, this.peer.applicationData(ping)), 0);
    assert.is(this.bench.dropped, dropped, 'an honest record was counted as dropped');
    assert.equal(rig.reads.slice(reads).map(({ session, bytes }) => [addressOf(session), bytes]), [[addressOf(this.session), ping]]);
    assert.is(rig.context.write(this.session, pong), pong.length);
    const data = this.peer.data.length;
    this.peer.take(...this.taken());
    assert.equal(this.peer.data.slice(data), [pong]);
  }

  #body(type: number): Uint8Array {
    const { peer, options } = this;
    switch (type) {
      case CHANGE_CIPHER_SPEC: return new Uint8Array([1]);
      case HandshakeType.clientHello: return peer.clientHelloBody(options.hello);
      case HandshakeType.helloVerifyRequest: return writeHelloVerifyRequest({ version: ProtocolVersion.dtls10, cookie: text('a cookie of the server') });
      case HandshakeType.serverHello: return writeServerHello({
        version: ProtocolVersion.dtls12, random: peer.serverRandom, sessionId: new Uint8Array(0),
        cipherSuite: peer.suite.id, compressionMethod: 0, extensions: HONEST, ...options.serverHello,
      });
      case HandshakeType.serverKeyExchange: return writePskServerKeyExchange(options.hint ?? text('hint'));
      case HandshakeType.clientKeyExchange: return writePskClientKeyExchange(peer.identity);
      case HandshakeType.finished: return peer.verifyData(peer.role);
      default: return new Uint8Array(0);
    }
  }
}

function addressOf(session: Session): string {
  return typeof session === 'string' ? session : `${session.address} ${session.port}`;
}
