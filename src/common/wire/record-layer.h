// Records of TLS 1.3 after the handshake (RFC 8446, 5), encrypted and decrypted by OpenSSL's ciphers straight between the
// bytes of the program and those of the socket. OpenSSL's own functions for records copy all bytes twice each way.

#ifndef COTERIE_RECORD_LAYER_H
#define COTERIE_RECORD_LAYER_H

#include "memory-bio.h"
#include "record-keys.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  head_bytes = 5,
  tag_bytes = 16,
  content_bytes_max = 1 << 14,
  /** What a record adds: its head, the type of its content behind it, and its tag. */
  extra_bytes = head_bytes + 1 + tag_bytes,
  record_bytes_max = content_bytes_max + extra_bytes,
  key_update_bytes = 5,
};

/** Types of content. */
enum { type_alert = 21, type_handshake = 22, type_application = 23 };

/** After as many records, sending goes on with new keys: RFC 8446, 5.5, allows 2^24.5 of AES-GCM. Fewer in a test. */
#ifndef RECORDS_PER_KEY
#define RECORDS_PER_KEY (1 << 24)
#endif

static bool set_nonce(Direction *direction, bool is_sending) {
  uint8_t nonce[iv_bytes];
  // It never begins anew: no two records may have the same one.
  if (direction->number == UINT64_MAX) return false;
  memcpy(nonce, direction->iv, iv_bytes);
  for (int i = 0; i < 8; i++) nonce[iv_bytes - 1 - i] ^= (uint8_t)(direction->number >> 8 * i);
  direction->number++;
  return (is_sending ? EVP_EncryptInit_ex : EVP_DecryptInit_ex)(direction->cipher, NULL, NULL, NULL, nonce) == 1;
}

/** `to`: room for `length + extra_bytes`. */
static bool seal_record(Direction *direction, uint8_t type, const uint8_t *content, size_t length, uint8_t *to) {
  const size_t sealed = length + 1 + tag_bytes;
  uint8_t *at = to + head_bytes;
  int count;
  to[0] = type_application, to[1] = 3, to[2] = 3, to[3] = (uint8_t)(sealed >> 8), to[4] = (uint8_t)sealed;
  return set_nonce(direction, true) && EVP_EncryptUpdate(direction->cipher, NULL, &count, to, head_bytes) == 1 &&
         EVP_EncryptUpdate(direction->cipher, at, &count, content, (int)length) == 1 &&
         EVP_EncryptUpdate(direction->cipher, at + length, &count, &type, 1) == 1 &&
         EVP_EncryptFinal_ex(direction->cipher, at + length + 1, &count) == 1 &&
         EVP_CIPHER_CTX_ctrl(direction->cipher, control_get_tag, tag_bytes, at + length + 1) == 1;
}

/** How long a record is behind its head. */
static size_t length_of(const uint8_t *head) {
  return (size_t)head[3] << 8 | head[4];
}

/** The most bytes that can be in a record with this head, which `problem_with` has passed. */
static size_t room_for(const uint8_t *head) {
  return length_of(head) - 1 - tag_bytes;
}

/**
 * `record`: whole, and `problem_with` has passed it. `to`: has `room_for` it; may be where the record has its content.
 * False unless its tag is right, and then nothing of it is in `to`. `type`: 0 where there is none, which is an error.
 */
static bool open_record(Direction *direction, const uint8_t *record, uint8_t *to, size_t *length, uint8_t *type) {
  const size_t room = room_for(record);
  const uint8_t *content = record + head_bytes;
  uint8_t tag[tag_bytes], unused[tag_bytes];
  int count;
  memcpy(tag, content + room + 1, tag_bytes);
  const bool is_right = set_nonce(direction, false) &&
                        EVP_DecryptUpdate(direction->cipher, NULL, &count, record, head_bytes) == 1 &&
                        (room == 0 || EVP_DecryptUpdate(direction->cipher, to, &count, content, (int)room) == 1) &&
                        EVP_DecryptUpdate(direction->cipher, type, &count, content + room, 1) == 1 &&
                        EVP_CIPHER_CTX_ctrl(direction->cipher, control_set_tag, tag_bytes, tag) == 1 &&
                        EVP_DecryptFinal_ex(direction->cipher, unused, &count) == 1;
  if (!is_right) {
    OPENSSL_cleanse(to, room);
    *length = 0, *type = 0;
    return false;
  }
  *length = room;
  // Zeros behind the type are padding.
  while (*type == 0 && *length > 0) {
    *type = to[--*length];
    to[*length] = 0;
  }
  return true;
}

