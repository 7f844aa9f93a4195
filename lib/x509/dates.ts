/**
 * Dates and spans of time for people. All times are milliseconds since 1970, UTC.
 */

const DAY_MS = 86_400_000;
const UNITS: readonly (readonly [string, number])[] = [
  ['year', 365 * DAY_MS],
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** The day as 2026-11-21, in the Gregorian calendar. */
export function dayOf(timeMs: number): string {
  // Counted from 1 March of year 0, so that the leap day is the last of its year and 400 years are a whole cycle.
  const days = Math.floor(timeMs / DAY_MS) + 719_468;
  const cycle = Math.floor(days / 146_097);
  const inCycle = days - cycle * 146_097;
  const yearOfCycle = Math.floor((inCycle - Math.floor(inCycle / 1460) + Math.floor(inCycle / 36_524) - Math.floor(inCycle / 146_096)) / 365);
  const dayOfYear = inCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0);
  const digits = (value: number, length: number): string => String(value).padStart(length, '0');
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

/** A span in words: "3 days", "1 hour", "less than a minute". */
function spanOf(spanMs: number): string {
  for (const [unit, length] of UNITS) {
    const count = Math.floor(spanMs / length);
    if (count >= (unit === 'year' ? 2 : 1)) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

/** A validity period. `notAfter` is the last second that is part of it (RFC 5280 §4.1.2.5). */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What is wrong with the time `now`, in words that go on from a name ("expired 3 days ago (2026-11-18)"); null for nothing. */
export function outOfDate({ notBefore, notAfter }: Validity, now: number): string | null {
  if (now >= notBefore && now < notAfter + 1000) return null;
  if (now < notBefore) return `is not valid before ${dayOf(notBefore)} (in ${spanOf(notBefore - now)})`;
  if (now >= notAfter) return `expired ${spanOf(now - notAfter)} ago (${dayOf(notAfter)})`;
  return 'cannot be judged, as the clock gives no time';
}
