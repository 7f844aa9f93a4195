/**
 * FSM-27, the client: every sequence of at most six messages over {HVR, SH, SKE, SHD, CCS, Fin, App, Alert}, each
 * right in every MAC for what was sent so far. CONNECTED is told if and only if the sequence is a word of the RFC's
 * automaton. The strict server counts and hashes whatever it sends, in its own epoch; the cunning one counts and
 * hashes what was taken only, and sends handshake messages in the clear whenever that does more harm.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED } from '../../lib/index.js';
import { cleared, explore, type Outcome, type World } from '../states/words.js';
import { fingerprint } from '../support/inside.js';
import { Rig, SERVER, text } from '../support/rig.js';
import { HONEST, ScriptedPeer, takeClientFlight } from '../support/scripted.js';

type Letter = 'HVR' | 'SH' | 'SKE' | 'SHD' | 'CCS' | 'Fin' | 'App' | 'Alert';
const ALPHABET: readonly Letter[] = ['HVR', 'SH', 'SKE', 'SHD', 'CCS', 'Fin', 'App', 'Alert'];
const MAX_HELLO_VERIFY_REQUESTS = 3;

/** A message as the client meets it on the wire. */
interface OnWire {
  readonly letter: Letter;
  readonly epoch: number;
  readonly messageSeq: number;
  /** Sealed with the keys that the client has or will have. */
  readonly rightKeys: boolean;
}

/** RFC 6347 §4.2.1-§4.2.5 and RFC 4279 §2 for a client, with what this house pins where they leave it open. */
class Automaton {
  state: 'hello' | 'parameters' | 'hinted' | 'keyed' | 'changed' | 'connected' | 'gone' = 'hello';
  expects = 0;
  connected = 0;
  reads = 0;
  #cookies = 0;
  #held: OnWire[] = [];

  /** Whether the message was taken into the handshake. */
  take(message: OnWire): boolean {
    const { letter, epoch, messageSeq } = message;
    if (this.state === 'gone') return false;
    if (epoch === 1) return this.#protected(message);
    if (letter === 'HVR' || letter === 'SH' || letter === 'SKE' || letter === 'SHD') {
      if (this.state === 'connected' || messageSeq !== this.expects) return false;
      this.expects++;
      this.state = this.#after(letter);
      return true;
    }
    if (letter === 'CCS' && this.state === 'keyed') {
      this.state = 'changed';
      for (const held of this.#held.splice(0)) this.#protected(held);
      return true;
    }
    const keys = this.state === 'keyed' || this.state === 'changed' || this.state === 'connected';
    if (letter === 'Alert' && !keys) this.state = 'gone';
    return false;
  }

  #after(letter: 'HVR' | 'SH' | 'SKE' | 'SHD'): Automaton['state'] {
    if (this.state === 'hello' && letter === 'HVR') return ++this.#cookies <= MAX_HELLO_VERIFY_REQUESTS ? 'hello' : 'gone';
    if (this.state === 'hello' && letter === 'SH') return 'parameters';
    if (this.state === 'parameters' && letter === 'SKE') return 'hinted';
    if ((this.state === 'parameters' || this.state === 'hinted') && letter === 'SHD') return 'keyed';
    return 'gone';
  }

  #protected(message: OnWire): boolean {
    const { letter, messageSeq, rightKeys } = message;
    if (this.state === 'gone') return false;
    if (this.state !== 'changed' && this.state !== 'connected') {
      this.#held.push(message);
      return false;
    }
    if (!rightKeys) return false;
    if (letter === 'Alert') {
      this.state = 'gone';
    } else if (letter === 'App') {
      if (this.state === 'connected') this.reads++;
      else this.#held.push(message);
    } else if (letter === 'Fin' && this.state === 'changed' && messageSeq === this.expects) {
      this.state = 'connected';
      this.connected++;
      for (const held of this.#held.splice(0)) if (held.letter === 'App' && held.rightKeys) this.reads++;
      return true;
    }
    return false;
  }
}

class Run implements World<Letter> {
  readonly rig: Rig;
  readonly peer: ScriptedPeer;
  readonly automaton = new Automaton();
  readonly #cunning: boolean;
  /** Whether the server sent ChangeCipherSpec: its epoch. */
  #epoch = 0;
  /** Whether the client's ClientKeyExchange is in the keys. */
  #final = false;

  constructor(rig: Rig, cunning: boolean, extendedMasterSecret: boolean) {
    this.#cunning = cunning;
    this.rig = cleared(rig, SERVER);
    this.peer = new ScriptedPeer('server', { extendedMasterSecret });
    this.rig.context.connect(SERVER);
    this.#listen();
  }

  get seen(): Outcome {
    return { connected: this.rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length, reads: this.rig.reads.length };
  }

  get expected(): Outcome {
    const { connected, reads } = this.automaton;
    return { connected, reads };
  }

