/**
 * The cipher suites of plain PSK (RFC 6655 §4, RFC 5487 §2, RFC 7905 §2): one row each, so that a bundle holds those
 * it names and no more.
 *
 * Law: AEAD suites only, which exist from TLS 1.2 on (RFC 6655 §5); each number as its RFC and IANA have it.
 */
import { cipherSuite, type CipherSuite } from '../crypto/suites.js';
import { psk } from '../handshake12/psk.js';

/** RFC 6655 §4; mandatory for constrained devices (RFC 7925 §4.2, RFC 7252 §9.1.3.1). The tag has 8 bytes. */
export const PSK_AES_128_CCM_8: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0a8, 'TLS_PSK_WITH_AES_128_CCM_8', psk, 'aes-128-ccm-8', 'sha256');

/** RFC 6655 §4. The tag has 8 bytes. */
export const PSK_AES_256_CCM_8: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0a9, 'TLS_PSK_WITH_AES_256_CCM_8', psk, 'aes-256-ccm-8', 'sha256');

/** RFC 6655 §4. */
export const PSK_AES_128_CCM: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0a4, 'TLS_PSK_WITH_AES_128_CCM', psk, 'aes-128-ccm', 'sha256');

/** RFC 6655 §4. */
export const PSK_AES_256_CCM: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xc0a5, 'TLS_PSK_WITH_AES_256_CCM', psk, 'aes-256-ccm', 'sha256');

/** RFC 5487 §2. */
export const PSK_AES_128_GCM_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0x00a8, 'TLS_PSK_WITH_AES_128_GCM_SHA256', psk, 'aes-128-gcm', 'sha256');

/** RFC 5487 §2. */
export const PSK_AES_256_GCM_SHA384: CipherSuite =
  /* @__PURE__ */ cipherSuite(0x00a9, 'TLS_PSK_WITH_AES_256_GCM_SHA384', psk, 'aes-256-gcm', 'sha384');

/** RFC 7905 §2. */
export const PSK_CHACHA20_POLY1305_SHA256: CipherSuite =
  /* @__PURE__ */ cipherSuite(0xccab, 'TLS_PSK_WITH_CHACHA20_POLY1305_SHA256', psk, 'chacha20-poly1305', 'sha256');

/**
 * All of them, best first. Tags of 16 bytes come before those of 8, which a forger guesses 2^64 times sooner (RFC 9147
 * §4.5.3 asks for safeguards with them); for peers that know nothing else, as tinydtls, they stand at the end. Among
 * equals: GCM, which most peers have hardware for; then ChaCha20, constant-time in software too; then CCM.
 */
export const PSK_SUITES: readonly CipherSuite[] = [
  PSK_AES_128_GCM_SHA256,
  PSK_CHACHA20_POLY1305_SHA256,
  PSK_AES_256_GCM_SHA384,
  PSK_AES_128_CCM,
  PSK_AES_256_CCM,
  PSK_AES_128_CCM_8,
  PSK_AES_256_CCM_8,
];
