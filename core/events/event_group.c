#include "core/events/event_group.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/network.h"
#include "core/base/text_number.h"
#include "core/events/event_access.h"
#include "core/events/event_table.h"
#include "core/query/group_tree.h"
#include "core/record/event_record.h"

uint32_t vg_event_group_column(enum vg_event_group_field field)
{
    static const uint32_t columns[VG_EVENT_GROUP_FIELD_COUNT] = {
        [VG_EVENT_GROUP_SIGNATURE] = VG_EVENT_COLUMN_SIGNATURE,
        [VG_EVENT_GROUP_ATTACK_CATEGORY] = VG_EVENT_COLUMN_CATEGORY,
        [VG_EVENT_GROUP_ALARM] = VG_EVENT_COLUMN_ALARM,
        [VG_EVENT_GROUP_LOCATION] = VG_EVENT_COLUMN_LOCATION,
        [VG_EVENT_GROUP_SEVERITY] = VG_EVENT_COLUMN_SEVERITY,
        [VG_EVENT_GROUP_SOURCE_IP] = VG_EVENT_COLUMN_SOURCE,
        [VG_EVENT_GROUP_DESTINATION_IP] = VG_EVENT_COLUMN_DESTINATION,
        [VG_EVENT_GROUP_PROTOCOL] = VG_EVENT_COLUMN_PROTOCOL,
        [VG_EVENT_GROUP_CUSTOMER] = VG_EVENT_COLUMN_CUSTOMER,
        [VG_EVENT_GROUP_SOURCE_COUNTRY] = VG_EVENT_COLUMN_SOURCE_COUNTRY,
        [VG_EVENT_GROUP_DESTINATION_COUNTRY] = VG_EVENT_COLUMN_DESTINATION_COUNTRY,
        [VG_EVENT_GROUP_ASSOCIATED_CASE] = VG_EVENT_COLUMN_CASES,
        [VG_EVENT_GROUP_NOTHING] = VG_AGGREGATE_NO_COLUMN,
    };
    VG_ASSERT(field > VG_EVENT_GROUP_UNSET && field < VG_EVENT_GROUP_FIELD_COUNT);
    return columns[field];
}

bool vg_event_group_shows(
    const struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group)
{
    if (field != VG_EVENT_GROUP_ASSOCIATED_CASE) {
        return true;
    }
    const struct vg_case *subject = vg_directory_case(groups->directory, group->value.number);
    return subject != NULL && vg_event_access_reads_case(groups->principal, subject);
}

/* --------------------------------------------------------------------------------------- texts */

