#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/table/table_model.h"

#define BATCH_BYTES (1u << 20)

/* Keys hold no NUL: numbers are written in hexadecimal. */
static struct vg_bytes record_key(char buffer[32], uint32_t kind, uint32_t id)
{
    return vg_bytes(
        buffer,
        (size_t)snprintf(buffer, 32, "r/%u/%08x", (unsigned)kind, (unsigned)id));
}

static struct vg_bytes log_key(char buffer[32], uint64_t sequence)
{
    return vg_bytes(
        buffer,
        (size_t)snprintf(buffer, 32, "l/%016llx", (unsigned long long)sequence));
}

static void apply(struct model *model, struct vg_batch *batch)
{
    MODEL_CHECK(vg_store_apply(model->store, 0, batch, NULL) == VG_OK);
    vg_batch_dispose(batch);
}

static void add_state(struct vg_batch *batch, uint64_t sequence, vg_time last_updated)
{
    uint64_t value[2] = { sequence, (uint64_t)last_updated };
    vg_batch_set(batch, vg_bytes_text("state"), vg_bytes(value, sizeof(value)));
}

static void add_record(struct vg_batch *batch, const struct model_change *change)
{
    char key[32];
    if (change->record.exists) {
        vg_batch_set(
            batch,
            record_key(key, change->kind, change->id),
            vg_bytes(&change->record, sizeof(change->record)));
    } else {
        vg_batch_delete(batch, record_key(key, change->kind, change->id));
    }
}

void model_store_state(struct model *model, uint64_t sequence, vg_time last_updated)
{
    struct vg_batch batch;
    vg_batch_init(&batch, BATCH_BYTES);
    add_state(&batch, sequence, last_updated);
    apply(model, &batch);
}

void model_store_commit(
    struct model *model,
    const struct model_change *changes,
    uint32_t count,
    uint64_t sequence,
    bool with_state)
{
    struct vg_batch batch;
    char key[32];
    char ids[1024];
    size_t used = 0;
    vg_batch_init(&batch, BATCH_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        add_record(&batch, &changes[i]);
        used += (size_t)snprintf(
            ids + used,
            sizeof(ids) - used,
            "%u/%08x ",
            (unsigned)changes[i].kind,
            (unsigned)changes[i].id);
    }
    vg_batch_set(&batch, log_key(key, sequence), vg_bytes(ids, used));
    if (with_state) {
        add_state(&batch, sequence, model->update_clock.last);
    }
    apply(model, &batch);
}

void model_store_read_state(struct model *model, uint64_t *out_sequence, vg_time *out_last_updated)
{
    struct vg_store_value value;
    uint64_t state[2] = { 0, 0 };
    MODEL_CHECK(
        vg_store_get_one(model->store, NULL, 0, vg_bytes_text("state"), &value, NULL) == VG_OK);
    if (value.found) {
        memcpy(state, value.bytes.data, sizeof(state));
    }
    vg_store_value_release(&value);
    *out_sequence = state[0];
    *out_last_updated = (vg_time)state[1];
}

void model_store_trim(struct model *model, uint64_t sequence)
{
    struct vg_batch batch;
    char key[32];
    vg_batch_init(&batch, BATCH_BYTES);
    for (uint64_t gone = 1; gone <= sequence; gone++) {
        vg_batch_delete(&batch, log_key(key, gone));
    }
    apply(model, &batch);
}

void model_store_roll_back(struct model *model, uint64_t sequence)
{
    struct vg_batch batch;
    char key[32];
    vg_batch_init(&batch, BATCH_BYTES);
    for (uint32_t kind = 0; kind < MODEL_KINDS; kind++) {
        for (uint32_t id = 0; id < MODEL_IDS; id++) {
            struct model_change change = { .kind = kind, .id = id };
            change.record = model->history[sequence].records[kind][id];
            add_record(&batch, &change);
        }
    }
    for (uint64_t gone = sequence + 1; gone <= model->sequence + 1; gone++) {
        vg_batch_delete(&batch, log_key(key, gone));
    }
    add_state(&batch, sequence, model->history[sequence].last_updated);
    apply(model, &batch);
}

