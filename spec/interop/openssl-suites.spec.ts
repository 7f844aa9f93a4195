/**
 * Every suite with OpenSSL, in both roles, on both providers.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { echo } from './host.js';
import { SUITES, opensslClient, opensslServer } from './peers.js';
import { scene } from './stage.js';

for (const crypto of [nobleProvider, nativeProvider]) {
  for (const { suite, openssl } of SUITES) {
    scene(['openssl'], `${openssl}: an OpenSSL client talks with our server on the ${crypto.name} provider`, async (stage) => {
      const server = await stage.host({ crypto, answer: echo });
      const client = opensslClient(stage, server.port, { cipher: openssl });
      const port = await server.connected();
      client.type('from the client\n');
      await server.reads('from the client\n');
      await client.prints(/^echo: from the client$/m);
      assert.is(server.suiteWith(port), suite.name);
      assert.ok(server.peer(port)?.extendedMasterSecret);
    });

    scene(['openssl'], `${openssl}: our client on the ${crypto.name} provider talks with an OpenSSL server`, async (stage) => {
      const server = await opensslServer(stage, { cipher: openssl });
      const client = await stage.host({ crypto });
      client.connect(server.port);
      await client.connected();
      client.write(server.port, 'from the client\n');
      await server.process.prints(/^from the client$/m);
      server.process.type('from the server\n');
      await client.reads('from the server\n');
      assert.is(client.suiteWith(server.port), suite.name);
      assert.ok(client.peer(server.port)?.extendedMasterSecret);
      assert.match(server.process.output, new RegExp(`^CIPHER is ${openssl}$`, 'm'));
    });
  }
}

test.run();
