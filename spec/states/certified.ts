/**
 * The places of handshakes with raw public keys and certificates: each state of their rows, with a scripted peer.
 * The host is asked for its trust, its credential and its signature where the state waits for one of them, and for
 * none of them elsewhere.
 */
import type { Credential } from '../../lib/handshake/authenticate.js';
import type { DtlsHandler, DtlsOptions } from '../../lib/index.js';
import { CertifiedPeer, certifiedFlight, certifiedRig, flightOf } from '../support/certified.js';
import { credentialOf, holder, type Kind } from '../support/holders.js';
import { CLIENT, join, SERVER } from '../support/rig.js';
import { fetchCookie, takeClientFlight, toServerFlight, toServerHelloDone } from '../support/scripted.js';
import { CRYPTO, halfHello, settled, type Place, type Places, type PlaceTable } from './places.js';

export interface CertifiedPlace extends Place {
  readonly peer: CertifiedPeer;
}

/** What the host is asked and leaves unanswered. */
type Open = 'trust' | 'credential' | 'signature';

/** A context that shows a key and believes one, and a scripted peer that has that one. */
function place(role: 'client' | 'server', kind: Kind, open?: Open, options: DtlsOptions = {}): CertifiedPlace {
  let answer: () => void = () => {};
  const later = <T>(value: T): Promise<T> => new Promise((resolve) => (answer = () => resolve(value)));
  const handler: Partial<DtlsHandler> = {
    ...(open === 'trust' ? { verifyCertificate: () => later(null) } : {}),
    ...(open === 'credential' ? { getCertificate: () => later(null) } : {}),
  };
  const own = credentialOf(holder(kind, role), CRYPTO);
  const slow: Credential = { ...own, signer: { schemes: own.signer.schemes, sign: (...parts) => later(own.signer.sign(...parts) as Uint8Array) } };
  const credentials = [open === 'signature' ? slow : own];
  const rig = certifiedRig(role, kind, { crypto: CRYPTO, credentials, ...options }, handler);
  const peer = new CertifiedPeer(role === 'client' ? 'server' : 'client', kind, { crypto: CRYPTO });
  return { rig, peer, answer: async () => (answer(), await settled()) };
}

function clientPlaces(kind: Kind): Places<CertifiedPlace> {
  /** After so many messages of the server's flight. */
  const after = (count: number, open?: Open): CertifiedPlace => {
    const { rig, peer, answer } = place('client', kind, open);
    rig.context.connect(SERVER);
    toServerFlight(rig, peer);
    const flight = [
      () => peer.serverHello(), () => peer.certificate(), () => peer.serverKeyExchange(), () => peer.certificateRequest(), () => peer.serverHelloDone(),
    ];
    if (count > 0) rig.feed(SERVER, join(...flight.slice(0, count).map((build) => build())));
    return { rig, peer, answer };
  };
  const toFinished = (): CertifiedPlace => {
    const { rig, peer, answer } = after(5);
    takeClientFlight(peer, rig.takeSent());
    return { rig, peer, answer };
  };
  return {
    waitServerHello: () => after(0),
    waitCertificate: () => after(1),
    askServerTrust: () => after(2, 'trust'),
    waitServerKeyExchange: () => after(2),
    waitCertificateRequest: () => after(3),
    waitServerHelloDone: () => after(4),
    askClientCredential: () => after(5, 'credential'),
    askClientSignature: () => after(5, 'signature'),
    waitFinished: toFinished,
    connected: () => {
      const { rig, peer, answer } = toFinished();
      rig.feed(SERVER, join(peer.changeCipherSpec(), peer.finished()));
      return { rig, peer, answer };
    },
  };
}

function serverPlaces(kind: Kind): Places<CertifiedPlace> {
  const toQuestion = (open: Open): CertifiedPlace => {
    const { rig, peer, answer } = place('server', kind, open);
    fetchCookie(rig, peer);
    rig.feed(CLIENT, peer.clientHello());
    return { rig, peer, answer };
  };
  const toDone = (open?: Open, options?: DtlsOptions): CertifiedPlace => {
    const { rig, peer, answer } = place('server', kind, open, options);
    toServerHelloDone(rig, peer);
    return { rig, peer, answer };
  };
  const withCertificate = (open?: Open): CertifiedPlace => {
    const { rig, peer, answer } = toDone(open);
    rig.feed(CLIENT, peer.certificate());
    return { rig, peer, answer };
  };
  const withKeys = (): CertifiedPlace => {
    const { rig, peer, answer } = withCertificate();
    rig.feed(CLIENT, peer.clientKeyExchange());
    peer.deriveKeys();
    return { rig, peer, answer };
  };
  return {
    waitClientHello: () => halfHello(place('server', kind)),
    askServerCredential: () => toQuestion('credential'),
    askServerSignature: () => toQuestion('signature'),
    waitClientCertificate: () => toDone(),
    askClientTrust: () => withCertificate('trust'),
    waitCertifiedClientKeyExchange: () => withCertificate(),
    // Who may stay anonymous and does; without a request the state is the same.
    waitClientKeyExchange: () => {
      const { rig, peer, answer } = toDone(undefined, { clientAuthentication: 'request' });
      rig.feed(CLIENT, peer.emptyCertificate());
      return { rig, peer, answer };
    },
    waitCertificateVerify: withKeys,
    waitFinished: () => {
      const { rig, peer, answer } = withKeys();
      rig.feed(CLIENT, peer.certificateVerify());
      return { rig, peer, answer };
    },
    connected: () => {
      const { rig, peer, answer } = toDone();
      rig.feed(CLIENT, flightOf(certifiedFlight(peer)));
      peer.take(...rig.takeSent());
      return { rig, peer, answer };
    },
  };
}

export const CERTIFIED_PLACES: Readonly<Record<Kind, PlaceTable<CertifiedPlace>>> = {
  rawKey: { client: clientPlaces('rawKey'), server: serverPlaces('rawKey') },
  x509: { client: clientPlaces('x509'), server: serverPlaces('x509') },
};
