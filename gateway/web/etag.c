#include "gateway/web/etag.h"

#include <string.h>

/* 2^64 divided by the golden ratio, made odd: multiplying by it spreads every bit upwards. */
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_FACTOR;
    return hash ^ hash >> 32;
}

/* Tells answers apart, eight bytes at a time; nobody gains by two that have the same. Every step is
 * reversible, so answers that differ in one word differ in the end. A step waits for the one before
 * it: four lanes take turns with the words, so that the processor works on four at a time. */
#define HASH_LANES 4u

static uint64_t hash_bytes(struct vg_bytes bytes)
{
    uint64_t lanes[HASH_LANES] = { bytes.size, 1, 2, 3 };
    uint64_t words[HASH_LANES];
    while (bytes.size >= sizeof(words)) {
        memcpy(words, bytes.data, sizeof(words));
        lanes[0] = mix(lanes[0], words[0]);
        lanes[1] = mix(lanes[1], words[1]);
        lanes[2] = mix(lanes[2], words[2]);
        lanes[3] = mix(lanes[3], words[3]);
        bytes = vg_bytes(bytes.data + sizeof(words), bytes.size - sizeof(words));
    }
    memset(words, 0, sizeof(words));
    if (bytes.size > 0) {
        memcpy(words, bytes.data, bytes.size);
    }
    uint64_t hash = 0;
    for (size_t i = 0; i < HASH_LANES; i++) {
        hash = mix(hash, mix(lanes[i], words[i]));
    }
    return mix(hash, 0);
}

struct vg_etag vg_etag_make(uint64_t revision, struct vg_bytes body)
{
    return (struct vg_etag){ .revision = revision, .hash = hash_bytes(body) };
}

#define HASH_DIGITS 16u

/* The last `count` hexadecimal digits of `number`; returns where they end. */
static char *put_digits(char *out, uint64_t number, unsigned count)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = count; i > 0; i--) {
        out[i - 1] = digits[number & 15];
        number >>= 4;
    }
    return out + count;
}

void vg_etag_print(const struct vg_etag *tag, bool is_weak, char out_text[VG_ETAG_SIZE])
{
    char *at = out_text;
    if (is_weak) {
        *at++ = 'W';
        *at++ = '/';
    }
    *at++ = '"';
    if (tag->revision != 0) {
        at = put_digits(at, tag->revision, (67u - (unsigned)__builtin_clzll(tag->revision)) / 4);
        *at++ = '-';
    }
    at = put_digits(at, tag->hash, HASH_DIGITS);
    *at++ = '"';
    *at = '\0';
}

static void skip_blanks(struct vg_bytes *list)
{
    while (list->size > 0 &&
           (list->data[0] == ' ' || list->data[0] == '\t' || list->data[0] == ',')) {
        *list = vg_bytes(list->data + 1, list->size - 1);
    }
}

/* Take the next tag, with its quotes, off the front. False = there is none. */
static bool take_tag(struct vg_bytes *list, struct vg_bytes *out_tag, bool *out_weak)
{
    skip_blanks(list);
    *out_weak = list->size >= 2 && list->data[0] == 'W' && list->data[1] == '/';
    if (*out_weak) {
        *list = vg_bytes(list->data + 2, list->size - 2);
    }
    if (list->size < 2 || list->data[0] != '"') {
        return false;
    }
    const uint8_t *end = memchr(list->data + 1, '"', list->size - 1);
    if (end == NULL) {
        return false;
    }
    size_t size = (size_t)(end - list->data) + 1;
    *out_tag = vg_bytes(list->data, size);
    *list = vg_bytes(list->data + size, list->size - size);
    return list->size == 0 || list->data[0] == ',' || list->data[0] == ' ' || list->data[0] == '\t';
}

static bool is_any(struct vg_bytes list)
{
    skip_blanks(&list);
    return list.size > 0 && list.data[0] == '*' &&
           (list.size == 1 || list.data[1] == ' ' || list.data[1] == '\t');
}

bool vg_etag_is_listed(struct vg_bytes list, const struct vg_etag *tag, bool strong)
{
    char text[VG_ETAG_SIZE];
    struct vg_bytes one;
    bool is_weak = false;
    if (is_any(list)) {
        return true;
    }
    if (tag == NULL) {
        return false;
    }
    vg_etag_print(tag, false, text);
    while (take_tag(&list, &one, &is_weak)) {
        if (!(strong && is_weak) && vg_bytes_equal(one, vg_bytes_text(text))) {
            return true;
        }
    }
    return false;
}

/* "2f-00c0ffee00c0ffee" with its quotes: the first number; 0 = it is none of ours. */
static uint64_t read_revision(struct vg_bytes tag)
{
    uint64_t revision = 0;
    size_t at = 1;
    for (; at < tag.size && at <= 2 * sizeof(revision); at++) {
        uint8_t byte = tag.data[at];
        if (byte >= '0' && byte <= '9') {
            revision = revision << 4 | (uint64_t)(byte - '0');
        } else if (byte >= 'a' && byte <= 'f') {
            revision = revision << 4 | (uint64_t)(byte - 'a' + 10);
        } else {
            break;
        }
    }
    /* A dash, sixteen digits, a quote. */
    return at < tag.size && tag.data[at] == '-' && tag.size - at == 18 ? revision : 0;
}

size_t vg_etag_list_revisions(
    struct vg_bytes list,
    uint64_t out_revisions[VG_ETAG_REVISIONS_MAX],
    bool *out_any)
{
    struct vg_bytes tag;
    bool is_weak = false;
    size_t count = 0;
    *out_any = is_any(list);
    while (!*out_any && count < VG_ETAG_REVISIONS_MAX && take_tag(&list, &tag, &is_weak)) {
        uint64_t revision = is_weak ? 0 : read_revision(tag);
        if (revision != 0) {
            out_revisions[count++] = revision;
        }
    }
    return count;
}
