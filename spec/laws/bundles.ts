/**
 * Applications and what they have to carry: one with pre-shared keys alone, built from parts, and some that take all of
 * it. The laws look into their bundles and hold their sizes; the build prints those.
 */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** `microdtls/core` with one suite and the two parts of noble that the suite needs. */
export const PSK_ONLY: string = `
  import { DtlsContext } from './lib/core.js';
  import { composeProvider } from './lib/crypto/provider.js';
  import { ccmPart } from './lib/crypto/noble/ccm.js';
  import { sha256Part } from './lib/crypto/noble/hash.js';
  import { PSK_AES_128_CCM_8 } from './lib/suites/psk.js';
  const crypto = composeProvider('noble', sha256Part, ccmPart);
  export const connect = (handler) => new DtlsContext(handler, { crypto, cipherSuites: [PSK_AES_128_CCM_8] });
`;

/** All of `microdtls`: the engine with every suite, where the host judges certificates. */
export const ENGINE: string = `export * from './lib/index.js';`;

/** The same with `microdtls/credentials` and the X.509 below it: what a browser can use. */
export const EVERYTHING: string = `export * from './lib/index.js'; export * from './lib/credentials/index.js';`;

/** The same on the platform's crypto: what a server on Node, Deno or Bun can use. */
export const EVERYTHING_NATIVE: string = `
  export * from './lib/core.js';
  export * from './lib/suites/all.js';
  export * from './lib/credentials/index.js';
  export * from './lib/crypto/native/index.js';
`;

/** What an application may weigh, minified and gzipped, in bytes. Of everything, 30 kB are noble's. */
export const LIMITS = { pskOnly: 32_000, engine: 64_000, everything: 80_000, everythingNative: 64_000 } as const;

/** A bundled application. */
export interface Bundle {
  readonly code: string;
  /** Bytes that each module contributes, by path; a module that was shaken off altogether is absent. */
  readonly modules: ReadonlyMap<string, number>;
  /** What the bundle still imports when it runs. */
  readonly imports: readonly string[];
}

/** Bundles `entry` from the built modules, for no particular platform. */
export async function bundle(entry: string, minify = false): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL('../../', import.meta.url)) },
    bundle: true,
    external: ['node:*'],
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    minify,
    minifyWhitespace: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const modules = Object.entries(output!.inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const);
  return {
    code: outputFiles[0]!.text,
    modules: new Map(modules.filter(([, bytes]) => bytes > 0)),
    imports: output!.imports.map(({ path }) => path),
  };
}

/** Bytes of a bundle as an application downloads it, from a minified bundle. */
export function sizeOf({ code }: Bundle): { readonly minified: number; readonly gzipped: number } {
  const bytes = Buffer.from(code);
  return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
}
