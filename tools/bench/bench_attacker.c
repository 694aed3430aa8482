/*
 * Sends prepared bytes at a server as fast as it takes them, from an address of its own and over so
 * many connections, each of which is made anew as soon as it is over; or burns a share of a core
 * and talks to nobody, which is what an attacker on the same machine is compared with.
 *
 *   bench_attacker --from ADDRESS --port P --milliseconds T --payload FILE [--connections N]
 *                  [--then close|wait|answer|repeat] [--prefix BYTES] [--drip BYTES --every MS]
 * [--deaf 1] bench_attacker --burn PERCENT --milliseconds T
 *
 * --then says what follows the last byte: the connection is reset (close), kept until the server
 * ends it (wait) or says something (answer), or gets the bytes behind the first --prefix again
 * (repeat). --drip sends so many bytes at a time. --deaf never reads. Nothing that is read is
 * looked at, but the end.
 *
 * Prints {"connections", "refused", "sent", "received": bytes, "cpu_seconds"}.
 *
 * Threads: one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/text_number.h"

#define NS_PER_S         UINT64_C(1000000000)
#define NS_PER_MS        UINT64_C(1000000)
#define BURN_PERIOD_NS   UINT64_C(2000000)
#define CONNECTIONS_MAX  20000u
#define PAYLOAD_MAX      (64u * 1024u * 1024u)
#define WRITE_BYTES      (256u * 1024u)
#define EVENTS_MAX       256
#define RETRY_NS         UINT64_C(10000000)
#define ADDRESS_TEXT_MAX 64u

enum vg_bench_then { THEN_CLOSE, THEN_WAIT, THEN_ANSWER, THEN_REPEAT };

struct hose {
    int socket; /* -1 = none: to be made at `due_ns` */
    bool opened;
    uint32_t asked; /* what epoll was asked for */
    size_t at;
    uint64_t due_ns; /* of the next drop, or of the next attempt to connect */
};

struct attacker {
    char from[ADDRESS_TEXT_MAX];
    uint64_t port;
    uint64_t length_ms;
    uint64_t connections;
    uint64_t prefix;
    uint64_t drip;
    uint64_t every_ms;
    uint64_t deaf;
    uint64_t burn;
    enum vg_bench_then then;
    const char *payload_path;

