/**
 * The built command line as a process: started, fed, waited for, and never left behind.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../interop/waiting.js';

/** The file of the command line. */
export const MAIN: string = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const running = new Set<ChildProcessWithoutNullStreams>();

/** What is left when a command has ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export class Command {
  readonly child: ChildProcessWithoutNullStreams;
  /** When it has ended. */
  readonly outcome: Promise<Outcome>;
  stdout = '';
  stderr = '';
  #changed: () => void = () => {};

  /** `environment` replaces the variables that the command line looks at. */
  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const { PATH = '' } = process.env;
    this.child = spawn(process.execPath, [MAIN, ...args], { env: { PATH, ...environment } });
    running.add(this.child);
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name].setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        this.#changed();
      });
    }
    this.child.stdin.on('error', () => {}); // it may have ended before it read everything
    this.outcome = new Promise((resolve) => {
      this.child.on('close', (code) => {
        running.delete(this.child);
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
        this.#changed();
      });
    });
  }

  /** Waits until the output matches, or the command has ended and all of it was read; the match. */
  async seen(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      const left = deadline - performance.now();
      if (left <= 0 || !running.has(this.child)) {
        throw new Error(`${String(pattern)} was not seen in ${stream}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<Outcome> {
    this.child.kill(signal);
    return this.outcome;
  }
}

/** Runs a command to its end. */
export async function run(args: readonly string[], input: string | Uint8Array = '', environment?: Readonly<Record<string, string>>): Promise<Outcome> {
  const command = new Command(args, environment);
  command.child.stdin.end(input);
  return command.outcome;
}

/** Starts a server on a free port and waits until it listens; `HOST:PORT` of it. */
export async function serve(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<{ server: Command; at: string }> {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const server = new Command(['serve', ...listen, ...args], environment);
  const pattern = args.includes('--json') ? /"address":"([^"]*)","port":(\d+)/ : /^listening on (.*):(\d+)$/m;
  const [, host, port] = await server.seen(pattern);
  return { server, at: `${host}:${port}` };
}

/** Ends whatever still runs. */
export function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}
