/**
 * A scripted peer that speaks ECDHE_ECDSA with raw public keys or certificates, in either role, as honestly or as
 * wrongly as it is told to: it owns its ephemeral key and its long-term one, and signs anything.
 */
import { NamedGroup, SignatureScheme, type PrivateKey } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import type { Provider } from '../../lib/crypto/provider.js';
import { CertificateType } from '../../lib/handshake/authenticate.js';
import type { DtlsHandler, DtlsOptions, Session } from '../../lib/index.js';
import {
  ClientCertificateType, writeCertificate, writeCertificateRequest, writeCertificateVerify, writeRawPublicKey, type CertificateRequest,
} from '../../lib/message/certificate.js';
import { writeCertificateTypes, writeNumbers } from '../../lib/message/extensionbodies.js';
import {
  readEcdheClientKeyExchange, readEcdheServerKeyExchange, writeEcdheClientKeyExchange, writeEcdheServerKeyExchange, writeEcdhParameters,
} from '../../lib/message/keyexchange.js';
import { ECDHE_ECDSA_AES_128_GCM_SHA256 } from '../../lib/suites/certificate.js';
import { ExtensionType, HandshakeType } from '../../lib/wire/registry.js';
import { EphemeralPeer, type EphemeralOptions } from './ephemeral.js';
import { credentialOf, holder, trustIn, SERVER_NAME, VALID_AT, type Holder, type Kind } from './holders.js';
import { CLIENT, join, Rig, SERVER } from './rig.js';
import { takeClientFlight, toServerFlight, toServerHelloDone, type MessageOptions, type RecordOptions } from './scripted.js';

type Options = RecordOptions & MessageOptions;

export interface CertifiedOptions extends EphemeralOptions {
  /** What it shows; null for nothing. By default what an honest peer of its role shows. `crypto` signs. */
  readonly holder?: Holder | null;
  /** Certificate types that a client's hello names or a server's answers: of clients, of servers. Null: no extension. */
  readonly clientTypes?: readonly number[] | null;
  readonly serverTypes?: readonly number[] | null;
}

/** How a signature may differ from an honest one. */
export interface Signing {
  readonly scheme?: number;
  /** Signs; by default the key that is shown. */
  readonly privateKey?: PrivateKey;
  /** Is signed. */
  readonly message?: Uint8Array;
  /** Stands in the signature's place. */
  readonly signature?: Uint8Array;
}

/** ServerKeyExchange other than honest. */
export interface Exchange extends Signing {
  readonly group?: number;
  readonly publicKey?: Uint8Array;
}

export class CertifiedPeer extends EphemeralPeer {
  readonly kind: Kind;
  holder: Holder | null;
  readonly #clientTypes: readonly number[] | null;
  readonly #serverTypes: readonly number[] | null;
  readonly #crypto: Provider;

