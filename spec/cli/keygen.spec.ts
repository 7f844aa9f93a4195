/**
 * `microdtls keygen`: files that openssl takes and that work with each other; nothing is overwritten or readable by others.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseOptions } from '../../lib/cli/options.js';
import { authority, issued, randomSerial, type Subject } from '../../lib/cli/selfsigned.js';
import { pem } from '../x509/support/mint.js';
import { MAIN, endAll, run, serve } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'microdtls-keygen-'));
const at = (name: string): string => join(folder, name);
const openssl = (...parameters: string[]): Buffer => execFileSync('openssl', parameters, { stdio: ['ignore', 'pipe', 'ignore'] });
test.after.each(endAll);
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** SHA-256 as `openssl x509 -fingerprint` writes it. */
const fingerprint = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').toUpperCase().match(/../g)!.join(':');

test('a certificate has the names, the days and the fingerprint that openssl finds in it', async () => {
  const { code, stdout } = await run(['keygen', '--out', at('made'), '--name', 'a.example', '--name', '127.0.0.1', '--name', 'urn:dev:1', '--days', '9000']);
  assert.is(code, 0);
  assert.match(stdout, `wrote ${at('made.key')} and ${at('made.crt')}\n`);
  const text = openssl('x509', '-in', at('made.crt'), '-noout', '-text', '-fingerprint', '-sha256').toString();
  assert.match(text, /DNS:a\.example, IP Address:127\.0\.0\.1, URI:urn:dev:1/);
  assert.match(stdout, `certificate sha-256 ${/Fingerprint=(.*)/.exec(text)![1]}\n`);
  assert.match(stdout, `key         sha-256 ${fingerprint(openssl('pkey', '-in', at('made.key'), '-pubout', '-outform', 'DER'))}\n`);
  assert.match(openssl('verify', '-CAfile', at('made.crt'), at('made.crt')).toString(), /: OK/);
  const [, begins, ends] = /Not Before: (.*)\n *Not After : (.*)\n/.exec(text)!;
  assert.is(Date.parse(ends!) - Date.parse(begins!), 9000 * 86_400_000);
  assert.ok(Math.abs(Date.parse(begins!) - Date.now()) < 60_000);
});

test('a closing dot of a name, which says nothing, is no part of it in the certificate', async () => {
  await run(['keygen', '--out', at('dot'), '--name', 'a.example.', '--name', '*.a.example.']);
  assert.match(openssl('x509', '-in', at('dot.crt'), '-noout', '-text').toString(), /DNS:a\.example, DNS:\*\.a\.example\n/);
});

test('--days past 2049 is a date that openssl reads too', async () => {
  await run(['keygen', '--out', at('long'), '--days', '36500']);
  const [, begins, ends] = /notBefore=(.*)\nnotAfter=(.*)\n/.exec(openssl('x509', '-in', at('long.crt'), '-noout', '-dates').toString())!;
  assert.is(Date.parse(ends!) - Date.parse(begins!), 36_500 * 86_400_000);
});

test('a bare key comes with its public half and its fingerprint, and no certificate', async () => {
  const { code, stdout } = await run(['keygen', '--out', at('bare'), '--raw']);
  const spki = openssl('pkey', '-in', at('bare.key'), '-pubout', '-outform', 'DER');
  assert.equal(openssl('pkey', '-pubin', '-in', at('bare.pub'), '-outform', 'DER'), spki);
  assert.equal([code, stdout], [0, `wrote ${at('bare.key')} and ${at('bare.pub')}\nkey         sha-256 ${fingerprint(spki)}\n`]);
  assert.is(existsSync(at('bare.crt')), false);
});

test('the private key is for its owner alone', async () => {
  await run(['keygen', '--out', at('mine')]);
  await run(['keygen', '--out', at('mine-raw'), '--raw']);
  assert.equal(['mine.key', 'mine-raw.key'].map((name) => statSync(at(name)).mode & 0o777), [0o600, 0o600]);
});