static enum vg_reason copy(
    struct vg_event_groups *groups,
    struct vg_bytes from,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    const char *text = vg_arena_text(groups->arena, from);
    if (text == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_text = vg_bytes(text, from.size);
    return VG_OK;
}

static enum vg_reason print_number(
    struct vg_event_groups *groups,
    int64_t number,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    char text[VG_TEXT_NUMBER_SIZE];
    size_t size = vg_text_number_print_int64(number, text);
    return copy(groups, vg_bytes(text, size), out_text, error);
}

static enum vg_reason print_network(
    struct vg_event_groups *groups,
    const struct vg_network *network,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    char text[VG_NETWORK_TEXT_SIZE];
    size_t size = vg_network_print(network, text);
    return copy(groups, vg_bytes(text, size), out_text, error);
}

static struct vg_bytes severity_word(int64_t severity)
{
    static const char *const words[] = { "", "low", "medium", "high", "critical" };
    VG_ASSERT(severity >= 0 && severity < (int64_t)VG_ARRAY_COUNT(words));
    return vg_bytes_text(words[severity]);
}

/* By number of vigil.events.v2.Protocol. */
static struct vg_bytes protocol_word(int64_t protocol)
{
    static const char *const words[] = { "", "tcp", "udp", "icmp", "ip", "esp", "unknown" };
    return vg_bytes_text(words[vg_event_protocol_shown((int32_t)protocol)]);
}

/* The record of an event of the group; its texts stay until the next one is read. */
static enum vg_reason read_example(
    struct vg_event_groups *groups,
    const struct vg_aggregate_group *group,
    const struct vg_event_record **out_record,
    struct vg_error *error)
{
    const void *record = NULL;
    enum vg_reason reason =
        groups->reader->reader.read(groups->reader->reader.owner, &group->example, &record, error);
    if (reason == VG_OK) {
        *out_record = record;
    }
    return reason;
}

/* A text of the dictionary, or of the record when the dictionary was full. */
static enum vg_reason signature_text(
    struct vg_event_groups *groups,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    if (!group->value.beyond) {
        *out_text = group->value.bytes;
        return VG_OK;
    }
    const struct vg_event_record *record = NULL;
    enum vg_reason reason = read_example(groups, group, &record, error);
    return reason == VG_OK ? copy(groups, record->signature, out_text, error) : reason;
}

enum vg_reason vg_event_group_identify(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_identifier,
    struct vg_error *error)
{
    const struct vg_value *value = &group->value;
    switch (field) {
    case VG_EVENT_GROUP_SIGNATURE:
        return signature_text(groups, group, out_identifier, error);
    case VG_EVENT_GROUP_SOURCE_COUNTRY:
    case VG_EVENT_GROUP_DESTINATION_COUNTRY:
        VG_ASSERT(!value->beyond); /* there are few countries */
        *out_identifier = value->bytes;
        return VG_OK;
    case VG_EVENT_GROUP_SEVERITY:
        *out_identifier = severity_word(value->number);
        return VG_OK;
    case VG_EVENT_GROUP_PROTOCOL:
        *out_identifier = protocol_word(value->number);
        return VG_OK;
    case VG_EVENT_GROUP_SOURCE_IP:
    case VG_EVENT_GROUP_DESTINATION_IP:
        return print_network(groups, &value->network, out_identifier, error);
    case VG_EVENT_GROUP_CUSTOMER:
        return print_number(groups, value->numbers.items[0], out_identifier, error);
    case VG_EVENT_GROUP_ATTACK_CATEGORY:
    case VG_EVENT_GROUP_ALARM:
    case VG_EVENT_GROUP_LOCATION:
    case VG_EVENT_GROUP_ASSOCIATED_CASE:
        return print_number(groups, value->number, out_identifier, error);
    case VG_EVENT_GROUP_UNSET:
    case VG_EVENT_GROUP_NOTHING:
    case VG_EVENT_GROUP_FIELD_COUNT:
        break;
    }
    VG_ASSERT(field != field);
    return VG_INTERNAL;
}

/* --------------------------------------------------------------------------------------- names */

/* Names a group goes by; data NULL where there is none. */
struct names {
    struct vg_bytes short_name;
    struct vg_bytes name;
};

static int compare_alarms(const void *a, const void *b)
{
    const struct vg_signature *one = *(const struct vg_signature *const *)a;
    const struct vg_signature *other = *(const struct vg_signature *const *)b;
    return (one->alarm_id > other->alarm_id) - (one->alarm_id < other->alarm_id);
}

static int compare_categories(const void *a, const void *b)
{
    const struct vg_signature *one = *(const struct vg_signature *const *)a;
    const struct vg_signature *other = *(const struct vg_signature *const *)b;
    return (one->category_id > other->category_id) - (one->category_id < other->category_id);
}

/* The signatures of the directory in an order; NULL when the arena is full. */
static const struct vg_signature **sort_signatures(
    struct vg_event_groups *groups,
    int (*compare)(const void *a, const void *b))
{
    size_t count = vg_directory_count(groups->directory, VG_DIRECTORY_SIGNATURE);
    const struct vg_signature **list = vg_arena_calloc(groups->arena, count + 1, sizeof(*list));
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i] = vg_directory_at(groups->directory, VG_DIRECTORY_SIGNATURE, i);
    }
    if (list != NULL && count != 0) {
        qsort(list, count, sizeof(*list), compare);
    }
    return list;
}

