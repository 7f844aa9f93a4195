/**
 * What may go wrong around a Node.js socket: wrong keys, dead peers, garbage, ports, names, sizes, listeners. Each
 * error is told once, and everybody else is served on.
 */
import { createSocket, Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsError, DtlsSocket, type DtlsSocketOptions, type Peer } from '../../lib/adapters/node.js';
import { PSK_AES_128_CCM_8, PSK_AES_256_CCM_8 } from '../../lib/suites/psk.js';
import { ContentType, ProtocolVersion } from '../../lib/wire/registry.js';

const CREDENTIAL = { identity: 'device', key: 'secret' };
const FAST = { initialTimeoutMs: 20, maxRetransmits: 2 };
const open: DtlsSocket[] = [];
const originalSend = Socket.prototype.send;

test.after.each(async () => {
  Socket.prototype.send = originalSend;
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

/** A socket that is closed after the test, with the errors its events told. */
function socket(options: DtlsSocketOptions = {}): DtlsSocket & { readonly told: Error[] } {
  const told: Error[] = [];
  const made = Object.assign(new DtlsSocket({ psk: CREDENTIAL, ...FAST, ...options }), { told });
  made.on('dtlsError', (error) => told.push(error));
  made.on('error', (error) => told.push(error));
  open.push(made);
  return made;
}

async function echoServer(options: DtlsSocketOptions = {}): Promise<{ server: ReturnType<typeof socket>; port: number }> {
  const server = socket(options);
  server.on('message', (data, peer) => server.send(peer, data));
  const { port } = await server.bind({ address: '127.0.0.1' });
  return { server, port };
}

async function ask(client: DtlsSocket, peer: Peer, text: string): Promise<string> {
  const answered = once(client, 'message');
  client.send(peer, text);
  return String((await answered)[0]);
}

async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => assert.unreachable('it was to be rejected') as never,
    (error: Error) => error,
  );
}

/** Sends raw bytes to a port. */
async function throwAt(port: number, ...datagrams: Uint8Array[]): Promise<void> {
  const raw = createSocket('udp4');
  for (const datagram of datagrams) await new Promise((resolve) => raw.send(datagram, port, '127.0.0.1', resolve));
  raw.close();
}

test('a wrong key rejects the client and is told to the server later, while others are served', async () => {
  const { server, port } = await echoServer();
  const good = socket();
  const peer = await good.connect({ host: '127.0.0.1', port });
  const bad = socket({ psk: { identity: 'device', key: 'wrong' } });
  const error = await rejection(bad.connect({ host: '127.0.0.1', port }));
  assert.instance(error, DtlsError);
  assert.is(error.code, 'ERR_DTLS_PSK_MISMATCH');
  assert.match(error.message, /the identity or the key is probably wrong/);
  assert.is(await ask(good, peer, 'still here'), 'still here');
  await until(() => server.told.length > 0);
  assert.equal(server.told.map(({ message }) => message), ['no valid Finished from the client: the client most likely has another key']);
  assert.equal(bad.told, []);
  assert.is(server.peers.length, 1);
});

test('an unknown identity looks the same to the client, and is told to the server', async () => {
  const { server, port } = await echoServer();
  const bad = socket({ psk: { identity: 'stranger', key: 'secret' } });
  assert.is((await rejection(bad.connect({ host: '127.0.0.1', port }))).code, 'ERR_DTLS_PSK_MISMATCH');
  await until(() => server.told.length > 0);
  assert.match(server.told[0]!.message, /the PSK identity is unknown/);
});

test('a dead port ends in a timeout, and the socket lives on', async () => {
  const { port } = await echoServer();
  const dead = createSocket('udp4').bind(0, '127.0.0.1');
  await once(dead, 'listening');
  const { port: deadPort } = dead.address();
  dead.close();
  const client = socket();
  const startedAt = performance.now();
  const error = await rejection(client.connect({ host: '127.0.0.1', port: deadPort, timeoutMs: 200 }));
  assert.is(error.code, 'ERR_DTLS_TIMEOUT');
  assert.ok(performance.now() - startedAt < 5000);
  assert.is((await client.connect({ host: '127.0.0.1', port })).state, 'connected');
  assert.equal(client.told, []);
});

test('a timeout without fitting timers is kept all the same', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const client = socket({ initialTimeoutMs: 10_000 });
  const error = await rejection(client.connect({ host: '127.0.0.1', port: silent.address().port, timeoutMs: 60 }));
  assert.is(error.code, 'ERR_DTLS_TIMEOUT');
  assert.match(error.message, /the handshake with 127\.0\.0\.1:\d+ was not complete after 0\.06 s/);
  assert.is(client.stats().halfOpen, 0);
  silent.close();
});

