/**
 * Peers without extended_master_secret or renegotiation_info: refused by default, with words that name the option
 * which lets them in, and then let in.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, DTLS_EVENT_CONNECTED, fatalAlert, type UserParameters } from '../../lib/index.js';
import { echo } from './host.js';
import { gnutlsClient, gnutlsServer, opensslClient, opensslServer, type PeerOptions } from './peers.js';
import { scene, type Stage } from './stage.js';

/** Makes OpenSSL leave extended_master_secret out. */
const OPENSSL_CONFIGURATION = `openssl_conf = start
[start]
ssl_conf = contexts
[contexts]
plain = without_ems
[without_ems]
Options = -ExtendedMasterSecret
`;

interface Lack {
  readonly words: string;
  readonly option: keyof UserParameters;
  /** A word of a GnuTLS priority string. */
  readonly priority: string;
}

const LACKS: readonly Lack[] = [
  { words: 'NEG-03 extended_master_secret', option: 'forceExtendedMasterSecret', priority: ':%NO_SESSION_HASH' },
  { words: 'NEG-09 renegotiation_info', option: 'forceRenegotiationInfo', priority: ':%DISABLE_SAFE_RENEGOTIATION' },
];

const HANDSHAKE_FAILURE = fatalAlert(AlertDescription.handshakeFailure);

scene(['openssl'], 'NEG-03 an OpenSSL client without extended_master_secret is refused, and let in where the option says so', async (stage) => {
  const peer = await withoutEms(stage);
  const strict = await stage.host();
  const refused = opensslClient(stage, strict.port, peer);
  await refused.prints(/alert handshake failure/);
  refusal(strict.codes, strict.events, 'forceExtendedMasterSecret');

  const server = await stage.host({ forceExtendedMasterSecret: false, answer: echo });
  const client = opensslClient(stage, server.port, peer);
  const port = await server.connected();
  client.type('from the client\n');
  await client.prints(/^echo: from the client$/m);
  assert.is(server.peer(port)?.extendedMasterSecret, false);
});

scene(['openssl'], 'NEG-03 an OpenSSL server without extended_master_secret is refused, and taken where the option says so', async (stage) => {
  const server = await opensslServer(stage, await withoutEms(stage));
  const strict = await stage.host();
  strict.connect(server.port);
  await strict.until('a refusal', () => strict.events.some(({ level }) => level === 2));
  refusal([HANDSHAKE_FAILURE], strict.events, 'forceExtendedMasterSecret');

  const lenient = await opensslServer(stage, await withoutEms(stage));
  const client = await stage.host({ forceExtendedMasterSecret: false });
  client.connect(lenient.port);
  await client.connected();
  client.write(lenient.port, 'from the client\n');
  await lenient.process.prints(/^from the client$/m);
  assert.is(client.peer(lenient.port)?.extendedMasterSecret, false);
});

for (const { words, option, priority } of LACKS) {
  scene(['gnutls-cli'], `${words}: a GnuTLS client without it is refused, and let in where the option says so`, async (stage) => {
    const strict = await stage.host();
    const refused = gnutlsClient(stage, strict.port, { priority });
    await refused.prints(/Received alert \[40\]/);
    refusal(strict.codes, strict.events, option);

    const server = await stage.host({ [option]: false, answer: echo });
    const client = gnutlsClient(stage, server.port, { priority });
    await server.connected();
    client.type('from the client\n');
    await client.prints(/^echo: from the client$/m);
  });

  scene(['gnutls-serv'], `${words}: a GnuTLS server without it is refused, and taken where the option says so`, async (stage) => {
    const server = await gnutlsServer(stage, { priority });
    const strict = await stage.host();
    strict.connect(server.port);
    await strict.until('a refusal', () => strict.events.some(({ level }) => level === 2));
    refusal([HANDSHAKE_FAILURE], strict.events, option);

    const client = await stage.host({ [option]: false });
    client.connect(server.port);
    await client.connected();
    client.write(server.port, 'from the client\n');
    await client.reads('from the client\n');
  });
}

/** Options for an OpenSSL that leaves extended_master_secret out. */
async function withoutEms(stage: Stage): Promise<PeerOptions> {
  const configuration = await stage.file('openssl.cnf', OPENSSL_CONFIGURATION);
  return { more: ['-ssl_config', 'plain'], environment: { OPENSSL_CONF: configuration } };
}

/** A handshake was refused, and the host was told which option would have allowed it. */
function refusal(codes: readonly number[], events: readonly { code: number; detail: Error | undefined }[], option: string): void {
  assert.is(codes[0], HANDSHAKE_FAILURE);
  assert.is(events.filter(({ code }) => code === DTLS_EVENT_CONNECTED).length, 0);
  assert.ok(events.some(({ detail }) => detail?.message.includes(`${option}: false`)), `${option} is named`);
}

test.run();
