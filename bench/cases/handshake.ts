/**
 * Whole handshakes, both ends in one process over memory, against the bare crypto they ask for.
 *
 * A full handshake with a cookie exchange, from `connect` until both ends are connected; then both forget each other.
 * The reference plays the same calls of the provider without the engine (see ../trace.ts). A ratio of 0.5 means that
 * half of the time is crypto. Other key exchanges join as further rows of KINDS.
 */
import type { CipherSuite, Provider } from '../../lib/core.js';
import { PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_AES_256_GCM_SHA384 } from '../../lib/suites/psk.js';
import { Ends, PROVIDERS, shortName } from '../ends.js';
import type { Case, Sides } from '../harness.js';
import { Trace, type Counts } from '../trace.js';

interface Kind {
  readonly name: string;
  readonly suites: readonly CipherSuite[];
}

const KINDS: readonly Kind[] = [{ name: 'psk', suites: [PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_AES_256_GCM_SHA384] }];

export function handshakeCases(quick: boolean): Case[] {
  return KINDS.flatMap(({ name, suites }) =>
    suites.slice(0, quick ? 1 : undefined).flatMap((suite) =>
      PROVIDERS.map((provider): Case => ({
        bench: `handshake/${name}`, suite: shortName(suite), provider: provider.name, size: null,
        reference: 'its bare crypto', warmUpOperations: 1500, set: () => handshake(provider, suite),
      })),
    ),
  );
}

function handshake(provider: Provider, suite: CipherSuite): Sides {
  const { trace } = traced(provider, suite);
  const ends = new Ends(provider, suite);
  ends.play();
  ends.forget();
  return {
    subject: {
      run(count) {
        for (let i = 0; i < count; i++) {
          ends.play();
          ends.forget();
        }
      },
    },
    reference: trace.work(),
    detail: Object.fromEntries(Object.entries(trace.counts).filter(([, count]) => count > 0)),
  };
}

/** One handshake of two contexts that have shaken hands before, written down. */
function traced(provider: Provider, suite: CipherSuite): { readonly trace: Trace } {
  const trace = new Trace(provider);
  const ends = new Ends(trace.provider, suite);
  ends.play();
  ends.forget();
  trace.begin();
  ends.play();
  ends.forget();
  return { trace };
}

/** What one handshake asks of its provider, both ends together. */
export function cryptoOf(provider: Provider, suite: CipherSuite): Counts {
  return { ...traced(provider, suite).trace.counts };
}
