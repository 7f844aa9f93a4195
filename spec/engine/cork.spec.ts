/**
 * The cork: several small records share a datagram where the host says so, in order, within the MTU, and never longer
 * than the host says.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { DTLS_EMSGSIZE, DTLS_EVENT_CLOSED, nobleProvider, type DtlsOptions, type Peer } from '../../lib/index.js';
import { RecordWalk } from '../../lib/record/records.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import { establish, ScriptedPeer, toServerFlight } from '../support/scripted.js';

/** Bytes that a record of AES-CCM-8 adds: header 13, explicit nonce 8, tag 8. */
const OVERHEAD = 29;
/** Room for four records of 21 bytes, to the byte. */
const MTU = 4 * (OVERHEAD + 21);
const OTHER = 'another';

/** A server with a client that it may write to. */
function connected(options: DtlsOptions = {}): { rig: Rig; client: ScriptedPeer } {
  const rig = new Rig({ mtu: MTU, ...options });
  return { rig, client: establish(rig) };
}

/** Numbered data of `length` bytes. */
const data = (number: number, length: number = 21): Uint8Array => new Uint8Array(length).fill(number);

/** The sequence numbers of the records in a datagram, all of which are whole. */
function numbers(datagram: Uint8Array): number[] {
  const walk = new RecordWalk();
  const found: number[] = [];
  walk.begin(datagram);
  while (walk.next()) found.push(walk.sequence);
  assert.not.ok(walk.unread);
  return found;
}

for (const crypto of [nobleProvider, nativeProvider]) {
  test(`records that are written between cork and uncork share datagrams of the MTU, in order (${crypto.name})`, () => {
    const { rig, client } = connected({ crypto });
    const held = rig.context.stats().heldBytes;
    assert.ok(rig.context.cork(CLIENT));
    for (let i = 0; i < 4; i++) assert.is(rig.context.write(CLIENT, data(i)), 21);
    assert.equal(rig.sent, [], 'what fits waits');
    assert.is(rig.context.stats().heldBytes - held, MTU, 'and can be seen');
    for (let i = 4; i < 10; i++) assert.is(rig.context.write(CLIENT, data(i)), 21);
    assert.is(rig.sent.length, 2, 'a full datagram leaves when the next record does not fit');
    assert.is(rig.context.uncork(CLIENT), 0);
    const sent = rig.takeSent();
    assert.equal(sent.map(({ length }) => length), [MTU, MTU, 2 * (OVERHEAD + 21)]);
    assert.equal(sent.map(numbers), [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]);
    client.take(...sent);
    assert.equal(client.data, Array.from({ length: 10 }, (_, i) => data(i)));
    rig.context.write(CLIENT, data(10));
    assert.is(rig.takeSent().length, 1, 'afterwards a record is a datagram again');
  });
}


test('a corked record is the very record that it would have been alone', () => {
  const [corked, alone] = [connected().rig, connected().rig];
  corked.context.cork(CLIENT);
  for (const rig of [corked, alone]) for (let i = 0; i < 3; i++) rig.context.writev(CLIENT, [data(i, 10), data(i, 5)]);
  corked.context.uncork(CLIENT);
  assert.equal(corked.takeSent(), [join(...alone.takeSent())]);
});

test('a record that is larger than the MTU goes alone, after what was written before it', () => {
  const { rig, client } = connected();
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(0));
  assert.is(rig.context.write(CLIENT, data(1, MTU)), MTU);
  rig.context.write(CLIENT, data(2));
  assert.equal(rig.sent.map(({ bytes }) => numbers(bytes)), [[1], [2]]);
  rig.writeReturns = -5;
  assert.is(rig.context.write(CLIENT, data(3, MTU)), -5, 'how that went is said at once');
  rig.writeReturns = undefined;
  assert.is(rig.context.uncork(CLIENT), -5, 'and that the one before it failed, at the end');
  client.take(...rig.takeSent());
  assert.equal(client.data.map(([first]) => first), [0, 1, 2, 3]);
});

test('a record that fills the MTU to the byte still waits; empty data is a record too; too much data throws and disturbs nothing', () => {
  const { rig } = connected();
  rig.context.cork(CLIENT);
  assert.is(rig.context.write(CLIENT, data(0, MTU - OVERHEAD)), MTU - OVERHEAD);
  assert.is(rig.sent.length, 0);
  assert.is(rig.context.write(CLIENT, new Uint8Array(0)), 0);
  assert.throws(() => rig.context.write(CLIENT, new Uint8Array(16_385)), (error: { code?: string }) => error.code === 'ERR_DTLS_TOO_LARGE');
  rig.context.uncork(CLIENT);
  assert.equal(rig.takeSent().map(numbers), [[1], [2]]);
});

