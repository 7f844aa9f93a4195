/**
 * Many peers: finding one, asking what is due, and what each of them keeps alive.
 *
 * Weighed is the slope between two sizes, so that what a context costs by itself does not count. Only the server is
 * weighed: the other ends are forgotten as soon as their part is done.
 */
import { DtlsContext, type CipherSuite, type Peer, type Provider, type SessionAddress } from '../../lib/core.js';
import { PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_CHACHA20_POLY1305_SHA256 } from '../../lib/suites/psk.js';
import { Crowd, UNLIMITED, found, held } from '../crowd.js';
import { PROVIDERS, getPskInfo, remoteInfo, shortName } from '../ends.js';
import { sink, type Case, type Sides, type Weight } from '../harness.js';

const BATCH = 4096;
/** Peers among whom looks are counted: more would take long and add a few looks. */
const MOST_LOOKED_AT = 10_000;
const PROVIDER = PROVIDERS[0]!;

export function peerCases(quick: boolean): Case[] {
  const few = quick ? 1000 : 10_000;
  const many = quick ? 10_000 : 100_000;
  const sizes: readonly [number, number] = quick ? [2000, 10_000] : [10_000, 50_000];
  const suites = quick ? [PSK_AES_128_CCM_8] : [PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_CHACHA20_POLY1305_SHA256];
  const timed = { suite: null, provider: null, maxBatch: BATCH };
  const look = { ...timed, size: few, reference: 'a Map by `address:port`' };
  return [
    { bench: 'peers/find fresh object', ...look, set: () => find(few, (i) => remoteInfo(i)) },
    { bench: 'peers/find fresh object, one address', ...look, set: () => find(few, (i) => remoteInfo(0, 0, 1024 + i)) },
    { bench: 'peers/find canonical', ...look, set: () => find(few, (i) => remoteInfo(i), true) },
    { bench: 'peers/find string', ...look, set: () => findNames(few) },
    { bench: 'peers/checkRetransmit, nothing due', ...timed, size: many, reference: null, set: () => nothingDue(many) },
    { bench: 'peers/checkRetransmit, one due', ...timed, size: few, reference: null, set: () => oneDue(few) },
    ...suites.flatMap((suite) =>
      PROVIDERS.flatMap((provider) =>
        (['half-open', 'established'] as const).map((state): Case => ({
          bench: `peers/bytes ${state}`, suite: shortName(suite), provider: provider.name, size: sizes[1],
          weigh: () => slope(state, provider, suite, sizes),
        })),
      ),
    ),
  ];
}

/** A context that shakes hands with `count` peers, none of which answers. */
export function calling(count: number, session: (index: number) => SessionAddress | string, now: () => number): DtlsContext {
  const context = new DtlsContext(
    { getPskInfo, write: () => {} },
    {
      crypto: PROVIDER, cipherSuites: [PSK_AES_128_CCM_8], now, timeoutJitter: 0, maxRetransmits: 1000,
      initialTimeoutMs: Math.max(1000, count), maxTimeoutMs: Math.max(1000, count), ...UNLIMITED,
    },
  );
  for (let i = 0; i < count; i++) context.connect(session(i));
  return context;
}

/** A multiplier that visits all indices below `count` in no order that a cache could like. */
function scattered(i: number, count: number): number {
  return (i * 7919) % count;
}

function find(peers: number, session: (index: number) => SessionAddress, canonical = false): Sides {
  const context = calling(peers, session, () => 0);
  const asked: SessionAddress[] = [];
  const theirs: SessionAddress[] = [];
  const named = new Map<string, Peer>();
  const key = ({ address, port }: SessionAddress): string => `${address}:${port}`;
  for (let i = 0; i < peers; i++) named.set(key(session(i)), context.getPeer(session(i))!);
  let round = 0;
  const ask = (into: SessionAddress[], count: number): void => {
    for (let i = 0; i < count; i++) {
      const fresh = session(scattered(round++, peers));
      into[i] = canonical && into === asked ? (context.getPeer(fresh)!.session as SessionAddress) : fresh;
    }
  };
  return {
    subject: {
      prepare: (count) => ask(asked, count),
      run(count) {
        for (let i = 0; i < count; i++) sink.value = found(context.getPeer(asked[i]!));
      },
    },
    reference: {
      prepare: (count) => ask(theirs, count),
      run(count) {
        for (let i = 0; i < count; i++) sink.value = found(named.get(key(theirs[i]!)));
      },
    },
  };
}

