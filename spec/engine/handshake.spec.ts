/**
 * The plain handshake: both roles against a scripted peer, and against each other.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED } from '../../lib/index.js';
import { Link } from '../support/link.js';
import { CLIENT, IDENTITY, KEY, Rig, SERVER, text } from '../support/rig.js';
import { establish, establishClient } from '../support/scripted.js';

test('a server completes with a scripted client and carries data both ways', () => {
  const rig = new Rig();
  const client = establish(rig);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]);
  assert.equal(client.messages.at(-1)?.type, 20);
  assert.equal(client.messages.at(-1)?.body, client.verifyData('server'));
  rig.feed(CLIENT, client.applicationData(text('ping')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('ping')]);
  assert.is(rig.context.write(CLIENT, text('pong')), 4);
  client.take(...rig.takeSent());
  assert.equal(client.data, [text('pong')]);
  assert.equal(rig.context.getPeer(CLIENT)?.identity, { kind: 'psk', identity: IDENTITY, hint: new Uint8Array(0) });
});

test('a client completes with a scripted server and carries data both ways', () => {
  const rig = new Rig();
  const server = establishClient(rig);
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]);
  rig.context.write(SERVER, text('ping'));
  server.take(...rig.takeSent());
  assert.equal(server.data, [text('ping')]);
  rig.feed(SERVER, server.applicationData(text('pong')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('pong')]);
});

test('two contexts complete over a network, each client and server at once', () => {
  const link = new Link();
  const a = link.add('a');
  const b = link.add('b');
  const c = link.add('c');
  assert.is(a.context.connect('b'), 1);
  assert.is(b.context.connect('c'), 1);
  link.run();
  for (const [node, peer, role] of [[a, 'b', 'client'], [b, 'a', 'server'], [b, 'c', 'client'], [c, 'b', 'server']] as const) {
    assert.is(node.context.getPeer(peer)?.state, 'connected');
    assert.is(node.context.getPeer(peer)?.role, role);
    assert.is(node.context.getPeer(peer)?.extendedMasterSecret, true);
  }
  assert.is(a.context.stats().deadlines, 0);
});

test('the smallest MTU completes: the first fragment of a ClientHello holds its cookie', () => {
  const link = new Link({ mtu: 100 });
  const client = link.add('client', { mtu: 100 });
  link.add('server', { mtu: 100 });
  client.context.connect('server');
  link.run();
  assert.is(client.context.getPeer('server')?.state, 'connected');
  assert.throws(() => link.add('third', { mtu: 99 }), /mtu is 99/);
});

test('a host may reuse its receive buffer, a Buffer too: what is held for later is copied', async () => {
  for (const slab of [new Uint8Array(2048), Buffer.alloc(2048)]) {
    let answer = (): void => {};
    const client = new Rig();
    const server = new Rig({}, { getPskInfo: (_, __, type) => (type === 'key' ? new Promise((resolve) => (answer = () => resolve(KEY))) : null) });
    const pump = (): void => {
      for (let round = 0; round < 6; round++) {
        for (const [from, to, session] of [[client, server, CLIENT], [server, client, SERVER]] as const) {
          for (const datagram of from.takeSent()) {
            slab.set(datagram);
            to.feed(session, slab.subarray(0, datagram.length));
            slab.fill(0);
          }
        }
      }
    };
    client.context.connect(SERVER);
    pump();
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    pump();
    assert.is(client.context.getPeer(SERVER)?.state, 'connected');
    assert.is(server.context.stats().retransmissions, 0);
  }
});

test.run();
