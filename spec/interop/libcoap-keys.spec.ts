/**
 * CoAP over DTLS with public keys (RFC 7252 §9.1.3.2, §9.1.3.3) and libcoap, in both roles: certificates with both
 * builds, raw public keys with the one that has them.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { CERTIFICATE_SUITES, DTLS_EVENT_CONNECTED, ECDHE_ECDSA_AES_128_CCM_8, type CipherSuite } from '../../lib/index.js';
import { SERVER_NAME, certificates, type Certificates, type Owner } from './certs.js';
import { CoapCode, GET_TIME, coapResponder, readCoap, writeCoap } from './coap.js';
import { LOOPBACK, hexOf, type Host, type HostOptions } from './host.js';
import type { CoapBuild, Server } from './peers.js';
import type { PeerProcess } from './process.js';
import { freePort, scene, type Stage } from './stage.js';

/** The suite that is mandatory for CoAP with public keys, and all of them. */
const CHOICES: readonly (readonly [string, readonly CipherSuite[]])[] = [
  ['in the suite that is mandatory for CoAP', [ECDHE_ECDSA_AES_128_CCM_8]],
  ['in any suite', CERTIFICATE_SUITES],
];

for (const crypto of [nobleProvider, nativeProvider]) {
  for (const [words, cipherSuites] of CHOICES) {
    for (const build of ['openssl', 'gnutls'] as const) {
      const client = `coap-client-${build}`;
      const server = `coap-server-${build}`;

      scene(['openssl', client], `${client} and our server on the ${crypto.name} provider believe each other's certificates ${words}`, async (stage) => {
        const files = await certificates();
        const seen = await serve(stage, build, certificateOf(files, 'client'), {
          crypto,
          cipherSuites,
          credentials: [files.credential('server', crypto)],
          trust: files.trust(crypto),
          clientAuthentication: 'require',
        });
        assert.equal(seen, [hexOf(files.credential('client', nativeProvider).chain[0]!)]);
      });

      scene(['openssl', server], `our client on the ${crypto.name} provider and ${server} believe each other's certificates ${words}`, async (stage) => {
        const files = await certificates();
        const { host, port } = await visit(stage, build, certificateOf(files, 'server'), {
          crypto,
          cipherSuites,
          credentials: [files.credential('client', crypto)],
          trust: files.trust(crypto),
          serverName: SERVER_NAME,
        });
        const identity = host.peer(port)?.identity;
        assert.is(identity?.kind === 'x509' ? hexOf(identity.chain[0]!) : '', hexOf(files.credential('server', nativeProvider).chain[0]!));
      });
    }

    scene(['openssl', 'coap-client-gnutls'], `coap-client-gnutls and our server on the ${crypto.name} provider know each other by raw public keys ${words}`, async (stage) => {
      const files = await certificates();
      const seen = await serve(stage, 'gnutls', ['-M', files.path('client.pair')], {
        crypto,
        cipherSuites,
        credentials: [files.rawCredential('server', crypto)],
        trust: files.rawTrust('client', crypto),
        clientAuthentication: 'require',
      });
      assert.equal(seen, [hexOf(files.rawCredential('client', nativeProvider).chain[0]!)]);
    });

    scene(['openssl', 'coap-server-gnutls'], `our client on the ${crypto.name} provider and coap-server-gnutls know each other by raw public keys ${words}`, async (stage) => {
      const files = await certificates();
      const { host, port } = await visit(stage, 'gnutls', ['-M', files.path('server.pair')], {
        crypto,
        cipherSuites,
        credentials: [files.rawCredential('client', crypto)],
        trust: files.rawTrust('server', crypto),
      });
      const identity = host.peer(port)?.identity;
      assert.is(identity?.kind === 'rawKey' ? hexOf(identity.spki) : '', hexOf(files.rawCredential('server', nativeProvider).chain[0]!));
    });
  }
}

