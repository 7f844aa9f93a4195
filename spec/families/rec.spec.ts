/**
 * REC: the record layer, parsing and demultiplexing. What is no record, no record of ours or no record of now is
 * dropped without a trace, and what stood before it in its datagram stands.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Session } from '../../lib/index.js';
import { writeRecordHeader } from '../../lib/record/header12.js';
import { ContentType } from '../../lib/wire/registry.js';
import { Bench, CHANGE_CIPHER_SPEC, ROLES, UNDER_WAY, type Course, type Role, type Stage } from '../support/course.js';
import { Random } from '../support/random.js';
import { hex, join, text } from '../support/rig.js';
import { ScriptedPeer } from '../support/scripted.js';

const STRANGER: Session = { address: '203.0.113.5', port: 5 };

/** A record header that claims `length` bytes, and `body` after it. */
function raw(type: number, epoch: number, sequence: number, body: Uint8Array, length: number = body.length, version: number = 0xfefd): Uint8Array {
  const out = new Uint8Array(13 + body.length);
  writeRecordHeader(out, 0, type, version, epoch, sequence, length);
  out.set(body, 13);
  return out;
}

/** Every role at every stage under way, and established, on a bench each. */
function everywhere(work: (bench: Bench, course: Course, stage: Stage) => void, established: boolean = true): void {
  for (const role of ROLES) {
    for (const stage of [...UNDER_WAY[role], ...(established ? (['established'] as const) : [])]) {
      const bench = new Bench();
      work(bench, bench.course(role).to(stage), stage);
      bench.conclude();
    }
  }
}

function establishedIn(work: (bench: Bench, course: Course, role: Role) => void): void {
  for (const role of ROLES) {
    const bench = new Bench();
    work(bench, bench.course(role).to('established'), role);
    bench.conclude();
  }
}

const shortDatagrams = (hello: Uint8Array): Uint8Array[] => [
  ...Array.from({ length: 13 }, (_, length) => new Uint8Array(length)),
  ...Array.from({ length: 13 }, (_, length) => new Uint8Array(length).fill(0xff)),
  ...Array.from({ length: hello.length }, (_, length) => hello.slice(0, length)),
];

test('REC-01 datagrams of 0 to 12 bytes and every prefix of a ClientHello from a stranger leave no trace', () => {
  const bench = new Bench();
  const hello = new ScriptedPeer('client').clientHello();
  for (const datagram of shortDatagrams(hello)) bench.drops(STRANGER, datagram, `${datagram.length} bytes`);
  // The whole of it is answered: the prefixes were not dropped for another reason.
  bench.rig.feed(STRANGER, hello);
  assert.is(bench.takeFrom(STRANGER).length, 1);
  bench.course('server').live();
  bench.conclude();
});

test('REC-01 the same to a handshake and to an association changes nothing, and both go on', () => {
  const hello = new ScriptedPeer('client').clientHello();
  everywhere((bench, course, stage) => {
    for (const datagram of shortDatagrams(hello)) bench.drops(course.session, datagram, `${course.role} ${stage}: ${datagram.length} bytes`);
    course.live();
  });
});

test('REC-02 a record that reaches past its datagram is dropped and what came before stands', () => {
  establishedIn((bench, course, role) => {
    const { rig } = bench;
    for (const excess of ['one more', 0x4001, 0xffff] as const) {
      const first = course.peer.applicationData(text('before'));
      const cut = course.peer.applicationData(text('cut short'));
      const after = course.peer.applicationData(text('after'));
      const rest = cut.length - 13 + after.length;
      const claimed = excess === 'one more' ? rest + 1 : excess;
      cut.set([claimed >>> 8, claimed & 0xff], 11);
      const reads = rig.reads.length;
      assert.is(rig.feed(course.session, join(first, cut, after)), 0);
      assert.equal(rig.reads.slice(reads).map(({ bytes }) => bytes), [text('before')], `${role} ${excess}`);
      bench.drops(course.session, join(cut, after), `${role} ${excess} alone`);
      course.live();
    }
  });
});

