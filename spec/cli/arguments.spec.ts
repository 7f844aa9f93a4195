/**
 * The command line's words: help, version, what is refused, keys from every source.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCredential, readCredentials } from '../../lib/cli/credentials.js';
import { parseEndpoint, parseOptions } from '../../lib/cli/options.js';
import { UsageError } from '../../lib/cli/usage.js';
import { ECDHE_ECDSA_AES_128_CCM_8 } from '../../lib/suites/certificate.js';
import { ECDHE_PSK_AES_128_GCM_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { PSK_AES_128_CCM_8, PSK_AES_256_CCM } from '../../lib/suites/psk.js';
import { run } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'microdtls-cli-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.instance(error, UsageError);
    return (error as Error).message;
  }
  return assert.unreachable('it was to be refused') as never;
};

test('help goes to stdout, for everything and for each command', async () => {
  const all = await Promise.all([['--help'], ['-h'], ['help'], ['serve', '--help'], ['connect', '-h'], ['demo', '--help']].map((args) => run(args)));
  for (const { code, stdout, stderr } of all) {
    assert.equal([code, stderr], [0, '']);
    assert.match(stdout, /^microdtls/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 120));
  }
  const [overview, , , serve, connect] = all.map(({ stdout }) => stdout);
  const ways = ['--psk', '--cert', '--raw-key', '--ca', '--trust-key'];
  for (const word of ['serve', 'connect', 'demo', 'keygen', '--version', ...ways]) assert.match(overview!, word);
  // The first line, which stands under every error too, names the three ways.
  for (const word of ['--psk', '--cert', '--raw-key']) assert.match(serve!.split('\n')[0]!, word);
  for (const word of ['--psk', '--ca', '--trust-key']) assert.match(connect!.split('\n')[0]!, word);
  for (const word of ['--listen', '--psk', '--psk-file', 'MICRODTLS_PSK', '--hint', '--suites', '--mtu', '--echo', '--json', '--verbose', '130']) assert.match(serve!, word);
  for (const word of ['--timeout', '--wait', '--allow-no-ems', '--allow-no-renegotiation-info', 'Exit codes']) assert.match(connect!, word);
});

test('help for a command may also be asked for by its name', async () => {
  const [plain, ...others] = await Promise.all([['serve', '--help'], ['help', 'serve'], ['--help', 'serve']].map((args) => run(args)));
  for (const { code, stdout } of others) assert.equal([code, stdout], [0, plain!.stdout]);
});

test('the version is that of the package', async () => {
  assert.match((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('what cannot be meant is said on stderr with the usage, and the exit code is 2', async () => {
  const wrong: [args: string[], words: RegExp][] = [
    [[], /what to do/],
    [['listen'], /"listen" is no command/],
    [['constructor'], /is no command/],
    [['serve'], /no key: give --psk IDENTITY:KEY or --psk-file FILE, or set MICRODTLS_PSK/],
    [['serve', '--psk', 'a:b', '--bogus'], /'--bogus'/],
    [['serve', '--psk', 'a:b', 'extra'], /unexpected argument "extra"/],
    [['serve', '--psk', 'a:b', '--listen', '127.0.0.1:x'], /is not HOST:PORT/],
    [['connect', '--psk', 'a:b'], /connect needs HOST:PORT/],
    [['connect', 'localhost:0', '--psk', 'a:b'], /port 0/],
    [['connect', 'localhost', '--psk', 'a:b', '--echo'], /'--echo'/],
    [['demo', '--psk', 'a:b'], /'--psk'/],
    [['serve', '--psk'], /--psk needs a value/],
    [['serve', '--psk', '--echo'], /--psk needs a value \(one that begins with a hyphen: --psk=-…\)/],
    [['serve', '--psk', 'a:b', '--listen', '5684'], /"5684" is not HOST:PORT \(a port alone is written :5684\)/],
    [['connect', '5684', '--psk', 'a:b'], /a port alone is written localhost:5684/],
    [['connect', 'coaps://localhost', '--psk', 'a:b'], /without a scheme/],
    [['serve', '--psk', 'a:b', '--mtu', '200', '--mtu', '300'], /--mtu is given twice/],
    [['connect', 'localhost', '--psk', 'a:b', '--server-name', 'no name'], /--server-name is "no name": no DNS name/],
    [['serve', '--psk-file', folder], /--psk-file: cannot read .*: it is a folder \(EISDIR\)/],
  ];
  const isCommand = ([name]: string[]): boolean => ['serve', 'connect', 'demo'].includes(name ?? '');
  for (const [args, words] of wrong.filter(([args]) => isCommand(args))) {
    assert.match(refused(() => parseOptions(args[0] as 'serve', args.slice(1), {})), words);
  }
  // Of what the options say, one is enough to see that it is told.
  const told = wrong.filter(([args, words]) => !isCommand(args) || words === wrong[3]![1]);
  const outcomes = await Promise.all(told.map(([args]) => run(args)));
  outcomes.forEach(({ code, stdout, stderr }, index) => {
    const [args, words] = told[index]!;
    assert.equal([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, words);
    assert.match(stderr, /\nusage: microdtls/);
  });
});

test('numbers are checked', () => {
  const parse = (...args: string[]): unknown => parseOptions('connect', ['h', '--psk', 'a:b', ...args], {});
  for (const mtu of ['99', '65508', '1.5', 'x', '']) assert.match(refused(() => parse(`--mtu=${mtu}`)), /--mtu is .*100 to 65507/);
  for (const time of ['0', '-1', 'x', '1e9']) assert.match(refused(() => parse(`--timeout=${time}`)), /--timeout/);
  assert.match(refused(() => parse('--wait=-1')), /--wait/);
  const { mtu, timeoutMs, waitMs } = parseOptions('connect', ['h', '--psk', 'a:b', '--mtu=500', '--timeout', '0.5', '--wait', '0'], {});
  assert.equal([mtu, timeoutMs, waitMs], [500, 500, 0]);
});

test('the defaults are those of the help', () => {
  const served = parseOptions('serve', ['--psk', 'a:b'], {});
  assert.equal(served.endpoint, { host: '127.0.0.1', port: 5684 });
  assert.equal([served.timeoutMs, served.echo, served.json, served.verbose], [10_000, false, false, false]);
  assert.equal([served.forceExtendedMasterSecret, served.forceRenegotiationInfo], [true, true]);
  const relaxed = parseOptions('serve', ['--psk', 'a:b', '--allow-no-ems', '--allow-no-renegotiation-info', '-v'], {});
  assert.equal([relaxed.forceExtendedMasterSecret, relaxed.forceRenegotiationInfo, relaxed.verbose], [false, false, true]);
});

test('suites go by their IANA name or the short one, in the order given', () => {
  const suites = (text: string): unknown => parseOptions('serve', ['--psk', 'a:b', '--suites', text], {}).suites;
  assert.equal(suites('PSK_AES_128_CCM_8'), [PSK_AES_128_CCM_8]);
  assert.equal(suites('tls_psk_with_aes_256_ccm, psk_aes_128_ccm_8'), [PSK_AES_256_CCM, PSK_AES_128_CCM_8]);
  assert.equal(suites('ECDHE_ECDSA_AES_128_CCM_8,TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256'), [ECDHE_ECDSA_AES_128_CCM_8, ECDHE_PSK_AES_128_GCM_SHA256]);
  assert.match(refused(() => suites('PSK_NULL')), /"PSK_NULL" is no suite that is known here: ECDHE_ECDSA_\w+, .*, PSK_/);
});

test('an endpoint is HOST:PORT, HOST, :PORT, or IPv6 in brackets', () => {
  const at = (text: string): unknown => Object.values(parseEndpoint(text, '127.0.0.1'));
  assert.equal(at('example.org:1'), ['example.org', 1]);
  assert.equal(at('example.org'), ['example.org', 5684]);
  assert.equal(at(':7'), ['127.0.0.1', 7]);
  assert.equal(at('[::1]:7'), ['::1', 7]);
  assert.equal(at('[::1]'), ['::1', 5684]);
  assert.equal(at('::1'), ['::1', 5684]);
  assert.equal(at('127.0.0.1:0'), ['127.0.0.1', 0]);
  for (const text of ['a:b', 'a:1:2', '[::1', '[a]:1', 'a:65536', 'a:']) assert.match(refused(() => at(text)), /is not HOST:PORT/);
  assert.match(refused(() => parseEndpoint(':7', null)), /is not HOST:PORT/);
});

test('a key is text or hex, and the last colon divides', () => {
  const parsed = (text: string): unknown => Object.values(parseCredential(text, '--psk'));
  const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));
  assert.equal(parsed('device:secret'), ['device', 'secret']);
  assert.equal(parsed('urn:dev:1:secret'), ['urn:dev:1', 'secret']);
  assert.equal(parsed('device:hex:00fF'), ['device', hex('00ff')]);
  assert.equal(parsed('urn:dev:hex:00ff'), ['urn:dev', hex('00ff')]);
  assert.equal(parsed('hex:c0ffee:secret'), [hex('c0ffee'), 'secret']);
  assert.equal(parsed('hex:c0ffee:hex:01'), [hex('c0ffee'), hex('01')]);
  assert.equal(parsed('hex::secret'), [hex(''), 'secret']);
  const wrong = { device: /IDENTITY:KEY/, ':secret': /identity is empty/, 'device:': /key is empty/, 'device:hex:': /key is empty/, 'device:hex:0': /even number/, 'hex:0011': /identity is missing/, 'hex:zz:key': /even number/ };
  for (const [text, words] of Object.entries(wrong)) {
    const message = refused(() => parsed(text));
    assert.match(message, words);
    assert.not.match(message, /secret|device/);
  }
});

test('keys come from the options and from files, and else from the environment', () => {
  const file = join(folder, 'keys');
  writeFileSync(file, '# devices\n\none:k1\r\n  \ntwo:hex:02\n#three:k3\n');
  const environment = { MICRODTLS_PSK: 'env:k4\nenv2:k5' };
  const identities = (given: string[], files: string[]): unknown => readCredentials({ given, files, environment }).map(({ identity }) => identity);
  assert.equal(identities(['a:b'], [file]), ['a', 'one', 'two']);
  assert.equal(identities([], [file]), ['one', 'two']);
  assert.equal(identities([], []), ['env', 'env2']);
  assert.match(refused(() => identities([], [join(folder, 'absent')])), /--psk-file: cannot read .*absent: no such file or folder \(ENOENT\)/);
  writeFileSync(file, 'one:k1\nnonsense\n');
  assert.match(refused(() => identities([], [file])), /keys:2: a key is written/);
});

test('a file of keys is UTF-8, with or without a byte order mark, and nothing else is guessed at', () => {
  const file = join(folder, 'encoded');
  const read = (...bytes: (string | number)[]): unknown => {
    writeFileSync(file, Buffer.concat(bytes.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part])))));
    return readCredentials({ given: [], files: [file], environment: {} });
  };
  assert.equal(read(0xef, 0xbb, 0xbf, 'one:k\u00e91\n'), [{ identity: 'one', key: 'k\u00e91' }]);
  assert.match(refused(() => read('one:k', 0xe9, '1\n')), /--psk-file: .*encoded is no UTF-8 text \(a key of any bytes is written IDENTITY:hex:DIGITS\)/);
  assert.match(refused(() => read(0xff, 0xfe, 'o', 0, ':', 0, 'k', 0)), /is no UTF-8 text/);
});

test.run();
