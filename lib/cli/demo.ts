/**
 * `microdtls demo`: a server and a client over UDP on this machine, and a report of what they said to each other.
 *
 * Law: everything shown was measured in this run.
 */
import { printable } from './printable.js';
import { once } from 'node:events';
import { formatSession } from '../adapters/address.js';
import { DtlsSocket, type DtlsSocketOptions, type SocketStats } from '../adapters/node.js';
import type { Peer } from '../engine/peer.js';
import { paint, wantsColour } from './colour.js';
import type { Options } from './options.js';
import type { Terminal } from './terminal.js';
import { describeDatagram, timelineRow, type Passage } from './timeline.js';

const CREDENTIAL = { identity: 'demo', key: 'not a secret, this is a demonstration' };
const WORDS = ['hello', 'what you say is encrypted', 'and nobody else can have said it'];
const TIMEOUT_MS = 5000;

/** Runs the demonstration. Returns the exit code. */
export async function demo(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { suites, mtu } = options;
  const common: DtlsSocketOptions = { psk: CREDENTIAL, cipherSuites: suites, mtu };
  const passages: Passage[] = [];
  let startedAt = 0;
  const server = new DtlsSocket(common);
  const client = new DtlsSocket({
    ...common,
    tap: (direction, _session, datagram) => {
      // The timeline begins with the first datagram.
      startedAt ||= performance.now();
      const way = `client ${direction === 'out' ? '→' : '←'} server`;
      passages.push({ atMs: performance.now() - startedAt, direction, way, bytes: datagram.length, what: describeDatagram(datagram) });
    },
  });
  server.on('message', (data, peer) => server.send(peer, data));
  try {
    const { address, port } = await server.bind({ address: '127.0.0.1' });
    const peer = await client.connect({ host: address, port, timeoutMs: TIMEOUT_MS, signal });
    const connectedMs = performance.now() - startedAt;
    const handshake = passages.splice(0);
    const echoes = await exchange(client, peer, signal);
    const stats = { client: client.stats(), server: server.stats() };
    const report = new Report();
    report.ends(formatSession({ address, port }), formatSession({ address, port: client.address().port }));
    report.timeline('handshake', handshake);
    report.echoes(echoes, passages);
    report.association(peer);
    report.counters(stats.client, stats.server);
    const flights = `${handshake.length} datagrams, ${stats.client.retransmissions + stats.server.retransmissions} retransmissions`;
    process.stdout.write(`${report.text}connected in ${connectedMs.toFixed(1)} ms with ${peer.suite?.name} (${flights})\n`);
    return 0;
  } catch (error) {
    if (signal.aborted) return signal.reason as number;
    terminal.note(`the demonstration failed: ${(error as Error).message}`);
    return 1;
  } finally {
    await client.close();
    await server.close();
  }
}

interface Echo {
  readonly text: string;
  readonly answer: string;
  readonly ms: number;
}

async function exchange(client: DtlsSocket, peer: Peer, signal: AbortSignal): Promise<Echo[]> {
  const echoes: Echo[] = [];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  for (const text of WORDS) {
    const startedAt = performance.now();
    const answered = once(client, 'message', { signal: limit });
    client.send(peer, text);
    const [answer] = (await answered) as [Buffer];
    echoes.push({ text, answer: answer.toString(), ms: performance.now() - startedAt });
  }
  return echoes;
}

/** The report, section by section. */
class Report {
  text = '';
  readonly #colour: boolean = wantsColour(process.stdout);

  ends(server: string, client: string): void {
    this.#head('udp');
    this.#row('server', server);
    this.#row('client', client);
  }

  timeline(title: string, passages: readonly Passage[]): void {
    this.#head(title);
    for (const passage of passages) this.#passage(passage);
  }

  /** The datagrams that carried the exchanges, then each exchange with the time of its round trip. */
  echoes(echoes: readonly Echo[], passages: readonly Passage[]): void {
    this.#head('data');
    for (const passage of passages) this.#passage(passage);
    for (const { text, answer, ms } of echoes) {
      const verdict = answer === text ? 'came back' : 'came back changed';
      this.text += `${paint('dim', `${ms.toFixed(1).padStart(9)} ms`, this.#colour)}  there and back: ${JSON.stringify(text)} ${verdict}\n`;
    }
  }

  association({ suite, identity, extendedMasterSecret }: Peer): void {
    this.#head('association');
    this.#row('suite', `${suite?.name} (0x${suite?.id.toString(16).padStart(4, '0')})`);
    this.#row('identity', identity?.kind === 'psk' ? printable(identity.identity) : (identity?.kind ?? 'none'));
    this.#row('extended_master_secret', extendedMasterSecret ? 'yes' : 'no');
  }

  counters(client: SocketStats, server: SocketStats): void {
    this.#head('counters');
    const columns = (one: string | number, other: string | number): string => `${String(one).padStart(8)}${String(other).padStart(8)}`;
    // A hello without a cookie is dropped too, but it stands in a row of its own.
    const dropped = ({ dropped }: SocketStats): number => Object.values(dropped).reduce((sum, count) => sum + count, 0) - dropped.cookie;
    this.#row('', paint('dim', columns('client', 'server'), this.#colour));
    this.#row('datagrams sent', columns(client.datagramsSent, server.datagramsSent));
    this.#row('bytes sent', columns(client.bytesSent, server.bytesSent));
    this.#row('cookies asked for', columns(client.helloVerifyRequests, server.helloVerifyRequests));
    this.#row('retransmissions', columns(client.retransmissions, server.retransmissions));
    this.#row('records dropped', columns(dropped(client), dropped(server)));
    this.text += '\n';
  }

  #passage(passage: Passage): void {
    this.text += `${timelineRow(passage, passage.way.length, this.#colour)}\n`;
  }

  #head(title: string): void {
    this.text += `${this.text === '' ? '' : '\n'}${paint('bold', title, this.#colour)}\n`;
  }

  #row(name: string, value: string): void {
    this.text += `  ${paint('dim', name.padEnd(24), this.#colour)}${value}\n`;
  }
}
