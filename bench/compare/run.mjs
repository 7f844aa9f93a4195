/**
 * The same work by others, in turns with ours and in one process; a process for each work and each of our providers.
 *
 *   npm --prefix bench/compare install
 *   node build.mjs && node bench/compare/run.mjs [--quick] [--seconds N] [--json] [--filter TEXT]
 *
 * The ratio is our operations a second over theirs, the median over the rounds: above 1 we are faster. For handshakes it
 * is of the client's half where a rival has no more, else of the processor's time; the clock's time of all of it stands in
 * a column beside it. What a rival cannot do is said, and is no zero.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../../dist/bench/harness.js';
import { ours } from './microdtls.mjs';
import { nodeDtlsClient } from './node-dtls-client.mjs';
import { nodertc } from './nodertc.mjs';
import { KINDS, Server } from './stage.mjs';
import { werift } from './werift.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    json: { type: 'boolean', default: false },
    filter: { type: 'string', default: '' },
    // For children: the one job to do, and with which of our providers.
    job: { type: 'string' },
    provider: { type: 'string' },
  },
});
const seconds = Number(values.seconds ?? (values.quick ? 0.2 : 2));
const TURN_MS = 1;
/** Longer, because a turn comes after the sleep of a rival, with cold caches. */
const HANDSHAKE_TURN_MS = 20;
const WARM_UP_HANDSHAKES = 1500;
const SPANS = 15;
const SPAN_BYTES = 256 * 1024;
const MIN_ROUNDS = 7;
const MAX_BATCH = 1024;
const RIVALS = [nodeDtlsClient, nodertc, werift];
const OUR_PROVIDERS = ['native', 'noble'];

const jobs = [
  ...['ccm8', 'gcm'].flatMap((suite) =>
    (values.quick ? [64] : [64, 256, 1200]).flatMap((size) => [
      { work: 'write', suite, size },
      { work: 'receive', suite, size },
    ]),
  ),
  { work: 'handshake', suite: 'ccm8', size: null, kind: 'psk' },
  ...['psk', 'ecdhe_psk', 'ecdhe_psk P-384', 'certificates', 'certificates mutual'].map((kind) => ({ work: 'handshake', suite: 'gcm', size: null, kind })),
];

if (values.job === undefined) {
  if (!values.json) {
    console.log(`Node ${process.versions.node}; ${RIVALS.map(({ name, version }) => `${name} ${version}`).join(', ')}\n`);
    const heads = ['work'.padEnd(29), 'suite'.padEnd(6), 'size'.padStart(5), 'side'.padEnd(22), 'µs/op'.padStart(9), 'clock'.padStart(9), 'B/op'.padStart(9)];
    console.log([...heads, 'ours/theirs'.padStart(24)].join('  '));
  }
  for (const [index, job] of jobs.entries()) {
    if (!nameOf(job).includes(values.filter)) continue;
    // An application has one provider, and does not do all of this one after the other.
    report(job, OUR_PROVIDERS.map((provider) => ({ provider, sides: inChild(index, provider) })));
  }
} else {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  console.log(JSON.stringify(await compare(jobs[Number(values.job)], ours(values.provider), gc)));
  // Rivals leave timers behind.
  process.exit(0);
}

