#include "core/samples/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/time_text.h"
#include "core/base/utf8.h"
#include "core/samples/submission_access.h"

/* ---------------------------------------------------------------------------------------- form */

static void violate(
    struct vg_violations *violations,
    const char *field,
    const char *parameter,
    const char *message)
{
    vg_violations_add(
        violations,
        &(struct vg_violation){ .reason = VG_INVALID_FIELD_VALUE,
                                .field = field,
                                .parameter = parameter,
                                .message = message });
}

/* Unicode's control characters, C0, DEL and C1; `text` is UTF-8. */
static bool has_control(struct vg_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool c1 = byte == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0;
        if (byte < 0x20 || byte == 0x7f || c1) {
            return true;
        }
    }
    return false;
}

static bool has_blank(struct vg_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == ' ' || (text.data[i] >= '\t' && text.data[i] <= '\r')) {
            return true;
        }
    }
    return false;
}

static void check_file_name(struct vg_bytes name, struct vg_violations *violations)
{
    if (name.size == 0) {
        violate(violations, "fileName", "", "The text must not be empty");
    } else if (has_control(name)) {
        violate(violations, "fileName", NULL, "The text must not have control characters");
    }
}

static void check_meta(const struct vg_submission_input *input, struct vg_violations *violations)
{
    char path[64];
    if (input->meta_count > VG_LIMIT_META_ENTRIES) {
        violate(violations, "metaData", NULL, "The metadata has too many keys");
        return;
    }
    for (size_t i = 0; i < input->meta_count; i++) {
        struct vg_bytes key = input->meta[i].key;
        struct vg_bytes shown = vg_utf8_cut_bytes(key, 40);
        (void)snprintf(
            path,
            sizeof(path),
            "metaData.%.*s",
            (int)shown.size,
            (const char *)shown.data);
        if (key.size == 0) {
            violate(violations, "metaData", "", "A key must not be empty");
        } else if (vg_utf8_count(key) > VG_LIMIT_META_KEY_LENGTH) {
            violate(violations, path, NULL, "The key is too long");
        } else if (has_blank(key)) {
            violate(violations, path, NULL, "A key must not have blanks");
        } else if (vg_utf8_count(input->meta[i].value) > VG_LIMIT_META_VALUE_LENGTH) {
            violate(violations, path, NULL, "The value is too long");
        }
    }
}

/* The guide's `timestamp`, which stands for observedTimestamp where that is not given. */
static void read_observed(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    bool *out_has,
    struct vg_violations *violations)
{
    *out_has = input->has_observed || input->timestamp != NULL;
    record->observed = input->has_observed ? input->observed : context->now;
    if (input->timestamp == NULL) {
        return;
    }
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_time time = 0;
    if (vg_time_text_parse(
            vg_bytes_text(input->timestamp),
            context->now,
            context->principal->zone,
            &time,
            &error) != VG_OK) {
        violate(violations, "timestamp", input->timestamp, error.message);
        return;
    }
    size_t digits = strspn(input->timestamp, "0123456789");
    if (input->timestamp[digits] == '\0' && time < VG_SUBMISSION_SECONDS_END) {
        time *= 1000;
    }
    if (!input->has_observed) {
        record->observed = time;
    }
}

/* The place a key came at, while they are sorted. */
struct placed {
    struct vg_submission_meta meta;
    size_t place;
};

static int compare_placed(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;
    int order = strcmp((const char *)a->meta.key.data, (const char *)b->meta.key.data);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* Rising by key; of equal keys the last one given stays. */
static bool sort_meta(
    const struct vg_submission_input *input,
    struct vg_arena *arena,
    struct vg_submission_record *record)
{
    size_t count = input->meta_count;
    struct placed *placed = vg_arena_alloc(arena, (count + 1) * sizeof(*placed));
    struct vg_submission_meta *meta = vg_arena_alloc(arena, (count + 1) * sizeof(*meta));
    if (placed == NULL || meta == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        placed[i] = (struct placed){ .meta = input->meta[i], .place = i };
    }
    qsort(placed, count, sizeof(*placed), compare_placed);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !vg_bytes_equal(placed[i].meta.key, placed[i + 1].meta.key)) {
            meta[used++] = placed[i].meta;
        }
    }
    record->meta = meta;
    record->meta_count = used;
    return true;
}

