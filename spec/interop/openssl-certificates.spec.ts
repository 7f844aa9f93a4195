/**
 * Certificates with OpenSSL, in both roles: every suite, both kinds of leaf, mutual authentication, groups, long chains
 * in small datagrams, refusals.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import {
  DTLS_EVENT_CONNECTED, ECDHE_ECDSA_AES_128_CCM, ECDHE_ECDSA_AES_128_CCM_8, ECDHE_ECDSA_AES_128_GCM_SHA256,
  ECDHE_ECDSA_AES_256_GCM_SHA384, ECDHE_ECDSA_CHACHA20_POLY1305_SHA256, ECDHE_PSK_CHACHA20_POLY1305_SHA256,
  ECDHE_RSA_AES_128_GCM_SHA256, ECDHE_RSA_AES_256_GCM_SHA384, ECDHE_RSA_CHACHA20_POLY1305_SHA256,
  CERTIFICATE_SUITES, type CipherSuite, type Provider,
} from '../../lib/index.js';
import { SERVER_NAME, certificates, type Certificates, type Owner } from './certs.js';
import { LOOPBACK, echo, hexOf, type Host, type HostEvent, type HostOptions } from './host.js';
import { opensslClient, opensslServer, type Server } from './peers.js';
import type { PeerProcess } from './process.js';
import { scene, type Stage } from './stage.js';

interface CertifiedSuite {
  readonly suite: CipherSuite;
  readonly openssl: string;
  /** Whose certificate the server shows. */
  readonly owner: Owner;
}

const CERTIFIED: readonly CertifiedSuite[] = [
  { suite: ECDHE_ECDSA_AES_128_CCM_8, openssl: 'ECDHE-ECDSA-AES128-CCM8', owner: 'server' },
  { suite: ECDHE_ECDSA_AES_128_CCM, openssl: 'ECDHE-ECDSA-AES128-CCM', owner: 'server' },
  { suite: ECDHE_ECDSA_AES_128_GCM_SHA256, openssl: 'ECDHE-ECDSA-AES128-GCM-SHA256', owner: 'server' },
  { suite: ECDHE_ECDSA_AES_256_GCM_SHA384, openssl: 'ECDHE-ECDSA-AES256-GCM-SHA384', owner: 'server' },
  { suite: ECDHE_ECDSA_CHACHA20_POLY1305_SHA256, openssl: 'ECDHE-ECDSA-CHACHA20-POLY1305', owner: 'server' },
  { suite: ECDHE_RSA_AES_128_GCM_SHA256, openssl: 'ECDHE-RSA-AES128-GCM-SHA256', owner: 'rsa' },
  { suite: ECDHE_RSA_AES_256_GCM_SHA384, openssl: 'ECDHE-RSA-AES256-GCM-SHA384', owner: 'rsa' },
  { suite: ECDHE_RSA_CHACHA20_POLY1305_SHA256, openssl: 'ECDHE-RSA-CHACHA20-POLY1305', owner: 'rsa' },
];

/** The default for what is not about suites. */
const ECDSA_GCM = 'ECDHE-ECDSA-AES128-GCM-SHA256';
const RSA_GCM = 'ECDHE-RSA-AES128-GCM-SHA256';

/** X25519 with a leaf that is on no curve, as its curve would have to be among the groups. */
const GROUPS = [
  { group: 'x25519', openssl: 'X25519', said: 'X25519', shared: 'x25519', owner: 'rsa', cipher: RSA_GCM },
  { group: 'secp256r1', openssl: 'P-256', said: 'prime256v1', shared: 'secp256r1', owner: 'server', cipher: ECDSA_GCM },
] as const;

