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

FROM_OPENSSL unsigned long OpenSSL_version_num(void);
FROM_OPENSSL const SSL_METHOD *TLS_method(void);
FROM_OPENSSL SSL_CTX *SSL_CTX_new(const SSL_METHOD *);
FROM_OPENSSL void SSL_CTX_free(SSL_CTX *);
FROM_OPENSSL long SSL_CTX_ctrl(SSL_CTX *, int, long, void *);
FROM_OPENSSL uint64_t SSL_CTX_set_options(SSL_CTX *, uint64_t);
FROM_OPENSSL int SSL_CTX_set_ciphersuites(SSL_CTX *, const char *);
FROM_OPENSSL int SSL_CTX_set_num_tickets(SSL_CTX *, size_t);
FROM_OPENSSL void SSL_CTX_set_cert_verify_callback(SSL_CTX *, int (*)(void *, void *), void *);
FROM_OPENSSL int SSL_CTX_use_certificate(SSL_CTX *, X509 *);
FROM_OPENSSL int SSL_CTX_use_PrivateKey(SSL_CTX *, EVP_PKEY *);
FROM_OPENSSL SSL *SSL_new(SSL_CTX *);
FROM_OPENSSL void SSL_free(SSL *);
FROM_OPENSSL void SSL_set_bio(SSL *, BIO *, BIO *);
FROM_OPENSSL void SSL_set_accept_state(SSL *);
FROM_OPENSSL void SSL_set_connect_state(SSL *);
FROM_OPENSSL int SSL_do_handshake(SSL *);
FROM_OPENSSL int SSL_read_ex(SSL *, void *, size_t, size_t *);
FROM_OPENSSL int SSL_write_ex(SSL *, const void *, size_t, size_t *);
FROM_OPENSSL int SSL_shutdown(SSL *);
FROM_OPENSSL int SSL_get_error(const SSL *, int);
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
FROM_OPENSSL void ERR_clear_error(void);
FROM_OPENSSL unsigned long ERR_peek_error(void);
FROM_OPENSSL const char *ERR_reason_error_string(unsigned long);

/** Of ssl.h, tls1.h and bio.h. */
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
};

#endif
