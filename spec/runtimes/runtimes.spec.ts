import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const script = fileURLToPath(new URL('./providers.js', import.meta.url));

interface Runtime {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** AEADs that the native provider finds there at least. */
  readonly aeads: number;
}

const runtimes: readonly Runtime[] = [
  { name: 'node', command: process.execPath, arguments: [script], aeads: 7 },
  { name: 'deno', command: 'deno', arguments: ['run', '--allow-all', script], aeads: 7 },
  { name: 'bun', command: 'bun', arguments: ['run', script], aeads: 6 },
];

for (const runtime of runtimes) {
  const installed = spawnSync(runtime.command, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!installed) console.log(`skip: ${runtime.name} is not installed`);
  (installed ? test : test.skip)(`the provider suite passes on ${runtime.name}`, async () => {
    const { code, output } = await execute(runtime);
    assert.is(code, 0, output);
    const [, passed, total] = /^(\d+) of (\d+) provider checks passed$/m.exec(output) ?? [];
    assert.ok(Number(total) > 100, output);
    assert.is(passed, total, output);
    assert.ok((/^native: (.*)$/m.exec(output)?.[1]?.split(' ') ?? []).length >= runtime.aeads, output);
  });
}

/** Runs the script to its end. */
function execute(runtime: Runtime): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(runtime.command, runtime.arguments, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

test.run();
