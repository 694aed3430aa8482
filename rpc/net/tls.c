/*
 * The BIO below is the whole of our input and output for OpenSSL: it reads from the bytes that were
 * fed and appends to the buffer of the call. As that buffer takes everything, a write never has to
 * be repeated, and one SSL_write carries a whole flush: SSL_MODE_ENABLE_PARTIAL_WRITE, which would
 * return after each record, is not wanted.
 */
#include "rpc/net/tls.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/base/assert.h"
#include "rpc/net/tls_client.h"
#include "rpc/net/tls_context.h"
#include "rpc/net/tls_file.h"
#include "rpc/net/tls_identity.h"

struct vg_tls {
    SSL *ssl;
    struct vg_tls_context *context; /* NULL on the client's side */
    struct vg_bytes source;         /* not yet read */
    struct vg_buffer *sink;         /* of the call that runs */
    const char *failure;
    enum vg_tls_state state;
    unsigned messages; /* since the last vg_tls_calm */
    bool is_ending;    /* close_notify is said */
    bool is_large;     /* records are as large as they may be */
    size_t burst_bytes;
    uint64_t sealed_ns;
};

/* --- The BIO -----------------------------------------------------------------------------------
 */

static int bio_read(BIO *bio, char *out, int room)
{
    struct vg_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->source.size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t size = tls->source.size < (size_t)room ? tls->source.size : (size_t)room;
    memcpy(out, tls->source.data, size);
    tls->source = vg_bytes(tls->source.data + size, tls->source.size - size);
    return (int)size;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct vg_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    VG_ASSERT(tls->sink != NULL);
    vg_buffer_append(tls->sink, data, (size_t)size);
    return tls->sink->failed ? -1 : size;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method;

static void make_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "vigil");
    VG_ASSERT(
        bio_method != NULL && BIO_meth_set_read(bio_method, bio_read) == 1 &&
        BIO_meth_set_write(bio_method, bio_write) == 1 &&
        BIO_meth_set_ctrl(bio_method, bio_control) == 1 &&
        BIO_meth_set_create(bio_method, bio_create) == 1);
}

/* --- Life --------------------------------------------------------------------------------------
 */

/* Called for every message of a handshake, also for those behind it. */
static void tls_on_message(const SSL *ssl, int where, int result)
{
    (void)result;
    struct vg_tls *tls = SSL_get_app_data(ssl);
    if (tls != NULL && tls->state != VG_TLS_HANDSHAKE && (where & SSL_CB_LOOP) != 0) {
        tls->messages++;
    }
}

static struct vg_tls *tls_create(SSL *ssl, struct vg_tls_context *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_method);
    struct vg_tls *tls = calloc(1, sizeof(*tls));
    BIO *bio = BIO_new(bio_method);
    if (ssl == NULL || tls == NULL || bio == NULL || SSL_set_app_data(ssl, tls) != 1) {
        (void)BIO_free(bio);
        SSL_free(ssl);
        free(tls);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, tls);
    SSL_set_bio(ssl, bio, bio); /* takes it */
    SSL_set_info_callback(ssl, tls_on_message);
    (void)SSL_set_max_send_fragment(ssl, VG_TLS_RECORD_FIRST_BYTES);
    tls->ssl = ssl;
    tls->context = context == NULL ? NULL : vg_tls_context_ref(context);
    return tls;
}

struct vg_tls *vg_tls_accept(struct vg_tls_context *context)
{
    return tls_create(vg_tls_context_open(context), context);
}

struct vg_tls *vg_tls_connect(struct vg_tls_client *client, const char *host)
{
    return tls_create(vg_tls_client_open(client, host), NULL);
}

void vg_tls_destroy(struct vg_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    SSL_free(tls->ssl);
    vg_tls_context_unref(tls->context);
    free(tls);
}

/* --- Bytes -------------------------------------------------------------------------------------
 */

void vg_tls_feed(struct vg_tls *tls, struct vg_bytes part)
{
    tls->source = part;
}

/* The words for a failure: what is wrong with the peer's certificate says more than that the
 * handshake failed because of it. */
static void tls_fail(struct vg_tls *tls)
{
    long verified = SSL_get_verify_result(tls->ssl);
    const char *words = vg_tls_file_words();
    if (tls->state != VG_TLS_FAILED) {
        tls->failure = verified == X509_V_OK ? words : X509_verify_cert_error_string(verified);
        tls->state = VG_TLS_FAILED;
    }
}

/* What a call of OpenSSL that gave nothing means. */
static void tls_settle(struct vg_tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        tls->state = VG_TLS_ENDED;
        break;
    default:
        tls_fail(tls);
        break;
    }
}

