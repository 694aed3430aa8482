#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/net/tls_client.h"
#include "rpc/net/tls_context.h"
#include "tests/support/certificate_fixture.h"

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

/* Files in a folder of the test's own, which is also its working directory. */
struct place {
    char folder[64];
    char back[4096];
    struct vg_certificate one;
    struct vg_certificate two;
};

static int open_place(void **state)
{
    static struct place place;
    (void)snprintf(place.folder, sizeof(place.folder), "/tmp/vigil-tls-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    assert_non_null(getcwd(place.back, sizeof(place.back)));
    assert_int_equal(chdir(place.folder), 0);
    vg_certificate_make(
        &(struct vg_certificate_wish){ .names = { { GEN_DNS, TEXT("one.example") } } },
        &place.one);
    vg_certificate_make(
        &(struct vg_certificate_wish){ .names = { { GEN_DNS, TEXT("two.example") } },
                                       .ends_s = 100 },
        &place.two);
    vg_certificate_write(&place.one, false, "one.pem");
    vg_certificate_write(&place.two, false, "two.pem");
    vg_certificate_write(&place.one, true, "one.crt");
    vg_certificate_write(&place.two, true, "two.crt");
    vg_certificate_write_key(&place.one, NULL, "one.key");
    vg_certificate_write_key(&place.two, NULL, "two.key");
    vg_certificate_write_key(&place.one, "secret", "locked.key");
    FILE *broken = fopen("broken.pem", "wb");
    assert_non_null(broken);
    assert_true(
        fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", broken) >= 0);
    assert_int_equal(fclose(broken), 0);
    broken = fopen("empty.pem", "wb");
    assert_non_null(broken);
    assert_int_equal(fclose(broken), 0);
    *state = &place;
    return 0;
}

static int close_place(void **state)
{
    struct place *place = *state;
    static const char *const files[] = { "one.pem",    "two.pem",    "one.crt",
                                         "two.crt",    "one.key",    "two.key",
                                         "locked.key", "broken.pem", "empty.pem" };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(unlink(files[i]), 0);
    }
    assert_int_equal(chdir(place->back), 0);
    assert_int_equal(rmdir(place->folder), 0);
    vg_certificate_dispose(&place->one);
    vg_certificate_dispose(&place->two);
    return 0;
}

static void test_tls_context__says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *certificates;
        const char *keys;
        const char *client_ca;
        enum vg_tls_clients clients;
        const char *ciphers;
        const char *words; /* NULL = it is good */
    } rows[] = {
        { "one.pem", "", "", 0, CIPHERS, NULL },
        { "one.crt", "one.key", "", 0, CIPHERS, NULL },
        { "one.pem,two.pem", "", "", 0, CIPHERS, NULL },
        { "one.crt,two.crt", "one.key,two.key", "", 0, CIPHERS, NULL },
        { "one.pem", "", "two.crt", VG_TLS_CLIENTS_REQUIRED, CIPHERS, NULL },
        { "one.pem",
          "",
          "two.crt",
          VG_TLS_CLIENTS_OPTIONAL,
          "ECDHE-ECDSA-AES128-GCM-SHA256",
          NULL },
        { "", "", "", 0, CIPHERS, "set tls_certificates" },
        { "none.pem", "", "", 0, CIPHERS, "none.pem: No such file" },
        { "empty.pem", "", "", 0, CIPHERS, "empty.pem holds no certificate" },
        { "one.key", "", "", 0, CIPHERS, "one.key holds no certificate" },
        { "broken.pem", "", "", 0, CIPHERS, "broken.pem holds a broken certificate" },
        { "one.crt", "", "", 0, CIPHERS, "one.crt holds no private key" },
        { "one.crt", "none.key", "", 0, CIPHERS, "none.key: No such file" },
        { "one.crt", "locked.key", "", 0, CIPHERS, "it is encrypted" },
        { "one.crt",
          "two.key",
          "",
          0,
          CIPHERS,
          "two.key does not belong to the certificate in one.crt" },
        { "one.crt,two.crt", "one.key", "", 0, CIPHERS, "as many files" },
        { "one.crt", "one.key,two.key", "", 0, CIPHERS, "more files" },
        { "one.pem,", "", "", 0, CIPHERS, "as many files" },
        { "one.pem", "", "", VG_TLS_CLIENTS_OPTIONAL, CIPHERS, "needs tls_client_ca" },
        { "one.pem", "", "none.pem", VG_TLS_CLIENTS_OPTIONAL, CIPHERS, "none.pem: No such file" },
        { "one.pem", "", "empty.pem", VG_TLS_CLIENTS_OPTIONAL, CIPHERS, "holds no certificate" },
        { "one.pem", "", "", 0, "nonsense", "knows no cipher" },
        { "one.pem", "", "", 0, "ECDHE+AESGCM:AES128-SHA256", "AES128-SHA256 is not fit" },
        { "one.pem", "", "", 0, "AES128-GCM-SHA256", "AES128-GCM-SHA256 is not fit" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_error error;
        struct vg_tls_context *context = NULL;
        const struct vg_tls_options options = { .certificates = rows[i].certificates,
                                                .keys = rows[i].keys,
                                                .client_ca = rows[i].client_ca,
                                                .clients = rows[i].clients,
                                                .ciphers = rows[i].ciphers };
        vg_error_init(&error, NULL);
        enum vg_reason reason = vg_tls_context_create(&options, 0, &context, &error);
        bool is_right = rows[i].words == NULL
                            ? reason == VG_OK
                            : reason == VG_CONFIG && strstr(error.message, rows[i].words) != NULL;
        if (!is_right || (context != NULL) != (reason == VG_OK)) {
            fail_msg("row %zu: \"%s\"", i, error.message);
        }
        vg_tls_context_unref(context);
    }
}

