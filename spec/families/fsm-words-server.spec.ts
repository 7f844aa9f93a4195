/**
 * FSM-27, the server: every sequence of at most six messages over {CH0, CH1, Cert, CertEmpty, CKE, CV, CCS, Fin, App,
 * Alert}, each right in every MAC and signature for what was sent so far, against servers with pre-shared keys, with raw
 * public keys and with certificates. CONNECTED is told if and only if the sequence is a word of the RFC's automaton.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Grammar } from '../states/automaton.js';
import { CRYPTO } from '../states/places.js';
import { explore, type Game, type Manner } from '../states/words.js';
import { CertifiedPeer, certifiedRig } from '../support/certified.js';
import { KINDS, type Kind } from '../support/holders.js';
import { Rig } from '../support/rig.js';
import { ScriptedPeer } from '../support/scripted.js';

/** RFC 4279 §2. */
const PSK: Grammar = { order: { hello: { CKE: 'ready' } }, keyed: ['ready'] };

/** RFC 5246 §7.4.4-§7.4.8: Certificate stands first, and a key that was shown is proved. Without a request neither comes. */
const AUTHENTICATED: Readonly<Record<'require' | 'request' | 'none', Grammar>> = {
  require: { order: { hello: { Cert: 'shown' }, shown: { CKE: 'unproved' }, unproved: { CV: 'ready' } }, keyed: ['unproved', 'ready'] },
  request: {
    order: { hello: { Cert: 'shown', CertEmpty: 'nobody' }, shown: { CKE: 'unproved' }, unproved: { CV: 'ready' }, nobody: { CKE: 'ready' } },
    keyed: ['unproved', 'ready'],
  },
  none: { order: { hello: { CKE: 'ready' } }, keyed: ['ready'] },
};

const full = process.env['MICRODTLS_FULL'] === '1';
const MANNERS: readonly Manner[] = ['strict', 'cunning'];

/** The words with pre-shared keys, those that differ by messages without any effect aside. */
const WORDS = {
  strict: ['CH0 CH1 CKE CCS App Fin', 'CH0 CH1 CKE CCS CCS Fin', 'CH0 CH1 CKE CCS Fin'],
  // Finished may come before ChangeCipherSpec: the network reorders (RFC 6347 §4.2.4). No key is used before both.
  cunning: [
    'CCS CH0 CH1 CKE CCS Fin', 'CH0 CCS CH1 CKE CCS Fin', 'CH0 CH1 CCS CKE CCS Fin', 'CH0 CH1 CCS CKE Fin CCS',
    'CH0 CH1 CKE CCS App Fin', 'CH0 CH1 CKE CCS Fin',
  ],
} as const;

const withoutExtended = (extendedMasterSecret: boolean): string => (extendedMasterSecret ? '' : ', without extended_master_secret');

for (const manner of MANNERS) {
  for (const extendedMasterSecret of [true, false]) {
    test(`FSM-27 a server with pre-shared keys connects with a ${manner} client on the words of the automaton only${withoutExtended(extendedMasterSecret)}`, () => {
      const rig = new Rig({ forceExtendedMasterSecret: extendedMasterSecret });
      const peer = (): ScriptedPeer => new ScriptedPeer('client', { extendedMasterSecret });
      const { played, accepted } = explore({ rig, grammar: PSK, manner, peer, depth: full ? 7 : 6 });
      assert.ok(played > 200, `${played} sequences`);
      // Without a cookie CH1 is CH0.
      const words = new Set(accepted.map((word) => word.replace(/^(CCS )?CH1/, '$1CH0')).filter((word) => word.split(' ').length <= 6));
      assert.equal([...words].sort(), WORDS[manner]);
      for (const word of accepted) assert.match(word, /CH[01] .*CH1 .*CKE .*(CCS .*Fin|Fin .*CCS)/);
    });
  }
}

/** What a server with public keys asks of its clients, and what it is played with. */
interface Setting {
  readonly kind: Kind;
  readonly clientAuthentication: 'require' | 'request' | 'none';
  readonly manner: Manner;
  readonly extendedMasterSecret: boolean;
  readonly depth: number;
}

