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
import { LocalError } from '../wire/errors.js';
import { AlertLevel, ContentType, HandshakeType, ProtocolVersion } from '../wire/registry.js';
import { Views } from '../wire/views.js';
import type { Association } from './association.js';
import { Cork } from './cork.js';
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
  readonly #maxCorked: number;
  #corked = 0;
  /** For the next cork: most hosts have one at a time. */
  #spare: Cork | null = null;

  constructor(host: Host, maxCorked: number) {
    this.#host = host;
    this.#maxCorked = maxCorked;
  }

  /** Overwrites what was sent last. */
  wipe(): void {
    wipe(this.#buffer);
    wipe(this.#fragment);
    this.#spare = null;
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
        const done = flight.transmit(Math.min(peer.pathMtu, association.mtu, BUFFER), buffer, fragment, (length) => {
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
   * Sends `data` as one record, or keeps it for a datagram if the association is corked; what the host's write returned
   * if that is negative, else the bytes taken. Throws a LocalError for more than a record holds and when the sequence
   * numbers are spent.
   */
  applicationData(association: Association, data: Uint8Array): number {
    const { length } = data;
    if (length > MAX_PLAINTEXT) {
      throw new LocalError('ERR_DTLS_TOO_LARGE', `${length} bytes in one record, where ${MAX_PLAINTEXT} fit`);
    }
    if (association.cork !== null) {
      const cork = this.#makeRoom(association, association.cork, length + association.write.overhead);
      // The host may have ended everything when it was handed what waited.
      if (association.released || association.closing) return 0;
      if (cork !== null) {
        const plain = data.buffer === cork.bytes.buffer ? copyOf(data) : data;
        cork.used += association.write.seal(cork.bytes, cork.used, ContentType.applicationData, ProtocolVersion.dtls12, plain);
        return length;
      }
    }
    const sent = this.#record(association, ContentType.applicationData, data);
    return sent < 0 ? sent : length;
  }

  /** Gathers the association's data from now on. False if too many associations are corked. */
  cork(association: Association): boolean {
    if (association.cork !== null) return true;
    if (this.#corked >= this.#maxCorked) return false;
    const { pathMtu } = association.peer;
    const spare = this.#spare;
    this.#corked++;
    association.cork = spare !== null && spare.bytes.length >= pathMtu ? spare : new Cork(pathMtu);
    if (association.cork === spare) this.#spare = null;
    return true;
  }

  /** Sends what waits, and what is written from now on at once. Below 0: the first datagram that was not sent, or no cork. */
  uncork(association: Association): number {
    const cork = this.#pull(association);
    if (cork === null) return -1;
    this.#flush(association, cork);
    const { failure } = cork;
    this.#keep(cork);
    return failure;
  }

  /** As `uncork`, but what waits is forgotten. */
  discard(association: Association): void {
    const cork = this.#pull(association);
    if (cork === null) return;
    cork.used = 0;
    this.#keep(cork);
  }

  /** The association is corked no longer. What it was corked by. */
  #pull(association: Association): Cork | null {
    const { cork } = association;
    if (cork === null) return null;
    association.cork = null;
    this.#corked--;
    return cork;
  }

  #keep(cork: Cork): void {
    if (cork.lent) return;
    cork.failure = 0;
    this.#spare = cork;
  }

  /** Where a record of `size` bytes can wait, once what fills the datagram has left; null if it must go alone. */
  #makeRoom(association: Association, cork: Cork, size: number): Cork | null {
    const { peer } = association;
    if (!cork.fits(size, peer.pathMtu)) this.#flush(association, cork);
    // The host may have pulled the cork, or be writing while it is handed the buffer, whose front must not change.
    return association.cork === cork && cork.fits(size, peer.pathMtu) ? cork : null;
  }

  /** Sends what waits: one datagram, or more where the MTU has become smaller meanwhile. */
  #flush(association: Association, cork: Cork): void {
    if (cork.lent) return;
    const { peer } = association;
    cork.lent = true;
    try {
      for (let start = 0, end = 0; start < cork.used && !association.released; start = end) {
        end = cork.endWithin(start, peer.pathMtu);
        const sent = this.#host.write(peer.session, cork.bytes.subarray(start, end));
        // What was too large together goes again in smaller datagrams: none of its records has left.
        if (sent === DTLS_EMSGSIZE && peer.shrinkMtu(end - start) && cork.endWithin(start, peer.pathMtu) < end) end = start;
        else if (sent < 0 && cork.failure === 0) cork.failure = sent;
      }
    } finally {
      cork.lent = false;
      cork.used = 0;
    }
  }

  /** Sends an alert in the epoch in use. Best effort: nobody waits for it. */
  alert(association: Association, level: AlertLevel, description: number): void {
    const { cork } = association;
    if (cork !== null) {
      // What waits was said before; but after a fatal alert nobody listens (RFC 5246 §7.2).
      if (level === AlertLevel.warning) this.#flush(association, cork);
      if (level === AlertLevel.fatal || association.closing) this.discard(association);
      if (association.released) return;
    }
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