  constructor(role: 'client' | 'server', kind: Kind, options: CertifiedOptions = {}) {
    super(role, { suite: ECDHE_ECDSA_AES_128_GCM_SHA256, ...options });
    const { clientTypes = TYPES[kind], serverTypes = TYPES[kind], crypto = nativeProvider } = options;
    this.kind = kind;
    this.holder = options.holder === undefined ? holder(kind, role) : options.holder;
    [this.#clientTypes, this.#serverTypes, this.#crypto] = [clientTypes, serverTypes, crypto];
  }

  override get extensions(): Map<number, Uint8Array> {
    const extensions = super.extensions;
    const types = [[ExtensionType.clientCertificateType, this.#clientTypes], [ExtensionType.serverCertificateType, this.#serverTypes]] as const;
    for (const [extension, list] of types) {
      if (list !== null) extensions.set(extension, this.role === 'client' ? writeCertificateTypes(list) : Uint8Array.from(list));
    }
    if (this.role === 'server') return extensions;
    // The server's key is on P-256, which a client must offer besides (RFC 8422 §5.1).
    extensions.set(ExtensionType.supportedGroups, writeNumbers([...new Set([NamedGroup[this.group], NamedGroup.secp256r1])]));
    extensions.set(ExtensionType.signatureAlgorithms, writeNumbers([SignatureScheme.ecdsaSha256, SignatureScheme.ed25519]));
    return extensions;
  }

  // What is shown, and proofs that the key is there.

  /** Certificate: what is shown in its form, or any body. Empty where nothing is shown. */
  certificate(body: Uint8Array = this.certificateBody(), options: Options = {}): Uint8Array {
    return this.message(HandshakeType.certificate, body, options);
  }

  certificateBody(chain: readonly Uint8Array[] = this.holder?.chain ?? []): Uint8Array {
    return this.kind === 'rawKey' ? writeRawPublicKey(chain[0] ?? new Uint8Array(0)) : writeCertificate(chain);
  }

  /** The body is the same in both forms: a list, or a key, of length 0 (RFC 5246 §7.4.6, RFC 7250 §3). */
  emptyCertificate(options: Options = {}): Uint8Array {
    return this.certificate(new Uint8Array(3), options);
  }

  certificateRequest(overrides: Partial<CertificateRequest> = {}, options: Options = {}): Uint8Array {
    return this.message(HandshakeType.certificateRequest, writeCertificateRequest({
      certificateTypes: Uint8Array.of(ClientCertificateType.ecdsaSign),
      signatureSchemes: [SignatureScheme.ecdsaSha256],
      authorities: [],
      ...overrides,
    }), options);
  }

  /** CertificateVerify: over the transcript so far unless told otherwise. */
  certificateVerify(signing: Signing = {}, options: Options = {}): Uint8Array {
    const scheme = signing.scheme ?? SignatureScheme.ecdsaSha256;
    const signature = this.#sign(signing, join(...this.transcript));
    return this.message(HandshakeType.certificateVerify, writeCertificateVerify({ scheme, signature }), options);
  }

  #sign({ signature, privateKey = this.holder!.privateKey, message, scheme = SignatureScheme.ecdsaSha256 }: Signing, honest: Uint8Array): Uint8Array {
    if (signature !== undefined) return signature;
    const signer = this.#crypto.signatures[privateKey.kind]!.signer(privateKey)!;
    return signer.sign(scheme as SignatureScheme, message ?? honest)!;
  }

  // Key exchange.

  override serverKeyExchange(body: Uint8Array = this.exchangeBody(), options: Options = {}): Uint8Array {
    return this.message(HandshakeType.serverKeyExchange, body, options);
  }

  /** Our ephemeral key, signed together with both randoms. */
  exchangeBody(exchange: Exchange = {}): Uint8Array {
    const { group = NamedGroup[this.group], publicKey = this.share.publicKey, scheme = SignatureScheme.ecdsaSha256 } = exchange;
    const parameters = writeEcdhParameters({ group, publicKey });
    const signature = this.#sign(exchange, join(this.clientRandom, this.serverRandom, parameters));
    return writeEcdheServerKeyExchange(parameters, { scheme, signature });
  }

  override clientKeyExchange(publicKey: Uint8Array = this.share.publicKey, options: Options = {}): Uint8Array {
    return this.message(HandshakeType.clientKeyExchange, writeEcdheClientKeyExchange(publicKey), options);
  }

  protected shareIn(body: Uint8Array): Uint8Array {
    return this.role === 'client' ? readEcdheServerKeyExchange(body).publicKey : readEcdheClientKeyExchange(body);
  }

  /** Whether the server asked who we are. */
  get isAsked(): boolean {
    return this.messages.some(({ type }) => type === HandshakeType.certificateRequest);
  }
}

/** X.509 alone goes without saying (RFC 7250 §4.1). */
const TYPES: Readonly<Record<Kind, readonly number[] | null>> = { rawKey: [CertificateType.rawKey], x509: null };

/** Messages come whole: what is under test is their order. */
const WHOLE = 4096;

/** A context that shows what an honest peer of its role shows and believes the other side alone. */
export function certifiedRig(role: 'client' | 'server', kind: Kind, options: DtlsOptions = {}, handler: Partial<DtlsHandler> = {}): Rig {
  const crypto = options.crypto ?? nativeProvider;
  const other = role === 'client' ? 'server' : 'client';
  return new Rig({
    crypto,
    cipherSuites: [ECDHE_ECDSA_AES_128_GCM_SHA256],
    credentials: [credentialOf(holder(kind, role), crypto)],
    trust: trustIn(holder(kind, other), crypto),
    serverName: kind === 'x509' && role === 'client' ? SERVER_NAME : null,
    clientAuthentication: 'require',
    wallClock: () => VALID_AT,
    mtu: WHOLE,
    ...options,
  }, handler);
}

/** The client's last flight. Certificate and CertificateVerify stand in it only if the server asked. */
export interface CertifiedFlight {
  readonly certificate: Uint8Array | null;
  readonly keyExchange: Uint8Array;
  readonly verify: Uint8Array | null;
  readonly change: Uint8Array;
  readonly finished: Uint8Array;
}

/** The honest last flight as records. Derives the keys. Without a holder Certificate is empty. */
export function certifiedFlight(client: CertifiedPeer): CertifiedFlight {
  const certificate = client.isAsked ? client.certificate() : null;
  const keyExchange = client.clientKeyExchange();
  client.deriveKeys();
  const verify = client.isAsked && client.holder !== null ? client.certificateVerify() : null;
  return { certificate, keyExchange, verify, change: client.changeCipherSpec(), finished: client.finished() };
}

/** All of it as one datagram, in order. */
export function flightOf({ certificate, keyExchange, verify, change, finished }: CertifiedFlight): Uint8Array {
  return join(...[certificate, keyExchange, verify, change, finished].filter((record) => record !== null));
}

/** A complete handshake of a scripted client with the server in `rig`. The client then reads the server's Finished. */
export function establishCertified(rig: Rig, client: CertifiedPeer, session: Session = CLIENT): CertifiedPeer {
  toServerHelloDone(rig, client, session);
  rig.feed(session, flightOf(certifiedFlight(client)));
  client.take(...rig.takeSent());
  return client;
}

/** The server's first flight as one datagram; with CertificateRequest if `asks`. */
export function certifiedServerFlight(server: CertifiedPeer, asks: boolean): Uint8Array {
  return join(
    server.serverHello(), server.certificate(), server.serverKeyExchange(),
    ...(asks ? [server.certificateRequest()] : []), server.serverHelloDone(),
  );
}

/** Goes on until the client in `rig` waits for Finished: hellos, the server's flight, the client's taken in. */
export function toCertifiedFinished(rig: Rig, server: CertifiedPeer, asks: boolean, session: Session = SERVER): void {
  rig.context.connect(session);
  toServerFlight(rig, server, session);
  rig.feed(session, certifiedServerFlight(server, asks));
  takeClientFlight(server, rig.takeSent());
}

/** A complete handshake of the client in `rig` with a scripted server. */
export function establishCertifiedClient(rig: Rig, server: CertifiedPeer, asks: boolean = true, session: Session = SERVER): CertifiedPeer {
  toCertifiedFinished(rig, server, asks, session);
  rig.feed(session, join(server.changeCipherSpec(), server.finished()));
  return server;
}
