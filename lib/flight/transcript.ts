/**
 * The handshake hash (RFC 6347 §4.2.6): every message as if it had come in one fragment, header included.
 *
 * Law: messages are kept raw only until the hash is known, then run through it; where a CertificateVerify may come they
 * are kept until then, because its signature is over the messages themselves with a hash of its own (RFC 5246 §7.4.8).
 * HelloVerifyRequest and the ClientHello before it are not in it (RFC 6347 §4.2.1).
 */
import type { Hash, RunningHash } from '../crypto/provider.js';
import { HANDSHAKE_HEADER, writeHandshakeHeader } from '../message/handshake.js';
import { EMPTY } from '../wire/bytes.js';
import { invariant } from '../wire/errors.js';
import { giveRoom, takeRoom } from '../wire/rooms.js';

export class Transcript {
  /** The messages, one behind the other, while they are kept raw. */
  #raw: Uint8Array = EMPTY;
  #length = 0;
  /** Where the latest message starts. */
  #latest = 0;
  #running: RunningHash | null = null;
  #keeping = true;

  /** Bytes of the messages that are kept raw. */
  get heldBytes(): number {
    return this.#length;
  }

  /** Appends a message. */
  add(type: number, messageSeq: number, body: Uint8Array): void {
    const { length } = body;
    const start = this.#length;
    const end = start + HANDSHAKE_HEADER + length;
    this.#reserve(end);
    writeHandshakeHeader(this.#raw, start, type, length, messageSeq, 0, length);
    this.#raw.set(body, start + HANDSHAKE_HEADER);
    this.#running?.update(this.#raw.subarray(start, end));
    this.#latest = start;
    this.#length = end;
    if (!this.#keeping) this.#letGo();
  }

  /** The hash is known: what was raw runs through it, and is kept only if `keep` says so. */
  start(hash: Hash, keep: boolean = false): void {
    invariant(this.#running === null, 'it starts once');
    const running = hash.start();
    running.update(this.#raw.subarray(0, this.#length));
    this.#running = running;
    if (!keep) this.forgetMessages();
  }

  /** Every message so far, one behind the other. */
  messages(): Uint8Array {
    return this.#copyTo(this.#length);
  }

  /** Every message but the last: what a CertificateVerify, which is the last, is over. */
  messagesBefore(): Uint8Array {
    return this.#copyTo(this.#latest);
  }

  /** No signature over the messages will be asked for any more. */
  forgetMessages(): void {
    this.#letGo();
    this.#keeping = false;
  }

  /** The hash of everything so far. */
  digest(): Uint8Array {
    invariant(this.#running !== null, 'the hash is known');
    return this.#running.digest();
  }

  /** Forgets everything; `add` may begin anew. */
  reset(): void {
    this.#letGo();
    this.#keeping = true;
    this.#running?.wipe();
    this.#running = null;
  }

  #copyTo(end: number): Uint8Array {
    invariant(this.#keeping, 'messages are still kept');
    return this.#raw.slice(0, end);
  }

  #reserve(length: number): void {
    if (length <= this.#raw.length) return;
    const larger = takeRoom(length);
    larger.set(this.#raw.subarray(0, this.#length));
    giveRoom(this.#raw);
    this.#raw = larger;
  }

  #letGo(): void {
    giveRoom(this.#raw);
    this.#raw = EMPTY;
    this.#length = this.#latest = 0;
  }
}
