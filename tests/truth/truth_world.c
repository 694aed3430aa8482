#include "tests/truth/truth_world.h"

#include <dirent.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/events/event_access.h"
#include "core/wire/validate.h"
#include "core/wire/wire_decode.h"
#include "proto/contract_handlers.h"
#include "proto/contract_json.h"
#include "rpc/service/call.h"
#include "tests/support/directory_fixture.h"
#include "tests/truth/truth_make.h"

#include "vigil/events/v1/assessment.pb-c.h"
#include "vigil/events/v1/event.pb-c.h"
#include "vigil/events/v2/event.pb-c.h"
#include "vigil/events/v2/search.pb-c.h"
#include "vigil/record/v1/directory.pb-c.h"

#define ARENA_BYTES (64u << 20)

const struct truth_caller truth_callers[TRUTH_CALLERS] = {
    { "agent", 10, { 1, 3 }, 2, false, true },
    { "analyst", 11, { 1 }, 1, false, false },
    { "admin", 1, { 0 }, 0, true, true },
    { "nobody", 11, { 0 }, 0, false, false },
};

/* ---------------------------------------------------------------------------------- in the place
 * of dispatch: deferred work is done at once, and whoever waits for a call is woken */

struct waiting {
    struct vg_call call;
    struct vg_method method;
    sem_t completed;
    enum vg_reason reason;
};

enum vg_reason vg_call_check(struct vg_call *call)
{
    (void)call;
    return VG_OK;
}

int vg_call_defer(struct vg_call *call, int (*run)(struct vg_call *call))
{
    return run(call);
}

void vg_call_complete(struct vg_call *call, enum vg_reason reason)
{
    struct waiting *waiting = VG_CONTAINER_OF(call, struct waiting, call);
    waiting->reason = reason;
    VG_ASSERT(sem_post(&waiting->completed) == 0);
}

/* A call of principal `caller`, as it is when dispatch has reached RUN. */
static void begin_call(
    struct truth_world *world,
    struct waiting *waiting,
    struct vg_principal *principal,
    size_t caller,
    int64_t now)
{
    static const struct vg_face face = { .name = "truth" };
    const struct truth_caller *who = &truth_callers[caller];
    uint64_t functions = who->reads_cases ? UINT64_MAX : VG_FUNCTION_EVENT_LOOKUP;
    *principal = (struct vg_principal){
        .references = 1,
        .user_id = who->user,
        .user_name = who->name,
        .customer_id = 1,
        .functions = functions,
        .all_customers = who->all_customers,
        .customers = who->customers,
        .customer_count = who->customer_count,
    };
    memset(waiting, 0, sizeof(*waiting));
    VG_ASSERT(sem_init(&waiting->completed, 0, 0) == 0);
    struct vg_call *call = &waiting->call;
    vg_arena_init(&call->arena, ARENA_BYTES);
    vg_error_init(&call->error, &call->arena);
    call->face = &face;
    call->method = &waiting->method;
    call->service = &world->service;
    call->principal = principal;
    call->now = now;
}

/* Wait for the end of a call whose handler has returned `result`. */
static enum vg_reason await_call(struct waiting *waiting, int result)
{
    if (result != VG_CALL_PENDING) {
        return (enum vg_reason)result;
    }
    while (sem_wait(&waiting->completed) != 0) {
    }
    return waiting->reason;
}

static void end_call(struct waiting *waiting)
{
    struct vg_rows *rows = waiting->call.reply.rows;
    if (rows != NULL) {
        rows->class->close(rows);
    }
    (void)sem_destroy(&waiting->completed);
    vg_arena_dispose(&waiting->call.arena);
}

/* READ and VALIDATE, as for a request that comes by gRPC. */
static enum vg_reason read_request(
    struct vg_call *call,
    const struct vg_table *table,
    const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = vg_arena_alloc(&call->arena, size + 1);
    VG_ASSERT(bytes != NULL && protobuf_c_message_pack(message, bytes) == size);
    enum vg_reason reason = vg_wire_decode(
        table,
        vg_bytes(bytes, size),
        &vg_wire_policy_request,
        &call->arena,
        &call->request,
        &call->error);
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_validation validation = { .now = call->now, .arena = &call->arena };
    return vg_validate(table, call->request, &validation, &call->error);
}

