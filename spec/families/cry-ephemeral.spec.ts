/**
 * CRY-11 and CRY-12 for what ECDHE draws: ephemeral keys are never the same twice, and no handshake goes on with a key that
 * is not random.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GroupName } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { HandshakeType, LocalError } from '../../lib/index.js';
import { readEcdheClientKeyExchange, readEcdhePskClientKeyExchange, readEcdhePskServerKeyExchange, readEcdheServerKeyExchange } from '../../lib/message/keyexchange.js';
import { Random } from '../support/random.js';
import { checkRandomness, FAILURES } from '../support/randomness.js';
import { fetchCookie, type ScriptedPeer } from '../support/scripted.js';
import { ROLES, Stage, type Mode, type Play, type Role } from '../support/stage.js';

/** The public value that the context sent; null if it sent none. */
function publicOf(role: Role, mode: Mode, { messages }: ScriptedPeer): Uint8Array | null {
  const type = role === 'server' ? HandshakeType.serverKeyExchange : HandshakeType.clientKeyExchange;
  const body = messages.filter((message) => message.type === type).at(-1)?.body;
  if (body === undefined) return null;
  if (mode === 'ecdhePsk') return (role === 'server' ? readEcdhePskServerKeyExchange(body) : readEcdhePskClientKeyExchange(body)).publicKey;
  return role === 'server' ? readEcdheServerKeyExchange(body).publicKey : readEcdheClientKeyExchange(body);
}

/** Public values of so many handshakes, with the randomness of a context that was given none. */
function publics(role: Role, group: GroupName, count: number, provider = nativeProvider): Uint8Array[] {
  const stage = new Stage(role, 'ecdhePsk', { random: undefined, groups: [group], crypto: provider });
  const { context } = stage.rig;
  if (role === 'client') {
    return Array.from({ length: count }, () => {
      const { peer, session } = stage.play();
      context.resetPeer(context.getPeer(session)!);
      return publicOf(role, 'ecdhePsk', peer)!;
    });
  }
  // A server shows its key before the client shows anything: one client with a cookie asks again and again.
  const peer = stage.peer();
  fetchCookie(stage.rig, peer, 'somebody');
  return Array.from({ length: count }, () => {
    peer.messageSeq = 1;
    stage.rig.feed('somebody', peer.clientHello());
    peer.take(...stage.rig.takeSent());
    context.resetPeer(context.getPeer('somebody')!);
    return publicOf(role, 'ecdhePsk', peer)!;
  });
}

for (const role of ROLES) {
  test(`CRY-11 1,000 ephemeral keys of a ${role}: none twice, no zeros, no byte preferred`, () => {
    // The top bit of a coordinate of X25519 is always clear: the last byte tells nothing.
    const keys = publics(role, 'x25519', 1000);
    checkRandomness(keys.map((key) => key.slice(0, 31)));
    assert.is(new Set(keys.map((key) => key.join())).size, keys.length);
  });

  test(`CRY-11 ephemeral keys of a ${role} on the other groups and with the other provider are never the same twice`, () => {
    for (const [group, provider, count] of [['secp256r1', nativeProvider, 30], ['secp384r1', nativeProvider, 20], ['x25519', nobleProvider, 20]] as const) {
      const keys = publics(role, group, count, provider);
      assert.is(new Set(keys.map((key) => key.join())).size, count, `${group}, ${provider.name}`);
    }
  });

  test(`CRY-11 a ${role} has the same ephemeral key only when its source repeats itself`, () => {
    const key = (seed: number): Uint8Array => {
      const source = new Random(seed);
      const stage = new Stage(role, 'rawKey', { random: (length) => source.bytes(length) });
      return publicOf(role, 'rawKey', stage.play().peer)!;
    };
    assert.equal(key(1), key(1));
    assert.not.equal(key(1), key(2));
  });
}

for (const role of ROLES) {
  for (const mode of ['rawKey', 'ecdhePsk'] as const) {
    test(`CRY-12 a ${role} whose randomness fails at any call of a handshake fails with an error, not with zeros, and goes on when it is back: ${mode}`, () => {
      let left = Infinity;
      let failure = FAILURES['throws']!;
      const source = new Random(21);
      const stage = new Stage(role, mode, { timeoutJitter: 0.1, random: (length) => (left-- > 0 ? source.bytes(length) : failure(length)) });
      const { rig } = stage;
      let reached = 0;
      for (const [name, how] of Object.entries(FAILURES)) {
        failure = how;
        for (let call = 0; call < 8; call++) {
          left = call;
          const eventsBefore = rig.events.length;
          let play: Play | null = null;
          let thrown: unknown = null;
          try {
            play = stage.play();
          } catch (error) {
            // A client throws from connect; a scripted peer that waits for what never comes throws too.
            thrown = error;
          }
          const failed = left < 0;
          left = Infinity;
          const told = [thrown, ...rig.errors, ...rig.events.slice(eventsBefore).map(({ detail }) => detail)];
          rig.errors.length = 0;
          rig.takeSent();
          if (!failed) {
            assert.is(play?.connected, 1, `${name} ${call}`);
            rig.context.resetPeer(rig.context.getPeer(play!.session)!);
            continue;
          }
          reached++;
          assert.ok(told.some((error) => error instanceof LocalError && error.code === 'ERR_DTLS_RANDOM'), `${name} ${call}: nobody is told`);
          assert.is(play?.connected ?? 0, 0, `${name} ${call}`);
          const key = play === null ? null : publicOf(role, mode, play.peer);
          assert.ok(key === null || key.slice(1).some((byte) => byte !== 0), `${name} ${call}: zeros`);
          const { halfOpen, established, deadlines } = rig.context.stats();
          assert.equal([halfOpen, established, deadlines], [0, 1, 0], `${name} ${call}`);
        }
      }
      assert.ok(reached >= 2 * Object.keys(FAILURES).length, `only ${reached} calls failed`);
      stage.completes();
      stage.conclude();
    });
  }
}

test.run();
