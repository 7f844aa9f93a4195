/**
 * Records without an engine: an epoch seals, another opens, against the platform's AEAD with everything else at hand.
 */
import type { AeadName, CipherSuite, Provider } from '../../lib/core.js';
import { ReadEpoch, WriteEpoch } from '../../lib/record/epoch.js';
import { Protection12 } from '../../lib/record/protect12.js';
import { RecordWalk } from '../../lib/record/records.js';
import { ContentType, ProtocolVersion } from '../../lib/wire/registry.js';
import { SIZES, combinations, shortName } from '../ends.js';
import { sink, type Case, type Sides, type Work } from '../harness.js';
import { hasOneShot, oneShotSeal } from '../oneshot.js';
import { rawOpen, rawSeal } from '../raw.js';

/** Records that are sealed before a turn of opening them. */
const BATCH = 1024;
const ROOM = 64;

/** How many times as fast as noble itself ours must be on the same parts, by size. */
const ONE_SHOT_GATES: Readonly<Partial<Record<AeadName, Readonly<Record<number, number>>>>> = {
  'aes-128-gcm': { 64: 4, 1200: 1.5 },
  'chacha20-poly1305': { 64: 1.5 },
};

export function recordCases(quick: boolean): Case[] {
  return combinations(quick).flatMap(({ suite, provider }) => {
    const both = { suite: shortName(suite), provider: provider.name };
    const oneShot = (size: number): Case => ({
      bench: 'record/seal vs noble one-shot', ...both, size, reference: 'noble, a new instance for each record',
      warmUpOperations: 20_000, gate: ONE_SHOT_GATES[suite.aead]?.[size] ?? null,
      set: () => ({ subject: seal(provider, suite, size), reference: oneShotSeal(suite.aead, size) }),
    });
    return SIZES.flatMap((size): Case[] => [
      {
        bench: 'record/seal', ...both, size, reference: 'raw seal',
        set: () => ({ subject: seal(provider, suite, size), reference: rawSeal(suite.aead, size) }),
      },
      { bench: 'record/open', ...both, size, reference: 'raw open', maxBatch: BATCH, set: () => open(provider, suite, size) },
      ...(provider.name === 'noble' && hasOneShot(suite.aead) ? [oneShot(size)] : []),
    ]);
  });
}

function protection(provider: Provider, suite: CipherSuite): Protection12 {
  const algorithm = provider.aeads[suite.aead]!;
  const iv = new Uint8Array(suite.nonceForm === 'explicit' ? 4 : 12).fill(3);
  return new Protection12(algorithm.create(new Uint8Array(algorithm.keyLength).fill(7)), suite.nonceForm, iv, 0);
}

function seal(provider: Provider, suite: CipherSuite, size: number): Work {
  const epoch = new WriteEpoch(1, protection(provider, suite));
  const plain = new Uint8Array(size).fill(9);
  const out = new Uint8Array(size + ROOM);
  return {
    run(count) {
      for (let i = 0; i < count; i++) epoch.seal(out, 0, ContentType.applicationData, ProtocolVersion.dtls12, plain);
    },
  };
}

function open(provider: Provider, suite: CipherSuite, size: number): Sides {
  const write = new WriteEpoch(1, protection(provider, suite));
  const read = new ReadEpoch(1, protection(provider, suite));
  const plain = new Uint8Array(size).fill(9);
  const out = new Uint8Array(size + ROOM);
  const records = Array.from({ length: BATCH }, () => new Uint8Array(size + write.overhead));
  const walk = new RecordWalk();
  return {
    subject: {
      prepare(count) {
        for (let i = 0; i < count; i++) write.seal(records[i]!, 0, ContentType.applicationData, ProtocolVersion.dtls12, plain);
      },
      run(count) {
        let opened = 0;
        for (let i = 0; i < count; i++) {
          walk.begin(records[i]!);
          if (walk.next() && read.open(out, walk) === size) opened++;
        }
        if (opened !== count) throw new Error(`${count - opened} of ${count} records were not opened`);
        sink.value = opened;
      },
    },
    reference: rawOpen(suite.aead, size),
  };
}
