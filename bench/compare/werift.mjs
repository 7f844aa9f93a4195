/**
 * The DTLS part of werift: client and server with certificates and ECDHE, AES-128-GCM, no pre-shared keys. Both ends
 * are its own, over memory. Its classes are not exported, so they are taken from where they stand.
 *
 * Its ends check neither the signature of a ServerKeyExchange nor that of a CertificateVerify nor Finished (as of 0.24.4,
 * flight5.js and flight6.js): their handshakes do less than ours.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { within } from './stage.mjs';

const require = createRequire(import.meta.url);
const root = dirname(require.resolve('werift')).replace(/[\\/]lib[\\/].*$/, '');
const { CipherContext, DtlsClient, DtlsServer } = require(join(root, 'lib/dtls/src/index.js'));
const RECORDS = 1024;

class MemoryTransport {
  onData = () => {};
  onDatagram = () => {};
  async send(datagram) {
    this.onDatagram(datagram);
  }
  async close() {}
}

/** ECDSA with SHA-256 over P-256: the numbers of RFC 5246 §7.4.1.4.1 and RFC 8422 §5.1.1. */
const certified = CipherContext.createSelfSignedCertificateWithKey({ signature: 3, hash: 4 }, 23);

async function connected(certificateRequest = false) {
  const { certPem: cert, keyPem: key, signatureHash } = await certified;
  const [there, back] = [new MemoryTransport(), new MemoryTransport()];
  const options = { cert, key, signatureHash, extendedMasterSecret: true, certificateRequest };
  const server = new DtlsServer({ ...options, transport: back });
  const client = new DtlsClient({ ...options, transport: there });
  there.onDatagram = (datagram) => queueMicrotask(() => back.onData(Buffer.from(datagram)));
  back.onDatagram = (datagram) => queueMicrotask(() => there.onData(Buffer.from(datagram)));
  const both = Promise.all([server, client].map((end) => new Promise((resolve) => end.onConnect.subscribe(resolve))));
  await client.connect();
  await within(5000, 'handshake', both);
  return { client, server, there, back };
}

function only(suite) {
  if (suite !== 'gcm') throw new Error('cannot: no CCM');
}

export const werift = {
  name: 'werift',
  version: require(join(root, 'package.json')).version,
  async write(suite, size) {
    only(suite);
    const { client, there } = await connected();
    const payload = Buffer.alloc(size, 9);
    let sent = 0;
    there.onDatagram = () => void sent++;
    return {
      async run(count) {
        const before = sent;
        let last;
        for (let i = 0; i < count; i++) last = client.send(payload);
        await last;
        if (sent - before !== count) throw new Error('a record was not sent');
      },
    };
  },
  async receive(suite, size) {
    only(suite);
    const { client, server, there, back } = await connected();
    const payload = Buffer.alloc(size, 9);
    const datagrams = [];
    let read = 0;
    there.onDatagram = (datagram) => void datagrams.push(datagram);
    server.onData.subscribe(() => void read++);
    return {
      maxBatch: RECORDS,
      prepare(count) {
        datagrams.length = 0;
        for (let i = 0; i < count; i++) void client.send(payload);
      },
      run(count) {
        const before = read;
        for (let i = 0; i < count; i++) back.onData(datagrams[i]);
        if (read - before !== count) throw new Error('a record was not read');
      },
    };
  },
  async handshake(suite, kind) {
    only(suite);
    if (!kind.startsWith('certificates')) throw new Error('cannot: no pre-shared keys');
    const mutual = kind === 'certificates mutual';
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          const { client, server } = await connected(mutual);
          if (mutual && server.cipher.remoteCertificate === undefined) throw new Error('the client showed no certificate');
          client.close();
          server.close();
        }
      },
    };
  },
};
