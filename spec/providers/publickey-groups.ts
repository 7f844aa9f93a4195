/**
 * What every ECDHE group of every provider must do, as neutral checks: known answers, keys from the given randomness
 * and nothing else, secrets of one length, and null for all that is no public value (CRY-01, CRY-03).
 */
import { NamedGroup, type GroupName } from '../../lib/crypto/keys.js';
import type { Group, KeyShare, Provider } from '../../lib/crypto/provider.js';
import { LocalError } from '../../lib/wire/errors.js';
import { ensure, hex, pattern, sameBytes, throwsCode, unaligned, type Check } from './check.js';
import { GROUP_VECTORS } from './publickey-ecdh-vectors.js';
import { REDUCED_COORDINATES, bigEndian, honestPoint, numberOf, oddPoints, wrongCoordinates, wrongPoints, type NamedBytes } from './publickey-points.js';

/** The orders of the curve groups (SP 800-186 §3.2.1). */
const ORDERS = {
  secp256r1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
} as const;

/** RFC 7748 §5.2: the result of a thousand rounds of k, u = X25519(k, u), k from k = u = 9. */
const THOUSAND_ROUNDS = '684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51';

/** Bytes of a private key and of a secret. */
export function secretLength(group: GroupName): number {
  return group === 'secp384r1' ? 48 : 32;
}

/** A source that gives these bytes, one string for each draw, and fails when they are used up. */
export function drawing(...draws: readonly Uint8Array[]): (length: number) => Uint8Array {
  const left = [...draws];
  return () => {
    const next = left.shift();
    if (next === undefined) throw new Error('no randomness is left');
    return next;
  };
}

/** The checks of all groups that `provider` lists. */
export function groupChecks(provider: Provider): Check[] {
  return Object.values(provider.groups).flatMap((group) => [
    ...answerChecks(provider, group),
    ...keyChecks(provider, group),
    ...(group.name === 'x25519' ? coordinateChecks(provider, group) : pointChecks(provider, group, group.name)),
  ]);
}

function naming(provider: Provider, group: Group): (what: string, run: () => void) => Check {
  return (what, run) => ({ name: `${provider.name} ${group.name}: ${what}`, run });
}

function answerChecks(provider: Provider, group: Group): Check[] {
  const check = naming(provider, group);
  return [
    check('is listed under its name', () => {
      ensure(provider.groups[group.name] === group, 'listed under another name');
      ensure(NamedGroup[group.name] > 0, 'no such group');
    }),
    ...GROUP_VECTORS.filter((vector) => vector.group === group.name).map((vector) =>
      check(`gives the published answer (${vector.source})`, () => {
        const share = group.generate(drawing(hex(vector.privateKey)));
        if (vector.publicKey !== undefined) sameBytes(share.publicKey, hex(vector.publicKey), 'public key');
        sameBytes(agreed(share, hex(vector.peer)), hex(vector.secret), 'secret');
        sameBytes(agreed(share, unaligned(hex(vector.peer))), hex(vector.secret), 'secret, from an odd address');
      }),
    ),
    check('agrees both ways, on secrets of one length', () => {
      for (let seed = 0; seed < 6; seed++) {
        const [one, other] = [seed, seed + 100].map((each) => group.generate(drawing(pattern(secretLength(group.name), each)))) as [KeyShare, KeyShare];
        const secret = agreed(one, other.publicKey);
        sameBytes(agreed(other, one.publicKey), secret, `seed ${seed}`);
        ensure(secret.length === secretLength(group.name), 'length');
      }
    }),
    check('gives plain arrays that are the caller’s own', () => {
      const share = group.generate(drawing(pattern(secretLength(group.name), 1)));
      const peer = honestPoint(group.name);
      const first = agreed(share, peer);
      const kept = first.slice();
      ensure(share.publicKey.constructor === Uint8Array && first.constructor === Uint8Array, 'not plain');
      ensure(first.buffer.byteLength === first.length && share.publicKey.buffer.byteLength === share.publicKey.length, 'a view of something larger');
      first.fill(0);
      sameBytes(agreed(share, peer), kept, 'after the first was wiped');
      sameBytes(peer, honestPoint(group.name), 'the peer’s');
    }),
  ];
}

function keyChecks(provider: Provider, group: Group): Check[] {
  const check = naming(provider, group);
  const length = secretLength(group.name);
  return [
    check('takes its key from the given randomness alone', () => {
      const asked: number[] = [];
      const first = group.generate((size) => {
        asked.push(size);
        return pattern(size, 7);
      });
      ensure(asked.length === 1 && asked[0] === length, `asked for ${asked.join(' and ')} bytes`);
      sameBytes(group.generate((size) => pattern(size, 7)).publicKey, first.publicKey, 'the same randomness');
      const other = group.generate((size) => pattern(size, 8)).publicKey;
      ensure(other.some((byte, index) => byte !== first.publicKey[index]), 'other randomness, the same key');
    }),
    check('keeps its key when the source uses its array again', () => {
      const array = pattern(length, 9);
      const share = group.generate(() => array);
      const secret = agreed(share, honestPoint(group.name));
      array.fill(1);
      sameBytes(agreed(share, honestPoint(group.name)), secret, 'afterwards');
    }),
    check('fails closed when randomness fails or comes up short', () => {
      throwsCode('ERR_DTLS_RANDOM', () => group.generate((size) => new Uint8Array(size - 1)), 'a byte short');
      throwsCode('ERR_DTLS_RANDOM', () => group.generate((size) => new Uint8Array(size + 1)), 'a byte too many');
      const failure = new LocalError('ERR_DTLS_RANDOM', 'nothing');
      throwsCode('ERR_DTLS_RANDOM', () => group.generate(() => { throw failure; }), 'thrown');
    }),
    check('never goes on with a key that was wiped', () => {
      const share = group.generate(drawing(pattern(length, 3)));
      share.wipe();
      share.wipe();
      throwsCode('ERR_DTLS_FREED', () => share.agree(honestPoint(group.name)), 'agree');
      throwsCode('ERR_DTLS_FREED', () => share.agree(new Uint8Array(0)), 'agree with nothing');
    }),
  ];
}

