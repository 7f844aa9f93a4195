/**
 * An authority on the command line. `--crl` on both sides: who is revoked is refused in words, who is not is served, and an
 * old list proves nothing. And the name without which an authority's word is worth nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dnsName, integer, mint, mintAuthority, mintList, pem, subjectAltName, type Minted } from '../x509/support/mint.js';
import { endAll, run, serve } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'microdtls-crl-'));
test.after.each(endAll);
test.after(() => rmSync(folder, { recursive: true, force: true }));

// The command line goes by the clock on the wall.
const DAY_MS = 86_400_000;
const [notBefore, notAfter] = [Date.now() - 5 * DAY_MS, Date.now() + 5 * DAY_MS];
const authority = mintAuthority('authority', { notBefore, notAfter });

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The arguments that show a certificate for NAME.example with this serial number. */
function shown(name: string, serial: number): string[] {
  const leaf: Minted = mint({ name, issuer: authority, serial: integer(serial), extensions: [subjectAltName(dnsName(`${name}.example`))], notBefore, notAfter });
  const key = leaf.key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return ['--cert', file(`${name}.crt`, pem(leaf.der)), '--key', file(`${name}.key`, key)];
}

/** The arguments for a list that revokes these serial numbers. */
function list(name: string, revoked: readonly number[], nextUpdate: number = notAfter): string[] {
  const der = mintList(authority, { serials: revoked.map((serial) => integer(serial)), thisUpdate: notBefore, nextUpdate });
  return ['--crl', file(`${name}.crl`, pem(der, 'X509 CRL'))];
}

const [SERVER, GOOD, BAD] = [shown('server', 1), shown('good', 2), shown('bad', 3)];
const CA = ['--ca', file('ca.crt', pem(authority.der))];
const NAME = ['--server-name', 'server.example'];

test('a client refuses a server that is revoked, and takes it if only others are', async () => {
  const { server, at } = await serve([...SERVER, '--echo']);
  const [revoked, others, old] = await Promise.all([list('server', [1]), list('others', [2, 3]), list('old', [], Date.now() - DAY_MS)].map(
    (crl) => run(['connect', at, ...CA, ...crl, ...NAME], 'x\n'),
  ));
  assert.equal([revoked!.code, revoked!.stdout], [1, '']);
  assert.match(revoked!.stderr, /^microdtls: cannot connect to [\d.:]+: certificate of server\.example was revoked on \d{4}-\d\d-\d\d\n$/);
  assert.equal([others!.code, others!.stdout], [0, 'x\n']);
  assert.is(old!.code, 1);
  assert.match(old!.stderr, /certificate of server\.example may be revoked: the revocation list of .* expired .* ago/);
  await server.seen(/fatal alert certificate_revoked/, 'stderr');
});

test('a server refuses a client that is revoked, says so, and serves the next one', async () => {
  const { server, at } = await serve([...SERVER, ...CA, ...list('bad', [3]), '--require-client-cert', '--echo']);
  const to = ['connect', at, ...CA, ...NAME];
  const bad = await run([...to, ...BAD, '--timeout', '4'], 'x\n');
  assert.equal([bad.code, bad.stdout], [1, '']);
  assert.match(bad.stderr, /: no Finished from the server: it probably refuses the certificate .*; an unsigned alert said certificate_revoked\n$/);
  await server.seen(/certificate of bad\.example was revoked on/, 'stderr');
  const good = await run([...to, ...GOOD], 'x\n');
  assert.equal([good.code, good.stdout], [0, 'x\n']);
});

test('at an address, the name that is expected must be given, and the refusal says how', async () => {
  const { at } = await serve([...SERVER, '--echo']);
  const { code, stderr } = await run(['connect', at, ...CA]);
  assert.is(code, 1);
  assert.match(stderr, /no server name is expected, .* \(--server-name NAME says which is, a name or an address\)\n$/);
});

test.run();
