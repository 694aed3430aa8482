/* Submissions from the request to the store and back: tokens, races, repeats, who sees them, and
 * their end. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ingest/ingest_wait.h"
#include "core/samples/retention.h"
#include "tests/unit/core/samples/samples_fixture.h"

static int set_up(void **state)
{
    struct samples_fixture *f = calloc(1, sizeof(*f));
    samples_fixture_open(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    samples_fixture_close(*state);
    free(*state);
    return 0;
}

static void test_submission__a_token_is_good_for_one(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding first;
    assert_int_equal(samples_fixture_add_new(f, &input, &first), VG_SUBMISSION_STORED);
    assert_int_equal(first.stored.submitted, SAMPLES_FIXTURE_NOW);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE_OPEN), 0);

    /* The same again is answered with the same, however it is written. */
    struct vg_submission_adding again;
    samples_fixture_later(f, 5000);
    samples_fixture_prepare(f, &input, &f->agent, &first.challenge, 1, &f->arena, &again);
    assert_int_equal(samples_fixture_add(f, &again), VG_OK);
    assert_int_equal(again.answer, VG_SUBMISSION_REPEATED);
    assert_memory_equal(&again.stored.id, &first.stored.id, sizeof(again.stored.id));
    assert_int_equal(again.stored.submitted, SAMPLES_FIXTURE_NOW);

    /* Another body is refused, and so is the same after the lifetime. */
    input.file_name = "other.exe";
    samples_fixture_prepare(f, &input, &f->agent, &first.challenge, 1, &f->arena, &again);
    assert_int_equal(samples_fixture_add(f, &again), VG_OK);
    assert_int_equal(again.answer, VG_SUBMISSION_UNPROVEN);
    input.file_name = "invoice.exe";
    samples_fixture_later(f, SAMPLES_FIXTURE_LIFETIME);
    samples_fixture_prepare(f, &input, &f->agent, &first.challenge, 1, &f->arena, &again);
    assert_int_equal(samples_fixture_add(f, &again), VG_OK);
    assert_int_equal(again.answer, VG_SUBMISSION_UNPROVEN);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 1);
}

static void test_submission__a_wrong_proof_burns_and_a_foreign_user_does_not(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    struct vg_principal foreign = f->agent;
    struct vg_uuid id;
    foreign.user_id = 11;
    assert_int_equal(samples_fixture_issue(f, 10, 1, &id), VG_OK);
    samples_fixture_prepare(f, &input, &foreign, &id, 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_UNPROVEN);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), 1);

    samples_fixture_prepare(f, &input, &f->agent, &id, 2, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_UNPROVEN);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), 0);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE_OPEN), 0);

    samples_fixture_prepare(f, &input, &f->agent, &id, 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_UNPROVEN);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 0);
}

static void test_submission__without_the_sample_there_is_no_challenge(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    struct vg_uuid id;
    memset(f->sample, 0xcd, sizeof(f->sample));
    assert_int_equal(samples_fixture_issue(f, 10, 1, &id), VG_SAMPLE_NOT_FOUND);
    memset(input.sample, 0xcd, sizeof(input.sample));
    samples_fixture_prepare(f, &input, &f->agent, &id, 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_SAMPLE_NOT_FOUND);
}

static void test_submission__the_oldest_of_too_many_challenges_goes(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    struct vg_uuid first;
    struct vg_uuid second;
    struct vg_uuid id;
    assert_int_equal(samples_fixture_issue(f, 10, 1, &first), VG_OK);
    assert_int_equal(samples_fixture_issue(f, 10, 1, &second), VG_OK);
    for (unsigned i = 2; i < VG_CHALLENGE_OPEN_MAX; i++) {
        assert_int_equal(samples_fixture_issue(f, 10, 1, &id), VG_OK);
    }
    assert_int_equal(samples_fixture_issue(f, 11, 1, &id), VG_OK); /* another's do not count */
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), VG_CHALLENGE_OPEN_MAX + 1);
    assert_int_equal(samples_fixture_issue(f, 10, 1, &id), VG_OK);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), VG_CHALLENGE_OPEN_MAX + 1);
    samples_fixture_prepare(f, &input, &f->agent, &first, 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_UNPROVEN);
    samples_fixture_prepare(f, &input, &f->agent, &second, 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_STORED);
}

/* ---------------------------------------------------------------------------------------- races */

#define RACERS 8
#define RACES  40

struct racer {
    struct samples_fixture *fixture;
    pthread_barrier_t *start;
    struct vg_arena arena;
    struct vg_submission_adding adding;
    enum vg_reason reason;
};

