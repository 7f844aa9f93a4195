/**
 * @nodertc/dtls: a client as a stream over a duplex stream, here one in memory. What it reads comes out later than it
 * went in: a turn ends when all of it is there.
 */
import { Duplex } from 'node:stream';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { CLIENT_NUMBER, Datagrams, IDENTITY, KEY, KINDS, NATIVE, SUITES, Server, within } from './stage.mjs';

const require = createRequire(import.meta.url);
const { connect, constants } = require('@nodertc/dtls');
const NAMES = {
  psk: { ccm8: 'TLS_PSK_WITH_AES_128_CCM_8', gcm: 'TLS_PSK_WITH_AES_128_GCM_SHA256' },
  ecdhe_psk: { gcm: 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256' },
  'ecdhe_psk P-384': { gcm: 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256' },
};

/** A UDP socket without a network, as a stream. */
class MemoryStream extends Duplex {
  onDatagram = () => {};
  _read() {}
  _write(chunk, _encoding, callback) {
    this.onDatagram(chunk);
    callback();
  }
  close() {
    this.destroy();
  }
}

async function connected(suite, server, kind = 'psk') {
  const memory = new MemoryStream();
  // It sends no signature_algorithms, which means SHA-1 (RFC 5246 §7.4.1.4.1); our server does not sign with that.
  if (NAMES[kind] === undefined) throw new Error('cannot: signatures with SHA-1 alone');
  const id = constants.cipherSuites[NAMES[kind][suite]];
  if (id === undefined) throw new Error(`cannot: no ${NAMES[kind][suite]}`);
  memory.onDatagram = (datagram) => queueMicrotask(() => server.take(datagram));
  server.onDatagram = (datagram) => queueMicrotask(() => memory.push(datagram));
  const socket = connect({ socket: memory, cipherSuites: [id], pskIdentity: IDENTITY, pskSecret: KEY });
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  await within(5000, 'handshake', Promise.race([once(socket, 'connect'), failed]));
  return { memory, socket };
}

export const nodertc = {
  name: '@nodertc/dtls',
  version: require('@nodertc/dtls/package.json').version,
  async write(suite, size) {
    const { memory, socket } = await connected(suite, new Server(SUITES[suite]));
    const payload = Buffer.alloc(size, 9);
    let sent = 0;
    let wanted = Infinity;
    let done = () => {};
    memory.onDatagram = () => {
      if (++sent === wanted) done();
    };
    return {
      async run(count) {
        wanted = sent + count;
        const finished = new Promise((resolve) => (done = resolve));
        for (let i = 0; i < count; i++) socket.write(payload);
        await within(10_000, 'write', finished);
      },
    };
  },
  async receive(suite, size) {
    const server = new Server(SUITES[suite]);
    const { memory, socket } = await connected(suite, server);
    const records = new Datagrams(server.end(), CLIENT_NUMBER, size);
    let bytes = 0;
    let wanted = Infinity;
    let done = () => {};
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes >= wanted) done();
    });
    return {
      prepare: (count) => records.seal(count),
      async run(count) {
        wanted = bytes + count * size;
        const finished = new Promise((resolve) => (done = resolve));
        for (let i = 0; i < count; i++) memory.push(records.datagrams[i]);
        await within(10_000, 'receive', finished);
      },
    };
  },
  async handshake(suite, kind) {
    const { suites, options } = KINDS[kind];
    const server = new Server(suites[suite], options(NATIVE).server);
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          const { memory } = await connected(suite, server, kind);
          memory.onDatagram = () => {};
          server.onDatagram = () => {};
          server.forget();
        }
      },
    };
  },
};
