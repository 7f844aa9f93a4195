/**
 * Every sequence of messages up to a length, played against a real context and against the automaton beside it, each
 * message right in every MAC and signature for what was sent so far. A message that changes nothing for anybody is
 * pruned: what follows it was played without it. Sequences that come to the same (everything that the future can depend
 * on, in the context, the automaton and the peer) are played on from the shortest of them.
 *
 * Two peers play. The strict one counts and hashes whatever it sends, in its own epoch. The cunning one knows what is
 * dropped: it counts and hashes what was taken only, and sends in whichever epoch does most harm.
 */
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, type Session } from '../../lib/index.js';
import { readHelloVerifyRequest, readServerHello } from '../../lib/message/hello.js';
import { CertifiedPeer } from '../support/certified.js';
import { associationOf, fingerprint, stateOf } from '../support/inside.js';
import { CLIENT, equal, SERVER, text, type Rig } from '../support/rig.js';
import { HONEST, type ScriptedPeer, takeClientFlight } from '../support/scripted.js';
import { Automaton, type Grammar } from './automaton.js';

/** Messages of clients and of servers, and what both send. */
type Both = 'Cert' | 'CertEmpty' | 'CCS' | 'Fin' | 'App' | 'Alert';
export type Letter = Both | 'CH0' | 'CH1' | 'CKE' | 'CV' | 'HVR' | 'SH' | 'SKE' | 'CertReq' | 'SHD';
export const CLIENT_LETTERS: readonly Letter[] = ['CH0', 'CH1', 'Cert', 'CertEmpty', 'CKE', 'CV', 'CCS', 'Fin', 'App', 'Alert'];
export const SERVER_LETTERS: readonly Letter[] = ['HVR', 'SH', 'Cert', 'SKE', 'CertReq', 'SHD', 'CCS', 'Fin', 'App', 'Alert'];

export type Manner = 'strict' | 'cunning';

/** What is played against what. The rig is the context under test, used again for every word. */
export interface Game {
  readonly rig: Rig;
  readonly grammar: Grammar;
  readonly manner: Manner;
  readonly peer: () => ScriptedPeer;
  /** Played ahead of every word. */
  readonly prefix?: readonly Letter[];
  readonly depth: number;
  /** Plays each sequence for itself, whatever it comes to: slow, and a check of what is taken for the same. */
  readonly apart?: boolean;
}

export interface Explored {
  /** Sequences played. */
  readonly played: number;
  /** Those that end with CONNECTED, without the prefix; pruned ones aside. */
  readonly accepted: readonly string[];
}

/** What a sequence came to, and where each letter leads from there. */
interface Node {
  readonly word: readonly Letter[];
  readonly edges: Map<Letter, { readonly to: Node | null; readonly connects: boolean }>;
}

/** Plays every sequence of at most `depth` letters, shorter ones first. */
export function explore(game: Game): Explored {
  const { prefix = [], depth, apart = false } = game;
  const alphabet = game.peer().role === 'client' ? CLIENT_LETTERS : SERVER_LETTERS;
  const nodes = new Map<string, Node>();
  const lost = new Set<string>();
  const root: Node = { word: [], edges: new Map() };
  let played = 0;
  const begin = (word: readonly Letter[]): Run => {
    const run = game.peer().role === 'client' ? new ClientRun(game) : new ServerRun(game);
    for (const letter of [...prefix, ...word]) run.play(letter);
    return run;
  };
  /** Tries every letter after a sequence; what came of it that is new. */
  const expand = (node: Node): Node[] => {
    const found: Node[] = [];
    let run = begin(node.word);
    const before = run.mark();
    for (const letter of alphabet) {
      const told = run.connected;
      const word = [...node.word, letter];
      run.play(letter);
      played++;
      run.compare(word);
      const after = run.mark();
      if (after === before) continue;
      const name = apart ? word.join() : after;
      const connects = run.connected > told;
      // Where nothing can be mended any more the rest of the alphabet is tried once, to see that it does nothing.
      if (run.isLost && !lost.has(name)) run.playAll(alphabet, word);
      if (run.isLost) {
        lost.add(name);
      } else if (!nodes.has(name)) {
        nodes.set(name, { word, edges: new Map() });
        found.push(nodes.get(name)!);
      }
      node.edges.set(letter, { to: nodes.get(name) ?? null, connects });
      run = begin(node.word);
    }
    return found;
  };
  // A context draws the secret of its cookies when it first needs it: from the second run on all draw the same.
  begin([]);
  for (let [level, frontier] = [0, [root]]; level < depth; level++) frontier = frontier.flatMap(expand);
  return { played, accepted: acceptedFrom(root, depth) };
}

