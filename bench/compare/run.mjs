/**
 * The same work by others, in turns with ours and in one process.
 *
 *   npm --prefix bench/compare install
 *   node build.mjs && node bench/compare/run.mjs [--quick] [--seconds N] [--json] [--filter TEXT]
 *
 * The ratio is our operations a second over theirs, the median over the rounds: above 1 we are faster. What a rival
 * cannot do is said, and is no zero.
 */
import { parseArgs } from 'node:util';
import { median } from '../../dist/bench/harness.js';
import { ours } from './microdtls.mjs';
import { nodeDtlsClient } from './node-dtls-client.mjs';
import { nodertc } from './nodertc.mjs';
import { werift } from './werift.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    json: { type: 'boolean', default: false },
    filter: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 0.2 : 2));
const TURN_MS = 1;
const MIN_ROUNDS = 7;
const MAX_BATCH = 1024;
const RIVALS = [nodeDtlsClient, nodertc, werift];
const SIDES = [ours('native'), ours('noble')];

const jobs = [
  ...['ccm8', 'gcm'].flatMap((suite) =>
    (values.quick ? [64] : [64, 256, 1200]).flatMap((size) => [
      { work: 'write', suite, size },
      { work: 'receive', suite, size },
    ]),
  ),
  { work: 'handshake', suite: 'ccm8', size: null },
  { work: 'handshake', suite: 'gcm', size: null },
].filter(({ work, suite, size }) => `${work} ${suite} ${size ?? ''}`.includes(values.filter));

if (!values.json) {
  console.log(`Node ${process.versions.node}; ${RIVALS.map(({ name, version }) => `${name} ${version}`).join(', ')}\n`);
  console.log(['work'.padEnd(10), 'suite'.padEnd(6), 'size'.padStart(5), 'side'.padEnd(22), 'µs/op'.padStart(9), 'ours/theirs'.padStart(24)].join('  '));
}
for (const job of jobs) await compare(job);
// Rivals leave timers behind.
process.exit(0);

async function compare({ work, suite, size }) {
  const sides = [];
  for (const { name, [work]: make } of [...SIDES, ...RIVALS]) {
    try {
      const side = await make(suite, size);
      await warmUp(side);
      sides.push({ name, ...side, side });
    } catch (error) {
      sides.push({ name, cannot: error.message.replace(/^cannot: /, '') });
    }
  }
  const able = sides.filter(({ cannot }) => cannot === undefined);
  const times = new Map(able.map(({ name }) => [name, []]));
  const endAt = performance.now() + seconds * 1000 * able.length;
  for (let round = 0; round < MIN_ROUNDS || performance.now() < endAt; round++) {
    for (const { name, side } of shuffled(able)) times.get(name).push(await turn(side, side.batch));
  }
  for (const { name, cannot } of sides) print({ work, suite, size, name, cannot, times });
}

function print({ work, suite, size, name, cannot, times }) {
  const theirs = times.get(name);
  const ratio = (own) => {
    const mine = times.get(own.name);
    return mine === undefined || theirs === undefined ? null : median(theirs.map((time, round) => time / mine[round]));
  };
  const isOurs = SIDES.some((own) => own.name === name);
  const ratios = isOurs ? [] : SIDES.map((own) => ({ provider: own.name.replace(/.*\((.*)\)/, '$1'), ratio: ratio(own) }));
  if (values.json) {
    const us = theirs === undefined ? null : Number((median(theirs) * 1000).toPrecision(5));
    console.log(JSON.stringify({ work, suite, size, side: name, microsecondsPerOp: us, cannot: cannot ?? null, ratios }));
    return;
  }
  const start = [work.padEnd(10), suite.padEnd(6), String(size ?? '–').padStart(5), name.padEnd(22)].join('  ');
  if (cannot !== undefined) {
    console.log(`${start}  cannot: ${cannot}`);
    return;
  }
  const against = ratios.map(({ provider, ratio }) => `${provider} ${ratio === null ? '–' : ratio.toFixed(1)}`).join('  ');
  console.log(`${start}  ${(median(theirs) * 1000).toFixed(2).padStart(9)}  ${against.padStart(24)}`);
}

/** Compiles everything and finds how many operations fill a turn. */
async function warmUp(side) {
  const endAt = performance.now() + Math.max(200, seconds * 300);
  side.batch = 1;
  do {
    const msPerOp = await turn(side, side.batch);
    side.batch = Math.max(1, Math.min(MAX_BATCH, side.batch * 2, Math.round(TURN_MS / msPerOp)));
  } while (performance.now() < endAt);
}

async function turn(side, count) {
  side.prepare?.(count);
  const startedAt = performance.now();
  await side.run(count);
  return (performance.now() - startedAt) / count;
}

function shuffled(sides) {
  return sides.map((side) => [Math.random(), side]).sort(([a], [b]) => a - b).map(([, side]) => side);
}
