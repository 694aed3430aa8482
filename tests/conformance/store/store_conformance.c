/*
 * What every store backend must do. Each case runs on every fixture of store_backends.c; a failure
 * names both.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "tests/conformance/store/store_backends.h"

/* ---- helpers */

static struct vg_bytes text(const char *words)
{
    return vg_bytes_text(words);
}

static enum vg_reason apply(struct vg_store *store, uint32_t shard, struct vg_batch *batch)
{
    enum vg_reason reason = vg_store_apply(store, shard, batch, NULL);
    vg_batch_clear(batch);
    return reason;
}

static void set_one(struct vg_store *store, const char *key, const char *value)
{
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    vg_batch_set(&batch, text(key), text(value));
    assert_int_equal(apply(store, 0, &batch), VG_OK);
    vg_batch_dispose(&batch);
}

static void delete_one(struct vg_store *store, const char *key)
{
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    vg_batch_delete(&batch, text(key));
    assert_int_equal(apply(store, 0, &batch), VG_OK);
    vg_batch_dispose(&batch);
}

/* The value of `key` must be `expected` (NULL = absent). */
static void check_value(
    struct vg_store *store,
    struct vg_store_view *view,
    const char *key,
    const char *expected)
{
    struct vg_store_value value;
    assert_int_equal(vg_store_get_one(store, view, 0, text(key), &value, NULL), VG_OK);
    assert_int_equal(value.found, expected != NULL);
    if (expected != NULL) {
        assert_true(vg_bytes_equal(value.bytes, text(expected)));
    }
    vg_store_value_release(&value);
}

/* Keys and values seen by a scan, as "key=value " one behind the other. */
struct seen {
    char words[4096];
    size_t size;
    size_t count;
    size_t stop_at; /* 0 = never */
};

static bool note(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct seen *seen = owner;
    int written = snprintf(
        seen->words + seen->size,
        sizeof(seen->words) - seen->size,
        "%.*s=%.*s ",
        (int)key.size,
        (const char *)key.data,
        (int)value.size,
        (const char *)value.data);
    VG_ASSERT(written > 0 && (size_t)written < sizeof(seen->words) - seen->size);
    seen->size += (size_t)written;
    seen->count++;
    return seen->count != seen->stop_at;
}

static void check_scan(
    struct vg_store *store,
    struct vg_store_view *view,
    const struct vg_store_range *range,
    const char *expected,
    bool expected_more)
{
    struct seen seen = { .size = 0 };
    bool more = !expected_more;
    struct vg_store_range viewed = *range;
    viewed.view = view;
    assert_int_equal(vg_store_scan(store, &viewed, note, &seen, &more, NULL), VG_OK);
    assert_string_equal(seen.words, expected);
    assert_int_equal(more, expected_more);
}

static const struct vg_store_range everything = { .shard = 0 };

/* ---- cases */

static void case_what_is_set_is_read(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    check_value(store, NULL, "a", NULL);
    set_one(store, "a", "1");
    check_value(store, NULL, "a", "1");
    set_one(store, "a", "2");
    check_value(store, NULL, "a", "2");
    set_one(store, "a", "");
    check_value(store, NULL, "a", "");
    delete_one(store, "a");
    check_value(store, NULL, "a", NULL);
    delete_one(store, "never there");
}

static void case_several_keys_in_one_get(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "1");
    set_one(store, "c", "3");
    struct vg_bytes keys[] = { text("c"), text("b"), text("a"), text("c") };
    struct vg_store_value values[4];
    struct vg_store_keys wanted = { .keys = keys, .count = 4 };
    assert_int_equal(vg_store_get(store, &wanted, values, NULL), VG_OK);
    assert_true(values[0].found && vg_bytes_equal(values[0].bytes, text("3")));
    assert_false(values[1].found);
    assert_true(values[2].found && vg_bytes_equal(values[2].bytes, text("1")));
    assert_true(values[3].found && vg_bytes_equal(values[3].bytes, text("3")));
    for (size_t index = 0; index < 4; index++) {
        vg_store_value_release(&values[index]);
        vg_store_value_release(&values[index]); /* released is released */
    }
}

