/**
 * Files that options name, and the platform's reasons in words.
 *
 * Law: whoever reads that a file could not be read also reads which option named it, and why.
 */
import { readFileSync } from 'node:fs';
import { UsageError } from './usage.js';

/** What people meet; the rest keeps its code alone. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'permission denied',
  EADDRINUSE: 'the port is taken',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'no such host',
};

/** An error of the platform for people: `no such file or folder (ENOENT)`. */
export function reasonOf(error: unknown): string {
  const { code = 'unknown', message } = error as NodeJS.ErrnoException;
  // A resolver that cannot be asked, for one, is told in the platform's own words.
  return Object.hasOwn(REASONS, code) ? `${REASONS[code]} (${code})` : message;
}

/** The bytes of `file`, which `option` named. Throws a UsageError. */
export function readInput(option: string, file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${file}: ${reasonOf(error)}`);
  }
}
