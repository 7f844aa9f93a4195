/**
 * The order of messages as the RFCs have it, written down apart from the code: a table for each way to shake hands,
 * and what epochs, message_seq and the lack of keys make of it (RFC 6347 §4.2.1-§4.2.5), with what this house pins
 * where they leave it open.
 */

/** A message as the context meets it on the wire. */
export interface OnWire {
  readonly letter: string;
  readonly epoch: number;
  readonly messageSeq: number;
  /** Sealed with the keys that the context has or will have. */
  readonly rightKeys: boolean;
  /** A ClientHello with a cookie that is right. */
  readonly cookie: boolean;
}

/** Stage → message → next stage. What is not there ends the handshake. */
export interface Grammar {
  readonly order: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Stages in which keys exist. In the last of them Finished is right. */
  readonly keyed: readonly string[];
}

const CONNECTED = 'connected';
const GONE = 'gone';

export class Automaton {
  stage: string;
  /** The message_seq that comes next. */
  expects = 0;
  connected = 0;
  reads = 0;
  readonly #grammar: Grammar;
  #changed = false;
  /** Records of epoch 1 that came before they could be opened or read. */
  #held: OnWire[] = [];

  /** A server begins with nothing, a client waits for the answer to its hello. */
  constructor(grammar: Grammar, role: 'client' | 'server') {
    this.#grammar = grammar;
    this.stage = role === 'client' ? 'hello' : GONE;
  }

  get isGone(): boolean {
    return this.stage === GONE;
  }

  get isConnected(): boolean {
    return this.stage === CONNECTED;
  }

  /** Everything that its future depends on. */
  get mark(): string {
    if (this.stage === GONE || this.stage === CONNECTED) return this.stage;
    return `${this.stage} ${this.expects} ${this.#changed} ${this.#held.map(({ letter, messageSeq, rightKeys }) => `${letter}${messageSeq}${rightKeys}`).join()}`;
  }

  /** Whether the message was taken into the handshake. */
  take(message: OnWire): boolean {
    const { letter, epoch, messageSeq, cookie } = message;
    if (this.stage === GONE) {
      if (!cookie || epoch !== 0) return false;
      this.stage = 'hello';
      this.expects = messageSeq + 1;
      return true;
    }
    if (epoch === 1) return this.#protected(message);
    const keys = this.#grammar.keyed.includes(this.stage);
    switch (letter) {
      // Nothing of what is due under keys counts in the clear; a second hello is the door's business.
      case 'Fin':
      case 'App':
      case 'CH0':
      case 'CH1':
        return false;
      case 'Alert':
        // Unsigned: it ends a handshake that has no keys yet.
        if (!keys && this.stage !== CONNECTED) this.#to(GONE);
        return false;
      case 'CCS':
        if (!keys || this.#changed) return false;
        this.#changed = true;
        for (const held of this.#held.splice(0)) this.#protected(held);
        return true;
      default:
        if (this.stage === CONNECTED || messageSeq !== this.expects) return false;
        this.expects++;
        this.#to(this.#grammar.order[this.stage]?.[letter] ?? GONE);
        return true;
    }
  }

  /** Finished alone belongs to the handshake here. */
  #protected(message: OnWire): boolean {
    const { letter, messageSeq, rightKeys } = message;
    if (this.stage === GONE) return false;
    if (!this.#changed) {
      this.#held.push(message);
      return false;
    }
    if (!rightKeys) return false;
    if (letter === 'Alert') {
      this.#to(GONE);
    } else if (letter === 'App') {
      if (this.stage === CONNECTED) this.reads++;
      else this.#held.push(message);
    } else if (letter === 'Fin' && this.stage !== CONNECTED && messageSeq === this.expects) {
      this.expects++;
      // Authentic, and too early where something is still to be proved.
      const right = this.stage === this.#grammar.keyed.at(-1);
      const early = this.#held.splice(0);
      this.#to(right ? CONNECTED : GONE);
      if (!right) return true;
      this.connected++;
      for (const held of early) if (held.letter === 'App' && held.rightKeys) this.reads++;
      return true;
    }
    return false;
  }

  #to(stage: string): void {
    this.stage = stage;
    if (stage !== GONE) return;
    this.#held = [];
    this.#changed = false;
  }
}