for (const crypto of [nobleProvider, nativeProvider]) {
  for (const { suite, openssl, owner } of CERTIFIED) {
    if (signs(crypto, owner)) scene(['openssl'], `${openssl}: an OpenSSL client believes our server on the ${crypto.name} provider`, async (stage) => {
      const files = await certificates();
      const { server, port, client } = await serve(stage, files, { crypto, owner, cipher: openssl });
      assert.is(server.suiteWith(port), suite.name);
      assert.ok(server.peer(port)?.extendedMasterSecret);
      assert.match(client.output, /^Verification: OK$/m);
      assert.match(client.output, new RegExp(`^Verified peername: ${SERVER_NAME}$`, 'm'));
    });

    scene(['openssl'], `${openssl}: our client on the ${crypto.name} provider believes an OpenSSL server`, async (stage) => {
      const files = await certificates();
      const { client, server } = await visit(stage, files, { crypto, owner, cipher: openssl });
      assert.is(client.suiteWith(server.port), suite.name);
      assert.is(client.peer(server.port)?.identity?.kind, 'x509');
      assert.match(server.process.output, new RegExp(`^CIPHER is ${openssl}$`, 'm'));
    });
  }

  for (const owner of ['client', 'rsa'] as const) {
    const leaf = owner === 'rsa' ? 'an RSA' : 'an EC';

    scene(['openssl'], `an OpenSSL client shows ${leaf} certificate to our server on the ${crypto.name} provider`, async (stage) => {
      const files = await certificates();
      const { server, port } = await serve(stage, files, {
        crypto,
        host: { clientAuthentication: 'require', trust: files.trust(crypto) },
        more: ['-cert', files.path(`${owner}.crt`), '-key', files.path(`${owner}.key`)],
      });
      hasShown(server, port, files, owner);
    });

    if (signs(crypto, owner)) scene(['openssl'], `an OpenSSL server demands a certificate and our client on the ${crypto.name} provider shows ${leaf} one`, async (stage) => {
      const files = await certificates();
      const { server } = await visit(stage, files, {
        crypto,
        host: { credentials: [files.credential(owner, crypto)] },
        more: demand(files),
      });
      assert.match(server.process.output, new RegExp(`^subject=CN = ${owner}$`, 'm'));
    });
  }

  for (const { group, openssl, said, shared, owner, cipher } of GROUPS) {
    if (signs(crypto, owner)) scene(['openssl'], `${openssl}: an OpenSSL client with this group alone talks with our server on the ${crypto.name} provider`, async (stage) => {
      const files = await certificates();
      const { client } = await serve(stage, files, { crypto, owner, cipher, more: ['-groups', openssl] });
      assert.match(client.output, new RegExp(`^Server Temp Key: .*${said}`, 'm'));
    });

    scene(['openssl'], `${openssl}: our client on the ${crypto.name} provider with this group alone talks with an OpenSSL server`, async (stage) => {
      const files = await certificates();
      const { server } = await visit(stage, files, { crypto, owner, cipher, host: { groups: [group] } });
      assert.match(server.process.output, new RegExp(`^Shared groups: ${shared}$`, 'm'));
    });
  }

  scene(['openssl'], `ECDHE-PSK-CHACHA20-POLY1305: an OpenSSL client talks with our server on the ${crypto.name} provider`, async (stage) => {
    const server = await stage.host({ crypto, answer: echo });
    const client = opensslClient(stage, server.port, { cipher: 'ECDHE-PSK-CHACHA20-POLY1305' });
    const port = await server.connected();
    client.type('from the client\n');
    await client.prints(/^echo: from the client$/m);
    assert.is(server.suiteWith(port), ECDHE_PSK_CHACHA20_POLY1305_SHA256.name);
  });

  scene(['openssl'], `ECDHE-PSK-CHACHA20-POLY1305: our client on the ${crypto.name} provider talks with an OpenSSL server`, async (stage) => {
    const server = await opensslServer(stage, { cipher: 'ECDHE-PSK-CHACHA20-POLY1305' });
    const client = await stage.host({ crypto });
    client.connect(server.port);
    await client.connected();
    await converse(client, server);
    assert.is(client.suiteWith(server.port), ECDHE_PSK_CHACHA20_POLY1305_SHA256.name);
  });
}

scene(['openssl'], 'a chain of three goes both ways between an OpenSSL client and our server in datagrams of 300 bytes', async (stage) => {
  const files = await certificates();
  const { server, port } = await serve(stage, files, {
    owner: 'deep',
    authority: 'root',
    host: { mtu: 300, clientAuthentication: 'require', trust: files.trust(nobleProvider, 'root') },
    more: ['-mtu', '300', ...shownChain(files)],
  });
  hasShown(server, port, files, 'deep');
  areSmall(server);
});

