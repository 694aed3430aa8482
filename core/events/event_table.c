#include "core/events/event_table.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/query/tokenizer.h"
#include "core/query/word_hash.h"

static const struct vg_column columns[VG_EVENT_COLUMNS] = {
#define X(column, kind_, width_, flags_)                                                           \
    [VG_EVENT_COLUMN_##column] = { .name = #column,                                                \
                                   .kind = VG_COLUMN_##kind_,                                      \
                                   .width = (width_),                                              \
                                   .flags = (flags_) },
#include "core/events/event_columns.def"
#undef X
};

const struct vg_table_schema vg_event_table_schema = {
    .name = "event",
    .columns = columns,
    .column_count = VG_EVENT_COLUMNS,
    .version = 3,
};

/* ----------------------------------------------------------------------------------- hashes */

uint64_t vg_event_table_key_hash(const uint8_t secret[16], struct vg_bytes key)
{
    return vg_siphash_short(secret, key);
}

uint64_t vg_event_table_value_hash(
    const uint8_t secret[16],
    uint64_t key_hash,
    struct vg_bytes value)
{
    return vg_siphash_behind(secret, key_hash, value);
}

uint64_t vg_event_table_domain_hash(const uint8_t secret[16], struct vg_bytes domain)
{
    return vg_siphash_short(secret, domain);
}

static bool set_properties(
    const struct vg_event_record *record,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_value *out_value)
{
    uint32_t count = record->property_count;
    for (uint32_t i = 0; i < record->property_count; i++) {
        count += record->properties[i].value_count;
    }
    if (count == 0) {
        return true;
    }
    uint64_t *hashes = vg_arena_alloc(arena, count * sizeof(*hashes));
    if (hashes == NULL) {
        return false;
    }
    uint32_t filled = 0;
    for (uint32_t i = 0; i < record->property_count; i++) {
        const struct vg_event_property *property = &record->properties[i];
        uint64_t key_hash = vg_event_table_key_hash(secret, property->key);
        hashes[filled++] = key_hash;
        for (uint32_t v = 0; v < property->value_count; v++) {
            hashes[filled++] = vg_event_table_value_hash(secret, key_hash, property->values[v]);
        }
    }
    out_value->hashes.items = hashes;
    out_value->hashes.count = count;
    return true;
}

/* -------------------------------------------------------------------------------------- words */

uint64_t vg_event_table_fingerprint(void)
{
    return vg_tokenizer_fingerprint();
}

/* A word that was among the last so many of its value is not noted again. */
#define WORDS_LOOKED_BACK 32u

/* Of a value of 1,024 characters, each of four bytes at most. */
#define VALUE_WORDS_MAX 2048u

struct words {
    uint32_t *items;
    uint32_t count;
    uint32_t room;
    bool too_many;
};

static bool is_repeated(const struct words *words, uint32_t first_of_value, uint32_t element)
{
    uint32_t back = words->count - first_of_value;
    uint32_t until = words->count - (back < WORDS_LOOKED_BACK ? back : WORDS_LOOKED_BACK);
    for (uint32_t i = words->count; i > until; i--) {
        if (words->items[i - 1] == element) {
            return true;
        }
    }
    return false;
}

static void add_words(
    struct words *words,
    const struct vg_word_key *key,
    struct vg_bytes value,
    uint32_t ordinal)
{
    uint64_t hashes[VALUE_WORDS_MAX];
    if (value.size > 2 * (size_t)VALUE_WORDS_MAX) {
        words->too_many = true;
        return;
    }
    uint32_t count = vg_word_hashes(key, value, hashes, VALUE_WORDS_MAX);
    uint32_t first = words->count;
    uint64_t met = 0; /* of 64 bits those that the words so far have */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t element = vg_token_element(hashes[i], ordinal);
        uint64_t bit = UINT64_C(1) << hashes[i] % 64;
        if ((met & bit) != 0 && is_repeated(words, first, element)) {
            continue;
        }
        if (words->count == words->room) {
            words->too_many = true;
            return;
        }
        met |= bit;
        words->items[words->count++] = element;
    }
}

/* Words of a value have a character between them, so there are at most half as many as bytes. */
static uint32_t words_bound(const struct vg_event_record *record)
{
    size_t bound = 0;
    for (uint32_t i = 0; i < record->property_count && bound < VG_ROW_LIST_MAX; i++) {
        const struct vg_event_property *property = &record->properties[i];
        for (uint32_t v = 0; v < property->value_count && bound < VG_ROW_LIST_MAX; v++) {
            bound += (property->values[v].size + 1) / 2;
        }
    }
    return bound < VG_ROW_LIST_MAX ? (uint32_t)bound : VG_ROW_LIST_MAX;
}