static void test_tls_context__knows_its_first_end(void **state)
{
    (void)state;
    struct vg_tls_context *context = NULL;
    vg_time now = (vg_time)time(NULL) * 1000;
    const struct vg_tls_options options = { .certificates = "one.pem,two.pem",
                                            .keys = "",
                                            .client_ca = "",
                                            .ciphers = CIPHERS };
    assert_int_equal(vg_tls_context_create(&options, now, &context, NULL), VG_OK);
    assert_in_range(vg_tls_context_expires(context), now + 60 * 1000, now + 100 * 1000);
    vg_tls_context_unref(context);
}

static void test_tls_context__has_a_limit_of_certificates(void **state)
{
    (void)state;
    char list[8 * (VG_TLS_CERTIFICATES_MAX + 1)];
    static const char one[] = "one.pem,";
    for (size_t i = 0; i < VG_TLS_CERTIFICATES_MAX + 1; i++) {
        memcpy(list + 8 * i, one, 8);
    }
    list[sizeof(list) - 1] = '\0';
    list[sizeof(list) - 1 - 8] = '\0'; /* before the last one */
    struct vg_tls_context *context = NULL;
    struct vg_error error;
    struct vg_tls_options options = { .certificates = list,
                                      .keys = "",
                                      .client_ca = "",
                                      .ciphers = CIPHERS };
    vg_error_init(&error, NULL);
    assert_int_equal(vg_tls_context_create(&options, 0, &context, &error), VG_OK);
    vg_tls_context_unref(context);
    list[sizeof(list) - 1 - 8] = ',';
    assert_int_equal(vg_tls_context_create(&options, 0, &context, &error), VG_CONFIG);
    assert_non_null(strstr(error.message, "64"));
}

static void test_tls_client__says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        struct vg_tls_client_options options;
        const char *words;
    } rows[] = {
        { { .ca = NULL }, NULL },
        { { .ca = "one.crt" }, NULL },
        { { .ca = "one.crt", .certificate = "two.pem" }, NULL },
        { { .ca = "one.crt", .certificate = "two.crt", .key = "two.key" }, NULL },
        { { .ca = "none.pem" }, "none.pem: No such file" },
        { { .ca = "empty.pem" }, "holds no certificate" },
        { { .certificate = "two.crt" }, "holds no private key" },
        { { .certificate = "two.crt", .key = "one.key" }, "does not belong" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_error error;
        struct vg_tls_client *client = NULL;
        vg_error_init(&error, NULL);
        enum vg_reason reason = vg_tls_client_create(&rows[i].options, &client, &error);
        bool is_right = rows[i].words == NULL
                            ? reason == VG_OK
                            : reason == VG_CONFIG && strstr(error.message, rows[i].words) != NULL;
        if (!is_right) {
            fail_msg("row %zu: \"%s\"", i, error.message);
        }
        vg_tls_client_destroy(client);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tls_context__says_what_is_wrong),
        TEST(test_tls_context__knows_its_first_end),
        TEST(test_tls_context__has_a_limit_of_certificates),
        TEST(test_tls_client__says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
