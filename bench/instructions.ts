/**
 * How many instructions an operation takes, under valgrind: a figure that a busy machine does not move (it repeats within
 * a few hundredths), at a price of about a minute a case.
 *
 *   node dist/bench/instructions.js 'context/write PSK_AES_128_CCM_8 native 64'
 *
 * Law: the slope between two numbers of operations, so that neither the start of Node nor its compiling counts. Only for
 * cases that get nothing ready: what `prepare` does could not be told apart. Valgrind has no newer vector instructions
 * than AVX2, so ciphers may take another path than they do outside.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { allCases } from './cases/index.js';
import { nameOf } from './report.js';

/** Operations in the shorter run: by then everything is compiled. */
const WARM = 20_000;
const MORE = 20_000;
const VALGRIND = ['--tool=cachegrind', '--cache-sim=no', '--cachegrind-out-file=/dev/null', '--smc-check=all-non-file'];

const [filter = '', counted] = process.argv.slice(2);
// Thousands of peers that are made beforehand would drown the operation.
const cases = allCases(false).filter((item) => 'set' in item && !item.bench.startsWith('peers/') && nameOf(item).includes(filter));
if (counted !== undefined) work(Number(counted));
else if (filter === '' || cases.length === 0) {
  console.error('usage: node dist/bench/instructions.js CASE (npm run bench -- --list names the cases)');
  process.exit(2);
} else for (const item of cases) console.log(`${nameOf(item)}: ${perOperation(nameOf(item))}`);

/** The child: so many operations of the one case, and nothing else. */
function work(count: number): void {
  const item = cases.find((each) => nameOf(each) === filter);
  if (item === undefined || !('set' in item)) throw new Error(`no case ${filter}`);
  const { subject } = item.set();
  if (subject.prepare !== undefined) throw new Error(`${filter} gets something ready for each operation`);
  subject.run(count);
}

function perOperation(name: string): string {
  const [few, many] = [instructions(name, WARM), instructions(name, WARM + MORE)];
  if (few === null || many === null) return 'no figure: valgrind is missing, or the case cannot be counted';
  return `${Math.round((many - few) / MORE).toLocaleString('en')} instructions`;
}

/** What valgrind counts in a whole process; null if it cannot. */
function instructions(name: string, count: number): number | null {
  const node = [process.execPath, '--single-threaded', fileURLToPath(import.meta.url), name, `${count}`];
  const { stderr } = spawnSync('valgrind', [...VALGRIND, ...node], { encoding: 'utf8' });
  const found = /I +refs: +([\d,]+)/.exec(stderr ?? '');
  const failed = /^Error: /m.test(stderr ?? '');
  return found === null || failed ? null : Number(found[1]!.replaceAll(',', ''));
}
