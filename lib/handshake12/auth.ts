/**
 * Showing and believing public keys in a DTLS 1.2 handshake: what the hellos say of it (signature_algorithms, RFC 5246
 * §7.4.1.4.1; certificate types, RFC 7250 §4; server_name, RFC 6066 §3), Certificate both ways, signatures checked.
 *
 * Law: a type of certificate is used only where both sides agreed on it; what is shown is copied, judged once by the
 * Trust and then by the host, and its key verifies nothing before that.
 */
import { kindOf, type PublicKey } from '../crypto/keys.js';
import {
  CertificateType, chooseCredential, type Credential, type Shown, type Wishes,
} from '../handshake/authenticate.js';
import { Answered } from '../handshake/machine.js';
import type { Fit } from '../handshake/negotiate.js';
import {
  ClientCertificateType, readCertificate, readRawPublicKey, writeCertificate, writeRawPublicKey, type CertificateRequest,
  type DigitallySigned,
} from '../message/certificate.js';
import {
  readCertificateType, readCertificateTypes, readNumbers, readServerName, writeCertificateTypes, writeNumbers, writeServerName,
} from '../message/extensionbodies.js';
import type { Extensions } from '../message/extensions.js';
import type { ClientHello } from '../message/hello.js';
import { copyOf, EMPTY } from '../wire/bytes.js';
import { invariant, PeerError } from '../wire/errors.js';
import { AlertDescription, ExtensionType, HandshakeType } from '../wire/registry.js';
import { hostNameOf } from '../x509/hostnames.js';
import { offeredGroups } from './ecdhe.js';
import type { Handshake12 } from './handshake.js';

const { x509 } = CertificateType;
const CLIENT_SENT = 1;
const SERVER_SENT = 2;

// The hellos.

/** Client: signature_algorithms, server_name, and certificate types where they are not the usual ones. */
export function offerCertificates(handshake: Handshake12, extensions: Map<number, Uint8Array>): void {
  const { signatureSchemes, serverName } = handshake.parameters;
  extensions.set(ExtensionType.signatureAlgorithms, writeNumbers(signatureSchemes));
  const hostName = hostNameOf(serverName ?? '');
  // Any other name would be refused by the server, which says nothing of why; the check of its certificate does.
  if (hostName !== null) extensions.set(ExtensionType.serverName, writeServerName(hostName));
  offerTypes(extensions, ExtensionType.clientCertificateType, ownTypes(handshake));
  offerTypes(extensions, ExtensionType.serverCertificateType, trustedTypes(handshake));
}

/** X.509 alone goes without saying (RFC 7250 §4.1). */
function offerTypes(extensions: Map<number, Uint8Array>, extension: number, types: readonly CertificateType[]): void {
  if (types.some((type) => type !== x509)) extensions.set(extension, writeCertificateTypes(types));
}

/** Server: what this client accepts of a server. */
export function serverWishes(handshake: Handshake12, hello: ClientHello, kinds: readonly PublicKey['kind'][]): Wishes {
  const { keys } = handshake;
  const { extensions } = hello;
  const schemes = extensions.get(ExtensionType.signatureAlgorithms);
  const name = extensions.get(ExtensionType.serverName);
  const types = extensions.get(ExtensionType.serverCertificateType);
  keys.serverName = name === undefined ? null : readServerName(name);
  return {
    keys: kinds,
    types: types === undefined ? [x509] : knownTypes(readCertificateTypes(types)),
    // Without the extension a client means SHA-1 (RFC 5246 §7.4.1.4.1), which is not spoken here.
    schemes: schemes === undefined ? [] : readNumbers(schemes, 'signature_algorithms'),
    groups: offeredGroups(hello),
    authorities: [],
    serverName: keys.serverName,
  };
}

/**
 * Server: chooses what to show to this client and what kind of certificate to take from it, if it is asked: where none
 * is required, a client that has no kind that we take is not (RFC 7250 §4.2).
 */
