/**
 * NEG, negotiation with pre-shared keys; no session is resumed: old versions, a man in the middle who edits the
 * hellos, renegotiation_info in a first handshake, suites that must not be (RFC 5246 §7.4.1, RFC 5746, RFC 7627).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED, type DtlsOptions, PSK_AES_128_CCM, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256 } from '../../lib/index.js';
import { readServerHello, type ClientHello, type ServerHello } from '../../lib/message/hello.js';
import { between, type Edit } from '../support/between.js';
import { stateOf } from '../support/inside.js';
import { CLIENT, join, Rig, SERVER } from '../support/rig.js';
import { clientFlight, fetchCookie, HONEST, ScriptedPeer, takeServerFlight, toServerFlight } from '../support/scripted.js';

const isConnected = (rig: Rig): boolean => rig.codes.includes(DTLS_EVENT_CONNECTED);
const without = (extensions: ReadonlyMap<number, Uint8Array>, ...types: number[]): Map<number, Uint8Array> =>
  new Map([...extensions].filter(([type]) => !types.includes(type)));
const withExtension = (type: number, body: Uint8Array): Map<number, Uint8Array> => new Map([...HONEST, [type, body]]);

/** What a server says to a ClientHello with these fields: nothing before the cookie, then the code of its alert or 0. */
function greet(overrides: Partial<ClientHello>, options: DtlsOptions = {}, version: number = 0xfefd): { code: number; rig: Rig; peer: ScriptedPeer } {
  const rig = new Rig(options);
  const peer = new ScriptedPeer('client');
  assert.is(rig.feed(CLIENT, peer.clientHello(overrides, { version })), 0);
  const [request, ...more] = peer.take(...rig.takeSent());
  assert.equal([request?.type, more, peer.alerts, rig.events], [3, [], [], []], 'a HelloVerifyRequest and nothing else');
  peer.cookie = request!.body.slice(3);
  const code = rig.feed(CLIENT, peer.clientHello(overrides, { version }));
  return { code, rig, peer };
}

/** Expects the fatal alert and the end of the handshake. */
function expectRefused({ code, rig, peer }: ReturnType<typeof greet>, description: number): void {
  assert.is(code, -(512 + description));
  assert.equal(peer.take(...rig.takeSent()), []);
  assert.equal(peer.alerts, [{ epoch: 0, level: 2, description }]);
  assert.equal(rig.fatal, [description]);
  assert.is(stateOf(rig, CLIENT), 'gone');
}

/** What a client says to a ServerHello with these fields. */
function answer(overrides: Partial<ServerHello>, options: DtlsOptions = {}): { code: number; rig: Rig; peer: ScriptedPeer } {
  const rig = new Rig(options);
  const peer = new ScriptedPeer('server');
  rig.context.connect(SERVER);
  toServerFlight(rig, peer);
  return { code: rig.feed(SERVER, peer.serverHello(overrides)), rig, peer };
}

function expectRefusal({ code, rig, peer }: ReturnType<typeof answer>, description: number): void {
  assert.is(code, -(512 + description));
  assert.equal(peer.take(...rig.takeSent()), []);
  assert.equal(peer.alerts, [{ epoch: 0, level: 2, description }]);
  assert.is(stateOf(rig, SERVER), 'gone');
}

test('NEG-02 a client that speaks DTLS 1.0 only, or no DTLS, is told protocol_version; a later one is answered with 1.2', () => {
  for (const version of [0xfeff, 0xfefe, 0x0303, 0x0304, 0x0000, 0xffff, 0xfdff, 0x0100]) {
    expectRefused(greet({ version }), 70);
    expectRefused(greet({ version }, {}, 0xfeff), 70);
  }
  for (const version of [0xfefd, 0xfefc, 0xfe00]) {
    const { code, rig, peer } = greet({ version });
    assert.is(code, 0);
    takeServerFlight(peer, rig.takeSent());
    assert.equal([...peer.messages.find(({ type }) => type === 2)!.body.slice(0, 2)], [0xfe, 0xfd]);
  }
});

test('NEG-02 a server that chooses another version than DTLS 1.2 is told protocol_version', () => {
  for (const version of [0xfeff, 0xfefe, 0xfefc, 0x0303, 0x0000, 0xffff]) expectRefusal(answer({ version }), 70);
});

/** Two contexts with somebody in between who edits the hellos. */
function talk(edit: Edit, options: DtlsOptions = {}): { client: Rig; server: Rig } {
  const [client, server] = [new Rig(options, {}, 1), new Rig(options, {}, 2)];
  between(client, server, edit);
  return { client, server };
}

