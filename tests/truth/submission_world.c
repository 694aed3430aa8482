#include "tests/truth/submission_world.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/events/event_table.h"
#include "core/ingest/ingest_domain.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_table.h"
#include "core/store/store_memory.h"
#include "core/table/table.h"

const struct submission_text submission_names[SUBMISSION_NAMES] = {
    { "evil.exe", "evil.exe" },
    { "Evil.DOC", "evil.doc" },
    { "not-evil.pdf", "not-evil.pdf" },
    { "\u00C4rger Stra\u00DFe.txt", "\u00E4rger stra\u00DFe.txt" },
    { "\u03A3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C2.bin",
      "\u03C3\u03AF\u03C3\u03C5\u03C6\u03BF\u03C3.bin" },
    { "\u212Aelvin-\u023A", "kelvin-\u2C65" },
    { "../../etc/passwd", "../../etc/passwd" },
    { "a", "a" },
    { "Amber clear", "amber clear" },
};
const struct submission_text submission_types[SUBMISSION_TYPES] = {
    { "application/octet-stream", "application/octet-stream" },
    { "application/PDF", "application/pdf" },
    { "text/plain", "text/plain" },
    { "image/x-evil", "image/x-evil" },
};
const struct submission_text submission_agents[SUBMISSION_AGENTS] = {
    { "Apex", "apex" },
    { "user agent", "user agent" },
    { "apex", "apex" },
    { "Mail*Gate", "mail*gate" },
};
const struct submission_text submission_versions[SUBMISSION_VERSIONS] = {
    { "1.0", "1.0" },
    { "2.0-RC", "2.0-rc" },
    { "evil", "evil" },
};
const struct submission_text submission_keys[SUBMISSION_KEYS] = {
    { "host", "host" },
    { "Host.Name", "host.name" },
    { "hosts", "hosts" },
    { "a.b", "a.b" },
};
const struct submission_text submission_values[SUBMISSION_VALUES] = {
    { "web-01", "web-01" }, { "WEB-02", "web-02" }, { "evil apex", "evil apex" }, { "", "" },
    { "\u00C4", "\u00E4" }, { "host", "host" },
};
const int64_t submission_customers[SUBMISSION_CUSTOMERS] = { 10, 11, 20 };

/* --------------------------------------------------------------------------------------- table */

