#include "core/samples/challenge_ingest.h"

#include "core/record/sample_record.h"

enum vg_reason vg_challenge_ingest_find_sample(
    struct vg_ingest_change *change,
    const uint8_t sample[VG_SHA256_SIZE],
    bool *out_malicious)
{
    struct vg_key key;
    struct vg_bytes bytes;
    bool exists = false;
    vg_key_sample(&key, sample);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &bytes, &exists);
    if (reason != VG_OK || !exists) {
        return reason != VG_OK ? reason : VG_SAMPLE_NOT_FOUND;
    }
    struct vg_sample_record record;
    reason = vg_sample_record_unpack(sample, bytes, change->arena, &record, NULL);
    if (reason != VG_OK) {
        return reason;
    }
    *out_malicious = vg_sample_is_malicious(&record);
    return record.deleted != 0 ? VG_SAMPLE_NOT_FOUND : VG_OK;
}

enum vg_reason vg_challenge_ingest_close(
    struct vg_ingest_change *change,
    const uint8_t sample[VG_SHA256_SIZE],
    int64_t user_id,
    const struct vg_uuid *id)
{
    struct vg_key key;
    struct vg_bytes bytes;
    bool exists = false;
    vg_key_challenge_open(&key, sample, user_id);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &bytes, &exists);
    if (reason != VG_OK || !exists) {
        return reason;
    }
    struct vg_challenge_open open;
    reason = vg_challenge_open_unpack(bytes, change->arena, &open);
    if (reason != VG_OK) {
        return reason;
    }
    vg_challenge_open_remove(&open, id);
    if (open.count == 0) {
        vg_ingest_delete(change, vg_key_bytes(&key));
        return VG_OK;
    }
    reason = vg_challenge_open_pack(&open, change->arena, &bytes);
    if (reason == VG_OK) {
        vg_ingest_put(change, vg_key_bytes(&key), bytes);
    }
    return reason;
}

static enum vg_reason put_challenge(
    const struct vg_challenge_issue *issue,
    const struct vg_challenge *challenge,
    struct vg_ingest_change *change)
{
    struct vg_key key;
    struct vg_bytes bytes;
    vg_key_challenge(&key, issue->sample, issue->id.bytes);
    enum vg_reason reason = vg_challenge_record_pack(challenge, change->arena, &bytes);
    if (reason == VG_OK) {
        vg_ingest_put_new(change, vg_key_bytes(&key), bytes);
    }
    return reason;
}

static enum vg_reason drop_challenge(
    const uint8_t *sample,
    const struct vg_uuid *id,
    struct vg_ingest_change *change)
{
    struct vg_key key;
    struct vg_bytes bytes;
    bool exists;
    vg_key_challenge(&key, sample, id->bytes);
    enum vg_reason reason = vg_ingest_read(change, vg_key_bytes(&key), &bytes, &exists);
    if (reason == VG_OK) {
        vg_ingest_delete(change, vg_key_bytes(&key));
    }
    return reason;
}

static enum vg_reason merge_issue(
    struct vg_ingest_domain *domain,
    struct vg_ingest_item *item,
    struct vg_ingest_change *change)
{
    (void)domain;
    const struct vg_challenge_issue *issue = VG_CONTAINER_OF(item, struct vg_challenge_issue, item);
    bool malicious = false;
    enum vg_reason reason = vg_challenge_ingest_find_sample(change, issue->sample, &malicious);
    struct vg_challenge_open open = { .count = 0 };
    if (reason == VG_OK && change->exists) {
        reason = vg_challenge_open_unpack(change->record, change->arena, &open);
    }
    if (reason != VG_OK) {
        return reason;
    }
    struct vg_challenge challenge = vg_challenge_make(
        issue->user_id,
        issue->range,
        issue->proof,
        change->now,
        issue->lifetime_ms);
    challenge.state = issue->solved ? VG_CHALLENGE_SOLVED : VG_CHALLENGE_ISSUED;
    struct vg_uuid dropped;
    if (vg_challenge_open_add(&open, &issue->id, challenge.expires, change->now, &dropped)) {
        reason = drop_challenge(issue->sample, &dropped, change);
    }
    if (reason == VG_OK) {
        reason = put_challenge(issue, &challenge, change);
    }
    if (reason == VG_OK) {
        reason = vg_challenge_open_pack(&open, change->arena, &change->new_record);
    }
    change->verdict = VG_INGEST_PUT;
    return reason;
}

void vg_challenge_ingest_issue(struct vg_ingest_submission *group, struct vg_challenge_issue *issue)
{
    static struct vg_ingest_domain domain = { .kind = VG_INGEST_KIND_ROWLESS,
                                              .merge = merge_issue };
    vg_key_challenge_open(&issue->key, issue->sample, issue->user_id);
    issue->item = (struct vg_ingest_item){
        .domain = &domain,
        .key = vg_key_bytes(&issue->key),
        .bytes = sizeof(*issue),
    };
    vg_ingest_submission_add(group, &issue->item);
}
