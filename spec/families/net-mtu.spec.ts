/**
 * Paths that take only small datagrams, and hosts that hear of it at once, late or never (RFC 6347 §4.1.1.1).
 *
 * The flights are made large by a hint and an identity of 900 bytes each.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EMSGSIZE, DTLS_EVENT_CONNECTED, type DtlsHandler, type DtlsOptions } from '../../lib/index.js';
import { MIN_MTU } from '../../lib/engine/config.js';
import { connectedAt, echoes, handshake, NOTHING, pair, remains, type Pair } from '../support/pair.js';
import { Link } from '../support/link.js';
import { CLIENT, join, KEY, Rig } from '../support/rig.js';
import { clientFlight, establish, ScriptedPeer, toServerHelloDone } from '../support/scripted.js';

const HINT = Uint8Array.from({ length: 900 }, (_, i) => i & 0xff);
const LONG_IDENTITY = Uint8Array.from({ length: 900 }, (_, i) => 255 - (i & 0xff));
/** What the path takes. */
const PATH = 548;
/** When both sides are connected without loss: three round trips of 100 ms. */
const UNDISTURBED = 300;

const large: Partial<DtlsHandler> = {
  getPskInfo: (_, __, type) => (type === 'hint' ? HINT : type === 'identity' ? LONG_IDENTITY : KEY),
};

/** Two ends on a path that loses what is larger than PATH. `refuse`: what their write callbacks then return. */
function narrow(refuse: number | null, options: DtlsOptions = {}): Pair {
  const link = new Link({ mtu: PATH });
  const add = (name: string): Pair['client'] => link.add(name, options, {
    ...large,
    ...(refuse === null ? {} : {
      write: (_, session, datagram): number | void => {
        if (datagram.length > PATH) return refuse;
        link.inject(name, session as string, datagram.slice());
      },
    }),
  });
  return { link, client: add('c'), server: add('s') };
}

/** Both ends connected, at their best time, and nothing left. */
function complete(ends: Pair, atMost: number): void {
  assert.ok(handshake(ends));
  assert.ok(connectedAt(ends.client) <= atMost, `${connectedAt(ends.client)} ms`);
  assert.ok(echoes(ends));
  assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
}

test('NET-09 the flights of these specs are larger than the path', () => {
  const ends = pair({}, {}, large);
  complete(ends, UNDISTURBED);
  for (const from of ['c', 's']) {
    assert.ok(ends.link.log.some((datagram) => datagram.from === from && datagram.bytes.length > PATH), from);
  }
});

test('NET-09 where the write callback says that a datagram is too large, the flight goes out smaller at once', () => {
  const ends = narrow(DTLS_EMSGSIZE);
  complete(ends, UNDISTURBED);
  assert.ok(ends.link.log.every(({ bytes }) => bytes.length <= PATH));
  assert.ok(ends.client.context.getPeer('s')!.mtu <= PATH);
  assert.ok(ends.server.context.getPeer('c')!.mtu <= PATH);
});

test('NET-09 where the write callback fails without a reason, the third retransmission goes out smaller', () => {
  const ends = narrow(-1);
  // Both flights need their timers: 1, 2 and 4 s each.
  complete(ends, UNDISTURBED + 2 * 7000);
});

test('NET-09 where large datagrams vanish, the third retransmission goes out smaller', () => {
  const ends = narrow(null);
  complete(ends, UNDISTURBED + 2 * 7000);
  const tooLarge = ends.link.log.filter(({ bytes }) => bytes.length > PATH);
  assert.ok(tooLarge.length <= 2 * 3 + 2, `${tooLarge.length} datagrams beyond the path`);
});

test('NET-09 a host that hears late sets the MTU and the next retransmission fits', () => {
  const ends = narrow(null);
  const { link, client, server } = ends;
  client.context.connect('s');
  link.run(undefined, 500);
  assert.is(server.context.setMtu('c', PATH), true);
  assert.is(client.context.setMtu('s', PATH), true);
  link.run();
  assert.ok(connectedAt(client) <= UNDISTURBED + 1000, `${connectedAt(client)} ms`);
  assert.ok(echoes(ends));
});

test('NET-09 an MTU known from the start costs nothing', () => {
  complete(narrow(null, { mtu: PATH }), UNDISTURBED);
});

test('NET-09 every MTU that may be set lets a handshake with large messages through, loss or none', () => {
  for (const mtu of [MIN_MTU, MIN_MTU + 1, 100, 110, 128, 200, 256, 548]) {
    for (const drop of [0, 0.05]) {
      const ends = pair({ mtu, drop, seed: mtu }, { mtu, maxRetransmits: 12 }, large);
      assert.ok(handshake(ends), `MTU ${mtu}, loss ${drop}`);
      if (drop === 0) assert.is(connectedAt(ends.client), UNDISTURBED, `MTU ${mtu}`);
      ends.link.options = {};
      assert.ok(echoes(ends), `MTU ${mtu}, loss ${drop}`);
      assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
    }
  }
});

test('NET-09 fragments that arrive twice and out of order complete within a timeout for each flight', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const ends = pair({ seed, copies: 2, reorder: 0.5, reorderMs: 40 }, { mtu: 128 }, large);
    assert.ok(handshake(ends), `seed ${seed}`);
    assert.ok(connectedAt(ends.client) < 2500, `seed ${seed}: ${connectedAt(ends.client)} ms`);
  }
});

test('a newcomer that loses everything lowers no MTU but its own: data of the association beside it still fills datagrams', () => {
  const rig = new Rig();
  const client = establish(rig);
  toServerHelloDone(rig, new ScriptedPeer('client', { seed: 5 }));
  rig.runOut();
  rig.takeSent();
  assert.is(rig.context.getPeer(CLIENT)?.mtu, 1232);
  rig.context.cork(CLIENT);
  for (let i = 0; i < 2; i++) rig.context.write(CLIENT, new Uint8Array(500));
  rig.context.uncork(CLIENT);
  assert.is(rig.sent.length, 1);
  client.take(...rig.takeSent());
  assert.is(client.data.length, 2);
});

test('a newcomer that needed small datagrams takes its MTU along when it has proved itself', () => {
  const rig = new Rig();
  establish(rig);
  const next = new ScriptedPeer('client', { seed: 5 });
  toServerHelloDone(rig, next);
  for (let attempt = 0; attempt < 3; attempt++) rig.advance(rig.context.checkRetransmit() - rig.now);
  rig.takeSent();
  assert.is(rig.context.getPeer(CLIENT)?.mtu, 1232);
  rig.feed(CLIENT, join(...clientFlight(next)));
  assert.equal([rig.codes.at(-1), rig.context.getPeer(CLIENT)?.mtu], [DTLS_EVENT_CONNECTED, 548]);
});

test.run();
