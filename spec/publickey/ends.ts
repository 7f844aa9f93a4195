/**
 * Two contexts that hold raw P-256 keys, joined by a network: what the specs of public-key handshakes start from.
 */
import type { DtlsHandler, DtlsOptions, EcdsaKey, Provider } from '../../lib/index.js';
import { nobleProvider } from '../../lib/crypto/noble/index.js';
import { CERTIFICATE_SUITES } from '../../lib/suites/certificate.js';
import { Link, type LinkOptions, type Node } from '../support/link.js';
import { equal } from '../support/rig.js';
import { Random } from '../support/random.js';

/** A P-256 key pair that is the same for the same seed. */
export function ecdsaKey(seed: number): EcdsaKey {
  const random = new Random(seed);
  const share = nobleProvider.groups.secp256r1!.generate((length) => random.bytes(length));
  // The group gives no scalar away: take one of our own and ask the provider for its point.
  share.wipe();
  const scalar = new Random(seed + 1000).bytes(32);
  const key = nobleProvider.signatures.ec!.publicKey({ kind: 'ec', curve: 'secp256r1', scalar });
  if (key?.kind !== 'ec') throw new Error('no key for this seed');
  return { privateKey: scalar, publicKeyX: key.point.slice(1, 33), publicKeyY: key.point.slice(33) };
}

export const SERVER_KEY: EcdsaKey = ecdsaKey(1);
export const CLIENT_KEY: EcdsaKey = ecdsaKey(2);
export const STRANGER_KEY: EcdsaKey = ecdsaKey(3);

/** A handler that trusts exactly one raw key. */
export function trusts(key: EcdsaKey): Required<Pick<DtlsHandler, 'verifyEcdsaKey'>> {
  return { verifyEcdsaKey: (_, __, x, y) => equal(x, key.publicKeyX) && equal(y, key.publicKeyY) };
}

export interface Ends {
  readonly link: Link;
  readonly client: Node;
  readonly server: Node;
}

export interface EndsOptions {
  readonly crypto?: Provider;
  readonly link?: LinkOptions;
  readonly client?: Partial<DtlsHandler>;
  readonly server?: Partial<DtlsHandler>;
  readonly clientOptions?: DtlsOptions;
  readonly serverOptions?: DtlsOptions;
}

/** A client and a server with nothing but what `options` gives them; the handshake has begun. */
export function begin(options: EndsOptions): Ends {
  const link = new Link(options.link);
  const bare = { getPskInfo: undefined } as unknown as Partial<DtlsHandler>;
  const base = { cipherSuites: CERTIFICATE_SUITES, ...(options.crypto === undefined ? {} : { crypto: options.crypto }) };
  const client = link.add('client', { ...base, ...options.clientOptions }, { ...bare, ...options.client });
  const server = link.add('server', { ...base, ...options.serverOptions }, { ...bare, ...options.server });
  client.context.connect('server');
  return { link, client, server };
}

/** Lets the network run and promises settle until nothing happens any more. */
export async function settle({ link }: Ends): Promise<void> {
  for (let round = 0; round < 12; round++) {
    link.run(() => false, 200);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function areConnected({ client, server }: Ends): boolean {
  return client.context.getPeer('server')?.state === 'connected' && server.context.getPeer('client')?.state === 'connected';
}
