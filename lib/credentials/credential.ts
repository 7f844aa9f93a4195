/**
 * What a side shows, from what the host has: files of certificates and keys, a key in a module that signs for us, a raw
 * key as tinydtls hands it around.
 *
 * Law: everything that can be found out is found out when it is loaded (the key is the certificate's, the chain is in
 * order, the provider can sign) and is a `LocalError` that names the source and the reason. Keys are copied out of
 * what is given and stay with the provider's signer.
 */
import { kindOf, type PublicKey, type SignatureScheme } from '../crypto/keys.js';
import type { Provider, Signer, Verifier } from '../crypto/provider.js';
import { CertificateType, type Credential, type CredentialSigner, type SignatureNow } from '../handshake/authenticate.js';
import { ecdsaCredential, type EcdsaKey } from '../handshake/ecdsakey.js';
import { EMPTY, concat, copyOf, equalBytes, wipe } from '../wire/bytes.js';
import { LocalError } from '../wire/errors.js';
import { describeCertificate, type Certificate } from '../x509/certificate.js';
import { KeyUsage } from '../x509/extensions.js';
import { describeKey, readPublicKey, writePublicKey } from '../x509/keys.js';
import { isForName } from '../x509/names.js';
import { readPrivateKey } from '../x509/privatekeys.js';
import { CERTIFICATES, PUBLIC_KEYS, explain, readSources, type PemSource } from './source.js';

/** A credential from certificates and a key, or from a key alone. */
export interface CredentialSource {
  /** The chain, leaf first, each certificate before the one that issued it: PEM (all in one text, or several), DER. */
  readonly certificate?: PemSource | readonly PemSource[] | undefined;
  /** Show the bare public key instead of a certificate (RFC 7250). */
  readonly rawKey?: boolean | undefined;
  /** The private key, unencrypted: PEM or DER of PKCS#8, SEC1 or PKCS#1. */
  readonly key: PemSource;
  /** What errors call this credential: a file name, say. */
  readonly name?: string | undefined;
}

/** A credential whose private key is elsewhere: in a module, a service, another process. */
export interface ExternalSource {
  /** As in `CredentialSource`. Either this or `spki`. */
  readonly certificate?: PemSource | readonly PemSource[] | undefined;
  /** A raw public key: SubjectPublicKeyInfo, PEM (`PUBLIC KEY`) or DER. */
  readonly spki?: PemSource | undefined;
  /** What the key can sign with, best first. */
  readonly schemes: readonly SignatureScheme[];
  /** A signature over `message` (ECDSA in DER), now or later; a negative alert or null if there is none. */
  sign(scheme: SignatureScheme, message: Uint8Array): SignatureNow | PromiseLike<SignatureNow>;
  /** As in `CredentialSource`. */
  readonly name?: string | undefined;
}

const CODE = 'ERR_DTLS_CREDENTIAL';

/** A credential that signs with `provider`. Throws a `LocalError` that says what is wrong with which part. */
export function loadCredential(source: CredentialSource, provider: Provider): Credential {
  const { certificate, rawKey = false, key, name = 'the credential' } = source;
  if (rawKey === (certificate !== undefined)) throw unusable(name, 'it needs either a certificate or rawKey: true');
  if (typeof key !== 'string' && !((key as unknown) instanceof Uint8Array)) throw unusable(name, 'its key is neither text nor bytes');
  const { publicKey, signer } = loadKey(key, `${name}, key`, provider);
  if (certificate === undefined) return rawKeyCredential(publicKey, signer);
  const chain = readSources(CODE, `${name}, certificate`, certificate, CERTIFICATES);
  const owner = chain.findIndex(({ spki }) => equalBytes(spki, writePublicKey(publicKey)));
  if (owner > 0) throw unusable(name, `the key belongs to certificate ${owner + 1} of the chain: the leaf must stand first, then each issuer`);
  if (owner < 0) throw unusable(name, `the key (${describeKey(publicKey)}) does not belong to the certificate of ${describeCertificate(chain[0]!)}`);
  return chainCredential(chain, publicKey, signer, name);
}

