/**
 * Results for people and for machines: an aligned table, one JSON object a line, a bar chart of the ratios.
 */
import type { Labels, Result } from './harness.js';

interface Column {
  readonly head: string;
  readonly width: number;
  readonly left?: boolean;
  text(result: Result): string;
}

const NONE = '–';

const COLUMNS: readonly Column[] = [
  { head: 'bench', width: 41, left: true, text: ({ bench }) => bench },
  { head: 'suite', width: 30, left: true, text: ({ suite }) => suite ?? NONE },
  { head: 'provider', width: 8, left: true, text: ({ provider }) => provider ?? NONE },
  { head: 'size', width: 7, text: ({ size }) => whole(size) },
  { head: 'µs/op', width: 9, text: ({ microsecondsPerOp }) => significant(microsecondsPerOp) },
  { head: 'ops/s', width: 11, text: ({ opsPerSecond }) => whole(opsPerSecond) },
  { head: '±%', width: 4, text: ({ spread }) => whole(spread === null ? null : spread * 50) },
  { head: 'B/op', width: 8, text: ({ bytesPerOp }) => whole(bytesPerOp) },
  { head: 'ratio', width: 6, text: ({ ratio }) => (ratio === null ? NONE : ratio.toFixed(ratio < 10 ? 2 : 1)) },
  { head: 'gate', width: 4, text: ({ gate }) => (gate === null ? NONE : `${gate}`) },
];

/** The heads of the table. */
export function heading(): string {
  const line = COLUMNS.map(({ head, width, left }) => (left ? head.padEnd(width) : head.padStart(width))).join('  ');
  return `${line}\n${COLUMNS.map(({ width }) => '─'.repeat(width)).join('──')}`;
}

/** One line of the table. */
export function row(result: Result): string {
  return COLUMNS.map(({ width, left, text }) => {
    const cell = text(result);
    return left ? cell.padEnd(width) : cell.padStart(width);
  }).join('  ');
}

/** What stands below the table: gates that were missed, and numbers that go with a case but have no column. */
export function notes(results: readonly Result[]): string[] {
  return results.flatMap((result) => {
    const { ratio, gate, percentiles = {}, detail = {} } = result;
    const missed = ratio !== null && gate !== null && ratio < gate ? [`${nameOf(result)}: the ratio must be ${gate}`] : [];
    const times = Object.entries(percentiles).map(([name, value]) => `${spaced(name)} ${significant(value)} µs`);
    const numbers = [...times, ...Object.entries(detail).map(([name, value]) => `${spaced(name)} ${whole(value)}`)];
    return numbers.length === 0 ? missed : [...missed, `${nameOf(result)}: ${numbers.join(', ')}`];
  });
}

/** One object, on one line. */
export function json(result: Result): string {
  return JSON.stringify(result, (_key, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value));
}

/** A case's name on one line: what `--filter` looks at. */
export function nameOf({ bench, suite, provider, size }: Labels): string {
  return [bench, suite, provider, size].filter((part) => part !== null).join(' ');
}

const ROW = 18;
const LABEL = 330;
const PLOT = 520;
const MARGIN = 24;
const WIDTH = MARGIN + LABEL + PLOT + 110;

/** Ratios above this are drawn no longer: one case of twenty would leave nothing of the others. */
const LONGEST = 5;

type Drawn = Result & { readonly ratio: number };

/**
 * The ratios as horizontal bars under a title for each bench, with a line where both sides are equally fast and a mark
 * where a case has a gate. `about`: what it was measured on.
 */
export function plot(results: readonly Result[], about: string = ''): string {
  const drawn = results.filter((result): result is Drawn => result.ratio !== null);
  const benches = [...new Set(drawn.map(({ bench }) => bench))];
  const longest = Math.min(LONGEST, Math.max(1.25, ...drawn.map(({ ratio, gate }) => Math.max(ratio, gate ?? 0)))) * 1.02;
  const place = (ratio: number): number => tenth(MARGIN + LABEL + (Math.min(ratio, longest) / longest) * PLOT);
  const marks: string[] = [];
  let y = 3 * ROW + MARGIN;
  for (const bench of benches) {
    const rows = drawn.filter((result) => result.bench === bench);
    const references = [...new Set(rows.map(({ reference }) => reference))].join(', ');
    marks.push(text(MARGIN, y + ROW, `${bench}, against ${references}`, 'class="bench"'));
    y += 1.5 * ROW;
    const bottom = y + rows.length * ROW;
    rows.forEach((result, index) => marks.push(...bar(result, y + index * ROW, place)));
    marks.push(`<line x1="${place(1)}" y1="${y}" x2="${place(1)}" y2="${bottom}" class="one"/>`);
    y = bottom + ROW / 2;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 2 * ROW}" font-family="sans-serif" font-size="12">`,
    '<style>.bench{font-weight:bold}.title{font-size:16px;font-weight:bold}.faint{fill:#666}.one{stroke:#333}.gate{stroke:#c60;stroke-width:2.5}</style>',
    '<rect width="100%" height="100%" fill="white"/>',
    text(MARGIN, MARGIN + 8, 'How many times as fast as the reference', 'class="title"'),
    text(MARGIN, MARGIN + 8 + ROW, about, 'class="faint"'),
    ...marks,
    text(MARGIN, y + ROW, legend(drawn), 'class="faint"'),
    '</svg>',
    '',
  ].join('\n');
}

function bar(result: Drawn, y: number, place: (ratio: number) => number): string[] {
  const { suite, provider, size, ratio, gate } = result;
  const label = [suite, provider, size === null ? null : whole(size)].filter((part) => part !== null).join('  ');
  const [start, end] = [place(0), place(ratio)];
  const middle = y + ROW - 5;
  const mark = place(gate ?? 0);
  return [
    text(start - 8, middle, label, 'text-anchor="end"'),
    `<rect x="${start}" y="${y + 3}" width="${tenth(end - start)}" height="${ROW - 6}" fill="${colour(ratio, gate)}"/>`,
    ...(gate === null ? [] : [`<line x1="${mark}" y1="${y + 1}" x2="${mark}" y2="${y + ROW - 1}" class="gate"/>`]),
    text(Math.max(end, mark) + 6, middle, ratio.toFixed(2), 'class="ratio"'),
  ];
}

/** Red only where a gate is missed; without one, being slower than the platform is no fault. */
function colour(ratio: number, gate: number | null): string {
  if (gate !== null && ratio < gate) return '#c0392b';
  return ratio >= 1 ? '#2a7f62' : '#8aa0b0';
}

function legend(drawn: readonly Drawn[]): string {
  const gates = drawn.some(({ gate }) => gate !== null) ? '; the orange mark is a gate, and red misses it' : '';
  return `The line is 1, as fast as the reference; green is faster, grey slower${gates}. Bars end at ${LONGEST}, whatever the number says.`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${tenth(x)}" y="${tenth(y)}" ${attributes}>${content.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter === 'K' ? 'k' : letter.toLowerCase()}`);
}

/** 1 234 567: thousands apart by a thin mark that stays one column wide. */
function whole(value: number | null): string {
  return value === null ? NONE : Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function significant(value: number | null): string {
  if (value === null) return NONE;
  return value >= 1000 ? whole(value) : value.toPrecision(3).replace(/e.*$/, '');
}
