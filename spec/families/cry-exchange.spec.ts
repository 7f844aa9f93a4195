/**
 * CRY, ephemeral key exchange through whole handshakes: public values that nobody may take (CRY-01, CRY-03), signatures that
 * are over something else (CRY-06), curves that were not offered or are described (CRY-07). With raw public keys,
 * certificates and ECDHE_PSK, in both roles.
 *
 * Pinned: a public value, a group, a curve type that is refused is illegal_parameter; one of 0 bytes does not decode; a
 * signature that does not verify is decrypt_error. Each peer signs what it sends: nothing else is wrong with it.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NamedGroup, SignatureScheme, type GroupName } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { AlertDescription, HandshakeType, type DtlsOptions } from '../../lib/index.js';
import { writeNumbers } from '../../lib/message/extensionbodies.js';
import {
  readEcdheServerKeyExchange, writeEcdheClientKeyExchange, writeEcdhePskClientKeyExchange, writeEcdhePskServerKeyExchange,
  writeEcdheServerKeyExchange,
} from '../../lib/message/keyexchange.js';
import { ExtensionType } from '../../lib/wire/registry.js';
import { honestPoint, oddPoints, wrongCoordinates, wrongPoints, type NamedBytes } from '../providers/publickey-points.js';
import { CertifiedPeer, type Exchange } from '../support/certified.js';
import { holder } from '../support/holders.js';
import { hex, join, text } from '../support/rig.js';
import type { ScriptedPeer } from '../support/scripted.js';
import { eachRefused, ROLES, Stage, type Editor, type Mode, type Role } from '../support/stage.js';

const { decodeError, decryptError, handshakeFailure, illegalParameter } = AlertDescription;

/** The key exchange message of a peer with another group or public value in it, signed where it must be. */
function exchange(peer: ScriptedPeer, other: Exchange): Uint8Array {
  if (peer instanceof CertifiedPeer) {
    return peer.role === 'server' ? peer.exchangeBody(other) : writeEcdheClientKeyExchange(other.publicKey!);
  }
  if (peer.role === 'client') return writeEcdhePskClientKeyExchange(peer.identity, other.publicKey!);
  const { group, publicKey } = { group: NamedGroup.x25519, publicKey: honestPoint('x25519'), ...other };
  return writeEcdhePskServerKeyExchange(text('hint'), { group, publicKey });
}

const KEY_EXCHANGES: readonly number[] = [HandshakeType.serverKeyExchange, HandshakeType.clientKeyExchange];

function withPublic(group: GroupName, { bytes }: NamedBytes): Editor {
  return (type, _, peer) => (KEY_EXCHANGES.includes(type) ? exchange(peer, { group: NamedGroup[group], publicKey: bytes }) : null);
}

/** A stage on which this group is the first choice. */
function stageWith(role: Role, mode: Mode, group: GroupName, options: DtlsOptions = {}): Stage {
  return new Stage(role, mode, { groups: [...new Set<GroupName>([group, 'secp256r1', 'x25519'])], ...options });
}

function refusesPublics(stage: Stage, group: GroupName, wrong: readonly NamedBytes[]): void {
  const editors = (some: readonly NamedBytes[]): [string, Editor][] => some.map((each) => [each.name, withPublic(group, each)]);
  eachRefused(stage, editors(wrong.filter(({ bytes }) => bytes.length === 0)), [decodeError]);
  eachRefused(stage, editors(wrong.filter(({ bytes }) => bytes.length > 0)), [illegalParameter]);
}

for (const role of ROLES) {
  for (const mode of ['rawKey', 'ecdhePsk'] as const) {
    for (const group of ['secp256r1', 'secp384r1'] as const) {
      test(`CRY-01 a ${role} takes no public value that is no point of ${group}: ${mode}`, () => {
        refusesPublics(stageWith(role, mode, group), group, wrongPoints(group));
      });
    }

    test(`CRY-03 a ${role} takes no coordinate of small order, nor one of another length: ${mode}`, () => {
      refusesPublics(stageWith(role, mode, 'x25519'), 'x25519', wrongCoordinates());
    });
  }

  test(`CRY-01, CRY-03 a ${role} with certificates, and one with noble, refuse the same`, () => {
    const few = <T>(all: readonly T[]): T[] => all.filter((_, index) => index % 6 === 3);
    for (const [mode, crypto] of [['x509', nativeProvider], ['rawKey', nobleProvider]] as const) {
      refusesPublics(stageWith(role, mode, 'secp256r1', { crypto }), 'secp256r1', few(wrongPoints('secp256r1')));
      refusesPublics(stageWith(role, mode, 'x25519', { crypto }), 'x25519', few(wrongCoordinates()));
    }
  });

  test(`CRY-01 a ${role} takes odd points that are right: the handshake fails only because nobody knows their private keys`, () => {
    const stage = stageWith(role, 'rawKey', 'secp256r1');
    for (const odd of oddPoints('secp256r1')) {
      const play = stage.play({ editor: withPublic('secp256r1', odd) });
      assert.equal([play.connected, play.alerts], [0, []], odd.name);
      assert.ok(stage.rig.context.getPeer(play.session), 'it waits for a Finished that it can open');
    }
    stage.conclude();
  });
}