test('nothing is overwritten, and what fails leaves nothing behind', async () => {
  for (const [taken, other, more] of [['key', 'crt', []], ['crt', 'key', []], ['pub', 'key', ['--raw']]] as const) {
    writeFileSync(at(`${taken}-taken.${taken}`), 'precious');
    const { code, stdout, stderr } = await run(['keygen', '--out', at(`${taken}-taken`), ...more]);
    assert.equal([code, stdout], [1, '']);
    assert.match(stderr, new RegExp(`-taken\\.${taken} is there already and is not overwritten\\n$`));
    assert.is(readFileSync(at(`${taken}-taken.${taken}`), 'utf8'), 'precious');
    assert.is(existsSync(at(`${taken}-taken.${other}`)), false);
  }
  const nowhere = await run(['keygen', '--out', at('no/such/folder')]);
  assert.is(nowhere.code, 1);
  assert.match(nowhere.stderr, /^microdtls: cannot write .*folder\.key: no such file or folder \(ENOENT\)\n$/);
});

test('a key that does not fit the disk leaves no part of it behind', () => {
  // A limit on the size of files is as good as a disk that is full.
  const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`;
  const { status, stderr } = spawnSync('sh', ['-c', limited, process.execPath, MAIN, 'keygen', '--out', at('full')], { encoding: 'utf8' });
  assert.is(status, 1);
  assert.match(stderr, /^microdtls: cannot write .*full\.key: EFBIG/);
  assert.is(existsSync(at('full.key')), false);
});

test('arguments that cannot be meant are refused, and nothing is written', async () => {
  mkdirSync(at('empty'));
  const wrong: [args: string[], words: RegExp][] = [
    [['--days', '0'], /--days is "0": a whole number from 1 to 36500/],
    [['--days', '1.5'], /--days is "1\.5"/],
    [['--days', 'soon'], /--days is "soon"/],
    [['--name', 'no name'], /--name is "no name": no DNS name, address or URI/],
    [['--name', ''], /--name is ""/],
    [['--name', '*.192.0.2.1'], /--name is "\*\.192\.0\.2\.1"/],
    [['--name', '*.a.'], /--name is "\*\.a\."/],
    [['--name', '*.urn:dev.1'], /--name is "\*\.urn:dev\.1"/],
    [['--name', 'urn:dev:\u00fc'], /--name is "urn:dev:\u00fc"/],
    [['--name', 'urn:dev: 1'], /--name is "urn:dev: 1"/],
    [['--raw', '--name', 'a.example'], /--raw makes a bare key, which has no --name/],
    [['--raw', '--days', '3'], /which has no --name and no --days/],
    [['--out', ''], /--out is "": a name of files/],
    [['--out', `${at('empty')}/`], /--out is ".*\/": a name of files/],
    [['surplus'], /unexpected argument "surplus"/],
    [['--psk', 'a:b'], /Unknown option '--psk'/],
  ];
  for (const [args, words] of wrong) assert.throws(() => parseOptions('keygen', args, {}), words);
  const { code, stderr } = await run(['keygen', '--out', `${at('empty')}/`]);
  assert.is(code, 2);
  assert.match(stderr, /\nusage: microdtls keygen/);
  assert.equal(readdirSync(at('empty')), []);
});

test('what the demonstration shows as an authority issues what openssl takes, by the letter of RFC 5280', () => {
  const [issuer, owner] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' })) as [KeyPairKeyObjectResult, KeyPairKeyObjectResult];
  const spki = ({ publicKey }: KeyPairKeyObjectResult): Uint8Array => publicKey.export({ type: 'spki', format: 'der' });
  const subject = (...names: string[]): Subject => ({ names, days: 2, notBeforeMs: Date.now() - 1000, serial: randomSerial() });
  writeFileSync(at('authority.crt'), pem(authority(issuer.privateKey, spki(issuer), subject('An authority'))));
  writeFileSync(at('issued.crt'), pem(issued(spki(owner), subject('host.example'), { name: 'An authority', privateKey: issuer.privateKey })));
  const verify = ['verify', '-x509_strict', '-CAfile', at('authority.crt'), '-verify_hostname', 'host.example', '-purpose', 'sslserver'];
  assert.match(openssl(...verify, at('issued.crt')).toString(), /: OK/);
});

test('what it makes works: a server with both, clients that believe either', async () => {
  await run(['keygen', '--out', at('host'), '--name', 'host.example']);
  await run(['keygen', '--out', at('device'), '--raw']);
  const { at: where } = await serve(['--cert', at('host.crt'), '--key', at('host.key'), '--raw-key', at('device.key'), '--echo']);
  const [named, bare] = await Promise.all([
    run(['connect', where, '--ca', at('host.crt'), '--server-name', 'host.example'], 'x\n'),
    run(['connect', where, '--trust-key', at('device.pub')], 'y\n'),
  ]);
  assert.equal([named.stdout, bare.stdout], ['x\n', 'y\n']);
});

test.run();
