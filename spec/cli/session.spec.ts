/**
 * `microdtls serve` and `microdtls connect` with each other, over UDP on this machine: output, input, exit codes.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsSocket } from '../../lib/adapters/node.js';
import { ContentType, ProtocolVersion } from '../../lib/wire/registry.js';
import { Command, endAll, run, serve } from './command.js';

const KEY = ['--psk', 'device:secret'];
/** The key of a client that waits for its answers as long as a busy machine may need. */
const PATIENT = [...KEY, '--wait', '30'];
const folder = mkdtempSync(join(tmpdir(), 'microdtls-cli-'));
test.after.each(endAll);
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('a pipe to an echo server brings the answers back', async () => {
  const { server, at } = await serve([...KEY, '--echo']);
  const startedAt = performance.now();
  const { code, stdout, stderr } = await run(['connect', at, ...PATIENT], 'hi\nthere\n\nlast one without a line break');
  assert.equal([code, stdout, stderr], [0, 'hi\nthere\n\nlast one without a line break\n', '']);
  assert.ok(performance.now() - startedAt < 20_000);
  const { code: ended, stdout: said } = await server.end();
  assert.is(ended, 130);
  assert.match(said, /^listening on 127\.0\.0\.1:\d+\n127\.0\.0\.1:\d+ connected: TLS_ECDHE_PSK_WITH_\w+, identity "device"\n127\.0\.0\.1:\d+ closed\n$/);
});

test('a file of many lines arrives line by line', async () => {
  const { at } = await serve([...KEY, '--echo']);
  // Datagrams that a busy machine leaves waiting: no more than fit the smallest usual receive buffer (about 270 of these).
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
  const { code, stdout } = await run(['connect', at, ...PATIENT], `${lines}\n`);
  assert.equal([code, stdout], [0, `${lines}\n`]);
});

test('without --echo the server prints what arrives and sends its input to whom it heard last', async () => {
  const { server, at } = await serve(KEY);
  server.child.stdin.write('too early\n');
  await server.seen(/nobody is connected/, 'stderr');
  const client = new Command(['connect', at, ...KEY]);
  await server.seen(/connected/);
  server.child.stdin.write('welcome\n');
  await client.seen(/^welcome$/m);
  client.child.stdin.write('question\n');
  await server.seen(/^127\.0\.0\.1:\d+ > question$/m);
  server.child.stdin.write('answer\n');
  await client.seen(/^answer$/m);
  client.child.stdin.end();
  assert.is((await client.outcome).code, 0);
  await server.seen(/closed/);
});

test('the end of its input does not end the server', async () => {
  const { server, at } = await serve([...KEY, '--echo']);
  server.child.stdin.end();
  assert.is((await run(['connect', at, ...PATIENT], 'x\n')).stdout, 'x\n');
});

test('IPv6 works, in brackets', async () => {
  const { at } = await serve([...KEY, '--echo', '--listen', '[::1]:0']);
  assert.match(at, /^\[::1\]:\d+$/);
  assert.is((await run(['connect', at, ...PATIENT], 'six\n')).stdout, 'six\n');
});

test('keys come from a file and from the environment, in hex too', async () => {
  const file = join(folder, 'keys');
  writeFileSync(file, '# the fleet\nother:x\ndevice:hex:736563726574\n');
  const { at } = await serve(['--psk-file', file, '--echo']);
  assert.is((await run(['connect', at], 'x\n', { MICRODTLS_PSK: 'device:secret' })).stdout, 'x\n');
  assert.is((await run(['connect', at, '--psk', 'hex:646576696365:secret'], 'y\n')).stdout, 'y\n');
});

test('several keys, a hint, and the suites asked for', async () => {
  const { server, at } = await serve(['--psk', 'one:k1', '--psk', 'two:k2', '--hint', 'choose well', '--suites', 'PSK_AES_128_CCM_8', '--echo', '--json']);
  const { stdout } = await run(['connect', at, '--psk', 'two:k2', '--json', '--mtu', '200'], 'x\n');
  const connected = JSON.parse(stdout.split('\n')[0]!) as Record<string, unknown>;
  assert.equal([connected['event'], connected['identity'], connected['hint'], connected['suite']], ['connected', 'two', 'choose well', 'TLS_PSK_WITH_AES_128_CCM_8']);
  const refused = await run(['connect', at, '--psk', 'one:k1', '--suites', 'TLS_PSK_WITH_AES_256_CCM']);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /^microdtls: cannot connect to 127\.0\.0\.1:\d+: .*handshake_failure \(often: .* of another kind .*\)\n$/);
  await server.seen(/"event":"error"/);
});