    uint8_t *payload;
    size_t payload_size;
    int poll;
    struct hose *hoses;
    uint64_t opened;
    uint64_t refused;
    uint64_t sent;
    uint64_t received;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t due_ns)
{
    const struct timespec due = { .tv_sec = (time_t)(due_ns / NS_PER_S),
                                  .tv_nsec = (long)(due_ns % NS_PER_S) };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

/* --- One connection ----------------------------------------------------------------------------
 */

static void hose_ask(struct attacker *attacker, struct hose *hose, uint32_t wanted)
{
    if (attacker->deaf != 0) {
        wanted &= ~(uint32_t)EPOLLIN;
    }
    if (hose->asked != wanted) {
        struct epoll_event event = { .events = wanted, .data.ptr = hose };
        hose->asked = wanted;
        VG_ASSERT(epoll_ctl(attacker->poll, EPOLL_CTL_MOD, hose->socket, &event) == 0);
    }
}

/* The end by RST: an attacker does not wait for anything, and keeps no ports. */
static void hose_close(struct hose *hose, uint64_t due_ns)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    (void)setsockopt(hose->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(hose->socket);
    hose->socket = -1;
    hose->due_ns = due_ns;
}

static bool hose_connect(struct attacker *attacker, int handle)
{
    const int on = 1;
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)attacker->port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    VG_ASSERT(inet_pton(AF_INET, attacker->from, &from.sin_addr) == 1);
    (void)setsockopt(handle, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    (void)setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return bind(handle, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
           (connect(handle, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS);
}

static void hose_open(struct attacker *attacker, struct hose *hose)
{
    *hose = (struct hose){ .socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                           .asked = EPOLLOUT };
    if (hose->socket < 0 || !hose_connect(attacker, hose->socket)) {
        attacker->refused++;
        if (hose->socket >= 0) {
            (void)close(hose->socket);
        }
        hose->socket = -1;
        hose->due_ns = now_ns() + RETRY_NS;
        return;
    }
    struct epoll_event event = { .events = EPOLLOUT, .data.ptr = hose };
    VG_ASSERT(epoll_ctl(attacker->poll, EPOLL_CTL_ADD, hose->socket, &event) == 0);
}

/* All is sent. False = the connection is closed. */
static bool hose_finish(struct attacker *attacker, struct hose *hose)
{
    if (attacker->then == THEN_REPEAT) {
        hose->at = attacker->prefix;
        return true;
    }
    if (attacker->then == THEN_CLOSE) {
        hose_close(hose, 0);
        return false;
    }
    hose_ask(attacker, hose, EPOLLIN | EPOLLRDHUP);
    return true;
}

static void hose_send(struct attacker *attacker, struct hose *hose)
{
    size_t size = attacker->payload_size - hose->at;
    const size_t most = attacker->drip > 0 ? attacker->drip : WRITE_BYTES;
    size = size < most ? size : most;
    const ssize_t done =
        size == 0 ? 0 : send(hose->socket, attacker->payload + hose->at, size, MSG_NOSIGNAL);
    if (done < 0) {
        if (errno != EAGAIN) {
            hose_close(hose, 0);
        }
        return;
    }
    hose->at += (size_t)done;
    attacker->sent += (uint64_t)done;
    if (attacker->drip > 0) {
        hose->due_ns = now_ns() + attacker->every_ms * NS_PER_MS;
        hose_ask(attacker, hose, EPOLLIN | EPOLLRDHUP);
    }
    if (hose->at == attacker->payload_size) {
        (void)hose_finish(attacker, hose);
    }
}

/* False = the connection is over. */
static bool hose_receive(struct attacker *attacker, struct hose *hose)
{
    static uint8_t bytes[WRITE_BYTES];
    const ssize_t size = recv(hose->socket, bytes, sizeof(bytes), 0);
    const bool is_told = size > 0 && attacker->then == THEN_ANSWER;
    if (size == 0 || (size < 0 && errno != EAGAIN) ||
        (is_told && hose->at == attacker->payload_size)) {
        hose_close(hose, 0);
        return false;
    }
    attacker->received += size > 0 ? (uint64_t)size : 0;
    return true;
}

static void hose_serve(struct attacker *attacker, struct hose *hose, uint32_t events)
{
    if (!hose->opened && (events & (EPOLLERR | EPOLLHUP)) != 0) {
        attacker->refused++;
        hose_close(hose, now_ns() + RETRY_NS);
        return;
    }
    if (!hose->opened) {
        hose->opened = true;
        attacker->opened++;
        hose_ask(attacker, hose, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        hose_close(hose, 0);
        return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 && !hose_receive(attacker, hose)) {
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        hose_send(attacker, hose);
    }
}

/* --- All of them -------------------------------------------------------------------------------
 */

/* Connect where nothing is connected, drip where a drop is due. */
static void attacker_turn(struct attacker *attacker)
{
    const uint64_t now = now_ns();
    for (uint64_t i = 0; i < attacker->connections; i++) {
        struct hose *hose = &attacker->hoses[i];
        if (hose->socket < 0 && now >= hose->due_ns) {
            hose_open(attacker, hose);
        } else if (
            hose->socket >= 0 && hose->opened && attacker->drip > 0 && now >= hose->due_ns &&
            hose->at < attacker->payload_size) {
            hose_send(attacker, hose);
        }
    }
}

static void attack(struct attacker *attacker)
{
    static struct epoll_event events[EVENTS_MAX];
    const uint64_t end_ns = now_ns() + attacker->length_ms * NS_PER_MS;
    attacker->poll = epoll_create1(EPOLL_CLOEXEC);
    attacker->hoses = calloc(attacker->connections, sizeof(*attacker->hoses));
    VG_ASSERT(attacker->poll >= 0 && attacker->hoses != NULL);
    for (uint64_t i = 0; i < attacker->connections; i++) {
        attacker->hoses[i].socket = -1;
    }
    while (now_ns() < end_ns) {
        attacker_turn(attacker);
        const int count = epoll_wait(attacker->poll, events, EVENTS_MAX, 2);
        for (int i = 0; i < count; i++) {
            hose_serve(attacker, events[i].data.ptr, events[i].events);
        }
    }
    for (uint64_t i = 0; i < attacker->connections; i++) {
        if (attacker->hoses[i].socket >= 0) {
            hose_close(&attacker->hoses[i], 0);
        }
    }
    free(attacker->hoses);
    (void)close(attacker->poll);
}

/* So many hundredths of a core, in slices that are as short as an attacker's. */
static void burn(uint64_t percent, uint64_t milliseconds)
{
    uint64_t slice_ns = now_ns();
    const uint64_t end_ns = slice_ns + milliseconds * NS_PER_MS;
    while (slice_ns < end_ns) {
        while (now_ns() < slice_ns + BURN_PERIOD_NS * percent / 100) {
        }
        slice_ns += BURN_PERIOD_NS;
        sleep_until(slice_ns);
    }
}

static bool read_payload(struct attacker *attacker)
{
    FILE *file = fopen(attacker->payload_path, "rbe");
    attacker->payload = malloc(PAYLOAD_MAX);
    VG_ASSERT(attacker->payload != NULL);
    if (file == NULL) {
        return false;
    }
    attacker->payload_size = fread(attacker->payload, 1, PAYLOAD_MAX, file);
    (void)fclose(file);
    return attacker->prefix < attacker->payload_size || attacker->payload_size == 0;
}

static bool read_then(struct attacker *attacker, const char *value)
{
    static const char *const names[] = { "close", "wait", "answer", "repeat" };
    for (size_t i = 0; i < VG_ARRAY_COUNT(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            attacker->then = (enum vg_bench_then)i;
            return true;
        }
    }
    return false;
}

static bool read_option(struct attacker *attacker, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *out;
        uint64_t most;
    } numbers[] = {
        { "--port", &attacker->port, UINT16_MAX },
        { "--milliseconds", &attacker->length_ms, NS_PER_S },
        { "--connections", &attacker->connections, CONNECTIONS_MAX },
        { "--prefix", &attacker->prefix, PAYLOAD_MAX },
        { "--drip", &attacker->drip, PAYLOAD_MAX },
        { "--every", &attacker->every_ms, NS_PER_MS },
        { "--deaf", &attacker->deaf, 1 },
        { "--burn", &attacker->burn, 100 },
    };
    if (strcmp(name, "--payload") == 0) {
        attacker->payload_path = value;
        return true;
    }
    if (strcmp(name, "--then") == 0) {
        return read_then(attacker, value);
    }
    if (strcmp(name, "--from") == 0) {
        return snprintf(attacker->from, ADDRESS_TEXT_MAX, "%s", value) < (int)ADDRESS_TEXT_MAX;
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(numbers); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            return vg_text_number_parse_uint64(vg_bytes(value, strlen(value)), numbers[i].out) &&
                   *numbers[i].out <= numbers[i].most;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct attacker attacker = { .from = "127.0.0.9", .connections = 8, .every_ms = 100 };
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(&attacker, argv[i], argv[i + 1])) {
            (void)fprintf(stderr, "bench_attacker: bad option %s\n", argv[i]);
            return 2;
        }
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    if (attacker.payload_path == NULL) {
        burn(attacker.burn, attacker.length_ms);
    } else if (!read_payload(&attacker)) {
        (void)fprintf(stderr, "bench_attacker: cannot read %s\n", attacker.payload_path);
        return 1;
    } else {
        attack(&attacker);
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    const double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    (void)printf(
        "{\"connections\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"sent\": %" PRIu64
        ", \"received\": %" PRIu64 ", \"cpu_seconds\": %.3f}\n",
        attacker.opened,
        attacker.refused,
        attacker.sent,
        attacker.received,
        cpu);
    free(attacker.payload);
    return 0;
}
