/**
 * Law 2: below floor 8 nothing knows its platform. Clocks and randomness are the host's.
 * The compiler finds the globals: each forbidden name is defined away and looked for in what it prints, so that
 * comments, strings, properties and local names of the same spelling do not count.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { transform } from 'esbuild';
import { MODULES, PLATFORM_FLOOR, type Module } from './house.js';

/** The one file that reaches for the platform's clocks and randomness. */
const DEFAULTS = 'lib/engine/defaults.ts';

const FORBIDDEN = [
  ...['Date', 'performance', 'Math.random', 'crypto'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'clearTimeout', 'clearInterval', 'clearImmediate'],
  ...['console', 'process', 'Buffer', 'require', 'navigator', 'fetch', 'MessageChannel', 'AbortSignal'],
  ...['globalThis', 'global', 'window', 'self', 'Deno', 'Bun'],
];

const below = MODULES.filter(({ floor }) => floor! < PLATFORM_FLOOR);

test('nothing below floor 8 uses a global of its platform, the defaults file excepted', async () => {
  const found = await Promise.all(below.filter(({ path }) => path !== DEFAULTS).map(globalsOf));
  assert.equal(found.flat(), []);
});

test('the defaults file is there, and needs its exception', async () => {
  const defaults = MODULES.find(({ path }) => path === DEFAULTS);
  assert.ok(defaults, DEFAULTS);
  assert.is.not((await globalsOf(defaults)).length, 0);
});

test('the search for globals finds them, and only them', async () => {
  const search = async (text: string): Promise<string[]> => globalsOf({ path: 'x.ts', text });
  assert.equal(await search('export const at = Date.now(), roll = Math.random();'), ['x.ts uses Date', 'x.ts uses Math.random']);
  assert.equal(await search('export const has = typeof setTimeout, all = { process };'), ['x.ts uses process', 'x.ts uses setTimeout']);
  assert.equal(await search('// Date\nexport const f = (crypto: Date): string => `Date ${crypto} ${f.process}`;'), []);
});

test('node: is imported only in crypto/native/ and on floor 8', () => {
  assert.equal(offenders((specifier) => specifier.startsWith('node:'), ({ path, floor }) => path.startsWith('lib/crypto/native/') || floor === PLATFORM_FLOOR), []);
});

test('@noble is imported only in crypto/noble/', () => {
  assert.equal(offenders((specifier) => specifier.startsWith('@noble/'), ({ path }) => path.startsWith('lib/crypto/noble/')), []);
});

test('no other package is imported anywhere', () => {
  assert.equal(offenders((specifier) => !/^(\.|node:|@noble\/)/.test(specifier), () => false), []);
});

/** The forbidden globals that a module uses. */
async function globalsOf({ path, text }: Pick<Module, 'path' | 'text'>): Promise<string[]> {
  const marks = new Map(FORBIDDEN.map((name) => [name, `FORBIDDEN_${name.replace('.', '_')}`]));
  const { code } = await transform(text, { loader: 'ts', target: 'es2022', define: Object.fromEntries(marks) });
  return [...marks].filter(([, mark]) => new RegExp(`\\b${mark}\\b`).test(code)).map(([name]) => `${path} uses ${name}`).sort();
}

/** The imports of a kind that stand where they may not. */
function offenders(kind: (specifier: string) => boolean, allowed: (module: Module) => boolean): string[] {
  return MODULES.filter((module) => !allowed(module)).flatMap(({ path, imports }) =>
    imports.filter(kind).map((specifier) => `${path} imports ${specifier}`),
  );
}

test.run();