static void case_a_pinned_value_stays(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "before");
    struct vg_store_value value;
    assert_int_equal(vg_store_get_one(store, NULL, 0, text("a"), &value, NULL), VG_OK);
    set_one(store, "a", "after");
    delete_one(store, "a");
    assert_true(vg_bytes_equal(value.bytes, text("before")));
    vg_store_value_release(&value);
}

static void case_within_a_batch_the_later_wins(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    vg_batch_set(&batch, text("a"), text("1"));
    vg_batch_set(&batch, text("a"), text("2"));
    vg_batch_set(&batch, text("b"), text("1"));
    vg_batch_delete(&batch, text("b"));
    vg_batch_delete(&batch, text("c"));
    vg_batch_set(&batch, text("c"), text("1"));
    assert_int_equal(apply(store, 0, &batch), VG_OK);
    check_scan(store, NULL, &everything, "a=2 c=1 ", false);
    vg_batch_dispose(&batch);
}

static void case_keys_come_in_memcmp_order(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    static const char *const keys[] = { "b", "\xff", "a\x01", "ab", "a", "\x80", "B", "a\xff" };
    for (size_t index = 0; index < VG_ARRAY_COUNT(keys); index++) {
        set_one(store, keys[index], "v");
    }
    check_scan(store, NULL, &everything, "B=v a=v a\x01=v ab=v a\xff=v b=v \x80=v \xff=v ", false);
}

static void case_a_prefix_bounds_the_scan(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    static const char *const keys[] = { "a", "b", "b1", "b2", "b\xff", "c" };
    for (size_t index = 0; index < VG_ARRAY_COUNT(keys); index++) {
        set_one(store, keys[index], "v");
    }
    struct vg_store_range range = { .prefix = text("b") };
    check_scan(store, NULL, &range, "b=v b1=v b2=v b\xff=v ", false);
    range.prefix = text("b\xff");
    check_scan(store, NULL, &range, "b\xff=v ", false);
    range.prefix = text("bb");
    check_scan(store, NULL, &range, "", false);
    range.prefix = text("c");
    range.start_after = text("a"); /* before the prefix: from its beginning */
    check_scan(store, NULL, &range, "c=v ", false);
    range.prefix = text("a");
    range.start_after = text("b"); /* behind the prefix: nothing */
    check_scan(store, NULL, &range, "", false);
}

static void case_pages_follow_on_one_another(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    static const char *const keys[] = { "k1", "k2", "k3", "k4", "x" };
    for (size_t index = 0; index < VG_ARRAY_COUNT(keys); index++) {
        set_one(store, keys[index], "v");
    }
    struct vg_store_range range = { .prefix = text("k"), .limit = 2 };
    check_scan(store, NULL, &range, "k1=v k2=v ", true);
    range.start_after = text("k2");
    check_scan(store, NULL, &range, "k3=v k4=v ", false); /* exactly full: nothing behind */
    range.start_after = text("k4");
    check_scan(store, NULL, &range, "", false);
    range.start_after = text("k2x"); /* a key that is not there */
    range.limit = 1;
    check_scan(store, NULL, &range, "k3=v ", true);
    range.start_after = text("k");
    range.limit = 0;
    check_scan(store, NULL, &range, "k1=v k2=v k3=v k4=v ", false);
}

static void case_a_visitor_stops_the_scan(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "1");
    set_one(store, "b", "2");
    struct seen seen = { .stop_at = 1 };
    bool more = false;
    assert_int_equal(vg_store_scan(store, &everything, note, &seen, &more, NULL), VG_OK);
    assert_string_equal(seen.words, "a=1 ");
    assert_true(more);
    seen = (struct seen){ .stop_at = 2 };
    assert_int_equal(vg_store_scan(store, &everything, note, &seen, &more, NULL), VG_OK);
    assert_false(more);
}

