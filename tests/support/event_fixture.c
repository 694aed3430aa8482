#include "tests/support/event_fixture.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/events/event_table.h"

#include "vigil/record/v1/directory.pb-c.h"

#define VG_ARENA_BYTES (256u << 20)

/* protobuf-c declares members `char *`, though packing only reads them. */
static char *lend(const char *text)
{
    union {
        const char *lent;
        char *member;
    } both = { text };
    return both.member;
}

static void must_add(
    struct vg_event_fixture *fixture,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record)
{
    enum vg_reason reason = vg_directory_fixture_add(&fixture->base, kind, record);
    VG_ASSERT(reason == VG_OK);
}

static void add_location(
    struct vg_event_fixture *fixture,
    int64_t id,
    const char *short_name,
    int64_t customer)
{
    Vigil__Record__V1__Location record = VIGIL__RECORD__V1__LOCATION__INIT;
    record.has_id = true;
    record.id = id;
    record.short_name = lend(short_name);
    record.name = lend(short_name);
    record.has_customer_id = customer != 0;
    record.customer_id = customer;
    record.time_zone = lend("Europe/Berlin");
    must_add(fixture, VG_DIRECTORY_LOCATION, &record.base);
}

static void add_case(struct vg_event_fixture *fixture, int64_t id, int64_t customer, int64_t reader)
{
    Vigil__Record__V1__Case record = VIGIL__RECORD__V1__CASE__INIT;
    record.has_id = true;
    record.id = id;
    record.has_customer_id = true;
    record.customer_id = customer;
    record.subject = lend("Infected host");
    record.description = lend("It is");
    record.has_category_id = true;
    record.category_id = 7;
    record.category_name = lend("Malware");
    record.has_service_id = true;
    record.service_id = 8;
    record.service_name = lend("ids");
    record.has_status = true;
    record.status = VIGIL__RECORD__V1__CASE_STATUS__CASE_STATUS_ATTACHMENT_ADDED;
    record.has_priority = true;
    record.priority = VIGIL__RECORD__V1__PRIORITY__PRIORITY_HIGH;
    record.n_reader_ids = reader != 0 ? 1 : 0;
    record.reader_ids = &reader;
    must_add(fixture, VG_DIRECTORY_CASE, &record.base);
}

static void fill_directory(struct vg_event_fixture *fixture)
{
    vg_directory_fixture_open(&fixture->base);
    vg_directory_fixture_customer(&fixture->base, 1, "demo", 0);
    vg_directory_fixture_customer(&fixture->base, 2, "other", 0);
    vg_directory_fixture_customer(&fixture->base, 3, "sub", 1);
    vg_directory_fixture_user(&fixture->base, 10, "agent", 1);
    vg_directory_fixture_user(&fixture->base, 11, "analyst", 1);
    add_location(fixture, 21, "oslo", 1);
    add_location(fixture, 22, "everywhere", 0);
    add_location(fixture, 23, "elsewhere", 2);
    add_case(fixture, 31, 1, 11);
    add_case(fixture, 32, 2, 0);
    add_case(fixture, 33, 1, 0);
    Vigil__Record__V1__Signature signature = VIGIL__RECORD__V1__SIGNATURE__INIT;
    signature.name = lend("KNOWN");
    signature.has_alarm_id = true;
    signature.alarm_id = 41;
    signature.alarm_short_name = lend("alarm");
    signature.alarm_description = lend("An alarm");
    signature.has_category_id = true;
    signature.category_id = 42;
    signature.category_short_name = lend("category");
    signature.category_name = lend("A category");
    must_add(fixture, VG_DIRECTORY_SIGNATURE, &signature.base);
    fixture->snapshot = vg_directory_snapshot(fixture->base.directory);
}

