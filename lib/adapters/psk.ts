/**
 * Pre-shared keys in the forms that people have them in, as answers to the engine's questions (RFC 4279 §2, §5).
 *
 * Law: identities and keys are bytes; text means its UTF-8. A failing lookup ends one handshake, never the process.
 */
import type { Answer, AnswerNow, PskInfoType, SessionKey } from '../engine/events.js';
import { isThenable } from '../engine/host.js';
import { copyOf, equalBytes, latin1 } from '../wire/bytes.js';
import { argument } from '../wire/errors.js';

/** Text stands for its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

/** One identity with its key. As a server: whoever has both may connect. */
export interface PskCredential {
  /** 1,024 bytes at most, unless `maxPskIdentityBytes` says otherwise. */
  readonly identity: Bytes;
  /** 1 to 65,535 bytes, better 16 random ones than a word (RFC 9257 §6). */
  readonly key: Bytes;
  /** As a client: use this credential for servers that send this hint. As a server: the hint to send. */
  readonly hint?: Bytes | undefined;
}

/** A server's own way from an identity to a key: the key, `null` for an unknown identity, or a promise of either. */
export type PskLookup = (identity: Uint8Array, session: SessionKey) => AnswerNow<Bytes> | PromiseLike<AnswerNow<Bytes>>;

/** A credential, several (a client takes the one for the server's hint, else the first), identities with keys, or a lookup. */
export type PskOption = PskCredential | readonly PskCredential[] | ReadonlyMap<string, Bytes> | PskLookup;

interface Known {
  readonly identity: Uint8Array;
  readonly key: Uint8Array;
  readonly hint: Uint8Array | null;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Answers questions about keys. */
export class PskSource {
  readonly #option: PskOption;
  readonly #known: readonly Known[];
  readonly #byIdentity: ReadonlyMap<string, Known>;
  readonly #lookup: PskLookup;
  readonly #hint: Uint8Array | null;

  /** Throws a LocalError for a credential that cannot be. `hint`: what a server sends, whatever the credentials say. */
  constructor(option: PskOption, hint?: Bytes) {
    this.#option = option;
    if (typeof option === 'function') {
      this.#known = [];
      this.#lookup = option;
    } else if (isMap(option)) {
      this.#known = [];
      // Not copied: devices may be added while the server runs.
      this.#lookup = (identity) => {
        const text = asText(identity);
        return text === null ? null : option.get(text);
      };
    } else {
      this.#known = (isList(option) ? option : [option]).map(checkCredential);
      if (this.#known.length === 0) throw argument('psk is an empty list');
      this.#lookup = () => null;
    }
    // The first of several keys for one identity counts, so that both roles use the same.
    this.#byIdentity = new Map(this.#known.map((known) => [latin1(known.identity), known] as const).reverse());
    this.#hint = hint === undefined ? (this.#known[0]?.hint ?? null) : toBytes(hint, 'pskHint');
  }

  /** Whether there is anything that a client could say of itself. */
  get canConnect(): boolean {
    return this.#known.length > 0;
  }

  /** Whether a client would get the same from both: the same bytes, or the same map or lookup. */
  equals(other: PskSource): boolean {
    const [known, others] = [this.#known, other.#known];
    if (known.length === 0) return this.#option === other.#option;
    return known.length === others.length && known.every((one, index) => isSame(one, others[index]!));
  }

  /** The answer to `getPskInfo`. */
  answer(session: SessionKey, type: PskInfoType, description: Uint8Array): Answer<Uint8Array> {
    if (type === 'hint') return this.#hint;
    if (type === 'identity') return this.#forHint(description)?.identity ?? null;
    const known = this.#byIdentity.get(latin1(description));
    if (known !== undefined) return known.key;
    return quietly(() => {
      const key = this.#lookup(description, session);
      return isThenable(key) ? Promise.resolve(key).then(bytesOf) : bytesOf(key);
    });
  }

  #forHint(hint: Uint8Array): Known | undefined {
    const name = latin1(hint);
    const meant = this.#known.find((known) => known.hint !== null && latin1(known.hint) === name);
    return meant ?? this.#known.find((known) => known.hint === null) ?? this.#known[0];
  }
}

/** A question to the host's own code: what it throws ends the handshake in question, with the error as its cause. */
export function quietly<T>(ask: () => Answer<T>): Answer<T> {
  try {
    return ask();
  } catch (error) {
    return Promise.reject(error);
  }
}

function checkCredential(credential: PskCredential): Known {
  if (typeof credential !== 'object' || credential === null) throw argument('a PSK credential is { identity, key }');
  const { identity, key, hint } = credential;
  const known = {
    identity: toBytes(identity, 'identity'),
    key: toBytes(key, 'key'),
    hint: hint === undefined ? null : toBytes(hint, 'hint'),
  };
  if (known.key.length === 0) throw argument('the key of a PSK credential is empty');
  return known;
}

function isSame(one: Known, other: Known): boolean {
  const hints = one.hint === null || other.hint === null ? one.hint === other.hint : equalBytes(one.hint, other.hint);
  return hints && equalBytes(one.identity, other.identity) && equalBytes(one.key, other.key);
}

function toBytes(value: unknown, what: string): Uint8Array {
  if (typeof value === 'string') return encoder.encode(value);
  if (value instanceof Uint8Array) return copyOf(value);
  throw argument(`${what} of a PSK credential is text or a Uint8Array`);
}

/** Text to bytes; everything else is for the engine to judge. */
function bytesOf(answer: AnswerNow<Bytes>): AnswerNow<Uint8Array> {
  return typeof answer === 'string' ? encoder.encode(answer) : answer;
}

/** The text whose UTF-8 `bytes` are; null for bytes that are none. */
export function asText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function isMap(option: PskOption): option is ReadonlyMap<string, Bytes> {
  return option instanceof Map;
}

function isList(option: PskOption): option is readonly PskCredential[] {
  return Array.isArray(option);
}
