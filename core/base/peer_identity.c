#include "core/base/peer_identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"

static const char *const kind_words[VG_PEER_NAME_KIND_COUNT] = { "URI:", "DNS:", "email:", "CN:" };

/* Visible ASCII: what an IA5String of a subject alternative name may hold (RFC 5280 4.2.1.6). */
static bool is_visible_ascii(struct vg_bytes value)
{
    bool good = true;
    for (size_t i = 0; i < value.size && good; i++) {
        good = value.data[i] > ' ' && value.data[i] <= '~';
    }
    return good;
}

/* A common name may be of any language; controls (C0, DEL, C1) stand in no name, and blanks not at
 * its ends. */
static bool is_visible_text(struct vg_bytes value)
{
    bool good =
        vg_utf8_is_valid(value) && value.data[0] != ' ' && value.data[value.size - 1] != ' ';
    for (size_t i = 0; i < value.size && good; i++) {
        bool is_c1 = value.data[i] == 0xC2 && value.data[i + 1] < 0xA0;
        good = value.data[i] >= ' ' && value.data[i] != 0x7F && !is_c1;
    }
    return good;
}

static void lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text = (char)(*text + ('a' - 'A'));
        }
    }
}

bool vg_peer_name_make(
    enum vg_peer_name_kind kind,
    struct vg_bytes value,
    struct vg_peer_name *out_name)
{
    const char *word = kind_words[kind];
    size_t word_size = strlen(word);
    if (value.size == 0 || word_size + value.size > VG_LIMIT_CERTIFICATE_NAME_BYTES) {
        return false;
    }
    if (kind == VG_PEER_NAME_KIND_CN ? !is_visible_text(value) : !is_visible_ascii(value)) {
        return false;
    }
    memcpy(out_name->text, word, word_size);
    memcpy(out_name->text + word_size, value.data, value.size);
    out_name->size = word_size + value.size;
    out_name->text[out_name->size] = '\0';
    if (kind == VG_PEER_NAME_KIND_DNS) {
        lower(out_name->text + word_size);
    } else if (kind == VG_PEER_NAME_KIND_EMAIL) {
        /* RFC 5280 section 7.5: only the host compares without case. */
        char *host = strrchr(out_name->text, '@');
        if (host != NULL) {
            lower(host);
        }
    }
    return true;
}

bool vg_peer_name_parse(struct vg_bytes text, struct vg_peer_name *out_name)
{
    for (unsigned kind = 0; kind < VG_PEER_NAME_KIND_COUNT; kind++) {
        size_t size = strlen(kind_words[kind]);
        if (text.size > size && strncasecmp((const char *)text.data, kind_words[kind], size) == 0) {
            return vg_peer_name_make(
                (enum vg_peer_name_kind)kind,
                vg_bytes(text.data + size, text.size - size),
                out_name);
        }
    }
    return false;
}

struct vg_peer_identity *vg_peer_identity_create(
    const struct vg_peer_name *names,
    size_t name_count,
    vg_time expires)
{
    VG_ASSERT(name_count <= VG_LIMIT_CERTIFICATE_NAMES);
    size_t text_size = 0;
    for (size_t i = 0; i < name_count; i++) {
        text_size += names[i].size;
    }
    struct vg_peer_identity *identity =
        calloc(1, sizeof(*identity) + name_count * sizeof(struct vg_bytes) + text_size);
    if (identity == NULL) {
        return NULL;
    }
    struct vg_bytes *list = (struct vg_bytes *)(void *)(identity + 1);
    uint8_t *texts = (uint8_t *)(void *)(list + name_count);
    for (size_t i = 0; i < name_count; i++) {
        memcpy(texts, names[i].text, names[i].size);
        list[i] = vg_bytes(texts, names[i].size);
        texts += names[i].size;
    }
    atomic_init(&identity->references, 1);
    identity->expires = expires;
    identity->name_count = name_count;
    identity->names = list;
    return identity;
}

static struct vg_peer_identity *counted(const struct vg_peer_identity *identity)
{
    union {
        const struct vg_peer_identity *constant;
        struct vg_peer_identity *counted; /* only the count changes */
    } both = { identity };
    return both.counted;
}

const struct vg_peer_identity *vg_peer_identity_ref(const struct vg_peer_identity *identity)
{
    if (identity != NULL) {
        (void)atomic_fetch_add_explicit(&counted(identity)->references, 1, memory_order_relaxed);
    }
    return identity;
}

void vg_peer_identity_unref(const struct vg_peer_identity *identity)
{
    if (identity != NULL &&
        atomic_fetch_sub_explicit(&counted(identity)->references, 1, memory_order_acq_rel) == 1) {
        free(counted(identity));
    }
}
