/**
 * Whom a side believes: authorities (X.509, RFC 5280), public keys given one by one (RFC 7250 §6), fingerprints of
 * certificates or keys (as WebRTC and DANE-EE have them: RFC 8122 §5, RFC 7671 §5.1).
 *
 * Law: what is given adds up: a peer is believed if any one of the ways believes it. Judging never throws for what a
 * peer shows, and its work is bounded. A server must have the name that the host expects, unless the host says `anyName`
 * or gave that very certificate, key or fingerprint.
 */
import type { Provider } from '../crypto/provider.js';
import type { PublicKey } from '../crypto/keys.js';
import { CertificateType, type Shown, type Trust, type Verdict } from '../handshake/authenticate.js';
import { copyOf, equalBytes } from '../wire/bytes.js';
import { LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription } from '../wire/registry.js';
import { describeCertificate, parseCertificate } from '../x509/certificate.js';
import { RevocationLists } from '../x509/crl.js';
import type { Fault } from '../x509/faults.js';
import { Authorities } from '../x509/graph.js';
import { describeKey, readPublicKey } from '../x509/keys.js';
import { useKey, type KnownVerifiers } from '../x509/signatures.js';
import { verifyChain } from '../x509/verify.js';
import { parsePin } from './pin.js';
import { RecentCertificates } from './recent.js';
import { CERTIFICATES, PUBLIC_KEYS, REVOCATION_LISTS, explain, readSources, type PemSource } from './source.js';

/** Whom to believe. At least one of `authorities`, `rawKeys` and `pins` must be there. */
export interface TrustOptions {
  /** Checks signatures, and hashes for `pins` (SHA-256). */
  readonly provider: Provider;
  /**
   * Certificates of authorities, PEM (any number in one text) or DER. Each is believed as it stands: its issuer is not
   * asked for, its own signature not looked at, but its dates, path length, usages and name constraints hold. A given
   * certificate that is itself shown as a leaf is believed too.
   */
  readonly authorities?: PemSource | readonly PemSource[] | undefined;
  /** Revocation lists (CRLs), PEM or DER, kept fresh by the host (by making a new trust store). */
  readonly revocationLists?: PemSource | readonly PemSource[] | undefined;
  /**
   * `listed` (default): a certificate whose issuer has a list among `revocationLists` is checked against it, and refused
   * if the list is out of date. `all`: a certificate whose issuer has no list is refused too.
   */
  readonly revocation?: 'listed' | 'all' | undefined;
  /** Public keys that are believed as they are, PEM (`PUBLIC KEY`) or DER (SubjectPublicKeyInfo). */
  readonly rawKeys?: PemSource | readonly PemSource[] | undefined;
  /**
   * SHA-256 fingerprints of a peer's certificate or of its key (SubjectPublicKeyInfo): 32 bytes, hexadecimal with or
   * without colons (also as in SDP, `sha-256 AB:CD:…`), or `sha256/` and base64. Dates, names and issuers of a pinned
   * certificate do not count.
   */
  readonly pins?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** Believe a server whatever its name, where none is expected: only for authorities that issue to nobody else. */
  readonly anyName?: boolean | undefined;
}

/** Bytes of authorities' names that are worth sending in a CertificateRequest; beyond, none is named, which means any. */
const MAX_NAMES_BYTES = 4096;

const ARGUMENT = 'ERR_DTLS_ARGUMENT';

/** A Trust of what is given. Throws a `LocalError` that names the option and says what is wrong with it. */
export function trustStore(options: TrustOptions): Trust {
  return new TrustStore(options);
}

class TrustStore implements Trust {
  readonly types: readonly CertificateType[];
  readonly authorities: readonly Uint8Array[];
  readonly #provider: Provider;
  readonly #authorities: Authorities;
  readonly #lists: RevocationLists | null;
  readonly #rawKeys: readonly Uint8Array[];
  readonly #pins: readonly Uint8Array[];
  readonly #anyName: boolean;
  readonly #recent: RecentCertificates = new RecentCertificates();
  readonly #known: KnownVerifiers = new WeakMap();