/** What `compare` finds, in a process of its own. */
function inChild(index, provider) {
  const options = [...(values.quick ? ['--quick'] : []), '--seconds', String(seconds), '--job', String(index), '--provider', provider];
  const { status, stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...options], {
    encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(1);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

function nameOf({ work, kind, suite, size }) {
  return [work, kind, suite, size].filter((part) => part !== null && part !== undefined).join(' ');
}

/** Our side against every rival, in turns: `{ name, us, clockUs, bytesPerOp, ratio }` or `{ name, cannot }`, ours first. */
async function compare({ work, suite, size, kind }, own, gc) {
  const sides = [];
  for (const { name, [work]: make } of [own, ...RIVALS]) {
    try {
      const side = await make(suite, kind ?? size);
      await warmUp(side, ...(work === 'handshake' ? [HANDSHAKE_TURN_MS, WARM_UP_HANDSHAKES] : [TURN_MS, 0]));
      sides.push({ name, side, times: [], clocks: [] });
    } catch (error) {
      sides.push({ name, cannot: error.message.replace(/^cannot: /, '') });
    }
  }
  const able = sides.filter(({ cannot }) => cannot === undefined);
  const endAt = performance.now() + seconds * 1000 * able.length;
  for (let round = 0; round < MIN_ROUNDS || performance.now() < endAt; round++) {
    for (const { side, times, clocks } of shuffled(able)) {
      const { ms, processorMs, serverMs } = await turn(side, side.batch);
      // Where a rival waits for timers of its own in the middle of a handshake, the processor's time counts: it goes by ticks,
      // so where none does, the clock's is better.
      times.push(work !== 'handshake' ? ms : KINDS[kind].half === true ? ms - serverMs : processorMs);
      clocks.push(ms);
    }
  }
  const mine = sides[0].times;
  const found = [];
  for (const { name, cannot, side, times, clocks } of sides) {
    if (cannot !== undefined) {
      found.push({ name, cannot });
      continue;
    }
    const ratio = name === own.name || mine === undefined ? null : median(times.map((time, round) => time / mine[round]));
    found.push({ name, us: median(times) * 1000, clockUs: median(clocks) * 1000, bytesPerOp: await allocated(side, gc), ratio });
  }
  return found;
}

/** A row for each of our providers and for each rival; times of rivals are those beside the native provider. */
function report({ work, suite, size, kind }, runs) {
  const rivals = RIVALS.map((_rival, at) => ({
    ...runs[0].sides[1 + at],
    ratios: runs.map(({ provider, sides }) => ({ provider, ratio: sides[1 + at].ratio ?? null })),
  }));
  for (const { name, us, clockUs, bytesPerOp, cannot, ratios = [] } of [...runs.map(({ sides }) => sides[0]), ...rivals]) {
    if (values.json) {
      const rounded = (value) => (value === undefined ? null : Number(value.toPrecision(5)));
      console.log(JSON.stringify({
        work, kind: kind ?? null, suite, size, side: name, microsecondsPerOp: rounded(us), clockMicrosecondsPerOp: rounded(clockUs),
        bytesPerOp: bytesPerOp ?? null, cannot: cannot ?? null, ratios: cannot === undefined ? ratios : [],
      }));
      continue;
    }
    const start = [[work, kind].join(' ').trim().padEnd(29), suite.padEnd(6), String(size ?? '–').padStart(5), name.padEnd(22)].join('  ');
    if (cannot !== undefined) {
      console.log(`${start}  cannot: ${cannot}`);
      continue;
    }
    const against = ratios.map(({ provider, ratio }) => `${provider} ${ratio === null ? '–' : ratio.toFixed(1)}`).join('  ');
    const figures = [...[us, clockUs].map((value) => value.toFixed(2).padStart(9)), String(Math.round(bytesPerOp)).padStart(9)];
    console.log([start, ...figures, against.padStart(24)].join('  '));
  }
}

/** Bytes that an operation allocates in the heap: the median of spans too short for a collection, as in ../harness.ts. */
async function allocated(side, gc) {
  const first = await span(side, 1, gc);
  const count = Math.max(1, Math.min(side.batch, Math.floor(SPAN_BYTES / Math.max(64, first))));
  const spans = [];
  for (let i = 0; i < SPANS; i++) spans.push(await span(side, count, gc));
  return median(spans.filter((bytes) => bytes >= 0)) / count;
}

async function span(side, count, gc) {
  side.prepare?.(count);
  gc({ type: 'minor' });
  const before = process.memoryUsage().heapUsed;
  await side.run(count);
  return process.memoryUsage().heapUsed - before;
}

/** Compiles everything and finds how many operations fill a turn; so many operations, but for two seconds at most. */
async function warmUp(side, turnMs, least) {
  const startedAt = performance.now();
  const endAt = startedAt + Math.max(200, seconds * 300);
  let done = 0;
  side.batch = 1;
  do {
    done += side.batch;
    const { ms } = await turn(side, side.batch);
    side.batch = Math.max(1, Math.min(MAX_BATCH, side.batch * 2, Math.round(turnMs / ms)));
  } while (performance.now() < endAt || (done < least && performance.now() < startedAt + 2000));
}

async function turn(side, count) {
  side.prepare?.(count);
  const startedAt = performance.now();
  const used = process.cpuUsage();
  const served = Server.ms;
  await side.run(count);
  const { user, system } = process.cpuUsage(used);
  const ms = performance.now() - startedAt;
  return { ms: ms / count, processorMs: (user + system) / 1000 / count, serverMs: (Server.ms - served) / count };
}

function shuffled(sides) {
  return sides.map((side) => [Math.random(), side]).sort(([a], [b]) => a - b).map(([, side]) => side);
}
