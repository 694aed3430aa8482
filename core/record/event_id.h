/*
 * The identity of an event: class, timestamp, customer and UUID, all four. Its text is
 * `AGGR/1570715141521/1/1679fbfc-1792-4992-8428-3cb4df642fa8`.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_EVENT_ID_H
#define VG_CORE_RECORD_EVENT_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/uuid.h"
#include "core/keyspace/keyspace.h"

/* Class of an event; numbers of vigil.record.v1.EventClass and of both APIs. */
enum vg_event_type {
    VG_EVENT_TYPE_UNSET = 0,
    VG_EVENT_TYPE_AGGREGATED = 1,
    VG_EVENT_TYPE_RAW = 2,
};

struct vg_event_id {
    vg_time timestamp;   /* 0 to VG_TIME_MAX */
    int64_t customer_id; /* at least 1 */
    struct vg_uuid uuid;
    enum vg_event_type type;
};

#define VG_EVENT_ID_TEXT_SIZE 80 /* the longest text and a NUL */

enum vg_event_id_form {
    VG_EVENT_ID_FORM_WRONG,   /* not the text of an id */
    VG_EVENT_ID_FORM_FOREIGN, /* well-formed, but its last part is no UUID: no event has it */
    VG_EVENT_ID_FORM_OK,
};

/*
 * Read the text form: one of the prefixes AGGR, AGGRATTACK, RAW, NIDS, decimal digits, decimal
 * digits, and 1 to 64 of [0-9A-Za-z-]; nothing before, between or after. *out_id is set only when
 * the form is OK.
 */
VG_MUST_USE enum vg_event_id_form vg_event_id_parse(
    struct vg_bytes text,
    struct vg_event_id *out_id);

/* The class of a prefix, or VG_EVENT_TYPE_UNSET. */
enum vg_event_type vg_event_id_parse_type(struct vg_bytes prefix);

/* Write the canonical text (AGGR or RAW, lower case) and a NUL; returns its length. */
size_t vg_event_id_print(const struct vg_event_id *id, char out_text[VG_EVENT_ID_TEXT_SIZE]);

/* "AGGR" or "RAW". */
const char *vg_event_type_prefix(enum vg_event_type type);

/* The key of the record, or of its payload. */
void vg_event_id_key(const struct vg_event_id *id, struct vg_key *out_key);
void vg_event_id_payload_key(const struct vg_event_id *id, struct vg_key *out_key);

/* The key of one entry of its lineage: change `number` of the batch that made it `revision`; and
 * what begins the keys of all of them. */
void vg_event_id_lineage_key(
    const struct vg_event_id *id,
    uint64_t revision,
    uint32_t number,
    struct vg_key *out_key);
void vg_event_id_lineage_prefix(const struct vg_event_id *id, struct vg_key *out_key);

/* The identity in the key of a record; false for any other key. */
VG_MUST_USE bool vg_event_id_from_key(struct vg_bytes key, struct vg_event_id *out_id);

#endif
