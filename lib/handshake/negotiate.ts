/**
 * Choosing and checking what both hellos say: suite, extended_master_secret (RFC 7627 §5), renegotiation_info
 * (RFC 5746 §3.4, §3.6), version (RFC 5246 §E.1 as RFC 6347 §4.2.1 has it).
 *
 * Law: what was not offered cannot be chosen; what is required and missing ends the handshake with a message that
 * names the option which would relax it.
 */
import type { GroupName, SignatureScheme } from '../crypto/keys.js';
import type { CipherSuite } from '../crypto/suites.js';
import type { CertificateType, Credential, Trust } from './authenticate.js';
import type { Extensions } from '../message/extensions.js';
import { offersSuite, type ClientHello, type ServerHello } from '../message/hello.js';
import { EMPTY, putUint16 } from '../wire/bytes.js';
import { PeerError } from '../wire/errors.js';
import { AlertDescription, ExtensionType, ProtocolVersion, SignallingSuite } from '../wire/registry.js';

/** What a handshake may agree to. */
export interface HandshakeParameters {
  readonly cipherSuites: readonly CipherSuite[];
  readonly forceExtendedMasterSecret: boolean;
  readonly forceRenegotiationInfo: boolean;
  readonly maxPskIdentityBytes: number;
  /** Groups of ECDHE, best first. */
  readonly groups: readonly GroupName[];
  /** Signature schemes we verify, best first. */
  readonly signatureSchemes: readonly SignatureScheme[];
  /** What we may show. */
  readonly credentials: readonly Credential[];
  /** Kinds of certificates that the host may come up with when asked, beyond those of `credentials`. */
  readonly ownTypes: readonly CertificateType[];
  /** The host is asked for credentials too. */
  readonly asksCredential: boolean;
  /** Whom we believe; null: nobody. */
  readonly trust: Trust | null;
  /** Client: the name the server should have, for SNI and the check of its certificate. */
  readonly serverName: string | null;
  /** Server: whether clients are asked to show a credential. */
  readonly clientAuthentication: 'none' | 'request' | 'require';
  readonly maxHelloVerifyRequests: number;
}

/** What was agreed. */
export interface Negotiated {
  readonly suite: CipherSuite;
  readonly extendedMasterSecret: boolean;
  readonly renegotiationInfo: boolean;
}

/** An empty renegotiated_connection: opaque<0..255> of length 0 (RFC 5746 §3.2). */
const INITIAL_HANDSHAKE = new Uint8Array([0]);

function failure(message: string): PeerError {
  return new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.handshakeFailure, message);
}

function illegal(message: string): PeerError {
  return new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.illegalParameter, message);
}

/** The extensions of our ClientHello that every key exchange needs. */
export function clientExtensions(): Map<number, Uint8Array> {
  return new Map<number, Uint8Array>([
    [ExtensionType.renegotiationInfo, INITIAL_HANDSHAKE],
    [ExtensionType.extendedMasterSecret, EMPTY],
  ]);
}

/** The cipher_suites of our ClientHello. */
export function clientSuites(suites: readonly CipherSuite[]): Uint8Array {
  const bytes = new Uint8Array(suites.length * 2);
  suites.forEach((suite, index) => putUint16(bytes, index * 2, suite.id));
  return bytes;
}

/** What no suite could mend: version and compression. */
export function checkClientHello(hello: ClientHello): void {
  // DTLS versions count down: 1.2 is fe fd, anything later is smaller, 1.0 is fe ff.
  if (hello.version >>> 8 !== 0xfe || hello.version > ProtocolVersion.dtls12) {
    throw new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.protocolVersion, 'the client does not speak DTLS 1.2');
  }
  if (!hello.compressionMethods.includes(0)) throw illegal('the client does not offer the null compression method');
}

/** How a suite fits a client: not at all, with a certificate that is not for the name that it asked for, or well. */
export type Fit = 'no' | 'misnamed' | 'well';

/**
 * What a server makes of a ClientHello: the first of its own suites that the client offers and that fits. Where there is
 * none for want of a kind of certificate in common, `noCommonType` says so (RFC 7250 §4.2).
 */