static struct vg_store *visited_store;

static bool get_in_visit(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct vg_store_value again;
    assert_int_equal(vg_store_get_one(visited_store, NULL, 0, key, &again, NULL), VG_OK);
    assert_true(again.found && vg_bytes_equal(again.bytes, value));
    vg_store_value_release(&again);
    ++*(size_t *)owner;
    return true;
}

static void case_a_visitor_may_read(struct vg_store_fixture *fixture)
{
    set_one(fixture->store, "a", "1");
    set_one(fixture->store, "b", "2");
    visited_store = fixture->store;
    size_t count = 0;
    assert_int_equal(
        vg_store_scan(fixture->store, &everything, get_in_visit, &count, NULL, NULL),
        VG_OK);
    assert_int_equal(count, 2);
}

static void case_guards_decide(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    enum { ABSENT, VALUE };
    set_one(store, "state", "1");
    set_one(store, "empty", "");
    static const struct {
        const char *name;
        int guard;
        const char *key;
        const char *value;
        enum vg_reason reason;
    } rows[] = {
        { "the value it has", VALUE, "state", "1", VG_OK },
        { "another value", VALUE, "state", "2", VG_STORE_CONFLICT },
        { "a longer value", VALUE, "state", "12", VG_STORE_CONFLICT },
        { "a value of an absent key", VALUE, "none", "1", VG_STORE_CONFLICT },
        { "a value of an empty one", VALUE, "empty", "1", VG_STORE_CONFLICT },
        { "absent and it is", ABSENT, "none", NULL, VG_OK },
        { "absent and it is not", ABSENT, "state", NULL, VG_STORE_CONFLICT },
        { "absent and it is empty", ABSENT, "empty", NULL, VG_STORE_CONFLICT },
    };
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    for (size_t index = 0; index < VG_ARRAY_COUNT(rows); index++) {
        delete_one(store, "written");
        vg_batch_set(&batch, text("written"), text("yes"));
        if (rows[index].guard == VALUE) {
            vg_batch_guard_value(&batch, text(rows[index].key), text(rows[index].value));
        } else {
            vg_batch_guard_absent(&batch, text(rows[index].key));
        }
        if (apply(store, 0, &batch) != rows[index].reason) {
            fail_msg("guard: %s", rows[index].name);
        }
        check_value(store, NULL, "written", rows[index].reason == VG_OK ? "yes" : NULL);
    }
    assert_false(vg_store_refuses_writes(store)); /* a conflict is not a failure */
    vg_batch_dispose(&batch);
}

static void case_all_guards_must_hold_before_anything_is_written(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "1");
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    vg_batch_guard_value(&batch, text("a"), text("1"));
    vg_batch_set(&batch, text("a"), text("2"));
    vg_batch_set(&batch, text("b"), text("2"));
    vg_batch_guard_absent(&batch, text("b")); /* looks at the store, not at the batch */
    assert_int_equal(apply(store, 0, &batch), VG_OK);
    vg_batch_set(&batch, text("c"), text("3"));
    vg_batch_delete(&batch, text("a"));
    vg_batch_guard_value(&batch, text("a"), text("2"));
    vg_batch_guard_value(&batch, text("b"), text("1"));
    assert_int_equal(apply(store, 0, &batch), VG_STORE_CONFLICT);
    check_scan(store, NULL, &everything, "a=2 b=2 ", false);
    vg_batch_dispose(&batch);
}

static void case_an_empty_batch_does_nothing(struct vg_store_fixture *fixture)
{
    struct vg_batch batch;
    vg_batch_init(&batch, 64);
    assert_int_equal(apply(fixture->store, 0, &batch), VG_OK);
    check_scan(fixture->store, NULL, &everything, "", false);
    vg_batch_dispose(&batch);
}

