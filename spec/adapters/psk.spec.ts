/**
 * Pre-shared keys in every form that the Node.js socket takes them.
 */
import { pskIdentityOf } from '../support/rig.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DtlsSocket, type DtlsSocketOptions, type Peer, type PskOption } from '../../lib/adapters/node.js';
import { PskSource } from '../../lib/adapters/psk.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const session = { address: '127.0.0.1', port: 1 };
const FAST = { initialTimeoutMs: 20, maxRetransmits: 2 };
const open: DtlsSocket[] = [];

test.after.each(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

function socket(options: DtlsSocketOptions): DtlsSocket {
  const made = new DtlsSocket({ ...FAST, ...options });
  open.push(made);
  return made;
}

/** Connects; the client's peer, or the code of the error. */
async function meet(serverPsk: PskOption, clientPsk: PskOption, more: DtlsSocketOptions = {}): Promise<Peer | string> {
  const server = socket({ psk: serverPsk, ...more });
  const { port } = await server.bind({ address: '127.0.0.1' });
  return socket({ psk: clientPsk }).connect({ host: '127.0.0.1', port }).catch((error: { code: string }) => error.code);
}

const known = { identity: 'device', key: 'secret' };
const forms: Record<string, PskOption> = {
  'one credential': known,
  'a list of credentials': [{ identity: 'other', key: 'x' }, known],
  'credentials in bytes': { identity: bytes('device'), key: bytes('secret') },
  'a map': new Map([['device', 'secret']]),
  'a function': (identity) => (Buffer.from(identity).toString() === 'device' ? 'secret' : null),
  'a function that takes its time': async (identity) => (Buffer.from(identity).toString() === 'device' ? bytes('secret') : null),
};

for (const [name, form] of Object.entries(forms)) {
  test(`a server takes ${name}`, async () => {
    const peer = await meet(form, known);
    assert.ok(typeof peer === 'object');
    assert.equal(Buffer.from(pskIdentityOf(peer)).toString(), 'device');
    assert.is(await meet(form, { identity: 'stranger', key: 'secret' }), 'ERR_DTLS_PSK_MISMATCH');
  });
}

test('a map may grow while the server runs', async () => {
  const devices = new Map<string, string>();
  const server = socket({ psk: devices });
  const { port } = await server.bind({ address: '127.0.0.1' });
  devices.set('device', 'secret');
  assert.is((await socket({ psk: known }).connect({ host: '127.0.0.1', port })).state, 'connected');
});

test('an identity that is no text is unknown to a map and known to a function', async () => {
  const identity = new Uint8Array([0xff, 0, 0xfe]);
  assert.is(await meet(new Map([['device', 'k']]), { identity, key: 'k' }), 'ERR_DTLS_PSK_MISMATCH');
  assert.is(typeof (await meet((name) => (Buffer.from(name).equals(Buffer.from(identity)) ? 'k' : null), { identity, key: 'k' })), 'object');
});

test('a lookup that throws or rejects ends that handshake with its reason, and no process', async () => {
  const failing = [() => { throw new Error('no database'); }, () => Promise.reject(new Error('no database'))];
  for (const psk of failing) {
    const told: Error[] = [];
    const server = socket({ psk });
    server.on('dtlsError', (error) => told.push(error));
    const { port } = await server.bind({ address: '127.0.0.1' });
    const error = await socket({ psk: known }).connect({ host: '127.0.0.1', port }).catch((reason: Error) => reason);
    assert.instance(error, Error);
    assert.is(told.length, 1);
    assert.is((told[0]!.cause as Error).message, 'no database');
  }
});

test('the server sends its hint, and the client takes the credential for it', async () => {
  const wallet = [{ identity: 'general', key: 'a' }, { identity: 'for home', key: 'b', hint: 'home' }];
  const identityAt = async (psk: PskOption, pskHint?: string): Promise<string> => {
    const peer = await meet(psk, wallet, { pskHint });
    assert.ok(typeof peer === 'object', String(peer));
    return Buffer.from(pskIdentityOf(peer)).toString();
  };
  assert.is(await identityAt(wallet, 'home'), 'for home');
  assert.is(await identityAt(wallet, 'elsewhere'), 'general');
  assert.is(await identityAt(wallet), 'general');
  assert.is(await identityAt({ identity: 'for home', key: 'b', hint: 'home' }), 'for home');
});

test('a connection may bring a key of its own', async () => {
  const server = socket({ psk: new Map([['one', 'k1'], ['two', 'k2']]) });
  const { port } = await server.bind({ address: '127.0.0.1' });
  const bare = socket({});
  const peer = await bare.connect({ host: '127.0.0.1', port, psk: { identity: 'two', key: 'k2' } });
  assert.equal(Buffer.from(pskIdentityOf(peer)).toString(), 'two');
  const other = socket({ psk: { identity: 'nobody', key: 'x' } });
  assert.is((await other.connect({ host: '127.0.0.1', port, psk: { identity: 'one', key: 'k1' } })).state, 'connected');
});

test('getPskInfo of the handler has full control, and may fail', async () => {
  const asked: string[] = [];
  const server = socket({
    handler: {
      getPskInfo: (_context, _session, type, description) => {
        asked.push(`${type} ${Buffer.from(description).toString()}`);
        if (type === 'key' && description.length === 1) throw new Error('no');
        return type === 'key' ? bytes('secret') : null;
      },
      event: (_context, _session, level, code) => asked.push(`event ${level} ${code.toString(16)}`),
    },
  });
  const { port } = await server.bind({ address: '127.0.0.1' });
  await socket({ psk: known }).connect({ host: '127.0.0.1', port });
  assert.equal(asked, ['event 0 1dc', 'hint ', 'key device', 'event 0 1de']);
  const told: Error[] = [];
  server.on('dtlsError', (error) => told.push(error));
  await socket({ psk: { identity: 'x', key: 'y' } }).connect({ host: '127.0.0.1', port }).catch(() => null);
  assert.equal(told.map(({ cause }) => (cause as Error).message), ['no']);
});

test('getUserParameters of the handler is asked for each peer', async () => {
  const server = socket({ psk: known });
  const { port } = await server.bind({ address: '127.0.0.1' });
  const client = socket({ psk: known, handler: { getUserParameters: () => ({ mtu: 321 }) } });
  assert.is((await client.connect({ host: '127.0.0.1', port })).mtu, 321);
});

test('what is given is copied, and the first key of an identity counts for both roles', () => {
  const key = bytes('secret');
  const source = new PskSource([{ identity: 'a', key }, { identity: 'a', key: 'later' }]);
  key.fill(0);
  assert.equal(source.answer(session, 'identity', new Uint8Array(0)), bytes('a'));
  assert.equal(source.answer(session, 'key', bytes('a')), bytes('secret'));
  assert.is(source.answer(session, 'key', bytes('b')), null);
  assert.is(source.answer(session, 'hint', new Uint8Array(0)), null);
});

test('an identity may be empty', async () => {
  assert.is(typeof (await meet({ identity: '', key: 'k' }, { identity: '', key: 'k' })), 'object');
});

test('a server that we reached and that starts anew as our client needs a key of our clients, not the one that we showed it', async () => {
  const own = { identity: 'me', key: 'mine' };
  const ours = socket({ psk: new Map([['device', 'secret']]) });
  ours.on('dtlsError', () => {});
  const { port } = await ours.bind({ address: '127.0.0.1' });
  const before = socket({ psk: own });
  const other = await before.bind({ address: '127.0.0.1' });
  await ours.connect({ host: '127.0.0.1', port: other.port, psk: own });
  before.context.resetPeer(before.peers[0]!);
  await before.close();
  for (const [psk, outcome] of [[own, 'ERR_DTLS_PSK_MISMATCH'], [known, 'connected']] as const) {
    const again = socket({ psk });
    await again.bind({ address: '127.0.0.1', port: other.port });
    assert.is(await again.connect({ host: '127.0.0.1', port }).then(({ state }) => state, (error: { code: string }) => error.code), outcome);
    await again.close();
  }
});

test.run();
