/**
 * Records through whole contexts: what a host pays for each datagram, from its call to its callback.
 */
import type { CipherSuite, Provider } from '../../lib/core.js';
import {
  CLIENT_NUMBER, Datagrams, SERVER_NUMBER, SIZES, combinations, connectedPair, getPskInfo, remoteInfo, shortName,
  type RemoteInfo,
} from '../ends.js';
import { sink, type Case, type Sides, type TimedCase } from '../harness.js';
import { rawOpen, rawSeal } from '../raw.js';

/** Records that are sealed before a turn of handing them in. */
const BATCH = 1024;

/** Ratios that must be reached, by bench, provider, cipher and size: of a whole write to raw seal, of a whole handleMessage to raw open. */
const GATES: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  'context/write native aes-128-ccm-8': { 64: 1.8, 256: 1.4, 1200: 1.05 },
  'context/handleMessage native aes-128-ccm-8': { 64: 1.6, 256: 1.3, 1200: 0.92 },
  'context/write native aes-128-gcm': { 64: 0.85, 256: 0.85, 1200: 0.85 },
  'context/handleMessage native aes-128-gcm': { 64: 0.85, 256: 0.85, 1200: 0.85 },
  'context/write native chacha20-poly1305': { 64: 0.85, 256: 0.85, 1200: 0.85 },
  'context/handleMessage native chacha20-poly1305': { 64: 0.85, 256: 0.85, 1200: 0.85 },
  'context/write noble aes-128-ccm-8': { 64: 1.3 },
  'context/handleMessage noble aes-128-ccm-8': { 64: 1.3 },
};

/** Records that share a datagram, and the bytes in each. */
const CORKED = 8;
const CORKED_SIZE = 64;

export function contextCases(quick: boolean): Case[] {
  return combinations(quick).flatMap(({ suite, provider }) => {
    const both = { suite: shortName(suite), provider: provider.name };
    const gated = (bench: string, size: number): Omit<TimedCase, 'set' | 'reference'> => ({
      bench, ...both, size, gate: GATES[`${bench} ${provider.name} ${suite.aead}`]?.[size] ?? null,
    });
    const corked: Case = {
      bench: 'context/write corked', ...both, size: CORKED_SIZE, reference: 'raw seal', set: () => writeCorked(provider, suite),
    };
    return SIZES.flatMap((size): Case[] => [
      { ...gated('context/write', size), reference: 'raw seal', set: () => write(provider, suite, size) },
      { ...gated('context/handleMessage', size), reference: 'raw open', maxBatch: BATCH, set: () => handleMessage(provider, suite, size) },
      { bench: 'record/echo', ...both, size, reference: 'raw seal, open, seal, open', maxBatch: BATCH, set: () => echo(provider, suite, size) },
    ]).concat(corked);
  });
}

/** Data out: `write` with the session that callbacks hand out, into a callback that only counts. */
function write(provider: Provider, suite: CipherSuite, size: number): Sides {
  const { client } = connectedPair(provider, suite);
  const { context, peer } = client;
  const payload = new Uint8Array(size).fill(9);
  let written = 0;
  context.setHandler({ getPskInfo, write: () => void written++ });
  return {
    subject: {
      run(count) {
        for (let i = 0; i < count; i++) context.write(peer.session, payload);
        sink.value = written;
      },
    },
    reference: rawSeal(suite.aead, size),
  };
}

/** The same in company: each datagram holds several records. An operation is a record. */
function writeCorked(provider: Provider, suite: CipherSuite): Sides {
  const { client } = connectedPair(provider, suite);
  const { context, peer } = client;
  const payload = new Uint8Array(CORKED_SIZE).fill(9);
  let datagrams = 0;
  context.setHandler({ getPskInfo, write: () => void datagrams++ });
  return {
    subject: {
      run(count) {
        const before = datagrams;
        for (let i = 0; i < count; i++) {
          if (i % CORKED === 0) context.cork(peer.session);
          context.write(peer.session, payload);
          if (i % CORKED === CORKED - 1) context.uncork(peer.session);
        }
        context.uncork(peer.session);
        if (datagrams - before !== Math.ceil(count / CORKED)) throw new Error('the records went out in other datagrams');
      },
    },
    reference: rawSeal(suite.aead, CORKED_SIZE),
  };
}

/** Datagrams in: `handleMessage` with fresh sessions, out to a read callback that only counts. */
function handleMessage(provider: Provider, suite: CipherSuite, size: number): Sides {
  const { client, server } = connectedPair(provider, suite);
  const records = new Datagrams(client, CLIENT_NUMBER, size);
  let read = 0;
  server.context.setHandler({ getPskInfo, write: () => {}, read: () => void read++ });
  return {
    subject: {
      prepare: (count) => records.seal(count),
      run(count) {
        const { datagrams, sessions } = records;
        const before = read;
        for (let i = 0; i < count; i++) server.context.handleMessage(sessions[i]!, datagrams[i]!);
        if (read - before !== count) throw new Error(`${count - (read - before)} of ${count} records were not read`);
      },
    },
    reference: rawOpen(suite.aead, size),
  };
}

/** There and back: write, handleMessage, a write inside read, handleMessage. */
function echo(provider: Provider, suite: CipherSuite, size: number): Sides {
  const { client, server } = connectedPair(provider, suite);
  const payload = new Uint8Array(size).fill(9);
  const fromClient: RemoteInfo[] = [];
  const fromServer: RemoteInfo[] = [];
  let there: Buffer = Buffer.alloc(0);
  let back: Buffer = Buffer.alloc(0);
  let returned = 0;
  client.context.setHandler({
    getPskInfo,
    write: (_context, _session, datagram) => void (there = carried(there, datagram)),
    read: () => void returned++,
  });
  server.context.setHandler({
    getPskInfo,
    write: (_context, _session, datagram) => void (back = carried(back, datagram)),
    read: (context, session, data) => void context.write(session, data),
  });
  const seal = rawSeal(suite.aead, size);
  const open = rawOpen(suite.aead, size);
  return {
    subject: {
      prepare(count) {
        for (let i = 0; i < count; i++) {
          fromClient[i] = remoteInfo(CLIENT_NUMBER, there.length);
          fromServer[i] = remoteInfo(SERVER_NUMBER, back.length);
        }
      },
      run(count) {
        const before = returned;
        for (let i = 0; i < count; i++) {
          client.context.write(client.peer.session, payload);
          server.context.handleMessage(fromClient[i]!, there);
          client.context.handleMessage(fromServer[i]!, back);
        }
        if (returned - before !== count) throw new Error('an echo did not come back');
      },
    },
    reference: {
      run(count) {
        seal.run(2 * count);
        open.run(2 * count);
      },
    },
  };
}

/** What the network would hold: a copy, in the same memory as long as the length stays. */
function carried(kept: Buffer, datagram: Uint8Array): Buffer {
  if (kept.length !== datagram.length) return Buffer.from(datagram.slice().buffer);
  kept.set(datagram);
  return kept;
}
