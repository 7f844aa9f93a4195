/**
 * The grammar of the hellos at its limits, and the stateless look at the start of a ClientHello against the codec.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientHelloStart, offersSuite, readClientHello, readServerHello, writeClientHello, writeServerHello, type ClientHello } from '../../lib/message/hello.js';
import { readExtensions, writeExtensions } from '../../lib/message/extensions.js';
import { PeerError } from '../../lib/wire/errors.js';
import { Reader } from '../../lib/wire/reader.js';
import { AlertDescription } from '../../lib/wire/registry.js';
import { Writer } from '../../lib/wire/writer.js';
import { hex, join } from '../support/rig.js';
import { holds } from '../support/checked.js';
import { CODECS, extensions } from './codecs.js';

const HELLO: ClientHello = {
  version: 0xfefd, random: new Uint8Array(32).fill(1), sessionId: new Uint8Array(0), cookie: new Uint8Array(0),
  cipherSuites: hex('c0a8 00ff'), compressionMethods: new Uint8Array([0]), extensions: new Map([[23, new Uint8Array(0)]]),
};

const refuses = (alert: number) => (error: unknown): boolean => error instanceof PeerError && error.alert === alert;
const decodeError = refuses(AlertDescription.decodeError);

test('a ClientHello stands on the wire as RFC 6347 §4.2.1 draws it', () => {
  const bytes = writeClientHello({ ...HELLO, sessionId: hex('aabb'), cookie: hex('cc') });
  assert.equal(bytes, join(hex('fefd'), HELLO.random, hex('02 aabb 01 cc 0004 c0a8 00ff 01 00 0004 0017 0000')));
});

test('a ServerHello stands on the wire as RFC 5246 §7.4.1.3 draws it, without a block if it has no extensions', () => {
  const hello = { version: 0xfefd, random: HELLO.random, sessionId: hex('dd'), cipherSuite: 0xc0a8, compressionMethod: 0, extensions: new Map() };
  assert.equal(writeServerHello(hello), join(hex('fefd'), HELLO.random, hex('01 dd c0a8 00')));
  const more = { ...hello, extensions: new Map([[0xff01, hex('00')]]) };
  assert.equal(writeServerHello(more), join(hex('fefd'), HELLO.random, hex('01 dd c0a8 00 0005 ff01 0001 00')));
});

test('a session_id has at most 32 bytes, in both hellos', () => {
  const server = { version: 0xfefd, random: HELLO.random, cipherSuite: 1, compressionMethod: 0, extensions: new Map() };
  for (const length of [0, 1, 31, 32]) {
    const sessionId = new Uint8Array(length);
    assert.is(readClientHello(writeClientHello({ ...HELLO, sessionId })).sessionId.length, length);
    assert.is(readServerHello(writeServerHello({ ...server, sessionId })).sessionId.length, length);
  }
  for (const length of [33, 64, 255]) {
    const sessionId = new Uint8Array(length);
    assert.throws(() => readClientHello(writeClientHello({ ...HELLO, sessionId })), decodeError);
    assert.throws(() => readServerHello(writeServerHello({ ...server, sessionId })), decodeError);
  }
});

test('cipher_suites are at least one pair and nothing but pairs, compression_methods at least one', () => {
  for (const length of [0, 1, 3, 5, 401]) {
    assert.throws(() => readClientHello(writeClientHello({ ...HELLO, cipherSuites: new Uint8Array(length) })), decodeError, `${length}`);
  }
  for (const length of [2, 4, 402]) assert.is(readClientHello(writeClientHello({ ...HELLO, cipherSuites: new Uint8Array(length) })).cipherSuites.length, length);
  assert.throws(() => readClientHello(writeClientHello({ ...HELLO, compressionMethods: new Uint8Array(0) })), decodeError);
});

test('a hello without an extension block, and one with an empty block, has no extensions; trailing bytes are refused', () => {
  const bare = writeClientHello({ ...HELLO, extensions: new Map() });
  assert.is(readClientHello(bare).extensions.size, 0);
  assert.is(readClientHello(join(bare, hex('0000'))).extensions.size, 0);
  for (const tail of ['00', '000000', '0001', '000100', '0004 0017 0000 00', '0003 0017 0000']) {
    assert.throws(() => readClientHello(join(bare, hex(tail))), decodeError, tail);
  }
});

test('suites are found at whole pairs only', () => {
  assert.is(offersSuite(hex('c0a8 00ff'), 0xc0a8), true);
  assert.is(offersSuite(hex('c0a8 00ff'), 0x00ff), true);
  assert.is(offersSuite(hex('c0a8 00ff'), 0xa800), false);
  assert.is(offersSuite(hex('11c0 a822'), 0xc0a8), false);
  assert.is(offersSuite(hex('c0a8 00'), 0x0000), false);
  assert.is(offersSuite(new Uint8Array(0), 0), false);
});

test('extensions come out in the order they stand in, as views, and one that stands twice is illegal', () => {
  holds(fc.property(extensions, (map) => {
    const writer = new Writer();
    writeExtensions(writer, map);
    const bytes = writer.finish();
    const reader = new Reader(bytes);
    const read = readExtensions(reader);
    assert.equal([...read], [...map]);
    assert.is(reader.left, 0);
    for (const body of read.values()) assert.is(body.buffer, bytes.buffer);
  }));
  const illegal = refuses(AlertDescription.illegalParameter);
  for (const twice of ['0008 0017 0000 0017 0000', '000d 0017 0000 0001 0001 00 0017 0000']) {
    assert.throws(() => readExtensions(new Reader(hex(twice))), illegal);
  }
});

/** The start of a hello as the codec sees it. */
function startOf(body: Uint8Array): { cookie: Uint8Array; algorithmsLength: number } {
  const { cookie, cipherSuites, compressionMethods } = readClientHello(body);
  return { cookie, algorithmsLength: 2 + cipherSuites.length + 1 + compressionMethods.length };
}

