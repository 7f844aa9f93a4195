/**
 * HSP with ECDHE: raw public keys, certificates and ECDHE_PSK. HSP-01 and HSP-02, every message cut short at every
 * length and every inner length made to lie; HSP-08, ServerKeyExchange of ECDHE_PSK; HSP-10, Certificate; HSP-14, Finished.
 *
 * Pinned: what does not decode ends the handshake with decode_error. The cookie, and what stands before the extensions of a
 * ClientHello, is hsp.spec.ts's.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AlertDescription, HandshakeType } from '../../lib/index.js';
import { writeServerName } from '../../lib/message/extensionbodies.js';
import { ExtensionType } from '../../lib/wire/registry.js';
import { AUTHORITY, SERVER_NAME } from '../support/holders.js';
import { extensionsAt, lengthFields, lies, withLength } from '../support/lengthfields.js';
import { hex, join } from '../support/rig.js';
import { eachRefused, MODES, ROLES, Stage, type Editor, type Mode, type Play, type PlayOptions, type Role } from '../support/stage.js';

const { badCertificate, decodeError, decryptError, handshakeFailure, illegalParameter, unsupportedExtension } = AlertDescription;

/** With everything in it that has a length: a name, authorities. */
function everything(role: Role, mode: Mode): PlayOptions {
  if (mode === 'ecdhePsk') return {};
  if (role === 'server') {
    return { extensions: (own) => own.set(ExtensionType.serverName, writeServerName(SERVER_NAME)) };
  }
  return mode === 'x509' ? { request: { authorities: [new Uint8Array(AUTHORITY.subject)] } } : {};
}

/** The messages that the peer sends, by type: those that the context reads. With certificates, only what raw keys do not have alike. */
function messagesTo(stage: Stage, options: PlayOptions): Map<number, Uint8Array> {
  const messages = new Map<number, Uint8Array>();
  const isOwn = (type: number): boolean => stage.mode !== 'x509' || type === HandshakeType.certificate || type === HandshakeType.certificateRequest;
  stage.completes({ ...options, editor: (type, body) => void (isOwn(type) && messages.set(type, body)) });
  return messages;
}

const only = (type: number, change: (body: Uint8Array) => Uint8Array): Editor => (sent, body) => (sent === type ? change(body) : null);

function isHello(type: number): boolean {
  return type === HandshakeType.clientHello || type === HandshakeType.serverHello;
}

