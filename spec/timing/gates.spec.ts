/**
 * The gates of the benches: ratios that must be reached, of two things that take turns in one process. Measured with
 * MICRODTLS_FULL=1 only, three tries for each.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Result } from '../../bench/harness.js';
import { nameOf } from '../../bench/report.js';
import { FULL, threeTries } from './measure.js';

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
if (!FULL) console.log('skip: rates are measured with MICRODTLS_FULL=1');

/** The gated results of all cases whose name holds `filter`. */
function gated(filter: string): Result[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, '--quick', '--json', '--seconds', '0.5', '--filter', filter], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return stdout.trim().split('\n').map((line) => JSON.parse(line) as Result).filter(({ gate }) => gate !== null);
}

if (FULL) {
  test('GCM and ChaCha20-Poly1305 on the noble provider outdo noble itself by as much as they should', () => {
    const reached = new Set<string>();
    const complaint = threeTries(() => {
      const results = gated('record/seal vs noble one-shot');
      assert.is(results.length, 3);
      for (const result of results) if (result.ratio! >= result.gate!) reached.add(nameOf(result));
      const missed = results.filter((result) => !reached.has(nameOf(result)));
      return missed.length === 0 ? null : missed.map((result) => `${nameOf(result)}: ${result.ratio}, where ${result.gate} is due`).join('\n');
    });
    assert.is(complaint, null);
  });
}

test.run();