static void case_shards_are_apart(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    assert_int_equal(vg_store_shards(store), VG_STORE_FIXTURE_SHARDS);
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    static const char *const values[] = { "zero", "one", "two" };
    for (uint32_t shard = 0; shard < VG_STORE_FIXTURE_SHARDS; shard++) {
        vg_batch_set(&batch, text("key"), text(values[shard]));
        vg_batch_guard_absent(&batch, text("key"));
        assert_int_equal(apply(store, shard, &batch), VG_OK);
    }
    for (uint32_t shard = 0; shard < VG_STORE_FIXTURE_SHARDS; shard++) {
        struct vg_store_value value;
        assert_int_equal(vg_store_get_one(store, NULL, shard, text("key"), &value, NULL), VG_OK);
        assert_true(value.found && vg_bytes_equal(value.bytes, text(values[shard])));
        vg_store_value_release(&value);
        char expected[32];
        (void)snprintf(expected, sizeof(expected), "key=%s ", values[shard]);
        struct vg_store_range range = { .shard = shard };
        check_scan(store, NULL, &range, expected, false);
    }
    vg_batch_dispose(&batch);
}

static void case_a_view_stays_as_it_was(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "1");
    set_one(store, "b", "1");
    struct vg_store_view *first = NULL;
    assert_int_equal(vg_store_view_take(store, 0, &first, NULL), VG_OK);
    assert_non_null(first);
    set_one(store, "a", "2");
    delete_one(store, "b");
    set_one(store, "c", "2");
    struct vg_store_view *second = NULL;
    assert_int_equal(vg_store_view_take(store, 0, &second, NULL), VG_OK);
    set_one(store, "a", "3");
    set_one(store, "b", "3");

    check_scan(store, first, &everything, "a=1 b=1 ", false);
    check_scan(store, second, &everything, "a=2 c=2 ", false);
    check_scan(store, NULL, &everything, "a=3 b=3 c=2 ", false);
    check_value(store, first, "a", "1");
    check_value(store, first, "c", NULL);
    check_value(store, second, "b", NULL);
    assert_int_equal(vg_store_views(store), 2);
    vg_store_view_release(first);
    check_value(store, second, "a", "2");
    vg_store_view_release(second);
    assert_int_equal(vg_store_views(store), 0);
    vg_store_view_release(NULL);
}

static void case_a_view_is_counted(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "1");
    struct vg_store_view *view = NULL;
    assert_int_equal(vg_store_view_take(store, 0, &view, NULL), VG_OK);
    assert_ptr_equal(vg_store_view_ref(view), view);
    vg_store_view_release(view);
    set_one(store, "a", "2");
    check_value(store, view, "a", "1");
    assert_int_equal(vg_store_views(store), 1);
    vg_store_view_release(view);
    assert_int_equal(vg_store_views(store), 0);
}

static void case_what_was_written_outlives_a_restart(struct vg_store_fixture *fixture)
{
    struct vg_batch batch;
    vg_batch_init(&batch, 1u << 20);
    static const uint8_t big[100000] = { 1, 0, 2 };
    vg_batch_set(&batch, text("big"), vg_bytes(big, sizeof(big)));
    assert_int_equal(apply(fixture->store, 0, &batch), VG_OK);
    set_one(fixture->store, "a", "1");
    delete_one(fixture->store, "a");
    set_one(fixture->store, "b", "2");
    vg_store_fixture_restart(fixture);
    check_value(fixture->store, NULL, "a", NULL);
    check_value(fixture->store, NULL, "b", "2");
    struct vg_store_value value;
    assert_int_equal(vg_store_get_one(fixture->store, NULL, 0, text("big"), &value, NULL), VG_OK);
    assert_true(vg_bytes_equal(value.bytes, vg_bytes(big, sizeof(big))));
    vg_store_value_release(&value);
    vg_batch_dispose(&batch);
}

