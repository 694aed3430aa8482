#include "rpc/handlers/submission_criteria_read.h"

#include <stddef.h>

#include "core/base/assert.h"
#include "core/base/time_text.h"
#include "core/wire/validate.h"

#include "vigil/sampledb/v2/statistics.pb-c.h"

/* What a sub-criteria has before its own members, every message with criteria has too. */
#define SAME_PLACE(message, member)                                                                \
    (offsetof(message, member) == offsetof(Vigil__Sampledb__V2__SubmissionSubCriteria, member))
_Static_assert(
    SAME_PLACE(Vigil__Sampledb__V2__SubmissionSearchRequest, keywords) &&
        SAME_PLACE(Vigil__Sampledb__V2__SubmissionSearchRequest, user_agent) &&
        SAME_PLACE(Vigil__Sampledb__V2__SubmissionSearchRequest, sub_criteria) &&
        SAME_PLACE(Vigil__Sampledb__V2__SubmissionStatisticsRequest, keywords) &&
        SAME_PLACE(Vigil__Sampledb__V2__SubmissionStatisticsRequest, user_agent) &&
        SAME_PLACE(Vigil__Sampledb__V2__SubmissionStatisticsRequest, sub_criteria),
    "searches, statistics and sub-criteria declare the same criteria in the same order");

_Static_assert(
    (int)VIGIL__SAMPLEDB__V2__SUBMISSION_KEYWORD_FIELD__SUBMISSION_KEYWORD_FIELD_ALL ==
            (int)VG_SUBMISSION_KEYWORD_ALL &&
        (int)VIGIL__SAMPLEDB__V2__SUBMISSION_KEYWORD_FIELD__SUBMISSION_KEYWORD_FIELD_USER_AGENT ==
            (int)VG_SUBMISSION_KEYWORD_USER_AGENT &&
        (int)VIGIL__SAMPLEDB__V2__SUBMISSION_TIME_FIELD__SUBMISSION_TIME_FIELD_ALL ==
            (int)VG_SUBMISSION_TIME_ALL,
    "fields are numbered alike");

static struct vg_text_list texts(char *const *items, size_t count)
{
    return (struct vg_text_list){ .items = items, .count = count };
}

/* Numbers of an enumeration as bits; every enumeration is as wide as an int. */
static uint32_t bits_of(const void *items, size_t count)
{
    const int32_t *numbers = items;
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= UINT32_C(1) << numbers[i];
    }
    return bits;
}

static bool read_meta(
    const Vigil__Sampledb__V2__SubmissionSubCriteria *from,
    struct vg_arena *arena,
    struct vg_submission_criteria *to)
{
    struct vg_submission_meta_criteria *meta =
        vg_arena_calloc(arena, from->n_meta_data, sizeof(*meta));
    for (size_t i = 0; meta != NULL && i < from->n_meta_data; i++) {
        const Vigil__Sampledb__V2__MetaDataCriteria *one = from->meta_data[i];
        meta[i] = (struct vg_submission_meta_criteria){
            .path = one->path,
            .values = texts(one->value, one->n_value),
            .exclude = one->has_exclude && one->exclude,
            .required = one->has_required && one->required,
        };
    }
    to->meta = meta;
    to->meta_count = from->n_meta_data;
    return meta != NULL;
}

static bool read_agents(
    const Vigil__Sampledb__V2__SubmissionSubCriteria *from,
    struct vg_arena *arena,
    struct vg_submission_criteria *to)
{
    struct vg_submission_agent_criteria *agents =
        vg_arena_calloc(arena, from->n_user_agent, sizeof(*agents));
    for (size_t i = 0; agents != NULL && i < from->n_user_agent; i++) {
        const Vigil__Sampledb__V2__UserAgentCriteria *one = from->user_agent[i];
        agents[i] = (struct vg_submission_agent_criteria){
            .names = texts(one->name, one->n_name),
            .versions = texts(one->version, one->n_version),
        };
    }
    to->agents = agents;
    to->agent_count = from->n_user_agent;
    return agents != NULL;
}

