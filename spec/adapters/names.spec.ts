/**
 * Whom a DtlsSocket expects: the name of the server, by default and by choice, as it is checked and as the server hears
 * it; and that an association which was made for something else is never handed out.
 */
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsSocket, type DtlsSocketOptions, type Peer } from '../../lib/adapters/node.js';
import { selfSigned } from '../../lib/cli/selfsigned.js';
import { loadCredential, trustStore } from '../../lib/credentials/index.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { ALL_SUITES } from '../../lib/suites/all.js';
import { mintLeaf, ROOT, showing } from '../publickey/chains.js';
import { CLIENT_AUTH, extendedKeyUsage, NOW, SERVER_AUTH } from '../x509/support/mint.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const spki = publicKey.export({ type: 'spki', format: 'der' });
const certificate = selfSigned(privateKey, spki, { names: ['localhost', 'device.example'], days: 1, notBeforeMs: Date.now(), serial: Uint8Array.of(1) });
const CREDENTIAL = loadCredential({ certificate, key }, nativeProvider);
const RAW = loadCredential({ rawKey: true, key }, nativeProvider);
const TRUST = trustStore({ provider: nativeProvider, authorities: certificate });
const PSK = { identity: 'device', key: 'secret' };
const ADDRESS = '127.0.0.1';

