#include "core/events/event_link.h"

#include <string.h>

#include "core/base/buffer.h"
#include "core/base/text_number.h"

/* A link longer than browsers take is of no use. */
#define VG_LINK_BYTES_MAX 65536u

struct template
{
    struct vg_bytes name;
    enum vg_event_link_type type;
    struct vg_bytes uri;
};

/* ----------------------------------------------------------------------------------- templates */

/* The next word of `rest`; size 0 at the end. */
static struct vg_bytes take_word(const char **rest)
{
    const char *at = *rest + strspn(*rest, " \t\n");
    size_t size = strcspn(at, " \t\n");
    *rest = at + size;
    return vg_bytes(at, size);
}

static bool split(struct vg_bytes word, struct template *out_template)
{
    const char *text = (const char *)word.data;
    const char *first = memchr(text, '=', word.size);
    if (first == NULL) {
        return false;
    }
    const char *type = first + 1;
    size_t left = word.size - (size_t)(type - text);
    const char *second = memchr(type, '=', left);
    if (second == NULL || first == text) {
        return false;
    }
    struct vg_bytes kind = vg_bytes(type, (size_t)(second - type));
    out_template->name = vg_bytes(text, (size_t)(first - text));
    out_template->uri = vg_bytes(second + 1, (size_t)(text + word.size - second - 1));
    if (vg_bytes_equal(kind, vg_bytes_text("generic"))) {
        out_template->type = VG_EVENT_LINK_GENERIC;
    } else if (vg_bytes_equal(kind, vg_bytes_text("specific"))) {
        out_template->type = VG_EVENT_LINK_SPECIFIC;
    } else {
        return false;
    }
    return out_template->uri.size != 0;
}

/* What a template can name. */
enum vg_link_place {
    VG_LINK_ID,
    VG_LINK_TYPE,
    VG_LINK_TIMESTAMP,
    VG_LINK_CUSTOMER_ID,
    VG_LINK_EVENT_ID,
    VG_LINK_SIGNATURE,
    VG_LINK_SOURCE,
    VG_LINK_DESTINATION,
    VG_LINK_DOMAIN,
    VG_LINK_COUNT,
};

static bool find_place(struct vg_bytes name, enum vg_link_place *out_place)
{
    static const char *const names[VG_LINK_COUNT] = {
        [VG_LINK_ID] = "id",
        [VG_LINK_TYPE] = "type",
        [VG_LINK_TIMESTAMP] = "timestamp",
        [VG_LINK_CUSTOMER_ID] = "customerID",
        [VG_LINK_EVENT_ID] = "eventID",
        [VG_LINK_SIGNATURE] = "signature",
        [VG_LINK_SOURCE] = "sourceAddress",
        [VG_LINK_DESTINATION] = "destinationAddress",
        [VG_LINK_DOMAIN] = "domain",
    };
    for (enum vg_link_place place = 0; place < VG_LINK_COUNT; place++) {
        if (vg_bytes_equal(name, vg_bytes_text(names[place]))) {
            *out_place = place;
            return true;
        }
    }
    return false;
}

/* The next part of a URI: literal text up to a brace, or the name within a pair of them. False for
 * a brace without its fellow. */
static bool take_part(struct vg_bytes *rest, struct vg_bytes *out_part, bool *out_is_name)
{
    const char *text = (const char *)rest->data;
    *out_is_name = text[0] == '{';
    size_t size;
    if (*out_is_name) {
        const char *end = memchr(text, '}', rest->size);
        if (end == NULL) {
            return false;
        }
        *out_part = vg_bytes(text + 1, (size_t)(end - text - 1));
        size = (size_t)(end + 1 - text);
    } else {
        const char *brace = memchr(text, '{', rest->size);
        size = brace == NULL ? rest->size : (size_t)(brace - text);
        *out_part = vg_bytes(text, size);
    }
    *rest = vg_bytes(text + size, rest->size - size);
    return true;
}

static bool is_whole(struct vg_bytes uri)
{
    struct vg_bytes part;
    bool is_name;
    enum vg_link_place place;
    while (uri.size != 0) {
        if (!take_part(&uri, &part, &is_name) || (is_name && !find_place(part, &place))) {
            return false;
        }
    }
    return true;
}

enum vg_reason vg_event_link_check(const char *templates, struct vg_error *error)
{
    const char *rest = templates;
    struct vg_bytes word;
    while ((word = take_word(&rest)).size != 0) {
        struct template template;
        if (!split(word, &template) || !is_whole(template.uri)) {
            return vg_error_set(
                error,
                VG_CONFIG,
                "event_links: %.*s is not NAME=TYPE=URI with TYPE generic or specific and known "
                "{names}",
                (int)(word.size < 60 ? word.size : 60),
                (const char *)word.data);
        }
    }
    return VG_OK;
}