/** A credential whose signatures come from the host. Throws a `LocalError` as `loadCredential` does. */
export function externalCredential(source: ExternalSource): Credential {
  const { certificate, spki, schemes, name = 'the external credential' } = source;
  if ((certificate === undefined) === (spki === undefined)) throw unusable(name, 'it needs either a certificate or spki');
  const signer: CredentialSigner = { schemes: [...schemes], sign: (scheme, message) => source.sign(scheme, message) };
  const fitting = (publicKey: PublicKey): PublicKey => {
    const alien = schemes.find((scheme) => kindOf(scheme) !== publicKey.kind);
    if (schemes.length === 0) throw unusable(name, 'it has no signature schemes');
    if (alien !== undefined) throw unusable(name, `signature scheme 0x${alien.toString(16).padStart(4, '0')} does not fit ${describeKey(publicKey)}`);
    return publicKey;
  };
  if (certificate === undefined) {
    const keys = readSources(CODE, `${name}, spki`, spki!, PUBLIC_KEYS);
    if (keys.length !== 1) throw unusable(name, `${keys.length} public keys, where one belongs`);
    return rawKeyCredential(fitting(explain(CODE, `${name}, spki`, () => readPublicKey(keys[0]!))), signer);
  }
  const chain = readSources(CODE, `${name}, certificate`, certificate, CERTIFICATES);
  const { publicKey, keyFault } = chain[0] ?? { publicKey: null, keyFault: 'there is no certificate' };
  if (publicKey === null) throw unusable(name, keyFault);
  return chainCredential(chain, fitting(publicKey), signer, name);
}

/** A raw P-256 key pair as tinydtls has it. Throws a `LocalError` for a public key that is not the private key's. */
export function rawCredential(key: EcdsaKey, provider: Provider): Credential {
  const credential = ecdsaCredential(key, provider);
  const scalar = copyOf(key.privateKey);
  const derived = provider.signatures.ec?.publicKey({ kind: 'ec', curve: 'secp256r1', scalar });
  wipe(scalar);
  const given = concat(Uint8Array.of(4), key.publicKeyX, key.publicKeyY);
  if (derived?.kind !== 'ec' || !equalBytes(derived.point, given)) {
    throw unusable('the ECDSA key', 'its public key is not that of its private key');
  }
  return credential;
}

function loadKey(source: PemSource, where: string, provider: Provider): { readonly publicKey: PublicKey; readonly signer: CredentialSigner } {
  const key = explain(CODE, where, () => readPrivateKey(source));
  const family = provider.signatures[key.kind];
  const signer = family?.signer(key) ?? null;
  const publicKey = family?.publicKey(key) ?? null;
  if (signer === null || publicKey === null) {
    const kind = { ec: 'an EC key', ed25519: 'an Ed25519 key', rsa: 'an RSA key' }[key.kind];
    throw unusable(where, `the provider ${provider.name} cannot sign with ${kind} like this one`);
  }
  // The numbers of an RSA key stand in the file side by side, and platforms do not compare them all.
  if (key.kind === 'rsa' && !proves(signer, family?.verifier(publicKey) ?? null)) {
    throw unusable(where, 'it is damaged: its public half does not verify what it signs');
  }
  return { publicKey, signer };
}

/** Whether `verifier` takes a signature of `signer`. */
function proves(signer: Signer, verifier: Verifier | null): boolean {
  const [scheme] = signer.schemes;
  if (scheme === undefined || verifier === null) return false;
  try {
    const signature = signer.sign(scheme, EMPTY);
    return signature !== null && verifier.verify(scheme, EMPTY, signature);
  } catch {
    return false; // the platform looked at the key only now
  }
}

function rawKeyCredential(publicKey: PublicKey, signer: CredentialSigner): Credential {
  return { type: CertificateType.rawKey, chain: [writePublicKey(publicKey)], publicKey, signer, issuers: [] };
}

function chainCredential(chain: readonly Certificate[], publicKey: PublicKey, signer: CredentialSigner, name: string): Credential {
  const leaf = chain[0]!;
  const { keyUsage } = leaf.extensions;
  for (const [index, certificate] of chain.slice(1).entries()) {
    if (equalBytes(chain[index]!.issuer, certificate.subject)) continue;
    const below = `certificate ${index + 1} (${describeCertificate(chain[index]!)})`;
    const above = `certificate ${index + 2} (${describeCertificate(certificate)})`;
    throw unusable(name, `${above} did not issue ${below}: the leaf goes first, then each issuer`);
  }
  if (keyUsage !== null && (keyUsage & KeyUsage.digitalSignature) === 0) {
    throw unusable(name, `the certificate of ${describeCertificate(leaf)} is not for signatures (keyUsage has no digitalSignature)`);
  }
  const issuers: Uint8Array[] = [];
  for (const { issuer } of chain) if (!issuers.some((known) => equalBytes(known, issuer))) issuers.push(issuer);
  return {
    type: CertificateType.x509,
    chain: chain.map(({ der }) => der),
    publicKey,
    signer,
    issuers,
    names: (serverName) => isForName(leaf, serverName),
  };
}

function unusable(where: string, why: string): LocalError {
  return new LocalError(CODE, `${where}: ${why}`);
}
