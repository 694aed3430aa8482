#include "core/directory/directory_entry.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/wire_decode.h"
#include "proto/contract_json.h"

#include "vigil/record/v1/directory.pb-c.h"
#include "vigil/record/v1/event.pb-c.h"

/* Decoding one record: a request brings at most 1 MiB. */
#define VG_DIRECTORY_RECORD_ARENA_BYTES ((size_t)32 * 1024 * 1024)

static char *copy(struct vg_arena *arena, const char *text)
{
    return text == NULL ? NULL : vg_arena_text(arena, vg_bytes_text(text));
}

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* A sorted copy. */
static int64_t *copy_ids(struct vg_arena *arena, const int64_t *ids, size_t count)
{
    int64_t *copied = vg_arena_calloc(arena, count == 0 ? 1 : count, sizeof(*copied));
    if (copied != NULL && count > 0) {
        memcpy(copied, ids, count * sizeof(*copied));
        qsort(copied, count, sizeof(*copied), compare_numbers);
    }
    return copied;
}

/* The CustomerInfo of v2 answers, packed once so that answers copy it. */
static bool pack_customer_info(
    const struct vg_customer *customer,
    struct vg_arena *arena,
    struct vg_bytes *out_wire)
{
    union {
        const char *constant;
        char *member; /* protobuf-c declares members char *, though packing only reads them */
    } name = { customer->name }, short_name = { customer->short_name },
      domain_name = { customer->domain_name };
    Vigil__Record__V1__EventDomain domain = VIGIL__RECORD__V1__EVENT_DOMAIN__INIT;
    domain.has_id = true;
    domain.id = (int32_t)customer->domain_id;
    domain.name = domain_name.member;
    Vigil__Record__V1__EventCustomer info = VIGIL__RECORD__V1__EVENT_CUSTOMER__INIT;
    info.has_id = true;
    info.id = customer->id;
    info.name = name.member;
    info.short_name = short_name.member;
    info.domain = &domain;
    size_t size = protobuf_c_message_get_packed_size(&info.base);
    uint8_t *bytes = vg_arena_alloc(arena, size);
    if (bytes == NULL) {
        return false;
    }
    *out_wire = vg_bytes(bytes, protobuf_c_message_pack(&info.base, bytes));
    return true;
}

static bool make_customer(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__Customer *record = (const Vigil__Record__V1__Customer *)message;
    struct vg_customer *customer = vg_arena_calloc(arena, 1, sizeof(*customer));
    if (customer == NULL) {
        return false;
    }
    *customer = (struct vg_customer){ .id = record->id,
                                      .short_name = copy(arena, record->short_name),
                                      .name = copy(arena, record->name),
                                      .parent_id = record->parent_id,
                                      .domain_id = record->domain_id,
                                      .domain_name = copy(arena, record->domain_name),
                                      .in_production = record->in_production,
                                      .created = record->created_timestamp };
    *out_entry = (struct vg_directory_entry){ .id = customer->id,
                                              .name = vg_bytes_text(customer->short_name),
                                              .object = customer };
    return customer->short_name != NULL &&
           pack_customer_info(customer, arena, &customer->info_wire);
}

static bool make_group(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__Group *record = (const Vigil__Record__V1__Group *)message;
    struct vg_group *group = vg_arena_calloc(arena, 1, sizeof(*group));
    if (group == NULL) {
        return false;
    }
    *group = (struct vg_group){ .id = record->id,
                                .short_name = copy(arena, record->short_name),
                                .name = copy(arena, record->name),
                                .customer_id = record->customer_id,
                                .created = record->created_timestamp };
    *out_entry = (struct vg_directory_entry){ .id = group->id,
                                              .name = vg_bytes_text(group->short_name),
                                              .object = group };
    return group->short_name != NULL;
}

static bool make_user(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__User *record = (const Vigil__Record__V1__User *)message;
    struct vg_user *user = vg_arena_calloc(arena, 1, sizeof(*user));
    if (user == NULL) {
        return false;
    }
    *user =
        (struct vg_user){ .id = record->id,
                          .short_name = copy(arena, record->short_name),
                          .name = copy(arena, record->name),
                          .customer_id = record->customer_id,
                          .group_ids = copy_ids(arena, record->group_ids, record->n_group_ids),
                          .group_count = record->n_group_ids,
                          .time_zone =
                              copy(arena, record->time_zone != NULL ? record->time_zone : "UTC"),
                          .disabled = record->disabled,
                          .created = record->created_timestamp,
                          .last_updated = record->last_updated_timestamp,
                          .created_by = record->created_by_user_id,
                          .last_updated_by = record->last_updated_by_user_id };
    *out_entry = (struct vg_directory_entry){ .id = user->id,
                                              .name = vg_bytes_text(user->short_name),
                                              .object = user };
    return user->short_name != NULL && user->group_ids != NULL && user->time_zone != NULL &&
           vg_zone_set_find(memory->zones, user->time_zone, &user->zone, NULL) == VG_OK;
}

