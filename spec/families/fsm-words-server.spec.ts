/**
 * FSM-27, the server: every sequence of at most six messages over {CH0, CH1, Cert, CertEmpty, CKE, CV, CCS, Fin, App,
 * Alert}, each right in every MAC and signature for what was sent so far, against servers with pre-shared keys.
 * CONNECTED is told if and only if the sequence is a word of the RFC's automaton.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Grammar } from '../states/automaton.js';
import { explore, type Manner } from '../states/words.js';
import { Rig } from '../support/rig.js';
import { ScriptedPeer } from '../support/scripted.js';

/** RFC 4279 §2. */
const PSK: Grammar = { order: { hello: { CKE: 'ready' } }, keyed: ['ready'] };

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
      const { played, accepted } = explore({ rig, grammar: PSK, manner, peer, depth: full ? 8 : 7 });
      assert.ok(played > 300, `${played} sequences`);
      // Without a cookie CH1 is CH0.
      const words = new Set(accepted.map((word) => word.replace(/^(CCS )?CH1/, '$1CH0')).filter((word) => word.split(' ').length <= 6));
      assert.equal([...words].sort(), WORDS[manner]);
      for (const word of accepted) assert.match(word, /CH[01] .*CH1 .*CKE .*(CCS .*Fin|Fin .*CCS)/);
    });
  }
}

test.run();