struct model_record model_store_get(
    struct model *model,
    struct vg_store_view *view,
    uint32_t kind,
    uint32_t id)
{
    struct model_record record = { 0 };
    struct vg_store_value value;
    char key[32];
    MODEL_CHECK(
        vg_store_get_one(model->store, view, 0, record_key(key, kind, id), &value, NULL) == VG_OK);
    if (value.found) {
        memcpy(&record, value.bytes.data, sizeof(record));
    }
    vg_store_value_release(&value);
    return record;
}

/* --- what the table asks at start --- */

struct walk {
    struct model *model;
    struct vg_table_replay *replay;
    struct vg_table_rebuild *rebuild;
    enum vg_reason reason;
    struct vg_error *error;
};

static bool visit_log(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct walk *walk = owner;
    char text[32];
    unsigned long long sequence;
    (void)snprintf(text, sizeof(text), "%.*s", (int)key.size, (const char *)key.data);
    MODEL_CHECK(sscanf(text, "l/%llx", &sequence) == 1);
    walk->reason = vg_table_replay_sequence(walk->replay, sequence, walk->error);
    /* Each id is "k/xxxxxxxx " in the value. */
    for (size_t at = 0; at + 11 <= value.size && walk->reason == VG_OK; at += 11) {
        uint32_t kind = (uint32_t)(value.data[at] - '0');
        struct vg_bytes id = vg_bytes(value.data + at + 2, 8);
        walk->reason = vg_table_replay_id(walk->replay, kind, id, walk->error);
    }
    return walk->reason == VG_OK;
}

static enum vg_reason replay(
    void *owner,
    uint64_t after,
    struct vg_table_replay *out_replay,
    struct vg_error *error)
{
    struct model *model = owner;
    struct walk walk = { .model = model, .replay = out_replay, .error = error };
    char key[32];
    const struct vg_store_range range = {
        .prefix = vg_bytes_text("l/"),
        .start_after = log_key(key, after),
    };
    MODEL_CHECK(vg_store_scan(model->store, &range, visit_log, &walk, NULL, NULL) == VG_OK);
    return walk.reason;
}

static enum vg_reason load(
    void *owner,
    uint32_t kind,
    struct vg_bytes id,
    struct vg_row *row,
    bool *out_exists,
    struct vg_error *error)
{
    static struct fixture_row made; /* stays until the next call */
    struct model *model = owner;
    char text[16];
    unsigned number;
    (void)error;
    (void)snprintf(text, sizeof(text), "%.*s", (int)id.size, (const char *)id.data);
    MODEL_CHECK(sscanf(text, "%x", &number) == 1);
    struct model_record record = model_store_get(model, NULL, kind, number);
    fixture_fill(&made, number, record.seed, record.updated);
    memcpy(row->values, made.values, sizeof(made.values));
    *out_exists = record.exists;
    return VG_OK;
}

static bool visit_record(void *owner, struct vg_bytes key, struct vg_bytes value)
{
    struct walk *walk = owner;
    char text[32];
    unsigned kind;
    unsigned id;
    struct model_record record;
    struct fixture_row made;
    (void)snprintf(text, sizeof(text), "%.*s", (int)key.size, (const char *)key.data);
    MODEL_CHECK(sscanf(text, "r/%u/%x", &kind, &id) == 2);
    memcpy(&record, value.data, sizeof(record));
    fixture_fill(&made, id, record.seed, record.updated);
    walk->reason = vg_table_rebuild_add(walk->rebuild, kind, &made.row, walk->error);
    return walk->reason == VG_OK;
}

static enum vg_reason scan(void *owner, struct vg_table_rebuild *rebuild, struct vg_error *error)
{
    struct model *model = owner;
    struct walk walk = { .model = model, .rebuild = rebuild, .error = error };
    const struct vg_store_range range = { .prefix = vg_bytes_text("r/") };
    MODEL_CHECK(vg_store_scan(model->store, &range, visit_record, &walk, NULL, NULL) == VG_OK);
    return walk.reason;
}

const struct vg_table_source model_source = { .replay = replay, .load = load, .scan = scan };
