// TLS 1.3 on bytes in memory. Node's own sockets hand over each record of 16 KiB by itself, through two copies and a call of
// JavaScript, and read as little at a time; for pieces that costs more than the encryption. Here a piece is sealed, or what
// arrived of it opened, in one call. The handshake is all that of the OpenSSL which Node itself contains and exports for
// modules like this one; the records behind it are ours, so that nothing is copied, but their ciphers are OpenSSL's, too:
// see record-layer.h for those that go out, incoming-records.h for what comes from outside, record-keys.h for the keys.
//
//   context(suites, groups, key, certificate)  of the end that is called, in PEM; of the calling end undefined
//   session(context)                   one connection
//   shake(session, input, result)      goes on with the handshake
//   open(session, input, target, result)  decrypts into `target` until it is full or the input is used up
//   seal(session, bytes, target)       encrypts into `target`; returns how many bytes that became
//   output(session)                    what else is to be sent: of the handshake, alerts; undefined for nothing
//   secure(session)                    [certificate or undefined, whether it came alone, the 32 bytes of RFC 9266]; once
//   end(session)                       says that nothing more is sent, see `output`
//   free(session)                      frees its memory at once; it can be used no more
//
// `result` is an Int32Array: bytes of the input that were used, bytes that were decrypted, and a state.

#include "incoming-records.h"
#include "memory-bio.h"
#include "openssl-functions.h"

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** What Node is told of memory that it does not see: of a session, and of its handshake besides. */
enum { binding_bytes = 32, session_bytes = 8 * 1024, handshake_bytes = 32 * 1024 };

typedef struct {
  SSL_CTX *ctx;
  bool is_called;
} Context;

/** Only the key in a certificate counts, and the program compares it: see tls.ts. */
static int take_any_certificate(void *store, void *unused) {
  (void)store, (void)unused;
  return 1;
}

static napi_value fail(napi_env env, const char *sentence) {
  // The first one: OpenSSL 3.5 adds a general one after it.
  const unsigned long number = ERR_peek_error();
  const char *reason = number == 0 ? NULL : ERR_reason_error_string(number);
  ERR_clear_error();
  napi_throw_error(env, NULL, reason == NULL ? sentence : reason);
  return NULL;
}

static bool bytes_of(napi_env env, napi_value value, napi_typedarray_type wanted, void **bytes, size_t *length) {
  bool is_typed_array;
  napi_typedarray_type type;
  return napi_is_typedarray(env, value, &is_typed_array) == napi_ok && is_typed_array &&
         napi_get_typedarray_info(env, value, &type, length, bytes, NULL, NULL) == napi_ok && type == wanted;
}

static bool arguments_of(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments) {
  size_t count = wanted;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count == wanted) return true;
  napi_throw_type_error(env, NULL, "wrong number of arguments");
  return false;
}

static Session *session_of(napi_env env, napi_value value) {
  Session *session = NULL;
  if (napi_get_value_external(env, value, (void **)&session) == napi_ok && session != NULL && session->is_live)
    return session;
  napi_throw_type_error(env, NULL, "not a session, or one that was freed");
  return NULL;
}

