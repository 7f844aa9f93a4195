/**
 * Public keys from the command line: what to show (--cert with --key, --raw-key) and whom to believe (--ca, --crl,
 * --trust-key, --insecure).
 *
 * Law: every file is read and checked at the start; what is wrong with one is a UsageError that names it and says why.
 */
import { loadCredential } from '../credentials/credential.js';
import { CERTIFICATES, PUBLIC_KEYS, readSources, REVOCATION_LISTS, type Kind } from '../credentials/source.js';
import { trustEverything, trustStore } from '../credentials/trust.js';
import { nativeProvider } from '../crypto/native/index.js';
import type { Credential, Trust } from '../handshake/authenticate.js';
import { LocalError } from '../wire/errors.js';
import { readInput } from './files.js';
import { UsageError } from './usage.js';

/** The arguments that concern public keys: names of files. */
export interface PublicKeyArguments {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly rawKey: string | undefined;
  readonly authorities: readonly string[];
  readonly revocationLists: readonly string[];
  readonly trustedKeys: readonly string[];
  readonly insecure: boolean;
}

/** What they come to. */
export interface PublicKeys {
  readonly shown: readonly Credential[];
  readonly trust: Trust | null;
}

/** Reads everything. Throws a UsageError. */
export function readPublicKeys(given: PublicKeyArguments): PublicKeys {
  const { cert, key, rawKey, insecure } = given;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError(cert === undefined ? '--key needs --cert FILE (for a bare key: --raw-key FILE)' : '--cert needs --key FILE');
  }
  const shown: Credential[] = [];
  if (cert !== undefined && key !== undefined) {
    const source = { certificate: readInput('--cert', cert), key: readInput('--key', key), name: `--cert ${cert} --key ${key}` };
    shown.push(checked(() => loadCredential(source, nativeProvider)));
  }
  if (rawKey !== undefined) {
    const source = { rawKey: true, key: readInput('--raw-key', rawKey), name: `--raw-key ${rawKey}` };
    shown.push(checked(() => loadCredential(source, nativeProvider)));
  }
  return { shown, trust: insecure ? everybody(given) : trustOf(given) };
}

function everybody({ authorities, revocationLists, trustedKeys }: PublicKeyArguments): Trust {
  if (authorities.length + revocationLists.length + trustedKeys.length === 0) return trustEverything();
  throw new UsageError('--insecure believes everybody: beside it, --ca, --crl and --trust-key would say nothing');
}

function trustOf({ authorities, revocationLists, trustedKeys }: PublicKeyArguments): Trust | null {
  if (revocationLists.length > 0 && authorities.length === 0) throw new UsageError('--crl needs --ca FILE');
  if (authorities.length === 0 && trustedKeys.length === 0) return null;
  const options = {
    provider: nativeProvider,
    authorities: readAll('--ca', authorities, CERTIFICATES),
    rawKeys: readAll('--trust-key', trustedKeys, PUBLIC_KEYS),
    ...(revocationLists.length > 0 && { revocationLists: readAll('--crl', revocationLists, REVOCATION_LISTS) }),
  };
  return checked(() => trustStore(options));
}

/** The files of one option, each looked at by itself, so that an error can name it. */
function readAll<T>(option: string, files: readonly string[], kind: Kind<T>): Uint8Array[] {
  return files.map((file) => {
    const bytes = readInput(option, file);
    checked(() => readSources('ERR_DTLS_ARGUMENT', `${option} ${file}`, bytes, kind));
    return bytes;
  });
}

function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LocalError) throw new UsageError(error.message);
    throw error;
  }
}
