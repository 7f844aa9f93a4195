/**
 * The HMACs of the native provider, whose compression functions are WebAssembly: against the platform's at every length,
 * what stands in their memory afterwards, and what happens where there is no such memory.
 */
import { createHmac } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CompiledHmac, HmacEngine } from '../../lib/crypto/native/hmac.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { instantiateSha2, putInitialState } from '../../lib/crypto/native/sha2code.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import type { HashName } from '../../lib/crypto/provider.js';
import { pattern } from './check.js';
import { JITLESS, REFUSING, inProcess, watchMemories } from './wasm.js';

/** The memories that are made from here on. */
const memories = watchMemories();

const HASHES = [['sha256', 32], ['sha384', 48]] as const;

const engines = new Map<HashName, HmacEngine>(HASHES.map(([name, length]) => {
  const engine = HmacEngine.make(name, length);
  assert.ok(engine);
  return [name, engine];
}));

const expected = (name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array => new Uint8Array(createHmac(name, key).update(data).digest());

function computed(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const hmac = new CompiledHmac(engines.get(name)!, key);
  const out = new Uint8Array(hmac.outputLength);
  hmac.compute(out, 0, data);
  hmac.wipe();
  return out;
}

test('the constants are those of FIPS 180-4 §4.2.2, §4.2.3, §5.3.3 and §5.3.4', () => {
  const words = (name: HashName): bigint[] => {
    const code = instantiateSha2(name, 0)!;
    putInitialState(code, name);
    const view = new DataView(code.memory.buffer);
    const [word, last] = name === 'sha256' ? [4, 63] : [8, 79];
    const at = [0, 7 * word, 192, 192 + last * word];
    return at.map((offset) => (word === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true)));
  };
  assert.equal(words('sha256'), [0x6a09e667n, 0x5be0cd19n, 0x428a2f98n, 0xc67178f2n]);
  assert.equal(words('sha384'), [0xcbbb9d5dc1059ed8n, 0x47b5481dbefa4fa4n, 0x428a2f98d728ae22n, 0x6c44198c4a475817n]);
});

test('HMACs agree with the platform at every length of data up to five blocks, and around every multiple of the room', () => {
  for (const [name] of HASHES) {
    const key = pattern(48, 1);
    const near = [4096, 8192, 12_288].flatMap((length) => [-129, -128, -65, -64, -17, -16, -9, -8, -1, 0, 1, 8, 64].map((more) => length + more));
    for (const length of [...Array.from({ length: 641 }, (_, i) => i), ...near, 100_000]) {
      const data = pattern(length, length);
      assert.equal(computed(name, key, data), expected(name, key, data), `${name}, ${length} bytes`);
    }
  }
});

test('HMACs agree with the platform under keys of every length up to three blocks, and of many', () => {
  for (const [name] of HASHES) {
    for (const length of [...Array.from({ length: 385 }, (_, i) => i), 4096, 4097, 10_000]) {
      const key = pattern(length, 2);
      const data = pattern(77, length);
      assert.equal(computed(name, key, data), expected(name, key, data), `${name}, key of ${length}`);
    }
  }
});

test('no key, data or result stands in the memory, after a key and after a computation, in any order of the bytes of a word', () => {
  for (const [i, [name]] of HASHES.entries()) {
    const memory = memories[i]!;
    for (const size of [20, 21, 100, 5000]) {
      const [key, data] = [pattern(size, 3), pattern(size, 4)];
      const hmac = new CompiledHmac(engines.get(name)!, key);
      const result = new Uint8Array(hmac.outputLength);
      // The padded blocks of a short key begin with it.
      const padded = [0x36, 0x5c].map((padding) => key.map((byte) => byte ^ padding));
      if (size !== 20) hmac.compute(result, 0, data);
      for (const secret of [key, ...padded, data, ...(size === 20 ? [] : [result])]) {
        for (const width of [1, 4, 8]) {
          const turned = secret.slice(0, 16).map((_, at, bytes) => bytes[at ^ (width - 1)]!);
          assert.is(Buffer.from(memory).indexOf(turned), -1, `${name}, ${size} bytes, words of ${width}`);
        }
      }
      assert.ok(memory.subarray(0, 64).every((byte) => byte === 0), 'the state');
    }
  }
});

for (const provider of [nativeProvider, nobleProvider]) {
  test(`${provider.name}: after a full stack broke HMACs off, with any key, the next is right`, () => {
    const [long, short] = [pattern(64, 5), pattern(16, 6)];
    const data = pattern(300, 7);
    for (const [name] of HASHES) {
      const hash = provider.hashes[name]!;
      const out = new Uint8Array(hash.outputLength);
      const kept = hash.hmac(short);
      let broken = 0;
      const descend = (): void => {
        try {
          descend();
        } catch {
          // Near the end of the stack, again and again, a little further up each time.
          for (const work of [() => hash.hmac(long).compute(out, 0, data), () => kept.compute(out, 0, data)]) {
            try {
              work();
            } catch {
              broken++;
            }
          }
        }
      };
      for (let round = 0; round < 20; round++) {
        descend();
        for (const key of [short, long]) {
          hash.hmac(key).compute(out, 0, data);
          assert.equal(out, expected(name, key, data), `${name}, key of ${key.length}`);
        }
        kept.compute(out, 0, data);
        assert.equal(out, expected(name, short, data), `${name}, a key from before`);
      }
      assert.ok(broken > 0);
    }
  });
}

test('an HMAC over more than there is, or into less room than it takes, is refused', () => {
  for (const [name, length] of HASHES) {
    const hmac = new CompiledHmac(engines.get(name)!, pattern(16, 8));
    for (const work of [
      () => hmac.compute(new Uint8Array(length), 0, pattern(10, 1), 11),
      () => hmac.compute(new Uint8Array(length - 1), 0, pattern(10, 1)),
      () => hmac.compute(new Uint8Array(length), 1, pattern(10, 1)),
    ]) assert.throws(work, (error: unknown) => (error as { code?: string }).code === 'ERR_DTLS_ARGUMENT');
  }
});

/** A process that has no such memory. */
function without(flags: readonly string[], before: string, after: string): void {
  inProcess(flags, `
    import { createHmac } from 'node:crypto';
    ${before}
    for (const name of ['sha256', 'sha384']) for (const size of [10, 200]) {
      const [key, data] = [new Uint8Array(size).fill(1), new Uint8Array(size).fill(2)];
      const hash = nativeProvider.hashes[name];
      const out = new Uint8Array(hash.outputLength);
      for (let i = 0; i < 2; i++) {
        const hmac = hash.hmac(key);
        hmac.compute(out, 0, data);
        if (!createHmac(name, key).update(data).digest().equals(out)) throw new Error(name);
        hmac.wipe();
        let refused = false;
        try { hmac.compute(out, 0, data); } catch { refused = true; }
        if (!refused) throw new Error('computes with what was wiped');
      }
    }
    ${after}
  `);
}

test('without WebAssembly the platform computes HMACs', () => {
  without(JITLESS.flags, JITLESS.before, '');
});

test('where WebAssembly refuses, it is asked once for each hash and not for each key', () => {
  without([], REFUSING, "if (asked !== 2) throw new Error('asked ' + asked + ' times');");
});

test('where WebAssembly computes something else, the platform does it', () => {
  const wrong = `
    const { Instance } = WebAssembly;
    WebAssembly.Instance = class {
      constructor(...given) {
        const { memory } = new Instance(...given).exports;
        this.exports = { memory, compress() {} };
      }
    };
  `;
  without([], wrong, '');
});

test.run();
