/**
 * The handshake hash (RFC 6347 §4.2.6): every message as if it had come in one fragment, header included.
 *
 * Law: messages are kept raw only until the hash is known, then run through it; where a CertificateVerify may come they
 * are kept until then, because its signature is over the messages themselves with a hash of its own (RFC 5246 §7.4.8).
 * HelloVerifyRequest and the ClientHello before it are not in it (RFC 6347 §4.2.1).
 */
import type { Hash, RunningHash } from '../crypto/provider.js';
import { HANDSHAKE_HEADER, writeHandshakeHeader } from '../message/handshake.js';
import { concat } from '../wire/bytes.js';
import { invariant } from '../wire/errors.js';

/** A header on its way into a hash. */
const HEADER: Uint8Array = new Uint8Array(HANDSHAKE_HEADER);

export class Transcript {
  #raw: Uint8Array[] = [];
  #running: RunningHash | null = null;
  #keeping = true;

  /** Bytes kept raw because the hash is not known yet. */
  get heldBytes(): number {
    let held = 0;
    for (const message of this.#raw) held += message.length;
    return held;
  }

  /** Appends a message. */
  add(type: number, messageSeq: number, body: Uint8Array): void {
    if (!this.#keeping) {
      writeHandshakeHeader(HEADER, 0, type, body.length, messageSeq, 0, body.length);
      this.#running?.update(HEADER);
      this.#running?.update(body);
      return;
    }
    const message = new Uint8Array(HANDSHAKE_HEADER + body.length);
    writeHandshakeHeader(message, 0, type, body.length, messageSeq, 0, body.length);
    message.set(body, HANDSHAKE_HEADER);
    this.#raw.push(message);
    this.#running?.update(message);
  }

  /** The hash is known: what was raw runs through it, and is kept only if `keep` says so. */
  start(hash: Hash, keep: boolean = false): void {
    invariant(this.#running === null, 'a transcript starts once');
    const running = hash.start();
    for (const message of this.#raw) running.update(message);
    this.#running = running;
    if (!keep) this.forgetMessages();
  }

  /** Every message so far, one behind the other. */
  messages(): Uint8Array {
    invariant(this.#keeping, 'messages are kept as long as they are asked for');
    return concat(...this.#raw);
  }

  /** Every message but the last: what a CertificateVerify, which is the last, is over. */
  messagesBefore(): Uint8Array {
    invariant(this.#keeping, 'messages are kept as long as they are asked for');
    return concat(...this.#raw.slice(0, -1));
  }

  /** No signature over the messages will be asked for any more. */
  forgetMessages(): void {
    this.#raw = [];
    this.#keeping = false;
  }

  /** The hash of everything so far. */
  digest(): Uint8Array {
    invariant(this.#running !== null, 'a transcript has a hash before it is asked for');
    return this.#running.digest();
  }

  /** Forgets everything; `add` may begin anew. */
  reset(): void {
    this.#raw = [];
    this.#keeping = true;
    this.#running?.wipe();
    this.#running = null;
  }
}
