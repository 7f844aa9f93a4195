/**
 * node-dtls-client: a client for pre-shared keys on node:dgram. Its socket is replaced by one in memory while it asks
 * for it; everything else is as published.
 */
import dgram from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import { SERVER_NUMBER } from '../../dist/bench/ends.js';
import { CLIENT_NUMBER, Datagrams, IDENTITY, KEY, SUITES, Server, remoteInfo, within } from './stage.mjs';

const require = createRequire(import.meta.url);
const { dtls } = require('node-dtls-client');
const RINFO = { address: '10.0.0.1', family: 'IPv4', port: 40_000, size: 0 };

/** A UDP socket without a network. */
class MemorySocket extends EventEmitter {
  onDatagram = () => {};
  bind() {
    queueMicrotask(() => this.emit('listening'));
  }
  send(buffer, offset, length, _port, _address, callback) {
    this.onDatagram(buffer.subarray(offset, offset + length));
    callback?.(null, length);
  }
  close() {
    this.emit('close');
  }
}

async function connected(suite, server) {
  const memory = new MemorySocket();
  const { createSocket } = dgram;
  let socket;
  dgram.createSocket = () => memory;
  try {
    const options = { type: 'udp4', address: RINFO.address, port: RINFO.port, psk: { [IDENTITY]: KEY }, timeout: 5000 };
    socket = dtls.createSocket({ ...options, ciphers: [SUITES[suite].name] });
  } finally {
    dgram.createSocket = createSocket;
  }
  memory.onDatagram = (datagram) => queueMicrotask(() => server.take(datagram));
  server.onDatagram = (datagram) => queueMicrotask(() => memory.emit('message', datagram, remoteInfo(SERVER_NUMBER, datagram.length)));
  await within(5000, 'handshake', once(socket, 'connected'));
  return { memory, socket };
}

export const nodeDtlsClient = {
  name: 'node-dtls-client',
  version: require('node-dtls-client/package.json').version,
  async write(suite, size) {
    const { memory, socket } = await connected(suite, new Server(SUITES[suite]));
    const payload = Buffer.alloc(size, 9);
    let sent = 0;
    memory.onDatagram = () => void sent++;
    return {
      run(count) {
        const before = sent;
        for (let i = 0; i < count; i++) socket.send(payload);
        if (sent - before !== count) throw new Error('a record was not sent');
      },
    };
  },
  async receive(suite, size) {
    const server = new Server(SUITES[suite]);
    const { memory, socket } = await connected(suite, server);
    const records = new Datagrams(server.end(), CLIENT_NUMBER, size);
    let read = 0;
    socket.on('message', () => void read++);
    return {
      prepare: (count) => records.seal(count),
      run(count) {
        const before = read;
        for (let i = 0; i < count; i++) memory.emit('message', records.datagrams[i], RINFO);
        if (read - before !== count) throw new Error('a record was not read');
      },
    };
  },
  async handshake(suite, kind) {
    if (kind !== 'psk') throw new Error('cannot: plain pre-shared keys alone');
    const server = new Server(SUITES[suite]);
    return {
      async run(count) {
        for (let i = 0; i < count; i++) {
          await connected(suite, server);
          server.forget();
        }
      },
    };
  },
};
