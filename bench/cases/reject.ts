/**
 * What an attacker costs: records and hellos that are turned away.
 */
import { DtlsContext, type CipherSuite, type DropReason, type Provider } from '../../lib/core.js';
import { CLIENT_NUMBER, Datagrams, PROVIDERS, combinations, connectedPair, getPskInfo, remoteInfo, shortName, type RemoteInfo } from '../ends.js';
import { sink, type Case, type Sides } from '../harness.js';
import { rawOpen } from '../raw.js';
import { PSK_AES_128_CCM_8 } from '../../lib/suites/psk.js';

const BATCH = 4096;
const SIZE = 64;

export function rejectCases(quick: boolean): Case[] {
  const forged = combinations(quick).map(({ suite, provider }): Case => ({
    bench: 'reject/forged', suite: shortName(suite), provider: provider.name, size: SIZE,
    reference: 'raw open, refused', gate: 0.6, maxBatch: BATCH, set: () => records('forged', provider, suite),
  }));
  const cheap = (['unknownEpoch', 'replayed', 'tooShort'] as const).map((kind): Case => ({
    bench: `reject/${kind}`, suite: shortName(PSK_AES_128_CCM_8), provider: PROVIDERS[0]!.name, size: SIZE,
    reference: null, maxBatch: BATCH, set: () => records(kind, PROVIDERS[0]!, PSK_AES_128_CCM_8),
  }));
  const hellos = PROVIDERS.map((provider): Case => ({
    bench: 'reject/ClientHello without cookie', suite: null, provider: provider.name, size: null,
    reference: 'one HMAC-SHA-256', gate: 0.3, maxBatch: BATCH, set: () => cookies(provider),
  }));
  return [...forged, ...cheap, ...hellos];
}

type Kind = 'forged' | 'unknownEpoch' | 'replayed' | 'tooShort';

/** Under which reason each kind is counted. */
const REASONS: Readonly<Record<Kind, DropReason>> = {
  forged: 'forged', unknownEpoch: 'unknownEpoch', replayed: 'replayed', tooShort: 'forged',
};

/** One bad record again and again, from a session that is known: it changes nothing, so it need not be a new one. */
function records(kind: Kind, provider: Provider, suite: CipherSuite): Sides {
  const { client, server } = connectedPair(provider, suite);
  const { context } = server;
  const good = new Datagrams(client, CLIENT_NUMBER, SIZE);
  good.seal(1);
  const record = spoilt(good.datagrams[0]!, kind);
  context.setHandler({ getPskInfo, write: () => {} });
  if (kind === 'replayed') context.handleMessage(remoteInfo(CLIENT_NUMBER), record);
  const { prepare, sessions } = freshSessions(() => remoteInfo(CLIENT_NUMBER, record.length));
  const reason = REASONS[kind];
  let before = context.stats().dropped[reason];
  const subject = {
    prepare(count: number) {
      const { dropped } = context.stats();
      if (dropped[reason] < before) throw new Error(`the records were not dropped as ${reason}`);
      before = dropped[reason] + count;
      prepare(count);
    },
    run(count: number) {
      for (let i = 0; i < count; i++) context.handleMessage(sessions[i]!, record);
    },
  };
  return kind === 'forged' ? { subject, reference: rawOpen(suite.aead, SIZE, true) } : { subject };
}

function spoilt(record: Buffer, kind: Kind): Buffer {
  if (kind === 'forged') record[record.length - 1]! ^= 1;
  if (kind === 'unknownEpoch') record[4] = 2;
  if (kind !== 'tooShort') return record;
  // A record whose fragment holds no more than half a nonce.
  record[11] = 0;
  record[12] = 4;
  return record.subarray(0, 17);
}

function freshSessions(make: (index: number) => RemoteInfo): { readonly prepare: (count: number) => void; readonly sessions: RemoteInfo[] } {
  const sessions: RemoteInfo[] = [];
  return {
    sessions,
    prepare(count) {
      for (let i = 0; i < count; i++) sessions[i] = make(i);
    },
  };
}

/** ClientHellos of strangers, each answered with a HelloVerifyRequest: what a flood of them costs. */
function cookies(provider: Provider): Sides {
  let hello: Buffer = Buffer.alloc(0);
  const client = new DtlsContext(
    { getPskInfo, write: (_context, _session, datagram) => void (hello = Buffer.from(datagram.slice().buffer)) },
    { crypto: provider, cipherSuites: [PSK_AES_128_CCM_8] },
  );
  client.connect(remoteInfo(0));
  let answers = 0;
  const server = new DtlsContext(
    { getPskInfo, write: () => void answers++ },
    { crypto: provider, cipherSuites: [PSK_AES_128_CCM_8] },
  );
  let strangers = 0;
  const { prepare, sessions } = freshSessions(() => remoteInfo(strangers++ & 0xff_ffff, hello.length));
  const hmac = provider.hashes.sha256!.hmac(new Uint8Array(32).fill(1));
  const out = new Uint8Array(32);
  // As long as the input of the cookie's first half: domain, session, version, random, session id.
  const input = new Uint8Array(5 + 7 + 2 * 9 + 35).fill(2);
  return {
    subject: {
      prepare,
      run(count) {
        const before = answers;
        for (let i = 0; i < count; i++) server.handleMessage(sessions[i]!, hello);
        if (answers - before !== count) throw new Error('a ClientHello was not answered');
      },
    },
    reference: {
      run(count) {
        for (let i = 0; i < count; i++) hmac.compute(out, 0, input);
        sink.value = out[0];
      },
    },
  };
}
