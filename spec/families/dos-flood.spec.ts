/**
 * Floods, at one twentieth in the ordinary run and in full with MICRODTLS_FULL=1; memory is measured in processes of
 * their own.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Measured } from './dos-memory.js';

const MILLION = process.env['MICRODTLS_FULL'] === '1' ? 1_000_000 : 50_000;
const MIB = 2 ** 20;

async function measure(scenario: string, count: number): Promise<Measured> {
  const script = fileURLToPath(new URL('./dos-memory.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--enable-source-maps', script, scenario, String(count)]);
  return JSON.parse(stdout) as Measured;
}

test('DOS-01 hellos without a cookie from a million sessions are answered one by one and leave nothing', async () => {
  const { bytes, halfOpen, established, deadlines, taken, sent, amplification, lives } = await measure('hellos', MILLION);
  assert.equal([taken, sent], [MILLION, MILLION]);
  assert.equal([halfOpen, established, deadlines], [0, 1, 0]);
  assert.ok(bytes < MIB, `${bytes} bytes kept`);
  assert.ok(amplification <= 1, `${amplification} times what was asked`);
  assert.ok(lives, 'the association that was there before');
});

test('DOS-09 at the limit of 20,000 half-open peers each holds 8 KiB at most, and a newcomer costs another its place', async () => {
  const limit = MILLION / 50;
  const { bytes, halfOpen, established, deadlines, evicted, lives } = await measure('halfOpen', limit);
  assert.equal([halfOpen, established, deadlines, evicted], [limit, 1, limit, limit / 10]);
  assert.ok(bytes <= limit * 8192, `${Math.round(bytes / limit)} bytes each`);
  assert.ok(lives, 'the association that was there before');
});

test('DOS-17 a million forged records at one association change nothing and leave nothing', async () => {
  const { bytes, halfOpen, established, deadlines, taken, sent, lives } = await measure('forged', MILLION);
  assert.equal([taken, sent], [MILLION, 0]);
  assert.equal([halfOpen, established, deadlines], [0, 1, 0]);
  assert.ok(bytes < MIB, `${bytes} bytes kept`);
  assert.ok(lives, 'the association itself');
});

test('a thousand associations survive a million spoofed hellos: none is lost, none is told of it', async () => {
  const { bytes, halfOpen, established, deadlines, taken, sent, amplification, lives } = await measure('besieged', MILLION);
  assert.equal([halfOpen, established, deadlines, taken, sent], [0, 1001, 0, MILLION, MILLION]);
  assert.ok(bytes < MIB, `${bytes} bytes kept`);
  assert.ok(amplification <= 1, `${amplification} times what was asked`);
  assert.ok(lives, 'all of them');
});

test('an idle association holds 4 KiB at most and waits for nothing', async () => {
  const count = MILLION / 250;
  const { bytes, halfOpen, established, deadlines } = await measure('established', count);
  assert.equal([halfOpen, established, deadlines], [0, count + 101, 0]);
  assert.ok(bytes / count <= 4096, `${Math.round(bytes / count)} bytes each`);
});

test.run();
