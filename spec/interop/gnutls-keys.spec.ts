/**
 * Public keys with GnuTLS, in both roles, on both providers: certificates and raw public keys (RFC 7250), shown by both
 * sides.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import {
  DTLS_EVENT_CONNECTED, ECDHE_ECDSA_AES_128_CCM_8, ECDHE_ECDSA_AES_128_GCM_SHA256, ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
  CERTIFICATE_SUITES, type EcdsaKey,
} from '../../lib/index.js';
import { SERVER_NAME, certificates, type Certificates, type Owner } from './certs.js';
import { echo, hexOf, type Host, type HostEvent, type HostOptions } from './host.js';
import { gnutlsClient, gnutlsServer, type PeerOptions, type Server } from './peers.js';
import type { PeerProcess } from './process.js';
import { scene, type Stage } from './stage.js';

const CIPHERS = [
  { suite: ECDHE_ECDSA_AES_128_CCM_8, cipher: 'AES-128-CCM-8' },
  { suite: ECDHE_ECDSA_AES_128_GCM_SHA256, cipher: 'AES-128-GCM' },
  { suite: ECDHE_ECDSA_CHACHA20_POLY1305_SHA256, cipher: 'CHACHA20-POLY1305' },
];

const CERTIFICATES = ':-PSK:+ECDHE-ECDSA';
const RAW_KEYS = ':-PSK:+ECDHE-ECDSA:-CTYPE-X509:+CTYPE-RAWPK';

for (const crypto of [nobleProvider, nativeProvider]) {
  const openKeys: HostOptions = { crypto, cipherSuites: CERTIFICATE_SUITES };

  for (const { suite, cipher } of CIPHERS) {
    scene(['openssl', 'gnutls-cli'], `${cipher}: a GnuTLS client and our server on the ${crypto.name} provider believe each other's certificates`, async (stage) => {
      const files = await certificates();
      const { server, port } = await serve(
        stage,
        { ...openKeys, credentials: [files.credential('server', crypto)], trust: files.trust(crypto), clientAuthentication: 'require' },
        { cipher, priority: CERTIFICATES, more: [...leaf(files, 'client'), ...authority(files), '--verify-hostname', SERVER_NAME] },
      );
      assert.is(server.suiteWith(port), suite.name);
      hasCertificate(server, port, files, 'client');
    });

    scene(['openssl', 'gnutls-serv'], `${cipher}: our client on the ${crypto.name} provider and a GnuTLS server believe each other's certificates`, async (stage) => {
      const files = await certificates();
      const { client, server } = await visit(
        stage,
        { ...openKeys, credentials: [files.credential('client', crypto)], trust: files.trust(crypto), serverName: SERVER_NAME },
        { cipher, priority: CERTIFICATES, more: [...leaf(files, 'server'), ...authority(files), ...DEMAND, '--verify-client-cert'] },
      );
      assert.is(client.suiteWith(server.port), suite.name);
      hasCertificate(client, server.port, files, 'server');
    });
  }

  scene(['openssl', 'gnutls-cli'], `a GnuTLS client and our server on the ${crypto.name} provider know each other by raw public keys`, async (stage) => {
    const files = await certificates();
    const { server, port } = await serve(
      stage,
      { ...openKeys, credentials: [files.rawCredential('server', crypto)], trust: files.rawTrust('client', crypto), clientAuthentication: 'require' },
      { priority: RAW_KEYS, more: [...rawKey(files, 'client'), ...BELIEVE_ANY] },
    );
    hasRawKey(server, port, files, 'client');
  });

  scene(['openssl', 'gnutls-serv'], `our client on the ${crypto.name} provider and a GnuTLS server know each other by raw public keys`, async (stage) => {
    const files = await certificates();
    const { client, server } = await visit(
      stage,
      { ...openKeys, credentials: [files.rawCredential('client', crypto)], trust: files.rawTrust('server', crypto) },
      { priority: RAW_KEYS, more: [...rawKey(files, 'server'), ...DEMAND] },
    );
    hasRawKey(client, server.port, files, 'server');
  });

  scene(['openssl', 'gnutls-cli'], `a GnuTLS client shows a raw public key to the callbacks of our server on the ${crypto.name} provider`, async (stage) => {
    const files = await certificates();
    const { server, port } = await serve(
      stage,
      { ...openKeys, callbacks: callbacks(files.ecdsaKey('server'), files.ecdsaKey('client')) },
      { priority: RAW_KEYS, more: [...rawKey(files, 'client'), ...BELIEVE_ANY] },
    );
    hasRawKey(server, port, files, 'client');
  });

  scene(['openssl', 'gnutls-serv'], `a GnuTLS server shows a raw public key to the callbacks of our client on the ${crypto.name} provider`, async (stage) => {
    const files = await certificates();
    const { client, server } = await visit(
      stage,
      { ...openKeys, callbacks: callbacks(files.ecdsaKey('client'), files.ecdsaKey('server')) },
      { priority: RAW_KEYS, more: [...rawKey(files, 'server'), ...DEMAND] },
    );
    hasRawKey(client, server.port, files, 'server');
  });
}

scene(['openssl', 'gnutls-serv'], 'our client refuses a GnuTLS server whose raw public key it does not know, and says so', async (stage) => {
  const files = await certificates();
  const server = await gnutlsServer(stage, { priority: RAW_KEYS, more: rawKey(files, 'server') });
  const client = await stage.host({ cipherSuites: CERTIFICATE_SUITES, trust: files.rawTrust('stranger', nobleProvider) });
  client.connect(server.port);
  assert.match((await refusal(client)).detail?.message ?? '', /raw public key .*is not among those that are trusted/);
  assert.is(client.count(DTLS_EVENT_CONNECTED), 0);
});

scene(['openssl', 'gnutls-cli'], 'our server refuses a GnuTLS client whose raw public key it does not know, and says so', async (stage) => {
  const files = await certificates();
  const server = await stage.host({
    cipherSuites: CERTIFICATE_SUITES,
    credentials: [files.rawCredential('server', nobleProvider)],
    trust: files.rawTrust('stranger', nobleProvider),
    clientAuthentication: 'require',
  });
  const client = gnutlsClient(stage, server.port, { priority: RAW_KEYS, more: [...rawKey(files, 'client'), ...BELIEVE_ANY] });
  assert.match((await refusal(server)).detail?.message ?? '', /raw public key .*is not among those that are trusted/);
  assert.is.not(await client.ends(), 'exit code 0');
  assert.is(server.count(DTLS_EVENT_CONNECTED), 0);
});

scene(['openssl', 'gnutls-serv'], 'our client refuses a GnuTLS server whose certificate has another name, and says which', async (stage) => {
  const files = await certificates();
  const server = await gnutlsServer(stage, { priority: CERTIFICATES, more: leaf(files, 'server') });
  const client = await stage.host({ cipherSuites: CERTIFICATE_SUITES, trust: files.trust(nobleProvider), serverName: 'elsewhere.example' });
  client.connect(server.port);
  assert.match((await refusal(client)).detail?.message ?? '', /localhost.* does not name elsewhere\.example/);
  assert.is(client.count(DTLS_EVENT_CONNECTED), 0);
});

/** What makes `gnutls-serv` require a certificate or key. */
const DEMAND = ['--require-client-cert'];
/** What makes `gnutls-cli` take a raw public key, which it has no way to be told of. */
const BELIEVE_ANY = ['--insecure', '--no-ca-verification'];