/* A signature with the key's alarm or category; *out_found NULL when the directory has none. */
static enum vg_reason find_signature(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    int64_t id,
    const struct vg_signature **out_found,
    struct vg_error *error)
{
    bool alarm = field == VG_EVENT_GROUP_ALARM;
    int (*compare)(const void *a, const void *b) = alarm ? compare_alarms : compare_categories;
    const struct vg_signature ***list = alarm ? &groups->by_alarm : &groups->by_category;
    if (*list == NULL) {
        *list = sort_signatures(groups, compare);
    }
    if (*list == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    const struct vg_signature wanted = { .alarm_id = id, .category_id = id };
    const struct vg_signature *key = &wanted;
    size_t count = vg_directory_count(groups->directory, VG_DIRECTORY_SIGNATURE);
    const struct vg_signature *const *found =
        count == 0 ? NULL : bsearch(&key, *list, count, sizeof(key), compare);
    *out_found = found == NULL ? NULL : *found;
    return VG_OK;
}

static enum vg_reason copy_names(
    struct vg_event_groups *groups,
    struct vg_bytes short_name,
    struct vg_bytes name,
    struct names *out_names,
    struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    if (short_name.data != NULL) {
        reason = copy(groups, short_name, &out_names->short_name, error);
    }
    if (reason == VG_OK && name.data != NULL) {
        reason = copy(groups, name, &out_names->name, error);
    }
    return reason;
}

static enum vg_reason attack_names(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct names *out_names,
    struct vg_error *error)
{
    bool alarm = field == VG_EVENT_GROUP_ALARM;
    const struct vg_signature *found = NULL;
    enum vg_reason reason = find_signature(groups, field, group->value.number, &found, error);
    if (reason != VG_OK) {
        return reason;
    }
    if (found != NULL) {
        return copy_names(
            groups,
            vg_bytes_text(alarm ? found->alarm_short_name : found->category_short_name),
            vg_bytes_text(alarm ? found->alarm_description : found->category_name),
            out_names,
            error);
    }
    const struct vg_event_record *record = NULL;
    reason = read_example(groups, group, &record, error);
    if (reason != VG_OK) {
        return reason;
    }
    return copy_names(
        groups,
        alarm ? record->alarm_short_name : record->category_short_name,
        alarm ? record->alarm_description : record->category_name,
        out_names,
        error);
}

/* Names of what the directory has by id. */
static enum vg_reason directory_names(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_value *value,
    struct names *out_names,
    struct vg_error *error)
{
    const char *short_name = NULL;
    const char *name = NULL;
    if (field == VG_EVENT_GROUP_CUSTOMER) {
        const struct vg_customer *customer =
            vg_directory_customer(groups->directory, value->numbers.items[0]);
        short_name = customer == NULL ? NULL : customer->short_name;
        name = customer == NULL ? NULL : customer->name;
    } else if (field == VG_EVENT_GROUP_LOCATION) {
        const struct vg_location *location =
            vg_directory_location(groups->directory, value->number);
        short_name = location == NULL ? NULL : location->short_name;
        name = location == NULL ? NULL : location->name;
    } else if (field == VG_EVENT_GROUP_ASSOCIATED_CASE) {
        const struct vg_case *subject = vg_directory_case(groups->directory, value->number);
        name = subject == NULL ? NULL : subject->subject;
    }
    return copy_names(groups, vg_bytes_text(short_name), vg_bytes_text(name), out_names, error);
}

static enum vg_reason find_names(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct names *out_names,
    struct vg_error *error)
{
    return field == VG_EVENT_GROUP_ALARM || field == VG_EVENT_GROUP_ATTACK_CATEGORY
               ? attack_names(groups, field, group, out_names, error)
               : directory_names(groups, field, &group->value, out_names, error);
}

enum vg_reason vg_event_group_describe(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_event_group_names *out_names,
    struct vg_error *error)
{
    struct vg_bytes identifier = { 0 };
    struct names names = { 0 };
    enum vg_reason reason = vg_event_group_identify(groups, field, group, &identifier, error);
    if (reason == VG_OK) {
        reason = find_names(groups, field, group, &names, error);
    }
    if (reason != VG_OK) {
        return reason;
    }
    char *text = vg_arena_text(groups->arena, identifier);
    char *short_name =
        names.short_name.data == NULL ? text : vg_arena_text(groups->arena, names.short_name);
    char *name = names.name.data == NULL ? text : vg_arena_text(groups->arena, names.name);
    if (text == NULL || short_name == NULL || name == NULL) {
        return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
    }
    *out_names = (struct vg_event_group_names){ text, short_name, name };
    return VG_OK;
}

/* What v1 shows of an alarm or category is its name, of others that have one the short name. */
static enum vg_reason named_text(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    struct names names = { 0 };
    enum vg_reason reason = find_names(groups, field, group, &names, error);
    if (reason != VG_OK) {
        return reason;
    }
    bool attack = field == VG_EVENT_GROUP_ALARM || field == VG_EVENT_GROUP_ATTACK_CATEGORY;
    struct vg_bytes text = attack ? names.name : names.short_name;
    if (text.data == NULL) {
        return vg_event_group_identify(groups, field, group, out_text, error);
    }
    *out_text = text;
    return VG_OK;
}

enum vg_reason vg_event_group_text(
    struct vg_event_groups *groups,
    enum vg_event_group_field field,
    const struct vg_aggregate_group *group,
    struct vg_bytes *out_text,
    struct vg_error *error)
{
    *out_text = vg_bytes(NULL, 0);
    if (field == VG_EVENT_GROUP_NOTHING) {
        return VG_OK;
    }
    enum vg_column_kind kind = vg_event_table_schema.columns[vg_event_group_column(field)].kind;
    if (vg_group_is_absent(kind, &group->value)) {
        return VG_OK;
    }
    if (field == VG_EVENT_GROUP_PROTOCOL) {
        char text[VG_EVENT_PROTOCOL_TEXT_SIZE];
        size_t size = vg_event_protocol_print((int32_t)group->value.number, text);
        return copy(groups, vg_bytes(text, size), out_text, error);
    }
    bool named = field == VG_EVENT_GROUP_ALARM || field == VG_EVENT_GROUP_ATTACK_CATEGORY ||
                 field == VG_EVENT_GROUP_LOCATION || field == VG_EVENT_GROUP_CUSTOMER;
    return named ? named_text(groups, field, group, out_text, error)
                 : vg_event_group_identify(groups, field, group, out_text, error);
}
