/**
 * Law 7: files and functions stay small, everything public says what it is, and no spec can pass by not running.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { transform } from 'esbuild';
import { MODULES, codeOnly, read, sources, withoutComments } from './house.js';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 80;

test('no file of lib/ is longer than 400 lines', () => {
  const long = MODULES.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  assert.equal(long.filter(({ lines }) => lines > MAX_FILE_LINES), []);
});

test('no function of lib/ is longer than 80 lines', async () => {
  const found = await Promise.all(MODULES.map(async ({ path, text }) => longFunctions(path, await printed(text))));
  assert.equal(found.flat(), []);
});

test('the search for long functions finds functions, methods and arrows, and only long ones', async () => {
  const body = (lines: number): string => '  x();\n'.repeat(lines);
  const text = `class A { static #a(): void {\n${body(90)}} }
    export async function b() {\n${body(90)}}
    const c = (y: number): void => {\n${body(90)}};
    function short() {\n${body(70)}}\n${body(90)}
    if (x) {\n${body(90)}}`;
  const found = longFunctions('x.ts', await printed(text));
  const heads = found.map((line) => line.replace(/: \d+ lines$/, ''));
  assert.equal(heads, ['x.ts: static #a() {', 'x.ts: export async function b() {', 'x.ts: const c = (y) => {']);
});

test('every module of lib/ opens with a comment that says what it is', () => {
  assert.equal(MODULES.filter(({ text }) => !/^(#![^\n]*\n)?\/\*\*/.test(text)).map(({ path }) => path), []);
});

test('everything that the entry files export has a comment of its own', () => {
  const declaration = /^(.*)\n(?:export )?(?:abstract |async |declare )*(?:class|const|function\*?|interface|let|type) (\w+)/gm;
  const documented = new Set(
    MODULES.flatMap(({ text }) => [...text.matchAll(declaration)].filter(([, above]) => above!.trimEnd().endsWith('*/')).map(([, , name]) => name!)),
  );
  const entries = MODULES.filter(({ room }) => room === 'entry');
  const names = entries.flatMap(({ text }) => [
    ...[...withoutComments(text).matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, clause]) => clause!.match(/\w+(?=\s*(?:,|$|as\b))/g) ?? []),
    ...[...text.matchAll(/^export (?:abstract |async )*(?:class|const|function\*?|interface|type) (\w+)/gm)].map(([, name]) => name!),
  ]);
  assert.is.not(names.length, 0);
  assert.equal(names.filter((name) => !documented.has(name)), []);
});

test('every spec file runs each of its suites, and none runs only a part', () => {
  const faults = sources('spec')
    .filter((path) => path.endsWith('.spec.ts'))
    .flatMap((path) => {
      const code = codeOnly(read(path));
      const count = (pattern: RegExp): number => [...code.matchAll(pattern)].length;
      const suites = Math.max(1, count(/\bsuite(?:<[^>]*>)?\(/g));
      const faults = count(/\.run\(\)/g) < suites ? [`${path}: fewer calls of run() than suites`] : [];
      return count(/\.only\(/g) > 0 ? [...faults, `${path}: only()`] : faults;
    });
  assert.equal(faults, []);
});

/** The module as the compiler prints it: no comments, no types, two spaces a level. */
async function printed(text: string): Promise<string[]> {
  return (await transform(text, { loader: 'ts', target: 'es2022' })).code.split('\n');
}

/** The functions that are too long: from an opening line to the next line that closes at the same depth. */
function longFunctions(path: string, lines: readonly string[]): string[] {
  const opening = /^( *)(?!(?:if|for|while|switch|with|catch)\b)(.*(?:\bfunction\b.*|=>|[\w$#\]]\(.*\)) \{)$/;
  return lines.flatMap((line, at) => {
    const [, depth, head] = opening.exec(line) ?? [];
    if (head === undefined || /^\} (else|catch)|^(do|else|try) /.test(head)) return [];
    const length = lines.slice(at).findIndex((other, index) => index > 0 && other.startsWith(`${depth}}`)) + 1;
    return length > MAX_FUNCTION_LINES ? [`${path}: ${head}: ${length} lines`] : [];
  });
}

test.run();
