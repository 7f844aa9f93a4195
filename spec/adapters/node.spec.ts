/**
 * The Node.js socket over real UDP on this machine: associations, messages, addresses, closing.
 */
import { pskIdentityOf } from '../support/rig.js';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsSocket, formatSession, type DtlsSocketOptions, type Peer } from '../../lib/adapters/node.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { PSK_AES_128_CCM_8, PSK_CHACHA20_POLY1305_SHA256 } from '../../lib/suites/psk.js';

const CREDENTIAL = { identity: 'device', key: 'secret' };
const open: DtlsSocket[] = [];

test.after.each(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

/** A socket that is closed after the test. */
function socket(options: DtlsSocketOptions = {}): DtlsSocket {
  const made = new DtlsSocket({ psk: CREDENTIAL, ...options });
  open.push(made);
  return made;
}

/** A server that sends back what it gets, and its port. */
async function echoServer(options: DtlsSocketOptions = {}, address: string = '127.0.0.1'): Promise<{ server: DtlsSocket; port: number }> {
  const server = socket(options);
  server.on('message', (data, peer) => server.send(peer, data));
  const { port } = await server.bind({ address });
  return { server, port };
}

/** What `client` gets for `text`. */
async function ask(client: DtlsSocket, peer: Peer, text: string): Promise<string> {
  const answered = once(client, 'message');
  assert.is(client.send(peer, text), true);
  const [data] = (await answered) as [Buffer];
  return data.toString();
}

for (const host of ['127.0.0.1', '::1']) {
  test(`carries data both ways over ${host}`, async () => {
    const { server, port } = await echoServer({}, host);
    const accepted = once(server, 'connect');
    const client = socket();
    const peer = await client.connect({ host, port });
    assert.is(peer.state, 'connected');
    assert.is(peer.role, 'client');
    assert.is(formatSession(peer.session), host === '::1' ? `[::1]:${port}` : `${host}:${port}`);
    assert.is(await ask(client, peer, 'hello'), 'hello');
    const [remote] = (await accepted) as [Peer];
    assert.is(remote.role, 'server');
    assert.equal(Buffer.from(pskIdentityOf(remote)).toString(), 'device');
    assert.is(remote.suite!.name, peer.suite!.name);
  });
}

test('finds the peer whatever way an IPv6 address is written', async () => {
  const { port } = await echoServer({}, '::1');
  const client = socket();
  const peer = await client.connect({ host: '0:0:0:0:0:0:0:1', port });
  assert.is(await ask(client, peer, 'x'), 'x');
});

test('resolves names, IPv4 first', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ port });
  assert.is(formatSession(peer.session), `127.0.0.1:${port}`);
});

test('reaches this machine by the any-address', async () => {
  const { port } = await echoServer();
  const client = socket();
  assert.is(await ask(client, await client.connect({ host: '0.0.0.0', port }), 'x'), 'x');
});

test('takes IPv4 and IPv6 clients on one socket bound to ::', async () => {
  const { server, port } = await echoServer({}, '::');
  const [four, six] = [socket(), socket()];
  assert.is(await ask(four, await four.connect({ host: '127.0.0.1', port }), '4'), '4');
  assert.is(await ask(six, await six.connect({ host: '::1', port }), '6'), '6');
  assert.equal(server.peers.map(({ session }) => typeof session === 'object' && session.address).sort(), ['::1', '::ffff:127.0.0.1']);
});

test('reaches IPv4 from a socket that an IPv6 connection opened', async () => {
  const { port: four } = await echoServer();
  const { port: six } = await echoServer({}, '::1');
  const client = socket();
  await client.connect({ host: '::1', port: six });
  assert.is(await ask(client, await client.connect({ host: '127.0.0.1', port: four }), 'x'), 'x');
});

test('serves several clients, each its own', async () => {
  const { server, port } = await echoServer();
  const clients = Array.from({ length: 8 }, () => socket());
  const answers = await Promise.all(clients.map(async (client, index) => ask(client, await client.connect({ host: '127.0.0.1', port }), `client ${index}`)));
  assert.equal(answers, clients.map((_, index) => `client ${index}`));
  assert.is(server.peers.length, 8);
  assert.is(server.stats().established, 8);
});

test('is client and server at once, and a client of several servers', async () => {
  const both = await echoServer();
  const other = await echoServer();
  const client = socket();
  const first = await client.connect({ host: '127.0.0.1', port: both.port });
  const second = await both.server.connect({ host: '127.0.0.1', port: other.port });
  const third = await client.connect({ host: '127.0.0.1', port: other.port });
  assert.is(await ask(client, first, 'one'), 'one');
  assert.is(await ask(client, third, 'two'), 'two');
  assert.equal([second.role, second.state], ['client', 'connected']);
  assert.is(both.server.peers.length, 2);
});

