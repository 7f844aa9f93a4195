/**
 * CRY-14: Project Wycheproof through both providers. A selection stands in this repository and always runs. The whole
 * sets are too large for it: MICRODTLS_WYCHEPROOF names a folder testvectors_v1 of a clone of C2SP/wycheproof, and
 * whatever stands there of WYCHEPROOF_FILES runs too; a file that is missing is a failure.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { judge, WYCHEPROOF_FILES, type WycheproofFile } from './wycheproof.js';
import { WYCHEPROOF_SELECTION } from './wycheproof-selection.js';

const folder = process.env['MICRODTLS_WYCHEPROOF'];

for (const provider of [nobleProvider, nativeProvider]) {
  for (const [name, file] of Object.entries(WYCHEPROOF_SELECTION)) {
    test(`CRY-14 ${provider.name} judges the selection from ${name}_test as Wycheproof does`, () => {
      const { valid, invalid, acceptable, outside } = judge(provider, file);
      assert.is(outside, 0, 'parameters that no suite has do not belong in the selection');
      assert.is(valid + invalid + acceptable, file.testGroups.reduce((sum, { tests }) => sum + tests.length, 0));
    });
  }

  for (const name of folder === undefined ? [] : WYCHEPROOF_FILES) {
    test(`CRY-14 ${provider.name} judges all of ${name}_test as Wycheproof does`, () => {
      const file = JSON.parse(readFileSync(join(folder!, `${name}_test.json`), 'utf8')) as WycheproofFile;
      const { valid, invalid } = judge(provider, file);
      assert.ok(valid + invalid > 50, `${valid} valid and ${invalid} invalid ones judged`);
    });
  }
}

test('CRY-14 a wrong verdict is noticed, of either kind', () => {
  for (const file of Object.values(WYCHEPROOF_SELECTION)) {
    for (const group of file.testGroups) {
      for (const one of group.tests.slice(0, 60)) {
        if (one.result === 'acceptable') continue;
        const turned = { ...one, result: one.result === 'valid' ? 'invalid' as const : 'valid' as const };
        assert.throws(() => judge(nobleProvider, { ...file, testGroups: [{ ...group, tests: [turned] }] }), new RegExp(` ${one.tcId} `));
      }
    }
  }
});

test.run();