static bool is_trusted(const char *agents, struct vg_bytes name)
{
    while (*agents != '\0') {
        size_t size = strcspn(agents, "|");
        if (size != 0 && vg_bytes_equal(vg_bytes(agents, size), name)) {
            return true;
        }
        agents += size + (agents[size] == '|');
    }
    return false;
}

bool vg_submission_read(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    bool *out_has_observed,
    struct vg_violations *violations)
{
    uint32_t before = violations->found;
    *record = (struct vg_submission_record){
        .file_name = vg_bytes_text(input->file_name),
        .mime_type = vg_bytes_text(
            input->mime_type == NULL ? VG_SUBMISSION_MIME_TYPE_DEFAULT : input->mime_type),
        .agent_name = vg_bytes_text(input->agent_name),
        .agent_version = vg_bytes_text(input->agent_version),
        .expiry = input->has_retention ? input->retention : 0,
        .tlp = input->tlp == 0 ? VG_TLP_AMBER : input->tlp,
        .user_id = context->principal->user_id,
    };
    memcpy(record->sample, input->sample, sizeof(record->sample));
    check_file_name(record->file_name, violations);
    read_observed(input, context, record, out_has_observed, violations);
    check_meta(input, violations);
    if (record->tlp == VG_TLP_RED) {
        violate(violations, "tlp", "red", "must be one of amber, green, clear");
    }
    if (input->has_retention && input->retention <= context->now) {
        violate(violations, "retention", NULL, "The time must not be past");
    }
    if (violations->found != before) {
        return false;
    }
    if (is_trusted(context->trusted_agents, record->agent_name)) {
        record->flags |= 1u << VG_SUBMISSION_TRUSTED_AGENT;
    }
    if (!sort_meta(input, context->arena, record)) {
        vg_violations_add(violations, &(struct vg_violation){ .reason = VG_REQUEST_MEMORY });
        return false;
    }
    return true;
}

/* ----------------------------------------------------------------------------------- references */

static enum vg_reason refuse_reference(
    struct vg_error *error,
    const char *what,
    const char *field,
    const char *value)
{
    (void)vg_error_set(error, VG_INVALID_REFERENCE, "Invalid %s: %.100s", what, value);
    return vg_error_field(error, field, value);
}

static enum vg_reason resolve_customer(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    struct vg_error *error)
{
    record->customer_id = context->principal->customer_id;
    if (input->customer != NULL) {
        const struct vg_customer *customer =
            vg_directory_customer_named(context->directory, vg_bytes_text(input->customer));
        if (customer == NULL) {
            return refuse_reference(error, "customer", "customer", input->customer);
        }
        record->customer_id = customer->id;
    }
    if (!vg_principal_may(
            context->principal,
            VG_FUNCTION_ADD_SAMPLE_SUBMISSION,
            record->customer_id)) {
        (void)vg_error_set(error, VG_ACCESS_DENIED, NULL);
        return vg_error_field(error, NULL, "addSampleSubmission");
    }
    return VG_OK;
}

/* The id of a user or group given by id or short name; 0 = there is none. Of a user and a group of
 * one name the user is meant. */
static int64_t find_subject(const struct vg_directory_snapshot *directory, const char *name)
{
    struct vg_bytes text = vg_bytes_text(name);
    const struct vg_user *user = vg_directory_user_named(directory, text);
    if (user != NULL) {
        return user->id;
    }
    const struct vg_group *group = vg_directory_group_named(directory, text);
    return group != NULL ? group->id : 0;
}

