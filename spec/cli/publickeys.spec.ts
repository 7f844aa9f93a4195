/**
 * The command line with certificates and raw public keys: options, refusals, what it says of the peer.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseOptions } from '../../lib/cli/options.js';
import { UsageError } from '../../lib/cli/usage.js';
import { endAll, run, serve } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'microdtls-cli-'));
const at = (name: string): string => join(folder, name);
test.after.each(endAll);
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** A key pair in NAME.key and NAME.pub. */
function keyPair(name: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(at(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(at(`${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
}

/** A certificate for localhost in NAME.crt, signed by its own key. */
function certificate(name: string): void {
  keyPair(name);
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,DNS:device.example'];
  execFileSync('openssl', ['req', '-x509', '-key', at(`${name}.key`), '-out', at(`${name}.crt`), '-days', '2', ...names], { stdio: 'ignore' });
}

certificate('server');
certificate('client');
keyPair('raw');
keyPair('other');
writeFileSync(at('broken'), 'no key at all\n');
writeFileSync(at('swapped.crt'), Buffer.concat([readFileSync(at('client.crt')), readFileSync(at('server.crt'))]));
writeFileSync(at('locked.key'), createPrivateKey(readFileSync(at('server.key'))).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }));
writeFileSync(at('odd.key'), generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));

const SHOWN = ['--cert', at('server.crt'), '--key', at('server.key')];
const portOf = (where: string): string => where.slice(where.lastIndexOf(':') + 1);

test('a server with a certificate is believed by --ca under its name, and both tell the fingerprint', async () => {
  const { server, at: where } = await serve([...SHOWN, '--echo', '--suites', 'ECDHE_ECDSA_AES_128_CCM_8']);
  const { code, stdout } = await run(['connect', where, '--ca', at('server.crt'), '--server-name', 'device.example', '--json'], 'x\n');
  assert.is(code, 0);
  const { kind, identity, subject, suite } = JSON.parse(stdout.split('\n')[0]!) as Record<string, string>;
  const fingerprint = execFileSync('openssl', ['x509', '-in', at('server.crt'), '-noout', '-fingerprint', '-sha256']).toString().trim();
  assert.equal([kind, subject, suite], ['x509', 'localhost', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8']);
  assert.is(fingerprint.split('=')[1], identity);
  await server.seen(/connected: TLS_ECDHE_ECDSA_\w+, no identity$/m);
  const named = await run(['connect', `localhost:${portOf(where)}`, '--ca', at('server.crt')], 'y\n');
  assert.equal([named.code, named.stdout], [0, 'y\n']);
});

test('a stranger and a wrong authority are refused with exit code 1', async () => {
  const { at: where } = await serve([...SHOWN, '--echo']);
  const stranger = await run(['connect', where, '--ca', at('client.crt'), '--server-name', 'localhost']);
  assert.is(stranger.code, 1);
  assert.match(stranger.stderr, /^microdtls: cannot connect to [^\n]+\n$/);
});

test('--require-client-cert takes clients that are believed and no others', async () => {
  const { server, at: where } = await serve([...SHOWN, '--ca', at('client.crt'), '--require-client-cert', '--echo']);
  const to = ['connect', where, '--ca', at('server.crt'), '--server-name', 'localhost'];
  const { code, stdout } = await run([...to, '--cert', at('client.crt'), '--key', at('client.key')], 'x\n');
  assert.equal([code, stdout], [0, 'x\n']);
  await server.seen(/certificate of localhost, sha-256 [0-9A-F:]{95}$/m);
  // The server's refusal is unsigned, and the client has keys by then: it hears of it when its time is over.
  const nobody = await run([...to, '--timeout', '4']);
  assert.is(nobody.code, 1);
  assert.match(nobody.stderr, /: no Finished from the server: .*, or that we showed none; an unsigned alert said \w+\n$/);
  await server.seen(/the client shows no certificate, and one is required/, 'stderr');
});

test('raw keys go both ways, and a key that is not trusted is refused', async () => {
  const { server, at: where } = await serve(['--raw-key', at('raw.key'), '--trust-key', at('other.pub'), '--require-client-cert', '--echo']);
  const { code, stdout } = await run(['connect', where, '--raw-key', at('other.key'), '--trust-key', at('raw.pub'), '--json'], 'x\n');
  assert.equal([code, (JSON.parse(stdout.split('\n')[0]!) as Record<string, string>)['kind']], [0, 'rawKey']);
  await server.seen(/raw key sha-256 [0-9A-F:]{95}$/m);
  assert.is((await run(['connect', where, '--raw-key', at('other.key'), '--trust-key', at('other.pub')])).code, 1);
});

test('--insecure believes everybody and says so loudly', async () => {
  const { at: where } = await serve([...SHOWN, '--echo']);
  const { code, stdout, stderr } = await run(['connect', where, '--insecure'], 'x\n');
  assert.equal([code, stdout], [0, 'x\n']);
  assert.match(stderr, /^microdtls: WARNING: --insecure believes EVERY certificate/);
});

test('pre-shared keys stand beside certificates', async () => {
  const { at: where } = await serve([...SHOWN, '--psk', 'device:secret', '--echo']);
  assert.is((await run(['connect', where, '--psk', 'device:secret'], 'x\n')).stdout, 'x\n');
  assert.is((await run(['connect', where, '--ca', at('server.crt'), '--server-name', 'localhost'], 'y\n')).stdout, 'y\n');
});

test('what cannot be used is said with its file and the reason, and the exit code is 2', async () => {
  const wrong: [args: string[], words: RegExp][] = [
    [['serve'], /no key: give --psk .*; or show a certificate or raw key: --cert FILE --key FILE/],
    [['connect', 'h'], /no key: give --psk .*; or say which .* to believe: --ca FILE/],
    [['serve', '--cert', at('server.crt')], /--cert needs --key/],
    [['serve', '--key', at('server.key')], /--key needs --cert/],
    [['serve', '--cert', at('absent'), '--key', at('server.key')], /--cert: cannot read .*absent: no such file or folder \(ENOENT\)/],
    [['serve', '--cert', at('server.crt'), '--key', at('other.key')], /server\.crt --key .*other\.key: the key .* does not belong/],
    [['serve', '--cert', at('swapped.crt'), '--key', at('server.key')], /swapped\.crt --key .*server\.key: the key belongs to certificate 2 of the chain: the leaf must/],
    [['serve', '--raw-key', at('odd.key')], /--raw-key .*odd\.key, key: an EC key on secp256k1, which is not supported/],
    [['serve', '--cert', folder, '--key', at('server.key')], /--cert: cannot read .*: it is a folder \(EISDIR\)/],
    [['serve', '--cert', at('server.crt'), '--key', at('locked.key')], /locked\.key, key: the key is encrypted: decrypt it first \(openssl pkey/],
    [['serve', '--cert', at('server.key'), '--key', at('server.crt')], /key: it holds no private key but "CERTIFICATE"/],
    [['serve', '--raw-key', at('raw.pub')], /it holds no private key but "PUBLIC KEY"/],
    [['connect', 'h', '--trust-key', at('raw.key')], /--trust-key .*raw\.key: no public key in it but "PRIVATE KEY"/],
    [['serve', '--raw-key', at('broken')], /--raw-key .*broken, key: it holds no PEM block/],
    [['connect', 'h', '--ca', at('raw.pub')], /--ca .*raw\.pub: no certificate in it/],
    [['connect', 'h', '--trust-key', at('broken')], /--trust-key .*broken: it holds no PEM block/],
    [['connect', 'h', '--crl', at('broken')], /--crl needs --ca/],
    [['connect', 'h', '--ca', at('server.crt'), '--crl', at('server.crt')], /--crl .*server\.crt: no revocation list/],
    [['connect', 'h', '--insecure', '--ca', at('server.crt')], /--insecure believes everybody/],
    [['serve', ...SHOWN, '--require-client-cert'], /--require-client-cert needs/],
    [['serve', ...SHOWN, '--hint', 'x'], /--hint is for pre-shared keys/],
  ];
  for (const [[command, ...args], words] of wrong) {
    assert.throws(() => parseOptions(command as 'serve' | 'connect', args, {}), (error: Error) => error instanceof UsageError && words.test(error.message), args.join(' '));
  }
  const { code, stderr } = await run(['serve', '--cert', at('server.crt')]);
  assert.is(code, 2);
  assert.match(stderr, /^microdtls: --cert needs --key FILE\nusage: microdtls serve /);
});

test.run();
