/**
 * PSK-01 and API-11, what the clock tells: an unknown identity and a wrong key take the same time, and no bad datagram
 * takes long. Measured with MICRODTLS_FULL=1; that the measure works is seen always.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../support/random.js';
import { CLIENT, join, Rig, text } from '../support/rig.js';
import { clientFlight, establish, ScriptedPeer, toServerHelloDone } from '../support/scripted.js';
import { FULL, percentile, sample, type Samples, threeTries } from './measure.js';

/** A server that waits for the last flight of a client, and that flight, under a key that is wrong. */
function last(identity: string): { rig: Rig; flight: Uint8Array } {
  const rig = new Rig();
  const peer = new ScriptedPeer('client', { identity: text(identity), psk: text('0123456789abcdef') });
  toServerHelloDone(rig, peer);
  return { rig, flight: join(...clientFlight(peer)) };
}

/** What tells the two kinds apart, if anything does: medians that differ by 5 % and by 20 µs. */
function difference({ a, b }: Samples): string | null {
  const [one, two] = [percentile(a, 0.5), percentile(b, 0.5)];
  const gap = Math.abs(one - two);
  return gap < 20 || gap < 0.05 * Math.min(one, two) ? null : `medians of ${one.toFixed(1)} and ${two.toFixed(1)} µs`;
}

test('PSK-01 the measure sees a difference of 30 µs, and none where there is none', () => {
  const wait = (us: number): void => {
    for (const end = performance.now() + us / 1000; performance.now() < end; );
  };
  const measure = (slow: number) => difference(sample(200, (kind) => (kind === 'a' ? 100 : 100 + slow), wait));
  assert.type(measure(30), 'string');
  assert.is(threeTries(() => measure(0)), null);
});

test('PSK-01 both kinds do the same work: as many hashes, as many bytes, for unknown identity and wrong key', () => {
  const counts = ['device-1', 'nobody-1'].map((identity) => {
    const { rig, flight } = last(identity);
    rig.feed(CLIENT, flight);
    return { drawn: rig.random.next(), stats: rig.context.stats(), sent: rig.sent.length };
  });
  assert.equal(counts[0], counts[1]);
});

if (FULL) {
  test('PSK-01 ten thousand unknown identities take as long as ten thousand wrong keys', () => {
    assert.is(threeTries((round) => difference(sample(
      10_000, (kind) => last(kind === 'a' ? 'device-1' : 'nobody-1'), ({ rig, flight }) => void rig.feed(CLIENT, flight), round,
    ))), null);
  });

  test('API-11 of ten thousand bad datagrams in one tick 99 in 100 take less than a millisecond each', () => {
    assert.is(threeTries((round) => {
      const random = new Random(round);
      const rig = new Rig();
      const peer = establish(rig);
      const bad = Array.from({ length: 10_000 }, (_, i) => {
        const record = i % 3 === 0 ? random.bytes(random.below(1400)) : peer.applicationData(random.bytes(random.below(1200)));
        if (i % 3 !== 0) record[record.length - 1 - random.below(8)]! ^= 1 + random.below(255);
        return record;
      });
      const { a } = sample(5000, (kind, index) => bad[kind === 'a' ? index : 5000 + index]!, (bytes) => void rig.feed(CLIENT, bytes), round);
      assert.equal(rig.reads, []);
      const p99 = percentile(a, 0.99);
      return p99 < 1000 ? null : `p99 is ${p99.toFixed(0)} µs`;
    }), null);
  });
}

test.run();