static bool take_key(SSL_CTX *ctx, const void *key, size_t key_length, const void *cert, size_t cert_length) {
  BIO *key_bio = BIO_new_mem_buf(key, (int)key_length);
  BIO *cert_bio = BIO_new_mem_buf(cert, (int)cert_length);
  EVP_PKEY *private_key = key_bio == NULL ? NULL : PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
  X509 *certificate = cert_bio == NULL ? NULL : PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
  const bool is_taken = private_key != NULL && certificate != NULL &&
                        SSL_CTX_use_certificate(ctx, certificate) == 1 &&
                        SSL_CTX_use_PrivateKey(ctx, private_key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(private_key);
  BIO_free(cert_bio);
  BIO_free(key_bio);
  return is_taken;
}

static void free_context(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  Context *context = data;
  SSL_CTX_free(context->ctx);
  free(context);
}

static napi_value make_context(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  if (!arguments_of(env, info, 4, arguments)) return NULL;
  napi_valuetype type;
  void *key = NULL, *certificate = NULL;
  size_t key_length = 0, certificate_length = 0;
  if (napi_typeof(env, arguments[2], &type) != napi_ok) return NULL;
  const bool is_called = type != napi_undefined;
  char suites[256], groups[64];
  if (napi_get_value_string_utf8(env, arguments[0], suites, sizeof suites, NULL) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[1], groups, sizeof groups, NULL) != napi_ok ||
      (is_called && (!bytes_of(env, arguments[2], napi_uint8_array, &key, &key_length) ||
                     !bytes_of(env, arguments[3], napi_uint8_array, &certificate, &certificate_length)))) {
    napi_throw_type_error(env, NULL, "context takes two strings, and two Uint8Arrays or undefined");
    return NULL;
  }
  ERR_clear_error();
  Context *context = malloc(sizeof *context);
  SSL_CTX *ctx = SSL_CTX_new(TLS_method());
  napi_value made;
  const bool is_made =
      context != NULL && ctx != NULL && SSL_CTX_ctrl(ctx, control_min_version, tls_1_3, NULL) == 1 &&
      SSL_CTX_ctrl(ctx, control_max_version, tls_1_3, NULL) == 1 && SSL_CTX_set_ciphersuites(ctx, suites) == 1 &&
      SSL_CTX_ctrl(ctx, control_groups, 0, groups) == 1 && SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
      (!is_called || take_key(ctx, key, key_length, certificate, certificate_length));
  if (!is_made) {
    SSL_CTX_free(ctx);
    free(context);
    return fail(env, "cannot prepare TLS");
  }
  SSL_CTX_set_options(ctx, option_no_ticket);
  SSL_CTX_ctrl(ctx, control_session_cache, 0, NULL);
  SSL_CTX_ctrl(ctx, control_mode, mode_release_buffers, NULL);
  SSL_CTX_set_cert_verify_callback(ctx, take_any_certificate, NULL);
  SSL_CTX_set_keylog_callback(ctx, take_secret);
  *context = (Context){.ctx = ctx, .is_called = is_called};
  if (napi_create_external(env, context, free_context, NULL, &made) == napi_ok) return made;
  free_context(env, context, NULL);
  return NULL;
}

/** Nothing of it is needed when the handshake is done. */
static void free_handshake(napi_env env, Session *session) {
  int64_t left;
  if (session->ssl == NULL) return;
  // Frees its BIO, too.
  SSL_free(session->ssl);
  session->ssl = NULL;
  napi_adjust_external_memory(env, -handshake_bytes, &left);
}

static void clear_session(napi_env env, Session *session) {
  int64_t left;
  free_handshake(env, session);
  forget_records(session);
  free_held(session);
  free(session->kept);
  *session = (Session){0};
  napi_adjust_external_memory(env, -session_bytes, &left);
}

static void free_session(napi_env env, void *data, void *hint) {
  (void)hint;
  Session *session = data;
  if (session->is_live) clear_session(env, session);
  free(session);
}

static napi_value make_session(napi_env env, napi_callback_info info) {
  napi_value arguments[1], made;
  if (!arguments_of(env, info, 1, arguments)) return NULL;
  Context *context;
  if (napi_get_value_external(env, arguments[0], (void **)&context) != napi_ok) {
    napi_throw_type_error(env, NULL, "session takes a context");
    return NULL;
  }
  ERR_clear_error();
  Session *session = calloc(1, sizeof *session);
  SSL *ssl = SSL_new(context->ctx);
  BIO *bio = session == NULL ? NULL : memory_bio(session);
  if (session == NULL || ssl == NULL || bio == NULL) {
    BIO_free(bio);
    SSL_free(ssl);
    free(session);
    return fail(env, "cannot begin with TLS");
  }
  session->is_live = true;
  session->ssl = ssl;
  session->is_called = context->is_called;
  SSL_set_bio(ssl, bio, bio);
  if (context->is_called) SSL_set_accept_state(ssl);
  else SSL_set_connect_state(ssl);
  int64_t all;
  napi_adjust_external_memory(env, session_bytes + handshake_bytes, &all);
  if (napi_create_external(env, session, free_session, NULL, &made) == napi_ok) return made;
  free_session(env, session, NULL);
  return NULL;
}

/** What a call of OpenSSL that did not succeed means. */
static int state_after(Session *session, int answer) {
  const int error = SSL_get_error(session->ssl, answer);
  if (error == error_want_read && !session->is_out_of_memory) return state_waits;
  return error == error_zero_return ? state_ended : state_failed;
}