static void case_reopening_needs_all_views_back(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    set_one(store, "a", "1");
    struct vg_store_view *view = NULL;
    assert_int_equal(vg_store_view_take(store, 0, &view, NULL), VG_OK);
    assert_int_equal(vg_store_reopen(store, NULL), VG_STORE_UNAVAILABLE);
    check_value(store, view, "a", "1"); /* still as it was */
    vg_store_view_release(view);
    assert_int_equal(vg_store_reopen(store, NULL), VG_OK);
    check_value(store, NULL, "a", "1");
    set_one(store, "a", "2");
}

static void case_keys_and_values_at_their_limits(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    char key[VG_STORE_KEY_BYTES_MAX];
    memset(key, 'k', sizeof(key));
    uint8_t *value = calloc(1, VG_STORE_VALUE_BYTES_MAX);
    assert_non_null(value);
    value[VG_STORE_VALUE_BYTES_MAX - 1] = 7;
    struct vg_batch batch;
    vg_batch_init(&batch, VG_STORE_BATCH_BYTES_MAX);
    struct vg_bytes long_key = vg_bytes(key, sizeof(key));
    vg_batch_set(&batch, long_key, vg_bytes(value, VG_STORE_VALUE_BYTES_MAX));
    assert_int_equal(apply(store, 2, &batch), VG_OK);
    struct vg_store_value read;
    assert_int_equal(vg_store_get_one(store, NULL, 2, long_key, &read, NULL), VG_OK);
    assert_true(vg_bytes_equal(read.bytes, vg_bytes(value, VG_STORE_VALUE_BYTES_MAX)));
    vg_store_value_release(&read);
    struct vg_store_range range = { .shard = 2, .prefix = long_key, .start_after = long_key };
    check_scan(store, NULL, &range, "", false);
    vg_batch_dispose(&batch);
    free(value);
}

static void case_a_batch_over_its_maximum_is_refused_whole(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    struct vg_batch batch;
    vg_batch_init(&batch, 100);
    vg_batch_set(&batch, text("a"), text("1"));
    static const uint8_t value[100];
    vg_batch_set(&batch, text("b"), vg_bytes(value, sizeof(value)));
    vg_batch_set(&batch, text("c"), text("3"));
    assert_int_equal(apply(store, 0, &batch), VG_RESOURCE_LIMIT);
    check_scan(store, NULL, &everything, "", false);
    assert_false(vg_store_refuses_writes(store));
    vg_batch_dispose(&batch);
}

#define WRITERS            4
#define ROUNDS             100
#define KEYS_OF_ONE_WRITER 5

struct crowd {
    struct vg_store *store;
    unsigned number;
    atomic_uint *writers_left;
    unsigned conflicts;
};

/* Each writer counts the shared counter up with a guard, and writes a set of keys that must always
 * be seen together. */
static void *write_much(void *owner)
{
    struct crowd *crowd = owner;
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    for (unsigned done = 0; done < ROUNDS;) {
        struct vg_store_value value;
        VG_ASSERT(vg_store_get_one(crowd->store, NULL, 0, text("sum"), &value, NULL) == VG_OK);
        char old[16] = "0";
        if (value.found) {
            (void)snprintf(
                old,
                sizeof(old),
                "%.*s",
                (int)value.bytes.size,
                (const char *)value.bytes.data);
            vg_batch_guard_value(&batch, text("sum"), value.bytes);
        } else {
            vg_batch_guard_absent(&batch, text("sum"));
        }
        vg_store_value_release(&value);
        char sum[16];
        char round[16];
        (void)snprintf(sum, sizeof(sum), "%lu", strtoul(old, NULL, 10) + 1);
        (void)snprintf(round, sizeof(round), "%u", done);
        vg_batch_set(&batch, text("sum"), text(sum));
        for (unsigned index = 0; index < KEYS_OF_ONE_WRITER; index++) {
            char key[16];
            (void)snprintf(key, sizeof(key), "w%u-%u", crowd->number, index);
            vg_batch_set(&batch, text(key), text(round));
        }
        enum vg_reason reason = apply(crowd->store, 0, &batch);
        VG_ASSERT(reason == VG_OK || reason == VG_STORE_CONFLICT);
        done += reason == VG_OK;
        crowd->conflicts += reason == VG_STORE_CONFLICT;
    }
    vg_batch_dispose(&batch);
    atomic_fetch_sub(crowd->writers_left, 1);
    return NULL;
}

