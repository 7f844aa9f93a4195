/**
 * Certificates, keys and lists as a host has them: PEM text, the bytes of a file, DER. Here what `x509/` throws about
 * bytes becomes an error about the host's source.
 *
 * Law: whatever is wrong is a `LocalError` that names the source, says which of several things in it, and why.
 */
import { copyOf } from '../wire/bytes.js';
import { LocalError, PeerError, type DtlsErrorCode } from '../wire/errors.js';
import { parseCertificate, type Certificate } from '../x509/certificate.js';
import { parseRevocationList, type RevocationList } from '../x509/crl.js';
import { readPublicKey } from '../x509/keys.js';
import { readBlocks, type PemSource } from '../x509/pem.js';

export type { PemSource };

/** A kind of thing that a source holds. */
export interface Kind<T> {
  /** For people: `certificate`. */
  readonly name: string;
  /** Label of its PEM blocks. */
  readonly label: string;
  parse(der: Uint8Array): T;
}

/** Certificates (RFC 7468 §5). */
export const CERTIFICATES: Kind<Certificate> = { name: 'certificate', label: 'CERTIFICATE', parse: (der) => parseCertificate(copyOf(der)) };

/** Revocation lists (RFC 7468 §6). */
export const REVOCATION_LISTS: Kind<RevocationList> = {
  name: 'revocation list', label: 'X509 CRL', parse: (der) => parseRevocationList(copyOf(der)),
};

/** SubjectPublicKeyInfos (RFC 7468 §13) with a key that is supported, as bytes. */
export const PUBLIC_KEYS: Kind<Uint8Array> = {
  name: 'public key',
  label: 'PUBLIC KEY',
  parse: (der) => {
    readPublicKey(der);
    return copyOf(der);
  },
};

/** Calls `act`; what it throws about bytes is thrown as a `LocalError` that begins with `where`. */
export function explain<T>(code: DtlsErrorCode, where: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new LocalError(code, `${where}: ${error.message}`, undefined, error);
  }
}

/** Everything of one kind in some sources, in order. Blocks of other kinds are passed over; a source without any is an error. */
export function readSources<T>(code: DtlsErrorCode, where: string, sources: PemSource | readonly PemSource[], kind: Kind<T>): T[] {
  const list = typeof sources === 'string' || sources instanceof Uint8Array ? [sources] : sources;
  if (!Array.isArray(list)) throw new LocalError(code, `${where}: neither text nor bytes nor a list of them`);
  return list.flatMap((source: unknown, index) => {
    const which = list.length > 1 ? `${where} (${index + 1} of ${list.length})` : where;
    if (typeof source !== 'string' && !(source instanceof Uint8Array)) throw new LocalError(code, `${which}: neither text nor bytes`);
    return readSource(code, which, source, kind);
  });
}

function readSource<T>(code: DtlsErrorCode, where: string, source: PemSource, { name, label, parse }: Kind<T>): T[] {
  const blocks = explain(code, where, () => readBlocks(source, label));
  const mine = blocks.filter((block) => block.label === label);
  if (mine.length === 0) throw new LocalError(code, `${where}: no ${name} in it but ${blocks.map((block) => `"${block.label}"`).join(', ')}`);
  return mine.map(({ der }, index) => explain(code, mine.length > 1 ? `${where}: ${name} ${index + 1}` : where, () => parse(der)));
}