const EVERY_SETTING: readonly Setting[] = KINDS.flatMap((kind) => (['require', 'request', 'none'] as const).flatMap((clientAuthentication) =>
  MANNERS.flatMap((manner) => (kind === 'rawKey' ? [true, false] : [true]).map((extendedMasterSecret) => {
    const depth = extendedMasterSecret && (kind === 'rawKey' || clientAuthentication === 'require') ? 6 : 5;
    return { kind, clientAuthentication, manner, extendedMasterSecret, depth };
  }))));
const SOME: readonly Setting[] = [
  { kind: 'rawKey', clientAuthentication: 'require', manner: 'cunning', extendedMasterSecret: true, depth: 6 },
  { kind: 'rawKey', clientAuthentication: 'request', manner: 'cunning', extendedMasterSecret: true, depth: 5 },
  { kind: 'rawKey', clientAuthentication: 'none', manner: 'cunning', extendedMasterSecret: true, depth: 5 },
  { kind: 'x509', clientAuthentication: 'require', manner: 'cunning', extendedMasterSecret: true, depth: 5 },
];

/** The words after both hellos where a key is required: without one, and without its proof, there is none. */
const WORDS_WITH_KEYS = {
  strict: ['Cert CKE CV CCS App Fin', 'Cert CKE CV CCS CCS Fin', 'Cert CKE CV CCS Fin'],
  // CertificateVerify may come after ChangeCipherSpec, in the clear and in its order, never after Finished.
  cunning: [
    'CCS Cert CKE CCS CV Fin', 'CCS Cert CKE CV CCS Fin', 'CCS Cert CKE CV Fin CCS', 'Cert CCS CKE CCS CV Fin', 'Cert CCS CKE CV CCS Fin',
    'Cert CCS CKE CV Fin CCS', 'Cert CKE CCS App CV Fin', 'Cert CKE CCS CV App Fin', 'Cert CKE CCS CV Fin', 'Cert CKE CV CCS App Fin',
    'Cert CKE CV CCS Fin',
  ],
} as const;

/** What every word holds, in this order. */
const ESSENCE = {
  require: /Cert .*CKE .*CV .*(CCS|Fin)/,
  request: /(Cert .*CKE .*CV|CertEmpty .*CKE) .*(CCS|Fin)/,
  none: /CKE .*(CCS .*Fin|Fin .*CCS)/,
} as const;

function gameOf({ kind, clientAuthentication, manner, extendedMasterSecret, depth }: Setting): Game {
  const rig = certifiedRig('server', kind, { crypto: CRYPTO, clientAuthentication, forceExtendedMasterSecret: extendedMasterSecret });
  const peer = (): ScriptedPeer => new CertifiedPeer('client', kind, { crypto: CRYPTO, extendedMasterSecret });
  return { rig, grammar: AUTHENTICATED[clientAuthentication], manner, peer, depth, prefix: ['CH0', 'CH1'] };
}

for (const setting of full ? EVERY_SETTING : SOME) {
  const { kind, clientAuthentication, manner, extendedMasterSecret, depth } = setting;
  const title = `${clientAuthentication} of ${kind}, a ${manner} client${withoutExtended(extendedMasterSecret)}`;
  test(`FSM-27 a server with public keys connects on the words of the automaton only: ${title}`, () => {
    const { played, accepted } = explore(gameOf(setting));
    assert.ok(played > 400, `${played} sequences`);
    const words = accepted.filter((word) => !word.includes('CH')).sort();
    if (depth === 6 && clientAuthentication === 'require') assert.equal(words, WORDS_WITH_KEYS[manner]);
    assert.ok(words.length > 0);
    for (const word of words) assert.match(word, ESSENCE[clientAuthentication]);
    // From the very first message on: nobody gets anywhere without both hellos.
    for (const word of explore({ ...gameOf(setting), prefix: [], depth: full ? 6 : 4 }).accepted) assert.match(word, /^(CCS )?CH.* CH1 .*CKE .*(CCS .*Fin|Fin CCS)$/);
  });
}

test('FSM-27 sequences that come to the same lead to the same: played each for itself they give the same words', () => {
  for (const manner of MANNERS) {
    const game = gameOf({ kind: 'rawKey', clientAuthentication: 'request', manner, extendedMasterSecret: true, depth: full ? 5 : 4 });
    const [merged, apart] = [explore(game), explore({ ...game, apart: true })];
    assert.ok(apart.played > merged.played);
    assert.equal([...merged.accepted].sort(), [...apart.accepted].sort());
    assert.ok(merged.accepted.length > 0);
  }
});

test.run();
