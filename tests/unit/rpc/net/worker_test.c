/* Turns of the loop: what one peer sends, or many at once, does not keep the others waiting. All of
 * it is in the sockets before the worker starts, so that the order is the worker's own. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/net/conn.h"
#include "rpc/net/server.h"
#include "rpc/net/worker.h"

#define LOUD_BYTES  (100u * 1024u)
#define QUIET_BYTES 10u
#define LOUD        'L'
#define QUIET       'q'
#define PEERS       (4u * VG_WORKER_ACCEPTS)
#define PEERS_MAX   100u

/* What the protocol of the test has seen; its own thread writes it, ours waits for the end. */
static struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t loud;          /* bytes */
    size_t loud_in_front; /* before the first byte of the quiet one */
    size_t quiet;
    size_t conns_at_first; /* accepted when the first byte was read */
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static bool fake_open(struct vg_conn *conn)
{
    (void)conn;
    return true;
}

static void fake_read(struct vg_conn *conn, struct vg_bytes part)
{
    (void)pthread_mutex_lock(&seen.lock);
    if (seen.loud + seen.quiet == 0) {
        seen.conns_at_first = conn->worker->conn_count;
    }
    if (part.data[0] == QUIET) {
        seen.loud_in_front = seen.quiet == 0 ? seen.loud : seen.loud_in_front;
        seen.quiet += part.size;
    } else {
        seen.loud += part.size;
    }
    (void)pthread_cond_signal(&seen.changed);
    (void)pthread_mutex_unlock(&seen.lock);
}

static void fake_fill(struct vg_conn *conn, struct vg_buffer *out, size_t room)
{
    (void)conn;
    (void)out;
    (void)room;
}

static bool fake_wants_close(const struct vg_conn *conn)
{
    (void)conn;
    return false;
}

static void fake_tick(struct vg_conn *conn, uint64_t now_ns)
{
    (void)conn;
    (void)now_ns;
}

static void fake_closed(struct vg_conn *conn)
{
    (void)conn;
}

static const struct vg_conn_protocol fake = {
    .name = "fake",
    .open = fake_open,
    .read = fake_read,
    .ended = vg_conn_close,
    .fill = fake_fill,
    .wants_close = fake_wants_close,
    .drain = vg_conn_close,
    .tick = fake_tick,
    .closed = fake_closed,
};

static struct vg_server *make_server(void)
{
    const struct vg_server_options options = { .listen = "127.0.0.1:0",
                                               .worker_count = 1,
                                               .drain_timeout_ns = UINT64_C(1000000000),
                                               .http2 = &fake,
                                               .http1 = &fake };
    struct vg_server *server = NULL;
    struct vg_error error;
    assert_int_equal(vg_server_create(&options, &server, &error), VG_OK);
    seen.loud = 0;
    seen.loud_in_front = 0;
    seen.quiet = 0;
    seen.conns_at_first = 0;
    return server;
}

static int send_first(const struct vg_server *server, char what, size_t size)
{
    static char bytes[LOUD_BYTES];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(server->port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(handle >= 0);
    assert_int_equal(connect(handle, (const struct sockaddr *)&address, sizeof(address)), 0);
    memset(bytes, what, size);
    assert_int_equal(send(handle, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
    return handle;
}

/* Start, wait until so much has been read, end. */
static void run_until(struct vg_server *server, size_t loud, size_t quiet)
{
    struct vg_error error;
    assert_int_equal(vg_server_start(server, &error), VG_OK);
    (void)pthread_mutex_lock(&seen.lock);
    while (seen.loud < loud || seen.quiet < quiet) {
        (void)pthread_cond_wait(&seen.changed, &seen.lock);
    }
    (void)pthread_mutex_unlock(&seen.lock);
    vg_server_drain(server);
    vg_server_join(server);
    vg_server_destroy(server);
}

static void test_worker__reads_a_share_of_each_connection_in_a_turn(void **state)
{
    (void)state;
    struct vg_server *server = make_server();
    const int loud = send_first(server, LOUD, LOUD_BYTES);
    const int quiet = send_first(server, QUIET, QUIET_BYTES);
    run_until(server, LOUD_BYTES, QUIET_BYTES);
    assert_int_equal(seen.loud, LOUD_BYTES); /* all of it in the end */
    assert_true(seen.loud_in_front <= 16u * 1024u);
    (void)close(loud);
    (void)close(quiet);
}

static void test_worker__accepts_a_share_of_those_in_line_in_a_turn(void **state)
{
    (void)state;
    struct vg_server *server = make_server();
    int handles[PEERS_MAX];
    assert_true(PEERS <= PEERS_MAX);
    for (size_t i = 0; i < PEERS; i++) {
        handles[i] = send_first(server, QUIET, QUIET_BYTES);
    }
    run_until(server, 0, (size_t)PEERS * QUIET_BYTES); /* everybody is served */
    assert_true(seen.conns_at_first <= 2 * VG_WORKER_ACCEPTS);
    for (size_t i = 0; i < PEERS; i++) {
        (void)close(handles[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker__reads_a_share_of_each_connection_in_a_turn),
        cmocka_unit_test(test_worker__accepts_a_share_of_those_in_line_in_a_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
