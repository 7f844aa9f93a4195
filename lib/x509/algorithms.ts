/**
 * Object identifiers of keys and signatures, and what an AlgorithmIdentifier of a signature means here (RFC 5280
 * §4.1.1.2, RFC 5758 §3.2, RFC 4055 §3 and §5, RFC 8410 §3).
 *
 * Law: parameters are exactly those of the RFCs; an algorithm that nobody should trust any more is known by name and
 * has no scheme.
 */
import { SignatureScheme } from '../crypto/keys.js';
import { DerReader, Tag, contextTag, enterDer } from '../wire/der.js';
import { decodeError } from '../wire/errors.js';
import { unsupported } from './faults.js';

/** Keys and curves (RFC 5480 §2, RFC 8410 §3, RFC 8017 §A.1). */
export const KeyOid = {
  ec: '1.2.840.10045.2.1',
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  dsa: '1.2.840.10040.4.1',
  x25519: '1.3.101.110',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
} as const;

/** An algorithm that signs certificates. */
export interface SignatureAlgorithm {
  /** For people: `ECDSA with SHA-256`. */
  readonly name: string;
  /** Null: not verified here, because it is weak or unknown. */
  readonly scheme: SignatureScheme | null;
  /** Whether forgeries are within reach (RFC 9325 §4.5, RFC 9155). */
  readonly weak: boolean;
}

interface Row {
  readonly name: string;
  readonly scheme: SignatureScheme | null;
  /** What the parameters are: RSA's NULL may be absent too (RFC 4055 §5). */
  readonly parameters: 'absent' | 'null' | 'any';
}

const row = (name: string, scheme: SignatureScheme | null, parameters: Row['parameters']): Row => ({ name, scheme, parameters });

const MGF1 = '1.2.840.113549.1.1.8';

const ROWS: ReadonlyMap<string, Row> = /* @__PURE__ */ new Map([
  ['1.2.840.10045.4.3.2', row('ECDSA with SHA-256', SignatureScheme.ecdsaSha256, 'absent')],
  ['1.2.840.10045.4.3.3', row('ECDSA with SHA-384', SignatureScheme.ecdsaSha384, 'absent')],
  ['1.2.840.10045.4.3.4', row('ECDSA with SHA-512', SignatureScheme.ecdsaSha512, 'absent')],
  ['1.2.840.113549.1.1.11', row('RSA with SHA-256', SignatureScheme.rsaPkcs1Sha256, 'null')],
  ['1.2.840.113549.1.1.12', row('RSA with SHA-384', SignatureScheme.rsaPkcs1Sha384, 'null')],
  ['1.2.840.113549.1.1.13', row('RSA with SHA-512', SignatureScheme.rsaPkcs1Sha512, 'null')],
  ['1.3.101.112', row('Ed25519', SignatureScheme.ed25519, 'absent')],
  ['1.2.840.113549.1.1.2', row('RSA with MD2', null, 'any')],
  ['1.2.840.113549.1.1.4', row('RSA with MD5', null, 'any')],
  ['1.2.840.113549.1.1.5', row('RSA with SHA-1', null, 'any')],
  ['1.3.14.3.2.29', row('RSA with SHA-1', null, 'any')],
  ['1.2.840.10045.4.1', row('ECDSA with SHA-1', null, 'any')],
  ['1.2.840.10040.4.3', row('DSA with SHA-1', null, 'any')],
]);

/** Hash functions of RSASSA-PSS, each with its length, which is the salt's too in the schemes of TLS. */
const PSS_HASHES: ReadonlyMap<string, readonly [string, number, SignatureScheme]> = /* @__PURE__ */ new Map([
  ['2.16.840.1.101.3.4.2.1', ['SHA-256', 32, SignatureScheme.rsaPssRsaeSha256] as const],
  ['2.16.840.1.101.3.4.2.2', ['SHA-384', 48, SignatureScheme.rsaPssRsaeSha384] as const],
  ['2.16.840.1.101.3.4.2.3', ['SHA-512', 64, SignatureScheme.rsaPssRsaeSha512] as const],
]);

/** Reads the AlgorithmIdentifier of a signature. Throws for parameters that do not belong to it. */
export function readSignatureAlgorithm(identifier: Uint8Array): SignatureAlgorithm {
  const reader = enterDer(identifier, Tag.sequence, 'an AlgorithmIdentifier');
  const oid = reader.oid();
  if (oid === KeyOid.rsaPss) return readPss(reader);
  const known = ROWS.get(oid);
  if (known === undefined) return { name: `algorithm ${oid}`, scheme: null, weak: false };
  if (known.parameters === 'any') return { name: known.name, scheme: null, weak: true };
  if (known.parameters === 'null' && reader.left > 0) reader.null();
  reader.expectEnd(`the AlgorithmIdentifier of ${known.name}`);
  return { name: known.name, scheme: known.scheme, weak: false };
}

/**
 * RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm, [1] maskGenAlgorithm, [2] saltLength, [3] trailerField }
 * (RFC 4055 §3.1). The defaults mean SHA-1.
 */
function readPss(algorithm: DerReader): SignatureAlgorithm {
  const parameters = algorithm.enter(Tag.sequence);
  algorithm.expectEnd('the AlgorithmIdentifier of RSASSA-PSS');
  if (!parameters.isNext(contextTag(0))) return { name: 'RSA-PSS with SHA-1', scheme: null, weak: true };
  const hash = explicit(parameters, 0, readHash);
  const known = PSS_HASHES.get(hash);
  if (known === undefined) return { name: `RSA-PSS with hash ${hash}`, scheme: null, weak: false };
  const [name, length, scheme] = known;
  const mask = parameters.isNext(contextTag(1)) ? explicit(parameters, 1, readMaskHash) : '';
  const salt = parameters.isNext(contextTag(2)) ? explicit(parameters, 2, (reader) => reader.small(0xffff)) : 20;
  const trailer = parameters.isNext(contextTag(3)) ? explicit(parameters, 3, (reader) => reader.small(0xff)) : 1;
  parameters.expectEnd('RSASSA-PSS-params');
  if (trailer !== 1) throw decodeError(`RSASSA-PSS-params with trailer field ${trailer}`);
  if (mask !== hash || salt !== length) throw unsupported(`RSA-PSS with ${name} and other parameters than TLS has`);
  return { name: `RSA-PSS with ${name}`, scheme, weak: false };
}

function explicit<T>(reader: DerReader, number: number, read: (inner: DerReader) => T): T {
  const inner = reader.enter(contextTag(number));
  const value = read(inner);
  inner.expectEnd(`[${number}] of RSASSA-PSS-params`);
  return value;
}

function readHash(reader: DerReader): string {
  const identifier = reader.enter(Tag.sequence);
  const oid = identifier.oid();
  if (identifier.left > 0) identifier.null();
  identifier.expectEnd('the AlgorithmIdentifier of a hash');
  return oid;
}

function readMaskHash(reader: DerReader): string {
  const identifier = reader.enter(Tag.sequence);
  if (identifier.oid() !== MGF1) throw unsupported('RSA-PSS with another mask than MGF1');
  const hash = readHash(identifier);
  identifier.expectEnd('the AlgorithmIdentifier of MGF1');
  return hash;
}
