/*
 * What the handlers of events share: where events are read from, for whom they are shown, who may
 * look at one.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_HANDLERS_EVENT_CALLS_H
#define VG_RPC_HANDLERS_EVENT_CALLS_H

#include "core/base/text_number.h"
#include "core/events/event_search.h"
#include "core/events/event_submission.h"
#include "rpc/handlers/event_view.h"
#include "rpc/service/call.h"

/* The word of the setting data_center at `place`. */
struct vg_bytes vg_event_calls_data_center(uint32_t place);

/* Where events are read from, for an answer that may take `age_ms`. */
struct vg_event_store vg_event_calls_store(const struct vg_call *call, uint32_t age_ms);

/* A view for the caller, made in `arena`. Takes a snapshot of the directory: release the view. */
struct vg_event_view vg_event_calls_view(struct vg_call *call, struct vg_arena *arena);
void vg_event_calls_release_view(struct vg_event_view *view);

/* An event whose record is larger than this is read and written on an executor thread: that takes
 * about 4 us per KiB. */
#define VG_EVENT_CALLS_INLINE_BYTES (32u * 1024u)

/*
 * May the caller look at an event of this customer? Asked before it is known whether there is one.
 *
 * Fails with: ACCESS_DENIED.
 */
VG_MUST_USE enum vg_reason vg_event_calls_allow(struct vg_call *call, int64_t customer_id);

/*
 * Read the event `id`. Release the reading in any case.
 *
 * Fails with: EVENT_NOT_FOUND (reading->record.data is NULL then), what vg_event_read fails with.
 */
VG_MUST_USE enum vg_reason vg_event_calls_read(
    struct vg_call *call,
    const struct vg_event_id *id,
    struct vg_event_reading *out_reading);

/* The same where the class of the event is not asked for: the aggregated event first, then the raw
 * one. Sets id->type. */
VG_MUST_USE enum vg_reason vg_event_calls_read_either(
    struct vg_call *call,
    struct vg_event_id *id,
    struct vg_event_reading *out_reading);

/* Answer with a message as wire bytes: a face that takes them gets them, for the other one they
 * are read. */
VG_MUST_USE enum vg_reason vg_event_calls_reply(struct vg_call *call, struct vg_bytes wire);

/* What submissions of one request share. */
struct vg_event_submit_frame {
    struct vg_event_submit_context context;
    struct vg_event_rules rules;
    char arrived_text[VG_TEXT_NUMBER_SIZE];
    char accepted_text[VG_TEXT_NUMBER_SIZE];
};

/* Set it up for events that arrived then and whose values live in `arena`. The frame must stay
 * where it is, and holds the directory until it is ended, since submissions borrow from both. */
void vg_event_calls_begin_submit(
    struct vg_call *call,
    struct vg_arena *arena,
    vg_time arrived,
    struct vg_event_submit_frame *frame);
void vg_event_calls_end_submit(struct vg_event_submit_frame *frame);

#endif
