#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/net/tls_ticket.h"

#define START  UINT64_C(1000)
#define PERIOD VG_TLS_TICKET_PERIOD_NS

static void test_tls_ticket__a_key_serves_for_its_period(void **state)
{
    (void)state;
    struct vg_tls_tickets tickets;
    struct vg_tls_ticket_key first;
    struct vg_tls_ticket_key next;
    vg_tls_tickets_init(&tickets);
    vg_tls_tickets_current(&tickets, START, &first);
    vg_tls_tickets_current(&tickets, START + PERIOD - 1, &next);
    assert_memory_equal(&first, &next, sizeof(first));
    vg_tls_tickets_current(&tickets, START + PERIOD, &next);
    assert_memory_not_equal(first.name, next.name, sizeof(first.name));
    assert_memory_not_equal(first.cipher, next.cipher, sizeof(first.cipher));
    assert_memory_not_equal(first.mac, next.mac, sizeof(first.mac));
    vg_tls_tickets_dispose(&tickets);
}

static void test_tls_ticket__and_is_remembered_for_another(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t later;
        bool found;
        bool renew;
    } rows[] = {
        { "at once", 0, true, false },
        { "at the end of its period", PERIOD - 1, true, false },
        { "in the next", PERIOD, true, true },
        { "at the end of that", 2 * PERIOD - 1, true, true },
        { "behind it", 2 * PERIOD, false, false },
        { "long after a quiet time", 9 * PERIOD, false, false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vg_tls_tickets tickets;
        struct vg_tls_ticket_key key;
        struct vg_tls_ticket_key found;
        bool renew = false;
        vg_tls_tickets_init(&tickets);
        vg_tls_tickets_current(&tickets, START, &key);
        bool is_found =
            vg_tls_tickets_find(&tickets, key.name, START + rows[i].later, &found, &renew);
        if (is_found != rows[i].found || renew != rows[i].renew) {
            fail_msg("%s: found %d, renew %d", rows[i].name, is_found, renew);
        }
        if (is_found) {
            assert_memory_equal(&found, &key, sizeof(key));
        }
        vg_tls_tickets_dispose(&tickets);
    }
}

static void test_tls_ticket__of_another_server_is_none(void **state)
{
    (void)state;
    struct vg_tls_tickets tickets;
    struct vg_tls_ticket_key key;
    bool renew = false;
    uint8_t name[VG_TLS_TICKET_NAME_SIZE] = { 0 };
    vg_tls_tickets_init(&tickets);
    assert_false(vg_tls_tickets_find(&tickets, name, START, &key, &renew));
    vg_tls_tickets_current(&tickets, START, &key);
    memcpy(name, key.name, sizeof(name));
    name[0] ^= 1;
    assert_false(vg_tls_tickets_find(&tickets, name, START, &key, &renew));
    vg_tls_tickets_dispose(&tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_ticket__a_key_serves_for_its_period),
        cmocka_unit_test(test_tls_ticket__and_is_remembered_for_another),
        cmocka_unit_test(test_tls_ticket__of_another_server_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
