/**
 * Counters: everything that is dropped is counted by reason, everything that is bounded can be seen.
 */

/** Why a record (or a datagram) was dropped. */
export type DropReason =
  | 'truncated' // reaches past its datagram, or is no record at all
  | 'version' // of another protocol version
  | 'contentType' // of a type that has no place here
  | 'unknownSession' // not from a peer, and no ClientHello
  | 'unknownEpoch' // of an epoch without keys
  | 'replayed' // seen before, or too old for the window
  | 'forged' // not authentic
  | 'malformed' // a header that contradicts itself
  | 'unexpected' // well-formed, but not at this time or in this epoch
  | 'duplicate' // of a handshake message that was taken already
  | 'bounds' // would exceed a limit of memory
  | 'cookie' // a ClientHello without a valid cookie, answered or not
  | 'limit' // a ClientHello beyond the limit of peers
  | 'reflected' // our own ClientHello
  | 'plaintextAlert' // an alert that nobody signed
  | 'deferred'; // handed in from a callback beyond the limit

/** What `context.stats()` returns. */
export interface Stats {
  /** Peers whose first handshake is not complete. */
  readonly halfOpen: number;
  /** Peers with an association. */
  readonly established: number;
  /** Bytes held: reassembly, early records, raw transcripts, chains that were shown, flights, corked data. */
  readonly heldBytes: number;
  /** Deadlines armed. */
  readonly deadlines: number;
  /** HelloVerifyRequests sent. */
  readonly helloVerifyRequests: number;
  /** Flights sent again, by timer or because the peer retransmitted. */
  readonly retransmissions: number;
  /** Half-open peers that gave way to a limit. */
  readonly evicted: number;
  /** Callbacks of the host that threw. */
  readonly callbackErrors: number;
  /** Records and datagrams dropped. */
  readonly dropped: Readonly<Record<DropReason, number>>;
}

/** The engine's own counters, which `stats` reads. */
export class Counters {
  helloVerifyRequests = 0;
  retransmissions = 0;
  evicted = 0;
  callbackErrors = 0;
  readonly dropped: Record<DropReason, number> = {
    truncated: 0, version: 0, contentType: 0, unknownSession: 0, unknownEpoch: 0, replayed: 0, forged: 0, malformed: 0,
    unexpected: 0, duplicate: 0, bounds: 0, cookie: 0, limit: 0, reflected: 0, plaintextAlert: 0, deferred: 0,
  };

  drop(reason: DropReason): void {
    this.dropped[reason]++;
  }
}