export function chooseServerCredential(handshake: Handshake12, hello: ClientHello, kinds: readonly PublicKey['kind'][]): Fit {
  const { keys, parameters } = handshake;
  const { extensions } = hello;
  const wishes = serverWishes(handshake, hello, kinds);
  const credentials = available(handshake);
  keys.choice = chooseCredential(credentials, wishes);
  if (keys.choice === null) {
    const fitting = credentials.some(({ type }) => wishes.types.includes(type));
    const asked = extensions.has(ExtensionType.serverCertificateType);
    if (asked && credentials.length > 0 && !fitting) keys.noCommonType = 'the client takes no kind of certificate that we have';
    return 'no';
  }
  keys.ownType = keys.choice.credential.type;
  const offered = extensions.get(ExtensionType.clientCertificateType);
  const clientTypes = offered === undefined ? [x509] : knownTypes(readCertificateTypes(offered));
  const peerType = clientTypes.find((type) => trustedTypes(handshake).includes(type));
  keys.sentTypes = (offered === undefined ? 0 : CLIENT_SENT) | (extensions.has(ExtensionType.serverCertificateType) ? SERVER_SENT : 0);
  keys.asks = peerType !== undefined && parameters.clientAuthentication !== 'none';
  keys.peerType = peerType ?? x509;
  if (!keys.asks && parameters.clientAuthentication === 'require') {
    keys.noCommonType = 'the client has no kind of certificate that we take';
    return 'no';
  }
  // A raw key has no name and so no wrong one.
  return wishes.serverName === null || keys.choice.credential.names?.(wishes.serverName) !== false ? 'well' : 'misnamed';
}

/** Server: says which kinds of certificates were chosen, where the client asked (RFC 7250 §4.2). */
export function respondTypes(handshake: Handshake12, extensions: Map<number, Uint8Array>): void {
  const { ownType, peerType, sentTypes, choice, serverName, asks } = handshake.keys;
  if ((sentTypes & SERVER_SENT) !== 0) extensions.set(ExtensionType.serverCertificateType, Uint8Array.of(ownType));
  // The client's type is named only if the client is going to be asked for one.
  if ((sentTypes & CLIENT_SENT) !== 0 && asks) extensions.set(ExtensionType.clientCertificateType, Uint8Array.of(peerType));
  if (serverName !== null && choice?.credential.names?.(serverName) === true) extensions.set(ExtensionType.serverName, EMPTY);
}

/** Client: takes note of the kinds that the server chose; only what was offered. */
export function acceptTypes(handshake: Handshake12, extensions: Extensions): void {
  const chosen = (extension: number, offered: readonly CertificateType[]): CertificateType => {
    const body = extensions.get(extension);
    const type = body === undefined ? x509 : readCertificateType(body);
    if (body !== undefined && !(offered as readonly number[]).includes(type)) {
      throw new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.illegalParameter, `the server chose certificate type ${type}, which was not offered`);
    }
    return type as CertificateType;
  };
  handshake.keys.ownType = chosen(ExtensionType.clientCertificateType, ownTypes(handshake));
  const trusted = trustedTypes(handshake);
  handshake.keys.peerType = chosen(ExtensionType.serverCertificateType, trusted);
  if (!trusted.includes(handshake.keys.peerType)) {
    const why = 'the server has certificates alone, and none is taken here, only raw public keys';
    throw new PeerError('ERR_DTLS_CERTIFICATE', AlertDescription.unsupportedCertificate, why);
  }
  const name = extensions.get(ExtensionType.serverName);
  if (name !== undefined && name.length !== 0) {
    throw new PeerError('ERR_DTLS_DECODE', AlertDescription.decodeError, 'the answer to server_name is not empty');
  }
}

// Certificate.

/** Sends what was chosen, in the negotiated form, or an empty Certificate. Returns whether anything was shown. */
export function sendCertificate(handshake: Handshake12): boolean {
  const { choice } = handshake.keys;
  const chain = choice?.credential.chain ?? [];
  const body = handshake.keys.ownType === CertificateType.rawKey ? writeRawPublicKey(chain[0] ?? EMPTY) : writeCertificate(chain);
  handshake.send(HandshakeType.certificate, body);
  return choice !== null;
}

/** Takes in what the peer shows. False for an empty Certificate. */
export function takeCertificate(handshake: Handshake12, body: Uint8Array): boolean {
  const { keys, role, parameters } = handshake;
  let chain: readonly Uint8Array[];
  if (keys.peerType === CertificateType.rawKey) {
    const spki = readRawPublicKey(body);
    chain = spki === null ? [] : [spki];
  } else {
    chain = readCertificate(body);
  }
  if (chain.length === 0) return false;
  keys.shown = {
    type: keys.peerType,
    chain: chain.map((bytes) => copyOf(bytes)),
    role: role === 'client' ? 'server' : 'client',
    serverName: role === 'client' ? parameters.serverName : null,
    wallClock: handshake.out.wallClock(),
  };
  return true;
}

