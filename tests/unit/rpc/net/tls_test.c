/* Both sides of the machine, with nothing but buffers between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/buffer.h"
#include "rpc/net/tls.h"
#include "rpc/net/tls_client.h"
#include "rpc/net/tls_context.h"
#include "tests/support/certificate_fixture.h"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define WIRE_MAX (8u << 20)

struct place {
    char folder[64];
    char back[4096];
    struct vg_tls_context *context;
    struct vg_tls_client *client;
};

/* An authority, a server's certificate and a client's, all signed by it. */
static void write_files(void)
{
    struct vg_certificate authority;
    struct vg_certificate one;
    vg_certificate_make(
        &(struct vg_certificate_wish){ .is_authority = true, .common_name = TEXT("authority") },
        &authority);
    vg_certificate_write(&authority, true, "ca.pem");
    static const struct {
        const char *file;
        struct vg_certificate_wish wish;
    } rows[] = {
        { "server.pem",
          { .names = { { GEN_DNS, TEXT("server.example") },
                       { GEN_IPADD, TEXT("\x7F\x00\x00\x01") } } } },
        { "wild.pem", { .names = { { GEN_DNS, TEXT("*.wild.example") } } } },
        { "exact.pem", { .names = { { GEN_DNS, TEXT("exact.wild.example") } } } },
        { "client.pem", { .names = { { GEN_URI, TEXT("spiffe://x/agent") } } } },
        { "ended.pem", { .names = { { GEN_URI, TEXT("spiffe://x/agent") } }, .ends_s = -5 } },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_certificate_wish wish = rows[i].wish;
        wish.issuer = &authority;
        vg_certificate_make(&wish, &one);
        vg_certificate_write(&one, false, rows[i].file);
        vg_certificate_dispose(&one);
    }
    vg_certificate_make(
        &(struct vg_certificate_wish){ .names = { { GEN_URI, TEXT("spiffe://x/agent") } } },
        &one);
    vg_certificate_write(&one, false, "stranger.pem");
    vg_certificate_dispose(&one);
    vg_certificate_dispose(&authority);
}

static int open_place(void **state)
{
    static struct place place;
    (void)snprintf(place.folder, sizeof(place.folder), "/tmp/vigil-tls-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    assert_non_null(getcwd(place.back, sizeof(place.back)));
    assert_int_equal(chdir(place.folder), 0);
    write_files();
    const struct vg_tls_options options = { .certificates = "server.pem,wild.pem,exact.pem",
                                            .keys = "",
                                            .client_ca = "ca.pem",
                                            .clients = VG_TLS_CLIENTS_OPTIONAL,
                                            .ciphers = "ECDHE+AESGCM" };
    assert_int_equal(vg_tls_context_create(&options, 0, &place.context, NULL), VG_OK);
    assert_int_equal(
        vg_tls_client_create(
            &(struct vg_tls_client_options){ .ca = "ca.pem" },
            &place.client,
            NULL),
        VG_OK);
    *state = &place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;
    static const char *const files[] = { "ca.pem",     "server.pem", "wild.pem",    "exact.pem",
                                         "client.pem", "ended.pem",  "stranger.pem" };
    vg_tls_context_unref(place->context);
    vg_tls_client_destroy(place->client);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(unlink(files[i]), 0);
    }
    assert_int_equal(chdir(place->back), 0);
    assert_int_equal(rmdir(place->folder), 0);
    return 0;
}

/* A side, and what it has sent that the other has not taken. */
struct side {
    struct vg_tls *tls;
    struct vg_buffer sent;
    struct vg_buffer got;
};

struct pair {
    struct side server;
    struct side client;
};

static void side_open(struct side *side, struct vg_tls *tls)
{
    assert_non_null(tls);
    side->tls = tls;
    vg_buffer_init(&side->sent, WIRE_MAX);
    vg_buffer_init(&side->got, WIRE_MAX);
}

static void side_close(struct side *side)
{
    vg_tls_destroy(side->tls);
    vg_buffer_dispose(&side->sent);
    vg_buffer_dispose(&side->got);
}

static void pair_open(
    struct pair *pair,
    struct place *place,
    struct vg_tls_client *client,
    const char *host)
{
    side_open(&pair->server, vg_tls_accept(place->context));
    side_open(&pair->client, vg_tls_connect(client, host));
}

static void pair_close(struct pair *pair)
{
    side_close(&pair->server);
    side_close(&pair->client);
}

static void take(struct side *side, struct vg_bytes part)
{
    uint8_t plain[1000];
    size_t size;
    vg_tls_feed(side->tls, part);
    if (vg_tls_shake(side->tls, &side->sent) == VG_TLS_HANDSHAKE) {
        return;
    }
    while ((size = vg_tls_read(side->tls, plain, sizeof(plain), &side->sent)) > 0) {
        vg_buffer_append(&side->got, plain, size);
    }
}

/* What `from` has sent goes to the other, in pieces. */
static void pass(struct side *from, struct side *to, size_t piece)
{
    struct vg_buffer sent = from->sent;
    vg_buffer_init(&from->sent, WIRE_MAX);
    for (size_t at = 0; at < sent.size; at += piece) {
        size_t size = sent.size - at < piece ? sent.size - at : piece;
        take(to, vg_bytes(sent.data + at, size));
    }
    vg_buffer_dispose(&sent);
}