enum vg_tls_state vg_tls_shake(struct vg_tls *tls, struct vg_buffer *sealed)
{
    if (tls->state != VG_TLS_HANDSHAKE) {
        return tls->state;
    }
    ERR_clear_error();
    tls->sink = sealed;
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        tls->state = VG_TLS_OPEN;
    } else {
        tls_settle(tls, result);
    }
    if (tls->state == VG_TLS_ENDED) { /* close_notify before there was anything to end */
        tls->failure = "the peer has ended the handshake";
        tls->state = VG_TLS_FAILED;
    }
    tls->sink = NULL;
    return tls->state;
}

size_t vg_tls_read(struct vg_tls *tls, uint8_t *out, size_t room, struct vg_buffer *sealed)
{
    size_t size = 0;
    ERR_clear_error();
    tls->sink = sealed;
    while (tls->state == VG_TLS_OPEN && size < room) {
        size_t got = 0; /* one record at most */
        int result = SSL_read_ex(tls->ssl, out + size, room - size, &got);
        if (result != 1) {
            tls_settle(tls, result);
            break;
        }
        size += got;
    }
    if (tls->messages > VG_TLS_MESSAGES_MAX && tls->state == VG_TLS_OPEN) {
        tls->failure = "too many handshake messages";
        tls->state = VG_TLS_FAILED;
    }
    tls->sink = NULL;
    return size;
}

/* Choose the size of records, which may only change between two writes. */
static void tls_size_records(struct vg_tls *tls, uint64_t now_ns)
{
    if (now_ns - tls->sealed_ns > VG_TLS_BURST_NS) {
        tls->burst_bytes = 0;
    }
    tls->sealed_ns = now_ns;
    bool is_large = tls->burst_bytes >= VG_TLS_BURST_BYTES;
    if (is_large != tls->is_large) {
        long size = is_large ? VG_TLS_RECORD_BYTES : VG_TLS_RECORD_FIRST_BYTES;
        tls->is_large = is_large;
        (void)SSL_set_max_send_fragment(tls->ssl, size);
        (void)SSL_set_split_send_fragment(tls->ssl, size); /* follows downwards only */
    }
}

bool vg_tls_seal(
    struct vg_tls *tls,
    struct vg_bytes part,
    uint64_t now_ns,
    struct vg_buffer *sealed)
{
    size_t written = 0;
    if (tls->state == VG_TLS_HANDSHAKE || tls->state == VG_TLS_FAILED || tls->is_ending) {
        return false;
    }
    if (part.size == 0) {
        return true;
    }
    ERR_clear_error();
    tls_size_records(tls, now_ns);
    tls->burst_bytes += part.size;
    tls->sink = sealed;
    bool good = SSL_write_ex(tls->ssl, part.data, part.size, &written) == 1;
    tls->sink = NULL;
    if (!good) {
        tls_fail(tls);
        return false;
    }
    VG_ASSERT(written == part.size);
    return true;
}

bool vg_tls_end(struct vg_tls *tls, struct vg_buffer *sealed)
{
    if (tls->is_ending || tls->state == VG_TLS_HANDSHAKE || tls->state == VG_TLS_FAILED) {
        return false;
    }
    tls->is_ending = true;
    ERR_clear_error();
    tls->sink = sealed;
    (void)SSL_shutdown(tls->ssl);
    tls->sink = NULL;
    ERR_clear_error();
    return true;
}

void vg_tls_calm(struct vg_tls *tls)
{
    tls->messages = 0;
}

/* --- What is known -----------------------------------------------------------------------------
 */

enum vg_tls_state vg_tls_state(const struct vg_tls *tls)
{
    return tls->state;
}

const char *vg_tls_failure(const struct vg_tls *tls)
{
    return tls->failure;
}

enum vg_tls_protocol vg_tls_protocol(const struct vg_tls *tls)
{
    const unsigned char *name = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &size);
    struct vg_bytes selected = vg_bytes(name, size);
    if (vg_bytes_equal(selected, vg_bytes_text("h2"))) {
        return VG_TLS_PROTOCOL_H2;
    }
    return vg_bytes_equal(selected, vg_bytes_text("http/1.1")) ? VG_TLS_PROTOCOL_HTTP1
                                                               : VG_TLS_PROTOCOL_NONE;
}

bool vg_tls_is_resumed(const struct vg_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

const struct vg_peer_identity *vg_tls_identity(const struct vg_tls *tls)
{
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    return certificate == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK
               ? NULL
               : vg_tls_identity_read(certificate);
}
