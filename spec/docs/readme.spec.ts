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

test('every option and call that the README names is there', () => {
  const config = readFileSync(new URL('lib/engine/config.ts', ROOT), 'utf8');
  for (const [, names] of readme.matchAll(/\| ((?:`\w+`(?:, )?)+) \|\n/g)) {
    for (const [, name] of names!.matchAll(/`(\w+)`/g)) assert.ok(config.includes(`readonly ${name}?:`), `no option ${name}`);
  }
});

test.run();
