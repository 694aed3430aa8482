#include "rpc/net/conn_tls.h"

#include <string.h>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "rpc/net/server.h"
#include "rpc/net/tls.h"
#include "rpc/net/tls_context.h"
#include "rpc/net/worker.h"

/* First byte of a ClientHello: the content type of its record (RFC 8446 section 5.1). */
#define VG_CONN_TLS_HANDSHAKE 0x16u

/* For who speaks HTTP/1.1, or the preface of HTTP/2, in plain text: words instead of an alert. */
static const char plain_answer[] = "HTTP/1.1 400 Bad Request\r\n"
                                   "Content-Type: text/plain\r\n"
                                   "Content-Length: 55\r\n"
                                   "Connection: close\r\n"
                                   "\r\n"
                                   "This port speaks TLS: use https:// or the plain port.\r\n";

bool vg_conn_tls_open(struct vg_conn *conn)
{
    struct vg_tls_context *context = vg_server_tls(conn->worker->server);
    conn->tls = vg_tls_accept(context);
    vg_tls_context_unref(context);
    conn->tls_first = true;
    return conn->tls != NULL;
}

void vg_conn_tls_dispose(struct vg_conn *conn)
{
    vg_tls_destroy(conn->tls);
    conn->tls = NULL;
    vg_peer_identity_unref(conn->identity);
    conn->identity = NULL;
}

/* --- Reading -----------------------------------------------------------------------------------
 */

/* Anybody can fail as often as he likes: the log says so a few times a second, the metric always.
 */
static void tls_log_failure(struct vg_conn *conn, const char *why)
{
    struct vg_worker *worker = conn->worker;
    struct vg_log_line line;
    uint64_t second = uv_hrtime() / UINT64_C(1000000000);
    if (worker->tls_log_second != second) {
        worker->tls_log_second = second;
        worker->tls_log_lines = 0;
    }
    if (worker->tls_log_lines >= VG_CONN_TLS_LINES_PER_SECOND ||
        !vg_log_begin(&line, VG_LOG_INFO, "tls_handshake_failed")) {
        return;
    }
    worker->tls_log_lines++;
    char text[VG_NETWORK_TEXT_SIZE];
    size_t size = vg_network_print(&conn->peer, text);
    vg_log_bytes(&line, "peer", vg_bytes(text, size));
    vg_log_int(&line, "port", conn->peer_port);
    vg_log_text(&line, "message", why);
    vg_log_end(&line);
}

static void tls_note_failure(struct vg_conn *conn, const char *why)
{
    vg_metrics_add(VG_METRIC_tls_handshakes_failed_total, 1);
    tls_log_failure(conn, why);
}

void vg_conn_tls_lost(struct vg_conn *conn, const char *why)
{
    /* Who connects and goes without a word (a probe, a scan) has begun no handshake. */
    if (!conn->tls_first && conn->protocol == NULL && !conn->parting &&
        vg_tls_state(conn->tls) == VG_TLS_HANDSHAKE) {
        tls_note_failure(conn, why);
    }
}

/* The handshake is done: who is it, and what does he speak? */
static void tls_greet(struct vg_conn *conn)
{
    const struct vg_server_options *options = &conn->worker->server->options;
    vg_metrics_add(VG_METRIC_tls_handshakes_total, 1);
    vg_metrics_add(VG_METRIC_tls_handshakes_resumed_total, vg_tls_is_resumed(conn->tls) ? 1 : 0);
    conn->identity = vg_tls_identity(conn->tls);
    /* gRPC needs ALPN; who offers nothing speaks HTTP/1.1 (RFC 9113 section 3.3). */
    bool is_h2 = vg_tls_protocol(conn->tls) == VG_TLS_PROTOCOL_H2;
    vg_conn_speak(conn, is_h2 ? options->http2 : options->http1);
}

/* True: go on reading. */
static bool tls_shake(struct vg_conn *conn)
{
    switch (vg_tls_shake(conn->tls, &conn->queued)) {
    case VG_TLS_OPEN:
        tls_greet(conn);
        return !conn->close_wanted;
    case VG_TLS_FAILED:
        tls_note_failure(conn, vg_tls_failure(conn->tls));
        vg_conn_part(conn); /* with the alert */
        return false;
    case VG_TLS_HANDSHAKE:
    case VG_TLS_ENDED:
        break;
    }
    return false;
}

/* What is not TLS is told so in its own words, if it looks like HTTP, and dropped otherwise. */
static void tls_refuse_plain(struct vg_conn *conn, uint8_t first)
{
    tls_note_failure(conn, "plain text on the TLS port");
    if (first >= 'A' && first <= 'Z') {
        vg_buffer_append_text(&conn->queued, plain_answer);
    }
    vg_conn_part(conn);
}

void vg_conn_tls_take(struct vg_conn *conn, struct vg_bytes part)
{
    struct vg_worker *worker = conn->worker;
    if (conn->parting || part.size == 0) {
        return;
    }
    if (conn->tls_first && part.data[0] != VG_CONN_TLS_HANDSHAKE) {
        tls_refuse_plain(conn, part.data[0]);
        return;
    }
    conn->tls_first = false;
    vg_tls_feed(conn->tls, part);
    if (vg_tls_state(conn->tls) == VG_TLS_HANDSHAKE && !tls_shake(conn)) {
        vg_conn_wake(conn);
        return;
    }
    size_t size = 1;
    while (size > 0 && !conn->close_wanted && conn->protocol != NULL) {
        size = vg_tls_read(conn->tls, worker->plain, sizeof(worker->plain), &conn->queued);
        if (size > 0) {
            conn->protocol->read(conn, vg_bytes(worker->plain, size));
        }
    }
    if (vg_tls_state(conn->tls) == VG_TLS_FAILED) {
        vg_conn_part(conn); /* with the alert */
    } else if (vg_tls_state(conn->tls) == VG_TLS_ENDED && !conn->close_wanted) {
        vg_conn_end_read(conn);
    }
    if (conn->queued.size > 0) {
        vg_conn_wake(conn);
    }
}

/* --- Writing -----------------------------------------------------------------------------------
 */

static bool tls_append(struct vg_conn *conn, const struct vg_buffer *plain, struct vg_buffer *out)
{
    return plain->size == 0 || vg_tls_seal(conn->tls, vg_buffer_bytes(plain), uv_hrtime(), out);
}

struct vg_buffer *vg_conn_tls_seal(struct vg_conn *conn, const struct vg_buffer *plain)
{
    struct vg_buffer *sealed = &conn->worker->sealed;
    vg_buffer_clear(sealed);
    if (conn->queued.failed) {
        return NULL;
    }
    if (conn->queued.size > 0) {
        vg_buffer_append(sealed, conn->queued.data, conn->queued.size);
        vg_buffer_dispose(&conn->queued);
    }
    return tls_append(conn, plain, sealed) && !sealed->failed ? sealed : NULL;
}

void vg_conn_tls_queue(struct vg_conn *conn, const struct vg_buffer *plain)
{
    if (!tls_append(conn, plain, &conn->queued)) {
        vg_conn_close(conn);
    }
}