static void pass_all(struct pair *pair, size_t piece)
{
    (void)vg_tls_shake(pair->client.tls, &pair->client.sent);
    while (pair->client.sent.size > 0 || pair->server.sent.size > 0) {
        pass(&pair->client, &pair->server, piece);
        pass(&pair->server, &pair->client, piece);
    }
}

static void say(struct side *side, const void *data, size_t size, uint64_t now_ns)
{
    assert_true(vg_tls_seal(side->tls, vg_bytes(data, size), now_ns, &side->sent));
}

static void test_tls__carries_bytes_both_ways(void **state)
{
    static const size_t pieces[] = { 1, 5, 1000, WIRE_MAX };
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct place *place = *state;
        struct pair pair;
        pair_open(&pair, place, place->client, "server.example");
        pass_all(&pair, pieces[i]);
        assert_int_equal(vg_tls_state(pair.server.tls), VG_TLS_OPEN);
        assert_int_equal(vg_tls_state(pair.client.tls), VG_TLS_OPEN);
        assert_int_equal(vg_tls_protocol(pair.server.tls), VG_TLS_PROTOCOL_H2);
        assert_int_equal(vg_tls_protocol(pair.client.tls), VG_TLS_PROTOCOL_H2);
        assert_null(vg_tls_identity(pair.server.tls));
        say(&pair.client, "hello", 5, 1);
        say(&pair.server, "welcome", 7, 1);
        pass_all(&pair, pieces[i]);
        assert_true(vg_bytes_equal(vg_buffer_bytes(&pair.server.got), vg_bytes_text("hello")));
        assert_true(vg_bytes_equal(vg_buffer_bytes(&pair.client.got), vg_bytes_text("welcome")));
        pair_close(&pair);
    }
}

static void test_tls__carries_much(void **state)
{
    struct place *place = *state;
    struct pair pair;
    const size_t size = 3u << 20;
    uint8_t *data = malloc(size);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(i * 31 >> 3);
    }
    pair_open(&pair, place, place->client, "server.example");
    pass_all(&pair, WIRE_MAX);
    say(&pair.server, data, size, 1);
    assert_true(pair.server.sent.size < size + size / 50);
    pass_all(&pair, 65536);
    assert_int_equal(pair.client.got.size, size);
    assert_memory_equal(pair.client.got.data, data, size);
    free(data);
    pair_close(&pair);
}

/* The records in `sent`: their number, and the size of the largest. */
static size_t count_records(const struct vg_buffer *sent, size_t *out_largest)
{
    size_t count = 0;
    *out_largest = 0;
    for (size_t at = 0; at + 5 <= sent->size; count++) {
        size_t size = (size_t)sent->data[at + 3] << 8 | sent->data[at + 4];
        *out_largest = size > *out_largest ? size : *out_largest;
        at += 5 + size;
    }
    return count;
}

/* A burst begins with small records, and begins anew after a pause. */
static void test_tls__records_grow_within_a_burst(void **state)
{
    struct place *place = *state;
    struct pair pair;
    static const uint8_t data[VG_TLS_BURST_BYTES];
    size_t largest;
    pair_open(&pair, place, place->client, "server.example");
    pass_all(&pair, WIRE_MAX);
    say(&pair.server, data, sizeof(data), 5);
    assert_int_equal(
        count_records(&pair.server.sent, &largest),
        VG_TLS_BURST_BYTES / VG_TLS_RECORD_FIRST_BYTES);
    pass_all(&pair, WIRE_MAX);
    say(&pair.server, data, sizeof(data), 5 + VG_TLS_BURST_NS);
    assert_int_equal(
        count_records(&pair.server.sent, &largest),
        VG_TLS_BURST_BYTES / VG_TLS_RECORD_BYTES);
    assert_true(largest > VG_TLS_RECORD_BYTES);
    pass_all(&pair, WIRE_MAX);
    say(&pair.server, data, sizeof(data), 6 + 2 * VG_TLS_BURST_NS);
    (void)count_records(&pair.server.sent, &largest);
    assert_true(largest < 2 * VG_TLS_RECORD_FIRST_BYTES);
    pass_all(&pair, WIRE_MAX);
    assert_int_equal(pair.client.got.size, 3 * sizeof(data));
    pair_close(&pair);
}

/* The client's check of names shows which certificate it was. */
static void test_tls__the_name_chooses_the_certificate(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *host;
        bool fits;
    } rows[] = {
        { "server.example", true },   { "SERVER.example", true },
        { "any.wild.example", true }, { "exact.wild.example", true },
        { "127.0.0.1", true },        { "127.0.0.2", false },
        { "other.example", false },   { "deep.any.wild.example", false },
        { "wild.example", false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pair pair;
        pair_open(&pair, place, place->client, rows[i].host);
        pass_all(&pair, WIRE_MAX);
        bool fits = vg_tls_state(pair.client.tls) == VG_TLS_OPEN;
        if (fits != rows[i].fits) {
            fail_msg("%s: %s", rows[i].host, fits ? "taken" : vg_tls_failure(pair.client.tls));
        }
        if (!fits) {
            assert_non_null(strstr(vg_tls_failure(pair.client.tls), "mismatch"));
            assert_int_equal(vg_tls_state(pair.server.tls), VG_TLS_FAILED);
        }
        pair_close(&pair);
    }
}