/* ---------------------------------------------------------------------------------- the directory
 */

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
    struct vg_directory_fixture *fixture,
    enum vg_directory_kind kind,
    const ProtobufCMessage *record)
{
    enum vg_reason reason = vg_directory_fixture_add(fixture, kind, record);
    VG_ASSERT(reason == VG_OK);
}

static void add_customers(struct vg_directory_fixture *fixture)
{
    for (size_t i = 0; i < truth_customer_count; i++) {
        const struct truth_customer *from = &truth_customers[i];
        Vigil__Record__V1__Customer record = VIGIL__RECORD__V1__CUSTOMER__INIT;
        TRUTH_SET(&record, id, from->id);
        record.short_name = lend(from->name);
        record.name = lend(from->name);
        if (from->parent != 0) {
            TRUTH_SET(&record, parent_id, from->parent);
        }
        TRUTH_SET(&record, domain_id, VG_DIRECTORY_DOMAIN_ID);
        record.domain_name = lend(VG_DIRECTORY_DOMAIN_NAME);
        TRUTH_SET(&record, in_production, from->production);
        must_add(fixture, VG_DIRECTORY_CUSTOMER, &record.base);
    }
}

static void add_locations(struct vg_directory_fixture *fixture)
{
    static const struct {
        int64_t id;
        const char *name;
        int64_t customer;
    } locations[] = { { 21, "oslo", 1 }, { 22, "everywhere", 0 }, { 23, "elsewhere", 2 } };
    for (size_t i = 0; i < VG_ARRAY_COUNT(locations); i++) {
        Vigil__Record__V1__Location record = VIGIL__RECORD__V1__LOCATION__INIT;
        TRUTH_SET(&record, id, locations[i].id);
        record.short_name = lend(locations[i].name);
        record.name = lend(locations[i].name);
        if (locations[i].customer != 0) {
            TRUTH_SET(&record, customer_id, locations[i].customer);
        }
        must_add(fixture, VG_DIRECTORY_LOCATION, &record.base);
    }
}

static void add_cases(struct vg_directory_fixture *fixture)
{
    for (size_t i = 0; i < truth_case_count; i++) {
        int64_t reader = truth_cases[i].reader;
        Vigil__Record__V1__Case record = VIGIL__RECORD__V1__CASE__INIT;
        TRUTH_SET(&record, id, truth_cases[i].id);
        TRUTH_SET(&record, customer_id, truth_cases[i].customer);
        record.subject = lend("case");
        if (truth_cases[i].merged != 0) {
            TRUTH_SET(&record, merged_into_id, truth_cases[i].merged);
        }
        record.n_reader_ids = reader != 0 ? 1 : 0;
        record.reader_ids = &reader;
        must_add(fixture, VG_DIRECTORY_CASE, &record.base);
    }
}

static void add_signatures(struct vg_directory_fixture *fixture)
{
    for (size_t i = 0; i < truth_signature_count; i++) {
        const struct truth_signature *from = &truth_signatures[i];
        if (from->alarm == 0) {
            continue;
        }
        Vigil__Record__V1__Signature record = VIGIL__RECORD__V1__SIGNATURE__INIT;
        record.name = lend(from->name);
        TRUTH_SET(&record, alarm_id, from->alarm);
        record.alarm_short_name = lend(from->alarm_name);
        record.alarm_description = lend(from->alarm_name);
        TRUTH_SET(&record, category_id, from->category);
        record.category_short_name = lend(from->category_name);
        record.category_name = lend(from->category_name);
        must_add(fixture, VG_DIRECTORY_SIGNATURE, &record.base);
    }
}

static void fill_directory(struct vg_node *node)
{
    struct vg_directory_fixture fixture = { .store = node->store, .directory = node->directory };
    add_customers(&fixture);
    vg_directory_fixture_user(&fixture, 1, "admin", 1);
    vg_directory_fixture_user(&fixture, 10, "agent", 1);
    vg_directory_fixture_user(&fixture, 11, "analyst", 1);
    add_locations(&fixture);
    add_cases(&fixture);
    add_signatures(&fixture);
}

