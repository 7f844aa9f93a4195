/**
 * Every message codec, both ways (plan F1): what was written is read again; arbitrary bytes are refused with a typed
 * error or come out again byte for byte; nothing is read outside the message; nothing takes long.
 *
 * One thing can be said in two ways: no extensions, as no block or as an empty one. We write the former.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PeerError } from '../../lib/wire/errors.js';
import { AlertDescription } from '../../lib/wire/registry.js';
import { join } from '../support/rig.js';
import { holds } from '../support/checked.js';
import { CODECS, type Codec } from './codecs.js';

/** The value, or the error that it must be. */
function readOf({ read, name }: Codec, body: Uint8Array): { readonly value: unknown } | PeerError {
  try {
    return { value: read(body) };
  } catch (error) {
    assert.instance(error, PeerError, `${name}: ${String(error)}`);
    const { alert, code } = error as PeerError;
    assert.is(code, 'ERR_DTLS_DECODE');
    assert.ok(alert === AlertDescription.decodeError || alert === AlertDescription.illegalParameter);
    return error as PeerError;
  }
}

/** Refused, or the same bytes again. Whether it was read. */
function refusesOrKeeps(codec: Codec, body: Uint8Array): boolean {
  const outcome = readOf(codec, body);
  if (outcome instanceof PeerError) return false;
  const again = codec.write(outcome.value as never);
  const empty = codec.extensible && (outcome.value as { extensions: ReadonlyMap<number, unknown> }).extensions.size === 0;
  const withBlock = empty && body.length === again.length + 2 ? join(again, new Uint8Array(2)) : again;
  assert.equal([...withBlock], [...body], codec.name);
  return true;
}

/** A valid message with a few bytes set, taken out, put in or cut off. */
function mutated({ values, write }: Codec): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ what: fc.constantFrom('set', 'remove', 'insert', 'cut'), at: fc.nat(), byte: fc.oneof(fc.constantFrom(0, 1, 0xff), fc.nat(255)) });
  return fc.tuple(values, fc.array(change, { maxLength: 3 })).map(([value, changes]) => {
    const bytes = [...write(value as never)];
    for (const { what, at, byte } of changes) {
      const index = bytes.length === 0 ? 0 : at % bytes.length;
      if (what === 'set' && bytes.length > 0) bytes[index] = byte;
      else if (what === 'remove') bytes.splice(index, 1);
      else if (what === 'insert') bytes.splice(index, 0, byte);
      else bytes.length = index;
    }
    return Uint8Array.from(bytes);
  });
}

for (const codec of CODECS) {
  test(`${codec.name}: what was written is read again`, () => {
    holds(fc.property(codec.values, (value) => {
      assert.equal(codec.read(codec.write(value as never)), value);
    }));
  });

  test(`${codec.name}: arbitrary bytes are refused with a typed error or kept byte for byte`, () => {
    holds(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => void refusesOrKeeps(codec, body)), 5000);
  });

  test(`${codec.name}: a message with a few bytes changed is refused or kept byte for byte`, () => {
    let read = 0;
    holds(fc.property(mutated(codec), (body) => {
      if (refusesOrKeeps(codec, body)) read++;
    }), 5000);
    assert.ok(read > 100, 'nearly nothing was read: the check is empty');
  });

  test(`${codec.name}: what stands around the message is not seen`, () => {
    holds(fc.property(mutated(codec), fc.nat(20), fc.constantFrom(0, 0xff), (body, before, fill) => {
      const around = new Uint8Array(before + body.length + 300).fill(fill);
      around.set(body, before);
      const [alone, within] = [readOf(codec, body), readOf(codec, around.subarray(before, before + body.length))];
      if (alone instanceof PeerError) assert.ok(within instanceof PeerError && within.alert === alone.alert);
      else assert.equal(within, alone);
    }));
  });

  test(`${codec.name}: every prefix of a message is refused, or is a message`, () => {
    const [value] = fc.sample(codec.values, { numRuns: 1, seed: 5 });
    const body = codec.write(value as never);
    for (let length = 0; length < body.length; length++) refusesOrKeeps(codec, body.subarray(0, length));
  });

  test(`${codec.name}: 64 KiB of anything take under 5 ms`, () => {
    for (const body of [new Uint8Array(65_536), new Uint8Array(65_536).fill(0xff), crowded()]) {
      let best = Infinity;
      for (let run = 0; run < 30 && best >= 5; run++) {
        const startedAt = performance.now();
        readOf(codec, body);
        best = Math.min(best, performance.now() - startedAt);
      }
      assert.ok(best < 5, `${best} ms`);
    }
  });
}

/** A ClientHello of 64 KiB with as many extensions as fit, all different. */
function crowded(): Uint8Array {
  const body = new Uint8Array(65_536);
  body.set([0, 0, 0, 2, 0xc0, 0xa8, 1, 0], 34); // no session_id, no cookie, one suite, one compression method
  const room = Math.floor((65_536 - 44) / 4) * 4;
  body.set([room >>> 8, room & 0xff], 42);
  for (let i = 0; i < room / 4; i++) body.set([i >>> 8, i & 0xff, 0, 0], 44 + 4 * i);
  return body.subarray(0, 44 + room);
}

test('the crowded hello of 64 KiB is a hello', () => {
  assert.ok(refusesOrKeeps(CODECS[0]!, crowded()));
});

test.run();
