/**
 * A process of its own, started with --expose-gc: begins ten thousand handshakes in both roles, destroys each at some
 * step, and prints what is left: bytes of heap, peers, deadlines.
 */
import { stateOf } from '../support/inside.js';
import { IDENTITY, join, KEY, Rig } from '../support/rig.js';
import { Random } from '../support/random.js';
import { fetchCookie, ScriptedPeer, takeServerFlight, toServerFlight } from '../support/scripted.js';
import type { Session } from '../../lib/index.js';

const WARM_UP = 12_000;
const ROUNDS = 10_000;
const random = new Random(1);
let pending = false;

const rig = new Rig({ cookieLifetimeMs: 86_400_000 }, {
  getPskInfo: (_, __, type) => {
    // Now and then a promise that nobody keeps and that never settles.
    if (pending) return new Promise<never>(() => {});
    return type === 'hint' ? null : type === 'identity' ? IDENTITY : KEY;
  },
});

/** A server's half of a handshake, up to some step. */
function serve(session: Session, steps: number): void {
  const peer = new ScriptedPeer('client', { seed: random.below(2 ** 32) });
  fetchCookie(rig, peer, session);
  if (steps === 0) return;
  const body = peer.clientHelloBody();
  if (steps === 1) return void rig.feed(session, peer.record(22, peer.fragment(1, body.subarray(0, 70), { length: body.length })));
  rig.feed(session, peer.clientHello());
  if (steps === 2) return;
  takeServerFlight(peer, rig.takeSent());
  rig.feed(session, peer.record(22, peer.fragment(16, new Uint8Array(600), { length: 4000, messageSeq: 3 })));
  if (steps === 3) return;
  peer.deriveKeys();
  rig.feed(session, join(peer.changeCipherSpec(), peer.applicationData(new Uint8Array(500))));
  if (steps === 4 || stateOf(rig, session) !== 'waitPskClientKeyExchange') return;
  rig.feed(session, peer.clientKeyExchange());
}

/** A client's half of a handshake, up to some step. */
function ask(session: Session, steps: number): void {
  const peer = new ScriptedPeer('server', { seed: random.below(2 ** 32) });
  rig.context.connect(session);
  if (steps === 0) return void rig.takeSent();
  toServerFlight(rig, peer, session);
  if (steps > 1) rig.feed(session, peer.serverHello());
  if (steps > 3) rig.feed(session, peer.serverHelloDone());
}

function destroy(session: Session): void {
  const peer = rig.context.getPeer(session);
  if (peer === undefined) return;
  if (random.chance(0.5)) rig.context.resetPeer(peer);
  else rig.context.close(session);
}

function round(index: number): void {
  const session = random.chance(0.5) ? `peer ${index}` : { address: `192.0.2.${index % 256}`, port: index % 65_536 };
  pending = random.chance(0.1);
  // Few get as far as keys: those cost a hundred times the others.
  const steps = random.chance(0.05) ? 5 : random.below(5);
  if (random.chance(0.5)) serve(session, steps);
  else ask(session, Math.min(steps, random.chance(0.05) ? 4 : 3));
  destroy(session);
  rig.takeSent();
  rig.events.length = rig.reads.length = rig.scheduled.length = 0;
}

async function heap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc!();
  }
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

for (let index = 0; index < WARM_UP; index++) round(index);
const before = await heap();
for (let index = 0; index < ROUNDS; index++) round(index);
const { halfOpen, established, deadlines, heldBytes } = rig.context.stats();
const after = await heap();
console.log(JSON.stringify({ grown: after - before, halfOpen, established, deadlines, heldBytes, errors: rig.errors.length }));
