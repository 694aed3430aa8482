/*
 * The properties of an event that come from an EVE alert: the members named in eve_properties.def.
 *
 * Threads: pure functions; an arena belongs to one thread at a time.
 */
#ifndef VG_TOOLS_SURICATA_EVE_PROPERTY_H
#define VG_TOOLS_SURICATA_EVE_PROPERTY_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "core/base/arena.h"
#include "core/base/compiler.h"

#include "vigil/events/v2/submit.pb-c.h"

/* Values of one property that are kept, and properties that an EACH member may give. */
#define VG_EVE_VALUES_MAX 64u
#define VG_EVE_EACH_MAX   64u

/*
 * Fill the properties of `request`: in the order of the table, members that are there and hold
 * something. All memory is from `arena`; false past its cap.
 */
VG_MUST_USE bool vg_eve_property_fill(
    const cJSON *record,
    struct vg_arena *arena,
    Vigil__Events__V2__SubmitRequest *request);

/* The first text at `path` ("dns.query.rrname"); lists are looked into. NULL = there is none. */
const char *vg_eve_property_text(const cJSON *record, const char *path);

#endif