/** A call that takes a session, input, perhaps a target, and a result. */
typedef struct {
  Session *session;
  size_t given;
  uint8_t *target;
  size_t room;
  int32_t *result;
} Call;

static bool begin(napi_env env, napi_callback_info info, bool has_target, Call *call) {
  const size_t count = has_target ? 4 : 3;
  napi_value arguments[4];
  void *input, *target = NULL, *result;
  size_t room = 0, result_length;
  if (!arguments_of(env, info, count, arguments)) return false;
  Session *session = session_of(env, arguments[0]);
  if (session == NULL) return false;
  if (!bytes_of(env, arguments[1], napi_uint8_array, &input, &call->given) ||
      (has_target && !bytes_of(env, arguments[2], napi_uint8_array, &target, &room)) ||
      !bytes_of(env, arguments[count - 1], napi_int32_array, &result, &result_length) || result_length < 3) {
    napi_throw_type_error(env, NULL, "it takes a session, Uint8Arrays, and an Int32Array of 3 at the end");
    return false;
  }
  session->input = input;
  session->input_length = call->given;
  call->session = session;
  call->target = target;
  call->room = room;
  call->result = result;
  ERR_clear_error();
  return true;
}

/** Fills in the result; throws OpenSSL's reason when it failed. */
static napi_value conclude(napi_env env, const Call *call, size_t filled, int state) {
  call->result[0] = (int32_t)(call->given - call->session->input_length);
  call->result[1] = (int32_t)filled;
  call->result[2] = state;
  call->session->input = NULL;
  call->session->input_length = 0;
  return state == state_failed ? fail(env, "TLS failed") : NULL;
}

static napi_value shake(napi_env env, napi_callback_info info) {
  Call call;
  if (!begin(env, info, false, &call)) return NULL;
  Session *session = call.session;
  if (session->suite != NULL) return conclude(env, &call, 0, state_done);
  if (session->ssl == NULL) return conclude(env, &call, 0, state_failed);
  const int answer = SSL_do_handshake(session->ssl);
  const int state = answer == 1 ? begin_records(session) : state_after(session, answer);
  // It may have come to secrets already.
  if (state == state_failed) forget_records(session);
  return conclude(env, &call, 0, state);
}

static napi_value open_bytes(napi_env env, napi_callback_info info) {
  Call call;
  if (!begin(env, info, true, &call)) return NULL;
  size_t filled = 0;
  const bool can_open = call.session->suite != NULL;
  const int state = can_open ? open_records(call.session, call.target, call.room, &filled) : state_failed;
  return conclude(env, &call, filled, state);
}

static napi_value seal(napi_env env, napi_callback_info info) {
  napi_value arguments[3], length;
  void *bytes, *target;
  size_t count, room;
  if (!arguments_of(env, info, 3, arguments)) return NULL;
  Session *session = session_of(env, arguments[0]);
  if (session == NULL) return NULL;
  if (!bytes_of(env, arguments[1], napi_uint8_array, &bytes, &count) ||
      !bytes_of(env, arguments[2], napi_uint8_array, &target, &room)) {
    napi_throw_type_error(env, NULL, "seal takes a session and two Uint8Arrays");
    return NULL;
  }
  ERR_clear_error();
  size_t sealed = 0;
  // What OpenSSL has to say of the handshake goes out first.
  if (count > 0 && session->kept_length == 0) sealed = seal_records(session, bytes, count, target, room);
  if (count > 0 && sealed == 0) return fail(env, "TLS failed");
  return napi_create_uint32(env, (uint32_t)sealed, &length) == napi_ok ? length : NULL;
}

static napi_value output(napi_env env, napi_callback_info info) {
  napi_value arguments[1], copy;
  if (!arguments_of(env, info, 1, arguments)) return NULL;
  Session *session = session_of(env, arguments[0]);
  if (session == NULL || session->kept_length == 0) return NULL;
  const napi_status status = napi_create_buffer_copy(env, session->kept_length, session->kept, NULL, &copy);
  free(session->kept);
  session->kept = NULL;
  session->kept_length = 0;
  return status == napi_ok ? copy : NULL;
}

static napi_value certificate_of(napi_env env, X509 *certificate) {
  napi_value der;
  unsigned char *at;
  const int length = i2d_X509(certificate, NULL);
  if (length <= 0 || napi_create_buffer(env, (size_t)length, (void **)&at, &der) != napi_ok) return NULL;
  i2d_X509(certificate, &at);
  return der;
}

