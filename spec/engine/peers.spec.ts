/**
 * The peers table against a plain list: look-ups by value and by identity, limits, and who gives way.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Session } from '../../lib/index.js';
import type { Parameters } from '../../lib/engine/config.js';
import { Peer } from '../../lib/engine/peer.js';
import { Peers } from '../../lib/engine/peers.js';
import { canonical } from '../../lib/engine/session.js';
import { holds } from '../support/checked.js';

const parameters = { mtu: 1232 } as Parameters;
const newPeer = (session: Session): Peer => new Peer(canonical(session), parameters);

/** The same session in another object, where there is an object. */
const copyOf = (session: Session): Session => (typeof session === 'string' ? session : { ...session });
const nameOf = (session: Session): string => (typeof session === 'string' ? `name ${session}` : `${session.address} ${session.port} ${session.ifindex ?? 0}`);
const addressOf = (session: Session): string => (typeof session === 'string' ? session : session.address);

interface Entry {
  readonly peer: Peer;
  halfOpen: boolean;
}

/** In the order they came. */
class SlowTable {
  readonly list: Entry[] = [];

  find(session: Session): Peer | undefined {
    return this.list.find(({ peer }) => nameOf(peer.session) === nameOf(session))?.peer;
  }

  /** Who may go: undefined for nobody, an empty list for "there is room". */
  victims(session: Session, limits: { maxPeers: number; maxHalfOpenPeers: number; maxHalfOpenPeersPerAddress: number }): Peer[] | undefined {
    const halfOpen = this.list.filter((entry) => entry.halfOpen);
    const crowd = (address: string): Peer[] => halfOpen.filter(({ peer }) => addressOf(peer.session) === address).map(({ peer }) => peer);
    const own = crowd(addressOf(session));
    if (own.length >= limits.maxHalfOpenPeersPerAddress) return [own[0]!];
    if (halfOpen.length < limits.maxHalfOpenPeers && this.list.length < limits.maxPeers) return [];
    if (halfOpen.length === 0) return undefined;
    const crowds = [...new Set(halfOpen.map(({ peer }) => addressOf(peer.session)))].map(crowd);
    const fullest = Math.max(...crowds.map(({ length }) => length));
    return crowds.filter(({ length }) => length === fullest).map(([oldest]) => oldest!);
  }

  remove(peer: Peer): void {
    this.list.splice(this.list.findIndex((entry) => entry.peer === peer), 1);
  }
}

const SESSIONS: readonly Session[] = [
  ...['10.0.0.1', '10.0.0.2', 'fe80::1'].flatMap((address) => [1, 2, 65_535].map((port) => ({ address, port }))),
  { address: 'fe80::1', port: 1, ifindex: 1 }, { address: 'fe80::1', port: 1, ifindex: 65_535 }, { address: '10.0.0.1', port: 0 },
  { address: '10.0.0.1', port: 1, ifindex: 2 ** 31 - 1 }, 'a name', 'another name', '10.0.0.1', '',
];

test('the table says what a list of everybody says', () => {
  const limits = { maxPeers: 9, maxHalfOpenPeers: 6, maxHalfOpenPeersPerAddress: 3 };
  const step = fc.record({ what: fc.constantFrom('add', 'add', 'establish', 'remove'), which: fc.nat(SESSIONS.length - 1) });
  let evicted = 0;
  holds(fc.property(fc.array(step, { minLength: 60, maxLength: 120 }), (steps) => {
    const table = new Peers(limits);
    const twin = new SlowTable();
    const gone: Peer[] = [];
    const remove = (peer: Peer): void => {
      table.remove(peer);
      peer.table = null;
      twin.remove(peer);
      gone.push(peer);
    };
    for (const { what, which } of steps) {
      const session = SESSIONS[which]!;
      const known = twin.find(session);
      if (what === 'add' && known === undefined) {
        const allowed = twin.victims(session, limits);
        const victim = table.victim(session);
        if (allowed === undefined) assert.is(victim, undefined);
        else if (allowed.length === 0) assert.is(victim, null);
        else assert.ok(victim !== null && victim !== undefined && allowed.includes(victim), 'the wrong one would go');
        if (allowed === undefined) continue;
        if (victim) {
          remove(victim);
          evicted++;
        }
        const peer = newPeer(session);
        table.add(peer);
        peer.table = table;
        twin.list.push({ peer, halfOpen: true });
      } else if (what === 'establish' && known !== undefined) {
        table.establish(known);
        twin.list.find(({ peer }) => peer === known)!.halfOpen = false;
      } else if (what === 'remove' && known !== undefined) {
        remove(known);
      }
      assert.equal([table.size, table.halfOpen], [twin.list.length, twin.list.filter(({ halfOpen }) => halfOpen).length]);
      for (const each of SESSIONS) assert.is(table.find(copyOf(each)), twin.find(each), nameOf(each));
      for (const { peer } of twin.list) assert.is(table.find(peer.session), peer);
      // A session that was handed out for a peer that is gone means whoever has its address now.
      for (const { session } of gone) assert.is(table.find(session), twin.find(session));
      const byName = (a: Peer, b: Peer): number => (nameOf(a.session) < nameOf(b.session) ? -1 : 1);
      assert.equal(table.all().sort(byName).map(({ session }) => nameOf(session)), twin.list.map(({ peer }) => peer).sort(byName).map(({ session }) => nameOf(session)));
    }
  }), 100);
  assert.ok(evicted > 50);
});

test('a peer that another table handed out is looked up by its address', () => {
  const limits = { maxPeers: 9, maxHalfOpenPeers: 6, maxHalfOpenPeersPerAddress: 3 };
  const [one, other] = [new Peers(limits), new Peers(limits)];
  const peers = [one, other].map((table) => {
    const peer = newPeer({ address: '10.0.0.1', port: 9 });
    table.add(peer);
    peer.table = table;
    return peer;
  });
  assert.is(other.find(peers[0]!.session), peers[1]);
  assert.is(one.find(peers[1]!.session), peers[0]);
});

test('removing a peer twice, or one that never was there, changes nothing', () => {
  const table = new Peers({ maxPeers: 9, maxHalfOpenPeers: 6, maxHalfOpenPeersPerAddress: 3 });
  const [peer, namesake] = [newPeer('x'), newPeer('x')];
  table.add(peer);
  table.remove(namesake);
  assert.equal([table.size, table.halfOpen, table.find('x')], [1, 1, peer]);
  table.remove(peer);
  table.remove(peer);
  assert.equal([table.size, table.halfOpen, table.find('x')], [0, 0, undefined]);
  table.establish(peer);
  assert.is(table.halfOpen, 0);
});

test('half-open peers that come and go leave nothing behind', () => {
  const table = new Peers({ maxPeers: 1000, maxHalfOpenPeers: 100, maxHalfOpenPeersPerAddress: 10 });
  for (let i = 0; i < 5000; i++) {
    const session = { address: `10.0.${i % 40}.1`, port: 1 + (i % 5000) };
    const victim = table.victim(session);
    if (victim) table.remove(victim);
    table.add(newPeer(session));
    assert.ok(table.halfOpen <= 100);
  }
  for (const peer of table.all()) table.remove(peer);
  assert.equal([table.size, table.halfOpen], [0, 0]);
  assert.is(table.victim({ address: '10.0.0.1', port: 1 }), null);
});

test.run();
