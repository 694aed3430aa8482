/*
 * Roles as sets of functions. Bits: role = number of vigil.record.v1.Role, function = number of
 * vigil.Permission.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_ACCESS_ROLE_H
#define VG_CORE_ACCESS_ROLE_H

#include <stdbool.h>
#include <stdint.h>

/* All functions of a set of roles. */
uint64_t vg_role_functions(uint32_t roles);

/* Does one of the roles change anything? */
bool vg_role_writes(uint32_t roles);

#endif
