/**
 * What a context holds inside, for specs that must look: the state of a handshake, and whether a message changed
 * anything at all.
 */
import type { Session } from '../../lib/index.js';
import type { Association } from '../../lib/engine/association.js';
import type { Rig } from './rig.js';

/** The association that is being made with `session`, or else the one in use. */
export function associationOf(rig: Rig, session: Session): Association | null {
  const peer = rig.context.getPeer(session);
  return peer?.candidate ?? peer?.current ?? null;
}

/** The state of the handshake with `session`: a row of the table, `connected` when it is over, `gone` without a peer. */
export function stateOf(rig: Rig, session: Session): string {
  const association = associationOf(rig, session);
  if (association === null) return 'gone';
  return association.making?.handshake.state ?? 'connected';
}

/** Everything about `session` that a message could change, as text that can be compared. */
export function fingerprint(rig: Rig, session: Session): string {
  const peer = rig.context.getPeer(session);
  const parts = [peer?.candidate, peer?.current].map((association) => {
    if (association === null || association === undefined) return null;
    const { making, flight, question, closing, read, write } = association;
    return {
      state: making?.handshake.state, next: making?.reassembler.next, early: making?.early.length,
      held: association.heldBytes, keys: association.hasReadKeys, read: read !== null, write: write.number,
      flight: flight !== null, question: question?.answer, closing,
    };
  });
  const { halfOpen, established, heldBytes, deadlines } = rig.context.stats();
  return JSON.stringify([parts, halfOpen, established, heldBytes, deadlines]);
}
