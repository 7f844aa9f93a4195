/**
 * A process of its own, started with --expose-gc: a server of the provider that the first argument names meets very many
 * peers, of which none has anything more to say. Prints what one of them keeps, and what is left when all are gone.
 *
 * Law: nothing here is a single measurement. Memory only looks larger than it is (garbage that is not collected yet, pages
 * that are not given back yet), so the least of several looks counts; and a slope is the median of the slopes between
 * all pairs of sizes, so that one size with something beside the peers in it cannot move it.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout } from 'node:timers/promises';

/** What the process prints, as JSON. */
export interface Idle {
  /** Bytes that one peer keeps in the heap and in array buffers. */
  readonly held: number;
  /** Bytes that one peer adds to the process. */
  readonly resident: number;
  /** Native cipher objects with the most peers, and when all were gone. */
  readonly ciphers: number;
  readonly ciphersLeft: number;
  /** Bytes left behind by each peer that came and went, and peers that were left. */
  readonly left: number;
  readonly peersLeft: number;
}

interface Look {
  readonly size: number;
  readonly held: number;
  readonly resident: number;
}

const LOOKS = 3;
const STEPS = 5;
/** Peers that come and go before anything counts. */
const GUESTS = 1000;

const [name, few, many] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

// Native ciphers are counted where they are made and where they are found dead.
let ciphers = 0;
const graves = new FinalizationRegistry(() => ciphers--);
const { createCipheriv } = crypto;
crypto.createCipheriv = ((...args: Parameters<typeof createCipheriv>) => {
  const cipher = createCipheriv(...args);
  ciphers++;
  graves.register(cipher, null);
  return cipher;
}) as typeof createCipheriv;
syncBuiltinESMExports();

const { Crowd, held } = await import('../../bench/crowd.js');
const { PROVIDERS } = await import('../../bench/ends.js');
const { PSK_AES_128_CCM_8 } = await import('../../lib/suites/psk.js');
const provider = PROVIDERS.find((each) => each.name === name);
if (provider === undefined) throw new Error(`no provider ${name}`);

/** What is held now: the least of a few looks, with time in between for what is freed later. */
async function look(size: number): Promise<Look> {
  const least = { size, held: Infinity, resident: Infinity };
  for (let i = 0; i < LOOKS; i++) {
    const { heapUsed, external, rss } = held();
    least.held = Math.min(least.held, heapUsed + external);
    least.resident = Math.min(least.resident, rss);
    await setTimeout(5);
  }
  return least;
}

/** The median of the slopes between all pairs (Theil and Sen). */
function slope(looks: readonly Look[], of: 'held' | 'resident'): number {
  const slopes = looks.flatMap((one, index) => looks.slice(index + 1).map((other) => (other[of] - one[of]) / (other.size - one.size)));
  return slopes.sort((a, b) => a - b)[slopes.length >> 1]!;
}

const crowd = new Crowd(provider, PSK_AES_128_CCM_8);

// Guests come and go first: afterwards everything is compiled and every table has been in use.
for (let round = 0; round < 2; round++) {
  crowd.grow(GUESTS, 'established');
  crowd.forget();
}
const before = await look(0);

const looks: Look[] = [];
for (let size = few; looks.length < STEPS; size += (many - few) / (STEPS - 1)) {
  crowd.grow(size - crowd.size, 'established');
  looks.push(await look(size));
}
const most = ciphers;
crowd.forget();
const after = await look(0);

console.log(JSON.stringify({
  held: slope(looks, 'held'),
  resident: slope(looks, 'resident'),
  ciphers: most,
  ciphersLeft: ciphers,
  left: (after.held - before.held) / many,
  peersLeft: crowd.size,
} satisfies Idle));
