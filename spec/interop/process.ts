/**
 * A peer as a process: spawned under a time limit, its output collected and waited for, its input typed in, and
 * always killed.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Changes } from './waiting.js';

/** No peer lives longer. */
const LIFE_MS = 60_000;

/** Whether `command` can be started from here. */
export function installed(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** One run of a command. */
export class PeerProcess {
  /** The command with its arguments, as one line. */
  readonly line: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #changes: Changes = new Changes();
  readonly #ended: Promise<void>;
  #output = '';
  #end: string | null = null;

  /** Starts `command`. `environment` is added to this process's own. */
  constructor(command: string, parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.line = [command, ...parameters].join(' ');
    this.#child = spawn(command, parameters, { env: { ...process.env, ...environment } });
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString('latin1');
      this.#changes.announce();
    };
    this.#child.stdout.on('data', collect);
    this.#child.stderr.on('data', collect);
    this.#child.stdin.on('error', () => {}); // it may be gone already when a line is typed
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LIFE_MS);
    this.#ended = new Promise((resolve) => {
      const conclude = (end: string): void => {
        clearTimeout(timer);
        this.#end ??= end;
        this.#changes.announce();
        resolve();
      };
      this.#child.on('error', (error) => conclude(error.message));
      this.#child.on('close', (code, signal) => conclude(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    });
  }

  /** Everything printed so far, on both streams. */
  get output(): string {
    return this.#output;
  }

  /** How it ended, in words; null while it runs. */
  get end(): string | null {
    return this.#end;
  }

  /** The first match of `pattern` in the output. An error if the process ends without one. */
  async prints(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray> {
    return this.#changes.until(`${pattern} from ${this.line}`, () => {
      const match = pattern.exec(this.#output);
      if (match === null && this.#end !== null) throw new Error(`no ${pattern} from ${this.line}: ${this.#end}`);
      return match;
    }, limitMs);
  }

  /** How it ended, once it has. */
  async ends(limitMs?: number): Promise<string> {
    return this.#changes.until(`the end of ${this.line}`, () => this.#end, limitMs);
  }

  /** Types `text` into the process as it stands: a line needs its `\n`. */
  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Ends the input. */
  closeInput(): void {
    this.#child.stdin.end();
  }

  /** Asks the process to stop. */
  stop(): void {
    this.#child.kill('SIGINT');
  }

  /** Kills the process, if it still runs, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#end === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
