#include "rpc/service/trace.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/base/random.h"

#define VERSION_SIZE 2u
#define TRACE_AT     3u
#define SPAN_AT      36u
#define FLAGS_AT     53u
#define TEXT_SIZE    (VG_TRACE_TEXT_SIZE - 1)
#define FLAG_SAMPLED 0x01u
#define KEY_SIZE_MAX 256u
#define TENANT_MAX   241u
#define SYSTEM_MAX   14u
#define VALUE_MAX    256u

/* Lower-case hexadecimal digits to bytes; upper case is none (section 3.2.2). */
static bool read_hex(const uint8_t *text, size_t size, uint8_t *out)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= 'A' && text[i] <= 'F') {
            return false;
        }
    }
    return vg_hex_decode(vg_bytes(text, size), out);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= bytes[i];
    }
    return all == 0;
}

bool vg_trace_parse(struct vg_bytes text, struct vg_trace_parent *out_parent)
{
    struct vg_trace_parent parent;
    uint8_t version;
    uint8_t flags;
    const uint8_t *data = text.data;
    if (text.size < TEXT_SIZE || data[VERSION_SIZE] != '-' || data[SPAN_AT - 1] != '-' ||
        data[FLAGS_AT - 1] != '-' || !read_hex(data, VERSION_SIZE, &version) ||
        !read_hex(data + TRACE_AT, 2 * sizeof(parent.trace_id), parent.trace_id) ||
        !read_hex(data + SPAN_AT, 2 * sizeof(parent.span), parent.span) ||
        !read_hex(data + FLAGS_AT, 2, &flags)) {
        return false;
    }
    /* A version to come may have more behind a dash (section 3.2.4). */
    bool ends =
        version == 0 ? text.size == TEXT_SIZE : text.size == TEXT_SIZE || data[TEXT_SIZE] == '-';
    if (!ends || version == 0xFF || is_zero(parent.trace_id, sizeof(parent.trace_id)) ||
        is_zero(parent.span, sizeof(parent.span))) {
        return false;
    }
    parent.sampled = (flags & FLAG_SAMPLED) != 0;
    *out_parent = parent;
    return true;
}

static bool is_small(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_key_text(struct vg_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (!is_small(byte) && !is_digit(byte) && byte != '_' && byte != '-' && byte != '*' &&
            byte != '/') {
            return false;
        }
    }
    return text.size > 0;
}

/* Section 3.3.1.3.1: a simple key, or tenant@system. */
static bool is_key(struct vg_bytes key)
{
    const uint8_t *at = key.size == 0 ? NULL : memchr(key.data, '@', key.size);
    if (at == NULL) {
        return key.size <= KEY_SIZE_MAX && is_key_text(key) && is_small(key.data[0]);
    }
    struct vg_bytes tenant = vg_bytes(key.data, (size_t)(at - key.data));
    struct vg_bytes system = vg_bytes(at + 1, key.size - tenant.size - 1);
    return tenant.size <= TENANT_MAX && is_key_text(tenant) &&
           (is_small(tenant.data[0]) || is_digit(tenant.data[0])) && system.size <= SYSTEM_MAX &&
           is_key_text(system) && is_small(system.data[0]);
}

/* Section 3.3.1.3.2. */
static bool is_value(struct vg_bytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte < 0x20 || byte > 0x7E || byte == ',' || byte == '=') {
            return false;
        }
    }
    return value.size > 0 && value.size <= VALUE_MAX && value.data[value.size - 1] != ' ';
}

static struct vg_bytes trim(struct vg_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = vg_bytes(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

static bool is_among(const struct vg_bytes *keys, size_t count, struct vg_bytes key)
{
    for (size_t i = 0; i < count; i++) {
        if (vg_bytes_equal(keys[i], key)) {
            return true;
        }
    }
    return false;
}

bool vg_trace_state_is_valid(struct vg_bytes text)
{
    struct vg_bytes keys[VG_TRACE_STATE_MEMBERS_MAX];
    size_t count = 0;
    if (text.size > VG_TRACE_STATE_BYTES_MAX) {
        return false;
    }
    for (size_t at = 0; at < text.size;) {
        const uint8_t *start = text.data + at;
        const uint8_t *comma = memchr(start, ',', text.size - at);
        size_t size = comma == NULL ? text.size - at : (size_t)(comma - start);
        at += size + 1;
        struct vg_bytes member = trim(vg_bytes(start, size));
        if (member.size == 0) {
            continue; /* empty members are allowed */
        }
        const uint8_t *equals = memchr(member.data, '=', member.size);
        if (equals == NULL || count == VG_TRACE_STATE_MEMBERS_MAX) {
            return false;
        }
        struct vg_bytes key = vg_bytes(member.data, (size_t)(equals - member.data));
        if (!is_key(key) || !is_value(vg_bytes(equals + 1, member.size - key.size - 1)) ||
            is_among(keys, count, key)) {
            return false;
        }
        keys[count++] = key;
    }
    return count > 0;
}

bool vg_trace_request_id_is_sane(struct vg_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_letter = is_small(byte | 0x20) && byte < 0x80;
        if (!is_letter && !is_digit(byte) && (byte == 0 || strchr("-_.:/+=@~", byte) == NULL)) {
            return false;
        }
    }
    return text.size > 0 && text.size <= VG_TRACE_REQUEST_ID_MAX;
}

/* Each thread counts from a random number of its own; the steps and the mixing are those of
 * splitmix64 (Steele, Lea, Flood 2014), which gives no number twice in 2^64 steps. */
uint64_t vg_trace_new_id(void)
{
    static _Thread_local uint64_t state;
    static _Thread_local bool is_seeded;
    if (!is_seeded) {
        state = vg_random_u64(vg_random_real());
        is_seeded = true;
    }
    uint64_t mixed = 0;
    while (mixed == 0) {
        state += UINT64_C(0x9E3779B97F4A7C15);
        mixed = state;
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
        mixed ^= mixed >> 31;
    }
    return mixed;
}

void vg_trace_print_number(uint64_t number, char out_text[VG_TRACE_NUMBER_SIZE])
{
    uint8_t bytes[sizeof(number)];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    vg_hex_encode(vg_bytes(bytes, sizeof(bytes)), out_text);
    out_text[VG_TRACE_NUMBER_SIZE - 1] = '\0';
}

void vg_trace_print_response(
    const struct vg_trace_parent *parent,
    uint64_t span,
    char out_text[VG_TRACE_TEXT_SIZE])
{
    memcpy(out_text, "00-", TRACE_AT);
    vg_hex_encode(vg_bytes(parent->trace_id, sizeof(parent->trace_id)), out_text + TRACE_AT);
    out_text[SPAN_AT - 1] = '-';
    vg_trace_print_number(span, out_text + SPAN_AT);
    memcpy(out_text + FLAGS_AT - 1, parent->sampled ? "-01" : "-00", 4);
}
