/**
 * `microdtls demo`: one handshake of each kind, told so that it can be read anywhere.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from './command.js';

const PRINT = 'sha-256 (?:[0-9A-F]{2}:){3}[0-9A-F]{2}…';

test('the demonstration shows each way to authenticate, and ends with the line that says connected', async () => {
  const { code, stdout, stderr } = await run(['demo']);
  assert.equal([code, stderr], [0, '']);
  const scenes = stdout.split('\n\n');
  assert.equal(scenes.map((text) => /^[\w -]+/.exec(text)![0].split(' in ')[0]), ['pre-shared key', 'raw public keys', 'certificates', 'handshakes', 'connected']);
  const [psk, rawKeys, certificates, numbers, last] = scenes as [string, string, string, string, string];
  const common = /ClientHello\n.*HelloVerifyRequest\n.*ClientHello\n.*ServerHello, [^]*handshake \(encrypted\)\n[^]*application data\n[^]*came back after [\d.]+ ms\n/;
  for (const scene of [psk, rawKeys, certificates]) assert.match(scene, common);
  assert.match(psk, /client → server +\d+ B {2}ClientHello\n/);
  assert.match(psk, /the server proved +to have the key of "demo"\n.*the client proved +to have the key of "demo"$/);
  assert.match(rawKeys, /CertificateRequest[^]*CertificateVerify/);
  assert.match(rawKeys, new RegExp(`the server proved +to own the key ${PRINT}\\n.*the client proved +to own the key ${PRINT}$`));
  assert.match(certificates, /wants server\.example/);
  assert.match(certificates, new RegExp(`to be server\\.example, as "demo authority" says \\(${PRINT}\\)\\n.*the client proved +nothing`));
  assert.match(numbers, /datagrams( +\d+){3}\n.*client( +\d+){3}\n.*server( +\d+){3}\n.*retransmissions( +0){3}$/);
  assert.match(last, /^connected in [\d.]+ ms with a pre-shared key, raw public keys and certificates \(18 datagrams\)\n$/);
});

test('without a terminal there is no colour, and with a small MTU there are fragments; no line is too wide', async () => {
  const outcomes = await Promise.all([run(['demo'], '', { FORCE_COLOR: '1', TERM: 'xterm' }), run(['demo', '--mtu', '100'])]);
  for (const { code, stdout } of outcomes) {
    assert.is(code, 0);
    assert.not.match(stdout, '\x1b');
    assert.equal(stdout.split('\n').filter((line) => line.length > 100), []);
  }
  assert.match(outcomes[1]!.stdout, /ClientHello\[\d+\.\.\d+\/\d+\]/);
  assert.match(outcomes[1]!.stdout, / Certificate\[0\.\.\d+\/\d+\]/);
});

test('the suites asked for decide what can be shown', async () => {
  const [psk, ecdsa, rsa] = await Promise.all(
    ['PSK_AES_128_CCM_8', 'ECDHE_ECDSA_AES_128_CCM_8', 'ECDHE_RSA_AES_128_GCM_SHA256'].map((suite) => run(['demo', '--suites', suite])),
  );
  assert.match(psk!.stdout, /suite +TLS_PSK_WITH_AES_128_CCM_8 \(0xc0a8\)/);
  assert.match(psk!.stdout, /\nconnected in [\d.]+ ms with a pre-shared key \(6 datagrams\)\n$/);
  assert.match(ecdsa!.stdout, /^raw public keys: [^]*suite +TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 \(0xc0ae\)/);
  assert.match(ecdsa!.stdout, /\nconnected in [\d.]+ ms with raw public keys and certificates \(\d+ datagrams\)\n$/);
  assert.equal([rsa!.code, rsa!.stdout], [2, '']);
  assert.match(rsa!.stderr, /^microdtls: --suites: the demonstration has pre-shared and P-256 keys, and no suite for them/);
});

test.run();
