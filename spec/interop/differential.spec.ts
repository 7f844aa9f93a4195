/**
 * The same ClientHellos, each wrong in one place, for OpenSSL and for us. Where the answers differ, the difference is
 * listed with its reason; everything else is answered alike.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { clientHello, vector, type AnswerClass, type HelloParts } from './hellos.js';
import { bytesOf, utf8 } from './host.js';
import { opensslServer } from './peers.js';
import { Prober } from './prober.js';
import { scene } from './stage.js';

/** What both answer, or what each answers and why. */
type Expected = AnswerClass | { readonly openssl: AnswerClass; readonly ours: AnswerClass; readonly reason: string };

const HVR = 'HelloVerifyRequest';
const DECODE_ERROR = 'alert 50';
const ILLEGAL_PARAMETER = 'alert 47';
const HANDSHAKE_FAILURE = 'alert 40';
const PROTOCOL_VERSION = 'alert 70';

const filled = (length: number, byte: number): number[] => Array.from({ length }, () => byte);
const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const first = (count: number, parts?: HelloParts): Uint8Array => clientHello(parts).subarray(0, count);

/** One record that holds the same message twice. */
function twice(): Uint8Array {
  const hello = clientHello();
  const record = Buffer.concat([hello, hello.subarray(13)]);
  record.writeUInt16BE(2 * (hello.length - 13), 11);
  return record;
}

