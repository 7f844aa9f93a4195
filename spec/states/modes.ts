/**
 * The ways to shake hands, each with its rows and the places that lead into its states.
 */
import { ecdheEcdsa } from '../../lib/handshake12/certified.js';
import { ecdhePsk } from '../../lib/handshake12/ecdhepsk.js';
import type { KeyExchange12, Table12 } from '../../lib/handshake12/handshake.js';
import { psk } from '../../lib/handshake12/psk.js';
import { tablesOf } from '../../lib/handshake12/states.js';
import { CERTIFIED_PLACES } from './certified.js';
import { ECDHE_PSK_PLACES, PSK_PLACES, type PlaceTable } from './places.js';

export interface Mode {
  readonly name: 'PSK' | 'ECDHE_PSK' | 'raw keys' | 'certificates';
  readonly keyExchange: KeyExchange12;
  readonly places: PlaceTable;
  readonly tables: Readonly<Record<'client' | 'server', Table12>>;
}

function mode(name: Mode['name'], keyExchange: KeyExchange12, places: PlaceTable): Mode {
  return { name, keyExchange, places, tables: tablesOf([keyExchange]) };
}

export const MODES: readonly Mode[] = [
  mode('PSK', psk, PSK_PLACES),
  mode('ECDHE_PSK', ecdhePsk, ECDHE_PSK_PLACES),
  mode('raw keys', ecdheEcdsa, CERTIFIED_PLACES.rawKey),
  mode('certificates', ecdheEcdsa, CERTIFIED_PLACES.x509),
];

/** The states that wait for the peer, once its hello is there. */
export function waiting({ tables }: Mode, role: 'client' | 'server'): string[] {
  const table = tables[role];
  return Object.keys(table).filter((state) => state !== 'waitClientHello' && Object.keys(table[state]!).some((type) => Number(type) < 256));
}

/** The states that wait for the host. */
export function asking({ tables }: Mode, role: 'client' | 'server'): string[] {
  const table = tables[role];
  return Object.keys(table).filter((state) => Object.keys(table[state]!).some((type) => Number(type) > 255));
}
