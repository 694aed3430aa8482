#include "rpc/net/tls_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/assert.h"
#include "core/base/log.h"

const char *vg_tls_file_words(void)
{
    unsigned long code = ERR_get_error();
    const char *words = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return words == NULL ? "unknown reason" : words;
}

static enum vg_reason file_open(const char *path, BIO **out_file, struct vg_error *error)
{
    ERR_clear_error();
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return vg_error_set(error, VG_CONFIG, "cannot read %s: %s", path, strerrordesc_np(errno));
    }
    *out_file = BIO_new_fp(file, BIO_CLOSE);
    VG_ASSERT(*out_file != NULL);
    return VG_OK;
}

enum vg_reason vg_tls_file_certificates(
    const char *path,
    STACK_OF(X509) * *out_certificates,
    struct vg_error *error)
{
    BIO *file = NULL;
    enum vg_reason reason = file_open(path, &file, error);
    if (reason != VG_OK) {
        return reason;
    }
    STACK_OF(X509) *certificates = sk_X509_new_null();
    X509 *one;
    while ((one = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL) {
        VG_ASSERT(sk_X509_push(certificates, one) > 0);
    }
    /* The end of the file is an error to OpenSSL as well: no further PEM begins. */
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    (void)BIO_free(file);
    if (is_end && sk_X509_num(certificates) > 0) {
        ERR_clear_error();
        *out_certificates = certificates;
        return VG_OK;
    }
    sk_X509_pop_free(certificates, X509_free);
    if (is_end) {
        ERR_clear_error();
        return vg_error_set(error, VG_CONFIG, "%s holds no certificate", path);
    }
    return vg_error_set(
        error,
        VG_CONFIG,
        "%s holds a broken certificate: %s",
        path,
        vg_tls_file_words());
}

/* OpenSSL would ask at the terminal for the words of an encrypted key. */
static int file_no_passphrase(
    char *out, // NOLINT(readability-non-const-parameter)
    int size,
    int writing,
    void *owner)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)owner;
    return -1;
}

/* A private key that everybody on the machine can read is no longer private. */
static void file_warn_of_readers(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0) {
        vg_log_message(VG_LOG_WARN, "tls_key_readable", "everybody may read the key in %s", path);
    }
}

static enum vg_reason file_key(const char *path, EVP_PKEY **out_key, struct vg_error *error)
{
    BIO *file = NULL;
    enum vg_reason reason = file_open(path, &file, error);
    if (reason != VG_OK) {
        return reason;
    }
    *out_key = PEM_read_bio_PrivateKey(file, NULL, file_no_passphrase, NULL);
    (void)BIO_free(file);
    if (*out_key != NULL) {
        ERR_clear_error();
        file_warn_of_readers(path);
        return VG_OK;
    }
    int why = ERR_GET_REASON(ERR_peek_last_error());
    bool is_missing = why == PEM_R_NO_START_LINE;
    bool is_encrypted = why == PEM_R_BAD_PASSWORD_READ || why == PEM_R_BAD_DECRYPT;
    return vg_error_set(
        error,
        VG_CONFIG,
        "%s holds no private key that can be used: %s",
        path,
        is_missing     ? "there is none"
        : is_encrypted ? "it is encrypted"
                       : vg_tls_file_words());
}

enum vg_reason vg_tls_file_use(
    SSL_CTX *context,
    const char *path,
    const char *key_path,
    struct vg_error *error)
{
    STACK_OF(X509) *certificates = NULL;
    EVP_PKEY *key = NULL;
    enum vg_reason reason = vg_tls_file_certificates(path, &certificates, error);
    if (reason != VG_OK) {
        return reason;
    }
    reason = file_key(key_path, &key, error);
    X509 *own = sk_X509_shift(certificates);
    if (reason == VG_OK && X509_check_private_key(own, key) != 1) {
        ERR_clear_error();
        reason = vg_error_set(
            error,
            VG_CONFIG,
            "the private key in %s does not belong to the certificate in %s",
            key_path,
            path);
    }
    if (reason == VG_OK && SSL_CTX_use_cert_and_key(context, own, key, certificates, 1) != 1) {
        reason = vg_error_set(error, VG_CONFIG, "cannot use %s: %s", path, vg_tls_file_words());
    }
    EVP_PKEY_free(key);
    X509_free(own);
    sk_X509_pop_free(certificates, X509_free);
    ERR_clear_error();
    return reason;
}

enum vg_reason vg_tls_file_trust(
    SSL_CTX *context,
    const char *path,
    bool tell,
    struct vg_error *error)
{
    STACK_OF(X509) *certificates = NULL;
    enum vg_reason reason = vg_tls_file_certificates(path, &certificates, error);
    if (reason != VG_OK) {
        return reason;
    }
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    /* What the file holds is trusted, be it a root or not. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *one = sk_X509_value(certificates, i);
        VG_ASSERT(X509_STORE_add_cert(store, one) == 1);
        VG_ASSERT(!tell || SSL_CTX_add_client_CA(context, one) == 1);
    }
    sk_X509_pop_free(certificates, X509_free);
    return VG_OK;
}
