/**
 * The path to OpenSSL: cookies, and datagrams so small that handshake messages come in pieces.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PSK, echo, type Datagram, type Host, type Psk } from './host.js';
import { opensslClient, opensslServer } from './peers.js';
import { scene } from './stage.js';

/** UDP payload in the MTU of 300 that OpenSSL is told: less the headers of IPv4 and UDP. */
const PAYLOAD = 272;

/** Application protocols that make a ClientHello longer than 300 bytes. */
const MANY_PROTOCOLS = Array.from({ length: 12 }, (_, index) => `a-protocol-with-a-long-name-${index}`).join(',');

/** An identity and a hint that make their messages as long as they must be supported. */
const LONG: Psk = { ...PSK, identity: 'name@example.org'.repeat(8), hint: 'hint.example.org'.repeat(8) };

const HELLO_VERIFY_REQUEST = 3;

scene(['openssl'], 'DOS-01 an OpenSSL client brings back the cookie of our server', async (stage) => {
  const server = await stage.host({ answer: echo });
  const client = opensslClient(stage, server.port);
  await server.connected();
  client.type('from the client\n');
  await client.prints(/^echo: from the client$/m);
  assert.is(server.context.stats().helloVerifyRequests, 1);
});

for (const [words, more] of [['', []], [' that listens without state', ['-listen']]] as const) {
  scene(['openssl'], `M023 our client brings back the cookie of an OpenSSL server${words}`, async (stage) => {
    const server = await opensslServer(stage, { more });
    const client = await stage.host();
    client.connect(server.port);
    await client.connected();
    client.write(server.port, 'from the client\n');
    await server.process.prints(/^from the client$/m);
    server.process.type('from the server\n');
    await client.reads('from the server\n');
    assert.is(handshakeTypes(received(client))[0], HELLO_VERIFY_REQUEST);
  });
}

scene(['openssl'], 'FRG-14 an OpenSSL client with an MTU of 300 sends its ClientHello in pieces and talks with our server', async (stage) => {
  const server = await stage.host({ mtu: 128, psk: LONG, answer: echo });
  const client = opensslClient(stage, server.port, { psk: LONG, more: ['-mtu', '300', '-alpn', MANY_PROTOCOLS] });
  await server.connected();
  client.type('from the client\n');
  await client.prints(/^echo: from the client$/m);

  const hellos = received(server).filter(({ bytes }) => bytes[13] === 1);
  assert.ok(hellos.length >= 4, `${hellos.length} pieces of two ClientHellos`);
  assert.ok(longest(received(server)) <= PAYLOAD);
  assert.ok(longest(sent(server)) <= 128);
  assert.is(server.context.stats().helloVerifyRequests, 1);
});

for (const mtu of [100, 128, 300]) {
  scene(['openssl'], `FRG-15 our client with an MTU of ${mtu} talks with an OpenSSL server with an MTU of 300`, async (stage) => {
    const server = await opensslServer(stage, { psk: LONG, more: ['-mtu', '300', '-psk_hint', LONG.hint!] });
    const client = await stage.host({ psk: LONG, mtu });
    client.connect(server.port);
    await client.connected();
    client.write(server.port, 'from the client\n');
    await server.process.prints(/^from the client$/m);
    server.process.type('from the server\n');
    await client.reads('from the server\n');
    assert.ok(longest(sent(client)) <= mtu);
    assert.ok(longest(received(client)) <= PAYLOAD);
  });
}

scene(['openssl'], 'FRG-15 data longer than the MTU of the handshake goes through in one record, both ways', async (stage) => {
  const server = await stage.host({ mtu: 128, answer: echo });
  const client = opensslClient(stage, server.port, { more: ['-mtu', '1500'] });
  await server.connected();
  const line = 'long '.repeat(200);
  client.type(`${line}\n`);
  await client.prints(new RegExp(`^echo: ${line}$`, 'm'));
  assert.is(server.data.length, 1);
});

scene(['openssl'], 'REC-09 our longest record reaches an OpenSSL server', async (stage) => {
  const server = await opensslServer(stage);
  const client = await stage.host();
  client.connect(server.port);
  await client.connected();
  const line = `${'x'.repeat(16_383)}\n`;
  assert.is(client.write(server.port, line), 16_384);
  await server.process.prints(/^x{16383}$/m);
});

function sent(host: Host): Datagram[] {
  return host.datagrams.filter(({ from }) => from === host.port);
}

function received(host: Host): Datagram[] {
  return host.datagrams.filter(({ from }) => from !== host.port);
}

/** The type of the first handshake message of each datagram that begins with one in the clear. */
function handshakeTypes(datagrams: readonly Datagram[]): number[] {
  return datagrams.filter(({ bytes }) => bytes[0] === 22 && bytes[4] === 0).map(({ bytes }) => bytes[13]!);
}

function longest(datagrams: readonly Datagram[]): number {
  return Math.max(...datagrams.map(({ bytes }) => bytes.length));
}

test.run();
