/**
 * Every sequence of messages up to a length, played against a real context and against an automaton that was written
 * down apart from it. A message that changes nothing for anybody is pruned: what follows it was played without it.
 */
import * as assert from 'uvu/assert';
import type { Session } from '../../lib/index.js';
import type { Rig } from '../support/rig.js';

/** One run from the beginning: a context, a scripted peer, and the automaton beside them. */
export interface World<Letter> {
  play(letter: Letter): void;
  /** What the context showed so far. */
  readonly seen: Outcome;
  /** What the automaton says. */
  readonly expected: Outcome;
  /** Everything that the future can depend on, as text. */
  mark(): string;
}

export interface Outcome {
  /** How often CONNECTED was told. */
  readonly connected: number;
  /** How many records were read. */
  readonly reads: number;
}

export interface Explored {
  /** Sequences played. */
  readonly played: number;
  /** Those that end with CONNECTED. */
  readonly accepted: readonly string[];
}

/** Plays every sequence of at most `depth` letters, depth first. */
export function explore<Letter extends string>(alphabet: readonly Letter[], depth: number, begin: () => World<Letter>): Explored {
  const accepted: string[] = [];
  let played = 0;
  const go = (prefix: readonly Letter[]): void => {
    for (const letter of alphabet) {
      const world = begin();
      for (const earlier of prefix) world.play(earlier);
      const [before, told] = [world.mark(), world.seen.connected];
      world.play(letter);
      played++;
      const word = [...prefix, letter];
      assert.equal(world.seen, world.expected, word.join(' '));
      if (world.seen.connected > told) accepted.push(word.join(' '));
      if (word.length < depth && world.mark() !== before) go(word);
    }
  };
  go([]);
  return { played, accepted };
}

/** The context as new: without its peer, with empty lists. Much cheaper than a new one. */
export function cleared(rig: Rig, session: Session): Rig {
  const peer = rig.context.getPeer(session);
  if (peer !== undefined) rig.context.resetPeer(peer);
  rig.sent.length = rig.events.length = rig.reads.length = rig.scheduled.length = 0;
  return rig;
}