test('nothing but the host ends the wait: not time, not datagrams that come in; and uncork leaves nothing', () => {
  const { rig, client } = connected();
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(0));
  rig.feed(CLIENT, client.applicationData(text('ping')));
  rig.advance(1_000_000);
  assert.is(rig.sent.length, 0);
  assert.is(rig.reads.length, 1);
  assert.is(rig.context.uncork(CLIENT), 0);
  assert.is(rig.takeSent().length, 1);
  assert.is(rig.context.uncork(CLIENT), -1, 'nothing is corked');
  assert.is(rig.sent.length, 0);
});

test('a cork is for those who carry data: not for strangers, handshakes, or peers that are closing; twice is as once', () => {
  const rig = new Rig({ mtu: MTU });
  assert.is(rig.context.cork(CLIENT), false);
  assert.is(rig.context.uncork(CLIENT), -1);
  toServerFlight(startedClient(rig), new ScriptedPeer('server'));
  assert.is(rig.context.cork(SERVER), false);
  establish(rig);
  assert.is(rig.context.cork(CLIENT), true);
  assert.is(rig.context.cork(CLIENT), true);
  rig.takeSent();
  rig.context.write(CLIENT, data(0));
  assert.is(rig.context.uncork(CLIENT), 0);
  assert.is(rig.takeSent().length, 1);
  rig.context.close(CLIENT);
  assert.is(rig.context.cork(CLIENT), false);
  rig.context.free();
  assert.throws(() => rig.context.cork(CLIENT), (error: { code?: string }) => error.code === 'ERR_DTLS_FREED');
  assert.throws(() => rig.context.uncork(CLIENT), (error: { code?: string }) => error.code === 'ERR_DTLS_FREED');
  assert.throws(() => rig.context.cork(7 as never), (error: { code?: string }) => error.code === 'ERR_DTLS_ARGUMENT');
});

test('close and free send what waits and then say goodbye', () => {
  for (const end of [(rig: Rig) => void rig.context.close(CLIENT), (rig: Rig) => rig.context.free()]) {
    const { rig, client } = connected();
    rig.context.cork(CLIENT);
    rig.context.write(CLIENT, data(0));
    rig.context.write(CLIENT, data(1));
    end(rig);
    const sent = rig.takeSent();
    assert.equal(sent.map(numbers), [[1, 2], [3]]);
    client.take(...sent);
    assert.equal(client.alerts.map(({ description }) => description), [0]);
    assert.is(client.data.length, 2);
  }
});

test('the refusal of a renegotiation goes after what waits, and the cork stays', () => {
  const { rig, client } = connected();
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(0));
  rig.feed(CLIENT, client.message(1, client.clientHelloBody(), { epoch: 1, note: false }));
  assert.equal(rig.takeSent().map(numbers), [[1], [2]]);
  rig.context.write(CLIENT, data(1));
  assert.is(rig.sent.length, 0);
  rig.context.uncork(CLIENT);
  assert.equal(rig.takeSent().map(numbers), [[3]]);
});

test('what waits is discarded when the peer says goodbye (RFC 5246 §7.2.1), dies, is forgotten or starts anew', () => {
  const ends: readonly [string, number, (rig: Rig, client: ScriptedPeer) => void][] = [
    ['close_notify', 1, (rig, client) => void rig.feed(CLIENT, client.alert(1, 0, { epoch: 1 }))],
    ['a fatal alert', 0, (rig, client) => void rig.feed(CLIENT, client.alert(2, 80, { epoch: 1 }))],
    ['reset', 0, (rig) => rig.context.resetPeer(rig.context.getPeer(CLIENT) as Peer)],
    ['a new association', 0, (rig) => {
      rig.advance(10_000);
      establish(rig, new ScriptedPeer('client', { seed: 5 }));
    }],
  ];
  for (const [what, sent, end] of ends) {
    const { rig, client } = connected();
    const held = rig.context.stats().heldBytes;
    rig.context.cork(CLIENT);
    rig.context.write(CLIENT, data(0));
    end(rig, client);
    const left = rig.takeSent();
    assert.is(left.length, sent, what);
    client.take(...left);
    assert.is(client.data.length, 0, what);
    assert.is(rig.context.uncork(CLIENT), -1, what);
    assert.ok(rig.context.stats().heldBytes <= held, what);
    assert.is(rig.sent.length, 0, what);
  }
});