  mark(): string {
    const { state, expects } = this.automaton;
    // Ahead of what is waited for the gap stays, whatever comes: one more letter is tried, to see that it does nothing.
    if (state === 'gone' || this.peer.messageSeq > expects) return 'lost';
    return `${fingerprint(this.rig, SERVER)} ${state} ${this.#epoch} ${this.#final} ${this.peer.transcript.length}`;
  }

  play(letter: Letter): void {
    const { peer, automaton } = this;
    const before = { transcript: [...peer.transcript], messageSeq: peer.messageSeq };
    const clear = this.#cunning && letter !== 'Fin' && letter !== 'App' && letter !== 'Alert';
    const epoch = clear ? 0 : this.#epoch;
    const { messageSeq } = peer;
    // The master secret of RFC 7627 covers ClientKeyExchange; the older one knows the randoms only.
    const rightKeys = this.#final || !peer.useExtendedMasterSecret;
    if ((epoch === 1 || letter === 'Fin') && peer.write === null) peer.deriveKeys();
    const record = this.#build(letter, epoch);
    const taken = automaton.take({ letter, epoch, messageSeq, rightKeys });
    if (letter === 'CCS') this.#epoch = 1;
    if (this.#cunning && !taken) [peer.transcript, peer.messageSeq] = [before.transcript, before.messageSeq];
    this.rig.feed(SERVER, record);
    this.#listen();
  }

  #build(letter: Letter, epoch: number): Uint8Array {
    const { peer } = this;
    const extensions = peer.useExtendedMasterSecret ? HONEST : new Map([...HONEST].filter(([type]) => type !== 23));
    switch (letter) {
      case 'HVR':
        return peer.helloVerifyRequest(text('cookie'), { epoch });
      case 'SH':
        return peer.serverHello({ extensions }, { epoch });
      case 'SKE':
        return peer.serverKeyExchange(text('hint'), { epoch });
      case 'SHD':
        return peer.serverHelloDone({ epoch });
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

  /** A hello begins the transcript anew; the rest of the client's messages go on from it. */
  #listen(): void {
    const { peer } = this;
    for (const datagram of this.rig.takeSent()) {
      if (datagram[0] === 22 && datagram[13] === 1) {
        peer.transcript = [];
        peer.clientRandom = datagram.slice(27, 59);
      }
      if (datagram[0] === 22 && datagram[13] === 16) this.#final = true;
      takeClientFlight(peer, [datagram]);
    }
  }
}

/** The words that come out, those that differ by messages without any effect aside. */
const WORDS = {
  strict: [
    'HVR HVR SH SHD CCS Fin', 'HVR SH SHD CCS App Fin', 'HVR SH SHD CCS CCS Fin', 'HVR SH SHD CCS Fin', 'HVR SH SKE SHD CCS Fin',
    'SH SHD CCS App App Fin', 'SH SHD CCS App CCS Fin', 'SH SHD CCS App Fin', 'SH SHD CCS CCS App Fin', 'SH SHD CCS CCS CCS Fin',
    'SH SHD CCS CCS Fin', 'SH SHD CCS Fin', 'SH SKE SHD CCS App Fin', 'SH SKE SHD CCS CCS Fin', 'SH SKE SHD CCS Fin',
  ],
  cunning: [
    'HVR HVR SH SHD CCS Fin', 'HVR SH SHD CCS App Fin', 'HVR SH SHD CCS Fin', 'HVR SH SKE SHD CCS Fin', 'SH SHD CCS App App Fin',
    'SH SHD CCS App Fin', 'SH SHD CCS Fin', 'SH SKE SHD CCS App Fin', 'SH SKE SHD CCS Fin',
  ],
};

const full = process.env['MICRODTLS_FULL'] === '1';

for (const server of ['strict', 'cunning'] as const) {
  for (const extended of [true, false]) {
    test(`FSM-27 a client connects with a ${server} server on the words of the automaton only${extended ? '' : ', without extended_master_secret'}`, () => {
      const depth = extended || full ? 6 : 5;
      const rig = new Rig({ forceExtendedMasterSecret: extended });
      const { played, accepted } = explore(ALPHABET, depth, () => new Run(rig, server === 'cunning', extended));
      assert.ok(played > 900, `${played} sequences`);
      // A ChangeCipherSpec before ServerHelloDone is dropped; the cunning server merely sends in epoch 1 from then on.
      const words = accepted.filter((word) => word.split(' ').length <= 6 && !/CCS.*SHD/.test(word)).sort();
      assert.equal(words, WORDS[server].filter((word) => word.split(' ').length <= depth));
      for (const word of accepted) assert.match(word, /SH (.*SKE )?.*SHD .*(CCS .*Fin|Fin .*CCS)/);
    });
  }
}

test.run();
