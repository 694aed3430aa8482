#include "rpc/net/tls_context.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/log.h"
#include "core/base/time_text.h"
#include "rpc/net/tls_file.h"
#include "rpc/net/tls_identity.h"
#include "rpc/net/tls_ticket.h"

/* Names of sessions of ours: OpenSSL wants some where clients are asked for certificates. */
#define VG_TLS_SESSION_WORD "vigil"
/* A session is resumed within this time, in seconds. */
#define VG_TLS_SESSION_SECONDS 7200
#define VG_TLS_CHAIN_MAX       8
#define VG_TLS_WARN_MS         (INT64_C(30) * 24 * 3600 * 1000)
/* What all processors do fast, first; RFC 8446 section 9.1 demands it of everybody. */
#define VG_TLS_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

/* In the order of preference, as ALPN writes it. */
static const unsigned char protocols[] = "\x02h2\x08http/1.1";

struct vg_tls_context {
    _Atomic uint32_t references;
    vg_time expires;
    size_t count;
    SSL_CTX *contexts[VG_TLS_CERTIFICATES_MAX]; /* one for each certificate, the first by default */
    struct vg_tls_tickets tickets;
};

/* --- Callbacks ---------------------------------------------------------------------------------
 */

static int context_on_alpn( // NOLINT(readability-function-size)
    SSL *ssl,
    const unsigned char **out,
    unsigned char *out_size,
    const unsigned char *offered,
    unsigned offered_size,
    void *owner)
{
    (void)ssl;
    (void)owner;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(
            &chosen,
            out_size,
            protocols,
            sizeof(protocols) - 1,
            offered,
            offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* The certificate that fits `name`; `flags` say how. */
static SSL_CTX *context_find(struct vg_tls_context *context, const char *name, unsigned flags)
{
    for (size_t i = 0; i < context->count; i++) {
        X509 *certificate = SSL_CTX_get0_certificate(context->contexts[i]);
        if (X509_check_host(certificate, name, 0, flags, NULL) == 1) {
            return context->contexts[i];
        }
    }
    return NULL;
}

/* OpenSSL's signature. */
static int context_on_name(
    SSL *ssl,
    int *alert, // NOLINT(readability-non-const-parameter)
    void *owner)
{
    (void)alert;
    struct vg_tls_context *context = owner;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL || context->count == 1) {
        return SSL_TLSEXT_ERR_OK;
    }
    SSL_CTX *found = context_find(context, name, X509_CHECK_FLAG_NO_WILDCARDS);
    found =
        found == NULL ? context_find(context, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) : found;
    if (found != NULL) {
        (void)SSL_set_SSL_CTX(ssl, found);
    }
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL's signature. */
static int context_on_ticket( // NOLINT(readability-function-size)
    SSL *ssl,
    unsigned char *name,
    unsigned char *iv,
    EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac,
    int encrypt)
{
    struct vg_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    return vg_tls_tickets_crypt(&context->tickets, name, iv, cipher, mac, encrypt == 1);
}

/* --- Making ------------------------------------------------------------------------------------
 */

static enum vg_reason context_set_ciphers(
    SSL_CTX *ssl,
    const struct vg_tls_options *options,
    struct vg_error *error)
{
    ERR_clear_error();
    VG_ASSERT(SSL_CTX_set_ciphersuites(ssl, VG_TLS_SUITES) == 1);
    if (SSL_CTX_set_cipher_list(ssl, options->ciphers) != 1) {
        ERR_clear_error();
        return vg_error_set(
            error,
            VG_CONFIG,
            "tls_ciphers: OpenSSL knows no cipher of \"%s\"",
            options->ciphers);
    }
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ssl);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        /* RFC 9113 appendix A: others are forbidden with HTTP/2; and so is an exchange of keys
         * without forward secrecy. */
        int exchange = SSL_CIPHER_get_kx_nid(cipher);
        if (SSL_CIPHER_is_aead(cipher) != 1 || exchange == NID_kx_rsa || exchange == NID_kx_psk ||
            SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null) {
            return vg_error_set(
                error,
                VG_CONFIG,
                "tls_ciphers: %s is not fit for HTTP/2: only ECDHE or DHE with AEAD is",
                SSL_CIPHER_get_name(cipher));
        }
    }
    return VG_OK;
}

/* What every connection has, whichever certificate it shows. */
static void context_set_up(struct vg_tls_context *context, SSL_CTX *ssl, int version_min)
{
    VG_ASSERT(SSL_CTX_set_min_proto_version(ssl, version_min) == 1);
    (void)SSL_CTX_set_options(
        ssl,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
            SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ssl, context_on_alpn, NULL);
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets do it */
    (void)SSL_CTX_set_timeout(ssl, VG_TLS_SESSION_SECONDS);
    VG_ASSERT(
        SSL_CTX_set_session_id_context(
            ssl,
            (const unsigned char *)VG_TLS_SESSION_WORD,
            sizeof(VG_TLS_SESSION_WORD) - 1) == 1);
    VG_ASSERT(SSL_CTX_set_app_data(ssl, context) == 1);
    VG_ASSERT(SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, context_on_ticket) == 1);
    (void)SSL_CTX_set_tlsext_servername_callback(ssl, context_on_name);
    (void)SSL_CTX_set_tlsext_servername_arg(ssl, context);
}