test('released peers give their corks back: there are maxCorkedPeers at a time, for ever', () => {
  const rig = new Rig({ maxCorkedPeers: 1 });
  establish(rig, new ScriptedPeer('client'), OTHER);
  for (let round = 0; round < 5; round++) {
    const client = establish(rig, new ScriptedPeer('client', { seed: round }));
    assert.is(rig.context.cork(CLIENT), true, `round ${round}`);
    assert.is(rig.context.cork(OTHER), false, 'no room');
    assert.ok(rig.context.write(OTHER, data(0)) > 0);
    assert.is(rig.takeSent().length, 1, 'who is not corked does not wait');
    rig.context.write(CLIENT, data(0));
    if (round % 2 === 0) rig.context.resetPeer(rig.context.getPeer(CLIENT) as Peer);
    else rig.feed(CLIENT, client.alert(1, 0, { epoch: 1 }));
    rig.takeSent();
  }
  assert.is(rig.context.cork(OTHER), true);
});

test('two peers that are corked wait each for their own', () => {
  const rig = new Rig({ mtu: MTU });
  const clients = [establish(rig), establish(rig, new ScriptedPeer('client', { seed: 3 }), OTHER)] as const;
  for (const session of [CLIENT, OTHER]) assert.ok(rig.context.cork(session));
  for (let i = 0; i < 6; i++) rig.context.write(i % 2 === 0 ? CLIENT : OTHER, data(i));
  for (const session of [OTHER, CLIENT]) assert.is(rig.context.uncork(session), 0);
  const [second, first] = rig.takeSent();
  clients[0].take(first!);
  clients[1].take(second!);
  assert.equal(clients.map((client) => client.data.map(([number]) => number)), [[0, 2, 4], [1, 3, 5]]);
});

test('uncork returns the first failure of the write callback since cork, and the next cork starts anew', () => {
  const { rig } = connected();
  const results = [-3, 0, -4];
  rig.onWrite = () => results.shift();
  rig.context.cork(CLIENT);
  for (let i = 0; i < 9; i++) assert.is(rig.context.write(CLIENT, data(i)), 21, 'a record that waits is taken');
  assert.is(results.length, 1);
  assert.is(rig.context.uncork(CLIENT), -3);
  assert.is(results.length, 0);
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(0));
  assert.is(rig.context.uncork(CLIENT), 0);
});

test('a callback that throws is heard of at uncork, and nothing stays corked', () => {
  const failure = new Error('no network');
  const { rig } = connected();
  rig.context.setHandler({
    write: () => {
      throw failure;
    },
  });
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(0));
  assert.throws(() => rig.context.uncork(CLIENT), (error: unknown) => error === failure);
  assert.is(rig.context.uncork(CLIENT), -1);
});

test('a datagram that proves too large goes again in smaller ones, down to single records', () => {
  const rig = new Rig({ mtu: 1232 });
  const client = establish(rig);
  const lengths: number[] = [];
  const passed: Uint8Array[] = [];
  rig.onWrite = (_, bytes) => {
    lengths.push(bytes.length);
    if (bytes.length > 300) return DTLS_EMSGSIZE;
    passed.push(bytes);
    return 0;
  };
  rig.context.cork(CLIENT);
  for (let i = 0; i < 8; i++) rig.context.write(CLIENT, data(i, 100));
  assert.is(rig.context.uncork(CLIENT), 0);
  assert.equal(lengths, [8 * 129, 7 * 129, 4 * 129, 129, 129, 129, 129, 129, 129, 129, 129]);
  assert.is(rig.context.getPeer(CLIENT)?.mtu, 256);
  client.take(...passed);
  assert.equal(client.data.map(([number]) => number), [0, 1, 2, 3, 4, 5, 6, 7]);
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(9, 400));
  assert.is(rig.context.uncork(CLIENT), 0, 'of what went alone, write told');
});

test('setMtu while records wait: they leave in datagrams of the new size, and a larger one changes nothing before the next cork', () => {
  const { rig, client } = connected();
  rig.context.cork(CLIENT);
  for (let i = 0; i < 4; i++) rig.context.write(CLIENT, data(i));
  rig.context.setMtu(CLIENT, 110);
  rig.context.write(CLIENT, data(4));
  assert.equal(rig.takeSent().map(numbers), [[1, 2], [3, 4]]);
  rig.context.setMtu(CLIENT, 1000);
  for (let i = 5; i < 10; i++) rig.context.write(CLIENT, data(i));
  rig.context.uncork(CLIENT);
  assert.equal(rig.takeSent().map(numbers), [[5, 6, 7, 8], [9, 10]]);
  rig.context.cork(CLIENT);
  for (let i = 0; i < 8; i++) rig.context.write(CLIENT, data(i));
  rig.context.uncork(CLIENT);
  assert.equal(rig.sent.map(({ bytes }) => bytes.length), [400]);
  client.take(...rig.takeSent());
  assert.is(client.undecryptable, 0);
});

