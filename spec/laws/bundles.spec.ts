/**
 * Law 8: pay for what you import. What stands in a bundle is what its entry names, and no platform.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bundle, ENGINE, EVERYTHING, EVERYTHING_NATIVE, LIMITS, PSK_ONLY, bundle, sizeOf } from './bundles.js';

test('the bundle of everything imports nothing: no platform, no package', async () => {
  assert.equal((await bundle(EVERYTHING)).imports, []);
});

test('a bundle with pre-shared keys alone holds no elliptic curve', async () => {
  assert.equal(holding(await bundle(PSK_ONLY), /@noble\/curves|x509|certificate/), []);
});

test('a bundle with pre-shared keys alone holds no AEAD but its own', async () => {
  const psk = await bundle(PSK_ONLY);
  assert.equal(holding(psk, /gcm|ghash|polyval|chacha|salsa/), []);
  // The module of AES in noble holds GCM too: what is kept of it must be the block function.
  assert.not.match(psk.code, /\b_?(?:ghash|polyval|gcm)/i);
});

test('a bundle with pre-shared keys alone holds only the hash it names', async () => {
  assert.not.match((await bundle(PSK_ONLY)).code, /6a09e667f3bcc908|SHA384|sha384\w*\(/);
});

test('core brings no provider and no suite', async () => {
  const core = await bundle(`export * from './lib/core.js';`);
  assert.equal(holding(core, /node_modules|crypto\/(noble|native)\/|lib\/suites\//), []);
  assert.equal(core.imports, []);
});

test('importing everything and using nothing costs nothing', async () => {
  const unused = await bundle(`import './lib/index.js'; import {} from './lib/core.js';`);
  assert.equal([...unused.modules.keys()], []);
});

test('the engine with every suite is at most 64 kB minified and gzipped', async () => {
  const { gzipped } = sizeOf(await bundle(ENGINE, true));
  assert.ok(gzipped <= LIMITS.engine, `${gzipped} bytes`);
});

test('everything, credentials and X.509 included, is at most 80 kB minified and gzipped', async () => {
  const everything = await bundle(EVERYTHING, true);
  assert.ok(holding(everything, /lib\/x509\/path/).length === 1 && holding(everything, /lib\/credentials\/trust/).length === 1);
  const { gzipped } = sizeOf(everything);
  assert.ok(gzipped <= LIMITS.everything, `${gzipped} bytes`);
});

test('everything on the platform\'s crypto is at most 64 kB minified and gzipped, and brings no package', async () => {
  const everything = await bundle(EVERYTHING_NATIVE, true);
  assert.equal(everything.imports.filter((specifier) => !specifier.startsWith('node:')), []);
  assert.ok(holding(everything, /lib\/x509\/path/).length === 1 && holding(everything, /node_modules/).length === 0);
  const { gzipped } = sizeOf(everything);
  assert.ok(gzipped <= LIMITS.everythingNative, `${gzipped} bytes`);
});

test('core with one suite of pre-shared keys is at most 32 kB minified and gzipped', async () => {
  const { gzipped } = sizeOf(await bundle(PSK_ONLY, true));
  assert.ok(gzipped <= LIMITS.pskOnly, `${gzipped} bytes`);
});

test('credentials alone bring no handshake, no engine, no provider', async () => {
  const credentials = await bundle(`export * from './lib/credentials/index.js';`);
  assert.equal(holding(credentials, /node_modules|lib\/(engine|handshake12|flight|message|record|suites)\/|crypto\/(noble|native)\//), []);
  const ours = holding(credentials, /lib\/handshake\//).map((module) => module.replace(/^.*\//, ''));
  assert.equal(ours.sort(), ['authenticate.js', 'ecdsakey.js']);
});

test('errors keep their names in a minified bundle', async () => {
  const { code } = await bundle(`export { DtlsError, LocalError } from './lib/core.js'; export { decodeError } from './lib/wire/errors.js';`, true);
  const { DtlsError, LocalError, decodeError } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  assert.is(new DtlsError('ERR_DTLS_INTERNAL', 'why').name, 'DtlsError');
  assert.is(new LocalError('ERR_DTLS_ARGUMENT', 'why').name, 'LocalError');
  assert.is(decodeError('why').name, 'PeerError');
});

/** The modules of a bundle whose path matches. */
function holding({ modules }: Bundle, path: RegExp): string[] {
  return [...modules.keys()].filter((module) => path.test(module));
}

test.run();