static bool set_words(
    const struct vg_event_record *record,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_value *out_value)
{
    struct words words = { .room = words_bound(record) };
    if (words.room == 0) {
        return true;
    }
    words.items = vg_arena_alloc(arena, words.room * sizeof(*words.items));
    if (words.items == NULL) {
        return false;
    }
    struct vg_word_key key = vg_word_key(secret);
    uint32_t ordinal = 0;
    for (uint32_t i = 0; i < record->property_count; i++) {
        const struct vg_event_property *property = &record->properties[i];
        for (uint32_t v = 0; v < property->value_count && !words.too_many; v++) {
            add_words(&words, &key, property->values[v], ordinal++);
        }
    }
    if (words.too_many) {
        words.items[0] = VG_TOKEN_ANY;
        words.count = 1;
    }
    /* What is not needed goes back to the arena, if nobody took memory meanwhile. */
    (void)!vg_arena_resize_last(
        arena,
        words.items,
        words.room * sizeof(*words.items),
        words.count * sizeof(*words.items));
    out_value->tokens.items = words.items;
    out_value->tokens.count = words.count;
    return true;
}

static bool set_domain(
    const struct vg_event_record *record,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_value *out_value)
{
    if (record->domain.data == NULL) {
        return true;
    }
    uint64_t *hash = vg_arena_alloc(arena, sizeof(*hash));
    if (hash == NULL) {
        return false;
    }
    *hash = vg_event_table_domain_hash(secret, record->domain);
    out_value->hashes.items = hash;
    out_value->hashes.count = 1;
    return true;
}

/* ------------------------------------------------------------------------------------- the row */

static void set_id(
    const struct vg_event_id *id,
    const int64_t *customer_id,
    const struct vg_uuid *uuid,
    struct vg_value *values)
{
    values[VG_EVENT_COLUMN_TIMESTAMP].number = id->timestamp;
    values[VG_EVENT_COLUMN_CUSTOMER].numbers.items = customer_id;
    values[VG_EVENT_COLUMN_CUSTOMER].numbers.count = 1;
    values[VG_EVENT_COLUMN_TYPE].number = id->type;
    values[VG_EVENT_COLUMN_UUID].bytes = vg_bytes(uuid->bytes, sizeof(uuid->bytes));
}

static int64_t or_absent(bool has, int64_t number)
{
    return has ? number : VG_ABSENT;
}

static void set_endpoint(
    const struct vg_event_endpoint *endpoint,
    const char *country_text,
    struct vg_value *address,
    struct vg_value *port,
    struct vg_value *country)
{
    address->network = endpoint->network;
    port->number = or_absent(endpoint->port != VG_EVENT_NO_PORT, endpoint->port);
    country->bytes = country_text[0] == 0 ? vg_bytes(NULL, 0) : vg_bytes(country_text, 2);
}

void vg_event_table_set_times(struct vg_row *row, const struct vg_event_times *times)
{
    struct vg_value *values = row->values;
    values[VG_EVENT_COLUMN_FIRST_EVENT].number = times->first_event;
    values[VG_EVENT_COLUMN_LAST_EVENT].number = times->last_event;
    values[VG_EVENT_COLUMN_LAST_UPDATED].number = times->last_updated;
    values[VG_EVENT_COLUMN_ENGINE_PERSISTED].number = times->engine_persisted;
    values[VG_EVENT_COLUMN_PUBLISHED].number = times->published;
    values[VG_EVENT_COLUMN_FIRST_ASSESSED].number =
        or_absent(times->first_assessed != 0, times->first_assessed);
}

