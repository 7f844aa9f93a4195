/**
 * Whole handshakes of one context with scripted peers that own every key, with ECDHE: raw public keys, certificates and
 * pre-shared keys, in both roles. A peer is honest but for what an `Editor` makes of its messages, and it takes the edited
 * message for its own: if the context takes it too, the handshake completes.
 *
 * Law: every look at the context is through its public face; `conclude` holds the standing post-conditions of every
 * case: nothing was thrown, a bystander still echoes, and everything held is given back.
 */
import * as assert from 'uvu/assert';
import type { GroupName } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { DTLS_EVENT_CONNECTED, fatalAlert, type DtlsHandler, type DtlsOptions, type SessionAddress } from '../../lib/index.js';
import type { CertificateRequest } from '../../lib/message/certificate.js';
import { readClientHello, type ClientHello, type ServerHello } from '../../lib/message/hello.js';
import { ECDHE_PSK_AES_128_GCM_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { HandshakeType } from '../../lib/wire/registry.js';
import { CertifiedPeer, certifiedFlight, certifiedRig, type CertifiedOptions } from './certified.js';
import { EcdhePskPeer } from './ephemeral.js';
import type { Kind } from './holders.js';
import { join, Rig, text } from './rig.js';
import { fetchCookie, takeClientFlight, takeServerFlight, toServerFlight, type ScriptedPeer } from './scripted.js';

export type Role = 'client' | 'server';
export const ROLES: readonly Role[] = ['client', 'server'];
/** What both sides prove themselves by. */
export type Mode = Kind | 'ecdhePsk';
export const MODES: readonly Mode[] = ['rawKey', 'x509', 'ecdhePsk'];

/** The body that stands in the place of an honest one; null or undefined: that stays. What comes before the cookie is not asked about. */
export type Editor = (type: number, body: Uint8Array, peer: ScriptedPeer) => Uint8Array | null | undefined | void;

export interface PlayOptions {
  readonly editor?: Editor;
  readonly peer?: CertifiedOptions;
  /** Extensions of the peer's hello, made of its own. */
  readonly extensions?: (own: Map<number, Uint8Array>) => Map<number, Uint8Array>;
  /** Fields of the peer's hello that differ. */
  readonly hello?: Partial<ClientHello> & Partial<ServerHello>;
  /** Fields of the scripted server's CertificateRequest that differ. */
  readonly request?: Partial<CertificateRequest>;
  /** The scripted server asks for a certificate: so by default where there are certificates. */
  readonly asks?: boolean;
}

/** One handshake that went as far as it could. */
export interface Play {
  readonly peer: ScriptedPeer;
  readonly session: SessionAddress;
  /** How often the host heard that it is connected. */
  readonly connected: number;
  /** Fatal alerts that the host heard of. */
  readonly fatal: readonly number[];
  /** Fatal alerts that were sent. */
  readonly alerts: readonly number[];
  /** What `handleMessage` returned last. */
  readonly code: number;
  /** What the context held before. */
  readonly before: readonly number[];
}

/** Hands a record in, if there is one; false once the context refused something. */
type Feed = (record: Uint8Array | null) => boolean;

function helloOf(peer: CertifiedPeer | EcdhePskPeer, { hello = {}, extensions }: PlayOptions): Partial<ClientHello> & Partial<ServerHello> {
  return extensions === undefined ? hello : { ...hello, extensions: extensions(peer.extensions) };
}

/** Has `editor` look at every message that `peer` sends once there is a cookie. */
export function edit(peer: ScriptedPeer, editor: Editor): void {
  const honest = peer.message.bind(peer);
  peer.message = (type, body, options) => {
    const isPrelude = type === HandshakeType.helloVerifyRequest || (type === HandshakeType.clientHello && readClientHello(body).cookie.length === 0);
    return honest(type, (isPrelude ? null : editor(type, body, peer)) ?? body, options);
  };
}

/** A context in one role, a bystander that must never notice, and any number of handshakes. */
export class Stage {
  readonly role: Role;
  readonly mode: Mode;
  readonly rig: Rig;
  readonly bystander: Play;
  readonly #sessions: SessionAddress[] = [];
  readonly #baseline: number;
  readonly #group: GroupName;
  /** Handshakes so far. */
  plays = 0;
  #echoes = 0;

  constructor(role: Role, mode: Mode, options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}) {
    this.role = role;
    this.mode = mode;
    this.rig = mode === 'ecdhePsk'
      ? new Rig({ crypto: nativeProvider, cipherSuites: [ECDHE_PSK_AES_128_GCM_SHA256], mtu: 4096, ...options }, handler)
      : certifiedRig(role, mode, options, handler);
    this.#group = options.groups?.[0] ?? 'x25519';
    this.bystander = this.completes();
    this.#sessions.length = 0;
    this.#baseline = this.rig.context.stats().heldBytes;
  }

  /** A scripted peer for the other side; its group is the first of the context's. */
  peer(options: PlayOptions['peer'] = {}): CertifiedPeer | EcdhePskPeer {
    const role = this.role === 'client' ? 'server' : 'client';
    const given = { seed: 100 + this.plays, group: this.#group, ...options };
    return this.mode === 'ecdhePsk' ? new EcdhePskPeer(role, { suite: ECDHE_PSK_AES_128_GCM_SHA256, ...given }) : new CertifiedPeer(role, this.mode, given);
  }

  /** A handshake on a session of its own (or on that of `again`), record by record, until the context refuses something or all is said. */
  play(options: PlayOptions = {}, again?: Play): Play {
    const { rig } = this;
    const { editor, peer: peerOptions } = options;
    const session = again?.session ?? { address: '192.0.2.1', port: 10_000 + this.plays };
    this.plays++;
    const peer = this.peer(peerOptions);
    if (editor !== undefined) edit(peer, editor);
    this.#sessions.push(session);
    const eventsBefore = rig.events.length;
    const before = this.#held();
    let code = 0;
    const feed: Feed = (record) => {
      if (record !== null) code = rig.feed(session, record);
      return code >= 0;
    };
    if (this.role === 'server') this.#asServer(peer, session, feed, options);
    else this.#asClient(peer, session, feed, options);
    peer.take(...rig.takeSent());
    const events = rig.events.slice(eventsBefore);
    return {
      peer, session, code, before,
      connected: events.filter((event) => event.level === 0 && event.code === DTLS_EVENT_CONNECTED).length,
      fatal: events.filter(({ level }) => level === 2).map((event) => event.code),
      alerts: peer.alerts.filter(({ level }) => level === 2).map(({ description }) => description),
    };
  }

  #asServer(peer: CertifiedPeer | EcdhePskPeer, session: SessionAddress, feed: Feed, options: PlayOptions): void {
    const hello = helloOf(peer, options);
    fetchCookie(this.rig, peer, session, hello);
    if (!feed(peer.clientHello(hello))) return;
    takeServerFlight(peer, this.rig.takeSent());
    if (!peer.messages.some(({ type }) => type === HandshakeType.serverHelloDone)) return;
    if (peer instanceof CertifiedPeer) {
      const { certificate, keyExchange, verify, change, finished } = certifiedFlight(peer);
      [certificate, keyExchange, verify, change, finished].every(feed);
      return;
    }
    const keyExchange = peer.clientKeyExchange();
    peer.deriveKeys();
    [keyExchange, peer.changeCipherSpec(), peer.finished()].every(feed);
  }

  #asClient(peer: CertifiedPeer | EcdhePskPeer, session: SessionAddress, feed: Feed, options: PlayOptions): void {
    const { asks = this.mode !== 'ecdhePsk', request } = options;
    this.rig.context.connect(session);
    toServerFlight(this.rig, peer, session);
    const flight = [
      () => peer.serverHello(helloOf(peer, options)),
      () => (peer instanceof CertifiedPeer ? peer.certificate() : null),
      () => (peer instanceof CertifiedPeer ? peer.serverKeyExchange() : peer.serverKeyExchange(text('hint'))),
      () => (asks ? (peer as CertifiedPeer).certificateRequest(request) : null),
      () => peer.serverHelloDone(),
    ];
    if (!flight.every((message) => feed(message()))) return;
    takeClientFlight(peer, this.rig.takeSent());
    if (peer.write === null) return;
    if (feed(peer.changeCipherSpec())) feed(peer.finished());
  }

  /** An honest handshake completes and carries data both ways. */
  completes(options: PlayOptions = {}, again?: Play): Play {
    const play = this.play(options, again);
    assert.equal([play.connected, play.fatal, play.alerts], [1, [], []]);
    this.echo(play);
    return play;
  }

  /** One record each way, each delivered once. */
  echo({ peer, session }: Play): void {
    const { rig } = this;
    const [ping, pong] = [text(`ping ${this.#echoes}`), text(`pong ${this.#echoes++}`)];
    const reads = rig.reads.length;
    assert.is(rig.feed(session, peer.applicationData(ping)), 0);
    assert.equal(rig.reads.slice(reads).map(({ bytes }) => bytes), [ping]);
    assert.is(rig.context.write(session, pong), pong.length);
    const data = peer.data.length;
    peer.take(...rig.takeSent());
    assert.equal(peer.data.slice(data), [pong]);
  }

  /** ALERT(one of `descriptions`): one fatal alert written, one event, the session released. Returns which it was. */
  refused(play: Play, descriptions: readonly number[], why: string): number {
    const { rig } = this;
    assert.is(play.connected, 0, `${why}: it completed`);
    assert.is(play.alerts.length, 1, `${why}: ${play.alerts.length} alerts`);
    const [alert] = play.alerts as [number];
    assert.ok(descriptions.includes(alert), `${why}: alert ${alert} instead of ${descriptions.join(' or ')}`);
    assert.equal(play.fatal, [alert], why);
    assert.is(play.code, fatalAlert(alert), why);
    assert.is(rig.context.getPeer(play.session), undefined, why);
    assert.equal(this.#held(), play.before, why);
    return alert;
  }

  /** Half-open and established peers, bytes, deadlines. */
  #held(): number[] {
    const { halfOpen, established, heldBytes, deadlines } = this.rig.context.stats();
    return [halfOpen, established, heldBytes, deadlines];
  }

  /** Standing post-conditions: no callback threw, the bystander still echoes, and after close and timeouts nothing is left. */
  conclude(): void {
    const { rig } = this;
    assert.equal(rig.errors, []);
    this.echo(this.bystander);
    for (const session of this.#sessions) rig.context.close(session);
    rig.runOut();
    rig.sent.length = 0;
    assert.equal(this.#held(), [0, 1, this.#baseline, 0]);
    this.echo(this.bystander);
  }
}

/** The refusals of many edits, one after another, and an honest handshake where the last was refused. */
export function eachRefused(
  stage: Stage, edits: readonly (readonly [why: string, editor: Editor])[], descriptions: readonly number[], options: PlayOptions = {},
): void {
  let play: Play | undefined;
  for (const [why, editor] of edits) {
    play = stage.play({ ...options, editor });
    stage.refused(play, descriptions, `${stage.role}, ${stage.mode}: ${why}`);
  }
  stage.completes({}, play);
  stage.conclude();
}

/** The bytes of `body` with `count` bytes at `at` replaced by `by`. */
export function splice(body: Uint8Array, at: number, count: number, by: Uint8Array): Uint8Array {
  return join(body.slice(0, at), by, body.slice(at + count));
}
