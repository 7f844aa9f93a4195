/**
 * CoAP over DTLS (RFC 7252 §9) with both builds of libcoap, in both roles.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CLOSED, DTLS_EVENT_ERROR, PSK_AES_128_CCM_8 } from '../../lib/index.js';
import { CoapCode, CoapType, GET_TIME, coapResponder, readCoap, writeCoap, type CoapMessage } from './coap.js';
import { utf8, type Host, type Psk } from './host.js';
import { coapClient, coapServer } from './peers.js';
import { scene } from './stage.js';

/** libcoap takes its key as text. */
const PSK: Psk = { identity: 'Client_identity', key: utf8('0123456789abcdef') };

test('a CoAP message is read as it was written', () => {
  assert.equal(readCoap(writeCoap(GET_TIME)), GET_TIME);
});

for (const build of ['openssl', 'gnutls'] as const) {
  const client = `coap-client-${build}`;
  const server = `coap-server-${build}`;

  for (const cipherSuites of [undefined, [PSK_AES_128_CCM_8]]) {
    const words = cipherSuites === undefined ? '' : ' in the suite that is mandatory for CoAP';
    scene([client], `M080 ${client} GETs a resource from our server${words}`, async (stage) => {
      const host = await stage.host({ psk: PSK, cipherSuites, answer: coapResponder({ 'greetings/world': 'hello, world' }) });
      const process = coapClient(stage, build, host.port, '/greetings/world', PSK);
      const port = await host.connected();
      await process.prints(/hello, world/);
      assert.is(await process.ends(), 'exit code 0');
      await host.closed();
      assert.equal(readCoap(host.data[0]!)?.path, ['greetings', 'world']);
      if (cipherSuites !== undefined) assert.is(host.suiteWith(port), 'TLS_PSK_WITH_AES_128_CCM_8');
    });

    scene([server], `M080 our client GETs the time from ${server}${words}`, async (stage) => {
      const { port } = await coapServer(stage, build, PSK);
      const host = await stage.host({ psk: PSK, cipherSuites });
      host.connect(port);
      await host.connected();
      host.write(port, writeCoap(GET_TIME));
      const answer = await response(host);
      assert.equal([answer.type, answer.code, answer.id, answer.token], [CoapType.acknowledgement, CoapCode.content, GET_TIME.id, GET_TIME.token]);
      assert.match(new TextDecoder().decode(answer.payload), /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d$/);
      if (cipherSuites !== undefined) assert.is(host.suiteWith(port), 'TLS_PSK_WITH_AES_128_CCM_8');
    });
  }

  scene([client], `${client} is told by our server that a resource is not there`, async (stage) => {
    const host = await stage.host({ psk: PSK, answer: coapResponder({}) });
    await coapClient(stage, build, host.port, '/nothing', PSK).prints(/^4\.04/m);
  });

  scene([server], `ALR-05 ${server} says goodbye to our client when it is stopped`, async (stage) => {
    const { process, port } = await coapServer(stage, build, PSK);
    const host = await stage.host({ psk: PSK });
    host.connect(port);
    await host.connected();
    host.write(port, writeCoap(GET_TIME));
    await response(host);
    process.stop();
    await host.closed();
    assert.is(host.peer(port), undefined);
    assert.is(host.count(DTLS_EVENT_CLOSED), 1);
    assert.is(host.count(DTLS_EVENT_ERROR), 0);
  });
}

/** The first response that our client receives. */
async function response(host: Host): Promise<CoapMessage> {
  return host.until('a CoAP response', () => host.data.map((bytes) => readCoap(bytes)).find((message) => message?.code === CoapCode.content));
}

test.run();
