/**
 * Law 1: imports go down or stay level; siblings and twins never meet. Type imports count.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { build } from 'esbuild';
import { FLOORS, MODULES, ROOT, importsOf, resolve, roomOf } from './house.js';

/** Rooms of one floor that must not know of each other. */
const STRANGERS: readonly (readonly string[])[] = [
  ['message', 'record', 'x509'],
  ['handshake12', 'handshake13'],
  ['engine', 'suites', 'credentials'],
];

/** The imports within lib/, types included, as pairs of paths. */
const EDGES = MODULES.flatMap(({ path, imports }) =>
  imports.flatMap((specifier) => {
    const target = resolve(path, specifier);
    return target === null ? [] : [{ from: path, to: target }];
  }),
);

test('every module stands on a floor of the plan', () => {
  assert.equal(MODULES.filter(({ floor }) => floor === undefined).map(({ path }) => path), []);
  for (const entry of ['lib/index.ts', 'lib/core.ts']) assert.ok(MODULES.some(({ path }) => path === entry), entry);
});

test('every relative import names a module that is there', () => {
  const paths = new Set(MODULES.map(({ path }) => path));
  assert.equal(listed(EDGES.filter(({ to }) => !paths.has(to))), []);
});

test('imports go down or stay level', () => {
  assert.equal(listed(EDGES.filter(({ from, to }) => FLOORS[roomOf(to)]! > FLOORS[roomOf(from)]!)), []);
});

test('siblings and twins never meet', () => {
  const meets = ({ from, to }: Edge): boolean =>
    roomOf(from) !== roomOf(to) && STRANGERS.some((rooms) => rooms.includes(roomOf(from)) && rooms.includes(roomOf(to)));
  assert.equal(listed(EDGES.filter(meets)), []);
});

test('only entry files and what stands beside or above them choose a provider', () => {
  const provider = (path: string): string | undefined => /^lib\/crypto\/(\w+)\//.exec(path)?.[1];
  const chooses = ({ from, to }: Edge): boolean =>
    provider(to) !== undefined && provider(from) !== provider(to) && FLOORS[roomOf(from)]! < FLOORS['entry']!;
  assert.equal(listed(EDGES.filter(chooses)), []);
});

test('no module imports itself through others, types aside', async () => {
  assert.equal(cycles(await compiledImports()), []);
});

test('the scan sees every import that the compiler sees', async () => {
  const scanned = new Set(listed(EDGES));
  const missed: string[] = [];
  for (const [from, targets] of await compiledImports()) {
    for (const to of targets) if (!scanned.has(`${from} -> ${to}`)) missed.push(`${from} -> ${to}`);
  }
  assert.equal(missed, []);
});

test('the scan takes every form of import and nothing else', () => {
  const text = `
    import a from './a.js'; import type { B } from './b.js';
    import { c, type C } from './c.js'; export * as d from "./d.js";
    export {
      e, // it's here
    } from './e.js';
    import './f.js'; await import('./g.js'); let h: import('./h.js').H;
    // import './no.js'
    /* import './no.js' */ const x = "import './no.js'"; export const y = './no.js';
  `;
  assert.equal(importsOf(text).map((specifier) => specifier.at(2)).sort(), [...'abcdefgh']);
});

interface Edge {
  readonly from: string;
  readonly to: string;
}

function listed(edges: readonly Edge[]): string[] {
  return edges.map(({ from, to }) => `${from} -> ${to}`);
}

/** What the compiler keeps of the imports within lib/: everything but the types. */
async function compiledImports(): Promise<Map<string, string[]>> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: MODULES.map(({ path }) => path),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    outdir: 'nowhere',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const internal = Object.entries(metafile.inputs).filter(([path]) => path.startsWith('lib/'));
  return new Map(internal.map(([path, { imports }]) => [path, imports.filter(({ external }) => external !== true).map((target) => target.path)]));
}

/** The cycles of a graph, each as the path that closes it. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    if (above.includes(path)) found.push([...above.slice(above.indexOf(path)), path].join(' -> '));
    else if (!finished.has(path)) {
      for (const target of graph.get(path) ?? []) visit(target, [...above, path]);
      finished.add(path);
    }
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

test.run();
