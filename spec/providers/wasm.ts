/** WebAssembly under watch: the memories that are made, and processes that have none. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';

interface Instance {
  readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } };
}
declare const WebAssembly: { Instance: new (...given: readonly object[]) => Instance };

/** The memories that are made from here on, in order. */
export function watchMemories(): readonly Uint8Array[] {
  const memories: Uint8Array[] = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(...given: readonly object[]) {
      super(...given);
      memories.push(new Uint8Array(this.exports.memory.buffer));
    }
  };
  return memories;
}

/** Runs a module in a process with `flags`; it finds `nativeProvider` and `busyKeys` by these names. It must not throw. */
export function inProcess(flags: readonly string[], script: string): void {
  const from = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const whole = `
    import { nativeProvider } from ${from('../../lib/crypto/native/index.js')};
    import { busyKeys } from ${from('../../lib/crypto/native/pool.js')};
    ${script}
  `;
  const { status, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', whole], {
    cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
}

/** Flags without WebAssembly, and the line that makes sure. */
export const JITLESS = {
  flags: ['--jitless'],
  before: "if (typeof WebAssembly !== 'undefined') throw new Error('there is WebAssembly');",
} as const;

/** A WebAssembly that refuses and counts in `asked`. */
export const REFUSING = `
  let asked = 0;
  WebAssembly.Instance = class { constructor() { asked++; throw new RangeError('no address space'); } };
`;