/* --------------------------------------------------------------------------------------- links */

static struct vg_bytes print_network(const struct vg_network *network, char *out_text)
{
    return network->family == VG_NETWORK_NONE
               ? vg_bytes(NULL, 0)
               : vg_bytes(out_text, vg_network_print(network, out_text));
}

/* What the event has for `place`; data NULL = nothing. Numbers and ids are printed to `scratch`. */
static struct vg_bytes value_of(
    const struct vg_event_record *record,
    enum vg_link_place place,
    char scratch[VG_EVENT_ID_TEXT_SIZE])
{
    _Static_assert(
        VG_NETWORK_TEXT_SIZE <= VG_EVENT_ID_TEXT_SIZE &&
            VG_TEXT_NUMBER_SIZE < VG_EVENT_ID_TEXT_SIZE,
        "one scratch is enough for all");
    switch (place) {
    case VG_LINK_ID:
        return vg_bytes(scratch, vg_event_id_print(&record->id, scratch));
    case VG_LINK_TYPE:
        return vg_bytes_text(vg_event_type_prefix(record->id.type));
    case VG_LINK_TIMESTAMP:
        return vg_bytes(scratch, vg_text_number_print_int64(record->id.timestamp, scratch));
    case VG_LINK_CUSTOMER_ID:
        return vg_bytes(scratch, vg_text_number_print_int64(record->id.customer_id, scratch));
    case VG_LINK_EVENT_ID:
        vg_uuid_print(&record->id.uuid, scratch);
        return vg_bytes_text(scratch);
    case VG_LINK_SIGNATURE:
        return record->signature;
    case VG_LINK_SOURCE:
        return print_network(&record->source.network, scratch);
    case VG_LINK_DESTINATION:
        return print_network(&record->destination.network, scratch);
    case VG_LINK_DOMAIN:
        return record->domain;
    case VG_LINK_COUNT:
        break;
    }
    return vg_bytes(NULL, 0);
}

static bool is_unreserved(uint8_t character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || strchr("-._~", character) != NULL;
}

/* RFC 3986 §2.1; a NUL cannot be in a text. */
static void append_encoded(struct vg_buffer *buffer, struct vg_bytes text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        uint8_t character = text.data[i];
        if (is_unreserved(character)) {
            vg_buffer_append_byte(buffer, character);
        } else {
            const char escape[] = { '%', digits[character >> 4], digits[character & 15] };
            vg_buffer_append(buffer, escape, sizeof(escape));
        }
    }
}

/* False when the event lacks what the template names. */
static bool fill(
    const struct template *template,
    const struct vg_event_record *record,
    struct vg_buffer *buffer)
{
    struct vg_bytes rest = template->uri;
    struct vg_bytes part;
    bool is_name = false;
    while (rest.size != 0 && take_part(&rest, &part, &is_name)) {
        char scratch[VG_EVENT_ID_TEXT_SIZE];
        enum vg_link_place place;
        if (!is_name) {
            vg_buffer_append(buffer, part.data, part.size);
            continue;
        }
        struct vg_bytes value =
            find_place(part, &place) ? value_of(record, place, scratch) : vg_bytes(NULL, 0);
        if (value.data == NULL) {
            return false;
        }
        append_encoded(buffer, value);
    }
    return true;
}

enum vg_reason vg_event_link_make(
    const char *templates,
    const struct vg_event_record *record,
    struct vg_arena *arena,
    struct vg_event_link **out_links,
    size_t *out_count)
{
    size_t words = 0;
    const char *rest = templates;
    while (take_word(&rest).size != 0) {
        words++;
    }
    struct vg_event_link *links = vg_arena_calloc(arena, words, sizeof(*links));
    struct vg_buffer buffer;
    vg_buffer_init(&buffer, VG_LINK_BYTES_MAX);
    size_t count = 0;
    bool has_memory = links != NULL;
    rest = templates;
    for (size_t i = 0; i < words && has_memory; i++) {
        struct template template;
        vg_buffer_clear(&buffer);
        if (!split(take_word(&rest), &template) || !fill(&template, record, &buffer) ||
            buffer.failed) {
            continue;
        }
        links[count].name = template.name;
        links[count].type = template.type;
        links[count].uri = vg_arena_text(arena, vg_buffer_bytes(&buffer));
        has_memory = links[count++].uri != NULL;
    }
    vg_buffer_dispose(&buffer);
    if (!has_memory) {
        return VG_REQUEST_MEMORY;
    }
    *out_links = links;
    *out_count = count;
    return VG_OK;
}
