/**
 * PKI-12, -13 and -14 in whole handshakes, both roles: chains that are large, endless, malformed or weak. Each is refused in bounded
 * time, nothing is thrown, and the next peer gets through. What is malformed is proved field by field in spec/x509/.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DtlsOptions } from '../../lib/index.js';
import { SignatureScheme } from '../../lib/crypto/keys.js';
import type { Credential } from '../../lib/handshake/authenticate.js';
import { ContentType, HandshakeType } from '../../lib/wire/registry.js';
import { RecordWalk } from '../../lib/record/records.js';
import type { Datagram } from '../support/link.js';
import { Random } from '../support/random.js';
import {
  ALGORITHMS, bits, dnsName, extension, hex, integer, keyPair, mintAuthority, octets, oid, sequence, set, subjectAltName, text, tlv,
  type Design, type Minted,
} from '../x509/support/mint.js';
import { costOf } from '../x509/support/judge.js';
import { MIDDLE, ROOT, SIDES, assertFreed, begin, mintLeaf, outcome, refusal, showing, shows, stage, trusting, type Side, type Stage } from './chains.js';

/** No chain may cost the one who judges it more; both sides and the network are counted here. */
const MAX_MS = 100;
/** As much as a host can allow: what a message may bring is then bounded by what a certificate may be. */
const WIDE: DtlsOptions = { maxMessageBytes: 65_536, maxHeldBytes: 1_048_576 };

/** What is said of a chain, and that it is said quickly. */
function quickly(role: Side, chain: readonly (Minted | Uint8Array)[], options: DtlsOptions = {}, key = keyPair(role)): string {
  const trial = { role, shown: showing(chain, key), options };
  const cost = costOf(() => {
    const at = stage(trial);
    begin(at, role);
    at.link.run(() => at.judge.events.some(({ code, level }) => level === 2 || code === 0x1de), 5000);
  }, MAX_MS);
  assert.ok(cost < MAX_MS, `${Math.round(cost)} ms`);
  return outcome(trial);
}

/** A chain of `length` certificates below the root, leaf first. */
function chainOf(role: Side, length: number): Minted[] {
  const chain: Minted[] = [];
  let issuer = ROOT;
  for (let i = 1; i < length; i++) {
    issuer = mintAuthority(`L${i}`, { issuer, key: keyPair(`level ${i % 10}`) });
    chain.unshift(issuer);
  }
  return [mintLeaf(role, issuer), ...chain];
}

const names = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => dnsName(`h${index}.x`));
const strangers = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => extension(`1.3.6.1.4.1.9.${index}`, octets()));
/** The leaf of a role with further extensions. */
const extended = (role: Side, ...extensions: Uint8Array[]): Minted => mintLeaf(role, ROOT, { extensions: [subjectAltName(dnsName(`${role}.test`)), ...extensions] });

