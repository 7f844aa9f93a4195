/**
 * HSP, the hellos: what a server makes of a strange ClientHello, and a client of a strange HelloVerifyRequest or
 * ServerHello. A ClientHello before its cookie is read no further than the cookie.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, HandshakeType, PSK_AES_128_CCM, PSK_AES_128_CCM_8, PSK_AES_128_GCM_SHA256 } from '../../lib/index.js';
import { ExtensionType } from '../../lib/wire/registry.js';
import { Bench, type Course, type CourseOptions } from '../support/course.js';
import { join, text } from '../support/rig.js';
import { HONEST } from '../support/scripted.js';

const { decodeError, handshakeFailure, illegalParameter, protocolVersion, unsupportedExtension } = AlertDescription;

/** The bytes of `body` with `count` bytes at `at` replaced by `by`. */
function splice(body: Uint8Array, at: number, count: number, by: Uint8Array): Uint8Array {
  return join(body.slice(0, at), by, body.slice(at + count));
}

/** The hello before the cookie gets a cookie and no state; the same with a valid cookie gets the fatal alert. */
function refusedAfterCookie(make: (hello: Uint8Array) => Uint8Array, description: number, why: string): void {
  const bench = new Bench();
  const course = bench.course('server');
  const before = bench.snapshot(course.session);
  for (const stage of ['idle', 'helloVerified'] as const) {
    assert.is(course.stage, stage);
    const { body, messageSeq } = course.upcoming;
    const strange = course.peer.record(22, course.peer.fragment(HandshakeType.clientHello, make(body), { messageSeq }));
    if (stage === 'idle') {
      bench.rig.feed(course.session, strange);
      assert.equal(bench.snapshot(course.session), { ...before, sent: 1 }, why);
      // The cookie that was issued belongs to the strange hello: nothing else is wrong with the next one.
      course.commit();
      course.settle();
    } else {
      const outcome = bench.outcome(course, strange);
      assert.is(outcome.kind, `alert ${description}`, why);
      assert.equal(outcome.sent.map((datagram) => datagram.length), [15], why);
      assert.is(bench.rig.context.getPeer(course.session), undefined);
    }
  }
  assert.is(course.connected, 0);
  course.anew();
  bench.conclude();
}

/** Where cipher_suites stands in a hello of the scripted client. */
const suitesAt = (hello: Uint8Array): number => 35 + 1 + hello[35]!;

test('HSP-03 cipher_suites of an odd length are a decode_error once the cookie is right, and no loop', () => {
  const startedAt = performance.now();
  for (const length of [1, 3, 5, 255]) {
    refusedAfterCookie((hello) => {
      const suites = new Uint8Array(length).fill(0xc0);
      return splice(hello, suitesAt(hello), 4, join(new Uint8Array([length >>> 8, length & 0xff]), suites));
    }, decodeError, `${length} bytes of cipher_suites`);
  }
  assert.ok(performance.now() - startedAt < 1000);
});

test('HSP-04 a ClientHello of length 0 is dropped', () => {
  const bench = new Bench();
  for (const stage of ['idle', 'helloVerified'] as const) {
    const course = bench.course('server').to(stage);
    const { peer } = course;
    const empty = peer.fragment(HandshakeType.clientHello, new Uint8Array(0), { messageSeq: peer.messageSeq });
    bench.drops(course.session, peer.record(22, empty), stage);
    // The header says nothing, and a whole hello stands behind it all the same.
    const { body } = course.upcoming;
    const lying = peer.fragment(HandshakeType.clientHello, body, { messageSeq: peer.messageSeq, length: 0, fragmentLength: 0 });
    bench.drops(course.session, peer.record(22, lying), stage);
    course.live();
  }
  bench.conclude();
});

test('HSP-05 a cookie of 255 bytes where 10 are left is dropped', () => {
  const bench = new Bench();
  for (const stage of ['idle', 'helloVerified'] as const) {
    const course = bench.course('server').to(stage);
    const { body, messageSeq } = course.upcoming;
    const cut = join(body.slice(0, 34), new Uint8Array([32]), new Uint8Array(32), new Uint8Array([255]), new Uint8Array(10));
    bench.drops(course.session, course.peer.record(22, course.peer.fragment(1, cut, { messageSeq })), stage);
    course.live();
  }
  bench.conclude();
});

test('HSP-06 an impossible client_version gets a cookie, then protocol_version in 15 bytes, never a ServerHello', () => {
  for (const version of [0x0000, 0xffff, 0x0303, 0x0100, 0xfeff, 0xfefe]) {
    refusedAfterCookie(
      (hello) => splice(hello, 0, 2, new Uint8Array([version >>> 8, version & 0xff])), protocolVersion, `client_version ${version.toString(16)}`,
    );
  }
});

test('HSP-06 a client_version beyond 1.2 is a client that also speaks 1.2', () => {
  const bench = new Bench();
  bench.course('server', { hello: { version: 0xfefc } }).live();
  bench.conclude();
});

