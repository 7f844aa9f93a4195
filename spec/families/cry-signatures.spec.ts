/**
 * CRY-04 and CRY-05: signatures of a handshake, in ServerKeyExchange to a client and in CertificateVerify to a server.
 *
 * Pinned: a signature that is malformed or wrong is decrypt_error; one under a scheme that was not offered, or that the key
 * is not for, is illegal_parameter, however right it is.
 */
import { sign } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readEcdsaSignature } from '../../lib/crypto/ecdsa-der.js';
import { SignatureScheme, type PrivateKey } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { trustStore } from '../../lib/credentials/index.js';
import { AlertDescription, HandshakeType, type DtlsOptions } from '../../lib/index.js';
import { writeCertificateVerify } from '../../lib/message/certificate.js';
import { writeNumbers } from '../../lib/message/extensionbodies.js';
import { readEcdheServerKeyExchange, writeEcdheServerKeyExchange } from '../../lib/message/keyexchange.js';
import { ExtensionType } from '../../lib/wire/registry.js';
import { signature, wrongSignatures } from '../providers/publickey-ecdsa.js';
import { littleEndian, numberOf } from '../providers/publickey-points.js';
import type { CertifiedPeer } from '../support/certified.js';
import { holder, keyPairOf, type Holder } from '../support/holders.js';
import { join } from '../support/rig.js';
import { Random } from '../support/random.js';
import { eachRefused, ROLES, Stage, type Editor, type Role } from '../support/stage.js';

const { decryptError, handshakeFailure, illegalParameter } = AlertDescription;
const { ecdsaSha256, ecdsaSha384, ed25519, rsaPkcs1Sha256, rsaPssRsaeSha256 } = SignatureScheme;

/** What stands in the place of an honest signature over `message`. */
type Forge = (message: Uint8Array, key: PrivateKey) => { readonly scheme: number; readonly signature: Uint8Array };

/** The peer's signature, in whichever message it stands, made by `forge`. */
function forged(forge: Forge): Editor {
  return (type, body, peer) => {
    const { privateKey } = (peer as CertifiedPeer).holder!;
    if (type === HandshakeType.certificateVerify) return writeCertificateVerify(forge(join(...peer.transcript), privateKey));
    if (type !== HandshakeType.serverKeyExchange) return null;
    const { signedParameters } = readEcdheServerKeyExchange(body);
    return writeEcdheServerKeyExchange(signedParameters, forge(join(peer.clientRandom, peer.serverRandom, signedParameters), privateKey));
  };
}

function signed(scheme: SignatureScheme, message: Uint8Array, key: PrivateKey): Uint8Array {
  return nativeProvider.signatures[key.kind]!.signer(key)!.sign(scheme, message)!;
}

/** An honest signature whose r and s both need a leading zero: nothing is left out below. */
function twoZeros(message: Uint8Array, key: PrivateKey): [r: bigint, s: bigint] {
  for (;;) {
    const pair = readEcdsaSignature(signed(ecdsaSha256, message, key), 32)!;
    if (pair[0]! >= 0x80 && pair[32]! >= 0x80) return [numberOf(pair.subarray(0, 32)), numberOf(pair.subarray(32))];
  }
}

const WRONG = wrongSignatures('secp256r1', 2n ** 255n + 1n, 2n ** 255n + 3n).map(({ name }) => name);

for (const role of ROLES) {
  const where = role === 'client' ? 'ServerKeyExchange' : 'CertificateVerify';
  for (const [mode, crypto] of [['rawKey', nativeProvider], ['x509', nativeProvider], ['rawKey', nobleProvider]] as const) {
    test(`CRY-04 a ${role} takes no malformed ECDSA signature in ${where}: ${mode}, ${crypto.name}`, () => {
      const stage = new Stage(role, mode, { crypto });
      const names = crypto === nobleProvider ? WRONG.filter((_, index) => index % 5 === 0) : WRONG;
      assert.ok(names.length > 7);
      eachRefused(stage, names.map((name) => [name, forged((message, key) => {
        const [r, s] = twoZeros(message, key);
        const wrong = wrongSignatures('secp256r1', r, s).find((each) => each.name === name)!;
        return { scheme: ecdsaSha256, signature: wrong.bytes };
      })]), [decryptError]);
    });
  }

  test(`CRY-04 a ${role} takes n − s for s, which is as right, and data flows`, () => {
    const stage = new Stage(role, 'rawKey');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    stage.completes({ editor: forged((message, key) => {
      const [r, s] = twoZeros(message, key);
      return { scheme: ecdsaSha256, signature: signature(r, order - s) };
    }) });
    stage.conclude();
  });
}

/** A server or client with an Ed25519 key. */
const EDWARDS: PrivateKey & { readonly kind: 'ed25519' } = { kind: 'ed25519', seed: new Random(77).bytes(32) };
const EDWARDS_SPKI: Uint8Array = new Uint8Array(keyPairOf(EDWARDS).spki);

function edwardsStage(role: Role, options: DtlsOptions = {}): Stage {
  const { chain } = holder('rawKey', role === 'client' ? 'server' : 'client');
  return new Stage(role, 'rawKey', { trust: trustStore({ provider: nativeProvider, rawKeys: [...chain, EDWARDS_SPKI] }), ...options });
}

/** Shows the Ed25519 key; every signature of it is put in by an editor. */
function edwards(role: Role): Holder {
  const honest = holder('rawKey', role === 'client' ? 'server' : 'client');
  return { ...honest, chain: [EDWARDS_SPKI] };
}

const edwardsSigned = (message: Uint8Array): Uint8Array => signed(ed25519, message, EDWARDS);

