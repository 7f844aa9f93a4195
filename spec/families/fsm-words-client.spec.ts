/**
 * FSM-27, the client: every sequence of at most six messages over {HVR, SH, Cert, SKE, CertReq, SHD, CCS, Fin, App,
 * Alert}, each right in every MAC and signature for what was sent so far, against clients with pre-shared keys.
 * CONNECTED is told if and only if the sequence is a word of the RFC's automaton.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Grammar } from '../states/automaton.js';
import { explore, type Manner } from '../states/words.js';
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

test.run();