/** A reason for `refuse`; 0 for none. */
typedef struct {
  int reason;
  uint8_t alert;
} Problem;

static Problem problem_with(const uint8_t *head) {
  if (head[0] != type_application) return (Problem){reason_bad_record_type, alert_unexpected_message};
  if (head[1] != 3 || head[2] != 3) return (Problem){reason_wrong_version_number, alert_decode_error};
  if (length_of(head) < 1 + tag_bytes) return (Problem){reason_length_too_short, alert_decode_error};
  // Padding included (RFC 8446, 5.4).
  if (length_of(head) > content_bytes_max + 1 + tag_bytes)
    return (Problem){reason_encrypted_length_too_long, alert_record_overflow};
  return (Problem){0, 0};
}

/** An alert, for `output`. Where there is no memory for it, the other end is not told. */
static void send_alert(Session *session, uint8_t alert) {
  const uint8_t content[] = {alert == alert_close_notify ? 1 : 2, alert};
  uint8_t record[sizeof content + extra_bytes];
  if (session->suite != NULL && seal_record(&session->sending, type_alert, content, sizeof content, record))
    keep(session, record, sizeof record);
}

/** Nothing is opened or sealed any more. */
static void forget_records(Session *session) {
  session->suite = NULL;
  forget_keys(&session->sending);
  forget_keys(&session->receiving);
}

/** Ends it with this reason, as if OpenSSL had given it. */
static int break_off(Session *session, int reason) {
  forget_records(session);
  ERR_clear_error();
  ERR_new();
  ERR_set_error(library_ssl, reason, NULL);
  return state_failed;
}

/** Likewise, and tells the other end. */
static int refuse(Session *session, Problem problem) {
  send_alert(session, problem.alert);
  return break_off(session, problem.reason);
}

/** Begins with records of ours, once the handshake is done. */
static int begin_records(Session *session) {
  const Suite *suite = suite_of(session->ssl);
  if (suite == NULL || !make_keys(suite, &session->sending, true) || !make_keys(suite, &session->receiving, false))
    return break_off(session, reason_internal_error);
  session->suite = suite;
  // OpenSSL reads record by record, so nothing behind the handshake is in it. Shorter records, for a small computer at
  // the other end, are its own affair; no program of ours asks for them.
  if (SSL_has_pending(session->ssl) || SSL_SESSION_get_max_fragment_length(SSL_get_session(session->ssl)) != 0)
    return refuse(session, (Problem){reason_internal_error, alert_internal_error});
  return state_done;
}

/** New keys for sending, and a record in `to` that says so. */
static bool renew_keys(Session *session, uint8_t *to) {
  const uint8_t message[key_update_bytes] = {message_key_update, 0, 0, 1, 0};
  session->owes_keys = false;
  return seal_record(&session->sending, type_handshake, message, sizeof message, to) &&
         next_keys(session->suite, &session->sending, true);
}

/** Returns how many bytes they became; 0 where there is no room for all, or that failed. */
static size_t seal_records(Session *session, const uint8_t *bytes, size_t length, uint8_t *to, size_t room) {
  const size_t records = length / content_bytes_max + (length % content_bytes_max != 0);
  const bool has_news = session->owes_keys || session->sending.number + records > RECORDS_PER_KEY;
  const size_t sealed = length + records * extra_bytes + (has_news ? key_update_bytes + extra_bytes : 0);
  const uint8_t *end = bytes + length;
  if (session->suite == NULL || session->has_ended || sealed > room) return 0;
  bool is_sealed = !has_news || renew_keys(session, to);
  if (has_news) to += key_update_bytes + extra_bytes;
  while (is_sealed && bytes < end) {
    const size_t count = end - bytes < content_bytes_max ? (size_t)(end - bytes) : content_bytes_max;
    is_sealed = seal_record(&session->sending, type_application, bytes, count, to);
    bytes += count;
    to += count + extra_bytes;
  }
  if (!is_sealed) break_off(session, reason_internal_error);
  return is_sealed ? sealed : 0;
}

#endif
