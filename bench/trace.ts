/**
 * What an operation asks of its crypto provider, written down call by call and played again without anything around
 * it: the raw reference of the handshakes.
 *
 * Law: a trace is played with the very arguments it was recorded with, so that what was opened opens again. Objects
 * made before the recording began (a context's cookie secret) are made before the playing begins.
 */
import type {
  Aead, AeadAlgorithm, Group, Hash, Hmac, KeyShare, Provider, RunningHash, Signatures, Signer, Verifier,
} from '../lib/crypto/provider.js';
import { sink, type Work } from './harness.js';

/** How often each thing was asked for. Updates are not counted: they only cut a digest's input in pieces. */
export interface Counts {
  /** HMAC keys set up. */
  hmacKeys: number;
  hmacs: number;
  digests: number;
  aeadKeys: number;
  seals: number;
  opens: number;
  keyShares: number;
  agreements: number;
  /** Private and public keys set up to sign and to verify with. */
  signerKeys: number;
  verifierKeys: number;
  signatures: number;
  verifications: number;
}

/** Plays one call; `made` holds the objects by number. */
type Step = (made: unknown[]) => void;

/** What a call belongs to: symmetric work, public-key work, or the setting up of a key to sign or verify with. */
type Part = 'symmetric' | 'publicKey' | 'key';

interface Made<T> {
  readonly slot: number;
  readonly object: T;
}

export class Trace {
  /** The provider to hand to the engine: it does what the bare one does, and writes it down. */
  readonly provider: Provider;
  readonly counts: Counts = {
    hmacKeys: 0, hmacs: 0, digests: 0, aeadKeys: 0, seals: 0, opens: 0,
    keyShares: 0, agreements: 0, signerKeys: 0, verifierKeys: 0, signatures: 0, verifications: 0,
  };
  #before: Step[] = [];
  #steps: { readonly part: Part; readonly step: Step }[] = [];
  #recording = false;
  #slots = 0;