/** A client that waits for HelloVerifyRequest or ServerHello gets a HelloVerifyRequest with this body. */
function verifyRequest(course: Course, body: Uint8Array): Uint8Array {
  return course.peer.record(22, course.peer.fragment(HandshakeType.helloVerifyRequest, body, { messageSeq: course.upcoming.messageSeq }));
}

test('HSP-07 cookies of 0 and of 255 bytes are taken and sent back', () => {
  for (const length of [0, 1, 254, 255]) {
    const bench = new Bench();
    const course = bench.course('client');
    const cookie = new Uint8Array(length).fill(0xab);
    const record = verifyRequest(course, join(new Uint8Array([0xfe, 0xff, length]), cookie));
    course.commit();
    assert.is(bench.rig.feed(course.session, record), 0);
    course.settle();
    const { body } = course.peer.latest(HandshakeType.clientHello);
    assert.equal(body.slice(34, 36 + length), join(new Uint8Array([0, length]), cookie));
    course.live();
    bench.conclude();
  }
});

test('HSP-07 a HelloVerifyRequest that lies about its cookie is dropped, and the honest one is still taken', () => {
  const bench = new Bench();
  const version = new Uint8Array([0xfe, 0xff]);
  const malformed: readonly [string, Uint8Array][] = [
    ['32 announced, 31 there', join(version, new Uint8Array([32]), new Uint8Array(31))],
    ['255 announced, none there', join(version, new Uint8Array([255]))],
    ['one byte after the cookie', join(version, new Uint8Array([4]), new Uint8Array(5))],
    ['no cookie field', version],
    ['nothing at all', new Uint8Array(0)],
  ];
  for (const [what, body] of malformed) {
    const course = bench.course('client');
    bench.drops(course.session, verifyRequest(course, body), what);
    course.live(what);
  }
  bench.conclude();
});

test('HSP-07 a malformed HelloVerifyRequest in pieces is forgotten, and the honest one in pieces is taken', () => {
  const bench = new Bench();
  const course = bench.course('client');
  const { heldBytes } = bench.rig.context.stats();
  const { upcoming } = course;
  const malformed = { ...upcoming, body: new Uint8Array([0xfe, 0xff, 9, 1, 2, 3]) };
  for (const record of course.fragments(malformed, [[3, 6], [0, 3]])) assert.is(bench.rig.feed(course.session, record), 0);
  assert.equal(course.taken(), []);
  assert.is(bench.rig.context.stats().heldBytes, heldBytes, 'it is still held');
  const message = course.commit();
  for (const record of course.fragments(message, [[10, message.body.length], [0, 10]])) assert.is(bench.rig.feed(course.session, record), 0);
  course.settle();
  course.live();
  bench.conclude();
});

/** A hello with another extension block: `extensions` as they stand on the wire. */
function withExtensions(hello: Uint8Array, extensions: Uint8Array): Uint8Array {
  return splice(hello, hello.length - 11, 11, join(new Uint8Array([extensions.length >>> 8, extensions.length & 0xff]), extensions));
}

const RENEGOTIATION_INFO = new Uint8Array([0xff, 0x01, 0, 1, 0]);
const EXTENDED_MASTER_SECRET = new Uint8Array([0, 23, 0, 0]);
const UNKNOWN = new Uint8Array([0xfa, 0xfa, 0, 2, 1, 2]);

test('HSP-11 an extension that stands twice is illegal in both hellos', () => {
  for (const twice of [RENEGOTIATION_INFO, EXTENDED_MASTER_SECRET, UNKNOWN]) {
    const extensions = join(twice, RENEGOTIATION_INFO, EXTENDED_MASTER_SECRET, twice);
    refusedAfterCookie((hello) => withExtensions(hello, extensions), illegalParameter, 'ClientHello');
    if (twice === UNKNOWN) continue;
    const bench = new Bench();
    const course = bench.course('client').to('helloVerified');
    const { upcoming } = course;
    bench.alerts(course, course.record(upcoming, withExtensions(upcoming.body, extensions)), illegalParameter, 'ServerHello');
    assert.is(course.connected, 0);
    course.anew();
    bench.conclude();
  }
});

/** A ServerHello with these differences ends the handshake of a client that was offered something else. */
function serverHelloRefused(serverHello: CourseOptions['serverHello'], description: number, why: string): void {
  const bench = new Bench({ cipherSuites: [PSK_AES_128_CCM_8, PSK_AES_128_CCM] });
  for (const stage of ['clientHello', 'helloVerified'] as const) {
    const course = bench.course('client', { serverHello: serverHello! }).to(stage);
    const body = stage === 'clientHello' ? serverHelloOf(bench, serverHello) : course.upcoming.body;
    const record = course.peer.record(22, course.peer.fragment(HandshakeType.serverHello, body, { messageSeq: course.upcoming.messageSeq }));
    bench.alerts(course, record, description, why);
    assert.is(course.connected, 0);
  }
  bench.course('client').live();
  bench.conclude();
}

