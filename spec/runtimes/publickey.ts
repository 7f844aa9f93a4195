/**
 * The suite of public-key crypto as a plain script, for runtimes without a test framework: prints what failed and a
 * count, and exits with 1 if anything did.
 */
import process from 'node:process';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { NOBLE_TRAITS, nativeTraits, publicKeyAgreement, publicKeyChecks } from '../providers/publickey.js';

const { versions } = process;
const runtime = versions['deno'] !== undefined ? 'deno' : versions['bun'] !== undefined ? 'bun' : 'node';
const checks = [
  ...publicKeyChecks(nobleProvider, NOBLE_TRAITS),
  ...publicKeyChecks(nativeProvider, nativeTraits(runtime)),
  ...publicKeyAgreement(nobleProvider, nativeProvider),
];
let failed = 0;
for (const { name, run } of checks) {
  try {
    run();
  } catch (error) {
    failed++;
    console.log(`failed: ${name}\n${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`native: ${[...Object.keys(nativeProvider.groups), ...Object.keys(nativeProvider.signatures)].join(' ')}`);
console.log(`${checks.length - failed} of ${checks.length} public-key checks passed`);
process.exit(failed > 0 ? 1 : 0);
