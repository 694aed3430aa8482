/*
 * The backends the store conformance suite runs on, and how each is made, reopened and thrown away.
 *
 * Threads: the test's.
 */
#ifndef VG_TESTS_CONFORMANCE_STORE_STORE_BACKENDS_H
#define VG_TESTS_CONFORMANCE_STORE_STORE_BACKENDS_H

#include "core/store/store.h"

#define VG_STORE_FIXTURE_SHARDS 3

struct vg_store_fixture {
    const char *name;
    bool outlives_process; /* what is closed can be opened again */
    struct vg_store *(*open)(struct vg_store_fixture *fixture);
    struct vg_store *store;
    char directory[64]; /* "" = none */
};

extern const struct vg_store_fixture vg_store_fixtures[];
extern const size_t vg_store_fixture_count;

/* Open a fresh store. */
void vg_store_fixture_setup(struct vg_store_fixture *fixture);

/* Close it as a process that ends, and open it as the next one would; or reopen it in place, where
 * nothing outlives the process. */
void vg_store_fixture_restart(struct vg_store_fixture *fixture);

/* Close it and delete what it left. */
void vg_store_fixture_teardown(struct vg_store_fixture *fixture);

#endif
