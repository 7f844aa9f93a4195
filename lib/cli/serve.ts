/**
 * `microdtls serve`: a server for one person at a terminal, or for a script.
 *
 * Law: one client's trouble is a line of output and nothing more.
 */
import { formatSession } from '../adapters/address.js';
import type { Peer } from '../engine/peer.js';
import { openSocket, stopped, tellConnected, tellData, tellError } from './endpoint.js';
import { reasonOf } from './files.js';
import { eachLine, MAX_LINE } from './lines.js';
import type { Options } from './options.js';
import type { Terminal } from './terminal.js';

/** Serves until `signal` says with which exit code to stop. Returns the exit code. */
export async function serve(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { endpoint, echo, json } = options;
  const socket = openSocket(options, terminal, true);
  let last: Peer | null = null;
  socket.on('connect', (peer) => {
    last = peer;
    tellConnected(terminal, peer, (details) => `${formatSession(peer.session)} connected: ${details}`);
  });
  socket.on('message', (data, peer) => {
    last = peer;
    tellData(terminal, peer, data, echo ? null : (line) => `${formatSession(peer.session)} > ${line}`);
    if (echo) socket.send(peer, data);
  });
  socket.on('disconnect', (peer) => {
    if (last === peer) last = null;
    terminal.event('closed', { peer: formatSession(peer.session) }, `${formatSession(peer.session)} closed`);
  });
  socket.on('dtlsError', (error, session) => tellError(terminal, json, error, session));
  socket.on('error', (error) => tellError(terminal, json, error, null));

  try {
    const { address, port } = await socket.bind({ address: endpoint.host, port: endpoint.port });
    terminal.event('listening', { address, port }, `listening on ${formatSession({ address, port })}`);
  } catch (error) {
    terminal.note(`cannot listen on ${formatSession({ address: endpoint.host, port: endpoint.port })}: ${reasonOf(error)}`);
    await socket.close();
    return 1;
  }

  if (!echo) {
    // The end of input is not the end of the server: it may run without a terminal.
    void eachLine(process.stdin, (line) => {
      if (line === null) terminal.note(`a line is longer than ${MAX_LINE} bytes: not sent`);
      else if (last === null || !socket.send(last, line)) terminal.note('nobody is connected: the line was not sent');
    });
  }
  const code = await stopped(signal);
  await socket.close();
  return code;
}
