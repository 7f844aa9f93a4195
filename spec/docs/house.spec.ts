/**
 * lib/README.md tells the truth: the state tables in it are those of the code, and every room has its row.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stateTables } from './diagram.js';

const ROOT = new URL('../../../', import.meta.url);
const house = readFileSync(new URL('lib/README.md', ROOT), 'utf8');

test('the state tables of the house are those of the code', () => {
  const [, between] = house.split(/<!-- states -->|<!-- \/states -->/);
  assert.is(between?.trim(), stateTables(), `lib/README.md should hold between its marks:\n\n${stateTables()}\n`);
});

test('every room and every file of lib has its place in the house', () => {
  for (const entry of readdirSync(new URL('lib/', ROOT), { withFileTypes: true })) {
    if (entry.name === 'README.md') continue;
    assert.ok(house.includes(entry.isDirectory() ? `\`${entry.name}/\`` : `\`${entry.name}\``), `${entry.name} is missing`);
    if (!entry.isDirectory()) continue;
    for (const file of readdirSync(new URL(`lib/${entry.name}/`, ROOT), { withFileTypes: true })) {
      const name = file.isDirectory() ? file.name : file.name.replace(/\.ts$/, '');
      assert.ok(house.includes(`\`${name}\``), `${entry.name}/${file.name} is missing`);
    }
  }
});

test('every room of spec has its row', () => {
  const rows = house.split('\n## Where the specs stand\n')[1]!.split('\n## ')[0]!;
  for (const name of readdirSync(new URL('spec/', ROOT))) assert.ok(rows.includes(`\`${name}/\``), `${name} is missing`);
  for (const name of readdirSync(new URL('spec/families/', ROOT))) {
    assert.ok(rows.includes(`\`${/^[a-z]+/.exec(name)![0]}\``), `families/${name} is missing`);
  }
});

test.run();