test('REC-02 a ClientHello before a record that reaches past the datagram is still answered', () => {
  const bench = new Bench();
  const client = new ScriptedPeer('client');
  for (const length of [3, 0x4001, 0xffff]) {
    bench.rig.feed(STRANGER, join(client.clientHello(), raw(ContentType.handshake, 0, 9, new Uint8Array(2), length)));
    assert.is(bench.takeFrom(STRANGER).length, 1);
    bench.drops(STRANGER, raw(ContentType.handshake, 0, 9, client.clientHello().slice(13), 0x4001), 'the cut hello itself');
  }
  bench.conclude();
});

test('REC-03 empty records of every type in the clear do nothing, in a handshake and after it', () => {
  everywhere((bench, course, stage) => {
    for (const type of [20, 21, 22, 23, 25]) {
      bench.drops(course.session, raw(type, 0, 50 + type, new Uint8Array(0)), `${course.role} ${stage} type ${type}`);
    }
    course.live();
  });
});

test('REC-03 empty unauthentic records of the epoch with keys do nothing but wait, bounded, where they could belong to it', () => {
  everywhere((bench, course, stage) => {
    const before = bench.snapshot(course.session);
    for (const type of [20, 21, 22, 23, 25]) {
      const empty = raw(type, 1, 50 + type, new Uint8Array(0));
      if (stage === 'established') bench.drops(course.session, empty, `type ${type}`);
      else assert.is(bench.rig.feed(course.session, empty), 0);
    }
    const after = bench.snapshot(course.session);
    assert.ok(after.heldBytes - before.heldBytes <= 5 * 13);
    assert.equal({ ...after, heldBytes: 0 }, { ...before, heldBytes: 0 });
    course.live();
  });
});

test('REC-03 an authentic empty application record is delivered as an empty read, other authentic empty records do nothing', () => {
  establishedIn((bench, course) => {
    const { rig } = bench;
    for (const type of [20, 21, 22, 25]) {
      bench.drops(course.session, course.peer.record(type, new Uint8Array(0), { epoch: 1 }), `type ${type}`);
    }
    const reads = rig.reads.length;
    rig.feed(course.session, course.peer.applicationData(new Uint8Array(0)));
    assert.equal(rig.reads.slice(reads).map(({ bytes }) => bytes), [new Uint8Array(0)]);
    course.live();
  });
});

test('REC-05 records of unknown content types in the clear are dropped in every stage', () => {
  everywhere((bench, course, stage) => {
    for (let type = 0; type < 256; type++) {
      if (type >= 20 && type <= 26) continue;
      // 32 to 63 are no DTLS 1.2 records at all: they end the walk, and are dropped just so.
      bench.drops(course.session, raw(type, 0, 100 + type, text('whatever')), `${course.role} ${stage} type ${type}`);
    }
    course.live();
  });
});

test('REC-05 forged and even authentic records of unknown content types are dropped by an association', () => {
  establishedIn((bench, course, role) => {
    for (let type = 0; type < 256; type++) {
      if (type >= 20 && type <= 26) continue;
      bench.drops(course.session, raw(type, 1, 1000 + type, new Uint8Array(24)), `${role} forged type ${type}`);
      bench.drops(course.session, course.peer.record(type, text('whatever'), { epoch: 1 }), `${role} type ${type}`);
    }
    course.live();
  });
});

test('REC-05 a record of an unknown type does not hide the record behind it', () => {
  establishedIn((bench, course) => {
    const reads = bench.rig.reads.length;
    bench.rig.feed(course.session, join(raw(99, 1, 70, text('junk')), course.peer.applicationData(text('behind'))));
    assert.equal(bench.rig.reads.slice(reads).map(({ bytes }) => bytes), [text('behind')]);
  });
});

const FOREIGN_VERSIONS = [0x0303, 0xfefc, 0xfefe, 0x0000, 0xffff];

