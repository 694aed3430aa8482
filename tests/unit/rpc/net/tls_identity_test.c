#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rpc/net/tls_identity.h"
#include "tests/support/certificate_fixture.h"

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define NAME(kind, text)                                                                           \
    {                                                                                              \
        .type = GEN_##kind, .value = TEXT(text)                                                    \
    }
#define HOST_WITH_NUL "admin.example\0.evil.example"

/* The names of a certificate with these, one in a line. */
static void names_of(const struct vg_certificate_wish *wish, char out[4096])
{
    struct vg_certificate certificate;
    vg_certificate_make(wish, &certificate);
    struct vg_peer_identity *identity = vg_tls_identity_read(certificate.certificate);
    assert_non_null(identity);
    size_t size = 0;
    for (size_t i = 0; i < identity->name_count; i++) {
        memcpy(out + size, identity->names[i].data, identity->names[i].size);
        size += identity->names[i].size;
        out[size++] = '\n';
    }
    out[size] = '\0';
    vg_peer_identity_unref(identity);
    vg_certificate_dispose(&certificate);
}

static void test_tls_identity__names_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct vg_certificate_wish wish;
        const char *names;
    } rows[] = {
        { "nothing", { .is_authority = false }, "" },
        { "a common name", { .common_name = TEXT("Collector 7") }, "CN:Collector 7\n" },
        { "of another language",
          { .common_name = TEXT("H\xC3\xA9l\xC3\xA8ne") },
          "CN:H\xC3\xA9l\xC3\xA8ne\n" },
        { "URI before DNS before email",
          { .common_name = TEXT("unused"),
            .names = { NAME(EMAIL, "Jane@Example.com"),
                       NAME(DNS, "B.example"),
                       NAME(DNS, "a.example"),
                       NAME(URI, "spiffe://x/Y") } },
          "URI:spiffe://x/Y\nDNS:b.example\nDNS:a.example\nemail:Jane@example.com\n" },
        { "an address is no name, so the subject steps in",
          { .common_name = TEXT("box"), .names = { NAME(IPADD, "\x7F\x00\x00\x01") } },
          "CN:box\n" },
        { "a NUL within",
          { .common_name = TEXT("admin"), .names = { NAME(DNS, HOST_WITH_NUL) } },
          "" },
        { "a NUL within one of two",
          { .names = { NAME(URI, "a\0b"), NAME(DNS, "good.example") } },
          "DNS:good.example\n" },
        { "a NUL within the subject", { .common_name = TEXT(HOST_WITH_NUL) }, "" },
        { "a NUL at the end", { .names = { NAME(DNS, "admin.example\0") } }, "" },
        { "a line feed", { .names = { NAME(URI, "a\nDNS:admin") } }, "" },
        { "not ASCII where ASCII belongs", { .names = { NAME(EMAIL, "j\xC3\xA9@x") } }, "" },
        { "a wildcard is a name like any other",
          { .names = { NAME(DNS, "*.Example") } },
          "DNS:*.example\n" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char names[4096];
        names_of(&rows[i].wish, names);
        if (strcmp(names, rows[i].names) != 0) {
            fail_msg("%s: \"%s\"", rows[i].name, names);
        }
    }
}

static void test_tls_identity__a_long_name_is_passed_over(void **state)
{
    (void)state;
    char text[VG_LIMIT_CERTIFICATE_NAME_BYTES + 1];
    char names[4096];
    size_t most = VG_LIMIT_CERTIFICATE_NAME_BYTES - strlen("URI:");
    memset(text, 'u', sizeof(text));
    struct vg_certificate_wish wish = { .names = { { GEN_URI, vg_bytes(text, most) },
                                                   NAME(DNS, "d") } };
    names_of(&wish, names);
    assert_int_equal(strlen(names), VG_LIMIT_CERTIFICATE_NAME_BYTES + strlen("\nDNS:d\n"));
    wish.names[0].value.size++;
    names_of(&wish, names);
    assert_string_equal(names, "DNS:d\n");
}

static void test_tls_identity__so_many_names_count(void **state)
{
    (void)state;
    char texts[VG_LIMIT_CERTIFICATE_NAMES + 1][8];
    char names[4096];
    struct vg_certificate_wish wish = { .is_authority = false };
    for (size_t i = 0; i < VG_LIMIT_CERTIFICATE_NAMES + 1; i++) {
        int size = snprintf(texts[i], sizeof(texts[i]), "n%zu", i);
        wish.names[i].type = GEN_DNS;
        wish.names[i].value = vg_bytes(texts[i], (size_t)size);
    }
    names_of(&wish, names);
    assert_non_null(strstr(names, "DNS:n15\n"));
    assert_null(strstr(names, "DNS:n16\n"));
}

static void test_tls_identity__knows_when_it_ends(void **state)
{
    (void)state;
    struct vg_certificate certificate;
    time_t before = time(NULL);
    vg_certificate_make(
        &(struct vg_certificate_wish){ .common_name = TEXT("x"), .ends_s = -60 },
        &certificate);
    time_t after = time(NULL);
    struct vg_peer_identity *identity = vg_tls_identity_read(certificate.certificate);
    assert_in_range(identity->expires, (before - 60) * 1000, (after - 60) * 1000);
    vg_peer_identity_unref(identity);
    vg_certificate_dispose(&certificate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_identity__names_in_their_order),
        cmocka_unit_test(test_tls_identity__a_long_name_is_passed_over),
        cmocka_unit_test(test_tls_identity__so_many_names_count),
        cmocka_unit_test(test_tls_identity__knows_when_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
