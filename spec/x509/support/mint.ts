/**
 * Certificates of any make, right or wrong: what an honest tool refuses to issue can be minted here. DER is put together
 * by a writer of its own (`tlv`), keys and signatures are node:crypto's.
 *
 * Keys are made once per name and kept for the run: they are for nothing else.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** One element; the length is always in its shortest form. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const digits = body.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, ...parts);
export const octets = (...parts: readonly Uint8Array[]): Buffer => tlv(0x04, ...parts);
export const bits = (bytes: Uint8Array, unused: number = 0): Buffer => tlv(0x03, Buffer.from([unused]), bytes);
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const text = (value: string, tag: number = 0x0c): Buffer => tlv(tag, Buffer.from(value, tag === 0x0c ? 'utf8' : 'latin1'));
export const hex = (digits: string): Buffer => Buffer.from(digits.replace(/\s/g, ''), 'hex');

/** A non-negative INTEGER. */
export function integer(value: number): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return tlv(0x02, bytes[0]! >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);
}

/** An OBJECT IDENTIFIER. */
export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(BigInt);
  const bytes = [first! * 40n + second!, ...rest].flatMap((arc) => {
    const groups = [Number(arc % 128n)];
    for (let left = arc / 128n; left > 0n; left /= 128n) groups.unshift(0x80 | Number(left % 128n));
    return groups;
  });
  return tlv(0x06, Buffer.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on. */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050 ? text(digits.slice(2), 0x17) : text(digits, 0x18);
}

/** Name with one common name, or an empty one. */
export function nameOf(common: string): Buffer {
  return common === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), text(common))));
}

/** One extension. */
export function extension(id: string, value: Uint8Array, critical: boolean = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

export const dnsName = (name: string): Buffer => text(name, 0x82);
export const uriName = (name: string): Buffer => text(name, 0x86);
export const ipName = (...bytes: readonly number[]): Buffer => tlv(0x87, Buffer.from(bytes));
export const directoryName = (name: Uint8Array): Buffer => tlv(0xa4, name);
export const subjectAltName = (...names: readonly Uint8Array[]): Buffer => extension('2.5.29.17', sequence(...names));
export const extendedKeyUsage = (...ids: readonly string[]): Buffer => extension('2.5.29.37', sequence(...ids.map(oid)));
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export function basicConstraints(ca: boolean, pathLength: number | null = null): Buffer {
  return extension('2.5.29.19', sequence(...(ca ? [boolean(true)] : []), ...(pathLength === null ? [] : [integer(pathLength)])), true);
}

/** Named bits: 0 digitalSignature, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...usages: readonly number[]): Buffer {
  const byte = usages.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension('2.5.29.15', bits(Buffer.from([byte]), byte === 0 ? 0 : 31 - Math.clz32(byte & -byte)), true);
}

/** Subtrees are GeneralNames. */
export function nameConstraints(permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Buffer {
  const side = (tag: number, names: readonly Uint8Array[]): Buffer[] => (names.length === 0 ? [] : [tlv(tag, ...names.map((name) => sequence(name)))]);
  return extension('2.5.29.30', sequence(...side(0xa0, permitted), ...side(0xa1, excluded)), true);
}

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: Buffer;
}

const pairs = new Map<string, KeyPair>();

/** The key pair of a name; `kind` is a curve, `ed25519`, or `rsa` with the number of bits. */
export function keyPair(name: string, kind: string = 'prime256v1'): KeyPair {
  const known = pairs.get(`${kind} ${name}`);
  if (known !== undefined) return known;
  const made =
    kind === 'ed25519' ? generateKeyPairSync('ed25519')
    : kind.startsWith('rsa') ? generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(3)) })
    : generateKeyPairSync('ec', { namedCurve: kind });
  const pair = { ...made, spki: made.publicKey.export({ format: 'der', type: 'spki' }) };
  pairs.set(`${kind} ${name}`, pair);
  return pair;
}

/** Signature algorithms: identifier, and the hash for node:crypto. */
export type Algorithm = 'ecdsaSha256' | 'ecdsaSha384' | 'ecdsaSha512' | 'ecdsaSha1' | 'rsaSha256' | 'rsaSha1' | 'rsaMd5' | 'ed25519';
export const ALGORITHMS: Readonly<Record<Algorithm, readonly [Buffer, string | null]>> = {
  ecdsaSha256: [sequence(oid('1.2.840.10045.4.3.2')), 'sha256'],
  ecdsaSha384: [sequence(oid('1.2.840.10045.4.3.3')), 'sha384'],
  ecdsaSha512: [sequence(oid('1.2.840.10045.4.3.4')), 'sha512'],
  ecdsaSha1: [sequence(oid('1.2.840.10045.4.1')), 'sha1'],
  rsaSha256: [sequence(oid('1.2.840.113549.1.1.11'), tlv(5)), 'sha256'],
  rsaSha1: [sequence(oid('1.2.840.113549.1.1.5'), tlv(5)), 'sha1'],
  rsaMd5: [sequence(oid('1.2.840.113549.1.1.4'), tlv(5)), 'md5'],
  ed25519: [sequence(oid('1.3.101.112')), null],
};

