/**
 * The commands in README.md do what it says: each block is run line by line in a folder of its own, on a free port.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { endAll, run, serve } from '../cli/command.js';
import { PeerProcess, installed } from '../interop/process.js';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/```sh\n([^`]*npx microdtls[^`]*)```/g)].map(([, text]) => text!.trim().split('\n'));
const opensslLines = [...readme.matchAll(/`openssl ([^`]+)`/g)].map(([, line]) => line!.split(' '));
/** Of each `openssl s_client` that the README names, the block whose server it talks to. */
const servers = ['--psk ', '--cert '];

const folder = mkdtempSync(join(tmpdir(), 'microdtls-readme-'));
process.chdir(folder);
test.after.each(endAll);
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** The arguments of `npx microdtls …` in a line, without its comment. */
const wordsOf = (line: string): string[] => line.replace(/ +#.*$/, '').split('npx microdtls ')[1]!.split(' ');

/** Runs a block up to its end, or to its server. Where that listens. */
async function play(lines: readonly string[], toServer: boolean): Promise<string> {
  let at = '';
  for (const line of lines) {
    const words = wordsOf(line);
    if (words[0] === 'serve') {
      ({ at } = await serve(words.slice(1)));
      if (toServer) return at;
    } else if (words[0] === 'connect') {
      const [, input] = /^echo (\w+) \| /.exec(line)!;
      const { code, stdout, stderr } = await run(['connect', ...words.slice(1).map((word) => (word === '127.0.0.1:5684' ? at : word))], `${input}\n`);
      assert.equal([code, stdout, stderr], [0, `${input}\n`, ''], line);
    } else {
      const { code, stderr } = await run(words);
      assert.equal([code, stderr], [0, ''], line);
    }
  }
  return at;
}

test('there are commands for each way to authenticate, and peers to try them with', () => {
  const text = blocks.flat().join('\n');
  for (const word of ['--psk', '--cert', '--raw-key', 'demo']) assert.match(text, word);
  assert.is(opensslLines.length, servers.length);
});

for (const lines of blocks) {
  test(`the block with "${lines[0]}" works as it stands`, async () => {
    assert.not.equal(await play(lines, false), '');
    for (const name of ['server', 'gateway', 'sensor']) for (const end of ['key', 'crt', 'pub']) rmSync(`${name}.${end}`, { force: true });
  });
}

for (const [index, words] of opensslLines.entries()) {
  const name = `openssl ${words.slice(0, 3).join(' ')} … reaches the server with ${servers[index]}`;
  if (!installed('openssl')) {
    console.log('skip: openssl is not installed');
    test.skip(name);
    continue;
  }
  test(name, async () => {
    const at = await play(blocks.find((lines) => lines.some((line) => line.includes(` serve ${servers[index]!}`)))!, true);
    const peer = new PeerProcess('openssl', [...words, '-connect', at]);
    peer.type('hello\n');
    await peer.prints(/^hello$/m);
    await peer.kill();
  });
}

test.run();