const isExchange = (type: number): boolean => type === HandshakeType.serverKeyExchange;

/** A ServerKeyExchange of a scripted server that is signed over something else, or by somebody else. */
function signedOver(signing: (peer: CertifiedPeer, parameters: Uint8Array) => Partial<Exchange>): Editor {
  return (type, body, peer) => {
    if (!isExchange(type)) return null;
    const { signedParameters } = readEcdheServerKeyExchange(body);
    return (peer as CertifiedPeer).exchangeBody(signing(peer as CertifiedPeer, signedParameters));
  };
}

for (const mode of ['rawKey', 'x509'] as const) {
  test(`CRY-06 a client believes no ServerKeyExchange that is signed over other randoms, other parameters or with another key: ${mode}`, () => {
    const stage = new Stage('client', mode);
    const other = new Uint8Array(32).fill(7);
    let replayed: Uint8Array | null = null;
    stage.completes({ editor: (type, body) => void (isExchange(type) && (replayed = body)) });
    eachRefused(stage, [
      ['another client random', signedOver(({ serverRandom }, parameters) => ({ message: join(other, serverRandom, parameters) }))],
      ['another server random', signedOver(({ clientRandom }, parameters) => ({ message: join(clientRandom, other, parameters) }))],
      ['randoms exchanged', signedOver(({ clientRandom, serverRandom }, parameters) => ({ message: join(serverRandom, clientRandom, parameters) }))],
      ['no randoms', signedOver((_, parameters) => ({ message: parameters }))],
      ['no parameters', signedOver(({ clientRandom, serverRandom }) => ({ message: join(clientRandom, serverRandom) }))],
      ['a random cut', signedOver(({ clientRandom, serverRandom }, parameters) => ({ message: join(clientRandom.slice(4), serverRandom, parameters) }))],
      ['another public value', signedOver(({ clientRandom, serverRandom }, parameters) => {
        const changed = parameters.slice();
        changed[10]! ^= 1;
        return { message: join(clientRandom, serverRandom, changed) };
      })],
      ['another group', signedOver(({ clientRandom, serverRandom }, parameters) => {
        const changed = parameters.slice();
        changed[2] = NamedGroup.secp256r1;
        return { message: join(clientRandom, serverRandom, changed) };
      })],
      ['the whole transcript', signedOver((peer) => ({ message: join(...peer.transcript) }))],
      ['nothing', signedOver(() => ({ message: new Uint8Array(0) }))],
      ['a swapped key: that of a stranger', signedOver(() => ({ privateKey: holder(mode, 'stranger').privateKey }))],
      ['a swapped key: that of the client', signedOver(() => ({ privateKey: holder(mode, 'client').privateKey }))],
      ['another hash than it says', (type, body, peer) => {
        if (!isExchange(type)) return null;
        const { signedParameters } = readEcdheServerKeyExchange(body);
        const honest = readEcdheServerKeyExchange((peer as CertifiedPeer).exchangeBody({ scheme: SignatureScheme.ecdsaSha384 }));
        return writeEcdheServerKeyExchange(signedParameters, { scheme: SignatureScheme.ecdsaSha256, signature: honest.signature });
      }],
      ['replayed from another handshake', (type) => (isExchange(type) ? replayed : null)],
      ['an empty signature', signedOver(() => ({ signature: new Uint8Array(0) }))],
    ], [decryptError]);
  });

  test(`CRY-06 a public value exchanged after it was signed is noticed: ${mode}`, () => {
    const stage = new Stage('client', mode);
    const own = nativeProvider.groups.x25519!.generate((length) => new Uint8Array(length).fill(5)).publicKey;
    eachRefused(stage, [['the value of a man in the middle', (type, body) => {
      if (!isExchange(type)) return null;
      const changed = body.slice();
      changed.set(own, 4);
      return changed;
    }]], [decryptError]);
  });
}