test('the stateless look finds the fields where the codec finds them, at any place in a datagram', () => {
  holds(fc.property(CODECS[0]!.values, fc.nat(40), (value, before) => {
    const body = writeClientHello(value as ClientHello);
    const datagram = join(new Uint8Array(before), body, new Uint8Array(9).fill(0xff));
    const start = new ClientHelloStart();
    assert.ok(start.read(datagram, before, before + body.length));
    const { cookie, algorithmsLength } = startOf(body);
    assert.is(start.at, before);
    assert.equal(datagram.slice(start.sessionId, start.sessionIdEnd), (value as ClientHello).sessionId);
    assert.equal(datagram.slice(start.cookie, start.cookieEnd), cookie);
    assert.is(start.algorithmsEnd - start.cookieEnd, algorithmsLength);
  }));
});

test('the stateless look at a part of a hello says no until the cookie is there, and 0 until the algorithms are', () => {
  holds(fc.property(CODECS[0]!.values, (value) => {
    const body = writeClientHello(value as ClientHello);
    const { sessionId, cookie } = value as ClientHello;
    const cookieEnd = 36 + sessionId.length + cookie.length;
    const start = new ClientHelloStart();
    // From the whole hello down: what an earlier look found must not stand for what this one does not see.
    for (let length = body.length; length >= 0; length--) {
      assert.is(start.read(body, 0, length), length >= cookieEnd, `${length} bytes`);
      if (length < cookieEnd) continue;
      const { algorithmsLength } = startOf(body);
      assert.is(start.algorithmsEnd, length >= cookieEnd + algorithmsLength ? cookieEnd + algorithmsLength : 0, `${length} bytes`);
    }
  }), 50);
});

test('the stateless look never throws, stays in its bounds and takes no session_id of more than 32 bytes', () => {
  const start = new ClientHelloStart();
  holds(fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(50), (bytes, at) => {
    const end = Math.max(at, bytes.length - 20);
    if (!start.read(bytes, at, end)) return;
    assert.ok(start.at + 35 === start.sessionId && start.sessionId <= start.sessionIdEnd && start.sessionIdEnd < start.cookie);
    assert.ok(start.cookie <= start.cookieEnd && start.cookieEnd <= end);
    assert.ok(start.sessionIdEnd - start.sessionId <= 32);
    assert.ok(start.algorithmsEnd === 0 || (start.algorithmsEnd > start.cookieEnd && start.algorithmsEnd <= end));
  }), 5000);
  for (const length of [32, 33]) {
    const body = new Uint8Array(200);
    body[34] = length;
    assert.is(start.read(body, 0, 200), length === 32);
  }
});

test.run();
