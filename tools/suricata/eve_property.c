#include "tools/suricata/eve_property.h"

#include <string.h>

#include "core/base/text_number.h"
#include "core/base/utf8.h"

enum vg_eve_shape { SHAPE_VALUES, SHAPE_NAMES, SHAPE_EACH };

static const struct property_row {
    const char *path;
    enum vg_eve_shape shape;
} rows[] = {
#define X(path, shape) { path, SHAPE_##shape },
#include "tools/suricata/eve_properties.def"
#undef X
};

/* Longer keys and values are cut by the server; it need not be sent what it cuts. */
#define VALUE_CODE_POINTS_MAX 1024u

#define PATH_SEGMENT_MAX 64u

/* The values of one property while they are collected. */
struct collection {
    struct vg_arena *arena;
    char *values[VG_EVE_VALUES_MAX];
    size_t count;
    bool failed; /* no memory */
};

/* The properties of one event. */
struct filling {
    const char *path; /* of the row */
    struct vg_arena *arena;
    Vigil__Events__V2__TextEntry *entries[VG_ARRAY_COUNT(rows) + 3 * VG_EVE_EACH_MAX];
    size_t count;
    bool failed;
};

static void add_text(struct collection *into, struct vg_bytes text)
{
    if (text.size == 0 || into->count == VG_EVE_VALUES_MAX) {
        return;
    }
    into->values[into->count] =
        vg_arena_text(into->arena, vg_utf8_cut(text, VALUE_CODE_POINTS_MAX));
    into->failed = into->failed || into->values[into->count] == NULL;
    into->count++;
}

static void add_scalar(struct collection *into, const cJSON *item)
{
    char number[VG_TEXT_NUMBER_SIZE];
    if (cJSON_IsString(item)) {
        add_text(into, vg_bytes_text(item->valuestring));
    } else if (cJSON_IsNumber(item) && item->valuedouble - item->valuedouble == 0) {
        size_t size = vg_text_number_print_double(item->valuedouble, number);
        add_text(into, vg_bytes(number, size));
    } else if (cJSON_IsBool(item)) {
        add_text(into, vg_bytes_text(cJSON_IsTrue(item) ? "true" : "false"));
    }
}

typedef void (*visitor)(void *owner, const cJSON *item);

/* Call `visit` for what stands at `path` below `item`. Lists add no level: each of their elements
 * is looked into. The depth is that of the path, and of lists within lists that cJSON allows. */
static void walk(const cJSON *item, const char *path, visitor visit, void *owner)
{
    if (item == NULL) {
        return;
    }
    if (cJSON_IsArray(item)) {
        const cJSON *element = NULL;
        cJSON_ArrayForEach(element, item)
        {
            walk(element, path, visit, owner);
        }
        return;
    }
    if (path == NULL) {
        visit(owner, item);
        return;
    }
    char name[PATH_SEGMENT_MAX];
    const char *point = strchr(path, '.');
    size_t size = point == NULL ? strlen(path) : (size_t)(point - path);
    memcpy(name, path, size); /* paths are ours: their segments are short */
    name[size] = '\0';
    walk(
        cJSON_GetObjectItemCaseSensitive(item, name),
        point == NULL ? NULL : point + 1,
        visit,
        owner);
}

static void visit_value(void *owner, const cJSON *item)
{
    add_scalar(owner, item);
}

static void visit_names(void *owner, const cJSON *item)
{
    const cJSON *child = NULL;
    if (!cJSON_IsObject(item)) {
        return;
    }
    cJSON_ArrayForEach(child, item)
    {
        add_text(owner, vg_bytes_text(child->string));
    }
}

/* One more property of the event, unless there are no values. `name` NULL = the row's own. */
static void add_entry(struct filling *filling, const char *name, const struct collection *values)
{
    if (values->count == 0 || filling->count == VG_ARRAY_COUNT(filling->entries)) {
        return;
    }
    Vigil__Events__V2__TextEntry *entry = vg_arena_alloc(filling->arena, sizeof(*entry));
    char **list = vg_arena_calloc(filling->arena, values->count, sizeof(*list));
    char *key = name == NULL
                    ? vg_arena_printf(filling->arena, "suricata.%s", filling->path)
                    : vg_arena_printf(filling->arena, "suricata.%s.%s", filling->path, name);
    if (entry == NULL || list == NULL || key == NULL || values->failed) {
        filling->failed = true;
        return;
    }
    memcpy(list, values->values, values->count * sizeof(*list));
    *entry = (Vigil__Events__V2__TextEntry)VIGIL__EVENTS__V2__TEXT_ENTRY__INIT;
    entry->key = key;
    entry->n_values = values->count;
    entry->values = list;
    filling->entries[filling->count++] = entry;
}

static void visit_each(void *owner, const cJSON *item)
{
    struct filling *filling = owner;
    const cJSON *child = NULL;
    size_t count = 0;
    if (!cJSON_IsObject(item)) {
        return;
    }
    cJSON_ArrayForEach(child, item)
    {
        struct collection values = { .arena = filling->arena };
        if (child->string[0] == '\0' || count == VG_EVE_EACH_MAX) {
            continue;
        }
        walk(child, NULL, visit_value, &values);
        add_entry(filling, child->string, &values);
        count++;
    }
}

bool vg_eve_property_fill(
    const cJSON *record,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest *request)
{
    struct filling filling = { .arena = arena };
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows) && !filling.failed; i++) {
        struct collection values = { .arena = arena };
        filling.path = rows[i].path;
        if (rows[i].shape == SHAPE_EACH) {
            walk(record, rows[i].path, visit_each, &filling);
        } else {
            walk(
                record,
                rows[i].path,
                rows[i].shape == SHAPE_NAMES ? visit_names : visit_value,
                &values);
            add_entry(&filling, NULL, &values);
        }
    }
    size_t size = filling.count * sizeof(filling.entries[0]);
    request->properties = vg_arena_alloc(arena, size);
    if (filling.failed || request->properties == NULL) {
        return false;
    }
    memcpy(request->properties, filling.entries, size);
    request->n_properties = filling.count;
    return true;
}

static void visit_first(void *owner, const cJSON *item)
{
    const char **first = owner;
    if (*first == NULL && cJSON_IsString(item) && item->valuestring[0] != '\0') {
        *first = item->valuestring;
    }
}

const char *vg_eve_property_text(const cJSON *record, const char *path)
{
    const char *first = NULL;
    walk(record, path, visit_first, &first);
    return first;
}