struct together {
    char first[16];
    size_t count;
};

static bool all_alike(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct together *together = owner;
    (void)key;
    if (together->count++ == 0) {
        (void)snprintf(
            together->first,
            sizeof(together->first),
            "%.*s",
            (int)value.size,
            (const char *)value.data);
    }
    VG_ASSERT(vg_bytes_equal(value, text(together->first)));
    return true;
}

/* Readers see each writer's keys all or none, with and without a view. */
static void *read_much(void *owner)
{
    struct crowd *crowd = owner;
    while (atomic_load(crowd->writers_left) > 0) {
        struct vg_store_view *view = NULL;
        VG_ASSERT(vg_store_view_take(crowd->store, 0, &view, NULL) == VG_OK);
        for (unsigned writer = 0; writer < WRITERS; writer++) {
            char prefix[8];
            (void)snprintf(prefix, sizeof(prefix), "w%u-", writer);
            struct vg_store_range range = { .view = view, .prefix = text(prefix) };
            struct together together = { .count = 0 };
            VG_ASSERT(
                vg_store_scan(crowd->store, &range, all_alike, &together, NULL, NULL) == VG_OK);
            VG_ASSERT(together.count == 0 || together.count == KEYS_OF_ONE_WRITER);
        }
        vg_store_view_release(view);
    }
    return NULL;
}

static void case_writers_and_readers_at_once(struct vg_store_fixture *fixture)
{
    pthread_t writers[WRITERS];
    struct crowd crowds[WRITERS];
    atomic_uint writers_left;
    atomic_init(&writers_left, WRITERS);
    for (unsigned number = 0; number < WRITERS; number++) {
        crowds[number] = (struct crowd){
            .store = fixture->store,
            .number = number,
            .writers_left = &writers_left,
        };
        assert_int_equal(pthread_create(&writers[number], NULL, write_much, &crowds[number]), 0);
    }
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, read_much, &crowds[0]), 0);
    for (unsigned number = 0; number < WRITERS; number++) {
        (void)pthread_join(writers[number], NULL);
    }
    (void)pthread_join(reader, NULL);
    char sum[16];
    (void)snprintf(sum, sizeof(sum), "%u", WRITERS * ROUNDS);
    check_value(fixture->store, NULL, "sum", sum);
}

#define CHURN_KEYS   50
#define CHURN_ROUNDS 400

/* Random sets and deletes against a plain array, with views held open and checked later. */
static void case_random_changes_match_a_plain_array(struct vg_store_fixture *fixture)
{
    struct vg_store *store = fixture->store;
    int model[CHURN_KEYS] = { 0 }; /* 0 = absent */
    int kept[CHURN_KEYS] = { 0 };
    struct vg_store_view *view = NULL;
    struct vg_batch batch;
    vg_batch_init(&batch, 65536);
    unsigned seed = 20260817;
    for (int round = 1; round <= CHURN_ROUNDS; round++) {
        for (int change = 0; change < 8; change++) {
            int key_number = rand_r(&seed) % CHURN_KEYS;
            char key[8];
            char value[16];
            (void)snprintf(key, sizeof(key), "k%02d", key_number);
            (void)snprintf(value, sizeof(value), "%d", round);
            if (rand_r(&seed) % 3 == 0) {
                vg_batch_delete(&batch, text(key));
                model[key_number] = 0;
            } else {
                vg_batch_set(&batch, text(key), text(value));
                model[key_number] = round;
            }
        }
        assert_int_equal(apply(store, 0, &batch), VG_OK);
        if (round % 20 != 0) {
            continue;
        }
        for (int pass = 0; pass < 2; pass++) {
            const int *expected = pass == 0 ? model : kept;
            char words[4096] = "";
            size_t size = 0;
            for (int key_number = 0; key_number < CHURN_KEYS; key_number++) {
                if (expected[key_number] != 0) {
                    size += (size_t)snprintf(
                        words + size,
                        sizeof(words) - size,
                        "k%02d=%d ",
                        key_number,
                        expected[key_number]);
                }
            }
            if (pass == 0 || view != NULL) {
                check_scan(store, pass == 0 ? NULL : view, &everything, words, false);
            }
        }
        vg_store_view_release(view);
        view = NULL;
        if (round % 100 == 0) {
            vg_store_fixture_restart(fixture);
            store = fixture->store;
        }
        assert_int_equal(vg_store_view_take(store, 0, &view, NULL), VG_OK);
        memcpy(kept, model, sizeof(kept));
    }
    vg_store_view_release(view);
    vg_batch_dispose(&batch);
}

