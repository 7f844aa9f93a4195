/**
 * FSM-27, the server: every sequence of at most six messages over {CH0, CH1, CKE, CCS, Fin, App, Alert}, each right in
 * every MAC for what was sent so far. CONNECTED is told if and only if the sequence is a word of the RFC's automaton.
 *
 * Two clients play. The strict one counts and hashes whatever it sends, in its own epoch. The cunning one knows what
 * the server drops: it counts and hashes what was taken only, and sends in whichever epoch does most harm.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED } from '../../lib/index.js';
import { readHelloVerifyRequest, readServerHello } from '../../lib/message/hello.js';
import { cleared, explore, type Outcome, type World } from '../states/words.js';
import { fingerprint } from '../support/inside.js';
import { CLIENT, Rig, text } from '../support/rig.js';
import { HONEST, ScriptedPeer } from '../support/scripted.js';

type Letter = 'CH0' | 'CH1' | 'CKE' | 'CCS' | 'Fin' | 'App' | 'Alert';
const ALPHABET: readonly Letter[] = ['CH0', 'CH1', 'CKE', 'CCS', 'Fin', 'App', 'Alert'];

/** A message as the server meets it on the wire. */
interface OnWire {
  readonly letter: Letter;
  readonly epoch: number;
  readonly messageSeq: number;
  /** Sealed with the keys that the server has or will have. */
  readonly rightKeys: boolean;
  readonly cookie: boolean;
}

/** RFC 6347 §4.2.1-§4.2.5 and RFC 4279 §2 for a server, with what this house pins where they leave it open. */
class Automaton {
  state: 'idle' | 'hello' | 'keyed' | 'changed' | 'connected' = 'idle';
  /** The message_seq that comes next. */
  expects = 0;
  connected = 0;
  reads = 0;
  /** Records of epoch 1 that came before the server could open them. */
  #held: OnWire[] = [];

  /** Whether the message was taken into the handshake. */
  take(message: OnWire): boolean {
    const { letter, epoch, cookie, messageSeq } = message;
    const inOrder = messageSeq === this.expects;
    if (this.state === 'idle') {
      if ((letter !== 'CH1' && letter !== 'CH0') || epoch !== 0 || !cookie) return false;
      this.#to('hello');
      this.expects = messageSeq + 1;
      return true;
    }
    if (epoch === 1) return this.#protected(message);
    if (letter === 'CCS' && this.state === 'keyed') {
      this.#to('changed');
      for (const held of this.#held.splice(0)) this.#protected(held);
      return true;
    }
    if (letter === 'CKE' && this.state !== 'connected' && inOrder) {
      // Where a second one would be next, it is unexpected_message.
      this.#to(this.state === 'hello' ? 'keyed' : 'idle');
      this.expects++;
      return true;
    }
    // An unsigned alert ends a handshake that has no keys yet. Finished and data in the clear are nothing.
    if (letter === 'Alert' && this.state === 'hello') this.#to('idle');
    return false;
  }

  #protected(message: OnWire): boolean {
    const { letter, messageSeq, rightKeys } = message;
    if (this.state === 'hello' || this.state === 'keyed') {
      this.#held.push(message);
      return false;
    }
    if (!rightKeys) return false;
    if (letter === 'Alert') {
      this.#to('idle');
    } else if (letter === 'App') {
      if (this.state === 'connected') this.reads++;
      else this.#held.push(message);
    } else if (letter === 'Fin' && this.state === 'changed' && messageSeq === this.expects) {
      this.#to('connected');
      this.connected++;
      for (const held of this.#held.splice(0)) if (held.letter === 'App' && held.rightKeys) this.reads++;
      return true;
    }
    return false;
  }

  #to(state: Automaton['state']): void {
    this.state = state;
    if (state === 'idle') this.#held = [];
  }
}

class Run implements World<Letter> {
  readonly rig: Rig;
  readonly peer: ScriptedPeer;
  readonly automaton = new Automaton();
  readonly #cunning: boolean;
  /** Whether the client sent ChangeCipherSpec: its epoch. */
  #epoch = 0;
  /** Whether the keys it has are those of the ClientKeyExchange that was taken. */
  #final = false;

