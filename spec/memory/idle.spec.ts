/**
 * What a peer that is connected and silent costs: a server with very many of them, in a process of its own for each
 * provider. With MICRODTLS_FULL=1 there are 50,000.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PROVIDERS } from '../../bench/ends.js';
import type { Idle } from './idle.js';

const CHILD = fileURLToPath(new URL('idle.js', import.meta.url));
const FULL = process.env['MICRODTLS_FULL'] === '1';
const SIZES = FULL ? ['10000', '50000'] : ['1000', '3000'];

/** Heap and array buffers of a peer, with its session, keys, windows, last flight and places in tables. */
const MOST_HELD = 2560;
/** The same with everything that allocators and pages add. */
const MOST_RESIDENT = 6144;
/** Two cipher objects for each of the 256 keys that the native provider keeps ready. */
const MOST_CIPHERS = 2 * 256;
/** For the noise, which is that of the process and the less, the more peers share it: what is compiled meanwhile. */
const LEFT_BEHIND = FULL ? 20 : 100;

// Both at a time, for each waits for nobody; else the one that has more to let go.
const runs = new Map(PROVIDERS.filter(({ name }) => FULL || name === 'native').map(({ name }) => [name, promisify(execFile)(process.execPath, ['--expose-gc', '--enable-source-maps', CHILD, name, ...SIZES])]));

for (const [name, run] of runs) {
  test(`${SIZES[1]} idle peers on the ${name} provider keep little each, and nothing when they are gone`, async () => {
    const { held, resident, ciphers, ciphersLeft, left, peersLeft } = JSON.parse((await run).stdout) as Idle;
    assert.ok(held > 500 && held <= MOST_HELD, `${held} bytes of heap and buffers a peer`);
    assert.ok(resident <= MOST_RESIDENT, `${resident} bytes of the process a peer`);
    assert.ok(ciphers <= MOST_CIPHERS && (name !== 'native' || ciphers > MOST_CIPHERS / 2), `${ciphers} native ciphers`);
    assert.is(ciphersLeft, 0);
    assert.is(peersLeft, 0);
    assert.ok(left <= LEFT_BEHIND, `${left} bytes are left of each peer`);
  });
}

test.run();
