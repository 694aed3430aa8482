/*
 * Lists of values as criteria carry them: borrowed arrays. An empty list is no restriction.
 *
 * Threads: values.
 */
#ifndef VG_CORE_QUERY_VALUE_LIST_H
#define VG_CORE_QUERY_VALUE_LIST_H

#include <stddef.h>
#include <stdint.h>

struct vg_text_list {
    char *const *items;
    size_t count;
};

struct vg_number_list {
    const int64_t *items;
    size_t count;
};

/* Numbers of an enumeration. */
struct vg_code_list {
    const int32_t *items;
    size_t count;
};

#endif