const relaxed: DtlsOptions = { forceExtendedMasterSecret: false, forceRenegotiationInfo: false };

test('NEG-10 the editor in between, when idle, lets a handshake through', () => {
  for (const options of [{}, relaxed]) {
    const { client, server } = talk({ client: (hello) => hello, server: (hello) => hello }, options);
    assert.equal([isConnected(client), isConnected(server)], [true, true]);
  }
});

test('NEG-03 extended_master_secret taken out of the hellos: refused where required, never completed where not', () => {
  const strip: Edit = { client: (hello) => ({ ...hello, extensions: without(hello.extensions, 23) }) };
  const strict = talk(strip);
  assert.equal(strict.server.fatal, [40]);
  assert.equal([isConnected(strict.client), isConnected(strict.server)], [false, false]);
  const loose = talk(strip, relaxed);
  assert.equal([isConnected(loose.client), isConnected(loose.server)], [false, false]);
  assert.equal(loose.server.fatal, [51], 'Finished does not verify');
  const answered = talk({ server: (hello) => ({ ...hello, extensions: without(hello.extensions, 23) }) }, relaxed);
  assert.equal([isConnected(answered.client), isConnected(answered.server)], [false, false]);
});

test('NEG-10 whatever is edited in either hello, the handshake does not complete', () => {
  const edits: Edit[] = [
    { client: (hello) => ({ ...hello, cipherSuites: hello.cipherSuites.slice(2) }) },
    { client: (hello) => ({ ...hello, cipherSuites: Uint8Array.of(0xc0, 0xa8) }) },
    { client: (hello) => ({ ...hello, cipherSuites: hello.cipherSuites.slice().reverse() }) },
    { client: (hello) => ({ ...hello, cipherSuites: join(hello.cipherSuites.slice(2), hello.cipherSuites.slice(0, 2)) }) },
    { client: (hello) => ({ ...hello, cipherSuites: join(hello.cipherSuites, Uint8Array.of(0, 0xff)) }) },
    { client: (hello) => ({ ...hello, extensions: new Map([...hello.extensions].reverse()) }) },
    { client: (hello) => ({ ...hello, extensions: without(hello.extensions, 0xff01) }) },
    { client: (hello) => ({ ...hello, extensions: new Map([...hello.extensions, [54, Uint8Array.of(0)]]) }) },
    { client: (hello) => ({ ...hello, sessionId: new Uint8Array(32) }) },
    { client: (hello) => ({ ...hello, version: 0xfefc }) },
    { client: (hello) => ({ ...hello, compressionMethods: Uint8Array.of(1, 0) }) },
    { client: (hello) => ({ ...hello, random: hello.random.map((byte) => byte ^ 1) }) },
    { server: (hello) => ({ ...hello, cipherSuite: PSK_AES_128_CCM_8.id }) },
    { server: (hello) => ({ ...hello, extensions: without(hello.extensions, 0xff01) }) },
    { server: (hello) => ({ ...hello, sessionId: new Uint8Array(8) }) },
    { server: (hello) => ({ ...hello, random: hello.random.map((byte) => byte ^ 1) }) },
  ];
  for (const [index, edit] of edits.entries()) {
    for (const force of [true, false]) {
      const { client, server } = talk(edit, { forceExtendedMasterSecret: force, forceRenegotiationInfo: false });
      assert.equal([isConnected(client), isConnected(server)], [false, false], `edit ${index}`);
      client.runOut();
      server.runOut();
      assert.equal([client.context.stats().halfOpen, server.context.stats().halfOpen], [0, 0]);
    }
  }
});

test('NEG-08 renegotiation_info in a first ClientHello must be empty', () => {
  for (const body of [[1, 7], [12, ...Array<number>(12).fill(9)], [], [0, 0], [1], [255]]) {
    for (const force of [true, false]) {
      expectRefused(greet({ extensions: withExtension(0xff01, Uint8Array.from(body)) }, { forceRenegotiationInfo: force }), 40);
    }
  }
});

test('NEG-09 renegotiation_info in a first ServerHello must be empty, and be there where it is required', () => {
  for (const body of [[1, 7], [24, ...Array<number>(24).fill(9)], [], [0, 0]]) {
    for (const force of [true, false]) {
      expectRefusal(answer({ extensions: withExtension(0xff01, Uint8Array.from(body)) }, { forceRenegotiationInfo: force }), 40);
    }
  }
  expectRefusal(answer({ extensions: without(HONEST, 0xff01) }), 40);
  assert.is(answer({ extensions: without(HONEST, 0xff01) }, { forceRenegotiationInfo: false }).code, 0);
});

