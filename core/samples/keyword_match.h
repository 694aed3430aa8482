/*
 * Keywords of a search for submissions (sampledb-api.md 4.3): which fields hold one of them as a
 * substring, without regard to case. What the table cannot know is asked of the record, so the
 * answer is exact.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_SAMPLES_KEYWORD_MATCH_H
#define VG_CORE_SAMPLES_KEYWORD_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/query/value_list.h"
#include "core/table/predicate.h"

/*
 * One of the fields, or `all` of them, hold one of `keywords`, none of which is empty. `fields` are
 * bits of enum vg_submission_keyword_field; with ALL among them, or none, the fields count as one.
 * The keywords must stay as long as the predicate. NULL when the arena is full.
 */
const struct vg_predicate *vg_keyword_match_predicate(
    struct vg_arena *arena,
    const struct vg_text_list *keywords,
    uint32_t fields,
    bool all);

/* The metadata has this key, which must stay. NULL when the arena is full. */
const struct vg_predicate *vg_keyword_match_key(struct vg_arena *arena, struct vg_bytes key);

#endif
