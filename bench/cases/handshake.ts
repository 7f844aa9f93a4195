/**
 * Whole handshakes, both ends in one process over memory, against the bare crypto they ask for.
 *
 * A full handshake with a cookie exchange, from `connect` until both ends are connected; then both forget each other.
 * The reference plays the same calls of the provider without the engine (see ../trace.ts): all of them where there is a
 * pre-shared key alone, else the public-key work only (key pairs, shared secrets, signatures, verifications of both ends,
 * under keys that are there already), which dwarfs the rest. A ratio of 0.5 means that half of the time is that.
 */
import type { CipherSuite, Provider } from '../../lib/core.js';
import {
  ECDHE_ECDSA_AES_128_CCM_8, ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_RSA_AES_128_GCM_SHA256,
} from '../../lib/suites/certificate.js';
import { ECDHE_PSK_AES_128_CCM_8_SHA256, ECDHE_PSK_AES_128_GCM_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_AES_256_GCM_SHA384 } from '../../lib/suites/psk.js';
import { Ends, PROVIDERS, shortName, type Options } from '../ends.js';
import type { Case, Sides } from '../harness.js';
import { certificates, rawKeys, withRsaSigner } from '../publickeys.js';
import { Trace, type Counts } from '../trace.js';

/** A way of shaking hands. */
export interface Kind {
  readonly name: string;
  readonly suites: readonly CipherSuite[];
  /** What the two ends are told, made with the provider that they have. Default: nothing. */
  options?(provider: Provider): Options;
  /** The provider to use where the given one cannot do it alone. */
  provider?(given: Provider): Provider;
}

const ECDSA_SUITES = [ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_ECDSA_AES_128_CCM_8];

/** All of them. The group is X25519, the first of the defaults; P-256 where the name says so. */
export const KINDS: readonly Kind[] = [
  { name: 'psk', suites: [PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_AES_256_GCM_SHA384] },
  { name: 'ecdhe_psk', suites: [ECDHE_PSK_AES_128_GCM_SHA256, ECDHE_PSK_AES_128_CCM_8_SHA256] },
  {
    name: 'ecdhe_ecdsa certificates',
    suites: ECDSA_SUITES,
    options: (provider) => certificates('prime256v1', { provider, mutual: false }),
  },
  {
    name: 'ecdhe_ecdsa certificates mutual',
    suites: ECDSA_SUITES,
    options: (provider) => certificates('prime256v1', { provider, mutual: true }),
  },
  { name: 'raw keys mutual', suites: [ECDHE_ECDSA_AES_128_CCM_8], options: (provider) => rawKeys({ provider, mutual: true }) },
  {
    name: 'raw keys mutual P-256',
    suites: [ECDHE_ECDSA_AES_128_CCM_8],
    options: (provider) => {
      const { client, server } = rawKeys({ provider, mutual: true });
      return { client: { ...client, groups: ['secp256r1'] }, server: { ...server, groups: ['secp256r1'] } };
    },
  },
  {
    name: 'ecdhe_rsa certificates',
    suites: [ECDHE_RSA_AES_128_GCM_SHA256],
    options: (provider) => certificates('rsa2048', { provider, mutual: false }),
    provider: withRsaSigner,
  },
];

export function handshakeCases(quick: boolean): Case[] {
  return KINDS.flatMap((kind) =>
    kind.suites.slice(0, quick ? 1 : undefined).flatMap((suite) =>
      PROVIDERS.map((provider): Case => ({
        bench: `handshake/${kind.name}`, suite: shortName(suite), provider: provider.name, size: null,
        reference: isSymmetric(kind) ? 'its bare crypto' : 'its bare public-key work',
        // The engine is compiled after some thousand handshakes; quick mode has no time for as many of the slow ones.
        warmUpOperations: isSymmetric(kind) ? 1500 : quick && provider.name === 'noble' ? 300 : 3000,
        gate: gateOf(kind, provider),
        set: () => handshake(provider, suite, kind),
      })),
    ),
  );
}

/** What the ratio must reach. */
function gateOf(kind: Kind, { name }: Provider): number | null {
  if (isSymmetric(kind)) return 0.4;
  return kind.name === 'ecdhe_psk' ? null : name === 'native' ? 0.6 : 0.9;
}

function isSymmetric({ suites }: Kind): boolean {
  return !suites[0]!.keyExchange.ephemeral;
}

function handshake(given: Provider, suite: CipherSuite, kind: Kind): Sides {
  const trace = traced(given, suite, kind);
  const ends = endsOf(given, suite, kind);
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
    reference: trace.work(isSymmetric(kind) ? 'everything' : 'publicKey'),
    detail: Object.fromEntries(Object.entries(trace.counts).filter(([, count]) => count > 0)),
  };
}

function endsOf(given: Provider, suite: CipherSuite, kind: Kind): Ends {
  const provider = kind.provider?.(given) ?? given;
  return new Ends(provider, suite, kind.options?.(provider));
}

/** One handshake of two contexts that have shaken hands before, written down. */
function traced(given: Provider, suite: CipherSuite, kind: Kind): Trace {
  const trace = new Trace(kind.provider?.(given) ?? given);
  const ends = new Ends(trace.provider, suite, kind.options?.(trace.provider));
  ends.play();
  ends.forget();
  trace.begin();
  ends.play();
  ends.forget();
  return trace;
}

/** What one handshake asks of its provider, both ends together. */
export function cryptoOf(provider: Provider, kind: Kind, suite: CipherSuite = kind.suites[0]!): Counts {
  return { ...traced(provider, suite, kind).counts };
}
