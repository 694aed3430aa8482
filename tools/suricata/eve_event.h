/*
 * An EVE alert as an event to be submitted. docs/suricata.md has the table of what becomes what.
 *
 * Threads: pure functions; an arena belongs to one thread at a time.
 */
#ifndef VG_TOOLS_SURICATA_EVE_EVENT_H
#define VG_TOOLS_SURICATA_EVE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "tools/suricata/eve_alert.h"

#include "vigil/admin/v1/signature.pb-c.h"
#include "vigil/events/v2/submit.pb-c.h"

struct vg_eve_event_options {
    const char *customer; /* id or short name; NULL = the customer of the key */
    const char *location; /* id or short name; NULL = none */
    bool keep_open;       /* leave the event open for later submissions: not finalized */
    vg_time shift_ms;     /* added to the event's time; 0 but for demo data */
};

/* "SURICATA-1:2001219" and a NUL fit. */
#define VG_EVE_SIGNATURE_SIZE 40

/* Write the name of the alert's signature. */
void vg_eve_event_signature(const struct vg_eve_alert *alert, char out_name[VG_EVE_SIGNATURE_SIZE]);

/*
 * Make the submission of an alert. `occurrence` counts from 0 how often the same identity came
 * before in the same file. All of *out_request is in `arena` and borrows nothing but texts of
 * `options`.
 *
 * Fails with: INVALID_FIELD_VALUE for a payload that is not base64, or a time that the shift moves
 * out of range; REQUEST_MEMORY past the arena's cap.
 */
VG_MUST_USE enum vg_reason vg_eve_event_make(
    const struct vg_eve_alert *alert,
    const struct vg_eve_event_options *options,
    uint32_t occurrence,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest **out_request,
    struct vg_error *error);

/*
 * Make the request that tells the server of the alert's signature: its alarm is what Suricata calls
 * it, its category Suricata's classification, and both have ids that follow from them.
 *
 * Fails with: REQUEST_MEMORY past the arena's cap.
 */
VG_MUST_USE enum vg_reason vg_eve_event_make_signature(
    const struct vg_eve_alert *alert,
    struct vg_arena *arena,
    Vigil__Admin__V1__AddSignatureRequest **out_request,
    struct vg_error *error);

#endif
