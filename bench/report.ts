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
  { head: 'bench', width: 38, left: true, text: ({ bench }) => bench },
  { head: 'suite', width: 29, left: true, text: ({ suite }) => suite ?? NONE },
  { head: 'provider', width: 8, left: true, text: ({ provider }) => provider ?? NONE },
  { head: 'size', width: 7, text: ({ size }) => whole(size) },
  { head: 'µs/op', width: 9, text: ({ microsecondsPerOp }) => significant(microsecondsPerOp) },
  { head: 'ops/s', width: 11, text: ({ opsPerSecond }) => whole(opsPerSecond) },
  { head: '±%', width: 4, text: ({ spread }) => whole(spread === null ? null : spread * 50) },
  { head: 'B/op', width: 8, text: ({ bytesPerOp }) => whole(bytesPerOp) },
  { head: 'ratio', width: 6, text: ({ ratio }) => (ratio === null ? NONE : ratio.toFixed(ratio < 10 ? 2 : 1)) },
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

/** What stands below the table: numbers that go with a case but have no column. */
export function notes(results: readonly Result[]): string[] {
  return results.flatMap((result) => {
    if (result.detail === undefined) return [];
    const numbers = Object.entries(result.detail).map(([name, value]) => `${spaced(name)} ${whole(value)}`);
    return [`${nameOf(result)}: ${numbers.join(', ')}`];
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

const BAR = 18;
const TEXT = 470;
const PLOT = 480;

/** Ratios above this are drawn no longer: one case of twenty would leave nothing of the others. */
const LONGEST = 5;

/** The ratios as horizontal bars, with a line where both sides are equally fast. */
export function plot(results: readonly Result[]): string {
  const bars = results.filter((result): result is Result & { ratio: number } => result.ratio !== null);
  const widest = Math.min(LONGEST, Math.max(1, ...bars.map(({ ratio }) => ratio)));
  const scale = (ratio: number): number => Math.round((Math.min(ratio, widest) / widest) * PLOT * 10) / 10;
  const height = (bars.length + 3) * BAR;
  const lines = bars.flatMap((result, index) => {
    const y = (index + 1) * BAR;
    const fill = result.ratio >= 1 ? '#2a7f62' : '#b5534c';
    const width = scale(result.ratio);
    return [
      `<text x="${TEXT - 8}" y="${y + 13}" text-anchor="end">${escaped(nameOf(result))}</text>`,
      `<rect x="${TEXT}" y="${y + 3}" width="${width}" height="${BAR - 6}" fill="${fill}"/>`,
      `<text x="${TEXT + width + 5}" y="${y + 13}">${result.ratio.toFixed(2)}</text>`,
    ];
  });
  const one = TEXT + scale(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${TEXT + PLOT + 60}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    ...lines,
    `<line x1="${one}" y1="${BAR / 2}" x2="${one}" y2="${height - 1.5 * BAR}" stroke="#333" stroke-dasharray="3 3"/>`,
    `<text x="${one}" y="${height - BAR / 2}" text-anchor="middle">1 = the reference of each case</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
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
