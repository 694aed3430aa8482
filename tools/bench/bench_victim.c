/*
 * A well-behaved client that is asked how it is served while others are attacked with: one call
 * after the other, each due at a fixed time, by three clients at once.
 *
 *   grpc   one unary call over one connection of HTTP/2
 *   rest   one request over one connection of HTTP/1.1
 *   fresh  the same request over a new connection each time
 *
 *   bench_victim --from ADDRESS --port P --milliseconds T --grpc FILE --rest FILE [--every US]
 *
 * FILE has the bytes of the request; frames of HTTP/2 in it belong to stream 1 and are given the
 * number of each call. The time of a call runs from when it was due, so that one that is held up
 * counts for all that should have been made meanwhile. An answer that does not look like the first
 * counts as failed.
 *
 * Prints {"grpc": {"count", "failed", "p50_us", "p99_us", "most_us"}, "rest": ..., "fresh": ...}.
 *
 * Threads: one a client; what they share is read only.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/compiler.h"
#include "core/base/text_number.h"

#define NS_PER_S         UINT64_C(1000000000)
#define NS_PER_MS        UINT64_C(1000000)
#define NS_PER_US        UINT64_C(1000)
#define FRESH_FACTOR     3u /* connections are made so much more seldom than calls */
#define PATIENCE_S       5
#define CALLS_MAX        1000000u
#define REQUEST_MAX      8192u
#define ANSWER_MAX       262144u
#define ADDRESS_TEXT_MAX 64u
#define FRAME_HEAD       9u
#define FRAME_DATA       0u
#define FRAME_HEADERS    1u
#define FRAME_END        1u

/* Preface, empty SETTINGS, the acknowledgement of the server's, and all the window there is. */
static const uint8_t greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                  "\0\0\0\x04\0\0\0\0\0"
                                  "\0\0\0\x04\x01\0\0\0\0"
                                  "\0\0\x04\x08\0\0\0\0\0\x7f\xff\0\0";

struct victim;

struct client {
    const char *name;
    bool (*ask)(struct client *client);
    bool is_fresh;
    bool is_http2;
    const struct victim *victim;
    uint8_t request[REQUEST_MAX];
    size_t request_size;
    int socket;
    uint32_t stream;
    size_t usual; /* bytes of the first answer */
    uint8_t answer[ANSWER_MAX];
    size_t answer_size;
    float *took_us;
    size_t count;
    size_t failed;
    pthread_t thread;
};