static void *race(void *owner)
{
    struct racer *racer = owner;
    (void)pthread_barrier_wait(racer->start);
    racer->reason = samples_fixture_add(racer->fixture, &racer->adding);
    return NULL;
}

/* Racers with one token and different bodies: one is stored, all others are refused. */
static void run_race(struct samples_fixture *f, struct racer *racers)
{
    static const char *const names[RACERS] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_uuid id;
    pthread_barrier_t start;
    pthread_t threads[RACERS];
    assert_int_equal(samples_fixture_issue(f, 10, 1, &id), VG_OK);
    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i].fixture = f;
        racers[i].start = &start;
        vg_arena_reset(&racers[i].arena);
        input.file_name = names[i];
        samples_fixture_prepare(f, &input, &f->agent, &id, 1, &racers[i].arena, &racers[i].adding);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    unsigned stored = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(racers[i].reason, VG_OK);
        stored += racers[i].adding.answer == VG_SUBMISSION_STORED;
        assert_true(
            racers[i].adding.answer == VG_SUBMISSION_STORED ||
            racers[i].adding.answer == VG_SUBMISSION_UNPROVEN);
    }
    assert_int_equal(stored, 1);
    (void)pthread_barrier_destroy(&start);
}

static void test_submission__of_those_who_race_for_a_token_exactly_one_wins(void **state)
{
    struct samples_fixture *f = *state;
    struct racer *racers = calloc(RACERS, sizeof(*racers));
    assert_non_null(racers);
    for (unsigned i = 0; i < RACERS; i++) {
        vg_arena_init(&racers[i].arena, 1 << 20);
    }
    for (unsigned round = 0; round < RACES; round++) {
        run_race(f, racers);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        vg_arena_dispose(&racers[i].arena);
    }
    free(racers);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), RACES);
    assert_int_equal(samples_fixture_visible(f, &f->agent), RACES);
}

/* -------------------------------------------------------------------------------------- similar */

static void test_submission__one_like_another_within_the_window_is_not_stored(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    struct vg_uuid ids[4];
    static const struct {
        int64_t later_ms;
        const char *name;
        enum vg_submission_answer answer;
    } rows[] = {
        { 0, "invoice.exe", VG_SUBMISSION_STORED },
        { 999, "invoice.exe", VG_SUBMISSION_SIMILAR },
        { 0, "other.exe", VG_SUBMISSION_STORED },
        { 1, "invoice.exe", VG_SUBMISSION_STORED },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        samples_fixture_later(f, rows[i].later_ms);
        input.file_name = rows[i].name;
        assert_int_equal(samples_fixture_issue(f, 10, 1, &ids[i]), VG_OK);
        samples_fixture_prepare(f, &input, &f->agent, &ids[i], 1, &f->arena, &adding);
        adding.similar_window_ms = 1000;
        assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
        assert_int_equal(adding.answer, rows[i].answer);
    }
    /* The token is spent all the same, and its request repeated is answered the same. */
    input.file_name = "invoice.exe";
    samples_fixture_prepare(f, &input, &f->agent, &ids[1], 1, &f->arena, &adding);
    assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
    assert_int_equal(adding.answer, VG_SUBMISSION_SIMILAR);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 3);
}

/* --------------------------------------------------------------------------------------- access */

static void test_submission__who_sees_it(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    input.customer = "sub";
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    assert_int_equal(samples_fixture_visible(f, &f->analyst), 2); /* also through the parent */
    assert_int_equal(samples_fixture_visible(f, &f->stranger), 0);
    static char by_name[] = "Stranger";
    static char by_id[] = "12";
    char *acl[] = { by_name, by_id };
    input.acl = acl;
    input.acl_count = 2;
    input.tlp = VG_TLP_CLEAR; /* opens nothing */
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    assert_int_equal(adding.stored.acl_count, 1);
    assert_int_equal(samples_fixture_visible(f, &f->stranger), 1);
    struct vg_principal nobody = f->stranger;
    nobody.user_id = 11;
    assert_int_equal(samples_fixture_visible(f, &nobody), 0);
    struct vg_principal everybody = f->stranger;
    everybody.all_customers = true;
    assert_int_equal(samples_fixture_visible(f, &everybody), 3);
    everybody.functions = 0;
    everybody.user_id = 11;
    assert_int_equal(samples_fixture_visible(f, &everybody), 0);
}

