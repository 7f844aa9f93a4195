/**
 * REC, continued: lengths at their limits, protected records that are too short or too long, and floods. Time bounds
 * are generous; they tell linear work from quadratic work, not a fast machine from a slow one.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  PSK_AES_128_CCM, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_CHACHA20_POLY1305_SHA256,
  type CipherSuite,
} from '../../lib/index.js';
import { MAX_CIPHERTEXT, MAX_PLAINTEXT, writeRecordHeader } from '../../lib/record/header12.js';
import { ContentType } from '../../lib/wire/registry.js';
import { Bench, ROLES, type Course } from '../support/course.js';
import { Random } from '../support/random.js';
import { join, text } from '../support/rig.js';

function raw(type: number, epoch: number, sequence: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(13 + body.length);
  writeRecordHeader(out, 0, type, 0xfefd, epoch, sequence, body.length);
  out.set(body, 13);
  return out;
}

/** Record lengths below explicit nonce and tag, or below the tag alone, and the shortest that could hold plaintext. */
const SHORT: readonly [CipherSuite, number][] = [
  [PSK_AES_128_CCM_8, 8 + 8], [PSK_AES_128_CCM, 8 + 16], [PSK_AES_128_GCM_SHA256, 8 + 16], [PSK_CHACHA20_POLY1305_SHA256, 16],
];

test('REC-04 a protected record shorter than nonce and tag is dropped, and its number may still be used', () => {
  for (const [suite, overhead] of SHORT) {
    for (const role of ROLES) {
      const bench = new Bench();
      const course = bench.course(role, { suite }).to('established');
      assert.is(bench.rig.context.getPeer(course.session)?.suite?.id, suite.id);
      for (const type of [20, 21, 22, 23]) {
        for (let length = 0; length <= overhead; length++) {
          for (const fill of [0, 0xff]) {
            const record = raw(type, 1, course.peer.sequences[1]!, new Uint8Array(length).fill(fill));
            bench.drops(course.session, record, `${suite.name} ${role} type ${type} length ${length}`);
          }
        }
        // An authentic record cut short, at every length.
        const whole = course.peer.record(type, text('four'), { epoch: 1, sequence: 900 + type });
        for (let length = 0; length < overhead + 4; length++) {
          bench.drops(course.session, raw(type, 1, 900 + type, whole.slice(13, 13 + length)), `${suite.name} cut to ${length}`);
        }
      }
      // The very sequence number of the short records is still good.
      course.live();
      bench.conclude();
    }
  }
});

test('REC-09 an authentic record of more than 2^14 bytes of plaintext, or beyond 2^14 + 2048 on the wire, is never delivered', () => {
  for (const suite of [PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256, PSK_CHACHA20_POLY1305_SHA256]) {
    for (const role of ROLES) {
      const bench = new Bench();
      const course = bench.course(role, { suite }).to('established');
      const seal = (length: number): Uint8Array => {
        // The scripted peer's own record() has no room for these.
        const out = new Uint8Array(13 + length + 64);
        const sequence = course.peer.sequences[1]!++;
        const sealed = course.peer.write!.seal(out, 13, ContentType.applicationData, 1, sequence, new Uint8Array(length).fill(7));
        writeRecordHeader(out, 0, ContentType.applicationData, 0xfefd, 1, sequence, sealed);
        return out.slice(0, 13 + sealed);
      };
      const { overhead } = course.peer.write!;
      bench.rig.feed(course.session, seal(MAX_PLAINTEXT));
      assert.is(bench.rig.reads.at(-1)?.bytes.length, MAX_PLAINTEXT);
      const reads = bench.rig.reads.length;
      for (const length of [MAX_PLAINTEXT + 1, MAX_CIPHERTEXT - overhead, MAX_CIPHERTEXT - overhead + 1]) {
        assert.is(bench.rig.feed(course.session, seal(length)), 0);
        assert.is(bench.rig.reads.length, reads, `${suite.name} ${role}: ${length} bytes were delivered`);
      }
      course.live();
      bench.conclude();
    }
  }
});

const LARGEST = 65_507;

/** The largest datagrams of UDP, made to cost as much as they can. */
const COSTLY: Readonly<Record<string, (bytes: number) => Uint8Array>> = {
  'one record': (bytes) => raw(ContentType.applicationData, 1, 77, new Uint8Array(bytes - 13)),
  'empty records': (bytes) => join(...Array.from({ length: Math.floor(bytes / 13) }, (_, i) => raw(23, 1, 500 + i, new Uint8Array(0)))),
  'forged records': (bytes) => join(...Array.from({ length: Math.floor(bytes / 30) }, (_, i) => raw(23, 1, 500 + i, new Uint8Array(17)))),
};

/** The shortest of a few runs, in ms: the others had to wait for something else. */
function fastest(work: () => void, runs: number = 7): number {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    work();
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
}