function pointChecks(provider: Provider, group: Group, name: 'secp256r1' | 'secp384r1'): Check[] {
  const check = naming(provider, group);
  const length = secretLength(name);
  const order = ORDERS[name];
  const share = (): KeyShare => group.generate(drawing(pattern(length, 11)));
  return [
    check('draws again for a key that is 0, or not below the order', () => {
      for (const wrong of [0n, order, order + 1n, 2n ** BigInt(8 * length) - 1n]) {
        const [refused, taken] = [bigEndian(wrong, length), pattern(length, 5)];
        sameBytes(group.generate(drawing(refused, taken)).publicKey, group.generate(drawing(taken)).publicKey, toText(wrong));
        throwsCode('ERR_DTLS_RANDOM', () => group.generate(() => refused), `${toText(wrong)}, always`);
      }
    }),
    check('takes the smallest and the largest key', () => {
      const [smallest, largest] = [1n, order - 1n].map((key) => group.generate(drawing(bigEndian(key, length))).publicKey) as [Uint8Array, Uint8Array];
      sameBytes(smallest.subarray(0, 1 + length), largest.subarray(0, 1 + length), 'x of G and of −G');
      ensure(smallest.at(-1) !== largest.at(-1), 'y of G and of −G');
    }),
    ...wrongPoints(name).map((wrong) =>
      check(`CRY-01: ${wrong.name} is no public value`, () => {
        const own = share();
        ensure(own.agree(wrong.bytes) === null, 'agreed');
        ensure(own.agree(unaligned(wrong.bytes)) === null, 'agreed at an odd address');
        ensure(own.agree(honestPoint(name)) !== null, 'refuses an honest one afterwards');
      }),
    ),
    ...oddPoints(name).map((odd) => check(`takes a point with ${odd.name}`, () => void agreed(share(), odd.bytes))),
    check('agrees with a point and its negative on one secret', () => {
      const [one, other] = oddPoints(name) as [NamedBytes, NamedBytes];
      sameBytes(agreed(share(), one.bytes), agreed(share(), other.bytes), one.name);
      ensure(numberOf(one.bytes) !== numberOf(other.bytes), 'the same point');
    }),
  ];
}

function coordinateChecks(provider: Provider, group: Group): Check[] {
  const check = naming(provider, group);
  return [
    check('gives the published answer (RFC 7748 §5.2, a thousand rounds)', () => {
      let [k, u] = [hex(`09${'00'.repeat(31)}`), hex(`09${'00'.repeat(31)}`)];
      for (let round = 0; round < 1000; round++) [k, u] = [agreed(group.generate(drawing(k)), u), k];
      sameBytes(k, hex(THOUSAND_ROUNDS), 'after 1,000 rounds');
    }),
    ...wrongCoordinates().map((wrong) =>
      check(`CRY-03: ${wrong.name} is no public value`, () => {
        for (const key of [pattern(32, 11), new Uint8Array(32), new Uint8Array(32).fill(255)]) {
          const own = group.generate(drawing(key));
          ensure(own.agree(wrong.bytes) === null, 'agreed');
          ensure(own.agree(honestPoint('x25519')) !== null, 'refuses an honest one afterwards');
        }
      }),
    ),
    check('reduces a coordinate beyond p, and ignores its top bit', () => {
      const share = group.generate(drawing(pattern(32, 12)));
      for (const [beyond, below] of REDUCED_COORDINATES) {
        const secret = agreed(share, below);
        sameBytes(agreed(share, beyond), secret, 'beyond p');
        const marked = below.slice();
        marked[31]! |= 0x80;
        sameBytes(agreed(share, marked), secret, 'with the top bit');
      }
    }),
  ];
}

/** Checks that two providers do the same with every group that both have. */
export function groupAgreement(one: Provider, other: Provider): Check[] {
  const shared = (Object.keys(one.groups) as GroupName[]).filter((name) => other.groups[name] !== undefined);
  return shared.flatMap((name) => {
    const groups = [one.groups[name]!, other.groups[name]!] as const;
    const check = (what: string, run: () => void): Check => ({ name: `${one.name} and ${other.name} ${name}: ${what}`, run });
    return [
      check('the same keys from the same randomness, the same secrets', () => {
        for (let seed = 0; seed < 8; seed++) {
          const [first, second] = groups.map((group) => group.generate(drawing(pattern(secretLength(name), seed)))) as [KeyShare, KeyShare];
          sameBytes(first.publicKey, second.publicKey, `key ${seed}`);
          const peer = groups[seed % 2]!.generate(drawing(pattern(secretLength(name), seed + 50))).publicKey;
          sameBytes(agreed(first, peer), agreed(second, peer), `secret ${seed}`);
        }
      }),
    ];
  });
}

/** The secret; throws if there is none. */
function agreed(share: KeyShare, peer: Uint8Array): Uint8Array {
  const secret = share.agree(peer);
  ensure(secret !== null, 'no secret');
  return secret;
}

function toText(key: bigint): string {
  return `a key of 0x${key.toString(16)}`;
}