test('what the host is lent stays as it is while it writes, corks, uncorks, closes or forgets from within', () => {
  const acts: readonly [string, (rig: Rig) => void][] = [
    ['writes', (rig) => void rig.context.write(CLIENT, data(99))],
    ['uncorks', (rig) => void rig.context.uncork(CLIENT)],
    ['uncorks and corks', (rig) => void (rig.context.uncork(CLIENT), rig.context.cork(CLIENT), rig.context.write(CLIENT, data(99)))],
    ['closes', (rig) => void rig.context.close(CLIENT)],
    ['forgets', (rig) => rig.context.resetPeer(rig.context.getPeer(CLIENT) as Peer)],
    ['frees', (rig) => rig.context.free()],
  ];
  for (const [what, act] of acts) {
    const passed: Uint8Array[] = [];
    let depth = 0;
    const rig: Rig = new Rig({ mtu: MTU });
    const client = establish(rig);
    rig.context.setHandler({
      write: (_, __, datagram) => {
        const before = datagram.slice();
        passed.push(before);
        if (depth++ === 0) act(rig);
        assert.equal(datagram.slice(), before, what);
      },
    });
    rig.context.cork(CLIENT);
    for (let i = 0; i < 4; i++) rig.context.write(CLIENT, data(i));
    const ended = ['closes', 'forgets', 'frees'].includes(what);
    // The fifth does not fit: the first four leave while it is being written.
    assert.is(rig.context.write(CLIENT, data(4)), ended ? 0 : 21, what);
    if (what !== 'frees') rig.context.uncork(CLIENT);
    client.take(...passed);
    assert.equal(client.data.slice(0, 4), [0, 1, 2, 3].map((number) => data(number)), what);
    assert.is(client.undecryptable, 0, what);
    const later = client.data.slice(4).map(([number]) => number).sort();
    assert.equal(later, ended ? [] : what === 'uncorks' ? [4] : [4, 99], what);
  }
});

test('data that stands in the cork itself, kept by a host from an earlier datagram, is sealed as it was', () => {
  const { rig, client } = connected();
  let kept: Uint8Array = new Uint8Array(0);
  const passed: Uint8Array[] = [];
  rig.context.setHandler({
    write: (_, __, datagram) => {
      if (kept.length === 0) kept = datagram.subarray(0, 40);
      passed.push(datagram.slice());
    },
  });
  for (let round = 0; round < 2; round++) {
    rig.context.cork(CLIENT);
    if (round === 0) rig.context.write(CLIENT, data(0));
    else rig.context.write(CLIENT, kept);
    rig.context.uncork(CLIENT);
  }
  client.take(...passed);
  assert.equal(client.data[1], passed[0]!.slice(0, 40));
});

test('a peer that is forgotten while its datagrams leave gets no more of them', () => {
  const { rig } = connected();
  rig.context.cork(CLIENT);
  for (let i = 0; i < 4; i++) rig.context.write(CLIENT, data(i));
  rig.context.setMtu(CLIENT, 100);
  let written = 0;
  rig.onWrite = () => {
    if (written++ === 0) rig.context.resetPeer(rig.context.getPeer(CLIENT) as Peer);
  };
  assert.is(rig.context.uncork(CLIENT), 0);
  assert.is(written, 1);
});

test('a closing peer has given its cork back and ends as ever', () => {
  const { rig, client } = connected({ maxCorkedPeers: 1 });
  establish(rig, new ScriptedPeer('client', { seed: 3 }), OTHER);
  rig.context.cork(CLIENT);
  rig.context.write(CLIENT, data(0));
  rig.context.close(CLIENT);
  assert.is(rig.context.write(CLIENT, data(1)), 0);
  assert.is(rig.context.cork(OTHER), true);
  rig.context.resetPeer(rig.context.getPeer(OTHER) as Peer);
  rig.feed(CLIENT, client.alert(1, 0, { epoch: 1 }));
  assert.ok(rig.codes.includes(DTLS_EVENT_CLOSED));
  assert.equal([rig.context.stats().heldBytes, rig.context.stats().deadlines], [0, 0]);
});

/** A handshake of the context as client has begun. */
function startedClient(rig: Rig): Rig {
  rig.context.connect(SERVER);
  return rig;
}

test.run();