/* --------------------------------------------------------------------------------- the node */

static void open_node(struct truth_world *world, bool is_new)
{
    enum vg_reason reason = vg_node_open(
        &world->node,
        &world->settings,
        &world->clock.clock,
        &world->random.random,
        NULL);
    VG_ASSERT(reason == VG_OK);
    if (is_new) {
        fill_directory(&world->node);
    }
    struct vg_error error;
    vg_error_init(&error, NULL);
    reason = vg_node_start(&world->node, &error);
    VG_ASSERT(reason == VG_OK);
}

static void close_node(struct truth_world *world)
{
    vg_node_stop(&world->node);
    vg_node_close(&world->node);
}

void truth_world_open(struct truth_world *world, uint32_t chunk_rows, uint64_t seed)
{
    *world = (struct truth_world){ 0 };
    struct vg_log_options log = vg_log_options_default();
    log.level = VG_LOG_WARN;
    vg_log_configure(&log);
    /* Nothing here outlives the test, so nothing needs a disk. */
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(world->folder, sizeof(world->folder), "%s/vigil-truth-XXXXXX", base);
    VG_ASSERT(mkdtemp(world->folder) != NULL);
    vg_settings_init(&world->settings);
    (void)snprintf(world->settings.data, sizeof(world->settings.data), "%s", world->folder);
    world->settings.table_chunk_rows = chunk_rows;
    world->settings.write_buffer_bytes = 4u << 20;
    vg_clock_manual_init(&world->clock, TRUTH_WORLD_NOW);
    vg_random_seeded_init(&world->random, seed);
    world->service.clock = &world->clock.clock;
    world->service.settings = &world->settings;
    world->service.node = &world->node;
    open_node(world, true);
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        char inner[512];
        (void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR) {
            remove_folder(inner);
        } else {
            (void)unlink(inner);
        }
    }
    (void)closedir(folder);
    (void)rmdir(path);
}

void truth_world_close(struct truth_world *world)
{
    close_node(world);
    vg_random_seeded_dispose(&world->random);
    remove_folder(world->folder);
}

void truth_world_restart(struct truth_world *world, bool rebuild)
{
    close_node(world);
    if (rebuild) {
        char table[128];
        (void)snprintf(table, sizeof(table), "%s/table", world->folder);
        remove_folder(table);
    }
    open_node(world, false);
    world->restarts++;
}

/* --------------------------------------------------------------------------------- submissions */

static void set_side(
    struct vg_arena *arena,
    const struct truth_side *from,
    Vigil__Events__V2__SubmitEndpoint **out_endpoint)
{
    if (from->network == NULL && from->port < 0 && from->country == NULL) {
        return;
    }
    Vigil__Events__V2__SubmitEndpoint *to = vg_arena_alloc(arena, sizeof(*to));
    vigil__events__v2__submit_endpoint__init(to);
    to->ip = lend(from->network);
    if (from->port >= 0) {
        TRUTH_SET(to, port, from->port);
    }
    if (from->country != NULL) {
        to->geo_location = vg_arena_alloc(arena, sizeof(*to->geo_location));
        vigil__events__v2__submit_geo_location__init(to->geo_location);
        to->geo_location->country_code = lend(from->country);
    }
    *out_endpoint = to;
}

static void set_lists(
    struct vg_arena *arena,
    const struct truth_submission *from,
    Vigil__Events__V2__SubmitRequest *to)
{
    for (size_t i = 0; i < from->flag_count; i++) {
        TRUTH_ADD(arena, to, flags, (Vigil__Events__V2__SubmitFlag)from->flags[i]);
    }
    for (size_t i = 0; i < from->property_count; i++) {
        const struct truth_property *property = &from->properties[i];
        Vigil__Events__V2__TextEntry *entry = vg_arena_alloc(arena, sizeof(*entry));
        vigil__events__v2__text_entry__init(entry);
        entry->key = truth_make_text(arena, property->key);
        for (size_t v = 0; v < property->value_count; v++) {
            TRUTH_ADD(arena, entry, values, lend(property->values[v]));
        }
        TRUTH_ADD(arena, to, properties, entry);
    }
    for (size_t i = 0; i < from->case_count; i++) {
        TRUTH_ADD(arena, to, associated_case_ids, from->cases[i]);
    }
}

