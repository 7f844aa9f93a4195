/**
 * Several records in one datagram: OpenSSL and GnuTLS read each of them, in either role.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LOOPBACK, type Host } from './host.js';
import { gnutlsClient, gnutlsServer, opensslClient, opensslServer } from './peers.js';
import { scene } from './stage.js';

/** Says three lines as three records of one datagram. */
function say(host: Host, port: number): void {
  const session = { address: LOOPBACK, port };
  const before = host.datagrams.length;
  assert.ok(host.context.cork(session));
  for (const line of ['the first\n', 'the second\n', 'the third\n']) host.write(port, line);
  assert.is(host.context.uncork(session), 0);
  assert.is(host.datagrams.length, before + 1);
}

const ALL = /the first$[^]*the second$[^]*the third$/m;

scene(['openssl'], 'an OpenSSL client reads three records of one datagram', async (stage) => {
  const server = await stage.host();
  const client = opensslClient(stage, server.port);
  say(server, await server.connected());
  await client.prints(ALL);
});

scene(['openssl'], 'an OpenSSL server reads three records of one datagram', async (stage) => {
  const server = await opensslServer(stage);
  const client = await stage.host();
  client.connect(server.port);
  await client.connected();
  say(client, server.port);
  await server.process.prints(ALL);
});

// GnuTLS hands out a record a call and tells nobody that it has more; gnutls-cli calls it once for each datagram.
scene(['gnutls-cli'], 'a GnuTLS client reads three records of one datagram, the later ones when more datagrams come', async (stage) => {
  const server = await stage.host();
  const client = gnutlsClient(stage, server.port);
  const port = await server.connected();
  await client.prints(/Handshake was completed/);
  say(server, port);
  await client.prints(/^the first$/m);
  server.write(port, 'a fourth\n');
  await client.prints(/^the second$/m);
  server.write(port, 'a fifth\n');
  await client.prints(ALL);
});

scene(['gnutls-serv'], 'a GnuTLS server reads three records of one datagram, and answers each', async (stage) => {
  const server = await gnutlsServer(stage);
  const client = await stage.host();
  client.connect(server.port);
  await client.connected();
  say(client, server.port);
  await client.reads('the third\n');
  assert.is(client.text, 'the first\nthe second\nthe third\n');
});

test.run();
