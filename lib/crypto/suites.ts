/**
 * What a cipher suite is: one row, an object that names its algorithms and carries its key exchange.
 * The rows themselves stand in `suites/`, as values, so that a bundle holds only those it names.
 */
import type { AeadName, HashName, Provider } from './provider.js';

/** How the record nonce is made: RFC 5288 §3 / RFC 6655 §3 (4-byte salt ‖ 8 explicit bytes), or RFC 7905 §2 (12 bytes, XOR). */
export type NonceForm = 'explicit' | 'xor';

/** The key exchange of a suite, as the floors below the handshake see it: a name. `handshake12/` adds the behaviour. */
export interface KeyExchange {
  readonly name: string;
  /** Whether the server must show a credential. */
  readonly certified: boolean;
  /** Whether it needs a group of ECDHE. */
  readonly ephemeral: boolean;
  /** Whether both sides must have a pre-shared key. */
  readonly preShared: boolean;
}

/** One cipher suite. */
export interface CipherSuite {
  /** IANA number. */
  readonly id: number;
  /** IANA name, e.g. `TLS_PSK_WITH_AES_128_CCM_8`. */
  readonly name: string;
  readonly keyExchange: KeyExchange;
  readonly aead: AeadName;
  /** The PRF's hash (RFC 5246 §5), also the transcript's. */
  readonly hash: HashName;
  readonly nonceForm: NonceForm;
}

/** A row. How its nonces are made follows from its AEAD. */
export function cipherSuite(id: number, name: string, keyExchange: KeyExchange, aead: AeadName, hash: HashName): CipherSuite {
  return { id, name, keyExchange, aead, hash, nonceForm: aead === 'chacha20-poly1305' ? 'xor' : 'explicit' };
}

/** Whether `provider` can do everything that `suite` names. */
export function supports(provider: Provider, suite: CipherSuite): boolean {
  const { ephemeral, certified } = suite.keyExchange;
  if (provider.hashes[suite.hash] === undefined || provider.aeads[suite.aead] === undefined) return false;
  if (ephemeral && Object.keys(provider.groups).length === 0) return false;
  return !certified || Object.keys(provider.signatures).length > 0;
}
