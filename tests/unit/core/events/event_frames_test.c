/* Statistics of v1 against a count by hand, as event_statistics_test.c does it (events-api.md 5.1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/events/event_frames.h"
#include "tests/unit/core/events/statistics_world.h"

#define REQUESTS 700u /* in each of the two worlds */

struct frames_request {
    struct vg_statistics_filter filter;
    enum vg_event_group_field fields[4];
    struct vg_event_frames frames;
};

/* The text of a member; "\xff" = none, which sorts last. */
static void member_text(
    const struct vg_statistics_filter *filter,
    const struct vg_plain_event *plain,
    enum vg_event_group_field field,
    char out[VG_STATISTICS_TEXT])
{
    char texts[3][VG_STATISTICS_TEXT];
    static const char *const customers[] = { "", "demo", "other", "sub" };
    if (field == VG_EVENT_GROUP_NOTHING ||
        vg_statistics_world_identifiers(filter, plain, field, texts) == 0) {
        memcpy(out, "\xff", 2);
        return;
    }
    const char *text = texts[0];
    char number[VG_STATISTICS_TEXT];
    if (field == VG_EVENT_GROUP_PROTOCOL) {
        (void)snprintf(number, sizeof(number), "%d", plain->protocol);
        text = plain->protocol == 51 ? "ah" : plain->protocol == 0 ? "0" : text;
        text = strcmp(text, "unknown") == 0 ? number : text;
    } else if (field == VG_EVENT_GROUP_CUSTOMER) {
        text = customers[plain->id.customer_id];
    } else if (field == VG_EVENT_GROUP_LOCATION) {
        text = plain->location == 21 ? "oslo" : "everywhere";
    } else if (field == VG_EVENT_GROUP_ALARM) {
        text = "An alarm";
    } else if (field == VG_EVENT_GROUP_ATTACK_CATEGORY) {
        text = "A category";
    }
    (void)snprintf(out, VG_STATISTICS_TEXT, "%s", text);
}

struct expected_key {
    char texts[4][VG_STATISTICS_TEXT];
    struct vg_statistics_members members;
    int64_t value;
};

static int compare_keys(const void *a, const void *b)
{
    const struct expected_key *one = a;
    const struct expected_key *other = b;
    if (one->value != other->value) {
        return one->value > other->value ? -1 : 1;
    }
    for (size_t i = 0; i < 4; i++) {
        int order = strcmp(one->texts[i], other->texts[i]);
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static struct expected_key *make_keys(
    const struct vg_statistics_world *world,
    const struct frames_request *request,
    const struct vg_statistics_members *members,
    size_t *out_count)
{
    struct expected_key *keys = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct vg_plain_event *plain = &world->events[members->list[i]];
        char texts[4][VG_STATISTICS_TEXT] = { { 0 } };
        for (size_t k = 0; k < request->frames.field_count; k++) {
            member_text(&request->filter, plain, request->fields[k], texts[k]);
        }
        size_t at = 0;
        while (at < count && (strcmp(keys[at].texts[0], texts[0]) != 0 ||
                              strcmp(keys[at].texts[1], texts[1]) != 0 ||
                              strcmp(keys[at].texts[2], texts[2]) != 0 ||
                              strcmp(keys[at].texts[3], texts[3]) != 0)) {
            at++;
        }
        if (at == count) {
            keys = realloc(keys, ++count * sizeof(*keys));
            assert_non_null(keys);
            memset(&keys[at], 0, sizeof(*keys));
            for (size_t k = 0; k < request->frames.field_count; k++) {
                (void)snprintf(keys[at].texts[k], VG_STATISTICS_TEXT, "%s", texts[k]);
            }
        }
        keys[at].members.list[keys[at].members.count++] = members->list[i];
        keys[at].value += request->frames.counts_raw ? plain->count : 1;
    }
    if (count > 1) {
        qsort(keys, count, sizeof(*keys), compare_keys);
    }
    *out_count = count;
    return keys;
}

static void check_key(
    const struct frames_request *request,
    const struct expected_key *expected,
    const struct vg_event_frame_key *key)
{
    for (size_t i = 0; i < request->frames.field_count; i++) {
        const char *text = key->texts[i] == NULL ? "\xff" : key->texts[i];
        assert_string_equal(text, expected == NULL ? "other" : expected->texts[i]);
    }
}

/* What the events of a key amount to in the frame from `start` up to but not including `end`. */
static int64_t frame_value(
    const struct vg_statistics_world *world,
    const struct frames_request *request,
    const struct vg_statistics_members *members,
    vg_time start,
    vg_time end)
{
    int64_t value = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        const struct vg_plain_event *plain = &world->events[members->list[i]];
        const struct vg_event_frames *frames = &request->frames;
        vg_time first = frames->by_timestamp ? plain->id.timestamp : plain->times[5];
        vg_time last = frames->by_timestamp ? plain->id.timestamp : plain->times[6];
        first = first < frames->start ? frames->start : first;
        last = last > frames->end ? frames->end : last;
        if (first <= last && first < end && last >= start) {
            value += frames->counts_raw ? plain->count : 1;
        }
    }
    return value;
}

