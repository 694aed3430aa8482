#include "rpc/handlers/sample_criteria_read.h"

#include <stddef.h>

#include "core/wire/validate.h"

/* One function reads both, by the layout of the sub-criteria (sample_criteria.proto says why). */
typedef Vigil__Sampledb__V2__SampleSubCriteria sub_request;
typedef Vigil__Sampledb__V2__SampleSearchRequest top_request;
#define SAME_PLACE(member)                                                                         \
    _Static_assert(                                                                                \
        offsetof(sub_request, member) == offsetof(top_request, member),                            \
        "SampleSearchRequest and SampleSubCriteria declare their criteria alike")
SAME_PLACE(n_sha256);
SAME_PLACE(keyword_match_strategy);
SAME_PLACE(end_timestamp);
SAME_PLACE(user_match_strategy);
SAME_PLACE(fact);
SAME_PLACE(sub_criteria);

static uint32_t read_bits(const void *words, size_t count)
{
    const int32_t *numbers = words; /* every enumeration is as wide as an int */
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= UINT32_C(1) << numbers[i];
    }
    return bits;
}

static bool is_all(protobuf_c_boolean has, Vigil__Sampledb__V2__FieldMatch match)
{
    return has && match == VIGIL__SAMPLEDB__V2__FIELD_MATCH__FIELD_MATCH_ALL;
}

/* --------------------------------------------------------------------------------- submissions */

static bool read_meta(
    Vigil__Sampledb__V2__MetaDataCriteria *const *list,
    size_t count,
    struct vg_arena *arena,
    struct vg_submission_criteria *criteria)
{
    struct vg_submission_meta_criteria *meta = vg_arena_calloc(arena, count + 1, sizeof(*meta));
    for (size_t i = 0; meta != NULL && i < count; i++) {
        meta[i] = (struct vg_submission_meta_criteria){
            .path = list[i]->path,
            .values = { list[i]->value, list[i]->n_value },
            .exclude = list[i]->has_exclude && list[i]->exclude,
            .required = list[i]->has_required && list[i]->required,
        };
    }
    criteria->meta = meta;
    criteria->meta_count = count;
    return meta != NULL;
}

static bool read_agents(
    Vigil__Sampledb__V2__UserAgentCriteria *const *list,
    size_t count,
    struct vg_arena *arena,
    struct vg_submission_criteria *criteria)
{
    struct vg_submission_agent_criteria *agents =
        vg_arena_calloc(arena, count + 1, sizeof(*agents));
    for (size_t i = 0; agents != NULL && i < count; i++) {
        if (list[i]->n_name != 0 || list[i]->n_version != 0) {
            agents[criteria->agent_count++] = (struct vg_submission_agent_criteria){
                .names = { list[i]->name, list[i]->n_name },
                .versions = { list[i]->version, list[i]->n_version },
            };
        }
    }
    criteria->agents = agents;
    return agents != NULL;
}

static bool read_submissions(
    const sub_request *request,
    struct vg_arena *arena,
    struct vg_sample_criteria *criteria)
{
    struct vg_sample_submission_criteria *entries =
        vg_arena_calloc(arena, request->n_submission + 1, sizeof(*entries));
    bool read = entries != NULL;
    for (size_t i = 0; read && i < request->n_submission; i++) {
        const Vigil__Sampledb__V2__SampleSubmissionCriteria *from = request->submission[i];
        entries[i].criteria.file_names =
            (struct vg_text_list){ from->file_name, from->n_file_name };
        entries[i].criteria.mime_types =
            (struct vg_text_list){ from->mime_type, from->n_mime_type };
        entries[i].criteria.include_flags = read_bits(from->include_flags, from->n_include_flags);
        entries[i].criteria.exclude_flags = read_bits(from->exclude_flags, from->n_exclude_flags);
        entries[i].exclude = from->has_exclude && from->exclude;
        entries[i].required = from->has_required && from->required;
        read = read_meta(from->meta_data, from->n_meta_data, arena, &entries[i].criteria) &&
               read_agents(from->user_agent, from->n_user_agent, arena, &entries[i].criteria);
    }
    criteria->submissions = entries;
    criteria->submission_count = request->n_submission;
    return read;
}

/* ------------------------------------------------------------------------------ other resources */

static bool read_verdicts(
    const sub_request *request,
    struct vg_arena *arena,
    struct vg_sample_criteria *criteria)
{
    struct vg_sample_verdict_criteria *entries =
        vg_arena_calloc(arena, request->n_verdict + 1, sizeof(*entries));
    for (size_t i = 0; entries != NULL && i < request->n_verdict; i++) {
        const Vigil__Sampledb__V2__VerdictCriteria *from = request->verdict[i];
        entries[i] = (struct vg_sample_verdict_criteria){
            .has_minimum = from->has_minimum_score,
            .minimum = from->minimum_score,
            .has_maximum = from->has_maximum_score,
            .maximum = from->maximum_score,
            .has_tags = from->n_tags != 0,
            .include_flags = read_bits(from->include_flags, from->n_include_flags),
            .exclude_flags = read_bits(from->exclude_flags, from->n_exclude_flags),
            .exclude = from->has_exclude && from->exclude,
            .required = from->has_required && from->required,
        };
    }
    criteria->verdicts = entries;
    criteria->verdict_count = request->n_verdict;
    return entries != NULL;
}

