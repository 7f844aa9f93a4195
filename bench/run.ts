/**
 * `npm run bench`: measures every case, or those that a filter names, and prints a table.
 *
 * Law: this process measures nothing. Cases run in children under --expose-gc, one for each combination of bench,
 * suite and provider, one child at a time: code that has seen several ciphers is slower than code that serves one, and
 * an application has one.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allCases } from './cases/index.js';
import { measure, type Labels, type Result } from './harness.js';
import { heading, json, nameOf, notes, plot, row } from './report.js';

const USAGE = `usage: npm run bench -- [options]
  --filter TEXT            only cases whose name holds TEXT, e.g. record/seal or 'context/write PSK_AES_128_CCM_8'
  --provider noble|native  only cases on this provider
  --seconds N              how long each case is timed (default 1; 0.1 with --quick)
  --quick                  fewer suites, fewer peers, less time
  --json                   one JSON object a line instead of the table
  --plot FILE              draw the ratios as an SVG
  --list                   the names of the cases, and nothing else`;

interface Settings {
  readonly filter: string;
  readonly provider: string | null;
  readonly seconds: number;
  readonly quick: boolean;
  readonly json: boolean;
  readonly plot: string | null;
  readonly list: boolean;
  /** In a child: the number of the group to measure. */
  readonly group: number | null;
}

const settings = parsed(process.argv.slice(2));
const groups = chosen(settings);
if (settings.group !== null) measureGroup(groups[settings.group] ?? []);
else if (groups.length === 0) fail('no case has such a name (--list prints them)');
else if (settings.list) for (const group of groups) for (const item of group) console.log(nameOf(item));
else await measureAll();

function parsed(args: readonly string[]): Settings {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        filter: { type: 'string', default: '' },
        provider: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        plot: { type: 'string' },
        list: { type: 'boolean', default: false },
        group: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return fail((error as Error).message);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { provider, quick } = values;
  if (provider !== undefined && provider !== 'noble' && provider !== 'native') return fail(`no provider ${provider}`);
  const seconds = values.seconds === undefined ? (quick ? 0.1 : 1) : Number(values.seconds);
  if (!(seconds > 0 && seconds <= 3600)) return fail(`--seconds ${values.seconds}: a number above 0, up to 3600`);
  const group = values.group === undefined ? null : Number(values.group);
  const { filter, list } = values;
  return { filter, provider: provider ?? null, seconds, quick, json: values.json, plot: values.plot ?? null, list, group };
}

function fail(why: string): never {
  console.error(`${why}\n\n${USAGE}`);
  process.exit(2);
}

/** The cases that are wanted, those of one child together. The same in the parent and in each child. */
function chosen({ filter, provider, quick }: Settings): ReturnType<typeof allCases>[] {
  const wanted = allCases(quick).filter(
    (item) => nameOf(item).includes(filter) && (provider === null || item.provider === provider),
  );
  const byChild = new Map<string, ReturnType<typeof allCases>>();
  const child = ({ bench, suite, provider: of }: Labels): string => `${bench} ${suite} ${of}`;
  for (const item of wanted) byChild.set(child(item), [...(byChild.get(child(item)) ?? []), item]);
  return [...byChild.values()];
}

function measureGroup(group: ReturnType<typeof allCases>): void {
  for (const item of group) console.log(json(measure(item, { seconds: settings.seconds })));
}

async function measureAll(): Promise<void> {
  const results: Result[] = [];
  const mode = settings.quick ? ', quick mode' : '';
  const about = `Node ${process.versions.node}, ${availableParallelism()} cores, ${settings.seconds} s a case${mode}`;
  if (!settings.json) console.log(`${about}\n\n${heading()}`);
  for (let group = 0; group < groups.length; group++) {
    await measureInChild(group, (line) => {
      const result = JSON.parse(line) as Result;
      results.push(result);
      console.log(settings.json ? line : row(result));
    });
  }
  if (!settings.json) console.log(['', ...notes(results)].join('\n'));
  if (settings.plot !== null) writeFileSync(settings.plot, plot(results, about));
}

function measureInChild(group: number, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['--expose-gc', fileURLToPath(import.meta.url), ...process.argv.slice(2), '--group', String(group)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', onLine);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      console.error(`the cases of ${groups[group]!.map(nameOf).join(', ')} failed`);
      process.exit(1);
    });
  });
}