static vg_time frame_end(const struct vg_event_frames *frames, vg_time start)
{
    static const int64_t lengths[] = { 0, 1, 1000, MINUTE, HOUR, DAY };
    static const enum vg_time_unit units[] = { VG_TIME_UNIT_WEEK,
                                               VG_TIME_UNIT_MONTH,
                                               VG_TIME_UNIT_YEAR };
    if (frames->resolution == 0) {
        return frames->end + 1;
    }
    return frames->unit < VG_EVENT_FRAME_WEEKS
               ? start + lengths[frames->unit] * frames->resolution
               : vg_statistics_world_span_next(units[frames->unit - VG_EVENT_FRAME_WEEKS], start);
}

static vg_time frame_begin(const struct vg_event_frames *frames)
{
    static const enum vg_time_unit units[] = { VG_TIME_UNIT_WEEK,
                                               VG_TIME_UNIT_MONTH,
                                               VG_TIME_UNIT_YEAR };
    return frames->unit < VG_EVENT_FRAME_WEEKS ? frames->start
                                               : vg_statistics_world_span_begin(
                                                     units[frames->unit - VG_EVENT_FRAME_WEEKS],
                                                     frames->start);
}

static void check_frames(
    const struct vg_statistics_world *world,
    const struct frames_request *request,
    const struct expected_key *keys,
    size_t key_count,
    const struct vg_event_frames_result *result)
{
    const struct vg_event_frames *frames = &request->frames;
    size_t at = 0;
    vg_time start = frame_begin(frames);
    while (start <= frames->end) {
        vg_time end = frame_end(frames, start);
        const struct vg_event_frame *frame =
            at < result->frame_count && result->frames[at].start == start ? &result->frames[at]
                                                                          : NULL;
        size_t used = 0;
        int64_t rest = 0;
        for (size_t k = 0; k < key_count; k++) {
            int64_t value = frame_value(world, request, &keys[k].members, start, end);
            bool kept = frames->cutoff == 0 || k < frames->cutoff;
            rest += kept ? 0 : value;
            if (kept && value != 0) {
                assert_non_null(frame);
                assert_true(used < frame->record_count);
                assert_int_equal(frame->records[used].key, k);
                assert_int_equal(frame->records[used].value, value);
                used++;
            }
        }
        if (rest != 0 && frames->includes_others) {
            assert_non_null(frame);
            assert_true(used < frame->record_count);
            assert_int_equal(frame->records[used].key, frames->cutoff);
            assert_int_equal(frame->records[used].value, rest);
            used++;
        }
        if (frame != NULL) {
            assert_int_equal(frame->record_count, used);
            assert_true(used != 0);
            assert_true(frame->end == (frames->resolution == 0 ? frames->end : end));
            at++;
        }
        start = end;
    }
    assert_int_equal(result->frame_count, at);
}

