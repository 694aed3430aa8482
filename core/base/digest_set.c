#include "core/base/digest_set.h"

#include <stdlib.h>

/* Each block goes through all four while it is in the first caches. */
#define BLOCK_BYTES 16384u

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

void vg_digest_set_add(struct vg_digest_set *set, struct vg_bytes bytes)
{
    while (bytes.size > 0) {
        size_t size = bytes.size < BLOCK_BYTES ? bytes.size : BLOCK_BYTES;
        for (unsigned kind = 0; kind < VG_DIGEST_KIND_COUNT; kind++) {
            vg_digest_add(set->digests[kind], vg_bytes(bytes.data, size));
        }
        bytes = vg_bytes(bytes.data + size, bytes.size - size);
    }
}

void vg_digest_set_finish(struct vg_digest_set *set, struct vg_digests *out_digests)
{
    vg_digest_finish(set->digests[VG_DIGEST_KIND_SHA256], out_digests->sha256);
    vg_digest_finish(set->digests[VG_DIGEST_KIND_SHA512], out_digests->sha512);
    vg_digest_finish(set->digests[VG_DIGEST_KIND_SHA1], out_digests->sha1);
    vg_digest_finish(set->digests[VG_DIGEST_KIND_MD5], out_digests->md5);
}