for (const role of SIDES) {
  test(`PKI-12 a ${role}'s chain that is too long is refused quickly: by its path, by its number, by its bytes`, () => {
    assert.is(quickly(role, chainOf(role, 9)), 'connected');
    assert.is(quickly(role, chainOf(role, 10)), `unknown_ca: certificate of ${role}.test has more than 9 certificates above it`);
    assert.is(quickly(role, chainOf(role, 30)), `unknown_ca: certificate of ${role}.test has more than 9 certificates above it`);
    assert.is(quickly(role, chainOf(role, 33)), 'decode_error: a chain of more than 32 certificates');
    assert.match(quickly(role, chainOf(role, 100)), /^illegal_parameter: a handshake message of \d{5} bytes$/);
    assert.is(quickly(role, chainOf(role, 100), WIDE), 'decode_error: a chain of more than 32 certificates');
  });

  test(`PKI-12 authorities of a ${role} that sign each other in every direction end`, () => {
    const ring = ['A', 'B', 'C', 'D', 'E'];
    const mesh = ring.flatMap((name) => ring.filter((by) => by !== name).map((by) =>
      mintAuthority(name, { key: keyPair(`mesh ${name}`), issuer: mintAuthority(by, { key: keyPair(`mesh ${by}`) }) })));
    const leaf = mintLeaf(role, mesh[0]!);
    assert.match(quickly(role, [leaf, ...mesh], WIDE), /^unknown_ca: /);
    const way = mintAuthority('E', { key: keyPair('mesh E'), issuer: ROOT });
    assert.is(quickly(role, [leaf, ...mesh, way], WIDE), 'connected');
    // Every pair of names fits, no signature does.
    const crowd = Array.from({ length: 31 }, (_, index) => mintAuthority('Crowd', { key: keyPair(`crowd ${index}`), issuer: ROOT }));
    const alien = mintLeaf(role, { ...crowd[0]!, key: keyPair('somebody else') });
    assert.match(quickly(role, [alien, ...crowd], WIDE), `bad_certificate: the signature on the certificate of ${role}.test is not by the key of "Crowd"`);
  });

  test(`PKI-12 a ${role}'s certificate with thousands of names, 500 extensions, an endless identifier, deep nesting: read quickly or refused`, () => {
    const leafOf = (...more: Uint8Array[]): Minted => mintLeaf(role, ROOT, { extensions: [subjectAltName(...more, dnsName(`${role}.test`))] });
    assert.is(quickly(role, [leafOf(...names(1500))]), 'connected');
    assert.is(quickly(role, [leafOf(...names(6000))], WIDE), 'connected');
    assert.match(quickly(role, [leafOf(...names(10_000))], WIDE), /^illegal_parameter: a handshake message of \d{5,6} bytes$/);
    assert.is(quickly(role, [extended(role, ...strangers(499))]), 'connected');
    const arc = (length: number): Buffer => tlv(0x06, Buffer.concat([hex('2a'), Buffer.alloc(length, 0x81), hex('01')]));
    assert.match(quickly(role, [extended(role, sequence(arc(60_000), octets()))], WIDE), 'bad_certificate: what the peer shows cannot be read: an object identifier of 60002 bytes');
    let nested = sequence();
    for (let i = 0; i < 1000; i++) nested = sequence(nested);
    const deep = mintLeaf(role, ROOT, { subject: sequence(set(sequence(oid('2.5.4.3'), nested))) });
    assert.match(quickly(role, [deep]), 'bad_certificate: what the peer shows cannot be read: a certificate is nested more than 32 deep');
    const many = sequence(...new Array<Buffer>(1000).fill(set(sequence(oid('2.5.4.11'), text('x')))));
    assert.is(quickly(role, [mintLeaf(role, ROOT, { subject: many })]), 'connected');
  });

  test(`PKI-12 a ${role}'s certificate of 1 MiB is refused by its first fragment, whatever the host allows, and nothing of it is held`, () => {
    const huge = extended(role, extension('1.2.3.4', octets(Buffer.alloc(1_048_576))));
    for (const options of [{}, WIDE]) {
      const at = stage({ role, shown: showing([huge]), options });
      begin(at, role);
      let most = 0;
      at.link.run(() => {
        most = Math.max(most, at.judge.context.stats().heldBytes);
        return at.judge.events.some(({ level }) => level === 2);
      });
      assert.ok(most < 24 * 1024, `${most} bytes`);
      assert.match(refusal(at, role), /^illegal_parameter: a handshake message of 10\d{5} bytes$/);
    }
  });

  test(`PKI-12 a ${role}'s chain as long as is taken makes the other side hold 48 KiB at most, also while its host thinks`, () => {
    const names = Array.from({ length: 650 }, (_, index) => dnsName(`host-${index}.long.example`));
    const shown = showing([mintLeaf(role, ROOT, { extensions: [subjectAltName(dnsName(`${role}.test`), ...names)] })]);
    const size = shown.chain[0]!.length;
    assert.ok(size > 15_000 && size < 16_384, String(size));
    const handler = { verifyCertificate: (_: unknown, session: unknown) => (session === 'bearer' ? new Promise<boolean>(() => {}) : null) };
    const at = stage({ role, shown, handler, link: { duplicate: 0.3, reorder: 0.3 } });
    begin(at, role);
    const most = mostHeld(at);
    assert.ok(most > 2 * size && most <= 48 * 1024, `${most} bytes`);
    assert.is(refusal(at, role), 'internal_error: the host did not give its trust in time');
    if (role === 'server') return;
    // Its chain is believed, and its proof never comes.
    const mute = stage({ role, shown, link: { transform: withoutProof } });
    begin(mute, role);
    const waiting = mostHeld(mute);
    assert.ok(waiting > 2 * size && waiting <= 48 * 1024, `${waiting} bytes`);
    mute.link.run();
    assertFreed(mute.judge, 'bearer');
  });

  test(`PKI-13 malformed DER of a ${role} is refused in words, and nothing is thrown`, () => {
    const design = (one: Design): readonly Uint8Array[] => [mintLeaf(role, ROOT, one).der];
    const more = (...extensions: Uint8Array[]): readonly Uint8Array[] => [extended(role, ...extensions).der];
    const { der } = mintLeaf(role);
    const content = der.subarray(4);
    const long = Buffer.alloc(3);
    long.writeUIntBE(content.length, 0, 3);
    const [sha384] = ALGORITHMS.ecdsaSha384;
    const chains: readonly (readonly [readonly Uint8Array[], string])[] = [
      [[Buffer.concat([hex('3080'), content, hex('0000')])], 'a DER element of indefinite length'],
      [[Buffer.concat([hex('3083'), long, content])], 'a DER length longer than need be'],
      [[Buffer.concat([der, hex('00')])], 'a certificate has bytes too many'],
      [[der.subarray(0, -1)], 'a DER element reaches past the end'],
      [design({ serial: hex('0202007f') }), 'an INTEGER longer than need be'],
      [design({ serial: hex('0201ff') }), 'a negative number, where none can be'],
      [design({ serial: hex(`0215 01${'00'.repeat(20)}`) }), 'a serial number of 21 bytes'],
      [design({ trailing: tlv(5) }), 'TBSCertificate has 2 bytes too many'],
      [design({ outer: sha384 }), 'a certificate with two different signature algorithms'],
      [design({ inner: sha384 }), 'a certificate with two different signature algorithms'],
      [more(sequence(oid('1.2.3.4'), hex('010101'), octets())), 'a BOOLEAN that is neither 00 nor ff'],
      [more(extension('1.2.3.4', octets()), extension('1.2.3.4', octets())), 'a certificate has extension 1.2.3.4 twice'],
      [design({ validity: sequence(text('260101000000Z', 0x17), text('271321000000Z', 0x17)) }), 'a time'],
      [design({ validity: sequence(text('2601010000Z', 0x17), text('271121000000Z', 0x17)) }), 'a time'],
      [design({ validity: sequence(text('260101000000+0100', 0x17), text('271121000000Z', 0x17)) }), 'a time'],
      [design({ version: tlv(0xa0, integer(0)) }), 'a certificate of version 1'],
      [[tlv(5)], 'DER tag'],
      [[hex('00')], ''],
      [[new Uint8Array(300)], ''],
      // Above the leaf too: what stands in a chain is read, needed or not.
      [[der, mintAuthority('Broken', { serial: hex('0201ff') }).der], 'a negative number, where none can be'],
    ];
    for (const [chain, why] of chains) {
      const said = shows(role, chain, undefined, keyPair(role));
      assert.match(said, `bad_certificate: what the peer shows cannot be read: ${why}`);
    }
  });

  test(`PKI-13 a ${role}'s leaf with any byte changed, any part cut out or doubled, is refused, and nothing is thrown`, () => {
    const random = new Random(role === 'server' ? 13 : 31);
    const { der } = mintLeaf(role, MIDDLE);
    for (let i = 0; i < 42; i++) {
      const at = random.below(der.length);
      const length = 1 + random.below(8);
      const mutant = Buffer.from(der);
      const cut = [Buffer.from(mutant.subarray(0, at)), mutant.subarray(at + length)];
      const doubled = [mutant.subarray(0, at + length), Buffer.from(mutant.subarray(at))];
      if (i % 3 === 0) mutant[at]! ^= 1 << random.below(8);
      const said = shows(role, [i % 3 === 0 ? mutant : Buffer.concat(i % 3 === 1 ? cut : doubled), MIDDLE], undefined, keyPair(role));
      assert.match(said, /^(bad_certificate|unsupported_certificate|unknown_ca|certificate_expired): /, `mutant ${i}`);
    }
  });

  test(`PKI-13 a Certificate message of a ${role} whose lengths do not add up, or with an empty certificate, is decode_error`, () => {
    const past = 'a field reaches past the end of its message';
    const edits: readonly (readonly [(body: Uint8Array) => void, string])[] = [
      [(body) => body[2]!++, past],
      [(body) => body[5]!++, past],
      [(body) => body[2]!--, 'Certificate has 1 bytes too many'],
      [(body) => body[5]!--, past],
      [(body) => body.fill(0, 0, 3), 'Certificate has'],
      [(body) => body.fill(0, 3, 6), 'a vector of 0 bytes'],
    ];
    for (const [edit, why] of edits) {
      const transform = (one: Datagram): Uint8Array[] => [changeCertificate(one, edit)];
      const at = stage({ role, shown: showing([mintLeaf(role)]), bearer: { mtu: 16_000 }, link: { transform } });
      begin(at, role);
      assert.match(refusal(at, role), `decode_error: ${why}`);
    }
  });

  test(`PKI-14 a ${role}'s key with explicit parameters, on another curve or too short is unsupported_certificate`, () => {
    const ec = (...parameters: Uint8Array[]): Buffer => sequence(sequence(oid('1.2.840.10045.2.1'), ...parameters), bits(Buffer.concat([hex('04'), Buffer.alloc(64, 1)])));
    const explicit = sequence(integer(1), sequence(oid('1.2.840.10045.1.1'), integer(23)));
    const says = (why: string): string => `unsupported_certificate: the key of the certificate of ${role}.test cannot be used: ${why}`;
    const spkis: readonly (readonly [Uint8Array, string])[] = [
      [ec(explicit), 'an EC key with explicit parameters: only named curves are supported'],
      [ec(oid('1.3.132.0.10')), 'an EC key on secp256k1, which is not supported'],
      [ec(oid('1.2.840.10045.3.1.7')), 'an EC key on secp256r1 that is too weak or invalid'],
      [keyPair('tiny', 'rsa512').spki, 'an RSA key of 512 bits that is too weak or invalid'],
      [keyPair('short', 'rsa1024').spki, 'an RSA key of 1024 bits that is too weak or invalid'],
    ];
    for (const [spki, why] of spkis) {
      assert.is(shows(role, [mintLeaf(role, ROOT, { spki })], undefined, keyPair(role)), says(why));
      // A host that believes everybody has no key to verify with either.
      const handler = { verifyCertificate: () => true };
      assert.is(outcome({ role, shown: showing([mintLeaf(role, ROOT, { spki })], keyPair(role)), handler }), says(why));
    }
  });

  test(`PKI-14 a ${role}'s chain signed with SHA-1 or MD5 is refused, in the leaf and above it`, () => {
    const top = mintAuthority('RSA Root', { key: keyPair('RSA Root', 'rsa2048') });
    const trust = trusting([top, ROOT]);
    for (const [algorithm, words] of [['rsaSha1', 'RSA with SHA-1'], ['rsaMd5', 'RSA with MD5']] as const) {
      const says = (name: string): string => `bad_certificate: certificate of ${name} is signed with ${words}, which is too weak to be believed`;
      assert.is(shows(role, [mintLeaf(role, top, { algorithm })], { trust }), says(`${role}.test`));
      const weak = mintAuthority('Weak', { issuer: top, algorithm });
      assert.is(shows(role, [mintLeaf(role, weak), weak], { trust }), says('Weak'));
    }
    assert.is(shows(role, [mintLeaf(role, ROOT, { algorithm: 'ecdsaSha1' })]), `bad_certificate: certificate of ${role}.test is signed with ECDSA with SHA-1, which is too weak to be believed`);
    assert.is(shows(role, [mintLeaf(role, top)], { trust }), 'connected');
  });

  test(`PKI-14 a ${role} with Ed25519, or any scheme, that was not offered is refused`, () => {
    const pair = keyPair(`${role} ed`, 'ed25519');
    const leaf = mintLeaf(role, ROOT, { key: pair });
    assert.is(shows(role, [leaf]), 'connected');
    const parameters = { signatureSchemes: [SignatureScheme.ecdsaSha256] };
    const wilful = (shown: Credential): Credential => ({
      ...shown, signer: { schemes: alwaysFirst(shown.signer.schemes), sign: (scheme, message) => shown.signer.sign(scheme, message) },
    });
    assert.is(outcome({ role, shown: wilful(showing([leaf])), parameters }), 'illegal_parameter: signature scheme 2055 was not offered or does not fit the key');
    // An Ed25519 key in the certificate, an ECDSA signature by another.
    assert.is(shows(role, [leaf], undefined, keyPair('somebody')), 'illegal_parameter: signature scheme 1027 was not offered or does not fit the key');
    const sha384 = { signatureSchemes: [SignatureScheme.ecdsaSha384] };
    assert.is(outcome({ role, shown: wilful(showing([mintLeaf(role)])), parameters: sha384 }), 'illegal_parameter: signature scheme 1027 was not offered or does not fit the key');
  });
}