test('REC-06 the next honest message in a record of another version is dropped in every stage', () => {
  everywhere((bench, course, stage) => {
    for (const version of FOREIGN_VERSIONS) {
      const { type, body, epoch, messageSeq } = course.upcoming;
      const fragment = type === CHANGE_CIPHER_SPEC ? body : course.peer.fragment(type, body, { messageSeq });
      const contentType = type === CHANGE_CIPHER_SPEC ? ContentType.changeCipherSpec : ContentType.handshake;
      const record = course.peer.record(contentType, fragment, { epoch, version });
      bench.drops(course.session, record, `${course.role} ${stage} ${version.toString(16)}`);
    }
    course.live();
  }, false);
});

test('REC-06 an authentic record of another version is dropped by an association', () => {
  establishedIn((bench, course, role) => {
    for (const version of [...FOREIGN_VERSIONS, 0xfeff]) {
      bench.drops(course.session, course.peer.applicationData(text('x'), { version }), `${role} ${version.toString(16)}`);
    }
    course.live();
  });
});

test('REC-06 the first ClientHello may say DTLS 1.0 or 1.2 in its record, and nothing else', () => {
  const bench = new Bench();
  for (const version of [0xfeff, 0xfefd]) {
    bench.rig.feed(STRANGER, new ScriptedPeer('client').clientHello({}, { version }));
    assert.is(bench.takeFrom(STRANGER).length, 1);
  }
  for (const version of FOREIGN_VERSIONS) bench.drops(STRANGER, new ScriptedPeer('client').clientHello({}, { version }));
  const course = bench.course('server').to('helloVerified');
  const hello = course.commit();
  bench.rig.feed(course.session, course.peer.record(22, course.peer.fragment(hello.type, hello.body, hello), { version: 0xfeff }));
  course.settle();
  course.live();
  bench.conclude();
});

test('REC-06 a server that says DTLS 1.0 in its records until it has chosen is taken, and one that goes on is not', () => {
  const bench = new Bench();
  const inRecordOf = (course: Course, version: number): Uint8Array => {
    const { type, body, epoch, messageSeq } = course.upcoming;
    const fragment = type === CHANGE_CIPHER_SPEC ? body : course.peer.fragment(type, body, { messageSeq });
    return course.peer.record(type === CHANGE_CIPHER_SPEC ? ContentType.changeCipherSpec : ContentType.handshake, fragment, { epoch, version });
  };
  const course = bench.course('client');
  // HelloVerifyRequest and ServerHello: nothing is negotiated yet (OpenSSL's HelloVerifyRequest says fe ff for ever).
  for (const stage of ['helloVerified', 'serverHello']) {
    const record = inRecordOf(course, 0xfeff);
    course.commit();
    assert.is(bench.rig.feed(course.session, record), 0);
    assert.is(course.stage, stage);
    course.settle();
  }
  course.live();
  for (const role of ROLES) {
    const stages: readonly Stage[] = role === 'client' ? ['serverHello', 'hint', 'helloDone', 'changed'] : UNDER_WAY.server;
    for (const stage of stages) {
      const later = bench.course(role).to(stage);
      bench.drops(later.session, inRecordOf(later, 0xfeff), `${role} at ${stage}`);
      later.live();
    }
  }
  bench.conclude();
});

test('REC-06 a hello of DTLS 1.0 in its record is answered beside a handshake and an association, too', () => {
  const bench = new Bench();
  for (const stage of ['helloDone', 'established'] as const) {
    const course = bench.course('server').to(stage);
    bench.rig.feed(course.session, new ScriptedPeer('client', { seed: 5 }).clientHello({}, { version: 0xfeff }));
    assert.is(course.taken().length, 1, stage);
    bench.drops(course.session, new ScriptedPeer('client', { seed: 5 }).clientHello({}, { version: 0xfefe }), stage);
    course.live();
  }
  bench.conclude();
});