for (const role of ROLES) {
  for (const mode of MODES) {
    test(`HSP-01 a ${role} takes no message cut short, and none that is too long: ${mode}`, () => {
      const stage = new Stage(role, mode);
      const options = everything(role, mode);
      let last: Play | undefined;
      for (const [type, honest] of messagesTo(stage, options)) {
        const start = isHello(type) ? extensionsAt(type, honest) : 0;
        for (let length = type === HandshakeType.clientHello ? start : 0; length < honest.length; length++) {
          // A signature is not as long every time: the second half is counted from the end.
          const cut = length * 2 < honest.length ? (): number => length : (of: number): number => of - (honest.length - length);
          last = stage.play({ ...options, editor: only(type, (body) => body.slice(0, cut(body.length))) });
          // Without its extensions a hello is a whole message, of somebody who lacks what we require.
          const expected = isHello(type) && length === start ? handshakeFailure : decodeError;
          stage.refused(last, [expected], `message ${type} cut to ${length} of ${honest.length}`);
        }
        for (const extra of [1, 12, 300]) {
          last = stage.play({ ...options, editor: only(type, (body) => join(body, new Uint8Array(extra))) });
          stage.refused(last, [decodeError], `message ${type} with ${extra} bytes more`);
        }
        stage.completes(options);
      }
      stage.conclude();
    });

    test(`HSP-02 a ${role} believes no inner length that lies: ${mode}`, () => {
      const stage = new Stage(role, mode);
      const options = everything(role, mode);
      let told = 0;
      for (const [type, honest] of messagesTo(stage, options)) {
        for (const [index, field] of lengthFields(type, honest, mode).entries()) {
          if (type === HandshakeType.clientHello && field.at < extensionsAt(type, honest)) continue;
          // A lie in the framing of an extension may decode and say something else; so may a session_id of another length.
          const framing = /^extension|session_id/.test(field.name);
          const others = framing ? [illegalParameter, handshakeFailure, unsupportedExtension] : [];
          if (field.name === 'renegotiated_connection') others.push(handshakeFailure);
          // A hint of another length puts another byte in the place of the curve type.
          if (field.name === 'hint') others.push(illegalParameter);
          for (const which of lies(honest, field).keys()) {
            // A signature is not as long every time, and what lies about it is not the same.
            let value = 0;
            const lie = (body: Uint8Array): Uint8Array => {
              const now = lengthFields(type, body, mode)[index]!;
              value = lies(body, now)[which]!;
              return withLength(body, now, value);
            };
            const play = stage.play({ ...options, editor: only(type, lie) });
            stage.refused(play, [decodeError, ...others], `message ${type}: ${field.name} says ${value}`);
            told++;
          }
        }
      }
      assert.ok(told > (mode === 'x509' ? 8 : 15), `only ${told} lies told`);
      stage.completes(options);
      stage.conclude();
    });

    test(`HSP-14 a ${role} takes no Finished of another length, none of other bytes, none that is its own: ${mode}`, () => {
      const stage = new Stage(role, mode);
      const finished = (change: (body: Uint8Array) => Uint8Array): Editor => only(HandshakeType.finished, change);
      eachRefused(stage, [0, 1, 11, 13, 24, 32, 255].map((length) => [`verify_data of ${length} bytes`, finished((body) => {
        const other = new Uint8Array(length);
        other.set(body.subarray(0, length));
        return other;
      })]), [decodeError]);
      eachRefused(stage, [0, 5, 11].map((at) => [`byte ${at} is wrong`, finished((body) => {
        const other = body.slice();
        other[at]! ^= 0x40;
        return other;
      })]), [decryptError]);
      const reflect: Editor = (type, _, peer) => (type === HandshakeType.finished ? peer.verifyData(role) : null);
      eachRefused(stage, [['reflected', reflect]], [decryptError]);
    });
  }
}

test('HSP-08 a hint of ECDHE_PSK whose length covers the body, the parameters or their start is a decode_error', () => {
  const stage = new Stage('client', 'ecdhePsk');
  const type = HandshakeType.serverKeyExchange;
  const said = (length: (of: number) => number): Editor => only(type, (body) => join(Uint8Array.of(length(body.length) >>> 8, length(body.length)), body.slice(2)));
  eachRefused(stage, [
    ['all that follows', said((of) => of - 2)],
    ['itself too', said((of) => of)],
    ['one more than there is', said((of) => of - 1)],
    ['64 KiB', said(() => 0xffff)],
    ['a hint alone', only(type, () => join(Uint8Array.of(0, 4), hex('68696e74')))],
    ['no hint and nothing else', only(type, () => Uint8Array.of(0, 0))],
    ['a curve type alone', only(type, () => Uint8Array.of(0, 0, 3))],
    ['the parameters end in their group', only(type, () => Uint8Array.of(0, 0, 3, 0))],
    ['no public value', only(type, () => Uint8Array.of(0, 0, 3, 0, 29))],
    ['an empty public value', only(type, () => Uint8Array.of(0, 0, 3, 0, 29, 0))],
  ], [decodeError]);
  // What is left over stands in the place of a curve type, and is none.
  const other = new Stage('client', 'ecdhePsk');
  eachRefused(other, [
    ['all but the last byte', only(type, (body) => join(Uint8Array.of(0, body.length - 3), body.slice(2, -1), Uint8Array.of(4)))],
    ['nothing', only(type, (body) => join(Uint8Array.of(0, 0), body.slice(2)))],
  ], [illegalParameter]);
});

