// What tls-session.c uses of OpenSSL 3, as its own headers declare it: those do not come with the headers of Node-API.
// Weak, so that the module can be loaded, and then says so, where Node was built without them.

#ifndef COTERIE_OPENSSL_FUNCTIONS_H
#define COTERIE_OPENSSL_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#define FROM_OPENSSL __attribute__((weak)) extern

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;
typedef struct ssl_method_st SSL_METHOD;
typedef struct bio_st BIO;
typedef struct bio_method_st BIO_METHOD;
typedef struct x509_st X509;
typedef struct X509_name_st X509_NAME;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct stack_st OPENSSL_STACK;
typedef struct ssl_cipher_st SSL_CIPHER;
typedef struct ssl_session_st SSL_SESSION;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct engine_st ENGINE;

FROM_OPENSSL unsigned long OpenSSL_version_num(void);
FROM_OPENSSL const SSL_METHOD *TLS_method(void);
FROM_OPENSSL SSL_CTX *SSL_CTX_new(const SSL_METHOD *);
FROM_OPENSSL void SSL_CTX_free(SSL_CTX *);
FROM_OPENSSL long SSL_CTX_ctrl(SSL_CTX *, int, long, void *);
FROM_OPENSSL uint64_t SSL_CTX_set_options(SSL_CTX *, uint64_t);
FROM_OPENSSL int SSL_CTX_set_ciphersuites(SSL_CTX *, const char *);
FROM_OPENSSL int SSL_CTX_set_num_tickets(SSL_CTX *, size_t);
FROM_OPENSSL void SSL_CTX_set_cert_verify_callback(SSL_CTX *, int (*)(void *, void *), void *);
FROM_OPENSSL void SSL_CTX_set_keylog_callback(SSL_CTX *, void (*)(const SSL *, const char *));
FROM_OPENSSL int SSL_CTX_use_certificate(SSL_CTX *, X509 *);
FROM_OPENSSL int SSL_CTX_use_PrivateKey(SSL_CTX *, EVP_PKEY *);
FROM_OPENSSL SSL *SSL_new(SSL_CTX *);
FROM_OPENSSL void SSL_free(SSL *);
FROM_OPENSSL void SSL_set_bio(SSL *, BIO *, BIO *);
FROM_OPENSSL void SSL_set_accept_state(SSL *);
FROM_OPENSSL void SSL_set_connect_state(SSL *);
FROM_OPENSSL int SSL_do_handshake(SSL *);
FROM_OPENSSL int SSL_has_pending(const SSL *);
FROM_OPENSSL int SSL_get_error(const SSL *, int);
FROM_OPENSSL BIO *SSL_get_rbio(const SSL *);
FROM_OPENSSL SSL_SESSION *SSL_get_session(const SSL *);
FROM_OPENSSL uint8_t SSL_SESSION_get_max_fragment_length(const SSL_SESSION *);
FROM_OPENSSL const SSL_CIPHER *SSL_get_current_cipher(const SSL *);
FROM_OPENSSL uint16_t SSL_CIPHER_get_protocol_id(const SSL_CIPHER *);
FROM_OPENSSL int SSL_session_reused(const SSL *);
FROM_OPENSSL X509 *SSL_get1_peer_certificate(const SSL *);
FROM_OPENSSL OPENSSL_STACK *SSL_get_peer_cert_chain(const SSL *);
FROM_OPENSSL int SSL_export_keying_material(SSL *, unsigned char *, size_t, const char *, size_t,
                                            const unsigned char *, size_t, int);
