/**
 * A chain and its judgement in one line, as the specs want it.
 */
import type { Provider } from '../../../lib/crypto/provider.js';
import { trustStore, type TrustOptions } from '../../../lib/credentials/trust.js';
import { CertificateType, type Verdict } from '../../../lib/handshake/authenticate.js';
import { AlertDescription, nameOf } from '../../../lib/wire/registry.js';
import { NOW, type Minted } from './mint.js';
import { testProvider } from './provider.js';

/** Everything but the chain; what is left out is as most specs have it. */
export interface Setting extends Partial<Omit<TrustOptions, 'authorities' | 'provider'>> {
  readonly provider?: Provider;
  readonly authorities?: readonly (Minted | Uint8Array)[];
  /** The role of the peer. */
  readonly role?: 'client' | 'server';
  readonly serverName?: string | null;
  readonly now?: number;
  readonly type?: CertificateType;
}

/** What the trust store says of a chain, leaf first. */
export function judge(chain: readonly (Minted | Uint8Array)[], setting: Setting): Verdict {
  const { authorities = [], role = 'server', serverName = 'server.test', now = NOW, type = CertificateType.x509, provider = testProvider, ...rest } = setting;
  const trust = trustStore({ ...rest, provider, authorities: authorities.map(derOf) });
  return trust.judge({ type, chain: chain.map(derOf), role, serverName: role === 'server' ? serverName : null, wallClock: now });
}

/**
 * The milliseconds of processor time that `act` takes once it is warm: the best of a few, as the collector runs when it
 * likes. Time on the clock would count what other processes do.
 */
export function costOf(act: () => void, enoughMs: number): number {
  let best = Infinity;
  for (let i = 0; i < 5 && best > enoughMs; i++) {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/** The verdict in one line: `trusted`, or the alert and the reason. */
export function verdictOf(chain: readonly (Minted | Uint8Array)[], setting: Setting): string {
  const { trusted, alert, reason } = judge(chain, setting);
  return trusted ? 'trusted' : `${nameOf(AlertDescription, alert)}: ${reason}`;
}

export function derOf(one: Minted | Uint8Array): Uint8Array {
  return new Uint8Array('der' in one ? one.der : one);
}
