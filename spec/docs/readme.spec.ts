/**
 * The code in README.md runs as it stands and prints what its comments say.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = new URL('../../../', import.meta.url);
const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);

/** Runs `code` as a module inside the package, so that it can import the package by its name. */
async function run(code: string): Promise<{ readonly exit: number | null; readonly out: string; readonly err: string }> {
  const folder = mkdtempSync(new URL('dist/spec/docs/readme-', ROOT).pathname);
  const file = `${folder}/example.mjs`;
  writeFileSync(file, code);
  try {
    const child = spawn(process.execPath, [file], { timeout: 20_000 });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    const exit = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { exit, out, err };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('there are examples', () => {
  assert.ok(examples.length >= 3);
});

for (const [index, code] of examples.entries()) {
  test(`example ${index + 1} runs, ends, and prints what its comments say`, async () => {
    const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
    assert.ok(expected.length > 0, 'an example prints something');
    const { exit, out, err } = await run(code);
    assert.is(err, '');
    assert.is(exit, 0);
    assert.equal(out.trim().split('\n'), expected);
  });
}

/** The rows of the table under a heading, each split into its cells. */
function tableAfter(heading: string): string[][] {
  const [, section = ''] = readme.split(`\n${heading}\n`);
  const rows = section.split(/\n#/)[0]!.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => row.slice(2, -2).split(' | '));
}

/** What `pattern` finds in a file of lib, sorted. */
function declared(file: string, pattern: RegExp): string[] {
  const found = [...readFileSync(new URL(`lib/${file}`, ROOT), 'utf8').matchAll(pattern)].map(([, name]) => name!);
  assert.is.not(found.length, 0, file);
  return [...new Set(found)].sort();
}

/** What stands in backquotes. */
const quoted = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name!);

test('every option has its row, those of one peer with a mark, and no other has', () => {
  const cells = [...tableAfter('## Options').map(([name]) => name!), ...tableAfter('## Limits').map((row) => row.at(-1)!)];
  assert.equal(cells.flatMap(quoted).sort(), declared('engine/config.ts', /^ {2}readonly (\w+)\?:/gm));
  const marked = [...cells.join(' ').matchAll(/`(\w+)` \*/g)].map(([, name]) => name!);
  const [, parameters = ''] = readFileSync(new URL('lib/engine/config.ts', ROOT), 'utf8').split(/interface (?:UserParameters|DtlsOptions)/);
  assert.equal(marked.sort(), [...parameters.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name!).sort());
});

test('the defaults of the limits are those of the code', () => {
  const config = readFileSync(new URL('lib/engine/config.ts', ROOT), 'utf8');
  for (const [what, value, options] of tableAfter('## Limits')) {
    for (const name of quoted(options!)) {
      const [, first = ''] = new RegExp(`^  ${name}: \\[([\\d_.]+),`, 'm').exec(config) ?? [];
      const number = Number(first.replaceAll('_', ''));
      const spoken = [number.toLocaleString('en-US'), `${number / 1000} s`, { maxRetransmits: '5 times', timeoutJitter: 'a tenth' }[name] ?? 'nowhere'];
      assert.ok(spoken.some((text) => value!.includes(text)), `${what}: ${name} is ${number}, not ${value}`);
      const [, certified] = new RegExp(`CERTIFIED_LIMITS = .*${name}: ([\\d_]+)`).exec(config) ?? [];
      const more = certified === undefined ? '' : `(${Number(certified.replaceAll('_', '')).toLocaleString('en-US')} with public keys)`;
      assert.ok(value!.includes(more), `${what}: ${name} is ${more}, not ${value}`);
    }
  }
});

test('every callback, event and error code has its place', () => {
  const firstCells = (head: string): string => readme.split(`\n${head}\n`)[1]!.split('\n\n')[0]!.replace(/^(\| .*?) \|.*$/gm, '$1');
  const callbacks = [...firstCells('| callback | is called |').matchAll(/`(\w+)/g)].map(([, name]) => name!);
  assert.equal(callbacks.sort(), declared('engine/events.ts', /^ {2}(\w+)\??\(context/gm));
  assert.equal(quoted(firstCells('| code | says |')).sort(), declared('wire/errors.ts', /^ {2}\| '(ERR_DTLS_\w+)'/gm));
  const events = quoted(/\nEvents, each a `DTLS_EVENT_…`:([^]*?)\n\n/.exec(readme)![1]!);
  assert.equal(events.sort(), declared('engine/events.ts', /^export const DTLS_EVENT_(\w+)/gm));
});

test.run();
