/**
 * Builds dist/: every module of lib/, spec/ and bench/ file for file (source keeps `.js` in its imports, so paths
 * carry over), then the declarations, which is also the type check, then the sizes of four bundles.
 *
 *   node build.mjs           everything
 *   node build.mjs --fast    JavaScript only
 *   node build.mjs --quiet   JavaScript only, and no word unless it fails
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const rooms = ['lib', 'spec', 'bench'];
const quiet = process.argv.includes('--quiet');
const fast = quiet || process.argv.includes('--fast');

process.chdir(dirname(fileURLToPath(import.meta.url)));
await emitModules();
removeStale();
if (!fast) {
  emitDeclarations();
  const { ENGINE, EVERYTHING, EVERYTHING_NATIVE, LIMITS, PSK_ONLY, bundle, sizeOf } = await import('./dist/spec/laws/bundles.js');
  await printSize('core with one suite', LIMITS.pskOnly, async () => sizeOf(await bundle(PSK_ONLY, true)));
  await printSize('the engine with every suite', LIMITS.engine, async () => sizeOf(await bundle(ENGINE, true)));
  await printSize('the same with credentials and X.509', LIMITS.everything, async () => sizeOf(await bundle(EVERYTHING, true)));
  await printSize("the same on the platform's crypto", LIMITS.everythingNative, async () => sizeOf(await bundle(EVERYTHING_NATIVE, true)));
}

/** One JavaScript file with its source map for each source. Files that did not change are left alone. */
async function emitModules() {
  const startedAt = performance.now();
  const entryPoints = rooms.flatMap((room) => filesUnder(room)).filter(isSource);
  const { outputFiles } = await build({
    entryPoints,
    outbase: '.',
    outdir: 'dist',
    bundle: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    sourcemap: 'linked',
    write: false,
    logLevel: 'warning',
  }).catch(() => process.exit(1));
  for (const { path, contents } of outputFiles) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  const commandLine = 'dist/lib/cli/main.js';
  if (existsSync(commandLine)) chmodSync(commandLine, 0o755);
  report(`${entryPoints.length} modules`, startedAt);
}

/** Deletes from dist/ what no source stands behind any more. */
function removeStale() {
  for (const room of rooms) {
    for (const output of filesUnder(join('dist', room))) {
      const source = output.replace(/^dist./, '').replace(/\.(js|js\.map|d\.ts)$/, '.ts');
      if (!existsSync(source)) rmSync(output, { force: true });
    }
    removeEmptyFolders(join('dist', room));
  }
}

function removeEmptyFolders(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** One run of the compiler checks every file and writes the declarations beside the modules. */
function emitDeclarations() {
  const startedAt = performance.now();
  const compiler = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const { status } = spawnSync(process.execPath, [compiler, '-p', '.', '--noEmit', 'false', '--emitDeclarationOnly'], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
  report('types and declarations', startedAt);
}

/** What an application downloads: minified, and minified then gzipped; spec/laws holds the limit. */
async function printSize(name, limit, measure) {
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  try {
    const { minified, gzipped } = await measure();
    console.log(`${name}: ${kilobytes(minified)} minified, ${kilobytes(gzipped)} gzipped (limit ${limit / 1000} kB)`);
  } catch (error) {
    console.log(`${name}: no size, ${error.errors?.[0]?.text ?? error.message}`);
  }
}

function isSource(path) {
  return path.endsWith('.ts') && !path.endsWith('.d.ts');
}

/** Every file below `folder`, except the rival libraries of bench/compare with their own packages. */
function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return entry.name === 'node_modules' || path === join('bench', 'compare') ? [] : filesUnder(path);
  });
}

function report(what, startedAt) {
  if (!quiet) console.log(`${what}: ${Math.round(performance.now() - startedAt)} ms`);
}
