/*
 * Entity tags (RFC 9110 §8.8.3) and the lists of them that conditional requests name (§13.1).
 *
 * A tag of ours says the revision of the object and a hash of the answer: "2f-00c0ffee00c0ffee".
 * The answer depends on more than the object (who asks, what is known of customers), so it is the
 * whole tag that says whether a client has this answer; a change asks for the revision alone, which
 * any answer about the object tells.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_WEB_ETAG_H
#define VG_GATEWAY_WEB_ETAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

struct vg_etag {
    uint64_t revision; /* 0 = not known: the tag is the hash alone */
    uint64_t hash;
};

/* W/, quotes, two numbers, a dash and a NUL. */
#define VG_ETAG_SIZE 38u

/* Revisions that one If-Match may name. */
#define VG_ETAG_REVISIONS_MAX 32u

/* The tag of the answer `body`. */
struct vg_etag vg_etag_make(uint64_t revision, struct vg_bytes body);

/* Weak where the bytes that are sent are not those the tag was made of (compressed). */
void vg_etag_print(const struct vg_etag *tag, bool is_weak, char out_text[VG_ETAG_SIZE]);

/*
 * Does `list`, the value of If-Match or If-None-Match, hold the tag, or is it "*"? By the strong
 * comparison a weak tag in the list is never the same (§8.8.3.2). `tag` NULL = there is none, only
 * "*" fits. A list that cannot be read holds what stands before the mistake.
 */
bool vg_etag_is_listed(struct vg_bytes list, const struct vg_etag *tag, bool strong);

/*
 * The revisions that If-Match names by strong tags, VG_ETAG_REVISIONS_MAX at most; others are left
 * out. *out_any = it is "*".
 */
size_t vg_etag_list_revisions(
    struct vg_bytes list,
    uint64_t out_revisions[VG_ETAG_REVISIONS_MAX],
    bool *out_any);

#endif
