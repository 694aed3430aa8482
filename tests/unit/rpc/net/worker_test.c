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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "rpc/net/conn.h"
#include "rpc/net/conn_accept.h"
#include "rpc/net/conn_turn.h"
#include "rpc/net/server.h"
#include "rpc/net/worker.h"

#define LOUD_BYTES  (100u * 1024u)
#define QUIET_BYTES 10u
#define LOUD        'L'
#define QUIET       'q'
#define KNOWN       'k' /* shows a key with its first byte */
#define HERE        0x7f000001u
#define ELSEWHERE   0x7f000009u
#define LOUD_CONNS  20u
#define PEERS       (4u * VG_CONN_ACCEPTS)
#define PEERS_MAX   100u

/* What the protocol of the test has seen; its own thread writes it, ours waits for the end. */
static struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t loud;          /* bytes */
    size_t loud_in_front; /* before the first byte of the quiet one */
    size_t quiet;
    size_t known;
    size_t conns_at_first;  /* accepted when the first byte was read */
    uint64_t loud_takes_ns; /* every part of a loud one */
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static bool fake_open(struct vg_conn *conn)
{
    (void)conn;
    return true;
}

static void work_for(uint64_t length_ns)
{
    const uint64_t begun_ns = vg_conn_turn_cpu_ns();
    while (vg_conn_turn_cpu_ns() - begun_ns < length_ns) {
    }
}

