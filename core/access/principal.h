/*
 * Who calls and what they may do: made by authentication from one API key, immutable, shared by
 * reference count.
 *
 * The functions are bits by number of vigil.Permission; customers are already expanded to their
 * sub-customers. decide() is pure.
 *
 * Threads: immutable; references are counted atomically.
 */
#ifndef VG_CORE_ACCESS_PRINCIPAL_H
#define VG_CORE_ACCESS_PRINCIPAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/access/quota.h"
#include "core/base/clock.h"

struct vg_zone;

struct vg_principal {
    _Atomic uint32_t references;
    int64_t user_id;
    const char *user_name; /* short name */
    int64_t customer_id;   /* the user's own */
    const char *key_id;
    uint64_t functions; /* bit = number of vigil.Permission */
    uint32_t roles;     /* bit = row of roles.def */
    bool all_customers;
    const int64_t *customers; /* sorted, sub-customers included; NULL when all_customers */
    size_t customer_count;
    const struct vg_zone *zone; /* of the user, for relative times */
    vg_time key_created;
    vg_time key_expires; /* 0 = never */
    struct vg_quota_limits limits;
    struct vg_quota
        *quota; /* of the key, shared by all its principals; lives as long as the access */
};

/* Whoever calls a method that needs no key: may do nothing else. A reference. */
const struct vg_principal *vg_principal_nobody(void);

const struct vg_principal *vg_principal_ref(const struct vg_principal *principal);
void vg_principal_unref(const struct vg_principal *principal); /* accepts NULL */

/* Does the caller hold one of these functions at all? `functions` 0 = no function is needed. */
static inline bool vg_principal_has(const struct vg_principal *principal, uint64_t functions)
{
    return functions == 0 || (principal->functions & functions) != 0;
}

/* Is the customer among those the key covers? */
bool vg_principal_covers(const struct vg_principal *principal, int64_t customer_id);

/* May the caller use one of `functions` on that customer? */
static inline bool vg_principal_may(
    const struct vg_principal *principal,
    uint64_t functions,
    int64_t customer_id)
{
    return vg_principal_has(principal, functions) && vg_principal_covers(principal, customer_id);
}

#endif