test('REC-07 garbage records before a valid flight in one datagram are skipped and the handshake completes', () => {
  for (const role of ROLES) {
    const bench = new Bench();
    const random = new Random(7);
    const garbage: Uint8Array[] = [
      raw(22, 1, 3, random.bytes(40)), raw(23, 1, 4, random.bytes(40)), raw(22, 0, 5, new Uint8Array(40).fill(0xff)),
      raw(20, 0, 6, random.bytes(9)), raw(21, 0, 7, random.bytes(3)), raw(23, 0, 8, random.bytes(30)),
      raw(99, 0, 9, random.bytes(30)), raw(22, 7, 10, random.bytes(30)), raw(22, 0, 11, random.bytes(5), 5, 0x0303), raw(22, 0, 12, new Uint8Array(0)),
    ];
    for (const junk of [...garbage, join(...garbage)]) {
      const course = bench.course(role).to('helloDone');
      const last = role === 'server' ? ['keyExchanged', 'changed', 'established'] : ['changed', 'established'];
      const flight = last.map(() => course.record(course.commit()));
      assert.is(bench.rig.feed(course.session, join(junk, ...flight)), 0);
      assert.is(course.connected, 1, `${role} record type ${junk[0]}`);
      course.settle();
      course.echo();
      // Between the records of the flight, too.
      const again = bench.course(role).to('helloDone');
      const between = last.flatMap(() => [again.record(again.commit()), junk]);
      assert.is(bench.rig.feed(again.session, join(...between)), 0);
      again.settle();
      again.echo();
    }
    bench.conclude();
  }
});

test('REC-11 STUN, RTP, QUIC, plain CoAP, TLS and HTTP from strangers are dropped without a word', () => {
  const bench = new Bench();
  const random = new Random(11);
  const datagrams: readonly [string, Uint8Array][] = [
    ['STUN binding request', join(hex('0001 0000 2112a442'), random.bytes(12))],
    ['RTP', join(hex('8000 0001 00000000 12345678'), random.bytes(160))],
    ['RTCP', join(hex('80c8 0006'), random.bytes(24))],
    ['QUIC initial', join(hex('c3 00000001 08'), random.bytes(1194))],
    ['CoAP', hex('4001 0001 bb 2e77656c6c2d6b6e6f776e 04 636f7265')],
    ['TLS ClientHello', join(hex('16 0301 00c4 01 0000c0 0303'), random.bytes(190))],
    ['HTTP', text('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')],
    ['TURN channel data', join(hex('4000 0010'), random.bytes(16))],
    ['a DTLS 1.3 ciphertext', join(hex('2f 0001 0020'), random.bytes(32))],
  ];
  for (const [name, datagram] of datagrams) bench.drops(STRANGER, datagram, name);
  bench.course('server').live();
  bench.conclude();
});

test('REC-12 a record of another association behind two of this one is dropped, and the other is unaffected', () => {
  establishedIn((bench, course, role) => {
    const { rig } = bench;
    const other = bench.course(role).to('established');
    const foreign = other.peer.applicationData(text('not for you'));
    const [first, second] = [course.peer.applicationData(text('one')), course.peer.applicationData(text('two'))];
    const reads = rig.reads.length;
    assert.is(rig.feed(course.session, join(first, second, foreign)), 0);
    assert.equal(rig.reads.slice(reads).map(({ bytes }) => bytes), [text('one'), text('two')]);
    // The foreign record has not been used up: it still means something where it belongs.
    rig.feed(other.session, foreign);
    assert.equal(rig.reads.at(-1)?.bytes, text('not for you'));
    course.live();
    other.live();
  });
});

test('REC-13 heartbeats are not answered, in the clear or authentic', () => {
  establishedIn((bench, course, role) => {
    const request = hex('01 4000');
    bench.drops(course.session, raw(ContentType.heartbeat, 0, 60, request), `${role} plain`);
    bench.drops(course.session, course.peer.record(ContentType.heartbeat, request, { epoch: 1 }), `${role} authentic`);
    course.live();
  });
  everywhere((bench, course, stage) => {
    bench.drops(course.session, raw(ContentType.heartbeat, 0, 60, hex('01 4000')), `${course.role} ${stage}`);
    course.live();
  }, false);
});

test.run();