test('HSP-08 the same for the identity of an ECDHE_PSK ClientKeyExchange', () => {
  const stage = new Stage('server', 'ecdhePsk');
  const type = HandshakeType.clientKeyExchange;
  const said = (length: (of: number) => number): Editor => only(type, (body) => join(Uint8Array.of(length(body.length) >>> 8, length(body.length)), body.slice(2)));
  eachRefused(stage, [
    ['all that follows', said((of) => of - 2)],
    ['one more than there is', said((of) => of - 1)],
    ['64 KiB', said(() => 0xffff)],
    ['an identity alone', only(type, (body) => body.slice(0, 10))],
    ['an identity and an empty public value', only(type, (body) => join(body.slice(0, 10), Uint8Array.of(0)))],
  ], [decodeError]);
});

/** A certificate_list of `count` entries. */
function list(count: number, entry: Uint8Array): Uint8Array {
  const body = new Uint8Array(3 + count * entry.length);
  const length = body.length - 3;
  body.set([length >>> 16, length >>> 8, length]);
  for (let i = 0; i < count; i++) body.set(entry, 3 + i * entry.length);
  return body;
}

for (const role of ROLES) {
  for (const mode of ['rawKey', 'x509'] as const) {
    test(`HSP-10 a ${role} refuses a malformed Certificate at once and keeps nothing of it: ${mode}`, () => {
      const stage = new Stage(role, mode);
      const bodies: [string, Uint8Array, number][] = [
        ['a list of 0xffffff', hex('ffffff 000001 30'), decodeError],
        ['a list of 0xffffff and nothing', hex('ffffff'), decodeError],
        ['bytes after the list', hex('000000 00'), decodeError],
      ];
      if (mode === 'x509') {
        bodies.push(
          ['a list that ends in a length', hex('000002 0000'), decodeError],
          ['an entry of 0 bytes', hex('000003 000000'), decodeError],
          ['an entry of 0 bytes after a good start', hex('000007 000001 30 000000'), decodeError],
          ['an entry beyond the list', hex('000004 000002 30'), decodeError],
          ['an entry of 0xffffff', hex('000004 ffffff 30'), decodeError],
          ['5,000 entries of 3 zero bytes', list(5000, new Uint8Array(3)), decodeError],
          ['4,000 entries of one byte', list(4000, hex('000001 30')), decodeError],
          ['33 entries', list(33, hex('000001 30')), decodeError],
          ['32 entries that are no certificates', list(32, hex('000001 30')), badCertificate],
          ['one certificate of 16 KB that is none', list(1, join(hex('003e80'), new Uint8Array(16_000))), badCertificate],
        );
      } else bodies.push(['a key that is none', hex('000001 30'), badCertificate], ['a key of 16 KB', list(1, new Uint8Array(16_000)), badCertificate]);
      for (const [why, body, alert] of bodies) {
        const startedAt = performance.now();
        const play = stage.play({ editor: only(HandshakeType.certificate, () => body) });
        const took = performance.now() - startedAt;
        stage.refused(play, [alert], `${role}, ${mode}: ${why}`);
        assert.ok(took < 1000, `${why}: ${took} ms`);
      }
      stage.completes();
      stage.conclude();
    });

    test(`HSP-10 a ${role} holds no more of 10,000 empty certificates than it has room for: ${mode}`, () => {
      const stage = new Stage(role, mode);
      const whole = list(10_000, new Uint8Array(3));
      const { context } = stage.rig;
      let most = 0;
      const play = stage.play({ editor: (type, _, peer) => {
        if (type !== HandshakeType.certificate) return null;
        // More than a record holds: fragments, the first of which says how long it all is.
        for (let at = 0; at < whole.length; at += 1000) {
          const fragment = peer.fragment(type, whole.slice(at, at + 1000), { messageSeq: peer.messageSeq, offset: at, length: whole.length });
          stage.rig.feed({ address: '192.0.2.1', port: 10_000 + stage.plays - 1 }, peer.record(22, fragment));
          most = Math.max(most, context.stats().heldBytes);
        }
        return new Uint8Array(0);
      } });
      assert.is(play.connected, 0);
      assert.ok(most < 24_576, `${most} bytes held`);
      assert.equal(play.alerts, [illegalParameter]);
      stage.completes();
      stage.conclude();
    });
  }
}

test.run();
