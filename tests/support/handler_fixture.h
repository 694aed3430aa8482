/*
 * Handlers without transport: calls are made by hand, and in the place of dispatch and the writer
 * thread stand two functions that do the same at once: vg_ingest_apply commits to the memory store
 * and vg_call_complete notes the end.
 *
 * Threads: one test's.
 */
#ifndef VG_TESTS_SUPPORT_HANDLER_FIXTURE_H
#define VG_TESTS_SUPPORT_HANDLER_FIXTURE_H

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/node/node.h"
#include "rpc/service/call.h"
#include "rpc/service/service.h"
#include "tests/support/directory_fixture.h"

struct vg_ingest {
    struct vg_handler_fixture *fixture;
};

struct vg_handler_fixture {
    struct vg_directory_fixture directory;
    struct vg_access *access;
    struct vg_random_seeded random;
    struct vg_clock_manual clock;
    struct vg_ingest ingest;
    struct vg_node node;
    struct vg_service service;
    struct vg_mailbox mailbox;
    struct vg_method method;
    struct vg_call call;
    bool has_call;
    int completed; /* reason given to vg_call_complete; VG_CALL_PENDING = not yet */
    struct vg_arena row;

    /* Set by tests. */
    void (*before_commit)(struct vg_handler_fixture *fixture); /* once: somebody is faster */
    unsigned commits_refused;    /* so many commits meet STORE_CONFLICT */
    enum vg_reason queue_reason; /* what vg_ingest_apply answers instead of taking the write */
    unsigned commits;            /* that were tried */
};

void vg_handler_fixture_open(struct vg_handler_fixture *fixture);
void vg_handler_fixture_close(struct vg_handler_fixture *fixture);

/*
 * A call of the key `credential`, as it is when dispatch has reached RUN, for a method that needs
 * `permission` (number of vigil.Permission) and whose list rows are of `element` (may be NULL).
 * Ends the call before.
 */
struct vg_call *vg_handler_fixture_begin(
    struct vg_handler_fixture *fixture,
    const char *credential,
    int permission,
    const struct vg_table *element);

/* After the handler returned `result`: let the writer answer, and tell how the call ended. */
enum vg_reason vg_handler_fixture_end(struct vg_handler_fixture *fixture, int result);

/* The next row of the reply, valid until the next; NULL at the end. */
const ProtobufCMessage *vg_handler_fixture_next(struct vg_handler_fixture *fixture);

/* Run handler vg_<method> for the key; how it ended. */
#define VG_HANDLER_RUN(fixture, credential, permission, element, method, rq, an)                   \
    ((void)vg_handler_fixture_begin(fixture, credential, permission, element),                     \
     (fixture)->call.request = &(rq)->base,                                                        \
     (fixture)->call.reply.answer = &(an)->base,                                                   \
     vg_handler_fixture_end(fixture, vg_##method(&(fixture)->call, rq, an)))

#endif