/** The order of edwards25519 (RFC 8032 §5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

for (const role of ROLES) {
  test(`CRY-04 a ${role} takes an Ed25519 signature, and none that is the same with another s`, () => {
    const stage = edwardsStage(role);
    const peer = { holder: edwards(role) };
    const request = { signatureSchemes: [ed25519] };
    const honest: Forge = (message) => ({ scheme: ed25519, signature: edwardsSigned(message) });
    const plus = (difference: bigint): Editor => forged((message) => {
      const right = edwardsSigned(message);
      const s = numberOf(right.slice(32).reverse()) + difference;
      return { scheme: ed25519, signature: join(right.slice(0, 32), littleEndian(s)) };
    });
    stage.completes({ peer, request, editor: forged(honest) });
    for (const [why, editor] of [
      ['s + L', plus(L)], ['s + 2L', plus(2n * L)], ['s + 8L', plus(8n * L)], ['s + 2^255', plus(2n ** 255n)], ['s + 1', plus(1n)],
      ['63 bytes', forged((message) => ({ scheme: ed25519, signature: edwardsSigned(message).slice(0, 63) }))],
      ['65 bytes', forged((message) => ({ scheme: ed25519, signature: join(edwardsSigned(message), Uint8Array.of(0)) }))],
      ['nothing', forged(() => ({ scheme: ed25519, signature: new Uint8Array(0) }))],
      ['zeros', forged(() => ({ scheme: ed25519, signature: new Uint8Array(64) }))],
    ] as const) stage.refused(stage.play({ peer, request, editor }), [decryptError], why);
    stage.conclude();
  });

  test(`CRY-05 a ${role} takes no signature under a scheme that it did not offer, however right: SHA-1, MD5, SHA-224, unknown ones`, () => {
    const stage = new Stage(role, 'rawKey');
    const rightWith = (digest: string, scheme: number): [string, Editor] => [`${digest}, ${scheme.toString(16)}`, forged((message, key) => (
      { scheme, signature: new Uint8Array(sign(digest, message, keyPairOf(key).privateKey)) }
    ))];
    eachRefused(stage, [
      rightWith('sha1', 0x0203), rightWith('md5', 0x0103), rightWith('md5', 0x0101), rightWith('sha1', 0x0201), rightWith('sha1', 0x0202), rightWith('sha224', 0x0303),
      // A hash that is as good, under a number that nobody gave it; one that means no hash; brainpool's; SM2's; Ed448's; a GREASE one.
      rightWith('sha256', 0x0000), rightWith('sha256', 0x0003), rightWith('sha256', 0x0400), rightWith('sha256', 0x081a), rightWith('sha256', 0x0708),
      rightWith('sha256', 0x0808), rightWith('sha256', 0x0a0a), rightWith('sha256', 0xffff), rightWith('sha256', 0x0304),
    ], [illegalParameter]);
  });

  test(`CRY-05 a ${role} takes no scheme of another kind of key, though it offered it`, () => {
    const stage = new Stage(role, 'rawKey');
    eachRefused(stage, [ed25519, rsaPkcs1Sha256, rsaPssRsaeSha256, SignatureScheme.rsaPkcs1Sha512].map((scheme) => [
      `scheme ${scheme.toString(16)}`, forged((message, key) => ({ scheme, signature: signed(ecdsaSha256, message, key) })),
    ]), [illegalParameter]);
  });

  test(`CRY-05 a ${role} that offers fewer schemes takes no other: ed25519, another hash`, () => {
    const narrow = edwardsStage(role, { signatureSchemes: [ecdsaSha256] });
    const peer = { holder: edwards(role) };
    const play = narrow.play({ peer, editor: forged((message) => ({ scheme: ed25519, signature: edwardsSigned(message) })) });
    narrow.refused(play, [illegalParameter], 'ed25519, which was not offered');
    eachRefused(narrow, [ecdsaSha384, SignatureScheme.ecdsaSha512].map((scheme) => [
      `scheme ${scheme.toString(16)}`, forged((message, key) => ({ scheme, signature: signed(scheme, message, key) })),
    ]), [illegalParameter]);
    // And where it is offered, it is taken.
    const wide = new Stage(role, 'rawKey');
    wide.completes({ editor: forged((message, key) => ({ scheme: ecdsaSha384, signature: signed(ecdsaSha384, message, key) })) });
    wide.conclude();
  });
}

test('CRY-05 a client that is asked for signatures it does not make shows nothing, and signs nothing', () => {
  const stage = new Stage('client', 'rawKey');
  for (const signatureSchemes of [[0x0203], [0x0201, 0x0101], [ed25519, rsaPkcs1Sha256], [0xffff]]) {
    const { peer, connected } = stage.play({ request: { signatureSchemes } });
    assert.is(connected, 1);
    assert.equal(peer.latest(HandshakeType.certificate).body, new Uint8Array(3));
    assert.is(peer.messages.some(({ type }) => type === HandshakeType.certificateVerify), false);
  }
  stage.conclude();
});

test('CRY-05 a server has nothing to show to a client that takes signatures it does not make, or names none', () => {
  const stage = new Stage('server', 'rawKey');
  for (const schemes of [[0x0203], [0x0201, 0x0203, 0x0303], [ed25519], [0xffff], null]) {
    const play = stage.play({ extensions: (own) => {
      own.delete(ExtensionType.signatureAlgorithms);
      return schemes === null ? own : own.set(ExtensionType.signatureAlgorithms, writeNumbers(schemes));
    } });
    stage.refused(play, [handshakeFailure], String(schemes));
  }
  stage.completes();
  stage.conclude();
});

test.run();
