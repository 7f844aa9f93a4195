/**
 * `microdtls demo`: a server and a client over UDP on this machine, once for each way to authenticate, and a report of what
 * they said to each other.
 *
 * Law: everything shown was measured in this run.
 */
import { once } from 'node:events';
import { formatSession } from '../adapters/address.js';
import { DtlsSocket } from '../adapters/node.js';
import type { PeerIdentity } from '../engine/events.js';
import type { Peer } from '../engine/peer.js';
import { ALL_SUITES } from '../suites/all.js';
import { describeCertificate, parseCertificate } from '../x509/certificate.js';
import { spokenName } from '../x509/distinguished.js';
import { paint, wantsColour } from './colour.js';
import { fingerprint } from './identity.js';
import type { Options } from './options.js';
import { printable } from './printable.js';
import { scenes, type Scene } from './scenes.js';
import type { Terminal } from './terminal.js';
import { describeDatagram, timelineRow, type Passage } from './timeline.js';
import { UsageError } from './usage.js';

const WORDS = 'what you say is encrypted, and nobody else can have said it';
const ADDRESS = '127.0.0.1';
const TIMEOUT_MS = 5000;
/** Columns of the report, and the one where the words for a datagram begin. */
const WIDTH = 100;
const INDENT = 40;

/** Runs the demonstration. Returns the exit code. Throws a UsageError if the suites allow nothing to be shown. */
export async function demo({ suites = ALL_SUITES, mtu }: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const plays = scenes(suites);
  if (plays.length === 0) throw new UsageError('--suites: the demonstration has pre-shared and P-256 keys, and no suite for them is named');
  const report = new Report();
  const shown: Shown[] = [];
  try {
    for (const scene of plays) {
      shown.push(await play(scene, mtu, signal));
      report.scene(shown[shown.length - 1]!);
    }
  } catch (error) {
    if (signal.aborted) return signal.reason as number;
    process.stdout.write(report.text);
    terminal.note(`the demonstration failed: ${(error as Error).message}`);
    return 1;
  }
  report.numbers(shown);
  const sum = (of: (one: Shown) => number): number => shown.reduce((total, one) => total + of(one), 0);
  const ways = new Intl.ListFormat('en-GB').format(shown.map(({ scene }, index) => (index === 0 && scene.name.endsWith('key') ? `a ${scene.name}` : scene.name)));
  const [ms, datagrams] = [sum(({ connectedMs }) => connectedMs).toFixed(1), sum(({ handshake }) => handshake.length)];
  process.stdout.write(`${report.text}connected in ${ms} ms with ${ways} (${datagrams} datagrams)\n`);
  return 0;
}

/** What one scene came to. */
interface Shown {
  readonly scene: Scene;
  readonly ends: string;
  readonly connectedMs: number;
  readonly handshake: readonly Passage[];
  readonly data: readonly Passage[];
  readonly echoMs: number;
  readonly answer: string;
  readonly suite: string;
  /** Who each side is to the other. */
  readonly server: PeerIdentity | null;
  readonly client: PeerIdentity | null;
  readonly retransmissions: number;
}