test('an abort rejects with its reason and abandons the handshake, unless somebody else waits for it', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const target = { host: '127.0.0.1', port: silent.address().port };
  const client = socket({ initialTimeoutMs: 10_000 });
  const stop = new AbortController();
  const [one, other] = [client.connect({ ...target, signal: stop.signal }), client.connect({ ...target, timeoutMs: 120 })];
  setTimeout(() => stop.abort(new Error('changed my mind')), 30);
  assert.is((await rejection(one)).message, 'changed my mind');
  assert.is(client.stats().halfOpen, 1);
  assert.is((await rejection(other)).code, 'ERR_DTLS_TIMEOUT');
  assert.is(client.stats().halfOpen, 0);
  assert.is((await rejection(client.connect({ ...target, signal: AbortSignal.abort() }))).name, 'AbortError');
  assert.equal(client.told, []);
  const late = new AbortController();
  const asked = socket({ handler: { getUserParameters: () => late.abort(new Error('asked too much')) } });
  assert.is((await rejection(asked.connect({ ...target, signal: late.signal }))).message, 'asked too much');
  assert.is(asked.stats().halfOpen, 0);
  silent.close();
});

test('closing the socket, and closing the peer, reject who waits', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const target = { host: '127.0.0.1', port: silent.address().port };
  const client = socket({ initialTimeoutMs: 10_000 });
  const first = client.connect(target);
  await until(() => client.stats().halfOpen === 1);
  client.closePeer({ address: '127.0.0.1', port: target.port });
  assert.match((await rejection(first)).message, /closed before it was complete/);
  const second = client.connect(target);
  await until(() => client.stats().halfOpen === 1);
  void client.close();
  assert.is((await rejection(second)).code, 'ERR_DTLS_FREED');
  silent.close();
});

test('a server that shares no suite rejects the client by its alert', async () => {
  const { server, port } = await echoServer({ cipherSuites: [PSK_AES_128_CCM_8] });
  const client = socket({ cipherSuites: [PSK_AES_256_CCM_8] });
  const error = await rejection(client.connect({ host: '127.0.0.1', port }));
  assert.is(error.code, 'ERR_DTLS_ALERT');
  assert.match(error.message, /handshake_failure/);
  assert.equal([server.told.length, client.told.length], [1, 0]);
});

test('garbage disturbs neither the socket nor a session', async () => {
  const { server, port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  const { port: clientPort } = client.address();
  const kinds = [
    new Uint8Array(0),
    new Uint8Array([22]),
    new Uint8Array(2000).fill(22),
    new Uint8Array(65_000),
    Uint8Array.from({ length: 300 }, (_, at) => (at * 37 + 11) & 0xff),
    new Uint8Array([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff]),
    new Uint8Array([21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40]),
    new Uint8Array([23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4]),
    new Uint8Array([0x2f, 1, 2, 3, 4, 5]),
  ];
  await throwAt(port, ...kinds);
  await throwAt(clientPort, ...kinds);
  assert.is(await ask(client, peer, 'fine'), 'fine');
  assert.equal([...server.told, ...client.told], []);
  assert.equal([server.stats().established, server.stats().halfOpen], [1, 0]);
});

test('what cannot be sent is survived: a handshake goes on when sending works again', async () => {
  const { port } = await echoServer();
  let failures = 2;
  mockSend(() => (failures-- > 0 ? 'ENETUNREACH' : null));
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  assert.is(peer.state, 'connected');
  assert.equal(client.told, []);
});

test('a handshake that fails because nothing can be sent says so', async () => {
  mockSend(() => 'ENETUNREACH');
  const error = await rejection(socket().connect({ host: '127.0.0.1', port: 9 }));
  assert.is(error.code, 'ERR_DTLS_TIMEOUT');
  assert.match(error.message, /a datagram could not be sent: ENETUNREACH/);
  assert.is((error.cause as { code: string }).code, 'ENETUNREACH');
});

test('data that cannot be sent is told', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  mockSend(() => 'ECONNREFUSED');
  assert.is(client.send(peer, 'x'), true);
  await until(() => client.told.length > 0);
  Socket.prototype.send = originalSend;
  assert.equal(client.told.map((error) => (error as { code?: string }).code), ['ECONNREFUSED']);
  assert.is(client.stats().sendErrors, 1);
  assert.is(await ask(client, peer, 'y'), 'y');
});

test('datagrams that are too large for the path make the handshake smaller', async () => {
  const { port } = await echoServer();
  mockSend((length) => (length > 100 ? 'EMSGSIZE' : null));
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  assert.is(peer.state, 'connected');
  assert.ok(peer.mtu <= 100);
  assert.ok(client.stats().sendErrors > 0);
  assert.equal(client.told, []);
});

test('a failing send call ends nothing', async () => {
  const { port } = await echoServer();
  let failures = 1;
  Socket.prototype.send = function (this: Socket, ...args: never[]) {
    if (failures-- > 0) throw new Error('no');
    (originalSend as (...all: never[]) => void).apply(this, args);
  } as typeof originalSend;
  assert.is((await socket().connect({ host: '127.0.0.1', port })).state, 'connected');
});