  constructor(rig: Rig, cunning: boolean, extendedMasterSecret: boolean) {
    this.#cunning = cunning;
    this.rig = cleared(rig, CLIENT);
    this.peer = new ScriptedPeer('client', { extendedMasterSecret });
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
    if (state !== 'idle' && this.peer.messageSeq > expects && state !== 'connected') return 'lost';
    return `${fingerprint(this.rig, CLIENT)} ${state} ${this.#epoch} ${this.peer.cookie.length} ${this.#final}`;
  }

  play(letter: Letter): void {
    const { peer, automaton } = this;
    const before = { transcript: [...peer.transcript], messageSeq: peer.messageSeq };
    const hello = letter === 'CH0' || letter === 'CH1';
    const clear = this.#cunning && letter !== 'Fin' && letter !== 'App' && letter !== 'Alert';
    const epoch = clear ? 0 : this.#epoch;
    if (hello && this.#cunning) peer.messageSeq = letter === 'CH0' ? 0 : 1;
    const { messageSeq } = peer;
    const cookie = letter === 'CH1' && peer.cookie.length > 0;
    // The master secret of RFC 7627 covers ClientKeyExchange; the older one knows the randoms only.
    const rightKeys = this.#final || (!peer.useExtendedMasterSecret && automaton.state !== 'idle');
    if (epoch === 1 && peer.write === null) peer.deriveKeys();
    const record = this.#build(letter, epoch);
    const taken = automaton.take({ letter, epoch, messageSeq, rightKeys, cookie });
    if (letter === 'CCS') this.#epoch = 1;
    if (this.#cunning && !taken) [peer.transcript, peer.messageSeq] = [before.transcript, before.messageSeq];
    if (taken && hello) {
      if (this.#cunning) this.#epoch = 0;
      this.#final = false;
      peer.write = null;
    }
    if (letter === 'CKE' && (taken || !this.#cunning)) {
      peer.deriveKeys();
      this.#final = taken;
    }
    this.rig.feed(CLIENT, record);
    this.#listen(hello && taken);
  }

  #build(letter: Letter, epoch: number): Uint8Array {
    const { peer } = this;
    const extensions = peer.useExtendedMasterSecret ? HONEST : new Map([...HONEST].filter(([type]) => type !== 23));
    switch (letter) {
      case 'CH0':
        return peer.clientHello({ cookie: new Uint8Array(0), extensions }, { epoch });
      case 'CH1':
        return peer.clientHello({ extensions }, { epoch });
      case 'CKE':
        return peer.clientKeyExchange(undefined, { epoch });
      case 'CCS':
        return peer.changeCipherSpec({ epoch });
      case 'Fin':
        if (peer.write === null) peer.deriveKeys();
        return peer.finished({ epoch });
      case 'App':
        return peer.applicationData(text('data'), { epoch });
      case 'Alert':
        return peer.alert(2, 40, { epoch });
    }
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

/** The words that come out, those that differ by messages without any effect aside. */
const WORDS = {
  strict: ['CH0 CH1 CKE CCS App Fin', 'CH0 CH1 CKE CCS CCS Fin', 'CH0 CH1 CKE CCS Fin'],
  // Finished may come before ChangeCipherSpec: the network reorders (RFC 6347 §4.2.4). No key is used before both.
  cunning: [
    'CCS CH0 CH1 CKE CCS Fin', 'CH0 CCS CH1 CKE CCS Fin', 'CH0 CH1 CCS CKE CCS Fin', 'CH0 CH1 CCS CKE Fin CCS',
    'CH0 CH1 CKE CCS App Fin', 'CH0 CH1 CKE CCS Fin',
  ],
} as const;

const full = process.env['MICRODTLS_FULL'] === '1';

for (const client of ['strict', 'cunning'] as const) {
  for (const extended of [true, false]) {
    test(`FSM-27 a server connects with a ${client} client on the words of the automaton only${extended ? '' : ', without extended_master_secret'}`, () => {
      const rig = new Rig({ forceExtendedMasterSecret: extended });
      const { played, accepted } = explore(ALPHABET, full ? 7 : 6, () => new Run(rig, client === 'cunning', extended));
      assert.ok(played > 500, `${played} sequences`);
      // Without a cookie CH1 is CH0.
      const words = new Set(accepted.map((word) => word.replace(/^(CCS )?CH1/, '$1CH0')).filter((word) => word.split(' ').length <= 6));
      assert.equal([...words].sort(), WORDS[client]);
      for (const word of accepted) assert.match(word, /CH[01] .*CH1 .*CKE .*(CCS .*Fin|Fin .*CCS)/);
    });
  }
}

test.run();
