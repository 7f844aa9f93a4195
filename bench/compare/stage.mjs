/**
 * What every rival plays against: a server of ours over memory, with the options that old peers need, and records from
 * it, each with a number of its own.
 */
import { DtlsContext } from '../../dist/lib/core.js';
import { CLIENT_NUMBER, Datagrams, PROVIDERS, getPskInfo, remoteInfo } from '../../dist/bench/ends.js';
import { pinned } from '../../dist/bench/publickeys.js';
import { ECDHE_ECDSA_AES_128_GCM_SHA256 } from '../../dist/lib/suites/certificate.js';
import { ECDHE_PSK_AES_128_GCM_SHA256 } from '../../dist/lib/suites/ecdhepsk.js';
import { PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256 } from '../../dist/lib/suites/psk.js';

export { CLIENT_NUMBER, Datagrams, getPskInfo, remoteInfo };

/** The key as the bench's `getPskInfo` answers it, for rivals that want text. */
export const IDENTITY = 'bench';
export const KEY = 'ZZZZZZZZZZZZZZZZ';

/** The suites that more than one rival has. */
export const SUITES = { ccm8: PSK_AES_128_CCM_8, gcm: PSK_AES_128_GCM_SHA256 };

/**
 * Ways of shaking hands, each with a suite that the rival has too: our suite by the names above, and what our two ends are
 * told. `half`: rivals have the client alone, so that is what is timed, ours too, without the server.
 * `certificates`: both ends are timed; the server alone shows one, and the client knows its fingerprint.
 */
export const KINDS = {
  psk: { half: true, suites: SUITES, options: () => ({}) },
  // Each with the group that it has first: X25519 here. The next is the same with the curve that @nodertc/dtls has at the smallest.
  ecdhe_psk: { half: true, suites: { gcm: ECDHE_PSK_AES_128_GCM_SHA256 }, options: () => ({}) },
  'ecdhe_psk P-384': { half: true, suites: { gcm: ECDHE_PSK_AES_128_GCM_SHA256 }, options: () => ({ client: { groups: ['secp384r1'] } }) },
  certificates: { suites: { gcm: ECDHE_ECDSA_AES_128_GCM_SHA256 }, options: (provider) => pinned({ provider, mutual: false }) },
  'certificates mutual': { suites: { gcm: ECDHE_ECDSA_AES_128_GCM_SHA256 }, options: (provider) => pinned({ provider, mutual: true }) },
};

/** Rivals' ciphers are the platform's: so are those of the server. */
export const NATIVE = PROVIDERS.find(({ name }) => name === 'native');

/** Old clients send neither extended_master_secret nor renegotiation_info. */
const LENIENT = { forceExtendedMasterSecret: false, forceRenegotiationInfo: false };

/** A server for one client at a time. */
export class Server {
  /** How long all servers were at work. */
  static ms = 0;
  /** Where datagrams to the client go. */
  onDatagram = () => {};
  constructor(suite, options = {}) {
    const handler = { getPskInfo, write: (_context, _session, datagram) => void this.onDatagram(Buffer.from(datagram)) };
    this.context = new DtlsContext(handler, { crypto: NATIVE, cipherSuites: [suite], ...LENIENT, ...options });
  }

  /** A datagram of the client. */
  take(datagram) {
    Server.timed(() => this.context.handleMessage(remoteInfo(CLIENT_NUMBER, datagram.length), datagram));
  }

  static timed(work) {
    const startedAt = performance.now();
    work();
    Server.ms += performance.now() - startedAt;
  }

  /** The server as an end that records can come from; only once the client is connected. */
  end() {
    const peer = this.context.getPeer(remoteInfo(CLIENT_NUMBER));
    if (peer?.state !== 'connected') throw new Error('the client is not connected');
    return { context: this.context, remote: CLIENT_NUMBER, peer };
  }

  /** Forgets the client. */
  forget() {
    const peer = this.context.getPeer(remoteInfo(CLIENT_NUMBER));
    if (peer !== undefined) Server.timed(() => this.context.resetPeer(peer));
  }
}

/** Fails instead of waiting for ever. */
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no end after ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
