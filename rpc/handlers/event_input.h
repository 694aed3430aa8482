/*
 * A validated SubmitRequest of v2 as values of the domain.
 *
 * Threads: the call's.
 */
#ifndef VG_RPC_HANDLERS_EVENT_INPUT_H
#define VG_RPC_HANDLERS_EVENT_INPUT_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/events/event_submission.h"

#include "vigil/events/v2/submit.pb-c.h"

/* `out_input` borrows from `request`; its properties are in `arena`. False when the arena is full.
 */
VG_MUST_USE bool vg_event_input_read(
    const Vigil__Events__V2__SubmitRequest *request,
    struct vg_arena *arena,
    struct vg_event_input *out_input);

#endif
