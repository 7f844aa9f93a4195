/**
 * What every ephemeral Diffie-Hellman exchange shares (RFC 8422): offering and choosing a group, the key pair, the
 * shared secret. Authentication is the business of those that use it: certified.ts and ecdhepsk.ts.
 *
 * Law: a group that was not offered is refused; every public value is checked by the provider, and one that it refuses
 * ends the handshake; the private key lives until it has agreed once.
 */
import { NamedGroup, type GroupName } from '../crypto/keys.js';
import { readNumbers, readPointFormats, POINT_FORMATS, writeNumbers } from '../message/extensionbodies.js';
import type { Extensions } from '../message/extensions.js';
import type { ClientHello } from '../message/hello.js';
import type { EcdhParameters } from '../message/keyexchange.js';
import { copyOf } from '../wire/bytes.js';
import { invariant, LocalError, PeerError } from '../wire/errors.js';
import { AlertDescription, ExtensionType } from '../wire/registry.js';
import type { Handshake12 } from './handshake.js';

/** Client: offers our groups (RFC 8422 §5.1). */
export function offerGroups(handshake: Handshake12, extensions: Map<number, Uint8Array>): void {
  const groups = handshake.parameters.groups.map((name) => NamedGroup[name]);
  extensions.set(ExtensionType.supportedGroups, writeNumbers(groups));
  extensions.set(ExtensionType.ecPointFormats, POINT_FORMATS);
}

/** The groups that a client offers; null if it names none (RFC 8422 §4: then any will do). */
export function offeredGroups(hello: ClientHello): readonly number[] | null {
  const body = hello.extensions.get(ExtensionType.supportedGroups);
  return body === undefined ? null : readNumbers(body, 'supported_groups');
}

/** Server: the first of our groups that the client offers, kept for the key exchange. False if there is none. */
export function chooseGroup(handshake: Handshake12, hello: ClientHello): boolean {
  checkPointFormats(hello.extensions);
  handshake.keys.pointFormats = hello.extensions.has(ExtensionType.ecPointFormats);
  const offered = offeredGroups(hello);
  const { groups } = handshake.parameters;
  // A client that names no group is an old one: P-256 is what it knows.
  const fits = (name: GroupName): boolean => (offered === null ? name === 'secp256r1' : offered.includes(NamedGroup[name]));
  handshake.keys.group = groups.find(fits) ?? null;
  return handshake.keys.group !== null;
}

/** Server: answers ec_point_formats where the client sent it (RFC 8422 §5.2). */
export function respondPointFormats(handshake: Handshake12, extensions: Map<number, Uint8Array>): void {
  if (handshake.keys.pointFormats) extensions.set(ExtensionType.ecPointFormats, POINT_FORMATS);
}

/** ec_point_formats without uncompressed points is illegal (RFC 8422 §5.1.2). */
export function checkPointFormats(extensions: Extensions): void {
  const body = extensions.get(ExtensionType.ecPointFormats);
  if (body === undefined || readPointFormats(body)) return;
  throw illegal('ec_point_formats leaves out uncompressed points');
}

/** Server: makes its key pair and the parameters to send. */
export function serverParameters(handshake: Handshake12): EcdhParameters {
  const { group } = handshake.keys;
  invariant(group !== null, 'a group is chosen before its key pair is made');
  return { group: NamedGroup[group], publicKey: generate(handshake, group) };
}

/** Client: checks the server's parameters against what was offered and keeps its public value. */
export function takeServerParameters(handshake: Handshake12, parameters: EcdhParameters): void {
  const { groups } = handshake.parameters;
  const group = groups.find((name) => NamedGroup[name] === parameters.group);
  if (group === undefined) throw illegal(`the server chose group ${parameters.group}, which was not offered`);
  handshake.keys.group = group;
  handshake.keys.peerShare = copyOf(parameters.publicKey);
}

/** Client: makes its key pair and agrees; the public value to send and the shared secret, which the caller wipes. */
export function clientAgree(handshake: Handshake12): { readonly publicKey: Uint8Array; readonly secret: Uint8Array } {
  const { group, peerShare } = handshake.keys;
  invariant(group !== null, 'the server chose a group before the client agrees');
  const publicKey = generate(handshake, group);
  return { publicKey, secret: agree(handshake, peerShare) };
}

/** The shared secret with `peerPublic`; our private key is gone afterwards. */
export function agree(handshake: Handshake12, peerPublic: Uint8Array): Uint8Array {
  const { share } = handshake.keys;
  invariant(share !== null, 'a key pair is made before it agrees');
  const secret = share.agree(peerPublic);
  share.wipe();
  handshake.keys.share = null;
  if (secret === null) throw illegal('the public value of the key exchange is not valid');
  return secret;
}

function generate(handshake: Handshake12, name: GroupName): Uint8Array {
  const group = handshake.provider.groups[name];
  if (group === undefined) {
    throw new LocalError('ERR_DTLS_NO_PROVIDER', `the provider has no group ${name}`, AlertDescription.internalError);
  }
  const share = group.generate((length) => handshake.out.random(length));
  handshake.keys.share = share;
  return share.publicKey;
}

function illegal(message: string): PeerError {
  return new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.illegalParameter, message);
}
