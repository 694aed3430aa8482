#include "tests/unit/core/samples/samples_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/events/event_table.h"
#include "core/ingest/ingest_wait.h"
#include "core/keyspace/keyspace.h"
#include "core/samples/sample_change.h"
#include "core/samples/sample_ingest.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_search.h"

/* A new store: no record, no change. */
static enum vg_reason source_replay(
    void *owner,
    uint64_t after,
    struct vg_table_replay *replay,
    struct vg_error *error)
{
    (void)owner;
    (void)after;
    (void)replay;
    (void)error;
    return VG_OK;
}

static enum vg_reason source_load(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists,
    struct vg_error *error)
{
    (void)owner;
    (void)kind;
    (void)id;
    (void)row;
    (void)out_exists;
    return vg_error_set(error, VG_INTERNAL, NULL);
}

static enum vg_reason source_scan(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    (void)owner;
    (void)rebuild;
    (void)error;
    return VG_OK;
}

static void open_table(struct samples_fixture *fixture)
{
    static const struct vg_table_schema *const schemas[] = {
        [VG_INGEST_KIND_EVENT] = &vg_event_table_schema,
        [VG_INGEST_KIND_SUBMISSION] = &vg_submission_table_schema,
        [VG_INGEST_KIND_SAMPLE] = &vg_sample_table_schema,
    };
    static const struct vg_table_source source = {
        .replay = source_replay,
        .load = source_load,
        .scan = source_scan,
    };
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/vigil-samples-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    const struct vg_table_config config = {
        .path = fixture->folder,
        .schemas = schemas,
        .kind_count = VG_ARRAY_COUNT(schemas),
        .clock = &fixture->clock.clock,
    };
    assert_int_equal(vg_table_open(&config, &fixture->table, NULL), VG_OK);
    struct vg_table_start start = { .source = &source };
    struct vg_table_started started;
    assert_int_equal(vg_store_view_take(fixture->base.store, 0, &start.view, NULL), VG_OK);
    assert_int_equal(vg_table_start(fixture->table, &start, &started, NULL), VG_OK);
    vg_ingest_columns_init(&fixture->columns, fixture->table);
    const struct vg_ingest_options options = {
        .store = fixture->base.store,
        .clock = &fixture->clock.clock,
        .table = &fixture->columns.self,
        .settings = vg_ingest_settings_default(),
    };
    assert_int_equal(vg_ingest_create(&options, &fixture->ingest, NULL), VG_OK);
    fixture->source = (struct vg_submission_store){ .table = fixture->table,
                                                    .store = fixture->base.store,
                                                    .snapshot_age_ms = 10000 };
}

static struct vg_principal principal_of(
    int64_t user,
    int64_t customer,
    uint64_t functions,
    const int64_t *customers,
    size_t count)
{
    return (struct vg_principal){ .user_id = user,
                                  .customer_id = customer,
                                  .functions = functions,
                                  .customers = customers,
                                  .customer_count = count };
}

static void fill_directory(struct samples_fixture *fixture)
{
    static const int64_t demo_and_sub[] = { 1, 3 };
    static const int64_t other[] = { 2 };
    vg_directory_fixture_open(&fixture->base);
    vg_directory_fixture_customer(&fixture->base, 1, "demo", 0);
    vg_directory_fixture_customer(&fixture->base, 2, "other", 0);
    vg_directory_fixture_customer(&fixture->base, 3, "sub", 1);
    vg_directory_fixture_user(&fixture->base, 10, "agent", 1);
    vg_directory_fixture_user(&fixture->base, 11, "analyst", 1);
    vg_directory_fixture_user(&fixture->base, 12, "stranger", 2);
    vg_directory_fixture_group(&fixture->base, 20, "friends", 2);
    fixture->snapshot = vg_directory_snapshot(fixture->base.directory);
    fixture->agent = principal_of(
        10,
        1,
        VG_FUNCTION_ADD_SAMPLE_SUBMISSION | VG_FUNCTION_VIEW_SAMPLE_SUBMISSION,
        demo_and_sub,
        2);
    fixture->analyst = principal_of(11, 1, VG_FUNCTION_VIEW_SAMPLE_SUBMISSION, demo_and_sub, 2);
    fixture->stranger = principal_of(12, 2, VG_FUNCTION_VIEW_SAMPLE_SUBMISSION, other, 1);
}