test('a taken port, a foreign address and an unknown name are one clear error, and binding may be tried again', async () => {
  const { port } = await echoServer();
  const late = socket();
  assert.is((await rejection(late.bind({ address: '127.0.0.1', port }))).code, 'EADDRINUSE');
  assert.is((await rejection(late.bind({ address: '192.0.2.77' }))).code, 'EADDRNOTAVAIL');
  const unknown = await rejection(late.bind({ address: 'no-such-host.invalid' }));
  assert.match(unknown.message, /no-such-host\.invalid/);
  assert.is((await late.bind({ address: '127.0.0.1' })).family, 'IPv4');
  assert.match((await rejection(late.connect({ host: 'no-such-host.invalid', port }))).message, /no-such-host\.invalid/);
  assert.match((await rejection(late.connect({ host: '::1', port }))).message, /no IPv4/);
  assert.equal(late.told, []);
});

test('arguments that cannot be are refused by name', async () => {
  const client = socket();
  for (const port of [0, -1, 65_536, 1.5, NaN]) assert.match((await rejection(client.connect({ port }))).message, /port/);
  for (const port of [-1, 65_536, 1.5, NaN, '5684' as unknown as number]) assert.match((await rejection(client.bind({ port }))).message, /port/);
  for (const timeoutMs of [0, -1, NaN, Infinity]) assert.match((await rejection(client.connect({ port: 1, timeoutMs }))).message, /timeoutMs/);
  assert.throws(() => new DtlsSocket({ psk: CREDENTIAL, handler: { getPskInfo: () => null } }), /one of them/);
  assert.throws(() => new DtlsSocket({ psk: [] }), /empty/);
  assert.throws(() => new DtlsSocket({ psk: { identity: 'x', key: '' } }), /empty/);
  assert.throws(() => new DtlsSocket({ mtu: 1 }), /mtu/);
  assert.is((await rejection(new DtlsSocket().connect({ port: 1 }))).code, 'ERR_DTLS_CREDENTIAL');
  assert.is((await rejection(new DtlsSocket({ psk: () => 'key' }).connect({ port: 1 }))).code, 'ERR_DTLS_CREDENTIAL');
});

test('a listener that throws is an uncaught exception, and the socket goes on', async () => {
  const { port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  const caught = once(process, 'uncaughtException');
  client.once('message', () => {
    throw new Error('a bug of the application');
  });
  client.send(peer, 'x');
  assert.is(((await caught) as [Error])[0].message, 'a bug of the application');
  assert.is(await ask(client, peer, 'y'), 'y');
  assert.equal(client.told, []);
});

test('an association that the peer ends with a fatal alert is told with its reason, then ended', async () => {
  const { server, port } = await echoServer();
  const client = socket();
  const peer = await client.connect({ host: '127.0.0.1', port });
  const [remote] = server.peers;
  const order: string[] = [];
  client.on('dtlsError', (error) => order.push((error as DtlsError).code));
  client.on('disconnect', (gone) => order.push(gone === peer ? 'disconnect' : 'another peer'));
  fatalAlert(server, remote!);
  await until(() => order.length === 2);
  assert.equal(order, ['ERR_DTLS_ALERT', 'disconnect']);
  assert.is(peer.state, 'closed');
});

/** Makes a server send internal_error to a peer, from its own port: in place of the next datagram. */
function fatalAlert(server: DtlsSocket, peer: Peer): void {
  const alert = new Uint8Array(64);
  const length = peer.current!.write.seal(alert, 0, ContentType.alert, ProtocolVersion.dtls12, new Uint8Array([2, 80]));
  Socket.prototype.send = function (this: Socket, _bytes: unknown, ...rest: unknown[]) {
    Socket.prototype.send = originalSend;
    (originalSend as (...all: unknown[]) => void).call(this, Buffer.from(alert.subarray(0, length)), ...rest);
  } as typeof originalSend;
  server.send(peer, 'replaced');
}

/** Lets sending fail with the code that `fate` names for a length. */
function mockSend(fate: (length: number) => string | null): void {
  Socket.prototype.send = function (this: Socket, bytes: Uint8Array, port: number, address: string, sent: (error: Error | null) => void) {
    const code = fate(bytes.length);
    if (code === null) (originalSend as (...all: unknown[]) => void).call(this, bytes, port, address, sent);
    else process.nextTick(sent, Object.assign(new Error(`send ${code} ${address}:${port}`), { code }));
  } as typeof originalSend;
}

async function until(condition: () => boolean): Promise<void> {
  for (let left = 200; !condition(); left--) {
    if (left === 0) throw new Error('it did not come to pass');
    await sleep(10);
  }
}

test.run();
