/*
 * API keys: `<key id>/<user id>/<secret>`; of the secret only a SHA-256 is kept, compared in
 * constant time. A key may also have a client certificate in the place of the secret: its id is
 * then a name of the certificate (core/base/peer_identity.h), and all else is the same.
 *
 * Threads: authenticate from any thread; keys are read from an immutable snapshot of the directory
 * that the writer replaces.
 */
#ifndef VG_CORE_ACCESS_ACCESS_H
#define VG_CORE_ACCESS_ACCESS_H

#include "core/access/principal.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/network.h"
#include "core/base/peer_identity.h"

struct vg_access;
struct vg_directory;

/* `directory` must outlive the access. */
VG_MUST_USE enum vg_reason vg_access_create(
    struct vg_directory *directory,
    struct vg_access **out_access,
    struct vg_error *error);
void vg_access_destroy(struct vg_access *access);

/* The quota of keys that have none of their own; none at all until then. Before anybody calls. */
void vg_access_set_quota(struct vg_access *access, const struct vg_quota_limits *limits);

/*
 * Who is behind `credential` (data NULL = none given) or, without one, behind `identity` (NULL = no
 * certificate was shown), calling from `peer` at `now`? Of the names of an identity the first for
 * which there is a key decides. On success *out_principal is a reference.
 *
 * Fails with: NOT_AUTHENTICATED (none given, and no key for the certificate),
 * AUTHENTICATION_FAILED (unknown or revoked key, disabled user, certificate that has ended),
 * KEY_EXPIRED, KEY_SOURCE_REFUSED; the message names the reason.
 */
VG_MUST_USE enum vg_reason vg_access_authenticate(
    struct vg_access *access,
    struct vg_bytes credential,
    const struct vg_peer_identity *identity,
    const struct vg_network *peer,
    vg_time now,
    const struct vg_principal **out_principal,
    struct vg_error *error);

#endif