void samples_fixture_open(struct samples_fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    vg_clock_manual_init(&fixture->clock, SAMPLES_FIXTURE_NOW);
    vg_arena_init(&fixture->arena, 256u << 20);
    fill_directory(fixture);
    open_table(fixture);
    memset(fixture->sample, 0xab, sizeof(fixture->sample));
    samples_fixture_upload(fixture, fixture->sample);
}

void samples_fixture_close(struct samples_fixture *fixture)
{
    vg_ingest_destroy(fixture->ingest);
    vg_table_stop(fixture->table);
    assert_true(vg_table_is_drained(fixture->table));
    vg_table_close(fixture->table);
    vg_directory_snapshot_unref(fixture->snapshot);
    vg_directory_fixture_close(&fixture->base);
    vg_arena_dispose(&fixture->arena);
    (void)rmdir(fixture->folder);
}

void samples_fixture_upload(struct samples_fixture *fixture, const uint8_t sha256[VG_SHA256_SIZE])
{
    struct vg_sample_upload upload = { .record = { .size = 4096 } };
    struct vg_ingest_wait wait;
    bool refused;
    memcpy(upload.record.sha256, sha256, VG_SHA256_SIZE);
    vg_ingest_wait_init(&wait);
    vg_sample_ingest_upload(&wait.group, &upload);
    assert_int_equal(vg_ingest_wait_run(fixture->ingest, &wait, &refused, NULL), VG_OK);
    assert_int_equal(upload.item.reason, VG_OK);
    vg_ingest_wait_dispose(&wait);
}

enum vg_reason samples_fixture_issue(
    struct samples_fixture *fixture,
    int64_t user_id,
    uint8_t proof,
    struct vg_uuid *out_id)
{
    struct vg_challenge_issue issue = { .user_id = user_id,
                                        .id = vg_uuid_make(vg_random_real()),
                                        .range = { .offset = 0, .length = 512 },
                                        .lifetime_ms = SAMPLES_FIXTURE_LIFETIME };
    struct vg_ingest_wait wait;
    bool refused;
    memset(issue.proof, proof, sizeof(issue.proof));
    memcpy(issue.sample, fixture->sample, sizeof(issue.sample));
    vg_ingest_wait_init(&wait);
    vg_challenge_ingest_issue(&wait.group, &issue);
    assert_int_equal(vg_ingest_wait_run(fixture->ingest, &wait, &refused, NULL), VG_OK);
    vg_ingest_wait_dispose(&wait);
    *out_id = issue.id;
    return issue.item.reason;
}

struct vg_submission_input samples_fixture_input(const struct samples_fixture *fixture)
{
    struct vg_submission_input input = { .file_name = "invoice.exe",
                                         .agent_name = "user agent",
                                         .agent_version = "1.0" };
    memcpy(input.sample, fixture->sample, sizeof(input.sample));
    return input;
}

void samples_fixture_prepare(
    struct samples_fixture *fixture,
    const struct vg_submission_input *input,
    const struct vg_principal *principal,
    const struct vg_uuid *challenge,
    uint8_t proof,
    struct vg_arena *arena,
    struct vg_submission_adding *adding)
{
    struct vg_error error;
    bool has_observed = false;
    vg_error_init(&error, arena);
    const struct vg_submission_context context = { .directory = fixture->snapshot,
                                                   .principal = principal,
                                                   .arena = arena,
                                                   .now = vg_clock_now(&fixture->clock.clock),
                                                   .trusted_agents = "" };
    memset(adding, 0, sizeof(*adding));
    assert_true(
        vg_submission_read(input, &context, &adding->record, &has_observed, &error.violations));
    assert_int_equal(vg_submission_resolve(input, &context, &adding->record, &error), VG_OK);
    adding->record.id = vg_uuid_make(vg_random_real());
    adding->arena = arena;
    adding->challenge = *challenge;
    adding->attempt.user_id = principal->user_id;
    memset(adding->attempt.proof, proof, sizeof(adding->attempt.proof));
    /* As if every request were written in another way. */
    memcpy(adding->attempt.sent, adding->record.id.bytes, sizeof(adding->record.id.bytes));
    assert_true(vg_submission_meant(&adding->record, has_observed, arena, adding->attempt.meant));
    assert_true(vg_submission_similar(&adding->record, arena, adding->similar));
}

