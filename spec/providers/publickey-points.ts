/**
 * Public values that nobody honest sends, for each group, each with its name: what CRY-01 and CRY-03 list and what
 * follows from it. And a few that look odd and are right.
 */
import type { GroupName } from '../../lib/crypto/keys.js';
import { concat } from '../../lib/wire/bytes.js';
import { hex } from './check.js';
import { GROUP_VECTORS } from './publickey-ecdh-vectors.js';

/** A public value and what to call it. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The prime of a curve, and two of its points with coordinates so small that adding the prime to x still fits. */
const CURVES = {
  secp256r1: {
    length: 32,
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    small: [
      [0n, 0x66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4n],
      [5n, 0x459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbccn],
    ],
  },
  secp384r1: {
    length: 48,
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    small: [
      [0n, 0xc306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1n],
      [2n, 0x8cdeadbbd04911a3c1931e26df3fa6439dca9c7eb286fbd46fc319f0e2bb780232baf57825fc0c1912ada2fefe84024cn],
    ],
  },
} as const;

/** A whole number in `length` bytes, big-endian. */
export function bigEndian(value: bigint, length: number): Uint8Array {
  return hex(value.toString(16).padStart(2 * length, '0'));
}

/** A whole number in 32 bytes, little-endian. */
export function littleEndian(value: bigint): Uint8Array {
  return bigEndian(value, 32).reverse();
}

/** A big-endian number. */
export function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** A public value of the group that is right, from a published vector. */
export function honestPoint(group: GroupName): Uint8Array {
  return hex(GROUP_VECTORS.find((vector) => vector.group === group && vector.publicKey !== undefined)!.publicKey!);
}

const point = (x: bigint, y: bigint, length: number): Uint8Array => concat(Uint8Array.of(4), bigEndian(x, length), bigEndian(y, length));

/** CRY-01: what no curve group takes. */
export function wrongPoints(group: 'secp256r1' | 'secp384r1'): NamedBytes[] {
  const { length, prime, small } = CURVES[group];
  const honest = honestPoint(group);
  const x = numberOf(honest.subarray(1, 1 + length));
  const y = numberOf(honest.subarray(1 + length));
  const starting = (first: number): Uint8Array => concat(Uint8Array.of(first), honest.subarray(1));
  const [[x0, y0], [x1, y1]] = small;
  const parity = honest.at(-1)! & 1;
  const entries: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['infinity in its own encoding', Uint8Array.of(0)],
    ['infinity, padded', new Uint8Array(1 + 2 * length)],
    ['zeros after the leading byte', point(0n, 0n, length)],
    ['the leading byte alone', Uint8Array.of(4)],
    ['one byte short', honest.subarray(0, 2 * length)],
    ['one byte long', concat(honest, Uint8Array.of(0))],
    ['no leading byte', honest.subarray(1)],
    ['a compressed point', concat(Uint8Array.of(2 + parity), honest.subarray(1, 1 + length))],
    ['a compressed point with the other root', concat(Uint8Array.of(3 - parity), honest.subarray(1, 1 + length))],
    ['a compressed point, padded', concat(Uint8Array.of(2 + parity), honest.subarray(1, 1 + length), new Uint8Array(length))],
    ['a hybrid point', starting(6 + parity)],
    ['a hybrid point of the wrong parity', starting(7 - parity)],
    ['a leading 0', starting(0)],
    ['a leading 2', starting(2)],
    ['a leading 5', starting(5)],
    ['a leading ff', starting(255)],
    ['off the curve by the last bit of y', point(x, y ^ 1n, length)],
    ['off the curve by the first bit of x', point(x ^ (1n << BigInt(8 * length - 2)), y, length)],
    ['coordinates exchanged', point(y, x, length)],
    ['on the twist: an x without y', point(1n, 1n, length)],
    ['y of 0', point(x, 0n, length)],
    ['x of p, for the point whose x is 0', point(x0 + prime, y0, length)],
    ['x above p, for a point whose x is small', point(x1 + prime, y1, length)],
    ['x of p − 1', point(prime - 1n, y, length)],
    ['coordinates of p', point(prime, prime, length)],
    ['all ones', new Uint8Array(1 + 2 * length).fill(255).fill(4, 0, 1)],
    ['another curve’s point', honestPoint(group === 'secp256r1' ? 'secp384r1' : 'secp256r1')],
    ['another curve’s point, cut or padded', concat(honestPoint(group === 'secp256r1' ? 'secp384r1' : 'secp256r1'), new Uint8Array(64)).subarray(0, 1 + 2 * length)],
    ['a public value of X25519', honestPoint('x25519')],
  ];
  return entries.map(([name, bytes]) => ({ name, bytes }));
}

/** Odd points of a curve group that are right all the same. */
export function oddPoints(group: 'secp256r1' | 'secp384r1'): NamedBytes[] {
  const { length, prime, small } = CURVES[group];
  return small.flatMap(([x, y]) => [
    { name: `x of ${x}`, bytes: point(x, y, length) },
    { name: `x of ${x}, the other y`, bytes: point(x, prime - y, length) },
  ]);
}

const P25519 = 2n ** 255n - 19n;

/** The two coordinates of order 8, https://cr.yp.to/ecdh.html#validate. */
const ORDER_8 = ['e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'];

/** CRY-03: what X25519 must not agree with. The five points of small order, the encodings beyond p, and all with the ignored bit set. */
export function wrongCoordinates(): NamedBytes[] {
  const small: [string, Uint8Array][] = [
    ['0', littleEndian(0n)],
    ['1', littleEndian(1n)],
    ['p − 1', littleEndian(P25519 - 1n)],
    ['the first of order 8', hex(ORDER_8[0]!)],
    ['the second of order 8', hex(ORDER_8[1]!)],
    ['p, another 0', littleEndian(P25519)],
    ['p + 1, another 1', littleEndian(P25519 + 1n)],
  ];
  const topBit = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, index) => (index === 31 ? byte | 0x80 : byte));
  const wrongLengths: [string, Uint8Array][] = [0, 1, 31, 33, 56, 64, 65].map((length) => [`${length} bytes`, new Uint8Array(length).fill(9)]);
  const entries = [...small, ...small.map(([name, bytes]) => [`${name}, top bit set`, topBit(bytes)] as [string, Uint8Array]), ...wrongLengths];
  return entries.map(([name, bytes]) => ({ name, bytes }));
}

/** Coordinates beyond p that RFC 7748 §5 says to reduce and take, each with its equal below p. */
export const REDUCED_COORDINATES: readonly (readonly [beyond: Uint8Array, below: Uint8Array])[] = [2n, 3n, 9n, 18n].map((u) => [
  littleEndian(P25519 + u),
  littleEndian(u),
]);
