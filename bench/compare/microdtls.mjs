/** Ours, on either provider: the side that every rival is held against. */
import { DtlsContext } from '../../dist/lib/core.js';
import { PROVIDERS, SERVER_NUMBER, connectedPair } from '../../dist/bench/ends.js';
import { Datagrams, KINDS, NATIVE, SUITES, Server, getPskInfo, remoteInfo } from './stage.mjs';

/** Both ends ours: a client that sends, and records for a client to take in. */
export function ours(providerName) {
  const provider = PROVIDERS.find(({ name }) => name === providerName);
  return {
    name: `microdtls (${providerName})`,
    async write(suite, size) {
      const { client } = connectedPair(provider, SUITES[suite]);
      const payload = new Uint8Array(size).fill(9);
      let sent = 0;
      client.context.setHandler({ getPskInfo, write: () => void sent++ });
      return {
        run(count) {
          for (let i = 0; i < count; i++) client.context.write(client.peer.session, payload);
        },
      };
    },
    async receive(suite, size) {
      const { client, server } = connectedPair(provider, SUITES[suite]);
      const records = new Datagrams(server, SERVER_NUMBER, size);
      let read = 0;
      client.context.setHandler({ getPskInfo, write: () => {}, read: () => void read++ });
      return {
        prepare: (count) => records.seal(count),
        run(count) {
          const before = read;
          for (let i = 0; i < count; i++) client.context.handleMessage(records.sessions[i], records.datagrams[i]);
          if (read - before !== count) throw new Error('a record was not read');
        },
      };
    },
    async handshake(suite, kind) {
      const { suites, options } = KINDS[kind];
      const server = new Server(suites[suite], options(NATIVE).server);
      const toServer = [];
      const toClient = [];
      const handler = { getPskInfo, write: (_context, _session, datagram) => void toServer.push(Buffer.from(datagram)) };
      const client = new DtlsContext(handler, { crypto: provider, cipherSuites: [suites[suite]], ...options(provider).client });
      server.onDatagram = (datagram) => void toClient.push(datagram);
      // Whoever connects knows the address; who receives gets a fresh one with each datagram.
      const session = remoteInfo(SERVER_NUMBER);
      return {
        run(count) {
          for (let i = 0; i < count; i++) {
            client.connect(session);
            while (toServer.length + toClient.length > 0) {
              while (toServer.length > 0) server.take(toServer.shift());
              while (toClient.length > 0) client.handleMessage(remoteInfo(SERVER_NUMBER), toClient.shift());
            }
            const peer = client.getPeer(session);
            if (peer?.state !== 'connected') throw new Error('the client is not connected');
            client.resetPeer(peer);
            server.forget();
          }
        },
      };
    },
  };
}
