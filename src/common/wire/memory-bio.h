// Where OpenSSL reads and writes during the handshake of tls-session.c: the bytes of a call of ours, and no socket.

#ifndef COTERIE_MEMORY_BIO_H
#define COTERIE_MEMORY_BIO_H

#include "tls-state.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** For `output`. */
static bool keep(Session *session, const void *from, size_t count) {
  uint8_t *kept = realloc(session->kept, session->kept_length + count);
  if (kept == NULL) {
    session->is_out_of_memory = true;
    return false;
  }
  memcpy(kept + session->kept_length, from, count);
  session->kept = kept;
  session->kept_length += count;
  return true;
}

static int take_input(BIO *bio, char *to, int length) {
  Session *session = BIO_get_data(bio);
  BIO_clear_flags(bio, bio_retry_flags);
  if (length <= 0) return 0;
  size_t count = session->input_length < (size_t)length ? session->input_length : (size_t)length;
  if (count == 0) {
    BIO_set_flags(bio, bio_retry_read);
    return -1;
  }
  memcpy(to, session->input, count);
  session->input += count;
  session->input_length -= count;
  return (int)count;
}

static int give_output(BIO *bio, const char *from, int length) {
  Session *session = BIO_get_data(bio);
  BIO_clear_flags(bio, bio_retry_flags);
  if (length <= 0) return 0;
  return keep(session, from, (size_t)length) ? length : -1;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == bio_flush ? 1 : 0;
}

/** Made once; NULL when there is no memory for it. */
static BIO_METHOD *memory_method(void) {
  static BIO_METHOD *method;
  if (method != NULL) return method;
  method = BIO_meth_new(BIO_get_new_index() | bio_source_sink, "memory of a call");
  if (method != NULL) {
    BIO_meth_set_read(method, take_input);
    BIO_meth_set_write(method, give_output);
    BIO_meth_set_ctrl(method, control);
  }
  return method;
}

static BIO *memory_bio(Session *session) {
  BIO_METHOD *method = memory_method();
  BIO *bio = method == NULL ? NULL : BIO_new(method);
  if (bio == NULL) return NULL;
  BIO_set_data(bio, session);
  BIO_set_init(bio, 1);
  return bio;
}

#endif
