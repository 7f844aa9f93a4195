/**
 * Every suite with GnuTLS, in both roles, on both providers, and its goodbyes.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_TIMEOUT } from '../../lib/index.js';
import { PSK, bytesOf, echo } from './host.js';
import { SUITES, gnutlsClient, gnutlsServer } from './peers.js';
import { scene } from './stage.js';

/** Gives a handshake up after two seconds. */
const IMPATIENT = { initialTimeoutMs: 300, maxRetransmits: 2 };

const WRONG = { ...PSK, key: bytesOf('ff112233445566778899aabbccddeeff') };

for (const crypto of [nobleProvider, nativeProvider]) {
  for (const { suite, gnutls } of SUITES) {
    scene(['gnutls-cli'], `${gnutls}: a GnuTLS client talks with our server on the ${crypto.name} provider`, async (stage) => {
      const server = await stage.host({ crypto, answer: echo });
      const client = gnutlsClient(stage, server.port, { cipher: gnutls });
      const port = await server.connected();
      client.type('from the client\n');
      await server.reads('from the client\n');
      await client.prints(/^echo: from the client$/m);
      assert.is(server.suiteWith(port), suite.name);
    });

    scene(['gnutls-serv'], `${gnutls}: our client on the ${crypto.name} provider talks with a GnuTLS server`, async (stage) => {
      const server = await gnutlsServer(stage, { cipher: gnutls });
      const client = await stage.host({ crypto });
      client.connect(server.port);
      await client.connected();
      client.write(server.port, 'from the client\n');
      await server.process.prints(/command: from the client$/m);
      await client.reads('from the client\n');
      assert.is(client.suiteWith(server.port), suite.name);
    });
  }
}

scene(['gnutls-cli'], 'ALR-05 a GnuTLS client that says goodbye is closed on our server', async (stage) => {
  const server = await stage.host({ answer: echo });
  const client = gnutlsClient(stage, server.port);
  const port = await server.connected();
  client.type('from the client\n');
  await client.prints(/^echo: from the client$/m);
  client.closeInput();
  await server.closed();
  assert.is(await client.ends(), 'exit code 0');
  assert.is(server.peer(port), undefined);
  assert.is(server.count(DTLS_EVENT_CLOSED), 1);
  assert.is(server.count(DTLS_EVENT_ERROR), 0);
});

scene(['gnutls-cli'], 'ALR-05 our server says goodbye to a GnuTLS client, which ends', async (stage) => {
  const server = await stage.host();
  const client = gnutlsClient(stage, server.port);
  const port = await server.connected();
  await client.prints(/Handshake was completed/);
  server.shut(port);
  await client.prints(/Peer has closed the GnuTLS connection/);
  await server.closed();
  assert.is(await client.ends(), 'exit code 0');
});

scene(['gnutls-cli'], 'ALR-09 a GnuTLS client with the wrong key is not connected and the next client is served', async (stage) => {
  const server = await stage.host({ answer: echo, ...IMPATIENT });
  gnutlsClient(stage, server.port, { psk: WRONG });
  await server.until('a Finished that does not verify', () => server.context.stats().dropped.forged > 0);
  const honest = gnutlsClient(stage, server.port);
  const port = await server.connected();
  honest.type('from the honest client\n');
  await honest.prints(/^echo: from the honest client$/m);
  const { port: stranger, detail } = await server.event(DTLS_EVENT_ERROR);
  assert.is.not(stranger, port);
  assert.is(detail?.code, 'ERR_DTLS_PSK_MISMATCH');
  assert.is(server.count(DTLS_EVENT_CONNECTED), 1);
});

scene(['gnutls-serv'], 'ALR-09 our client with the wrong key is not connected to a GnuTLS server and is told of identity and key', async (stage) => {
  const server = await gnutlsServer(stage);
  const client = await stage.host({ psk: WRONG, ...IMPATIENT });
  client.connect(server.port);
  const { detail } = await client.event(DTLS_EVENT_TIMEOUT);
  assert.match(detail?.message ?? '', /identity or the key/);
  assert.is(client.count(DTLS_EVENT_CONNECTED), 0);
});

test.run();
