/**
 * The runner of `npm test`: every spec file is a process of its own, two at a time; files under spec/timing/ run
 * last, one by one, because they measure. Arguments filter: a file runs if its path holds one of them.
 *
 * Law: silence is a failure. A file that ends without a summary of uvu (a promise that never settles, a forgotten
 * `.run()`), holds no test, ends with a code other than 0 or outlives its time has failed, whatever it printed.
 *
 * A spec that misses a peer or a runtime prints `skip: reason`. With MICRODTLS_FULL=1 nothing may be missing.
 * The last line is the verdict: `N passed, N failed`, and `, N skipped` where something was.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What one spec file came to. `output` is everything it printed. */
interface Result {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly string[];
  /** What is wrong with the file beyond failed tests, in words. */
  readonly fault: string | null;
  readonly output: string;
}

const full = process.env['MICRODTLS_FULL'] === '1';
const timeoutMs = full ? 600_000 : 120_000;
const atOnce = 2;
const specs = fileURLToPath(new URL('../', import.meta.url));
const running = new Set<ChildProcess>();

process.once('SIGINT', () => abandon(130));
process.once('SIGTERM', () => abandon(143));

const filters = process.argv.slice(2);
const files = readdirSync(specs, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.spec.js'))
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort();
const results: Result[] = [];

await runAll(files.filter((file) => !file.startsWith('timing/')), atOnce);
await runAll(files.filter((file) => file.startsWith('timing/')), 1);
conclude();

/** Runs the files in order, `width` of them at any time. */
async function runAll(queue: string[], width: number): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await runFile(file);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Runs one file and prints its line, and its output if it failed. */
async function runFile(file: string): Promise<void> {
  const startedAt = performance.now();
  const { output, end } = await execute(file);
  const name = file.replace(/\.spec\.js$/, '');
  const result = judge(name, output, end);
  const tally = `${result.passed}/${result.passed + result.failed}`;
  const elapsed = `${Math.round(performance.now() - startedAt)} ms`;
  console.log(`${result.failed > 0 ? '✘' : '•'} ${name.padEnd(40)} ${tally.padStart(9)} ${elapsed.padStart(10)}`);
  if (result.fault !== null) console.log(`  ${result.fault}`);
  if (result.failed > 0 && output.trim() !== '') console.log(`\n${result.output.trim().replace(/^/gm, '    ')}\n`);
  results.push(result);
}

/** Runs one file in a process group of its own, so that what it started ends with it. */
function execute(file: string): Promise<{ output: string; end: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', specs + file], {
      env: { ...process.env, FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    let end = '';
    const timer = setTimeout(() => {
      end = `still running after ${timeoutMs / 1000} s`;
      endGroup(child);
    }, timeoutMs);
    running.add(child);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => (end = error.message));
    child.on('exit', (code, signal) => {
      if (end === '' && code !== 0) end = signal === null ? `exit code ${code}` : `killed by ${signal}`;
      endGroup(child); // whatever the file left behind, which may also hold the pipes open
    });
    child.on('close', () => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ output: Buffer.concat(chunks).toString(), end });
    });
  });
}

/** Reads a file's summary. `end` is empty if the process ended well. */
function judge(file: string, output: string, end: string): Result {
  const skips = [...output.matchAll(/(?:^|\s)skip: *(.+)$/gm)].map(([, reason]) => reason!);
  const summaries = [...output.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm)];
  const sum = (column: number): number => summaries.reduce((total, summary) => total + Number(summary[column]), 0);
  const total = sum(1);
  const passed = sum(2);
  for (let unexplained = sum(3) - skips.length; unexplained > 0; unexplained--) skips.push('a test, with no reason given');

  let fault: string | null = null;
  if (end !== '' && passed === total) fault = end;
  if (summaries.length === 0) fault = `no summary: ${end || 'a test never settled, or .run() was not called'}`;
  else if (total === 0 && skips.length === 0) fault = 'no test in it';
  else if (full && skips.length > 0) fault = 'it skipped, and under MICRODTLS_FULL=1 a skip is a failure';

  const faults = full && skips.length > 0 ? skips.length : fault === null ? 0 : 1;
  return { file, passed, failed: total - passed + faults, skips, fault, output };
}

/** Prints the skips and the verdict, and sets the exit code. */
function conclude(): void {
  if (files.length === 0) console.log(`no spec file matches ${filters.join(', ') || specs}`);
  const sum = (count: (result: Result) => number): number => results.reduce((total, result) => total + count(result), 0);
  const failed = sum((result) => result.failed) + (files.length === 0 ? 1 : 0);
  const skips = results.flatMap(({ file, skips }) => skips.map((reason) => `skip: ${reason} (${file})`));
  const skipped = full ? 0 : skips.length;
  console.log(['', ...skips].join('\n'));
  console.log(`${sum((result) => result.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

/** Ends a file's process and everything it started. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

function abandon(code: number): never {
  for (const child of running) endGroup(child);
  process.exit(code);
}
