/**
 * Everything that leaves: flights, alerts, application data, HelloVerifyRequests, through one buffer that is reused.
 *
 * Law: what the host sees is valid until its callback returns; a callback that sends in turn gets another buffer.
 * A record number is spent whatever the host does with the datagram.
 */
import { HANDSHAKE_HEADER, writeHandshakeHeader } from '../message/handshake.js';
import { COOKIE_LENGTH } from '../handshake/cookie.js';
import { MAX_PLAINTEXT, RECORD_HEADER, writeRecordHeader } from '../record/header12.js';
import { copyOf, putUint16, wipe } from '../wire/bytes.js';
import { Views } from '../wire/views.js';
import { LocalError } from '../wire/errors.js';
import { ContentType, HandshakeType, ProtocolVersion, type AlertLevel } from '../wire/registry.js';
import type { Association } from './association.js';
import { DTLS_EMSGSIZE, type Session } from './events.js';
import type { Host } from './host.js';

/** A full record with the largest protection: header, explicit nonce, tag. */
const BUFFER = MAX_PLAINTEXT + RECORD_HEADER + 8 + 16;

/** Bytes of a HelloVerifyRequest: no ClientHello that is answered may be shorter. */
export const HELLO_VERIFY_REQUEST: number = RECORD_HEADER + HANDSHAKE_HEADER + 3 + COOKIE_LENGTH;

export class Outbound {
  readonly #host: Host;
  readonly #buffer: Uint8Array = new Uint8Array(BUFFER);
  readonly #fragment: Uint8Array = new Uint8Array(BUFFER);
  readonly #views: Views = new Views(this.#buffer);
  #lent = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Overwrites what was sent last. */
  wipe(): void {
    wipe(this.#buffer);
    wipe(this.#fragment);
  }

  /** Sends the flight that is being built, or the last one again. False if the association did not outlive it. */
  flight(association: Association): boolean {
    const { peer } = association;
    if (association.building !== null) {
      association.dropFlight();
      association.flight = association.building;
      association.building = null;
    }
    const { flight } = association;
    if (flight === null) return true;
    const lent = this.#lent;
    const buffer = lent ? new Uint8Array(BUFFER) : this.#buffer;
    const fragment = lent ? new Uint8Array(BUFFER) : this.#fragment;
    this.#lent = true;
    try {
      for (;;) {
        let tooLarge = false;
        const done = flight.transmit(Math.min(peer.pathMtu, BUFFER), buffer, fragment, (length) => {
          const sent = this.#host.write(peer.session, buffer.subarray(0, length));
          tooLarge = sent === DTLS_EMSGSIZE && peer.shrinkMtu(length);
          return !tooLarge && !association.released;
        });
        if (done || !tooLarge || association.released) return !association.released;
      }
    } finally {
      this.#lent = lent;
    }
  }

  /**
   * Sends `data` as one record; what the host's write returned if that is negative, else the bytes taken. Throws a
   * LocalError for more than a record holds and when the sequence numbers are spent.
   */
  applicationData(association: Association, data: Uint8Array): number {
    const { length } = data;
    if (length > MAX_PLAINTEXT) {
      throw new LocalError('ERR_DTLS_TOO_LARGE', `${length} bytes in one record, where ${MAX_PLAINTEXT} fit`);
    }
    const sent = this.#record(association, ContentType.applicationData, data);
    return sent < 0 ? sent : length;
  }

  /** Sends an alert in the epoch in use. Best effort: nobody waits for it. */
  alert(association: Association, level: AlertLevel, description: number): void {
    try {
      this.#record(association, ContentType.alert, new Uint8Array([level, description]));
    } catch {
      // Spent sequence numbers: the alert is lost, as it may be on the way.
    }
  }

  /** Answers a ClientHello with a cookie (RFC 6347 §4.2.1), echoing its record number and message_seq. */
  helloVerifyRequest(session: Session, sequence: number, messageSeq: number, cookie: Uint8Array): void {
    const lent = this.#lent;
    const out = lent ? new Uint8Array(HELLO_VERIFY_REQUEST) : this.#buffer;
    const bodyLength = 3 + cookie.length;
    const at = RECORD_HEADER + HANDSHAKE_HEADER;
    // DTLS 1.0 in both places, whatever will be negotiated: RFC 6347 §4.2.1 and every peer expects it.
    writeRecordHeader(out, 0, ContentType.handshake, ProtocolVersion.dtls10, 0, sequence, HANDSHAKE_HEADER + bodyLength);
    writeHandshakeHeader(out, RECORD_HEADER, HandshakeType.helloVerifyRequest, bodyLength, messageSeq, 0, bodyLength);
    putUint16(out, at, ProtocolVersion.dtls10);
    out[at + 2] = cookie.length;
    out.set(cookie, at + 3);
    this.#lent = true;
    try {
      this.#host.write(session, out.subarray(0, at + bodyLength));
    } finally {
      this.#lent = lent;
    }
  }

  #record(association: Association, type: number, plain: Uint8Array): number {
    const { peer, write } = association;
    const lent = this.#lent;
    const buffer = lent ? new Uint8Array(plain.length + write.overhead) : this.#buffer;
    // A host that kept a view of what it was lent may hand it back: the record must not be sealed over its own plaintext.
    const source = plain.buffer === buffer.buffer ? copyOf(plain) : plain;
    const size = write.seal(buffer, 0, type, ProtocolVersion.dtls12, source);
    this.#lent = true;
    try {
      const sent = this.#host.write(peer.session, lent ? buffer.subarray(0, size) : this.#views.first(size));
      if (sent === DTLS_EMSGSIZE) peer.shrinkMtu(size);
      return sent;
    } finally {
      this.#lent = lent;
    }
  }
}
