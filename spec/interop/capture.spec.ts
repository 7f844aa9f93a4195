/**
 * What goes over the wire, as tshark sees it: every message well-formed, and readable with the key.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PSK_CHACHA20_POLY1305_SHA256, type CipherSuite } from '../../lib/index.js';
import { PSK, echo, hexOf, utf8, type Datagram, type Host } from './host.js';
import { SUITES } from './peers.js';
import { writePcap } from './pcap.js';
import { scene, type Stage } from './stage.js';

/** The ports in the capture. The real ones will not do: tshark takes some numbers for other protocols. */
const CLIENT_PORT = 50_000;
const SERVER_PORT = 50_001;

const FIELDS = ['dtls.record.content_type', 'dtls.handshake.type', 'dtls.app_data', 'data.data', 'dtls.alert_message.desc', '_ws.malformed', '_ws.expert.message'] as const;

/** One datagram as tshark sees it: the text of each field, empty where there is none. */
type Packet = Readonly<Record<(typeof FIELDS)[number], string>>;

for (const { suite } of SUITES) {
  scene(['tshark'], `M024 tshark finds nothing wrong with a conversation in ${suite.name}`, async (stage) => {
    const packets = await dissect(stage, await talk(stage, suite));
    const unencrypted = packets.map((packet) => packet['dtls.handshake.type']).slice(0, 4);
    assert.equal(unencrypted, ['1', '3', '1', '2,14']);
    assert.equal(packets.map((packet) => packet['dtls.record.content_type']), ['22', '22', '22', '22,22', '22,20,22', '20,22', '23', '23', '21', '21']);
  });

  // tshark 4.0 leaves the epoch out of the nonce of RFC 7905 (with DTLS it stands before the sequence number).
  if (suite === PSK_CHACHA20_POLY1305_SHA256) continue;

  scene(['tshark'], `M073 tshark, told the key, reads a conversation in ${suite.name}`, async (stage) => {
    const packets = await dissect(stage, await talk(stage, suite));
    assert.equal(packets.map((packet) => packet['dtls.handshake.type']), ['1', '3', '1', '2,14', '16,20', '20', '', '', '', '']);
    assert.equal(packets.map((packet) => packet['data.data']).filter(Boolean), ['from the client', 'echo: from the client'].map((text) => hexOf(utf8(text))));
    assert.equal(packets.map((packet) => packet['dtls.alert_message.desc']).filter(Boolean), ['0', '0']);
  });

  scene(['tshark'], `EPO-11 the explicit nonces of ${suite.name} are the record numbers`, async (stage) => {
    const packets = await dissect(stage, await talk(stage, suite));
    assert.equal(packets.map((packet) => packet['dtls.app_data'].slice(0, 16)).filter(Boolean), ['0001000000000001', '0001000000000001']);
  });
}

scene(['tshark'], 'FRG-15 tshark puts together a handshake in datagrams of 100 bytes and reads what follows', async (stage) => {
  const packets = await dissect(stage, await talk(stage, SUITES[0]!.suite, 100));
  assert.ok(packets.length > 10, `${packets.length} datagrams`);
  assert.equal(packets.map((packet) => packet['data.data']).filter(Boolean), ['from the client', 'echo: from the client'].map((text) => hexOf(utf8(text))));
});

/** A conversation of our client with our server: a handshake, data both ways, goodbyes. */
async function talk(stage: Stage, suite: CipherSuite, mtu: number = 1232): Promise<Datagram[]> {
  const server = await stage.host({ answer: echo, mtu });
  const client = await stage.host({ cipherSuites: [suite], mtu });
  client.connect(server.port);
  await client.connected();
  client.write(server.port, 'from the client');
  await client.reads('echo: from the client');
  client.shut(server.port);
  await client.closed();
  return seenBy(client);
}

/** What a host sent and received, with the ports of the capture. */
function seenBy(client: Host): Datagram[] {
  return client.datagrams.map((datagram) => {
    const out = datagram.from === client.port;
    return { ...datagram, from: out ? CLIENT_PORT : SERVER_PORT, to: out ? SERVER_PORT : CLIENT_PORT };
  });
}

/** What tshark makes of the datagrams. Fails if it complains about any. */
async function dissect(stage: Stage, datagrams: readonly Datagram[]): Promise<Packet[]> {
  const capture = await stage.file('conversation.pcap', writePcap(datagrams));
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const decoding = ['-d', `udp.port==${SERVER_PORT},dtls`, '-o', `dtls.psk:${hexOf(PSK.key)}`];
  const tshark = stage.spawn('tshark', ['-n', '-r', capture, ...decoding, '-T', 'fields', '-E', 'separator=|', ...fields]);
  assert.is(await tshark.ends(), 'exit code 0');
  const rows = tshark.output.split('\n').filter((line) => line.includes('|')).map((line) => line.split('|'));
  const packets = rows.map((row) => Object.fromEntries(FIELDS.map((field, index) => [field, row[index] ?? ''])) as Packet);
  assert.is(packets.length, datagrams.length);
  assert.equal(packets.filter((packet) => packet['_ws.malformed'] !== '' || packet['_ws.expert.message'] !== ''), []);
  return packets;
}

test.run();
