/**
 * Where hosts and peers meet: whatever a spec starts on a stage ends with it, and a failure tells what everybody saw.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { Host, LOOPBACK, type HostOptions } from './host.js';
import { PeerProcess, installed } from './process.js';

export class Stage {
  readonly #hosts: Host[] = [];
  readonly #processes: PeerProcess[] = [];
  readonly #folders: string[] = [];

  /** A host on a port of its own. */
  async host(options?: HostOptions): Promise<Host> {
    const host = await Host.open(options);
    this.#hosts.push(host);
    return host;
  }

  /** Starts a command. */
  spawn(command: string, parameters: readonly string[], environment?: Readonly<Record<string, string>>): PeerProcess {
    const process = new PeerProcess(command, parameters, environment);
    this.#processes.push(process);
    return process;
  }

  /** Writes a file into a folder of its own. Its path. */
  async file(name: string, content: string | Uint8Array): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'microdtls-'));
    this.#folders.push(folder);
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  /** Ends everything. */
  async clear(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
    await Promise.all(this.#processes.map((process) => process.kill()));
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true })));
  }

  /** What everybody saw, for people. */
  describe(): string {
    const said = this.#processes.map(({ line, end, output }) => `${line} (${end ?? 'running'})\n${output.replace(/^/gm, '  ')}`);
    return [...this.#hosts.map((host) => host.describe()), ...said].join('\n');
  }
}

/** Registers a test that needs the commands `peers`, or skips it where one is missing. */
export function scene(peers: readonly string[], name: string, play: (stage: Stage) => Promise<void>): void {
  const missing = peers.filter((peer) => !installed(peer));
  if (missing.length > 0) {
    console.log(`skip: ${missing.join(' and ')} is not installed`);
    test.skip(name);
    return;
  }
  test(name, async () => {
    const stage = new Stage();
    try {
      await play(stage);
    } catch (error) {
      console.log(`\n${name}\n${stage.describe()}`);
      throw error;
    } finally {
      await stage.clear();
    }
  });
}

/** A port with nothing on it, nor on the `more` ports after it. */
export async function freePort(more: number = 0): Promise<number> {
  for (;;) {
    const first = await tryPort(0);
    const rest = await Promise.all(Array.from({ length: more }, (_, index) => tryPort(first! + index + 1)));
    if (first !== null && !rest.includes(null)) return first;
  }
}

/** The port that was bound, and is free again; null if it was not free. Port 0: any. */
async function tryPort(port: number): Promise<number | null> {
  if (port > 65_535) return null;
  const socket = createSocket('udp4');
  try {
    socket.bind(port, LOOPBACK);
    await once(socket, 'listening');
    return socket.address().port;
  } catch {
    return null;
  } finally {
    socket.close();
  }
}
