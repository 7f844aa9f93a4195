/**
 * A flight: the messages that go out together and are retransmitted together (RFC 6347 §4.2.4), packed into as few
 * datagrams as fit.
 *
 * Law: a retransmission keeps message_seq and bytes, takes new record numbers, and may cut fragments anew; each
 * message goes out in the epoch it was first sent in.
 */
import type { WriteEpoch } from '../record/epoch.js';
import { wipe } from '../wire/bytes.js';
import { ContentType, ProtocolVersion } from '../wire/registry.js';
import { fragmentLength, writeFragment } from './fragmenter.js';

const CHANGE_CIPHER_SPEC = new Uint8Array([1]);

/** A handshake message, or a ChangeCipherSpec (type −1), with the epoch it goes out in. */
interface FlightEntry {
  readonly epoch: WriteEpoch;
  readonly type: number;
  readonly messageSeq: number;
  readonly body: Uint8Array;
}

const CCS = -1;

export class Flight {
  readonly #entries: FlightEntry[] = [];

  /** Bytes of the messages kept for retransmission. */
  get heldBytes(): number {
    let held = 0;
    for (const entry of this.#entries) held += entry.body.length;
    return held;
  }

  addMessage(epoch: WriteEpoch, type: number, messageSeq: number, body: Uint8Array): void {
    this.#entries.push({ epoch, type, messageSeq, body });
  }

  addChangeCipherSpec(epoch: WriteEpoch): void {
    this.#entries.push({ epoch, type: CCS, messageSeq: 0, body: CHANGE_CIPHER_SPEC });
  }

  /**
   * Packs the flight into datagrams of at most `mtu` bytes in `out` and hands each length to `emit`, which sends
   * `out[0, length)`. `emit` returns false to stop (the datagram was too large for the path, or the peer is gone).
   * `scratch` holds one fragment. Returns whether everything was emitted.
   */
  transmit(mtu: number, out: Uint8Array, scratch: Uint8Array, emit: (length: number) => boolean): boolean {
    let at = 0;
    for (const { epoch, type, messageSeq, body } of this.#entries) {
      let offset = 0;
      do {
        const room = mtu - at - epoch.overhead;
        const length = type === CCS ? (room >= 1 ? 1 : -1) : fragmentLength(body.length - offset, room);
        if (length < 0 && at > 0) {
          if (!emit(at)) return false;
          at = 0;
          continue;
        }
        if (type === CCS) {
          at += epoch.seal(out, at, ContentType.changeCipherSpec, ProtocolVersion.dtls12, body);
        } else {
          // An MTU that holds no fragment at all still makes progress, a byte at a time.
          const take = length < 0 ? Math.min(1, body.length) : length;
          const fragment = scratch.subarray(0, writeFragment(scratch, type, messageSeq, body, offset, take));
          at += epoch.seal(out, at, ContentType.handshake, ProtocolVersion.dtls12, fragment);
          offset += take;
        }
        if (offset >= body.length || type === CCS) break;
      } while (true);
    }
    return at === 0 || emit(at);
  }

  /** Overwrites what stands in the messages. */
  wipe(): void {
    for (const entry of this.#entries) if (entry.type !== CCS) wipe(entry.body);
    this.#entries.length = 0;
  }
}