static void test_tls__a_client_shows_who_it_is(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *file;
        const char *failure; /* NULL = it is taken */
    } rows[] = {
        { "client.pem", NULL },
        { "ended.pem", "certificate has expired" },
        { "stranger.pem", "self-signed certificate" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_tls_client *client = NULL;
        struct pair pair;
        const struct vg_tls_client_options options = { .ca = "ca.pem",
                                                       .certificate = rows[i].file };
        assert_int_equal(vg_tls_client_create(&options, &client, NULL), VG_OK);
        pair_open(&pair, place, client, "server.example");
        pass_all(&pair, WIRE_MAX);
        if (rows[i].failure == NULL) {
            const struct vg_peer_identity *identity = vg_tls_identity(pair.server.tls);
            assert_non_null(identity);
            assert_int_equal(identity->name_count, 1);
            assert_true(vg_bytes_equal(identity->names[0], vg_bytes_text("URI:spiffe://x/agent")));
            vg_peer_identity_unref(identity);
        } else {
            assert_int_equal(vg_tls_state(pair.server.tls), VG_TLS_FAILED);
            assert_non_null(strstr(vg_tls_failure(pair.server.tls), rows[i].failure));
            assert_int_equal(vg_tls_state(pair.client.tls), VG_TLS_FAILED); /* by our alert */
        }
        pair_close(&pair);
        vg_tls_client_destroy(client);
    }
}

static void test_tls__each_side_ends_for_itself(void **state)
{
    struct place *place = *state;
    struct pair pair;
    pair_open(&pair, place, place->client, "server.example");
    pass_all(&pair, WIRE_MAX);
    assert_true(vg_tls_end(pair.client.tls, &pair.client.sent));
    assert_false(vg_tls_end(pair.client.tls, &pair.client.sent));
    pass_all(&pair, WIRE_MAX);
    assert_int_equal(vg_tls_state(pair.server.tls), VG_TLS_ENDED);
    say(&pair.server, "still here", 10, 1); /* a half-closed connection (RFC 8446 section 6.1) */
    pass_all(&pair, WIRE_MAX);
    assert_int_equal(pair.client.got.size, 10);
    assert_true(vg_tls_end(pair.server.tls, &pair.server.sent));
    pass_all(&pair, WIRE_MAX);
    assert_int_equal(vg_tls_state(pair.client.tls), VG_TLS_ENDED);
    pair_close(&pair);
}

static void test_tls__what_was_changed_on_the_way_fails(void **state)
{
    struct place *place = *state;
    struct pair pair;
    pair_open(&pair, place, place->client, "server.example");
    pass_all(&pair, WIRE_MAX);
    say(&pair.client, "hello", 5, 1);
    pair.client.sent.data[pair.client.sent.size - 1] ^= 1;
    pass(&pair.client, &pair.server, WIRE_MAX);
    assert_int_equal(vg_tls_state(pair.server.tls), VG_TLS_FAILED);
    assert_int_equal(pair.server.got.size, 0);
    assert_true(pair.server.sent.size > 0); /* the alert */
    assert_false(vg_tls_seal(pair.server.tls, vg_bytes_text("x"), 1, &pair.server.sent));
    pair_close(&pair);
}

static void test_tls__noise_is_no_handshake(void **state)
{
    struct place *place = *state;
    uint8_t noise[600];
    for (size_t length = 1; length < sizeof(noise); length += 37) {
        struct side server;
        side_open(&server, vg_tls_accept(place->context));
        for (size_t i = 0; i < length; i++) {
            noise[i] = (uint8_t)(i * 197 + length);
        }
        noise[0] = 0x16;
        take(&server, vg_bytes(noise, length));
        assert_true(vg_tls_state(server.tls) == VG_TLS_FAILED || length < 11);
        side_close(&server);
    }
}

static void test_tls__a_full_buffer_is_a_failure(void **state)
{
    struct place *place = *state;
    struct pair pair;
    struct vg_buffer small;
    pair_open(&pair, place, place->client, "server.example");
    pass_all(&pair, WIRE_MAX);
    vg_buffer_init(&small, 10);
    assert_false(vg_tls_seal(pair.server.tls, vg_bytes_text("hello"), 1, &small));
    vg_buffer_dispose(&small);
    pair_close(&pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_tls__##name, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(carries_bytes_both_ways),           TEST(carries_much),
        TEST(records_grow_within_a_burst),       TEST(the_name_chooses_the_certificate),
        TEST(a_client_shows_who_it_is),          TEST(each_side_ends_for_itself),
        TEST(what_was_changed_on_the_way_fails), TEST(noise_is_no_handshake),
        TEST(a_full_buffer_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
