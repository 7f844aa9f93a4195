/**
 * `microdtls keygen`: a P-256 key with a self-signed certificate or its bare public key.
 *
 * Law: nothing is overwritten; the private key can be read by its owner alone.
 */
import { generateKeyPairSync } from 'node:crypto';
import { unlinkSync, writeFileSync } from 'node:fs';
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
  try {
    writeFileSync(`${out}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
    try {
      writeFileSync(out + shown[0], shown[1], { flag: 'wx' });
    } catch (error) {
      unlinkSync(`${out}.key`);
      throw error;
    }
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    terminal.note(code === 'EEXIST' ? `${path} is there already and is not overwritten` : `cannot write ${path}: ${reasonOf(error)}`);
    return Promise.resolve(1);
  }
  process.stdout.write(`wrote ${out}.key and ${out}${shown[0]}\n${lines.join('\n')}\n`);
  return Promise.resolve(0);
}
