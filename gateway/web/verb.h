/*
 * HTTP methods as words of a request and of the Allow header.
 *
 * Threads: pure.
 */
#ifndef VG_GATEWAY_WEB_VERB_H
#define VG_GATEWAY_WEB_VERB_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "proto/contract.h"

/* The enum vg_verb of a method; HEAD is GET (RFC 9110 §9.3.2); -1 = none that a route has. Methods
 * are case-sensitive. */
int vg_verb_find(struct vg_bytes method);

/* Every verb a route may have. */
#define VG_VERB_ALL                                                                                \
    (1u << VG_VERB_GET | 1u << VG_VERB_POST | 1u << VG_VERB_PUT | 1u << VG_VERB_DELETE |           \
     1u << VG_VERB_PATCH)

/* Holds every list with its NUL. */
#define VG_VERB_LIST_SIZE 64u

/* "GET, HEAD, OPTIONS" for the Allow header (RFC 9110 §10.2.1); bit of `allowed` = enum vg_verb. */
void vg_verb_print_list(uint32_t allowed, char out_text[VG_VERB_LIST_SIZE]);

#endif