test('NEG-03 extended_master_secret with a body is refused in either hello', () => {
  expectRefused(greet({ extensions: withExtension(23, Uint8Array.of(0)) }), 47);
  expectRefusal(answer({ extensions: withExtension(23, Uint8Array.of(0)) }), 47);
});

/** A session that a client wants to go on with; none is kept here. */
const SESSION_ID = new Uint8Array(32).fill(0x5e);

test('NEG-04 a ClientHello that asks for a session without extended_master_secret is refused with handshake_failure', () => {
  expectRefused(greet({ sessionId: SESSION_ID, extensions: without(HONEST, 23) }), 40);
});

test('NEG-05 a ClientHello that asks for a session, whatever it was made with, is answered with a full handshake', () => {
  for (const forceExtendedMasterSecret of [true, false]) {
    const { code, rig, peer } = greet({ sessionId: SESSION_ID }, { forceExtendedMasterSecret });
    assert.is(code, 0);
    takeServerFlight(peer, rig.takeSent());
    // An empty session_id: not resumed, and nothing to resume later (RFC 5246 §7.4.1.3).
    assert.is(readServerHello(peer.latest(2).body).sessionId.length, 0);
    rig.feed(CLIENT, join(...clientFlight(peer)));
    assert.ok(isConnected(rig) && rig.context.getPeer(CLIENT)!.extendedMasterSecret);
  }
});

test('NEG-11 suites without encryption, authentication or forward life are refused, after the cookie only', () => {
  const names: Readonly<Record<string, readonly number[]>> = {
    null: [0x0000, 0x0001, 0x002c, 0x00b0, 0x00b1, 0xc039], anonymous: [0x0018, 0x001b, 0x0034, 0x00a6, 0xc018], export: [0x0003, 0x0006, 0x0008, 0x0014],
    rc4: [0x0004, 0x0005, 0x008a, 0xc033], cbc: [0x008b, 0x008c, 0x008d, 0x00ae, 0x00af, 0xc035, 0xc037], tls13: [0x1301, 0x1302, 0x1303, 0x1304, 0x1305],
    signalling: [0x00ff, 0x5600], others: [0xc0ae, 0xc02b, 0x0a0a, 0xffff],
  };
  for (const [name, ids] of Object.entries(names)) {
    for (const list of [ids, ...ids.map((id) => [id])]) {
      const cipherSuites = Uint8Array.from(list.flatMap((id) => [id >> 8, id & 255]));
      const greeting = greet({ cipherSuites });
      expectRefused(greeting, 40);
      assert.match(greeting.rig.events.at(-1)!.detail!.message, /suite/, name);
    }
  }
});

test('NEG-11 of what both offer the server takes the first of its own, and a client takes none that it did not offer', () => {
  const mine = [PSK_AES_128_GCM_SHA256, PSK_AES_128_CCM, PSK_AES_128_CCM_8];
  for (const [offered, chosen] of [
    [[0xc0a8, 0x00a8], 0x00a8], [[0xc0a8, 0xc0a4], 0xc0a4], [[0x1301, 0xc0a8, 0x0a0a], 0xc0a8], [[0x002c, 0x008c, 0xc0a4, 0xc0a8], 0xc0a4],
  ] as const) {
    const { code, rig, peer } = greet({ cipherSuites: Uint8Array.from(offered.flatMap((id) => [id >> 8, id & 255])) }, { cipherSuites: mine });
    assert.is(code, 0);
    const hello = readServerHello(peer.take(...rig.takeSent())[0]!.body);
    assert.is(hello.cipherSuite, chosen);
  }
  for (const cipherSuite of [0x002c, 0x008c, 0x0000, 0x00ff, 0x1301, PSK_AES_128_CCM.id]) {
    expectRefusal(answer({ cipherSuite }, { cipherSuites: [PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256] }), 47);
  }
});

test('NEG-11 a refused handshake leaves the door open for an honest one from the same address', () => {
  const { rig } = greet({ cipherSuites: Uint8Array.of(0, 0x2c) });
  rig.takeSent();
  const peer = new ScriptedPeer('client', { seed: 5 });
  fetchCookie(rig, peer);
  rig.feed(CLIENT, peer.clientHello());
  takeServerFlight(peer, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(peer)));
  assert.is(isConnected(rig), true);
});

test.run();