/** Schemes of a peer that signs as it likes, whatever the other side asked for. */
function alwaysFirst(schemes: readonly SignatureScheme[]): readonly SignatureScheme[] {
  return Object.assign([...schemes], { find: () => schemes[0] });
}

/** The most that the judge held in the next seconds. */
function mostHeld({ link, judge }: Stage): number {
  let most = 0;
  link.run(() => {
    most = Math.max(most, judge.context.stats().heldBytes);
    return false;
  }, 5000);
  return most;
}

/** A datagram of the bearer up to its CertificateVerify. */
function withoutProof({ from, bytes }: Datagram): Uint8Array[] {
  const walk = new RecordWalk();
  walk.begin(bytes);
  while (from === 'bearer' && walk.next()) {
    if (walk.epoch === 0 && walk.type === ContentType.handshake && bytes[walk.start] === HandshakeType.certificateVerify) return [bytes.slice(0, walk.start - 13)];
  }
  return [bytes];
}

/** The datagram with the body of a whole Certificate message of the bearer changed, if it holds one. */
function changeCertificate(datagram: Datagram, change: (body: Uint8Array) => void): Uint8Array {
  if (datagram.from !== 'bearer') return datagram.bytes;
  const bytes = datagram.bytes.slice();
  const walk = new RecordWalk();
  walk.begin(bytes);
  while (walk.next()) {
    if (walk.epoch === 0 && walk.type === ContentType.handshake && bytes[walk.start] === HandshakeType.certificate) change(bytes.subarray(walk.start + 12, walk.end));
  }
  return bytes;
}

test.run();