static int compare_ids(const void *left, const void *right)
{
    int64_t a;
    int64_t b;
    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

static enum vg_reason resolve_acl(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    struct vg_error *error)
{
    int64_t *ids = vg_arena_alloc(context->arena, (input->acl_count + 1) * sizeof(*ids));
    if (ids == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    for (size_t i = 0; i < input->acl_count; i++) {
        ids[i] = find_subject(context->directory, input->acl[i]);
        if (ids[i] == 0) {
            char field[32];
            (void)snprintf(field, sizeof(field), "acl[%zu]", i);
            return refuse_reference(error, "acl", field, input->acl[i]);
        }
    }
    qsort(ids, input->acl_count, sizeof(*ids), compare_ids);
    size_t used = 0;
    for (size_t i = 0; i < input->acl_count; i++) {
        if (used == 0 || ids[used - 1] != ids[i]) {
            ids[used++] = ids[i];
        }
    }
    record->acl = ids;
    record->acl_count = used;
    return VG_OK;
}

enum vg_reason vg_submission_resolve(
    const struct vg_submission_input *input,
    const struct vg_submission_context *context,
    struct vg_submission_record *record,
    struct vg_error *error)
{
    enum vg_reason reason = resolve_customer(input, context, record, error);
    return reason == VG_OK ? resolve_acl(input, context, record, error) : reason;
}

/* -------------------------------------------------------------------------------------- digests */

/* Parts with their sizes, one after the other: no two lists of parts are the same bytes. */
struct parts {
    uint8_t *next;
};

static void put_part(struct parts *parts, struct vg_bytes bytes)
{
    uint64_t size = bytes.size;
    memcpy(parts->next, &size, sizeof(size));
    parts->next += sizeof(size);
    if (bytes.size != 0) {
        memcpy(parts->next, bytes.data, bytes.size);
        parts->next += bytes.size;
    }
}

static void put_number(struct parts *parts, int64_t number)
{
    put_part(parts, vg_bytes(&number, sizeof(number)));
}

/* What both digests are about. */
static void put_common(struct parts *parts, const struct vg_submission_record *record)
{
    put_part(parts, vg_bytes(record->sample, sizeof(record->sample)));
    put_number(parts, record->customer_id);
    put_part(parts, record->file_name);
    put_part(parts, record->mime_type);
    put_number(parts, (int64_t)record->tlp);
    put_part(parts, record->agent_name);
    put_number(parts, (int64_t)record->meta_count);
    for (size_t i = 0; i < record->meta_count; i++) {
        put_part(parts, record->meta[i].key);
        put_part(parts, record->meta[i].value);
    }
}

#define VG_PARTS_FIXED 16u /* parts beside metadata */

static bool open_parts(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    struct parts *parts,
    uint8_t **out_start)
{
    size_t size = (VG_PARTS_FIXED + 2 * record->meta_count) * 2 * sizeof(uint64_t) +
                  sizeof(record->sample) + record->file_name.size + record->mime_type.size +
                  record->agent_name.size + record->agent_version.size +
                  record->acl_count * sizeof(*record->acl);
    for (size_t i = 0; i < record->meta_count; i++) {
        size += record->meta[i].key.size + record->meta[i].value.size;
    }
    *out_start = vg_arena_alloc(arena, size);
    parts->next = *out_start;
    return *out_start != NULL;
}

bool vg_submission_meant(
    const struct vg_submission_record *record,
    bool has_observed,
    struct vg_arena *arena,
    uint8_t out_digest[VG_SHA256_SIZE])
{
    struct parts parts;
    uint8_t *start;
    if (!open_parts(record, arena, &parts, &start)) {
        return false;
    }
    put_common(&parts, record);
    put_part(&parts, record->agent_version);
    put_number(&parts, has_observed);
    put_number(&parts, has_observed ? record->observed : 0);
    put_number(&parts, record->expiry);
    put_part(&parts, vg_bytes(record->acl, record->acl_count * sizeof(*record->acl)));
    vg_digest_sha256(vg_bytes(start, (size_t)(parts.next - start)), out_digest);
    return true;
}

bool vg_submission_similar(
    const struct vg_submission_record *record,
    struct vg_arena *arena,
    uint8_t out_digest[VG_SHA256_SIZE])
{
    struct parts parts;
    uint8_t *start;
    if (!open_parts(record, arena, &parts, &start)) {
        return false;
    }
    put_common(&parts, record);
    vg_digest_sha256(vg_bytes(start, (size_t)(parts.next - start)), out_digest);
    return true;
}

bool vg_submission_is_recent(vg_time submitted, vg_time now, uint32_t window_ms)
{
    vg_time apart = now > submitted ? now - submitted : submitted - now;
    return apart < (vg_time)window_ms;
}
