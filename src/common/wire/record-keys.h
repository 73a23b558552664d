// The keys of TLS 1.3 records, from the secrets with which OpenSSL's handshake ends, as RFC 8446 (7.1 to 7.3) has it.

#ifndef COTERIE_RECORD_KEYS_H
#define COTERIE_RECORD_KEYS_H

#include "tls-state.h"

#include <string.h>

enum { key_bytes_max = 32, digest_bytes_max = 64 };

/** All that OpenSSL has but those with CCM, which tls.ts does not allow. */
static const Suite known_suites[] = {
    {0x1301, EVP_aes_128_gcm, EVP_sha256, 16, 32},
    {0x1302, EVP_aes_256_gcm, EVP_sha384, 32, 48},
    {0x1303, EVP_chacha20_poly1305, EVP_sha256, 32, 32},
};

static const Suite *suite_of(const SSL *ssl) {
  const SSL_CIPHER *chosen = SSL_get_current_cipher(ssl);
  for (size_t i = 0; chosen != NULL && i < sizeof known_suites / sizeof *known_suites; i++)
    if (known_suites[i].id == SSL_CIPHER_get_protocol_id(chosen)) return &known_suites[i];
  return NULL;
}

/** HKDF-Expand-Label with an empty context. One block of HKDF-Expand is enough: `length` is at most that of the digest. */
static bool expand(const Suite *suite, const uint8_t *secret, const char *label, uint8_t *to, size_t length) {
  static const char prefix[] = "tls13 ";
  uint8_t info[2 + 1 + sizeof prefix + 16 + 1 + 1], block[digest_bytes_max];
  const size_t prefix_length = sizeof prefix - 1, label_length = strlen(label);
  unsigned block_length = 0;
  size_t at = 0;
  info[at++] = (uint8_t)(length >> 8), info[at++] = (uint8_t)length;
  info[at++] = (uint8_t)(prefix_length + label_length);
  memcpy(info + at, prefix, prefix_length), at += prefix_length;
  memcpy(info + at, label, label_length), at += label_length;
  // The length of the context, and the number of the block.
  info[at++] = 0, info[at++] = 1;
  const bool is_expanded =
      HMAC(suite->digest(), secret, (int)suite->secret_length, info, at, block, &block_length) != NULL &&
      length <= block_length;
  if (is_expanded) memcpy(to, block, length);
  OPENSSL_cleanse(block, sizeof block);
  return is_expanded;
}

/** From its secret. */
static bool make_keys(const Suite *suite, Direction *direction, bool is_sending) {
  uint8_t key[key_bytes_max];
  if (direction->cipher == NULL) direction->cipher = EVP_CIPHER_CTX_new();
  const bool is_made = direction->cipher != NULL && direction->secret_length == suite->secret_length &&
                       expand(suite, direction->secret, "key", key, suite->key_length) &&
                       expand(suite, direction->secret, "iv", direction->iv, iv_bytes) &&
                       (is_sending ? EVP_EncryptInit_ex : EVP_DecryptInit_ex)(direction->cipher, suite->cipher(), NULL,
                                                                              key, NULL) == 1;
  direction->number = 0;
  OPENSSL_cleanse(key, sizeof key);
  return is_made;
}

/** For what comes behind a KeyUpdate. */
static bool next_keys(const Suite *suite, Direction *direction, bool is_sending) {
  uint8_t secret[secret_bytes_max];
  const bool is_next = expand(suite, direction->secret, "traffic upd", secret, suite->secret_length);
  if (is_next) memcpy(direction->secret, secret, suite->secret_length);
  OPENSSL_cleanse(secret, sizeof secret);
  return is_next && make_keys(suite, direction, is_sending);
}

static void forget_keys(Direction *direction) {
  // Wipes the keys in it.
  EVP_CIPHER_CTX_free(direction->cipher);
  OPENSSL_cleanse(direction, sizeof *direction);
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/** From a line for key logs: its label, 32 bytes of the handshake that tell it from others, and the secret, in hex digits. */
static void read_secret(const char *line, Direction *direction) {
  const char *at = strrchr(line, ' ');
  const size_t length = at == NULL ? 0 : strlen(++at) / 2;
  if (length > secret_bytes_max) return;
  for (size_t i = 0; i < length; i++) {
    const int high = digit(at[2 * i]), low = digit(at[2 * i + 1]);
    if (high < 0 || low < 0) return;
    direction->secret[i] = (uint8_t)(high << 4 | low);
  }
  direction->secret_length = length;
}

/** OpenSSL hands each secret to this one as it makes it. Those of the handshake itself are not looked at. */
static void take_secret(const SSL *ssl, const char *line) {
  static const char of_caller[] = "CLIENT_TRAFFIC_SECRET_0 ", of_called[] = "SERVER_TRAFFIC_SECRET_0 ";
  // The session is that of the BIO below, see memory-bio.h: nothing else has to know which belongs to which.
  Session *session = BIO_get_data(SSL_get_rbio(ssl));
  if (strncmp(line, of_caller, sizeof of_caller - 1) == 0)
    read_secret(line, session->is_called ? &session->receiving : &session->sending);
  else if (strncmp(line, of_called, sizeof of_called - 1) == 0)
    read_secret(line, session->is_called ? &session->sending : &session->receiving);
}

#endif