/* Entries about what is not stored: `says` tells whether one of its members restricts. */
#define READ_ABSENT(list, count, says)                                                             \
    do {                                                                                           \
        struct vg_sample_absent_criteria *entries =                                                \
            vg_arena_calloc(arena, (count) + 1, sizeof(*entries));                                 \
        if (entries == NULL) {                                                                     \
            return false;                                                                          \
        }                                                                                          \
        for (size_t i = 0; i < (count); i++) {                                                     \
            entries[i].is_restricting = (says);                                                    \
            entries[i].exclude = (list)[i]->has_exclude && (list)[i]->exclude;                     \
            entries[i].required = (list)[i]->has_required && (list)[i]->required;                  \
        }                                                                                          \
        criteria->absent[kind] = entries;                                                          \
        criteria->absent_count[kind++] = (count);                                                  \
    } while (0)

static bool read_classified(
    const sub_request *request,
    struct vg_arena *arena,
    struct vg_sample_criteria *criteria)
{
    size_t kind = 0;
    READ_ABSENT(
        request->classification,
        request->n_classification,
        request->classification[i]->n_type + request->classification[i]->n_super_type +
                request->classification[i]->n_arch + request->classification[i]->n_platform +
                request->classification[i]->n_version + request->classification[i]->n_meta_data !=
            0);
    READ_ABSENT(
        request->analysis,
        request->n_analysis,
        request->analysis[i]->n_analysis_result + request->analysis[i]->n_user_agent != 0);
    return true;
}

static bool read_linked(
    const sub_request *request,
    struct vg_arena *arena,
    struct vg_sample_criteria *criteria)
{
    size_t kind = 2;
    READ_ABSENT(
        request->link,
        request->n_link,
        request->link[i]->n_link_type + request->link[i]->n_reference +
                request->link[i]->n_user_agent !=
            0);
    READ_ABSENT(
        request->fact,
        request->n_fact,
        request->fact[i]->n_key + request->fact[i]->n_value + request->fact[i]->n_user_agent != 0);
    return true;
}

/* ----------------------------------------------------------------------------------- the whole */

static bool read_sub_criteria(
    const sub_request *request,
    struct vg_arena *arena,
    struct vg_sample_criteria *criteria)
{
    size_t count = request->n_sub_criteria;
    struct vg_sample_sub_criteria *elements = vg_arena_calloc(arena, count + 1, sizeof(*elements));
    struct vg_sample_criteria *inner = vg_arena_calloc(arena, count + 1, sizeof(*inner));
    bool read = elements != NULL && inner != NULL;
    for (size_t i = 0; read && i < count; i++) {
        const sub_request *from = request->sub_criteria[i];
        read = vg_sample_criteria_read(&from->base, arena, &inner[i]);
        elements[i] = (struct vg_sample_sub_criteria){
            .criteria = &inner[i],
            .exclude = from->has_exclude && from->exclude,
            .required = from->has_required && from->required,
        };
    }
    criteria->sub_criteria = elements;
    criteria->sub_criteria_count = count;
    return read;
}

bool vg_sample_criteria_read(
    const ProtobufCMessage *message,
    struct vg_arena *arena,
    struct vg_sample_criteria *out_criteria)
{
    const sub_request *request = (const sub_request *)message;
    *out_criteria = (struct vg_sample_criteria){
        .sha256 = { request->sha256, request->n_sha256 },
        .sha512 = { request->sha512, request->n_sha512 },
        .sha1 = { request->sha1, request->n_sha1 },
        .md5 = { request->md5, request->n_md5 },
        .keywords = { request->keywords, request->n_keywords },
        .keyword_fields =
            read_bits(request->keyword_field_strategy, request->n_keyword_field_strategy),
        .keywords_all =
            is_all(request->has_keyword_match_strategy, request->keyword_match_strategy),
        .has_start = request->start_timestamp != NULL,
        .has_end = request->end_timestamp != NULL,
        .time_fields = read_bits(request->time_field_strategy, request->n_time_field_strategy),
        .times_all = is_all(request->has_time_match_strategy, request->time_match_strategy),
        .customers = { request->customer, request->n_customer },
        .tlp = { (const int32_t *)request->tlp, request->n_tlp },
        .users = { request->user, request->n_user },
        .user_fields = read_bits(request->user_field_strategy, request->n_user_field_strategy),
        .users_all = is_all(request->has_user_match_strategy, request->user_match_strategy),
    };
    out_criteria->start = out_criteria->has_start ? vg_wire_time(request->start_timestamp) : 0;
    out_criteria->end = out_criteria->has_end ? vg_wire_time(request->end_timestamp) : 0;
    return read_submissions(request, arena, out_criteria) &&
           read_verdicts(request, arena, out_criteria) &&
           read_classified(request, arena, out_criteria) &&
           read_linked(request, arena, out_criteria) &&
           read_sub_criteria(request, arena, out_criteria);
}

void vg_sample_criteria_read_list(
    const Vigil__Sampledb__V2__ListSamplesRequest *request,
    struct vg_sample_criteria *out_criteria)
{
    *out_criteria = (struct vg_sample_criteria){
        .keywords = { request->keywords, request->n_keywords },
        .keyword_fields =
            read_bits(request->keyword_field_strategy, request->n_keyword_field_strategy),
        .keywords_all =
            is_all(request->has_keyword_match_strategy, request->keyword_match_strategy),
    };
}
