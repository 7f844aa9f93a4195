/**
 * `microdtls connect`: a client for one person at a terminal, or for a pipe.
 *
 * Law: stdout holds what the server sent and nothing else; the exit code says how it ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatSession } from '../adapters/address.js';
import { DtlsError, type DtlsSocket, type SystemError } from '../adapters/node.js';
import type { Peer } from '../engine/peer.js';
import { AlertDescription } from '../wire/registry.js';
import { openSocket, stopped, tellConnected, tellData, tellError } from './endpoint.js';
import { describeIdentity } from './identity.js';
import { reasonOf } from './files.js';
import { eachLine, MAX_LINE } from './lines.js';
import type { Options } from './options.js';
import type { Terminal } from './terminal.js';

/** With as many answers as questions, how long a further one may take. */
const QUIET_MS = 100;
/** How often it is looked whether enough time has passed. */
const GLANCE_MS = 20;

/** Connects, carries data until input or association end, or until `signal` says so. Returns the exit code. */
export async function connect(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { endpoint, timeoutMs, json, serverName } = options;
  const socket = openSocket(options, terminal, false);
  const traffic = new Traffic(socket, options, terminal);
  try {
    const peer = await socket.connect({ ...endpoint, timeoutMs, signal, serverName });
    const chatty = options.verbose || process.stdin.isTTY === true;
    tellConnected(terminal, peer, null);
    if (chatty && !json) terminal.note(`connected to ${formatSession(peer.session)} with ${peer.suite?.name}, ${describeIdentity(peer.identity).words}`);
    return await Promise.race([stopped(signal), traffic.gone, traffic.run(peer)]);
  } catch (error) {
    if (signal.aborted) return signal.reason as number;
    tellFailure(options, terminal, error as DtlsError | SystemError);
    return 1;
  } finally {
    traffic.finish();
    await socket.close();
  }
}

/** What goes back and forth over one association. */
class Traffic {
  /** Resolves with the exit code when the peer has gone. */
  readonly gone: Promise<number>;
  readonly #socket: DtlsSocket;
  readonly #options: Options;
  readonly #terminal: Terminal;
  #sent = 0;
  #received = 0;
  #latest = 0;
  #code = 0;
  #finished = false;

  constructor(socket: DtlsSocket, options: Options, terminal: Terminal) {
    this.#socket = socket;
    this.#options = options;
    this.#terminal = terminal;
    socket.on('message', (data, peer) => {
      this.#received++;
      this.#latest = performance.now();
      tellData(terminal, peer, data, (line) => line);
    });
    socket.on('dtlsError', (error, session) => {
      this.#code = 1;
      tellError(terminal, options.json, error, session);
    });
    socket.on('error', (error) => {
      this.#code = 1;
      tellError(terminal, options.json, error, null);
    });
    this.gone = new Promise((resolve) => {
      socket.on('disconnect', (peer) => {
        terminal.event('closed', { peer: formatSession(peer.session) }, null);
        if (!this.#finished && this.#code === 0 && !options.json) terminal.note('the peer closed the association');
        resolve(this.#code);
      });
    });
  }

  /** Sends the input, waits for answers. Resolves with the exit code. */
  async run(peer: Peer): Promise<number> {
    await eachLine(process.stdin, (line) => this.#send(peer, line));
    this.#latest = performance.now();
    for (;;) {
      const patience = this.#received >= this.#sent ? Math.min(QUIET_MS, this.#options.waitMs) : this.#options.waitMs;
      const left = this.#latest + patience - performance.now();
      if (peer.state !== 'connected') return this.gone;
      if (left <= 0) return this.#code;
      await sleep(Math.min(left, GLANCE_MS));
    }
  }

  /** From here on it is we who close. */
  finish(): void {
    this.#finished = true;
  }

  #send(peer: Peer, line: Uint8Array | null): void {
    if (line === null) {
      this.#code = 1;
      this.#terminal.note(`a line is longer than ${MAX_LINE} bytes: not sent`);
    } else if (this.#socket.send(peer, line)) {
      this.#sent++;
    }
  }
}

/** One line that says who could not be reached and why. */
function tellFailure({ endpoint, json }: Options, terminal: Terminal, error: DtlsError | SystemError): void {
  const who = formatSession({ address: endpoint.host, port: endpoint.port });
  if (json) terminal.event('error', { peer: who, code: error.code, message: error.message }, null);
  terminal.note(`cannot connect to ${who}: ${error instanceof DtlsError ? error.message + adviceOn(error) : reasonOf(error)}`);
}

/** What the person can do, where the error itself cannot know it. */
function adviceOn({ code, alert, message }: DtlsError): string {
  if (code === 'ERR_DTLS_ALERT' && alert === AlertDescription.handshakeFailure) {
    return ' (often: what it has, pre-shared keys, certificates or raw keys, is of another kind than what it was offered)';
  }
  return message.startsWith('no server name is expected') ? ' (--server-name NAME says which is, a name or an address)' : '';
}
