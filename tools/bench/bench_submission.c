#include "tools/bench/bench_submission.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/bench/bench_events.h"

const char *const vg_bench_meta_keys[VG_BENCH_META] = { "campaign", "host", "path", "user" };

static unsigned draw(uint64_t number, uint64_t salt, unsigned bound)
{
    return (unsigned)(vg_bench_mix(number, salt) % bound);
}

void vg_bench_submission_fill(uint64_t number, struct vg_bench_submission *out_submission)
{
    static const char *const kinds[] = { "invoice", "report", "Setup", "photo", "backup", "order" };
    static const char *const ends[] = { "exe", "pdf", "docx", "zip", "js", "bin", "dll" };
    struct vg_bench_submission *texts = out_submission;
    unsigned unique = (unsigned)(uint32_t)vg_bench_mix(number, 201);
    (void)snprintf(
        texts->name,
        sizeof(texts->name),
        "%s-%08x%s.%s",
        kinds[draw(number, 202, 6)],
        draw(number, 203, 50) == 0 ? unique % 500 : unique,
        draw(number, 204, 20000) == 0 ? "-Evil" : "",
        ends[draw(number, 205, 7)]);
    (void)
        snprintf(texts->mime, sizeof(texts->mime), "application/x-type-%u", draw(number, 206, 30));
    (void)snprintf(texts->agent, sizeof(texts->agent), "agent %u", draw(number, 207, 20));
    (void)snprintf(texts->version, sizeof(texts->version), "1.%u", draw(number, 208, 40));
    (void)snprintf(
        texts->values[0],
        VG_BENCH_META_TEXT_SIZE,
        "campaign %u",
        draw(number, 209, VG_BENCH_CAMPAIGNS));
    (void)snprintf(
        texts->values[1],
        VG_BENCH_META_TEXT_SIZE,
        "srv-%u.example",
        draw(number, 210, 5000));
    (void)snprintf(
        texts->values[2],
        VG_BENCH_META_TEXT_SIZE,
        "/var/spool/%u/%" PRIu64,
        draw(number, 211, 900),
        number);
    (void)snprintf(texts->values[3], VG_BENCH_META_TEXT_SIZE, "user%u", draw(number, 212, 20000));
}

void vg_bench_sample_fill(uint64_t number, uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t word = vg_bench_mix(number, 1000 + at);
        size_t rest = size - at;
        memcpy(out + at, &word, rest < sizeof(word) ? rest : sizeof(word));
    }
}

static char *text(struct vg_arena *arena, const char *from)
{
    size_t size = strlen(from) + 1;
    char *kept = vg_bench_take(arena, size, 1);
    memcpy(kept, from, size);
    return kept;
}

Vigil__Sampledb__V2__AddSubmissionRequest *vg_bench_submission_request(
    uint64_t number,
    int64_t customer,
    char *sha256,
    Vigil__Sampledb__V2__ChallengeTokenRequest *token,
    struct vg_arena *arena)
{
    struct vg_bench_submission texts;
    vg_bench_submission_fill(number, &texts);
    Vigil__Sampledb__V2__AddSubmissionRequest *request = vg_bench_take(arena, 1, sizeof(*request));
    vigil__sampledb__v2__add_submission_request__init(request);
    request->sha256 = sha256;
    request->file_name = text(arena, texts.name);
    request->mime_type = text(arena, texts.mime);
    request->customer = vg_bench_take(arena, 1, 24);
    (void)snprintf(request->customer, 24, "%" PRId64, customer);
    request->n_meta_data = VG_BENCH_META;
    request->meta_data = vg_bench_take(arena, VG_BENCH_META, sizeof(*request->meta_data));
    for (size_t i = 0; i < VG_BENCH_META; i++) {
        Vigil__Sampledb__V2__AddSubmissionRequest__MetaDataEntry *entry =
            vg_bench_take(arena, 1, sizeof(*entry));
        vigil__sampledb__v2__add_submission_request__meta_data_entry__init(entry);
        entry->key = text(arena, vg_bench_meta_keys[i]);
        entry->value = text(arena, texts.values[i]);
        request->meta_data[i] = entry;
    }
    request->user_agent = vg_bench_take(arena, 1, sizeof(*request->user_agent));
    vigil__sampledb__v2__user_agent_request__init(request->user_agent);
    request->user_agent->name = text(arena, texts.agent);
    request->user_agent->version = text(arena, texts.version);
    request->challenge_token = token;
    return request;
}
