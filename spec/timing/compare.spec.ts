/**
 * API-14, comparisons of secrets: Finished, cookies and tags are compared in constant time. The source is looked at
 * always; with MICRODTLS_FULL=1 the clock is looked at too.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { equalBytes } from '../../lib/wire/bytes.js';
import { CLIENT, Rig } from '../support/rig.js';
import { ScriptedPeer } from '../support/scripted.js';
import { FULL, percentile, sample, type Samples, threeTries, welch } from './measure.js';

const LIB = fileURLToPath(new URL('../../../lib/', import.meta.url));
const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts')).map((path) => path.replaceAll('\\', '/'));
const read = (path: string): string => readFileSync(LIB + path, 'utf8');

/** A t beyond this is a difference that anybody with patience sees (dudect), if it is one of nanoseconds at all. */
const LEAK = 4.5;

test('API-14 there is one comparison of bytes below the engine, and it looks at every byte before it answers', () => {
  const body = /export function equalBytes\([^)]*\): boolean \{\n([^]*?)\n\}/.exec(read('wire/bytes.ts'))![1]!;
  assert.match(body, /if \(a\.length !== b\.length\) return false;/);
  const loop = body.slice(body.indexOf('for ('));
  assert.match(loop, /difference \|= a\[i\]! \^ b\[i\]!/);
  assert.not.match(loop.slice(0, loop.indexOf(';\n')), /\b(return|break|if)\b/);
  assert.is(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  for (let at = 0; at < 12; at++) {
    const other = new Uint8Array(12);
    other[at] = 1;
    assert.is(equalBytes(new Uint8Array(12), other), false);
  }
  assert.is(equalBytes(new Uint8Array(3), new Uint8Array(4)), false);
});

test('API-14 Finished and cookies go through that comparison', () => {
  assert.match(read('handshake12/keys.ts'), /if \(!equalBytes\(expected, body\)\)/);
  const cookie = read('handshake/cookie.ts');
  assert.is([...cookie.matchAll(/equalBytes\(received/g)].length, 3);
  assert.not.match(cookie, /received\[|===\s*received|received\s*===/);
});

test('API-14 no module of the core compares bytes of a tag, a cookie or verify_data on its own with an early end', () => {
  for (const path of sources.filter((path) => !/^(adapters|cli|bench)\//.test(path))) {
    const text = read(path);
    assert.not.match(text, /\.every\(\(\w+, \w+\) => \w+ === \w+\[/, path);
    if (/crypto\/.*(ccm|gcm|chacha|authenticated)/.test(path)) assert.not.match(text, /!== \w*[tT]ag\w*\[/, path);
  }
});

test('API-14 the measure sees a comparison that ends early, and none where there is none', () => {
  const early = (x: Uint8Array, y: Uint8Array): boolean => x.every((byte, i) => byte === y[i]);
  const secret = new Uint8Array(4096).fill(7);
  const wrong = { a: wrongAt(secret, 0), b: wrongAt(secret, 4095) };
  const batch = (compare: typeof early) => (other: Uint8Array): void => {
    for (let i = 0; i < 4; i++) compare(secret, other);
  };
  assert.ok(Math.abs(welch(sample(400, (kind) => wrong[kind], batch(early)))) > LEAK);
  assert.is(threeTries((round) => complain(sample(400, (kind) => wrong[kind], batch(equalBytes), round), 1)), null);
});

function wrongAt(bytes: Uint8Array, at: number): Uint8Array {
  const wrong = bytes.slice();
  wrong[at]! ^= 0xff;
  return wrong;
}

/** What tells the two kinds apart, if anything does: a t beyond chance, and medians that differ by `leastUs`. */
function complain(samples: Samples, leastUs: number): string | null {
  const t = welch(samples);
  const gap = Math.abs(percentile(samples.a, 0.5) - percentile(samples.b, 0.5));
  return Math.abs(t) < LEAK || gap < leastUs ? null : `t = ${t.toFixed(1)}, the medians are ${gap.toFixed(3)} µs apart`;
}

if (FULL) {
  test('API-14 the first byte wrong and the last byte wrong take the same time: verify_data, half a cookie, a tag', () => {
    for (const length of [12, 16, 8]) {
      const secret = Uint8Array.from({ length }, (_, i) => 31 * i);
      const wrong = { a: wrongAt(secret, 0), b: wrongAt(secret, length - 1) };
      // An early end would save a nanosecond for each of the other bytes, 200 times.
      assert.is(threeTries((round) => complain(sample(10_000, (kind) => wrong[kind], (other) => {
        for (let i = 0; i < 200; i++) equalBytes(secret, other);
      }, round), 0.2)), null, `${length} bytes`);
    }
  });

  test('API-14 a cookie that is wrong in its first byte is refused in the same time as one that is wrong in its sixteenth', () => {
    const rig = new Rig({ cookieLifetimeMs: 86_400_000 });
    rig.onWrite = (_, bytes) => void rig.sent.push({ session: CLIENT, bytes, at: 0 });
    const peer = new ScriptedPeer('client');
    rig.feed(CLIENT, peer.clientHello());
    const right = peer.take(...rig.takeSent())[0]!.body.slice(3);
    const hello = (at: number): Uint8Array => {
      peer.cookie = wrongAt(right, at);
      return peer.clientHello();
    };
    const wrong = { a: hello(0), b: hello(15) };
    rig.onWrite = () => 0;
    assert.is(threeTries((round) => complain(sample(10_000, (kind) => wrong[kind], (bytes) => void rig.feed(CLIENT, bytes), round), 0.1)), null);
    assert.is(rig.context.stats().halfOpen, 0);
  });

  test('API-14 a Finished that is wrong in its first byte is refused in the same time as one that is wrong in its last', () => {
    const prepare = (kind: 'a' | 'b') => finishedWrongAt(kind === 'a' ? 0 : 11);
    assert.is(threeTries((round) => complain(sample(1000, prepare, ({ rig, record }) => void rig.feed(CLIENT, record), round), 2)), null);
  });
}

function finishedWrongAt(at: number): { rig: Rig; record: Uint8Array } {
  const rig = new Rig();
  const peer = new ScriptedPeer('client');
  rig.feed(CLIENT, peer.clientHello());
  peer.cookie = peer.take(...rig.takeSent())[0]!.body.slice(3);
  rig.feed(CLIENT, peer.clientHello());
  for (const { type, messageSeq, body } of peer.take(...rig.takeSent())) {
    if (type === 2) peer.serverRandom = body.slice(2, 34);
    peer.note(type, messageSeq, body);
  }
  const keyExchange = peer.clientKeyExchange();
  peer.deriveKeys();
  rig.feed(CLIENT, keyExchange);
  rig.feed(CLIENT, peer.changeCipherSpec());
  return { rig, record: peer.finished({}, wrongAt(peer.verifyData('client'), at)) };
}

test.run();
