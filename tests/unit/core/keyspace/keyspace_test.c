#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/keyspace/keyspace.h"

static const struct vg_event_identity sample = {
    .timestamp = 1755000000000, /* 01989e26ce00 */
    .customer = 42,
    .type = 3,
    .uuid = { 0x10,
              0x11,
              0x12,
              0x13,
              0x14,
              0x15,
              0x16,
              0x17,
              0x18,
              0x19,
              0x1a,
              0x1b,
              0x1c,
              0x1d,
              0x1e,
              0x00 },
};

static bool same_event(const struct vg_event_identity *a, const struct vg_event_identity *b)
{
    return a->timestamp == b->timestamp && a->customer == b->customer && a->type == b->type &&
           memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* Keys on disk are a contract: this test only ever gets rows added. */
static void test_keyspace__an_event_key_is_these_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        'e',  0x80, 0x02, 0x03, 0x02, 0x04, 0x98, 0x9e, 0x26, 0xce, 0x02, 0x03, /* time */
        0x11, 42,   0x11, 3,                                                    /* customer, type */
        0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b,
        0x1c, 0x1d, 0x1e, 0x02, 0x03, 0x01, /* uuid, its last byte escaped, end */
    };
    struct vg_key key;
    vg_key_event(&key, &sample);
    assert_false(key.failed);
    assert_int_equal(key.size, sizeof(expected));
    assert_memory_equal(key.data, expected, sizeof(expected));
}

static void test_keyspace__every_family_has_its_own_first_byte(void **state)
{
    (void)state;
    bool seen[256] = { false };
    for (unsigned family = 0; family < VG_KEY_FAMILY_COUNT; family++) {
        uint8_t first = vg_key_family_row((enum vg_key_family)family)->first;
        assert_true(first > 0x1f);
        assert_false(seen[first]);
        seen[first] = true;
        enum vg_key_family found;
        assert_true(vg_key_family_find(vg_key_family_prefix((enum vg_key_family)family), &found));
        assert_int_equal(found, family);
    }
    enum vg_key_family found;
    assert_false(vg_key_family_find(vg_bytes("", 0), &found));
    assert_false(vg_key_family_find(vg_bytes("\xfe", 1), &found));
}

static void test_keyspace__keys_parse_back(void **state)
{
    (void)state;
    struct vg_key key;
    struct vg_event_identity event;
    vg_key_event(&key, &sample);
    assert_true(vg_key_parse_event(vg_key_bytes(&key), &event));
    assert_true(same_event(&event, &sample));
    assert_false(vg_key_parse_event_payload(vg_key_bytes(&key), &event));

    vg_key_event_payload(&key, &sample);
    assert_true(vg_key_parse_event_payload(vg_key_bytes(&key), &event));
    assert_true(same_event(&event, &sample));

    uint64_t revision;
    uint32_t number;
    vg_key_lineage(&key, &sample, 1u << 20, 7);
    assert_true(vg_key_parse_lineage(vg_key_bytes(&key), &event, &revision, &number));
    assert_true(same_event(&event, &sample) && revision == 1u << 20 && number == 7);

    uint64_t sequence;
    vg_key_change_log(&key, 99);
    assert_true(vg_key_parse_change_log(vg_key_bytes(&key), &sequence));
    assert_int_equal(sequence, 99);

    uint8_t hash[VG_KEY_HASH_SIZE] = { 0, 1, 2, 255 };
    uint8_t out_hash[VG_KEY_HASH_SIZE];
    vg_key_idempotency(&key, hash);
    assert_true(vg_key_parse_idempotency(vg_key_bytes(&key), out_hash));
    assert_memory_equal(hash, out_hash, sizeof(hash));

    vg_key_stream(&key, hash);
    assert_true(vg_key_parse_stream(vg_key_bytes(&key), out_hash));
    assert_memory_equal(hash, out_hash, sizeof(hash));
    assert_false(vg_key_parse_idempotency(vg_key_bytes(&key), out_hash));

    vg_key_sample(&key, hash);
    assert_true(vg_key_parse_sample(vg_key_bytes(&key), out_hash));
    assert_memory_equal(hash, out_hash, sizeof(hash));
    assert_false(vg_key_parse_idempotency(vg_key_bytes(&key), out_hash));

    uint8_t uuid[VG_KEY_UUID_SIZE];
    vg_key_submission(&key, hash, sample.uuid);
    assert_true(vg_key_parse_submission(vg_key_bytes(&key), out_hash, uuid));
    assert_memory_equal(hash, out_hash, sizeof(hash));
    assert_memory_equal(sample.uuid, uuid, sizeof(uuid));
    struct vg_key prefix;
    vg_key_submission_prefix(&prefix, hash);
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    assert_false(vg_key_parse_submission(vg_key_bytes(&prefix), out_hash, uuid));
    assert_false(vg_key_parse_challenge(vg_key_bytes(&key), out_hash, uuid));

    vg_key_challenge(&key, hash, sample.uuid);
    assert_true(vg_key_parse_challenge(vg_key_bytes(&key), out_hash, uuid));
    assert_memory_equal(hash, out_hash, sizeof(hash));
    assert_memory_equal(sample.uuid, uuid, sizeof(uuid));
    vg_key_sample_prefix(&prefix, VG_KEY_FAMILY_CHALLENGE, hash);
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    vg_key_challenge_open(&key, hash, INT64_MAX);
    vg_key_sample_prefix(&prefix, VG_KEY_FAMILY_CHALLENGE_OPEN, hash);
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    vg_key_review(&key, hash);
    assert_true(vg_key_parse_review(vg_key_bytes(&key), out_hash));
    assert_memory_equal(hash, out_hash, sizeof(hash));
    assert_false(vg_key_parse_sample(vg_key_bytes(&key), out_hash));
    vg_key_similar(&key, hash, hash);
    vg_key_sample_prefix(&prefix, VG_KEY_FAMILY_SIMILAR, hash);
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));

    struct vg_key later;
    vg_key_verdict(&key, hash, 255, 3);
    vg_key_verdict(&later, hash, 256, 0);
    assert_true(vg_key_parse_verdict(vg_key_bytes(&key), out_hash, &revision, &number));
    assert_memory_equal(out_hash, hash, sizeof(hash));
    assert_int_equal(revision, 255);
    assert_int_equal(number, 3);
    assert_true(vg_bytes_compare(vg_key_bytes(&key), vg_key_bytes(&later)) < 0);
    vg_key_verdict_prefix(&prefix, hash);
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    assert_false(vg_key_parse_verdict(vg_key_bytes(&prefix), out_hash, &revision, &number));

    uint32_t kind;
    int64_t id;
    uint8_t name[VG_KEY_NAME_BYTES_MAX];
    size_t size;
    vg_key_directory(&key, 5, 1234567, vg_bytes("a\0b", 3));
    assert_true(vg_key_parse_directory(vg_key_bytes(&key), &kind, &id, name, &size));
    assert_true(kind == 5 && id == 1234567 && size == 3 && memcmp(name, "a\0b", 3) == 0);
}