static void test_submission__one_is_found_by_those_who_see_it(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    struct vg_submission_record record;
    struct vg_submission_id id;
    struct vg_error error;
    vg_error_init(&error, &f->arena);
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    memcpy(id.sample, f->sample, sizeof(id.sample));
    memcpy(id.uuid, adding.stored.id.bytes, sizeof(id.uuid));
    struct vg_submission_viewer viewer = { .principal = &f->analyst,
                                           .directory = f->snapshot,
                                           .now = SAMPLES_FIXTURE_NOW };
    assert_int_equal(
        vg_submission_find(&f->source, &viewer, &id, &f->arena, &record, &error),
        VG_OK);
    assert_true(vg_bytes_equal(record.file_name, vg_bytes_text("invoice.exe")));
    id.uuid[0] ^= 1;
    assert_int_equal(
        vg_submission_find(&f->source, &viewer, &id, &f->arena, &record, &error),
        VG_SUBMISSION_NOT_FOUND);
    id.uuid[0] ^= 1;
    viewer.principal = &f->stranger; /* as if the sample were not there */
    assert_int_equal(
        vg_submission_find(&f->source, &viewer, &id, &f->arena, &record, &error),
        VG_SAMPLE_NOT_FOUND);
}

/* ------------------------------------------------------------------------------------- retention
 */

static void sweep(struct samples_fixture *f)
{
    struct vg_retention retention = { .source = f->source,
                                      .ingest = f->ingest,
                                      .clock = &f->clock.clock,
                                      .similar_window_ms = 1000 };
    bool more = true;
    while (more) {
        assert_int_equal(vg_retention_run(&retention, &more, NULL), VG_OK);
    }
}

static void test_submission__goes_at_its_time(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    input.has_retention = true;
    input.retention = SAMPLES_FIXTURE_NOW + 1000;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    samples_fixture_later(f, 999);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 2);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 2);
    samples_fixture_later(f, 1);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 1); /* before the sweep */
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 1);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), 2);
    samples_fixture_later(f, SAMPLES_FIXTURE_LIFETIME);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), 0);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE_OPEN), 0);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 1);
}

/* ---------------------------------------------------------------------------------- clocks that
 * jump
 */

/* Add `input` with the token `id`; the answer. */
static enum vg_submission_answer add_with(
    struct samples_fixture *f,
    const struct vg_submission_input *input,
    const struct vg_uuid *id,
    struct vg_submission_adding *adding)
{
    samples_fixture_prepare(f, input, &f->agent, id, 1, &f->arena, adding);
    assert_int_equal(samples_fixture_add(f, adding), VG_OK);
    return adding->answer;
}

static void test_submission__a_clock_that_jumps_over_the_lifetime_of_a_challenge(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    struct vg_uuid first;
    struct vg_uuid second;
    struct vg_uuid third;
    assert_int_equal(samples_fixture_issue(f, 10, 1, &first), VG_OK);
    assert_int_equal(samples_fixture_issue(f, 10, 1, &second), VG_OK);
    /* Forward: it proves nothing any more, but an attempt does not burn it. */
    samples_fixture_later(f, SAMPLES_FIXTURE_LIFETIME);
    assert_int_equal(add_with(f, &input, &first, &adding), VG_SUBMISSION_UNPROVEN);
    /* Back: it is good again, once. */
    samples_fixture_later(f, -(int64_t)SAMPLES_FIXTURE_LIFETIME);
    assert_int_equal(add_with(f, &input, &first, &adding), VG_SUBMISSION_STORED);
    samples_fixture_later(f, -(int64_t)SAMPLES_FIXTURE_LIFETIME);
    assert_int_equal(add_with(f, &input, &first, &adding), VG_SUBMISSION_REPEATED);
    input.file_name = "other.exe";
    assert_int_equal(add_with(f, &input, &first, &adding), VG_SUBMISSION_UNPROVEN);
    /* What is made in the past ends before what was made in the future, and takes no other's
     * place. */
    assert_int_equal(samples_fixture_issue(f, 10, 1, &third), VG_OK);
    samples_fixture_later(f, SAMPLES_FIXTURE_LIFETIME);
    assert_int_equal(add_with(f, &input, &third, &adding), VG_SUBMISSION_UNPROVEN);
    assert_int_equal(add_with(f, &input, &second, &adding), VG_SUBMISSION_STORED);
    /* Swept in the future, it is gone in the past. */
    assert_int_equal(samples_fixture_issue(f, 10, 1, &third), VG_OK);
    samples_fixture_later(f, SAMPLES_FIXTURE_LIFETIME);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE), 0);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_CHALLENGE_OPEN), 0);
    samples_fixture_later(f, -(int64_t)SAMPLES_FIXTURE_LIFETIME);
    assert_int_equal(add_with(f, &input, &third, &adding), VG_SUBMISSION_UNPROVEN);
}