static void make_principals(struct vg_event_fixture *fixture)
{
    static const int64_t demo_and_sub[] = { 1, 3 };
    fixture->agent.user_id = 10;
    fixture->agent.user_name = "agent";
    fixture->agent.customer_id = 1;
    fixture->agent.functions = UINT64_MAX;
    fixture->agent.customers = demo_and_sub;
    fixture->agent.customer_count = 2;

    fixture->viewer.user_id = 11;
    fixture->viewer.user_name = "analyst";
    fixture->viewer.customer_id = 1;
    fixture->viewer.functions = UINT64_C(1) << 1; /* eventLookup */
    fixture->viewer.customers = demo_and_sub;
    fixture->viewer.customer_count = 1;

    fixture->admin.user_id = 1;
    fixture->admin.user_name = "admin";
    fixture->admin.customer_id = 1;
    fixture->admin.functions = UINT64_MAX;
    fixture->admin.all_customers = true;
}

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

static void open_table(struct vg_event_fixture *fixture, const struct vg_table_limits *limits)
{
    static const struct vg_table_schema *const schemas[] = { &vg_event_table_schema };
    static const struct vg_table_source source = {
        .replay = source_replay,
        .load = source_load,
        .scan = source_scan,
    };
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/vigil-events-XXXXXX");
    VG_ASSERT(mkdtemp(fixture->folder) != NULL);
    struct vg_table_config config = {
        .path = fixture->folder,
        .schemas = schemas,
        .kind_count = 1,
        .clock = &fixture->clock.clock,
        .limits = *limits,
    };
    memcpy(config.secret, fixture->rules.secret, sizeof(config.secret));
    enum vg_reason reason = vg_table_open(&config, &fixture->table, NULL);
    VG_ASSERT(reason == VG_OK);
    struct vg_table_start start = { .source = &source };
    reason = vg_store_view_take(fixture->base.store, 0, &start.view, NULL);
    VG_ASSERT(reason == VG_OK);
    struct vg_table_started started;
    struct vg_error error;
    vg_error_init(&error, &fixture->arena);
    reason = vg_table_start(fixture->table, &start, &started, &error);
    VG_ASSERT(reason == VG_OK);
}

static void open_ingest(struct vg_event_fixture *fixture)
{
    vg_ingest_columns_init(&fixture->columns, fixture->table);
    struct vg_ingest_options options = {
        .store = fixture->base.store,
        .clock = &fixture->clock.clock,
        .table = &fixture->columns.self,
        .settings = vg_ingest_settings_default(),
    };
    enum vg_reason reason = vg_ingest_create(&options, &fixture->ingest, NULL);
    VG_ASSERT(reason == VG_OK);
}

void vg_event_fixture_open(struct vg_event_fixture *fixture)
{
    static const struct vg_table_limits defaults;
    vg_event_fixture_open_limited(fixture, &defaults);
}

void vg_event_fixture_open_limited(
    struct vg_event_fixture *fixture,
    const struct vg_table_limits *limits)
{
    *fixture = (struct vg_event_fixture){ 0 };
    vg_clock_manual_init(&fixture->clock, VG_EVENT_FIXTURE_NOW);
    vg_random_seeded_init(&fixture->random, 1);
    vg_arena_init(&fixture->arena, VG_ARENA_BYTES);
    memset(fixture->rules.secret, 0x5A, sizeof(fixture->rules.secret));
    fixture->rules.data_center = vg_bytes_text("osl");
    fixture->rules.limits.record_bytes_max = 4u << 20;
    fixture->rules.limits.property_bytes_max = 1u << 20;
    fill_directory(fixture);
    make_principals(fixture);
    open_table(fixture, limits);
    open_ingest(fixture);
    fixture->source = (struct vg_event_store){
        .table = fixture->table,
        .store = fixture->base.store,
        .kind = VG_INGEST_KIND_EVENT,
        .snapshot_age_ms = VG_SNAPSHOT_AGE_MS,
    };
}

void vg_event_fixture_close(struct vg_event_fixture *fixture)
{
    vg_ingest_destroy(fixture->ingest);
    vg_table_stop(fixture->table);
    VG_ASSERT(vg_table_is_drained(fixture->table));
    vg_table_close(fixture->table);
    vg_directory_snapshot_unref(fixture->snapshot);
    vg_directory_fixture_close(&fixture->base);
    vg_random_seeded_dispose(&fixture->random);
    vg_arena_dispose(&fixture->arena);
    (void)rmdir(fixture->folder);
}