function serverHelloOf(bench: Bench, serverHello: CourseOptions['serverHello']): Uint8Array {
  return bench.course('client', { serverHello: serverHello! }).to('helloVerified').upcoming.body;
}

test('HSP-12 an extension that was not offered ends the handshake with unsupported_extension', () => {
  const { serverName, maxFragmentLength, clientCertificateType, serverCertificateType, connectionId, recordSizeLimit } = ExtensionType;
  const unoffered: number[] = [
    serverName, maxFragmentLength, clientCertificateType, serverCertificateType, connectionId, recordSizeLimit, ExtensionType.heartbeat,
    ExtensionType.encryptThenMac, ExtensionType.sessionTicket, ExtensionType.alpn, ExtensionType.useSrtp, 0x0a0a, 0xfafa, 0xffff,
  ];
  for (const type of unoffered) {
    for (const body of [new Uint8Array(0), new Uint8Array([0])]) {
      serverHelloRefused({ extensions: new Map([...HONEST, [type, body]]) }, unsupportedExtension, `extension ${type}`);
    }
  }
});

test('HSP-13 a ClientHello with bytes after its extensions is a decode_error', () => {
  refusedAfterCookie((hello) => join(hello, new Uint8Array([0])), decodeError, 'one byte');
  refusedAfterCookie((hello) => join(hello, UNKNOWN), decodeError, 'another extension, outside the block');
});

test('HSP-13 a ClientHello without an extension block shakes hands where extensions are not required', () => {
  const bench = new Bench({ forceExtendedMasterSecret: false, forceRenegotiationInfo: false });
  const course = bench.course('server', { hello: { extensions: new Map() }, extendedMasterSecret: false });
  course.live();
  assert.is(bench.rig.context.getPeer(course.session)?.extendedMasterSecret, false);
  bench.conclude();
  // And is refused, by name, where they are.
  const strict = new Bench();
  const refused = strict.course('server', { hello: { extensions: new Map() } }).to('helloVerified');
  strict.alerts(refused, refused.record(refused.upcoming), handshakeFailure);
  assert.match(strict.rig.events.at(-1)!.detail!.message, /forceExtendedMasterSecret/);
  strict.conclude();
});

test('HSP-13 200 unknown extensions and 200 unknown suites are passed over', () => {
  const bench = new Bench();
  const extensions = new Map(HONEST);
  for (let i = 0; i < 200; i++) extensions.set(0x5a00 + i, text('grease'.slice(0, i % 7)));
  const suites = new Uint8Array(402);
  for (let i = 0; i < 200; i++) suites.set([0x5b, i], 2 * i);
  suites.set([PSK_AES_128_CCM_8.id >>> 8, PSK_AES_128_CCM_8.id & 0xff], 400);
  const course = bench.course('server', { hello: { extensions, cipherSuites: suites } });
  course.live();
  // And GREASE of RFC 8701, before what is real.
  const grease = new Uint8Array([0x0a, 0x0a, 0xfa, 0xfa, ...suites.slice(-2)]);
  bench.course('server', { hello: { cipherSuites: grease, extensions: new Map([[0x1a1a, new Uint8Array(0)], ...HONEST, [0xeaea, text('x')]]) } }).live();
  bench.conclude();
});

test('HSP-17 a ServerHello that chooses what was not offered ends the handshake', () => {
  serverHelloRefused({ cipherSuite: PSK_AES_128_GCM_SHA256.id }, illegalParameter, 'a suite that exists and was not offered');
  serverHelloRefused({ cipherSuite: 0x00ff }, illegalParameter, 'a signalling value');
  serverHelloRefused({ cipherSuite: 0x0000 }, illegalParameter, 'TLS_NULL_WITH_NULL_NULL');
  serverHelloRefused({ compressionMethod: 1 }, illegalParameter, 'compression');
  for (const version of [0xfeff, 0xfefc, 0x0303, 0x0000, 0xffff]) serverHelloRefused({ version }, protocolVersion, `version ${version.toString(16)}`);
  // A vector longer than its grammar allows does not decode (RFC 5246 §7.2.2).
  serverHelloRefused({ sessionId: new Uint8Array(33) }, decodeError, 'a session_id of 33 bytes');
});

test('HSP-18 a ClientHello without the null compression method is refused after its cookie', () => {
  refusedAfterCookie((hello) => splice(hello, suitesAt(hello) + 4, 2, new Uint8Array([1, 1])), illegalParameter, 'only compression 1');
  refusedAfterCookie((hello) => splice(hello, suitesAt(hello) + 4, 2, new Uint8Array([3, 1, 64, 255])), illegalParameter, 'three others');
  refusedAfterCookie((hello) => splice(hello, suitesAt(hello) + 4, 2, new Uint8Array([0])), decodeError, 'none at all');
  const bench = new Bench();
  bench.course('server', { hello: { compressionMethods: new Uint8Array([1, 0]) } }).live();
  bench.conclude();
});

test.run();
