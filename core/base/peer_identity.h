/*
 * Who the other end of a connection has proved to be, by a certificate: its names, in the order in
 * which they are looked up, and when the certificate ends.
 *
 * A name is a text with its kind in front, as openssl prints it: "URI:spiffe://example/collector",
 * "DNS:collector.example", "email:jane@example", "CN:collector 7". The kind is part of the name, so
 * that what a certificate authority writes into the free text of a subject is never taken for one
 * of the others. The host of a DNS name or address is in lower case (RFC 4343), the rest as it
 * stands. Names with characters that cannot be seen are no names: a NUL within one could make two
 * programs read it differently.
 *
 * Threads: immutable; references are counted atomically.
 */
#ifndef VG_CORE_BASE_PEER_IDENTITY_H
#define VG_CORE_BASE_PEER_IDENTITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/limits.h"

/* In the order in which names are looked up. */
enum vg_peer_name_kind {
    VG_PEER_NAME_KIND_URI,
    VG_PEER_NAME_KIND_DNS,
    VG_PEER_NAME_KIND_EMAIL,
    VG_PEER_NAME_KIND_CN, /* common name of the subject, of a certificate without the others */
    VG_PEER_NAME_KIND_COUNT,
};

/* A name with its kind and a NUL. */
#define VG_PEER_NAME_SIZE (VG_LIMIT_CERTIFICATE_NAME_BYTES + 1)

struct vg_peer_name {
    size_t size;
    char text[VG_PEER_NAME_SIZE];
};

struct vg_peer_identity {
    _Atomic uint32_t references;
    vg_time expires; /* end of the certificate */
    size_t name_count;
    const struct vg_bytes *names;
};

/* The name of that kind with that value; false when it is none: empty, too long, not to be seen. */
VG_MUST_USE bool vg_peer_name_make(
    enum vg_peer_name_kind kind,
    struct vg_bytes value,
    struct vg_peer_name *out_name);

/* Read a name as people write it: the kind in any case. False when it is none. */
VG_MUST_USE bool vg_peer_name_parse(struct vg_bytes text, struct vg_peer_name *out_name);

/* NULL without memory. The names are copied; at most VG_LIMIT_CERTIFICATE_NAMES. */
struct vg_peer_identity *vg_peer_identity_create(
    const struct vg_peer_name *names,
    size_t name_count,
    vg_time expires);

/* Both accept NULL. */
const struct vg_peer_identity *vg_peer_identity_ref(const struct vg_peer_identity *identity);
void vg_peer_identity_unref(const struct vg_peer_identity *identity);

#endif
