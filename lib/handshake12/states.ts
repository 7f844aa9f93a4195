/**
 * The DTLS 1.2 handshake on one screen: role → state → message → handler. A key exchange adds the rows between the
 * hellos and Finished (see psk.ts); `tablesOf` joins them.
 *
 * ChangeCipherSpec is no handshake message and has no row: it lets Finished come, and Finished comes in the new epoch
 * only. What is not here is unexpected_message.
 */
import { HandshakeType } from '../wire/registry.js';
import { onHelloVerifyRequest, onServerFinished, onServerHello } from './client.js';
import type { KeyExchange12, Table12 } from './handshake.js';
import { onClientFinished, onClientHello } from './server.js';

export const clientStates: Table12 = {
  waitServerHello: {
    [HandshakeType.helloVerifyRequest]: onHelloVerifyRequest,
    [HandshakeType.serverHello]: onServerHello,
  },
  // … the key exchange …
  waitFinished: { [HandshakeType.finished]: onServerFinished },
  connected: {},
};

export const serverStates: Table12 = {
  waitClientHello: { [HandshakeType.clientHello]: onClientHello },
  // … the key exchange …
  waitFinished: { [HandshakeType.finished]: onClientFinished },
  connected: {},
};

/** Both tables with the rows of the key exchanges in use. */
export function tablesOf(keyExchanges: Iterable<KeyExchange12>): { readonly client: Table12; readonly server: Table12 } {
  let client = clientStates;
  let server = serverStates;
  for (const { clientRows, serverRows } of keyExchanges) {
    client = { ...client, ...clientRows };
    server = { ...server, ...serverRows };
  }
  return { client, server };
}
