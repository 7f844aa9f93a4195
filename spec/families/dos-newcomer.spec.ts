/**
 * A ClientHello from the address of a living association (RFC 6347 §4.2.8): the old association goes on until the
 * newcomer's Finished is verified, and no longer.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  composeProvider, DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR, DTLS_EVENT_REPLACED, DTLS_EVENT_TIMEOUT, nobleProvider, type Aead,
} from '../../lib/index.js';
import { CLIENT, join, Rig, text } from '../support/rig.js';
import { clientFlight, establish, fetchCookie, ScriptedPeer, takeServerFlight, toServerHelloDone } from '../support/scripted.js';
import { hello, provenHello, smallestHello } from './dos-hello.js';

function state(rig: Rig): { halfOpen: number; established: number; deadlines: number } {
  const { halfOpen, established, deadlines } = rig.context.stats();
  return { halfOpen, established, deadlines };
}

/** Whether data goes both ways between the rig and `client`. What else the rig has sent is set aside. */
function lives(rig: Rig, client: ScriptedPeer): boolean {
  rig.takeSent();
  const [read, received] = [rig.reads.length, client.data.length];
  rig.feed(CLIENT, client.applicationData(text('ping')));
  rig.context.write(CLIENT, text('pong'));
  client.take(...rig.takeSent());
  return rig.reads.length === read + 1 && client.data.length === received + 1;
}

/** A client that is new to the server, by its seed. */
function newcomer(seed: number): ScriptedPeer {
  return new ScriptedPeer('client', { seed });
}

test('DOS-12 a hello without a cookie from a living association’s address is answered with a cookie and nothing else', () => {
  const rig = new Rig();
  const old = establish(rig);
  for (let i = 0; i < 100; i++) {
    rig.feed(CLIENT, hello());
    assert.equal(rig.takeSent().map((datagram) => datagram[13]), [3]);
  }
  assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
  assert.ok(lives(rig, old));
});

test('DOS-02 a datagram full of hellos from a living association’s address is answered once, as from anywhere else', () => {
  const rig = new Rig();
  const client = establish(rig);
  rig.takeSent();
  const datagram = join(...Array<Uint8Array>(20).fill(smallestHello()));
  rig.feed(CLIENT, datagram);
  assert.equal(rig.takeSent().map(({ length }) => length), [60]);
  rig.feed('stranger', datagram);
  assert.equal(rig.takeSent().map(({ length }) => length), [60]);
  assert.ok(lives(rig, client));
});

test('DOS-12 at every step of a newcomer’s handshake the old association works both ways, until the Finished', () => {
  const rig = new Rig();
  const old = establish(rig);
  const next = newcomer(5);
  fetchCookie(rig, next);
  assert.ok(lives(rig, old), 'after the cookie');
  rig.feed(CLIENT, next.clientHello());
  takeServerFlight(next, rig.takeSent());
  assert.ok(lives(rig, old), 'after the server’s flight');
  const [keyExchange, change, finished] = clientFlight(next);
  rig.feed(CLIENT, keyExchange);
  assert.ok(lives(rig, old), 'after ClientKeyExchange');
  rig.feed(CLIENT, change);
  assert.ok(lives(rig, old), 'after ChangeCipherSpec');
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]);
  rig.feed(CLIENT, finished);
  next.take(...rig.takeSent());
  assert.equal(rig.codes.slice(2), [DTLS_EVENT_REPLACED, DTLS_EVENT_CONNECTED]);
  assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
  assert.ok(lives(rig, next), 'the new one is in use');
  assert.not.ok(lives(rig, old), 'the old one is gone');
});

test('DOS-12 a newcomer that abandons its handshake at any step leaves the old association as it was', () => {
  for (const steps of [0, 1, 2]) {
    const rig = new Rig();
    const old = establish(rig);
    const next = newcomer(5);
    toServerHelloDone(rig, next);
    for (const record of clientFlight(next).slice(0, steps)) rig.feed(CLIENT, record);
    const start = rig.now;
    rig.runOut();
    assert.ok(rig.now - start <= 90_000);
    assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 }, `after ${steps} records`);
    assert.is(rig.context.getPeer(CLIENT)?.state, 'connected');
    assert.not.ok(rig.codes.includes(DTLS_EVENT_TIMEOUT) || rig.codes.includes(DTLS_EVENT_REPLACED));
    assert.ok(lives(rig, old), `after ${steps} records`);
  }
});

test('DOS-12 a newcomer with the wrong key or a wrong Finished leaves the old association as it was', () => {
  const rig = new Rig();
  const old = establish(rig);
  const wrongKey = new ScriptedPeer('client', { seed: 5, psk: new Uint8Array(16).fill(9) });
  toServerHelloDone(rig, wrongKey);
  rig.feed(CLIENT, join(...clientFlight(wrongKey)));
  assert.ok(lives(rig, old));
  rig.runOut();
  const wrongFinished = newcomer(6);
  toServerHelloDone(rig, wrongFinished);
  const [keyExchange, change] = clientFlight(wrongFinished);
  rig.feed(CLIENT, join(keyExchange, change));
  assert.ok(rig.feed(CLIENT, wrongFinished.finished({ messageSeq: 3 }, new Uint8Array(12))) < 0);
  assert.equal(rig.fatal, [], 'to the host the association has no fatal alert');
  assert.is(rig.codes.at(-1), DTLS_EVENT_ERROR);
  assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
  assert.ok(lives(rig, old));
});

