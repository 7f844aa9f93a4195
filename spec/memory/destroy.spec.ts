/**
 * API-09, ten thousand handshakes that are destroyed half-way, in a process of its own: no deadline stays armed, no
 * peer in a table, and the heap is where it was.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const CHILD = fileURLToPath(new URL('destroy.js', import.meta.url));
const ROUNDS = 10_000;
/** What a handshake may leave behind in bytes, for the noise: an entry in a table with its key would take more. */
const LEFT_BEHIND = 40;

test('API-09 ten thousand handshakes destroyed at any step leave no deadline, no peer and no memory', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--enable-source-maps', CHILD], { timeout: 60_000 });
  const { grown, ...left } = JSON.parse(stdout) as { grown: number } & Record<string, number>;
  assert.equal(left, { halfOpen: 0, established: 0, deadlines: 0, heldBytes: 0, errors: 0 });
  assert.ok(grown < ROUNDS * LEFT_BEHIND, `${grown} bytes`);
});

test.run();
