/*
 * Criteria of a search for samples, as values of the domain, and what they ask of the table
 * (sampledb-api.md 4.4). What they ask of submissions becomes questions of a join: each has a mark,
 * which samples get through a submission that answers it with yes and that the caller sees.
 *
 * vigil stores no analyses, links, classifications and facts: criteria about them match nothing,
 * and their times are those of something that is not there.
 *
 * Members are AND-ed, elements of one list are OR-ed, an empty list is no restriction.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_SAMPLES_SAMPLE_CRITERIA_H
#define VG_CORE_SAMPLES_SAMPLE_CRITERIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/query/value_list.h"
#include "core/samples/submission_access.h"
#include "core/samples/submission_criteria.h"
#include "core/table/id_marks.h"
#include "core/table/predicate.h"

/* Fields keywords are looked for in: numbers of vigil.sampledb.v2.SampleKeywordField. */
enum vg_sample_keyword_field {
    VG_SAMPLE_KEYWORD_ALL = 1, /* the union of all, which counts as one field */
    VG_SAMPLE_KEYWORD_SHA256 = 2,
    VG_SAMPLE_KEYWORD_SHA512 = 3,
    VG_SAMPLE_KEYWORD_SHA1 = 4,
    VG_SAMPLE_KEYWORD_MD5 = 5,
    VG_SAMPLE_KEYWORD_SUBMISSION = 6,
    VG_SAMPLE_KEYWORD_ANALYSIS = 7, /* this one and the next four: nothing that is stored */
    VG_SAMPLE_KEYWORD_LINK = 8,
    VG_SAMPLE_KEYWORD_CLASSIFICATION = 9,
    VG_SAMPLE_KEYWORD_VERDICT = 10, /* the comment of the newest one */
    VG_SAMPLE_KEYWORD_FACT = 11,
    VG_SAMPLE_KEYWORD_FIELD_COUNT,
};

/* Times that a range is compared with: numbers of vigil.sampledb.v2.SampleTimeField. */
enum vg_sample_time_field {
    VG_SAMPLE_TIME_ALL = 1,
    VG_SAMPLE_TIME_CREATED = 2,
    VG_SAMPLE_TIME_CLASSIFICATION = 3, /* never there, as the last two */
    VG_SAMPLE_TIME_SUBMISSION_CREATED = 4,
    VG_SAMPLE_TIME_SUBMISSION_OBSERVED = 5,
    VG_SAMPLE_TIME_SUBMISSION_EXPIRY = 6,
    VG_SAMPLE_TIME_FIRST_SUBMITTED = 7,
    VG_SAMPLE_TIME_LAST_SUBMITTED = 8,
    VG_SAMPLE_TIME_ANALYSIS = 9,
    VG_SAMPLE_TIME_LINK = 10,
    VG_SAMPLE_TIME_FIELD_COUNT,
};

/* What users have made: numbers of vigil.sampledb.v2.SampleUserField. */
enum vg_sample_user_field {
    VG_SAMPLE_USER_ALL = 1,
    VG_SAMPLE_USER_SUBMITTED = 2,
    VG_SAMPLE_USER_ANALYSED = 3, /* nobody has, as the next */
    VG_SAMPLE_USER_LINKED = 4,
};

/* One submission has to match all of it. */
struct vg_sample_submission_criteria {
    struct vg_submission_criteria criteria;
    bool exclude;
    bool required;
};

/* One verdict has to match all of it. */
struct vg_sample_verdict_criteria {
    bool has_minimum;
    bool has_maximum;
    int32_t minimum;
    int32_t maximum;
    bool has_tags;          /* no verdict has one */
    uint32_t include_flags; /* bits of vigil.sampledb.v2.VerdictFlag: any of them */
    uint32_t exclude_flags; /* none of them */
    bool exclude;
    bool required;
};

/* About what is not stored: only whether it says anything matters. */
struct vg_sample_absent_criteria {
    bool is_restricting;
    bool exclude;
    bool required;
};

struct vg_sample_criteria;

struct vg_sample_sub_criteria {
    const struct vg_sample_criteria *criteria;
    bool exclude;
    bool required;
};

struct vg_sample_criteria {
    struct vg_text_list sha256; /* digests as text, in any case */
    struct vg_text_list sha512;
    struct vg_text_list sha1;
    struct vg_text_list md5;
    struct vg_text_list keywords;
    uint32_t keyword_fields; /* bits of enum vg_sample_keyword_field; 0 = ALL */
    bool keywords_all;       /* every picked field must match */
    bool has_start;
    bool has_end;
    vg_time start;
    vg_time end;
    uint32_t time_fields; /* bits of enum vg_sample_time_field; 0 = ALL */
    bool times_all;
    struct vg_text_list customers; /* ids or short names */
    struct vg_code_list tlp;
    struct vg_text_list users; /* ids or short names */
    uint32_t user_fields;      /* bits of enum vg_sample_user_field; 0 = ALL */
    bool users_all;
    const struct vg_sample_submission_criteria *submissions;
    size_t submission_count;
    const struct vg_sample_verdict_criteria *verdicts;
    size_t verdict_count;
    /* Classifications, analyses, links and facts: a list each. */
    const struct vg_sample_absent_criteria *absent[4];
    size_t absent_count[4];
    const struct vg_sample_sub_criteria *sub_criteria;
    size_t sub_criteria_count;
};

/* Who sees the sample at all is the first question. */
#define VG_SAMPLE_MARK_VISIBLE 0u

/* What the search for samples asks of submissions: by mark, access included. */
struct vg_sample_questions {
    const struct vg_predicate *items[VG_ID_MARKS_MAX];
    uint32_t count;
};

/* What belongs to the whole search. */
struct vg_sample_criteria_context {
    struct vg_submission_viewer viewer;
    vg_time index_start; /* of the last change, both inclusive */
    vg_time index_end;
    struct vg_id_marks *ids; /* filled by vg_join_mark, question by question, before the search */
    struct vg_arena *arena;
};

/*
 * What `criteria` ask, of samples that the viewer sees: a question about samples, and those about
 * submissions that it rests on. The criteria must stay as long as the predicates.
 *
 * Fails with: INVALID_FIELD_VALUE (an empty keyword, sub-criteria too deep, more than
 * VG_ID_MARKS_MAX questions about submissions); REQUEST_MEMORY.
 */
VG_MUST_USE enum vg_reason vg_sample_criteria_compile(
    const struct vg_sample_criteria *criteria,
    const struct vg_sample_criteria_context *context,
    const struct vg_predicate **out_predicate,
    struct vg_sample_questions *out_questions,
    struct vg_error *error);

#endif
