/**
 * The runner of the state tables: role → state → message → handler. It knows no version of the protocol.
 *
 * Law: a handler returns the next state; an entry that is missing is `unexpected_message`; handlers speak to the
 * world through `Out` alone and never call the host. Answers of the host enter as pseudo-messages with rows of
 * their own (`Answered`), so that nothing else can happen while a question is open.
 */
import type { Protection12 } from '../record/protect12.js';
import { PeerError } from '../wire/errors.js';
import { AlertDescription, HandshakeType, nameOf } from '../wire/registry.js';
import type { Choice, Shown, Verdict, Wishes } from './authenticate.js';

/** Pseudo-messages: an answer of the host. Numbers beyond those of real messages. */
export const Answered = {
  pskHint: 0x100,
  pskIdentity: 0x101,
  pskKey: 0x102,
  credential: 0x103,
  trust: 0x104,
  signature: 0x105,
} as const;
export type Answered = (typeof Answered)[keyof typeof Answered];

/** A question to the host. The answer comes back as the pseudo-message `answer`. */
export type Question =
  /** `description`: what is asked about: a hint, an identity, or nothing. */
  | { readonly answer: PskAnswered; readonly description: Uint8Array }
  /** Which credentials to choose from. */
  | { readonly answer: typeof Answered.credential; readonly wishes: Wishes }
  /** Whether to follow `verdict`. */
  | { readonly answer: typeof Answered.trust; readonly shown: Shown; readonly verdict: Verdict }
  /** A signature over `message`. */
  | { readonly answer: typeof Answered.signature; readonly choice: Choice; readonly message: Uint8Array };
export type PskAnswered = typeof Answered.pskHint | typeof Answered.pskIdentity | typeof Answered.pskKey;

/** Handles one message (or answer) in one state and returns the next state. */
export type Handler<H> = (handshake: H, body: Uint8Array) => string;

/** State → message type → handler. Key exchanges bring rows of their own. */
export type StateTable<H> = Readonly<Record<string, Readonly<Record<number, Handler<H>>>>>;

/** What a handshake may do to the world. */
export interface Out {
  /** Adds a message to the flight being built and returns its message_seq. */
  send(type: HandshakeType, body: Uint8Array): number;
  /** Adds ChangeCipherSpec to the flight: what follows goes out under the installed keys. */
  sendChangeCipherSpec(): void;
  /** Hands over the keys of the next epoch, write and read; they take effect with each side's ChangeCipherSpec. */
  install(write: Protection12, read: Protection12): void;
  /** Asks the host; the handler returns a state whose row has the answer. */
  ask(question: Question): void;
  /** The peer's Finished is verified and ours is sent or in the flight being built. */
  complete(): void;
  /** Milliseconds since 1970, for the dates of certificates. */
  wallClock(): number;
  /** Fresh randomness. Throws a LocalError if the source fails. */
  random(length: number): Uint8Array;
}

/** Looks up the handler of `type` in `state`; a missing one is the peer's mistake. */
export function handlerOf<H>(table: StateTable<H>, state: string, type: number): Handler<H> {
  const row = table[state];
  const handler = row !== undefined && Object.hasOwn(row, type) ? row[type] : undefined;
  if (handler === undefined) {
    throw new PeerError(
      'ERR_DTLS_UNEXPECTED_MESSAGE',
      AlertDescription.unexpectedMessage,
      `${nameOf(HandshakeType, type)} came in state ${state}`,
    );
  }
  return handler;
}