static bool make_sources(
    const Vigil__Record__V1__ApiKey *record,
    struct vg_arena *arena,
    struct vg_api_key *key)
{
    struct vg_network *sources = vg_arena_calloc(arena, record->n_sources + 1, sizeof(*sources));
    if (sources == NULL) {
        return false;
    }
    for (size_t i = 0; i < record->n_sources; i++) {
        if (!vg_network_parse(vg_bytes_text(record->sources[i]), &sources[i])) {
            return false;
        }
    }
    key->sources = sources;
    key->source_count = record->n_sources;
    return true;
}

static int32_t limit_of(protobuf_c_boolean is_said, int32_t limit)
{
    return is_said ? limit : VG_KEY_LIMIT_UNSAID;
}

static struct vg_key_quota make_quota(const Vigil__Record__V1__ApiKey *record)
{
    return (struct vg_key_quota){
        .requests_per_second =
            limit_of(record->has_requests_per_second, record->requests_per_second),
        .request_burst = limit_of(record->has_request_burst, record->request_burst),
        .requests_at_once = limit_of(record->has_requests_at_once, record->requests_at_once),
        .events_per_second = limit_of(record->has_events_per_second, record->events_per_second),
    };
}

static bool make_key(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__ApiKey *record = (const Vigil__Record__V1__ApiKey *)message;
    struct vg_api_key *key = vg_arena_calloc(arena, 1, sizeof(*key));
    if (key == NULL || record->secret_sha256.len != sizeof(key->secret_sha256)) {
        return false;
    }
    *key = (struct vg_api_key){ .key_id = copy(arena, record->id),
                                .user_id = record->user_id,
                                .is_certificate = record->is_certificate,
                                .customers =
                                    copy_ids(arena, record->customer_ids, record->n_customer_ids),
                                .customer_count = record->n_customer_ids,
                                .all_customers = record->all_customers,
                                .created = record->created_timestamp,
                                .expires = record->expires_timestamp,
                                .revoked = record->revoked_timestamp,
                                .quota = make_quota(record) };
    memcpy(key->secret_sha256, record->secret_sha256.data, sizeof(key->secret_sha256));
    for (size_t i = 0; i < record->n_roles; i++) {
        if (record->roles[i] <= 0 || record->roles[i] > 31) {
            return false;
        }
        key->roles |= 1u << record->roles[i];
    }
    *out_entry = (struct vg_directory_entry){ .name = vg_bytes_text(key->key_id), .object = key };
    return key->key_id != NULL && key->customers != NULL && make_sources(record, arena, key);
}

static bool make_location(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__Location *record = (const Vigil__Record__V1__Location *)message;
    struct vg_location *location = vg_arena_calloc(arena, 1, sizeof(*location));
    if (location == NULL) {
        return false;
    }
    *location = (struct vg_location){ .id = record->id,
                                      .short_name = copy(arena, record->short_name),
                                      .name = copy(arena, record->name),
                                      .time_zone = copy(arena, record->time_zone),
                                      .customer_id = record->customer_id,
                                      .created = record->created_timestamp };
    *out_entry = (struct vg_directory_entry){ .id = location->id,
                                              .name = vg_bytes_text(location->short_name),
                                              .object = location };
    return location->short_name != NULL;
}

static bool make_case(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__Case *record = (const Vigil__Record__V1__Case *)message;
    struct vg_case *item = vg_arena_calloc(arena, 1, sizeof(*item));
    if (item == NULL) {
        return false;
    }
    *item = (struct vg_case){ .id = record->id,
                              .customer_id = record->customer_id,
                              .subject = copy(arena, record->subject),
                              .description = copy(arena, record->description),
                              .service_id = record->service_id,
                              .service = copy(arena, record->service_name),
                              .category_id = record->category_id,
                              .category_name = copy(arena, record->category_name),
                              .status = (int32_t)record->status,
                              .priority = (int32_t)record->priority,
                              .merged_into = record->merged_into_id,
                              .readers = copy_ids(arena, record->reader_ids, record->n_reader_ids),
                              .reader_count = record->n_reader_ids,
                              .created = record->created_timestamp };
    *out_entry = (struct vg_directory_entry){ .id = item->id, .object = item };
    return item->subject != NULL && item->readers != NULL;
}