static enum vg_reason replay_nothing(
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

static enum vg_reason scan_nothing(
    void *owner,
    struct vg_table_rebuild *rebuild,
    struct vg_error *error)
{
    (void)owner;
    (void)rebuild;
    (void)error;
    return VG_OK;
}

static const struct vg_table_source nothing = { .replay = replay_nothing, .scan = scan_nothing };

void submission_world_open(struct submission_world *world, uint64_t seed)
{
    static const struct vg_table_schema *schemas[VG_INGEST_KIND_COUNT];
    schemas[VG_INGEST_KIND_EVENT] = &vg_event_table_schema;
    schemas[VG_INGEST_KIND_SUBMISSION] = &vg_submission_table_schema;
    schemas[VG_INGEST_KIND_SAMPLE] = &vg_sample_table_schema;
    memset(world, 0, sizeof(*world));
    world->random.state = seed;
    (void)snprintf(world->path, sizeof(world->path), "/tmp/vigil-submissions-XXXXXX");
    assert_non_null(mkdtemp(world->path));
    vg_directory_fixture_open(&world->directory);
    vg_directory_fixture_customer(&world->directory, 10, "acme", 0);
    vg_directory_fixture_customer(&world->directory, 11, "acme-north", 10);
    vg_directory_fixture_customer(&world->directory, 20, "other", 0);
    vg_directory_fixture_user(&world->directory, 1, "one", 10);
    vg_directory_fixture_user(&world->directory, 2, "two", 20);
    world->snapshot = vg_directory_snapshot(world->directory.directory);
    world->store = vg_store_memory_open(1);
    assert_non_null(world->store);
    struct vg_table_config config = {
        .path = world->path,
        .schemas = schemas,
        .kind_count = VG_INGEST_KIND_COUNT,
        .clock = &vg_clock_real,
        .limits = { .chunk_rows = 7 + (uint32_t)(seed % 60),
                    .closed_chunks = 1000,
                    /* Sets of subjects must fit all the same. */
                    .dictionary_entries = seed % 3 == 0 ? 6 : 0 },
    };
    const struct vg_table_start start = { .source = &nothing };
    struct vg_table_started started;
    assert_int_equal(vg_table_open(&config, &world->table, NULL), VG_OK);
    assert_int_equal(vg_table_start(world->table, &start, &started, NULL), VG_OK);
    world->sequence = vg_table_sequence(world->table);
    vg_arena_init(&world->arena, 256u << 20);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void submission_world_close(struct submission_world *world)
{
    vg_table_stop(world->table);
    vg_table_close(world->table);
    vg_store_close(world->store);
    vg_directory_snapshot_unref(world->snapshot);
    vg_directory_fixture_close(&world->directory);
    vg_arena_dispose(&world->arena);
    (void)nftw(world->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

struct vg_submission_store submission_world_source(const struct submission_world *world)
{
    return (struct vg_submission_store){
        .table = world->table,
        .store = world->store,
        .snapshot_age_ms = 60000,
    };
}

void submission_world_checkpoint(struct submission_world *world)
{
    struct vg_checkpoint *checkpoint;
    assert_int_equal(vg_table_checkpoint_begin(world->table, true, &checkpoint, NULL), VG_OK);
    assert_int_equal(vg_checkpoint_run(checkpoint, NULL), VG_OK);
    (void)vg_table_checkpoint_finish(world->table, checkpoint);
}

/* --------------------------------------------------------------------------------- submissions */

#define PICK(random, pool, count) (&(pool)[truth_random_below(random, count)])

static int compare_meta(const void *left, const void *right)
{
    const struct submission_text *const *a = left;
    const struct submission_text *const *b = right;
    return strcmp((*a)->text, (*b)->text);
}

static void fill_times(struct plain_submission *plain, struct truth_random *random)
{
    plain->submitted = SUBMISSION_NOW -
                       (vg_time)truth_random_below(random, 60) * SUBMISSION_DAY_MS -
                       truth_random_below(random, 3);
    plain->observed =
        plain->submitted - (vg_time)truth_random_below(random, 5) * SUBMISSION_DAY_MS / 2;
    plain->expiry = 0;
    if (!truth_random_once(random, 3)) {
        plain->expiry =
            SUBMISSION_NOW + ((vg_time)truth_random_below(random, 40) - 8) * SUBMISSION_DAY_MS;
    }
    plain->held = truth_random_once(random, 3);
}

static void fill_plain(struct plain_submission *plain, uint32_t number, struct truth_random *random)
{
    struct truth_random own = { .state = number };
    uint32_t sample = truth_random_below(&own, SUBMISSION_SAMPLES);
    struct truth_random bytes = { .state = 1000 + sample };
    for (size_t i = 0; i < sizeof(plain->sample); i++) {
        plain->sample[i] = (uint8_t)truth_random_next(&bytes);
        (void)snprintf(plain->sample_text + 2 * i, 3, "%02x", (unsigned)plain->sample[i]);
    }
    size_t used = 0;
    for (size_t i = 0; i < sizeof(plain->id.bytes); i++) {
        plain->id.bytes[i] = (uint8_t)truth_random_next(&own);
        bool hyphen = i == 4 || i == 6 || i == 8 || i == 10;
        used += (size_t)snprintf(
            plain->id_text + used,
            sizeof(plain->id_text) - used,
            "%s%02x",
            hyphen ? "-" : "",
            (unsigned)plain->id.bytes[i]);
    }
    plain->name = PICK(random, submission_names, SUBMISSION_NAMES);
    plain->type = PICK(random, submission_types, SUBMISSION_TYPES);
    plain->agent = PICK(random, submission_agents, SUBMISSION_AGENTS);
    plain->version = PICK(random, submission_versions, SUBMISSION_VERSIONS);
    const struct submission_text *keys[SUBMISSION_KEYS];
    plain->meta_count = 0;
    for (size_t i = 0; i < SUBMISSION_KEYS; i++) {
        if (!truth_random_once(random, 2)) {
            keys[plain->meta_count++] = &submission_keys[i];
        }
    }
    qsort(keys, plain->meta_count, sizeof(keys[0]), compare_meta);
    for (size_t i = 0; i < plain->meta_count; i++) {
        plain->meta[i].key = keys[i];
        plain->meta[i].value = PICK(random, submission_values, SUBMISSION_VALUES);
    }
    fill_times(plain, random);
    plain->customer = submission_customers[truth_random_below(random, SUBMISSION_CUSTOMERS)];
    plain->acl_count = truth_random_below(random, 3);
    plain->acl[0] = plain->acl_count == 2 ? 1 : 1 + truth_random_below(random, 2);
    plain->acl[1] = 2;
    plain->tlp = 1 + (int)truth_random_below(random, 4);
    plain->flags = truth_random_below(random, 16) << 1;
}

static struct vg_bytes text_of(const struct submission_text *text)
{
    return vg_bytes_text(text->text);
}

static void make_record(
    const struct plain_submission *plain,
    struct vg_submission_meta *meta,
    struct vg_submission_record *record)
{
    memset(record, 0, sizeof(*record));
    memcpy(record->sample, plain->sample, sizeof(record->sample));
    record->id = plain->id;
    record->file_name = text_of(plain->name);
    record->mime_type = text_of(plain->type);
    record->agent_name = text_of(plain->agent);
    record->agent_version = text_of(plain->version);
    record->observed = plain->observed;
    record->submitted = plain->submitted;
    record->expiry = plain->expiry;
    record->held = plain->held;
    for (size_t i = 0; i < plain->meta_count; i++) {
        meta[i].key = text_of(plain->meta[i].key);
        meta[i].value = text_of(plain->meta[i].value);
    }
    record->meta = meta;
    record->meta_count = plain->meta_count;
    record->tlp = (enum vg_tlp)plain->tlp;
    record->flags = plain->flags;
    record->customer_id = plain->customer;
    record->acl = plain->acl;
    record->acl_count = plain->acl_count;
    record->user_id = 1;
}

static void put(struct submission_world *world, uint32_t number, bool removes)
{
    struct plain_submission *plain = &world->plain[number];
    struct vg_submission_meta meta[SUBMISSION_META_MAX];
    struct vg_submission_record record;
    struct vg_bytes packed;
    struct vg_row row;
    struct vg_key key;
    struct vg_batch batch;
    struct vg_store_view *view = NULL;
    if (!removes) {
        fill_plain(plain, number, &world->random);
    }
    make_record(plain, meta, &record);
    assert_int_equal(vg_submission_record_pack(&record, &world->arena, &packed), VG_OK);
    assert_true(vg_submission_table_row(&record, &world->arena, &row));
    vg_key_submission(&key, plain->sample, plain->id.bytes);
    vg_batch_init(&batch, 1u << 20);
    if (removes) {
        vg_batch_delete(&batch, vg_key_bytes(&key));
    } else {
        vg_batch_set(&batch, vg_key_bytes(&key), packed);
    }
    const struct vg_table_change change = {
        .kind = VG_INGEST_KIND_SUBMISSION,
        .removes = removes,
        .row = &row,
    };
    assert_int_equal(vg_table_prepare(world->table, &change, 1, NULL), VG_OK);
    assert_int_equal(vg_store_apply(world->store, 0, &batch, NULL), VG_OK);
    assert_int_equal(vg_store_view_take(world->store, 0, &view, NULL), VG_OK);
    vg_table_publish(world->table, ++world->sequence, view);
    vg_table_maintain(world->table);
    vg_batch_dispose(&batch);
    plain->is_live = !removes;
    vg_arena_reset(&world->arena);
}

void submission_world_change(struct submission_world *world, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = truth_random_below(&world->random, SUBMISSIONS_MAX);
        bool removes = world->plain[number].is_live && truth_random_once(&world->random, 6);
        put(world, number, removes);
    }
}

bool submission_world_shows(
    const struct plain_submission *plain,
    const struct vg_principal *principal)
{
    bool covers = principal->all_customers;
    for (size_t i = 0; i < principal->customer_count; i++) {
        covers = covers || principal->customers[i] == plain->customer;
    }
    for (size_t i = 0; i < plain->acl_count; i++) {
        covers = covers || plain->acl[i] == principal->user_id;
    }
    bool is_gone = plain->expiry != 0 && plain->expiry <= SUBMISSION_NOW && !plain->held;
    return plain->is_live && covers && !is_gone;
}