struct victim {
    char from[ADDRESS_TEXT_MAX];
    uint64_t port;
    uint64_t length_ms;
    uint64_t every_us;
    struct client clients[3];
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

/* --- The connection ----------------------------------------------------------------------------
 */

static void client_close(struct client *client)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    if (client->socket >= 0) {
        (void)setsockopt(client->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        (void)close(client->socket);
    }
    client->socket = -1;
    client->answer_size = 0;
}

static bool client_send(struct client *client, const uint8_t *bytes, size_t size)
{
    return send(client->socket, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool client_connect(struct client *client)
{
    const int on = 1;
    const struct timeval patience = { .tv_sec = PATIENCE_S };
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)client->victim->port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    VG_ASSERT(inet_pton(AF_INET, client->victim->from, &from.sin_addr) == 1);
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    VG_ASSERT(client->socket >= 0);
    (void)setsockopt(client->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    (void)setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    client->stream = 0;
    return bind(client->socket, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
           connect(client->socket, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
           (!client->is_http2 || client_send(client, greeting, sizeof(greeting) - 1));
}

static bool client_receive(struct client *client)
{
    const size_t room = ANSWER_MAX - client->answer_size;
    const ssize_t size =
        room == 0 ? 0 : recv(client->socket, client->answer + client->answer_size, room, 0);
    client->answer_size += size > 0 ? (size_t)size : 0;
    return size > 0;
}

static void client_drop(struct client *client, size_t size)
{
    memmove(client->answer, client->answer + size, client->answer_size - size);
    client->answer_size -= size;
}

/* Is this answer of so many bytes like the first? */
static bool client_judge(struct client *client, size_t size)
{
    client->usual = client->usual == 0 ? size : client->usual;
    return size > 0 && size == client->usual;
}

/* --- HTTP/2 ------------------------------------------------------------------------------------
 */

static uint32_t read_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return ntohl(value);
}

static size_t frame_size(const uint8_t *head)
{
    return FRAME_HEAD + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
}

static void grpc_number(struct client *client)
{
    client->stream += client->stream == 0 ? 1 : 2;
    const uint32_t number = htonl(client->stream);
    for (size_t at = 0; at < client->request_size; at += frame_size(client->request + at)) {
        memcpy(client->request + at + 5, &number, sizeof(number));
    }
}

/* The message of the answer is what is counted: trailers alone are a refusal. */
static bool grpc_ask(struct client *client)
{
    size_t body = 0;
    bool ended = false;
    grpc_number(client);
    if (!client_send(client, client->request, client->request_size)) {
        return false;
    }
    while (!ended) {
        if (client->answer_size < FRAME_HEAD || client->answer_size < frame_size(client->answer)) {
            if (!client_receive(client)) {
                return false;
            }
            continue;
        }
        const size_t size = frame_size(client->answer);
        const uint8_t kind = client->answer[3];
        if (read_u32(client->answer + 5) == client->stream) {
            body += kind == FRAME_DATA ? size - FRAME_HEAD : 0;
            ended = kind != FRAME_DATA && kind != FRAME_HEADERS;
            ended = ended || (client->answer[4] & FRAME_END) != 0;
        }
        client_drop(client, size);
    }
    return client_judge(client, body);
}

/* --- HTTP/1.1 ----------------------------------------------------------------------------------
 */

static bool rest_ask(struct client *client)
{
    static const char length_field[] = "\r\ncontent-length: ";
    static const char good[] = "HTTP/1.1 200 ";
    size_t wanted = 0;
    if (!client_send(client, client->request, client->request_size)) {
        return false;
    }
    while (wanted == 0 || client->answer_size < wanted) {
        if (!client_receive(client)) {
            return false;
        }
        const uint8_t *head = client->answer;
        const uint8_t *end = memmem(head, client->answer_size, "\r\n\r\n", 4);
        if (end != NULL && wanted == 0) {
            const uint8_t *field =
                memmem(head, (size_t)(end - head), length_field, sizeof(length_field) - 1);
            if (memcmp(head, good, sizeof(good) - 1) != 0 || field == NULL) {
                return false;
            }
            wanted = (size_t)(end - head) + 4 +
                     strtoul((const char *)field + sizeof(length_field) - 1, NULL, 10);
        }
    }
    const size_t head_size = client->answer_size; /* dates and ids in it have a fixed length */
    client->answer_size = 0;
    return client_judge(client, head_size);
}

/* --- Calls in their time -----------------------------------------------------------------------
 */

static void client_call(struct client *client, uint64_t due_ns)
{
    bool good = (client->socket >= 0 || client_connect(client)) && client->ask(client);
    const uint64_t took_ns = now_ns() - due_ns;
    if (!good) {
        client->failed++;
    }
    if (!good || client->is_fresh) {
        client_close(client);
    }
    client->took_us[client->count++] = (float)took_ns / (float)NS_PER_US;
}

static void *client_run(void *owner)
{
    struct client *client = owner;
    uint64_t every_ns = client->victim->every_us * NS_PER_US;
    every_ns *= client->is_fresh ? FRESH_FACTOR : 1;
    uint64_t due_ns = now_ns();
    const uint64_t end_ns = due_ns + client->victim->length_ms * NS_PER_MS;
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    while (due_ns < end_ns && now_ns() < end_ns && client->count < CALLS_MAX) {
        sleep_until(due_ns);
        client_call(client, due_ns);
        due_ns += every_ns;
    }
    client_close(client);
    return NULL;
}

static int compare_floats(const void *a, const void *b)
{
    const float left = *(const float *)a;
    const float right = *(const float *)b;
    return (left > right) - (left < right);
}

static void client_report(struct client *client, const char *before)
{
    const size_t count = client->count;
    qsort(client->took_us, count, sizeof(*client->took_us), compare_floats);
    (void)printf(
        "%s\"%s\": {\"count\": %zu, \"failed\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, "
        "\"most_us\": %.1f}",
        before,
        client->name,
        count,
        client->failed,
        (double)client->took_us[count / 2],
        (double)client->took_us[count * 99 / 100],
        (double)client->took_us[count - 1]);
}

static bool read_request(struct client *client, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return false;
    }
    client->request_size = fread(client->request, 1, REQUEST_MAX, file);
    (void)fclose(file);
    return client->request_size > 0 && client->request_size < REQUEST_MAX;
}

static bool read_option(struct victim *victim, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *out;
        uint64_t most;
    } numbers[] = {
        { "--port", &victim->port, UINT16_MAX },
        { "--milliseconds", &victim->length_ms, NS_PER_MS },
        { "--every", &victim->every_us, NS_PER_S },
    };
    if (strcmp(name, "--from") == 0) {
        return snprintf(victim->from, ADDRESS_TEXT_MAX, "%s", value) < (int)ADDRESS_TEXT_MAX;
    }
    if (strcmp(name, "--grpc") == 0) {
        return read_request(&victim->clients[0], value);
    }
    if (strcmp(name, "--rest") == 0) {
        return read_request(&victim->clients[1], value) && read_request(&victim->clients[2], value);
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
    static struct victim victim = { .from = "127.0.0.1",
                                    .length_ms = 2000,
                                    .every_us = 4000,
                                    .clients = {
                                        { .name = "grpc", .ask = grpc_ask, .is_http2 = true },
                                        { .name = "rest", .ask = rest_ask },
                                        { .name = "fresh", .ask = rest_ask, .is_fresh = true },
                                    } };
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(&victim, argv[i], argv[i + 1])) {
            (void)fprintf(stderr, "bench_victim: bad option %s\n", argv[i]);
            return 2;
        }
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(victim.clients); i++) {
        struct client *client = &victim.clients[i];
        client->victim = &victim;
        client->socket = -1;
        client->took_us = calloc(CALLS_MAX + 1, sizeof(*client->took_us));
        VG_ASSERT(client->took_us != NULL);
        VG_ASSERT(pthread_create(&client->thread, NULL, client_run, client) == 0);
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(victim.clients); i++) {
        (void)pthread_join(victim.clients[i].thread, NULL);
        client_report(&victim.clients[i], i == 0 ? "{" : ", ");
        free(victim.clients[i].took_us);
    }
    (void)printf("}\n");
    return 0;
}