static void fake_read(struct vg_conn *conn, struct vg_bytes part)
{
    (void)pthread_mutex_lock(&seen.lock);
    if (seen.loud + seen.quiet + seen.known == 0) {
        seen.conns_at_first = conn->worker->conn_count;
    }
    switch (part.data[0]) {
    case QUIET:
        seen.loud_in_front = seen.quiet == 0 ? seen.loud : seen.loud_in_front;
        seen.quiet += part.size;
        break;
    case KNOWN:
        vg_conn_prove(conn);
        seen.known += part.size;
        break;
    default:
        work_for(seen.loud_takes_ns);
        seen.loud += part.size;
        break;
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

static struct vg_server *make_server(unsigned stranger_share)
{
    const struct vg_server_options options = { .listen = "127.0.0.1:0",
                                               .worker_count = 1,
                                               .drain_timeout_ns = UINT64_C(200000000),
                                               .limits.stranger_share = stranger_share,
                                               .http2 = &fake,
                                               .http1 = &fake };
    struct vg_server *server = NULL;
    struct vg_error error;
    assert_int_equal(vg_server_create(&options, &server, &error), VG_OK);
    seen.loud = 0;
    seen.loud_in_front = 0;
    seen.quiet = 0;
    seen.known = 0;
    seen.conns_at_first = 0;
    seen.loud_takes_ns = 0;
    return server;
}

static int send_from(const struct vg_server *server, uint32_t from, char what, size_t size)
{
    static char bytes[LOUD_BYTES];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(server->port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const struct sockaddr_in source = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(from) };
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(handle >= 0);
    assert_int_equal(bind(handle, (const struct sockaddr *)&source, sizeof(source)), 0);
    assert_int_equal(connect(handle, (const struct sockaddr *)&address, sizeof(address)), 0);
    memset(bytes, what, size);
    assert_int_equal(send(handle, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
    return handle;
}

static int send_first(const struct vg_server *server, char what, size_t size)
{
    return send_from(server, HERE, what, size);
}

/* Start, wait until so much has been read, end. */
static void run_until(struct vg_server *server, size_t loud, size_t quiet, size_t known)
{
    struct vg_error error;
    assert_int_equal(vg_server_start(server, &error), VG_OK);
    (void)pthread_mutex_lock(&seen.lock);
    while (seen.loud < loud || seen.quiet < quiet || seen.known < known) {
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
    struct vg_server *server = make_server(0);
    const int loud = send_first(server, LOUD, LOUD_BYTES);
    const int quiet = send_first(server, QUIET, QUIET_BYTES);
    run_until(server, LOUD_BYTES, QUIET_BYTES, 0);
    assert_int_equal(seen.loud, LOUD_BYTES); /* all of it in the end */
    assert_true(seen.loud_in_front <= 16u * 1024u);
    (void)close(loud);
    (void)close(quiet);
}

static void test_worker__accepts_a_share_of_those_in_line_in_a_turn(void **state)
{
    (void)state;
    struct vg_server *server = make_server(0);
    int handles[PEERS_MAX];
    assert_true(PEERS <= PEERS_MAX);
    for (size_t i = 0; i < PEERS; i++) {
        handles[i] = send_first(server, QUIET, QUIET_BYTES);
    }
    run_until(server, 0, (size_t)PEERS * QUIET_BYTES, 0); /* everybody is served */
    assert_true(seen.conns_at_first <= 2 * VG_CONN_ACCEPTS);
    for (size_t i = 0; i < PEERS; i++) {
        (void)close(handles[i]);
    }
}

/* One round of the loop, by the thread of the test. */
static void turn(struct vg_worker *worker)
{
    worker->self = pthread_self();
    (void)uv_run(&worker->loop, UV_RUN_NOWAIT);
}

static void test_worker__accepts_again_when_there_are_descriptors(void **state)
{
    (void)state;
    struct vg_server *server = make_server(0);
    struct vg_worker *worker = server->workers[0];
    const struct vg_worker_listener *listener = &worker->listeners[VG_SERVER_PLAIN];
    turn(worker);
    const int handle = send_first(server, QUIET, QUIET_BYTES);
    const int next = dup(handle);
    struct rlimit limit;
    assert_true(next >= 0 && close(next) == 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = { .rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    while (!listener->pause.is_set) {
        turn(worker);
    }
    assert_int_equal(worker->conn_count, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (seen.quiet < QUIET_BYTES) {
        turn(worker);
    }
    assert_int_equal(worker->conn_count, 1);
    assert_false(listener->pause.is_set);
    (void)close(handle);
    vg_server_destroy(server);
}

/* Who waits costs the loop nothing: only those are read from that are served in a turn, and nobody
 * else is watched meanwhile. */
static void test_worker__looks_only_at_those_it_serves(void **state)
{
    (void)state;
    struct vg_server *server = make_server(1);
    struct vg_worker *worker = server->workers[0];
    int loud[LOUD_CONNS];
    seen.loud_takes_ns = (uint64_t)VG_PEER_BURST_NS;
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        loud[i] = send_from(server, ELSEWHERE, LOUD, QUIET_BYTES);
    }
    while (worker->conn_count < LOUD_CONNS) {
        turn(worker);
    }
    turn(worker);
    assert_int_equal(seen.loud, QUIET_BYTES); /* the first has used up what there was */
    size_t watched = 0;
    size_t waiting = 0;
    for (const struct vg_conn *conn = worker->conns; conn != NULL; conn = conn->next) {
        watched += conn->reading;
        waiting += conn->read_link.line != NULL;
    }
    assert_int_equal(watched, 1);
    assert_int_equal(waiting, LOUD_CONNS - 1);
    assert_int_equal(worker->turns.ready.count, 0); /* so that the loop may sleep */
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        (void)close(loud[i]);
    }
    vg_server_destroy(server);
}

/* However many connections an address has, and however long each of them takes. */
static void test_worker__serves_each_address_in_a_turn(void **state)
{
    (void)state;
    struct vg_server *server = make_server(0);
    int loud[LOUD_CONNS];
    seen.loud_takes_ns = 4 * VG_PEER_TURN_NS;
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        loud[i] = send_from(server, ELSEWHERE, LOUD, LOUD_BYTES);
    }
    const int quiet = send_first(server, QUIET, QUIET_BYTES);
    run_until(server, 0, QUIET_BYTES, 0);
    /* It is 21st in line. One turn accepts 16, and the budget is the large one until it has come.
     */
    const size_t parts = 3 * (VG_PEER_TURN_ALONE_NS / seen.loud_takes_ns + 1);
    assert_true(seen.loud_in_front <= parts * VG_CONN_SHARE_FIRST);
    assert_true(parts < LOUD_CONNS);
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        (void)close(loud[i]);
    }
    (void)close(quiet);
}

/* The strangers are held, still in line, when the server ends; who has shown a key is served. */
static void test_worker__holds_strangers_but_nobody_who_is_known(void **state)
{
    (void)state;
    struct vg_server *server = make_server(1);
    int loud[LOUD_CONNS];
    const int known = send_first(server, KNOWN, LOUD_BYTES);
    seen.loud_takes_ns = (uint64_t)VG_PEER_BURST_NS / 4;
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        loud[i] = send_first(server, LOUD, LOUD_BYTES);
    }
    run_until(server, 0, 0, LOUD_BYTES);
    assert_true(seen.loud < (size_t)LOUD_CONNS * LOUD_BYTES / 2);
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        (void)close(loud[i]);
    }
    (void)close(known);
}

/* The client is gone, and its connection is closed by the end of the drain at the latest. */
static void test_worker__closes_what_waits_in_line(void **state)
{
    (void)state;
    struct vg_server *server = make_server(1);
    seen.loud_takes_ns = (uint64_t)VG_PEER_BURST_NS;
    for (size_t i = 0; i < LOUD_CONNS; i++) {
        (void)close(send_from(server, ELSEWHERE, LOUD, QUIET_BYTES));
    }
    const int quiet = send_first(server, QUIET, QUIET_BYTES);
    run_until(server, QUIET_BYTES, QUIET_BYTES, 0);
    assert_true(seen.loud < LOUD_CONNS * QUIET_BYTES);
    (void)close(quiet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker__reads_a_share_of_each_connection_in_a_turn),
        cmocka_unit_test(test_worker__accepts_a_share_of_those_in_line_in_a_turn),
        cmocka_unit_test(test_worker__accepts_again_when_there_are_descriptors),
        cmocka_unit_test(test_worker__looks_only_at_those_it_serves),
        cmocka_unit_test(test_worker__serves_each_address_in_a_turn),
        cmocka_unit_test(test_worker__holds_strangers_but_nobody_who_is_known),
        cmocka_unit_test(test_worker__closes_what_waits_in_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