const open: DtlsSocket[] = [];
test.after.each(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

function socket(options: DtlsSocketOptions): DtlsSocket {
  const made = new DtlsSocket({ initialTimeoutMs: 50, maxRetransmits: 3, ...options });
  open.push(made);
  return made;
}

/** A server with a certificate and a pre-shared key. `heard`: the names that clients ask for. */
async function server(options: DtlsSocketOptions = {}): Promise<{ heard: (string | null)[]; port: number; server: DtlsSocket }> {
  const heard: (string | null)[] = [];
  const made = socket({
    psk: PSK,
    handler: {
      getCertificate: (_context, _session, { serverName }) => {
        heard.push(serverName);
        return CREDENTIAL;
      },
    },
    ...options,
  });
  made.on('dtlsError', () => {});
  return { heard, server: made, port: (await made.bind({ address: ADDRESS })).port };
}

async function refusal(promise: Promise<Peer>): Promise<{ readonly code?: string; readonly message: string }> {
  return promise.then(() => assert.unreachable('it was to be refused') as never, (error: Error) => error);
}

test('the name that is expected is the host, if that is a name, and the server hears it', async () => {
  const { heard, port } = await server();
  assert.is((await socket({ trust: TRUST }).connect({ port, host: 'localhost' })).identity?.kind, 'x509');
  // Upper or lower case, it is the same name.
  await socket({ trust: TRUST }).connect({ port, host: 'LOCALHOST' });
  assert.equal(heard.map((name) => name?.toLowerCase()), ['localhost', 'localhost']);
});

test('of an address no name is expected, and none is sent', async () => {
  const { heard, port } = await server();
  await socket({ trust: TRUST }).connect({ port, host: ADDRESS });
  assert.equal(heard, [null]);
});

test('a serverName of the call wins over that of the parameters, of the socket, and the host', async () => {
  const { heard, port } = await server();
  await socket({ trust: TRUST, serverName: 'wrong.example' }).connect({ port, serverName: 'device.example' }, { serverName: 'wrong.example' });
  await socket({ trust: TRUST, serverName: 'wrong.example' }).connect({ port }, { serverName: 'device.example' });
  await socket({ trust: TRUST, serverName: 'device.example' }).connect({ port });
  await socket({ trust: TRUST, serverName: 'wrong.example' }).connect({ port, serverName: null });
  assert.equal(heard, ['device.example', 'device.example', 'device.example', null]);
  const error = await refusal(socket({ trust: TRUST }).connect({ port, host: 'localhost', serverName: 'other.example' }));
  assert.is(error.code, 'ERR_DTLS_CERTIFICATE');
  assert.match(error.message, /does not name other\.example/);
});

test('where only pre-shared keys are used, the host is no name that is sent', async () => {
  const seen: number[] = [];
  const { port } = await server();
  const client = socket({ psk: PSK, tap: (direction, _session, datagram) => direction === 'out' && seen.push(Buffer.from(datagram).indexOf('localhost')) });
  await client.connect({ port, host: 'localhost' });
  assert.equal(new Set(seen), new Set([-1]));
});

test('an association that was made for another name is not handed out', async () => {
  const { port } = await server();
  const client = socket({ trust: TRUST });
  const peer = await client.connect({ port, host: 'localhost' });
  assert.is(await client.connect({ port, host: 'localhost' }), peer);
  assert.is(await client.connect({ port, host: ADDRESS, serverName: 'localhost' }), peer);
  const other = await refusal(client.connect({ port, host: 'localhost', serverName: 'device.example' }));
  assert.is(other.code, 'ERR_DTLS_CONFLICT');
  assert.match(other.message, /with 127\.0\.0\.1:\d+ already, made for the serverName "localhost", not for the serverName "device\.example"$/);
  assert.match((await refusal(client.connect({ port, host: ADDRESS }))).message, /made for the serverName "localhost", not without a serverName$/);
  assert.is(peer.state, 'connected');
  client.closePeer(peer);
  assert.is((await client.connect({ port, serverName: 'device.example' })).state, 'connected');
});

test('neither is a handshake for another name joined', async () => {
  const { port } = await server();
  const client = socket({ trust: TRUST });
  const [first, same, other] = await Promise.allSettled([
    client.connect({ port, host: ADDRESS, serverName: 'localhost' }),
    client.connect({ port, host: ADDRESS, serverName: 'localhost' }),
    client.connect({ port, host: ADDRESS, serverName: 'device.example' }),
  ]);
  assert.equal([first!.status, same!.status, other!.status], ['fulfilled', 'fulfilled', 'rejected']);
  assert.is((other as PromiseRejectedResult).reason.code, 'ERR_DTLS_CONFLICT');
});

test('an association that was made with other keys is not handed out', async () => {
  const { port } = await server();
  const client = socket({ psk: { identity: 'other', key: 'secret' }, trust: TRUST });
  const to = { port, host: ADDRESS };
  const peer = await client.connect({ ...to, psk: PSK });
  assert.is(await client.connect({ ...to, psk: { identity: 'device', key: Buffer.from('secret') } }), peer);
  const wrong: [promise: Promise<Peer>, words: RegExp][] = [
    [client.connect(to), /made with another psk$/],
    [client.connect({ ...to, psk: { ...PSK, key: 'Secret' } }), /made with another psk$/],
    [client.connect({ ...to, psk: [PSK, PSK] }), /made with another psk$/],
    [client.connect({ ...to, psk: PSK }, { trust: trustStore({ provider: nativeProvider, authorities: certificate }) }), /made with another trust$/],
    [client.connect({ ...to, psk: PSK }, { credentials: [RAW] }), /made with other credentials$/],
  ];
  for (const [promise, words] of wrong) {
    const { code, message } = await refusal(promise);
    assert.is(code, 'ERR_DTLS_CONFLICT');
    assert.match(message, words);
  }
});

test('a client that came to us and said nothing of itself is not the server that we want to reach', async () => {
  const { server: both, port } = await server({ trust: TRUST, clientAuthentication: 'none' });
  const stranger = socket({ trust: TRUST, credentials: [CREDENTIAL] });
  await stranger.connect({ port, host: ADDRESS });
  const { port: from } = stranger.address();
  const { code, message } = await refusal(both.connect({ port: from, host: ADDRESS }));
  assert.is(code, 'ERR_DTLS_CONFLICT');
  assert.match(message, /with a client that has not said who it is$/);
});

test('a client that came to us with a certificate is the server that we want to reach only if it could be that', async () => {
  const both = mintLeaf('client', ROOT, { extensions: [extendedKeyUsage(SERVER_AUTH, CLIENT_AUTH)] });
  const cases = [
    [true, both, null],
    [true, mintLeaf('client'), /with a client that is not the server to be reached: .* is not for a server \(extendedKeyUsage\)$/],
    [false, both, /with a client that is not the server to be reached: no server name is expected/],
  ] as const;
  for (const [anyName, leaf, words] of cases) {
    const trust = trustStore({ provider: nativeProvider, authorities: ROOT.der, anyName });
    const { server: hub, port } = await server({ trust, clientAuthentication: 'require', wallClock: () => NOW });
    const device = socket({ trust: TRUST, credentials: [showing([leaf])] });
    await device.connect({ port, host: ADDRESS });
    const reached = hub.connect({ port: device.address().port, host: ADDRESS });
    if (words === null) assert.is((await reached).role, 'server');
    else assert.match((await refusal(reached)).message, words);
  }
});

test('a client that came to us with a pre-shared key is not the server whose public key we want to see', async () => {
  const { server: both, port } = await server({ psk: () => 'secret', trust: TRUST });
  const device = socket({ psk: PSK });
  await device.connect({ port, host: ADDRESS });
  const { code, message } = await refusal(both.connect({ port: device.address().port, host: ADDRESS }));
  assert.is(code, 'ERR_DTLS_CONFLICT');
  assert.match(message, /made with TLS_ECDHE_PSK_\w+, which is not offered$/);
});

test('an association, or a handshake, with suites that the call does not offer is not handed out', async () => {
  const { port } = await server();
  const client = socket({ psk: PSK, trust: TRUST });
  const to = { port, host: ADDRESS };
  const certified = { cipherSuites: ALL_SUITES.filter(({ keyExchange }) => keyExchange.certified) };
  const first = client.connect(to, { cipherSuites: ALL_SUITES.filter(({ keyExchange }) => keyExchange.preShared) });
  const during = refusal(client.connect(to, certified));
  const peer = await first;
  const wrong = [await during, await refusal(client.connect(to, certified))];
  for (const { code, message } of wrong) {
    assert.is(code, 'ERR_DTLS_CONFLICT');
    assert.match(message, /made with TLS_\w*PSK_\w+, which is not offered$/);
  }
  assert.is(await client.connect(to), peer);
  assert.is(await client.connect(to, { cipherSuites: [peer.suite!] }), peer);
});

test('a client that came to us with the right key is a peer like any other', async () => {
  const { server: both, port } = await server();
  const other = socket({ psk: PSK });
  await other.connect({ port, host: ADDRESS });
  const peer = await both.connect({ port: other.address().port, host: ADDRESS });
  assert.is(peer.role, 'server');
});

test.run();
