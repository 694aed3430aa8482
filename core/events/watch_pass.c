#include "core/events/watch_pass.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/events/event_table.h"
#include "core/record/event_record_field.h"
#include "core/table/search.h"
#include "core/wire/wire_field.h"

/* Rows, their places and what the search needs. */
#define ARENA_BYTES (32u * 1024u * 1024u)

struct vg_watch_entry {
    struct vg_hit hit;
    struct vg_watch_place place;
};

/* Of a packed record only by which batches it was stored last and first. */
static bool read_revisions(struct vg_bytes record, uint64_t *out_revision, uint64_t *out_first)
{
    struct vg_wire_field field;
    enum vg_wire_step step;
    uint64_t revision = 0;
    uint64_t first = 0;
    while ((step = vg_wire_next(&record, &field)) == VG_WIRE_STEP_FIELD) {
        if (field.number == VG_EVENT_FIELD_REVISION) {
            revision = field.value;
        } else if (field.number == VG_EVENT_FIELD_FIRST_REVISION) {
            first = field.value;
        }
    }
    *out_revision = revision;
    *out_first = first != 0 ? first : revision;
    return revision != 0 && step == VG_WIRE_STEP_END;
}

static vg_time updated_of(const struct vg_hit *hit)
{
    struct vg_value value;
    vg_hit_read(hit, VG_EVENT_COLUMN_LAST_UPDATED, &value);
    return value.number;
}

static bool is_stored_from(const struct vg_hit *hit, vg_time from)
{
    struct vg_value value;
    vg_hit_read(hit, VG_EVENT_COLUMN_ENGINE_PERSISTED, &value);
    return value.number >= from;
}

/* Rows updated at the time of the position or later, the earliest first. A page that is full ends
 * where a time ends. */
static enum vg_reason find_rows(
    struct vg_watch_pass *pass,
    const struct vg_watch_position *position,
    const struct vg_watch_question *question,
    struct vg_search_result *out_result,
    struct vg_error *error)
{
    static const struct vg_sort_key by_update = { VG_EVENT_COLUMN_LAST_UPDATED, false };
    const struct vg_predicate *both[] = {
        vg_predicate_range(
            &pass->arena,
            VG_EVENT_COLUMN_LAST_UPDATED,
            position->updated,
            INT64_MAX),
        question->where,
    };
    struct vg_event_reader reader;
    vg_event_reader_init(&reader, &pass->source, &pass->snapshot);
    const struct vg_search search = {
        .kind = pass->source.kind,
        .where = vg_predicate_and(&pass->arena, both, VG_ARRAY_COUNT(both)),
        .sort = &by_update,
        .sort_count = 1,
        .limit = question->rows != 0 ? question->rows : VG_WATCH_PASS_ROWS,
        .uncounted = true,
        .reader = &reader.reader,
        .check = question->check,
        .owner = question->owner,
    };
    enum vg_reason reason =
        search.where == NULL
            ? vg_error_set(error, VG_REQUEST_MEMORY, NULL)
            : vg_search_run(&pass->snapshot, &search, &pass->arena, out_result, error);
    vg_event_reader_dispose(&reader);
    if (reason == VG_OK && out_result->hit_count == search.limit) {
        uint32_t count = out_result->hit_count;
        const vg_time last = updated_of(&out_result->hits[count - 1]);
        while (count > 0 && updated_of(&out_result->hits[count - 1]) == last) {
            count--;
        }
        VG_ASSERT(count > 0); /* VG_LIMIT_CHANGES_PER_TIME */
        out_result->hit_count = count;
        pass->is_full = true;
    }
    return reason;
}

