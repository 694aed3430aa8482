/*
 * The events that measurements use: about 1 KiB with 8 properties, skewed like real alert data:
 * Zipf over 2,000 signatures, 50 customers and 100,000 addresses, a twentieth of them IPv6. Event
 * number i is the same in every program and every run that agrees on `struct vg_bench_world`.
 *
 * Threads: pure functions; vg_bench_events_prepare first, once.
 */
#ifndef VG_TOOLS_BENCH_BENCH_EVENTS_H
#define VG_TOOLS_BENCH_BENCH_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/clock.h"

#include "vigil/events/v2/submit.pb-c.h"

#define VG_BENCH_EVENT_BYTES_MAX 8192u
#define VG_BENCH_DAY_MS          INT64_C(86400000)
#define VG_BENCH_SIGNATURES      2000u
#define VG_BENCH_ADDRESSES       100000u
#define VG_BENCH_PROPERTIES      8u

struct vg_bench_world {
    vg_time end;             /* events lie in the 30 days before it */
    uint64_t month;          /* numbers that fill the 30 days, evenly; then they begin again */
    int64_t customer;        /* first id */
    uint64_t customer_count; /* ids that follow one another */
};

/* Make the tables of the skewed draws. */
void vg_bench_events_prepare(void);

/* A number that depends on nothing but `number` and `salt`. */
uint64_t vg_bench_mix(uint64_t number, uint64_t salt);

/* 0 .. count-1 by Zipf's law, from an even 64-bit number. */
uint64_t vg_bench_signature(uint64_t even);
uint64_t vg_bench_address(uint64_t even);
uint64_t vg_bench_customer(const struct vg_bench_world *world, uint64_t even);

/* Texts; they live in `arena`. */
char *vg_bench_signature_text(uint64_t signature, struct vg_arena *arena);
char *vg_bench_address_text(uint64_t address, struct vg_arena *arena);
char *vg_bench_property_key(uint64_t property, struct vg_arena *arena);
char *vg_bench_property_value(uint64_t property, uint64_t value, struct vg_arena *arena);
/* How many values property number `property` has. */
uint64_t vg_bench_property_values(uint64_t property);
char *vg_bench_event_id(
    const struct vg_bench_world *world,
    uint64_t number,
    struct vg_arena *arena);

/* Zeroed memory; a measurement without memory ends. */
void *vg_bench_take(struct vg_arena *arena, size_t count, size_t size);

Vigil__Events__V2__SubmitRequest *vg_bench_event(
    const struct vg_bench_world *world,
    uint64_t number,
    struct vg_arena *arena);

#endif
