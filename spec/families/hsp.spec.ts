/**
 * HSP-01 and HSP-02: every handshake message cut short at every length, and every inner length field set to every
 * kind of lie, on both roles, in the state that waits for the message.
 *
 * Pinned: before the cookie a hello is turned away or answered with a HelloVerifyRequest, whatever stands behind its
 * cookie field; what becomes of a malformed HelloVerifyRequest is pinned by HSP-07; everything else that does not
 * decode ends the handshake with decode_error. A hello whose cookie covers other bytes is a hello without a cookie.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, HandshakeType } from '../../lib/index.js';
import { Bench, CHANGE_CIPHER_SPEC, ROLES, STAGES, type Course, type Role, type Upcoming } from '../support/course.js';
import { lengthFields, lies, withLength, type LengthField } from '../support/lengthfields.js';
import { HONEST } from '../support/scripted.js';

/** Each stage that waits for a handshake message, with a fresh course there. */
function eachMessage(role: Role, work: (bench: Bench, fresh: () => Course, message: Upcoming, name: string) => void): void {
  for (const stage of STAGES[role]) {
    if (stage === 'established') continue;
    const bench = new Bench();
    const fresh = (): Course => bench.course(role, { serverHello: { sessionId: new Uint8Array(32) } }).to(stage);
    const message = fresh().upcoming;
    if (message.type === CHANGE_CIPHER_SPEC) continue;
    work(bench, fresh, message, `${role} at ${stage}, message ${message.type}`);
    bench.conclude();
  }
}

/**
 * What may come of a malformed message: `hello verify` for a hello that is answered without being read, `drop`,
 * or an alert. `name` is for people.
 */
function outcomeOf(bench: Bench, course: Course, body: Uint8Array, name: string): string {
  const message = course.upcoming;
  const before = bench.snapshot(course.session);
  const { kind, sent } = bench.outcome(course, course.record(message, body));
  assert.is(course.connected, 0, name);
  if (kind === 'drop' || kind.startsWith('alert')) {
    if (kind === 'drop') course.live(name);
    else assert.is(course.anew().connected, 1, name);
    return kind;
  }
  const answered = sent.length === 1 && course.peer.messages.at(-1)?.type === HandshakeType.helloVerifyRequest;
  assert.ok(answered, `${name}: neither dropped nor refused nor asked for a cookie`);
  assert.ok(sent[0]!.length <= course.record(message, body).length, name);
  assert.equal({ ...bench.snapshot(course.session), sent: 0 }, { ...before, sent: 0 }, `${name}: state before the cookie`);
  course.live(name);
  return 'hello verify';
}

const DECODE_ERROR = `alert ${AlertDescription.decodeError}`;
/** Of a HelloVerifyRequest, as far as this file is concerned. */
const EITHER: readonly string[] = ['drop', DECODE_ERROR];

/** What a message cut to `length` bytes must come to. */
function expectedOfCut({ type, body }: Upcoming, stage: string, length: number): readonly string[] {
  if (type === HandshakeType.helloVerifyRequest) return EITHER;
  if (type !== HandshakeType.clientHello) {
    // Without its extensions a ServerHello is a whole message, of a server that lacks what we require.
    const bare = type === HandshakeType.serverHello && length === 34 + 33 + 3;
    return [bare ? `alert ${AlertDescription.handshakeFailure}` : DECODE_ERROR];
  }
  if (stage === 'idle') return length < 35 ? ['drop'] : ['drop', 'hello verify'];
  const extensionsAt = body.length - 2 - 9;
  if (length === extensionsAt) return [`alert ${AlertDescription.handshakeFailure}`];
  if (length > extensionsAt) return [DECODE_ERROR];
  return length < 35 + 33 ? ['drop'] : ['hello verify'];
}

for (const role of ROLES) {
  test(`HSP-01 a ${role} takes no message cut short at any length`, () => {
    assert.is(HONEST.size, 2); // 9 bytes of extensions, as expectedOfCut counts them
    eachMessage(role, (bench, fresh, message, name) => {
      for (let length = 0; length < message.body.length; length++) {
        const course = fresh();
        const { stage } = course;
        const came = outcomeOf(bench, course, course.upcoming.body.slice(0, length), `${name} cut to ${length}`);
        const expected = expectedOfCut(message, stage, length);
        assert.ok(expected.includes(came), `${name} cut to ${length}: ${came} instead of ${expected.join(' or ')}`);
      }
    });
  });

  test(`HSP-01 a ${role} takes no message with bytes too many`, () => {
    eachMessage(role, (bench, fresh, message, name) => {
      for (const extra of [1, 2, 12, 200]) {
        const course = fresh();
        const { stage, upcoming } = course;
        const body = new Uint8Array([...upcoming.body, ...new Uint8Array(extra)]);
        const came = outcomeOf(bench, course, body, `${name} and ${extra} bytes`);
        const expected = message.type === HandshakeType.helloVerifyRequest ? EITHER : [stage === 'idle' ? 'hello verify' : DECODE_ERROR];
        assert.ok(expected.includes(came), `${name} and ${extra} bytes: ${came}`);
      }
    });
  });
}

/** What a lie in `field` may come to. */
function expectedOfLie({ type }: Upcoming, stage: string, { name }: LengthField): readonly string[] {
  if (type === HandshakeType.helloVerifyRequest) return EITHER;
  if (type === HandshakeType.clientHello && (stage === 'idle' || ['session_id', 'cookie', 'cipher_suites', 'compression_methods'].includes(name))) {
    return ['drop', 'hello verify'];
  }
  // A lie that decodes says something else: an extension_data that is not empty, a renegotiation.
  const { decodeError, illegalParameter, handshakeFailure } = AlertDescription;
  if (name === 'renegotiated_connection') return [`alert ${handshakeFailure}`];
  if (name.startsWith('extension ') || name === 'session_id') return [decodeError, illegalParameter, handshakeFailure].map((alert) => `alert ${alert}`);
  return [DECODE_ERROR, ...(name === 'extensions' ? [`alert ${illegalParameter}`] : [])];
}

for (const role of ROLES) {
  test(`HSP-02 a ${role} believes no inner length that lies`, () => {
    let told = 0;
    eachMessage(role, (bench, fresh, message, name) => {
      for (const field of lengthFields(message.type, message.body, 'psk')) {
        for (const value of lies(message.body, field)) {
          const course = fresh();
          const { stage } = course;
          const what = `${name}: ${field.name} says ${value}`;
          const came = outcomeOf(bench, course, withLength(course.upcoming.body, field, value), what);
          const expected = expectedOfLie(message, stage, field);
          assert.ok(expected.includes(came), `${what}: ${came} instead of ${expected.join(' or ')}`);
          told++;
        }
      }
    });
    assert.ok(told > 30, `only ${told} lies told`);
  });
}

test.run();
