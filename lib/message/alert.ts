/**
 * Alerts (RFC 5246 §7.2): two bytes, one alert a record.
 */
import { AlertLevel } from '../wire/registry.js';

/** Whether `body` is an alert at all; its level and description are then body[0] and body[1]. */
export function isAlert(body: Uint8Array, start: number, end: number): boolean {
  const level = body[start];
  return end - start === 2 && (level === AlertLevel.warning || level === AlertLevel.fatal);
}
