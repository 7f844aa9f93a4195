/**
 * `microdtls keygen`: a P-256 key with a self-signed certificate or its bare public key.
 *
 * Law: nothing is overwritten; the private key can be read by its owner alone.
 */
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { reasonOf } from './files.js';
import { fingerprint } from './identity.js';
import type { Options } from './options.js';
import { randomSerial, selfSigned } from './selfsigned.js';
import type { Terminal } from './terminal.js';

/** Makes the files. Returns the exit code. */
export function keygen({ keygen: { out, names, raw, days } }: Options, terminal: Terminal): Promise<number> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const lines = [`key         sha-256 ${fingerprint(spki)}`];
  let shown: readonly [ending: string, text: string] = ['.pub', publicKey.export({ type: 'spki', format: 'pem' }) as string];
  if (!raw) {
    const der = selfSigned(privateKey, spki, { names, days, serial: randomSerial(), notBeforeMs: Date.now() });
    const body = Buffer.from(der).toString('base64').replace(/.{64}(?!$)/g, '$&\n');
    shown = ['.crt', `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`];
    lines.unshift(`certificate sha-256 ${fingerprint(der)}`);
  }
  const files = [[`${out}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600], [out + shown[0], shown[1], 0o666]] as const;
  const made: string[] = [];
  for (const [file, text, mode] of files) {
    try {
      create(file, text, mode, made);
    } catch (error) {
      for (const one of made) unlinkSync(one);
      const { code } = error as NodeJS.ErrnoException;
      terminal.note(code === 'EEXIST' ? `${file} is there already and is not overwritten` : `cannot write ${file}: ${reasonOf(error)}`);
      return Promise.resolve(1);
    }
  }
  process.stdout.write(`wrote ${out}.key and ${out}${shown[0]}\n${lines.join('\n')}\n`);
  return Promise.resolve(0);
}

/** Writes a new file, whose name is among `made` from the moment it is there. */
function create(file: string, text: string | Uint8Array, mode: number, made: string[]): void {
  const descriptor = openSync(file, 'wx', mode);
  made.push(file);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}
