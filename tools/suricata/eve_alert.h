/*
 * An EVE alert, looked at once: what an event's identity and endpoints are made of, checked.
 *
 * Nothing is sent that a server would refuse: a bulk with one malformed member is refused as a
 * whole, so what is wrong with an alert is found here.
 *
 * Threads: pure functions.
 */
#ifndef VG_TOOLS_SURICATA_EVE_ALERT_H
#define VG_TOOLS_SURICATA_EVE_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/base/network.h"
#include "core/base/uuid.h"

#define VG_EVE_NONE (-1) /* a port or protocol that the record does not tell */

struct vg_eve_endpoint {
    struct vg_network address; /* a host, or none */
    int32_t port;              /* 0 to 65535, or VG_EVE_NONE */
};

struct vg_eve_alert {
    const cJSON *record; /* borrowed */
    const cJSON *alert;  /* its member "alert" */
    vg_time time;
    int64_t generator_id; /* "gid" */
    int64_t signature_id; /* "signature_id", the sid */
    int64_t revision;     /* "rev" */
    int64_t severity;     /* as Suricata counts: 1 is the highest; 0 = not told */
    struct vg_eve_endpoint source;
    struct vg_eve_endpoint destination;
    int protocol; /* IP protocol number, or VG_EVE_NONE */
    bool blocked; /* Suricata did not let the traffic pass */
    /* The same for the same alert wherever and whenever it is read: see docs/suricata.md. */
    struct vg_uuid identity;
};

/* Whether the record is an alert; files of Suricata hold flows, DNS answers and more. */
bool vg_eve_alert_is(const cJSON *record);

/*
 * Look at an alert. *out_alert borrows from `record`.
 *
 * Fails with: REQUIRED_FIELD for an alert without time or signature; INVALID_FIELD_VALUE for a
 * member that cannot be what it says. error->field names the member.
 */
VG_MUST_USE enum vg_reason vg_eve_alert_parse(
    const cJSON *record,
    struct vg_eve_alert *out_alert,
    struct vg_error *error);

#endif
