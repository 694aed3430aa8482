/*
 * A world of submissions for the tests of their searches: a table in chunks of a few rows, the
 * records behind it, and what is known of each submission without either.
 *
 * Threads: a test's.
 */
#ifndef VG_TESTS_TRUTH_SUBMISSION_WORLD_H
#define VG_TESTS_TRUTH_SUBMISSION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/access/principal.h"
#include "core/base/arena.h"
#include "core/samples/submission_reader.h"
#include "tests/support/directory_fixture.h"
#include "tests/truth/truth_random.h"

/* A text and its folded form, by hand. */
struct submission_text {
    const char *text;
    const char *folded;
};

#define SUBMISSIONS_MAX      260u
#define SUBMISSION_META_MAX  4u
#define SUBMISSION_NOW       INT64_C(1790000000000)
#define SUBMISSION_DAY_MS    (24 * 60 * 60 * INT64_C(1000))
#define SUBMISSION_NAMES     9u
#define SUBMISSION_TYPES     4u
#define SUBMISSION_AGENTS    4u
#define SUBMISSION_VERSIONS  3u
#define SUBMISSION_KEYS      4u
#define SUBMISSION_VALUES    6u
#define SUBMISSION_SAMPLES   12u
#define SUBMISSION_CUSTOMERS 3u

extern const struct submission_text submission_names[SUBMISSION_NAMES];
extern const struct submission_text submission_types[SUBMISSION_TYPES];
extern const struct submission_text submission_agents[SUBMISSION_AGENTS];
extern const struct submission_text submission_versions[SUBMISSION_VERSIONS];
extern const struct submission_text submission_keys[SUBMISSION_KEYS];
extern const struct submission_text submission_values[SUBMISSION_VALUES];
extern const int64_t submission_customers[SUBMISSION_CUSTOMERS];

struct plain_submission {
    bool is_live;
    uint8_t sample[32];
    struct vg_uuid id;
    char sample_text[65];
    char id_text[37];
    const struct submission_text *name;
    const struct submission_text *type;
    const struct submission_text *agent;
    const struct submission_text *version;
    struct {
        const struct submission_text *key;
        const struct submission_text *value;
    } meta[SUBMISSION_META_MAX];
    size_t meta_count;
    vg_time submitted;
    vg_time observed;
    vg_time expiry; /* 0 = never */
    bool held;
    int64_t customer;
    int64_t acl[2];
    size_t acl_count;
    int tlp;
    uint32_t flags;
};

struct submission_world {
    char path[64];
    struct vg_directory_fixture directory;
    const struct vg_directory_snapshot *snapshot;
    struct vg_store *store;
    struct vg_table *table;
    struct plain_submission plain[SUBMISSIONS_MAX];
    struct truth_random random;
    uint64_t sequence;
    struct vg_arena arena;
};

/* A world of its own for each seed; every third has dictionaries too small for its texts. */
void submission_world_open(struct submission_world *world, uint64_t seed);
void submission_world_close(struct submission_world *world);

/* Add, change or delete some. */
void submission_world_change(struct submission_world *world, uint32_t count);

/* Close the tail and write everything to files. */
void submission_world_checkpoint(struct submission_world *world);

struct vg_submission_store submission_world_source(const struct submission_world *world);

/* May the caller see it? By the rules of access, straight from the definition. */
bool submission_world_shows(
    const struct plain_submission *plain,
    const struct vg_principal *principal);

#endif
