/**
 * Scripted peers with an ephemeral key pair: what every ECDHE exchange shares, and ECDHE_PSK (RFC 5489).
 */
import { NamedGroup, type GroupName } from '../../lib/crypto/keys.js';
import { nativeProvider } from '../../lib/crypto/native/index.js';
import { ecdhePskPremaster } from '../../lib/crypto/prf12.js';
import type { KeyShare, Provider } from '../../lib/crypto/provider.js';
import { POINT_FORMATS, writeNumbers } from '../../lib/message/extensionbodies.js';
import type { ClientHello, ServerHello } from '../../lib/message/hello.js';
import {
  readEcdhePskClientKeyExchange, readEcdhePskServerKeyExchange, writeEcdhePskClientKeyExchange, writeEcdhePskServerKeyExchange,
} from '../../lib/message/keyexchange.js';
import { ECDHE_PSK_AES_128_CCM_8_SHA256 } from '../../lib/suites/ecdhepsk.js';
import { ExtensionType, HandshakeType } from '../../lib/wire/registry.js';
import { HONEST, ScriptedPeer, type MessageOptions, type RecordOptions, type ScriptedOptions } from './scripted.js';

export interface EphemeralOptions extends ScriptedOptions {
  readonly group?: GroupName;
  /** Makes the ephemeral key. */
  readonly crypto?: Provider;
}

export abstract class EphemeralPeer extends ScriptedPeer {
  readonly group: GroupName;
  readonly share: KeyShare;
  /** The other side's public value, if it is not the one in its latest key exchange. */
  peerShare: Uint8Array | null = null;

  constructor(role: 'client' | 'server', options: EphemeralOptions) {
    super(role, options);
    const { group = 'x25519', crypto = nativeProvider } = options;
    this.group = group;
    this.share = crypto.groups[group]!.generate((length) => this.random.bytes(length));
  }

  /** The public value in a key exchange of the other side. */
  protected abstract shareIn(body: Uint8Array): Uint8Array;

  /** Extensions of an honest hello of this role. */
  get extensions(): Map<number, Uint8Array> {
    const extensions = new Map(HONEST);
    if (!this.useExtendedMasterSecret) extensions.delete(ExtensionType.extendedMasterSecret);
    extensions.set(ExtensionType.ecPointFormats, POINT_FORMATS);
    if (this.role === 'client') extensions.set(ExtensionType.supportedGroups, writeNumbers([NamedGroup[this.group]]));
    return extensions;
  }

  override clientHelloBody(overrides: Partial<ClientHello> = {}): Uint8Array {
    return super.clientHelloBody({ extensions: this.extensions, ...overrides });
  }

  override serverHello(overrides: Partial<ServerHello> = {}, options: RecordOptions & MessageOptions = {}): Uint8Array {
    return super.serverHello({ extensions: this.extensions, ...overrides }, options);
  }

  /** The secret with the other side's public value; zeros as long as there is none. */
  premaster(): Uint8Array {
    const peerShare = this.peerShare ?? this.#latestShare();
    return (peerShare === null ? null : this.share.agree(peerShare)) ?? new Uint8Array(32);
  }

  override deriveKeys(premaster: Uint8Array = this.premaster()): void {
    super.deriveKeys(premaster);
  }

  #latestShare(): Uint8Array | null {
    const type = this.role === 'client' ? HandshakeType.serverKeyExchange : HandshakeType.clientKeyExchange;
    const message = this.messages.filter((message) => message.type === type).at(-1);
    return message === undefined ? null : this.shareIn(message.body);
  }
}

/** A peer that speaks ECDHE_PSK. */
export class EcdhePskPeer extends EphemeralPeer {
  constructor(role: 'client' | 'server', options: EphemeralOptions = {}) {
    super(role, { suite: ECDHE_PSK_AES_128_CCM_8_SHA256, ...options });
  }

  override serverKeyExchange(hint: Uint8Array, options: RecordOptions & MessageOptions = {}): Uint8Array {
    const parameters = { group: NamedGroup[this.group], publicKey: this.share.publicKey };
    return this.message(HandshakeType.serverKeyExchange, writeEcdhePskServerKeyExchange(hint, parameters), options);
  }

  override clientKeyExchange(identity: Uint8Array = this.identity, options: RecordOptions & MessageOptions = {}): Uint8Array {
    return this.message(HandshakeType.clientKeyExchange, writeEcdhePskClientKeyExchange(identity, this.share.publicKey), options);
  }

  override premaster(): Uint8Array {
    return ecdhePskPremaster(super.premaster(), this.psk);
  }

  protected shareIn(body: Uint8Array): Uint8Array {
    return (this.role === 'client' ? readEcdhePskServerKeyExchange(body) : readEcdhePskClientKeyExchange(body)).publicKey;
  }
}
