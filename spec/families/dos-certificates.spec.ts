/**
 * What a half-open peer with certificates may make us hold: 48 KiB at most, whatever it sends and wherever the handshake
 * stands, and nothing once that is over. The attacker has no key, but has seen the chain of somebody we trust; the
 * signature of a server's key exchange he relays.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, ALL_SUITES, HandshakeType, type DtlsHandler, type DtlsOptions } from '../../lib/index.js';
import { readClientHello, writeClientHello } from '../../lib/message/hello.js';
import { readCertificateRequest, writeCertificate, writeCertificateRequest, type CertificateRequest } from '../../lib/message/certificate.js';
import { writeEcdheClientKeyExchange } from '../../lib/message/keyexchange.js';
import { CLIENT_KEY, trusts } from '../publickey/ends.js';
import { Between, RECEIVERS, type Message } from '../support/refragmenter.js';
import { certifiedOptions, certifiedPair, CERTIFICATES_ONLY, chainOf, credentialOf, mintPadded } from '../support/certifiedpair.js';
import { connected, echoes, handshake, NOTHING, remains } from '../support/pair.js';
import { Link, type Node } from '../support/link.js';
import { ScriptedPeer } from '../support/scripted.js';

const PROMISE = 48 * 1024;
const MAX_MESSAGE = 16_384;
const PSK_PROMISE = 8192;

/** A Certificate of exactly `bytes`: an honest chain, then certificates that nobody asked for. */
function longChain(role: 'client' | 'server', bytes: number): Uint8Array {
  const chain = chainOf(role);
  const left = (): number => bytes - chain.reduce((sum, { length }) => sum + 3 + length, 3);
  while (left() > 3000) chain.push(chain[1]!);
  return writeCertificate([...chain, new Uint8Array(mintPadded({ name: 'filler' }, left() - 3).der)]);
}

const LONG_CHAINS = { client: longChain('client', MAX_MESSAGE), server: longChain('server', MAX_MESSAGE) } as const;

/** An attacker at one context: hands in what he likes, and sees to it that the promise holds after each datagram. */
class Attacker {
  readonly #victim: Node;
  readonly #name: string;
  readonly #scribe: ScriptedPeer = new ScriptedPeer('client');
  most = 0;

  constructor(victim: Node, name: string) {
    this.#victim = victim;
    this.#name = name;
  }

  feed(datagram: Uint8Array): number {
    const code = this.#victim.context.handleMessage(this.#name, datagram);
    const { heldBytes } = this.#victim.context.stats();
    this.most = Math.max(this.most, heldBytes);
    assert.ok(heldBytes <= PROMISE, `${heldBytes} bytes held`);
    return code;
  }