FROM_OPENSSL int OPENSSL_sk_num(const OPENSSL_STACK *);
FROM_OPENSSL BIO *BIO_new(const BIO_METHOD *);
FROM_OPENSSL BIO *BIO_new_mem_buf(const void *, int);
FROM_OPENSSL int BIO_free(BIO *);
FROM_OPENSSL int BIO_get_new_index(void);
FROM_OPENSSL BIO_METHOD *BIO_meth_new(int, const char *);
FROM_OPENSSL int BIO_meth_set_read(BIO_METHOD *, int (*)(BIO *, char *, int));
FROM_OPENSSL int BIO_meth_set_write(BIO_METHOD *, int (*)(BIO *, const char *, int));
FROM_OPENSSL int BIO_meth_set_ctrl(BIO_METHOD *, long (*)(BIO *, int, long, void *));
FROM_OPENSSL void BIO_set_data(BIO *, void *);
FROM_OPENSSL void *BIO_get_data(BIO *);
FROM_OPENSSL void BIO_set_init(BIO *, int);
FROM_OPENSSL void BIO_set_flags(BIO *, int);
FROM_OPENSSL void BIO_clear_flags(BIO *, int);
FROM_OPENSSL X509 *PEM_read_bio_X509(BIO *, X509 **, void *, void *);
FROM_OPENSSL EVP_PKEY *PEM_read_bio_PrivateKey(BIO *, EVP_PKEY **, void *, void *);
FROM_OPENSSL X509_NAME *X509_get_issuer_name(const X509 *);
FROM_OPENSSL X509_NAME *X509_get_subject_name(const X509 *);
FROM_OPENSSL int X509_NAME_cmp(const X509_NAME *, const X509_NAME *);
FROM_OPENSSL int i2d_X509(const X509 *, unsigned char **);
FROM_OPENSSL void X509_free(X509 *);
FROM_OPENSSL void EVP_PKEY_free(EVP_PKEY *);
FROM_OPENSSL const EVP_MD *EVP_sha256(void);
FROM_OPENSSL const EVP_MD *EVP_sha384(void);
FROM_OPENSSL unsigned char *HMAC(const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *,
                                 unsigned *);
FROM_OPENSSL const EVP_CIPHER *EVP_aes_128_gcm(void);
FROM_OPENSSL const EVP_CIPHER *EVP_aes_256_gcm(void);
FROM_OPENSSL const EVP_CIPHER *EVP_chacha20_poly1305(void);
FROM_OPENSSL EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
FROM_OPENSSL void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *);
FROM_OPENSSL int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int, int, void *);
FROM_OPENSSL int EVP_EncryptInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const unsigned char *,
                                    const unsigned char *);
FROM_OPENSSL int EVP_EncryptUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
FROM_OPENSSL int EVP_EncryptFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *);
FROM_OPENSSL int EVP_DecryptInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const unsigned char *,
                                    const unsigned char *);
FROM_OPENSSL int EVP_DecryptUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
FROM_OPENSSL int EVP_DecryptFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *);
FROM_OPENSSL void OPENSSL_cleanse(void *, size_t);
FROM_OPENSSL void ERR_new(void);
FROM_OPENSSL void ERR_set_error(int, int, const char *, ...);
FROM_OPENSSL void ERR_clear_error(void);
FROM_OPENSSL unsigned long ERR_peek_error(void);
FROM_OPENSSL const char *ERR_reason_error_string(unsigned long);

/** Of ssl.h, tls1.h, bio.h, evp.h and err.h. */
enum {
  control_mode = 33,
  control_session_cache = 44,
  control_groups = 92,
  control_min_version = 123,
  control_max_version = 124,
  mode_release_buffers = 0x10,
  option_no_ticket = 1 << 14,
  tls_1_3 = 0x0304,
  error_want_read = 2,
  error_zero_return = 6,
  bio_source_sink = 0x0400,
  bio_flush = 11,
  bio_retry_read = 0x01 | 0x08,
  bio_retry_flags = 0x01 | 0x02 | 0x04 | 0x08,
  control_get_tag = 0x10,
  control_set_tag = 0x11,
  library_ssl = 20,
};

/** Of ssl3.h: messages and alerts of TLS 1.3. */
enum {
  message_ticket = 4,
  message_key_update = 24,
  alert_close_notify = 0,
  alert_unexpected_message = 10,
  alert_bad_record_mac = 20,
  alert_record_overflow = 22,
  alert_illegal_parameter = 47,
  alert_decode_error = 50,
  alert_internal_error = 80,
  alert_user_canceled = 90,
};

/** Of sslerr.h: its reasons, for which OpenSSL has the words. */
enum {
  reason_internal_error = 0xc0103,
  reason_bad_key_update = 122,
  reason_encrypted_length_too_long = 150,
  reason_excessive_message_size = 152,
  reason_length_too_short = 160,
  reason_not_on_record_boundary = 182,
  reason_invalid_alert = 205,
  reason_unexpected_message = 244,
  reason_wrong_version_number = 267,
  reason_bad_record_mac = 281,
  reason_bad_record_type = 443,
  /** And the number of the alert that came. */
  reason_of_alerts = 1000,
};

#endif
