/**
 * The cipher suites of pre-shared keys with an ephemeral exchange (RFC 8442, RFC 7905): one row each, so that a bundle holds those it names
 * and no more.
 *
 * Law: AEAD suites only; each number as its RFC and IANA have it.
 */
import { cipherSuite, type CipherSuite } from '../crypto/suites.js';
import { ecdhePsk } from '../handshake12/ecdhepsk.js';

/** RFC 8442 §3. */
export const ECDHE_PSK_AES_128_GCM_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xd001, 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256', ecdhePsk, 'aes-128-gcm', 'sha256');

/** RFC 7905 §2. */
export const ECDHE_PSK_CHACHA20_POLY1305_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xccac, 'TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256', ecdhePsk, 'chacha20-poly1305', 'sha256');

/** RFC 8442 §3. */
export const ECDHE_PSK_AES_256_GCM_SHA384: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xd002, 'TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384', ecdhePsk, 'aes-256-gcm', 'sha384');

/** RFC 8442 §3. */
export const ECDHE_PSK_AES_128_CCM_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xd005, 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256', ecdhePsk, 'aes-128-ccm', 'sha256');

/** RFC 8442 §3. The tag has 8 bytes. */
export const ECDHE_PSK_AES_128_CCM_8_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xd003, 'TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256', ecdhePsk, 'aes-128-ccm-8', 'sha256');

/** All of them, best first, as with plain PSK. */
export const ECDHE_PSK_SUITES: readonly CipherSuite[] = [
  ECDHE_PSK_AES_128_GCM_SHA256,
  ECDHE_PSK_CHACHA20_POLY1305_SHA256,
  ECDHE_PSK_AES_256_GCM_SHA384,
  ECDHE_PSK_AES_128_CCM_SHA256,
  ECDHE_PSK_AES_128_CCM_8_SHA256,
];
