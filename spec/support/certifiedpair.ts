/**
 * A client and a server of ours with certificates on one simulated network: each shows a chain of three that fills a
 * Certificate of 3 KiB, each believes the other's root.
 *
 * Keys are fresh in each run, but every certificate and every signature has the same length, so that a seed of the
 * network means the same datagrams each time.
 */
import { loadCredential } from '../../lib/credentials/credential.js';
import { trustStore } from '../../lib/credentials/trust.js';
import { SignatureScheme } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import type { Credential, Trust } from '../../lib/handshake/authenticate.js';
import type { DtlsHandler, DtlsOptions } from '../../lib/index.js';
import { ECDHE_ECDSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { Link, type LinkOptions } from './link.js';
import {
  basicConstraints, CLIENT_AUTH, dnsName, extendedKeyUsage, extension, keyUsage, mint, mintAuthority, NOW, octets, SERVER_AUTH,
  subjectAltName, type Design, type Minted,
} from '../x509/support/mint.js';
import type { Pair } from './pair.js';

/** Bytes of each certificate: three of them make a Certificate message of 3,078. */
const CERTIFICATE_BYTES = 1022;
/** Bytes of a Certificate message with such a chain. */
export const CHAIN_BYTES: number = 3 + 3 * (3 + CERTIFICATE_BYTES);
/** The usual length of an ECDSA signature on P-256 in DER: one in two has it. */
const SIGNATURE_BYTES = 71;

/** A comment in a certificate (netscape-comment), for its length alone. */
const padding = (bytes: number): Uint8Array => extension('2.16.840.1.113730.1.13', octets(new Uint8Array(bytes)));

/** A certificate of exactly `size` bytes, 1,000 or more. */
export function mintPadded(design: Design, size: number = CERTIFICATE_BYTES): Minted {
  for (let bytes = size - 500; ; ) {
    const minted = mint({ ...design, extensions: [...(design.extensions ?? []), padding(bytes)] });
    const missing = size - minted.der.length;
    if (missing === 0) return minted;
    // A signature has a byte more or less now and then; everything else is for the padding to make up.
    if (Math.abs(missing) > 1) bytes += missing;
  }
}

const anchor = mintAuthority('Root');
const ca = [basicConstraints(true), keyUsage(5, 6)];
const upper = mintPadded({ name: 'Upper', issuer: anchor, extensions: ca });
const lower = mintPadded({ name: 'Lower', issuer: upper, extensions: ca });

/** Each role's leaf. */
const LEAVES = {
  client: mintPadded({ name: 'client', issuer: lower, extensions: [keyUsage(0), extendedKeyUsage(CLIENT_AUTH)] }),
  server: mintPadded({ name: 'server', issuer: lower, extensions: [subjectAltName(dnsName('server.test')), keyUsage(0), extendedKeyUsage(SERVER_AUTH)] }),
} as const;

/** The chain of a role, leaf first. */
export function chainOf(role: 'client' | 'server'): Uint8Array[] {
  return [LEAVES[role], lower, upper].map(({ der }) => new Uint8Array(der));
}

/** What a role shows; its signatures all have one length. */
export function credentialOf(role: 'client' | 'server'): Credential {
  const key = new Uint8Array(LEAVES[role].key.privateKey.export({ type: 'pkcs8', format: 'der' }));
  const credential = loadCredential({ certificate: chainOf(role), key }, nativeProvider);
  const sign = (scheme: SignatureScheme, message: Uint8Array): Uint8Array => {
    for (;;) {
      const signature = credential.signer.sign(scheme, message) as Uint8Array;
      if (signature.length === SIGNATURE_BYTES) return signature;
    }
  };
  return { ...credential, signer: { schemes: [SignatureScheme.ecdsaSha256], sign } };
}

export const ANCHOR: Uint8Array = new Uint8Array(anchor.der);
export const TRUST: Trust = trustStore({ provider: nativeProvider, authorities: ANCHOR });
const CREDENTIALS = { client: credentialOf('client'), server: credentialOf('server') } as const;

/** The options of a role: mutual authentication with the chains above. */
export function certifiedOptions(role: 'client' | 'server'): DtlsOptions {
  return {
    crypto: nativeProvider,
    cipherSuites: [ECDHE_ECDSA_AES_128_GCM_SHA256],
    groups: ['secp256r1'],
    credentials: [CREDENTIALS[role]],
    trust: TRUST,
    wallClock: () => NOW,
    ...(role === 'client' ? { serverName: 'server.test' } : { clientAuthentication: 'require' as const }),
  };
}

/** No pre-shared keys. */
export const CERTIFICATES_ONLY = { getPskInfo: undefined } as unknown as Partial<DtlsHandler>;

/** Callbacks of both roles, or of one. */
export type Handlers = Partial<DtlsHandler> | ((role: 'client' | 'server') => Partial<DtlsHandler>);

/** A client `c` and a server `s` with certificates. The client has not begun yet. `options` are for both. */
export function certifiedPair(network: LinkOptions = {}, options: DtlsOptions = {}, handlers: Handlers = {}): Pair {
  const link = new Link(network);
  const add = (name: string, role: 'client' | 'server'): Pair['client'] => {
    const handler = typeof handlers === 'function' ? handlers(role) : handlers;
    return link.add(name, { ...certifiedOptions(role), ...options }, { ...CERTIFICATES_ONLY, ...handler });
  };
  return { link, client: add('c', 'client'), server: add('s', 'server') };
}
