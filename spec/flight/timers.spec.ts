/**
 * Retransmission delays (RFC 6347 §4.2.4.1) and the handshake hash (§4.2.6).
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalError, nobleProvider } from '../../lib/index.js';
import { retransmitDelay } from '../../lib/flight/timers.js';
import { Transcript } from '../../lib/flight/transcript.js';
import { hex, join } from '../support/rig.js';
import { holds } from '../support/checked.js';

const RFC = { initialTimeoutMs: 1000, maxTimeoutMs: 60_000, timeoutJitter: 0 };

test('delays double from one second to sixty', () => {
  const delays = Array.from({ length: 9 }, (_, attempt) => retransmitDelay(RFC, attempt, 0.7));
  assert.equal(delays, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a delay is never shorter than the doubling, never longer than the jitter allows, and stays finite', () => {
  const parameters = fc.record({ initialTimeoutMs: fc.integer({ min: 1, max: 100_000 }), maxTimeoutMs: fc.integer({ min: 1, max: 100_000 }), timeoutJitter: fc.double({ min: 0, max: 1, noNaN: true }) });
  holds(fc.property(parameters, fc.nat(1100), fc.double({ min: 0, max: 1, noNaN: true }), (given, attempt, chance) => {
    let plain = given.initialTimeoutMs;
    for (let i = 0; i < Math.min(attempt, 40); i++) plain *= 2;
    plain = Math.min(plain, given.maxTimeoutMs);
    const delay = retransmitDelay(given, attempt, chance);
    assert.ok(delay >= plain && delay <= plain * (1 + given.timeoutJitter) * (1 + 1e-12), `${delay} for ${plain}`);
    assert.is(retransmitDelay({ ...given, timeoutJitter: 0 }, attempt, chance), plain);
    assert.is(retransmitDelay(given, attempt, 0), plain);
  }));
  assert.is(retransmitDelay({ ...RFC, timeoutJitter: 0.1 }, 0, 1), 1100);
});

const { sha256 } = nobleProvider.hashes;

test('the handshake hash is over whole messages with their headers, wherever the hash became known', () => {
  const messages = [[1, 0, hex('0102')], [2, 1, hex('')], [16, 2, new Uint8Array(300).fill(7)], [20, 3, hex('aabbcc')]] as const;
  const whole = join(...messages.map(([type, seq, body]) => join(
    new Uint8Array([type, 0, body.length >>> 8, body.length & 0xff, 0, seq, 0, 0, 0, 0, body.length >>> 8, body.length & 0xff]), body,
  )));
  const plain = sha256!.start();
  plain.update(whole);
  for (let known = 0; known <= messages.length; known++) {
    const transcript = new Transcript();
    messages.forEach(([type, seq, body], i) => {
      if (i === known) transcript.start(sha256!);
      const copy = body.slice();
      transcript.add(type, seq, copy);
      copy.fill(0xee); // the caller's bytes are the caller's
    });
    if (known === messages.length) {
      assert.is(transcript.heldBytes, whole.length);
      transcript.start(sha256!);
    }
    assert.is(transcript.heldBytes, 0);
    assert.equal(transcript.digest(), plain.digest());
    assert.equal(transcript.digest(), plain.digest(), 'asked twice');
  }
});

test('a transcript gives the messages that it keeps: all of them, or all but the last for a signature that is the last', () => {
  const transcript = new Transcript();
  assert.equal(transcript.messagesBefore(), new Uint8Array(0));
  transcript.add(1, 0, hex('aa'));
  transcript.start(sha256!, true);
  transcript.add(15, 1, hex('bbcc'));
  const [first, second] = [hex('01 000001 0000 000000 000001 aa'), hex('0f 000002 0001 000000 000002 bbcc')];
  assert.equal(transcript.messages(), join(first, second));
  assert.equal(transcript.messagesBefore(), first);
  assert.is(transcript.heldBytes, first.length + second.length);
  transcript.forgetMessages();
  assert.is(transcript.heldBytes, 0);
  assert.throws(() => transcript.messages(), (error: unknown) => error instanceof LocalError);
  assert.throws(() => transcript.messagesBefore(), (error: unknown) => error instanceof LocalError);
});

test('a transcript that was reset begins anew, and one without a hash has no digest', () => {
  const transcript = new Transcript();
  transcript.add(1, 0, hex('ff'));
  assert.throws(() => transcript.digest(), (error: unknown) => error instanceof LocalError);
  transcript.reset();
  assert.is(transcript.heldBytes, 0);
  transcript.add(1, 1, hex('aa'));
  transcript.start(sha256!);
  assert.throws(() => transcript.start(sha256!), (error: unknown) => error instanceof LocalError);
  const plain = sha256!.start();
  plain.update(hex('01 000001 0001 000000 000001 aa'));
  assert.equal(transcript.digest(), plain.digest());
  transcript.reset();
  transcript.start(sha256!);
  assert.equal(transcript.digest(), sha256!.start().digest());
});

test.run();