struct vg_event_submit_context vg_event_fixture_context(
    struct vg_event_fixture *fixture,
    const struct vg_principal *principal)
{
    vg_time now = vg_clock_now(&fixture->clock.clock);
    const char *text = vg_arena_printf(&fixture->arena, "%lld", (long long)now);
    return (struct vg_event_submit_context){
        .directory = fixture->snapshot,
        .principal = principal,
        .random = &fixture->random.random,
        .rules = &fixture->rules,
        .arena = &fixture->arena,
        .arrived = now,
        .accepted = now,
        .arrived_text = text,
        .accepted_text = text,
    };
}

void vg_event_fixture_input(struct vg_event_input *input)
{
    *input = (struct vg_event_input){
        .source = { .port = VG_EVENT_NO_PORT },
        .destination = { .port = VG_EVENT_NO_PORT },
    };
}

enum vg_reason vg_event_fixture_prepare(
    struct vg_event_fixture *fixture,
    const struct vg_principal *principal,
    const struct vg_event_input *input,
    struct vg_event_submission *submission)
{
    struct vg_event_submit_context context = vg_event_fixture_context(fixture, principal);
    struct vg_error error;
    vg_error_init(&error, &fixture->arena);
    if (!vg_event_submission_read(
            submission,
            input,
            &context,
            VG_EVENT_SUBMISSION_ALONE,
            &error.violations)) {
        return vg_error_from_violations(&error);
    }
    enum vg_reason reason = vg_event_submission_resolve(submission, input, &context);
    return reason != VG_OK ? reason : vg_event_submission_prepare(submission, &context);
}

struct waiting {
    struct vg_ingest_submission group;
    sem_t answered;
};

static void answered(struct vg_task *task)
{
    struct vg_ingest_submission *group = VG_CONTAINER_OF(task, struct vg_ingest_submission, done);
    struct waiting *waiting = VG_CONTAINER_OF(group, struct waiting, group);
    VG_ASSERT(sem_post(&waiting->answered) == 0);
}

enum vg_reason vg_event_fixture_store(
    struct vg_event_fixture *fixture,
    struct vg_event_submission *submissions,
    size_t count,
    bool all_or_nothing)
{
    struct waiting waiting;
    vg_ingest_submission_init(&waiting.group);
    VG_ASSERT(sem_init(&waiting.answered, 0, 0) == 0);
    waiting.group.done.run = answered;
    waiting.group.all_or_nothing = all_or_nothing;
    for (size_t i = 0; i < count; i++) {
        vg_event_ingest_add(&waiting.group, &submissions[i]);
    }
    enum vg_reason reason = vg_ingest_submit(fixture->ingest, &waiting.group, NULL);
    VG_ASSERT(reason == VG_OK);
    while (sem_wait(&waiting.answered) != 0) {
    }
    (void)sem_destroy(&waiting.answered);
    return waiting.group.reason;
}

struct vg_event_id vg_event_fixture_submit(
    struct vg_event_fixture *fixture,
    const struct vg_event_input *input)
{
    struct vg_event_submission submission;
    enum vg_reason reason = vg_event_fixture_prepare(fixture, &fixture->agent, input, &submission);
    VG_ASSERT(reason == VG_OK);
    reason = vg_event_fixture_store(fixture, &submission, 1, true);
    VG_ASSERT(reason == VG_OK && submission.item.reason == VG_OK);
    return submission.part.id;
}

bool vg_event_fixture_read(
    struct vg_event_fixture *fixture,
    const struct vg_event_id *id,
    struct vg_event_record *out_record)
{
    struct vg_event_reading reading;
    bool found = false;
    enum vg_reason reason = vg_event_read(&fixture->source, id, &reading, &found, NULL);
    VG_ASSERT(reason == VG_OK);
    if (found) {
        char *copy = vg_arena_text(&fixture->arena, reading.record);
        VG_ASSERT(copy != NULL);
        reason = vg_event_record_unpack(
            id,
            vg_bytes(copy, reading.record.size),
            &fixture->arena,
            out_record,
            NULL);
        VG_ASSERT(reason == VG_OK);
    }
    vg_event_reading_release(&reading);
    return found;
}
