/**
 * Colour for terminals, and for nothing else.
 */

/** What can be painted, with the codes that begin and end it (ECMA-48 §8.3.117). */
const STYLES = { bold: [1, 22], dim: [2, 22], cyan: [36, 39], green: [32, 39] } as const;

/** A way to paint. */
export type Style = keyof typeof STYLES;

/** Colour is for terminals, unless NO_COLOR is set (no-color.org). */
export function wantsColour(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}

/** `text`, painted if `colour`. */
export function paint(style: Style, text: string, colour: boolean): string {
  const [begin, end] = STYLES[style];
  return colour ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
}
