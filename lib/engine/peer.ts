/**
 * A peer: at most one association that is in use and one that is being made.
 *
 * Law: the one being made never touches the other until its Finished is verified (RFC 6347 §4.2.8). To the host a
 * peer is read-only; what the engine changes is marked internal.
 */
import type { CipherSuite } from '../crypto/suites.js';
import { copyOf } from '../wire/bytes.js';
import type { Association } from './association.js';
import { lowerMtu, type Parameters } from './config.js';
import type { PeerIdentity, PeerState, Role, SessionKey } from './events.js';
import type { Peers } from './peers.js';

/** One peer, for the host to read. It stays the same object when its client starts anew. */
export class Peer {
  /** The canonical session. */
  readonly session: SessionKey;
  /** A slot for the host. */
  app: unknown = undefined;
  /** @internal Carries data. */
  current: Association | null = null;
  /** @internal Is shaking hands. */
  candidate: Association | null = null;
  /** @internal What it was made with: what a later `connectPeer` asks for again, whoever came meanwhile. */
  readonly parameters: Parameters;
  /** @internal The table the peer stands in, null before and after. */
  table: Peers | null = null;
  /** @internal Place among the half-open peers of its address; −1 when it is not one of them. */
  place = -1;
  /** @internal */
  pathMtu: number;

  /** @internal */
  constructor(session: SessionKey, parameters: Parameters) {
    this.session = session;
    this.parameters = parameters;
    this.pathMtu = parameters.mtu;
  }

  /** Our role towards the peer, in the association that is in use if there is one. */
  get role(): Role {
    return (this.current ?? this.candidate)?.role ?? 'client';
  }

  /** `closed` also before `connectPeer`. A peer whose client starts anew stays `connected`. */
  get state(): PeerState {
    if (this.current !== null) return this.current.closing ? 'closing' : 'connected';
    return this.candidate !== null ? 'handshake' : 'closed';
  }

  /** The suite in use; null before the first handshake is complete. */
  get suite(): CipherSuite | null {
    return this.current?.suite ?? null;
  }

  /** Whom the association is with; null before it is authenticated. A copy. */
  get identity(): PeerIdentity | null {
    const identity = this.current?.identity ?? null;
    if (identity === null) return null;
    switch (identity.kind) {
      case 'psk':
        return { kind: 'psk', identity: copyOf(identity.identity), hint: copyOf(identity.hint) };
      case 'rawKey':
        return { kind: 'rawKey', spki: copyOf(identity.spki) };
      case 'x509':
        return { kind: 'x509', chain: identity.chain.map((certificate) => copyOf(certificate)) };
    }
  }

  /** Whether the master secret is bound to the handshake (RFC 7627). */
  get extendedMasterSecret(): boolean {
    return this.current?.extendedMasterSecret ?? false;
  }

  /** UDP payload bytes for handshake and corked datagrams, as far as is known. */
  get mtu(): number {
    return this.pathMtu;
  }

  /** @internal A datagram of `length` bytes was too large: try smaller ones. False if they are as small as they get. */
  shrinkMtu(length: number): boolean {
    const mtu = lowerMtu(length);
    if (mtu >= this.pathMtu) return false;
    this.pathMtu = mtu;
    return true;
  }
}
