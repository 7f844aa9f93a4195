/**
 * The provider suite as a plain script, for runtimes without a test framework: prints what failed and a count, and
 * exits with 1 if anything did.
 */
import process from 'node:process';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { agreementChecks, providerChecks } from '../providers/suite.js';

const checks = [...providerChecks(nobleProvider), ...providerChecks(nativeProvider), ...agreementChecks(nobleProvider, nativeProvider)];
let failed = 0;
for (const { name, run } of checks) {
  try {
    run();
  } catch (error) {
    failed++;
    console.log(`failed: ${name}\n${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`native: ${Object.keys(nativeProvider.aeads).join(' ')}`);
console.log(`${checks.length - failed} of ${checks.length} provider checks passed`);
process.exit(failed > 0 ? 1 : 0);
