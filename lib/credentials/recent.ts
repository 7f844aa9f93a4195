/**
 * Certificates that were seen lately, so that a peer that comes again, and the intermediate authorities that many peers
 * show, are read once.
 *
 * Law: found by all of their bytes; a bounded number of them, none large, the one that was used longest ago gives way.
 * What is kept owns its bytes: nobody else can change them.
 */
import { copyOf } from '../wire/bytes.js';
import { parseCertificate, type Certificate } from '../x509/certificate.js';

/** Certificates that are kept, and the bytes of the largest. */
const LIMIT = 32;
const MAX_BYTES = 4096;

export class RecentCertificates {
  /** In the order of their last use. */
  readonly #known: Certificate[] = [];

  /** The certificate of `der`, read now unless it is there. Throws as `parseCertificate` does. */
  parse(der: Uint8Array): Certificate {
    const known = this.#known;
    const at = known.findIndex((one) => isSame(one.der, der));
    const certificate = at < 0 ? parseCertificate(copyOf(der)) : known.splice(at, 1)[0]!;
    if (der.length > MAX_BYTES) return certificate;
    if (known.length >= LIMIT) known.shift();
    known.push(certificate);
    return certificate;
  }
}

/** Nothing secret: the first difference ends it, and signatures differ at the end. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let at = a.length;
  if (at !== b.length) return false;
  while (at > 0 && a[at - 1] === b[at - 1]) at--;
  return at === 0;
}