  /** A message in pieces of 1,000 bytes. The code of the last. */
  send({ type, messageSeq, body }: Message): number {
    let code = 0;
    for (let at = 0; at === 0 || at < body.length; at += 1000) {
      const fragment = this.#scribe.fragment(type, body.slice(at, at + 1000), { messageSeq, length: body.length, offset: at });
      code = this.feed(this.#scribe.record(22, fragment));
    }
    return code;
  }

  /** Everything that can be kept for later: messages ahead of `messageSeq` that are all but whole, records of epoch 1. */
  squeeze(messageSeq: number, length: number = MAX_MESSAGE): void {
    for (let ahead = 7; ahead > 0; ahead--) {
      for (let at = 0; at < length; at += 1024) {
        const part = new Uint8Array(Math.min(1024, length - 1 - at));
        const fragment = this.#scribe.fragment(11, part, { messageSeq: messageSeq + ahead, length, offset: at });
        this.feed(this.#scribe.record(22, fragment));
      }
    }
    for (const bytes of [5000, 1400, 700, 100]) {
      for (let i = 0; i < 10; i++) this.feed(this.#scribe.record(23, new Uint8Array(bytes), { epoch: 1, protection: null }));
    }
  }
}

/** Hosts that answer at once, and hosts that never do. */
const HOSTS: Readonly<Record<string, Partial<DtlsHandler>>> = {
  'answers at once': {},
  'never answers about trust': { verifyCertificate: () => new Promise(() => {}) },
  'never answers about credentials': { getCertificate: () => new Promise(() => {}) },
};

for (const [name, handler] of Object.entries(HOSTS)) {
  test(`DOS-09 a client whose host ${name} holds 48 KiB at most of whatever a false server sends`, () => {
    let most = 0;
    for (const requestBytes of [200, 2000, 8000, MAX_MESSAGE]) {
      // The attack stops before each message, and behind the last.
      for (let stop = 0; stop <= 5; stop++) {
        const between = new Between('client', {}, handler);
        const attacker = new Attacker(between.receiver, between.sender.name);
        for (const message of between.messages.slice(0, stop)) {
          if (message.type === HandshakeType.certificate) attacker.send({ ...message, body: LONG_CHAINS.server });
          else if (message.type === HandshakeType.certificateRequest) attacker.send({ ...message, body: longRequest(message.body, requestBytes) });
          else attacker.send(message);
        }
        attacker.squeeze(between.messages[0]!.messageSeq + stop);
        most = Math.max(most, attacker.most);
        between.ends.link.run();
        assert.equal(remains(between.receiver), NOTHING, `${requestBytes} bytes asked, ${stop} messages`);
        assert.ok(!connected(between.ends) || stop < 2);
      }
    }
    assert.ok(most > 2 * MAX_MESSAGE, `the attack holds ${most} bytes`);
  });

  test(`DOS-09 a server whose host ${name} holds 48 KiB at most of whatever a false client sends`, () => {
    let most = 0;
    for (const helloBytes of [0, 4096, 10_000, MAX_MESSAGE]) {
      for (let stop = 1; stop <= 3; stop++) {
        const ends = certifiedPair({}, {}, (role) => (role === 'server' ? handler : {}));
        // The client is honest up to its second hello, which the attacker makes longer.
        let hello: Uint8Array | null = null;
        ends.link.options = { transform: ({ at, from, bytes }) => (from === 'c' && at >= 100 ? (hello ??= bytes, []) : [bytes]) };
        ends.client.context.connect('s');
        ends.link.run(() => hello !== null);
        const attacker = new Attacker(ends.server, 'c');
        const { publicKey } = credentialOf('server');
        const point = publicKey.kind === 'ec' ? publicKey.point : new Uint8Array(0);
        const messages = [
          { type: HandshakeType.clientHello, body: longHello(hello!.slice(25), helloBytes) },
          { type: HandshakeType.certificate, body: LONG_CHAINS.client },
          // Any point on the curve.
          { type: HandshakeType.clientKeyExchange, body: writeEcdheClientKeyExchange(point) },
        ];
        messages.slice(0, stop).forEach((message, i) => attacker.send({ ...message, messageSeq: 1 + i }));
        attacker.squeeze(1 + stop);
        most = Math.max(most, attacker.most);
        ends.link.run();
        assert.equal(remains(ends.server), NOTHING, `a hello of ${helloBytes} bytes, ${stop} messages`);
      }
    }
    assert.ok(most > 2 * MAX_MESSAGE, `the attack holds ${most} bytes`);
  });
}

/** A CertificateRequest that names so many authorities that it has `bytes` bytes, or nearly. */
function longRequest(body: Uint8Array, bytes: number): Uint8Array {
  const request = readCertificateRequest(body);
  const names = Array.from({ length: Math.floor((bytes - body.length) / 102) }, () => new Uint8Array(100));
  return writeCertificateRequest({ ...request, authorities: [...request.authorities, ...names] });
}

/** A ClientHello with padding (RFC 7685) up to `bytes`. Its cookie stays good. */
function longHello(body: Uint8Array, bytes: number): Uint8Array {
  const hello = readClientHello(body);
  if (body.length + 4 > bytes) return body;
  return writeClientHello({ ...hello, extensions: new Map([...hello.extensions, [21, new Uint8Array(bytes - body.length - 4)]]) });
}

test('DOS-09 an honest handshake holds four times its chains at most, at no moment more, and gives everything back', () => {
  for (const mtu of [1232, 256, 110]) {
    const most = { c: 0, s: 0 };
    const ends = certifiedPair({ copies: 2, reorder: 0.5, reorderMs: 40 }, { mtu });
    ends.client.context.connect('s');
    ends.link.run(() => {
      most.c = Math.max(most.c, ends.client.context.stats().heldBytes);
      most.s = Math.max(most.s, ends.server.context.stats().heldBytes);
      return false;
    });
    assert.ok(connected(ends) && echoes(ends));
    assert.ok(most.c > 6000 && most.c <= 16_384, `MTU ${mtu}: the client held ${most.c} bytes`);
    assert.ok(most.s > 6000 && most.s <= 16_384, `MTU ${mtu}: the server held ${most.s} bytes`);
    assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
  }
});

test('DOS-09 a chain of 16 KiB is taken from either side, in one record or in pieces; one byte more is refused', () => {
  for (const [bytes, mtu] of [[MAX_MESSAGE, 16_421], [MAX_MESSAGE, 1232], [MAX_MESSAGE, 300], [MAX_MESSAGE + 1, 1232]] as const) {
    for (const long of RECEIVERS) {
      const link = new Link();
      const add = (name: string, role: 'client' | 'server'): Node => {
        const credential = { ...credentialOf(role), ...(role === long ? { chain: chainIn(longChain(role, bytes)) } : {}) };
        return link.add(name, { ...certifiedOptions(role), mtu, credentials: [credential] }, CERTIFICATES_ONLY);
      };
      const ends = { link, client: add('c', 'client'), server: add('s', 'server') };
      handshake(ends);
      assert.is(connected(ends), bytes === MAX_MESSAGE, `${long}: ${bytes} bytes, MTU ${mtu}`);
      if (bytes === MAX_MESSAGE) {
        assert.ok(echoes(ends));
        assert.is(ends.client.context.stats().retransmissions + ends.server.context.stats().retransmissions, 0);
      } else {
        const refuses = long === 'client' ? ends.server : ends.client;
        assert.equal(refuses.events.filter(({ level }) => level === 2).map(({ code }) => code), [AlertDescription.illegalParameter]);
      }
      assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
    }
  }
});

/** The certificates of a Certificate message. */
function chainIn(body: Uint8Array): Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let at = 3; at < body.length; ) {
    const length = (body[at]! << 16) | (body[at + 1]! << 8) | body[at + 2]!;
    chain.push(body.slice(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return chain;
}

test('DOS-09 a server with keys of both kinds that has no public key to show keeps to the bounds of pre-shared keys', () => {
  const bounds: readonly (readonly [options: DtlsOptions, promise: number, length: number])[] = [
    [{ cipherSuites: ALL_SUITES }, PSK_PROMISE, 4096],
    [{ ...certifiedOptions('server'), cipherSuites: ALL_SUITES }, PROMISE, MAX_MESSAGE],
  ];
  for (const [options, promise, length] of bounds) {
    const link = new Link();
    // The client has pre-shared keys only.
    const ends = { link, client: link.add('c'), server: link.add('s', options) };
    let caught: Uint8Array | null = null;
    link.options = { transform: ({ at, from, bytes }) => (from === 'c' && at >= 200 ? (caught ??= bytes, []) : [bytes]) };
    ends.client.context.connect('s');
    link.run(() => caught !== null);
    assert.is(ends.server.context.stats().halfOpen, 1);
    const attacker = new Attacker(ends.server, 'c');
    attacker.squeeze(2, length);
    assert.ok(attacker.most <= promise && attacker.most > promise / 3, `${attacker.most} bytes`);
    link.options = {};
    link.run();
    assert.ok(connected(ends), 'the honest client gets through all the same');
    assert.ok(echoes(ends));
    assert.equal([remains(ends.client), remains(ends.server)], [NOTHING, NOTHING]);
  }
});

test('a context without public keys of its own takes long chains of peers whose own parameters bring what to believe', () => {
  const bounds = [[{}, 'connected'], [{ maxMessageBytes: 8000 }, undefined], [{ maxKeptBytes: 1024, maxHeldBytes: 20_000 }, undefined]] as const;
  for (const [own, state] of bounds) {
    const link = new Link();
    const { credentials, trust, serverName, ...rest } = certifiedOptions('client');
    const client = link.add('c', { ...rest, ...own }, { ...CERTIFICATES_ONLY, getUserParameters: () => ({ credentials, trust, serverName }) });
    const shown = { ...credentialOf('server'), chain: chainIn(longChain('server', 12_000)) };
    link.add('s', { ...certifiedOptions('server'), credentials: [shown] }, CERTIFICATES_ONLY);
    client.context.connect('s');
    link.run();
    assert.is(client.context.getPeer('s')?.state, state, JSON.stringify(own));
    assert.is(client.events.at(-1)?.detail?.code, state === undefined ? 'ERR_DTLS_TOO_LARGE' : undefined);
    assert.equal(remains(client), NOTHING);
  }
});

test('a context whose callbacks for public keys came by setHandler has the same bounds as one that was made with them', () => {
  const { crypto, cipherSuites, groups } = certifiedOptions('server');
  const link = new Link();
  const client = link.add('c', { ...certifiedOptions('client'), credentials: [] }, { ...CERTIFICATES_ONLY, getEcdsaKey: () => CLIENT_KEY });
  const server = link.add('s', { crypto, cipherSuites, groups }, CERTIFICATES_ONLY);
  server.context.setHandler({
    write: (_, to, bytes) => link.inject('s', to as string, bytes.slice()),
    getCertificate: () => ({ ...credentialOf('server'), chain: chainIn(longChain('server', 12_000)) }),
    ...trusts(CLIENT_KEY),
  });
  client.context.connect('s');
  link.run();
  assert.is(server.context.getPeer('c')?.identity?.kind, 'rawKey');
  assert.is(client.context.getPeer('s')?.state, 'connected');
});

test('DOS-09 a list that nobody means is refused before anything is made of it: authorities, schemes, groups, certificates', () => {
  const list = (count: number): Uint8Array => {
    const body = new Uint8Array(2 + 2 * count).fill(9);
    body.set([count >>> 7, (2 * count) & 0xff]);
    return body;
  };
  const requests: readonly ((request: CertificateRequest, count: number) => CertificateRequest)[] = [
    (request, count) => ({ ...request, authorities: Array.from({ length: count }, () => new Uint8Array(1)) }),
    (request, count) => ({ ...request, signatureSchemes: [...request.signatureSchemes, ...new Array<number>(count - request.signatureSchemes.length).fill(9)] }),
  ];
  for (const change of requests) {
    for (const [count, alert] of [[256, 0], [257, AlertDescription.decodeError], [5000, AlertDescription.decodeError]] as const) {
      const between = new Between('client').upTo(3);
      const attacker = new Attacker(between.receiver, 's');
      const request = between.messages[3]!;
      const body = writeCertificateRequest(change(readCertificateRequest(request.body), count));
      assert.is(attacker.send({ ...request, body }), alert === 0 ? 0 : -(512 + alert), `${count} entries`);
      if (alert !== 0) assert.equal(remains(between.receiver), NOTHING);
    }
  }
  for (const extension of [10, 13]) {
    for (const [count, refused] of [[256, false], [257, true], [8000, true]] as const) {
      const ends = certifiedPair();
      let hello: Uint8Array | null = null;
      ends.link.options = { transform: ({ at, from, bytes }) => (from === 'c' && at >= 100 ? (hello ??= bytes, []) : [bytes]) };
      ends.client.context.connect('s');
      ends.link.run(() => hello !== null);
      const { extensions, ...rest } = readClientHello(hello!.slice(25));
      const honest = extensions.get(extension)!;
      const long = list(count);
      long.set(honest.subarray(2), 2);
      const body = writeClientHello({ ...rest, extensions: new Map([...extensions, [extension, long]]) });
      const code = new Attacker(ends.server, 'c').send({ type: HandshakeType.clientHello, messageSeq: 1, body });
      assert.is(code, refused ? -(512 + AlertDescription.decodeError) : 0, `extension ${extension}, ${count} entries`);
      if (refused) assert.equal(remains(ends.server), NOTHING);
    }
  }
  const chain = (count: number): Uint8Array => writeCertificate(Array.from({ length: count }, () => new Uint8Array(1)));
  for (const receiver of RECEIVERS) {
    const between = new Between(receiver).upTo(receiver === 'client' ? 1 : 0);
    const shown = between.messages[receiver === 'client' ? 1 : 0]!;
    assert.is(new Attacker(between.receiver, between.sender.name).send({ ...shown, body: chain(4000) }), -(512 + AlertDescription.decodeError));
    assert.equal(remains(between.receiver), NOTHING);
  }
});

test('DOS-15 a client that falls silent costs a server seven flights more, and each is no longer than its first', () => {
  const ends = certifiedPair({}, { maxRetransmits: 7 });
  ends.link.options = { transform: ({ at, from, bytes }) => (from === 'c' && at >= 200 ? [] : [bytes]) };
  handshake(ends);
  const flight = ends.link.log.filter(({ from, at }) => from === 's' && at > 100);
  const sizes = new Map<number, number>();
  for (const { at, bytes } of flight) sizes.set(at, (sizes.get(at) ?? 0) + bytes.length);
  const [first, ...again] = [...sizes.values()];
  assert.is(again.length, 7);
  // From the third on they go out in smaller datagrams, with a few headers more.
  assert.ok(again.every((bytes) => bytes <= 1.1 * first!), again.join());
  assert.equal(remains(ends.server), NOTHING);
});

test.run();