scene(['openssl'], 'a chain of three goes both ways between our client and an OpenSSL server in datagrams of 300 bytes', async (stage) => {
  const files = await certificates();
  const { client, server } = await visit(stage, files, {
    owner: 'deep',
    authority: 'root',
    host: { mtu: 300, credentials: [files.credential('deep', nobleProvider)] },
    more: ['-mtu', '300', '-cert_chain', files.path('deep.chain'), ...demand(files, 'root')],
  });
  hasShown(client, server.port, files, 'deep');
  areSmall(client);
});

scene(['openssl'], 'our client refuses an OpenSSL server whose certificate has another name, and says which', async (stage) => {
  const files = await certificates();
  const { event, server } = await refuse(stage, files, 'server', 'elsewhere.example');
  assert.match(event.detail?.message ?? '', /localhost.* does not name elsewhere\.example/);
  await server.process.prints(/alert/);
});

scene(['openssl'], 'our client refuses an OpenSSL server whose certificate nobody it trusts has issued, and says so', async (stage) => {
  const files = await certificates();
  const { event, server } = await refuse(stage, files, 'stranger', SERVER_NAME);
  assert.match(event.detail?.message ?? '', /^certificate of localhost is self-signed and not among the authorities$/);
  await server.process.prints(/alert/);
});

scene(['openssl'], 'our server refuses an OpenSSL client whose certificate nobody it trusts has issued, and says so', async (stage) => {
  const files = await certificates();
  const { event } = await turnAway(stage, files, ['-cert', files.path('stranger.crt'), '-key', files.path('stranger.key')]);
  assert.match(event.detail?.message ?? '', /^certificate of localhost is self-signed and not among the authorities$/);
});

scene(['openssl'], 'our server refuses an OpenSSL client that shows no certificate where one is required', async (stage) => {
  const files = await certificates();
  const { event } = await turnAway(stage, files, []);
  assert.match(event.detail?.message ?? '', /certificate/);
});

scene(['openssl'], 'an OpenSSL client refuses our server whose certificate nobody it trusts has issued, and our server hears why', async (stage) => {
  const files = await certificates();
  const server = await stage.host({ cipherSuites: CERTIFICATE_SUITES, credentials: [files.credential('stranger', nobleProvider)] });
  const client = visitor(stage, files, server.port, {});
  const { code } = await server.until('an alert', () => fatalOf(server));
  assert.ok([42, 46, 48].includes(code), `alert ${code}`);
  assert.is.not(await client.ends(), 'exit code 0');
  assert.is(server.count(DTLS_EVENT_CONNECTED), 0);
});

interface Play {
  readonly crypto?: Provider;
  /** Whose certificate the server shows. */
  readonly owner?: Owner;
  /** Whom the client believes. */
  readonly authority?: 'ca' | 'root';
  readonly cipher?: string;
  readonly host?: HostOptions;
  /** More parameters of the peer. */
  readonly more?: readonly string[];
}

/** Our server and an OpenSSL client that believes it, once both have heard from each other. */
async function serve(stage: Stage, files: Certificates, play: Play): Promise<{ server: Host; port: number; client: PeerProcess }> {
  const { crypto = nobleProvider, owner = 'server', host = {} } = play;
  const credentials = [files.credential(owner, crypto)];
  const server = await stage.host({ crypto, cipherSuites: CERTIFICATE_SUITES, credentials, answer: echo, ...host });
  const client = visitor(stage, files, server.port, play);
  const port = await server.connected();
  client.type('from the client\n');
  await server.reads('from the client\n');
  await client.prints(/^echo: from the client$/m);
  return { server, port, client };
}

/** Our client and an OpenSSL server that it believes, once both have heard from each other. */
async function visit(stage: Stage, files: Certificates, play: Play): Promise<{ client: Host; server: Server }> {
  const { crypto = nobleProvider, authority, host = {} } = play;
  const server = await shopkeeper(stage, files, play);
  const trust = files.trust(crypto, authority);
  const client = await stage.host({ crypto, cipherSuites: CERTIFICATE_SUITES, trust, serverName: SERVER_NAME, ...host });
  client.connect(server.port);
  await client.connected();
  await converse(client, server);
  return { client, server };
}

/** Both hear from each other. */
async function converse(client: Host, server: Server): Promise<void> {
  client.write(server.port, 'from the client\n');
  await server.process.prints(/^from the client$/m);
  server.process.type('from the server\n');
  await client.reads('from the server\n');
}

