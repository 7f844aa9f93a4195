/**
 * A DtlsSocket with raw public keys: trust instead of a pre-shared key, callbacks, which suites it offers.
 */
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsSocket } from '../../lib/adapters/node.js';
import { loadCredential, trustStore } from '../../lib/credentials/index.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const spki = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const CREDENTIAL = loadCredential({ rawKey: true, key }, nativeProvider);
const TRUST = trustStore({ provider: nativeProvider, rawKeys: spki });

/** Who the server is for a client with these options. */
async function kindFor(options: ConstructorParameters<typeof DtlsSocket>[0]): Promise<string | undefined> {
  const server = new DtlsSocket({ credentials: [CREDENTIAL] });
  const client = new DtlsSocket(options);
  try {
    const { port } = await server.bind({ address: '127.0.0.1' });
    return (await client.connect({ port, host: '127.0.0.1', timeoutMs: 5000 })).identity?.kind;
  } finally {
    await client.close();
    await server.close();
  }
}

test('a client with trust and no key of its own reaches a server with a raw key', async () => {
  assert.is(await kindFor({ trust: TRUST }), 'rawKey');
});

test('a client with a callback that verifies needs nothing else', async () => {
  assert.is(await kindFor({ handler: { verifyEcdsaKey: () => true } }), 'rawKey');
});

test('with trust and a pre-shared key, the suite decides which of them is used', async () => {
  assert.is(await kindFor({ trust: TRUST, psk: { identity: 'a', key: 'b' } }), 'rawKey');
});

test('user parameters that are a promise are refused by name, as what they would say is not known: nobody gets in as nobody', async () => {
  const late = (): never => Promise.resolve({ clientAuthentication: 'require' }) as never;
  const told: Error[] = [];
  const server = new DtlsSocket({ credentials: [CREDENTIAL], handler: { getUserParameters: late } });
  server.on('dtlsError', (error) => told.push(error));
  const client = new DtlsSocket({ trust: TRUST });
  const asking = new DtlsSocket({ trust: TRUST, handler: { getUserParameters: late } });
  try {
    const { port } = await server.bind({ address: '127.0.0.1' });
    const target = { port, host: '127.0.0.1', timeoutMs: 150 };
    const reasons = [client.connect(target), client.connect(target, late()), asking.connect(target)].map((outcome) =>
      outcome.then(() => 'connected', ({ code }: { code: string }) => code));
    assert.equal(await Promise.all(reasons), ['ERR_DTLS_TIMEOUT', 'ERR_DTLS_ARGUMENT', 'ERR_DTLS_ARGUMENT']);
    assert.match(told[0]!.message, /a promise/);
  } finally {
    await Promise.all([client, asking, server].map((socket) => socket.close()));
  }
});

test.run();