  constructor(bare: Provider) {
    this.provider = {
      name: bare.name,
      hashes: mapped(bare.hashes, (hash) => this.#hash(hash)),
      aeads: mapped(bare.aeads, (algorithm) => this.#algorithm(algorithm)),
      groups: mapped(bare.groups, (group) => this.#group(group)),
      signatures: mapped(bare.signatures, (family) => this.#signatures(family)),
    };
  }

  /** From here on calls count. */
  begin(): void {
    this.#recording = true;
  }

  /**
   * Plays the recorded calls, over and over. With `publicKey` only key pairs, shared secrets, signatures and verifications,
   * under keys that are set up beforehand.
   */
  work(only: 'everything' | 'publicKey' = 'everything'): Work {
    this.#recording = false;
    const made: unknown[] = new Array(this.#slots);
    for (const step of this.#before) step(made);
    if (only === 'publicKey') for (const { part, step } of this.#steps) if (part === 'key') step(made);
    const steps = this.#steps.filter(({ part }) => only === 'everything' || part === 'publicKey').map(({ step }) => step);
    return {
      run(count) {
        for (let i = 0; i < count; i++) for (let at = 0; at < steps.length; at++) steps[at]!(made);
      },
    };
  }

  #make<T>(object: T, again: () => T, part: Part = 'symmetric'): Made<T> {
    const slot = this.#slots++;
    const step: Step = (made) => void (made[slot] = again());
    if (this.#recording) this.#steps.push({ part, step });
    else this.#before.push(step);
    return { slot, object };
  }

  #note(kind: keyof Counts | null, step: Step, part: Part = 'symmetric'): void {
    if (!this.#recording) return;
    this.#steps.push({ part, step });
    if (kind !== null) this.counts[kind]++;
  }

  #hash(bare: Hash): Hash {
    return {
      name: bare.name,
      outputLength: bare.outputLength,
      start: () => this.#running(this.#make(bare.start(), () => bare.start())),
      hmac: (key) => {
        const copy = key.slice();
        if (this.#recording) this.counts.hmacKeys++;
        return this.#hmac(this.#make(bare.hmac(key), () => bare.hmac(copy)));
      },
    };
  }

  #running({ slot, object }: Made<RunningHash>): RunningHash {
    return {
      update: (data) => {
        const copy = data.slice();
        this.#note(null, (made) => (made[slot] as RunningHash).update(copy));
        object.update(data);
      },
      digest: () => {
        this.#note('digests', (made) => void (sink.value = (made[slot] as RunningHash).digest()));
        return object.digest();
      },
      wipe: () => {
        this.#note(null, (made) => (made[slot] as RunningHash).wipe());
        object.wipe();
      },
    };
  }

  #hmac({ slot, object }: Made<Hmac>): Hmac {
    const { outputLength } = object;
    const out = new Uint8Array(outputLength);
    return {
      outputLength,
      compute: (target, at, data, length = data.length) => {
        const copy = data.slice(0, length);
        this.#note('hmacs', (made) => (made[slot] as Hmac).compute(out, 0, copy, length));
        object.compute(target, at, data, length);
      },
      wipe: () => {
        this.#note(null, (made) => (made[slot] as Hmac).wipe());
        object.wipe();
      },
    };
  }

  #algorithm(bare: AeadAlgorithm): AeadAlgorithm {
    return {
      ...bare,
      create: (key) => {
        const copy = key.slice();
        if (this.#recording) this.counts.aeadKeys++;
        return this.#aead(this.#make(bare.create(key), () => bare.create(copy)));
      },
    };
  }

  #aead({ slot, object }: Made<Aead>): Aead {
    const { tagLength } = object;
    return {
      tagLength,
      seal: (out, at, nonce, aad, plain) => {
        const copies = [nonce.slice(), aad.slice(), plain.slice()] as const;
        const scratch = new Uint8Array(plain.length + tagLength);
        this.#note('seals', (made) => (made[slot] as Aead).seal(scratch, 0, ...copies));
        return object.seal(out, at, nonce, aad, plain);
      },
      open: (out, at, nonce, aad, sealed, start = 0, end = sealed.length) => {
        const copies = [nonce.slice(), aad.slice(), sealed.slice(start, end)] as const;
        const scratch = new Uint8Array(sealed.length);
        this.#note('opens', (made) => {
          if ((made[slot] as Aead).open(scratch, 0, ...copies) < 0) throw new Error('what was opened does not open again');
        });
        return object.open(out, at, nonce, aad, sealed, start, end);
      },
      wipe: () => {
        this.#note(null, (made) => (made[slot] as Aead).wipe());
        object.wipe();
      },
    };
  }

  #group(bare: Group): Group {
    return {
      ...bare,
      generate: (random) => {
        // Played with the same private key: what is measured is the arithmetic.
        const drawn: Uint8Array[] = [];
        const share = bare.generate((length) => {
          const bytes = random(length);
          drawn.push(bytes.slice());
          return bytes;
        });
        let at = 0;
        const again = (): KeyShare => bare.generate(() => drawn[at++ % drawn.length]!.slice());
        if (this.#recording) this.counts.keyShares++;
        return this.#keyShare(this.#make(share, again, 'publicKey'));
      },
    };
  }

  #keyShare({ slot, object }: Made<KeyShare>): KeyShare {
    return {
      publicKey: object.publicKey,
      agree: (peerPublic) => {
        const copy = peerPublic.slice();
        this.#note('agreements', (made) => void (sink.value = (made[slot] as KeyShare).agree(copy)), 'publicKey');
        return object.agree(peerPublic);
      },
      wipe: () => {
        this.#note(null, (made) => (made[slot] as KeyShare).wipe(), 'publicKey');
        object.wipe();
      },
    };
  }

  #signatures(bare: Signatures): Signatures {
    return {
      publicKey: (key) => bare.publicKey(key),
      verifier: (key) => {
        if (this.#recording) this.counts.verifierKeys++;
        const verifier = bare.verifier(key);
        return verifier === null ? null : this.#verifier(this.#make(verifier, () => bare.verifier(key)!, 'key'));
      },
      signer: (key) => {
        if (this.#recording) this.counts.signerKeys++;
        const signer = bare.signer(key);
        return signer === null ? null : this.#signer(this.#make(signer, () => bare.signer(key)!, 'key'));
      },
    };
  }

  #verifier({ slot, object }: Made<Verifier>): Verifier {
    return {
      verify: (scheme, message, signature) => {
        const copies = [message.slice(), signature.slice()] as const;
        this.#note('verifications', (made) => {
          if (!(made[slot] as Verifier).verify(scheme, ...copies)) throw new Error('what was verified does not verify again');
        }, 'publicKey');
        return object.verify(scheme, message, signature);
      },
    };
  }

  #signer({ slot, object }: Made<Signer>): Signer {
    return {
      schemes: object.schemes,
      sign: (scheme, message) => {
        const copy = message.slice();
        this.#note('signatures', (made) => void (sink.value = (made[slot] as Signer).sign(scheme, copy)), 'publicKey');
        return object.sign(scheme, message);
      },
      wipe: () => {
        this.#note(null, (made) => (made[slot] as Signer).wipe(), 'publicKey');
        object.wipe();
      },
    };
  }
}

function mapped<K extends string, T>(table: Partial<Readonly<Record<K, T>>>, change: (value: T) => T): Partial<Record<K, T>> {
  const entries = Object.entries(table) as [K, T][];
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)])) as Partial<Record<K, T>>;
}
