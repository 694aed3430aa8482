/*
 * What the tests of core/ingest share: a domain of plain counters, a table without columns that
 * checks the protocol, and a writer over a fault store.
 *
 * A record is struct counter_record; item `id` changes the record of key vg_key_event of that id.
 *
 * Threads: the test's; the table and the merges run on the writer and are read while it is idle.
 */
#ifndef VG_TESTS_UNIT_CORE_INGEST_INGEST_FIXTURE_H
#define VG_TESTS_UNIT_CORE_INGEST_INGEST_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/ingest/ingest.h"
#include "core/keyspace/keyspace.h"
#include "core/store/store_fault.h"

#define COUNTER_IDS_MAX 20000

enum counter_operation {
    COUNTER_ADD,
    COUNTER_NOTHING, /* merges to unchanged */
    COUNTER_DELETE,
    COUNTER_REFUSE, /* adds keys, then refuses itself */
    COUNTER_GROW,   /* the record gets `amount` bytes of ballast */
};

struct counter_record {
    int64_t sum;
    int64_t last_updated;
    uint64_t revision;
    uint32_t id;
    uint32_t changes;
};

struct counter_item {
    struct vg_ingest_item item;
    struct vg_key key;
    enum counter_operation operation;
    uint32_t id;
    int64_t amount;
    struct vg_value value;
    struct vg_row identity;
    bool seen_exists; /* what the merge was given */
    int64_t seen_sum;
};

/* A published row version. */
struct counter_row {
    uint64_t sequence;
    uint32_t id;
    bool removed;
    int64_t last_updated;
    int64_t sum;
};

struct counter_table {
    struct vg_ingest_table table;
    bool running;
    bool prepared;
    _Atomic bool behind;           /* the writer is to wait */
    enum vg_reason refuse_prepare; /* VG_OK = does not */
    uint64_t sequence;
    struct vg_store_view *view;
    bool live[COUNTER_IDS_MAX];
    uint32_t id_end;          /* ids from here on have never been seen */
    struct counter_row *rows; /* everything published, in order */
    size_t row_count;
    size_t row_capacity;
    size_t prepared_from; /* rows from here on are prepared and not published */
    unsigned publications;
};

struct ingest_fixture {
    struct vg_store *store; /* fault(memory) */
    struct vg_clock_manual clock;
    struct counter_table table;
    struct vg_ingest_options options;
    struct vg_ingest *ingest;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned answered;         /* under lock */
    unsigned recoveries;       /* under lock: successful ones */
    unsigned failures;         /* under lock: told by `failed` */
    unsigned recover_refusals; /* under lock: so many tries of `recover` fail first */
    bool hold;                 /* under lock: commits wait in the fault store's hook */
    unsigned held;             /* under lock: commits that have come to the hook */
};

/* A submission with its items, all of one test's. */
struct counter_submission {
    struct vg_ingest_submission submission;
    struct ingest_fixture *fixture;
    bool answered; /* under the fixture's lock */
    int64_t remembered;
};

void ingest_fixture_init(struct ingest_fixture *fixture);
void ingest_fixture_dispose(struct ingest_fixture *fixture);

/* Start the writer with fixture->options, the table loaded as the store has it. */
void ingest_fixture_start(struct ingest_fixture *fixture);

/* Drain the writer and forget the table. */
void ingest_fixture_stop(struct ingest_fixture *fixture);

void counter_item_init(
    struct counter_item *item,
    enum counter_operation operation,
    uint32_t id,
    int64_t amount);
void counter_submission_init(struct counter_submission *submission, struct ingest_fixture *fixture);

/* Submit, or fail the test; and wait for the answer. */
void ingest_fixture_submit(struct ingest_fixture *fixture, struct counter_submission *submission);
void ingest_fixture_wait(struct ingest_fixture *fixture, struct counter_submission *submission);

/* One item, submitted and answered; returns the submission's reason, or the item's. */
enum vg_reason ingest_fixture_change(
    struct ingest_fixture *fixture,
    enum counter_operation operation,
    uint32_t id,
    int64_t amount);

/* Let commits wait before they reach the store; wait until one does; let them go. */
void ingest_fixture_hold(struct ingest_fixture *fixture);
void ingest_fixture_wait_held(struct ingest_fixture *fixture);
void ingest_fixture_release(struct ingest_fixture *fixture);

/* Wait until `count` recoveries have succeeded and the writer takes submissions again. */
void ingest_fixture_wait_recovered(struct ingest_fixture *fixture, unsigned count);

/* Wait until `condition` holds, at most some seconds, then fail. Called under the lock. */
void ingest_fixture_wait_changed(struct ingest_fixture *fixture);

/* The record in the store; false when there is none. */
bool ingest_fixture_read(
    struct ingest_fixture *fixture,
    uint32_t id,
    struct counter_record *out_record);

/* How many keys begin with the byte of `family`. */
size_t ingest_fixture_count(struct ingest_fixture *fixture, enum vg_key_family family);

/* The table's newest row of each live record is what the store has; the change log names every
 * change; `state` stands at the table's sequence. The writer must be idle. */
void ingest_fixture_check(struct ingest_fixture *fixture);

#endif
