/**
 * A provider that does nothing twice: key pairs by what was drawn for them, secrets, signatures and verdicts by what
 * went in. With seeded randomness thousands of handshakes cost as much public-key work as one. ECDSA, which draws a
 * nonce, gives the same signature for the same message with it. Never for keys that matter: nothing is wiped.
 */
import { composeProvider, type Group, type KeyShare, type Provider, type Signatures, type Signer, type Verifier } from '../../lib/crypto/provider.js';
import type { GroupName } from '../../lib/crypto/keys.js';

const SCALAR_BYTES: Readonly<Record<GroupName, number>> = { x25519: 32, secp256r1: 32, secp384r1: 48 };

/** What `make` gave for these bytes the first time. */
class Memory<T> {
  readonly #known: Map<string, T> = new Map();

  of(parts: readonly (Uint8Array | string | number)[], make: () => T): T {
    const name = parts.map((part) => (part instanceof Uint8Array ? Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1') : part)).join('|');
    let value = this.#known.get(name);
    if (value === undefined) this.#known.set(name, (value = make()));
    return value;
  }
}

/** `provider`, remembering its public-key operations. */
export function remembering(provider: Provider): Provider {
  const groups = Object.fromEntries(Object.entries(provider.groups).map(([name, group]) => [name, rememberingGroup(group)]));
  const signatures = Object.fromEntries(Object.entries(provider.signatures).map(([kind, family]) => [kind, rememberingSignatures(family)]));
  return composeProvider(provider.name, provider, { groups, signatures });
}

function rememberingGroup(group: Group): Group {
  const { name } = group;
  const shares = new Memory<KeyShare>();
  return {
    name,
    generate: (random) => {
      const drawn = random(SCALAR_BYTES[name]);
      return shares.of([drawn], () => rememberingShare(group.generate(() => drawn.slice())));
    },
  };
}

function rememberingShare(share: KeyShare): KeyShare {
  const secrets = new Memory<Uint8Array | null>();
  return {
    publicKey: share.publicKey,
    // Whoever asks for a secret wipes it.
    agree: (peerPublic) => secrets.of([peerPublic], () => share.agree(peerPublic))?.slice() ?? null,
    wipe: () => {},
  };
}

function rememberingSignatures(family: Signatures): Signatures {
  const verifiers = new Memory<Verifier | null>();
  const signers = new Memory<Signer | null>();
  return {
    publicKey: (key) => family.publicKey(key),
    verifier: (key) => verifiers.of(Object.values(key), () => {
      const verifier = family.verifier(key);
      const verdicts = new Memory<boolean>();
      if (verifier === null) return null;
      return { verify: (scheme, message, signature) => verdicts.of([scheme, signature, message], () => verifier.verify(scheme, message, signature)) };
    }),
    signer: (key) => signers.of(Object.values(key), () => {
      const signer = family.signer(key);
      const signatures = new Memory<Uint8Array | null>();
      if (signer === null) return null;
      const sign: Signer['sign'] = (scheme, message) => signatures.of([scheme, message], () => signer.sign(scheme, message))?.slice() ?? null;
      return { schemes: signer.schemes, sign, wipe: () => {} };
    }),
  };
}