Vigil__Events__V2__SubmitRequest *truth_world_message(
    struct vg_arena *arena,
    const struct truth_submission *from)
{
    Vigil__Events__V2__SubmitRequest *to = vg_arena_alloc(arena, sizeof(*to));
    VG_ASSERT(to != NULL);
    vigil__events__v2__submit_request__init(to);
    to->id = vg_arena_alloc(arena, sizeof(*to->id));
    vigil__events__v2__submit_id__init(to->id);
    to->id->text = truth_make_text(arena, from->id);
    to->start_timestamp = from->start == 0 ? NULL : truth_make_number(arena, from->start);
    to->end_timestamp = from->end == 0 ? NULL : truth_make_number(arena, from->end);
    to->signature = from->signature == NULL ? NULL : lend(from->signature->name);
    if (from->severity != 0) {
        TRUTH_SET(to, severity, (Vigil__Events__V2__Severity)from->severity);
    }
    if (from->count != 0) {
        TRUTH_SET(to, count, from->count);
    }
    to->location = from->location == 0 ? NULL : truth_make_number(arena, from->location);
    to->protocol = lend(from->protocol);
    to->fqdn = lend(from->domain);
    set_side(arena, &from->side[0], &to->source);
    set_side(arena, &from->side[1], &to->destination);
    if (from->finalized) {
        TRUTH_SET(to, finalized, true);
    }
    set_lists(arena, from, to);
    return to;
}

void truth_world_submit(
    struct truth_world *world,
    const struct truth_submission *submissions,
    size_t count)
{
    vg_clock_manual_set(&world->clock, submissions[0].now);
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, TRUTH_CALLER_ADMIN, submissions[0].now);
    struct vg_arena *arena = &waiting.call.arena;
    Vigil__Events__V2__SubmitRequestList list = VIGIL__EVENTS__V2__SUBMIT_REQUEST_LIST__INIT;
    for (size_t i = 0; i < count; i++) {
        TRUTH_ADD(arena, &list, items, truth_world_message(arena, &submissions[i]));
    }
    Vigil__Events__V2__BulkSubmitRequest request = VIGIL__EVENTS__V2__BULK_SUBMIT_REQUEST__INIT;
    Vigil__Events__V2__BulkSubmitStatus answer = VIGIL__EVENTS__V2__BULK_SUBMIT_STATUS__INIT;
    request.events = &list;
    waiting.call.reply.answer = &answer.base;
    enum vg_reason reason =
        read_request(&waiting.call, &vg_table_vigil_events_v2_bulk_submit_request, &request.base);
    if (reason == VG_OK) {
        int result = vg_events_v2_submit_events(
            &waiting.call,
            (const Vigil__Events__V2__BulkSubmitRequest *)waiting.call.request,
            &answer);
        reason = await_call(&waiting, result);
    }
    if (reason != VG_OK) {
        (void)fprintf(stderr, "a submission is refused: %s\n", waiting.call.error.message);
    }
    VG_ASSERT(reason == VG_OK && answer.accepted == (int32_t)count);
    end_call(&waiting);
}

static void fill_update(
    struct vg_arena *arena,
    const struct truth_submission *from,
    Vigil__Events__V1__EventUpdate *to)
{
    for (size_t i = 0; i < from->flag_count; i++) {
        TRUTH_ADD(arena, to, flags_to_enable, (Vigil__Events__V1__EventFlag)from->flags[i]);
    }
    for (size_t i = 0; i < from->disabled_count; i++) {
        TRUTH_ADD(arena, to, flags_to_disable, (Vigil__Events__V1__EventFlag)from->disabled[i]);
    }
    if (from->severity != 0) {
        TRUTH_SET(to, new_severity, (Vigil__Events__V1__Severity)from->severity);
    }
    if (from->comments) {
        to->comment = lend("looked at");
    }
    if (from->handles) {
        TRUTH_SET(to, handled_by_analyst, true);
    }
    if (from->dissociates_all) {
        TRUTH_SET(to, associate_to_case, 0);
    }
    for (size_t i = 0; i < from->case_count; i++) {
        TRUTH_ADD(arena, to, associate_cases, from->cases[i]);
    }
    if (from->dissociated != 0) {
        TRUTH_ADD(arena, to, unassociate_cases, from->dissociated);
    }
}