static enum vg_reason context_set_clients(
    SSL_CTX *ssl,
    const struct vg_tls_options *options,
    struct vg_error *error)
{
    static const int modes[] = {
        [VG_TLS_CLIENTS_OFF] = SSL_VERIFY_NONE,
        [VG_TLS_CLIENTS_OPTIONAL] = SSL_VERIFY_PEER,
        [VG_TLS_CLIENTS_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    if (options->clients == VG_TLS_CLIENTS_OFF) {
        return VG_OK;
    }
    if (options->client_ca[0] == '\0') {
        return vg_error_set(
            error,
            VG_CONFIG,
            "tls_client_certificates needs tls_client_ca: whose certificates are to be taken?");
    }
    SSL_CTX_set_verify(ssl, modes[options->clients], NULL);
    SSL_CTX_set_verify_depth(ssl, VG_TLS_CHAIN_MAX);
    return vg_tls_file_trust(ssl, options->client_ca, true, error);
}

/* Certificates end on weekends: say so long before. */
static void context_note_end(struct vg_tls_context *context, const char *path, vg_time now)
{
    const X509 *certificate = SSL_CTX_get0_certificate(context->contexts[context->count - 1]);
    vg_time end = vg_tls_identity_time(X509_get0_notAfter(certificate));
    context->expires = end < context->expires ? end : context->expires;
    if (end > now + VG_TLS_WARN_MS) {
        return;
    }
    struct vg_log_line line;
    if (vg_log_begin(&line, VG_LOG_WARN, "tls_certificate_ends")) {
        char text[VG_TIME_TEXT_SIZE];
        vg_time_text_print(end, text);
        vg_log_text(&line, "file", path);
        vg_log_text(&line, "ends", text);
        vg_log_bool(&line, "ended", end <= now);
        vg_log_end(&line);
    }
}

static enum vg_reason context_add(
    struct vg_tls_context *context,
    const struct vg_tls_options *options,
    const char *path,
    const char *key_path,
    vg_time now,
    struct vg_error *error)
{
    if (context->count == VG_TLS_CERTIFICATES_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "tls_certificates: there can be %u certificates",
            VG_TLS_CERTIFICATES_MAX);
    }
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    VG_ASSERT(ssl != NULL);
    context->contexts[context->count++] = ssl;
    context_set_up(
        context,
        ssl,
        options->version_min == VG_TLS_VERSION_13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    enum vg_reason reason = context_set_ciphers(ssl, options, error);
    reason = reason == VG_OK ? context_set_clients(ssl, options, error) : reason;
    reason = reason == VG_OK ? vg_tls_file_use(ssl, path, key_path, error) : reason;
    if (reason == VG_OK) {
        context_note_end(context, path, now);
    }
    return reason;
}

/* The next file of a list, which is cut up; NULL at its end. */
static char *next_file(char **rest)
{
    return *rest == NULL ? NULL : strsep(rest, ",");
}

static enum vg_reason context_add_all(
    struct vg_tls_context *context,
    const struct vg_tls_options *options,
    vg_time now,
    struct vg_error *error)
{
    char certificates[VG_SETTING_TEXT_SIZE];
    char keys[VG_SETTING_TEXT_SIZE];
    char *certificates_rest = certificates;
    char *keys_rest = options->keys[0] == '\0' ? NULL : keys;
    if (strlen(options->certificates) >= sizeof(certificates) ||
        strlen(options->keys) >= sizeof(keys)) {
        return vg_error_set(error, VG_CONFIG, "tls_certificates or tls_keys is too long");
    }
    memcpy(certificates, options->certificates, strlen(options->certificates) + 1);
    memcpy(keys, options->keys, strlen(options->keys) + 1);
    bool with_keys = keys_rest != NULL;
    enum vg_reason reason = VG_OK;
    const char *path;
    while (reason == VG_OK && (path = next_file(&certificates_rest)) != NULL) {
        const char *key_path = with_keys ? next_file(&keys_rest) : path;
        if (path[0] == '\0' || key_path == NULL || key_path[0] == '\0') {
            return vg_error_set(
                error,
                VG_CONFIG,
                "tls_certificates and tls_keys must name as many files, separated by commas");
        }
        reason = context_add(context, options, path, key_path, now, error);
    }
    if (reason == VG_OK && keys_rest != NULL) {
        reason = vg_error_set(error, VG_CONFIG, "tls_keys names more files than tls_certificates");
    }
    return reason;
}

enum vg_reason vg_tls_context_create(
    const struct vg_tls_options *options,
    vg_time now,
    struct vg_tls_context **out_context,
    struct vg_error *error)
{
    if (options->certificates[0] == '\0') {
        return vg_error_set(error, VG_CONFIG, "TLS needs a certificate: set tls_certificates");
    }
    struct vg_tls_context *context = calloc(1, sizeof(*context));
    VG_ASSERT(context != NULL);
    atomic_init(&context->references, 1);
    context->expires = VG_TIME_MAX;
    vg_tls_tickets_init(&context->tickets);
    enum vg_reason reason = context_add_all(context, options, now, error);
    if (reason != VG_OK) {
        vg_tls_context_unref(context);
        return reason;
    }
    *out_context = context;
    return VG_OK;
}

struct vg_tls_context *vg_tls_context_ref(struct vg_tls_context *context)
{
    (void)atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void vg_tls_context_unref(struct vg_tls_context *context)
{
    if (context == NULL ||
        atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < context->count; i++) {
        SSL_CTX_free(context->contexts[i]);
    }
    vg_tls_tickets_dispose(&context->tickets);
    free(context);
}

vg_time vg_tls_context_expires(const struct vg_tls_context *context)
{
    return context->expires;
}

struct ssl_st *vg_tls_context_open(struct vg_tls_context *context)
{
    SSL *ssl = SSL_new(context->contexts[0]);
    if (ssl != NULL) {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}