/** secp256r1 as explicit_prime (RFC 4492 §5.4; parameters of SP 800-186 §3.2.1.3), with or without the type in front. */
const EXPLICIT_P256: Uint8Array = hex(`
  01 20 ffffffff00000001000000000000000000000000ffffffffffffffffffffffff
  20 ffffffff00000001000000000000000000000000fffffffffffffffffffffffc 20 5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
  41 046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5
  20 ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551 01 01`);

for (const mode of ['rawKey', 'ecdhePsk'] as const) {
  test(`CRY-07 a client takes no group that it did not offer: ${mode}`, () => {
    const stage = stageWith('client', mode, 'x25519', { groups: ['x25519', 'secp256r1'] });
    const point384 = honestPoint('secp384r1');
    const offers: readonly [string, number, Uint8Array][] = [
      ['secp384r1, which it knows', NamedGroup.secp384r1, point384], ['secp521r1', 25, join(Uint8Array.of(4), new Uint8Array(132).fill(1))],
      ['x448', 30, new Uint8Array(56).fill(9)], ['secp256k1', 22, honestPoint('secp256r1')], ['ffdhe2048', 0x0100, new Uint8Array(255).fill(2)],
      ['0', 0, honestPoint('x25519')], ['0xffff', 0xffff, honestPoint('x25519')], ['GREASE', 0x0a0a, honestPoint('x25519')],
      ['arbitrary_explicit_prime_curves', 0xff01, honestPoint('secp256r1')], ['arbitrary_explicit_char2_curves', 0xff02, honestPoint('secp256r1')],
    ];
    eachRefused(stage, offers.map(([why, group, publicKey]) => [why, (type, _, peer) => (isExchange(type) ? exchange(peer, { group, publicKey }) : null)]), [illegalParameter]);
  });

  test(`CRY-07 a client takes no curve that is described, not named: ${mode}`, () => {
    const stage = new Stage('client', mode);
    /** Bytes of the hint before the parameters. */
    const start = mode === 'ecdhePsk' ? 6 : 0;
    const resigned = (peer: ScriptedPeer, parameters: Uint8Array): Uint8Array => {
      if (!(peer instanceof CertifiedPeer)) return join(Uint8Array.of(0, 4), text('hint'), parameters);
      const { scheme, signature } = readEcdheServerKeyExchange(peer.exchangeBody({ message: join(peer.clientRandom, peer.serverRandom, parameters) }));
      return writeEcdheServerKeyExchange(parameters, { scheme, signature });
    };
    const typed = (curveType: number): [string, Editor] => [`curve_type ${curveType}`, (type, body, peer) => {
      if (!isExchange(type)) return null;
      const parameters = body.slice(start, start + 4 + body[start + 3]!);
      parameters[0] = curveType;
      return resigned(peer, parameters);
    }];
    const point = join(Uint8Array.of(65), honestPoint('secp256r1'));
    eachRefused(stage, [
      ...[0, 1, 2, 4, 248, 255].map(typed),
      ['P-256 as explicit_prime', (type, _, peer) => (isExchange(type) ? resigned(peer, join(EXPLICIT_P256, point)) : null)],
      // RFC 4492 §5.4: m, basis ec_trinomial, k, a, b, base, order, cofactor.
      ['a curve as explicit_char2', (type, _, peer) => (isExchange(type)
        ? resigned(peer, join(hex('02 0017 01 03 01 01 01 01 01 04 01 07 01 02'), point)) : null)],
    ], [illegalParameter]);
  });

  test(`CRY-07 a server has no suite for a client whose groups it lacks: ${mode}`, () => {
    const stage = new Stage('server', mode);
    const groups = (...numbers: number[]) => (own: Map<number, Uint8Array>): Map<number, Uint8Array> => own.set(ExtensionType.supportedGroups, writeNumbers(numbers));
    for (const numbers of [[25, 30], [0x0a0a], [0xff01, 0xff02], [0x0100], [0]]) {
      const play = stage.play({ extensions: groups(...numbers) });
      stage.refused(play, [handshakeFailure], `groups ${numbers.join(', ')}`);
    }
    stage.completes({ extensions: groups(0x0a0a, 25, NamedGroup.x25519, NamedGroup.secp256r1) });
    stage.conclude();
  });
}

test.run();
