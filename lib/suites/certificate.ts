/**
 * The cipher suites of certificates and raw public keys (RFC 5289, RFC 7251, RFC 7905): one row each, so that a bundle holds those it names
 * and no more.
 *
 * Law: AEAD suites only; each number as its RFC and IANA have it.
 */
import { cipherSuite, type CipherSuite } from '../crypto/suites.js';
import { ecdheEcdsa, ecdheRsa } from '../handshake12/certified.js';

/** RFC 5289 §3.2. */
export const ECDHE_ECDSA_AES_128_GCM_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc02b, 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', ecdheEcdsa, 'aes-128-gcm', 'sha256');

/** RFC 7905 §2. */
export const ECDHE_ECDSA_CHACHA20_POLY1305_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xcca9, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', ecdheEcdsa, 'chacha20-poly1305', 'sha256');

/** RFC 5289 §3.2. */
export const ECDHE_ECDSA_AES_256_GCM_SHA384: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc02c, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', ecdheEcdsa, 'aes-256-gcm', 'sha384');

/** RFC 5289 §3.2. */
export const ECDHE_RSA_AES_128_GCM_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc02f, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', ecdheRsa, 'aes-128-gcm', 'sha256');

/** RFC 7905 §2. */
export const ECDHE_RSA_CHACHA20_POLY1305_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xcca8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', ecdheRsa, 'chacha20-poly1305', 'sha256');

/** RFC 5289 §3.2. */
export const ECDHE_RSA_AES_256_GCM_SHA384: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc030, 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', ecdheRsa, 'aes-256-gcm', 'sha384');

/** RFC 7251 §2. */
export const ECDHE_ECDSA_AES_128_CCM: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0ac, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM', ecdheEcdsa, 'aes-128-ccm', 'sha256');

/** RFC 7251 §2. */
export const ECDHE_ECDSA_AES_256_CCM: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0ad, 'TLS_ECDHE_ECDSA_WITH_AES_256_CCM', ecdheEcdsa, 'aes-256-ccm', 'sha256');

/** RFC 7251 §2; mandatory for constrained devices with public keys (RFC 7925 §4.3, §4.4). The tag has 8 bytes. */
export const ECDHE_ECDSA_AES_128_CCM_8: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0ae, 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', ecdheEcdsa, 'aes-128-ccm-8', 'sha256');

/** RFC 7251 §2. The tag has 8 bytes. */
export const ECDHE_ECDSA_AES_256_CCM_8: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0af, 'TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8', ecdheEcdsa, 'aes-256-ccm-8', 'sha256');

/** All of them, best first: tags of 16 bytes before those of 8; GCM, ChaCha20, CCM; a server's key decides the rest. */
export const CERTIFICATE_SUITES: readonly CipherSuite[] = [
  ECDHE_ECDSA_AES_128_GCM_SHA256,
  ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
  ECDHE_ECDSA_AES_256_GCM_SHA384,
  ECDHE_RSA_AES_128_GCM_SHA256,
  ECDHE_RSA_CHACHA20_POLY1305_SHA256,
  ECDHE_RSA_AES_256_GCM_SHA384,
  ECDHE_ECDSA_AES_128_CCM,
  ECDHE_ECDSA_AES_256_CCM,
  ECDHE_ECDSA_AES_128_CCM_8,
  ECDHE_ECDSA_AES_256_CCM_8,
];
