/**
 * The state tables as Markdown, made from the tables themselves: every state with the messages it takes. Where a
 * handler leads is its own business; the exhaustive spec holds it to account.
 */
import type { Table12 } from '../../lib/handshake12/handshake.js';
import { tablesOf } from '../../lib/handshake12/states.js';
import { ecdheEcdsa } from '../../lib/handshake12/certified.js';
import { ecdhePsk } from '../../lib/handshake12/ecdhepsk.js';
import { psk } from '../../lib/handshake12/psk.js';
import { Answered } from '../../lib/handshake/machine.js';
import { HandshakeType } from '../../lib/wire/registry.js';

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(HandshakeType).map(([name, type]) => [type, name[0]!.toUpperCase() + name.slice(1)] as const),
  ...Object.entries(Answered).map(([name, type]) => [type, `answer: ${name}`] as const),
]);

/** One role's table as a Markdown table. */
function tableOf(title: string, table: Table12): string {
  // In the order of a handshake: a key exchange stands between the hellos and Finished.
  const last = ['waitFinished', 'connected'];
  const states = Object.entries(table).sort(([a], [b]) => last.indexOf(a) - last.indexOf(b));
  const rows = states.map(([state, row]) => {
    const messages = Object.keys(row).map((type) => NAMES.get(Number(type)) ?? type);
    return `| \`${state}\` | ${messages.join(', ') || 'none'} |`;
  });
  return [`**${title}**`, '', '| state | takes |', '| --- | --- |', ...rows].join('\n');
}

/** Both tables, as they stand in lib/README.md. */
export function stateTables(): string {
  const { client, server } = tablesOf([psk, ecdhePsk, ecdheEcdsa]);
  return `${tableOf('Client', client)}\n\n${tableOf('Server', server)}`;
}