static void test_submission__a_clock_that_jumps_over_an_expiry(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    input.has_retention = true;
    input.retention = SAMPLES_FIXTURE_NOW + 1000;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    samples_fixture_later(f, 1000);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 0);
    samples_fixture_later(f, -1); /* nothing has been removed yet: its time is not over */
    assert_int_equal(samples_fixture_visible(f, &f->agent), 1);
    sweep(f);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 1);
    samples_fixture_later(f, -5000);
    sweep(f);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 1);
    samples_fixture_later(f, 100000);
    sweep(f);
    samples_fixture_later(f, -100000); /* what is gone does not come back */
    assert_int_equal(samples_fixture_visible(f, &f->agent), 0);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 0);
}

static void test_submission__a_clock_that_jumps_back_does_not_make_the_window_longer(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    static const struct {
        int64_t later;
        enum vg_submission_answer answer;
    } steps[] = {
        { 0, VG_SUBMISSION_STORED },
        { -999, VG_SUBMISSION_SIMILAR }, /* no more apart than the window is long */
        { -1, VG_SUBMISSION_STORED },
        { 999, VG_SUBMISSION_SIMILAR },
        { 1, VG_SUBMISSION_STORED },
        { -1000 * 1000, VG_SUBMISSION_STORED },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(steps); i++) {
        struct vg_submission_adding adding;
        struct vg_uuid id;
        samples_fixture_later(f, steps[i].later);
        assert_int_equal(samples_fixture_issue(f, 10, 1, &id), VG_OK);
        samples_fixture_prepare(f, &input, &f->agent, &id, 1, &f->arena, &adding);
        adding.similar_window_ms = 1000;
        assert_int_equal(samples_fixture_add(f, &adding), VG_OK);
        assert_int_equal(adding.answer, steps[i].answer);
    }
    samples_fixture_later(f, -1000);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SIMILAR), 0);
}

static void test_submission__of_a_malicious_sample_stays(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    input.has_retention = true;
    input.retention = SAMPLES_FIXTURE_NOW + 1000;
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_MALICIOUS, "so"), VG_OK);
    assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    assert_true(adding.stored.held); /* from the start */
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_REVIEW), 1);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_REVIEW), 0);
    samples_fixture_later(f, 1000);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 2);
    sweep(f);
    assert_int_equal(samples_fixture_visible(f, &f->agent), 2);
    /* The same verdict again changes nothing; the other one lets them go. */
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_MALICIOUS, "so"), VG_OK);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_REVIEW), 0);
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_BENIGN, "so"), VG_OK);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 0);
}

static void test_submission__malicious_after_its_expiry_and_before_the_sweep_stays(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    input.has_retention = true;
    input.retention = SAMPLES_FIXTURE_NOW + 1000;
    for (unsigned i = 0; i < VG_RETENTION_SUBMISSIONS + 3; i++) {
        assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    }
    samples_fixture_later(f, 1000);
    assert_int_equal(samples_fixture_judge(f, SAMPLES_FIXTURE_MALICIOUS, "so"), VG_OK);
    sweep(f);
    assert_int_equal(samples_fixture_visible(f, &f->agent), VG_RETENTION_SUBMISSIONS + 3);
}

static void test_submission__more_than_a_portion_goes(void **state)
{
    struct samples_fixture *f = *state;
    struct vg_submission_input input = samples_fixture_input(f);
    struct vg_submission_adding adding;
    input.has_retention = true;
    input.retention = SAMPLES_FIXTURE_NOW + 1000;
    for (unsigned i = 0; i < VG_RETENTION_SUBMISSIONS + 1; i++) {
        assert_int_equal(samples_fixture_add_new(f, &input, &adding), VG_SUBMISSION_STORED);
    }
    samples_fixture_later(f, 1000);
    sweep(f);
    assert_int_equal(samples_fixture_count(f, VG_KEY_FAMILY_SUBMISSION), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_submission__##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_good_for_one),
        TEST(a_wrong_proof_burns_and_a_foreign_user_does_not),
        TEST(without_the_sample_there_is_no_challenge),
        TEST(the_oldest_of_too_many_challenges_goes),
        TEST(of_those_who_race_for_a_token_exactly_one_wins),
        TEST(one_like_another_within_the_window_is_not_stored),
        TEST(who_sees_it),
        TEST(one_is_found_by_those_who_see_it),
        TEST(goes_at_its_time),
        TEST(a_clock_that_jumps_over_the_lifetime_of_a_challenge),
        TEST(a_clock_that_jumps_over_an_expiry),
        TEST(a_clock_that_jumps_back_does_not_make_the_window_longer),
        TEST(of_a_malicious_sample_stays),
        TEST(malicious_after_its_expiry_and_before_the_sweep_stays),
        TEST(more_than_a_portion_goes),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
