// What a session of tls-session.c remembers.

#ifndef COTERIE_TLS_STATE_H
#define COTERIE_TLS_STATE_H

#include "openssl-functions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The third number of a result. */
enum { state_waits = 0, state_done = 1, state_ended = 2, state_failed = 3 };

enum { iv_bytes = 12, secret_bytes_max = 48 };

/** What the records of one direction are encrypted with (RFC 8446, 7.2 and 7.3). */
typedef struct {
  uint8_t secret[secret_bytes_max];
  size_t secret_length;
  EVP_CIPHER_CTX *cipher;
  uint8_t iv[iv_bytes];
  /** Of the next record. */
  uint64_t number;
} Direction;

/** A cipher suite (RFC 8446, B.4). */
typedef struct {
  uint16_t id;
  const EVP_CIPHER *(*cipher)(void);
  const EVP_MD *(*digest)(void);
  size_t key_length;
  /** Of the digest, and so of each secret. */
  size_t secret_length;
} Suite;

/** A message of the handshake protocol that is arriving, perhaps in several records. */
typedef struct {
  uint8_t head[4];
  size_t head_length;
  /** What is missing of it behind its head. */
  size_t rest;
  uint8_t last_byte;
} Message;

typedef struct {
  /** Until it was freed. */
  bool is_live;
  /** Only for the handshake: what it says of the other end is asked at its end, and 12 KiB of memory are free then. */
  SSL *ssl;
  bool is_called;
  /** Set while the records are ours: from the end of the handshake until something fails. */
  const Suite *suite;
  Direction sending, receiving;
  /** The other end wants new keys from this one, before anything else. */
  bool owes_keys;
  /** The other end has said that it sends nothing more; this one has. */
  bool is_ended, has_ended;
  Message message;
  /** Records since the last one with bytes for the program. */
  unsigned idle_records;
  /** Holds a record of which only a part came, or an opened one that the target had no room for; NULL for neither. */
  uint8_t *held;
  /** How much came of it. */
  size_t held_length;
  /** Where the bytes are that are not handed out yet. */
  size_t opened_from, opened_to;
  /** What came and is not used yet; only during a call. */
  const uint8_t *input;
  size_t input_length;
  /** What OpenSSL, or an alert, has to say: for `output`. */
  uint8_t *kept;
  size_t kept_length;
  bool is_out_of_memory;
} Session;

#endif