/* ---- every case on every backend */

static const struct {
    const char *name;
    void (*run)(struct vg_store_fixture *fixture);
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, case_##name                                                                         \
    }
    CASE(what_is_set_is_read),
    CASE(several_keys_in_one_get),
    CASE(a_pinned_value_stays),
    CASE(within_a_batch_the_later_wins),
    CASE(keys_come_in_memcmp_order),
    CASE(a_prefix_bounds_the_scan),
    CASE(pages_follow_on_one_another),
    CASE(a_visitor_stops_the_scan),
    CASE(a_visitor_may_read),
    CASE(guards_decide),
    CASE(all_guards_must_hold_before_anything_is_written),
    CASE(an_empty_batch_does_nothing),
    CASE(shards_are_apart),
    CASE(a_view_stays_as_it_was),
    CASE(a_view_is_counted),
    CASE(what_was_written_outlives_a_restart),
    CASE(reopening_needs_all_views_back),
    CASE(keys_and_values_at_their_limits),
    CASE(a_batch_over_its_maximum_is_refused_whole),
    CASE(writers_and_readers_at_once),
    CASE(random_changes_match_a_plain_array),
#undef CASE
};

struct pairing {
    char name[128];
    struct vg_store_fixture fixture;
    void (*run)(struct vg_store_fixture *fixture);
};

static void run_pairing(void **state)
{
    struct pairing *pairing = *state;
    pairing->run(&pairing->fixture);
}

static int setup(void **state)
{
    struct pairing *pairing = *state;
    vg_store_fixture_setup(&pairing->fixture);
    return 0;
}

static int teardown(void **state)
{
    struct pairing *pairing = *state;
    vg_store_fixture_teardown(&pairing->fixture);
    return 0;
}

int main(void)
{
    size_t count = VG_ARRAY_COUNT(cases) * vg_store_fixture_count;
    struct pairing *pairings = calloc(count, sizeof(*pairings));
    struct CMUnitTest *tests = calloc(count, sizeof(*tests));
    VG_ASSERT(pairings != NULL && tests != NULL);
    for (size_t index = 0; index < count; index++) {
        size_t fixture = index / VG_ARRAY_COUNT(cases);
        size_t number = index % VG_ARRAY_COUNT(cases);
        struct pairing *pairing = &pairings[index];
        pairing->fixture = vg_store_fixtures[fixture];
        pairing->run = cases[number].run;
        (void)snprintf(
            pairing->name,
            sizeof(pairing->name),
            "%s: %s",
            pairing->fixture.name,
            cases[number].name);
        tests[index] = (struct CMUnitTest){
            .name = pairing->name,
            .test_func = run_pairing,
            .setup_func = setup,
            .teardown_func = teardown,
            .initial_state = pairing,
        };
    }
    int failed = _cmocka_run_group_tests("store", tests, count, NULL, NULL);
    free(tests);
    free(pairings);
    return failed;
}
