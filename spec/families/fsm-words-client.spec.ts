/**
 * FSM-27, the client: every sequence of at most six messages over {HVR, SH, Cert, SKE, CertReq, SHD, CCS, Fin, App,
 * Alert}, each right in every MAC and signature for what was sent so far, against clients with pre-shared keys, with raw
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

type Order = Grammar['order'];

/** A ServerHello, or at most three HelloVerifyRequests before it. */
function hellos(next: string): Order {
  return { hello: { HVR: 'hello1', SH: next }, hello1: { HVR: 'hello2', SH: next }, hello2: { HVR: 'hello3', SH: next }, hello3: { SH: next } };
}

/** RFC 4279 §2: ServerKeyExchange carries the hint and may be left out. */
const PSK: Grammar = {
  order: { ...hellos('parameters'), parameters: { SKE: 'hinted', SHD: 'ready' }, hinted: { SHD: 'ready' } },
  keyed: ['ready'],
};

/** RFC 5246 §7.4.2-§7.4.5: nothing but CertificateRequest may be left out. */
const CERTIFIED: Grammar = {
  order: {
    ...hellos('hidden'), hidden: { Cert: 'shown' }, shown: { SKE: 'agreed' }, agreed: { CertReq: 'asked', SHD: 'ready' }, asked: { SHD: 'ready' },
  },
  keyed: ['ready'],
};

/** The words that come out, those that differ by messages without any effect aside. */
const WORDS = {
  strict: [
    'HVR HVR SH SHD CCS Fin', 'HVR SH SHD CCS App Fin', 'HVR SH SHD CCS CCS Fin', 'HVR SH SHD CCS Fin', 'HVR SH SKE SHD CCS Fin',
    'SH SHD CCS App App Fin', 'SH SHD CCS App CCS Fin', 'SH SHD CCS App Fin', 'SH SHD CCS CCS App Fin', 'SH SHD CCS CCS CCS Fin',
    'SH SHD CCS CCS Fin', 'SH SHD CCS Fin', 'SH SKE SHD CCS App Fin', 'SH SKE SHD CCS CCS Fin', 'SH SKE SHD CCS Fin',
  ],
  cunning: [
    'HVR HVR SH SHD CCS Fin', 'HVR SH SHD CCS App Fin', 'HVR SH SHD CCS Fin', 'HVR SH SKE SHD CCS Fin', 'SH SHD CCS App App Fin',
    'SH SHD CCS App Fin', 'SH SHD CCS Fin', 'SH SKE SHD CCS App Fin', 'SH SKE SHD CCS Fin',
  ],
};

const full = process.env['MICRODTLS_FULL'] === '1';
const MANNERS: readonly Manner[] = ['strict', 'cunning'];

const withoutExtended = (extendedMasterSecret: boolean): string => (extendedMasterSecret ? '' : ', without extended_master_secret');

for (const manner of MANNERS) {
  for (const extendedMasterSecret of [true, false]) {
    test(`FSM-27 a client with a pre-shared key connects with a ${manner} server on the words of the automaton only${withoutExtended(extendedMasterSecret)}`, () => {
      const depth = (extendedMasterSecret ? 6 : 5) + (full ? 1 : 0);
      const rig = new Rig({ forceExtendedMasterSecret: extendedMasterSecret });
      const peer = (): ScriptedPeer => new ScriptedPeer('server', { extendedMasterSecret });
      const { played, accepted } = explore({ rig, grammar: PSK, manner, peer, depth });
      assert.ok(played > 300, `${played} sequences`);
      // A ChangeCipherSpec before ServerHelloDone is dropped; the cunning server merely sends in epoch 1 from then on.
      const words = accepted.filter((word) => word.split(' ').length <= 6 && !/CCS.*SHD/.test(word)).sort();
      assert.equal(words, WORDS[manner].filter((word) => word.split(' ').length <= depth));
      for (const word of accepted) assert.match(word, /SH (.*SKE )?.*SHD .*(CCS .*Fin|Fin .*CCS)/);
    });
  }
}

/** The words after HelloVerifyRequest and ServerHello: Certificate and ServerKeyExchange cannot be left out. */
const WORDS_WITH_KEYS = {
  strict: ['Cert SKE CertReq SHD CCS Fin', 'Cert SKE SHD CCS App Fin', 'Cert SKE SHD CCS CCS Fin', 'Cert SKE SHD CCS Fin'],
  cunning: ['Cert SKE CertReq SHD CCS Fin', 'Cert SKE SHD CCS App Fin', 'Cert SKE SHD CCS Fin'],
};

interface Setting {
  readonly kind: Kind;
  readonly manner: Manner;
  readonly extendedMasterSecret: boolean;
  readonly depth: number;
}

const EVERY_SETTING: readonly Setting[] = KINDS.flatMap((kind) => MANNERS.flatMap((manner) =>
  (kind === 'rawKey' ? [true, false] : [true]).map((extendedMasterSecret) => ({ kind, manner, extendedMasterSecret, depth: extendedMasterSecret ? 6 : 5 }))));
const SOME: readonly Setting[] = [
  { kind: 'rawKey', manner: 'cunning', extendedMasterSecret: true, depth: 6 },
  { kind: 'x509', manner: 'cunning', extendedMasterSecret: true, depth: 5 },
];

for (const { kind, manner, extendedMasterSecret, depth } of full ? EVERY_SETTING : SOME) {
  test(`FSM-27 a client with ${kind} connects with a ${manner} server on the words of the automaton only${withoutExtended(extendedMasterSecret)}`, () => {
    const rig = certifiedRig('client', kind, { crypto: CRYPTO, forceExtendedMasterSecret: extendedMasterSecret });
    const peer = (): ScriptedPeer => new CertifiedPeer('server', kind, { crypto: CRYPTO, extendedMasterSecret });
    const game: Game = { rig, grammar: CERTIFIED, manner, peer, depth };
    const { played, accepted } = explore({ ...game, prefix: ['HVR', 'SH'] });
    assert.ok(played > 500, `${played} sequences`);
    const words = accepted.filter((word) => !/CCS.*SHD/.test(word)).sort();
    assert.equal(words, WORDS_WITH_KEYS[manner].filter((word) => word.split(' ').length <= depth));
    for (const word of accepted) assert.match(word, /^(CCS )?Cert (CCS )?SKE .*SHD (CCS .*Fin|Fin CCS)$/);
    // From the very first message on.
    const whole = full && kind === 'rawKey' && extendedMasterSecret;
    assert.equal(explore({ ...game, depth: whole ? 6 : 4 }).accepted, whole ? ['SH Cert SKE SHD CCS Fin'] : []);
  });
}

test.run();