static void make_frames_request(struct vg_statistics_world *world, struct frames_request *request)
{
    static const enum vg_event_group_field fields[] = {
        VG_EVENT_GROUP_SIGNATURE,      VG_EVENT_GROUP_ATTACK_CATEGORY, VG_EVENT_GROUP_ALARM,
        VG_EVENT_GROUP_LOCATION,       VG_EVENT_GROUP_SEVERITY,        VG_EVENT_GROUP_SOURCE_IP,
        VG_EVENT_GROUP_DESTINATION_IP, VG_EVENT_GROUP_PROTOCOL,        VG_EVENT_GROUP_CUSTOMER,
        VG_EVENT_GROUP_SOURCE_COUNTRY, VG_EVENT_GROUP_NOTHING,
    };
    static const int64_t lengths[] = { 0, 1, 1000, MINUTE, HOUR, DAY };
    *request = (struct frames_request){ 0 };
    vg_statistics_world_make_filter(world, &request->filter);
    request->filter.type = VG_EVENT_TYPE_AGGREGATED;
    struct vg_event_frames *frames = &request->frames;
    frames->fields = request->fields;
    frames->field_count = vg_statistics_world_below(world, 4);
    for (size_t i = 0; i < frames->field_count; i++) {
        request->fields[i] = fields[vg_statistics_world_below(world, VG_ARRAY_COUNT(fields))];
    }
    frames->unit = (enum vg_event_frame_unit)(1 + vg_statistics_world_below(world, 8));
    frames->start = vg_statistics_world_some_time(world);
    frames->end =
        vg_statistics_world_chance(world, 90)
            ? frames->start + (int64_t)vg_statistics_world_below(world, (uint64_t)(90 * DAY))
            : frames->start - 1;
    frames->resolution = 1;
    if (frames->unit < VG_EVENT_FRAME_WEEKS) {
        /* Up to some hundred frames. */
        int64_t least = (frames->end - frames->start) / lengths[frames->unit] / 300 + 1;
        frames->resolution = vg_statistics_world_chance(world, 30)
                                 ? 0
                                 : least + (int64_t)vg_statistics_world_below(world, 20);
    }
    frames->cutoff = vg_statistics_world_chance(world, 50)
                         ? 0
                         : 1 + (uint32_t)vg_statistics_world_below(world, 4);
    frames->includes_others = vg_statistics_world_chance(world, 50);
    frames->counts_raw = vg_statistics_world_chance(world, 50);
    frames->by_timestamp = vg_statistics_world_chance(world, 50);
    request->filter.criteria.has_start = true;
    request->filter.criteria.start = frames->start;
    request->filter.criteria.has_end = true;
    request->filter.criteria.end = frames->end;
}

static void check_frames_request(struct vg_statistics_world *world, struct frames_request *request)
{
    struct vg_arena arena;
    struct vg_error error;
    struct vg_statistics_members members = { 0 };
    struct vg_event_frames_result result;
    vg_arena_init(&arena, 256u << 20);
    vg_error_init(&error, &arena);
    if (request->frames.start <= request->frames.end) {
        vg_statistics_world_match(world, &request->filter, &members);
    }
    enum vg_reason reason = vg_statistics_world_begin(
        world,
        &request->filter,
        &arena,
        &request->frames.counting,
        &error);
    assert_int_equal(reason, VG_OK);
    reason = vg_event_frames_run(&world->fixture.source, &request->frames, &arena, &result, &error);
    assert_int_equal(reason, VG_OK);
    size_t count = 0;
    struct expected_key *keys = make_keys(world, request, &members, &count);
    if (count == 0) {
        assert_int_equal(result.key_count, 1);
        for (size_t i = 0; i < request->frames.field_count; i++) {
            assert_null(result.keys[0].texts[i]);
        }
    } else {
        uint32_t cutoff = request->frames.cutoff;
        size_t shown = cutoff != 0 && cutoff < count ? cutoff : count;
        bool others = shown < count && request->frames.includes_others;
        assert_int_equal(result.key_count, shown + others);
        for (size_t i = 0; i < result.key_count; i++) {
            assert_int_equal(result.keys[i].is_other, i == shown);
            check_key(request, i == shown ? NULL : &keys[i], &result.keys[i]);
        }
    }
    check_frames(world, request, keys, count, &result);
    free(keys);
    vg_arena_dispose(&arena);
}

/* ---------------------------------------------------------------------------------------- tests */

static void compare_with_counts_by_hand(uint32_t dictionary_entries, uint64_t seed)
{
    print_message("seed %llu (VIGIL_TEST_SEED)\n", (unsigned long long)seed);
    struct vg_statistics_world *world = vg_statistics_world_open(seed, dictionary_entries);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        struct frames_request request;
        make_frames_request(world, &request);
        check_frames_request(world, &request);
    }
    print_message(
        "%u of %u requests matched some events and not others\n",
        world->partly,
        REQUESTS);
    assert_true(world->partly > REQUESTS / 3);
    vg_statistics_world_close(world);
}

static void test_event_frames__counts_are_those_by_hand(void **state)
{
    (void)state;
    compare_with_counts_by_hand(0, vg_statistics_world_seed());
}

static void test_event_frames__counts_are_those_by_hand_with_texts_in_no_dictionary(void **state)
{
    (void)state;
    compare_with_counts_by_hand(6, vg_statistics_world_seed() + 1);
}

/* MORE */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_frames__counts_are_those_by_hand),
        cmocka_unit_test(test_event_frames__counts_are_those_by_hand_with_texts_in_no_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
