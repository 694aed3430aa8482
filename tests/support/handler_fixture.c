#include "tests/support/handler_fixture.h"

#include <string.h>

#include "core/access/access.h"
#include "core/access/principal.h"
#include "core/base/assert.h"
#include "core/ingest/ingest.h"

void vg_handler_fixture_open(struct vg_handler_fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    vg_directory_fixture_open(&fixture->directory);
    enum vg_reason reason = vg_access_create(fixture->directory.directory, &fixture->access, NULL);
    VG_ASSERT(reason == VG_OK);
    vg_random_seeded_init(&fixture->random, 3);
    vg_clock_manual_init(&fixture->clock, VG_DIRECTORY_FIXTURE_TIME);
    vg_mailbox_init(&fixture->mailbox, NULL);
    vg_arena_init(&fixture->row, 1u << 20);
    fixture->ingest.fixture = fixture;
    fixture->node.clock = &fixture->clock.clock;
    fixture->node.random = &fixture->random.random;
    fixture->node.store = fixture->directory.store;
    fixture->node.directory = fixture->directory.directory;
    fixture->node.access = fixture->access;
    fixture->node.ingest = &fixture->ingest;
    fixture->service.clock = &fixture->clock.clock;
    fixture->service.access = fixture->access;
    fixture->service.node = &fixture->node;
}

static void end_call(struct vg_handler_fixture *fixture)
{
    if (!fixture->has_call) {
        return;
    }
    struct vg_call *call = &fixture->call;
    if (call->reply.rows != NULL) {
        call->reply.rows->class->close(call->reply.rows);
    }
    vg_principal_unref(call->principal);
    vg_arena_dispose(&call->arena);
    fixture->has_call = false;
}

void vg_handler_fixture_close(struct vg_handler_fixture *fixture)
{
    end_call(fixture);
    vg_arena_dispose(&fixture->row);
    vg_mailbox_dispose(&fixture->mailbox);
    vg_random_seeded_dispose(&fixture->random);
    vg_access_destroy(fixture->access);
    vg_directory_fixture_close(&fixture->directory);
}

struct vg_call *vg_handler_fixture_begin(
    struct vg_handler_fixture *fixture,
    const char *credential,
    int permission,
    const struct vg_table *element)
{
    end_call(fixture);
    struct vg_call *call = &fixture->call;
    memset(call, 0, sizeof(*call));
    fixture->has_call = true;
    fixture->completed = VG_CALL_PENDING;
    vg_arena_init(&call->arena, 16u << 20);
    vg_error_init(&call->error, &call->arena);
    call->service = &fixture->service;
    call->home = &fixture->mailbox;
    call->now = vg_clock_now(fixture->service.clock);
    fixture->method =
        (struct vg_method){ .permissions = UINT64_C(1) << permission, .element = element };
    call->method = &fixture->method;
    bool parsed = vg_network_parse(vg_bytes_text("192.0.2.1"), &call->peer);
    VG_ASSERT(parsed);
    enum vg_reason reason = vg_access_authenticate(
        fixture->access,
        vg_bytes_text(credential),
        NULL,
        &call->peer,
        call->now,
        &call->principal,
        &call->error);
    VG_ASSERT(reason == VG_OK);
    return call;
}

enum vg_reason vg_handler_fixture_end(struct vg_handler_fixture *fixture, int result)
{
    if (result != VG_CALL_PENDING) {
        VG_ASSERT(fixture->completed == VG_CALL_PENDING); /* a call ends once */
        fixture->completed = result;
    }
    (void)vg_mailbox_run(&fixture->mailbox);
    VG_ASSERT(fixture->completed != VG_CALL_PENDING);
    VG_ASSERT(fixture->completed == (int)fixture->call.error.reason); /* words for every failure */
    return (enum vg_reason)fixture->completed;
}

const ProtobufCMessage *vg_handler_fixture_next(struct vg_handler_fixture *fixture)
{
    struct vg_rows *rows = fixture->call.reply.rows;
    struct vg_reply_row row = { .message = NULL };
    bool end = false;
    vg_arena_reset(&fixture->row);
    enum vg_reason reason =
        rows->class->next(rows, &fixture->row, false, &row, &end, &fixture->call.error);
    VG_ASSERT(reason == VG_OK);
    return end ? NULL : row.message;
}

/* In the place of core/ingest. */
enum vg_reason vg_ingest_apply(
    struct vg_ingest *ingest,
    struct vg_ingest_write *write,
    struct vg_error *error)
{
    struct vg_handler_fixture *fixture = ingest->fixture;
    if (fixture->queue_reason != VG_OK) {
        return vg_error_set(error, fixture->queue_reason, NULL);
    }
    if (fixture->before_commit != NULL) {
        void (*before_commit)(struct vg_handler_fixture *) = fixture->before_commit;
        fixture->before_commit = NULL;
        before_commit(fixture);
    }
    fixture->commits++;
    write->reason = VG_STORE_CONFLICT;
    if (fixture->commits_refused > 0) {
        fixture->commits_refused--;
    } else {
        write->reason = vg_store_apply(fixture->directory.store, 0, write->batch, NULL);
    }
    if (write->reason == VG_OK && write->committed != NULL) {
        write->committed(write);
    }
    vg_mailbox_post(write->mailbox, &write->done);
    return VG_OK;
}

/* In the place of rpc/service. */
void vg_call_complete(struct vg_call *call, enum vg_reason reason)
{
    struct vg_handler_fixture *fixture =
        VG_CONTAINER_OF(call->service, struct vg_handler_fixture, service);
    VG_ASSERT(fixture->completed == VG_CALL_PENDING);
    fixture->completed = (int)reason;
}