enum vg_reason samples_fixture_add(
    struct samples_fixture *fixture,
    struct vg_submission_adding *adding)
{
    struct vg_sample_submitted submitted = { .observed = adding->record.observed,
                                             .submission = &adding->item };
    struct vg_ingest_wait wait;
    bool refused;
    vg_ingest_wait_init(&wait);
    wait.group.all_or_nothing = true;
    vg_submission_ingest_add(&wait.group, adding);
    vg_sample_ingest_submitted(&wait.group, &submitted, adding->record.sample);
    enum vg_reason reason = vg_ingest_wait_run(fixture->ingest, &wait, &refused, NULL);
    vg_ingest_wait_dispose(&wait);
    return reason;
}

enum vg_submission_answer samples_fixture_add_new(
    struct samples_fixture *fixture,
    const struct vg_submission_input *input,
    struct vg_submission_adding *adding)
{
    struct vg_uuid id;
    assert_int_equal(samples_fixture_issue(fixture, 10, 1, &id), VG_OK);
    samples_fixture_prepare(fixture, input, &fixture->agent, &id, 1, &fixture->arena, adding);
    assert_int_equal(samples_fixture_add(fixture, adding), VG_OK);
    return adding->answer;
}

enum vg_reason samples_fixture_judge(
    struct samples_fixture *fixture,
    int32_t status,
    const char *comment)
{
    struct vg_sample_judgement judgement = {
        .verdict = { .status_override = status, .comment = vg_bytes_text(comment), .user_id = 10 },
    };
    struct vg_ingest_wait wait;
    bool refused;
    vg_ingest_wait_init(&wait);
    vg_sample_change_judge(&wait.group, &judgement, fixture->sample);
    assert_int_equal(vg_ingest_wait_run(fixture->ingest, &wait, &refused, NULL), VG_OK);
    vg_ingest_wait_dispose(&wait);
    return judgement.change.item.reason;
}

enum vg_reason samples_fixture_delete(struct samples_fixture *fixture)
{
    struct vg_sample_change change;
    struct vg_ingest_wait wait;
    bool refused;
    vg_ingest_wait_init(&wait);
    vg_sample_change_delete(&wait.group, &change, fixture->sample);
    assert_int_equal(vg_ingest_wait_run(fixture->ingest, &wait, &refused, NULL), VG_OK);
    vg_ingest_wait_dispose(&wait);
    return change.item.reason;
}

struct vg_sample_record samples_fixture_record(struct samples_fixture *fixture)
{
    struct vg_key key;
    struct vg_store_value value;
    struct vg_sample_record record;
    vg_key_sample(&key, fixture->sample);
    assert_int_equal(
        vg_store_get_one(fixture->base.store, NULL, 0, vg_key_bytes(&key), &value, NULL),
        VG_OK);
    assert_true(value.found);
    assert_int_equal(
        vg_sample_record_unpack(fixture->sample, value.bytes, &fixture->arena, &record, NULL),
        VG_OK);
    vg_store_value_release(&value);
    return record;
}

void samples_fixture_later(struct samples_fixture *fixture, int64_t milliseconds)
{
    vg_clock_manual_set(&fixture->clock, vg_clock_now(&fixture->clock.clock) + milliseconds);
}

uint64_t samples_fixture_visible(
    struct samples_fixture *fixture,
    const struct vg_principal *principal)
{
    const struct vg_submission_viewer viewer = { .principal = principal,
                                                 .directory = fixture->snapshot,
                                                 .now = vg_clock_now(&fixture->clock.clock) };
    const struct vg_submission_search search = {
        .where = vg_submission_access_predicate(&viewer, &fixture->arena),
    };
    struct vg_submission_cursor cursor;
    struct vg_submission_record record;
    assert_int_equal(
        vg_submission_search_run(&fixture->source, &search, &fixture->arena, &cursor, NULL),
        VG_OK);
    uint64_t count = 0;
    bool end = false;
    while (!end) {
        assert_int_equal(
            vg_submission_cursor_next(&cursor, &fixture->arena, &record, &end, NULL),
            VG_OK);
        if (!end) {
            assert_true(vg_submission_access_sees(&viewer, &record));
            count++;
        }
    }
    assert_int_equal(count, cursor.match_count);
    vg_submission_cursor_close(&cursor);
    return count;
}

static bool count_key(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)owner;
    return true;
}

size_t samples_fixture_count(struct samples_fixture *fixture, enum vg_key_family family)
{
    size_t count = 0;
    const struct vg_store_range range = { .prefix = vg_key_family_prefix(family) };
    assert_int_equal(
        vg_store_scan(fixture->base.store, &range, count_key, &count, NULL, NULL),
        VG_OK);
    return count;
}