/** The certificate that GnuTLS shows. */
function leaf(files: Certificates, owner: Owner): string[] {
  return ['--x509certfile', files.path(`${owner}.crt`), '--x509keyfile', files.path(`${owner}.key`)];
}

/** The authority that GnuTLS believes. */
function authority(files: Certificates): string[] {
  return ['--x509cafile', files.path('ca.crt')];
}

/** The raw public key that GnuTLS shows. */
function rawKey(files: Certificates, owner: Owner): string[] {
  return ['--rawpkkeyfile', files.path(`${owner}.key`), '--rawpkfile', files.path(`${owner}.pub`)];
}

/** Callbacks in the manner of tinydtls: one key of ours, one that we believe. */
function callbacks(own: EcdsaKey, other: EcdsaKey): NonNullable<HostOptions['callbacks']> {
  return {
    getEcdsaKey: () => own,
    verifyEcdsaKey: (_, __, x, y) => hexOf(x) === hexOf(other.publicKeyX) && hexOf(y) === hexOf(other.publicKeyY),
  };
}

/** Our server and a GnuTLS client, once both have heard from each other. */
async function serve(stage: Stage, host: HostOptions, peer: PeerOptions): Promise<{ server: Host; port: number; client: PeerProcess }> {
  const server = await stage.host({ ...host, answer: echo });
  const client = gnutlsClient(stage, server.port, peer);
  const port = await server.connected();
  client.type('from the client\n');
  await server.reads('from the client\n');
  await client.prints(/^echo: from the client$/m);
  return { server, port, client };
}

/** Our client and a GnuTLS server, once both have heard from each other. */
async function visit(stage: Stage, host: HostOptions, peer: PeerOptions): Promise<{ client: Host; server: Server }> {
  const server = await gnutlsServer(stage, peer);
  const client = await stage.host(host);
  client.connect(server.port);
  await client.connected();
  client.write(server.port, 'from the client\n');
  await server.process.prints(/command: from the client$/m);
  await client.reads('from the client\n');
  return { client, server };
}

/** The peer at `port` showed the certificate of `owner`. */
function hasCertificate(host: Host, port: number, files: Certificates, owner: Owner): void {
  const identity = host.peer(port)?.identity;
  assert.is(identity?.kind, 'x509');
  const [shown] = identity?.kind === 'x509' ? identity.chain : [];
  assert.is(hexOf(shown!), hexOf(files.credential(owner, nativeProvider).chain[0]!));
}

/** The peer at `port` showed the raw public key of `owner`. */
function hasRawKey(host: Host, port: number, files: Certificates, owner: Owner): void {
  const identity = host.peer(port)?.identity;
  assert.is(identity?.kind, 'rawKey');
  const shown = identity?.kind === 'rawKey' ? hexOf(identity.spki) : '';
  assert.is(shown, hexOf(files.rawCredential(owner, nativeProvider).chain[0]!));
}

/** The fatal alert that the host sent. */
async function refusal(host: Host): Promise<HostEvent> {
  return host.until('a refusal', () => host.events.find(({ level }) => level === 2));
}

test.run();