test('--json prints one object a line for every event', async () => {
  const { server, at } = await serve([...KEY, '--json', '--echo']);
  const { stdout } = await run(['connect', at, ...PATIENT, '--json'], Buffer.from('text\n\xff\x1b\n', 'latin1'));
  const events = (text: string): Record<string, unknown>[] => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const client = events(stdout);
  assert.equal(client.map(({ event }) => event), ['connected', 'data', 'data', 'closed']);
  assert.equal(client.slice(1, 3).map(({ data, bytes }) => [data, bytes]), [['text', 4], ['hex:ff1b', 2]]);
  await server.seen(/"closed"/);
  const served = events((await server.end()).stdout);
  assert.equal(served.map(({ event }) => event), ['listening', 'connected', 'data', 'data', 'closed']);
  assert.ok(served.every(({ ms }) => typeof ms === 'number'));
  assert.is(`${String(served[0]!['address'])}:${String(served[0]!['port'])}`, at);
  assert.is(client[0]!['peer'], at);
});

test('--verbose shows the datagrams on stderr, and stdout stays what it was', async () => {
  const { server, at } = await serve([...KEY, '--echo', '--verbose', '--timeout', '20']);
  // With that timeout the first retransmission is two seconds away.
  const { stdout, stderr } = await run(['connect', at, ...PATIENT, '--timeout', '20', '-v'], 'x\n');
  assert.is(stdout, 'x\n');
  const rows = stderr.split('\n').filter((line) => / ms {2}/.test(line));
  assert.equal(rows.map((row) => row.replace(/^ *[\d.]+ ms {2}(.).* B {2}/, '$1 ')), [
    '→ ClientHello', '← HelloVerifyRequest', '→ ClientHello', '← ServerHello, ServerKeyExchange, ServerHelloDone',
    '→ ClientKeyExchange, ChangeCipherSpec, handshake (encrypted)', '← ChangeCipherSpec, handshake (encrypted)',
    '→ application data', '← application data', '→ alert',
  ]);
  assert.not.match(stderr, '\x1b');
  await server.seen(/← .*ClientHello[^]*→ .*HelloVerifyRequest/, 'stderr');
});

test('a wrong key is one clear line and exit code 1, and the server tells too', async () => {
  const { server, at } = await serve([...KEY, '--timeout', '0.5']);
  const startedAt = performance.now();
  const { code, stdout, stderr } = await run(['connect', at, '--psk', 'device:wrong', '--timeout', '1']);
  assert.equal([code, stdout], [1, '']);
  assert.match(stderr, /^microdtls: cannot connect to 127\.0\.0\.1:\d+: no valid Finished from the server: the identity or the key is probably wrong\n$/);
  assert.ok(performance.now() - startedAt < 5000);
  await server.seen(/the client most likely has another key/, 'stderr');
  assert.is((await run(['connect', at, ...KEY, '--wait', '0'], '')).code, 0);
});

test('nobody there, and no such name, are one clear line and exit code 1', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const at = `127.0.0.1:${silent.address().port}`;
  const [late, json, unknown] = await Promise.all([
    run(['connect', at, ...KEY, '--timeout', '0.3']),
    run(['connect', at, ...KEY, '--timeout', '0.3', '--json']),
    run(['connect', 'no-such-host.invalid', ...KEY]),
  ]);
  silent.close();
  assert.is(late.code, 1);
  assert.match(late.stderr, /^microdtls: cannot connect to 127\.0\.0\.1:\d+: (?:no answer|the handshake with .* was not complete after)[^\n]*\n$/);
  assert.is(JSON.parse(json.stdout).code, 'ERR_DTLS_TIMEOUT');
  assert.is(unknown.code, 1);
  assert.match(unknown.stderr, /^microdtls: cannot connect to no-such-host\.invalid:5684: [^\n]*\n$/);
});

test('a port that is taken is one clear line and exit code 1', async () => {
  const { at } = await serve(KEY);
  const { code, stdout, stderr } = await run(['serve', '--listen', at, ...KEY]);
  assert.equal([code, stdout], [1, '']);
  assert.match(stderr, /^microdtls: cannot listen on 127\.0\.0\.1:\d+: the port is taken \(EADDRINUSE\)\n$/);
});