void truth_world_assess(struct truth_world *world, const struct truth_submission *assessment)
{
    vg_clock_manual_set(&world->clock, assessment->now);
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, TRUTH_CALLER_ADMIN, assessment->now);
    Vigil__Events__V1__EventUpdate update = VIGIL__EVENTS__V1__EVENT_UPDATE__INIT;
    Vigil__Events__V1__UpdateAggregatedRequest request =
        VIGIL__EVENTS__V1__UPDATE_AGGREGATED_REQUEST__INIT;
    Vigil__Events__V1__EventList answer = VIGIL__EVENTS__V1__EVENT_LIST__INIT;
    fill_update(&waiting.call.arena, assessment, &update);
    TRUTH_ADD(&waiting.call.arena, &request, event_identifiers, lend(assessment->id));
    request.update = &update;
    waiting.method.element = &vg_table_vigil_events_v1_event;
    waiting.call.reply.answer = &answer.base;
    enum vg_reason reason = read_request(
        &waiting.call,
        &vg_table_vigil_events_v1_update_aggregated_request,
        &request.base);
    if (reason == VG_OK) {
        int result = vg_events_v1_update_aggregated(
            &waiting.call,
            (const Vigil__Events__V1__UpdateAggregatedRequest *)waiting.call.request,
            &answer);
        reason = await_call(&waiting, result);
    }
    if (reason != VG_OK) {
        (void)fprintf(stderr, "an assessment is refused: %s\n", waiting.call.error.message);
    }
    VG_ASSERT(reason == VG_OK);
    end_call(&waiting);
}

/* ------------------------------------------------------------------------------------- searches */

void truth_answer_dispose(struct truth_answer *answer)
{
    free(answer->rows);
    *answer = (struct truth_answer){ 0 };
}

/* The identity and the count of a row's message. */
typedef void read_row(const ProtobufCMessage *message, const char **out_id, int64_t *out_count);

static void add_row(struct truth_answer *answer, const char *id, int64_t count)
{
    if (answer->row_count == answer->row_max) {
        answer->row_max = answer->row_max == 0 ? 64 : 2 * answer->row_max;
        answer->rows = realloc(answer->rows, answer->row_max * sizeof(*answer->rows));
        VG_ASSERT(answer->rows != NULL);
    }
    struct truth_row *row = &answer->rows[answer->row_count++];
    (void)snprintf(row->id, sizeof(row->id), "%s", id);
    row->count = count;
}

static void take_answer(struct waiting *waiting, read_row *read, struct truth_answer *answer)
{
    struct vg_call *call = &waiting->call;
    answer->row_count = 0;
    (void)snprintf(answer->message, sizeof(answer->message), "%s", call->error.message);
    if (answer->found != NULL) {
        answer->found(answer->owner);
    }
    if (answer->reason != VG_OK) {
        return;
    }
    answer->limit = call->reply.limit;
    answer->offset = call->reply.offset;
    answer->count = call->reply.count;
    struct vg_arena arena;
    vg_arena_init(&arena, ARENA_BYTES);
    for (;;) {
        struct vg_rows *rows = call->reply.rows;
        struct vg_reply_row row = { .message = NULL };
        bool end = false;
        vg_arena_reset(&arena);
        enum vg_reason reason = rows->class->next(rows, &arena, false, &row, &end, &call->error);
        VG_ASSERT(reason == VG_OK);
        if (end) {
            break;
        }
        const char *id = NULL;
        int64_t count = 0;
        read(row.message, &id, &count);
        add_row(answer, id, count);
    }
    vg_arena_dispose(&arena);
}