static void set_scalars(const struct vg_event_record *record, struct vg_value *values)
{
    values[VG_EVENT_COLUMN_FLAGS_LOW].number = vg_flags_number(record->flags.bits[0]);
    values[VG_EVENT_COLUMN_FLAGS_HIGH].number = vg_flags_number(record->flags.bits[1]);
    values[VG_EVENT_COLUMN_SEVERITY].number = record->severity;
    values[VG_EVENT_COLUMN_COUNT].number = record->count;
    values[VG_EVENT_COLUMN_PROTOCOL].number =
        or_absent(record->protocol != VG_EVENT_NO_PROTOCOL, record->protocol);
    values[VG_EVENT_COLUMN_NO_PROTOCOL].number = record->protocol == VG_EVENT_NO_PROTOCOL;
    values[VG_EVENT_COLUMN_SIGNATURE].bytes = record->signature;
    values[VG_EVENT_COLUMN_NO_SIGNATURE].number = record->signature.data == NULL;
    values[VG_EVENT_COLUMN_ALARM].number = or_absent(record->has_alarm, record->alarm_id);
    values[VG_EVENT_COLUMN_CATEGORY].number = or_absent(record->has_alarm, record->category_id);
    values[VG_EVENT_COLUMN_LOCATION].number =
        or_absent(record->location_id != 0, record->location_id);
    values[VG_EVENT_COLUMN_CASES].numbers.items = record->cases;
    values[VG_EVENT_COLUMN_CASES].numbers.count = record->case_count;
}

/* A row and what it points at beside the texts of its record: it outlives the struct it is made
 * from. The id stands first, beside the columns that point at it. */
struct kept {
    int64_t customer_id;
    struct vg_uuid uuid;
    char source_country[2];
    char destination_country[2];
    struct vg_value values[VG_EVENT_COLUMNS];
};

bool vg_event_table_row(
    const struct vg_event_record *record,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row)
{
    struct kept *kept = vg_arena_calloc(arena, 1, sizeof(*kept));
    if (kept == NULL) {
        return false;
    }
    struct vg_value *values = kept->values;
    kept->customer_id = record->id.customer_id;
    kept->uuid = record->id.uuid;
    memcpy(kept->source_country, record->source.geo.country, 2);
    memcpy(kept->destination_country, record->destination.geo.country, 2);
    struct vg_row row = { .values = values };
    set_id(&record->id, &kept->customer_id, &kept->uuid, values);
    vg_event_table_set_times(&row, &record->times);
    set_scalars(record, values);
    set_endpoint(
        &record->source,
        kept->source_country,
        &values[VG_EVENT_COLUMN_SOURCE],
        &values[VG_EVENT_COLUMN_SOURCE_PORT],
        &values[VG_EVENT_COLUMN_SOURCE_COUNTRY]);
    set_endpoint(
        &record->destination,
        kept->destination_country,
        &values[VG_EVENT_COLUMN_DESTINATION],
        &values[VG_EVENT_COLUMN_DESTINATION_PORT],
        &values[VG_EVENT_COLUMN_DESTINATION_COUNTRY]);
    if (!set_domain(record, secret, arena, &values[VG_EVENT_COLUMN_DOMAIN]) ||
        !set_properties(record, secret, arena, &values[VG_EVENT_COLUMN_PROPERTIES]) ||
        !set_words(record, secret, arena, &values[VG_EVENT_COLUMN_PROPERTY_TOKENS])) {
        return false;
    }
    *out_row = row;
    return true;
}

void vg_event_table_id_row(const struct vg_event_id *id, struct vg_event_id_row *out_row)
{
    memset(out_row->values, 0, sizeof(out_row->values));
    out_row->row.values = out_row->values;
    out_row->id = *id;
    set_id(id, &out_row->id.customer_id, &out_row->id.uuid, out_row->values);
}

enum vg_reason vg_event_table_load(
    struct vg_bytes key,
    struct vg_bytes bytes,
    const uint8_t secret[16],
    struct vg_arena *arena,
    struct vg_row *out_row,
    struct vg_error *error)
{
    struct vg_event_id id;
    if (!vg_event_id_from_key(key, &id)) {
        return vg_error_set(error, VG_STORE_CORRUPT, NULL);
    }
    if (bytes.data == NULL) {
        struct vg_event_id_row *row = vg_arena_alloc(arena, sizeof(*row));
        if (row == NULL) {
            return vg_error_set(error, VG_REQUEST_MEMORY, NULL);
        }
        vg_event_table_id_row(&id, row);
        *out_row = row->row;
        return VG_OK;
    }
    struct vg_event_record record;
    enum vg_reason reason = vg_event_record_unpack(&id, bytes, arena, &record, error);
    if (reason != VG_OK) {
        return reason;
    }
    return vg_event_table_row(&record, secret, arena, out_row)
               ? VG_OK
               : vg_error_set(error, VG_REQUEST_MEMORY, NULL);
}
