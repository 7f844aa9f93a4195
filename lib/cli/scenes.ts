/**
 * What the demonstration shows: one server and one client for each way to authenticate, with keys that were made just now.
 *
 * Law: nothing here believes everybody; each side trusts what the other has, and nothing else.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { DtlsSocketOptions } from '../adapters/node.js';
import { loadCredential } from '../credentials/credential.js';
import { trustStore } from '../credentials/trust.js';
import type { CipherSuite } from '../crypto/suites.js';
import { nativeProvider } from '../crypto/native/index.js';
import type { Credential } from '../handshake/authenticate.js';
import { ecdheEcdsa } from '../handshake12/certified.js';
import { authority, issued, randomSerial, type Subject } from './selfsigned.js';

/** One handshake to show. */
export interface Scene {
  /** The way to authenticate, for people. */
  readonly name: string;
  /** What each side has and believes. */
  readonly words: string;
  readonly server: DtlsSocketOptions;
  readonly client: DtlsSocketOptions;
}

const PSK = { identity: 'demo', key: 'not a secret, this is a demonstration' };
const SERVER_NAME = 'server.example';
const DAYS = 1;

/** A scene of every kind that these suites allow. The public keys are on P-256, so that suites for RSA allow none. */
export function scenes(suites: readonly CipherSuite[]): Scene[] {
  const preShared = suites.filter(({ keyExchange }) => keyExchange.preShared);
  const ecdsa = suites.filter(({ keyExchange }) => keyExchange === ecdheEcdsa);
  return [
    ...(preShared.length > 0 ? [withPreSharedKey(preShared)] : []),
    ...(ecdsa.length > 0 ? [withRawKeys(ecdsa), withCertificates(ecdsa)] : []),
  ];
}

function withPreSharedKey(cipherSuites: readonly CipherSuite[]): Scene {
  const both = { cipherSuites, psk: PSK };
  return { name: 'pre-shared key', words: 'both sides have the same secret', server: both, client: both };
}

function withRawKeys(cipherSuites: readonly CipherSuite[]): Scene {
  const [server, client] = [new KeyPair(), new KeyPair()];
  return {
    name: 'raw public keys',
    words: 'each side has a key of its own and knows that of the other',
    server: { cipherSuites, credentials: [server.rawKey()], trust: client.trusted(), clientAuthentication: 'require' },
    client: { cipherSuites, credentials: [client.rawKey()], trust: server.trusted() },
  };
}

function withCertificates(cipherSuites: readonly CipherSuite[]): Scene {
  const [issuer, server] = [new KeyPair(), new KeyPair()];
  const name = 'demo authority';
  const authorities = authority(issuer.privateKey, issuer.spki, subject(name));
  const certificate = issued(server.spki, subject(SERVER_NAME), { name, privateKey: issuer.privateKey });
  return {
    name: 'certificates',
    words: `the client trusts an authority and wants ${SERVER_NAME}; it shows nothing itself`,
    server: { cipherSuites, credentials: [loadCredential({ certificate, key: server.der() }, nativeProvider)] },
    client: { cipherSuites, trust: trustStore({ provider: nativeProvider, authorities }), serverName: SERVER_NAME },
  };
}

function subject(name: string): Subject {
  return { names: [name], days: DAYS, notBeforeMs: Date.now(), serial: randomSerial() };
}

/** A P-256 key pair of one side. */
class KeyPair {
  readonly privateKey: KeyObject;
  /** The public key, in DER. */
  readonly spki: Uint8Array;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    this.spki = publicKey.export({ type: 'spki', format: 'der' });
  }

  /** The private key, in DER. */
  der(): Uint8Array {
    return this.privateKey.export({ type: 'pkcs8', format: 'der' });
  }

  /** What its owner shows. */
  rawKey(): Credential {
    return loadCredential({ rawKey: true, key: this.der() }, nativeProvider);
  }

  /** What the other side trusts. */
  trusted(): ReturnType<typeof trustStore> {
    return trustStore({ provider: nativeProvider, rawKeys: this.spki });
  }
}