/** The sequences of at most `depth` letters whose last one connects. */
function acceptedFrom(node: Node, depth: number): string[] {
  if (depth === 0) return [];
  return [...node.edges].flatMap(([letter, { to, connects }]) => [
    ...(connects ? [letter] : []),
    ...(to === null ? [] : acceptedFrom(to, depth - 1).map((rest) => `${letter} ${rest}`)),
  ]);
}

/** One run from the beginning: the context as new, a scripted peer, and the automaton beside them. */
abstract class Run {
  protected readonly session: Session;
  protected readonly rig: Rig;
  protected readonly peer: ScriptedPeer;
  protected readonly automaton: Automaton;
  protected readonly cunning: boolean;
  /** The peer's epoch: 1 once it sent ChangeCipherSpec. */
  protected epoch = 0;
  /** Whether its keys are those of the ClientKeyExchange that was taken. */
  protected final = false;

  constructor({ rig, grammar, manner, peer }: Game, session: Session) {
    this.session = session;
    this.rig = cleared(rig, session);
    this.peer = peer();
    this.automaton = new Automaton(grammar, session === SERVER ? 'client' : 'server');
    this.cunning = manner === 'cunning';
  }

  abstract play(letter: Letter): void;
  /** Whether no message can mend what went wrong. */
  abstract get isLost(): boolean;

  /**
   * Everything that the future can depend on, as text. Of what was sent and hashed it matters only whether both sides
   * have the same and which number comes next, and that only while a handshake lasts.
   */
  mark(): string {
    const { rig, peer, automaton, session } = this;
    const own = [this.epoch, this.final, peer.cookie.length];
    const handshake = associationOf(rig, session)?.making?.handshake;
    if (automaton.isGone || automaton.isConnected || handshake === undefined) return [fingerprint(rig, session), automaton.mark, own].join('; ');
    const same = handshake.negotiated === null || equal(handshake.transcript.digest(), peer.digest());
    return [fingerprint(rig, session), automaton.mark, own, same, peer.messageSeq - automaton.expects].join('; ');
  }

  playAll(letters: readonly Letter[], word: readonly Letter[]): void {
    for (const letter of letters) {
      this.play(letter);
      this.compare([...word, '…', letter]);
    }
  }

  /** How often CONNECTED was told. */
  get connected(): number {
    return this.rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length;
  }

  /** Both say the same: how often it connected, what was read, whether there is anything left. */
  compare(word: readonly string[]): void {
    const { connected, reads, isGone } = this.automaton;
    const seen = { connected: this.connected, reads: this.rig.reads.length, gone: stateOf(this.rig, this.session) === 'gone' };
    assert.equal(seen, { connected, reads, gone: isGone }, word.join(' '));
  }

  /** The epoch that a message is sent in. */
  protected epochOf(letter: Letter): number {
    const inTheClear = this.cunning && letter !== 'Fin' && letter !== 'App' && letter !== 'Alert';
    return inTheClear ? 0 : this.epoch;
  }

  /** What has no certificate sends some bytes in its place. */
  protected build(letter: Letter, epoch: number): Uint8Array {
    const { peer } = this;
    const certified = peer instanceof CertifiedPeer ? peer : null;
    // Ephemeral peers leave the extension out by themselves.
    const extensions = peer.useExtendedMasterSecret ? HONEST : new Map([...HONEST].filter(([type]) => type !== 23));
    const hello = certified === null ? { extensions } : {};
    switch (letter) {
      case 'CH0':
        return peer.clientHello({ cookie: new Uint8Array(0), ...hello }, { epoch });
      case 'CH1':
        return peer.clientHello(hello, { epoch });
      case 'CKE':
        return peer.clientKeyExchange(undefined, { epoch });
      case 'CV':
        return certified?.certificateVerify({}, { epoch }) ?? peer.message(15, new Uint8Array(4), { epoch });
      case 'HVR':
        return peer.helloVerifyRequest(text('cookie'), { epoch });
      case 'SH':
        return peer.serverHello(hello, { epoch });
      case 'SKE':
        return certified?.serverKeyExchange(undefined, { epoch }) ?? peer.serverKeyExchange(text('hint'), { epoch });
      case 'CertReq':
        return certified?.certificateRequest({}, { epoch }) ?? peer.message(13, new Uint8Array(4), { epoch });
      case 'SHD':
        return peer.serverHelloDone({ epoch });
      case 'Cert':
        return certified?.certificate(undefined, { epoch }) ?? peer.message(11, new Uint8Array(6), { epoch });
      case 'CertEmpty':
        return peer.message(11, new Uint8Array(3), { epoch });
      case 'CCS':
        return peer.changeCipherSpec({ epoch });
      case 'Fin':
        return peer.finished({ epoch });
      case 'App':
        return peer.applicationData(text('data'), { epoch });
      case 'Alert':
        return peer.alert(2, 40, { epoch });
    }
  }
}

