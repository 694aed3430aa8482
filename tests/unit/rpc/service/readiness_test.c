/* Readiness: who watches hears of a change once, and is destroyed once, whatever is on its way. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpc/service/readiness.h"

struct watcher {
    struct vg_readiness_watch watch;
    int *heard;
    int *destroyed;
};

static void changed(struct vg_readiness_watch *watch)
{
    ++*VG_CONTAINER_OF(watch, struct watcher, watch)->heard;
}

static void destroy(struct vg_readiness_watch *watch)
{
    struct watcher *own = VG_CONTAINER_OF(watch, struct watcher, watch);
    ++*own->destroyed;
    free(own);
}

static struct watcher *begin(
    struct vg_readiness *readiness,
    struct vg_mailbox *home,
    int *heard,
    int *destroyed)
{
    struct watcher *own = calloc(1, sizeof(*own));
    assert_non_null(own);
    own->watch =
        (struct vg_readiness_watch){ .home = home, .changed = changed, .destroy = destroy };
    own->heard = heard;
    own->destroyed = destroyed;
    vg_readiness_watch(readiness, &own->watch);
    return own;
}

static void test_readiness__all_watchers_hear_of_a_change_in_their_own_time(void **state)
{
    struct vg_readiness readiness;
    struct vg_mailbox home;
    int heard[3] = { 0 };
    int destroyed = 0;
    struct watcher *watchers[3];
    (void)state;
    vg_mailbox_init(&home, NULL);
    vg_readiness_init(&readiness, VG_READINESS_STARTING);
    assert_int_equal(vg_readiness_state(&readiness), VG_READINESS_STARTING);
    for (size_t i = 0; i < 3; i++) {
        watchers[i] = begin(&readiness, &home, &heard[i], &destroyed);
    }
    vg_readiness_become(&readiness, VG_READINESS_READY);
    assert_int_equal(vg_readiness_state(&readiness), VG_READINESS_READY);
    assert_int_equal(heard[0] + heard[1] + heard[2], 0);
    /* A second change before the first is heard of: they look at the state, so once is enough. */
    vg_readiness_become(&readiness, VG_READINESS_LEAVING);
    (void)vg_mailbox_run(&home);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(heard[i], 1);
    }
    vg_readiness_unwatch(&watchers[1]->watch);
    assert_int_equal(destroyed, 1);
    vg_readiness_become(&readiness, VG_READINESS_READY);
    (void)vg_mailbox_run(&home);
    assert_int_equal(heard[0], 2);
    assert_int_equal(heard[1], 1);
    assert_int_equal(heard[2], 2);
    vg_readiness_unwatch(&watchers[0]->watch);
    vg_readiness_unwatch(&watchers[2]->watch);
    assert_int_equal(destroyed, 3);
    vg_readiness_dispose(&readiness);
    vg_mailbox_dispose(&home);
}

static void test_readiness__a_watch_that_ends_before_it_is_told_hears_nothing(void **state)
{
    struct vg_readiness readiness;
    struct vg_mailbox home;
    int heard = 0;
    int destroyed = 0;
    (void)state;
    vg_mailbox_init(&home, NULL);
    vg_readiness_init(&readiness, VG_READINESS_READY);
    struct watcher *told = begin(&readiness, &home, &heard, &destroyed);
    struct watcher *left = begin(&readiness, &home, &heard, &destroyed);
    vg_readiness_become(&readiness, VG_READINESS_LEAVING);
    vg_readiness_unwatch(&told->watch);
    assert_int_equal(destroyed, 0); /* its task is in the mailbox */
    (void)vg_mailbox_run(&home);
    assert_int_equal(destroyed, 1);
    assert_int_equal(heard, 1);
    vg_readiness_unwatch(&left->watch);
    assert_int_equal(destroyed, 2);
    vg_readiness_dispose(&readiness);
    vg_mailbox_dispose(&home);
}

#define CHANGES 2000

static void *change(void *owner)
{
    struct vg_readiness *readiness = owner;
    for (int i = 0; i < CHANGES; i++) {
        vg_readiness_become(readiness, i % 2 == 0 ? VG_READINESS_LEAVING : VG_READINESS_READY);
    }
    return NULL;
}

static void test_readiness__watches_come_and_go_while_the_state_changes(void **state)
{
    struct vg_readiness readiness;
    struct vg_mailbox home;
    struct watcher *watchers[16] = { NULL };
    int heard = 0;
    int begun = 0;
    int destroyed = 0;
    pthread_t thread;
    (void)state;
    vg_mailbox_init(&home, NULL);
    vg_readiness_init(&readiness, VG_READINESS_READY);
    assert_int_equal(pthread_create(&thread, NULL, change, &readiness), 0);
    for (int i = 0; i < CHANGES; i++) {
        struct watcher **place = &watchers[(i * 7) % 16];
        if (*place != NULL) {
            vg_readiness_unwatch(&(*place)->watch);
            *place = NULL;
        } else {
            *place = begin(&readiness, &home, &heard, &destroyed);
            begun++;
        }
        if (i % 5 == 0) {
            (void)vg_mailbox_run(&home);
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (size_t i = 0; i < 16; i++) {
        if (watchers[i] != NULL) {
            vg_readiness_unwatch(&watchers[i]->watch);
        }
    }
    (void)vg_mailbox_run(&home);
    assert_int_equal(destroyed, begun);
    vg_readiness_dispose(&readiness);
    vg_mailbox_dispose(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readiness__all_watchers_hear_of_a_change_in_their_own_time),
        cmocka_unit_test(test_readiness__a_watch_that_ends_before_it_is_told_hears_nothing),
        cmocka_unit_test(test_readiness__watches_come_and_go_while_the_state_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