/** Has the Trust judge what was shown and asks the host about the verdict. */
export function askTrust(handshake: Handshake12, state: string): string {
  const { keys, parameters } = handshake;
  const shown = keys.shown as Shown;
  const verdict = parameters.trust?.judge(shown) ?? {
    trusted: false, publicKey: null, alert: AlertDescription.certificateUnknown, reason: 'nobody is trusted: the option trust is missing',
  };
  // What cannot even be read has no key that could verify anything: no override.
  if (verdict.publicKey === null) throw new PeerError('ERR_DTLS_CERTIFICATE', verdict.alert, verdict.reason);
  checkKind(handshake, verdict.publicKey);
  keys.peerKey = verdict.publicKey;
  handshake.out.ask({ answer: Answered.trust, shown, verdict });
  return state;
}

/** The host follows or overrode the verdict: this is who the peer is, once it proves that it has the key. */
export function takeTrust(handshake: Handshake12): void {
  const { type, chain } = handshake.keys.shown!;
  handshake.identity = type === CertificateType.rawKey ? { kind: 'rawKey', spki: chain[0]! } : { kind: 'x509', chain };
}

/** The server's key must be of the suite's kind (RFC 8422 §2). */
function checkKind(handshake: Handshake12, publicKey: PublicKey): void {
  if (handshake.role === 'client' && !handshake.keys.peerKinds.includes(publicKey.kind)) {
    throw new PeerError('ERR_DTLS_CERTIFICATE', AlertDescription.unsupportedCertificate, `a key of kind ${publicKey.kind} does not fit the suite`);
  }
}

/** Checks a signature of the peer over `message`. The scheme must be one that we offered. */
export function checkSignature(handshake: Handshake12, { scheme, signature }: DigitallySigned, message: Uint8Array): void {
  const { peerKey } = handshake.keys;
  invariant(peerKey !== null, 'a peer shows its key before it signs');
  const known = handshake.parameters.signatureSchemes.find((own) => own === scheme);
  if (known === undefined || kindOf(known) !== peerKey.kind) {
    throw new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.illegalParameter, `signature scheme ${scheme} was not offered or does not fit the key`);
  }
  const verifier = handshake.provider.signatures[peerKey.kind]?.verifier(peerKey) ?? null;
  if (verifier === null) {
    throw new PeerError('ERR_DTLS_CERTIFICATE', AlertDescription.unsupportedCertificate, `no way to verify with this ${peerKey.kind} key`);
  }
  if (!verifier.verify(known, message, signature)) {
    throw new PeerError('ERR_DTLS_VERIFY', AlertDescription.decryptError, 'the signature of the handshake does not verify');
  }
}

// Client authentication.

/** Server: what is asked of a client. */
export function certificateRequest(handshake: Handshake12): CertificateRequest {
  const { signatureSchemes, trust } = handshake.parameters;
  return {
    certificateTypes: Uint8Array.of(ClientCertificateType.ecdsaSign, ClientCertificateType.rsaSign),
    signatureSchemes,
    authorities: handshake.keys.peerType === x509 ? (trust?.authorities ?? []) : [],
  };
}

/** Client: chooses what to show for the server's request; what the server wishes, or null without a request. */
export function chooseClientCredential(handshake: Handshake12): Wishes | null {
  const { keys } = handshake;
  if (keys.request === null) return null;
  const { certificateTypes, signatureSchemes, authorities } = keys.request;
  const kinds: PublicKey['kind'][] = [];
  if (certificateTypes.includes(ClientCertificateType.ecdsaSign)) kinds.push('ec', 'ed25519');
  if (certificateTypes.includes(ClientCertificateType.rsaSign)) kinds.push('rsa');
  const wishes: Wishes = {
    keys: kinds,
    types: [keys.ownType],
    schemes: signatureSchemes,
    groups: null,
    authorities,
    serverName: null,
  };
  keys.choice = chooseCredential(available(handshake), wishes);
  return wishes;
}

/** What the host gave when asked, then what it configured. */
function available(handshake: Handshake12): readonly Credential[] {
  return [...(handshake.keys.credentials ?? []), ...handshake.parameters.credentials];
}

/** Kinds of certificates that we may show. A host that is asked later may have any. */
function ownTypes(handshake: Handshake12): CertificateType[] {
  const { credentials, ownTypes: declared } = handshake.parameters;
  return [...new Set([...credentials.map(({ type }) => type), ...declared])];
}

function trustedTypes(handshake: Handshake12): readonly CertificateType[] {
  return handshake.parameters.trust?.types ?? [x509];
}

function knownTypes(types: Uint8Array): CertificateType[] {
  return [...types].filter((type): type is CertificateType => type === CertificateType.x509 || type === CertificateType.rawKey);
}

