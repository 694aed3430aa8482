#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/net/listener.h"

static enum vg_reason resolve(const char *text, bool insecure, struct vg_error *error)
{
    struct vg_listen_address address;
    vg_error_init(error, NULL);
    return vg_listener_resolve(text, insecure, &address, error);
}

static void test_listener__understands_addresses(void **state)
{
    (void)state;
    struct vg_error error;
    assert_int_equal(resolve("127.0.0.1:8080", false, &error), VG_OK);
    assert_int_equal(resolve("[::1]:0", false, &error), VG_OK);
    assert_int_equal(resolve("localhost:65535", false, &error), VG_OK);
    const char *const wrong[] = { "",         "8080",         ":8080", "127.0.0.1",
                                  "1.2.3.4:", "::1:8080",     "[::1]", "127.0.0.1:65536",
                                  "a:b",      "127.0.0.1:-1", "[]:1",  "127.0.0.1:1 " };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(resolve(wrong[i], true, &error), VG_CONFIG);
    }
}

static void test_listener__refuses_plain_text_beyond_loopback(void **state)
{
    (void)state;
    struct vg_error error;
    assert_int_equal(resolve("0.0.0.0:8080", false, &error), VG_CONFIG);
    assert_non_null(strstr(error.message, "--insecure"));
    assert_int_equal(resolve("[::]:8080", false, &error), VG_CONFIG);
    assert_int_equal(resolve("0.0.0.0:8080", true, &error), VG_OK);
}

static void test_listener__shares_its_port_with_itself_only(void **state)
{
    (void)state;
    struct vg_error error;
    struct vg_listen_address address;
    int first;
    int second;
    int third;
    vg_error_init(&error, NULL);
    assert_int_equal(vg_listener_resolve("127.0.0.1:0", false, &address, &error), VG_OK);
    assert_int_equal(vg_listener_bind(&address, true, &first, &error), VG_OK);
    uint16_t port = vg_listener_port(&address.storage);
    assert_int_not_equal(port, 0);
    assert_int_equal(listen(first, 1), 0);
    assert_int_equal(vg_listener_bind(&address, false, &second, &error), VG_OK);
    assert_int_equal(vg_listener_port(&address.storage), port);
    /* Another server on the same address is told so. */
    assert_int_equal(vg_listener_bind(&address, true, &third, &error), VG_CONFIG);
    assert_non_null(strstr(error.message, "Address already in use"));
    (void)close(first);
    (void)close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listener__understands_addresses),
        cmocka_unit_test(test_listener__refuses_plain_text_beyond_loopback),
        cmocka_unit_test(test_listener__shares_its_port_with_itself_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