static void read_v1(const ProtobufCMessage *message, const char **out_id, int64_t *out_count)
{
    const Vigil__Events__V1__AggregatedEvent *event =
        (const Vigil__Events__V1__AggregatedEvent *)message;
    *out_id = event->id;
    *out_count = event->count;
}

void truth_world_search_v1(
    struct truth_world *world,
    const Vigil__Events__V1__SearchCriteria *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, caller, now);
    Vigil__Events__V1__AggregatedEventList list = VIGIL__EVENTS__V1__AGGREGATED_EVENT_LIST__INIT;
    waiting.call.reply.answer = &list.base;
    answer->reason =
        read_request(&waiting.call, &vg_table_vigil_events_v1_search_criteria, &request->base);
    if (answer->reason == VG_OK) {
        answer->reason = await_call(
            &waiting,
            vg_events_v1_search_aggregated(
                &waiting.call,
                (const Vigil__Events__V1__SearchCriteria *)waiting.call.request,
                &list));
    }
    take_answer(&waiting, read_v1, answer);
    end_call(&waiting);
}

static void read_raw(const ProtobufCMessage *message, const char **out_id, int64_t *out_count)
{
    const Vigil__Events__V1__RawEvent *event = (const Vigil__Events__V1__RawEvent *)message;
    *out_id = event->id;
    *out_count = event->count;
}

void truth_world_search_nids(
    struct truth_world *world,
    const Vigil__Events__V1__NidsSearchCriteria *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, caller, now);
    Vigil__Events__V1__RawEventList list = VIGIL__EVENTS__V1__RAW_EVENT_LIST__INIT;
    waiting.call.reply.answer = &list.base;
    answer->reason =
        read_request(&waiting.call, &vg_table_vigil_events_v1_nids_search_criteria, &request->base);
    if (answer->reason == VG_OK) {
        answer->reason = await_call(
            &waiting,
            vg_events_v1_search_nids(
                &waiting.call,
                (const Vigil__Events__V1__NidsSearchCriteria *)waiting.call.request,
                &list));
    }
    take_answer(&waiting, read_raw, answer);
    end_call(&waiting);
}

static void read_v2(const ProtobufCMessage *message, const char **out_id, int64_t *out_count)
{
    const Vigil__Events__V2__Event *event = (const Vigil__Events__V2__Event *)message;
    *out_id = event->id;
    *out_count = event->count;
}

void truth_world_search_v2(
    struct truth_world *world,
    const Vigil__Events__V2__SearchRequest *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, caller, now);
    waiting.method.element = &vg_table_vigil_events_v2_event;
    Vigil__Events__V2__EventList list = VIGIL__EVENTS__V2__EVENT_LIST__INIT;
    waiting.call.reply.answer = &list.base;
    answer->reason =
        read_request(&waiting.call, &vg_table_vigil_events_v2_search_request, &request->base);
    if (answer->reason == VG_OK) {
        answer->reason = await_call(
            &waiting,
            vg_events_v2_search_events(
                &waiting.call,
                (const Vigil__Events__V2__SearchRequest *)waiting.call.request,
                &list));
    }
    take_answer(&waiting, read_v2, answer);
    end_call(&waiting);
}

static void read_either(const ProtobufCMessage *message, const char **out_id, int64_t *out_count)
{
    const Vigil__Events__V1__Event *event = (const Vigil__Events__V1__Event *)message;
    if (event->aggregated != NULL) {
        read_v1(&event->aggregated->base, out_id, out_count);
    } else {
        read_raw(&event->raw->base, out_id, out_count);
    }
}

void truth_world_case_v1(
    struct truth_world *world,
    const Vigil__Events__V1__ListEventsByCaseRequest *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, caller, now);
    Vigil__Events__V1__EventList list = VIGIL__EVENTS__V1__EVENT_LIST__INIT;
    waiting.method.element = &vg_table_vigil_events_v1_event;
    waiting.call.reply.answer = &list.base;
    answer->reason = read_request(
        &waiting.call,
        &vg_table_vigil_events_v1_list_events_by_case_request,
        &request->base);
    if (answer->reason == VG_OK) {
        answer->reason = await_call(
            &waiting,
            vg_events_v1_list_events_by_case(
                &waiting.call,
                (const Vigil__Events__V1__ListEventsByCaseRequest *)waiting.call.request,
                &list));
    }
    take_answer(&waiting, read_either, answer);
    end_call(&waiting);
}