/** What a certificate is to be; whatever is left out is as an honest one has it. */
export interface Design {
  readonly name?: string;
  /** Whole Name instead of `name`. */
  readonly subject?: Uint8Array;
  readonly issuer?: Minted | null;
  readonly issuerName?: Uint8Array;
  readonly key?: KeyPair;
  /** Key that signs, if it is not the issuer's. */
  readonly signedBy?: KeyPair;
  readonly algorithm?: Algorithm;
  /** AlgorithmIdentifiers inside and outside, where they are to differ. */
  readonly inner?: Uint8Array;
  readonly outer?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly spki?: Uint8Array;
  /** Something after the last field of TBSCertificate. */
  readonly trailing?: Uint8Array;
}

export interface Minted {
  readonly der: Buffer;
  readonly key: KeyPair;
  readonly subject: Uint8Array;
}

/** The middle of the time in which everything here is valid: 21 November 2026, noon. */
export const NOW: number = Date.UTC(2026, 10, 21, 12);
export const DAY = 86_400_000;

const V3 = tlv(0xa0, integer(2));
let serials = 0x1000;

/** Makes a certificate. Without an issuer it signs itself. */
export function mint(design: Design): Minted {
  const { name = 'leaf', issuer = null, notBefore = NOW - 100 * DAY, notAfter = NOW + 100 * DAY } = design;
  const key = design.key ?? keyPair(name);
  const subject = design.subject ?? nameOf(name);
  const signer = design.signedBy ?? issuer?.key ?? key;
  const algorithm = design.algorithm ?? naturalAlgorithm(signer);
  const [identifier, hash] = ALGORITHMS[algorithm];
  const extensions = design.extensions ?? [];
  const tbs = sequence(
    design.version ?? (extensions.length > 0 ? V3 : Buffer.alloc(0)),
    design.serial ?? integer(serials++),
    design.inner ?? identifier,
    design.issuerName ?? issuer?.subject ?? subject,
    design.validity ?? sequence(time(notBefore), time(notAfter)),
    subject,
    design.spki ?? key.spki,
    extensions.length > 0 ? tlv(0xa3, sequence(...extensions)) : Buffer.alloc(0),
    design.trailing ?? Buffer.alloc(0),
  );
  return { der: sequence(tbs, design.outer ?? identifier, bits(sign(hash, tbs, signer.privateKey))), key, subject };
}

function naturalAlgorithm({ privateKey }: KeyPair): Algorithm {
  return privateKey.asymmetricKeyType === 'ed25519' ? 'ed25519' : privateKey.asymmetricKeyType === 'rsa' ? 'rsaSha256' : 'ecdsaSha256';
}

/** An authority: CA:TRUE, keyCertSign and cRLSign, with a key identifier. */
export function mintAuthority(name: string, design: Design & { readonly pathLength?: number } = {}): Minted {
  const key = design.key ?? keyPair(name);
  const { pathLength = null, extensions = [basicConstraints(true, pathLength), keyUsage(5, 6), subjectKeyId(key)] } = design;
  return mint({ ...design, name, key, extensions });
}

/** An authority with further extensions. */
export function mintLimited(name: string, issuer: Minted | null, ...extensions: readonly Uint8Array[]): Minted {
  return mintAuthority(name, { issuer, extensions: [basicConstraints(true), keyUsage(5, 6), ...extensions] });
}

/** A server's leaf for some names. */
export function mintServer(issuer: Minted | null, names: readonly Uint8Array[] = [dnsName('server.test')], design: Design = {}): Minted {
  const extensions = [...(names.length > 0 ? [subjectAltName(...names)] : []), keyUsage(0), extendedKeyUsage(SERVER_AUTH)];
  return mint({ name: 'server', issuer, extensions, ...design });
}

export function subjectKeyId({ spki }: KeyPair): Buffer {
  return extension('2.5.29.14', octets(createHash('sha1').update(spki).digest()));
}

export function authorityKeyId({ spki }: KeyPair): Buffer {
  return extension('2.5.29.35', sequence(tlv(0x80, createHash('sha1').update(spki).digest())));
}

/** One of them as PEM. */
export function pem(der: Uint8Array, label: string = 'CERTIFICATE'): string {
  const lines = Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** A revocation list of an authority. */
export function mintList(issuer: Minted, design: {
  readonly serials?: readonly Uint8Array[];
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | null;
  readonly signedBy?: KeyPair;
  readonly extensions?: readonly Uint8Array[];
} = {}): Buffer {
  const { serials: revoked = [], thisUpdate = NOW - DAY, nextUpdate = NOW + DAY, signedBy = issuer.key, extensions = [] } = design;
  const [identifier, hash] = ALGORITHMS[naturalAlgorithm(signedBy)];
  const entries = revoked.map((serial) => sequence(serial, time(NOW - 2 * DAY)));
  const tbs = sequence(
    integer(1), identifier, issuer.subject, time(thisUpdate), ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...(extensions.length > 0 ? [tlv(0xa0, sequence(...extensions))] : []),
  );
  return sequence(tbs, identifier, bits(sign(hash, tbs, signedBy.privateKey)));
}
