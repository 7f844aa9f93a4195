/**
 * Certificates and keys for peers and hosts, made with the `openssl` command into a folder that goes when the specs of
 * the file are done: an authority with leaves of both kinds, a chain of three below another, a stranger that nobody
 * knows, raw public keys.
 */
import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import { loadCredential, trustStore } from '../../lib/credentials/index.js';
import type { Credential, EcdsaKey, Provider } from '../../lib/index.js';

/** The name in every leaf, beside the address of the loopback interface. */
export const SERVER_NAME = 'localhost';

/** Who has a key here. `deep` shows a chain of three; `stranger` signed its own certificate. */
export type Owner = 'server' | 'client' | 'rsa' | 'deep' | 'stranger';

/** What there is in the folder. */
export class Certificates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The path of a file: `ca.crt`, `root.crt`, and of each owner `.crt`, `.key`, `.pub` and `.pair` (the key, then its public
   * half); `deep.chain`: what stands above the leaf of `deep`.
   */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** The text of a file. */
  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** What a host shows to be `owner`. */
  credential(owner: Owner, provider: Provider): Credential {
    return loadCredential({ certificate: this.read(`${owner}.crt`), key: this.read(`${owner}.key`), name: owner }, provider);
  }

  /** What a host shows to be `owner` by its key alone. */
  rawCredential(owner: Owner, provider: Provider): Credential {
    return loadCredential({ rawKey: true, key: this.read(`${owner}.key`), name: owner }, provider);
  }

  /** What a host needs to believe in the leaves of an authority. */
  trust(provider: Provider, authority: 'ca' | 'root' = 'ca'): ReturnType<typeof trustStore> {
    return trustStore({ provider, authorities: this.read(`${authority}.crt`) });
  }

  /** What a host needs to believe in the bare key of `owner`. */
  rawTrust(owner: Owner, provider: Provider): ReturnType<typeof trustStore> {
    return trustStore({ provider, rawKeys: this.read(`${owner}.pub`) });
  }

  /** The key of `owner` as tinydtls has it. */
  ecdsaKey(owner: Owner): EcdsaKey {
    const { d, x, y } = createPrivateKey(this.read(`${owner}.key`)).export({ format: 'jwk' });
    const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
    return { privateKey: bytes(d), publicKeyX: bytes(x), publicKeyY: bytes(y) };
  }
}

const run = promisify(execFile);
let made: Promise<Certificates> | null = null;

/** The certificates, made when first asked for. */
export function certificates(): Promise<Certificates> {
  made ??= make();
  return made;
}

test.after(async () => {
  if (made !== null) await rm((await made).path(''), { recursive: true });
});

async function make(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'microdtls-certificates-'));
  const files = new Certificates(folder);
  const openssl = (...parameters: string[]): Promise<unknown> => run('openssl', parameters, { cwd: folder });
  const ecKey = (name: string): Promise<unknown> => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);

  const selfSigned = async (name: string, ...more: string[]): Promise<void> => {
    await ecKey(name);
    await openssl('req', '-x509', '-new', '-key', `${name}.key`, '-sha256', '-days', '30', '-subj', `/CN=${name}`, '-out', `${name}.crt`, ...more);
  };
  const issue = async (name: string, issuer: string, serial: number, extensions: readonly string[]): Promise<void> => {
    await writeFile(files.path(`${name}.ext`), extensions.join('\n'));
    await openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    await openssl(
      'x509', '-req', '-in', `${name}.csr`, '-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-set_serial', `${serial}`,
      '-sha256', '-days', '30', '-extfile', `${name}.ext`, '-out', `${name}.crt`,
    );
  };

  await Promise.all([
    selfSigned('ca', '-addext', AUTHORITY_USAGE),
    selfSigned('root', '-addext', AUTHORITY_USAGE),
    selfSigned('stranger', '-addext', LEAF_NAMES),
    ...['server', 'client', 'deep', 'first', 'second'].map(ecKey),
    openssl('genrsa', '-out', 'rsa.key', '2048'),
  ]);
  await Promise.all([
    issue('server', 'ca', 1, LEAF),
    issue('client', 'ca', 2, LEAF),
    issue('rsa', 'ca', 3, LEAF),
    issue('first', 'root', 4, AUTHORITY).then(() => issue('second', 'first', 5, AUTHORITY)).then(() => issue('deep', 'second', 6, LEAF)),
  ]);
  await writeFile(files.path('deep.chain'), files.read('second.crt') + files.read('first.crt'));
  await writeFile(files.path('deep.crt'), files.read('deep.crt') + files.read('deep.chain'));
  for (const owner of ['server', 'client', 'stranger']) {
    await openssl('pkey', '-in', `${owner}.key`, '-pubout', '-out', `${owner}.pub`);
    await writeFile(files.path(`${owner}.pair`), files.read(`${owner}.key`) + files.read(`${owner}.pub`));
  }
  return files;
}

const AUTHORITY_USAGE = 'keyUsage=critical,keyCertSign,cRLSign';
const AUTHORITY = ['basicConstraints=critical,CA:TRUE', AUTHORITY_USAGE, 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'];
const LEAF_NAMES = `subjectAltName=DNS:${SERVER_NAME},IP:127.0.0.1`;
const LEAF = [
  'basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth,clientAuth',
  LEAF_NAMES, 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid',
];
