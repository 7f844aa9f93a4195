/**
 * The neutral suites over both providers, as plain scripts on Node, Deno and Bun.
 */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

interface Runtime {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** AEADs that the native provider finds there at least. */
  readonly aeads: number;
}

const runtimes: readonly Runtime[] = [
  { name: 'node', command: process.execPath, arguments: [], aeads: 7 },
  { name: 'deno', command: 'deno', arguments: ['run', '--allow-all'], aeads: 7 },
  { name: 'bun', command: 'bun', arguments: ['run'], aeads: 6 },
];

/** A script and what its last line calls its checks. */
const suites = [
  { script: 'providers.js', checks: 'provider', least: 100 },
  { script: 'publickey.js', checks: 'public-key', least: 500 },
] as const;

for (const runtime of runtimes) {
  const installed = spawnSync(runtime.command, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!installed) console.log(`skip: ${runtime.name} is not installed`);
  for (const { script, checks, least } of suites) {
    // On Node the public-key checks run as a spec of their own.
    if (runtime.name === 'node' && checks === 'public-key') continue;
    (installed ? test : test.skip)(`every ${checks} check passes on ${runtime.name}`, async () => {
      const { code, output } = await execute(runtime, fileURLToPath(new URL(`./${script}`, import.meta.url)));
      assert.is(code, 0, output);
      const [, passed, total] = new RegExp(`^(\\d+) of (\\d+) ${checks} checks passed$`, 'm').exec(output) ?? [];
      assert.ok(Number(total) > least, output);
      assert.is(passed, total, output);
      if (checks === 'provider') assert.ok((/^native: (.*)$/m.exec(output)?.[1]?.split(' ') ?? []).length >= runtime.aeads, output);
    });
  }
}

/** Runs the script to its end. */
function execute(runtime: Runtime, script: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(runtime.command, [...runtime.arguments, script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

test.run();