function findNames(peers: number): Sides {
  const name = (i: number): string => remoteInfo(i).address;
  const context = calling(peers, name, () => 0);
  const asked: string[] = [];
  const named = new Map<string, Peer>();
  for (let i = 0; i < peers; i++) named.set(name(i), context.getPeer(name(i))!);
  let round = 0;
  const prepare = (count: number): void => {
    for (let i = 0; i < count; i++) asked[i] = name(scattered(round++, peers));
  };
  return {
    subject: {
      prepare,
      run(count) {
        for (let i = 0; i < count; i++) sink.value = found(context.getPeer(asked[i]!));
      },
    },
    reference: {
      prepare,
      run(count) {
        for (let i = 0; i < count; i++) sink.value = found(named.get(asked[i]!));
      },
    },
  };
}

/**
 * How often one `checkRetransmit` looks at a deadline or at a peer, among `peers` that are a millisecond apart: when nothing
 * is due, and when one of them is, sends its flight again and waits anew.
 */
export function looks(peers: number): { readonly nothingDue: number; readonly oneDue: number } {
  let now = 0;
  let seen = 0;
  const watch = (target: object, name: string, value: unknown): void => {
    Object.defineProperty(target, name, { get: () => (seen++, value), set: (next) => (value = next) });
  };
  const context = calling(peers, (i) => (now++, remoteInfo(i)), () => now);
  for (let i = 0; i < peers; i++) {
    const peer = found(context.getPeer(remoteInfo(i)));
    const { candidate, current } = peer;
    watch(candidate!, 'deadlineAt', candidate!.deadlineAt);
    watch(peer, 'candidate', candidate);
    watch(peer, 'current', current);
  }
  const check = (): number => {
    seen = 0;
    context.checkRetransmit();
    return seen;
  };
  const nothingDue = check();
  now = Math.max(1000, peers) + 1;
  const oneDue = check();
  if (context.stats().retransmissions !== 1) throw new Error('not one peer was due');
  return { nothingDue, oneDue };
}

function nothingDue(peers: number): Sides {
  const context = calling(peers, (i) => remoteInfo(i), () => 0);
  return {
    detail: { looks: looks(Math.min(peers, MOST_LOOKED_AT)).nothingDue },
    subject: {
      run(count) {
        for (let i = 0; i < count; i++) sink.value = context.checkRetransmit();
      },
    },
  };
}

/** Peers a millisecond apart: with each millisecond that passes one of them is due, sends again and waits anew. */
function oneDue(peers: number): Sides {
  let now = 0;
  const later = (i: number): SessionAddress => {
    now++;
    return remoteInfo(i);
  };
  const context = calling(peers, later, () => now);
  let expected = 0;
  return {
    detail: { looks: looks(Math.min(peers, MOST_LOOKED_AT)).oneDue },
    subject: {
      prepare(count) {
        if (context.stats().retransmissions !== expected) throw new Error('not every peer that was due sent again');
        expected += count;
      },
      run(count) {
        for (let i = 0; i < count; i++) {
          now++;
          sink.value = context.checkRetransmit();
        }
      },
    },
  };
}

/** Bytes for each further peer between two sizes. */
function slope(state: 'half-open' | 'established', provider: Provider, suite: CipherSuite, [few, many]: readonly [number, number]): Weight {
  const crowd = new Crowd(provider, suite);
  crowd.grow(few, state);
  const before = held();
  crowd.grow(many - few, state);
  const after = held();
  sink.value = crowd;
  const each = (kind: 'heapUsed' | 'arrayBuffers' | 'rss'): number => (after[kind] - before[kind]) / (many - few);
  return { heap: each('heapUsed'), buffers: each('arrayBuffers'), resident: each('rss') };
}
