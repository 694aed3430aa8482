/*
 * Criteria of a search for submissions, as values of the domain, and what they ask of the table
 * (sampledb-api.md 4.1 to 4.3). The simple and the advanced search and the statistics translate
 * theirs into these.
 *
 * Members are AND-ed, elements of one list are OR-ed, an empty list is no restriction.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_SAMPLES_SUBMISSION_CRITERIA_H
#define VG_CORE_SAMPLES_SUBMISSION_CRITERIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/query/value_list.h"
#include "core/samples/submission_access.h"
#include "core/table/predicate.h"

/* Fields keywords are looked for in: numbers of vigil.sampledb.v2.SubmissionKeywordField. */
enum vg_submission_keyword_field {
    VG_SUBMISSION_KEYWORD_ALL = 1, /* the union of all, which counts as one field */
    VG_SUBMISSION_KEYWORD_ID = 2,
    VG_SUBMISSION_KEYWORD_SAMPLE = 3,
    VG_SUBMISSION_KEYWORD_FILE_NAME = 4,
    VG_SUBMISSION_KEYWORD_MIME_TYPE = 5,
    VG_SUBMISSION_KEYWORD_META_DATA = 6,
    VG_SUBMISSION_KEYWORD_TLP = 7,
    VG_SUBMISSION_KEYWORD_USER_AGENT = 8,
    VG_SUBMISSION_KEYWORD_FIELD_COUNT,
};

/* Times that a range is compared with: numbers of vigil.sampledb.v2.SubmissionTimeField. */
enum vg_submission_time_field {
    VG_SUBMISSION_TIME_SUBMITTED = 1,
    VG_SUBMISSION_TIME_OBSERVED = 2,
    VG_SUBMISSION_TIME_EXPIRY = 3, /* a submission may not have it */
    VG_SUBMISSION_TIME_ALL = 4,
    VG_SUBMISSION_TIME_FIELD_COUNT,
};

/* A key of the metadata, whole, and the values of which one must be there. */
struct vg_submission_meta_criteria {
    const char *path;
    struct vg_text_list values;
    bool exclude;
    bool required;
};

struct vg_submission_agent_criteria {
    struct vg_text_list names;
    struct vg_text_list versions;
};

struct vg_submission_criteria;

struct vg_submission_sub_criteria {
    const struct vg_submission_criteria *criteria;
    bool exclude;
    bool required;
};

struct vg_submission_criteria {
    struct vg_text_list keywords;
    uint32_t keyword_fields; /* bits of enum vg_submission_keyword_field; 0 = ALL */
    bool keywords_all;       /* every picked field must match */
    bool has_start;
    bool has_end;
    vg_time start;
    vg_time end;
    uint32_t time_fields; /* bits of enum vg_submission_time_field; 0 = ALL */
    bool times_all;
    struct vg_text_list ids;
    struct vg_text_list samples;
    struct vg_text_list mime_types;
    struct vg_text_list file_names;
    struct vg_text_list customers; /* ids or short names */
    struct vg_code_list tlp;
    uint32_t include_flags; /* bits of enum vg_submission_flag: any of them */
    uint32_t exclude_flags; /* none of them */
    const struct vg_submission_meta_criteria *meta;
    size_t meta_count;
    const struct vg_submission_agent_criteria *agents;
    size_t agent_count;
    const struct vg_submission_sub_criteria *sub_criteria;
    size_t sub_criteria_count;
};

/* What belongs to the whole search. */
struct vg_submission_criteria_context {
    struct vg_submission_viewer viewer;
    vg_time index_start; /* of submittedTimestamp, both inclusive */
    vg_time index_end;
    struct vg_arena *arena;
};

/*
 * What `criteria` ask, of what the viewer may see. The criteria must stay as long as the predicate.
 *
 * Fails with: what vg_error_from_violations makes of an empty keyword (INVALID_FIELD_VALUE at
 * keywords[i]) and of sub-criteria too deep; REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_submission_criteria_compile(
    const struct vg_submission_criteria *criteria,
    const struct vg_submission_criteria_context *context,
    const struct vg_predicate **out_predicate,
    struct vg_error *error);

#endif
