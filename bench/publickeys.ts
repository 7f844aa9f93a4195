/**
 * Who the two ends of a handshake with public keys are: certificates below an authority, or bare keys, as options of
 * both contexts.
 *
 * Law: throwaway keys, minted when first asked for, as are the specs' (../spec/x509/support/mint.ts). The clock of the
 * certificates stands still where they are valid.
 */
import { createHash } from 'node:crypto';
import type { DtlsOptions, Provider } from '../lib/core.js';
import { composeProvider } from '../lib/core.js';
import { loadCredential, trustStore } from '../lib/credentials/index.js';
import { nativeProvider } from '../lib/crypto/native/index.js';
import {
  CLIENT_AUTH, NOW, basicConstraints, dnsName, extendedKeyUsage, keyPair, keyUsage, mint, mintAuthority, mintServer, pem, type Minted,
} from '../spec/x509/support/mint.js';
import type { Options } from './ends.js';

const NAME = 'server.test';

/** What the options are made of. */
export interface Setting {
  readonly provider: Provider;
  /** Both sides show who they are, or the server alone. */
  readonly mutual: boolean;
}

interface Owners {
  readonly authority: Minted;
  readonly server: Minted;
  readonly client: Minted;
}

const made = new Map<string, Owners>();

/** An authority and two leaves with keys of one kind. */
function owners(kind: 'prime256v1' | 'rsa2048'): Owners {
  const known = made.get(kind);
  if (known !== undefined) return known;
  const authority = mintAuthority(`authority ${kind}`, { key: keyPair('bench authority', kind) });
  const server = mintServer(authority, [dnsName(NAME)], { key: keyPair('bench server', kind) });
  const extensions = [basicConstraints(false), keyUsage(0), extendedKeyUsage(CLIENT_AUTH)];
  const client = mint({ name: 'client', issuer: authority, key: keyPair('bench client', kind), extensions });
  const all = { authority, server, client };
  made.set(kind, all);
  return all;
}

const privateKey = ({ key }: Minted): string => key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

function credential(owner: Minted, provider: Provider): DtlsOptions {
  return { credentials: [loadCredential({ certificate: pem(owner.der), key: privateKey(owner) }, provider)] };
}

/** Certificates of one authority, with keys of `kind`. */
export function certificates(kind: 'prime256v1' | 'rsa2048', { provider, mutual }: Setting): Options {
  const { authority, server, client } = owners(kind);
  const believing = (): DtlsOptions => ({ wallClock: () => NOW, trust: trustStore({ provider, authorities: pem(authority.der) }) });
  return {
    client: { ...believing(), serverName: NAME, ...(mutual ? credential(client, provider) : {}) },
    server: { ...credential(server, provider), ...(mutual ? { ...believing(), clientAuthentication: 'require' } : {}) },
  };
}

/** Certificates that the other side knows by their fingerprints, as in WebRTC: no authority, no name. */
export function pinned({ provider, mutual }: Setting): Options {
  const { server, client } = owners('prime256v1');
  const believing = ({ der }: Minted): DtlsOptions => ({
    trust: trustStore({ provider, pins: createHash('sha256').update(der).digest() }),
  });
  return {
    client: { ...believing(server), ...(mutual ? credential(client, provider) : {}) },
    server: { ...credential(server, provider), ...(mutual ? { ...believing(client), clientAuthentication: 'require' } : {}) },
  };
}

/** Bare P-256 keys, each known to the other side. */
export function rawKeys({ provider }: Setting): Options {
  const { server, client } = owners('prime256v1');
  const side = (own: Minted, other: Minted): DtlsOptions => ({
    credentials: [loadCredential({ rawKey: true, key: privateKey(own) }, provider)],
    trust: trustStore({ provider, rawKeys: pem(other.key.spki, 'PUBLIC KEY') }),
  });
  return { client: side(client, server), server: { ...side(server, client), clientAuthentication: 'require' } };
}

/** noble verifies RSA and signs nothing with it: the platform signs in its place. */
export function withRsaSigner(provider: Provider): Provider {
  const { rsa } = provider.signatures;
  const { rsa: native } = nativeProvider.signatures;
  if (rsa === undefined || native === undefined || provider === nativeProvider) return provider;
  const mixed = { signatures: { rsa: { ...native, verifier: rsa.verifier.bind(rsa) } } };
  return composeProvider(provider.name, provider, mixed);
}