static bool make_signature(
    const ProtobufCMessage *message,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry *out_entry)
{
    struct vg_arena *arena = memory->arena;
    const Vigil__Record__V1__Signature *record = (const Vigil__Record__V1__Signature *)message;
    struct vg_signature *signature = vg_arena_calloc(arena, 1, sizeof(*signature));
    if (signature == NULL) {
        return false;
    }
    *signature =
        (struct vg_signature){ .name = copy(arena, record->name),
                               .alarm_id = record->alarm_id,
                               .alarm_short_name = copy(arena, record->alarm_short_name),
                               .alarm_description = copy(arena, record->alarm_description),
                               .category_id = record->category_id,
                               .category_short_name = copy(arena, record->category_short_name),
                               .category_name = copy(arena, record->category_name),
                               .created = record->created_timestamp };
    *out_entry =
        (struct vg_directory_entry){ .name = vg_bytes_text(signature->name), .object = signature };
    return signature->name != NULL;
}

#define TABLE(name) &vg_table_vigil_record_v1_##name
const struct vg_directory_kind_row vg_directory_kinds[VG_DIRECTORY_KIND_COUNT] = {
    /*                         table             id     name   folds  subject make */
    [VG_DIRECTORY_CUSTOMER] = { TABLE(customer), true, true, true, false, make_customer },
    [VG_DIRECTORY_GROUP] = { TABLE(group), true, true, true, true, make_group },
    [VG_DIRECTORY_USER] = { TABLE(user), true, true, true, true, make_user },
    [VG_DIRECTORY_KEY] = { TABLE(api_key), false, true, false, false, make_key },
    [VG_DIRECTORY_LOCATION] = { TABLE(location), true, true, true, false, make_location },
    [VG_DIRECTORY_CASE] = { TABLE(case), true, false, false, false, make_case },
    [VG_DIRECTORY_SIGNATURE] = { TABLE(signature), false, true, false, false, make_signature },
};
#undef TABLE

bool vg_directory_entry_fold(
    enum vg_directory_kind kind,
    struct vg_bytes name,
    uint8_t out_folded[VG_DIRECTORY_SHORT_NAME_BYTES_MAX],
    struct vg_bytes *out_name)
{
    if (!vg_directory_kinds[kind].folds) {
        *out_name = name;
        return true;
    }
    if (name.size > VG_DIRECTORY_SHORT_NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        out_folded[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
    }
    *out_name = vg_bytes(out_folded, name.size);
    return true;
}

/* Replace the name by its folded form, in memory of its own. */
static bool fold_name(
    enum vg_directory_kind kind,
    struct vg_arena *arena,
    struct vg_directory_entry *entry)
{
    uint8_t folded[VG_DIRECTORY_SHORT_NAME_BYTES_MAX];
    struct vg_bytes name;
    if (!vg_directory_entry_fold(kind, entry->name, folded, &name)) {
        return false;
    }
    if (name.data == folded) {
        const char *kept = vg_arena_text(arena, name);
        entry->name = vg_bytes(kept, name.size);
        return kept != NULL;
    }
    return true;
}

enum vg_reason vg_directory_entry_make(
    enum vg_directory_kind kind,
    struct vg_bytes record,
    const struct vg_directory_memory *memory,
    struct vg_directory_entry **out_entry,
    struct vg_error *error)
{
    const struct vg_directory_kind_row *row = &vg_directory_kinds[kind];
    struct vg_arena scratch;
    vg_arena_init(&scratch, VG_DIRECTORY_RECORD_ARENA_BYTES);
    ProtobufCMessage *message = NULL;
    enum vg_reason reason =
        vg_wire_decode(row->table, record, &vg_wire_policy_record, &scratch, &message, NULL);
    struct vg_directory_entry *entry = NULL;
    if (reason == VG_OK) {
        entry = vg_arena_calloc(memory->arena, 1, sizeof(*entry));
    }
    if (entry == NULL || !row->make(message, memory, entry) ||
        !fold_name(kind, memory->arena, entry)) {
        reason = vg_error_set(error, VG_STORE_CORRUPT, NULL);
        (void)vg_error_detail(error, "a record of the directory, kind %d", (int)kind);
    } else {
        *out_entry = entry;
    }
    vg_arena_dispose(&scratch);
    return reason;
}
