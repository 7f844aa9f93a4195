/**
 * FSM, the order of messages with raw public keys (RFC 7250) and certificates: what must be shown and proved before
 * anybody is believed (RFC 5246 §7.3, §7.4.2, §7.4.6, §7.4.8).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DTLS_EVENT_CONNECTED } from '../../lib/index.js';
import { CertifiedPeer, certifiedRig, establishCertified, establishCertifiedClient } from '../support/certified.js';
import { holder, KINDS } from '../support/holders.js';
import { CLIENT, SERVER, text, type Rig } from '../support/rig.js';

const connected = (rig: Rig): number => rig.codes.filter((code) => code === DTLS_EVENT_CONNECTED).length;

for (const kind of KINDS) {
  test(`an honest scripted client completes with a server, and a server with a client: ${kind}`, () => {
    for (const asks of [true, false]) {
      for (const extendedMasterSecret of [true, false]) {
        for (const group of ['x25519', 'secp256r1'] as const) {
          const options = { clientAuthentication: asks ? 'require' : 'none', forceExtendedMasterSecret: extendedMasterSecret } as const;
          const server = certifiedRig('server', kind, options);
          const client = establishCertified(server, new CertifiedPeer('client', kind, { extendedMasterSecret, group }));
          assert.is(connected(server), 1);
          const identity = server.context.getPeer(CLIENT)?.identity;
          if (!asks) assert.is(identity, null);
          else if (identity?.kind === 'rawKey') assert.equal([identity.spki], holder('rawKey', 'client').chain);
          else assert.equal(identity?.kind === 'x509' && identity.chain, holder('x509', 'client').chain);
          server.feed(CLIENT, client.applicationData(text('there')));
          assert.equal(server.reads.map(({ bytes }) => bytes), [text('there')]);

          const other = certifiedRig('client', kind, options);
          const peer = establishCertifiedClient(other, new CertifiedPeer('server', kind, { extendedMasterSecret, group }), asks);
          assert.is(connected(other), 1);
          assert.is(other.context.getPeer(SERVER)?.identity?.kind, kind);
          assert.is(peer.messages.some(({ type }) => type === 15), asks);
          other.context.write(SERVER, text('back'));
          peer.take(...other.takeSent());
          assert.equal(peer.data, [text('back')]);
        }
      }
    }
  });
}

test.run();
