/**
 * The command line with OpenSSL on the other side, in both roles, with an authority's certificates.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { endAll, run, serve } from '../cli/command.js';
import { SERVER_NAME, certificates } from './certs.js';
import { opensslClient } from './peers.js';
import { scene } from './stage.js';

const CIPHER = 'ECDHE-ECDSA-AES128-GCM-SHA256';
test.after.each(endAll);

scene(['openssl'], 'serve takes an OpenSSL client whose certificate its authority issued, and says who it is', async (stage) => {
  const files = await certificates();
  const shown = ['--cert', files.path('server.crt'), '--key', files.path('server.key')];
  const { server, at } = await serve([...shown, '--ca', files.path('ca.crt'), '--require-client-cert', '--echo']);
  const more = ['-CAfile', files.path('ca.crt'), '-verify_return_error', '-verify_hostname', SERVER_NAME, '-cert', files.path('client.crt'), '-key', files.path('client.key')];
  const client = opensslClient(stage, Number(at.split(':')[1]), { cipher: CIPHER, more });
  client.type('hello\n');
  await client.prints(/^hello$/m);
  assert.match(client.output, /^Verification: OK$/m);
  await server.seen(new RegExp(`certificate of ${SERVER_NAME}, sha-256 [0-9A-F:]{95}$`, 'm'));
});

scene(['openssl'], 'serve refuses an OpenSSL client without a certificate, and says so', async (stage) => {
  const files = await certificates();
  const shown = ['--cert', files.path('server.crt'), '--key', files.path('server.key')];
  const { server, at } = await serve([...shown, '--ca', files.path('ca.crt'), '--require-client-cert']);
  const client = opensslClient(stage, Number(at.split(':')[1]), { cipher: CIPHER, more: ['-CAfile', files.path('ca.crt')] });
  await server.seen(/the client shows no certificate, and one is required/, 'stderr');
  assert.match(await client.ends(), /1/);
});

scene(['openssl'], 'connect believes an OpenSSL server under its name only, and shows it a certificate', async (stage) => {
  const files = await certificates();
  const shown = ['-cert', files.path('server.crt'), '-key', files.path('server.key')];
  const demand = ['-CAfile', files.path('ca.crt'), '-Verify', '1', '-verify_return_error'];
  const server = stage.spawn('openssl', ['s_server', '-dtls1_2', '-accept', '127.0.0.1:0', '-cipher', CIPHER, ...shown, ...demand]);
  const [, port] = await server.prints(/^ACCEPT .*:(\d+)$/m);
  const to = ['connect', `127.0.0.1:${port}`, '--ca', files.path('ca.crt')];
  const own = ['--cert', files.path('client.crt'), '--key', files.path('client.key')];
  const wrong = await run([...to, ...own, '--server-name', 'other.example']);
  assert.is(wrong.code, 1);
  assert.match(wrong.stderr, /certificate for .* does not name other\.example\n$/);
  const { code, stdout, stderr } = await run([...to, ...own, '--server-name', SERVER_NAME, '--json', '--wait', '0'], 'hello\n');
  assert.equal([code, stderr], [0, '']);
  assert.is(JSON.parse(stdout.split('\n')[0]!).kind, 'x509');
  await server.prints(/^hello/m); // the line without its end
});

test.run();