test('takes an association that is there, and joins a handshake that is under way', async () => {
  const { server, port } = await echoServer();
  const client = socket();
  const [one, other] = await Promise.all([client.connect({ host: '127.0.0.1', port }), client.connect({ host: '127.0.0.1', port })]);
  assert.is(one, other);
  assert.is(await client.connect({ host: '127.0.0.1', port }), one);
  assert.is(server.stats().established, 1);
});

test('gives listeners data that is theirs', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  const kept: Buffer[] = [];
  client.on('message', (data) => kept.push(data));
  for (const text of ['first', 'second', 'third']) await ask(client, peer, text);
  assert.equal(kept.map(String), ['first', 'second', 'third']);
});

test('copies what is sent', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  const data = Buffer.from('before');
  const answered = once(client, 'message');
  client.send(peer, data);
  data.fill('x');
  assert.is(String((await answered)[0]), 'before');
});

test('takes sessions by value in place of peers', async () => {
  const { port } = await echoServer();
  const client = socket();
  await client.connect({ host: '127.0.0.1', port });
  const answered = once(client, 'message');
  assert.is(client.send({ address: '127.0.0.1', port }, new Uint8Array([1, 2])), true);
  assert.equal((await answered)[0], Buffer.from([1, 2]));
});

test('sends nothing, and starts nothing, without an association', async () => {
  const { port } = await echoServer();
  const client = socket();
  await client.bind({ address: '127.0.0.1' });
  assert.is(client.send({ address: '127.0.0.1', port }, 'x'), false);
  assert.is(client.closePeer({ address: '127.0.0.1', port }), false);
  assert.is(client.stats().datagramsSent, 0);
});

test('says no to more than a record holds', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  assert.throws(() => client.send(peer, new Uint8Array(16_385)), (error: { code?: string }) => error.code === 'ERR_DTLS_TOO_LARGE');
  assert.is((await ask(client, peer, 'y'.repeat(16_384))).length, 16_384);
});

test('uses the suites and the parameters that are asked for', async () => {
  const { port } = await echoServer();
  const one = socket({ cipherSuites: [PSK_AES_128_CCM_8] });
  assert.is((await one.connect({ host: '127.0.0.1', port })).suite, PSK_AES_128_CCM_8);
  const other = socket();
  const peer = await other.connect({ host: '127.0.0.1', port }, { cipherSuites: [PSK_CHACHA20_POLY1305_SHA256], mtu: 200 });
  assert.is(peer.suite, PSK_CHACHA20_POLY1305_SHA256);
  assert.is(peer.mtu, 200);
});

test('offers what its provider can do, and no more', async () => {
  const { port } = await echoServer();
  const { 'aes-128-ccm-8': ccm8 } = nativeProvider.aeads;
  const client = socket({ crypto: { ...nativeProvider, aeads: { 'aes-128-ccm-8': ccm8! }, groups: {} } });
  assert.is((await client.connect({ host: '127.0.0.1', port })).suite, PSK_AES_128_CCM_8);
});

test('ends one association in good order on both sides and keeps the others', async () => {
  const { server, port } = await echoServer();
  const [one, other] = [socket(), socket()];
  const peer = await one.connect({ host: '127.0.0.1', port });
  const staying = await other.connect({ host: '127.0.0.1', port });
  const ended = Promise.all([once(server, 'disconnect'), once(one, 'disconnect')]);
  const errors: unknown[] = [];
  for (const each of [server, one]) each.on('dtlsError', (error) => errors.push(error));
  assert.is(one.closePeer(peer), true);
  const [[remote], [local]] = (await ended) as [[Peer], [Peer]];
  assert.is(local, peer);
  assert.equal([remote.state, local.state], ['closed', 'closed']);
  assert.equal(errors, []);
  assert.is(one.send(peer, 'too late'), false);
  assert.is(await ask(other, staying, 'still here'), 'still here');
  assert.is((await one.connect({ host: '127.0.0.1', port })).state, 'connected');
});

test('says goodbye to everybody when it closes, and closes once', async () => {
  const { server, port } = await echoServer();
  const clients = [socket(), socket(), socket()];
  for (const client of clients) await client.connect({ host: '127.0.0.1', port });
  const told = Promise.all(clients.map((client) => once(client, 'disconnect')));
  let closes = 0;
  let disconnects = 0;
  server.on('close', () => closes++);
  server.on('disconnect', () => disconnects++);
  assert.is(server.close(), server.close());
  await server.close();
  await told;
  assert.equal([closes, disconnects], [1, 3]);
  await rejects(server.connect({ host: '127.0.0.1', port }), 'ERR_DTLS_FREED');
  await rejects(server.bind(), 'ERR_DTLS_FREED');
});

