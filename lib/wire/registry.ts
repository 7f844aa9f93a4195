/**
 * IANA numbers, each table `as const` with a type of its values. Nothing but numbers and their names.
 */

/** Protocol versions as on the wire: one's complement of the human number (RFC 6347 §4.1). */
export const ProtocolVersion = { dtls10: 0xfeff, dtls12: 0xfefd } as const;

/** Record content types (RFC 5246 §6.2.1; heartbeat RFC 6520, tls12_cid RFC 9146, ack RFC 9147). */
export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  heartbeat: 24,
  tls12Cid: 25,
  ack: 26,
} as const;
export type ContentType = (typeof ContentType)[keyof typeof ContentType];

/** Handshake message types (RFC 5246 §7.4, RFC 6347 §4.3.2). */
export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  newSessionTicket: 4,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;
export type HandshakeType = (typeof HandshakeType)[keyof typeof HandshakeType];

/** Alert levels (RFC 5246 §7.2). */
export const AlertLevel = { warning: 1, fatal: 2 } as const;
export type AlertLevel = (typeof AlertLevel)[keyof typeof AlertLevel];

/** Alert descriptions (RFC 5246 §7.2, RFC 4279 §2, RFC 6066 §9, RFC 8446 §6). */
export const AlertDescription = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  illegalParameter: 47,
  unknownCa: 48,
  accessDenied: 49,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  insufficientSecurity: 71,
  internalError: 80,
  userCanceled: 90,
  noRenegotiation: 100,
  missingExtension: 109,
  unsupportedExtension: 110,
  certificateUnobtainable: 111,
  unrecognizedName: 112,
  badCertificateStatusResponse: 113,
  unknownPskIdentity: 115,
  certificateRequired: 116,
  noApplicationProtocol: 120,
} as const;
export type AlertDescription = (typeof AlertDescription)[keyof typeof AlertDescription];

/** Extension types (IANA TLS ExtensionType values). */
export const ExtensionType = {
  serverName: 0,
  maxFragmentLength: 1,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  useSrtp: 14,
  heartbeat: 15,
  alpn: 16,
  clientCertificateType: 19,
  serverCertificateType: 20,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  recordSizeLimit: 28,
  sessionTicket: 35,
  connectionId: 54,
  renegotiationInfo: 0xff01,
} as const;
export type ExtensionType = (typeof ExtensionType)[keyof typeof ExtensionType];

/** Signalling suite values that stand in a ClientHello but are no suites (RFC 5746 §3.3, RFC 7507). */
export const SignallingSuite = { emptyRenegotiationInfo: 0x00ff, fallback: 0x5600 } as const;

/** The snake_case name the RFCs print for `value` in `table`, or its number. For people, never for logic. */
export function nameOf(table: Readonly<Record<string, number>>, value: number): string {
  for (const name in table) {
    if (table[name] === value) return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
  return String(value);
}
