/**
 * The openssl command as an honest authority and as a second opinion: certificates and revocation lists by `req` and
 * `ca`, judgements by `verify`. Everything stands in one temporary folder. Keys are made by Node, which is quicker.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyPair } from './mint.js';

/** Whether the command is there and new enough to issue (`req -CA`: 3.0). */
export function opensslVersion(): string | null {
  const { stdout, status } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  return status === 0 && /^OpenSSL [3-9]/.test(stdout) ? stdout.trim() : null;
}

/** A certificate that openssl issued. */
export interface Issued {
  readonly name: string;
  readonly pem: string;
  /** Name of its key in `keyPair`. */
  readonly key: string;
  readonly kind: string;
}

export interface IssueOptions {
  /** Common name; `common` where several certificates share one. */
  readonly common?: string;
  readonly issuer?: Issued | null;
  readonly key?: string;
  readonly kind?: string;
  /** Lines of an extension section of openssl.cnf. */
  readonly extensions?: readonly string[];
  readonly days?: number;
  readonly arguments?: readonly string[];
}

/** How `openssl verify` is asked. */
export interface VerifyOptions {
  readonly leaf: string;
  readonly sent?: readonly string[];
  readonly authorities: readonly string[];
  readonly arguments: readonly string[];
}

/** Lines that an honest authority and an honest server have. */
export const AUTHORITY: readonly string[] = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'];
export const SERVER: readonly string[] = [
  'basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid',
];

export class Workshop {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'microdtls-x509-'));
  #files = 0;

  /** Deletes everything. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A certificate; without an issuer it signs itself. */
  issue(name: string, options: IssueOptions = {}): Issued {
    const { common = name, issuer = null, key = name, kind = 'prime256v1', extensions = AUTHORITY, days = 365 } = options;
    const config = this.#file(['[req]', 'distinguished_name=dn', 'prompt=no', 'x509_extensions=ext', '[dn]', `CN=${common}`, '[ext]', ...extensions, ''].join('\n'));
    const authority = issuer === null ? [] : ['-CA', this.#file(issuer.pem), '-CAkey', this.#key(issuer.key, issuer.kind)];
    const pem = this.#run('req', '-x509', '-new', '-key', this.#key(key, kind), '-config', config, '-days', String(days), ...authority, ...(options.arguments ?? []));
    return { name, pem, key, kind };
  }

  /** The same certificate with a broken signature. */
  spoil({ pem, ...rest }: Issued): Issued {
    return { ...rest, pem: this.#run('x509', '-badsig', '-in', this.#file(pem)) };
  }

  /** A revocation list of `issuer` over the serial numbers of `revoked`. */
  list(issuer: Issued, revoked: readonly Issued[], days: number = 30): string {
    const entries = revoked.map(({ pem }) => {
      const serial = this.#run('x509', '-noout', '-serial', '-in', this.#file(pem)).trim().replace('serial=', '');
      return `R\t491231235959Z\t200101000000Z\t${serial}\tunknown\t/CN=revoked\n`;
    });
    const [database, number] = [this.#file(entries.join('')), this.#file('01\n')];
    const config = this.#file([
      '[ca]', 'default_ca=own', '[own]', `database=${database}`, `crlnumber=${number}`, 'default_md=sha256', 'unique_subject=no', 'crl_extensions=ext', '[ext]',
      'authorityKeyIdentifier=keyid', '',
    ].join('\n'));
    return this.#run('ca', '-gencrl', '-config', config, '-cert', this.#file(issuer.pem), '-keyfile', this.#key(issuer.key, issuer.kind), '-crldays', String(days));
  }

  /** Empty if openssl believes the leaf, else what it says. */
  verify({ leaf, sent = [], authorities, arguments: more }: VerifyOptions): string {
    const untrusted = sent.length === 0 ? [] : ['-untrusted', this.#file(sent.join(''))];
    const { status, stdout, stderr } = spawnSync('openssl', [
      'verify', '-x509_strict', '-auth_level', '2', '-no-CApath', '-no-CAstore', '-CAfile', this.#file(authorities.join('')), ...untrusted, ...more, this.#file(leaf),
    ], { encoding: 'utf8' });
    if (status === 0) return '';
    return /error \d+ at .*/.exec(`${stdout}${stderr}`)?.[0] ?? `${stdout}${stderr}`.trim();
  }

  /** The path of a file with this content. */
  file(content: string): string {
    return this.#file(content);
  }

  #file(content: string): string {
    this.#files += 1;
    const path = join(this.#folder, `file${this.#files}`);
    writeFileSync(path, content);
    return path;
  }

  #key(name: string, kind: string): string {
    return this.#file(keyPair(name, kind).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  }

  /** Runs openssl; what it printed to `-out`. */
  #run(...parameters: string[]): string {
    const out = this.#file('');
    const toFile = parameters[0] === 'x509' && parameters.includes('-noout') ? [] : ['-out', out];
    const { status, stdout, stderr } = spawnSync('openssl', [...parameters, ...toFile], { encoding: 'utf8', cwd: this.#folder });
    if (status !== 0) throw new Error(`openssl ${parameters.join(' ')}: ${stderr}`);
    return toFile.length === 0 ? stdout : readFileSync(out, 'utf8');
  }
}
