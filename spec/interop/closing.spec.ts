/**
 * The end of an association, and attempts to renegotiate it, with OpenSSL and GnuTLS. The goodbye of a server on
 * OpenSSL is seen with libcoap: `s_server` closes its socket before it says one.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AlertDescription, DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_RENEGOTIATE, fatalAlert,
} from '../../lib/index.js';
import { echo } from './host.js';
import { gnutlsClient, gnutlsServer, opensslClient, opensslServer } from './peers.js';
import { scene } from './stage.js';

scene(['openssl'], 'ALR-05 an OpenSSL client that says goodbye is closed on our server', async (stage) => {
  const server = await stage.host();
  const client = opensslClient(stage, server.port);
  const port = await server.connected();
  client.type('Q\n');
  await server.closed();
  await client.ends();
  assert.is(server.peer(port), undefined);
  assert.is(server.count(DTLS_EVENT_CLOSED), 1);
  assert.is(server.count(DTLS_EVENT_ERROR), 0);
});

scene(['openssl'], 'ALR-05 our server says goodbye to an OpenSSL client, which ends', async (stage) => {
  const server = await stage.host();
  const client = opensslClient(stage, server.port);
  const port = await server.connected();
  server.shut(port);
  await server.closed();
  await client.prints(/^closed$/m);
  assert.is(await client.ends(), 'exit code 0');
  assert.is(server.peer(port), undefined);
  assert.is(server.count(DTLS_EVENT_CLOSED), 1);
});

scene(['openssl'], 'ALR-05 our client says goodbye to an OpenSSL server, which serves it again afterwards', async (stage) => {
  const server = await opensslServer(stage);
  const client = await stage.host();
  client.connect(server.port);
  await client.connected();
  client.shut(server.port);
  await client.closed();
  await server.process.prints(/^DONE$/m);
  client.connect(server.port);
  await client.connected(2);
  client.write(server.port, 'from the same client\n');
  await server.process.prints(/^from the same client$/m);
  assert.is(client.count(DTLS_EVENT_CLOSED), 1);
});

scene(['openssl'], 'DOS-13 an OpenSSL client that comes back from the same port gets a new association', async (stage) => {
  const server = await stage.host({ answer: echo });
  const first = opensslClient(stage, server.port);
  const port = await server.connected();
  await first.kill(); // without a goodbye
  const second = opensslClient(stage, server.port, { more: ['-bind', `127.0.0.1:${port}`] });
  assert.is(await server.connected(2), port);
  second.type('from the second client\n');
  await second.prints(/^echo: from the second client$/m);
  assert.is(server.context.stats().established, 1);
});

scene(['openssl'], 'FSM-24 a renegotiation that an OpenSSL client begins is refused with a warning; OpenSSL then gives up by itself', async (stage) => {
  const server = await stage.host({ answer: echo });
  const client = opensslClient(stage, server.port);
  const port = await server.connected();
  client.type('R\n');
  await server.event(DTLS_EVENT_RENEGOTIATE);
  // dtls1_read_bytes takes no_renegotiation for an error of its own and sends handshake_failure.
  await client.prints(/no renegotiation/);
  await server.until('the alert of OpenSSL', () => server.codes.includes(fatalAlert(AlertDescription.handshakeFailure)));
  assert.is(server.peer(port), undefined);
  assert.is(server.count(DTLS_EVENT_CONNECTED), 1);

  const next = opensslClient(stage, server.port);
  await server.connected(2);
  next.type('from the next client\n');
  await next.prints(/^echo: from the next client$/m);
});

scene(['openssl'], 'FSM-24 a renegotiation that an OpenSSL server asks for is refused with a warning; OpenSSL then gives up by itself', async (stage) => {
  const server = await opensslServer(stage);
  const client = await stage.host();
  client.connect(server.port);
  await client.connected();
  client.write(server.port, 'from the client\n');
  await server.process.prints(/^from the client$/m);
  server.process.type('r\n');
  await client.event(DTLS_EVENT_RENEGOTIATE);
  await server.process.prints(/no renegotiation/);
  await client.until('the alert of OpenSSL', () => client.codes.includes(fatalAlert(AlertDescription.handshakeFailure)));
  assert.is(client.count(DTLS_EVENT_CONNECTED), 1);
});

scene(['gnutls-serv'], 'FSM-24 a renegotiation that a GnuTLS server asks for is refused and the association lives', async (stage) => {
  const server = await gnutlsServer(stage);
  const client = await stage.host();
  client.connect(server.port);
  await client.connected();
  client.write(server.port, '**REHANDSHAKE**\n');
  await client.event(DTLS_EVENT_RENEGOTIATE);
  client.write(server.port, 'from the client\n');
  await client.reads('from the client\n');
  assert.is(client.count(DTLS_EVENT_CONNECTED), 1);
  assert.is(client.peer(server.port)?.state, 'connected');
});

scene(['gnutls-cli'], 'FSM-24 a renegotiation that a GnuTLS client begins is refused and the association lives on our server', async (stage) => {
  const server = await stage.host({ answer: echo });
  const client = gnutlsClient(stage, server.port, { more: ['--inline-commands'] });
  const port = await server.connected();
  client.type('from the client\n');
  await client.prints(/^echo: from the client$/m);
  client.type('^renegotiate^\n');
  await server.event(DTLS_EVENT_RENEGOTIATE);
  await client.prints(/No renegotiation is allowed/);
  assert.is(server.peer(port)?.state, 'connected');
  assert.is(server.count(DTLS_EVENT_CONNECTED), 1);
  assert.equal(server.codes, []);
});

test.run();