/** One handshake, and one message there and back. */
async function play(scene: Scene, mtu: number | undefined, signal: AbortSignal): Promise<Shown> {
  const passages: Passage[] = [];
  let startedAt = 0;
  const server = new DtlsSocket({ ...scene.server, mtu });
  const client = new DtlsSocket({
    ...scene.client,
    mtu,
    tap: (direction, _session, datagram) => {
      // The timeline begins with the first datagram.
      startedAt ||= performance.now();
      const way = `client ${direction === 'out' ? '→' : '←'} server`;
      passages.push({ atMs: performance.now() - startedAt, direction, way, bytes: datagram.length, what: describeDatagram(datagram) });
    },
  });
  server.on('message', (data, peer) => server.send(peer, data));
  try {
    const { port } = await server.bind({ address: ADDRESS });
    const peer = await client.connect({ host: ADDRESS, port, timeoutMs: TIMEOUT_MS, signal });
    const connectedMs = performance.now() - startedAt;
    const handshake = passages.splice(0);
    const sentAt = performance.now();
    const answered = once(client, 'message', { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
    client.send(peer, WORDS);
    const [answer] = (await answered) as [Buffer];
    const echoMs = performance.now() - sentAt;
    const [from, to] = [client.address().port, port].map((each) => formatSession({ address: ADDRESS, port: each }));
    return {
      scene, connectedMs, handshake, echoMs,
      ends: `client ${from}, server ${to}`,
      data: passages.splice(0),
      answer: answer.toString(),
      suite: suiteOf(peer),
      server: peer.identity,
      client: server.peers[0]?.identity ?? null,
      retransmissions: client.stats().retransmissions + server.stats().retransmissions,
    };
  } finally {
    await client.close();
    await server.close();
  }
}

/** The report, section by section. */
class Report {
  text = '';
  readonly #colour: boolean = wantsColour(process.stdout);

  scene({ scene, ends, handshake, data, echoMs, answer, suite, server, client }: Shown): void {
    this.text += `${this.#bold(scene.name)}: ${scene.words}\n`;
    this.#row('on UDP', ends);
    for (const passage of [...handshake, ...data]) this.#passage(passage);
    this.#row('data', JSON.stringify(WORDS));
    this.#row('', `${answer === WORDS ? 'came back' : 'came back CHANGED'} after ${echoMs.toFixed(1)} ms`);
    this.#row('suite', suite);
    this.#row('the server proved', proof(server));
    this.#row('the client proved', proof(client));
    this.text += '\n';
  }

  /** What each handshake cost, side by side. */
  numbers(shown: readonly Shown[]): void {
    const line = (name: string, cell: (one: Shown) => string): void => this.#row(name, shown.map((one) => cell(one).padStart(18)).join(''));
    const sum = (passages: readonly Passage[], direction?: Passage['direction']): number =>
      passages.reduce((total, passage) => total + (direction === undefined || passage.direction === direction ? passage.bytes : 0), 0);
    this.text += `${this.#bold('handshakes in numbers')}\n`;
    line('', ({ scene }) => scene.name);
    line('datagrams', ({ handshake }) => String(handshake.length));
    line('bytes by client', ({ handshake }) => String(sum(handshake, 'out')));
    line('bytes by server', ({ handshake }) => String(sum(handshake, 'in')));
    line('retransmissions', ({ retransmissions }) => String(retransmissions));
    this.text += '\n';
  }

  /** One datagram; many messages go on in the next line. */
  #passage(passage: Passage): void {
    const [first = '', ...rest] = folded(passage.what.split(', '), WIDTH - INDENT);
    this.text += `${timelineRow({ ...passage, what: first }, passage.way.length, this.#colour)}\n`;
    for (const line of rest) this.text += `${' '.repeat(INDENT)}${line}\n`;
  }

  #row(name: string, value: string): void {
    this.text += `  ${paint('dim', name.padEnd(18), this.#colour)}${value}\n`;
  }

  #bold(text: string): string {
    return paint('bold', text, this.#colour);
  }
}

function suiteOf({ suite, extendedMasterSecret }: Peer): string {
  return `${suite?.name} (0x${suite?.id.toString(16).padStart(4, '0')}), ${extendedMasterSecret ? '' : 'no '}extended master secret`;
}

/** What the other side has proved, in few words. */
function proof(identity: PeerIdentity | null): string {
  if (identity === null) return 'nothing: it was not asked';
  if (identity.kind === 'psk') return `to have the key of ${JSON.stringify(printable(identity.identity))}`;
  if (identity.kind === 'rawKey') return `to own the key ${shortPrint(identity.spki)}`;
  const certificate = parseCertificate(identity.chain[0]!);
  const [name, issuer] = [describeCertificate(certificate), spokenName(certificate.issuer)].map((text) => printable(Buffer.from(text)));
  return `to be ${name}, as ${issuer} says (${shortPrint(identity.chain[0]!)})`;
}

function shortPrint(der: Uint8Array): string {
  return `sha-256 ${fingerprint(der).slice(0, 11)}…`;
}

/** `parts` with commas between them, in lines of at most `width` columns where a part is not longer. */
function folded(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const [index, part] of parts.entries()) {
    const text = index === parts.length - 1 ? part : `${part},`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + text.length <= width) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(text);
  }
  return lines;
}