/* Look up which batch each row is of, and keep those that are still to be told. */
static enum vg_reason take_rows(
    struct vg_watch_pass *pass,
    const struct vg_watch_position *position,
    const struct vg_search_result *found,
    const struct vg_watch_question *question,
    struct vg_error *error)
{
    pass->entries = vg_arena_alloc(&pass->arena, (found->hit_count + 1u) * sizeof(*pass->entries));
    if (pass->entries == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    vg_record_fetch_set(&pass->fetch, found->hits, found->hit_count);
    for (uint32_t i = 0; i < found->hit_count; i++) {
        struct vg_watch_entry *entry = &pass->entries[pass->count];
        struct vg_bytes record;
        enum vg_reason reason =
            vg_record_fetch_next(&pass->fetch, &entry->place.id, &record, error);
        if (reason != VG_OK) {
            return reason;
        }
        uint64_t first;
        if (!read_revisions(record, &entry->place.revision, &first)) {
            return vg_error_set(error, VG_STORE_CORRUPT, NULL);
        }
        entry->hit = found->hits[i];
        entry->place.updated = updated_of(&entry->hit);
        bool is_new = first > position->known && is_stored_from(&entry->hit, question->new_from);
        bool wanted =
            !vg_watch_position_covers(position, &entry->place) && (is_new || !question->only_new);
        pass->count += wanted;
    }
    return VG_OK;
}

static int compare_entries(const void *left, const void *right)
{
    const struct vg_watch_entry *one = left;
    const struct vg_watch_entry *two = right;
    return vg_watch_place_compare(&one->place, &two->place);
}

/* In the order of changes, and the rows once more for reading them in it. */
static enum vg_reason order_rows(struct vg_watch_pass *pass, struct vg_error *error)
{
    struct vg_hit *hits = vg_arena_alloc(&pass->arena, (pass->count + 1u) * sizeof(*hits));
    if (hits == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    if (pass->count > 1) {
        qsort(pass->entries, pass->count, sizeof(*pass->entries), compare_entries);
    }
    for (uint32_t i = 0; i < pass->count; i++) {
        hits[i] = pass->entries[i].hit;
    }
    vg_record_fetch_set(&pass->fetch, hits, pass->count);
    return VG_OK;
}

/* Behind the last row that was found: the next pass begins there even if none of them is told. */
static void set_end(
    struct vg_watch_pass *pass,
    const struct vg_watch_position *position,
    const struct vg_watch_question *question,
    const struct vg_search_result *found)
{
    pass->at = *position;
    pass->end = *position;
    if (pass->is_full) {
        /* Told or not, all up to this time is done with; the batch is left open. */
        if (pass->count > 0) {
            const struct vg_watch_place *last = &pass->entries[pass->count - 1].place;
            pass->end.revision = last->revision;
            pass->end.is_within = true;
            pass->end.id = last->id;
            pass->end.updated = last->updated;
        }
        const vg_time reached = updated_of(&found->hits[found->hit_count - 1]);
        if (pass->count == 0 || reached > pass->end.updated) {
            pass->end.updated = reached;
        }
        return;
    }
    pass->end.revision = vg_snapshot_sequence(&pass->snapshot);
    pass->end.is_within = false;
    if (question->updated > pass->end.updated) {
        pass->end.updated = question->updated;
    }
    pass->end.known = pass->end.revision;
}

enum vg_reason vg_watch_pass_here(
    const struct vg_event_store *source,
    const struct vg_watch_question *question,
    struct vg_watch_position *out_position,
    struct vg_error *error)
{
    struct vg_snapshot snapshot = { 0 };
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &snapshot, error);
    if (reason == VG_OK) {
        out_position->revision = vg_snapshot_sequence(&snapshot);
        out_position->updated = question->updated;
        out_position->known = out_position->revision;
        out_position->is_within = false;
        vg_snapshot_release(&snapshot);
    }
    return reason;
}

enum vg_reason vg_watch_pass_open(
    struct vg_watch_pass *pass,
    const struct vg_event_store *source,
    const struct vg_watch_position *position,
    const struct vg_watch_question *question,
    struct vg_error *error)
{
    struct vg_search_result found = { 0 };
    *pass = (struct vg_watch_pass){ .source = *source };
    enum vg_reason reason =
        vg_snapshot_acquire(source->table, source->snapshot_age_ms, &pass->snapshot, error);
    if (reason != VG_OK) {
        return reason;
    }
    vg_arena_init(&pass->arena, ARENA_BYTES);
    vg_record_fetch_init(&pass->fetch, &pass->source, &pass->snapshot);
    if (position->revision > vg_snapshot_sequence(&pass->snapshot)) {
        reason = vg_error_set(error, VG_WATCH_POSITION_GONE, NULL);
    }
    if (reason == VG_OK) {
        reason = find_rows(pass, position, question, &found, error);
    }
    if (reason == VG_OK) {
        reason = take_rows(pass, position, &found, question, error);
    }
    if (reason == VG_OK) {
        reason = order_rows(pass, error);
    }
    if (reason != VG_OK) {
        vg_watch_pass_close(pass);
        return reason;
    }
    set_end(pass, position, question, &found);
    return VG_OK;
}

enum vg_reason vg_watch_pass_next(
    struct vg_watch_pass *pass,
    struct vg_event_id *out_id,
    struct vg_bytes *out_record,
    bool *out_end,
    struct vg_error *error)
{
    *out_end = pass->next == pass->count;
    if (*out_end) {
        pass->at = pass->end;
        return VG_OK;
    }
    enum vg_reason reason = vg_snapshot_check(&pass->snapshot, error);
    if (reason == VG_OK) {
        reason = vg_record_fetch_next(&pass->fetch, out_id, out_record, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    const struct vg_watch_place *place = &pass->entries[pass->next++].place;
    pass->at.revision = place->revision;
    pass->at.updated = place->updated;
    pass->at.id = place->id;
    pass->at.is_within = true;
    return VG_OK;
}

void vg_watch_pass_close(struct vg_watch_pass *pass)
{
    if (pass->snapshot.published == NULL) {
        return;
    }
    vg_record_fetch_dispose(&pass->fetch);
    vg_arena_dispose(&pass->arena);
    vg_snapshot_release(&pass->snapshot);
    *pass = (struct vg_watch_pass){ .at = pass->at, .end = pass->end, .is_full = pass->is_full };
}