static napi_value secure(napi_env env, napi_callback_info info) {
  static const char label[] = "EXPORTER-Channel-Binding";
  napi_value arguments[1], certificate = NULL, is_alone, binding, parts;
  uint8_t *binding_at;
  if (!arguments_of(env, info, 1, arguments)) return NULL;
  Session *session = session_of(env, arguments[0]);
  if (session == NULL) return NULL;
  if (napi_create_buffer(env, binding_bytes, (void **)&binding_at, &binding) != napi_ok) return NULL;
  ERR_clear_error();
  // With an empty context, as RFC 9266 has it.
  if (session->ssl == NULL || SSL_export_keying_material(session->ssl, binding_at, binding_bytes, label, sizeof label - 1,
                                 (const unsigned char *)"", 0, 1) != 1)
    return fail(env, "the handshake is not done, or was asked about before");
  bool alone = true;
  // The key of a resumed session could be that of another end.
  X509 *shown = SSL_session_reused(session->ssl) ? NULL : SSL_get1_peer_certificate(session->ssl);
  if (shown != NULL) {
    alone = OPENSSL_sk_num(SSL_get_peer_cert_chain(session->ssl)) <= 1 &&
            X509_NAME_cmp(X509_get_issuer_name(shown), X509_get_subject_name(shown)) == 0;
    certificate = certificate_of(env, shown);
    X509_free(shown);
  }
  if (certificate == NULL && napi_get_undefined(env, &certificate) != napi_ok) return NULL;
  if (napi_get_boolean(env, alone, &is_alone) != napi_ok || napi_create_array_with_length(env, 3, &parts) != napi_ok ||
      napi_set_element(env, parts, 0, certificate) != napi_ok || napi_set_element(env, parts, 1, is_alone) != napi_ok ||
      napi_set_element(env, parts, 2, binding) != napi_ok)
    return NULL;
  free_handshake(env, session);
  return parts;
}

static napi_value end(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!arguments_of(env, info, 1, arguments)) return NULL;
  Session *session = session_of(env, arguments[0]);
  if (session == NULL) return NULL;
  if (!session->has_ended) send_alert(session, alert_close_notify);
  session->has_ended = true;
  return NULL;
}

static napi_value free_now(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  if (!arguments_of(env, info, 1, arguments)) return NULL;
  Session *session = session_of(env, arguments[0]);
  if (session == NULL) return NULL;
  clear_session(env, session);
  return NULL;
}

/** Whether Node has the OpenSSL whose functions are declared above: those that some have been built without, or are newer. */
static bool has_openssl(void) {
  return OpenSSL_version_num != NULL && OpenSSL_version_num() >> 28 == 3 && SSL_get1_peer_certificate != NULL &&
         SSL_CTX_set_ciphersuites != NULL && SSL_CTX_set_num_tickets != NULL && SSL_CTX_set_keylog_callback != NULL &&
         SSL_has_pending != NULL && SSL_get_rbio != NULL && SSL_get_session != NULL && BIO_meth_new != NULL &&
         SSL_SESSION_get_max_fragment_length != NULL && SSL_get_current_cipher != NULL &&
         SSL_CIPHER_get_protocol_id != NULL && EVP_aes_128_gcm != NULL && EVP_aes_256_gcm != NULL &&
         EVP_chacha20_poly1305 != NULL && EVP_sha256 != NULL && EVP_sha384 != NULL && HMAC != NULL &&
         EVP_CIPHER_CTX_new != NULL && EVP_CIPHER_CTX_free != NULL && EVP_CIPHER_CTX_ctrl != NULL &&
         EVP_EncryptInit_ex != NULL && EVP_EncryptUpdate != NULL && EVP_EncryptFinal_ex != NULL &&
         EVP_DecryptInit_ex != NULL && EVP_DecryptUpdate != NULL && EVP_DecryptFinal_ex != NULL &&
         OPENSSL_cleanse != NULL && ERR_new != NULL && ERR_set_error != NULL;
}

NAPI_MODULE_INIT() {
  if (!has_openssl()) return exports;
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"context", make_context}, {"session", make_session}, {"shake", shake},
      {"open", open_bytes},      {"seal", seal},            {"output", output},
      {"secure", secure},        {"end", end},              {"free", free_now},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
      return NULL;
  }
  return exports;
}