for (const build of ['openssl', 'gnutls'] as const) {
  scene(['openssl', `coap-client-${build}`], `our server refuses coap-client-${build} whose certificate nobody it trusts has issued, and says so`, async (stage) => {
    const files = await certificates();
    const host = await stage.host({
      cipherSuites: CERTIFICATE_SUITES,
      credentials: [files.credential('server', nobleProvider)],
      trust: files.trust(nobleProvider),
      clientAuthentication: 'require',
    });
    visitor(stage, build, certificateOf(files, 'stranger'), host);
    const { detail } = await host.until('a refusal', () => host.events.find(({ level }) => level === 2));
    assert.match(detail?.message ?? '', /certificate/);
    assert.is(host.count(DTLS_EVENT_CONNECTED), 0);
  });
}

/** What makes libcoap show the certificate of `owner` and ask for one. */
function certificateOf(files: Certificates, owner: Owner): string[] {
  return ['-c', files.path(`${owner}.crt`), '-j', files.path(`${owner}.key`), '-C', files.path('ca.crt')];
}

/** `coap-client` has got a resource from our server. What it showed of itself, leaf or key, of each handshake. */
async function serve(stage: Stage, build: CoapBuild, keys: readonly string[], options: HostOptions): Promise<string[]> {
  const seen: string[] = [];
  const look: HostOptions['callbacks'] = {
    verifyCertificate: (_, __, { chain }) => {
      seen.push(hexOf(chain[0]!));
      return null;
    },
  };
  const host = await stage.host({ ...options, callbacks: look, answer: coapResponder({ 'greetings/world': 'hello, world' }) });
  const process = visitor(stage, build, keys, host);
  const port = await host.connected();
  await process.prints(/hello, world/);
  assert.is(await process.ends(), 'exit code 0');
  hasSuite(host, port, options);
  return seen;
}

/** Our client has got the time from `coap-server`, which asked it for a certificate or key. */
async function visit(stage: Stage, build: CoapBuild, keys: readonly string[], options: HostOptions): Promise<{ host: Host; port: number }> {
  const { port } = await keyServer(stage, build, keys);
  let asked = 0;
  const count: HostOptions['callbacks'] = {
    getCertificate: () => {
      asked++;
      return null;
    },
  };
  const host = await stage.host({ ...options, callbacks: count });
  host.connect(port);
  await host.connected();
  host.write(port, writeCoap(GET_TIME));
  const answer = await host.until('a CoAP response', () => host.data.map((bytes) => readCoap(bytes)).find((message) => message?.code === CoapCode.content));
  assert.match(new TextDecoder().decode(answer.payload), /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d$/);
  assert.is(asked, 1);
  hasSuite(host, port, options);
  return { host, port };
}

/** `coap-client`: GETs a resource of our server once. */
function visitor(stage: Stage, build: CoapBuild, keys: readonly string[], { port }: Host): PeerProcess {
  return stage.spawn(`coap-client-${build}`, ['-m', 'get', '-B', '20', ...keys, `coaps://${LOOPBACK}:${port}/greetings/world`]);
}

/** `coap-server`, ready. Somebody else may take its port first, so it may need another. */
async function keyServer(stage: Stage, build: CoapBuild, keys: readonly string[], attempts: number = 3): Promise<Server> {
  const port = await freePort(1);
  const process = stage.spawn(`coap-server-${build}`, ['-A', LOOPBACK, '-p', `${port}`, '-v', '7', ...keys]);
  try {
    await process.prints(/created DTLS endpoint/);
    return { process, port: port + 1 };
  } catch (error) {
    if (attempts === 1) throw error;
    return keyServer(stage, build, keys, attempts - 1);
  }
}

/** The suite is among those that were offered, and is the one if there was one. */
function hasSuite(host: Host, port: number, { cipherSuites = [] }: HostOptions): void {
  assert.ok(cipherSuites.some(({ name }) => name === host.suiteWith(port)), `the suite is ${host.suiteWith(port)}`);
}

test.run();
