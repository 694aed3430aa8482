/*
 * The stored event as one struct, and its packed form, vigil.record.v1.Event.
 *
 * The packed form is answer-ready: its fields below 100 are those of vigil.events.v2.Event, so that
 * an answer copies them. It is made in two steps, because the last facts are known only at commit:
 *
 *     head = vg_event_record_pack(record)      all but times and revision, by whoever has time
 *     bytes = vg_event_record_finish(head)     timestamps and revision behind it, by the writer
 *
 * Texts and lists in the struct are borrowed: from the request, from the packed bytes or from an
 * arena.
 *
 * Threads: values.
 */
#ifndef VG_CORE_RECORD_EVENT_RECORD_H
#define VG_CORE_RECORD_EVENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/network.h"
#include "core/record/event_flags.h"
#include "core/record/event_id.h"

/* What one stored event may take at most: settings. Further limits are in limits.def. */
struct vg_event_limits {
    size_t record_bytes_max;
    size_t property_bytes_max; /* all properties, packed */
};

/* Severities, protocols as v2 shows them, payload types: numbers of vigil.record.v1. */
enum vg_event_severity {
    VG_EVENT_SEVERITY_UNSET = 0,
    VG_EVENT_SEVERITY_LOW = 1,
    VG_EVENT_SEVERITY_MEDIUM = 2,
    VG_EVENT_SEVERITY_HIGH = 3,
    VG_EVENT_SEVERITY_CRITICAL = 4,
};

enum vg_event_payload_type {
    VG_EVENT_PAYLOAD_NONE = 0,
    VG_EVENT_PAYLOAD_ETHERNET = 1,
    VG_EVENT_PAYLOAD_PCAP = 2,
    VG_EVENT_PAYLOAD_BINARY = 3,
    VG_EVENT_PAYLOAD_STRING = 4,
};

#define VG_EVENT_NO_PROTOCOL (-1)
#define VG_EVENT_NO_PORT     (-1)

struct vg_event_property {
    struct vg_bytes key;
    const struct vg_bytes *values; /* distinct */
    uint32_t value_count;
};

struct vg_event_geo {
    bool present;
    bool has_latitude;
    bool has_longitude;
    bool has_geo_location_id;
    char country[2]; /* upper case; zero = none */
    double latitude;
    double longitude;
    int64_t geo_location_id;
};

struct vg_event_endpoint {
    struct vg_network network; /* family NONE = no address */
    int32_t port;              /* VG_EVENT_NO_PORT = none */
    struct vg_bytes host;      /* data NULL = none; so are all texts below */
    struct vg_bytes user;
    struct vg_event_geo geo;
};

/* Times of one event beside the one in its id. */
struct vg_event_times {
    vg_time first_event;
    vg_time last_event;
    vg_time engine_persisted;
    vg_time published;
    vg_time last_updated;
    vg_time first_assessed; /* 0 = never */
    vg_time first_notified; /* 0 = never */
};

struct vg_event_record {
    struct vg_event_id id; /* from the key, not part of the packed form */

    struct vg_event_times times;
    struct vg_event_flags flags;
    int32_t severity;
    int32_t count;
    int32_t protocol; /* number, or VG_EVENT_NO_PROTOCOL */
    int32_t payload_type;
    struct vg_bytes signature;
    bool has_alarm; /* the signature was known when it was submitted */
    int64_t alarm_id;
    struct vg_bytes alarm_short_name;
    struct vg_bytes alarm_description;
    int64_t category_id;
    struct vg_bytes category_short_name;
    struct vg_bytes category_name;
    struct vg_bytes uri;
    struct vg_bytes domain;
    struct vg_bytes aggregation_key;
    int64_t location_id; /* 0 = none */
    struct vg_event_endpoint source;
    struct vg_event_endpoint destination;

    const struct vg_event_property *properties; /* sorted by the bytes of the key */
    uint32_t property_count;
    const struct vg_bytes *sub_events; /* canonical texts of ids */
    uint32_t sub_event_count;
    const int64_t *cases; /* newest association first */
    uint32_t case_count;

    struct vg_bytes comments; /* content of the packed list; data NULL = none */
    struct vg_bytes extra;    /* fields this program does not know, kept as they are */

    uint64_t revision;
    uint64_t first_revision; /* that stored it first; 0 = it was not changed since */
    int64_t created_by_user_id;
    int32_t created_in; /* word of the setting data_center */
};

/* An event of which nothing is known. */
void vg_event_record_init(struct vg_event_record *record);

/* A packed event without what the commit decides. */
struct vg_event_head {
    uint8_t *data; /* `size` bytes, and room for the tail behind them */
    size_t size;
    size_t property_bytes; /* the packed properties: what the limit counts */
};

#define VG_EVENT_TAIL_MAX 160u

/*
 * Pack `record`, all but its times and revision, into memory of `arena`.
 *
 * Fails with: EVENT_TOO_LARGE past one of `limits` or of limits.def; REQUEST_MEMORY when the arena
 * is full.
 */
VG_MUST_USE enum vg_reason vg_event_record_pack(
    const struct vg_event_record *record,
    const struct vg_event_limits *limits,
    struct vg_arena *arena,
    struct vg_event_head *out_head,
    struct vg_error *error);

/* Append times and revision to the head of the event `id`. The bytes live as long as the head; may
 * be done again with other times. */
struct vg_bytes vg_event_record_finish(
    const struct vg_event_head *head,
    const struct vg_event_id *id,
    const struct vg_event_times *times,
    uint64_t revision);

/*
 * Read the packed event `bytes` stored under `id`. Texts borrow from `bytes`, lists are in `arena`.
 *
 * Fails with: STORE_CORRUPT; REQUEST_MEMORY when the arena is full.
 */
VG_MUST_USE enum vg_reason vg_event_record_unpack(
    const struct vg_event_id *id,
    struct vg_bytes bytes,
    struct vg_arena *arena,
    struct vg_event_record *out_record,
    struct vg_error *error);

/* The number of vigil.events.v2.Protocol that shows protocol `number`. */
int32_t vg_event_protocol_shown(int32_t number);

/* The text by which v1 shows protocol `number`: a name where it has one, else the number. */
#define VG_EVENT_PROTOCOL_TEXT_SIZE 32
size_t vg_event_protocol_print(int32_t number, char out_text[VG_EVENT_PROTOCOL_TEXT_SIZE]);

/* The revision of the packed event `bytes`, without reading the rest; 0 when it says none. */
uint64_t vg_event_record_revision(struct vg_bytes bytes);

#endif