test('DOS-13 twenty reconnections in a row leave one association each time, and nothing of those before', () => {
  const rig = new Rig();
  const clients = [establish(rig)];
  const held = rig.context.stats().heldBytes;
  for (let i = 1; i <= 20; i++) {
    clients.push(establish(rig, newcomer(100 + i)));
    assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 }, `reconnection ${i}`);
    assert.is(rig.context.stats().heldBytes, held, 'one last flight');
    assert.ok(lives(rig, clients[i]!), `reconnection ${i}`);
    assert.not.ok(lives(rig, clients[i - 1]!), `reconnection ${i}`);
    rig.advance(10);
  }
  assert.is(rig.codes.filter((code) => code === DTLS_EVENT_REPLACED).length, 20);
  assert.is(rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length, 21);
  assert.is(rig.context.stats().heldBytes, 0);
  rig.advance(1_000_000);
  assert.ok(lives(rig, clients[20]!));
});

test('DOS-13 the keys of every association but the last are wiped', () => {
  let [created, wiped] = [0, 0];
  const crypto = composeProvider('counting', nobleProvider, {
    aeads: Object.fromEntries(Object.values(nobleProvider.aeads).map((algorithm) => [algorithm.name, {
      ...algorithm,
      create: (key: Uint8Array): Aead => {
        const aead = algorithm.create(key);
        created++;
        return { tagLength: aead.tagLength, seal: (...all) => aead.seal(...all), open: (...all) => aead.open(...all), wipe: () => {
          wiped++;
          aead.wipe();
        } };
      },
    }])),
  });
  const rig = new Rig({ crypto });
  for (let i = 0; i <= 20; i++) {
    establish(rig, newcomer(i));
    assert.equal([created, wiped], [2 * (i + 1), 2 * i], `association ${i}`);
  }
  rig.context.free();
  assert.is(wiped, created);
});

test('DOS-13 a client that comes back while its old association waits for close_notify replaces it, and the host hears that what it closed is closed', () => {
  const rig = new Rig();
  establish(rig);
  rig.context.close(CLIENT);
  assert.is(state(rig).deadlines, 1);
  const next = establish(rig, newcomer(5));
  assert.equal(rig.codes.slice(2), [DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECTED]);
  assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
  rig.advance(10_000);
  assert.is(rig.codes.length, 4, 'CLOSED comes once');
  assert.ok(lives(rig, next));
});

test('DOS-13 records of an association that was replaced are worth nothing, and neither is its close_notify', () => {
  const rig = new Rig();
  const old = establish(rig);
  const kept = [old.applicationData(text('late')), old.alert(1, 0, { epoch: 1 }), old.alert(2, 40, { epoch: 1 })];
  const next = establish(rig, newcomer(5));
  for (const record of kept) assert.is(rig.feed(CLIENT, record), 0);
  assert.equal([rig.reads, rig.takeSent()], [[], []]);
  assert.ok(lives(rig, next));
});

test('a newcomer is not replaced by another before its first timeout, with a living association or without one', () => {
  for (const established of [false, true]) {
    const rig = new Rig();
    if (established) establish(rig);
    const [first, second] = [newcomer(5), newcomer(6)];
    toServerHelloDone(rig, first);
    fetchCookie(rig, second);
    const { limit } = rig.context.stats().dropped;
    for (let i = 0; i < 9; i++) {
      rig.advance(100);
      rig.feed(CLIENT, second.clientHello({}, { messageSeq: 1 }));
      assert.equal(rig.takeSent(), []);
    }
    assert.is(rig.context.stats().dropped.limit, limit + 9);
    // The first goes on undisturbed.
    rig.feed(CLIENT, join(...clientFlight(first)));
    first.take(...rig.takeSent());
    assert.is(rig.codes.at(-1), DTLS_EVENT_CONNECTED);
    assert.ok(lives(rig, first));
  }
});

test('a newcomer that had its first timeout gives way to another, which then completes', () => {
  for (const established of [false, true]) {
    const rig = new Rig();
    if (established) establish(rig);
    const [first, second] = [newcomer(5), newcomer(6)];
    toServerHelloDone(rig, first);
    rig.advance(1000);
    rig.takeSent();
    toServerHelloDone(rig, second);
    assert.is(state(rig).deadlines, 1);
    const heard = rig.codes.length;
    rig.feed(CLIENT, join(...clientFlight(first)));
    assert.is(rig.codes.length, heard, 'the first is forgotten');
    rig.feed(CLIENT, join(...clientFlight(second)));
    second.take(...rig.takeSent());
    assert.is(rig.codes.at(-1), DTLS_EVENT_CONNECTED);
    assert.ok(lives(rig, second));
    assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
  }
});

test('a flood of proven hellos at a living association holds one newcomer at any time and never the old one’s data', () => {
  const rig = new Rig();
  const old = establish(rig);
  for (let i = 0; i < 200; i++) {
    rig.feed(CLIENT, provenHello(rig, CLIENT, { random: new Uint8Array(32).fill(i) }));
    const { halfOpen, established, deadlines, heldBytes } = rig.context.stats();
    assert.equal([halfOpen, established], [0, 1]);
    assert.ok(deadlines <= 1 && heldBytes <= 8192, `${deadlines} deadlines, ${heldBytes} bytes`);
    assert.ok(lives(rig, old));
    rig.advance(250);
  }
  rig.runOut();
  assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
});

test('a copy of the hello that made the association, late by minutes, ends as any abandoned newcomer', () => {
  const rig = new Rig();
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  const made = client.clientHello();
  rig.feed(CLIENT, made);
  takeServerFlight(client, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(client)));
  client.take(...rig.takeSent());
  rig.advance(5000);
  rig.feed(CLIENT, made);
  assert.ok(lives(rig, client));
  rig.runOut();
  assert.equal(state(rig), { halfOpen: 0, established: 1, deadlines: 0 });
  assert.ok(lives(rig, client));
});

test.run();
