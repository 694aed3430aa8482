/*
 * Headers that the REST face reads from strangers: Accept-Encoding, Host, Origin and lists of
 * entity tags. Nothing is read past its end, and what comes out keeps its bounds.
 *
 * Input: one value, given to each.
 *
 * Threads: one.
 */
#include <string.h>

#include "core/base/assert.h"
#include "core/base/authority.h"
#include "gateway/envelope/accept_coding.h"
#include "gateway/envelope/header_list.h"
#include "gateway/web/cors.h"
#include "gateway/web/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_coding(struct vg_bytes value)
{
    struct vg_accept_coding accept;
    vg_accept_coding_init(&accept);
    vg_accept_coding_add(&accept, value);
    bool wants = vg_accept_coding_wants_gzip(&accept);
    VG_ASSERT(accept.gzip <= (int16_t)VG_HEADER_QUALITY_MAX);
    vg_accept_coding_add(&accept, value);
    VG_ASSERT(vg_accept_coding_wants_gzip(&accept) == wants);
}

static void read_host(struct vg_bytes value)
{
    struct vg_authority authority;
    if (!vg_authority_parse(value, &authority)) {
        return;
    }
    VG_ASSERT(authority.name.size > 0 && authority.name.size <= value.size);
    VG_ASSERT(authority.port >= -1 && authority.port <= 65535);
    VG_ASSERT(memchr(authority.name.data, ',', authority.name.size) == NULL);
    VG_ASSERT(memchr(authority.name.data, '@', authority.name.size) == NULL);
    (void)vg_authority_is_local(&authority);
    VG_ASSERT(vg_authority_is_listed(authority.name, "*"));
    VG_ASSERT(!vg_authority_is_listed(authority.name, ""));
}

static void read_tags(struct vg_bytes value)
{
    uint64_t revisions[VG_ETAG_REVISIONS_MAX];
    const struct vg_etag tag = { .revision = 1, .hash = 2 };
    bool is_any = false;
    size_t count = vg_etag_list_revisions(value, revisions, &is_any);
    VG_ASSERT(count <= VG_ETAG_REVISIONS_MAX && !(is_any && count > 0));
    for (size_t i = 0; i < count; i++) {
        VG_ASSERT(revisions[i] != 0);
    }
    /* What is the same strongly is the same weakly. */
    VG_ASSERT(!vg_etag_is_listed(value, &tag, true) || vg_etag_is_listed(value, &tag, false));
    VG_ASSERT(vg_etag_is_listed(value, NULL, true) == is_any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_bytes value = vg_bytes(data, size);
    read_coding(value);
    read_host(value);
    read_tags(value);
    VG_ASSERT(vg_cors_judge(value, "") == VG_CORS_NONE);
    VG_ASSERT((vg_cors_judge(value, "*") == VG_CORS_ANY) == (size > 0));
    return 0;
}