/** Our client does not believe an OpenSSL server. */
async function refuse(stage: Stage, files: Certificates, owner: Owner, serverName: string): Promise<{ event: HostEvent; server: Server }> {
  const server = await shopkeeper(stage, files, { owner });
  const client = await stage.host({ cipherSuites: CERTIFICATE_SUITES, trust: files.trust(nobleProvider), serverName });
  client.connect(server.port);
  const event = await client.until('a refusal', () => fatalOf(client));
  assert.is(client.count(DTLS_EVENT_CONNECTED), 0);
  assert.is(client.peer(server.port), undefined);
  return { event, server };
}

/** Our server, which requires certificates, does not believe an OpenSSL client. */
async function turnAway(stage: Stage, files: Certificates, more: readonly string[]): Promise<{ event: HostEvent }> {
  const server = await stage.host({
    cipherSuites: CERTIFICATE_SUITES,
    credentials: [files.credential('server', nobleProvider)],
    clientAuthentication: 'require',
    trust: files.trust(nobleProvider),
  });
  const client = visitor(stage, files, server.port, { more });
  const event = await server.until('a refusal', () => fatalOf(server));
  assert.is.not(await client.ends(), 'exit code 0');
  assert.match(client.output, /alert/);
  assert.is(server.count(DTLS_EVENT_CONNECTED), 0);
  return { event };
}

/** `openssl s_client`, which asks for the right name and authority. */
function visitor(stage: Stage, files: Certificates, port: number, { authority = 'ca', cipher = ECDSA_GCM, more = [] }: Play): PeerProcess {
  const belief = ['-CAfile', files.path(`${authority}.crt`), '-verify_return_error', '-verify_hostname', SERVER_NAME];
  return stage.spawn('openssl', ['s_client', '-dtls1_2', '-connect', `${LOOPBACK}:${port}`, '-cipher', cipher, ...belief, ...more]);
}

/** `openssl s_server` with the certificate of `owner`, ready. */
async function shopkeeper(stage: Stage, files: Certificates, { owner = 'server', cipher = ECDSA_GCM, more = [] }: Play): Promise<Server> {
  const shown = ['-cert', files.path(`${owner}.crt`), '-key', files.path(`${owner}.key`)];
  const process = stage.spawn('openssl', ['s_server', '-dtls1_2', '-accept', `${LOOPBACK}:0`, '-cipher', cipher, ...shown, ...more]);
  const [, port] = await process.prints(/^ACCEPT .*:(\d+)$/m);
  return { process, port: Number(port) };
}

/** What makes `s_server` demand a certificate. */
function demand(files: Certificates, authority: 'ca' | 'root' = 'ca'): string[] {
  return ['-CAfile', files.path(`${authority}.crt`), '-Verify', authority === 'ca' ? '1' : '3', '-verify_return_error'];
}

/** What makes `s_client` show the chain of three. */
function shownChain(files: Certificates): string[] {
  return ['-cert', files.path('deep.crt'), '-key', files.path('deep.key'), '-cert_chain', files.path('deep.chain')];
}

/** The peer at `port` showed all certificates of `owner`. OpenSSL adds the authority if it knows it. */
function hasShown(host: Host, port: number, files: Certificates, owner: Owner): void {
  const identity = host.peer(port)?.identity;
  assert.is(identity?.kind, 'x509');
  const chain = identity?.kind === 'x509' ? identity.chain : [];
  const expected = files.credential(owner, nativeProvider).chain;
  assert.equal(chain.slice(0, expected.length).map(hexOf), expected.map(hexOf));
}

/** The portable provider verifies RSA and does not sign with it. */
function signs(crypto: Provider, owner: Owner): boolean {
  return crypto === nativeProvider || owner !== 'rsa';
}

/** The fatal alert, sent or received, if there was one. */
function fatalOf(host: Host): HostEvent | undefined {
  return host.events.find(({ level }) => level === 2);
}

/** Nothing went over the wire in a larger datagram, and much did in several. */
function areSmall(host: Host): void {
  assert.ok(host.datagrams.length > 12, `${host.datagrams.length} datagrams`);
  for (const { bytes } of host.datagrams) assert.ok(bytes.length <= 300, `a datagram of ${bytes.length} bytes`);
}

test.run();
