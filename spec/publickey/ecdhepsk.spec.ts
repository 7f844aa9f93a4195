/**
 * ECDHE_PSK (RFC 5489, RFC 8442): every suite, both providers; wrong keys and bad public values.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { ALL_SUITES, ECDHE_PSK_SUITES, nobleProvider, PSK_SUITES } from '../../lib/index.js';
import { Link } from '../support/link.js';
import { text } from '../support/rig.js';

for (const crypto of [nobleProvider, nativeProvider]) {
  for (const suite of ECDHE_PSK_SUITES) {
    test(`${suite.name} completes with ${crypto.name} and carries data`, () => {
      const link = new Link();
      const client = link.add('client', { crypto, cipherSuites: [suite] });
      const server = link.add('server', { crypto, cipherSuites: ALL_SUITES });
      client.context.connect('server');
      link.run();
      assert.is(client.context.getPeer('server')?.suite?.name, suite.name);
      client.context.write('server', text('ping'));
      link.run();
      assert.equal(server.reads.map(({ bytes }) => bytes), [text('ping')]);
    });
  }
}

test('a client that offers everything gets an ephemeral exchange, one that offers plain PSK gets that', () => {
  const link = new Link();
  const both = link.add('both', { cipherSuites: ALL_SUITES });
  const plain = link.add('plain', { cipherSuites: PSK_SUITES });
  link.add('server', { cipherSuites: ALL_SUITES });
  both.context.connect('server');
  plain.context.connect('server');
  link.run();
  assert.is(both.context.getPeer('server')?.suite?.keyExchange.name, 'ecdhe_psk');
  assert.is(plain.context.getPeer('server')?.suite?.keyExchange.name, 'psk');
});

test('a wrong key or an unknown identity is met with silence, as with plain PSK', () => {
  for (const answer of [null, new Uint8Array(16)]) {
    const link = new Link();
    const client = link.add('client', { cipherSuites: ECDHE_PSK_SUITES });
    const server = link.add('server', { cipherSuites: ALL_SUITES }, { getPskInfo: (_, __, type) => (type === 'key' ? answer : null) });
    client.context.connect('server');
    link.run();
    assert.is(client.context.getPeer('server'), undefined);
    assert.is(client.events.at(-1)?.detail?.code, 'ERR_DTLS_PSK_MISMATCH');
    assert.is(server.events.at(-1)?.detail?.code, 'ERR_DTLS_PSK_MISMATCH');
    assert.is(server.events.some(({ level }) => level === 2), false);
  }
});

test.run();