/* Depth is bounded by that of a message. */
static bool read_subs(
    const Vigil__Sampledb__V2__SubmissionSubCriteria *from,
    struct vg_arena *arena,
    struct vg_submission_criteria *to)
{
    size_t count = from->n_sub_criteria;
    struct vg_submission_sub_criteria *subs = vg_arena_calloc(arena, count, sizeof(*subs));
    struct vg_submission_criteria *criteria = vg_arena_calloc(arena, count, sizeof(*criteria));
    bool read = subs != NULL && criteria != NULL;
    for (size_t i = 0; read && i < count; i++) {
        const Vigil__Sampledb__V2__SubmissionSubCriteria *one = from->sub_criteria[i];
        subs[i] = (struct vg_submission_sub_criteria){
            .criteria = &criteria[i],
            .exclude = one->has_exclude && one->exclude,
            .required = one->has_required && one->required,
        };
        read = vg_submission_criteria_read(&one->base, arena, &criteria[i]);
    }
    to->sub_criteria = subs;
    to->sub_criteria_count = count;
    return read;
}

bool vg_submission_criteria_read(
    const ProtobufCMessage *request,
    struct vg_arena *arena,
    struct vg_submission_criteria *out_criteria)
{
    const Vigil__Sampledb__V2__SubmissionSubCriteria *from =
        (const Vigil__Sampledb__V2__SubmissionSubCriteria *)request;
    *out_criteria = (struct vg_submission_criteria){
        .keywords = texts(from->keywords, from->n_keywords),
        .keyword_fields = bits_of(from->keyword_field_strategy, from->n_keyword_field_strategy),
        .keywords_all =
            !from->has_keyword_match_strategy ||
            from->keyword_match_strategy == VIGIL__SAMPLEDB__V2__FIELD_MATCH__FIELD_MATCH_ALL,
        .has_start = from->start_timestamp != NULL,
        .has_end = from->end_timestamp != NULL,
        .start = from->start_timestamp == NULL ? 0 : vg_wire_time(from->start_timestamp),
        .end = from->end_timestamp == NULL ? 0 : vg_wire_time(from->end_timestamp),
        .time_fields = bits_of(from->time_field_strategy, from->n_time_field_strategy),
        .times_all = from->has_time_match_strategy &&
                     from->time_match_strategy == VIGIL__SAMPLEDB__V2__FIELD_MATCH__FIELD_MATCH_ALL,
        .ids = texts(from->id, from->n_id),
        .samples = texts(from->sample_sha256, from->n_sample_sha256),
        .mime_types = texts(from->mime_type, from->n_mime_type),
        .file_names = texts(from->file_name, from->n_file_name),
        .customers = texts(from->customer, from->n_customer),
        .tlp = { .items = (const int32_t *)(const void *)from->tlp, .count = from->n_tlp },
        .include_flags = bits_of(from->include_flags, from->n_include_flags),
        .exclude_flags = bits_of(from->exclude_flags, from->n_exclude_flags),
    };
    return read_meta(from, arena, out_criteria) && read_agents(from, arena, out_criteria) &&
           read_subs(from, arena, out_criteria);
}

void vg_submission_criteria_read_list(
    const Vigil__Sampledb__V2__ListSubmissionsRequest *request,
    struct vg_submission_criteria *out_criteria)
{
    *out_criteria = (struct vg_submission_criteria){
        .keywords = texts(request->keywords, request->n_keywords),
        .keyword_fields =
            bits_of(request->keyword_field_strategy, request->n_keyword_field_strategy),
        .keywords_all =
            request->has_keyword_match_strategy &&
            request->keyword_match_strategy == VIGIL__SAMPLEDB__V2__FIELD_MATCH__FIELD_MATCH_ALL,
    };
}

void vg_submission_criteria_read_window(
    const struct vg_call *call,
    const char *start,
    const char *end,
    struct vg_submission_criteria_context *context)
{
    vg_time month_ago = 0;
    enum vg_reason reason = vg_time_text_parse(
        vg_bytes_text("now - 1 month"),
        call->now,
        call->principal->zone,
        &month_ago,
        NULL);
    VG_ASSERT(reason == VG_OK);
    context->index_start = start != NULL ? vg_wire_time(start) : month_ago;
    context->index_end = end != NULL ? vg_wire_time(end) : call->now;
}
