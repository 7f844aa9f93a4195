/**
 * Pre-shared keys with OpenSSL: lengths, hints, and what a wrong one comes to (RFC 4279).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_TIMEOUT } from '../../lib/index.js';
import { PSK, bytesOf, echo, hexOf, utf8, type Host, type Psk } from './host.js';
import { opensslClient, opensslServer, type Server } from './peers.js';
import type { PeerProcess } from './process.js';
import { scene, type Stage } from './stage.js';

/** Where each block of the premaster secret ends, and what RFC 4279 §5.3 demands at least: 64. */
const KEY_LENGTHS = [1, 2, 15, 16, 17, 31, 32, 33, 48, 63, 64];

const IDENTITIES: Readonly<Record<string, string>> = {
  'of 1 byte': 'i',
  'of 15 bytes': 'Client_identity',
  'of 128 bytes': 'name@example.org'.repeat(8),
  'of letters beyond ASCII': 'Schlüssel № 1',
};

/** Gives a handshake up after two seconds. */
const IMPATIENT = { initialTimeoutMs: 300, maxRetransmits: 2 };

const WRONG: Psk = { ...PSK, key: bytesOf('ff112233445566778899aabbccddeeff') };

for (const length of KEY_LENGTHS) {
  const psk: Psk = { ...PSK, key: Uint8Array.from({ length }, (_, index) => 7 * index + length) };

  scene(['openssl'], `PSK-09 an OpenSSL client with a key of ${length} bytes talks with our server`, async (stage) => {
    await serve(stage, psk);
  });

  scene(['openssl'], `PSK-09 our client with a key of ${length} bytes talks with an OpenSSL server`, async (stage) => {
    await visit(stage, psk);
  });
}

for (const [words, identity] of Object.entries(IDENTITIES)) {
  const psk: Psk = { ...PSK, identity };

  scene(['openssl'], `PSK-02 our server knows an OpenSSL client by an identity ${words}`, async (stage) => {
    const { server, port } = await serve(stage, psk);
    assert.equal(server.peer(port)?.identity, { kind: 'psk', identity: utf8(identity), hint: new Uint8Array(0) });
  });

  scene(['openssl'], `PSK-02 an OpenSSL server takes an identity ${words} from our client`, async (stage) => {
    const { server } = await visit(stage, psk);
    assert.not.match(server.process.output, /PSK warning/);
  });
}

scene(['openssl'], 'PSK-07 an OpenSSL client is given the hint of our server', async (stage) => {
  const { client } = await serve(stage, { ...PSK, hint: 'the blue key' });
  await client.prints(/^ +PSK identity hint: the blue key$/m);
});

scene(['openssl'], 'PSK-07 our client is given the hint of an OpenSSL server', async (stage) => {
  const { client, server } = await visit(stage, PSK, ['-psk_hint', 'the blue key']);
  assert.equal(client.peer(server.port)?.identity, { kind: 'psk', identity: utf8(PSK.identity), hint: utf8('the blue key') });
});

const strangers: Readonly<Record<string, Psk>> = { 'the wrong key': WRONG, 'an unknown identity': { ...PSK, identity: 'Mallory' } };
for (const [words, psk] of Object.entries(strangers)) {
  scene(['openssl'], `ALR-09 an OpenSSL client with ${words} is not connected, hears no alert, and the next client is served`, async (stage) => {
    const server = await stage.host({ answer: echo, ...IMPATIENT });
    opensslClient(stage, server.port, { psk });
    await server.until('a Finished that does not verify', () => server.context.stats().dropped.forged > 0);
    const honest = opensslClient(stage, server.port);
    const port = await server.connected();
    honest.type('from the honest client\n');
    await honest.prints(/^echo: from the honest client$/m);

    const { port: stranger, detail } = await server.event(DTLS_EVENT_ERROR);
    assert.is.not(stranger, port);
    assert.is(detail?.code, 'ERR_DTLS_PSK_MISMATCH');
    assert.is(server.count(DTLS_EVENT_CONNECTED), 1);
    assert.is(server.peer(stranger), undefined);
    assert.is(alertsTo(server, stranger), 0);
  });
}

scene(['openssl'], 'ALR-09 our client with the wrong key is not connected to an OpenSSL server and is told of identity and key', async (stage) => {
  const server = await opensslServer(stage);
  const client = await stage.host({ psk: WRONG, ...IMPATIENT });
  client.connect(server.port);
  const { detail } = await client.event(DTLS_EVENT_TIMEOUT);
  assert.match(detail?.message ?? '', /identity or the key/);
  assert.is(client.count(DTLS_EVENT_CONNECTED), 0);
  assert.is(client.peer(server.port), undefined);
  assert.not.match(server.process.output, /CIPHER is/);
});

/** An OpenSSL client and our server with the same key, once both have heard from each other. */
async function serve(stage: Stage, psk: Psk): Promise<{ server: Host; port: number; client: PeerProcess }> {
  const server = await stage.host({ psk, answer: echo });
  const client = opensslClient(stage, server.port, { psk });
  const port = await server.connected();
  client.type('from the client\n');
  await client.prints(/^echo: from the client$/m);
  return { server, port, client };
}

/** Our client and an OpenSSL server with the same key, once both have heard from each other. */
async function visit(stage: Stage, psk: Psk, more: readonly string[] = []): Promise<{ client: Host; server: Server }> {
  const server = await opensslServer(stage, { psk, more });
  const client = await stage.host({ psk });
  client.connect(server.port);
  await client.connected();
  client.write(server.port, 'from the client\n');
  await server.process.prints(/^from the client$/m);
  server.process.type('from the server\n');
  await client.reads('from the server\n');
  return { client, server };
}

/** How many alerts in the clear went to `port`. */
function alertsTo(host: Host, port: number): number {
  return host.datagrams.filter(({ to, bytes }) => to === port && hexOf(bytes.subarray(0, 1)) === '15').length;
}

test.run();