  constructor(options: TrustOptions) {
    const { provider, authorities = [], revocationLists, revocation = 'listed', rawKeys = [], pins = [], anyName = false } = options;
    if (provider?.signatures === undefined) throw new LocalError(ARGUMENT, 'provider: it is none');
    if (revocation !== 'listed' && revocation !== 'all') throw new LocalError(ARGUMENT, `revocation: neither 'listed' nor 'all'`);
    // The text 'false' would be as good as true.
    if (typeof anyName !== 'boolean') throw new LocalError(ARGUMENT, 'anyName: neither true nor false');
    this.#provider = provider;
    this.#authorities = new Authorities(readSources(ARGUMENT, 'authorities', authorities, CERTIFICATES));
    this.#rawKeys = readSources(ARGUMENT, 'rawKeys', rawKeys, PUBLIC_KEYS);
    const fingerprints = typeof pins === 'string' || pins instanceof Uint8Array ? [pins] : pins;
    if (!Array.isArray(fingerprints)) throw new LocalError(ARGUMENT, 'pins: neither text nor bytes nor a list of them');
    this.#pins = fingerprints.map((pin, index) => explain(ARGUMENT, `pins (${index + 1} of ${fingerprints.length})`, () => parsePin(pin)));
    const lists = revocationLists === undefined ? [] : readSources(ARGUMENT, 'revocationLists', revocationLists, REVOCATION_LISTS);
    this.#lists = lists.length > 0 || revocation === 'all' ? new RevocationLists(lists, revocation === 'all') : null;
    this.#anyName = anyName;
    const { names } = this.#authorities;
    const x509 = names.length > 0 || this.#pins.length > 0;
    this.types = [...(x509 ? [CertificateType.x509] : []), ...(this.#rawKeys.length > 0 ? [CertificateType.rawKey] : [])];
    this.authorities = names.reduce((length, name) => length + 2 + name.length, 0) > MAX_NAMES_BYTES || this.#pins.length > 0 ? [] : names;
    if (this.types.length === 0) throw new LocalError(ARGUMENT, 'a trust store without authorities, rawKeys and pins believes nobody');
    if (this.#pins.length > 0 && provider.hashes.sha256 === undefined) {
      throw new LocalError('ERR_DTLS_NO_PROVIDER', `pins need SHA-256, which the provider ${provider.name} lacks`);
    }
  }

  judge(shown: Shown): Verdict {
    try {
      return shown.type === CertificateType.rawKey ? this.#judgeRawKey(shown) : this.#judgeChain(shown);
    } catch (error) {
      return unreadable(error);
    }
  }

  #judgeRawKey({ chain }: Shown): Verdict {
    const [spki] = chain;
    if (spki === undefined || chain.length !== 1) return refusal(null, badCertificate(`${chain.length} raw public keys, where one belongs`));
    const publicKey = readPublicKey(spki);
    const { fault } = useKey({ publicKey, keyFault: '' }, () => 'the raw public key', this.#provider);
    if (fault !== null) return refusal(null, fault);
    if (this.#rawKeys.some((known) => equalBytes(known, spki)) || this.#isPinned(spki)) return belief(publicKey);
    return refusal(publicKey, badCertificate(`the raw public key (${describeKey(publicKey)}) is not among those that are trusted`));
  }

  #judgeChain({ chain, role, serverName, wallClock }: Shown): Verdict {
    const [first, ...rest] = chain;
    if (first === undefined) return refusal(null, badCertificate('no certificate was shown'));
    const leaf = this.#recent.parse(first);
    // The host sees it, and what is kept is nobody else's.
    const publicKey = leaf.publicKey === null ? null : ownKey(leaf.publicKey);
    const what = (): string => `the certificate of ${describeCertificate(leaf)}`;
    const { fault: unusable } = useKey(leaf, () => `the key of ${what()}`, this.#provider, this.#known);
    if (unusable !== null) return refusal(null, unusable);
    if (this.#isPinned(first) || this.#isPinned(leaf.spki)) return belief(publicKey!);
    const sent = rest.map((der) => this.#recent.parse(der));
    // Where fingerprints are all there is, a sentence about authorities would mislead.
    if (this.#authorities.names.length === 0 && this.#pins.length > 0) {
      return refusal(publicKey, badCertificate(`${what()} has none of the fingerprints that are trusted`));
    }
    const name = role === 'server' ? serverName : null;
    const grounds = { authorities: this.#authorities, lists: this.#lists, provider: this.#provider, known: this.#known };
    const fault = verifyChain(leaf, sent, { role, name, now: wallClock }, grounds);
    const onlyLate = fault === null || fault.alert === AlertDescription.certificateExpired;
    if (onlyLate && role === 'server' && name === null && !this.#anyName && !this.#authorities.holds(leaf)) {
      return refusal(publicKey, badCertificate(`no server name is expected, so nothing says that ${what()} is the right one`));
    }
    return fault === null ? belief(publicKey!) : refusal(publicKey, fault);
  }

  #isPinned(bytes: Uint8Array): boolean {
    if (this.#pins.length === 0) return false;
    const hash = this.#provider.hashes.sha256!.start();
    hash.update(bytes);
    const fingerprint = hash.digest();
    return this.#pins.some((pin) => equalBytes(pin, fingerprint));
  }
}

/**
 * DANGEROUS. A Trust that believes EVERYTHING that can be read: any certificate, expired, revoked, for any name, by
 * anybody. Whoever stands between two peers can be either of them. For tests, and for nothing else.
 */
export function trustEverything(): Trust {
  return {
    types: [CertificateType.x509, CertificateType.rawKey],
    authorities: [],
    judge: ({ type, chain }: Shown): Verdict => {
      try {
        const [first] = chain;
        if (first === undefined) return refusal(null, badCertificate('no certificate was shown'));
        if (type === CertificateType.rawKey) return belief(readPublicKey(first));
        const { publicKey, keyFault } = parseCertificate(first);
        return publicKey === null ? refusal(null, { alert: AlertDescription.unsupportedCertificate, reason: keyFault }) : belief(publicKey);
      } catch (error) {
        return unreadable(error);
      }
    },
  };
}

/** A key with bytes of its own. */
function ownKey(key: PublicKey): PublicKey {
  switch (key.kind) {
    case 'ec':
      return { kind: key.kind, curve: key.curve, point: copyOf(key.point) };
    case 'ed25519':
      return { kind: key.kind, key: copyOf(key.key) };
    case 'rsa':
      return { kind: key.kind, modulus: copyOf(key.modulus), exponent: copyOf(key.exponent) };
  }
}

function belief(publicKey: PublicKey): Verdict {
  return { trusted: true, publicKey, alert: 0, reason: '' };
}

function refusal(publicKey: PublicKey | null, { alert, reason }: Fault): Verdict {
  return { trusted: false, publicKey, alert, reason };
}

/** What could not be read is a bad certificate (RFC 5246 §7.2.2); what we do not know, an unsupported one. */
function unreadable(error: unknown): Verdict {
  if (!(error instanceof PeerError)) throw error;
  const { code, message } = error;
  const alert = code === 'ERR_DTLS_DECODE' ? AlertDescription.badCertificate : error.alert;
  return refusal(null, { alert, reason: `what the peer shows cannot be read: ${message}` });
}

function badCertificate(reason: string): Fault {
  return { alert: AlertDescription.badCertificate, reason };
}
