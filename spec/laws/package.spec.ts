/**
 * The package: what it depends on, what it brings, and that it works where it is installed. And the repository:
 * what stands at its top.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MODULES, ROOT, read } from './house.js';

const manifest: {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | null | Readonly<Record<string, string>>>>;
  readonly bin: Readonly<Record<string, string>>;
} = JSON.parse(read('package.json'));

const repository = suite('the repository');

repository('depends on the three noble packages and nothing else', () => {
  assert.equal(manifest.dependencies, { '@noble/ciphers': '~2.4.0', '@noble/curves': '~2.4.0', '@noble/hashes': '~2.4.0' });
});

repository('has a lock file that names no registry', () => {
  const lock = read('package-lock.json');
  assert.not.match(lock, /"resolved"|https?:\/\/(?!(?:www\.)?(?:github|opencollective|paulmillr|tidelift)\b)[^"]*\.tgz/);
  assert.match(lock, /"integrity"/);
});

repository('has nothing at its top but what the plan names', () => {
  const planned = ['lib', 'spec', 'bench', 'package.json', 'package-lock.json', 'tsconfig.json', 'build.mjs', 'LICENSE', 'README.md'];
  assert.equal(topLevel().filter((name) => !name.startsWith('.') && !planned.includes(name)), []);
});

repository('exports modules that have a source', () => {
  const paths = new Set(MODULES.map(({ path }) => path));
  const targets = [...exported().map(([, file]) => file), ...Object.values(manifest.bin)];
  assert.equal(targets.filter((file) => !paths.has(sourceOf(file))), []);
});

repository('keeps what the parts of a provider share to itself', () => {
  const { exports } = manifest;
  const shared = ['aes', 'ghash', 'index', 'workspace'].map((name) => `./crypto/noble/${name}`);
  assert.equal(Object.keys(exports).filter((name) => name.startsWith('./crypto/noble/') && exports[name] === null), shared);
  const parts = MODULES.map(({ path }) => /^lib\/crypto\/noble\/(.+)\.ts$/.exec(path)?.[1]).filter((name) => name !== undefined);
  assert.equal(parts.filter((name) => !shared.includes(`./crypto/noble/${name}`)).sort(), [
    'ccm', 'chacha', 'ecdsa', 'ed25519', 'gcm', 'groups-nist', 'groups-x25519', 'hash', 'rsa',
  ]);
});

repository.run();

const installed = suite('the installed package', { folder: '' });

installed.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'microdtls-package-'));
  const run = (command: string, ...args: string[]): string => execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  const tarball = run('npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', context.folder).trim();
  const home = join(context.folder, 'node_modules');
  mkdirSync(join(home, 'microdtls'), { recursive: true });
  run('tar', '-xzf', join(context.folder, tarball), '-C', join(home, 'microdtls'), '--strip-components=1');
  symlinkSync(join(ROOT, 'node_modules/@noble'), join(home, '@noble'));
});

installed.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

installed('holds the built library, its licence and no source, spec or bench', ({ folder }) => {
  const files = readdirSync(join(folder, 'node_modules/microdtls'), { recursive: true, encoding: 'utf8' });
  assert.ok(files.includes('LICENSE'));
  assert.equal(files.filter((file) => /(?<!\.d)\.ts$|^(?:spec|bench|lib)\b|^dist.(?:spec|bench)\b/.test(file)), []);
});

installed('is imported by every name that it exports', ({ folder }) => {
  const lines = exported().map(([name]) => `await import('microdtls${name.slice(1)}');`);
  writeFileSync(join(folder, 'all.mjs'), lines.join('\n'));
  execFileSync(process.execPath, ['all.mjs'], { cwd: folder, stdio: 'pipe' });
});

installed('has declarations that need neither Node.js nor a browser, but for the parts that are made for Node.js', ({ folder }) => {
  const neutral = exported().filter(([name]) => !/^\.\/(?:node|crypto\/native)/.test(name));
  writeFileSync(join(folder, 'all.mts'), neutral.map(([name], index) => `export * as part${index} from 'microdtls${name.slice(1)}';`).join('\n'));
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022', '--types', ''];
  typecheck(folder, [...options, 'all.mts']);
});

for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']] as const) {
  installed(`takes the TypeScript of README.md, found as ${resolution} finds it`, ({ folder }) => {
    const examples = [...read('README.md').matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
    assert.is.not(examples.length, 0);
    const given = `declare const pemChain: string, pemKey: string, pemAuthorities: string, pemLists: string, pemPublicKeys: string, fingerprint: string;
      declare const transport: { send(datagram: Uint8Array): void; onDatagram: (datagram: Uint8Array) => void }, keepTimer: (atMs: number) => void, isActive: boolean;`;
    for (const [index, code] of examples.entries()) writeFileSync(join(folder, `readme${index}.mts`), code + given);
    const options = ['--noEmit', '--strict', '--module', module, '--moduleResolution', resolution, '--target', 'es2022'];
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    typecheck(folder, [...options, ...types, ...examples.map((_, index) => `readme${index}.mts`)]);
  });
}

installed('has a command that starts', ({ folder }) => {
  const command = join(folder, 'node_modules/microdtls', manifest.bin['microdtls']!);
  assert.match(execFileSync(command, ['--help'], { encoding: 'utf8', stdio: 'pipe' }), /microdtls/);
});

installed.run();

/** Runs the compiler and fails with what it says. */
function typecheck(folder: string, args: readonly string[]): void {
  const compiler = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  try {
    execFileSync(process.execPath, [compiler, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout);
  }
}

/** Every name that can be imported, with the module behind it. */
function exported(): [name: string, file: string][] {
  return Object.entries(manifest.exports).flatMap(([name, target]): [string, string][] => {
    if (typeof target === 'string' || target === null) return [];
    const file = target['default']!;
    if (!name.includes('*')) return [[name, file]];
    const [before, after] = sourceOf(file).split('*') as [string, string];
    const parts = MODULES.filter(({ path }) => path.startsWith(before) && path.endsWith(after)).map(({ path }) => path.slice(before.length, -after.length));
    const names = parts.map((part): [string, string] => [name.replace('*', part), file.replace('*', part)]);
    return names.filter(([part]) => manifest.exports[part] !== null);
  });
}

/** The source of a built module. */
function sourceOf(file: string): string {
  return file.replace(/^(?:\.\/)?dist\//, '').replace(/\.js$/, '.ts');
}

/** What stands at the top of the repository: as committed, or all that is there where there is no history. */
function topLevel(): string[] {
  try {
    const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }).split('\n').filter(Boolean);
    if (files.length > 0) return [...new Set(files.map((file) => file.split('/')[0]!))];
  } catch {
    // Not a checkout.
  }
  return readdirSync(ROOT).filter((name) => name !== 'node_modules' && name !== 'dist');
}
