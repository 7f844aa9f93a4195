#!/usr/bin/env node
/**
 * `microdtls`: serve, connect, demo, keygen. This file reads the first argument, turns signals and a closed stdout into one
 * orderly stop, and errors into exit codes: 0 well, 1 failed, 2 arguments, 130 Ctrl-C.
 */
import { readFileSync } from 'node:fs';
import { connect } from './connect.js';
import { demo } from './demo.js';
import { keygen } from './keygen.js';
import { parseOptions } from './options.js';
import { serve } from './serve.js';
import { Terminal } from './terminal.js';
import { helpText, usageLine, UsageError, type Command } from './usage.js';

const COMMANDS = { serve, connect, demo, keygen };

process.exitCode = await main(process.argv.slice(2), stopSignal());
// An open terminal or pipe would keep the process alive.
process.stdin.destroy();

async function main(args: readonly string[], stop: AbortSignal): Promise<number> {
  const [name = '', ...rest] = args;
  const command = commandOf(name);
  try {
    if (name === '--version' || name === '-V') return print(`${version()}\n`);
    if (name === '--help' || name === '-h' || name === 'help') return print(helpText(commandOf(rest[0])));
    if (command === null) throw new UsageError(name === '' ? 'what to do?' : `${JSON.stringify(name)} is no command`);
    const options = parseOptions(command, rest, process.env);
    if (options.help) return print(helpText(command));
    return await COMMANDS[command](options, new Terminal(options.json), stop);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`microdtls: ${error.message}\n${usageLine(command)}\n`);
    return 2;
  }
}

function commandOf(name: string = ''): Command | null {
  return Object.hasOwn(COMMANDS, name) ? (name as Command) : null;
}

/** Aborted with the exit code as its reason. A second Ctrl-C ends the process at once, as nobody listens any more. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(130));
  process.once('SIGTERM', () => stop.abort(143));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody reads any more: the work is done.
    stop.abort(error.code === 'EPIPE' ? 0 : 1);
  });
  process.stderr.on('error', () => {
    // Notes without a reader are lost, and that is all.
  });
  return stop.signal;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