export function negotiateServer(
  hello: ClientHello,
  parameters: HandshakeParameters,
  fitOf: (suite: CipherSuite) => Fit,
  noCommonType: () => string,
): Negotiated {
  const suite = chooseSuite(parameters.cipherSuites.filter(({ id }) => offersSuite(hello.cipherSuites, id)), fitOf);
  if (suite === undefined) {
    const why = noCommonType();
    if (why !== '') throw new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.unsupportedCertificate, why);
    throw failure('no cipher suite in common, or no key and certificate for one');
  }
  const extendedMasterSecret = checkExtendedMasterSecret(hello.extensions, parameters, 'client');
  const signalled = offersSuite(hello.cipherSuites, SignallingSuite.emptyRenegotiationInfo);
  const renegotiationInfo = checkRenegotiationInfo(hello.extensions, signalled, parameters, 'client');
  return { suite, extendedMasterSecret, renegotiationInfo };
}

/** The first that fits; if its certificate has not the name asked for, the first whose certificate has. `fitOf` sees it last. */
function chooseSuite(suites: readonly CipherSuite[], fitOf: (suite: CipherSuite) => Fit): CipherSuite | undefined {
  const first = suites.find((suite) => fitOf(suite) !== 'no');
  if (first === undefined || fitOf(first) === 'well') return first;
  const named = suites.find((suite) => suite.keyExchange.certified && fitOf(suite) === 'well');
  if (named === undefined) fitOf(first);
  return named ?? first;
}

/** The extensions of our ServerHello that every key exchange has: an answer to what the client sent, nothing else. */
export function serverExtensions(negotiated: Negotiated): Map<number, Uint8Array> {
  const extensions = new Map<number, Uint8Array>();
  if (negotiated.renegotiationInfo) extensions.set(ExtensionType.renegotiationInfo, INITIAL_HANDSHAKE);
  if (negotiated.extendedMasterSecret) extensions.set(ExtensionType.extendedMasterSecret, EMPTY);
  return extensions;
}

/** What a client makes of a ServerHello. */
export function negotiateClient(hello: ServerHello, offered: Extensions, parameters: HandshakeParameters): Negotiated {
  if (hello.version !== ProtocolVersion.dtls12) {
    throw new PeerError('ERR_DTLS_HANDSHAKE', AlertDescription.protocolVersion, 'the server does not speak DTLS 1.2');
  }
  if (hello.compressionMethod !== 0) throw illegal('the server chose a compression method that was not offered');
  for (const type of hello.extensions.keys()) {
    if (!offered.has(type)) {
      throw new PeerError(
        'ERR_DTLS_HANDSHAKE',
        AlertDescription.unsupportedExtension,
        `the server answers extension ${type}, which was not offered`,
      );
    }
  }
  const suite = parameters.cipherSuites.find(({ id }) => id === hello.cipherSuite);
  if (suite === undefined) throw illegal(`the server chose cipher suite ${hello.cipherSuite}, which was not offered`);
  const extendedMasterSecret = checkExtendedMasterSecret(hello.extensions, parameters, 'server');
  const renegotiationInfo = checkRenegotiationInfo(hello.extensions, false, parameters, 'server');
  return { suite, extendedMasterSecret, renegotiationInfo };
}

function checkExtendedMasterSecret(extensions: Extensions, parameters: HandshakeParameters, who: string): boolean {
  const body = extensions.get(ExtensionType.extendedMasterSecret);
  if (body === undefined) {
    if (!parameters.forceExtendedMasterSecret) return false;
    throw failure(`the ${who} lacks extended_master_secret (forceExtendedMasterSecret: false would allow it)`);
  }
  if (body.length !== 0) throw illegal('extended_master_secret is not empty');
  return true;
}

function checkRenegotiationInfo(
  extensions: Extensions,
  signalled: boolean,
  parameters: HandshakeParameters,
  who: string,
): boolean {
  const body = extensions.get(ExtensionType.renegotiationInfo);
  if (body === undefined) {
    if (signalled || !parameters.forceRenegotiationInfo) return signalled;
    throw failure(`the ${who} lacks renegotiation_info (forceRenegotiationInfo: false would allow it)`);
  }
  if (body.length !== 1 || body[0] !== 0) throw failure('renegotiation_info of a first handshake is not empty');
  return true;
}
