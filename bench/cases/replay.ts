/**
 * The anti-replay window: check and mark. The reference is the same window in one BigInt, as most write it first.
 */
import { ReplayWindow } from '../../lib/record/replay.js';
import { sink, type Case, type Work } from '../harness.js';

export function replayCases(): Case[] {
  const labels = { suite: null, provider: null, size: null };
  return [
    { bench: 'replay/in order', ...labels, reference: 'a window in a BigInt', set: () => ({ subject: inOrder(), reference: bigInOrder() }) },
    { bench: 'replay/shuffled', ...labels, reference: null, set: () => ({ subject: shuffled() }) },
    { bench: 'replay/repeated', ...labels, reference: null, set: () => ({ subject: repeated() }) },
  ];
}

/** One after the other, as almost always. */
function inOrder(): Work {
  const window = new ReplayWindow();
  let next = 0;
  return {
    run(count) {
      for (const end = next + count; next < end; next++) if (window.check(next)) window.mark(next);
    },
  };
}

/** Eight at a time, the last first. */
function shuffled(): Work {
  const window = new ReplayWindow();
  let next = 0;
  return {
    run(count) {
      for (const end = next + count; next < end; next++) if (window.check(next ^ 7)) window.mark(next ^ 7);
    },
  };
}

/** Replays, which are never marked. */
function repeated(): Work {
  const window = new ReplayWindow();
  window.mark(1000);
  window.mark(960);
  return {
    run(count) {
      let taken = 0;
      for (let i = 0; i < count; i++) if (window.check(i % 2 === 0 ? 1000 : 960)) taken++;
      sink.value = taken;
    },
  };
}

class BigWindow {
  #highest = -1n;
  #seen = 0n;

  check(sequence: number): boolean {
    const age = this.#highest - BigInt(sequence);
    return age < 0n || (age < 64n && ((this.#seen >> age) & 1n) === 0n);
  }

  mark(sequence: number): void {
    const ahead = BigInt(sequence) - this.#highest;
    if (ahead > 0n) {
      this.#seen = ahead >= 64n ? 1n : BigInt.asUintN(64, this.#seen << ahead) | 1n;
      this.#highest = BigInt(sequence);
    } else {
      this.#seen |= 1n << -ahead;
    }
  }
}

function bigInOrder(): Work {
  const window = new BigWindow();
  let next = 0;
  return {
    run(count) {
      for (const end = next + count; next < end; next++) if (window.check(next)) window.mark(next);
    },
  };
}
