/**
 * Who shows a public key: a server, a client and a stranger, each with the same P-256 key in two forms, as a raw public
 * key (RFC 7250) and in a certificate of one small authority. The same bytes in every run: seeded keys, and an
 * authority that signs with Ed25519, which draws nothing.
 */
import { createPublicKey } from 'node:crypto';
import { loadCredential, trustStore } from '../../lib/credentials/index.js';
import type { PrivateKey } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import type { Provider } from '../../lib/crypto/provider.js';
import { CertificateType, type Credential, type Trust } from '../../lib/handshake/authenticate.js';
import { ecdsaCredential } from '../../lib/handshake/ecdsakey.js';
import type { EcdsaKey } from '../../lib/index.js';
import { CLIENT_KEY, SERVER_KEY, STRANGER_KEY } from '../publickey/ends.js';
import {
  CLIENT_AUTH, dnsName, extendedKeyUsage, integer, keyUsage, mint, mintAuthority, mintServer, NOW, type KeyPair, type Minted,
} from '../x509/support/mint.js';
import { privateKeyObject } from '../x509/support/provider.js';
import { Random } from './random.js';

/** What is shown: a raw public key or a chain of certificates. */
export type Kind = 'rawKey' | 'x509';
export const KINDS: readonly Kind[] = ['rawKey', 'x509'];
export type Who = 'client' | 'server' | 'stranger';

/** Somebody with a key and what it shows of it. */
export interface Holder {
  readonly who: Who;
  readonly type: CertificateType;
  /** rawKey: one SubjectPublicKeyInfo; x509: the leaf (the authority is known to everybody). */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: PrivateKey;
}

/** The time at which the certificates are valid, for `wallClock`. */
export const VALID_AT: number = NOW;
/** The name in the server's certificate. */
export const SERVER_NAME = 'server.test';

const KEYS: Readonly<Record<Who, EcdsaKey>> = { client: CLIENT_KEY, server: SERVER_KEY, stranger: STRANGER_KEY };

/** A key as `mint` wants it. */
export function keyPairOf(key: PrivateKey): KeyPair {
  const privateKey = privateKeyObject(key);
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, spki: publicKey.export({ format: 'der', type: 'spki' }) };
}

/** The authority of every certificate here but the stranger's, which signs its own. */
export const AUTHORITY: Minted = mintAuthority('authority', {
  key: keyPairOf({ kind: 'ed25519', seed: new Random(4).bytes(32) }), serial: integer(1),
});

function privateKeyOf(who: Who): PrivateKey {
  return { kind: 'ec', curve: 'secp256r1', scalar: KEYS[who].privateKey };
}

function certificateOf(who: Who): Uint8Array {
  const key = keyPairOf(privateKeyOf(who));
  if (who === 'server') return bytes(mintServer(AUTHORITY, [dnsName(SERVER_NAME)], { key, serial: integer(2) }));
  const extensions = [keyUsage(0), extendedKeyUsage(CLIENT_AUTH)];
  return bytes(mint({ name: who, issuer: who === 'client' ? AUTHORITY : null, key, extensions, serial: integer(3) }));
}

function bytes({ der }: Minted): Uint8Array {
  return new Uint8Array(der);
}

/** Each is made once: that of the stranger is signed with ECDSA, which is not the same twice. */
const HOLDERS = new Map<string, Holder>();

/** What `who` shows and signs with. The stranger's key and certificate are right in themselves; nobody trusts them. */
export function holder(kind: Kind, who: Who): Holder {
  let known = HOLDERS.get(`${kind} ${who}`);
  if (known === undefined) {
    const chain = kind === 'rawKey' ? ecdsaCredential(KEYS[who], nativeProvider).chain : [certificateOf(who)];
    known = { who, type: CertificateType[kind], chain, privateKey: privateKeyOf(who) };
    HOLDERS.set(`${kind} ${who}`, known);
  }
  return known;
}

/** What contexts are given, made once for each holder and provider. */
const GIVEN = new WeakMap<Provider, Map<Holder, { readonly credential: Credential; readonly trust: Trust }>>();

function givenOf(one: Holder, provider: Provider): { readonly credential: Credential; readonly trust: Trust } {
  const given = GIVEN.get(provider) ?? new Map<Holder, { readonly credential: Credential; readonly trust: Trust }>();
  GIVEN.set(provider, given);
  let known = given.get(one);
  if (known === undefined) {
    const { who, type, chain } = one;
    const raw = type === CertificateType.rawKey;
    const key = keyPairOf(privateKeyOf(who)).privateKey.export({ format: 'der', type: 'pkcs8' });
    known = {
      credential: raw ? ecdsaCredential(KEYS[who], provider) : loadCredential({ certificate: chain, key: new Uint8Array(key) }, provider),
      trust: trustStore({ provider, ...(raw ? { rawKeys: chain } : { authorities: bytes(AUTHORITY) }) }),
    };
    given.set(one, known);
  }
  return known;
}

/** The same for a context. */
export function credentialOf(one: Holder, provider: Provider = nativeProvider): Credential {
  return givenOf(one, provider).credential;
}

/** Believes `whom` alone: by its key, or by the authority. */
export function trustIn(whom: Holder, provider: Provider = nativeProvider): Trust {
  return givenOf(whom, provider).trust;
}
