/**
 * Raw public keys (RFC 7250) on both providers: mutual, one-sided, refused, late, and never where they were not agreed on.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PrivateKey } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import type { Signer } from '../../lib/crypto/provider.js';
import { AlertDescription, composeProvider, nobleProvider, type Session } from '../../lib/index.js';
import { CertifiedPeer, certifiedRig, establishCertified } from '../support/certified.js';
import { CLIENT, text } from '../support/rig.js';
import { areConnected, begin, CLIENT_KEY, SERVER_KEY, settle, STRANGER_KEY, trusts } from './ends.js';

for (const crypto of [nobleProvider, nativeProvider]) {
  for (const groups of [['x25519'], ['secp256r1'], ['secp384r1']] as const) {
    test(`raw keys on both sides complete over ${groups[0]} with ${crypto.name}, and each knows the other`, async () => {
      const ends = begin({
        crypto,
        // The key is on P-256: the client must offer that curve for the server's signature too (RFC 8422 §5.1).
        clientOptions: { groups: [...new Set([...groups, 'secp256r1'])] as ('x25519' | 'secp256r1' | 'secp384r1')[] },
        serverOptions: { groups },
        client: { getEcdsaKey: () => CLIENT_KEY, ...trusts(SERVER_KEY) },
        server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
      });
      await settle(ends);
      assert.ok(areConnected(ends));
      const [ofServer, ofClient] = [ends.client.context.getPeer('server')!.identity, ends.server.context.getPeer('client')!.identity];
      assert.equal(ofServer?.kind === 'rawKey' && ofServer.spki.slice(27, 59), SERVER_KEY.publicKeyX);
      assert.equal(ofClient?.kind === 'rawKey' && ofClient.spki.slice(27, 59), CLIENT_KEY.publicKeyX);
      ends.client.context.write('server', text('ping'));
      await settle(ends);
      assert.equal(ends.server.reads.map(({ bytes }) => bytes), [text('ping')]);
    });
  }
}

test('0 from verifyEcdsaKey is yes, as in tinydtls', async () => {
  const ends = begin({
    client: { getEcdsaKey: () => CLIENT_KEY, verifyEcdsaKey: () => 0 },
    server: { getEcdsaKey: () => SERVER_KEY, verifyEcdsaKey: () => 0 },
  });
  await settle(ends);
  assert.ok(areConnected(ends));
});

test('answers may come late, on either side, for keys and for trust', async () => {
  const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(resolve, value));
  const ends = begin({
    client: { getEcdsaKey: () => later(CLIENT_KEY), verifyEcdsaKey: () => later(true) },
    server: { getEcdsaKey: () => later(SERVER_KEY), verifyEcdsaKey: () => later(0) },
  });
  await settle(ends);
  assert.ok(areConnected(ends));
});

test('PKI-03 a key that is not trusted, a callback that refuses, throws, rejects or answers nothing: no association', async () => {
  for (const verifyEcdsaKey of [
    trusts(STRANGER_KEY).verifyEcdsaKey,
    () => false,
    () => null,
    () => -(512 + AlertDescription.accessDenied),
    () => Promise.reject(new Error('out of order')),
    () => { throw new Error('out of order'); },
  ]) {
    const ends = begin({
      client: { getEcdsaKey: () => CLIENT_KEY, verifyEcdsaKey, error: () => {} },
      server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
    });
    await settle(ends);
    assert.is(ends.client.context.getPeer('server'), undefined);
    assert.is(ends.client.context.stats().heldBytes, 0);
    assert.is(ends.server.events.some(({ code }) => code === 0x1de), false);
  }
});

test('PKI-03 a server refuses a client whose key is not trusted, and a timeout frees everything', async () => {
  const ends = begin({
    client: { getEcdsaKey: () => STRANGER_KEY, ...trusts(SERVER_KEY) },
    server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
  });
  await settle(ends);
  assert.is(areConnected(ends), false);
  assert.is(ends.server.context.getPeer('client'), undefined);
  // The client has keys by then and takes no unsigned alert: it hears of it when its retransmissions run out.
  assert.equal(ends.server.events.filter(({ level }) => level === 2).map(({ code }) => code), [AlertDescription.badCertificate]);
  ends.link.run();
  const { code, message } = ends.client.events.at(-1)!.detail!;
  assert.is(code, 'ERR_DTLS_TIMEOUT');
  assert.match(message, /it probably refuses the certificate or key that we showed.*; an unsigned alert said bad_certificate$/);
  const never = begin({
    client: { getEcdsaKey: () => CLIENT_KEY, verifyEcdsaKey: () => new Promise(() => {}) },
    server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
  });
  await settle(never);
  never.link.run(() => false, 200_000);
  for (const { context } of [never.client, never.server]) {
    const { halfOpen, established, heldBytes, deadlines } = context.stats();
    assert.equal([halfOpen, established, heldBytes, deadlines], [0, 0, 0, 0]);
  }
});

test('PKI-15 a client without a key is anonymous where one is requested, and refused where one is required', async () => {
  for (const [clientAuthentication, connected] of [['request', true], ['require', false], ['none', true]] as const) {
    const ends = begin({
      client: trusts(SERVER_KEY),
      server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
      serverOptions: { clientAuthentication },
    });
    await settle(ends);
    assert.is(areConnected(ends), connected, clientAuthentication);
    if (connected) assert.is(ends.server.context.getPeer('client')!.identity, null);
    else assert.ok(ends.client.events.some(({ level }) => level === 2));
  }
});

test('a server requires keys of its clients also where verifyEcdsaKey came by setHandler, unless it says otherwise', () => {
  for (const clientAuthentication of [undefined, 'none'] as const) {
    const rig = certifiedRig('server', 'rawKey', { clientAuthentication, trust: null });
    const write = (_: unknown, session: Session, bytes: Uint8Array): void => void rig.sent.push({ session, bytes: bytes.slice(), at: rig.now });
    rig.context.setHandler({ write, ...trusts(CLIENT_KEY) });
    establishCertified(rig, new CertifiedPeer('client', 'rawKey', { holder: null }));
    assert.is(rig.context.getPeer(CLIENT)?.state, clientAuthentication === 'none' ? 'connected' : undefined);
  }
});

test('API-09 of a raw key that the host hands in no copy and no signer is left when the handshake is over, however it ends', async () => {
  for (const believed of [CLIENT_KEY, STRANGER_KEY]) {
    const scalars: Uint8Array[] = [];
    let alive = 0;
    const ec = nobleProvider.signatures.ec!;
    const signer = (key: PrivateKey): Signer => {
      if (key.kind === 'ec') scalars.push(key.scalar);
      const made = ec.signer(key)!;
      alive++;
      return { schemes: made.schemes, sign: (scheme, message) => made.sign(scheme, message), wipe: () => void alive-- };
    };
    const crypto = composeProvider('watched', nobleProvider, { signatures: { ec: { ...ec, signer } } });
    const ends = begin({
      crypto,
      client: { getEcdsaKey: () => CLIENT_KEY, ...trusts(SERVER_KEY) },
      server: { getEcdsaKey: () => SERVER_KEY, ...trusts(believed) },
    });
    await settle(ends);
    assert.is(areConnected(ends), believed === CLIENT_KEY);
    ends.link.run();
    assert.equal([scalars.length, alive, scalars.filter((scalar) => scalar.some((byte) => byte !== 0))], [2, 0, []]);
  }
  assert.ok(CLIENT_KEY.privateKey.some((byte) => byte !== 0), 'what is the host\'s stays as it was');
});

test('FSM-19 a client that was not asked shows no key', async () => {
  const ends = begin({
    client: { getEcdsaKey: () => CLIENT_KEY, ...trusts(SERVER_KEY) },
    server: { getEcdsaKey: () => SERVER_KEY },
  });
  await settle(ends);
  assert.ok(areConnected(ends));
  assert.is(ends.server.context.getPeer('client')!.identity, null);
});

test('PKI-18 a server that shows one key and signs with another is refused with decrypt_error', async () => {
  const forged = { ...SERVER_KEY, privateKey: STRANGER_KEY.privateKey };
  const ends = begin({ client: trusts(SERVER_KEY), server: { getEcdsaKey: () => forged } });
  await settle(ends);
  assert.is(areConnected(ends), false);
  assert.equal(ends.client.events.filter(({ level }) => level === 2).map(({ code }) => code), [AlertDescription.decryptError]);
});

test('PKI-18 a client that shows one key and signs with another is refused with decrypt_error', async () => {
  const forged = { ...CLIENT_KEY, privateKey: STRANGER_KEY.privateKey };
  const ends = begin({
    client: { getEcdsaKey: () => forged, ...trusts(SERVER_KEY) },
    server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
  });
  await settle(ends);
  assert.is(areConnected(ends), false);
  assert.equal(ends.server.events.filter(({ level }) => level === 2).map(({ code }) => code), [AlertDescription.decryptError]);
});

test('a client that trusts nobody offers no suite with certificates and says so at once', () => {
  assert.throws(() => begin({ client: {}, server: {} }), /no suite could authenticate a server/);
});

test('a server without a key has no suite for a client that wants one', async () => {
  const ends = begin({ client: trusts(SERVER_KEY), server: {} });
  await settle(ends);
  assert.equal(ends.client.events.filter(({ level }) => level === 2).map(({ code }) => code), [AlertDescription.handshakeFailure]);
});

test('NET-02 raw keys survive loss, duplication, reordering and small datagrams', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const ends = begin({
      link: { seed, drop: 0.2, duplicate: 0.2, reorder: 0.2 },
      clientOptions: { mtu: 128, maxRetransmits: 7 },
      serverOptions: { mtu: 110, maxRetransmits: 7 },
      client: { getEcdsaKey: () => CLIENT_KEY, ...trusts(SERVER_KEY) },
      server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
    });
    assert.ok(ends.link.run(() => areConnected(ends), 200_000), `seed ${seed}`);
  }
});

test('a half-open peer holds 48 KiB at most', async () => {
  const ends = begin({
    client: { getEcdsaKey: () => CLIENT_KEY, ...trusts(SERVER_KEY) },
    server: { getEcdsaKey: () => SERVER_KEY, ...trusts(CLIENT_KEY) },
  });
  let most = 0;
  ends.link.run(() => {
    most = Math.max(most, ends.server.context.stats().heldBytes);
    return false;
  });
  assert.ok(areConnected(ends));
  assert.ok(most > 0 && most <= 48 * 1024, String(most));
  assert.is(ends.client.context.stats().heldBytes, 0);
});

test.run();
