/**
 * The house as the laws see it: every module of lib/ with its floor and its imports, read from the source.
 * A text scan, because type imports count too and leave no trace in the built modules; the floors spec checks the
 * scan against the compiler's own list.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, with a closing slash. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));

/** The folder of lib/ that stands on each floor. Files directly in lib/ are entry files, on floor 7. */
export const FLOORS: Readonly<Record<string, number>> = {
  wire: 0,
  crypto: 1,
  message: 2,
  record: 2,
  x509: 2,
  flight: 3,
  handshake: 4,
  handshake12: 5,
  handshake13: 5,
  engine: 6,
  suites: 6,
  credentials: 6,
  entry: 7,
  sock: 7,
  credman: 7,
  adapters: 8,
  cli: 8,
  secure: 8,
};

/** The ground floor of everything that may know its platform. */
export const PLATFORM_FLOOR = 8;

/** One module of lib/. */
export interface Module {
  /** From the root: `lib/engine/context.ts`. */
  readonly path: string;
  readonly text: string;
  /** `engine`, or `entry` for a file directly in lib/. */
  readonly room: string;
  /** `undefined` for a room that the plan does not know. */
  readonly floor: number | undefined;
  /** Every specifier it imports or re-exports from, types included. */
  readonly imports: readonly string[];
}

/** The TypeScript sources below a folder of the repository, in order. */
export function sources(folder: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
    .map((file) => posix.join(folder, file.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !path.includes('/node_modules/'))
    .sort();
}

/** The text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

/** The room a path of lib/ belongs to. */
export function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length === 2 ? 'entry' : parts[1]!;
}

/** The source path that a relative specifier means, or `null` for a package. */
export function resolve(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts') : null;
}

const TOKENS = new RegExp(
  [
    String.raw`\/\/[^\n]*|\/\*[\s\S]*?\*\/`, // comments
    String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|` + '`(?:\\\\[^]|[^`\\\\])*`', // strings
    String.raw`(?<=[=(,:!&|?{};\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*`, // patterns
  ].join('|'),
  'g',
);

/** The text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(TOKENS, (token) => (/^\/[/*]/.test(token) ? ' ' : token));
}

/** The text without comments and without what stands in strings and patterns. */
export function codeOnly(text: string): string {
  return text.replace(TOKENS, (token) => (/^\/[/*]/.test(token) ? ' ' : `''`));
}

/** Every specifier that a text imports or re-exports from: statements, types, `import()`. */
export function importsOf(text: string): string[] {
  const statement = /(?<=(?:^|[;}\n])\s*)(?:import|export)\s+(?:[\w$*{},\s]+?\sfrom\s*)?(['"])(.+?)\1/g;
  const call = /\bimport\(\s*(['"])(.+?)\1\s*\)/g;
  const code = withoutComments(text);
  return [...code.matchAll(statement), ...code.matchAll(call)].map((match) => match[2]!);
}

/** Every module of lib/. */
export const MODULES: readonly Module[] = sources('lib').map((path) => {
  const text = read(path);
  const room = roomOf(path);
  return { path, text, room, floor: FLOORS[room], imports: importsOf(text) };
});
