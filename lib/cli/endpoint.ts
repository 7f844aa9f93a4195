/**
 * What `serve` and `connect` share: a socket from the options, and the words for what happens on it.
 */
import { formatSession } from '../adapters/address.js';
import { timersWithin } from '../adapters/attempts.js';
import { DtlsSocket, type SystemError } from '../adapters/node.js';
import type { SessionKey } from '../engine/events.js';
import type { Peer } from '../engine/peer.js';
import type { DtlsError } from '../wire/errors.js';
import { describeIdentity } from './identity.js';
import type { Options } from './options.js';
import { printable, printableLine } from './printable.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage.js';

/** A socket as the options want it, which lets clients in or not. Throws a UsageError for what the engine does not take. */
export function openSocket(options: Options, terminal: Terminal, acceptClients: boolean): DtlsSocket {
  const { credentials, hint, suites, mtu, forceExtendedMasterSecret, forceRenegotiationInfo, timeoutMs, verbose } = options;
  const { shown, trust, clientAuthentication, insecure } = options;
  if (insecure) terminal.note('WARNING: --insecure believes EVERY certificate and key: whoever is on the path can be anybody');
  try {
    return new DtlsSocket({
      ...(credentials.length > 0 && { psk: credentials }),
      acceptClients,
      credentials: shown,
      trust,
      clientAuthentication,
      pskHint: hint,
      cipherSuites: suites,
      mtu,
      forceExtendedMasterSecret,
      forceRenegotiationInfo,
      ...timersWithin(timeoutMs),
      tap: verbose ? (direction, session, datagram) => terminal.datagram(direction, session, datagram) : undefined,
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Tells that an association is complete. */
export function tellConnected(terminal: Terminal, peer: Peer, text: ((details: string) => string) | null): void {
  const { session, suite, role, extendedMasterSecret } = peer;
  const { kind, identity, more, words } = describeIdentity(peer.identity);
  const fields = { peer: formatSession(session), role, kind, identity, ...more, suite: suite?.name, extendedMasterSecret };
  terminal.event('connected', fields, text === null ? null : text(`${suite?.name}, ${words}`));
}

/** Tells what a peer said. */
export function tellData(terminal: Terminal, peer: Peer, data: Uint8Array, text: ((line: string) => string) | null): void {
  const fields = { peer: formatSession(peer.session), bytes: data.length, data: printable(data, true) };
  terminal.event('data', fields, text === null ? null : text(printableLine(data)));
}

/** Tells what went wrong with a peer; on stderr, or as a JSON line. */
export function tellError(terminal: Terminal, json: boolean, error: DtlsError | SystemError, session: SessionKey | null): void {
  const peer = session === null ? null : formatSession(session);
  if (json) terminal.event('error', { peer, code: error.code, message: error.message }, null);
  else terminal.note(peer === null ? error.message : `${peer}: ${error.message}`);
}

/** Resolves with the exit code when the command is told to stop. */
export function stopped(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason as number);
    signal.addEventListener('abort', () => resolve(signal.reason as number), { once: true });
  });
}