/** A scripted client against a server. */
class ClientRun extends Run {
  constructor(game: Game) {
    super(game, CLIENT);
  }

  /** Ahead of what is waited for the gap stays, whatever comes. */
  get isLost(): boolean {
    const { peer, automaton } = this;
    return !automaton.isGone && !automaton.isConnected && peer.messageSeq > automaton.expects;
  }

  play(letter: Letter): void {
    const { peer, automaton } = this;
    const before = { transcript: [...peer.transcript], messageSeq: peer.messageSeq };
    const hello = letter === 'CH0' || letter === 'CH1';
    const epoch = this.epochOf(letter);
    if (hello && this.cunning) peer.messageSeq = letter === 'CH0' ? 0 : 1;
    const { messageSeq } = peer;
    const cookie = letter === 'CH1' && peer.cookie.length > 0;
    // The master secret of RFC 7627 covers ClientKeyExchange; the older one knows the randoms and the shares only.
    const rightKeys = this.final || (!peer.useExtendedMasterSecret && !automaton.isGone);
    if ((epoch === 1 || letter === 'Fin') && peer.write === null) peer.deriveKeys();
    const record = this.build(letter, epoch);
    const taken = automaton.take({ letter, epoch, messageSeq, rightKeys, cookie });
    if (letter === 'CCS') this.epoch = 1;
    if (this.cunning && !taken) [peer.transcript, peer.messageSeq] = [before.transcript, before.messageSeq];
    if (taken && hello) {
      if (this.cunning) this.epoch = 0;
      this.final = false;
      peer.write = null;
    }
    if (letter === 'CKE' && (taken || !this.cunning)) {
      peer.deriveKeys();
      this.final = taken;
    }
    this.rig.feed(CLIENT, record);
    this.#listen(hello && taken);
  }

  #listen(accepted: boolean): void {
    const { peer } = this;
    for (const { type, messageSeq, body, epoch } of peer.take(...this.rig.takeSent())) {
      if (type === 3) peer.cookie = readHelloVerifyRequest(body).cookie;
      if (!accepted || epoch !== 0 || type === 3) continue;
      if (type === 2) peer.serverRandom = readServerHello(body).random.slice();
      peer.note(type, messageSeq, body);
    }
  }
}

/** A scripted server against a client. */
class ServerRun extends Run {
  constructor(game: Game) {
    super(game, SERVER);
    this.rig.context.connect(SERVER);
    this.#listen();
  }

  get isLost(): boolean {
    const { peer, automaton } = this;
    return automaton.isGone || (!automaton.isConnected && peer.messageSeq > automaton.expects);
  }

  play(letter: Letter): void {
    const { peer, automaton } = this;
    const before = { transcript: [...peer.transcript], messageSeq: peer.messageSeq };
    const epoch = this.epochOf(letter);
    const { messageSeq } = peer;
    // As above, but of the shares the client's comes last, with ClientKeyExchange.
    const rightKeys = this.final || (!peer.useExtendedMasterSecret && !(peer instanceof CertifiedPeer));
    if ((epoch === 1 || letter === 'Fin') && peer.write === null) peer.deriveKeys();
    const record = this.build(letter, epoch);
    const taken = automaton.take({ letter, epoch, messageSeq, rightKeys, cookie: false });
    if (letter === 'CCS') this.epoch = 1;
    if (this.cunning && !taken) [peer.transcript, peer.messageSeq] = [before.transcript, before.messageSeq];
    this.rig.feed(SERVER, record);
    this.#listen();
  }

  /** A hello begins the transcript anew; the rest of the client's messages go on from it. */
  #listen(): void {
    const { peer } = this;
    for (const datagram of this.rig.takeSent()) {
      if (datagram[0] === 22 && datagram[13] === 1) {
        peer.transcript = [];
        peer.clientRandom = datagram.slice(27, 59);
      }
      const before = peer.messages.length;
      takeClientFlight(peer, [datagram]);
      if (peer.messages.slice(before).some(({ type }) => type === 16)) this.final = true;
    }
  }
}

/** The context as new: without its peer, with empty lists, with the same randomness to come. Much cheaper than a new one. */
function cleared(rig: Rig, session: Session): Rig {
  const peer = rig.context.getPeer(session);
  if (peer !== undefined) rig.context.resetPeer(peer);
  rig.sent.length = rig.events.length = rig.reads.length = rig.scheduled.length = 0;
  rig.random.restart(1);
  return rig;
}
