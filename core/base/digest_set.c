#include "core/base/digest_set.h"

#include <stdlib.h>

#include "core/base/shared_work.h"

/* Below that the work is done before a helper has come. */
#define SHARED_BYTES_MIN (64u * 1024u)

struct vg_digest_set {
    struct vg_digest *digests[VG_DIGEST_KIND_COUNT];
};

struct vg_digest_set *vg_digest_set_create(void)
{
    struct vg_digest_set *set = calloc(1, sizeof(*set));
    for (unsigned kind = 0; set != NULL && kind < VG_DIGEST_KIND_COUNT; kind++) {
        set->digests[kind] = vg_digest_create((enum vg_digest_kind)kind);
        if (set->digests[kind] == NULL) {
            vg_digest_set_destroy(set);
            return NULL;
        }
    }
    return set;
}

void vg_digest_set_destroy(struct vg_digest_set *set)
{
    for (unsigned kind = 0; set != NULL && kind < VG_DIGEST_KIND_COUNT; kind++) {
        vg_digest_destroy(set->digests[kind]);
    }
    free(set);
}

/* The slow ones first, so that two threads end at about the same time. */
static const enum vg_digest_kind in_order[VG_DIGEST_KIND_COUNT] = { VG_DIGEST_KIND_SHA512,
                                                                    VG_DIGEST_KIND_MD5,
                                                                    VG_DIGEST_KIND_SHA256,
                                                                    VG_DIGEST_KIND_SHA1 };

struct addition {
    struct vg_digest_set *set;
    struct vg_bytes bytes;
};

static bool add_to(void *owner, uint32_t first, uint32_t count)
{
    const struct addition *addition = owner;
    for (uint32_t i = first; i < first + count; i++) {
        vg_digest_add(addition->set->digests[in_order[i]], addition->bytes);
    }
    return true;
}

void vg_digest_set_add(
    struct vg_digest_set *set,
    struct vg_bytes bytes,
    struct vg_executor *helpers)
{
    struct addition addition = { .set = set, .bytes = bytes };
    const struct vg_shared_work work = {
        .count = VG_DIGEST_KIND_COUNT,
        .slice = 1,
        .run = add_to,
        .owner = &addition,
    };
    vg_shared_work_run(&work, bytes.size < SHARED_BYTES_MIN ? NULL : helpers);
}

void vg_digest_set_finish(struct vg_digest_set *set, struct vg_digests *out_digests)
{
    vg_digest_finish(set->digests[VG_DIGEST_KIND_SHA256], out_digests->sha256);
    vg_digest_finish(set->digests[VG_DIGEST_KIND_SHA512], out_digests->sha512);
    vg_digest_finish(set->digests[VG_DIGEST_KIND_SHA1], out_digests->sha1);
    vg_digest_finish(set->digests[VG_DIGEST_KIND_MD5], out_digests->md5);
}