test('REC-08 a datagram of 65,507 bytes of one, of empty and of forged records is dropped in linear time, under 50 ms', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('established');
    for (const [name, make] of Object.entries(COSTLY)) {
      const whole = make(LARGEST);
      bench.drops(course.session, whole, name);
      const all = fastest(() => bench.drops(course.session, whole, name));
      assert.ok(all < 50, `${role}, ${name}: ${all} ms`);
      const eighth = make(Math.floor(LARGEST / 8));
      const part = fastest(() => bench.drops(course.session, eighth, name));
      assert.ok(all < 4 * 8 * part + 2, `${role}, ${name}: ${all} ms for what costs ${part} ms an eighth`);
    }
    course.live();
    bench.conclude();
  }
});

test('REC-08 the same datagrams in the middle of a handshake hold no more than the budget and cost no more', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    for (const [name, make] of Object.entries(COSTLY)) {
      const course = bench.course(role).to('helloDone');
      const datagram = make(LARGEST);
      const before = bench.snapshot(course.session);
      const elapsed = fastest(() => assert.is(bench.rig.feed(course.session, datagram), 0));
      assert.ok(elapsed < 50, `${role}, ${name}: ${elapsed} ms`);
      const after = bench.snapshot(course.session);
      assert.ok(after.heldBytes - before.heldBytes <= 8192, `${role}, ${name}: ${after.heldBytes} bytes held`);
      assert.equal({ ...after, heldBytes: 0 }, { ...before, heldBytes: 0 });
      course.live(name);
    }
    bench.conclude();
  }
});

/** A large pool of uniform random bytes, from which datagrams are cut: drawing each byte anew would take minutes. */
function pool(seed: number, length: number): Uint8Array {
  const random = new Random(seed);
  const words = new Uint32Array(length / 4);
  for (let i = 0; i < words.length; i++) words[i] = random.next() * 2 ** 32;
  return new Uint8Array(words.buffer);
}

function bombard(bench: Bench, count: number, shape: (datagram: Uint8Array, random: Random) => void, course: Course | null = null): number {
  const { rig } = bench;
  const random = new Random(10);
  const bytes = pool(10, 1 << 20);
  let received = 0;
  let written = 0;
  rig.onWrite = (_, datagram) => void (written += datagram.length);
  for (let i = 0; i < count; i++) {
    const length = random.below(1501);
    const at = random.below(bytes.length - length);
    const datagram = bytes.slice(at, at + length);
    shape(datagram, random);
    received += length;
    const session = course?.session ?? { address: `10.0.${i % 8}.${i % 125}`, port: 1000 + (i % 1000) };
    assert.is(rig.feed(session, datagram), 0);
  }
  rig.onWrite = null;
  assert.ok(written <= received, `${written} bytes written for ${received}`);
  return written;
}

test('REC-10 100,000 random datagrams of 1,000 sessions leave no state and cost no amplification', () => {
  const bench = new Bench();
  const before = bench.snapshot(bench.bystander.session);
  assert.is(bombard(bench, 100_000, () => {}), 0);
  assert.equal(bench.snapshot(bench.bystander.session), before);
  bench.course('server').live();
  bench.course('client').live();
  bench.conclude();
});

test('REC-10 random bodies behind plausible record and handshake headers leave no state either', () => {
  const bench = new Bench();
  const before = bench.snapshot(bench.bystander.session);
  const plausible = (datagram: Uint8Array, random: Random): void => {
    if (datagram.length < 60) return;
    const length = datagram.length - 13;
    datagram.set([20 + random.below(6), 0xfe, random.chance(0.5) ? 0xfd : 0xff, 0, random.below(2)]);
    datagram.set([length >>> 8, length & 0xff], 11);
    const body = length - 12;
    // A ClientHello in one piece, with a session_id and a cookie that may or may not fit.
    datagram.set([1, 0, body >>> 8, body & 0xff, 0, random.below(2), 0, 0, 0, 0, body >>> 8, body & 0xff], 13);
    datagram[25 + 34] = random.below(40);
  };
  const written = bombard(bench, 20_000, plausible);
  assert.ok(written > 0, 'nothing got as far as a HelloVerifyRequest');
  assert.equal(bench.snapshot(bench.bystander.session), before);
  bench.conclude();
});

test('REC-10 random datagrams in the name of a living association change nothing', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const course = bench.course(role).to('established');
    const before = bench.snapshot(course.session);
    bombard(bench, 5000, (datagram, random) => {
      if (datagram.length < 13) return;
      datagram.set([20 + random.below(6), 0xfe, 0xfd, 0, random.below(3)]);
      datagram.set([(datagram.length - 13) >>> 8, (datagram.length - 13) & 0xff], 11);
    }, course);
    assert.equal(bench.snapshot(course.session), before);
    course.live();
    bench.conclude();
  }
});


test.run();