void truth_world_case_v2(
    struct truth_world *world,
    const Vigil__Events__V2__ListEventsByCaseRequest *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    begin_call(world, &waiting, &principal, caller, now);
    Vigil__Events__V2__EventList list = VIGIL__EVENTS__V2__EVENT_LIST__INIT;
    waiting.method.element = &vg_table_vigil_events_v2_event;
    waiting.call.reply.answer = &list.base;
    answer->reason = read_request(
        &waiting.call,
        &vg_table_vigil_events_v2_list_events_by_case_request,
        &request->base);
    if (answer->reason == VG_OK) {
        answer->reason = await_call(
            &waiting,
            vg_events_v2_list_events_by_case(
                &waiting.call,
                (const Vigil__Events__V2__ListEventsByCaseRequest *)waiting.call.request,
                &list));
    }
    take_answer(&waiting, read_v2, answer);
    end_call(&waiting);
}

/* One of the simple lists: `ask` calls its handler. */
static void ask_list(
    struct waiting *waiting,
    const struct vg_table *table,
    const ProtobufCMessage *request,
    int (*ask)(struct vg_call *call, ProtobufCMessage *answer),
    struct truth_answer *answer)
{
    answer->reason = read_request(&waiting->call, table, request);
    if (answer->reason == VG_OK) {
        answer->reason = await_call(waiting, ask(&waiting->call, waiting->call.reply.answer));
    }
}

static int ask_v1(struct vg_call *call, ProtobufCMessage *answer)
{
    return vg_events_v1_list_aggregated(
        call,
        (const Vigil__Events__V1__ListAggregatedRequest *)call->request,
        (Vigil__Events__V1__AggregatedEventList *)answer);
}

static int ask_nids(struct vg_call *call, ProtobufCMessage *answer)
{
    return vg_events_v1_list_nids(
        call,
        (const Vigil__Events__V1__ListNidsRequest *)call->request,
        (Vigil__Events__V1__RawEventList *)answer);
}

static int ask_v2(struct vg_call *call, ProtobufCMessage *answer)
{
    return vg_events_v2_list_events(
        call,
        (const Vigil__Events__V2__ListEventsRequest *)call->request,
        (Vigil__Events__V2__EventList *)answer);
}

void truth_world_list_v1(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    Vigil__Events__V1__AggregatedEventList list = VIGIL__EVENTS__V1__AGGREGATED_EVENT_LIST__INIT;
    begin_call(world, &waiting, &principal, caller, now);
    waiting.call.reply.answer = &list.base;
    ask_list(&waiting, &vg_table_vigil_events_v1_list_aggregated_request, request, ask_v1, answer);
    take_answer(&waiting, read_v1, answer);
    end_call(&waiting);
}

void truth_world_list_nids(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    Vigil__Events__V1__RawEventList list = VIGIL__EVENTS__V1__RAW_EVENT_LIST__INIT;
    begin_call(world, &waiting, &principal, caller, now);
    waiting.call.reply.answer = &list.base;
    ask_list(&waiting, &vg_table_vigil_events_v1_list_nids_request, request, ask_nids, answer);
    take_answer(&waiting, read_raw, answer);
    end_call(&waiting);
}

void truth_world_list_v2(
    struct truth_world *world,
    const ProtobufCMessage *request,
    size_t caller,
    int64_t now,
    struct truth_answer *answer)
{
    struct waiting waiting;
    struct vg_principal principal;
    Vigil__Events__V2__EventList list = VIGIL__EVENTS__V2__EVENT_LIST__INIT;
    begin_call(world, &waiting, &principal, caller, now);
    waiting.method.element = &vg_table_vigil_events_v2_event;
    waiting.call.reply.answer = &list.base;
    ask_list(&waiting, &vg_table_vigil_events_v2_list_events_request, request, ask_v2, answer);
    take_answer(&waiting, read_v2, answer);
    end_call(&waiting);
}
