/**
 * Every case, in the order of the tables. Only their names are made here; a case builds its sides when it is measured.
 */
import type { Case } from '../harness.js';
import { codecCases } from './codec.js';
import { contextCases } from './context.js';
import { handshakeCases } from './handshake.js';
import { latencyCases } from './latency.js';
import { peerCases } from './peers.js';
import { recordCases } from './record.js';
import { rejectCases } from './reject.js';
import { replayCases } from './replay.js';

/** All cases. `quick`: fewer suites, fewer peers. */
export function allCases(quick: boolean): Case[] {
  const cases = [
    ...recordCases(quick), ...contextCases(quick), ...handshakeCases(quick), ...latencyCases(), ...replayCases(), ...codecCases(),
    ...peerCases(quick), ...rejectCases(quick),
  ];
  // Cases of one name together, names in the order of their first case.
  const names = [...new Set(cases.map(({ bench }) => bench))];
  return names.flatMap((name) => cases.filter(({ bench }) => bench === name));
}
