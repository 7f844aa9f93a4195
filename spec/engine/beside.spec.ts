/**
 * A newcomer beside a living association: what nobody signed and what comes late never touches the association, and
 * what is half-open is counted as such.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CLOSED, DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED, DTLS_EVENT_ERROR } from '../../lib/index.js';
import { CLIENT, join, Rig, SERVER, text } from '../support/rig.js';
import { clientFlight, establish, fetchCookie, ScriptedPeer, takeServerFlight, toServerHelloDone } from '../support/scripted.js';

test('an unsigned close_notify to a newcomer is no end of the association beside it', () => {
  const rig = new Rig();
  const client = establish(rig);
  const newcomer = new ScriptedPeer('client', { seed: 5 });
  toServerHelloDone(rig, newcomer);
  rig.feed(CLIENT, newcomer.alert(2, 0));
  assert.is(rig.codes.includes(DTLS_EVENT_CLOSED), false);
  assert.is(rig.codes.at(-1), DTLS_EVENT_ERROR);
  assert.is(rig.context.getPeer(CLIENT)?.state, 'connected');
  rig.feed(CLIENT, client.applicationData(text('still here')));
  assert.equal(rig.reads.map(({ bytes }) => bytes), [text('still here')]);
});

test('a late copy of the ClientHello that made the association starts nothing and is answered with nothing', () => {
  const rig = new Rig();
  const client = new ScriptedPeer('client');
  fetchCookie(rig, client);
  const hello = client.clientHello();
  rig.feed(CLIENT, hello);
  takeServerFlight(client, rig.takeSent());
  rig.feed(CLIENT, join(...clientFlight(client)));
  rig.takeSent();
  rig.advance(3000);
  for (let copy = 0; copy < 5; copy++) rig.feed(CLIENT, hello);
  assert.equal(rig.takeSent(), []);
  assert.is(rig.context.stats().deadlines, 0);
  rig.runOut();
  assert.equal(rig.codes, [DTLS_EVENT_CONNECT, DTLS_EVENT_CONNECTED]);
});

test('a newcomer that outlives its association counts as half-open', () => {
  const rig = new Rig();
  const client = establish(rig);
  toServerHelloDone(rig, new ScriptedPeer('client', { seed: 5 }));
  rig.feed(CLIENT, client.alert(1, 0, { epoch: 1 }));
  const { halfOpen, established } = rig.context.stats();
  assert.equal([halfOpen, established], [1, 0]);
  rig.runOut();
  assert.equal([rig.context.stats().halfOpen, rig.context.stats().heldBytes], [0, 0]);
});

test('a smaller MTU that is told inside the CONNECT event leaves the timer armed', () => {
  const rig: Rig = new Rig({}, {
    event: (context, session, _, code) => {
      if (code === DTLS_EVENT_CONNECT) context.setMtu(session, 200);
    },
  });
  rig.context.connect(SERVER);
  assert.is(rig.context.stats().deadlines, 1);
  rig.runOut();
  assert.is(rig.context.getPeer(SERVER), undefined);
});

test('a write callback that throws in a tick does not lose the deadline', () => {
  const rig = new Rig({}, { error: undefined as never });
  rig.context.connect(SERVER);
  rig.onWrite = () => {
    throw new Error('no network');
  };
  rig.now += 1000;
  assert.throws(() => rig.context.checkRetransmit(), /no network/);
  assert.ok(rig.scheduled.at(-1)! > rig.now, 'the host was told when to come back');
});

test('a close inside a write callback that fails does not recurse', () => {
  let writes = 0;
  const rig: Rig = new Rig({}, {
    write: (context, session) => {
      writes++;
      context.close(session);
      return -1;
    },
  });
  rig.context.connect(SERVER);
  assert.ok(writes <= 3, String(writes));
});

test('an MTU that is no whole number is refused', () => {
  assert.throws(() => new Rig({ mtu: 100.5 }), /mtu is 100.5/);
});

test.run();