static void test_keyspace__a_key_cut_or_grown_is_refused(void **state)
{
    (void)state;
    struct vg_key key;
    struct vg_event_identity event;
    vg_key_event(&key, &sample);
    for (size_t size = 0; size < key.size; size++) {
        assert_false(vg_key_parse_event(vg_bytes(key.data, size), &event));
    }
    key.data[key.size++] = 'x';
    assert_false(vg_key_parse_event(vg_key_bytes(&key), &event));
}

static void test_keyspace__events_sort_by_time_then_customer_type_uuid(void **state)
{
    (void)state;
    struct vg_event_identity rising[6] = { sample, sample, sample, sample, sample, sample };
    rising[0].timestamp = -1;
    rising[2].uuid[0] = 0x11;
    rising[3].type = 4;
    rising[4].customer = 300;
    rising[4].type = 0;
    rising[5].timestamp++;
    rising[5].customer = 1;
    struct vg_key keys[6];
    for (int index = 0; index < 6; index++) {
        vg_key_event(&keys[index], &rising[index]);
        if (index > 0) {
            assert_true(
                vg_bytes_compare(vg_key_bytes(&keys[index - 1]), vg_key_bytes(&keys[index])) < 0);
        }
    }
}

static void test_keyspace__prefixes_hold_their_own_and_nothing_else(void **state)
{
    (void)state;
    struct vg_key prefix;
    struct vg_key key;
    struct vg_event_identity other = sample;
    other.uuid[15] = 1;
    vg_key_lineage_prefix(&prefix, &sample);
    vg_key_lineage(&key, &sample, 3, 0);
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    vg_key_lineage(&key, &other, 3, 0);
    assert_false(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));

    vg_key_directory_prefix(&prefix, 1);
    vg_key_directory(&key, 1, 7, vg_bytes_text("a"));
    assert_true(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    vg_key_directory(&key, 257, 7, vg_bytes_text("a"));
    assert_false(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
    vg_key_directory_name(&key, 1, vg_bytes_text("a"));
    assert_false(vg_bytes_begins_with(vg_key_bytes(&key), vg_key_bytes(&prefix)));
}

static void test_keyspace__the_longest_name_fits(void **state)
{
    (void)state;
    /* NULs take twice the room. */
    static const uint8_t name[VG_KEY_NAME_BYTES_MAX];
    struct vg_key key;
    vg_key_directory(&key, UINT32_MAX, -1, vg_bytes(name, sizeof(name)));
    assert_false(key.failed);
}

/* docs/storage.md has a row for every family: `e` | event | … */
static void test_keyspace__every_family_is_documented(void **state)
{
    (void)state;
    FILE *file = fopen(VG_SOURCE_DIR "/docs/storage.md", "r");
    assert_non_null(file);
    static char page[65536];
    size_t size = fread(page, 1, sizeof(page) - 1, file);
    page[size] = '\0';
    (void)fclose(file);
    for (unsigned family = 0; family < VG_KEY_FAMILY_COUNT; family++) {
        const struct vg_key_family_row *row = vg_key_family_row((enum vg_key_family)family);
        char line[400];
        (void)snprintf(
            line,
            sizeof(line),
            "| `%c` | %s | %s | %s |",
            row->first,
            row->name,
            row->parts,
            row->value);
        if (strstr(page, line) == NULL) {
            fail_msg("docs/storage.md lacks the row: %s", line);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyspace__an_event_key_is_these_bytes),
        cmocka_unit_test(test_keyspace__every_family_has_its_own_first_byte),
        cmocka_unit_test(test_keyspace__keys_parse_back),
        cmocka_unit_test(test_keyspace__a_key_cut_or_grown_is_refused),
        cmocka_unit_test(test_keyspace__events_sort_by_time_then_customer_type_uuid),
        cmocka_unit_test(test_keyspace__prefixes_hold_their_own_and_nothing_else),
        cmocka_unit_test(test_keyspace__the_longest_name_fits),
        cmocka_unit_test(test_keyspace__every_family_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
