/**
 * F2: recorded handshakes, changed and played again. A change that means nothing must not matter; after any other the
 * target may be connected only if everything it needs still came, and what it reads was sealed by its peer.
 *
 * Whatever comes: no exception, no harm to another association, nothing left over.
 * The seed is fixed; MICRODTLS_SEED sets another. A failure prints the recording, the seed and the changes.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, PSK_SUITES } from '../../lib/index.js';
import { Random } from '../support/random.js';
import { NEUTRAL, VIOLENT, type Mutant } from './mutators.js';
import { judge } from './oracle.js';
import { copy, record, serialize, type Recording } from './transcript.js';

const MUTANTS = process.env['MICRODTLS_FULL'] === '1' ? 20_000 : 2000;
const SEED = Number(process.env['MICRODTLS_SEED'] ?? 1);
const MAX_HELD = 8192;

const recordings: Recording[] = [];
const donors: Recording[] = [];
for (const suite of PSK_SUITES) {
  for (const role of ['server', 'client'] as const) {
    for (const mtu of [1232, 110]) {
      recordings.push(record(suite, role, mtu, 100));
      donors.push(record(suite, role, mtu, 200));
    }
  }
}

/** What a target made of a stream. */
interface Outcome {
  readonly connected: number;
  readonly reads: readonly string[];
}

/** Plays a stream and checks what must hold whatever it is. */
function play({ begin, session }: Recording, stream: readonly Uint8Array[]): Outcome {
  const { rig, controlLives } = begin();
  const ours = ({ session: of }: { session: unknown }): boolean => (of as typeof session).address === session.address;
  for (const datagram of stream) {
    assert.type(rig.feed(session, datagram), 'number');
    const { heldBytes, established, halfOpen, deadlines } = rig.context.stats();
    assert.ok(heldBytes <= 2 * MAX_HELD, `${heldBytes} bytes held`);
    assert.ok(established + halfOpen <= 2 && deadlines <= 2, `${established} established, ${halfOpen} half-open, ${deadlines} deadlines`);
  }
  const outcome = {
    connected: rig.events.filter((event) => ours(event) && event.code === DTLS_EVENT_CONNECTED).length,
    reads: rig.reads.filter(ours).map(({ bytes }) => bytes.toString()),
  };
  assert.ok(controlLives(), 'the other association carries data');
  rig.context.close(session);
  rig.runOut();
  const { halfOpen, established, heldBytes, deadlines, callbackErrors } = rig.context.stats();
  assert.equal({ halfOpen, established, heldBytes, deadlines, callbackErrors, errors: rig.errors }, {
    halfOpen: 0, established: 1, heldBytes: 0, deadlines: 0, callbackErrors: 0, errors: [],
  }, 'what is left');
  assert.ok(rig.events.every(ours), 'nobody else was told anything');
  return outcome;
}

/** Makes mutant number `seed` with `count` changes of `mutators`; its stream and what was done. */
function mutate(index: number, seed: number, mutators: readonly ((mutant: Mutant, random: Random) => string | null)[], most: number): {
  stream: Uint8Array[]; done: string[];
} {
  const random = new Random(seed);
  const recording = recordings[index]!;
  const mutant: Mutant = { recording, donor: donors[index]!.datagrams, stream: copy(recording.datagrams) };
  const done: string[] = [];
  for (let left = 1 + random.below(most); left > 0; left--) {
    const what = mutators[random.below(mutators.length)]!(mutant, random);
    if (what !== null) done.push(what);
  }
  return { stream: mutant.stream.map((datagram) => serialize(datagram, recording.speaker)), done };
}

/** Runs `check` on the mutants and says which one failed. */
function each(count: number, mutators: Parameters<typeof mutate>[2], most: number, check: (recording: Recording, stream: Uint8Array[]) => void): void {
  for (let i = 0; i < count; i++) {
    const index = i % recordings.length;
    const seed = SEED * 1_000_003 + i;
    const { stream, done } = mutate(index, seed, mutators, most);
    try {
      check(recordings[index]!, stream);
    } catch (error) {
      throw new Error(`${recordings[index]!.name}, seed ${seed}: ${(error as Error).message}\n  after: ${done.join('\n         ')}`, { cause: error });
    }
  }
}

test('F2 a recording that is not changed connects its target, byte for byte, and all its data is read', () => {
  for (const recording of recordings) {
    const stream = recording.datagrams.map((datagram) => serialize(datagram, recording.speaker));
    assert.is(judge(recording, stream).complete, true, recording.name);
    assert.equal(play(recording, stream), { connected: 1, reads: recording.data.map(String) }, recording.name);
  }
});

test('F2 each message and the ChangeCipherSpec is needed: without any one of them nobody is connected', () => {
  for (const recording of recordings) {
    for (const { type, messageSeq } of [...recording.needed, { type: -1, messageSeq: 0 }]) {
      const stream = copy(recording.datagrams);
      for (const datagram of stream) {
        datagram.records = datagram.records.filter(({ type: of, epoch, body, sealed }) =>
          type < 0 ? of !== 20 : of !== 22 || (epoch > 0 && !sealed) || body[0] !== type || body[5] !== messageSeq);
      }
      const bytes = stream.map((datagram) => serialize(datagram, recording.speaker));
      assert.is(judge(recording, bytes).complete, false, `${recording.name}, type ${type}`);
      assert.equal(play(recording, bytes), { connected: 0, reads: [] }, `${recording.name}, type ${type}`);
    }
  }
});

test(`F2 ${MUTANTS / 2} changes that mean nothing leave the handshake and the data as they were`, () => {
  each(MUTANTS / 2, NEUTRAL, 4, (recording, stream) => {
    assert.is(judge(recording, stream).complete, true, 'the changes are neutral');
    const { connected, reads } = play(recording, stream);
    assert.is(connected, 1);
    assert.equal([...reads].sort(), recording.data.map(String).sort());
  });
});

test(`F2 after ${MUTANTS / 2} changes of any kind nobody is connected without all messages, or reads what was not sealed`, () => {
  let [connectedOnes, complete] = [0, 0];
  each(MUTANTS / 2, [...VIOLENT, ...VIOLENT, ...NEUTRAL], 4, (recording, stream) => {
    const verdict = judge(recording, stream);
    const { connected, reads } = play(recording, stream);
    assert.ok(connected <= 1, `connected ${connected} times`);
    assert.ok(verdict.complete || connected === 0, 'connected without all messages');
    assert.ok(connected === 1 || reads.length === 0, 'data without a handshake');
    // Each record number is good for one delivery of what was sealed under it.
    const left = new Map(verdict.data);
    for (const read of reads) {
      const number = [...left].find(([, sealed]) => sealed.includes(read))?.[0];
      assert.ok(number !== undefined, `read ${read}`);
      left.delete(number!);
    }
    connectedOnes += connected;
    complete += verdict.complete ? 1 : 0;
  });
  // Both sides of the question are met: some changes go in, and not all that could have are taken.
  assert.ok(connectedOnes > MUTANTS / 50 && connectedOnes <= complete, `${connectedOnes} connected of ${complete} complete streams`);
  assert.ok(complete < MUTANTS / 2);
});

test.run();
