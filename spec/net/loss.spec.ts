/**
 * Loss and duplication between two contexts of ours: every single loss, every pair of losses, independent loss at
 * four rates, every datagram several times, many handshakes at once.
 *
 * The rates stand against a model of whole-flight retransmission (timer 1 s doubling to 60 s): an engine far below
 * them loses progress somewhere.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Link } from '../support/link.js';
import { connected, connectedAt, connectsMany, echoes, FULL, handshake, NOTHING, pair, remains } from '../support/pair.js';

/** Datagrams of a handshake without loss. */
const BASELINE = 6;
/** When both sides are connected without loss: three round trips of 100 ms. */
const UNDISTURBED = 300;
/** Losses that are tried: those of a handshake and of its retransmissions. */
const LOSSES = 12;

test('NET-01 a handshake survives the loss of any one datagram within one retransmission timeout', () => {
  for (let lost = 0; lost < LOSSES; lost++) {
    const ends = pair({ dropNumber: (index) => index === lost });
    assert.ok(handshake(ends), `datagram ${lost} was lost`);
    assert.ok(connectedAt(ends.client) <= UNDISTURBED + 1000, `datagram ${lost}: ${connectedAt(ends.client)} ms`);
    assert.is(connectedAt(ends.client) > UNDISTURBED, lost < BASELINE, 'the loss cost a timeout, and only if there was one');
    ends.link.options = {};
    assert.ok(echoes(ends), `datagram ${lost}: data`);
    assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
  }
});

test('NET-01 a handshake survives the loss of any two datagrams within two retransmission timeouts', () => {
  for (let first = 0; first < LOSSES; first++) {
    for (let second = first + 1; second < LOSSES; second++) {
      const ends = pair({ dropNumber: (index) => index === first || index === second });
      assert.ok(handshake(ends), `datagrams ${first} and ${second} were lost`);
      const at = connectedAt(ends.client);
      assert.ok(at <= UNDISTURBED + 1000 + 2000, `datagrams ${first} and ${second}: ${at} ms`);
      assert.ok(ends.link.log.length <= 2 * BASELINE, `${ends.link.log.length} datagrams`);
      ends.link.options = {};
      assert.ok(echoes(ends), `datagrams ${first} and ${second}: data`);
      assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
    }
  }
});

// RFC 6347 §4.2.4: a flight of the peer that comes again asks for ours again, whatever our own timer says.
for (const [client, server, lost, at] of [[1000, 9000, 3, 1300], [1000, 9000, 5, 1300], [9000, 1000, 4, 1300]] as const) {
  test(`NET-01 with timers of ${client} ms and ${server} ms the slower end answers the faster at its first asking, datagram ${lost} lost`, () => {
    const link = new Link({ dropNumber: (index) => index === lost });
    const ends = { link, client: link.add('c', { initialTimeoutMs: client }), server: link.add('s', { initialTimeoutMs: server }) };
    assert.ok(handshake(ends));
    assert.is(connectedAt(ends.client), at);
    assert.ok(echoes(ends));
  });
}

/** Loss rate, and the least success with 7 and with 12 retransmissions. */
const RATES: readonly (readonly [drop: number, seven: number, twelve: number])[] = [
  [0.1, 0.999, 0.999],
  [0.2, 0.995, 0.999],
  [0.3, 0.98, 0.995],
  [0.5, 0.75, 0.93],
];

const SEEDS = FULL ? 1000 : 200;

for (const [drop, seven, twelve] of RATES) {
  for (const [maxRetransmits, least] of [[7, seven], [12, twelve]] as const) {
    test(`NET-02 with ${drop * 100} % loss and ${maxRetransmits} retransmissions ${least * 100} % of handshakes succeed`, () => {
      const failed: number[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const ends = pair({ seed, drop }, { maxRetransmits });
        if (!handshake(ends)) failed.push(seed);
        // Whatever came of it: nothing is left over, and no side has anything to wait for.
        assert.equal(remains(ends.client), NOTHING, `seed ${seed}`);
        assert.is(remains(ends.server).deadlines, 0, `seed ${seed}`);
        assert.is(remains(ends.server).halfOpen, 0, `seed ${seed}`);
      }
      const success = 1 - failed.length / SEEDS;
      assert.ok(success >= least, `${success * 100} %; failed seeds: ${failed.join(' ')}`);
    });
  }
}

test('NET-02 with 20 % loss, duplication and reordering nearly every handshake succeeds, and data goes both ways', () => {
  const failed: number[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const ends = pair({ seed, drop: 0.2, duplicate: 0.2, reorder: 0.2, reorderMs: 3000 }, { maxRetransmits: 7 });
    const success = handshake(ends);
    ends.link.options = {};
    if (!success || !echoes(ends)) failed.push(seed);
    assert.equal([remains(ends.client).deadlines, remains(ends.server).deadlines], [0, 0], `seed ${seed}`);
  }
  const success = 1 - failed.length / SEEDS;
  assert.ok(success >= 0.995, `${success * 100} %; failed seeds: ${failed.join(' ')}`);
});

for (const copies of [2, 10]) {
  test(`NET-04 with every datagram arriving ${copies} times a handshake takes no longer and sends little more`, () => {
    const ends = pair({ copies });
    assert.ok(handshake(ends));
    assert.is(connectedAt(ends.client), UNDISTURBED);
    assert.ok(ends.link.log.length <= 3 * BASELINE, `${ends.link.log.length} datagrams`);
    assert.is(ends.client.context.stats().retransmissions + ends.server.context.stats().retransmissions, 0);
    assert.ok(echoes(ends), 'each datagram of data is read once');
    assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
  });
}

test('NET-11 a thousand handshakes between two contexts at once complete under loss, and no data strays', () => {
  connectsMany(pair({ seed: 11, drop: 0.2, reorder: 0.5 }, { maxRetransmits: 7 }), 1000);
});

test('a link that loses everything connects nobody', () => {
  const ends = pair({ drop: 1 });
  assert.not.ok(handshake(ends));
  assert.not.ok(connected(ends));
});

test.run();