/** First datagrams of a stranger. A HelloVerifyRequest has the record number of its ClientHello (M021). */
const FIRST: Readonly<Record<string, readonly [Uint8Array, Expected]>> = {
  'DOS-01 a good ClientHello': [clientHello(), HVR],
  'DOS-02 the smallest ClientHello': [clientHello({ cipherSuites: vector(2, [0xc0, 0xa8]), extensions: [] }), HVR],
  'M021 record number 7': [clientHello({ sequence: 7 }), HVR],
  'M021 record number 2^48 - 1': [clientHello({ sequence: 2 ** 48 - 1 }), HVR],

  'REC-06 a record of version fe fd': [clientHello({ recordVersion: 0xfefd }), HVR],
  'REC-06 a record of version 03 03': [clientHello({ recordVersion: 0x0303 }), 'silence'],
  'REC-06 a record of version 00 00': [clientHello({ recordVersion: 0 }), 'silence'],
  'REC-06 a record of version ff ff': [clientHello({ recordVersion: 0xffff }), 'silence'],
  'REC-06 a record of version fe fc': [
    clientHello({ recordVersion: 0xfefc }),
    { openssl: HVR, ours: 'silence', reason: 'OpenSSL looks at the first byte only' },
  ],

  'EPO-05 epoch 1': [clientHello({ epoch: 1 }), 'silence'],
  'EPO-05 epoch 65,535': [clientHello({ epoch: 0xffff }), 'silence'],
  'EPO-07 message_seq 1': [clientHello({ messageSeq: 1 }), HVR],
  'EPO-07 message_seq 255': [
    clientHello({ messageSeq: 255 }),
    { openssl: 'silence', ours: HVR, reason: 'the answer costs no state and echoes the number' },
  ],
  'EPO-07 message_seq 65,535': [
    clientHello({ messageSeq: 0xffff }),
    { openssl: 'silence', ours: HVR, reason: 'the answer costs no state and echoes the number' },
  ],

  'HSP-06 a body of version 00 00': [clientHello({ version: 0 }), HVR],
  'HSP-06 a body of version 03 03': [clientHello({ version: 0x0303 }), HVR],
  'HSP-06 a body of version fe ff': [clientHello({ version: 0xfeff }), HVR],
  'HSP-06 a body of version ff ff': [clientHello({ version: 0xffff }), HVR],
  'HSP-03 cipher_suites of 3 bytes': [clientHello({ cipherSuites: vector(2, [0xc0, 0xa8, 0]) }), HVR],
  'HSP-02 no cipher_suites': [clientHello({ cipherSuites: [0, 0] }), HVR],
  'HSP-02 cipher_suites past the end': [clientHello({ cipherSuites: [0xff, 0xff, 0xc0, 0xa8] }), HVR],
  'HSP-18 no null compression': [clientHello({ compression: [1, 1] }), HVR],
  'HSP-02 compression past the end': [clientHello({ compression: [255, 0] }), HVR],
  'HSP-02 extensions past the end': [clientHello({ extensions: [0, 40, 0, 0x17] }), HVR],
  'HSP-11 an extension twice': [clientHello({ extensions: vector(2, [0, 0x17, 0, 0, 0, 0x17, 0, 0]) }), HVR],
  'HSP-13 bytes after the extensions': [clientHello({ after: [1, 2, 3] }), HVR],
  'HSP-02 a session id of 32 bytes': [clientHello({ sessionId: vector(1, filled(32, 9)) }), HVR],
  'HSP-02 a session id past the end': [clientHello({ sessionId: [255, 9] }), 'silence'],
  'HSP-02 a session id of 33 bytes': [
    clientHello({ sessionId: vector(1, filled(33, 9)) }),
    { openssl: HVR, ours: 'silence', reason: 'OpenSSL sees that it is too long after the cookie' },
  ],

  'DOS-05 a cookie of 1 byte': [clientHello({ cookie: vector(1, [7]) }), HVR],
  'DOS-05 a wrong cookie of 32 bytes': [clientHello({ cookie: vector(1, filled(32, 7)) }), HVR],
  'DOS-05 a cookie of 255 bytes': [clientHello({ cookie: vector(1, filled(255, 7)) }), HVR],
  'HSP-05 a cookie past the end': [clientHello({ cookie: [255, 1, 2, 3], cipherSuites: [], compression: [], extensions: [] }), 'silence'],

  'HSP-04 no body': [clientHello({ bodyBytes: 0 }), 'silence'],
  'HSP-01 a body of 34 bytes': [clientHello({ bodyBytes: 34 }), 'silence'],
  'HSP-01 a body of 36 bytes, up to the cookie': [clientHello({ bodyBytes: 36 }), HVR],
  'HSP-01 a body of 44 bytes': [clientHello({ bodyBytes: 44 }), HVR],
  'FRG-14 a first fragment without the cookie field': [clientHello({ bodyBytes: 30, length: 60 }), 'silence'],
  'FRG-14 a first fragment with the cookie field': [clientHello({ bodyBytes: 36, length: 60 }), HVR],
  'FRG-14 a fragment at offset 1': [clientHello({ fragmentOffset: 1 }), 'silence'],
  'FRG-07 a fragment past the end of its message': [clientHello({ fragmentOffset: 0xffffff }), 'silence'],
  'FRG-08 a fragment longer than its record': [clientHello({ fragmentLength: 200 }), 'silence'],
  'FRG-08 a fragment shorter than its record': [clientHello({ fragmentLength: 20 }), 'silence'],
  'FRG-09 an empty fragment': [clientHello({ bodyBytes: 0, length: 60 }), 'silence'],
  'FRG-07 a message of length 0 with a body': [clientHello({ length: 0 }), 'silence'],
  'FRG-10 a message of 16 MiB, 1 byte of it': [clientHello({ length: 0xffffff, bodyBytes: 1 }), 'silence'],
  'FRG-10 a message of 16 MiB, the beginning of it': [
    clientHello({ length: 0xffffff }),
    { openssl: HVR, ours: 'silence', reason: 'no handshake of ours takes so long a message' },
  ],
  'FRG-15 two messages in one record': [
    twice(),
    { openssl: 'silence', ours: HVR, reason: 'RFC 6347 §4.2.3 allows several messages in a record; OpenSSL takes the second for trailing bytes' },
  ],

  'HSP-15 a HelloRequest': [clientHello({ messageType: 0, bodyBytes: 0 }), 'silence'],
  'FSM-27 a ServerHello': [clientHello({ messageType: 2 }), 'silence'],
  'FSM-27 a HelloVerifyRequest': [clientHello({ messageType: 3 }), 'silence'],
  'FSM-27 a ClientKeyExchange': [clientHello({ messageType: 16 }), 'silence'],
  'FSM-27 a Finished': [clientHello({ messageType: 20 }), 'silence'],
  'HSP-15 a message of unknown type': [clientHello({ messageType: 255 }), 'silence'],
  'REC-05 a record of type 0': [clientHello({ contentType: 0 }), 'silence'],
  'REC-05 a record of type 25': [clientHello({ contentType: 25 }), 'silence'],
  'REC-05 a record of type 255': [clientHello({ contentType: 255 }), 'silence'],
  'FSM-05 a ChangeCipherSpec': [bytesOf('14fefd 0000 000000000000 0001 01'), 'silence'],
  'ALR-08 a fatal alert': [bytesOf('15fefd 0000 000000000000 0002 0228'), 'silence'],
  'ALR-08 a close_notify': [bytesOf('15fefd 0000 000000000000 0002 0100'), 'silence'],
  'FSM-22 application data': [bytesOf('17fefd 0000 000000000000 0005 0102030405'), 'silence'],
  'REC-13 a heartbeat': [bytesOf('18fefd 0000 000000000000 0003 014000'), 'silence'],

  'REC-01 an empty datagram': [new Uint8Array(0), 'silence'],
  'REC-01 1 byte': [first(1), 'silence'],
  'REC-01 12 bytes': [first(12), 'silence'],
  'REC-01 a record header': [first(13), 'silence'],
  'REC-01 the headers of record and message': [first(25), 'silence'],
  'REC-02 a record longer than its datagram': [clientHello({ recordLonger: 1 }), 'silence'],
  'REC-02 a record shorter than its message': [clientHello({ recordLonger: -1 }), 'silence'],
  'REC-01 zeros': [new Uint8Array(100), 'silence'],
  'REC-01 bytes of ff': [new Uint8Array(100).fill(255), 'silence'],
  'REC-07 two ClientHellos': [joined(clientHello({ sequence: 1 }), clientHello({ sequence: 2 })), HVR],
  'REC-07 a ClientHello and garbage': [joined(clientHello(), new Uint8Array(50).fill(9)), HVR],
  'REC-07 an alert and a ClientHello': [joined(bytesOf('15fefd 0000 000000000000 0002 0100'), clientHello()), 'silence'],

  'REC-11 RTP': [bytesOf(`8060 0001 00000001 00000001 ${'00'.repeat(40)}`), 'silence'],
  'REC-11 STUN': [bytesOf(`0001 0000 2112a442 ${'01'.repeat(12)}`), 'silence'],
  'REC-11 CoAP': [bytesOf('40010001 b4 74696d65'), 'silence'],
  'REC-11 TLS': [bytesOf(`160301 0050 0100004c 0303 ${'00'.repeat(74)}`), 'silence'],
  'REC-11 HTTP': [utf8('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'silence'],
};

const EMS = [0x00, 0x17, 0x00, 0x00];
const unfit = 'both alerts say that a field is not as it must be';
const strict = 'our default; an option relaxes it';
const version = 'OpenSSL takes every version that is not above DTLS 1.2 in its order; a client without fe fd does not speak it';

/** ClientHellos that bring back their cookie. */
const WITH_COOKIE: Readonly<Record<string, readonly [HelloParts, Expected]>> = {
  'M023 a good ClientHello': [{}, 'ServerHello'],
  'M023 records of version fe fd': [{ recordVersion: 0xfefd }, 'ServerHello'],
  'HSP-02 a session id of 32 bytes': [{ sessionId: vector(1, filled(32, 9)) }, 'ServerHello'],
  'HSP-13 unknown suites and extensions': [
    { cipherSuites: vector(2, [0x0a, 0x0a, 0xc0, 0xa8, 0xfa, 0xfa, 0x00, 0xff]), extensions: vector(2, [0x0a, 0x0a, 0, 0, ...EMS, 0xda, 0xda, 0, 1, 0]) },
    'ServerHello',
  ],
  'M061 renegotiation_info in place of the signalling suite': [
    { cipherSuites: vector(2, [0xc0, 0xa8]), extensions: vector(2, [...EMS, 0xff, 0x01, 0, 1, 0]) },
    'ServerHello',
  ],
  'HSP-18 null compression after another': [{ compression: [2, 1, 0] }, 'ServerHello'],

  'NEG-03 no extended_master_secret': [{ extensions: [0, 0] }, { openssl: 'ServerHello', ours: HANDSHAKE_FAILURE, reason: strict }],
  'HSP-13 no extensions': [{ extensions: [] }, { openssl: 'ServerHello', ours: HANDSHAKE_FAILURE, reason: strict }],
  'M061 no renegotiation_info': [{ cipherSuites: vector(2, [0xc0, 0xa8]) }, { openssl: 'ServerHello', ours: HANDSHAKE_FAILURE, reason: strict }],
  'NEG-08 renegotiation_info that is not empty': [{ extensions: vector(2, [...EMS, 0xff, 0x01, 0, 2, 1, 7]) }, HANDSHAKE_FAILURE],
  'NEG-08 renegotiation_info past its end': [
    { extensions: vector(2, [...EMS, 0xff, 0x01, 0, 1, 7]) },
    { openssl: DECODE_ERROR, ours: HANDSHAKE_FAILURE, reason: 'RFC 5746 §3.6 wants handshake_failure for what is not the empty one' },
  ],
  'HSP-02 extended_master_secret that is not empty': [
    { extensions: vector(2, [0x00, 0x17, 0, 1, 7]) },
    { openssl: DECODE_ERROR, ours: ILLEGAL_PARAMETER, reason: unfit },
  ],

  'NEG-11 no suite in common': [{ cipherSuites: vector(2, [0xab, 0xcd, 0x00, 0xff]) }, HANDSHAKE_FAILURE],
  'NEG-11 a suite without encryption': [{ cipherSuites: vector(2, [0x00, 0x2c, 0x00, 0xff]) }, HANDSHAKE_FAILURE],
  'NEG-11 a suite of TLS 1.3': [{ cipherSuites: vector(2, [0x13, 0x01, 0x00, 0xff]) }, HANDSHAKE_FAILURE],
  'HSP-03 cipher_suites of 3 bytes': [{ cipherSuites: vector(2, [0xc0, 0xa8, 0]) }, DECODE_ERROR],
  'HSP-02 no cipher_suites': [{ cipherSuites: [0, 0] }, { openssl: ILLEGAL_PARAMETER, ours: DECODE_ERROR, reason: unfit }],
  'HSP-02 cipher_suites past the end': [
    { cipherSuites: [0xff, 0xff, 0xc0, 0xa8] },
    { openssl: DECODE_ERROR, ours: HVR, reason: 'our cookie covers the suites, and there are none to cover' },
  ],
  'HSP-18 no null compression': [{ compression: [1, 1] }, { openssl: DECODE_ERROR, ours: ILLEGAL_PARAMETER, reason: unfit }],
  'HSP-18 no compression': [{ compression: [0] }, DECODE_ERROR],
  'HSP-02 compression past the end': [
    { compression: [255, 0] },
    { openssl: DECODE_ERROR, ours: HVR, reason: 'our cookie covers the compression methods, and there are none to cover' },
  ],

  'HSP-02 extensions past the end': [{ extensions: [0, 40, 0, 0x17] }, DECODE_ERROR],
  'HSP-02 an extension past the end': [{ extensions: vector(2, [0, 0x17, 0, 9]) }, DECODE_ERROR],
  'HSP-02 half an extension': [{ extensions: vector(2, [0, 0x17]) }, DECODE_ERROR],
  'HSP-13 bytes after the extensions': [{ after: [1, 2, 3] }, DECODE_ERROR],
  'HSP-11 an extension twice': [{ extensions: vector(2, [...EMS, ...EMS]) }, ILLEGAL_PARAMETER],
  'HSP-11 an unknown extension twice': [
    { extensions: vector(2, [...EMS, 0xfa, 0xfa, 0, 0, 0xfa, 0xfa, 0, 0]) },
    { openssl: 'ServerHello', ours: ILLEGAL_PARAMETER, reason: 'RFC 5246 §7.4.1.4 forbids it for all; OpenSSL minds those it knows' },
  ],

  'NEG-02 DTLS 1.0': [{ version: 0xfeff }, PROTOCOL_VERSION],
  'NEG-02 version ff ff': [{ version: 0xffff }, PROTOCOL_VERSION],
  'NEG-02 version fe fc, which is to come': [{ version: 0xfefc }, 'ServerHello'],
  'NEG-02 version 03 03': [{ version: 0x0303 }, { openssl: 'ServerHello', ours: PROTOCOL_VERSION, reason: version }],
  'NEG-02 version 00 00': [{ version: 0 }, { openssl: 'ServerHello', ours: PROTOCOL_VERSION, reason: version }],
  'EPO-07 message_seq 0 again': [
    { messageSeq: 0 },
    { openssl: 'silence', ours: 'ServerHello', reason: 'we hold nothing to compare the number with, and go on from it' },
  ],
};

for (const [name, [datagram, expected]] of Object.entries(FIRST)) {
  scene(['openssl'], `${name}: ${words(expected)}`, async (stage) => {
    const [server, host] = await Promise.all([opensslServer(stage, { more: ['-listen'] }), stage.host()]);
    const theirs = await Prober.with(server.port, (prober) => prober.answerTo(datagram));
    const ours = await Prober.with(host.port, async (prober) => {
      const answer = await prober.answerTo(datagram);
      assert.ok(prober.traffic.sent <= prober.traffic.received, 'no more bytes go out than came in');
      return answer;
    });
    assert.equal({ openssl: theirs, ours }, both(expected));
    const { halfOpen, established, heldBytes, deadlines } = host.context.stats();
    assert.equal({ halfOpen, established, heldBytes, deadlines }, { halfOpen: 0, established: 0, heldBytes: 0, deadlines: 0 });
  });
}

for (const [name, [parts, expected]] of Object.entries(WITH_COOKIE)) {
  scene(['openssl'], `with its cookie, ${name}: ${words(expected)}`, async (stage) => {
    const [server, host] = await Promise.all([opensslServer(stage, { more: ['-listen', '-legacy_renegotiation'] }), stage.host()]);
    const answers = both(expected);
    const openssl = await Prober.with(server.port, (prober) => prober.answerWithCookie(parts, answers.openssl));
    const ours = await Prober.with(host.port, (prober) => prober.answerWithCookie(parts, answers.ours));
    assert.equal({ openssl, ours }, answers);
  });
}

function both(expected: Expected): { openssl: AnswerClass; ours: AnswerClass } {
  if (typeof expected === 'string') return { openssl: expected, ours: expected };
  return { openssl: expected.openssl, ours: expected.ours };
}

function words(expected: Expected): string {
  if (typeof expected === 'string') return expected;
  return `${expected.openssl} from OpenSSL, ${expected.ours} from us (${expected.reason})`;
}

test.run();