test('Ctrl-C says goodbye to the other side, and the exit code is 130', async () => {
  const { server, at } = await serve(KEY);
  const [one, other] = [new Command(['connect', at, ...KEY]), new Command(['connect', at, ...KEY])];
  await server.seen(/connected[^]*connected/);
  const interrupted = await one.end();
  assert.equal([interrupted.code, interrupted.stderr], [130, '']);
  await server.seen(/closed/);
  assert.is((await server.end()).code, 130);
  // The other client learns it from close_notify.
  const { code, stderr } = await other.outcome;
  assert.equal([code, stderr], [0, 'microdtls: the peer closed the association\n']);
});

test('Ctrl-C ends a handshake that waits, and SIGTERM works alike', async () => {
  const silent = createSocket('udp4').unref().bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const commands = [0, 1].map(() => new Command(['connect', `127.0.0.1:${silent.address().port}`, ...KEY]));
  // Both have begun when both have spoken.
  const callers = new Set<number>();
  while (callers.size < 2) callers.add(((await once(silent, 'message')) as [Buffer, RemoteInfo])[1].port);
  assert.equal([(await commands[0]!.end()).code, (await commands[1]!.end('SIGTERM')).code], [130, 143]);
  silent.close();
});

test('a reader that goes away is no crash', async () => {
  const { server, at } = await serve([...KEY, '--echo']);
  const client = new Command(['connect', at, ...KEY]);
  await server.seen(/connected/);
  client.child.stdout.destroy();
  client.child.stdin.write('one\n');
  const { code, stderr } = await client.outcome;
  assert.equal([code, stderr], [0, '']);
});

test('a fatal alert of the peer ends with one line and exit code 1', async () => {
  const server = new DtlsSocket({ psk: { identity: 'device', key: 'secret' } });
  const { port } = await server.bind({ address: '127.0.0.1' });
  // The client talks to a relay, which adds an alert under the server's keys.
  const relay = createSocket('udp4');
  let clientPort = 0;
  relay.on('message', (message, from) => {
    if (from.port !== port) clientPort = from.port;
    relay.send(message, from.port === port ? clientPort : port, '127.0.0.1');
  });
  relay.bind(0, '127.0.0.1');
  await once(relay, 'listening');
  server.on('message', (_data, peer) => {
    const out = new Uint8Array(64);
    const length = peer.current!.write.seal(out, 0, ContentType.alert, ProtocolVersion.dtls12, new Uint8Array([2, 80]));
    relay.send(out.subarray(0, length), clientPort, '127.0.0.1');
  });
  const command = new Command(['connect', `127.0.0.1:${relay.address().port}`, ...KEY]);
  command.child.stdin.write('x\n');
  const { code, stderr } = await command.outcome;
  assert.is(code, 1);
  assert.match(stderr, /^microdtls: 127\.0\.0\.1:\d+: the peer sent the fatal alert internal_error\n$/);
  relay.close();
  await server.close();
});

test('a line that no record holds is not sent, and the rest is', async () => {
  const { at } = await serve([...KEY, '--echo']);
  const { code, stdout, stderr } = await run(['connect', at, ...PATIENT], `${'x'.repeat(20_000)}\nshort\n${'y'.repeat(200_000)}\nend\n`);
  assert.equal([code, stdout], [1, 'short\nend\n']);
  assert.is(stderr, 'microdtls: a line is longer than 16384 bytes: not sent\n'.repeat(2));
});

test('what a peer sends cannot steer the terminal', async () => {
  const { server, at } = await serve(['--psk', 'hex:1b5b324a:secret']);
  await run(['connect', at, '--psk', 'hex:1b5b324a:secret', '--wait', '0.1'], '\x1b]0;owned\x07\n');
  await server.seen(/> hex:1b5d303b6f776e656407$/m);
  const { stdout } = await server.end();
  assert.match(stdout, /identity "hex:1b5b324a"/);
  assert.not.match(stdout, '\x1b');
});

test('peers without extended_master_secret or renegotiation_info are taken if allowed', async () => {
  const { at } = await serve([...KEY, '--echo', '--allow-no-ems', '--allow-no-renegotiation-info']);
  assert.is((await run(['connect', at, ...KEY, '--allow-no-ems', '--allow-no-renegotiation-info'], 'x\n')).stdout, 'x\n');
});

test.run();