test('may be closed by its own listener', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  const closed = once(client, 'close');
  client.on('message', () => void client.close());
  client.send(peer, 'x');
  await closed;
  assert.is(peer.state, 'closed');
});

test('may be closed before it is open, and while it opens', async () => {
  await socket().close();
  const opening = socket();
  const bound = opening.bind({ address: '127.0.0.1' });
  const closed = opening.close();
  await rejects(bound, 'ERR_DTLS_FREED');
  await closed;
});

test('tells where it is bound', async () => {
  const bound = socket();
  assert.throws(() => bound.address(), /not bound/);
  const listening = once(bound, 'listening');
  const address = await bound.bind({ address: '127.0.0.1' });
  await listening;
  assert.equal(bound.address(), address);
  assert.is(address.address, '127.0.0.1');
  await rejects(bound.bind(), 'ERR_DTLS_ARGUMENT');
});

test('shows every datagram to its tap, and counts it', async () => {
  const seen: string[] = [];
  const { port } = await echoServer();
  const client = socket({ tap: (direction, _session, { length }) => seen.push(`${direction} ${length}`) });
  await ask(client, await client.connect({ host: '127.0.0.1', port }), 'x');
  const { datagramsSent, datagramsReceived, bytesSent, sendErrors } = client.stats();
  assert.is(seen.filter((line) => line.startsWith('out')).length, datagramsSent);
  assert.is(seen.filter((line) => line.startsWith('in')).length, datagramsReceived);
  assert.equal([datagramsSent, datagramsReceived, sendErrors], [4, 4, 0]);
  assert.ok(bytesSent > 200);
});

test('drives retransmission: a lost flight comes again', async () => {
  const { port } = await echoServer();
  // A relay that loses the first datagram of each kind.
  const relay = createSocket('udp4');
  const seen = new Set<number>();
  let clientPort = 0;
  relay.on('message', (message, from) => {
    const fromServer = from.port === port;
    if (!fromServer) clientPort = from.port;
    const kind = (fromServer ? 1000 : 0) + message.length;
    if (seen.has(kind)) relay.send(message, fromServer ? clientPort : port, '127.0.0.1');
    seen.add(kind);
  });
  relay.bind(0, '127.0.0.1');
  await once(relay, 'listening');
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port: relay.address().port }, { initialTimeoutMs: 30 });
  assert.is(peer.state, 'connected');
  assert.ok(client.stats().retransmissions >= 3);
  relay.close();
});

test('tells again when a client starts anew from the same port', async () => {
  const { server, port } = await echoServer();
  const accepted: Peer[] = [];
  server.on('connect', (peer) => accepted.push(peer));
  const first = socket();
  const { port: local } = await first.bind({ address: '127.0.0.1' });
  await first.connect({ host: '127.0.0.1', port });
  // Gone without a goodbye: what the context would send has nowhere to go.
  first.context.setHandler({ write: () => -1 });
  await first.close();
  const second = socket();
  await second.bind({ address: '127.0.0.1', port: local });
  const peer = await second.connect({ host: '127.0.0.1', port });
  assert.is(await ask(second, peer, 'again'), 'again');
  assert.is(accepted.length, 2);
  assert.is(server.peers.length, 1);
});

test('keeps the process alive, and lets it end when it is not referenced', async () => {
  const module = new URL('../../lib/adapters/node.js', import.meta.url).href;
  // What is not to be heard of comes so late that no machine is slow enough to get there.
  const code = (call: string): string => `
    const { DtlsSocket } = await import(${JSON.stringify(module)});
    const socket = new DtlsSocket({ psk: { identity: 'a', key: 'b' } })${call};
    await socket.bind({ address: '127.0.0.1' });
    setTimeout(() => { console.log('alive'); process.exit(); }, ${call === '.unref()' ? 20_000 : 100}).unref();`;
  const outputs = ['', '.unref()', '.unref().ref()'].map(async (call) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code(call)], { stdio: ['ignore', 'pipe', 'inherit'] });
    return (await child.stdout.toArray()).join('').trim();
  });
  assert.equal(await Promise.all(outputs), ['alive', '', 'alive']);
});

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(() => null, (reason: { code?: string }) => reason);
  assert.is(error?.code, code);
}

test.run();
